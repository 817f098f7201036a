"""Steps that fill gaps by what else a row holds: by models of the other columns, by the nearest learned rows."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from .estimators import estimate
from .graph import Graph, UnservedError, Value
from .transformers import TRANSFORMERS, transform

FAR = 1e300  # of a learned row that has no column in common with the one that is asked about


def _numbers_alone(step: Any) -> None:
    missing = step.missing_values
    if not (isinstance(missing, float) and missing != missing):  # noqa: PLR0124 - NaN
        message = f"{type(step).__name__} that fills {missing!r} has no served form: only of empty cells"
        raise UnservedError(message)


def _with_marks(graph: Graph, step: Any, value: Value, filled: Value) -> Value:
    indicator = getattr(step, "indicator_", None)
    return filled if indicator is None else graph.beside([filled, transform(graph, indicator, value)])


def _in_rounds(graph: Graph, step: Any, value: Value) -> Value:
    _numbers_alone(step)
    if getattr(step, "sample_posterior", False):
        message = (
            "IterativeImputer that draws its answers (`sample_posterior`) has no served form: they differ each time"
        )
        raise UnservedError(message)
    for slot in value.slots:
        slot.nullable = True
    source = _rounds_begin(graph, step, value)
    columns = [graph.columns(source, [place]).tensor for place in range(source.width)]
    kept = _kept_by(step.initial_imputer_, value.width)
    gaps = [graph.add("IsNaN", graph.columns(value, [place]).tensor) for place in kept]
    lows, highs = (np.asarray(one, dtype=np.float64) for one in _ends(step, source.width))
    for place, others, inner in step.imputation_sequence_:
        read = Value(
            graph.add("Concat", *[columns[int(one)] for one in others], axis=1),
            [source.slots[int(one)] for one in others],
        )
        found = estimate(graph, inner, graph.fresh(read.tensor, read.width)).tensor
        low, high = graph.constant([[lows[int(place)]]]), graph.constant([[highs[int(place)]]])
        bounded = graph.add("Min", graph.add("Max", found, low), high)
        columns[int(place)] = graph.add("Where", gaps[int(place)], bounded, columns[int(place)])
    return _with_marks(graph, step, value, Value(graph.add("Concat", *columns, axis=1), source.slots))


def _rounds_begin(graph: Graph, step: Any, value: Value) -> Value:
    first = step.initial_imputer_
    indicator = getattr(first, "indicator_", None)
    if indicator is not None:
        message = "IterativeImputer whose first step marks gaps has no served form"
        raise UnservedError(message)
    return transform(graph, first, value)


def _kept_by(first: Any, width: int) -> List[int]:
    statistics = np.asarray(first.statistics_, dtype=np.float64)
    if getattr(first, "keep_empty_features", False):
        return list(range(width))
    return [place for place in range(width) if statistics[place] == statistics[place]]


def _ends(step: Any, width: int) -> Any:
    for low, high in (("_min_value", "_max_value"), ("min_value", "max_value")):
        if hasattr(step, low):
            ends = [getattr(step, low), getattr(step, high)]
            ends = [bound if end is None else end for end, bound in zip(ends, (-np.inf, np.inf))]
            return [np.broadcast_to(np.asarray(end, dtype=np.float64), (width,)) for end in ends]
    return [np.full(width, -np.inf), np.full(width, np.inf)]


def _by_neighbours(graph: Graph, step: Any, value: Value) -> Value:
    _numbers_alone(step)
    if step.metric != "nan_euclidean" or callable(step.weights):
        message = "KNNImputer with a distance or weights of one's own has no served form"
        raise UnservedError(message)
    points = np.asarray(step._fit_X, dtype=np.float64)  # noqa: SLF001 - no public name
    empty = np.isnan(points)
    for place, slot in enumerate(value.slots):
        slot.nullable = True
        if not empty[:, place].all():
            slot.seen(float(np.nanmin(points[:, place])), float(np.nanmax(points[:, place])))
    gap = graph.add("IsNaN", value.tensor)
    here = graph.add("Sub", graph.constant([[1.0]]), graph.add("Cast", gap, to=11))
    plain = graph.add("Where", gap, graph.constant([[0.0]]), value.tensor)
    there, filled = (~empty).astype(np.float64), np.where(empty, 0.0, points)
    rows = graph.add("Unsqueeze", plain, graph.constant([1], np.int64))
    both = graph.add("Mul", graph.add("Unsqueeze", here, graph.constant([1], np.int64)), graph.constant(there[None]))
    apart = graph.add("Mul", graph.add("Sub", rows, graph.constant(filled[None])), both)
    squared = graph.add("ReduceSum", graph.add("Mul", apart, apart), graph.constant([2], np.int64), keepdims=0)
    common = graph.matmul(here, there.T)
    none = graph.add("Equal", common, graph.constant([[0.0]]))
    safe = graph.add("Where", none, graph.constant([[1.0]]), common)
    distance = graph.add("Sqrt", graph.scalar("Mul", graph.add("Div", squared, safe), float(value.width)))
    distance = graph.add("Where", none, graph.constant([[FAR]]), distance)
    parts: Dict[int, str] = {}
    for place in range(value.width):
        donors = np.flatnonzero(~empty[:, place])
        if not len(donors):
            if getattr(step, "keep_empty_features", False):
                parts[place] = graph.scalar("Mul", graph.columns(Value(plain, value.slots), [place]).tensor, 0.0)
            continue
        column = graph.columns(value, [place]).tensor
        guess = _of_donors(graph, step, distance, donors, points[donors, place])
        parts[place] = graph.add("Where", graph.add("IsNaN", column), guess, column)
    slots = [value.slots[place] for place in parts]
    return _with_marks(graph, step, value, Value(graph.add("Concat", *parts.values(), axis=1), slots))


def _of_donors(graph: Graph, step: Any, distance: str, donors: Any, answers: Any) -> str:
    count = min(int(step.n_neighbors), len(donors))
    near = graph.add("Neg", graph.add("Gather", distance, graph.constant(donors, np.int64), axis=1))
    graph.add("TopK", near, graph.constant([count], np.int64), axis=1, largest=1, sorted=1)
    top = graph.nodes[-1]
    values, places = f"{top['outputs'][0]}v", f"{top['outputs'][0]}i"
    top["outputs"] = [values, places]
    far = graph.add("Neg", values)
    known = graph.add("Cast", graph.add("Greater", graph.constant([[FAR / 2]]), far), to=11)
    weights = known
    if step.weights == "distance":
        zero = graph.add("Cast", graph.add("Equal", far, graph.constant([[0.0]])), to=11)
        safe = graph.add("Where", graph.add("Equal", far, graph.constant([[0.0]])), graph.constant([[1.0]]), far)
        some = graph.add("ReduceMax", zero, graph.constant([1], np.int64), keepdims=1)
        by = graph.add("Mul", known, graph.add("Div", graph.constant([[1.0]]), safe))
        weights = graph.add("Where", graph.add("Greater", some, graph.constant([[0.0]])), zero, by)
    found = graph.add("Gather", graph.constant(answers), places, axis=0)
    axis = graph.constant([1], np.int64)
    total = graph.add("ReduceSum", graph.add("Mul", found, weights), axis, keepdims=1)
    sums = graph.add("ReduceSum", weights, axis, keepdims=1)
    nobody = graph.add("Equal", sums, graph.constant([[0.0]]))
    mean = graph.add("Div", total, graph.add("Where", nobody, graph.constant([[1.0]]), sums))
    return graph.add("Where", nobody, graph.constant([[float(np.mean(answers))]]), mean)


TRANSFORMERS.update({"IterativeImputer": _in_rounds, "KNNImputer": _by_neighbours})
