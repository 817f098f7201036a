"""The training table as the model sees it: canonical columns, the target, each row's group or moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import TrainingError
from .split import moments
from .tables import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .schema import Columns, Schema


@dataclass(frozen=True)
class Examples:
    """Rows with a known target: canonical columns, the target (class codes or numbers), each row's group or moment."""

    columns: Columns
    target: NDArray[np.float64]
    key: NDArray[np.float64]
    left_out: int = 0

    def at(self, index: NDArray[np.intp]) -> Columns:
        """Return the canonical columns of some rows."""
        return {name: values[index] for name, values in self.columns.items()}


def read_examples(path: Path, plan: Mapping[str, Any], schema: Schema) -> Examples:
    """Return the rows of ``path`` whose target is known; ``TrainingError`` when the file or its target is missing."""
    if not path.exists():
        message = f"{path} is missing: the data is not in git; DATA_CARD.md says where it comes from"
        raise TrainingError(message)
    gathered: dict[str, list[str]] = {}
    parsed: dict[str, list[NDArray[Any]]] = {}
    for chunk in read_file(path):
        cells = chunk.columns()
        for name in (plan["target"], plan.get("split_column")):
            if name and name in cells:
                gathered.setdefault(name, []).extend(cells[name])
        for name, values in schema.from_cells(cells, first_row=chunk.first).items():
            parsed.setdefault(name, []).append(values)
    if plan["target"] not in gathered:
        message = f"{path} has no column {plan['target']!r}, the target of the plan"
        raise TrainingError(message)
    target = _target(gathered[plan["target"]], plan, schema)
    known = np.flatnonzero(np.isfinite(target))
    columns = {name: np.concatenate(values)[known] for name, values in parsed.items()}
    keys = gathered.get(plan.get("split_column", ""), [])
    key = _split_key(plan, schema, columns, [keys[row] for row in known] if keys else [""] * len(known))
    return Examples(columns, target[known], key, left_out=len(target) - len(known))


def _split_key(plan: Mapping[str, Any], schema: Schema, columns: Columns, cells: Sequence[str]) -> NDArray[np.float64]:
    """Return each row's group code or moment; zeros when the split needs neither."""
    name = plan.get("split_column", "")
    if plan["split"] == "time":
        known = name in schema.by_name and not schema.by_name[name].is_text
        return np.nan_to_num(columns[name], nan=-math.inf) if known else moments(cells)
    codes = {cell: float(code) for code, cell in enumerate(sorted(set(cells)))}
    return np.array([codes[cell] for cell in cells], dtype=np.float64)


def _target(cells: Sequence[str], plan: Mapping[str, Any], schema: Schema) -> NDArray[np.float64]:
    """Return class codes (or numbers), NaN where the target is missing."""
    if plan["task"] == "regression":
        column = schema.target_column()
        return np.array([column.from_cell(cell) for cell in cells], dtype=np.float64)
    codes = {label.strip(): float(code) for code, label in enumerate(plan["labels"])}
    missing = set(schema.missing_targets) | {""}
    unknown = sorted({cell.strip() for cell in cells} - set(codes) - missing)
    if unknown:
        message = f"the target holds {unknown[0]!r}, which is none of the plan's labels {list(codes)}"
        raise TrainingError(message)
    return np.array([codes.get(cell.strip(), math.nan) for cell in cells])


def positive_code(plan: Mapping[str, Any]) -> int:
    """Return the code of the label that binary metrics count; the last one when the plan names none."""
    labels = list(plan["labels"])
    return labels.index(plan["positive"]) if plan.get("positive") in labels else max(len(labels) - 1, 0)
