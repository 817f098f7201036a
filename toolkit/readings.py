"""One column's cells are understood: as numbers, true and false, dates or words, with what is missing then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from toolkit import dates, identifiers, markers, numbers
from toolkit.cells import Cells, matches
from toolkit.dates import Dates
from toolkit.number_format import PLAIN as PLAIN_FORMAT
from toolkit.number_format import NumberFormat

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Kind = Literal["number", "boolean", "category", "text", "date", "empty"]

ODD_SHARE_MAX = 0.02  # of rows that do not fit a column of numbers or dates, before it is none
SAMPLE_TEXTS = 2000  # of a column, looked at before all are
ODD_TEXTS_MAX = 50  # different texts that may be taken for missing values because nothing else fits them
ONE_WORD_SHARE_MAX = 0.5  # of rows that hold the one word a column of numbers may have: "Varies with device"
WORDS_OF_NUMBERS_MIN = 20  # different numbers beside which a foreign word is a gap, not one category among few
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


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to understand the cells: the kind, which texts are missing then, which fit nothing."""

    kind: Kind
    missing: NDArray[np.bool_]
    odd: NDArray[np.bool_]
    figures: NDArray[np.float64] | None = None
    number_format: NumberFormat = PLAIN_FORMAT
    moments: Dates | None = None
    words: dict[str, bool] = field(default_factory=dict)
    sentinel: float | None = None  # a number that is among ``missing`` because it stands for it, and its rows
    sentinel_rows: int = 0


def read(name: str, cells: Cells) -> Reading:
    """Try the kinds in order: nothing, numbers, true and false, dates; what is left is words."""
    nothing = np.zeros(len(cells), dtype=bool)
    if len(cells) and not _misfits(cells, PLAIN_FORMAT):
        plain = numbers.parse(cells.stripped, PLAIN_FORMAT)
        if np.isfinite(plain).all() and not _is_code(cells):
            return _number_reading(name, cells, nothing, plain, PLAIN_FORMAT)
    always = markers.always(cells)
    if len(cells) == 0 or bool(always.all()):
        return Reading("empty", always, nothing)
    among_numbers = markers.among_numbers(cells)
    if not among_numbers.all():
        for attempt in (_as_numbers, _as_booleans, _as_dates):
            found = attempt(name, cells, among_numbers)
            if found is not None:
                return found
    missing = markers.among_words(cells)
    if missing.all():
        missing = always
    return Reading("category", missing, nothing, words=_two_words(cells.where(~missing)))


def read_as(name: str, cells: Cells, kind: str) -> Reading | None:
    """Return the reading of the kind that a person asked for, ``None`` when the cells cannot be read so."""
    nothing = np.zeros(len(cells), dtype=bool)
    if kind in {"number", "date", "day-first", "month-first"}:
        missing = markers.among_numbers(cells)
        if missing.all():
            return None
        if kind == "number":
            return _forced_numbers(cells, missing)
        found = _forced_dates(name, cells, missing)
        return found if found is None or kind == "date" else _in_order(found, cells, day_first=kind == "day-first")
    missing = markers.among_words(cells)
    if missing.all():
        return None
    if kind == "boolean":
        return _as_booleans(name, cells, missing)
    return Reading("category", missing, nothing, words=_two_words(cells.where(~missing)))


def _forced_numbers(cells: Cells, missing: NDArray[np.bool_]) -> Reading | None:
    present = cells.where(~missing)
    step = max(1, len(present) // numbers.SAMPLE_TEXTS)
    other = numbers.format_of(present.stripped[::step].to_pylist(), present.counts[::step].tolist())
    tried = [(form, numbers.parse(present.stripped, form)) for form in (PLAIN_FORMAT, other) if form is not None]
    form, parsed = max(tried, key=lambda pair: int(np.isfinite(pair[1]).sum()))
    if not np.isfinite(parsed).any():
        return None
    values = np.full(len(cells), np.nan)
    values[~missing] = parsed
    return Reading("number", missing, ~missing & ~np.isfinite(values), figures=values, number_format=form)


def _forced_dates(name: str, cells: Cells, missing: NDArray[np.bool_]) -> Reading | None:
    found = _as_dates(name, cells, missing)
    if found is not None:
        return found
    present = cells.where(~missing)
    plain = numbers.parse(present.stripped, PLAIN_FORMAT)
    if not np.isfinite(plain).all():
        return None
    moments = epoch("time", plain) or _compact_dates("date", present)
    if moments is None:
        return None
    seconds = np.full(len(cells), np.nan)
    seconds[~missing] = moments.seconds
    return Reading("date", missing, np.zeros(len(cells), dtype=bool), moments=Dates(moments.pattern, seconds))


def _in_order(reading: Reading, cells: Cells, *, day_first: bool) -> Reading | None:
    """Return dates read with the day before the month, or after it; ``None`` when they cannot be read so."""
    moments = reading.moments
    pattern = moments.pattern if moments is not None else ""
    if "%d" not in pattern or "%m" not in pattern:
        return None
    if (pattern.index("%d") < pattern.index("%m")) != day_first:
        pattern = pattern.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    seconds = np.full(len(cells), np.nan)
    seconds[~reading.missing] = dates.parse(cells.where(~reading.missing).stripped, pattern)
    odd = ~reading.missing & ~np.isfinite(seconds)
    fits = ~reading.missing & ~odd
    if cells.counts[odd].sum() > ODD_SHARE_MAX * cells.counts[fits].sum():
        return None
    return Reading("date", reading.missing, odd, moments=Dates(pattern, seconds))


def without(name: str, cells: Cells, gone: NDArray[np.bool_], kind: str = "") -> Reading | None:
    """Return the reading of the cells that are not ``gone``, as ``kind`` where one is asked for, with those missing."""
    rest = cells.where(~gone)
    found = read_as(name, rest, kind) if kind else read(name, rest)
    if found is None or not gone.any():
        return found
    missing, odd = np.ones(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    missing[~gone], odd[~gone] = found.missing, found.odd
    figures = moments = None
    if found.figures is not None:
        figures = np.full(len(cells), np.nan)
        figures[~gone] = found.figures
    if found.moments is not None:
        seconds = np.full(len(cells), np.nan)
        seconds[~gone] = found.moments.seconds
        moments = replace(found.moments, seconds=seconds)
    return replace(found, missing=missing, odd=odd, figures=figures, moments=moments)


def with_values(reading: Reading, cells: Cells, stands: NDArray[np.bool_]) -> Reading:
    """Return the reading in which the texts that ``stands`` marks are values: words, if they are not all numbers."""
    if reading.figures is not None and np.isfinite(reading.figures[stands]).all():
        return replace(reading, missing=reading.missing & ~stands, sentinel=None, sentinel_rows=0)
    missing = markers.among_words(cells) & ~stands
    return Reading("category", missing, np.zeros(len(cells), dtype=bool), words=_two_words(cells.where(~missing)))


def _as_numbers(name: str, cells: Cells, missing: NDArray[np.bool_]) -> Reading | None:
    present = cells.where(~missing)
    form = PLAIN_FORMAT
    hopeless = _misfits(present, form) > ODD_TEXTS_MAX  # what a sample shows, all cells show
    parsed = np.full(len(present), np.nan) if hopeless else numbers.parse(present.stripped, form)
    if not np.isfinite(parsed).all():
        step = max(1, len(present) // numbers.SAMPLE_TEXTS)
        other = numbers.format_of(present.stripped[::step].to_pylist(), present.counts[::step].tolist())
        if other is not None and other != form and _misfits(present, other) <= ODD_TEXTS_MAX:
            again = numbers.parse(present.stripped, other)
            if np.isfinite(again).sum() > np.isfinite(parsed).sum():
                form, parsed = other, again
    fits = np.isfinite(parsed)
    if not fits.any() or not _tolerable(present, fits):
        return None
    if form == PLAIN_FORMAT and _is_code(present.where(fits)):
        return None
    return _number_reading(name, cells, missing, parsed, form)


def _misfits(cells: Cells, form: NumberFormat) -> int:
    """Return how many texts of an even sample are no numbers of that form."""
    step = max(1, len(cells) // SAMPLE_TEXTS)
    return int((~np.isfinite(numbers.parse(cells.stripped[::step], form))).sum())


def _number_reading(
    name: str, cells: Cells, missing: NDArray[np.bool_], parsed: NDArray[np.float64], form: NumberFormat
) -> Reading:
    """Return the reading of a column of numbers; ``parsed`` are those of the cells that are not missing."""
    values = np.full(len(cells), np.nan)
    values[~missing] = parsed
    odd = ~missing & ~np.isfinite(values)
    if form == PLAIN_FORMAT and not odd.any():
        moments = epoch(name, parsed) or _compact_dates(name, cells.where(~missing))
        if moments is not None:
            seconds = np.full(len(cells), np.nan)
            seconds[~missing] = moments.seconds
            return Reading("date", missing, odd, moments=Dates(moments.pattern, seconds))
    return Reading("number", missing, odd, figures=values, number_format=form)


def _tolerable(present: Cells, fits: NDArray[np.bool_]) -> bool:
    """Whether the texts that do not fit are few enough to be gaps in a column of what does."""
    if fits.all():
        return True
    if int(fits.sum()) < WORDS_OF_NUMBERS_MIN:
        return False
    odd = present.where(~fits)
    rows = odd.counts.copy()
    word = int(rows.argmax())
    if rows[word] <= ONE_WORD_SHARE_MAX * present.rows and not any(map(str.isdigit, odd.stripped[word].as_py())):
        rows[word] = 0  # the one phrase that a column of numbers may have
    odd_texts = int((rows > 0).sum())
    return bool(rows.sum() <= ODD_SHARE_MAX * present.rows) and odd_texts <= min(ODD_TEXTS_MAX, 0.1 * fits.sum() + 1)


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


def epoch(name: str, values: NDArray[np.float64]) -> Dates | None:
    """Return the moments that numbers are when they count seconds under a name of time, else ``None``."""
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


def _as_booleans(_name: str, cells: Cells, missing: NDArray[np.bool_]) -> Reading | None:
    present = cells.where(~missing)
    if len(present) > 12:  # noqa: PLR2004 - two words in all their spellings
        return None
    texts = present.stripped.to_pylist()
    if not all(text.lower() in TRUE_FALSE for text in texts):
        return None
    words = {text: TRUE_FALSE[text.lower()] for text in sorted(texts)}
    return Reading("boolean", missing, np.zeros(len(cells), dtype=bool), words=words)


def _as_dates(_name: str, cells: Cells, missing: NDArray[np.bool_]) -> Reading | None:
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
    return Reading("date", missing, odd, moments=replace(found, seconds=seconds))


def _two_words(present: Cells) -> dict[str, bool]:
    if len(present) > 12:  # noqa: PLR2004 - two words in all their spellings
        return {}
    texts = sorted(set(present.stripped.to_pylist()))
    for pair in TWO_WORDS:
        if {text.lower() for text in texts} == set(pair):
            return {text: pair[text.lower()] for text in texts}
    return {}


def mask(values: NDArray[Any]) -> pa.Array:
    """Return numpy truths or places as Arrow takes them."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    return pa.array(values)
