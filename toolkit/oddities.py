"""What is worth telling about a table's columns, each as a ``Finding`` a person can act on."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from toolkit.findings import Finding
from toolkit.markers import AMBIGUOUS
from toolkit.names import argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.kinds import Judged
    from toolkit.number_format import NumberFormat

NEAR_CONSTANT_SHARE = 0.995  # of rows with the same value
MOSTLY_MISSING_SHARE = 0.5
FEW_ROWS = 100  # below it any score is a guess
WIDE_SHARE = 0.5  # columns per row from which chance finds patterns
ORDERED_MIN = 3  # two words have an order anyway
SCALES = tuple(
    frozenset(scale.split(","))
    for scale in (
        "very low,low,mid,med,medium,moderate,average,high,vhigh,very high,extreme,lowest,highest,none,normal,severe",
        "very bad,bad,poor,fair,ok,average,normal,good,very good,great,excellent,premium,ideal,outstanding",
        "small,med,medium,big,large,xs,s,m,l,xl,xxl,tiny,huge",
        "never,rarely,seldom,sometimes,often,usually,always,no,frequently",
        "strongly disagree,disagree,neutral,agree,strongly agree",
        "very dissatisfied,dissatisfied,neutral,satisfied,very satisfied",
    )
)
COORDINATE = re.compile(r"(?i)(?<![a-z])(?:(lat|latitude|lattitude)|(lon|lng|long|longitude|longtitude))(?![a-z])")
NAMED_MAX = 6  # columns named in one sentence


def find(judged: Sequence[Judged], *, rows: int, constants: tuple[str, ...], duplicates: int) -> Iterator[Finding]:
    """Yield the findings of a table, the ones a person should look at first."""
    yield from _odd_cells(judged)
    yield from _dates(judged)
    yield from _sentinels(judged)
    yield from _zeros(judged)
    yield from _missing_words(judged)
    yield from _maybe_categories(judged)
    yield from _number_formats(judged)
    yield from _several_units(judged)
    yield from _empty_and_constant(judged, constants)
    yield from _mostly_missing(judged)
    yield from _shapes(judged)
    yield from _two_writings(judged)
    yield from _ordered(judged)
    yield from _places(judged)
    yield from _sizes(judged, rows, duplicates)


def _odd_cells(judged: Sequence[Judged]) -> Iterator[Finding]:
    for one in judged:
        if one.odd:
            kind = "numbers" if one.kind == "number" else "dates"
            shown = ", ".join(repr(text[:40]) for text in one.odd[:5])
            yield Finding(
                "odd-cells",
                f"`{one.name}` holds {kind}, but {_some(one.odd_rows, one.rows)} {_holds(range(one.odd_rows))} "
                f"something else: {shown}; a column is read as one kind",
                severity="unsure",
                columns=(one.name,),
                action="read those cells as missing values, so what they say is lost",
                overrule=f"--as {argument(f'{one.name}=category')}",
                evidence={"texts": list(one.odd[:20]), "rows": one.odd_rows},
            )


def _dates(judged: Sequence[Judged]) -> Iterator[Finding]:
    for one in judged:
        if one.ambiguous_date:
            month = one.date_format.find("%m") < one.date_format.find("%d")
            order, other = ("month first", "day-first") if month else ("day first", "month-first")
            yield Finding(
                "date-order",
                f"the dates in `{one.name}` never have a day above 12, so the order of day and month cannot be seen; "
                "read in the wrong one, the 3rd of April is the 4th of March",
                severity="unsure",
                columns=(one.name,),
                action=f"read them {order} (`{one.date_format}`)",
                overrule=f"--as {argument(f'{one.name}={other}')}",
            )


def _sentinels(judged: Sequence[Judged]) -> Iterator[Finding]:
    for one in judged:
        if one.sentinel is not None:
            yield Finding(
                "sentinel-number",
                f"`{one.name}` has {one.sentinel:g} in {_some(one.sentinel_rows, one.rows)}, far outside its other "
                f"numbers ({_from_to(one)}): such a number usually stands for a missing value, and taken for an amount "
                "it would distort what is learned",
                severity="unsure",
                columns=(one.name,),
                action="read it as missing",
                overrule=f"--no-missing {argument(f'{one.name}={one.sentinel:.17g}')}",
                evidence={"value": one.sentinel, "rows": one.sentinel_rows},
            )


def _zeros(judged: Sequence[Judged]) -> Iterator[Finding]:
    found = [one for one in judged if one.zeros_share > 0]
    if found:
        shares = ", ".join(f"`{one.name}` ({one.zeros_share:.1%})" for one in found[:NAMED_MAX])
        yield Finding(
            "zero-as-missing",
            f"zeros stand apart from all other values in {shares}{_more(found)}; perhaps nothing was measured there, "
            "and a 0 written for a gap pulls averages down",
            columns=tuple(one.name for one in found),
            action="kept them as numbers; the tree model can set them apart",
            overrule=" ".join(f"--missing {argument(f'{one.name}=0')}" for one in found[:NAMED_MAX]),
            evidence={one.name: round(one.zeros_share, 4) for one in found},
        )


def _missing_words(judged: Sequence[Judged]) -> Iterator[Finding]:
    by_word: dict[str, list[tuple[Judged, int]]] = defaultdict(list)
    for one in judged:
        for text, count in zip(one.missing, one.missing_counts, strict=True):
            maybe = one.kind in {"category", "text"} and text.strip().lower() in AMBIGUOUS
            said = text.strip() in one.odd or _is_sentinel(one, text)
            if text and not said and not maybe and one.kind != "empty":
                by_word[text].append((one, count))
    for word, pairs in sorted(by_word.items()):
        where = ", ".join(f"`{one.name}` ({_rows(count, one.rows)})" for one, count in pairs[:NAMED_MAX])
        what = "a blank cell" if not word.strip() else f"the text {word!r}"
        asked = [one for one, _ in pairs if word.strip().lower() in map(str.lower, one.wanted.missing)]
        if asked:
            overrule = "leave out " + " ".join(f"--missing {argument(f'{one.name}={word.strip()}')}" for one in asked)
        else:
            overrule = " ".join(_as_value(one.name, word) for one, _ in pairs[:NAMED_MAX])
        yield Finding(
            "missing-word",
            f"{what} stands for a missing value in {where}{_more(pairs)}; taken for a value it would be learned as one",
            columns=tuple(one.name for one, _ in pairs),
            action="read as missing, not as a value of its own",
            overrule=overrule,
            evidence={"text": word, "rows": {one.name: count for one, count in pairs}},
        )


def _is_sentinel(one: Judged, text: str) -> bool:
    """Whether a text is the number that a finding of its own tells of."""
    if one.sentinel is None:
        return False
    try:
        return float(text) == one.sentinel
    except ValueError:
        return False


def _maybe_categories(judged: Sequence[Judged]) -> Iterator[Finding]:
    found = [
        (one, text, count)
        for one in judged
        if one.kind in {"category", "text"}
        for text, count in zip(one.missing, one.missing_counts, strict=True)
        if text.strip().lower() in AMBIGUOUS
    ]
    if found:
        where = ", ".join(f"`{one.name}` ({_rows(count, one.rows)})" for one, _, count in found[:NAMED_MAX])
        words = " or ".join(sorted({repr(text.strip()) for _, text, _ in found}))
        yield Finding(
            "maybe-category",
            f"{words} stands among the categories of {where}{_more(found)}; it may mean not known, or be an answer of "
            "its own such as none of these",
            columns=tuple(one.name for one, _, _ in found),
            action="read as missing; the model treats missing as a category of its own, so both meanings are learned",
            overrule=" ".join(_as_value(one.name, text) for one, text, _ in found[:NAMED_MAX]),
        )


def _number_formats(judged: Sequence[Judged]) -> Iterator[Finding]:
    by_form: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        parts = _signs(one.number_format)
        if parts:
            by_form[", ".join(parts)].append(one)
    for told, found in by_form.items():
        yield Finding(
            "number-format",
            f"the numbers in {_names(found)} are written with {told}; as they stand they would be words without order",
            columns=tuple(one.name for one in found),
            action="read as numbers, so that more and less mean something",
            overrule=f"--as {argument(f'{found[0].name}=category')}",
            evidence=found[0].number_format.to_json(),
        )


def _several_units(judged: Sequence[Judged]) -> Iterator[Finding]:
    for one in judged:
        if one.units:
            yield Finding(
                "several-units",
                f"`{one.name}` holds numbers in units that cannot be compared: {', '.join(map(repr, one.units))}",
                columns=(one.name,),
                action="read as words, which loses how much; one unit a column in the file would keep it",
                overrule=f"--drop {argument(one.name)}",
                evidence={"units": list(one.units)},
            )


def _signs(form: NumberFormat) -> list[str]:
    """Return what stands around and between the digits of numbers, in words."""
    parts = [f"{form.prefix!r} in front" if form.prefix else "", f"{form.suffix!r} behind" if form.suffix else ""]
    parts += [f"{form.thousands!r} between thousands" if form.thousands else ""]
    parts += [f"{form.decimal!r} as the decimal sign" if form.decimal != "." else ""]
    if set(form.multipliers.values()) == {1.0}:
        parts += [f"{' or '.join(map(repr, form.multipliers))} behind"]
    else:
        parts += [f"{mark!r} for {_amount(worth)}" for mark, worth in form.multipliers.items()]
    parts += ["parentheses around what is below zero" if form.parentheses else ""]
    parts += ["parts, of which " + " and ".join(_part(*part) for part in form.parts.items()) if form.parts else ""]
    parts += [f"a stray {' or '.join(map(repr, form.stray))} in some cells, which is left out" if form.stray else ""]
    parts += ["ranges such as 10-20 in some cells, of which the middle is taken" if form.ranges else ""]
    return [part for part in parts if part]


def _part(mark: str, worth: float) -> str:
    return f"{mark!r} is worth {_amount(worth)}" if mark else f"a last one without a unit {_amount(worth)}"


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:.6g}"


def _empty_and_constant(judged: Sequence[Judged], constants: tuple[str, ...]) -> Iterator[Finding]:
    empty = [one for one in judged if one.kind == "empty"]
    if empty:
        yield Finding(
            "empty-column",
            f"{_names(empty)} {_holds(empty)} no value at all",
            columns=tuple(one.name for one in empty),
            action="left out: there is nothing to learn from",
            overrule=_empty_as_value(empty),
        )
    same = [one for one in judged if one.name in constants and one.kind != "empty"]
    if same:
        yield Finding(
            "constant-column",
            f"{_names(same)} {_holds(same)} the same value in every row",
            columns=tuple(one.name for one in same),
            action="left out: what never changes explains nothing",
            overrule=f"--keep {argument(same[0].name)}",
        )
    near = [one for one in judged if one.top_share >= NEAR_CONSTANT_SHARE and one.distinct > 1 and one.gaps == 0]
    if near:
        yield Finding(
            "near-constant-column",
            f"{_names(near)} {_holds(near)} the same value in at least {NEAR_CONSTANT_SHARE:.1%} of the rows, so there "
            "is little to learn from",
            columns=tuple(one.name for one in near),
            action="kept: the rare value may matter",
            overrule=f"--drop {argument(near[0].name)}",
        )


def _mostly_missing(judged: Sequence[Judged]) -> Iterator[Finding]:
    found = [one for one in judged if one.kind != "empty" and one.missing_share > MOSTLY_MISSING_SHARE]
    if found:
        where = ", ".join(f"`{one.name}` ({one.missing_share:.0%})" for one in found[:NAMED_MAX])
        yield Finding(
            "mostly-missing",
            f"more than half of the rows have no value in {where}{_more(found)}",
            columns=tuple(one.name for one in found),
            action="kept: that a value is missing can itself say something",
            overrule=f"--drop {argument(found[0].name)}",
        )


def _shapes(judged: Sequence[Judged]) -> Iterator[Finding]:
    told = {
        "url": ("web-addresses", "web addresses"),
        "path": ("file-paths", "names of image or sound files, which are not opened"),
        "json": ("json-cells", "JSON objects"),
        "list": ("list-cells", "lists, several values in one cell"),
        "money": ("several-currencies", "amounts in several currencies, which cannot be compared without their rates"),
    }
    for shape, (code, words) in told.items():
        found = [one for one in judged if one.shape == shape]
        if found:
            yield Finding(
                code,
                f"the cells of {_names(found)} are {words}",
                columns=tuple(one.name for one in found),
                action="kept as they stand; their words are read as text or category",
                overrule=f"--drop {argument(found[0].name)}",
            )


def _two_writings(judged: Sequence[Judged]) -> Iterator[Finding]:
    for one in judged:
        if one.kind != "category" or one.distinct != len(one.values):
            continue
        groups: dict[str, list[str]] = defaultdict(list)
        for value in one.values:
            groups[" ".join(value.split()).casefold()].append(value)
        alike = [group for key, group in groups.items() if len(group) > 1 and len(key) > 1]  # a and A may be two
        if alike:
            shown = ", ".join(" and ".join(map(repr, group[:3])) for group in alike[:3])
            yield Finding(
                "two-writings",
                f"`{one.name}` seems to write the same thing in several ways: {shown}",
                columns=(one.name,),
                action="kept them apart among the inputs; as the classes to predict they are one",
                overrule="write them alike in the file",
                evidence={"writings": alike[:20]},
            )


def _ordered(judged: Sequence[Judged]) -> Iterator[Finding]:
    found = [
        one
        for one in judged
        if one.kind == "category"
        and ORDERED_MIN <= one.distinct == len(one.values)
        and any({value.strip().casefold() for value in one.values} <= scale for scale in SCALES)
    ]
    if found:
        yield Finding(
            "ordered-categories",
            f"the words in {_names(found)} are steps of a scale ({', '.join(found[0].values[:4])}), so in order",
            columns=tuple(one.name for one in found),
            action="read as categories: each step is learned by itself, which loses nothing while steps are few",
            overrule=f"--drop {argument(found[0].name)}",
        )


def _places(judged: Sequence[Judged]) -> Iterator[Finding]:
    by_part: dict[str, list[Judged]] = {"lat": [], "lon": []}
    for one in judged:
        match = COORDINATE.search(one.name)
        bound = 90.0 if match and match[1] else 180.0
        low, high = one.minimum, one.maximum
        if not (match and isinstance(low, float) and isinstance(high, float)) or one.whole:
            continue
        if -bound <= low <= high <= bound:
            by_part["lat" if match[1] else "lon"].append(one)
    found = [*by_part["lat"], *by_part["lon"]]
    if all(by_part.values()):
        yield Finding(
            "coordinates",
            f"{_names(found)} are degrees on a map: together they say where a row is, alone little",
            columns=tuple(one.name for one in found),
            action="kept as numbers; trees find places by splitting both, linear models see little in them",
            overrule=f"--drop {argument(found[0].name)}",
        )


def _sizes(judged: Sequence[Judged], rows: int, duplicates: int) -> Iterator[Finding]:
    if duplicates:
        yield Finding(
            "duplicate-rows",
            f"{_some(duplicates, rows)} {'repeats' if duplicates == 1 else 'repeat'} an earlier row in every cell; "
            "the same row in training and test makes a score look better",
            severity="warning" if duplicates > 0.05 * rows else "note",
            action="kept: equal rows may be different cases",
            overrule="--drop-duplicates",
            evidence={"rows": duplicates},
        )
    if 0 < rows < FEW_ROWS:
        yield Finding(
            "few-rows",
            f"the table has {rows:,} {'row' if rows == 1 else 'rows'}: any score from so few is a rough guess",
            severity="warning",
            action="scores come with their interval; a table with more rows narrows it",
            overrule="--table FILE",
        )
    if rows and len(judged) > WIDE_SHARE * rows and len(judged) > 20:  # noqa: PLR2004 - a narrow table is never wide
        yield Finding(
            "wide-table",
            f"the table has {len(judged):,} columns for {rows:,} rows: with so many, some fit the answer by chance",
            severity="warning",
            action="trust the held-out score, not the training score",
            overrule="--drop COLUMN",
        )


def _as_value(name: str, text: str) -> str:
    """Return how a text that is read as missing becomes a value; a blank cell never does."""
    return f"--no-missing {argument(f'{name}={text.strip()}')}" if text.strip() else f"--drop {argument(name)}"


def _empty_as_value(empty: Sequence[Judged]) -> str:
    """Return how a word that fills an empty column becomes its value, nothing where no cell holds a word."""
    told = ((one.name, text.strip()) for one in empty for text in one.missing if text.strip())
    return next((_as_value(name, text) for name, text in told), "")


def _from_to(one: Judged) -> str:
    if not (isinstance(one.minimum, float) and isinstance(one.maximum, float)):
        return "few"
    return f"{one.minimum:g} to {one.maximum:g}"


def _names(found: Sequence[Judged]) -> str:
    names = ", ".join(f"`{one.name}`" for one in found[:NAMED_MAX])
    return f"{names}{_more(found)}"


def _more(found: Sequence[object]) -> str:
    return f" and {len(found) - NAMED_MAX} more" if len(found) > NAMED_MAX else ""


def _holds(found: Sequence[object]) -> str:
    return "hold" if len(found) > 1 else "holds"


def _rows(count: int, total: int) -> str:
    share = count / total if total else 0.0
    return f"{count:,} {'row' if count == 1 else 'rows'}, {share:.1%}" if count else "only in the rows to predict"


def _some(count: int, total: int) -> str:
    """Return rows and their share as they stand in a sentence."""
    return f"{count:,} {'row' if count == 1 else 'rows'} ({count / total if total else 0.0:.1%})"
