"""What scikit-learn fits is served by its attributes: each form answers as the library, and the rest is named."""

from __future__ import annotations

import functools
import pickle
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, MeanShift
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, KernelPCA, SparsePCA
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next but one importable
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, RANSACRegressor, Ridge, SGDOneClassSVM
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import CategoricalNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, LocalOutlierFactor, NearestCentroid
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
)
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_array
from test_wrapping import difference

from toolkit.artifact import look
from toolkit.caged.bundles import Unopened, unbundled
from toolkit.caged.graph import UnservedError
from toolkit.caged.reading import Reading, read
from toolkit.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IRIS, KINDS = load_iris(as_frame=True, return_X_y=True)
NAMES = np.array(["no", "yes", "perhaps"])[KINDS]
DIABETES, MEASURED = load_diabetes(as_frame=True, return_X_y=True)
DIABETES, MEASURED = DIABETES[:150], MEASURED[:150]
TWO_NUMBERS = np.column_stack([MEASURED, np.sqrt(MEASURED)])
TWO_LABELS = np.column_stack([KINDS == 0, IRIS.iloc[:, 0] > 5.8]).astype(int)
TWO_QUESTIONS = np.column_stack([NAMES, np.where(IRIS.iloc[:, 0] > 5.8, "big", "small")])
LINE = LogisticRegression(max_iter=300)
TREE = DecisionTreeClassifier(max_depth=3, random_state=1)

OF_CLASSES = [
    OneVsRestClassifier(LinearSVC()),
    OneVsRestClassifier(TREE),
    OneVsOneClassifier(LINE),
    OneVsOneClassifier(TREE),
    OutputCodeClassifier(LINE, code_size=3, random_state=1),
    NearestCentroid(),
    NearestCentroid(metric="manhattan"),
    KNeighborsClassifier(metric="chebyshev"),
    KNeighborsClassifier(metric="minkowski", p=3),
    KNeighborsClassifier(metric="cosine"),
    CalibratedClassifierCV(SVC(), cv=2),
    StackingClassifier([("a", SVC()), ("b", LinearSVC())], cv=2),
    BaggingClassifier(SVC(), n_estimators=3, random_state=1),
]
OF_ROWS = [
    OneClassSVM(),
    SGDOneClassSVM(random_state=1),
    EllipticEnvelope(random_state=1),
    Birch(n_clusters=3),
    MeanShift(),
    GaussianMixture(3, random_state=1),
    GaussianMixture(3, covariance_type="tied", random_state=1),
    GaussianMixture(3, covariance_type="diag", random_state=1),
    GaussianMixture(3, covariance_type="spherical", random_state=1),
    BayesianGaussianMixture(n_components=2, random_state=1),
]
OF_NUMBERS = [
    RANSACRegressor(random_state=1),
    KernelRidge(kernel="rbf"),
    KernelRidge(kernel="laplacian"),
    KernelRidge(kernel="poly", degree=2),
    GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel() + DotProduct(), optimizer=None),
    GaussianProcessRegressor(Matern(nu=2.5), alpha=0.1, normalize_y=True, optimizer=None),
    TransformedTargetRegressor(Ridge(), func=np.log2, inverse_func=np.exp2),
    TransformedTargetRegressor(Ridge(), transformer=RobustScaler()),
    TransformedTargetRegressor(Ridge(), transformer=PowerTransformer()),
    TransformedTargetRegressor(Ridge(), transformer=QuantileTransformer(n_quantiles=20)),
]
STEPS = [
    QuantileTransformer(n_quantiles=30),
    SplineTransformer(n_knots=4),
    SplineTransformer(extrapolation="linear", include_bias=False),
    SplineTransformer(extrapolation="periodic"),
    Nystroem(n_components=10, random_state=1),
    RBFSampler(n_components=10, random_state=1),
    KernelPCA(2, kernel="rbf"),
    FastICA(2, random_state=1),
    FactorAnalysis(2),
    SparsePCA(2, random_state=1, max_iter=20),
    FunctionTransformer(np.cbrt),
    FunctionTransformer(np.tanh),
    KNNImputer(),
    IterativeImputer(max_iter=2),
]
OF_SEVERAL = [
    MultiOutputRegressor(Ridge()),
    RegressorChain(LinearRegression(), order=[1, 0]),
    LinearRegression(),
    DecisionTreeRegressor(max_depth=4, random_state=1),
    RandomForestRegressor(5, random_state=1),
    KNeighborsRegressor(),
    MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=1),
]


def kind_of(model: Any) -> str:
    return type(model).__name__


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", OF_CLASSES, ids=kind_of)
@pytest.mark.parametrize("classes", [2, 3])
def test_what_asks_others_for_a_class_answers_as_its_library(model: Any, classes: int) -> None:
    kept = classes > KINDS
    reading = read(model.fit(IRIS[kept], NAMES[kept]), rows=100, seed=1)
    assert sorted(reading.document["classes"]) == sorted(set(NAMES[kept]))
    assert difference(reading) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", OF_ROWS, ids=kind_of)
def test_what_learned_without_answers_says_which_group_a_row_is_of(model: Any) -> None:
    assert difference(read(model.fit(IRIS), rows=100, seed=1)) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", OF_NUMBERS, ids=kind_of)
def test_kernels_and_changed_targets_answer_as_their_library(model: Any) -> None:
    reading = read(model.fit(DIABETES, MEASURED), rows=100, seed=1)
    assert reading.document["answer"] == "number"
    assert difference(reading) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", STEPS, ids=kind_of)
def test_a_step_before_a_model_prepares_rows_as_its_library(step: Any) -> None:
    holes = DIABETES.mask(np.random.default_rng(1).random(DIABETES.shape) < 0.1)
    rows = holes if kind_of(step).endswith("Imputer") else DIABETES
    reading = read(make_pipeline(step, Ridge()).fit(rows, MEASURED), rows=100, seed=1)
    assert difference(reading) < 1e-9


@pytest.mark.filterwarnings("ignore")
def test_quantiles_of_the_normal_curve_are_right_to_six_digits() -> None:
    normal = QuantileTransformer(n_quantiles=30, output_distribution="normal")
    before = read(make_pipeline(normal, Ridge()).fit(DIABETES, MEASURED), rows=100, seed=1)
    behind = read(TransformedTargetRegressor(Ridge(), transformer=normal).fit(DIABETES, MEASURED), rows=100, seed=1)
    assert max(difference(before), difference(behind)) < 1e-6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", OF_SEVERAL, ids=kind_of)
def test_several_numbers_a_row_are_a_list(model: Any) -> None:
    reading = read(model.fit(DIABETES, TWO_NUMBERS), rows=100, seed=1)
    assert (reading.document["answer"], reading.document["answer_shape"]) == ("tensor", [2])
    assert difference_of_several(reading) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "wanted", "width"),
    [
        (OneVsRestClassifier(LINE), TWO_LABELS, 2),
        (ClassifierChain(LINE), TWO_LABELS, 2),
        (MultiOutputClassifier(LINE), TWO_QUESTIONS, 5),
        (RandomForestClassifier(5, random_state=1), TWO_QUESTIONS, 5),
    ],
    ids=["labels", "chain", "questions", "forest"],
)
def test_chances_of_several_answers_are_a_list_and_told(model: Any, wanted: Any, width: int) -> None:
    reading = read(model.fit(IRIS, wanted), rows=100, seed=1)
    assert reading.document["answer_shape"] == [width]
    assert any("chances" in finding for finding in reading.document["findings"])
    assert difference_of_several(reading) < 1e-9


def difference_of_several(reading: Reading) -> float:
    reading.document["classes"] = None
    return difference(reading)


def test_a_threshold_of_ones_own_decides_the_class() -> None:
    kept = KINDS < 2
    model = FixedThresholdClassifier(LINE, threshold=0.2).fit(IRIS[kept], NAMES[kept])
    reading = read(model, rows=100, seed=1)
    assert reading.document["answer"] == "labels"
    assert difference(reading) < 1e-9


def test_counted_categories_are_asked_for_as_numbers() -> None:
    rows = IRIS.round().astype(int)
    reading = read(CategoricalNB().fit(rows, NAMES), rows=100, seed=1)
    assert difference(reading) < 1e-9


def test_steps_that_only_rise_are_served_where_they_stay_flat_outside() -> None:
    column = DIABETES[["bmi"]]
    assert difference(read(IsotonicRegression(out_of_bounds="clip").fit(column, MEASURED), rows=100, seed=1)) < 1e-9
    with pytest.raises(UnservedError, match="outside of what it learned"):
        read(IsotonicRegression().fit(column, MEASURED), rows=10, seed=1)


@pytest.mark.parametrize("told", ["from_dtype", [1]], ids=["by their type", "by their place"])
def test_histogram_boosting_reads_its_own_categories(told: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    words = pd.Series(generator.choice(["x", "y", "z"], 200))
    rows = pd.DataFrame({"size": generator.normal(size=200), "kind": words.astype("category")})
    answers = ((rows["size"] > 0) ^ (words == "x")).astype(int)
    rows = rows if told == "from_dtype" else rows.assign(kind=rows["kind"].cat.codes.astype(float))
    file = tmp_path / "model.joblib"
    joblib.dump(HistGradientBoostingClassifier(max_iter=5, categorical_features=told).fit(rows, answers), file)
    assert look(file).servable
    assert difference(read(joblib.load(file), rows=100, seed=1)) < 1e-9


class Sly:
    """A ``partial`` of the check that becomes another function's when it is opened."""

    def __reduce__(self) -> Any:
        return functools.partial, (check_array,), (np.log1p, (), {}, None)


@pytest.mark.parametrize(
    "held", [functools.partial(np.log1p), functools.partial(print, "opened"), Sly()], ids=["arithmetic", "print", "sly"]
)
def test_a_partial_of_anything_but_the_check_of_arrays_stays_refused(held: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(FunctionTransformer(held)))
    assert not look(file).servable
    file.write_bytes(pickle.dumps(FunctionTransformer(functools.partial(check_array, dtype=None))))
    assert {one.verdict for one in look(file).opens} == {"harmless"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "why"),
    [
        (LocalOutlierFactor(novelty=True), "LocalOutlierFactor has no served form"),
        (make_pipeline(IterativeImputer(sample_posterior=True), LINE), "they differ each time"),
        (CalibratedClassifierCV(LINE, method="temperature", cv=2), "by temperature"),
    ],
    ids=["outliers", "drawn", "temperature"],
)
def test_what_has_no_exact_form_is_named(model: Any, why: str) -> None:
    with pytest.raises(UnservedError, match=why):
        read(model.fit(IRIS, NAMES), rows=10, seed=1)


class Resampling:
    """A sampler as imbalanced-learn has them: it chooses rows of training, and nothing else passes it."""

    def fit_resample(self, rows: Any, answers: Any) -> Any:
        """Return every second row."""
        return rows[::2], answers[::2]


class Sampled(Pipeline):  # type: ignore[misc] # scikit-learn has no types
    """A pipeline as imbalanced-learn has it."""

    def _iter(self, **asked: Any) -> Iterator[tuple[int, str, Any]]:
        return (step for step in super()._iter(**asked) if not hasattr(step[2], "fit_resample"))


def test_a_sampler_between_the_steps_changes_no_answer() -> None:
    scaler = RobustScaler().fit(IRIS)
    line = LogisticRegression(max_iter=300).fit(scaler.transform(IRIS), NAMES)
    reading = read(Sampled([("scale", scaler), ("sample", Resampling()), ("line", line)]), rows=100, seed=1)
    assert reading.document["answer"] == "probabilities"
    assert difference(reading) < 1e-9


@pytest.mark.parametrize(
    ("module", "name", "verdict"),
    [
        ("imblearn.pipeline", "Pipeline", "harmless"),
        ("imblearn.over_sampling._smote.base", "SMOTE", "harmless"),
        ("imblearn.datasets", "fetch_datasets", "unknown"),
        ("pyarrow.lib", "_restore_array", "harmless"),
        ("pyarrow.lib", "memory_map", "dangerous"),
    ],
)
def test_samplers_and_columns_of_texts_may_be_opened_and_their_neighbours_not(
    module: str, name: str, verdict: str
) -> None:
    assert judge(module, name, "called")[0] == verdict


@pytest.mark.parametrize("step", [DictVectorizer(), HashingVectorizer(n_features=8)], ids=kind_of)
def test_a_step_that_counts_no_columns_is_named(step: Any) -> None:
    rows = [{"a": 1.0}, {"b": 2.0}] * 5 if isinstance(step, DictVectorizer) else ["good film", "bad film"] * 5
    model = make_pipeline(step, LINE).fit(rows, [0, 1] * 5)
    with pytest.raises(UnservedError, match=f"its first step, {kind_of(step)}, does not tell how many columns"):
        read(model, rows=100, seed=1)


def steps_of(model: Any) -> list[str]:
    return [kind_of(step) for _, step in model.steps]


def test_steps_beside_a_model_are_put_in_the_one_order_that_fits() -> None:
    rows = IRIS.to_numpy()
    scaler = RobustScaler().fit(rows)
    fewer = PCA(2).fit(scaler.transform(rows))
    line = LogisticRegression(max_iter=300).fit(fewer.transform(scaler.transform(rows)), NAMES)
    found = unbundled({"model": line, "pca": fewer, "scaler": scaler})
    assert steps_of(found.model) == ["RobustScaler", "PCA", "LogisticRegression"]
    assert found.findings == [
        "a RobustScaler, then a PCA lies beside the model, of as many columns as the model reads: rows pass it first"
    ]
    expected = line.predict_proba(fewer.transform(scaler.transform(rows)))
    assert np.allclose(found.model.predict_proba(rows), expected)


def test_gaps_are_filled_before_rows_are_scaled_and_two_scales_are_refused() -> None:
    rows = IRIS.to_numpy()
    line = LogisticRegression(max_iter=300).fit(rows, NAMES)
    filled, scaled, spread = SimpleImputer().fit(rows), RobustScaler().fit(rows), PowerTransformer().fit(rows)
    found = unbundled({"model": line, "a": scaled, "b": filled})
    assert steps_of(found.model) == ["SimpleImputer", "RobustScaler", "LogisticRegression"]
    with pytest.raises(UnservedError, match="fits before it in several ways"):
        unbundled({"model": line, "a": scaled, "b": spread})


def test_what_lies_beside_a_model_that_names_its_columns_is_told_with_the_reason() -> None:
    line = LogisticRegression(max_iter=300).fit(IRIS, NAMES)
    found = unbundled({"model": line, "scaler": RobustScaler().fit(IRIS), "scaler.pkl": Unopened()})
    assert found.model is line
    assert found.findings == [
        (
            "a RobustScaler lies beside the model and is not applied: the model prepares rows itself, or names columns "
            "of its own"
        ),
        "scaler.pkl lies beside the model and is not applied: it does not open",
    ]
