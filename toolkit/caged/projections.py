"""Steps that turn columns into others by weights, quantiles or splines."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from .functions import interpolated, normal_place
from .graph import Graph, UnservedError, Value
from .transformers import TRANSFORMERS

EDGE = 1e-7  # how near to 0 and 1 scikit-learn lets a share of the normal curve come
STRAIGHT = 1  # a derivative


def _weighed(graph: Graph, value: Value, weights: Any, *, minus: Any = None) -> Value:
    weights = np.asarray(weights.toarray() if hasattr(weights, "toarray") else weights, dtype=np.float64)
    source = value if minus is None else graph.affine(value, minus=minus)
    return graph.fresh(graph.matmul(source.tensor, weights), weights.shape[1], "component")


def _independent(graph: Graph, step: Any, value: Value) -> Value:
    return _weighed(graph, value, np.asarray(step.components_).T, minus=step.mean_ if step.whiten else None)


def _turned(graph: Graph, step: Any, value: Value) -> Value:
    return _weighed(graph, value, step.components_.T)


def _factors(graph: Graph, step: Any, value: Value) -> Value:
    scaled = np.asarray(step.components_) / np.asarray(step.noise_variance_)
    spread = np.linalg.inv(np.eye(len(scaled)) + scaled @ np.asarray(step.components_).T)
    return _weighed(graph, value, scaled.T @ spread, minus=step.mean_)


def _sparse(graph: Graph, step: Any, value: Value) -> Value:
    parts = np.asarray(step.components_, dtype=np.float64)
    inner = parts @ parts.T + float(step.ridge_alpha) * np.eye(len(parts))
    return _weighed(graph, value, np.linalg.solve(inner, parts).T, minus=step.mean_)


def _grouped(graph: Graph, step: Any, value: Value) -> Value:
    if getattr(step.pooling_func, "__name__", "") != "mean":
        message = "FeatureAgglomeration by another function than the mean has no served form"
        raise UnservedError(message)
    hits = (np.asarray(step.labels_)[:, None] == np.unique(step.labels_)[None, :]).astype(np.float64)
    return _weighed(graph, value, hits / hits.sum(axis=0))


def _quantiles(graph: Graph, step: Any, value: Value) -> Value:
    parts: List[Value] = []
    for place in range(value.width):
        points = np.asarray(step.quantiles_, dtype=np.float64)[:, place]
        slot = value.slots[place]
        slot.seen(float(points[0]), float(points[-1]))
        source = graph.columns(value, [place]).tensor
        share = interpolated(graph, source, points, step.references_)
        normal = step.output_distribution == "normal"
        near = EDGE if normal else 0.0
        low = graph.add("GreaterOrEqual", graph.constant([[float(points[0] + near)]]), source)
        high = graph.add("GreaterOrEqual", source, graph.constant([[float(points[-1] - near)]]))
        share = graph.add("Where", high, graph.constant([[1.0]]), share)
        share = graph.add("Where", low, graph.constant([[0.0]]), share)
        if normal:
            edge = EDGE - np.spacing(1)
            inside = graph.add("Min", graph.add("Max", share, graph.constant([[edge]])), graph.constant([[1 - edge]]))
            share = normal_place(graph, inside)
        if value.slots[place].kind == "number":
            share = graph.add("Where", graph.add("IsNaN", source), source, share)
        parts.append(graph.fresh(share, 1))
    return graph.beside(parts)


def _splines(graph: Graph, step: Any, value: Value) -> Value:
    parts: List[Value] = []
    degree = int(step.degree)
    for place, spline in enumerate(step.bsplines_):
        source = graph.columns(value, [place])
        knots = np.asarray(spline.t, dtype=np.float64)
        low, high = float(knots[degree]), float(knots[-degree - 1])
        source.slots[0].seen(low, high)
        breaks = np.unique(knots[degree : len(knots) - degree])
        column = source.tensor
        if step.extrapolation == "periodic":
            turn = graph.scalar("Div", graph.scalar("Sub", column, low), high - low)
            column = graph.scalar("Mul", graph.add("Sub", turn, graph.add("Floor", turn)), high - low)
            column = graph.scalar("Add", column, low)
        near = column
        if step.extrapolation != "continue":
            near = graph.add("Min", graph.add("Max", column, graph.constant([[low]])), graph.constant([[high]]))
        total = _pieces(graph, spline, near, breaks, degree)
        count = np.asarray(spline.c).shape[1]
        if step.extrapolation == "linear":
            for edge, side in ((low, "Min"), (high, "Max")):
                far = graph.scalar("Sub", graph.add(side, column, graph.constant([[edge]])), edge)
                inner = np.nextafter(edge, (low + high) / 2.0)
                total = graph.add("Add", total, graph.matmul(far, spline(inner, STRAIGHT).reshape(1, -1)))
        kept = count if step.include_bias else count - 1
        made = graph.fresh(total, count)
        parts.append(graph.columns(made, range(kept)))
    return graph.beside(parts)


def _pieces(graph: Graph, spline: Any, column: str, breaks: Any, degree: int) -> str:
    """Return a spline's numbers from its polynomials: which piece a row is on, and how far from where that begins."""
    above = graph.add("Cast", graph.add("GreaterOrEqual", column, graph.constant([breaks[:-1]])), to=11)
    # the first piece reaches down without end, each next one takes over from the one before it
    apart = np.eye(len(breaks) - 1) - np.eye(len(breaks) - 1, k=-1)
    on = graph.matmul(above, apart)
    first = np.zeros(len(breaks) - 1)
    first[0] = 1.0
    below = graph.add("Cast", graph.add("Greater", graph.constant([[float(breaks[0])]]), column), to=11)
    on = graph.add("Add", on, graph.matmul(below, first.reshape(1, -1)))
    far = graph.add("Sub", column, graph.matmul(on, breaks[:-1].reshape(-1, 1)))
    total, power, fraction = "", "", 1.0
    for order in range(degree + 1):
        fraction *= max(order, 1)
        table = np.array([spline(float(start), nu=order) for start in breaks[:-1]]) / fraction
        term = graph.matmul(on, table)
        if order:
            power = far if not power else graph.add("Mul", power, far)
            term = graph.add("Mul", term, power)
        total = term if not total else graph.add("Add", total, term)
    return total


TRANSFORMERS.update(
    {
        "FastICA": _independent,
        "GaussianRandomProjection": _turned,
        "SparseRandomProjection": _turned,
        "NeighborhoodComponentsAnalysis": _turned,
        "FactorAnalysis": _factors,
        "SparsePCA": _sparse,
        "MiniBatchSparsePCA": _sparse,
        "FeatureAgglomeration": _grouped,
        "QuantileTransformer": _quantiles,
        "SplineTransformer": _splines,
    }
)
