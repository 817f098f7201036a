"""``mended``: what an older version wrote gets the attributes that today's methods look for.

Only what has one possible value is added: a parameter's default that did not exist then, or the new name of an old
attribute. The proof asks the mended model, and the graph is made of the old attributes, so that each checks the other.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any, Callable, Dict, Set

import numpy as np

DEPTH_MAX = 60
LOSSES = {"deviance": "log_loss", "ls": "squared_error", "lad": "absolute_error", "least_squares": "squared_error"}
RENAMED = {  # today's attribute, and what it was called
    "var_": "sigma_",
    "estimator_": "base_estimator_",
    "estimator": "base_estimator",
    "sparse_output": "sparse",
    "_drop_idx_after_grouping": "drop_idx_",
    "n_features_in_": "n_features_",
}


def mended(model: Any) -> Set[str]:
    """Bring every estimator in ``model`` up to date, in place, and return what was added, as ``Class.attribute``."""
    added: Set[str] = set()
    _walk(model, set(), added, 0)
    return added


def _walk(found: Any, seen: Set[int], added: Set[str], depth: int) -> None:
    if id(found) in seen or depth > DEPTH_MAX or isinstance(found, (str, bytes, int, float, type(None))):
        return
    seen.add(id(found))
    if isinstance(found, dict):
        inner = list(found.values())
    elif isinstance(found, (list, tuple, set)):
        inner = list(found)
    elif isinstance(found, np.ndarray):
        inner = list(found.ravel()) if found.dtype == object else []
    elif type(found).__module__.split(".")[0] in {"sklearn", "imblearn"} and hasattr(found, "__dict__"):
        _mend(found, added)
        inner = list(vars(found).values())
    else:
        return
    for one in inner:
        _walk(one, seen, added, depth + 1)


def _mend(found: Any, added: Set[str]) -> None:
    name, values = type(found).__name__, vars(found)

    def give(attribute: str, value: Any) -> None:
        if attribute not in values:
            with contextlib.suppress(AttributeError):
                setattr(found, attribute, value)
                added.add(f"{name}.{attribute}")

    if hasattr(found, "get_params"):
        for parameter, facts in inspect.signature(type(found).__init__).parameters.items():
            if facts.default is inspect.Parameter.empty:
                continue
            old = RENAMED.get(parameter)
            give(parameter, values.get(old, facts.default) if old else facts.default)
    for today, old in RENAMED.items():
        if today.endswith("_") and old in values and _is_asked(found, today):
            give(today, values[old])
    for base in type(found).__mro__:
        if base.__name__ in _MENDERS:
            _MENDERS[base.__name__](found, give)


def _is_asked(found: Any, attribute: str) -> bool:
    """Return whether a class still uses an attribute: as a property it has a value of its own."""
    return not isinstance(inspect.getattr_static(type(found), attribute, None), property)


def _imputer(found: Any, give: Callable[[str, Any], None]) -> None:
    statistics = np.asarray(getattr(found, "statistics_", ()))
    give("_fit_dtype", statistics.dtype)
    give("_fill_dtype", statistics.dtype)
    give("indicator_", None)


def _encoder(found: Any, give: Callable[[str, Any], None]) -> None:
    give("_infrequent_enabled", False)  # noqa: FBT003 - a value
    give("drop_idx_", None)
    give("_drop_idx_after_grouping", getattr(found, "drop_idx_", None))
    give("_missing_indices", {})
    if hasattr(found, "categories_"):
        give("_n_features_outs", [len(categories) for categories in found.categories_])
        give("n_features_in_", len(found.categories_))


def _columns(found: Any, give: Callable[[str, Any], None]) -> None:
    with contextlib.suppress(Exception):
        give("_remainder", ("remainder", found.remainder, []))
        give("_name_to_fitted_passthrough", {})
    names = getattr(found, "_df_columns", None)
    if names is None:
        names = getattr(found, "_feature_names_in", None)
    if names is not None and all(isinstance(one, str) for one in names):
        give("feature_names_in_", np.array([str(one) for one in names], dtype=object))
    count = getattr(found, "_n_features", None)
    if count is not None:
        give("n_features_in_", int(count))
    if hasattr(found, "transformers_"):
        total = int(count or len(names if names is not None else ()))
        given = [str(one) for one in names] if names is not None else []
        indices: Dict[str, Any] = {}
        for name, _, wanted in found.transformers_:
            with contextlib.suppress(Exception):
                indices[name] = _indices(wanted, total, given)
        found.transformers_ = [
            (name, _passing(inner, indices.get(name, []), given), wanted) for name, inner, wanted in found.transformers_
        ]
        give("_transformer_to_input_indices", indices)


def _passing(step: Any, places: Any, names: Any) -> Any:
    """Return the step that today stands for columns handed through: a function that changes nothing."""
    if not (isinstance(step, str) and step == "passthrough"):
        return step
    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415 - loaded long before

    passing = FunctionTransformer(accept_sparse=True, check_inverse=False, feature_names_out="one-to-one")
    passing.n_features_in_ = len(places)
    if names:
        passing.feature_names_in_ = np.array([names[place] for place in places], dtype=object)
    return passing


def _indices(wanted: Any, total: int, names: Any) -> Any:
    from .transformers import places_of  # noqa: PLC0415 - beside its only use

    return places_of(wanted, list(names) if names else [f"feature_{place}" for place in range(total)])


def _boosting(found: Any, give: Callable[[str, Any], None]) -> None:
    if getattr(found, "loss", None) in LOSSES:
        found.loss = LOSSES[found.loss]
    if type(vars(found).get("_loss")).__module__.startswith("sklearn._loss") or not hasattr(found, "_get_loss"):
        return
    if hasattr(found, "estimators_"):
        give("n_trees_per_iteration_", int(found.estimators_.shape[1]))
    vars(found).pop("_loss", None)
    if hasattr(found, "classes_"):
        give("n_classes_", len(found.classes_))
    with contextlib.suppress(Exception):
        give("_loss", found._get_loss(sample_weight=None))  # noqa: SLF001 - no public name


def _histograms(found: Any, give: Callable[[str, Any], None]) -> None:
    _boosting(found, give)
    give("_preprocessor", None)
    give("is_categorical_", None)


def _words(found: Any, give: Callable[[str, Any], None]) -> None:
    diagonal = vars(found).get("_idf_diag")
    if diagonal is not None:
        give("idf_", np.asarray(diagonal.diagonal()))


def _neighbours(found: Any, give: Callable[[str, Any], None]) -> None:
    if hasattr(found, "_fit_X"):
        give("n_samples_fit_", found._fit_X.shape[0])  # noqa: SLF001 - no public name
    give("effective_metric_params_", {})


def _support(found: Any, give: Callable[[str, Any], None]) -> None:
    for today, old in (("_n_support", "n_support_"), ("_probA", "probA_"), ("_probB", "probB_")):
        if old in vars(found):
            give(today, vars(found)[old])
    give("_effective_probability", bool(getattr(found, "probability", False)))


def _tree(found: Any, give: Callable[[str, Any], None]) -> None:  # noqa: ARG001 - as all the others
    """Turn counts of rows in a classifier's leaves into shares, as 1.3 and later keep them."""
    tree = vars(found).get("tree_")
    if tree is None:
        return
    state = tree.__getstate__()
    totals = np.asarray(state["values"]).sum(axis=2, keepdims=True)
    if np.allclose(totals, 1.0):
        return
    state["values"] = np.ascontiguousarray(state["values"] / np.where(totals == 0, 1.0, totals))
    tree.__setstate__(state)


_MENDERS: Dict[str, Callable[[Any, Callable[[str, Any], None]], None]] = {
    "SimpleImputer": _imputer,
    "_BaseEncoder": _encoder,
    "ColumnTransformer": _columns,
    "BaseGradientBoosting": _boosting,
    "BaseHistGradientBoosting": _histograms,
    "TfidfTransformer": _words,
    "DecisionTreeClassifier": _tree,
    "NeighborsBase": _neighbours,
    "BaseLibSVM": _support,
}
