"""The page's form: one labelled field a column, and the way from what a browser sends to a cell of a file.

Fields are called ``c0``, ``c1``... in the contract's order: a column's own name is only ever shown.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .markup import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import Column, Problem, Schema

CHOICES_MAX = 12  # more categories than this are suggested while typing instead of listed
COLUMNS_MAX = 24  # with more columns than this all but the weightiest are folded away, filled with the example
UNFOLDED = 12
YEARS_END = 10_000  # below this a comma between thousands would disturb a year
ISO_PROBE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def values_of(schema: Schema, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the cells, as a file would hold them, that a submitted form means; an absent field is an empty cell."""
    return {column.name: _to_cell(column, fields.get(f"c{place}", "")) for place, column in enumerate(schema.columns)}


def example_cells(schema: Schema) -> dict[str, str]:
    """Return the contract's example row as cells."""
    return {column.name: _to_cell(column, _text(schema, column)) for column in schema.columns}


def render(schema: Schema, cells: Mapping[str, str], problems: Sequence[Problem], weighty: Sequence[str] = ()) -> Html:
    """Return the fields filled with ``cells``, each with its problem beside it.

    Of many columns only the first of ``weighty`` stand open; the others are folded away below them.
    """
    wrong = {problem.column: problem.message for problem in reversed(problems) if problem.column is not None}
    made = {
        column.name: _field(schema, column, f"c{place}", cells.get(column.name, ""), wrong.get(column.name, ""))
        for place, column in enumerate(schema.columns)
    }
    if len(made) <= COLUMNS_MAX:
        return tag("div", *made.values(), class_="grid")
    ranked = [name for name in weighty if name in made]
    first = [*ranked, *(name for name in made if name not in ranked)][:UNFOLDED]
    rest = [name for name in made if name not in first]
    return join(
        tag("p", f"The {len(first)} columns that weigh most come first.", class_="quiet") if ranked else "",
        tag("div", *(made[name] for name in first), class_="grid"),
        tag(
            "details",
            tag("summary", f"{len(rest)} more columns, filled with typical values"),
            tag("label", "Find a column", tag("input", type="search", id="find", autocomplete="off"), class_="find"),
            tag("p", id="found", class_="quiet", role="status"),
            tag("div", *(made[name] for name in rest), class_="grid"),
            id="others",
            open=any(wrong.get(name) for name in rest),
        ),
    )


def _field(schema: Schema, column: Column, name: str, cell: str, problem: str) -> Html:
    facts = _hint(schema, column)
    unit = column.unit or (column.prefix or column.suffix).strip("()[]")
    described = [f"{name}-hint"] * bool(facts) + [f"{name}-problem"] * bool(problem)
    common: dict[str, Any] = {
        "id": name,
        "name": name,
        "required": not column.nullable,
        "autocomplete": "off",
        "aria_invalid": "true" if problem else None,
        "aria_describedby": " ".join(described) or None,
    }
    label = join(
        tag("span", column.name, class_="name", dir="auto"),
        tag("span", unit, class_="unit") if unit else "",
        tag("span", "may be empty", class_="optional") if column.nullable else "",
    )
    return tag(
        "div",
        tag("label", label, for_=name),
        _control(schema, column, cell, common),
        tag(
            "div",
            tag("p", problem, id=f"{name}-problem", class_="problem") if problem else "",
            tag("p", facts, id=f"{name}-hint", class_="hint", dir="auto") if facts else "",
        ),
        class_="field wide" if column.kind in {"text", "tensor", "picture"} else "field",
    )


def _control(schema: Schema, column: Column, cell: str, common: dict[str, Any]) -> Html:
    facts = schema.document["properties"][column.name]
    match column.kind:
        case "boolean":
            return _select([word for word, _ in _words(facts)], cell, column, common)
        case "date" if column.date_format != "epoch_seconds":
            return _date_input(column, cell, common)
        case "text" | "tensor" | "picture":
            return _area(column, cell, common)
        case "category" if _is_listed(schema, column):
            return _select(column.values, cell, column, common)
        case "category":
            return _suggested(column, cell, common)
    plain = cell.replace(column.decimal, ".") if column.decimal != "." else cell
    kind = "number" if not plain or _is_plain(plain) else "text"  # a browser would empty what is no number
    shown = plain if kind == "number" else cell
    return tag("input", type=kind, step="any", value=shown, placeholder=_placeholder(schema, column), **common)


def _area(column: Column, cell: str, common: dict[str, Any]) -> Html:
    """Return a field for long texts; beside a picture's it is shown, and a script adds the choice of a file."""
    area = tag("textarea", Html("\n"), cell, rows=3, **common)  # the parser drops the first line break
    if column.kind != "picture":
        return area
    shown = cell.startswith("data:image/")
    picture = tag("img", src=cell if shown else "data:,", alt="The picture", class_="picture", hidden=not shown)
    return tag("div", picture, area, class_="pictured")


def _date_input(column: Column, cell: str, common: dict[str, Any]) -> Html:
    timed = any(mark in column.date_format for mark in ("%H", "%I", "%T")) or ":" in str(column.example)
    shown = _browser_date(column, cell, timed=timed)
    if shown is None:
        return tag("input", type="text", value=cell, **common)
    kind, step = ("datetime-local", 1) if timed else ("date", None)
    return tag("input", type=kind, step=step, value=shown, **common)


def _suggested(column: Column, cell: str, common: dict[str, Any]) -> Html:
    options = tag("datalist", *(tag("option", value=value) for value in column.values), id=f"{common['id']}-list")
    return join(tag("input", type="text", value=cell, list=f"{common['id']}-list", **common), options)


def _select(choices: Sequence[str], cell: str, column: Column, common: dict[str, Any]) -> Html:
    offered = [*choices, *([cell] if cell and cell not in choices else [])]
    options = [tag("option", choice, value=choice, selected=choice == cell) for choice in offered]
    if column.nullable or not cell:
        options.insert(0, tag("option", "", value="", selected=not cell))
    return tag("select", *options, **common)


def _is_listed(schema: Schema, column: Column) -> bool:
    """Return whether all categories are known and few enough for a list to choose from."""
    distinct: int = schema.document["properties"][column.name].get("x-seen", {}).get("distinct", 0)
    return max(distinct, len(column.values)) == len(column.values) <= CHOICES_MAX


def _placeholder(schema: Schema, column: Column) -> str | None:
    example = _to_cell(column, _text(schema, column))
    return f"e.g. {example}" if example else None


def _hint(schema: Schema, column: Column) -> str:
    """Return what to know before typing: what the source says of the column, and what training saw of it."""
    facts = schema.document["properties"][column.name]
    if "x-about" not in facts:
        return column.description
    seen = _seen(schema, column, facts.get("x-seen", {}))
    return f"{facts['x-about']} · {seen}" if facts["x-about"] and seen else facts["x-about"] or seen.capitalize()


def _seen(schema: Schema, column: Column, seen: Mapping[str, Any]) -> str:
    low, high = column.seen_minimum, column.seen_maximum
    match column.kind:
        case "number" if low is not None and high is not None:
            return f"seen {_short(low)} to {_short(high)}"
        case "date" if low is not None and high is not None:
            return f"seen {_day(low)} to {_day(high)}"
        case "category" if not _is_listed(schema, column) and seen.get("distinct"):
            return f"{seen['distinct']:,} different ones seen"
        case "text" if seen.get("length_maximum"):
            return f"seen with up to {seen['length_maximum']:,} characters"
    return ""


def _day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


def _short(value: float) -> str:
    return f"{value:,.6g}" if abs(value) >= YEARS_END else f"{value:.6g}"


def _words(facts: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Return one word of the data for true and one for false."""
    words: dict[bool, str] = {}
    for word, truth in facts.get("x-words", {}).items():
        words.setdefault(truth, word)
    return [(word, truth) for truth, word in sorted(words.items(), reverse=True)]


def _text(schema: Schema, column: Column) -> str:
    """Return the column's example as a browser would send it."""
    value = column.example
    if value is None:
        return ""
    if isinstance(value, bool):
        words = _words(schema.document["properties"][column.name])
        return next((word for word, truth in words if truth == value), "")
    if isinstance(value, list):
        return json.dumps(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _to_cell(column: Column, text: str) -> str:
    """Return the text as the data's files would write it: a browser sends numbers with a decimal point."""
    if column.kind == "number" and _is_plain(text.strip()):
        return text.strip().replace(".", column.decimal)
    text = text.replace("\r\n", "\n")
    return next((known for known in (text, text.replace("\n", "\r\n")) if known in column.values), text)


def _is_plain(text: str) -> bool:
    return bool(text) and set(text) <= set("0123456789+-.eE") and _is_float(text)


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _reads_iso(column: Column) -> bool:
    """Return whether the column's own date pattern leaves alone what a date field sends, which is ISO 8601."""
    try:
        found = (column.from_cell("2001-02-03"), column.from_cell("2001-02-03T04:05:06"))
    except ValueError:
        return False
    return found == (ISO_PROBE.replace(hour=0, minute=0, second=0).timestamp(), ISO_PROBE.timestamp())


def _browser_date(column: Column, cell: str, *, timed: bool) -> str | None:
    """Return the cell as a date field takes it, ``None`` when such a field cannot show it or would be misread."""
    if not _reads_iso(column):
        return None
    if not cell:
        return ""
    try:
        moment = datetime.fromtimestamp(float(column.from_cell(cell)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") if timed else moment.date().isoformat()
