"""How numbers are written in a column: plain, with currency or unit, with decimal comma or thousands separators."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
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
CURRENCIES = (
    "$", "\u20ac", "\u00a3", "\u00a5", "\u20b9", "\u20bd", "US$", "R$", "USD", "EUR", "GBP", "INR", "Rs.", "Rs",
    "CHF", "#",
)
# fmt: on
GLUED_UNITS = frozenset("%+\u00b0\u20ac$\u00a3hLlWVAJgmsCFKx\u2033\"'")  # one sign or letter right after the digits
MULTIPLIERS = {"K": 1e3, "k": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9}
SHARE_MIN = 0.5  # of the rows that carry the sign: "3+" beside 0, 1, 2 is a category, "10,000+" everywhere a number
SAMPLE_TEXTS = 20_000  # different texts that decide a format; all are then parsed by it
SAMPLE_PARSED = 1000  # texts without one number among them are no column of numbers

_OWED = re.compile(r"\(\s*([^()-]*\d[^()-]*?)\s*\)")
_SHAPE = re.compile(
    r"(?P<sign>[-+]?)\s*(?P<prefix>[^\d\s.,+\-()]{0,4}\.?)\s*(?P<body>\d[\d.,'\u2019 \u00a0\u202f]*|[.,]\d+)"
    r"\s*(?P<suffix>\D{0,14}|\s*/\s*\d{1,3})"
)


def parse(texts: pa.Array, form: NumberFormat) -> NDArray[np.float64]:
    """Return the numbers that ``texts`` (without blanks around) write in ``form``, NaN where a text is none."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    if form.multipliers:
        return _multiplied(texts, form)
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
    """Return numbers of which some have a letter behind, each times what its letter is worth."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    rest = replace(form, multipliers={})
    values = parse(texts, rest)
    for mark, worth in form.multipliers.items():
        marked = np.asarray(pc.ends_with(texts, mark).to_numpy(zero_copy_only=False))
        if marked.any():
            few = pc.replace_substring_regex(texts.filter(pc.ends_with(texts, mark)), rf"\s*{re.escape(mark)}$", "")
            values[marked] = parse(few, rest) * worth
    values[~np.isfinite(values)] = np.nan
    return values


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
    signed = [text.replace("\u2212", "-") for text in texts]
    parentheses = any(text.startswith("(") for text in signed) and all(
        _OWED.fullmatch(text) for text in signed if text.startswith("(")
    )
    if parentheses:
        signed = [_OWED.sub(r"-\1", text) for text in signed]
    shapes = [(found, count) for text, count in zip(signed, counts, strict=True) if (found := _SHAPE.fullmatch(text))]
    total = sum(counts)
    if sum(count for _, count in shapes) < SHARE_MIN * total:
        return None
    prefix = _common([(shape["prefix"], count) for shape, count in shapes], total)
    suffix = _common([(shape["suffix"].strip(), count) for shape, count in shapes], total)
    multipliers = _multipliers([(shape["suffix"].strip(), count) for shape, count in shapes], total, money=bool(prefix))
    if multipliers:
        suffix = ""
    if prefix is None or suffix is None or (prefix and prefix not in CURRENCIES) or not _is_unit(suffix, texts):
        return None
    separators = _separators([shape["body"].strip() for shape, _ in shapes])
    if separators is None:
        return None
    decimal, thousands = separators
    return NumberFormat(decimal, thousands, prefix, suffix, multipliers, parentheses)


def _multipliers(suffixes: list[tuple[str, int]], total: int, *, money: bool) -> dict[str, float]:
    """Return the letters for thousands, millions and so on when most numbers carry one and it can be nothing else.

    It can be nothing else behind money, where two of them are used, and where some numbers have none.
    """
    counts: Counter[str] = Counter()
    for suffix, count in suffixes:
        counts[suffix] += count
    marks = {mark: worth for mark, worth in MULTIPLIERS.items() if counts[mark]}
    others = sum(count for suffix, count in counts.items() if suffix and suffix not in marks)
    rows = sum(counts[mark] for mark in marks)
    mixed = money or len(marks) > 1 or (marks and rows < total - others)
    return marks if mixed and rows >= SHARE_MIN * total and others <= 0.02 * total else {}


def _made_plain(texts: pa.Array, form: NumberFormat) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    plain = pc.replace_substring(texts, "\u2212", "-")
    if form.parentheses:
        plain = pc.replace_substring_regex(plain, r"^\(\s*(.*?)\s*\)$", r"-\1")
    if form.prefix or form.suffix:
        plain = pc.replace_substring_regex(plain, rf"^([-+]?)\s*{re.escape(form.prefix)}\s*", r"\1")
        plain = pc.replace_substring_regex(plain, rf"\s*{re.escape(form.suffix)}$", "") if form.suffix else plain
    if form.thousands:
        mark, decimal = re.escape(form.thousands), re.escape(form.decimal)
        grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*(?:{decimal}[0-9]*)?"
        together = rf"[0-9]+(?:{decimal}[0-9]*)?(?:[eE][-+]?[0-9]+)?"
        fits = matches(plain, rf"^[-+]?(?:{grouped}|{together})$")
        plain = pc.if_else(pa.array(fits), pc.replace_substring(plain, form.thousands, ""), "")
    if form.decimal != ".":
        plain = pc.if_else(pc.match_substring(plain, "."), "", pc.replace_substring(plain, form.decimal, "."))
    return plain


def _common(found: list[tuple[str, int]], total: int) -> str | None:
    """Return the one text that is not empty, ``""`` when all are, ``None`` when there are several or it is rare."""
    counts: Counter[str] = Counter()
    for text, count in found:
        if text:
            counts[text] += count
    if not counts:
        return ""
    (best, rows), others = counts.most_common(1)[0], len(counts) - 1
    return best if rows >= SHARE_MIN * total and (others == 0 or rows >= 0.98 * sum(counts.values())) else None


def _is_unit(suffix: str, texts: list[str]) -> bool:
    if not suffix or suffix in GLUED_UNITS or suffix in CURRENCIES:
        return True
    if re.fullmatch(r"/\s*\d{1,3}", suffix):  # out of five, out of a hundred
        return True
    word = re.fullmatch(r"[^\W\d_][\w./\u00b0\u00b2\u00b3% -]*", suffix) is not None
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
    return best[1] if best is not None and best[0] >= 0.98 * len(bodies) else None


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point, mark = re.escape(decimal), re.escape(thousands)
    if not thousands:
        return re.compile(rf"\d+(?:{point}\d*)?|{point}\d+")
    groups = rf"(?:{mark}\d{{3}})+|(?:{mark}\d{{2}})+{mark}\d{{3}}"  # the second is how India writes 1,23,456
    return re.compile(rf"(?!0{mark})(?:\d{{1,3}}(?:{groups})|\d+)(?:{point}\d*)?|{point}\d+")
