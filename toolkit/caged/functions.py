"""Functions of one number, written as operators: NumPy's own, straight lines between points, the normal curve."""

from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

from .graph import Graph

NODES = 80  # of a rule by Gauss and Legendre: fifteen digits of the normal curve
FAR = 9.0  # where the normal curve has no share left that counts
STEPS = 3  # of Newton's, each doubling the digits
GUESS_TOP = (2.515517, 0.802853, 0.010328)  # Abramowitz and Stegun (1964), 26.2.23: right to 4.5e-4
GUESS_BOTTOM = (1.0, 1.432788, 0.189269, 0.001308)

Function = Callable[[Graph, str], str]


def _power_of(base: float) -> Function:
    return lambda graph, tensor: graph.add("Exp", graph.scalar("Mul", tensor, float(np.log(base))))


def _log_of(base: float) -> Function:
    return lambda graph, tensor: graph.scalar("Div", graph.add("Log", tensor), float(np.log(base)))


def _cube_root(graph: Graph, tensor: str) -> str:
    size = graph.scalar("Pow", graph.add("Abs", tensor), 1.0 / 3.0)
    below = graph.add("Greater", graph.constant([[0.0]]), tensor)
    return graph.add("Where", below, graph.add("Neg", size), size)


FUNCTIONS: Dict[str, Function] = {
    "log1p": lambda graph, tensor: graph.add("Log", graph.scalar("Add", tensor, 1.0)),
    "expm1": lambda graph, tensor: graph.scalar("Sub", graph.add("Exp", tensor), 1.0),
    "log": lambda graph, tensor: graph.add("Log", tensor),
    "exp": lambda graph, tensor: graph.add("Exp", tensor),
    "log10": _log_of(10.0),
    "log2": _log_of(2.0),
    "exp2": _power_of(2.0),
    "exp10": _power_of(10.0),
    "sqrt": lambda graph, tensor: graph.add("Sqrt", tensor),
    "square": lambda graph, tensor: graph.add("Mul", tensor, tensor),
    "cbrt": _cube_root,
    "absolute": lambda graph, tensor: graph.add("Abs", tensor),
    "fabs": lambda graph, tensor: graph.add("Abs", tensor),
    "negative": lambda graph, tensor: graph.add("Neg", tensor),
    "reciprocal": lambda graph, tensor: graph.add("Div", graph.constant([[1.0]]), tensor),
    "tanh": lambda graph, tensor: graph.add("Tanh", tensor),
    "expit": lambda graph, tensor: graph.add("Sigmoid", tensor),
    "sin": lambda graph, tensor: graph.add("Sin", tensor),
    "cos": lambda graph, tensor: graph.add("Cos", tensor),
    "floor": lambda graph, tensor: graph.add("Floor", tensor),
    "ceil": lambda graph, tensor: graph.add("Ceil", tensor),
    "rint": lambda graph, tensor: graph.add("Round", tensor),
    "sign": lambda graph, tensor: graph.add("Sign", tensor),
    "_identity": lambda _, tensor: tensor,
}
POSITIVE = {"log1p", "log", "log10", "log2", "sqrt", "reciprocal"}  # what takes no number below zero, or not all


def interpolated(graph: Graph, column: str, points: Any, heights: Any) -> str:
    """Return straight lines between points, flat outside; halfway up where several points stand on one place."""
    points, heights = np.asarray(points, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    total = graph.scalar("Add", graph.scalar("Mul", column, 0.0), float(heights[0]))
    widths, rises = np.diff(points), np.diff(heights)
    flat = widths <= 0
    if (~flat).any():
        start = graph.add("Sub", column, graph.constant([points[:-1][~flat]]))
        share = graph.add("Div", start, graph.constant([widths[~flat]]))
        share = graph.add("Min", graph.add("Max", share, graph.constant([[0.0]])), graph.constant([[1.0]]))
        total = graph.add("Add", total, graph.matmul(share, rises[~flat].reshape(-1, 1)))
    jumps = flat & (rises != 0)
    if jumps.any():
        places = graph.constant([points[:-1][jumps]])
        for op in ("Greater", "GreaterOrEqual"):
            beyond = graph.add("Cast", graph.add(op, column, places), to=11)
            total = graph.add("Add", total, graph.matmul(beyond, 0.5 * rises[jumps].reshape(-1, 1)))
    return total


def normal_share(graph: Graph, column: str) -> str:
    """Return the share of the normal curve below each number of a column, shape (rows, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    near = graph.add("Min", graph.add("Max", column, graph.constant([[-FAR]])), graph.constant([[FAR]]))
    inner = graph.add("Mul", near, graph.constant([(nodes + 1.0) / 2.0]))
    heights = graph.add("Exp", graph.scalar("Mul", graph.add("Mul", inner, inner), -0.5))
    area = graph.matmul(heights, (weights / 2.0 / np.sqrt(2.0 * np.pi)).reshape(-1, 1))
    return graph.scalar("Add", graph.add("Mul", near, area), 0.5)


def normal_place(graph: Graph, column: str) -> str:
    """Return the number that has a share of the normal curve below it; shares strictly between 0 and 1."""
    above = graph.add("Greater", column, graph.constant([[0.5]]))
    tail = graph.add("Where", above, graph.add("Sub", graph.constant([[1.0]]), column), column)
    root = graph.add("Sqrt", graph.scalar("Mul", graph.add("Log", tail), -2.0))
    place = graph.add("Sub", root, graph.add("Div", _curve(graph, root, GUESS_TOP), _curve(graph, root, GUESS_BOTTOM)))
    for _ in range(STEPS):  # of Halley's: the place beyond which ``tail`` lies
        missed = graph.add("Sub", normal_share(graph, graph.add("Neg", place)), tail)
        height = graph.add("Exp", graph.scalar("Mul", graph.add("Mul", place, place), -0.5))
        step = graph.scalar("Mul", graph.add("Div", missed, height), float(np.sqrt(2.0 * np.pi)))
        bend = graph.scalar("Add", graph.scalar("Mul", graph.add("Mul", place, step), 0.5), 1.0)
        place = graph.add("Add", place, graph.add("Div", step, bend))
    return graph.add("Where", above, place, graph.add("Neg", place))


def _curve(graph: Graph, tensor: str, factors: Any) -> str:
    total = graph.scalar("Add", graph.scalar("Mul", tensor, 0.0), float(factors[-1]))
    for factor in reversed(factors[:-1]):
        total = graph.scalar("Add", graph.add("Mul", total, tensor), float(factor))
    return total
