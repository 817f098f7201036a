"""What is usual, learned from rows that the model is to answer: ranges, an example, what explanations compare with.

The model came without any. What it answers does not change; what is noted with an answer, shown on the page and
explained does.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import reference
from .errors import EvaluationError
from .features import Encoder
from .model import MANIFEST, USUAL_FILE, read_manifest, verified
from .schema import Schema
from .tables import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from .schema import Column, Columns

ROWS_MAX = 200_000
NAMES_MAX = 5  # as told
IDENTITY = ("schema.json", "encoder.json", "model.onnx")  # a model is another one when one of them changed


def learn(model_dir: Path, data: Path) -> str:
    """Write what is usual in the rows of ``data`` into the model's folder and return it in words.

    Raises ``EvaluationError`` when there is nothing to learn from, ``InputError`` for a cell against the contract.
    """
    manifest = read_manifest(model_dir)
    document: dict[str, Any] = json.loads(verified(model_dir, "schema.json", manifest))
    schema = Schema(document)
    if schema.values:
        message = "what is usual is learned of numbers, words and texts; this model reads tensors"
        raise EvaluationError(message)
    columns, rows = _read(data, schema)
    if rows == 0:
        message = f"{data} has no rows"
        raise EvaluationError(message)
    for column in schema.columns:
        facts = document["properties"][column.name]
        facts |= _seen(column, columns[column.name], facts, where=f"in {data.name}")
    document["x-seen-in"] = f"in {data.name}"
    schema = Schema(document)
    encoder = Encoder(json.loads(verified(model_dir, "encoder.json", manifest)))
    files = {
        "schema.json": _json(document),
        USUAL_FILE: _json(reference.make(schema, encoder, columns, rows)),
        "example.json": _json({"rows": [schema.example]}),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "example.json"}
    manifest["files"] = dict(sorted({**manifest["files"], **hashes}.items()))
    identity = "".join(manifest["files"][name] for name in IDENTITY)
    manifest["version"] = hashlib.sha256(identity.encode()).hexdigest()[:12]
    metrics = json.loads((model_dir / "metrics.json").read_text(encoding="utf-8"))
    files["metrics.json"] = _json({**metrics, "model": manifest["version"]})
    _replace(model_dir, {**files, MANIFEST: _json(manifest)})
    return f"learned from {rows:,} rows of {data.name} what is usual, model {manifest['version']}"


def _read(data: Path, schema: Schema) -> tuple[Columns, int]:
    parsed: dict[str, list[NDArray[Any]]] = {column.name: [] for column in schema.columns}
    rows = 0
    for chunk in read_file(data):
        if not set(schema.by_name) & set(chunk.names):
            names = ", ".join(list(schema.by_name)[:NAMES_MAX])
            message = f"{data} has none of the columns that the model reads: {names}"
            raise EvaluationError(message)
        for name, values in schema.from_cells(chunk.columns(), first_row=chunk.first).items():
            parsed[name].append(values)
        rows += len(chunk)
        if rows >= ROWS_MAX:
            break
    return {name: np.concatenate(values) for name, values in parsed.items() if values}, rows


def _seen(column: Column, values: NDArray[Any], facts: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return what replaces the contract's facts of a column."""
    if column.kind == "text":
        longest = max(map(len, values))
        return {"x-about": "", "x-seen": {"length_maximum": longest}}
    if column.kind == "category":
        counts = Counter(values.tolist())
        usual = max(column.values, key=lambda value: counts[value], default=column.example)
        return {"x-about": "", "examples": [usual]}
    known_numbers = values[np.isfinite(values)]
    if len(known_numbers) == 0:
        return {}
    middle = float(np.quantile(known_numbers, 0.5, method="lower"))
    if column.kind == "boolean":
        return {"x-about": "", "examples": [bool(middle)]}
    low, high = float(known_numbers.min()), float(known_numbers.max())
    whole = bool(np.all(known_numbers == np.floor(known_numbers)))
    gaps = ", may be missing" if column.nullable else ""
    return {
        "x-about": "",
        "description": f"A {'whole ' if whole else ''}number, {low:.15g} to {high:.15g} {where}{gaps}",
        "examples": [int(middle) if whole else middle],
        "x-seen": {**facts.get("x-seen", {}), "minimum": low, "maximum": high, "whole": whole},
    }


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file beside its place, then move all in, the manifest last: a broken run never looks whole."""
    fresh = {name: folder / f".{name}.new" for name in files}
    try:
        for name, content in files.items():
            fresh[name].write_bytes(content)
        for name, path in fresh.items():
            path.replace(folder / name)
    finally:
        for path in fresh.values():
            path.unlink(missing_ok=True)


def _json(values: object) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
