"""What ``/docs`` and generated clients read: the contract of ``schema.json`` as OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .limits import Guard
    from .model import Model
    from .schema import Column, Schema

CSV = "text/csv"
SHOWN = {"type", "description", "examples", "items", "minItems", "maxItems", "pattern"}
NOTE_KINDS = {
    "missing": "no value: a gap was filled as in training",
    "out_of_range": "a number or date outside what training saw",
    "fraction": "a fraction where training saw whole numbers",
    "unseen_category": "a category that training never met",
    "unfamiliar": "all values together are unlike the training data; `column` is null",
}
WHY = {
    "400": "The body cannot be read",
    "401": "The API key is missing or unknown",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "The body is of another type",
    "422": "The input breaks the contract; `errors` names rows and columns",
    "429": "Too many requests a minute; `Retry-After` says when to come back",
    "500": "A fault of ours",
    "503": "Too many requests at once, or too slow; `Retry-After` says when to come back",
}


def refusals(*statuses: str) -> dict[str, Any]:
    """Return the documentation of refusals, all in the same shape."""
    content = {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}}
    return {status: {"description": WHY[status], "content": content} for status in statuses}


EVERYWHERE: dict[int | str, dict[str, Any]] = {int(status): facts for status, facts in refusals("500", "503").items()}


def row_schema(schema: Schema) -> dict[str, Any]:
    """Return one row's JSON Schema, with the columns of the data that are accepted and not used."""
    facts = schema.document["properties"]
    properties = {column.name: _property(column, facts[column.name]) for column in schema.columns}
    unused = {name: {"description": f"Accepted and not used: {why}"} for name, why in schema.ignored.items()}
    return {
        "type": "object",
        "title": "Row",
        "additionalProperties": False,
        "required": [column.name for column in schema.columns if not column.nullable],
        "properties": {**unused, **properties},
        "examples": [schema.example],
    }


def answer_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of one answer."""
    if schema.task == "regression":
        properties: dict[str, Any] = {"prediction": _nested(schema.sides)}
    else:
        chance = {"type": "number", "minimum": 0, "maximum": 1}
        properties = {
            "prediction": {"enum": list(schema.labels), "description": "The label with the largest probability"},
            "probabilities": {
                "type": "object",
                "description": "Sum to 1",
                "properties": dict.fromkeys(schema.label_texts, chance),
                "required": list(schema.label_texts),
            },
        }
        if schema.has_scores:
            properties["scores"] = {
                "type": "object",
                "description": "As the model itself gives them; `probabilities` are their softmax",
                "properties": {label: {"type": "number"} for label in schema.label_texts},
                "required": list(schema.label_texts),
            }
    note = {
        "kind": {
            "enum": list(NOTE_KINDS),
            "description": "; ".join(f"{kind}: {why}" for kind, why in NOTE_KINDS.items()),
        },
        "column": {"type": ["string", "null"]},
        "message": {"type": "string"},
    }
    properties["notes"] = {"type": "array", "items": {"type": "object", "properties": note, "required": list(note)}}
    return {"type": "object", "title": "Answer", "properties": properties, "required": list(properties)}


def _nested(sides: Sequence[int]) -> dict[str, Any]:
    """Return the JSON Schema of lists in lists of numbers, with so many values each."""
    found: dict[str, Any] = {"type": "number"}
    for side in reversed(sides):
        found = {"type": "array", "minItems": side, "maxItems": side, "items": found}
    return found


def explained_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of one answer with its explanation."""
    names = [column.name for column in schema.columns]
    properties = {
        "explained": {
            "type": "null" if schema.task == "regression" else "string",
            "description": "The label whose probability is shared out; null when it is the number itself",
        },
        "reference": {"type": "number", "description": "The answer to the reference row (`GET /model`)"},
        "contributions": {
            "type": "object",
            "description": "Each column's share, the largest first; `reference` and all shares sum to the answer",
            "properties": {name: {"type": "number"} for name in names},
            "required": names,
        },
        "exact": {"type": "boolean", "description": "Whether every set of columns was asked, or a sample of them"},
    }
    explanation: dict[str, Any] = {"type": "object", "properties": properties, "required": list(properties)}
    if not schema.is_explained:
        why = "Always null here: what is answered, or asked about, is more than single numbers"
        explanation = {"type": "null", "description": why}
    answer = answer_schema(schema)
    return {
        **answer,
        "properties": {**answer["properties"], "explanation": explanation},
        "required": [*answer["required"], "explanation"],
    }


def predict(model: Model, *, rows_max: int, guard: Guard) -> dict[str, Any]:
    """Return the documentation of ``POST /predict``."""
    return _rows(model, answer_schema(model.schema), rows_max=rows_max, guard=guard)


def explain(model: Model, *, rows_max: int, guard: Guard) -> dict[str, Any]:
    """Return the documentation of ``POST /explain``."""
    return _rows(model, explained_schema(model.schema), rows_max=rows_max, guard=guard)


def predict_file(schema: Schema, *, guard: Guard) -> dict[str, Any]:
    """Return the documentation of ``POST /predict/file``."""
    upload = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    table = {"type": "string", "description": "A CSV table with a header line"}
    needed = [column.name for column in schema.columns if not column.nullable]
    told = f"Columns in any order; needed: {', '.join(needed)}" if needed else "Columns in any order"
    return {
        "description": told,
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": upload}, CSV: {"schema": table}},
        },
        "responses": {
            "200": {"description": "The same table with the answers beside it", "content": {CSV: {"schema": table}}},
            **refusals("400", "408", "413", "415", "422", *_guarded(guard)),
        },
    }


def metrics() -> dict[str, Any]:
    """Return the documentation of ``GET /metrics``."""
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {"responses": {"200": {"description": "The format of Prometheus", "content": content}}}


def _rows(model: Model, answer: dict[str, Any], *, rows_max: int, guard: Guard) -> dict[str, Any]:
    schema = model.schema
    rows = {"type": "array", "minItems": 1, "maxItems": rows_max, "items": row_schema(schema)}
    body = {"type": "object", "additionalProperties": False, "required": ["rows"], "properties": {"rows": rows}}
    properties: dict[str, Any] = {"model": {"type": "string", "description": "Version of the model that answered"}}
    if schema.task == "binary":
        told = f"{schema.labels[-1]!r} is predicted when its probability is above this"
        properties["threshold"] = {"type": "number", "description": told}
    properties["predictions"] = {"type": "array", "items": answer}
    whole = {"type": "object", "required": list(properties), "properties": properties}
    example = {"rows": [schema.example]}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {
            "200": {"description": "One answer a row, in order", "content": {"application/json": {"schema": whole}}},
            **refusals("400", "408", "413", "415", "422", *_guarded(guard)),
        },
    }


def _guarded(guard: Guard) -> list[str]:
    return ["401"] * (guard.keys is not None) + ["429"] * (guard.rate is not None)


def _property(column: Column, facts: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in facts.items() if key in SHOWN}
    if column.kind == "date" and column.date_format == "epoch_seconds":
        shown["type"] = ["string", "number", *(["null"] if column.nullable else [])]
    if column.kind == "date" and column.date_format == "iso":
        gaps = [{"enum": sorted(column.missing)}] if column.nullable else []
        shown["anyOf"] = [{"format": "date"}, {"format": "date-time"}, {"type": "null"}, *gaps]
    if column.is_dressed or column.kind == "boolean":
        kinds = [shown["type"]] if isinstance(shown["type"], str) else shown["type"]
        told = f"{shown.get('description', '')}; or the text that the data has for it".removeprefix("; or ")
        shown |= {"type": [*kinds, "string"], "pattern": _as_text(column), "description": told}
    if column.is_text and not column.nullable:
        shown["pattern"] = r"\S"
        markers = sorted(marker for marker in column.missing if marker.strip())
        if markers:
            shown["not"] = {"enum": markers}
    return shown


def _as_text(column: Column) -> str:
    """Return the pattern of the texts that are accepted for a number or a boolean: as the data writes them."""
    gaps = sorted(column.missing) if column.nullable else []
    if column.kind == "boolean":
        return f"^({'|'.join(map(re.escape, [*column.words, *gaps]))})$"
    decimal = rf"({re.escape(column.decimal)}[0-9]+)?"
    number = rf"-?{re.escape(column.prefix)}[0-9]+{decimal}{re.escape(column.suffix)}"
    return f"^({'|'.join([number, *map(re.escape, gaps)])})$"
