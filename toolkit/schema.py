"""``Profile``, ``Task`` and ``Plan`` become the input contract of one row, as JSON Schema (draft 2020-12)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from toolkit.number_format import PLAIN

if TYPE_CHECKING:
    from toolkit.plan import Plan
    from toolkit.profile import Column, Profile
    from toolkit.task import Task

DRAFT = "https://json-schema.org/draft/2020-12/schema"
VALUES_MAX = 100
TEXT_EXAMPLE = "a short text"  # words of nobody: a cell of the data may be about a person
KINDS_OF_JSON = {"number": "number", "boolean": "boolean", "category": "string", "text": "string", "date": "string"}


def derive(profile: Profile, task: Task, plan: Plan) -> dict[str, Any]:
    """Return the contract of one row: a property a column that the model uses, in the table's order, by raw names.

    A column may be null when it has gaps in the training or the test table. What was seen (range, values) is told in
    ``x-seen`` and forbids nothing: an unseen value is answered with a note. All other columns are in ``x-ignored``.
    """
    used = {treatment.column for treatment in plan.treatments}
    columns = [column for column in profile.columns if column.name in used]
    target = next((column for column in profile.columns if column.name == plan.target), None)
    document: dict[str, Any] = {
        "$schema": DRAFT,
        "title": plan.title,
        "type": "object",
        "additionalProperties": False,
        "properties": {column.name: _property(column) for column in columns},
        "required": [column.name for column in columns if not _nullable(column)],
        "x-task": task.kind,
        "x-target": plan.target,
        "x-labels": _labels(plan.labels),
        "x-positive": _labels(plan.labels)[plan.labels.index(plan.positive)] if plan.positive in plan.labels else None,
        "x-ignored": _ignored(profile, plan, used),
    }
    if target is not None:
        document["x-target-missing"] = _missing(target)
        number = _number_format(target)
        if plan.task == "regression" and number:
            document["x-target-number"] = number
        if target.unit:
            document["x-target-unit"] = target.unit
    return document


def _property(column: Column) -> dict[str, Any]:
    kind = column.kind if column.kind in KINDS_OF_JSON else "text"
    json_type = "number" if column.date_format == "epoch_seconds" and kind == "date" else KINDS_OF_JSON[kind]
    facts: dict[str, Any] = {
        "type": [json_type, "null"] if _nullable(column) else json_type,
        "description": _description(column),
        "x-about": " ".join(column.description.split()),
        "examples": [_example(column)],
        "x-kind": kind,
        "x-missing": _missing(column),
        "x-missing-share": round(column.missing_share, 6),
    }
    number = _number_format(column)
    if kind == "number" and number:
        facts["x-number"] = number
    if kind == "boolean":
        facts["x-words"] = dict(column.words)
    if kind == "date":
        facts["x-date"] = column.date_format or "iso"
    if column.unit:
        facts["x-unit"] = column.unit
    facts["x-seen"] = _seen(column, kind)
    return facts


def _nullable(column: Column) -> bool:
    return column.missing_share > 0 or column.test_missing_share > 0


def _missing(column: Column) -> list[str]:
    return ["", *sorted(set(column.missing) - {""})]


def _number_format(column: Column) -> dict[str, Any]:
    plain = PLAIN.to_json()
    return {name: value for name, value in column.number_format.to_json().items() if value != plain[name]}


def _labels(labels: tuple[str, ...]) -> list[int | str]:
    """Return the labels as JSON carries them: whole numbers when every one is written as one, else texts."""
    if labels and all(re.fullmatch(r"0|-?[1-9]\d{0,14}", label) for label in labels):
        return [int(label) for label in labels]
    return list(labels)


def _ignored(profile: Profile, plan: Plan, used: set[str]) -> dict[str, str]:
    reasons = {drop.column: drop.why for drop in plan.dropped}
    reasons[plan.target] = "it is what the model predicts"
    names = [column.name for column in profile.columns if column.name not in used]
    return {name: reasons.get(name, "the model does not use it") for name in names}


def _description(column: Column) -> str:
    given = " ".join(column.description.split())
    unit = f" in {column.unit}" if column.unit else ""
    gaps = ", may be missing" if _nullable(column) else ""
    match column.kind:
        case "number":
            what = f"A {'whole ' if column.whole else ''}number{unit}{_range(column)}"
        case "boolean":
            what = "True or false"
        case "date":
            what = f"A date{_date_form(column)}{_range(column)}"
        case "category":
            shown = ", ".join(column.values[:5])
            more = f" and {column.distinct - 5} more" if column.distinct > 5 else ""  # noqa: PLR2004 - as shown
            what = f"One of {column.distinct} categories, such as {shown}{more}" if more else f"One of: {shown}"
        case _:
            longest = f" of up to {column.length_maximum:,} characters" if column.length_maximum else ""
            what = f"A text{longest}"
    return f"{given} ({what[0].lower()}{what[1:]}{gaps})" if given else what + gaps


def _range(column: Column) -> str:
    if column.minimum is None or column.maximum is None:
        return ""
    return f", {_shown(column.minimum)} to {_shown(column.maximum)} in the training data"


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if abs(value) < 1e4:  # noqa: PLR2004 - a comma would disturb a year
        return f"{value:.15g}"
    return f"{value:,.15g}" if abs(value) < 1e15 else f"{value:g}"  # noqa: PLR2004 - what a float holds


def _date_form(column: Column) -> str:
    if column.date_format == "epoch_seconds":
        return " as seconds since 1970"
    return "" if column.date_format in {"", "iso"} else f" written as {_date_example(column)}"


def _example(column: Column) -> Any:
    """Return a value that the contract accepts: the median, the commonest; never a person's own text."""
    match column.kind:
        case "number":
            return _plain_number(
                column.median if isinstance(column.median, int | float) else column.minimum, whole=column.whole
            )
        case "boolean":
            words = [value for value in column.values if value in column.words]
            return column.words[words[0]] if words else True
        case "date":
            return _date_example(column)
        case "category":
            missing = {*column.missing, ""}
            return next((value.strip() for value in column.values if value not in missing and value.strip()), "other")
    return TEXT_EXAMPLE


def _plain_number(value: float | str | None, *, whole: bool) -> float | int:
    if not isinstance(value, int | float):
        return 0
    if whole:
        return int(value)
    return float(f"{value:.6g}")


def _date_example(column: Column) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its only use

    moment = datetime(2020, 1, 31, tzinfo=UTC)
    for text in (column.median, column.minimum):
        if isinstance(text, str):
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                continue
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            break
        if isinstance(text, int | float):
            return int(text)
    if column.date_format == "epoch_seconds":
        return int(moment.timestamp())
    if column.date_format in {"", "iso"}:
        has_time = (moment.hour, moment.minute, moment.second) != (0, 0, 0)
        return moment.strftime("%Y-%m-%d %H:%M:%S" if has_time else "%Y-%m-%d")
    return moment.strftime(column.date_format)


def _seen(column: Column, kind: str) -> dict[str, Any]:
    if kind in {"number", "date"}:
        return {"minimum": column.minimum, "maximum": column.maximum, "whole": column.whole}
    if kind in {"category", "boolean"}:
        return {"values": list(column.values[:VALUES_MAX]), "distinct": column.distinct}
    return {"length_maximum": column.length_maximum or 0}
