"""Models of where rows lie: mixtures, what is unlike the rest, nearest middles, kernels of one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .estimators import ESTIMATORS, Answer, estimate, label_of, support_kernel, winner
from .functions import interpolated
from .graph import Graph, UnservedError, Value
from .kernels import likeness, process_kernel, seen_near
from .transformers import squared_distances

SIDES = np.array([-1, 1])


def _mixture(graph: Graph, model: Any, value: Value) -> Answer:
    means = np.asarray(model.means_, dtype=np.float64)
    seen_near(value, means)
    parts = []
    offsets = np.diag(model._estimate_weighted_log_prob(means))  # noqa: SLF001 - each at its own mean, where nothing is far
    for place, mean in enumerate(means):
        cholesky = np.asarray(model.precisions_cholesky_, dtype=np.float64)
        cholesky = cholesky if model.covariance_type == "tied" else cholesky[place]
        if model.covariance_type in {"diag", "spherical"}:
            cholesky = np.eye(len(mean)) * cholesky
        apart = graph.add("Sub", value.tensor, graph.constant([mean]))
        size = graph.add("ReduceSumSquare", graph.matmul(apart, cholesky), graph.constant([1], np.int64), keepdims=1)
        parts.append(graph.scalar("Add", graph.scalar("Mul", size, -0.5), float(offsets[place])))
    scores = graph.add("Concat", *parts, axis=1)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=np.arange(len(means)))


def _nearest_middle(graph: Graph, model: Any, value: Value) -> Answer:
    middles = np.asarray(model.centroids_, dtype=np.float64)
    seen_near(value, middles)
    priors = np.asarray(getattr(model, "class_prior_", np.ones(len(middles))), dtype=np.float64)
    if model.metric not in {"euclidean", "manhattan"} or not np.allclose(priors, priors[0]):
        message = (
            f"NearestCentroid by the distance {model.metric!r}, or with classes of unlike weight, has no served form"
        )
        raise UnservedError(message)
    if model.metric == "euclidean":
        distance = squared_distances(graph, value, middles)
    else:
        rows = graph.add("Unsqueeze", value.tensor, graph.constant([1], np.int64))
        apart = graph.add("Abs", graph.add("Sub", rows, graph.constant(middles[None])))
        distance = graph.add("ReduceSum", apart, graph.constant([2], np.int64), keepdims=0)
    return Answer("labels", winner(graph, graph.add("Neg", distance), len(middles)), classes=model.classes_)


def _leaves_of_clusters(graph: Graph, model: Any, value: Value) -> Answer:
    centers = np.asarray(model.subcluster_centers_, dtype=np.float64)
    seen_near(value, centers)
    labels = np.asarray(model.subcluster_labels_).astype(int)
    classes = np.unique(labels)
    nearest = graph.one_hot(graph.add("ArgMin", squared_distances(graph, value, centers), axis=1), len(centers))
    table = (labels[:, None] == classes[None, :]).astype(np.float64)
    return Answer("labels", graph.matmul(nearest, table), classes=classes)


def _one_class(graph: Graph, model: Any, value: Value) -> Answer:
    weights = np.asarray(model.dual_coef_.toarray() if hasattr(model.dual_coef_, "toarray") else model.dual_coef_)
    scores = graph.matmul(support_kernel(graph, model, value), weights.T, np.asarray(model.intercept_).ravel())
    return label_of(graph, scores, SIDES)


def _one_class_line(graph: Graph, model: Any, value: Value) -> Answer:
    weights = np.asarray(model.coef_, dtype=np.float64).reshape(1, -1)
    scores = graph.matmul(value.tensor, weights.T, -np.asarray(model.offset_, dtype=np.float64).ravel())
    return _inside(graph, scores)


def _inside(graph: Graph, scores: str) -> Answer:
    above = graph.add("Cast", graph.add("GreaterOrEqual", scores, graph.constant([[0.0]])), to=11)
    return Answer("labels", graph.both(above), classes=SIDES, scores=scores)


def _ellipse(graph: Graph, model: Any, value: Value) -> Answer:
    middle = np.asarray(model.location_, dtype=np.float64)
    spread = np.sqrt(np.diag(np.asarray(model.covariance_)))
    seen_near(value, np.array([middle - 3 * spread, middle + 3 * spread]))
    apart = graph.add("Sub", value.tensor, graph.constant([middle]))
    turned = graph.matmul(apart, np.asarray(model.get_precision(), dtype=np.float64))
    size = graph.add("ReduceSum", graph.add("Mul", apart, turned), graph.constant([1], np.int64), keepdims=1)
    return _inside(graph, graph.scalar("Sub", graph.add("Neg", size), float(model.offset_)))


def _ridge(graph: Graph, model: Any, value: Value) -> Answer:
    weights = np.asarray(model.dual_coef_, dtype=np.float64)
    weights = weights.reshape(len(weights), -1)
    tensor = graph.matmul(likeness(graph, model, value, model.X_fit_), weights)
    width = weights.shape[1]
    return Answer("number", tensor) if width == 1 else Answer("several", tensor, width=width)


def _process(graph: Graph, model: Any, value: Value) -> Answer:
    points = np.asarray(model.X_train_, dtype=np.float64)
    seen_near(value, points)
    alphas = np.asarray(model.alpha_, dtype=np.float64).reshape(len(points), -1)
    scale = np.ravel(np.asarray(getattr(model, "_y_train_std", 1.0), dtype=np.float64))
    shift = np.ravel(np.asarray(getattr(model, "_y_train_mean", 0.0), dtype=np.float64))
    tensor = graph.matmul(process_kernel(graph, model.kernel_, value, points), alphas * scale, shift)
    width = alphas.shape[1]
    return Answer("number", tensor) if width == 1 else Answer("several", tensor, width=width)


def _steps_up(graph: Graph, model: Any, value: Value) -> Answer:
    if model.out_of_bounds != "clip":
        message = (
            f"IsotonicRegression that answers {model.out_of_bounds!r} outside of what it learned has no served form"
        )
        raise UnservedError(message)
    points: Any = getattr(model, "X_thresholds_", getattr(model, "_necessary_X_", None))
    heights: Any = getattr(model, "y_thresholds_", getattr(model, "_necessary_y_", None))
    value.slots[0].seen(float(np.min(points)), float(np.max(points)))
    return Answer("number", interpolated(graph, value.tensor, points, heights))


def _inliers(graph: Graph, model: Any, value: Value) -> Answer:
    return estimate(graph, model.estimator_, value)


ESTIMATORS.update(
    {
        "GaussianMixture": _mixture,
        "BayesianGaussianMixture": _mixture,
        "NearestCentroid": _nearest_middle,
        "Birch": _leaves_of_clusters,
        "MeanShift": ESTIMATORS["KMeans"],
        "AffinityPropagation": ESTIMATORS["KMeans"],
        "OneClassSVM": _one_class,
        "SGDOneClassSVM": _one_class_line,
        "EllipticEnvelope": _ellipse,
        "KernelRidge": _ridge,
        "GaussianProcessRegressor": _process,
        "IsotonicRegression": _steps_up,
        "RANSACRegressor": _inliers,
    }
)
