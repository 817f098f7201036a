"""How dates are written in a column, and which of day and month comes first, decided by all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.cells import matches

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_ISO_TIME = r"[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_ISO_TIME})?$"
EPOCH_SECONDS = (3e8, 2.6e9)  # 1979 to 2052
SAMPLE_TEXTS = 2000  # different texts that decide which forms are worth trying

# fmt: off
_TIMES = (
    "", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f", ", %H:%M", ", %I:%M %p", "T%H:%M:%S",
    " %H.%M", " %H:%M:%S %z", " %H:%M:%S UTC", " %H:%M UTC", " %H:%M:%S.%f UTC", "T%H:%M", "T%H:%M:%S.%f", "T%H:%M:%SZ",
    " %H:%M:%S%z", "T%H:%M:%S%z", " %I:%M%p",
)
# fmt: on
_NUMERIC = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})(.*)", re.DOTALL)
# fmt: off
_NAMED = (
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d-%B-%Y", "%d/%b/%Y", "%d.%b.%Y", "%b %d, %Y", "%B %d, %Y",
    "%b %d %Y", "%B %d %Y", "%Y-%b-%d", "%Y %b %d", "%d %B, %Y", "%d %b, %Y", "%d %b %y", "%A, %B %d, %Y",
    "%a %d %b %Y", "%a, %d %b %Y", "%a, %b %d, %Y", "%d%b%Y", "%d%b%y", "%b-%Y", "%B %Y", "%b %Y", "%b-%y", "%b %y",
    "%B-%Y", "%B, %Y", "%Y-%b", "%Y %B", "%d-%b",
)
# fmt: on
_ZONES = ("UTC", "GMT", "PDT", "PST", "EDT", "EST")
_WHOLE = (
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    *(f"%a %b %d %H:%M:%S {zone} %Y" for zone in _ZONES),
    *(f"%a, %d %b %Y %H:%M:%S {zone}" for zone in _ZONES),
)
_SHORT = ("%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%m-%Y")
_MAYBE_DATE = re.compile(r"(?=.*\d).{4,40}", re.DOTALL)  # digits, and a usual length
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?( ?[AaPp][Mm])?")
_ORDINAL = r"([0-9])(?:st|nd|rd|th|ST|ND|RD|TH)\b(?: of\b)?"  # 21st March 1995, the 3rd of May 2001
_MONTHS = re.compile(r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Dates:
    """``pattern`` is ``iso``, ``epoch_seconds`` or for ``strptime``; ``seconds`` since 1970 in UTC, NaN for no date.

    ``ambiguous`` is true when day and month could be told apart by no row.
    """

    pattern: str
    seconds: NDArray[np.float64]
    ambiguous: bool = False


def read(texts: pa.Array) -> Dates | None:
    """Return the dates that most of ``texts`` (without blanks around) write in one form, ``None`` without one."""
    if len(texts) == 0:
        return None
    sample = texts[:: max(1, len(texts) // SAMPLE_TEXTS)].to_pylist()[: SAMPLE_TEXTS + 1]
    if sum(_MAYBE_DATE.fullmatch(text) is not None for text in sample) < 0.9 * len(sample):
        return None
    few = sample[:50]
    if all(re.fullmatch(ISO, text) for text in few):
        seconds = _fast_iso_seconds(texts)
        if seconds is not None:
            return Dates("iso", seconds)
    iso = matches(texts, ISO)
    if iso.mean() > 0.9:  # noqa: PLR2004 - the rest are odd cells, told by the caller
        return Dates("iso", _iso_seconds(texts, iso))
    found = _numeric_patterns(sample)
    best: Dates | None = None
    for pattern in found.patterns:
        if _share(sample, pattern) < 0.9:  # noqa: PLR2004 - as above
            continue
        seconds = parse(texts, pattern)
        if best is None or np.isfinite(seconds).sum() > np.isfinite(best.seconds).sum():
            best = Dates(pattern, seconds, ambiguous=found.two_orders)
        if np.isfinite(seconds).all():
            break
    if best is not None and best.ambiguous:
        return _settled(texts, best)
    return best


def parse(texts: pa.Array, pattern: str) -> NDArray[np.float64]:
    """Return ``texts`` read by ``pattern`` as seconds since 1970 (UTC), NaN where one does not fit."""
    if pattern == "iso":
        return _iso_seconds(texts, matches(texts, ISO))
    import pandas as pd  # noqa: PLC0415 - 300 ms

    named = "%b" in pattern or "%B" in pattern
    series = pd.Series((_cardinal(texts) if named else texts).to_pylist(), dtype=object)
    try:
        moments = pd.to_datetime(series, format=pattern, errors="coerce", utc=True)
    except (ValueError, OverflowError, TypeError):
        return np.full(len(texts), np.nan)
    return _seconds(moments)


def _cardinal(texts: pa.Array) -> pa.Array:
    """Return ``21st March 1995`` as ``21 March 1995``, other texts as they are."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    return pc.replace_substring_regex(texts, _ORDINAL, r"\1")


def iso_text(seconds: float) -> str:
    """Return a moment as an ISO date, with the time where it is not midnight."""
    moment = np.datetime64(round(seconds), "s")
    text = str(moment)
    return text.removesuffix("T00:00:00").replace("T", " ")


@dataclass(frozen=True)
class _Patterns:
    patterns: tuple[str, ...]
    two_orders: bool = False  # day and month could both come first


def _numeric_patterns(sample: list[str]) -> _Patterns:
    """Return the patterns worth trying, the likeliest first."""
    shapes = [found for text in sample if (found := _NUMERIC.fullmatch(text))]
    if len(shapes) > 0.8 * len(sample):
        mark = max({shape[2] for shape in shapes}, key=lambda mark: sum(shape[2] == mark for shape in shapes))
        shapes = [shape for shape in shapes if shape[2] == mark]
        times = _times_of([shape[5] for shape in shapes])
        if sum(len(shape[1]) == 4 for shape in shapes) > len(shapes) / 2:  # noqa: PLR2004 - digits of a year
            orders = [f"%Y{mark}%m{mark}%d", f"%Y{mark}%d{mark}%m"]
            return _Patterns(tuple(order + time for order in orders for time in times))
        year = "%Y" if sum(len(shape[4]) == 4 for shape in shapes) > len(shapes) / 2 else "%y"  # noqa: PLR2004
        day_first, month_first = f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"
        third_days = year == "%y" and max(int(shape[4]) for shape in shapes) <= 31  # noqa: PLR2004 - days of a month
        if third_days and _years_first(shapes):
            orders = [f"%y{mark}%m{mark}%d", f"%y{mark}%d{mark}%m"]
            return _Patterns(tuple(order + time for order in orders for time in times))
        first = max(int(shape[1]) for shape in shapes)
        second = max(int(shape[3]) for shape in shapes)
        if first > 12 >= second:  # noqa: PLR2004 - months of a year
            return _Patterns(tuple(day_first + time for time in times))
        if second > 12 >= first:  # noqa: PLR2004
            return _Patterns(tuple(month_first + time for time in times))
        orders = [day_first, month_first] if mark == "." else [month_first, day_first]
        return _Patterns(tuple(order + time for order in orders for time in times), two_orders=True)
    if sum(_MONTHS.search(text) is not None for text in sample) > 0.8 * len(sample):
        return _Patterns((*_WHOLE, *(f"{day}{time}" for day in _NAMED for time in _TIMES)))
    short = [re.fullmatch(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/]\d{4}", text) is not None for text in sample]
    if sum(short) > 0.9 * len(sample):
        return _Patterns(_SHORT)
    if all(_TIME_OF_DAY.fullmatch(text) for text in sample):
        return _Patterns(("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p"))
    if sum(text.isdigit() and len(text) == 8 for text in sample) > 0.9 * len(sample):  # noqa: PLR2004 - YYYYMMDD
        return _Patterns(("%Y%m%d",))
    return _Patterns(())


def _years_first(shapes: list[re.Match[str]]) -> bool:
    """Whether the first of three small numbers is the year: it is too large for all else, or one of few beside days."""
    parts = [[int(shape[group]) for shape in shapes] for group in (1, 3, 4)]
    years, middle, last = (max(part) for part in parts)
    if years > 31 or (years > 12 and middle > 12):  # noqa: PLR2004 - days of a month, months of a year
        return True
    days = len(set(parts[2])) >= 25 and last > 12 >= middle  # noqa: PLR2004 - most of a month's
    run = len(set(parts[0])) == years - min(parts[0]) + 1
    return days and run and years > 12 and 2 * len(set(parts[0])) < len(set(parts[2]))  # noqa: PLR2004


def _times_of(rests: list[str]) -> list[str]:
    """Return the forms of time that stand behind the dates; none when there is no time."""
    if sum(not rest.strip() for rest in rests) > len(rests) / 2:
        return [""]
    return [time for time in _TIMES if time]


def _settled(texts: pa.Array, dates: Dates) -> Dates:
    """Return the dates in the order of day and month that fits more rows; equal fits stay ambiguous."""
    swapped = dates.pattern.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    other = parse(texts, swapped)
    here, there = int(np.isfinite(dates.seconds).sum()), int(np.isfinite(other).sum())
    if here == there:
        return dates
    return Dates(dates.pattern, dates.seconds) if here > there else Dates(swapped, other)


def _share(sample: list[str], pattern: str) -> float:
    import pandas as pd  # noqa: PLC0415 - 300 ms

    few = [re.sub(_ORDINAL, r"\1", text) for text in sample[:200]]
    try:
        found = pd.to_datetime(pd.Series(few, dtype=object), format=pattern, errors="coerce", utc=True)
    except (ValueError, OverflowError, TypeError):
        return 0.0
    return float(found.notna().mean())


def _fast_iso_seconds(texts: pa.Array) -> NDArray[np.float64] | None:
    """Return the seconds of ISO dates without zones by Arrow, ``None`` when a single text is none."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        moments = pc.cast(pc.cast(texts, pa.timestamp("us")), pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return np.asarray(moments.to_numpy(zero_copy_only=False) / 1e6)


def _iso_seconds(texts: pa.Array, fits: NDArray[np.bool_]) -> NDArray[np.float64]:
    import pandas as pd  # noqa: PLC0415 - 300 ms
    import pyarrow as pa  # noqa: PLC0415

    seconds = np.full(len(texts), np.nan)
    if not fits.any():
        return seconds
    few = texts if fits.all() else texts.filter(pa.array(fits))
    fast = _fast_iso_seconds(few)
    if fast is None:  # zones, nanoseconds, a 30th of February
        series = pd.Series(few.to_pylist(), dtype=object)
        fast = _seconds(pd.to_datetime(series, format="ISO8601", errors="coerce", utc=True))
    seconds[fits] = fast
    return seconds


def _seconds(moments: object) -> NDArray[np.float64]:
    import pandas as pd  # noqa: PLC0415 - 300 ms

    series = pd.Series(moments)
    naive = series.dt.tz_convert(None).to_numpy().astype("datetime64[us]")
    seconds = naive.astype(np.int64) / 1e6
    seconds[np.isnat(naive)] = np.nan
    return np.asarray(seconds, dtype=np.float64)
