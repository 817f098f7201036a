"""Kernels: how alike each row is to each point that a model keeps, as scikit-learn's kernels count it."""

from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

from .graph import Graph, UnservedError, Value
from .transformers import TRANSFORMERS, squared_distances


def seen_near(value: Value, points: Any) -> None:
    """Tell the columns that the model was met with numbers like these points'."""
    for slot, low, high in zip(value.slots, points.min(axis=0), points.max(axis=0)):
        slot.seen(float(low), float(high))


def likeness(graph: Graph, model: Any, value: Value, points: Any) -> str:
    """Return the kernel of ``model`` between rows and ``points``, shape (rows, points)."""
    points = np.asarray(points.toarray() if hasattr(points, "toarray") else points, dtype=np.float64)
    seen_near(value, points)
    kernel = model.kernel
    gamma = 1.0 / points.shape[1]
    for name in ("gamma_", "gamma"):
        if isinstance(getattr(model, name, None), (int, float)):
            gamma = float(getattr(model, name))
            break
    if kernel == "linear":
        return graph.matmul(value.tensor, points.T)
    if kernel == "rbf":
        return graph.add("Exp", graph.scalar("Mul", squared_distances(graph, value, points), -gamma))
    if kernel == "laplacian":
        return graph.add("Exp", graph.scalar("Mul", _city_blocks(graph, value, points), -gamma))
    if kernel == "cosine":
        return _cosines(graph, value, points)
    shift = 1.0 if getattr(model, "coef0", None) is None else float(model.coef0)
    if kernel in {"poly", "polynomial", "sigmoid"}:
        inner = graph.scalar("Add", graph.scalar("Mul", graph.matmul(value.tensor, points.T), gamma), shift)
        if kernel == "sigmoid":
            return graph.add("Tanh", inner)
        return graph.scalar("Pow", inner, 3.0 if getattr(model, "degree", None) is None else float(model.degree))
    told = f"the kernel {kernel!r}" if isinstance(kernel, str) else "a kernel of one's own"
    message = f"{type(model).__name__} with {told} has no served form"
    raise UnservedError(message)


def _city_blocks(graph: Graph, value: Value, points: Any) -> str:
    rows = graph.add("Unsqueeze", value.tensor, graph.constant([1], np.int64))
    apart = graph.add("Abs", graph.add("Sub", rows, graph.constant(points[None])))
    return graph.add("ReduceSum", apart, graph.constant([2], np.int64), keepdims=0)


def _cosines(graph: Graph, value: Value, points: Any) -> str:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    scaled = points / np.where(lengths == 0, 1.0, lengths)
    length = graph.add("ReduceL2", value.tensor, graph.constant([1], np.int64), keepdims=1)
    zero = graph.add("Equal", length, graph.constant([[0.0]]))
    safe = graph.add("Where", zero, graph.constant([[1.0]]), length)
    return graph.add("Div", graph.matmul(value.tensor, scaled.T), safe)


# --- kernels of Gaussian processes, which are put together of others --------------------------------------------------


def process_kernel(graph: Graph, kernel: Any, value: Value, points: Any) -> str:
    """Return a Gaussian process's kernel between rows and the points it learned, shape (rows, points)."""
    name = type(kernel).__name__
    if name in {"Sum", "Product"}:
        parts = [process_kernel(graph, one, value, points) for one in (kernel.k1, kernel.k2)]
        return graph.add("Add" if name == "Sum" else "Mul", *parts)
    if name == "Exponentiation":
        return graph.scalar("Pow", process_kernel(graph, kernel.kernel, value, points), float(kernel.exponent))
    if name == "DotProduct":
        inner = graph.matmul(value.tensor, points.T)
        return graph.scalar("Add", inner, float(kernel.sigma_0) ** 2)
    if name in {"ConstantKernel", "WhiteKernel"}:  # noise is in none of what was not learned
        height = float(kernel.constant_value) if name == "ConstantKernel" else 0.0
        first = graph.add("Gather", value.tensor, graph.constant([0], np.int64), axis=1)
        flat = graph.scalar("Add", graph.scalar("Mul", first, 0.0), height)
        return graph.add("Mul", flat, graph.constant(np.ones((1, len(points)))))
    if name not in _BY_DISTANCE:
        message = f"a Gaussian process with the kernel {name} has no served form"
        raise UnservedError(message)
    scale = np.asarray(kernel.length_scale, dtype=np.float64)
    row = np.broadcast_to(scale.reshape(1, -1), (1, points.shape[1]))
    near = Value(graph.add("Div", value.tensor, graph.constant(row)), value.slots)
    return _BY_DISTANCE[name](graph, kernel, squared_distances(graph, near, points / row))


def _matern(graph: Graph, kernel: Any, squared: str) -> str:
    if kernel.nu == np.inf:
        return graph.add("Exp", graph.scalar("Mul", squared, -0.5))
    if kernel.nu not in (0.5, 1.5, 2.5):
        message = f"a Gaussian process with a Matern kernel of {kernel.nu} has no served form, only of 0.5, 1.5 and 2.5"
        raise UnservedError(message)
    far = graph.scalar("Mul", graph.add("Sqrt", squared), float(np.sqrt(2 * kernel.nu)))
    fall = graph.add("Exp", graph.add("Neg", far))
    factors = {0.5: [], 1.5: [1.0], 2.5: [1.0, 1.0 / 3.0]}[kernel.nu]
    total = graph.scalar("Add", graph.scalar("Mul", far, 0.0), 1.0)
    power = ""
    for factor in factors:
        power = far if not power else graph.add("Mul", power, far)
        total = graph.add("Add", total, graph.scalar("Mul", power, factor))
    return graph.add("Mul", total, fall)


def _rational(graph: Graph, kernel: Any, squared: str) -> str:
    inner = graph.scalar("Add", graph.scalar("Div", squared, 2.0 * float(kernel.alpha)), 1.0)
    return graph.scalar("Pow", inner, -float(kernel.alpha))


_BY_DISTANCE: Dict[str, Callable[[Graph, Any, str], str]] = {
    "RBF": lambda graph, _, squared: graph.add("Exp", graph.scalar("Mul", squared, -0.5)),
    "Matern": _matern,
    "RationalQuadratic": _rational,
}


# --- steps that stand on kernels --------------------------------------------------------------------------------------


def _nystroem(graph: Graph, step: Any, value: Value) -> Value:
    weights = np.asarray(step.normalization_, dtype=np.float64).T
    return graph.fresh(
        graph.matmul(likeness(graph, step, value, step.components_), weights), weights.shape[1], "component"
    )


def _sampled(graph: Graph, step: Any, value: Value) -> Value:
    weights = np.asarray(step.random_weights_, dtype=np.float64)
    turned = graph.matmul(value.tensor, weights, np.asarray(step.random_offset_, dtype=np.float64))
    waves = graph.scalar("Mul", graph.add("Cos", turned), float(np.sqrt(2.0 / weights.shape[1])))
    return graph.fresh(waves, weights.shape[1], "component")


def _kernel_pca(graph: Graph, step: Any, value: Value) -> Value:
    alike = likeness(graph, step, value, step.X_fit_)
    center = step._centerer  # noqa: SLF001 - no public name
    mean = graph.add("ReduceMean", alike, graph.constant([1], np.int64), keepdims=1)
    moved = graph.add("Sub", graph.add("Sub", alike, graph.constant([center.K_fit_rows_])), mean)
    centered = graph.scalar("Add", moved, float(center.K_fit_all_))
    vectors = np.asarray(step.eigenvectors_ if hasattr(step, "eigenvectors_") else step.alphas_, dtype=np.float64)
    values = np.asarray(step.eigenvalues_ if hasattr(step, "eigenvalues_") else step.lambdas_, dtype=np.float64)
    scaled = np.where(values > 0, vectors / np.sqrt(np.where(values > 0, values, 1.0)), 0.0)
    return graph.fresh(graph.matmul(centered, scaled), scaled.shape[1], "component")


TRANSFORMERS.update({"Nystroem": _nystroem, "RBFSampler": _sampled, "KernelPCA": _kernel_pca})
