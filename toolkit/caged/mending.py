"""``mended``: what an older version wrote gets the attributes that today's methods look for.

Only what has one possible value is added: a parameter's default that did not exist then, or the new name of an old
attribute. The proof asks the mended model, and the graph is made of the old attributes, so that each checks the other.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any, Callable, Collection, Dict, List, Set

import numpy as np

from .ages import Version, as_then, version_of
from .opening import Lost
from .widths import width_of

DEPTH_MAX = 60
LOSSES = {
    "deviance": "log_loss",
    "log": "log_loss",
    "ls": "squared_error",
    "lad": "absolute_error",
    "squared_loss": "squared_error",
    "least_squares": "squared_error",
    "least_absolute_deviation": "absolute_error",
    "binary_crossentropy": "log_loss",
    "categorical_crossentropy": "log_loss",
    "auto": "log_loss",
}
# Today's parameters and attributes, and what they were called.
PARAMETERS = {"estimator": "base_estimator", "sparse_output": "sparse"}
ATTRIBUTES = {
    "var_": "sigma_",
    "estimator_": "base_estimator_",
    "_drop_idx_after_grouping": "drop_idx_",
    "_label_encoder": "_le",
    "_bin_mapper": "bin_mapper_",
    "X_thresholds_": "_necessary_X_",
    "y_thresholds_": "_necessary_y_",
}


def mended(model: Any, *, versions: Collection[str] = ()) -> Set[str]:
    """Bring every estimator in ``model`` up to date, in place, and return what was added, as ``Class.attribute``.

    ``versions`` are those that the file says wrote it: some answered otherwise with the same attributes.
    """
    added: Set[str] = set()
    _walk(model, set(), added, version_of(versions), 0)
    return added


def _walk(found: Any, seen: Set[int], added: Set[str], version: Version, depth: int) -> None:
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
        if isinstance(found, Lost):
            return
        _mend(found, added)
        inner = list(vars(found).values())
    else:
        return
    for one in inner:
        _walk(one, seen, added, version, depth + 1)
    if hasattr(found, "__dict__"):
        as_then(found, version, added)


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
            old = PARAMETERS.get(parameter)
            give(parameter, values.get(old, facts.default) if old else facts.default)
    for today, old in ATTRIBUTES.items():
        if old in values and _is_asked(found, today):
            give(today, values[old])
    for base in type(found).__mro__:
        if base.__name__ in _MENDERS:
            _MENDERS[base.__name__](found, give)
    if hasattr(found, "get_params") and not _is_asked_of_others(found):
        width = width_of(found)
        if width:
            give("n_features_in_", width)


def _is_asked_of_others(found: Any) -> bool:
    return not _is_asked(found, "n_features_in_") or type(found).__name__ in {"LabelEncoder", "LabelBinarizer"}


def _is_asked(found: Any, attribute: str) -> bool:
    """Return whether a class still uses an attribute: as a property it has a value of its own."""
    return not isinstance(inspect.getattr_static(type(found), attribute, None), property)


def _is_of_today(found: Any) -> bool:
    """Return whether the class at hand is of 1.2 or later, which hold parameters against their constraints."""
    return hasattr(type(found), "_parameter_constraints")


def _function(found: Any, _give: Callable[[str, Any], None]) -> None:
    """Call a setting of scikit-learn's check of arrays by its name of today."""
    settings = dict(getattr(found.func, "keywords", None) or {})
    check = getattr(found.func, "func", None)
    if (
        check is not None
        and "force_all_finite" in settings
        and "ensure_all_finite" in inspect.signature(check).parameters
    ):
        settings["ensure_all_finite"] = settings.pop("force_all_finite")
        found.func = functools.partial(check, **settings)


def _imputer(found: Any, give: Callable[[str, Any], None]) -> None:
    if isinstance(found.missing_values, str) and found.missing_values == "NaN":  # as ``Imputer`` wrote it until 0.21
        found.missing_values = np.nan
    statistics = np.asarray(getattr(found, "statistics_", ()))
    give("_fit_dtype", statistics.dtype)
    give("_fill_dtype", statistics.dtype)
    give("indicator_", None)
    if found.indicator_ is not None and hasattr(found, "_fit_indicator"):
        vars(found.indicator_).setdefault("_precomputed", True)


def _encoder(found: Any, give: Callable[[str, Any], None]) -> None:
    _by_places(found)
    if type(found).__name__ == "ColumnTransformer":  # it was asked to take some of its columns alone
        _columns(found, give)
        return
    if found.categories is None:
        found.categories = "auto"
    give("_infrequent_enabled", False)  # noqa: FBT003 - a value
    give("drop_idx_", None)
    give("_drop_idx_after_grouping", getattr(found, "drop_idx_", None))
    give("_missing_indices", {})
    if hasattr(found, "categories_"):
        found.categories_ = [_as_numbers(categories) for categories in found.categories_]
        drops = getattr(found, "drop_idx_", None)
        dropped = [0 if drops is None or drops[place] is None else 1 for place in range(len(found.categories_))]
        give("_n_features_outs", [len(one) - less for one, less in zip(found.categories_, dropped)])


def _as_numbers(categories: Any) -> Any:
    """Return categories that are numbers among Python's objects as numbers, as the rows will have them."""
    plain = (int, float, np.integer, np.floating)
    if categories.dtype != object or not all(
        isinstance(one, plain) and not isinstance(one, bool) for one in categories
    ):
        return categories
    return categories.astype(np.float64)


def _by_places(found: Any) -> None:
    """Name the categories of a ``OneHotEncoder`` that knows its columns as runs of places, as it did until 0.21."""
    values = vars(found)

    def old(name: str) -> Any:  # with a line before it in 0.20 and 0.21
        return values.get(f"_{name}_", values.get(f"{name}_"))

    places, asked = old("feature_indices"), values.get("_n_values", values.get("n_values"))
    if places is None or values.get("_legacy_mode") is False:
        return
    active = old("active_features")
    ends = np.asarray(places).tolist()
    known = np.asarray(active) if isinstance(asked, str) and active is not None else np.arange(ends[-1])
    runs = [(known >= low) & (known < high) for low, high in zip(ends[:-1], ends[1:])]  # noqa: RUF007 - Python 3.8
    found.categories_ = [(known[run] - low).astype(np.float64) for run, low in zip(runs, ends)]
    chosen = values.get("_categorical_features", values.get("categorical_features"))
    if chosen is None or (isinstance(chosen, str) and chosen == "all"):
        return
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - loaded long before

    chosen = np.asarray(chosen)
    count = len(chosen) if chosen.dtype == bool else values.pop("_count", 0)
    inner = object.__new__(type(found))
    vars(inner).update({**values, "_categorical_features": "all", "categorical_features": "all"})
    taken = np.flatnonzero(chosen).tolist() if chosen.dtype == bool else [int(one) for one in chosen]
    rest = [place for place in range(count) if place not in taken]
    outer = ColumnTransformer([("categories", inner, taken)], remainder="passthrough")
    outer.transformers_ = [("categories", inner, taken), *([("remainder", "passthrough", rest)] if rest else [])]
    outer.sparse_output_ = False
    if count:
        outer._n_features = count  # noqa: SLF001 - as that class keeps it
    values.clear()
    found.__class__ = ColumnTransformer
    values.update(vars(outer))


def _steps(found: Any, give: Callable[[str, Any], None]) -> None:  # noqa: ARG001 - as all the others
    """Count the columns of a ``OneHotEncoder`` that takes some by their places: what comes behind it tells."""
    for (_, step), (_, following) in zip(found.steps, found.steps[1:]):
        values = vars(step) if type(step).__name__ == "OneHotEncoder" else {}
        chosen, behind = values.get("_categorical_features", values.get("categorical_features")), width_of(following)
        if chosen is None or isinstance(chosen, str) or not behind:
            continue
        made = values.get("_active_features_", values.get("active_features_"))
        places = values.get("_feature_indices_", values.get("feature_indices_"))
        if places is not None:
            encoded = len(made) if made is not None else int(places[-1])
            values["_count"] = len(np.asarray(chosen)) + behind - encoded


def _columns(found: Any, give: Callable[[str, Any], None]) -> None:
    with contextlib.suppress(Exception):
        give("_remainder", ("remainder", found.remainder, []))
        give("_name_to_fitted_passthrough", {})
    names = _first_of(found, "feature_names_in_", "_df_columns", "_feature_names_in")
    if names is None:
        names = _names_asked(found)
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


def _first_of(found: Any, *names: str) -> Any:
    return next((vars(found)[name] for name in names if vars(found).get(name) is not None), None)


def _names_asked(found: Any) -> Any:
    """Return names for all columns of a frame of which 0.20 kept those alone that its steps ask for by name."""
    named: List[str] = []
    numbered: Set[int] = set()
    for _, _, wanted in getattr(found, "transformers_", ()):
        for one in [wanted] if isinstance(wanted, (str, int)) else wanted if isinstance(wanted, (list, tuple)) else []:
            if isinstance(one, str) and one not in named:
                named.append(one)
            elif isinstance(one, (int, np.integer)) and not isinstance(one, bool):
                numbered.add(int(one))
    if not named:
        return None
    known = vars(found).get("_n_features") or 0
    count = max([known, len(named) + len(numbered), *(place + 1 for place in numbered)])
    left = iter(named)
    return [f"feature_{place}" if place in numbered else next(left, f"feature_{place}") for place in range(count)]


def _passing(step: Any, places: Any, names: Any) -> Any:
    """Return the step that today stands for columns handed through: a function that changes nothing."""
    if not (isinstance(step, str) and step == "passthrough"):
        return step
    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415 - loaded long before

    if "feature_names_out" not in inspect.signature(FunctionTransformer.__init__).parameters:
        return step  # so it was until 1.1
    passing = FunctionTransformer(accept_sparse=True, check_inverse=False, feature_names_out="one-to-one")
    passing.n_features_in_ = len(places)
    if names:
        passing.feature_names_in_ = np.array([names[place] for place in places], dtype=object)
    return passing


def _indices(wanted: Any, total: int, names: Any) -> Any:
    from .transformers import places_of  # noqa: PLC0415 - beside its only use

    return places_of(wanted, list(names) if names else [f"feature_{place}" for place in range(total)])


def _losses(found: Any, give: Callable[[str, Any], None]) -> None:  # noqa: ARG001 - as all the others
    if _is_of_today(found) and getattr(found, "loss", None) in LOSSES:
        found.loss = LOSSES[found.loss]


def _start(found: Any) -> None:
    """Give boosting a start of today: until 0.20 it had classes of its own for that, which are gone."""
    first = vars(found).get("init_")
    if not isinstance(first, Lost):
        return
    from sklearn.dummy import DummyClassifier, DummyRegressor  # noqa: PLC0415 - loaded long before

    held = vars(first)
    if "classes_" not in vars(found):
        constant = held.get("mean", held.get("quantile"))
        if constant is None:
            found.init_ = "zero"
            return
        found.init_ = DummyRegressor(strategy="constant", constant=constant)
        found.init_.constant_ = np.full((1, 1), float(np.ravel(constant)[0]))
        found.init_.n_outputs_ = 1
        return
    if "prior" in held:  # the logarithm of odds, halved for the exponential loss
        odds = float(np.ravel(held["prior"])[0]) * (2.0 if found.loss == "exponential" else 1.0)
        chances = np.array([1.0 / (1.0 + np.exp(odds)), 1.0 / (1.0 + np.exp(-odds))])
    elif "priors" in held:  # which were added as they are: today their logarithms are
        raised = np.exp(np.asarray(held["priors"], dtype=np.float64))
        chances = raised / raised.sum()
    else:
        found.init_ = "zero"
        return
    found.init_ = DummyClassifier(strategy="prior")
    for name, value in (("class_prior_", chances), ("n_outputs_", 1), ("sparse_output_", False)):
        setattr(found.init_, name, value)
    found.init_.classes_ = np.arange(len(chances))
    found.init_.n_classes_ = len(chances)
    found.init_._strategy = "prior"  # noqa: SLF001 - no public name


def _boosting(found: Any, give: Callable[[str, Any], None]) -> None:
    _losses(found, give)
    _start(found)
    known = type(vars(found).get("_loss")).__module__.startswith("sklearn._loss")
    if known or not hasattr(found, "_get_loss") or not _is_of_today(found):
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
    baseline = np.asarray(vars(found).get("_baseline_prediction", 0.0))
    if _is_of_today(found) and baseline.size > 1 and baseline.shape[0] != 1:  # a column until 1.0, now a row
        found._baseline_prediction = baseline.reshape(1, -1)  # noqa: SLF001 - no public name


def _cuts(found: Any, give: Callable[[str, Any], None]) -> None:
    give("is_categorical_", np.zeros(len(getattr(found, "bin_thresholds_", ())), dtype=np.uint8))


def _words(found: Any, give: Callable[[str, Any], None]) -> None:
    diagonal = vars(found).get("_idf_diag")
    if diagonal is not None:
        give("idf_", np.asarray(diagonal.diagonal()))


def _neighbours(found: Any, give: Callable[[str, Any], None]) -> None:
    if getattr(found, "_fit_X", None) is not None:
        give("n_samples_fit_", found._fit_X.shape[0])  # noqa: SLF001 - no public name
    give("effective_metric_params_", {})
    if isinstance(vars(found).get("_tree"), Lost):
        from sklearn.neighbors import BallTree, KDTree  # noqa: PLC0415 - loaded long before

        grown = {"kd_tree": KDTree, "ball_tree": BallTree}.get(found._fit_method)  # noqa: SLF001 - no public name
        found._tree = None  # noqa: SLF001 - as above
        if grown is not None:
            metric, more = found.effective_metric_, found.effective_metric_params_ or {}
            found._tree = grown(found._fit_X, found.leaf_size, metric=metric, **more)  # noqa: SLF001 - as above


def _ensemble(found: Any, give: Callable[[str, Any], None]) -> None:
    give("estimator", vars(found).get("base_estimator"))


def _ridge(found: Any, give: Callable[[str, Any], None]) -> None:
    labels = vars(found).get("_label_binarizer")
    if labels is not None:
        give("classes_", labels.classes_)


def _generalized(found: Any, give: Callable[[str, Any], None]) -> None:
    if hasattr(found, "_get_loss"):
        give("_base_loss", found._get_loss())  # noqa: SLF001 - no public name


def _clusters(found: Any, give: Callable[[str, Any], None]) -> None:  # noqa: ARG001 - as all the others
    give("_n_threads", 1)


def _gaps(found: Any, give: Callable[[str, Any], None]) -> None:  # noqa: ARG001 - as all the others
    give("_precomputed", False)  # noqa: FBT003 - a value


def _calibrated(found: Any, give: Callable[[str, Any], None]) -> None:
    values = vars(found)
    give("estimator", values.get("base_estimator"))
    give("calibrators", values.get("calibrators_"))
    labels = values.get("label_encoder_")
    if labels is not None:
        values["classes"] = labels.classes_


def _straight_lines(found: Any, give: Callable[[str, Any], None]) -> None:
    if "X_thresholds_" in vars(found) and not callable(vars(found).get("f_")):
        found._build_f(found.X_thresholds_, found.y_thresholds_)  # noqa: SLF001 - no public name
        give("increasing_", True)  # noqa: FBT003 - a value


def _powers(found: Any, give: Callable[[str, Any], None]) -> None:
    if isinstance(getattr(found, "degree", None), int):
        give("_min_degree", 0)
        give("_max_degree", found.degree)
        give("_n_out_full", vars(found).get("n_output_features_"))


def _support(found: Any, give: Callable[[str, Any], None]) -> None:
    for today, old in (("_n_support", "n_support_"), ("_probA", "probA_"), ("_probB", "probB_")):
        if old in vars(found):
            give(today, vars(found)[old])
    give("_effective_probability", bool(getattr(found, "probability", False)))
    if not hasattr(found, "classes_") and hasattr(found, "support_vectors_"):  # until 0.21 nobody counted them there
        count = found.support_vectors_.shape[0]
        found._n_support = np.array([count, count], dtype=np.int32)  # noqa: SLF001 - no public name


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


def _centroids(found: Any, give: Callable[[str, Any], None]) -> None:
    count = len(getattr(found, "classes_", ())) or 1
    give("class_prior_", np.full(count, 1.0 / count))  # until 1.5 it knew no other: the nearest alone decides


def _processes(found: Any, give: Callable[[str, Any], None]) -> None:
    give("_y_train_mean", vars(found).get("y_train_mean", np.zeros(1)))
    give("_y_train_std", np.ones(np.shape(found._y_train_mean)))  # noqa: SLF001 - no public name


def _outliers(found: Any, give: Callable[[str, Any], None]) -> None:
    if not hasattr(found, "estimators_") or not hasattr(type(found), "_compute_score_samples"):
        return
    from sklearn.ensemble import _iforest  # noqa: PLC0415 - loaded long before

    values, trees = vars(found), [one.tree_ for one in found.estimators_]
    cut = values.get("_threshold_", values.get("threshold_"))
    if cut is not None and values.get("behaviour", "old") == "old":  # until 0.21 half a point stood for the cut
        found.offset_ = float(cut) - 0.5
    give("_average_path_length_per_tree", [_iforest._average_path_length(tree.n_node_samples) for tree in trees])  # noqa: SLF001
    if hasattr(trees[0], "compute_node_depths"):
        give("_decision_path_lengths", [tree.compute_node_depths() for tree in trees])


def _near_gaps(found: Any, give: Callable[[str, Any], None]) -> None:
    if hasattr(found, "_fit_X"):
        known = np.asarray(found._fit_X, dtype=np.float64)  # noqa: SLF001 - no public name
        give("_mask_fit_X", np.isnan(known))
        give("_valid_mask", ~np.isnan(known).all(axis=0))


def _gaps_in_turn(found: Any, give: Callable[[str, Any], None]) -> None:
    first = vars(found).get("initial_imputer_")
    if first is not None:
        empty = np.isnan(np.asarray(first.statistics_, dtype=np.float64))
        give("_is_empty_feature", empty)
        for bound in ("_min_value", "_max_value"):
            if np.ndim(vars(found).get(bound, empty)) == 0:  # until 0.22 one for all columns
                setattr(found, bound, np.full(len(empty), float(vars(found)[bound])))


def _kernel_components(found: Any, give: Callable[[str, Any], None]) -> None:
    if hasattr(found, "X_fit_"):
        give("eigenvalues_", vars(found).get("lambdas_"))
        give("eigenvectors_", vars(found).get("alphas_"))
        give("gamma_", found.gamma if found.gamma is not None else 1.0 / found.X_fit_.shape[1])


def _constant(found: Any, give: Callable[[str, Any], None]) -> None:
    strategy = getattr(found, "strategy", "")
    give("_strategy", "prior" if strategy == "warn" else strategy)


_MENDERS: Dict[str, Callable[[Any, Callable[[str, Any], None]], None]] = {
    "FunctionTransformer": _function,
    "Pipeline": _steps,
    "NearestCentroid": _centroids,
    "GaussianProcessRegressor": _processes,
    "IsolationForest": _outliers,
    "KNNImputer": _near_gaps,
    "IterativeImputer": _gaps_in_turn,
    "KernelPCA": _kernel_components,
    "DummyClassifier": _constant,
    "SimpleImputer": _imputer,
    "_BaseEncoder": _encoder,
    "ColumnTransformer": _columns,
    "BaseGradientBoosting": _boosting,
    "BaseHistGradientBoosting": _histograms,
    "_BinMapper": _cuts,
    "TfidfTransformer": _words,
    "DecisionTreeClassifier": _tree,
    "NeighborsBase": _neighbours,
    "BaseLibSVM": _support,
    "BaseEnsemble": _ensemble,
    "BaseSGD": _losses,
    "_RidgeClassifierMixin": _ridge,
    "_GeneralizedLinearRegressor": _generalized,
    "_BaseKMeans": _clusters,
    "MissingIndicator": _gaps,
    "_CalibratedClassifier": _calibrated,
    "IsotonicRegression": _straight_lines,
    "PolynomialFeatures": _powers,
}
