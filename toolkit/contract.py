"""The contract of a model that was read: its columns as JSON Schema, its question, what a person may say of both."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from toolkit import graphs
from toolkit.errors import ArtifactError, UsageError
from toolkit.schema import DRAFT, TEXT_EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Task = Literal["binary", "multiclass", "regression"]

VALUES_MAX = 100
LABELS_BYTES_MAX = 1_000_000
LABELS_MAX = 100_000
SIDE_MAX = 100_000
LABEL_FILES = ("labels.txt", "class_names.txt", "classes.txt", "class_names.json", "labels.json", "class_indices.json")
ANSWERS = ("classes", "numbers")
NUMBERS = ("tensor", "number")  # answers without classes


def task_of(document: Mapping[str, Any]) -> Task:
    """Return the question that a reading answers; a tensor of numbers is a regression of several."""
    if document["answer"] in NUMBERS:
        return "regression"
    count = len(document["classes"])
    if count < graphs.BINARY:
        message = "the model knows one class alone, and so answers nothing"
        raise ArtifactError(message, hint="wrap a model that was fitted on two classes or more")
    return "binary" if count == graphs.BINARY else "multiclass"


def labels_of(document: Mapping[str, Any]) -> list[int | str]:
    """Return the classes as JSON carries them: whole numbers when all are, else texts."""
    classes = document["classes"] if document["answer"] not in NUMBERS else None
    if not classes:
        return []
    if all(isinstance(one, int | float) and not isinstance(one, bool) and float(one).is_integer() for one in classes):
        return [int(one) for one in classes]
    return [str(one) for one in classes]


def contract(document: Mapping[str, Any], *, target: str, title: str) -> dict[str, Any]:
    """Return the input contract of a model that was read, as JSON Schema."""
    columns = document["columns"]
    labels, task = labels_of(document), task_of(document)
    first = document["rows"][0]
    return {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": {column["name"]: _property(column, first[column["name"]]) for column in columns},
        "required": [column["name"] for column in columns if not column["nullable"]],
        "x-task": task,
        "x-target": target,
        "x-labels": labels,
        "x-positive": labels[-1] if task == "binary" else None,
        "x-ignored": dict.fromkeys(document.get("unused", ()), "the model takes it and does not use it"),
        **_answer(document),
    }


def _answer(document: Mapping[str, Any]) -> dict[str, Any]:
    if document["answer"] == "tensor":
        return {"x-answer": {"sides": document["answer_shape"]}}
    if document["answer"] == "scores":
        why = "the model gives raw scores: the probabilities are their softmax, and the scores stand in the answer too"
        return {"x-answer": {"scores": True, "why": why}}
    return {}


def is_of_tensors(document: Mapping[str, Any]) -> bool:
    """Return whether a column of the reading becomes a tensor: a picture, say, or the tokens of a text."""
    return any("shape" in column or "tokens" in column for column in document["columns"])


def families_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the families of the template that a project of the reading is made of."""
    if any("tokens" in column for column in document["columns"]):
        return "wrapped", "tokens"
    return ("wrapped", "tensors") if is_of_tensors(document) else ("wrapped",)


def _property(column: Mapping[str, Any], drawn: object) -> dict[str, Any]:
    if "shape" in column:
        return _tensor(column, drawn)
    kind, nullable = column["kind"], column["nullable"]
    json_type = {"number": "number", "boolean": "boolean"}.get(kind, "string")
    facts: dict[str, Any] = {
        "type": [json_type, "null"] if nullable else json_type,
        "x-kind": kind,
        "x-missing": [""],
    }
    gaps = ", may be missing" if nullable else ""
    if kind == "category":
        values = column["categories"]
        shown = ", ".join(values[:5])
        more = f" and {len(values) - 5} more" if len(values) > 5 else ""  # noqa: PLR2004 - as shown
        facts["description"] = f"One of: {shown}{more}{gaps}"
        facts["examples"] = [values[0]]
        facts["x-seen"] = {"values": values[:VALUES_MAX], "distinct": len(values)}
    elif kind == "boolean":
        facts["description"] = f"True or false{gaps}"
        facts["examples"] = [True]
        facts["x-words"] = {"True": True, "False": False}
    elif kind == "text":
        facts |= {"description": f"A text{gaps}", "x-verbatim": True}
        facts["examples"] = [TEXT_EXAMPLE]
        if "tokens" in column:
            facts["description"] += f", read up to {column['tokens']:,} tokens"
            facts["x-values"] = column["cost"]
    else:
        low, high = column["low"], column["high"]
        around = f"; the model was met with numbers around {low:.4g} to {high:.4g}" if low is not None else ""
        facts["description"] = f"A number{gaps}{around}"
        value = (low + high) / 2 if low is not None else drawn if isinstance(drawn, int | float) else 0.0
        facts["examples"] = [float(f"{value:.4g}")]
        if column.get("whole"):  # the number of an entry, as an embedding reads it
            facts["description"] = f"A whole number from {low:.0f} to {high:.0f}{gaps}"
            facts["examples"] = [float(round(value))]
            facts["x-seen"] = {"whole": True}
    return facts


def _tensor(column: Mapping[str, Any], drawn: object) -> dict[str, Any]:
    """Return the contract of a tensor, or of a picture, which may also be given as the text of its file."""
    shape, picture = column["shape"], column["picture"]
    inner: dict[str, Any] = {"type": ["boolean", "number"] if column["type"] == "bool" else "number"}
    for side in reversed(shape):
        inner = {"type": "array", "minItems": side, "maxItems": side, "items": inner}
    sides = " x ".join(map(str, shape))
    facts = {"x-kind": column["kind"], "x-shape": shape, "x-type": column["type"], "examples": [drawn]}
    if not picture:
        return {**inner, "description": f"A tensor of {sides} numbers ({column['type']}), as lists in lists", **facts}
    return {
        **inner,
        "type": ["string", "array"],
        "pattern": "^data:image/",
        "description": f"{picture_in_words(picture)}; or {sides} numbers in lists, as the model reads them",
        **facts,
        "x-picture": picture,
    }


def picture_in_words(picture: Mapping[str, Any]) -> str:
    """Return what is made of a picture before the model reads it."""
    kinds = {"L": "in shades of grey", "RGB": "in colour", "BGR": "in colour, blue first", "RGBA": "with transparency"}
    mean, std = picture["mean"], picture["std"]
    low = [0.0 - each / by for each, by in zip(mean, std, strict=True)]
    high = [(255 * picture["scale"] - each) / by for each, by in zip(mean, std, strict=True)]
    size = f"{picture['width']} x {picture['height']} pixels of {min(low):.4g} to {max(high):.4g}"
    return f"A picture as a data URL, {kinds[picture['order']]}, brought to {size}"


def width_of(steps: Sequence[Mapping[str, Any]]) -> int:
    """Return how many features an encoder makes."""
    width = 0
    for step in steps:
        if step["step"] == "numbers":
            width += len(step["columns"])
        elif step["step"] == "lookup":
            width += 1
        elif step["step"] in {"tensor", "tokens"}:
            width += step["size"]
        else:
            width += len(step["project"][0]) if "project" in step else len(step["terms"])
    return width


def network_wishes(
    *, shapes: Sequence[str] = (), pixels: Sequence[str] = (), labels: str = "", answer: str = ""
) -> dict[str, Any]:
    """Return what the flags of `new` say of a network; ``UsageError`` names one that says nothing.

    ``shapes`` are ``[INPUT=]SIDE,SIDE``, ``pixels`` ``[INPUT=]RANGE[,bgr]``, ``labels`` a file or names with commas.
    """
    if answer and answer not in ANSWERS:
        message = f"`--answer {answer}`: expected {' or '.join(ANSWERS)}"
        raise UsageError(message, hint="leave it out to let the model's output decide")
    return {
        "shapes": {name: _sides(sides) for name, sides in map(_named, shapes)},
        "pixels": dict(map(_named, pixels)),
        "labels": _labels_told(labels),
        "answer": answer,
    }


def _named(text: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    return (name, value) if sign else ("", text)


def _sides(text: str) -> list[int]:
    parts = re.split(r"[,x]", text)
    if not all(part.strip().isascii() and part.strip().isdigit() and 0 < int(part) <= SIDE_MAX for part in parts):
        message = f"`--shape {text}`: expected the sides of a row's value, such as 224,224,3"
        raise UsageError(message, hint="without the number of rows: `--shape INPUT=224,224,3`")
    return [int(part) for part in parts]


def _labels_told(text: str) -> list[str]:
    from pathlib import Path  # noqa: PLC0415 - for one flag

    if not text:
        return []
    path = Path(text)
    if "," not in text or path.is_file():
        found = read_labels(path) if path.is_file() else []
        if not found:
            message = f"`--labels {text}`: no file of class names, one a line or a JSON list, and no list with commas"
            raise UsageError(message, hint="`--labels labels.txt` or `--labels cat,dog,horse`")
        return found
    return [label.strip() for label in text.split(",")]


def labels_beside(path: Path) -> list[str]:
    """Return the class names that a file beside a model names, none when there is no such file."""
    folder = path if path.is_dir() else path.parent
    found = (read_labels(folder / name) for name in LABEL_FILES if (folder / name).is_file())
    return next(filter(None, found), [])


def read_labels(path: Path) -> list[str]:
    """Return the class names in a file: one a line, or JSON (a list, names by number, or numbers by name)."""
    try:
        if path.is_symlink() or path.stat().st_size > LABELS_BYTES_MAX:
            return []
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()][:LABELS_MAX]
        told = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return []
    if isinstance(told, dict):
        numbered = {str(name): place for name, place in told.items() if isinstance(place, int)}
        names = sorted(numbered, key=lambda name: numbered[name])
        by_number = {int(key): value for key, value in told.items() if key.isascii() and key.isdigit()}
        told = names if len(names) == len(told) else [by_number[key] for key in sorted(by_number)]
    fine = isinstance(told, list) and all(isinstance(label, str | int) for label in told)
    return [str(label) for label in told][:LABELS_MAX] if fine else []
