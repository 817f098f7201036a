"""Trees asked of many rows at once: the same answers as ONNX Runtime's, in a quarter of the time.

The leaves of a tree are the bits of a number, the leftmost the lowest. Each comparison of which the answer is no rules
out the leaves on its left; when all have, the lowest bit that remains is the row's leaf (QuickScorer: Lucchese and
others 2015, doi:10.1145/2766462.2767733). What a feature rules out depends only on the thresholds it lies between, so
it is looked up, for all trees at once. Features with few thresholds share a table, made for all their combinations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .graph import Node

LEAVES_MAX = 31  # bits of a signed number without its sign
EVERY_LEAF = (1 << LEAVES_MAX) - 1
COMBINATIONS_MAX = 256  # places of features that share a table; larger tables would not stay near the core
TABLES_PER_TREE_MAX = 0.18  # with more, node by node is as quick
TABLES_CELLS_MAX = 2_000_000  # lines times trees: 8 MB
BLOCK_CELLS = 60_000  # rows times trees held at once: they stay near the core
SUM = 1  # of ONNX's ways to put trees together
EXPONENT_BITS, EXPONENT_ZERO = 23, 127  # where a float32 keeps its power of two


def _softmax(scores: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    grown = np.exp(scores - scores.max(axis=axis, keepdims=True))
    shares: NDArray[np.float64] = grown / grown.sum(axis=axis, keepdims=True)
    return shares


STEPS: dict[str, Callable[..., Any]] = {  # what may come behind the trees: from scores to answers
    "Concat": lambda *parts, axis: np.concatenate(parts, axis=axis),
    "Exp": np.exp,
    "Identity": lambda values: values,
    "MatMul": np.matmul,
    "Sigmoid": lambda scores: 1.0 / (1.0 + np.exp(-scores)),
    "Softmax": _softmax,
    "Sub": np.subtract,
}


class Split(NamedTuple):
    """A comparison ``feature <= threshold``: what of its tree a yes or a no rules out, as bits."""

    feature: int
    threshold: float
    gap_says_yes: bool
    tree: int
    left: int


class Table(NamedTuple):
    """Some features with their thresholds; for each combination of places among these, the leaves left, by tree."""

    features: list[tuple[int, NDArray[np.float64]]]
    leaves: NDArray[np.int32]


class Trees:
    """The trees of a graph, and the steps behind them; ``ValueError`` for those that are better left to others."""

    def __init__(self, ensemble: Node, behind: list[Node], constants: dict[str, NDArray[Any]], answer: str) -> None:
        self._behind, self._constants = behind, constants
        self._score, self._answer = ensemble.outputs[0], answer
        told = ensemble.attributes
        self._targets = int(told["n_targets"])
        splits, leaves, targets = _walk(told)
        order = np.argsort(targets, kind="stable")  # the trees of a target side by side
        first = np.cumsum([0, *map(len, leaves)])[:-1]
        self._first = (first[order] - EXPONENT_ZERO).astype(np.intp)
        self._values = told["leaf_weights"][np.concatenate(leaves)].astype(np.float64)
        self._tables = _shared(_tables(splits, np.argsort(order)))
        if len(self._tables) > TABLES_PER_TREE_MAX * len(order) + 1:
            raise ValueError(len(self._tables))
        self._block = max(1, BLOCK_CELLS // len(order))

    @classmethod
    def of(cls, content: bytes) -> Trees | None:
        """Return the trees of an ONNX file, or None where ONNX Runtime is as quick or it holds something else."""
        try:
            found = graph.read(content)
            ensemble, *behind = found.nodes
            told = ensemble.attributes
            if ensemble.kind != "TreeEnsemble" or not {node.kind for node in behind} <= STEPS.keys():
                return None
            if told["aggregate_function"] != SUM or told["post_transform"] != 0 or told["nodes_modes"].any():
                return None
            return cls(ensemble, behind, found.constants, found.answer)
        except (KeyError, ValueError, RecursionError):
            return None

    def score(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the graph's answer for each row of ``matrix``."""
        return self.score_places([_places(table, matrix) for table in self._tables])

    def score_places(self, places: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
        """Return the graph's answer for rows that are given by the line that each needs of every table."""
        scores = np.empty((len(places[0]), self._targets))
        desk = Desk(min(self._block, len(scores)), len(self._first))
        for start in range(0, len(scores), self._block):
            rows = slice(start, start + self._block)
            self._add_up([place[rows] for place in places], scores[rows], desk)
        values = {**self._constants, self._score: scores}
        with np.errstate(over="ignore"):  # a probability of 0 is one
            for node in self._behind:
                inputs = [values[name] for name in node.inputs]
                values[node.outputs[0]] = STEPS[node.kind](*inputs, **node.attributes)
        return values[self._answer]

    def places_by(self, matrix: NDArray[np.float64], owners: NDArray[np.intp], count: int) -> NDArray[np.float64]:
        """Return what each of ``count`` owners of features adds to the places of a row, shape (rows, count, tables).

        The sum over all owners is what ``score_places`` takes: whole numbers, in float64 so that they multiply fast.
        """
        found = np.zeros((len(matrix), count, len(self._tables)))
        for number, table in enumerate(self._tables):
            worth = len(table.leaves)
            for feature, thresholds in table.features:
                worth //= len(thresholds) + 2
                found[:, owners[feature], number] += worth * _place(thresholds, matrix[:, feature])
        return found

    def _add_up(self, places: list[NDArray[np.intp]], scores: NDArray[np.float64], desk: Desk) -> None:
        """Write the sums of the leaves that some rows fall in, shape (rows, targets)."""
        left, found, power, leaf, values = desk.of(len(scores))
        np.take(self._tables[0].leaves, places[0], axis=0, out=left, mode="clip")
        for table, place in zip(self._tables[1:], places[1:], strict=True):
            np.take(table.leaves, place, axis=0, out=found, mode="clip")
            left &= found
        np.negative(left, out=found)
        left &= found  # only the lowest bit is left: a power of two, which a float holds as such
        np.copyto(power, left, casting="same_kind")
        np.right_shift(power.view(np.int32), EXPONENT_BITS, out=found)
        np.add(found, self._first, out=leaf)
        np.take(self._values, leaf, out=values, mode="clip")
        values.reshape(len(scores), self._targets, -1).sum(axis=2, out=scores)


class Desk:
    """Room to add up in, used again for each block of rows: memory that is new takes as long as the work."""

    def __init__(self, rows: int, trees: int) -> None:
        kinds = (np.int32, np.int32, np.float32, np.intp, np.float64)
        self._parts = [np.empty((rows, trees), dtype=kind) for kind in kinds]

    def of(self, rows: int) -> list[NDArray[Any]]:
        """Return the parts for so many rows."""
        return [part[:rows] for part in self._parts]


def _walk(told: dict[str, Any]) -> tuple[list[Split], list[list[int]], list[int]]:
    """Return the splits of all trees, the leaves of each from left to right, and the target that it adds to."""
    thresholds, gaps = told["nodes_splits"].tolist(), told["nodes_missing_value_tracks_true"].tolist()
    features = told["nodes_featureids"].tolist()
    sides = [
        list(zip(told[f"nodes_{side}nodeids"].tolist(), told[f"nodes_{side}leafs"].tolist(), strict=True))
        for side in ("true", "false")
    ]
    splits: list[Split] = []
    leaves: list[list[int]] = []

    def go(place: int, is_leaf: int) -> int:
        """Return the leaves below, as bits."""
        if is_leaf:
            leaves[-1].append(place)
            if len(leaves[-1]) > LEAVES_MAX:
                raise ValueError(len(leaves[-1]))
            return 1 << (len(leaves[-1]) - 1)
        left = go(*sides[0][place])
        splits.append(Split(features[place], thresholds[place], bool(gaps[place]), len(leaves) - 1, left))
        return left | go(*sides[1][place])

    for root in told["tree_roots"].tolist():
        leaves.append([])
        go(root, 0)
    targets = [{*told["leaf_targetids"][tree].tolist()} for tree in leaves]
    counts = np.bincount([target for tree in targets for target in tree], minlength=told["n_targets"])
    if any(len(tree) > 1 for tree in targets) or len({*counts.tolist()}) > 1:
        raise ValueError(counts)
    return splits, leaves, [target for tree in targets for target in tree]


def _tables(splits: list[Split], column: NDArray[np.intp]) -> list[Table]:
    """Return a table a feature: a line for each place among its thresholds, and one more for a gap."""
    by_feature: dict[int, list[Split]] = {}
    for split in splits:
        by_feature.setdefault(split.feature, []).append(split)
    lines = sum(len({split.threshold for split in own}) + 2 for own in by_feature.values())
    if lines * len(column) > TABLES_CELLS_MAX:
        raise ValueError(lines)
    tables: list[Table] = []
    for feature, own in by_feature.items():
        thresholds = np.unique([split.threshold for split in own])
        leaves = np.full((len(thresholds) + 2, len(column)), EVERY_LEAF, dtype=np.int32)
        for split in own:
            above = int(np.searchsorted(thresholds, split.threshold)) + 1
            leaves[above:-1, column[split.tree]] &= ~split.left
            if not split.gap_says_yes:
                leaves[-1, column[split.tree]] &= ~split.left
        tables.append(Table([(feature, thresholds)], leaves))
    return tables


def _shared(tables: list[Table]) -> list[Table]:
    """Return fewer tables: the small ones put together."""
    found: list[Table] = []
    for table in sorted(tables, key=lambda each: len(each.leaves)):
        if found and len(found[-1].leaves) * len(table.leaves) <= COMBINATIONS_MAX:
            both = found[-1].leaves[:, None] & table.leaves
            found[-1] = Table(found[-1].features + table.features, both.reshape(-1, both.shape[2]))
        else:
            found.append(table)
    return found


def _places(table: Table, matrix: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which line of the table each row needs."""
    found = np.zeros(len(matrix), dtype=np.intp)
    for feature, thresholds in table.features:
        found *= len(thresholds) + 2
        found += _place(thresholds, matrix[:, feature])
    return found


def _place(thresholds: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return between which thresholds each value lies; a gap has the last place."""
    place = (values > thresholds[0]).astype(np.intp) if len(thresholds) == 1 else thresholds.searchsorted(values)
    gaps = np.isnan(values)
    if gaps.any():
        place[gaps] = len(thresholds) + 1
    return place
