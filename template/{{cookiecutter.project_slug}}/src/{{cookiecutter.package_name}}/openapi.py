"""What ``/docs`` and generated clients read: the contract of ``schema.json`` as OpenAPI 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import problems

if TYPE_CHECKING:
    from .schema import Column, Schema

CSV = "text/csv"


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
        properties: dict[str, Any] = {"prediction": {"type": "number"}}
    else:
        chance = {"type": "number", "minimum": 0, "maximum": 1}
        properties = {
            "prediction": {"enum": list(schema.labels)},
            "probabilities": {
                "type": "object",
                "properties": dict.fromkeys(schema.label_texts, chance),
                "required": list(schema.label_texts),
            },
        }
    note = {kind: {"type": "string"} for kind in ("kind", "column", "message")}
    properties["notes"] = {"type": "array", "items": {"type": "object", "properties": note, "required": list(note)}}
    return {"type": "object", "title": "Answer", "properties": properties, "required": list(properties)}


def predict(schema: Schema, *, rows_max: int) -> dict[str, Any]:
    """Return the documentation of ``POST /predict``."""
    body = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rows"],
        "properties": {"rows": {"type": "array", "minItems": 1, "maxItems": rows_max, "items": row_schema(schema)}},
    }
    answer = {
        "type": "object",
        "required": ["model", "predictions"],
        "properties": {
            "model": {"type": "string", "description": "Version of the model that answered"},
            "predictions": {"type": "array", "items": answer_schema(schema)},
        },
    }
    example = {"rows": [schema.example]}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {
            "200": {"description": "One answer a row, in order", "content": {"application/json": {"schema": answer}}},
            **refusals("400", "413", "415", "422"),
        },
    }


def predict_file() -> dict[str, Any]:
    """Return the documentation of ``POST /predict/file``."""
    upload = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    table = {"type": "string", "description": "A CSV table with a header line"}
    return {
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": upload}, CSV: {"schema": table}},
        },
        "responses": {
            "200": {"description": "The same table with the answers beside it", "content": {CSV: {"schema": table}}},
            **refusals("400", "413", "415", "422"),
        },
    }


def refusals(*statuses: str) -> dict[str, Any]:
    """Return the documentation of refusals, all in the same shape."""
    why = {
        "400": "The body cannot be read",
        "413": "The body is too large",
        "415": "The body is of another type",
        "422": "The input breaks the contract; `errors` names rows and columns",
    }
    content = {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}}
    return {status: {"description": why[status], "content": content} for status in statuses}


def _property(column: Column, facts: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in facts.items() if key in {"type", "description", "examples"}}
    if column.kind == "date" and column.date_format == "epoch_seconds":
        shown["type"] = ["string", "number", *(["null"] if column.nullable else [])]
    if column.is_text and not column.nullable:
        shown["pattern"] = r"\S"
        markers = sorted(marker for marker in column.missing if marker.strip())
        if markers:
            shown["not"] = {"enum": markers}
    return shown
