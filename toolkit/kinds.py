"""One column's cells become a judgement: what kind it is, what stands for missing, and its figures."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from toolkit import dates, identifiers, markers, numbers
from toolkit.cells import Cells, count, matches
from toolkit.dates import Dates
from toolkit.number_format import PLAIN as PLAIN_FORMAT
from toolkit.number_format import NumberFormat

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

Kind = Literal["number", "boolean", "category", "text", "date", "empty"]

VALUES_MAX = 100  # of a column's most frequent values that are kept
NUMBER_VALUES_MAX = 20  # different numbers up to which their counts are kept, as of a category
ODD_SHARE_MAX = 0.02  # of rows that do not fit a column of numbers or dates, before it is none
ODD_TEXTS_MAX = 50  # different texts that may be taken for missing values because nothing else fits them
ONE_WORD_SHARE_MAX = 0.5  # of rows that hold the one word a column of numbers may have: "Varies with device"
WORDS_OF_NUMBERS_MIN = 20  # different numbers beside which a foreign word is a gap, not one category among few
SHORT_TEXT_WORDS = 2.0  # words a cell from which names and titles are read as text
LONG_TEXT_CHARACTERS = 50
TRUE_FALSE = {"true": True, "false": False}
TWO_WORDS = (
    TRUE_FALSE,
    {"yes": True, "no": False},
    {"y": True, "n": False},
    {"t": True, "f": False},
    {"on": True, "off": False},
)
COMPACT_DATE = r"^(19|20)[0-9]{6}$"
SAYS_TIME = frozenset(
    ("time", "date", "timestamp", "created", "updated", "epoch", "ts", "unix", "datetime", "posted", "utc", "at")
)
UNITS = re.compile(
    r"[(\[]\s*([^()\[\]]{1,12})\s*[)\]]\s*$|_(cm|mm|km|kg|mg|ml|pct|percent|usd|eur|inches|meters|minutes|seconds|hours|days|years|lbs|mph|kmh|celsius)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Judged:
    """A column with what was decided about it, and the evidence that findings are made of."""

    name: str
    kind: Kind
    rows: int
    gaps: int
    missing: tuple[str, ...] = ()
    missing_counts: tuple[int, ...] = ()
    test_missing_share: float = 0.0
    distinct: int = 0
    whole: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    median: float | str | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    values: tuple[str, ...] = ()
    value_counts: tuple[int, ...] = ()
    words: dict[str, bool] = field(default_factory=dict)
    number_format: NumberFormat = PLAIN_FORMAT
    date_format: str = ""
    ambiguous_date: bool = False
    length_mean: float | None = None
    length_maximum: int | None = None
    words_mean: float | None = None
    unit: str = ""
    identifier: str = ""
    odd: tuple[str, ...] = ()
    odd_rows: int = 0
    sentinel: float | None = None
    zeros_share: float = 0.0
    top_share: float = 0.0
    shape: str = ""  # what a cell holds besides words: list, url, path, json

    @property
    def missing_share(self) -> float:
        """Return the share of rows whose value is missing."""
        return self.gaps / self.rows if self.rows else 0.0


@dataclass(frozen=True, eq=False)
class _Reading:
    """One way to understand the cells: the kind, which texts are missing then, which fit nothing."""

    kind: Kind
    missing: NDArray[np.bool_]
    odd: NDArray[np.bool_]
    figures: NDArray[np.float64] | None = None
    number_format: NumberFormat = PLAIN_FORMAT
    moments: Dates | None = None
    words: dict[str, bool] = field(default_factory=dict)


def judge(name: str, cells: Cells, test: pd.Series[Any] | None, *, names_rows: bool = False) -> Judged:
    """Return the judgement of a column's counted cells; ``test`` are its raw texts in the rows to predict.

    ``names_rows`` says that the sample submission names rows by this column.
    """
    reading = _read(name, cells)
    gone = reading.missing | reading.odd
    present = cells.where(~gone)
    rows = cells.rows
    gaps = int(cells.counts[gone].sum())
    odd = tuple(cells.stripped.filter(_mask(reading.odd)).to_pylist()[:ODD_TEXTS_MAX]) if reading.odd.any() else ()
    found = Judged(
        name=name,
        kind=reading.kind,
        rows=rows,
        gaps=gaps,
        odd=tuple(sorted(odd)),
        odd_rows=int(cells.counts[reading.odd].sum()),
    )
    found = replace(found, **_missing(cells, gone))
    if reading.kind == "empty":
        found = replace(found, length_mean=None)
    elif reading.figures is not None:
        found = _with_numbers(found, present, reading.figures[~gone], reading)
    elif reading.moments is not None:
        found = _with_dates(found, present, reading.moments, reading.moments.seconds[~gone])
    else:
        found = _with_words(found, present.merged(), reading)
    if test is not None:
        found = _with_test(found, count(test))
    return replace(
        found, identifier=_identifier(found, present, reading, gone, names_rows=names_rows), unit=_unit(found)
    )


class RowMarks:
    """Marks that are equal for rows equal in every cell; columns may come in any order, from several threads."""

    def __init__(self, rows: int) -> None:
        self._marks = np.zeros(rows, dtype=np.uint64)
        self._lock = threading.Lock()
        self._differ = False

    def add(self, position: int, cells: Cells) -> None:
        """Take in the cells of the column at ``position``."""
        if cells.codes is None or self._differ:
            return
        if len(cells) == len(self._marks):  # one column without doubles rules out equal rows
            self._differ = True
            return
        mixed = cells.codes.astype(np.uint64)
        mixed += np.uint64((position + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):  # the mixer of SplitMix64
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        with self._lock:
            self._marks += mixed

    def doubles(self) -> int:
        """Return how many rows repeat an earlier one in every cell."""
        import pandas as pd  # noqa: PLC0415 - 300 ms

        return 0 if self._differ else len(self._marks) - len(pd.unique(pd.Series(self._marks)))


def _read(name: str, cells: Cells) -> _Reading:
    """Try the kinds in order: nothing, numbers, true and false, dates; what is left is words."""
    nothing = np.zeros(len(cells), dtype=bool)
    plain = numbers.parse(cells.stripped, PLAIN_FORMAT)
    if len(cells) and np.isfinite(plain).all() and not _is_code(cells):
        return _number_reading(name, cells, nothing, plain, PLAIN_FORMAT)
    always = markers.always(cells)
    if len(cells) == 0 or bool(always.all()):
        return _Reading("empty", always, nothing)
    among_numbers = markers.among_numbers(cells)
    if not among_numbers.all():
        for attempt in (_as_numbers, _as_booleans, _as_dates):
            found = attempt(name, cells, among_numbers)
            if found is not None:
                return found
    missing = markers.among_words(cells)
    if missing.all():
        missing = always
    return _Reading("category", missing, nothing, words=_two_words(cells.where(~missing)))


def _as_numbers(name: str, cells: Cells, missing: NDArray[np.bool_]) -> _Reading | None:
    present = cells.where(~missing)
    form = PLAIN_FORMAT
    parsed = numbers.parse(present.stripped, form)
    if not np.isfinite(parsed).all():
        step = max(1, len(present) // numbers.SAMPLE_TEXTS)
        other = numbers.format_of(present.stripped[::step].to_pylist(), present.counts[::step].tolist())
        if other is not None and other != form:
            again = numbers.parse(present.stripped, other)
            if np.isfinite(again).sum() > np.isfinite(parsed).sum():
                form, parsed = other, again
    fits = np.isfinite(parsed)
    if not fits.any() or not _tolerable(present, fits):
        return None
    if form == PLAIN_FORMAT and _is_code(present.where(fits)):
        return None
    return _number_reading(name, cells, missing, parsed, form)


def _number_reading(
    name: str, cells: Cells, missing: NDArray[np.bool_], parsed: NDArray[np.float64], form: NumberFormat
) -> _Reading:
    """Return the reading of a column of numbers; ``parsed`` are those of the cells that are not missing."""
    values = np.full(len(cells), np.nan)
    values[~missing] = parsed
    odd = ~missing & ~np.isfinite(values)
    if form == PLAIN_FORMAT and not odd.any():
        moments = _epoch(name, parsed) or _compact_dates(name, cells.where(~missing))
        if moments is not None:
            seconds = np.full(len(cells), np.nan)
            seconds[~missing] = moments.seconds
            return _Reading("date", missing, odd, moments=Dates(moments.pattern, seconds))
    return _Reading("number", missing, odd, figures=values, number_format=form)


def _tolerable(present: Cells, fits: NDArray[np.bool_]) -> bool:
    """Whether the texts that do not fit are few enough to be gaps in a column of what does."""
    if fits.all():
        return True
    odd_texts, odd_rows = int((~fits).sum()), int(present.counts[~fits].sum())
    fitting = int(fits.sum())
    if fitting < WORDS_OF_NUMBERS_MIN:
        return False
    if odd_texts == 1 and odd_rows <= ONE_WORD_SHARE_MAX * present.rows:
        word = present.stripped.filter(_mask(~fits))[0].as_py()
        return not any(character.isdigit() for character in word) or odd_rows <= ODD_SHARE_MAX * present.rows
    return odd_rows <= ODD_SHARE_MAX * present.rows and odd_texts <= min(ODD_TEXTS_MAX, 0.1 * fitting + 1)


def _is_code(present: Cells) -> bool:
    """Whether digits are a code: written with zeros in front, all of one length (postal codes, product codes)."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    zeros = pc.starts_with(present.stripped, "0")
    if not pc.any(zeros).as_py() or not matches(present.stripped.filter(zeros), r"^0[0-9]+$").any():
        return False
    if not matches(present.stripped, r"^[0-9]+$").all():
        return False
    lengths = {len(text) for text in present.stripped.to_pylist()}
    return len(lengths) == 1


def _epoch(name: str, values: NDArray[np.float64]) -> Dates | None:
    low, high = dates.EPOCH_SECONDS
    if not set(identifiers.words_of(name)) & SAYS_TIME or not ((values >= low) & (values <= high)).all():
        return None
    return Dates("epoch_seconds", values) if len(values) > 1 else None


def _compact_dates(name: str, present: Cells) -> Dates | None:
    """Return dates written as 20190131, all of them real days: under a name of time, or many of them."""
    sample = present.stripped[:100]
    if len(present) < 2 or not matches(sample, COMPACT_DATE).all() or not matches(present.stripped, COMPACT_DATE).all():  # noqa: PLR2004 - one number is no evidence
        return None
    found = dates.parse(present.stripped, "%Y%m%d")
    named = bool(set(identifiers.words_of(name)) & (SAYS_TIME | {"day"}))
    return Dates("%Y%m%d", found) if np.isfinite(found).all() and (named or len(present) > 30) else None  # noqa: PLR2004


def _as_booleans(_name: str, cells: Cells, missing: NDArray[np.bool_]) -> _Reading | None:
    present = cells.where(~missing)
    if len(present) > 12:  # noqa: PLR2004 - two words in all their spellings
        return None
    texts = present.stripped.to_pylist()
    if not all(text.lower() in TRUE_FALSE for text in texts):
        return None
    words = {text: TRUE_FALSE[text.lower()] for text in sorted(texts)}
    return _Reading("boolean", missing, np.zeros(len(cells), dtype=bool), words=words)


def _as_dates(_name: str, cells: Cells, missing: NDArray[np.bool_]) -> _Reading | None:
    present = cells.where(~missing)
    found = dates.read(present.stripped)
    if found is None:
        return None
    fits = np.isfinite(found.seconds)
    if not fits.all() and present.counts[~fits].sum() > ODD_SHARE_MAX * present.rows:
        return None
    seconds = np.full(len(cells), np.nan)
    seconds[~missing] = found.seconds
    odd = ~missing & ~np.isfinite(seconds)
    return _Reading("date", missing, odd, moments=replace(found, seconds=seconds))


def _two_words(present: Cells) -> dict[str, bool]:
    if len(present) > 12:  # noqa: PLR2004 - two words in all their spellings
        return {}
    texts = sorted(set(present.stripped.to_pylist()))
    for pair in TWO_WORDS:
        if {text.lower() for text in texts} == set(pair):
            return {text: pair[text.lower()] for text in texts}
    return {}


def _missing(cells: Cells, gone: NDArray[np.bool_]) -> dict[str, Any]:
    kept = cells.texts.filter(_mask(gone)).to_pylist()
    pairs = sorted(zip(kept, cells.counts[gone].tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return {"missing": tuple(text for text, _ in pairs), "missing_counts": tuple(number for _, number in pairs)}


def _with_numbers(found: Judged, present: Cells, values: NDArray[np.float64], reading: _Reading) -> Judged:
    values, counts = _ordered(values, present.counts)
    total = int(counts.sum())
    different = int((np.diff(values) != 0).sum()) + 1
    with np.errstate(all="ignore"):
        mean = float(np.average(values, weights=counts))
        spread = float(np.sqrt(np.average((values - mean) ** 2, weights=counts) * total / max(total - 1, 1)))
    whole = bool((values == np.floor(values)).all())
    listed = present.merged().top(VALUES_MAX) if different <= NUMBER_VALUES_MAX else ((), ())
    zeros = int(counts[values == 0].sum())
    return replace(
        found,
        distinct=different,
        whole=whole,
        minimum=float(values[0]),
        maximum=float(values[-1]),
        median=_middle(values, counts),
        mean=mean if math.isfinite(mean) else None,
        standard_deviation=spread if math.isfinite(spread) else None,
        values=listed[0],
        value_counts=listed[1],
        number_format=reading.number_format,
        sentinel=_sentinel(values, counts),
        zeros_share=zeros / total if _zero_stands_apart(values, counts) else 0.0,
        top_share=int(counts.max()) / total,
    )


def _ordered(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return values from the least to the greatest with their counts."""
    if counts.max() == 1:
        return np.sort(values), counts
    order = np.argsort(values, kind="stable")
    return values[order], counts[order]


def _middle(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    running = np.cumsum(counts)
    total = int(running[-1])
    low = values[int(np.searchsorted(running, (total - 1) // 2, side="right"))]
    high = values[int(np.searchsorted(running, total // 2, side="right"))]
    return float(low + (high - low) / 2) if math.isfinite(high - low) else float(low)


def _sentinel(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float | None:
    """Return a number such as -999 or 9999 that stands far outside all others and comes again and again."""
    if len(values) < 5:  # noqa: PLR2004 - too few to stand outside of
        return None
    for edge, inner, other in ((0, 1, -1), (-1, -2, 0)):
        value = float(values[edge])
        digits = f"{abs(value):.0f}"
        nines = len(digits) > 1 and set(digits) == {"9"} and value == math.floor(value)
        span = abs(float(values[inner]) - float(values[other]))
        apart = abs(float(values[inner]) - value) > max(span, 1.0)
        if nines and apart and counts[edge] > 1 and (value < 0 or len(digits) > 2):  # noqa: PLR2004 - 99 can be an age
            return value
    return None


def _zero_stands_apart(values: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    """Whether zeros look like gaps: the least value, several of them, and nothing between them and the others."""
    if len(values) < 10 or values[0] != 0 or counts[0] < 2:  # noqa: PLR2004 - too few to judge by
        return False
    rest, weights = values[1:], counts[1:]
    middle = _middle(rest, weights)
    step = float(np.median(np.diff(rest)))
    return bool(rest[0] > 0.1 * middle and rest[0] > 5 * step and weights.sum() > counts[0])


def _with_dates(found: Judged, present: Cells, read: Dates, seconds: NDArray[np.float64]) -> Judged:
    seconds, counts = _ordered(seconds, present.counts)
    total = int(counts.sum())
    middle = seconds[int(np.searchsorted(np.cumsum(counts), (total - 1) // 2, side="right"))]
    return replace(
        found,
        distinct=int((np.diff(seconds) != 0).sum()) + 1,
        minimum=dates.iso_text(float(seconds[0])),
        maximum=dates.iso_text(float(seconds[-1])),
        median=dates.iso_text(float(middle)),
        date_format=read.pattern,
        ambiguous_date=read.ambiguous,
        top_share=int(counts.max()) / max(total, 1),
    )


def _with_words(found: Judged, present: Cells, reading: _Reading) -> Judged:
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    lengths = pc.utf8_length(present.stripped).to_numpy(zero_copy_only=False)
    words = pc.count_substring_regex(present.stripped, r"\S+").to_numpy(zero_copy_only=False)
    total = present.rows
    length_mean = float(np.average(lengths, weights=present.counts))
    words_mean = float(np.average(words, weights=present.counts))
    kind = reading.kind
    if kind == "category" and _is_text(len(present), total, words_mean, length_mean):
        kind = "text"
    listed = present.top(VALUES_MAX) if kind != "text" else ((), ())
    return replace(
        found,
        kind=kind,
        distinct=len(set(reading.words.values())) if kind == "boolean" else len(present),
        minimum=0.0 if kind == "boolean" else None,
        maximum=1.0 if kind == "boolean" else None,
        words=reading.words,
        values=listed[0],
        value_counts=listed[1],
        length_mean=length_mean,
        length_maximum=int(lengths.max()),
        words_mean=words_mean,
        top_share=int(present.counts.max()) / total,
        shape=_shape(present) if kind in {"text", "category"} else "",
    )


def _is_text(distinct: int, rows: int, words_mean: float, length_mean: float) -> bool:
    """Whether cells are to be read as language: several words each, and seldom the same twice."""
    share = distinct / rows
    if distinct <= 20 and not (words_mean >= 5 and share > 0.5):  # noqa: PLR2004 - few values are categories, however long
        return False
    if words_mean >= 5 or length_mean >= LONG_TEXT_CHARACTERS:  # noqa: PLR2004 - sentences
        return share > 0.1 or distinct > 1000  # noqa: PLR2004
    return words_mean >= SHORT_TEXT_WORDS and share > 0.3 and distinct > 50  # noqa: PLR2004 - names and titles


def _shape(present: Cells) -> str:
    sample = present.where(present.counts > 0)
    texts = sample.stripped[:2000]
    forms = {
        "url": r"^(?:https?://|www\.)\S+$",
        "path": r"(?i)^\S*\.(?:jpe?g|png|gif|bmp|tiff?|webp|dcm|wav|mp3|flac|ogg|mp4)$",
        "json": r"^\[?\{.*\}\]?$",
        "list": r"^\[.*\]$",
    }
    for shape, pattern in forms.items():
        if len(texts) and matches(texts, pattern).mean() > 0.8:  # noqa: PLR2004 - nearly every cell
            return shape
    joined = matches(texts, r"[^|;,]\s*[|;,]\s*[^|;,]").mean() > 0.3  # noqa: PLR2004 - a list may have one member
    if not joined or len(texts) <= 20:  # noqa: PLR2004 - too few to see members again
        return ""
    members = Counter(member.strip() for text in texts.to_pylist() for member in re.split(r"[|;,]", text))
    return "list" if len(members) < 0.5 * len(texts) else ""


def _with_test(found: Judged, cells: Cells) -> Judged:
    """Add what the rows to predict hold: their gaps, and the marks and odd cells that only they have."""
    gone = _gone_in_test(found, cells)
    extra = tuple(sorted(set(cells.texts.filter(_mask(gone)).to_pylist()) - set(found.missing)))
    rows = max(cells.rows, 1)
    share = int(cells.counts[gone].sum()) / rows
    return replace(
        found,
        missing=(*found.missing, *extra),
        missing_counts=(*found.missing_counts, *(0,) * len(extra)),
        test_missing_share=share,
    )


def _gone_in_test(found: Judged, cells: Cells) -> NDArray[np.bool_]:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    known = pc.is_in(cells.texts, value_set=pa.array(found.missing, pa.large_string())).to_numpy(zero_copy_only=False)
    if found.kind == "number":
        return np.asarray(known | ~np.isfinite(numbers.parse(cells.stripped, found.number_format)))
    if found.kind == "date":
        form = found.date_format
        seconds = (
            numbers.parse(cells.stripped, PLAIN_FORMAT)
            if form == "epoch_seconds"
            else dates.parse(cells.stripped, form)
        )
        return np.asarray(known | ~np.isfinite(seconds))
    if found.kind == "boolean":
        words = pc.is_in(pc.utf8_lower(cells.stripped), value_set=pa.array(list(TRUE_FALSE), pa.large_string()))
        return np.asarray(known | ~words.to_numpy(zero_copy_only=False))
    if found.kind == "empty":
        return np.asarray(known | markers.always(cells))
    return np.asarray(known | markers.among_words(cells))


def _identifier(found: Judged, present: Cells, reading: _Reading, gone: NDArray[np.bool_], *, names_rows: bool) -> str:
    if found.kind in {"empty", "boolean", "date"} or (found.kind == "number" and not found.whole):
        return ""
    plain = reading.figures is not None and found.number_format == PLAIN_FORMAT
    return identifiers.judge(
        identifiers.Facts(
            name=found.name,
            cells=present if plain else present.merged(),
            rows=found.rows,
            gaps=found.gaps,
            numbers=reading.figures[~gone] if reading.figures is not None else None,
            whole=found.whole and plain,
            words_mean=found.words_mean or 1.0,
            first_in_submission=names_rows,
        )
    )


def _unit(found: Judged) -> str:
    if found.kind != "number":
        return ""
    form = found.number_format
    if form.prefix or form.suffix:
        return (form.prefix or form.suffix).strip("#")
    match = UNITS.search(found.name)
    text = (match[1] or match[2] or "") if match else ""
    return text.strip() if not any(character.isdigit() for character in text) else ""


def _mask(values: NDArray[Any]) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    return pa.array(values)
