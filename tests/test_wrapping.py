"""A model that somebody else made is served as it was: read, written down, and held against its own library."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import DATASETS
from kaggle_stub import Stub
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    LabelEncoder,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from toolkit.artifact import look
from toolkit.cage import Caged, read_caged
from toolkit.caged.mending import mended
from toolkit.caged.reading import read
from toolkit.download import Provenance
from toolkit.errors import ArtifactError
from toolkit.graphs import model_of
from toolkit.wrapping import TOLERANCE, Wishes, Wrapped, describe_model, read_model, wrap, wrap_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome
    from numpy.typing import NDArray

IRIS = load_iris(as_frame=True)
DIABETES = load_diabetes(as_frame=True)

CLASSIFIERS = [
    LogisticRegression(max_iter=500),
    make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
    SGDClassifier(loss="log_loss", random_state=1),
    SGDClassifier(loss="modified_huber", random_state=1),
    LinearDiscriminantAnalysis(),
    GaussianNB(),
    BernoulliNB(binarize=2.0),
    DecisionTreeClassifier(random_state=1),
    RandomForestClassifier(20, random_state=1),
    GradientBoostingClassifier(n_estimators=10, random_state=1),
    HistGradientBoostingClassifier(max_iter=10),
    AdaBoostClassifier(n_estimators=5, random_state=1),
    KNeighborsClassifier(),
    KNeighborsClassifier(weights="distance"),
    MLPClassifier((8,), max_iter=20, random_state=1),
    CalibratedClassifierCV(GaussianNB(), cv=3),
    CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2), method="isotonic", cv=3),
    VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(max_depth=2))], voting="soft"),
    StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(max_depth=2))], cv=2),
    GridSearchCV(make_pipeline(MinMaxScaler(), LogisticRegression()), {"logisticregression__C": [1, 2]}, cv=2),
    make_pipeline(PolynomialFeatures(2), PCA(3, whiten=True), LogisticRegression()),
    make_pipeline(SelectKBest(k=2), KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), LogisticRegression()),
    make_pipeline(PowerTransformer(), LogisticRegression()),
    make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=500)),
]
REGRESSORS = [
    Ridge(),
    PoissonRegressor(),
    DecisionTreeRegressor(random_state=1),
    ExtraTreesRegressor(10, random_state=1),
    GradientBoostingRegressor(n_estimators=10, random_state=1),
    HistGradientBoostingRegressor(max_iter=10),
    BaggingRegressor(n_estimators=3, random_state=1),
    KNeighborsRegressor(weights="distance"),
    SVR(),
    TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
]


def served(caged: Caged | Any) -> NDArray[np.float64]:
    """Return what ONNX Runtime answers to the drawn rows of a model that reads no texts."""
    import onnxruntime

    document, rows = caged.document, caged.document["rows"]
    blocks = []
    for step in document["encoder"]["steps"]:
        if step["step"] == "numbers":
            blocks += [[[np.nan if row[name] is None else row[name]] for row in rows] for name in step["columns"]]
        else:
            name = step["column"]
            blocks.append([step["vectors"].get("" if row[name] is None else row[name], step["unseen"]) for row in rows])
    features = np.hstack([np.asarray(block, dtype=np.float64) for block in blocks])
    graph = model_of(
        document["nodes"],
        caged.arrays,
        document["output"],
        width=features.shape[1],
        answers=caged.arrays["answers"].shape[1],
    )
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found: NDArray[np.float64] = session.run(None, {"features": features})[0]
    return found


def difference(caged: Caged | Any) -> float:
    expected = caged.arrays["answers"]
    return float(np.max(np.abs(served(caged) - expected) / np.maximum(1.0, np.abs(expected))))


def name_of(model: Any) -> str:
    return "-".join(type(step).__name__ for _, step in model.steps) if hasattr(model, "steps") else type(model).__name__


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=name_of)
def test_a_classifier_answers_as_its_own_library(model: Any, classes: int) -> None:
    rows = IRIS.target < 2 if classes == 2 else slice(None)
    labels = np.array(["no", "yes", "perhaps"])[IRIS.target[rows]]
    reading = read(model.fit(IRIS.data[rows], labels), rows=200, seed=1)
    assert (reading.document["answer"], len(reading.document["classes"])) == ("probabilities", classes)
    assert np.ptp(reading.arrays["answers"]) > 0
    assert difference(reading) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", REGRESSORS, ids=name_of)
def test_a_number_is_the_librarys_own(model: Any) -> None:
    reading = read(model.fit(DIABETES.data, DIABETES.target), rows=200, seed=1)
    names = [column["name"] for column in reading.document["columns"]] + reading.document["unused"]
    assert sorted(names) == sorted(DIABETES.data.columns)
    assert np.ptp(reading.arrays["answers"]) > 0
    assert difference(reading) < 1e-9


def mixed() -> tuple[pd.DataFrame, NDArray[Any]]:
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": generator.integers(1, 80, 300).astype(float),
            "sex": generator.choice(["m", "f"], 300),
            "town": generator.choice(["Rome", "Bonn", "Oslo"], 300),
            "size": generator.choice(["S", "M", "L"], 300),
            "rooms": generator.integers(0, 4, 300),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame["town"] = frame["town"].astype(object).where(generator.random(300) > 0.1, np.nan)
    target = (frame["age"].fillna(30) + 20 * (frame["sex"] == "m") > 45).astype(np.int64)
    return frame, target.to_numpy()


def table_model(**encoder: Any) -> Pipeline:
    fill = SimpleImputer(strategy="most_frequent")
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("words", make_pipeline(fill, OneHotEncoder(**encoder)), ["sex", "town"]),
            ("steps", OrdinalEncoder(categories=[["S", "M", "L"]]), ["size"]),
            ("counts", OneHotEncoder(), ["rooms"]),
        ]
    )
    return Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=500))])


@pytest.mark.parametrize(
    "encoder",
    [
        {},
        {"drop": "first"},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 95},
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 200},
    ],
    ids=str,
)
def test_columns_keep_their_names_categories_and_gaps(encoder: dict[str, Any]) -> None:
    frame, target = mixed()
    reading = read(table_model(**encoder).fit(frame, target), rows=200, seed=1)
    columns = {column["name"]: column for column in reading.document["columns"]}
    assert list(columns) == list(frame.columns)
    assert set(columns["town"]["categories"]) == {"Rome", "Bonn", "Oslo"}
    assert columns["size"]["categories"] == ["S", "M", "L"]
    assert [columns[name]["nullable"] for name in ("age", "town", "size", "rooms")] == [True, True, False, False]
    assert difference(reading) < 1e-9


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (make_pipeline(CountVectorizer(tokenizer=str.split, token_pattern=None), MultinomialNB()), "code of its own"),
        (KNeighborsClassifier(metric="canberra"), "the distance 'canberra'"),
    ],
    ids=["tokenizer", "distance"],
)
def test_a_part_without_a_served_form_is_named(model: Any, why: str) -> None:
    texts = isinstance(model, Pipeline)
    given = ["a b", "b c"] * 10 if texts else IRIS.data
    model.fit(given, [0, 1] * 10 if texts else IRIS.target)
    with pytest.raises(Exception, match=why):
        read(model, rows=20, seed=1)


def test_columns_that_change_no_answer_are_not_asked_for() -> None:
    frame, target = mixed()
    numbers = frame[["age", "rooms"]].fillna(0.0).assign(noise=np.arange(300) % 7)
    chosen = make_pipeline(StandardScaler(), SelectKBest(k=1), LogisticRegression()).fit(numbers, target)
    reading = read(chosen, rows=100, seed=1)
    assert reading.document["unused"] == ["rooms", "noise"]
    assert [column["name"] for column in reading.document["columns"]] == ["age"]
    assert difference(reading) < 1e-9


@pytest.mark.parametrize("model", [SVC(), LinearSVC(), KMeans(3, n_init=1, random_state=1)], ids=name_of)
def test_a_model_that_is_not_sure_names_its_class(model: Any) -> None:
    reading = read(model.fit(IRIS.data, IRIS.target), rows=100, seed=1)
    assert reading.document["answer"] == "labels"
    assert set(reading.arrays["answers"].sum(axis=1)) == {1.0}
    assert difference(reading) == 0


def test_a_model_of_another_form_is_mended_before_it_is_asked() -> None:
    model = table_model().fit(*mixed())
    imputer = model.named_steps["columns"].named_transformers_["words"].steps[0][1]
    for name in ("_fit_dtype", "_fill_dtype", "keep_empty_features"):
        vars(imputer).pop(name, None)
    added = mended(model)
    assert {"SimpleImputer._fit_dtype", "SimpleImputer.keep_empty_features"} <= added
    assert difference(read(model, rows=50, seed=1)) < 1e-9


# --- whole projects ---------------------------------------------------------------------------------------------------


def described(path: Path, caged: Caged) -> Wrapped:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return describe_model(
        caged, file=path.name, size_bytes=path.stat().st_size, sha256=digest, framework="scikit-learn", target="answer"
    )


def made(path: Path, into: Path, *, tests: bool = True) -> Any:
    caged = read_caged(path, allowed=[], trust=True)
    wishes = Wishes(into=into, name="made", tests=tests)
    return wrap(described(path, caged), caged, wishes, provenance=Provenance(source=path.name))


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        table_model(handle_unknown="ignore"),
        make_pipeline(CountVectorizer(), TfidfTransformer(), MultinomialNB()),
        make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3)), RandomForestClassifier(5)),
        GradientBoostingRegressor(n_estimators=5),
    ],
    ids=name_of,
)
def test_a_wrapped_project_passes_its_own_tests_lint_and_types(tmp_path: Path, model: Any) -> None:
    texts = ["win money now", "call me later", "a free prize", "see you at home"] * 10
    if "CountVectorizer" in name_of(model) or "TfidfVectorizer" in name_of(model):
        model.fit(texts, ["spam", "ham"] * 20)
    else:
        model.fit(*(mixed() if isinstance(model, Pipeline) else (DIABETES.data, DIABETES.target)))
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    built = made(path, tmp_path)
    assert built.tests.failed == 0
    assert built.tests.passed > 100
    assert built.metrics["parity"]["difference"] <= TOLERANCE
    project = built.project.path
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        assert_passes(project, command)
    card = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert not list(project.rglob("*.pkl"))
    assert not (project / "src" / "made" / "train.py").exists()


def assert_passes(project: Path, command: list[str]) -> None:
    import subprocess
    import sys

    ran = subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_new_wraps_a_model_file_and_check_is_content(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = tmp_path / "house_model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    done = kaggle2app("new", path, "--into", tmp_path, "--target", "price", "--json")
    assert done.code == 0, done.err
    assert (done.json["task"], done.json["answers"], done.json["target"]) == ("wrapped", "regression", "price")
    assert done.json["proof"]["difference"] <= TOLERANCE
    assert Path(done.json["project"]).name == "house-model"
    rules = {rule["code"]: rule["status"] for rule in kaggle2app("check", done.json["project"], "--json").json["rules"]}
    assert set(rules.values()) <= {"passed", "skipped"}
    assert rules["score"] == "skipped"


def test_a_dangerous_file_is_refused_by_name_with_exit_code_5(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR.")
    done = kaggle2app("new", path, "--into", tmp_path)
    assert done.code == 5
    assert "posix.system" in done.err
    assert not mark.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pkl"]


def test_of_several_models_one_must_be_named(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("one.joblib", "two.joblib"):
        joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), folder / name)
    done = kaggle2app("new", folder, "--into", tmp_path / "out")
    assert (done.code, "--model" in done.err) == (5, True)
    done = kaggle2app("new", folder, "--into", tmp_path / "out", "--model", "two.joblib", "--dry-run", "--json")
    assert done.json["model"]["file"] == "two.joblib"


def sorts_texts(folder: Path, *, width: int | None = None) -> list[str]:
    """Write a model and its vectorizer as two files; ``width`` is another number of words than the model reads."""
    folder.mkdir()
    texts = ["a good film", "a bad film", "very good", "awful and bad"] * 5
    words = TfidfVectorizer().fit(texts)
    model = LogisticRegression().fit(words.transform(texts), [1, 0] * 10)
    joblib.dump(model, folder / "sentiment_model.pkl")
    joblib.dump(TfidfVectorizer(max_features=width).fit(texts), folder / "tfidf_vectorizer.pkl")
    joblib.dump(LabelEncoder().fit(["no", "yes"]), folder / "label_encoder.pkl")
    return [str(answer) for answer in model.predict(words.transform(texts[:2]))]


def test_a_vectorizer_in_a_file_beside_the_model_is_put_before_it(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    sorts_texts(tmp_path / "made")
    done = kaggle2app("new", tmp_path / "made", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert done.json["model"]["file"] == "sentiment_model.pkl"
    assert done.json["model"]["parts"] == ["TfidfVectorizer", "LogisticRegression"]
    told = " ".join(done.json["model"]["findings"])
    assert "a TfidfVectorizer lies beside the model" in told
    assert "0 for no, 1 for yes" in told


def test_a_file_beside_the_model_that_does_not_fit_is_told_and_left(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    sorts_texts(tmp_path / "made", width=2)
    done = kaggle2app("new", tmp_path / "made", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert done.json["model"]["parts"] == ["LogisticRegression"]
    assert "does not fit what the model reads" in " ".join(done.json["model"]["findings"])


def test_a_model_that_is_named_alone_takes_nothing_from_its_folder(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    sorts_texts(tmp_path / "made")
    done = kaggle2app("new", tmp_path / "made" / "sentiment_model.pkl", "--dry-run", "--json")
    assert done.json["model"]["parts"] == ["LogisticRegression"]


def test_a_file_beside_the_model_that_runs_code_is_not_opened(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {mark}",)

    sorts_texts(tmp_path / "made")
    (tmp_path / "made" / "tfidf_vectorizer.pkl").write_bytes(pickle.dumps(Evil()))
    done = kaggle2app("new", tmp_path / "made", "--dry-run", "--json")
    assert done.json["model"]["parts"] == ["LogisticRegression"]
    assert not mark.exists()


def test_numbered_columns_take_the_names_of_the_data(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data.to_numpy(), DIABETES.target), path)
    rows = tmp_path / "rows.csv"
    DIABETES.data.assign(answer=DIABETES.target).to_csv(rows, index=False)
    done = kaggle2app("new", path, "--into", tmp_path, "--data", rows, "--target", "answer", "--no-tests", "--json")
    assert done.code == 0, done.err
    contract = json.loads((Path(done.json["project"]) / "model" / "schema.json").read_text(encoding="utf-8"))
    assert list(contract["properties"]) == list(DIABETES.data.columns)
    readme = (Path(done.json["project"]) / "README.md").read_text(encoding="utf-8")
    assert "r2" in readme
    assert "on rows that it has seen, scores flatter" in readme


@pytest.mark.parametrize("form", ["csv", "xlsx", "folder"])
def test_the_contract_learns_ranges_and_an_example_from_the_rows_that_come_along(
    kaggle2app: Callable[..., Outcome], tmp_path: Path, form: str
) -> None:
    path, rows = tmp_path / "model.joblib", tmp_path / f"rows.{form}"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    frame = DIABETES.data.assign(extra="of nobody").round(4)
    if form == "xlsx":
        frame.to_excel(rows, index=False)
    else:
        if form == "folder":
            rows.mkdir()
        frame.to_csv(rows / "rows.csv" if form == "folder" else rows, index=False)
    done = kaggle2app("new", path, "--into", tmp_path / "out", "--data", rows, "--no-tests", "--json")
    assert done.code == 0, done.err
    model = Path(done.json["project"]) / "model"
    contract = json.loads((model / "schema.json").read_text(encoding="utf-8"))
    for name in DIABETES.data.columns:
        seen = contract["properties"][name]["x-seen"]
        assert (seen["minimum"], seen["maximum"]) == (frame[name].min(), frame[name].max())
    assert contract["x-seen-in"] == "in rows.csv"
    usual = json.loads((model / "reference.json").read_text(encoding="utf-8"))["row"]
    assert usual == json.loads((model / "example.json").read_text(encoding="utf-8"))["rows"][0]


def test_data_that_shares_no_column_with_the_model_is_told_and_nothing_is_made(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    done = kaggle2app("new", path, "--into", tmp_path, "--data", "sample:iris", "--no-tests")
    assert done.code == 4
    assert "none of the columns that the model reads: age, sex, bmi" in done.err
    assert [one.name for one in tmp_path.iterdir()] == ["model.joblib"]


def test_the_data_set_that_a_models_page_names_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    page = Provenance(source="x", details={"training data": "ann/weather, bob/rain"})
    wrapped, _ = wrap_file(path, look(path), Wishes(into=tmp_path, name="made", tests=False), provenance=page)
    assert any("`--data ann/weather`" in finding for finding in wrapped.findings)


def test_a_file_of_todays_version_is_not_told_as_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    wrapped, _ = read_model(path, look(path), Wishes(into=tmp_path, name="made"))
    assert wrapped.findings == ()


def test_data_that_does_not_fit_the_model_is_told_and_nothing_is_made(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    path, rows = tmp_path / "model.joblib", tmp_path / "rows.csv"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    DIABETES.data.drop(columns="bmi").assign(answer=DIABETES.target).to_csv(rows, index=False)
    done = kaggle2app("new", path, "--into", tmp_path, "--data", rows, "--target", "answer", "--no-tests")
    assert done.code == 4
    assert "bmi" in done.err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["model.joblib", "rows.csv"]


def test_a_served_form_that_answers_otherwise_leaves_no_project(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    caged = read_caged(path, allowed=[], trust=True)
    caged.arrays["answers"][0] += 1.0
    with pytest.raises(ArtifactError, match="no faithful served form"):
        wrap(
            described(path, caged),
            caged,
            Wishes(into=tmp_path / "out", name="made"),
            provenance=Provenance(source="x"),
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "written_by"),
    [
        ("no-show-appointment-pipeline/no_show_model.joblib", "1.6.1"),
        ("titanic-decision-tree-pipeline/pipe.pkl", "0.23.1"),
    ],
)
def test_a_real_file_of_an_older_version_is_served_exactly(file: str, written_by: str, tmp_path: Path) -> None:
    path = DATASETS / "models" / file
    if not path.is_file():
        pytest.skip("the real model files are not on this machine")
    built = made(path, tmp_path, tests=False)
    assert built.metrics["parity"]["difference"] < 1e-12
    plan = json.loads((built.project.path / "model" / "plan.json").read_text(encoding="utf-8"))
    assert written_by in json.dumps(plan)


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stub]:
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    with Stub() as stub:
        stub.lead(monkeypatch)
        yield stub


def test_a_model_of_kaggle_is_wrapped_with_what_its_page_says(
    kaggle: Stub, kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(Ridge().fit(DIABETES.data, DIABETES.target), path)
    kaggle.add_model(
        "ann/houses/SCIKIT_LEARN/ridge",
        {1: {"ridge.joblib": path.read_bytes()}},
        licenseName="MIT",
        overview="Prices by a ridge.",
        usage="Ask it.",
        trainingData=["ann/prices"],
    )
    handle = "ann/houses/scikit-learn/ridge/1"
    done = kaggle2app("new", handle, "--into", tmp_path / "out", "--target", "price", "--no-tests", "--json")
    assert done.code == 0, done.err
    assert (done.json["model"]["file"], done.json["target"]) == ("ridge.joblib", "price")
    project = Path(done.json["project"])
    provenance = json.loads((project / "model" / "provenance.json").read_text(encoding="utf-8"))
    assert (provenance["kind"], provenance["version"]) == ("model", "1")
    card = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| Licence of the model | MIT: " in card
    assert "| Training data | ann/prices |" in card
    assert "> Prices by a ridge." in card
    assert "> Ask it." in card
