"""``width_of``: how many columns a fitted model reads, from whatever its version kept of that.

Until 0.24 most of scikit-learn's classes did not write it down: the shapes of what they learned tell it.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

DEPTH_MAX = 20
# Steps that learn nothing and hand on as many columns as they get: the step behind them tells.
PASSING = {"Normalizer", "Binarizer", "FunctionTransformer"}
COUNTS = ("n_features_in_", "_n_features", "n_input_features_")
TREES = ("n_features_", "n_features")  # in other classes these count what a step chose
LISTS = (
    "categories_",
    "bin_edges_",
    "lambdas_",
    "scores_",
    "variances_",
    "support_",
    "statistics_",
    "_x_mean",
    "x_mean_",
    "category_count_",
)
# Attributes that hold a number a column, the last side of their shape.
SHAPES = (
    "support_vectors_", "theta_", "feature_log_prob_", "feature_count_", "cluster_centers_", "centroids_", "_fit_X",
    "X_train_", "X_fit_", "means_", "mean_", "scale_", "center_", "data_min_", "max_abs_", "quantiles_", "xbar_",
    "components_",
)  # fmt: skip
INNER = (
    "best_estimator_", "regressor_", "initial_imputer_", "estimator_", "base_estimator_", "estimators_",
    "calibrated_classifiers_", "base_estimator", "estimator",
)  # fmt: skip


def width_of(model: Any, depth: int = 0) -> Optional[int]:
    """Return how many columns ``model`` reads, None when nothing of it tells."""
    if depth > DEPTH_MAX or model is None or isinstance(model, (str, type)):
        return None
    if type(model).__name__ == "IsotonicRegression":
        return 1
    for found in (_counted(model), _of_steps(model, depth), _of_shapes(model)):
        if found:
            return found
    return _of_inner(model, depth)


def _held(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001 - a property that asks what is not there
        return None


def _counted(model: Any) -> Optional[int]:
    grown = any(part in type(model).__name__ for part in ("Tree", "Forest", "Boosting", "Bagging"))
    for name in (*COUNTS, *(TREES if grown else ())):
        count = _held(model, name)
        if isinstance(count, (int, np.integer)) and not isinstance(count, bool) and count > 0:
            return int(count)
    return None


def _of_steps(model: Any, depth: int) -> Optional[int]:
    if _held(model, "steps"):
        for _, step in model.steps:
            found = width_of(step, depth + 1)
            if found or not (step in (None, "passthrough") or type(step).__name__ in PASSING):
                return found
    if _held(model, "transformer_list"):
        for _, step in model.transformer_list:
            found = width_of(step, depth + 1)
            if found:
                return found
    return None


def _of_shapes(model: Any) -> Optional[int]:
    if _held(model, "coefs_"):  # a network's layers
        return int(np.asarray(model.coefs_[0]).shape[0])
    weights = getattr(_held(model, "coef_"), "shape", ())
    if weights and _held(model, "x_weights_") is None:  # which keep a row a column
        return int(weights[-1])
    for name in SHAPES:
        shape = getattr(_held(model, name), "shape", ())
        if shape:
            return int(shape[-1])
    for name in LISTS:
        values = _held(model, name)
        if isinstance(values, np.ndarray) and name == "support_" and values.dtype != bool:
            continue  # the numbers of rows that support vectors were; in selections it is a mask over the columns
        if isinstance(values, (list, np.ndarray)) and len(values):
            return len(values)
    return None


def _of_inner(model: Any, depth: int) -> Optional[int]:
    for name in INNER:
        inner = _held(model, name)
        if isinstance(inner, (list, tuple, np.ndarray)):
            inner = np.asarray(inner, dtype=object).ravel()[0] if len(inner) else None
        found = width_of(inner, depth + 1)
        if found:
            return found
    return None
