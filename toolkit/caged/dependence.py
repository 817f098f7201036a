"""Which input columns an answer depends on, followed through the operators column by column."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Sequence, Union

import numpy as np

Sets = Union[FrozenSet[int], List[FrozenSet[int]]]  # of a whole tensor, or of each of its columns

_SAME = {"Cast", "Identity", "Neg", "Abs", "Log", "Exp", "Sqrt", "Sigmoid", "Tanh", "Relu", "IsNaN"}
_TOGETHER = {
    "Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Pow", "Equal", "Greater", "GreaterOrEqual", "And", "Or", "Where",
}  # fmt: skip


def used_columns(
    nodes: Sequence[Mapping[str, Any]], constants: Mapping[str, Any], output: str, inputs: int
) -> FrozenSet[int]:
    """Return the places of the input columns that ``output`` depends on; of other operators, all they read."""
    known: Dict[str, Sets] = {"features": [frozenset([place]) for place in range(inputs)]}
    for node in nodes:
        found = _of(node, known, constants)
        for name in node["outputs"]:
            known[name] = found
    return _all(known.get(output, frozenset()))


def _all(sets: Sets) -> FrozenSet[int]:
    return sets if isinstance(sets, frozenset) else _joined(sets)


def _joined(sets: Iterable[FrozenSet[int]]) -> FrozenSet[int]:
    found: FrozenSet[int] = frozenset()
    return found.union(*sets)


def _of(node: Mapping[str, Any], known: Mapping[str, Sets], constants: Mapping[str, Any]) -> Sets:
    op, names = node["op"], node["inputs"]
    given = [known.get(name, frozenset()) for name in names]
    first = given[0]
    if op in _SAME:
        return first
    if op == "Gather" and node["attributes"].get("axis") == 1 and isinstance(first, list) and names[1] in constants:
        places: List[int] = np.ravel(constants[names[1]]).tolist()
        return [first[place] for place in places]
    if op == "Concat" and all(isinstance(one, list) for one in given):
        return [column for one in given if isinstance(one, list) for column in one]
    if op in _TOGETHER:
        return _together(given, names, constants)
    if op in {"MatMul", "Gemm"} and isinstance(first, list) and names[1] in constants:
        weights = np.asarray(constants[names[1]])
        return [
            _joined(first[int(place)] for place in np.flatnonzero(weights[:, column]))
            for column in range(weights.shape[1])
        ]
    if op == "TreeEnsemble" and isinstance(first, list):
        asked = _joined(first[int(place)] for place in set(node["attributes"]["nodes_featureids"]))
        return [asked] * int(node["attributes"]["n_targets"])
    if op.startswith("Reduce") and node["attributes"].get("keepdims"):
        return [_all(first)]
    return _joined(_all(one) for one in given)


def _together(given: Sequence[Sets], names: Sequence[str], constants: Mapping[str, Any]) -> Sets:
    """Return the columns of tensors worked out side by side; one column, or a constant row, goes with all."""
    widths = [len(one) for one in given if isinstance(one, list)]
    sizes = [int(np.shape(constants[name])[-1]) for name in names if name in constants and np.ndim(constants[name])]
    moving = [one for one, name in zip(given, names) if name not in constants]
    if any(not isinstance(one, list) for one in moving):
        return _joined(_all(one) for one in given)
    width = 0 if 0 in [*widths, *sizes] else max([*widths, *sizes, 1])
    columns: List[FrozenSet[int]] = []
    for place in range(width):
        parts = [one[place if len(one) > 1 else 0] for one in moving if isinstance(one, list)]
        columns.append(_joined(parts))
    return columns
