"""How numbers are written in a column: plain, with currency or unit, with decimal comma or thousands separators."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from toolkit.cells import matches
from toolkit.number_format import PLAIN as PLAIN_FORMAT
from toolkit.number_format import NumberFormat

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

PLAIN = r"^[-+\x{2212}]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$"
SEPARATORS = (",", ".", " ", "'", "\u00a0", "\u202f", "\u2019")
# fmt: off
CURRENCIES = frozenset((
    "$", "\u20ac", "\u00a3", "\u00a5", "\u20b9", "\u20bd", "\u20a9", "\u20a6", "\u20ba", "\u20b1", "\u20ab", "\u0e3f",
    "\u20aa", "\u20b4", "US$", "R$", "A$", "C$", "CA$", "AU$", "NZ$", "HK$", "S$", "NT$", "MX$", "Rs.", "Rs", "Tk",
    "Rp", "z\u0142", "kr", "K\u010d", "Ft", "USD", "EUR", "GBP", "INR", "CHF", "JPY", "CNY", "AUD", "CAD", "SGD",
    "AED", "BRL", "MXN", "SEK", "NOK", "DKK", "PLN", "ZAR", "KRW", "TRY", "RUB", "PKR", "BDT", "NGN", "KES", "EGP",
    "IDR", "MYR", "THB", "VND", "PHP", "HUF", "CZK", "SAR", "RM", "KSh", "Ksh", "TSh", "USh", "GHS", "LKR", "NPR",
    "HKD", "TWD", "NZD", "ILS", "QAR", "KWD", "OMR", "BHD", "MAD", "UAH", "RON", "BGN", "ARS", "COP", "CLP", "PEN",
    "S/", "S/.", "L.E.", "\u20b5", "\u20a1", "\u20b8", "\u20be", "\u20bc",
))
# fmt: on
RANKS = frozenset(("#", "~", "\u2248"))  # number one, about five
GLUED_UNITS = frozenset("%+\u00b0\u20ac$\u00a3hLlWVAJgmsCFKx\u2033\"'")  # one sign or letter right after the digits
# fmt: off
AMOUNTS = {
    "K": 1e3, "k": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9, "Bn": 1e9, "mn": 1e6, "Mn": 1e6,
    "thousand": 1e3, "Thousand": 1e3, "million": 1e6, "Million": 1e6, "billion": 1e9,
    "Billion": 1e9, "trillion": 1e12, "Lakh": 1e5, "lakh": 1e5, "Lakhs": 1e5, "lakhs": 1e5,
    "Lac": 1e5, "lac": 1e5, "Cr": 1e7, "Cr.": 1e7, "cr": 1e7, "Crore": 1e7, "crore": 1e7,
}
# fmt: on
THOUSANDS = frozenset("KkM")  # where a few of many numbers have one, it can be nothing else
AMOUNTS_OF_MONEY = {**AMOUNTS, "m": 1e6, "b": 1e9, "T": 1e12, "t": 1e12, "L": 1e5}
# Units of one kind and what each is worth; a number in several of them, or a column in some, is made one number.
FAMILIES: tuple[dict[str, float], ...] = tuple(
    {mark: worth for worth, marks in family for mark in marks.split()}
    for family in (
        (
            (1, "s sec secs second seconds"),
            (60, "m min mins minute minutes"),
            (3600, "h hr hrs hour hours"),
            (86400, "d day days"),
            (604800, "w week weeks"),
        ),
        ((1, "mo mos mth mths month months mon"), (12, "y yr yrs year years")),
        ((1, "in inch inches \" \u2033 ''"), (12, "ft feet foot ' \u2032 \u2019")),
        ((1, "mm"), (10, "cm"), (1000, "m"), (1e6, "km")),
        ((1, "mg"), (1e3, "g gm gram grams"), (1e6, "kg kgs"), (28349.523125, "oz"), (453592.37, "lb lbs")),
        ((1, "kb"), (1e3, "mb"), (1e6, "gb"), (1e9, "tb")),
        ((1, "hz"), (1e3, "khz"), (1e6, "mhz"), (1e9, "ghz")),
        ((1, "ml"), (1e3, "l")),
        ((1, "sqft"), (43560, "acre acres")),
    )
)
FEET = FAMILIES[2]
UNITS_MAX = 5  # more words behind numbers are no units
STRAY = "_*\u2020\u2021^~?"  # marks that stand beside a number and mean nothing, or a footnote
RARE_SHARE_MAX = 0.2  # of rows with a stray mark or a range, in a column of numbers
LENGTH_MAX = 48  # characters of a number, whatever stands around it
SHARE_MIN = 0.5  # of the rows that carry the sign: "3+" beside 0, 1, 2 is a category, "10,000+" everywhere a number
ALL_BUT_FEW = 0.98
NUMBERS_MIN = 20  # different numbers from which a column of them is not one of few categories
SAMPLE_TEXTS = 20_000  # different texts that decide a format; all are then parsed by it
SAMPLE_HOPELESS = 400  # texts, in even steps, that show whether others are worth looking at
HOPELESS_SHARE = 0.3
SAMPLE_PARSED = 1000  # texts without one number among them are no column of numbers

_BARE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_OWED = re.compile(r"\(\s*([^()-]*\d[^()-]*?)\s*\)")
_BRACKETED = re.compile(r"([(\[])\s*([^()\[\]]*\d[^()\[\]]*?)\s*([)\]])")
_SHAPE = re.compile(
    r"(?P<sign>[-+]?)\s*(?P<prefix>\([^()\d]{1,12}\)|\[[^\[\]\d]{1,12}\]|[^\d\s.,+\-()\[\]]{0,4}\.?)\s*"
    r"(?P<body>\d[\d.,'\u2019 \u00a0\u202f]*|[.,]\d+)\s*(?P<suffix>\D{0,14}|\s*/\s*\d{1,3})"
)
_RANGE = re.compile(r"(.*?\d[^-\u2013\u2014~]*?)\s*(?:-|\u2013|\u2014|~|\bto\b)\s*(.*\d.*)", re.DOTALL)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(\D*)")
_ISO_DURATION = re.compile(r"P(?=\d|T\d)(\d+[WD])?(?:T((?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?))?")


def parse(texts: pa.Array, form: NumberFormat) -> NDArray[np.float64]:
    """Return the numbers that ``texts`` (without blanks around) write in ``form``, NaN where a text is none."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    if not (form.stray or form.ranges or form.parts):
        return _multiplied(texts, form) if form.multipliers else _parse_plain(texts, form)
    simple = replace(form, stray="", ranges=False, parts={})
    values = parse(texts, simple)
    left = np.flatnonzero(np.isnan(values))
    if form.stray and len(left):
        marks = re.escape(form.stray)
        bare = pc.replace_substring_regex(texts.take(pa.array(left)), rf"^[{marks}]|[{marks}]$", "")
        values[left] = parse(bare, simple)
        left = np.flatnonzero(np.isnan(values))
    few = [text if len(text) <= LENGTH_MAX else "" for text in texts.take(pa.array(left)).to_pylist()]
    if form.ranges and few:
        pairs = [found.groups() if (found := _RANGE.fullmatch(text)) else ("", "") for text in few]
        low, high = (parse(pa.array(list(side), pa.large_string()), simple) for side in zip(*pairs, strict=True))
        values[left] = np.where(low <= high, low + (high - low) / 2, np.nan)
    if form.parts:
        values[left] = [_sum_of(text, form.parts) for text in few]
    return values


def _parse_plain(texts: pa.Array, form: NumberFormat) -> NDArray[np.float64]:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    plain = texts if form == PLAIN_FORMAT else _made_plain(texts, form)
    values = np.full(len(texts), np.nan)
    sampled = matches(plain[:: max(1, len(plain) // SAMPLE_PARSED)], PLAIN)
    if len(plain) > SAMPLE_PARSED and not sampled.any():
        return values
    if sampled.all():
        try:
            values = np.array(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            values = _some(plain)
    else:  # Arrow would tell of each text that is no number, which takes longer than asking first
        values = _some(plain)
    values[~np.isfinite(values)] = np.nan
    return values


def _multiplied(texts: pa.Array, form: NumberFormat) -> NDArray[np.float64]:
    """Return numbers of which some have a letter or a unit behind, each times what that is worth."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    rest = replace(form, multipliers={})
    values = _parse_plain(texts, rest)
    done = np.zeros(len(texts), dtype=bool)
    for mark in sorted(form.multipliers, key=len, reverse=True):  # "kg" before "g"
        ends = pc.ends_with(texts, mark)
        marked = np.asarray(ends.to_numpy(zero_copy_only=False)) & ~done
        if marked.any():
            done |= marked
            few = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts.filter(marked), rf"{re.escape(mark)}$", ""))
            values[marked] = _parse_plain(few, rest) * form.multipliers[mark]
    values[~np.isfinite(values)] = np.nan
    return values


def _sum_of(text: str, parts: dict[str, float]) -> float:
    """Return what the parts of a number in several units come to, NaN for a text that is none."""
    text = _bare_duration(text)
    found = [(number, _mark_of(mark)) for number, mark in _PART.findall(text)]
    if not text[:1].isdigit() or any(mark not in parts for _, mark in found):
        return math.nan
    return sum(float(number) * parts[mark] for number, mark in found)


def _bare_duration(text: str) -> str:
    """Return ``PT1H41M`` as ``1H41M``, any other text as it is."""
    found = _ISO_DURATION.fullmatch(text) if text[:1] == "P" else None
    return (found[1] or "") + (found[2] or "") if found else text


def _mark_of(rest: str) -> str:
    return rest.strip(" ,").removesuffix("and").strip(" ,").lower()


def _some(plain: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    values = np.full(len(plain), np.nan)
    fits = matches(plain, PLAIN)
    few = pc.replace_substring(plain.filter(pa.array(fits)), "\u2212", "-")  # the minus sign of typesetters
    values[fits] = pc.cast(few, pa.float64()).to_numpy(zero_copy_only=False)
    return values


def format_of(texts: list[str], counts: list[int]) -> NumberFormat | None:
    """Return the one form in which texts write numbers, ``None`` when most of them write none or forms contradict.

    A sign before or after the digits must be the same in all texts that have one, and stand in half of the rows.
    """
    total = sum(counts)
    if sum(count for text, count in zip(texts, counts, strict=True) if len(text) <= LENGTH_MAX) < SHARE_MIN * total:
        return None
    signed = [text.replace("\u2212", "-") if len(text) <= LENGTH_MAX else "" for text in texts]
    if len(signed) > SAMPLE_PARSED and _is_hopeless(signed[:: len(signed) // SAMPLE_HOPELESS]):
        return None
    parts = _parts(signed, counts)
    if parts:
        return NumberFormat(parts=parts)
    bracketed = [_BRACKETED.fullmatch(text) for text in signed]
    if sum(count for found, count in zip(bracketed, counts, strict=True) if found) >= ALL_BUT_FEW * total:
        return _in_brackets(signed, counts, bracketed)
    stray = _stray(signed, counts)
    if stray:
        signed = [text if text[-1:].isdigit() and text[:1].isdigit() else _without(stray, text) for text in signed]
    ranges = _ranges(signed, counts)
    pairs = list(zip(signed, counts, strict=True))
    if ranges:  # each end is a number in the column's form
        ends = [(found.groups() if (found := _RANGE.fullmatch(text)) else (text,), count) for text, count in pairs]
        pairs = [(end, count) for both, count in ends for end in both]
    form = _simple_format(pairs)
    return replace(form, stray=stray, ranges=ranges) if form is not None else None


def _is_hopeless(texts: list[str]) -> bool:
    """Whether hardly any text is a number of some form: dates, words and codes, of which many are to be looked at."""
    forms = (_SHAPE.fullmatch, _BRACKETED.fullmatch, _range_of)
    fits = sum(any(form(text) for form in forms) for text in texts)
    return fits < HOPELESS_SHARE * len(texts) and not _parts(texts, [1] * len(texts))


def units_of(texts: list[str]) -> tuple[str, ...]:
    """Return the units of numbers that are written in several which cannot be compared, nothing for other texts."""
    short = [text for text in texts if len(text) <= LENGTH_MAX]
    shapes = [found for text in short if (found := _SHAPE.fullmatch(text)) and not found["prefix"]]
    units = Counter(found["suffix"].strip() for found in shapes)
    common = [unit for unit, count in units.most_common() if count >= 0.01 * len(texts)]
    if (
        len(texts) < NUMBERS_MIN
        or not 1 < len(common) <= UNITS_MAX
        or sum(units[unit] for unit in common) < 0.9 * len(texts)
    ):
        return ()
    return tuple(common) if all(len(unit) > 1 and unit[0].isalpha() for unit in common) else ()


def _simple_format(pairs: list[tuple[str, int]]) -> NumberFormat | None:
    """Return the form of numbers that are one amount each."""
    total = sum(count for _, count in pairs)
    opened = [text for text, _ in pairs if text.startswith("(")]
    parentheses = bool(opened) and all(_OWED.fullmatch(text) for text in opened)
    if parentheses:
        pairs = [(_OWED.sub(r"-\1", text), count) for text, count in pairs]
    shapes = [(found, count) for text, count in pairs if (found := _SHAPE.fullmatch(text))]
    if sum(count for _, count in shapes) < SHARE_MIN * total:
        return None
    prefix = _common([(shape["prefix"], count) for shape, count in shapes], total, rare=CURRENCIES)
    suffixes = [(shape["suffix"].strip(), count) for shape, count in shapes]
    multipliers = _multipliers(suffixes, total, money=prefix in CURRENCIES)
    suffix = "" if multipliers else _common(suffixes, total)
    if prefix is None or suffix is None or not _is_prefix(prefix) or not _is_unit(suffix, [text for text, _ in pairs]):
        return None
    separators = _separators([shape["body"].strip() for shape, _ in shapes])
    if separators is None:
        return None
    decimal, thousands = separators
    return NumberFormat(decimal, thousands, prefix, suffix, multipliers, parentheses)


def _in_brackets(texts: list[str], counts: list[int], found: list[re.Match[str] | None]) -> NumberFormat | None:
    """Return the form of numbers that all stand in brackets, which then do not mean that something is owed."""
    first = next(match for match in found if match)
    inner = [match[2] if match else text for match, text in zip(found, texts, strict=True)]
    form = _simple_format(list(zip(inner, counts, strict=True)))
    if form is None or form.multipliers:
        return None
    return replace(form, prefix=first[1] + form.prefix, suffix=form.suffix + first[3])


def _parts(texts: list[str], counts: list[int]) -> dict[str, float]:
    """Return what the units are worth in which numbers of two parts and more are written, ``2h 50m``, else nothing."""
    bare = [_bare_duration(text) for text in texts]
    dressed = sum(short != text for short, text in zip(bare, texts, strict=True))
    durations = bool(texts) and dressed >= ALL_BUT_FEW * len(texts)
    split = [_PART.findall(text) if text[:1].isdigit() else [] for text in bare]
    if not durations and not any(len(parts) > 1 for parts in split[:1000]):
        return {}
    marks: Counter[str] = Counter()
    for parts, count in zip(split, counts, strict=True):
        for mark in {_mark_of(rest) for _, rest in parts}:
            marks[mark] += count
    for family in FAMILIES[:3]:
        fits = [bool(parts) and _falls(parts, family) for parts in split]
        both = sum(count for parts, count, fit in zip(split, counts, fits, strict=True) if fit and len(parts) > 1)
        rows = sum(count for count, fit in zip(counts, fits, strict=True) if fit)
        if rows >= ALL_BUT_FEW * sum(counts) and (durations or both >= 0.1 * rows):
            used = {mark: worth for mark, worth in family.items() if marks[mark]}
            least = min(used.values()) if family is not FEET else 1.0
            worth = {mark: worth / least for mark, worth in used.items()}
            return {**worth, "": 1.0} if family is FEET and marks[""] else worth
    return {}


def _falls(parts: list[tuple[str, str]], family: dict[str, float]) -> bool:
    """Whether each part of a number is in a smaller unit of the family than the one before; inches stay below 12."""
    worths = [family.get(_mark_of(rest)) for _, rest in parts]
    if worths[-1] is None and _mark_of(parts[-1][1]) == "" and family is FEET and len(parts) > 1:
        worths[-1] = 1.0
    known = [worth for worth in worths if worth is not None]
    falling = len(known) == len(worths) and all(left > right for left, right in pairwise(known))
    return falling and not (family is FEET and len(parts) > 1 and float(parts[-1][0]) >= 12)  # noqa: PLR2004 - of a foot


def _stray(texts: list[str], counts: list[int]) -> str:
    """Return the marks that stand beside a few of many numbers (``28_``), else nothing."""
    odd = [(text, count) for text, count in zip(texts, counts, strict=True) if not _BARE.fullmatch(text)]
    if not odd or len(odd) == len(texts):
        return ""
    found = [(text, count) for text, count in odd if _BARE.fullmatch(_without(STRAY, text))]
    if len(texts) - len(odd) < NUMBERS_MIN:  # few numbers may be steps, of which a marked one is another
        bare = set(texts)
        found = [(text, count) for text, count in found if "_" in text and _without("_", text) in bare]
    rows = sum(count for _, count in found)
    if not found or rows > RARE_SHARE_MAX * sum(counts):
        return ""
    marks = {mark for text, _ in found for mark in (text[0], text[-1]) if mark in STRAY}
    return "".join(mark for mark in STRAY if mark in marks)


def _without(stray: str, text: str) -> str:
    return re.sub(rf"^[{re.escape(stray)}]|[{re.escape(stray)}]$", "", text)


def _ranges(texts: list[str], counts: list[int]) -> bool:
    """Whether some texts are ranges: a few among many numbers, or nearly all, many different and plainly meant so."""
    pairs = [(found, count) for text, count in zip(texts, counts, strict=True) if (found := _range_of(text))]
    if not pairs:
        return False
    rows, total = sum(count for _, count in pairs), sum(counts)
    rising = sum(_digits_of(found[1]) <= _digits_of(found[2]) for found, _ in pairs)
    if rising < ALL_BUT_FEW * len(pairs):
        return False
    if len(texts) - len(pairs) >= NUMBERS_MIN and rows <= RARE_SHARE_MAX * total:
        return True
    plain = sum(re.fullmatch(r"\d+-\d+", text) is not None for text in texts)
    return len(pairs) > NUMBERS_MIN and rows >= ALL_BUT_FEW * total and plain < SHARE_MIN * len(texts)


def _range_of(text: str) -> re.Match[str] | None:
    """Return the two ends of a range, ``None`` for another text and for codes, which have zeros in front."""
    found = _RANGE.fullmatch(text)
    ends = found.groups() if found else ()
    if not ends or not all(_SHAPE.fullmatch(end) for end in ends) or any(re.match(r"\D*0\d", end) for end in ends):
        return None
    return found


def _digits_of(text: str) -> float:
    """Return roughly the number in a text, only to be compared with that of a text in the same form."""
    found = re.search(r"\d[\d,]*\.?\d*", text)
    letter = re.search(r"\d\s*([KkMB])", text)
    return float(found[0].replace(",", "")) * (AMOUNTS[letter[1]] if letter else 1.0) if found else math.nan


def _multipliers(suffixes: list[tuple[str, int]], total: int, *, money: bool) -> dict[str, float]:
    """Return what stands behind numbers and what each is worth, when it is an amount or one of several like units.

    A letter for thousands can be nothing else behind money, where two of them are used, and where some numbers have
    none. Like units are ``kg`` and ``lbs``, ``day`` and ``days``; the commonest is worth 1.
    """
    counts: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    for suffix, count in suffixes:
        counts[suffix] += count
        texts[suffix] += 1
    amounts = AMOUNTS_OF_MONEY if money else AMOUNTS
    marks = {mark: worth for mark, worth in amounts.items() if counts[mark]}
    others = sum(count for suffix, count in counts.items() if suffix and suffix not in marks)
    rows = sum(counts[mark] for mark in marks)
    mixed = money or len(marks) > 1 or (marks and rows < total - others)
    usual = rows >= SHARE_MIN * total or money
    few = (
        not others and texts[""] >= NUMBERS_MIN and sum(texts[mark] for mark in marks) > 1 and set(marks) <= set("KkM")
    )
    if mixed and (usual or few) and others <= (1 - ALL_BUT_FEW) * total:
        return marks
    return _like_units(counts, total)


def _like_units(counts: Counter[str], total: int) -> dict[str, float]:
    named = Counter({suffix: count for suffix, count in counts.items() if suffix})
    best = named.most_common(1)[0][0] if named else ""
    for family in FAMILIES:
        marks = [suffix for suffix in named if suffix.lower() in family]
        rows = sum(named[suffix] for suffix in marks)
        if len(marks) > 1 and best in marks and rows >= ALL_BUT_FEW * named.total():
            worth = {suffix: family[suffix.lower()] / family[best.lower()] for suffix in sorted(marks)}
            same = set(worth.values()) == {1.0}
            return worth if same or rows >= ALL_BUT_FEW * total else {}
    stem = best.casefold().rstrip("s.")
    alike = [suffix for suffix in named if suffix.casefold().rstrip("s.") == stem]
    if len(stem) > 1 and len(alike) > 1 and sum(named[suffix] for suffix in alike) >= ALL_BUT_FEW * named.total():
        return dict.fromkeys(sorted(alike), 1.0) if named.total() >= SHARE_MIN * total else {}
    return {}


def _made_plain(texts: pa.Array, form: NumberFormat) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    plain = pc.replace_substring(texts, "\u2212", "-")
    if form.parentheses:
        plain = pc.replace_substring_regex(plain, r"^\(\s*(.*?)\s*\)$", r"-\1")
    if form.prefix or form.suffix:
        plain = pc.replace_substring_regex(plain, rf"^([-+]?)\s*{re.escape(form.prefix)}\s*", r"\1")
        plain = pc.replace_substring_regex(plain, rf"{re.escape(form.suffix)}$", "") if form.suffix else plain
        plain = pc.utf8_trim_whitespace(plain)  # thin and hard blanks too, which RE2 does not call blanks
    if form.thousands:
        mark, decimal = re.escape(form.thousands), re.escape(form.decimal)
        grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*(?:{decimal}[0-9]*)?"
        together = rf"[0-9]+(?:{decimal}[0-9]*)?(?:[eE][-+]?[0-9]+)?"
        fits = matches(plain, rf"^[-+]?(?:{grouped}|{together})$")
        plain = pc.if_else(pa.array(fits), pc.replace_substring(plain, form.thousands, ""), "")
    if form.decimal != ".":
        plain = pc.if_else(pc.match_substring(plain, "."), "", pc.replace_substring(plain, form.decimal, "."))
    return plain


def _common(found: list[tuple[str, int]], total: int, *, rare: frozenset[str] = frozenset()) -> str | None:
    """Return the one text that is not empty, ``""`` when all are, ``None`` when there are several or it is rare.

    What is in ``rare`` may be so: a sign of money means the same where few numbers have it.
    """
    counts: Counter[str] = Counter()
    for text, count in found:
        if text:
            counts[text] += count
    if not counts:
        return ""
    (best, rows), others = counts.most_common(1)[0], len(counts) - 1
    usual = rows >= SHARE_MIN * total or best in rare
    return best if usual and (others == 0 or rows >= ALL_BUT_FEW * sum(counts.values())) else None


def _is_prefix(prefix: str) -> bool:
    """Whether a text before digits is money, a rank or a unit in brackets; any other word may be a name."""
    return not prefix or prefix in CURRENCIES or prefix in RANKS or prefix[0] in "(["


def _is_unit(suffix: str, texts: list[str]) -> bool:
    if not suffix or suffix in GLUED_UNITS or suffix in CURRENCIES:
        return True
    if re.fullmatch(r"/\s*(?:\d{1,3}|[^\W\d_][\w. ]*)", suffix):  # out of five, out of a hundred, a month
        return True
    if len(suffix) > 1 and set(suffix.lower()) <= {"x", "*"}:  # digits that were made unreadable
        return False
    if all(unicodedata.category(sign) in {"So", "Sc"} for sign in suffix):  # stars
        return True
    word = re.fullmatch(r"(?:[^\W\d_]|\u00b0)[\w./\u00b0\u00b2\u00b3% -]*", suffix) is not None
    apart = sum(f" {suffix}" in text for text in texts[:200]) > min(len(texts), 200) / 2
    return word and (apart or len(suffix) > 1)


def _separators(bodies: list[str]) -> tuple[str, str] | None:
    """Return (decimal, thousands) of numbers' digits, ``None`` when no reading fits all but a few."""
    marks = Counter(mark for body in bodies for mark in set(body) if not mark.isdigit())
    if not marks:
        return ".", ""
    readings = [(".", "")]
    readings += [(".", mark) for mark in SEPARATORS if mark != "." and marks[mark]]
    readings += [(",", "")] if marks[","] else []
    readings += [(",", mark) for mark in SEPARATORS if mark != "," and marks[mark] and marks[","]]
    readings += [(",", ".")] if marks["."] else []  # 1.234.567 without any comma
    best: tuple[int, tuple[str, str]] | None = None
    for reading in readings:
        pattern = _pattern(*reading)
        fits = sum(pattern.fullmatch(body) is not None for body in bodies)
        if best is None or fits > best[0]:
            best = (fits, reading)
    return best[1] if best is not None and best[0] >= ALL_BUT_FEW * len(bodies) else None


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point, mark = re.escape(decimal), re.escape(thousands)
    if not thousands:
        return re.compile(rf"\d+(?:{point}\d*)?|{point}\d+")
    groups = rf"(?:{mark}\d{{3}})+|(?:{mark}\d{{2}})+{mark}\d{{3}}"  # the second is how India writes 1,23,456
    return re.compile(rf"(?!0{mark})(?:\d{{1,3}}(?:{groups})|\d+)(?:{point}\d*)?|{point}\d+")
