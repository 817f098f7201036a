"""Files that versions 0.18 to 1.7 of scikit-learn wrote are served with the answers which those versions gave."""

from __future__ import annotations

import json
import pickle
import tarfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from toolkit import environments
from toolkit.artifact import look
from toolkit.caged.ages import version_of
from toolkit.caged.graph import UnservedError
from toolkit.caged.mending import mended
from toolkit.caged.opening import Lost, Opener, RefusedError
from toolkit.caged.reading import Reading, read
from toolkit.caged.widths import width_of
from toolkit.graphs import model_of
from toolkit.verdicts import judge
from toolkit.wrapping import TOLERANCE, _brought_up_to_date

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARCHIVES = sorted((Path(__file__).parent / "old_models").glob("*.tar.xz"))


@cache
def archive(path: Path) -> dict[str, bytes]:
    """Return the files of one version by name; ``old_models/write.py`` says how they were made."""
    with tarfile.open(path) as opened:
        members = {member.name.removeprefix("./"): opened.extractfile(member) for member in opened.getmembers()}
        return {name: file.read() for name, file in members.items() if file is not None}


def models() -> list[Any]:
    """Return every model of every version: its archive and what is told of it."""
    found = []
    for path in ARCHIVES:
        version = path.name.removesuffix(".tar.xz")
        told = json.loads(archive(path)["told.json"])["models"]
        found += [pytest.param(path, one, id=f"{version}-{one['name']}") for one in told]
    return found


def opened(path: Path, told: dict[str, Any], folder: Path) -> tuple[Reading, Any, set[str]]:
    """Return a file's reading, its mended model, and the versions that it tells, as the cage finds them."""
    file = folder / told["file"]
    file.write_bytes(archive(path)[told["file"]])
    artifact = look(file)
    assert artifact.servable, artifact.reason
    opener = Opener(frozenset(artifact.allowed))
    model = opener.open(file, bytes_max=1 << 28)
    mended(model, versions=opener.versions)
    return read(model, rows=40, seed=7), model, opener.versions


def served(reading: Reading, rows: list[dict[str, Any]]) -> NDArray[np.float64] | None:
    """Return what the served graph answers; None for texts, which the project's own encoder counts."""
    document, blocks = reading.document, []
    for step in document["encoder"]["steps"]:
        if step["step"] == "numbers":
            blocks += [
                [[np.nan if row[name] is None else float(row[name])] for row in rows] for name in step["columns"]
            ]
        elif step["step"] == "lookup":
            name = step["column"]
            keys = ["" if row[name] is None else str(row[name]) for row in rows]
            blocks.append([step["vectors"].get(key, step["unseen"]) for key in keys])
        else:
            return None
    features = np.hstack([np.asarray(block, dtype=np.float64) for block in blocks])
    constants = {name: array for name, array in reading.arrays.items() if name != "answers"}
    answers = reading.arrays["answers"].shape[1]
    graph = model_of(document["nodes"], constants, document["output"], width=features.shape[1], answers=answers)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found: NDArray[np.float64] = session.run(None, {"features": features})[0]
    return found


def expected(told: dict[str, Any], document: dict[str, Any]) -> NDArray[np.float64]:
    """Return what the version that wrote a model answered, in the form in which it is served."""
    if document["answer"] == "probabilities":
        return np.array(told["chances"])
    if document["answer"] == "number":
        return np.array(told["answers"], dtype=np.float64).reshape(-1, 1)
    return np.array([[float(str(one) == str(label)) for label in document["classes"]] for one in told["answers"]])


def difference(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    assert found.shape == wanted.shape
    return float(np.max(np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted))))


@pytest.mark.filterwarnings("ignore:X has feature names", "ignore:X does not have valid feature names")
@pytest.mark.parametrize(("path", "told"), models())
def test_a_file_of_an_older_version_answers_as_that_version_did(
    path: Path, told: dict[str, Any], tmp_path: Path
) -> None:
    reading, model, versions = opened(path, told, tmp_path)
    assert all(path.name.startswith(version.removesuffix(".post1")) for version in versions)
    document = reading.document
    drawn = served(reading, document["rows"])
    if drawn is None:
        chances = model.predict_proba(told["rows"]) if told["chances"] else None
        assert model.predict(told["rows"]).tolist() == told["answers"]
        assert chances is None or difference(chances, np.array(told["chances"])) < TOLERANCE
        return
    assert difference(drawn, reading.arrays["answers"]) < TOLERANCE
    names = told["columns"] if document["named"] else [f"feature_{place}" for place in range(len(told["rows"][0]))]
    rows = [dict(zip(names, row, strict=True)) for row in told["rows"]]
    asked = served(reading, rows)
    assert asked is not None
    assert difference(asked, expected(told, document)) < TOLERANCE


@pytest.mark.parametrize(
    ("told", "expected"),
    [({"0.20.4"}, (0, 20, 4)), ({"1.2.2", "0.22.2.post1"}, (0, 22, 2)), ({"pre-0.18"}, (0, 17)), (set(), (99,))],
)
def test_the_oldest_of_the_versions_told_decides_how_a_model_answers(told: set[str], expected: tuple[int, ...]) -> None:
    assert version_of(told) == expected


def test_what_tells_of_no_columns_has_no_width() -> None:
    from sklearn.preprocessing import Normalizer
    from sklearn.svm import SVC

    assert width_of(Normalizer()) is None
    assert width_of(SVC().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])) == 2


@pytest.mark.parametrize(
    ("module", "name", "verdict"),
    [
        ("scipy.stats._discrete_distns", "log1p", "harmless"),  # whichever module had imported NumPy's first
        ("numpy", "expm1", "harmless"),
        ("posix", "log1p", "dangerous"),
        ("numpy", "load", "dangerous"),
    ],
)
def test_a_function_that_old_numpy_names_is_known_by_its_own_name(module: str, name: str, verdict: str) -> None:
    assert judge("numpy.core", "_ufunc_reconstruct", "called", (module, name))[0] == verdict


@pytest.mark.parametrize(
    ("version", "old_python", "expected"),
    [
        ("1.5.2", None, "1.5.2"),
        ("0.24.2", None, "1.1.3"),  # the first with wheels for this Python
        ("0.24.2", 9, "0.24.2"),
        ("0.18.2", 8, "0.22.2.post1"),  # the first for a Python that the cage runs on
        ("before 0.22", 8, "0.22.2.post1"),
        ("0.19.0", None, "1.1.3"),
    ],
)
def test_an_environment_has_the_version_that_wrote_a_file_or_else_the_nearest(
    version: str, old_python: int | None, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Making the environment is left out: it would ask an index."""
    made: list[tuple[Path, tuple[str, ...]]] = []

    def note(folder: Path, base: Path, needs: tuple[str, ...], listed: str) -> None:
        assert folder.parent.name == "environments"
        assert expected in listed
        made.append((base, needs))

    old = tmp_path / "python"
    monkeypatch.setattr(environments, "_make", note)
    monkeypatch.setattr(environments, "_minor_of", lambda python: old_python if python == old else 11)
    monkeypatch.setattr(environments, "_python", lambda minor: old if minor == old_python else None)
    environments.interpreter_for([], sklearn=version)
    [(base, needs)] = made
    assert f"scikit-learn=={expected}" in needs
    assert (base == old) is (old_python is not None)


def read_from_bundle(found: Any) -> tuple[Reading, list[str]]:
    reading = read(found, rows=40, seed=7)
    return reading, reading.document["findings"]


def test_what_lies_beside_a_model_and_fits_it_is_put_before_it() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    rows = np.random.default_rng(1).normal(50, 9, size=(60, 3))
    answers = (rows[:, 0] > 50).astype(int)
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression().fit(scaler.transform(rows), answers)
    labels = LabelEncoder().fit(["no", "yes"])
    bundle = {"model": model, "scaler": scaler, "labels": labels, "features": ["width", "height", "depth"]}
    reading, findings = read_from_bundle(bundle)
    assert reading.document["model"] == ["StandardScaler", "LogisticRegression"]
    assert [column["name"] for column in reading.document["columns"]] == ["width", "height", "depth"]
    assert any("rows pass it first" in finding for finding in findings)
    assert any("0 for no, 1 for yes" in finding for finding in findings)
    asked = [dict(zip(("width", "height", "depth"), row, strict=True)) for row in rows.tolist()]
    found = served(reading, asked)
    assert found is not None
    assert difference(found, model.predict_proba(scaler.transform(rows))) < TOLERANCE


def test_what_lies_beside_a_model_and_does_not_fit_it_is_told() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(1).normal(size=(60, 3))
    model = LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int))
    reading, findings = read_from_bundle([model, StandardScaler().fit(rows[:, :2])])
    assert reading.document["model"] == ["LogisticRegression"]
    assert any("is not applied" in finding for finding in findings)


def test_a_vectorizer_and_a_model_in_one_file_read_texts() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB

    texts = ["win money now", "call me later", "a free prize", "see you at home"] * 5
    vectorizer = TfidfVectorizer().fit(texts)
    model = MultinomialNB().fit(vectorizer.transform(texts), [1, 0] * 10)
    reading, _ = read_from_bundle((vectorizer, model))
    assert [column["kind"] for column in reading.document["columns"]] == ["text"]


def test_of_several_models_the_one_that_is_called_so_is_taken() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.tree import DecisionTreeRegressor

    rows, answers = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    ridge, tree = Ridge().fit(rows, answers), DecisionTreeRegressor().fit(rows, answers)
    reading, findings = read_from_bundle({"model": ridge, "baseline": tree})
    assert reading.document["model"] == ["Ridge"]
    assert "a DecisionTreeRegressor lies beside the model and is not served" in findings
    with pytest.raises(UnservedError, match="2 models in a list"):
        read([ridge, tree], rows=10, seed=1)


def test_a_model_told_as_brought_up_to_date_names_its_version_and_parts() -> None:
    lost = ["Ridge.positive", "StandardScaler.n_features_in_", "then: AdaBoostClassifier"]
    facts, then = _brought_up_to_date({"written_by": ["0.22.1"], "lost": lost})
    assert facts.startswith("written by scikit-learn 0.22.1 and brought up to date: 2 facts")
    assert "Ridge, StandardScaler" in facts
    assert then == "AdaBoostClassifier answers as in scikit-learn 0.22.1, which later versions do otherwise"


def test_a_search_over_distributions_opens_and_their_code_is_not_run(tmp_path: Path) -> None:
    """SciPy runs a text out of a distribution's state when it is opened."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import RandomizedSearchCV

    rows = np.arange(24.0).reshape(12, 2)
    alphas = pytest.importorskip("scipy.stats").randint(1, 9)
    search = RandomizedSearchCV(Ridge(), {"alpha": alphas}, n_iter=2, cv=2, random_state=0).fit(rows, rows[:, 0])
    file = tmp_path / "search.pkl"
    file.write_bytes(pickle.dumps(search, protocol=2))
    artifact = look(file)
    assert artifact.servable, artifact.reason
    model = Opener(frozenset(artifact.allowed)).open(file, bytes_max=1 << 28)
    assert isinstance(model.param_distributions["alpha"], Lost)
    assert read(model, rows=20, seed=1).document["model"] == ["Ridge"]
    evil = file.read_bytes().replace(b"def _parse_args(self", b"import posix  # ____")
    file.write_bytes(evil)
    refused = look(file)
    assert not refused.servable
    assert "code in the state of scipy.stats" in refused.reason


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cbuiltins\ngetattr\n.",  # named alone
        b"\x80\x02}X\x01\x00\x00\x00acnumpy\nvectorize\ns.",
        b"\x80\x02cbuiltins\ngetattr\ncsklearn.base\nBaseEstimator\n)\x81X\x03\x00\x00\x00fit\x86R.",
    ],
)
def test_what_a_distribution_may_call_nothing_else_may(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(content)
    assert not look(file).servable


def test_rows_with_neighbours_that_cannot_be_told_apart_prove_nothing() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    draw = np.random.default_rng(1)
    rows = draw.integers(0, 4, size=(80, 2)).astype(float)
    model = KNeighborsClassifier(3, algorithm="kd_tree").fit(rows, draw.integers(0, 2, 80))
    reading, findings = read_from_bundle(model)
    drawn = reading.document["rows"]
    assert 0 < len(drawn) < 40
    assert any("prove nothing" in finding for finding in findings)
    found = served(reading, drawn)
    assert found is not None
    assert difference(found, reading.arrays["answers"]) < TOLERANCE


@pytest.mark.parametrize("kind", ["lz4", "zstd", "gzip", "bz2"])
def test_a_compressed_pickle_opens_with_what_is_here(kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from sklearn.linear_model import Ridge

    content = pickle.dumps(Ridge().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]))
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, kind) as stream:
        stream.write(content)
    file = tmp_path / "model.pkl"
    file.write_bytes(packed.getvalue().to_pybytes())
    artifact = look(file)
    assert artifact.servable, artifact.reason
    model = Opener(frozenset(artifact.allowed)).open(file, bytes_max=1 << 20)
    assert read(model, rows=10, seed=1).document["model"] == ["Ridge"]
    with pytest.raises(RefusedError, match="more than 64 bytes"):
        Opener(frozenset(artifact.allowed)).open(file, bytes_max=64)


def test_what_learned_nothing_is_told_in_a_sentence() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with pytest.raises(UnservedError, match="the Pipeline was saved before it was fitted"):
        read(make_pipeline(StandardScaler(), Ridge()), rows=10, seed=1)
    rows = np.arange(12.0).reshape(6, 2)
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2, refit=False).fit(rows, rows[:, 0])
    with pytest.raises(UnservedError, match="not to fit the best"):
        read(search, rows=10, seed=1)


def test_what_stands_on_others_answers_as_they_do_together() -> None:
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.decomposition import IncrementalPCA
    from sklearn.ensemble import AdaBoostRegressor, IsolationForest
    from sklearn.feature_selection import RFE
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    rows = np.random.default_rng(1).normal(5, 2, size=(60, 4))
    three = np.digitize(rows[:, 0], [4, 6])
    models: list[Any] = [
        RFE(LogisticRegression(), n_features_to_select=2).fit(rows, three),
        OneVsRestClassifier(LinearSVC(random_state=0)).fit(rows, three),
        PLSRegression(2).fit(rows, rows[:, 0] - rows[:, 1]),
        AdaBoostRegressor(n_estimators=5, random_state=0).fit(rows, rows[:, 0] - rows[:, 1]),
        IsolationForest(n_estimators=5, contamination=0.2, random_state=0).fit(rows),
        IsolationForest(n_estimators=5, max_features=2, random_state=0).fit(rows),
        MiniBatchKMeans(3, random_state=0, n_init=1).fit(rows),
        make_pipeline(IncrementalPCA(2), LogisticRegression()).fit(rows, three),
    ]
    for model in models:
        reading = read(model, rows=40, seed=7)
        found = served(reading, reading.document["rows"])
        assert found is not None
        assert difference(found, reading.arrays["answers"]) < TOLERANCE
