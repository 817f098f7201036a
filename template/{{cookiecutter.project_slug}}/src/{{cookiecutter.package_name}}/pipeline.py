"""``plan.json`` becomes a scikit-learn pipeline: each column's treatment, then the estimator.

Two families read the columns differently: linear models need gaps filled and one scale, trees take numbers as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from .features import DATE_PARTS, date_parts
from .texts import WEIGHT_DECIMALS, WORD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from .schema import Columns

CATEGORIES_MAX = 40  # one-hot features a column; rarer categories share one
CATEGORY_ROWS_MIN = 5  # a category met less often goes with the rare ones
TERMS_MAX = {"linear": 20_000, "gradient_boosting": 200}  # trees want a dense matrix, linear models take a sparse one
WORDS_A_TERM_MAX = {"linear": 2, "gradient_boosting": 1}


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Seconds since 1970 become year, month, weekday and the rest of ``DATE_PARTS``."""

    def fit(self, X: pd.DataFrame, y: object = None) -> DateParts:  # noqa: ARG002, N803 - scikit-learn's signature
        """Return itself: nothing is learned, only the columns are noted."""
        self.columns_ = [str(name) for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803 - scikit-learn's signature
        """Return the parts of each column side by side, shape (rows, columns * parts)."""
        return np.hstack([date_parts(X[name].to_numpy(dtype=np.float64)) for name in self.columns_])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Return ``<column>_<part>`` for each feature."""
        return np.array([f"{name}_{part}" for name in self.columns_ for part in DATE_PARTS], dtype=object)


class Rounded(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Weights as a dense matrix with ``WEIGHT_DECIMALS`` decimals, so that trees see the same number everywhere."""

    def fit(self, X: Any, y: object = None) -> Rounded:  # noqa: ANN401, ARG002, N803 - scikit-learn's signature
        """Return itself: nothing is learned, only the number of features is noted."""
        self.n_features_in_ = int(X.shape[1])
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803 - scikit-learn's signature
        """Return the rounded weights, shape (rows, terms)."""
        return np.asarray(np.round(X.toarray(), WEIGHT_DECIMALS), dtype=np.float64)


def frame_of(columns: Columns) -> pd.DataFrame:
    """Return canonical columns as the frame that the pipeline reads; texts stay Python ``str``."""
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


@dataclass(frozen=True)
class Predictor:
    """A fitted pipeline with the plan's way of reading its answers."""

    pipeline: Pipeline
    task: str
    classes: int = 0
    target_log: bool = False

    def predict(self, columns: Columns) -> NDArray[np.float64]:
        """Return probabilities, shape (rows, classes), or predicted numbers, shape (rows,)."""
        frame = frame_of(columns)
        if self.task == "regression":
            values = np.asarray(self.pipeline.predict(frame), dtype=np.float64)
            return np.expm1(values) if self.target_log else values
        found = np.asarray(self.pipeline.predict_proba(frame), dtype=np.float64)
        probabilities = np.zeros((len(frame), self.classes))
        probabilities[:, self.pipeline.classes_.astype(int)] = found  # a class that training never met stays at 0
        return probabilities


def fit(
    plan: Mapping[str, Any], candidate: Mapping[str, Any], columns: Columns, target: NDArray[np.float64]
) -> Predictor:
    """Return ``candidate`` fitted to canonical columns and the target (class codes from 0, or numbers)."""
    pipeline = build(plan, candidate)
    classification = plan["task"] != "regression"
    logged = bool(candidate.get("target_log"))
    answer = target.astype(int) if classification else np.log1p(target) if logged else target
    pipeline.fit(frame_of(columns), answer)
    return Predictor(pipeline, plan["task"], classes=len(plan["labels"]), target_log=logged)


def build(plan: Mapping[str, Any], candidate: Mapping[str, Any]) -> Pipeline:
    """Return the unfitted pipeline of one candidate: ``features``, then ``estimator``."""
    family = "linear" if candidate["estimator"] == "linear" else "gradient_boosting"
    return Pipeline(
        [
            # The baseline looks at no column: features of a million rows would cost it a minute and a gigabyte.
            ("features", "passthrough" if candidate["estimator"] == "dummy" else _features(plan, family)),
            ("estimator", _estimator(plan["task"], candidate, seed=plan["seed"])),
        ]
    )


def _features(plan: Mapping[str, Any], family: str) -> ColumnTransformer:
    """Return the transformer of all columns, each named: what is not in the plan is not used."""
    by_treatment: dict[str, list[str]] = {}
    for treatment in plan["treatments"]:
        by_treatment.setdefault(treatment["treatment"], []).append(treatment["column"])
    numbers = by_treatment.get("number", []) + by_treatment.get("boolean", [])
    dates = by_treatment.get("date", [])
    steps: list[tuple[str, Any, Any]] = []
    if numbers:
        steps.append(("numbers", _scaled([]) if family == "linear" else "passthrough", numbers))
    if dates:
        parts = DateParts()
        steps.append(("dates", _scaled([("parts", parts)]) if family == "linear" else parts, dates))
    for index, column in enumerate(by_treatment.get("onehot", [])):
        steps.append((f"onehot_{index}", _one_hot(), [column]))
    for index, column in enumerate(by_treatment.get("target_mean", [])):
        encoder = _target_mean(plan)
        scaled = Pipeline([("encode", encoder), ("scale", StandardScaler())]) if family == "linear" else encoder
        steps.append((f"target_mean_{index}", scaled, [column]))
    for index, column in enumerate(by_treatment.get("text", [])):
        steps.append((f"text_{index}", _words(family), column))
    return ColumnTransformer(steps, sparse_threshold=0.3 if family == "linear" else 0.0)


def _scaled(before: list[tuple[str, Any]]) -> Pipeline:
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return Pipeline([*before, ("impute", impute), ("scale", StandardScaler())])


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(
        min_frequency=CATEGORY_ROWS_MIN, max_categories=CATEGORIES_MAX, handle_unknown="infrequent_if_exist"
    )


def _words(family: str) -> Pipeline:
    vectorizer = TfidfVectorizer(
        token_pattern=WORD.pattern,
        ngram_range=(1, WORDS_A_TERM_MAX[family]),
        max_features=TERMS_MAX[family],
        sublinear_tf=True,
    )
    return Pipeline([("weigh", vectorizer), *([] if family == "linear" else [("round", Rounded())])])


def _target_mean(plan: Mapping[str, Any]) -> TargetEncoder:
    """Return an encoder that learns a row's category from other rows only, so that no row sees its own target."""
    regression = plan["task"] == "regression"
    folds = (KFold if regression else StratifiedKFold)(5, shuffle=True, random_state=plan["seed"])
    return TargetEncoder(target_type="continuous" if regression else plan["task"], cv=folds)


def _estimator(task: str, candidate: Mapping[str, Any], *, seed: int) -> BaseEstimator:
    parameters = dict(candidate.get("parameters", {}))
    classification = task != "regression"
    makers: dict[tuple[str, bool], Callable[..., BaseEstimator]] = {
        ("dummy", True): DummyClassifier,
        ("dummy", False): DummyRegressor,
        ("linear", True): LogisticRegression,
        ("linear", False): Ridge,
        ("gradient_boosting", True): HistGradientBoostingClassifier,
        ("gradient_boosting", False): HistGradientBoostingRegressor,
    }
    maker = makers[candidate["estimator"], classification]
    if maker is not DummyRegressor:
        parameters.setdefault("random_state", seed)
    return maker(**parameters)
