"""One column's cells become a judgement: what kind it is, what stands for missing, and its figures."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import dates, identifiers, markers, numbers, readings
from toolkit.cells import Cells, Fractions, count, is_in, matches
from toolkit.dates import Dates
from toolkit.errors import DataError, UsageError
from toolkit.names import argument
from toolkit.number_format import PLAIN as PLAIN_FORMAT
from toolkit.number_format import NumberFormat
from toolkit.overrules import NOTHING, Asked
from toolkit.readings import ODD_TEXTS_MAX, TRUE_FALSE, Kind, Reading, mask

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


WORDS_SEEN = 2000  # different texts that show what a column's words are
WORDS_SAMPLE = 50_000  # different texts beyond which words are counted in an even sample
VALUES_MAX = 100  # of a column's most frequent values that are kept
NUMBER_VALUES_MAX = 20  # different numbers up to which their counts are kept, as of a category
SHORT_TEXT_WORDS = 2.0  # words a cell from which names and titles are read as text
LONG_TEXT_CHARACTERS = 50
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
    sentinel: float | None = None  # a number that is read as missing, and in how many rows it stands
    sentinel_rows: int = 0
    zeros_share: float = 0.0
    top_share: float = 0.0
    units: tuple[str, ...] = ()  # of numbers in units that cannot be compared, which are read as words
    shape: str = ""  # what a cell holds besides words: list, url, path, json, money
    wanted: Asked = NOTHING  # what a person asked of the column

    @property
    def missing_share(self) -> float:
        """Return the share of rows whose value is missing."""
        return self.gaps / self.rows if self.rows else 0.0


def judge(
    name: str, cells: Cells, test: pd.Series[Any] | None, *, names_rows: bool = False, wanted: Asked = NOTHING
) -> Judged:
    """Return the judgement of a column's counted cells; ``test`` are its raw texts in the rows to predict.

    ``names_rows`` says that the sample submission names rows by this column; ``wanted`` is what a person asks of it.
    """
    asked = wanted.kind
    reading = _reading(name, cells, wanted)
    gone = reading.missing | reading.odd
    present = cells.where(~gone)
    rows = cells.rows
    gaps = int(cells.counts[gone].sum())
    odd = tuple(cells.stripped.filter(mask(reading.odd)).to_pylist()[:ODD_TEXTS_MAX]) if reading.odd.any() else ()
    found = Judged(
        name=name,
        kind=reading.kind,
        rows=rows,
        gaps=gaps,
        odd=tuple(sorted(odd)),
        odd_rows=int(cells.counts[reading.odd].sum()),
        wanted=wanted,
    )
    found = replace(found, **_missing(cells, gone))
    if reading.kind == "empty":
        found = replace(found, length_mean=None)
    elif reading.figures is not None:
        found = _with_numbers(found, present, reading.figures[~gone], reading)
    elif reading.moments is not None:
        found = _with_dates(found, present, reading.moments, reading.moments.seconds[~gone])
    else:
        found = _with_words(found, present.merged(), reading, asked=asked)
    if test is not None:
        found = _with_test(found, count(test), wanted)
    if asked:
        return replace(found, unit=_unit(found))
    return replace(
        found, identifier=_identifier(found, present, reading, gone, names_rows=names_rows), unit=_unit(found)
    )


def judge_fractions(name: str, column: Fractions, test: pd.Series[Any] | None) -> Judged | None:
    """Return what ``judge`` says of a long column of plain numbers with decimals, ``None`` where it must look itself.

    Such a column names no rows and is no code; moments in seconds and numbers that stand for missing are left to it.
    """
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    nothing = np.zeros(len(column.values), dtype=bool)
    reading = Reading("number", nothing, nothing, figures=column.values)
    cells = Cells(pa.array([], pa.large_string()), pa.array([], pa.large_string()), column.counts)
    if len(column.values) <= NUMBER_VALUES_MAX or readings.epoch(name, column.values) is not None:
        return None
    if _without_sentinel(reading, cells) is not reading:
        return None
    found = Judged(name=name, kind="number", rows=len(column.rows), gaps=column.gaps)
    if column.gaps:
        found = replace(found, missing=("",), missing_counts=(column.gaps,))
    found = _with_numbers(found, cells, column.values, reading)
    if test is not None:
        found = _with_test(found, count(test))
    return replace(found, unit=_unit(found))


def _reading(name: str, cells: Cells, wanted: Asked) -> Reading:
    """Return how the cells are understood, with what a person wants of them; ``UsageError`` for texts not there."""
    asked = wanted.kind
    gone = np.zeros(len(cells), dtype=bool)
    for text in wanted.missing:
        stands = _writes(text, cells)
        if not stands.any():
            message = f"no cell of `{name}` holds {text!r}, expected a text that stands in it"
            raise UsageError(message, hint=f"leave out --missing {argument(f'{name}={text}')}")
        gone |= stands
    reading = _asked_reading(name, cells, gone, asked)
    if reading.figures is not None and not asked:
        reading = _without_sentinel(reading, cells)
    stands = np.zeros(len(cells), dtype=bool)
    for text in wanted.kept:
        found = _writes(text, cells) & (reading.missing | reading.odd)
        if not found.any():
            message = f"{text!r} in `{name}` is not read as missing, expected a text that is"
            raise UsageError(message, hint=f"leave out --no-missing {argument(f'{name}={text}')}")
        stands |= found
    if not stands.any():
        return reading
    kept = readings.with_values(reading, cells, stands)
    if asked in {"number", "date", "day-first", "month-first", "boolean"} and kept.kind != reading.kind:
        message = f"{wanted.kept[0]!r} cannot be a value of `{name}` read as {asked}"
        raise UsageError(message, hint=f"--as {argument(f'{name}=category')}, or without --as")
    return replace(kept, missing=kept.missing | gone)


def _writes(text: str, cells: Cells) -> NDArray[np.bool_]:
    """Return which cells hold a text, in any capitals, or the number that it writes."""
    found = is_in(cells.stripped, frozenset((text.lower(),)))
    try:
        number = float(text)
    except ValueError:
        return found
    return np.asarray(found | (numbers.parse(cells.stripped, PLAIN_FORMAT) == number))


def _asked_reading(name: str, cells: Cells, gone: NDArray[np.bool_], asked: str) -> Reading:
    reading = readings.without(name, cells, gone, asked)
    if reading is None:
        shown = ", ".join(repr(text[:30]) for text in cells.stripped[:3].to_pylist())
        message = f"`{name}` cannot be read as {asked}: it holds {shown or 'nothing'}"
        raise DataError(message, hint=f"leave out --as '{name}={asked}'")
    return reading


def _missing(cells: Cells, gone: NDArray[np.bool_]) -> dict[str, Any]:
    kept = cells.texts.filter(mask(gone)).to_pylist()
    pairs = sorted(zip(kept, cells.counts[gone].tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return {"missing": tuple(text for text, _ in pairs), "missing_counts": tuple(number for _, number in pairs)}


def _with_numbers(found: Judged, present: Cells, values: NDArray[np.float64], reading: Reading) -> Judged:
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
        sentinel=reading.sentinel,
        sentinel_rows=reading.sentinel_rows,
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


def _without_sentinel(reading: Reading, cells: Cells) -> Reading:
    """Return the reading with a number such as -999 among the missing values, where one stands for them."""
    figures = reading.figures
    known = ~(reading.missing | reading.odd)
    if figures is None or not known.any():
        return reading
    values = figures[known]
    low, high = float(values.min()), float(values.max())
    edges = [edge for edge, written in ((high, _is_nines(high)), (low, _is_no_amount(low))) if written]
    if not any(cells.counts[known][values == edge].sum() > 1 for edge in edges):  # it stands for missing more than once
        return reading
    different, places = np.unique(values, return_inverse=True)
    rows_of = np.bincount(places, weights=cells.counts[known]).astype(np.int64)
    sentinel = _sentinel(different, rows_of)
    if sentinel is None:
        return reading
    stands = known & (figures == sentinel)
    rows = int(cells.counts[stands].sum())
    return replace(reading, missing=reading.missing | stands, sentinel=sentinel, sentinel_rows=rows)


def _is_nines(value: float) -> bool:
    digits = f"{abs(value):.0f}"
    return len(digits) > 1 and set(digits) == {"9"} and value == math.floor(value)


def _is_no_amount(value: float) -> bool:
    """Whether a negative number is one that people write where there is none: -1, -999, -500."""
    digits = f"{abs(value):.0f}"
    return (
        value < 0
        and value == math.floor(value)
        and (_is_nines(value) or re.fullmatch("1|[1-9]00+", digits) is not None)
    )


def _sentinel(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float | None:
    """Return a number such as -999 or 9999 that stands far outside all others and comes again and again.

    A -1 need not stand so far outside where it is the only number below zero.
    """
    if len(values) < 5:  # noqa: PLR2004 - too few to stand outside of
        return None
    for edge, inner, other in ((0, 1, -1), (-1, -2, 0)):
        value = float(values[edge])
        alone = edge == 0 and values[1] >= 0
        written = _is_nines(value) or (alone and _is_no_amount(value))
        span = abs(float(values[inner]) - float(values[other])) * (0.5 if alone and value == -1 else 1.0)
        apart = abs(float(values[inner]) - value) > max(span, 1.0)
        if written and apart and counts[edge] > 1 and (value < 0 or value > 99):  # noqa: PLR2004 - 99 can be an age
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


def _with_words(found: Judged, present: Cells, reading: Reading, *, asked: str) -> Judged:
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    lengths = pc.utf8_length(present.stripped).to_numpy(zero_copy_only=False)
    step = max(1, len(present) // WORDS_SAMPLE)
    words = pc.count_substring_regex(present.stripped[::step], r"\S+").to_numpy(zero_copy_only=False)
    total = present.rows
    length_mean = float(np.average(lengths, weights=present.counts))
    words_mean = float(np.average(words, weights=present.counts[::step]))
    kind = reading.kind
    if kind == "category" and _is_text(len(present), total, words_mean, length_mean):
        kind = "text"
    if asked:
        kind = "text" if asked == "text" else reading.kind
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
        units=numbers.units_of(present.stripped[:WORDS_SEEN].to_pylist()) if not reading.words else (),
    )


def _is_text(distinct: int, rows: int, words_mean: float, length_mean: float) -> bool:
    """Whether cells are to be read as language: several words each, and seldom the same twice."""
    share = distinct / rows
    if distinct <= 20 and not (words_mean >= 5 and share > 0.5):  # noqa: PLR2004 - few values are categories, however long
        return False
    if words_mean >= 5 or length_mean >= LONG_TEXT_CHARACTERS:  # noqa: PLR2004 - sentences
        return share > 0.1 or distinct > 1000  # noqa: PLR2004
    return words_mean >= SHORT_TEXT_WORDS and share > 0.3 and distinct > 50  # noqa: PLR2004 - names and titles


CURRENCY = "|".join(re.escape(sign) for sign in sorted(numbers.CURRENCIES, key=lambda sign: (-len(sign), sign)))


def _shape(present: Cells) -> str:
    sample = present.where(present.counts > 0)
    texts = sample.stripped[:WORDS_SEEN]
    forms = {
        "url": r"^(?:https?://|www\.)\S+$",
        "path": r"(?i)^\S*\.(?:jpe?g|png|gif|bmp|tiff?|webp|dcm|wav|mp3|flac|ogg|mp4)$",
        "json": r"^\[?\{.*\}\]?$",
        "list": r"^\[.*\]$",
        "money": rf"^(?:(?:{CURRENCY})\s?[0-9][0-9.,' ]*|[0-9][0-9.,' ]*\s?(?:{CURRENCY}))[kKmMbB]?$",
    }
    for shape, pattern in forms.items():
        if len(texts) and matches(texts, pattern).mean() > 0.8:  # noqa: PLR2004 - nearly every cell
            return shape
    joined = matches(texts, r"[^|;,]\s*[|;,]\s*[^|;,]").mean() > 0.3  # noqa: PLR2004 - a list may have one member
    if not joined or len(texts) <= 20:  # noqa: PLR2004 - too few to see members again
        return ""
    members = Counter(member.strip() for text in texts.to_pylist() for member in re.split(r"[|;,]", text))
    return "list" if len(members) < 0.5 * len(texts) else ""


def _with_test(found: Judged, cells: Cells, wanted: Asked = NOTHING) -> Judged:
    """Add what the rows to predict hold: their gaps, and the marks and odd cells that only they have."""
    gone = _gone_in_test(found, cells)
    for text in wanted.kept:
        gone &= ~_writes(text, cells)
    for text in wanted.missing:
        gone |= _writes(text, cells)
    extra = tuple(sorted(set(cells.texts.filter(mask(gone)).to_pylist()) - set(found.missing)))
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


def _identifier(found: Judged, present: Cells, reading: Reading, gone: NDArray[np.bool_], *, names_rows: bool) -> str:
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
        return (form.prefix or form.suffix).strip("#()[]: ")
    named = [mark for mark, worth in (form.parts or form.multipliers).items() if mark and worth == 1]
    if named:  # of several units the one that the others are counted in
        return max(named, key=len)
    match = UNITS.search(found.name)
    text = (match[1] or match[2] or "") if match else ""
    return text.strip() if not any(character.isdigit() for character in text) else ""
