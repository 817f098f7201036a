"""The page's form: one labelled field a column, and the way from what a browser sends to a cell of a file.

Fields are called ``c0``, ``c1``... in the contract's order: a column's own name is only ever shown.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .markup import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import Column, Problem, Schema

CHOICES_MAX = 12  # more categories than this are suggested while typing instead of listed
YEARS_END = 10_000  # below this a comma between thousands would disturb a year
ISO_PROBE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def values_of(schema: Schema, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the cells, as a file would hold them, that a submitted form means; an absent field is an empty cell."""
    return {column.name: _to_cell(column, fields.get(f"c{place}", "")) for place, column in enumerate(schema.columns)}


def example_cells(schema: Schema) -> dict[str, str]:
    """Return the contract's example row as cells."""
    return {column.name: _to_cell(column, _text(schema, column)) for column in schema.columns}


def render(schema: Schema, cells: Mapping[str, str], problems: Sequence[Problem]) -> Html:
    """Return the fields filled with ``cells``, each with its problem beside it."""
    wrong = {problem.column: problem.message for problem in reversed(problems) if problem.column is not None}
    return join(
        *(
            _field(schema, column, f"c{place}", cells.get(column.name, ""), wrong.get(column.name, ""))
            for place, column in enumerate(schema.columns)
        )
    )


def _field(schema: Schema, column: Column, name: str, cell: str, problem: str) -> Html:
    facts = " · ".join(filter(None, (column.description, _range(column))))
    described = [f"{name}-hint"] * bool(facts) + [f"{name}-problem"] * bool(problem)
    common: dict[str, Any] = {
        "id": name,
        "name": name,
        "required": not column.nullable,
        "autocomplete": "off",
        "aria_invalid": "true" if problem else None,
        "aria_describedby": " ".join(described) or None,
        "data_decimal": column.decimal if column.decimal != "." else None,
    }
    label = join(
        tag("span", column.name, class_="name", dir="auto"),
        tag("span", column.unit, class_="unit") if column.unit else "",
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
        class_="field wide" if column.kind == "text" else "field",
    )


def _control(schema: Schema, column: Column, cell: str, common: dict[str, Any]) -> Html:
    facts = schema.document["properties"][column.name]
    match column.kind:
        case "boolean":
            return _select([word for word, _ in _words(facts)], cell, column, common)
        case "date" if column.date_format != "epoch_seconds":
            return _date_input(column, cell, common)
        case "text":
            return tag("textarea", Html("\n"), cell, rows=3, **common)  # the parser drops the first line break
        case "category":
            few = len(column.values) <= CHOICES_MAX and facts.get("x-seen", {}).get("distinct", 0) <= len(column.values)
            return _select(column.values, cell, column, common) if few else _suggested(column, cell, common)
    plain = cell.replace(column.decimal, ".") if column.decimal != "." else cell
    kind = "number" if not plain or _is_plain(plain) else "text"  # a browser would empty what is no number
    return tag("input", type=kind, step="any", value=plain if kind == "number" else cell, **common)


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


def _range(column: Column) -> str:
    low, high = column.seen_minimum, column.seen_maximum
    if column.kind != "number" or low is None or high is None:
        return ""
    if all(f"{bound:.6g}" in column.description.replace(",", "") for bound in (low, high)):
        return ""  # the description says it already
    return f"seen {_short(low)} to {_short(high)}"


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
