"""``as_then``: a model whose arithmetic later versions changed or dropped answers as its own version did.

Each class here is today's, with the few lines of an older ``predict_proba`` in place of the newer ones. What they are
taken from is named; that they are taken rightly is held by files which those versions wrote, with their answers.
"""

from __future__ import annotations

import contextlib
from typing import Any, List, Set, Tuple

import numpy as np

from .graph import UnservedError

TWO = 2
Version = Tuple[int, ...]


def as_then(found: Any, version: Version, added: Set[str]) -> None:
    """Give ``found`` the arithmetic of ``version`` where today's class answers otherwise; ``added`` is told."""
    for base in type(found).__mro__:
        change = _CHANGES.get(base.__name__)
        if change is not None:
            change(found, version, added)
            return


def _turn(found: Any, added: Set[str], **methods: Any) -> None:
    """Give one object methods of its own, by a class of the same name."""
    kind = type(found)
    found.__class__ = type(kind.__name__, (kind,), {"__module__": kind.__module__, **methods})
    added.add(f"then: {kind.__name__}")


def _logistic(found: Any, version: Version, added: Set[str]) -> None:
    """Keep one class against the rest (``multi_class``), which 1.8 took out."""
    values = vars(found)
    way = values.get("multi_class")
    if way is None or "classes_" not in values:
        return
    count = len(found.classes_)
    one_row = np.atleast_2d(np.asarray(found.coef_)).shape[0] == 1
    if way == "warn" or (way == "auto" and found.solver == "liblinear") or (one_row and version < (0, 20)):
        way = found.multi_class = "ovr"
    if way == "ovr" and count > TWO:
        _turn(found, added, predict_proba=_one_each)
    elif way == "multinomial" and count == TWO and one_row:
        _turn(found, added, predict_proba=_of_both)


def _one_each(self: Any, X: Any) -> Any:  # noqa: N803 - as scikit-learn calls it
    chances = 1.0 / (1.0 + np.exp(-np.asarray(self.decision_function(X), dtype=np.float64)))
    total = chances.sum(axis=1, keepdims=True)
    return np.where(total == 0, 1.0 / chances.shape[1], chances / np.where(total == 0, 1.0, total))


def _of_both(self: Any, X: Any) -> Any:  # noqa: N803 - as above
    scores = np.asarray(self.decision_function(X), dtype=np.float64)
    return _shares(np.column_stack([-scores, scores]))


def _shares(scores: Any) -> Any:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _discriminant(found: Any, version: Version, added: Set[str]) -> None:
    """Keep one class against the rest, as ``LinearDiscriminantAnalysis`` did until 0.20."""
    if version < (0, 21) and len(getattr(found, "classes_", ())) > TWO:
        found.one_each = True
        _turn(found, added, predict_proba=_one_each)


def _ada(found: Any, version: Version, added: Set[str]) -> None:
    """Keep SAMME.R, which 1.6 took out, and the votes of SAMME, which 0.22 and 1.3 counted anew."""
    if not hasattr(found, "estimators_") or not hasattr(found, "classes_"):
        return
    way = getattr(found, "algorithm", "SAMME")
    if way == "SAMME.R":
        _turn(found, added, predict_proba=_boosted_chances, decision_function=_boosted_scores)
    elif version < (0, 22):
        found.votes = "chances"
        _turn(found, added, predict_proba=_boosted_chances, decision_function=_boosted_scores)
    elif version < (1, 3):
        found.votes = "ones"
        _turn(found, added, predict_proba=_boosted_chances, decision_function=_boosted_scores)


def _boosted_parts(self: Any, X: Any, *, scores: bool) -> Any:  # noqa: N803 - as above
    count = len(self.classes_)
    weights = np.asarray(self.estimator_weights_, dtype=np.float64)[: len(self.estimators_)]
    total = 0.0
    for inner, weight in zip(self.estimators_, weights):
        if getattr(self, "algorithm", "SAMME") == "SAMME.R":
            chances = np.asarray(inner.predict_proba(X), dtype=np.float64)
            logs = np.log(np.clip(chances, np.finfo(np.float64).eps, None))
            total = total + (count - 1) * (logs - logs.mean(axis=1, keepdims=True))
        elif getattr(self, "votes", "") == "chances" and not scores:
            total = total + np.asarray(inner.predict_proba(X), dtype=np.float64) * weight
        else:
            total = total + (np.asarray(inner.predict(X))[:, None] == self.classes_[None, :]) * weight
    return np.asarray(total) / np.sum(self.estimator_weights_)


def _boosted_chances(self: Any, X: Any) -> Any:  # noqa: N803 - as above
    return _shares(_boosted_parts(self, X, scores=False) / (len(self.classes_) - 1))


def _boosted_scores(self: Any, X: Any) -> Any:  # noqa: N803 - as above
    parts = _boosted_parts(self, X, scores=True)
    return parts[:, 1] - parts[:, 0] if len(self.classes_) == TWO else parts


def _partial(found: Any, version: Version, added: Set[str]) -> None:
    """Turn the weights of ``PLSRegression``: until 1.2 they lay the other way round, until 1.4 rows were scaled."""
    values = vars(found)
    mean, spread = (values.get(name, values.get(old)) for name, old in (("_x_mean", "x_mean_"), ("_x_std", "x_std_")))
    weights = values.get("coef_", values.get("_coef_"))
    if version >= (1, 5) or weights is None or mean is None:
        return
    weights = np.asarray(weights) if version >= (1, 3) or "_coef_" in values else np.asarray(weights).T
    found.coef_ = weights / np.asarray(spread)
    found._x_mean = mean  # noqa: SLF001 - as today's class keeps it
    found.intercept_ = values.get("intercept_", values.get("_y_mean", values.get("y_mean_")))
    found._predict_1d = len(weights) == 1  # noqa: SLF001 - as above
    added.add(f"{type(found).__name__}.intercept_")


def _outliers(found: Any, version: Version, added: Set[str]) -> None:
    """Count a step for a row that is alone in its leaf, as ``IsolationForest`` did until 0.20."""
    if version >= (0, 21) or not hasattr(found, "_average_path_length_per_tree"):
        return
    if version < (0, 20):
        message = "an IsolationForest counted its cuts otherwise before 0.20: it has no served form"
        raise UnservedError(message)
    lengths = []
    for inner in found.estimators_:
        rows = np.maximum(np.asarray(inner.tree_.n_node_samples, dtype=np.float64), 1.0)
        more = np.maximum(rows - 1.0, 1.0)
        lengths.append(np.where(rows <= 1, 1.0, 2.0 * (np.log(more) + np.euler_gamma) - 2.0 * more / rows))
    found._average_path_length_per_tree = lengths  # noqa: SLF001 - as today's class keeps it
    added.add(f"then: {type(found).__name__}")


def version_of(told: Any) -> Version:
    """Return the numbers of the oldest version among those that a file tells, far in the future for none.

    >>> version_of({"0.24.2"})
    (0, 24, 2)
    """
    import re  # noqa: PLC0415 - beside its only use

    found: List[Version] = [(0, 17)] if "pre-0.18" in told else []
    for one in told:
        with contextlib.suppress(ValueError):
            numbers = tuple(int(part) for part in re.findall(r"\d+", str(one))[:3])
            found += [numbers] if numbers and one != "pre-0.18" else []
    return min(found) if found else (99,)


_CHANGES = {
    "LogisticRegression": _logistic,
    "LinearDiscriminantAnalysis": _discriminant,
    "AdaBoostClassifier": _ada,
    "IsolationForest": _outliers,
    "PLSRegression": _partial,
}
