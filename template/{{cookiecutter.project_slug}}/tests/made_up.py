"""A made-up table with every kind of column and every awkward name, for tests that need to train."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 240
TARGET = "what is asked"
LABELS = {"binary": ["no", "yes"], "multiclass": ["0", "1", "2"], "regression": []}
KINDS = {
    "Fare (£)": "number",
    "class": "number",
    "model_x": "boolean",
    "_id": "category",
    '"日本" \\ 1': "category",
    "{" * 2 + "7 * 7" + "}" * 2: "text",
    "": "date",
}
TREATMENTS = {"number": "number", "boolean": "boolean", "text": "text", "date": "date"}


def columns(seed: int = 1) -> dict[str, list[str]]:
    """Return raw cells by column; ``Fare (£)``, ``_id`` and the date have gaps."""
    generator = np.random.default_rng(seed)
    start = np.datetime64("2020-01-31")
    words = np.array(["red", "green", "blue", "large", "small", "old"])
    names = list(KINDS)
    found = {
        names[0]: [f"{value:.3f}" for value in generator.normal(30, 10, ROWS)],
        names[1]: [str(value) for value in generator.integers(1, 4, ROWS)],
        names[2]: [str(value) for value in generator.choice(["True", "False"], ROWS)],
        names[3]: [str(value) for value in generator.choice(["a", "b", "<b>c</b>"], ROWS)],
        names[4]: [f"town {value}" for value in generator.integers(0, 60, ROWS)],
        names[5]: [" ".join(generator.choice(words, 4)) for _ in range(ROWS)],
        names[6]: [str(start + np.timedelta64(int(value), "D")) for value in generator.integers(0, 900, ROWS)],
    }
    for name in (names[0], names[3], names[6]):
        for row in generator.choice(ROWS, 20, replace=False):
            found[name][row] = ""
    return found


def target(task: str, cells: dict[str, list[str]]) -> list[str]:
    """Return a target that the columns explain in part."""
    generator = np.random.default_rng(2)
    names = list(KINDS)
    fare = np.array([float(cell or 30) for cell in cells[names[0]]])
    score = fare / 10 + np.array([float(cell) for cell in cells[names[1]]]) + generator.normal(0, 0.5, ROWS)
    score += np.array(["red" in cell for cell in cells[names[5]]]) * 2.0
    if task == "regression":
        return [f"{value:.4f}" for value in np.exp(score / 3)]
    ranks = np.searchsorted(np.quantile(score, [0.5] if task == "binary" else [0.33, 0.66]), score)
    return [LABELS[task][rank] for rank in ranks]


def schema(task: str) -> dict[str, Any]:
    """Return the contract of the made-up table."""
    cells = columns()
    properties: dict[str, Any] = {}
    for name, kind in KINDS.items():
        nullable = "" in cells[name]
        base = {"category": "string", "text": "string", "date": "string"}.get(kind, kind)
        values: list[Any] = [cell for cell in cells[name] if cell]
        if kind == "number":
            numbers = [float(value) for value in values]
            seen: dict[str, Any] = {"minimum": min(numbers), "maximum": max(numbers), "whole": name == "class"}
            example: Any = float(np.median(numbers))
        else:
            seen = {"values": sorted(set(values))[:100]} if kind == "category" else {}
            example = values[0] == "True" if kind == "boolean" else values[0]
        properties[name] = {
            "type": [base, "null"] if nullable else base,
            "description": f"a made-up {kind}",
            "examples": [example],
            "x-kind": kind,
            "x-missing": ["", "?"],
            "x-seen": seen,
        }
    words = next(name for name, kind in KINDS.items() if kind == "boolean")
    properties[words]["x-words"] = {"True": True, "False": False}
    labels: list[Any] = [int(label) if label.isdigit() else label for label in LABELS[task]]
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in KINDS if "" not in cells[name]],
        "x-task": task,
        "x-target": TARGET,
        "x-labels": labels,
        "x-positive": labels[-1] if task == "binary" else None,
        "x-ignored": {TARGET: "the target"},
    }


def plan(task: str, *estimators: str) -> dict[str, Any]:
    """Return a small plan: a baseline, a linear model and a few trees, or only ``estimators``."""
    linear: dict[str, Any] = {"max_iter": 500} if task != "regression" else {}
    parameters = {"linear": linear, "gradient_boosting": {"max_iter": 15, "min_samples_leaf": 5}}
    candidates = [
        {"name": kind, "estimator": kind, "parameters": parameters.get(kind, {}), "why": "made up"}
        for kind in estimators or ("dummy", "linear", "gradient_boosting")
    ]
    treatments = [{"column": name, "treatment": _treatment(name), "why": "made up"} for name in KINDS]
    return {
        "source": "made up",
        "title": "A made-up table",
        "task": task,
        "target": TARGET,
        "metric": {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}[task],
        "metric_why": "made up",
        "split": "random" if task == "regression" else "stratified",
        "split_why": "made up",
        "split_column": "",
        "data": {"path": "data/train.csv", "rows": ROWS, "sha256": ""},
        "test_share": 0.25,
        "folds": 3,
        "seed": 7,
        "seconds": 60.0,
        "labels": LABELS[task],
        "positive": LABELS[task][-1] if task == "binary" else "",
        "treatments": treatments,
        "candidates": candidates,
        "decisions": [],
    }


def project(folder: Path, task: str, *estimators: str) -> Path:
    """Write an untrained project of the made-up table into ``folder`` and return it."""
    cells = columns()
    cells[TARGET] = target(task, cells)
    for name in ("model", "data"):
        (folder / name).mkdir()
    with (folder / "data" / "train.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([list(cells), *zip(*cells.values(), strict=True)])
    contract = schema(task)
    _rename_empty(contract)
    wanted = plan(task, *estimators)
    for treatment in wanted["treatments"]:
        treatment["column"] = treatment["column"] or empty_name()
    (folder / "model" / "schema.json").write_text(json.dumps(contract), encoding="utf-8")
    (folder / "model" / "plan.json").write_text(json.dumps(wanted), encoding="utf-8")
    return folder


def empty_name() -> str:
    """Return what the reader calls the column without a name."""
    return f"Unnamed: {list(KINDS).index('')}"


def _treatment(name: str) -> str:
    if KINDS[name] == "category":
        return "target_mean" if len(set(columns()[name])) > 30 else "onehot"
    return TREATMENTS[KINDS[name]]


def _rename_empty(contract: dict[str, Any]) -> None:
    """Give the nameless column the name that reading gives it, in place and in order."""
    contract["properties"] = {name or empty_name(): facts for name, facts in contract["properties"].items()}
    contract["required"] = [name or empty_name() for name in contract["required"]]
