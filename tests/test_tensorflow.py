"""SavedModels: their folder is the model, what reaches files is refused, and their graph answers as TensorFlow does."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_artifact_formats import saved_model

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.caged.graph import UnservedError
from toolkit.caged.tensorflow_models import convert
from toolkit.errors import ArtifactError
from toolkit.handle import Handle
from toolkit.models import find_model
from toolkit.source import fetch
from toolkit.wrapping import OWN_FORMS

if TYPE_CHECKING:
    from toolkit.cage import Caged

PYTHON = "KAGGLE2APP_TENSORFLOW_PYTHON"
MAKER = """
import sys

import tensorflow as tf

out = sys.argv[1]
tf.random.set_seed(1)


class Scores(tf.Module):
    def __init__(self):
        self.weights = tf.Variable(tf.random.normal([4, 3], seed=2))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="leaf")])
    def chances(self, leaf):
        return {"chances": tf.nn.softmax(tf.math.log1p(tf.abs(leaf)) @ self.weights)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="leaf")])
    def total(self, leaf):
        return {"total": tf.reduce_sum(tf.math.erfc(leaf) + tf.math.expm1(leaf), axis=1, keepdims=True)}


class Loop(tf.Module):
    def __init__(self):
        self.weights = tf.Variable(tf.random.normal([4, 4], seed=2) / 4)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="features")])
    def asked(self, features):
        for _ in tf.range(5):
            features = tf.tanh(features @ self.weights)
        return {"answer": tf.reduce_max(features, 1, keepdims=True)}


class Words(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def asked(self, words):
        return {"length": tf.cast(tf.strings.length(tf.strings.regex_replace(words, "a+", "")), tf.float32)}


scores, loop, words = Scores(), Loop(), Words()
tf.saved_model.save(scores, out + "/chances", signatures=scores.chances)
tf.saved_model.save(scores, out + "/several", signatures={"total": scores.total, "zeros": scores.chances})
tf.saved_model.save(loop, out + "/loop", signatures=loop.asked)
tf.saved_model.save(words, out + "/words", signatures=words.asked)
picture = tf.keras.Sequential([
    tf.keras.layers.Input((12, 12, 3), name="image"),
    tf.keras.layers.Conv2D(4, 3, padding="same", strides=2, activation="relu6"),
    tf.keras.layers.BatchNormalization(),
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(2, "softmax"),
])
picture.export(out + "/picture", verbose=False)
sequence = tf.keras.Sequential([
    tf.keras.layers.Input((6, 2), name="days"),
    tf.keras.layers.LSTM(3),
    tf.keras.layers.Dense(1),
])
sequence.export(out + "/sequence", verbose=False)
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    y = tf.nn.softmax(tf.matmul(x, tf.compat.v1.get_variable("w", [4, 2], use_resource=False)), name="y")
    session.run(tf.compat.v1.global_variables_initializer())
    signature = tf.compat.v1.saved_model.predict_signature_def({"x": x}, {"y": y})
    for name, tags in (("first", ["serve"]), ("hub", [])):
        builder = tf.compat.v1.saved_model.Builder(out + "/" + name)
        builder.add_meta_graph_and_variables(session, tags, {"predict": signature})
        builder.save()
"""


def folder_of(path: Path, operator: str = "MatMul") -> Path:
    """Write the folder of a SavedModel as Keras 2 leaves it; its variables are missing."""
    (path / "variables").mkdir(parents=True)
    (path / "assets").mkdir()
    (path / "saved_model.pb").write_bytes(saved_model(operator))
    for name in ("keras_metadata.pb", "fingerprint.pb"):
        (path / name).write_bytes(b"\x08\x01")
    (path / "variables" / "variables.index").write_bytes(b"\0" * 16)
    return path


@pytest.mark.parametrize("inside", [".", "1", "model/saved"])
def test_the_folder_is_the_model_wherever_it_lies(tmp_path: Path, inside: str) -> None:
    folder = folder_of(tmp_path / "flowers" / inside)
    found = find_model(fetch(Handle.parse(str(tmp_path / "flowers"))))
    assert found is not None
    path, artifact = found
    assert path.resolve() == folder.resolve()
    assert (artifact.format, artifact.framework, artifact.servable) == ("saved-model", "TensorFlow", True)


def test_an_archive_of_the_folder_is_the_model_as_kaggle_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    folder = folder_of(tmp_path / "flowers")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as packed:
        for path in sorted(folder.rglob("*")):
            packed.add(path, arcname=str(path.relative_to(folder)), recursive=False)
    found = find_model(fetch(Handle.parse(str(tmp_path / "model.tar.gz"))))
    assert found is not None
    assert (found[0] / "saved_model.pb").is_file()
    assert found[1].servable


def test_the_graph_named_by_itself_stands_for_its_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "flowers")
    found = find_model(fetch(Handle.parse(str(folder))), wanted="saved_model.pb")
    assert found is not None
    assert found[0].resolve() == folder.resolve()


@pytest.mark.parametrize("operator", ["PyFunc", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles", "SaveDataset"])
def test_operators_that_reach_files_or_python_are_refused_before_anything_is_opened(
    tmp_path: Path, operator: str
) -> None:
    found = look(folder_of(tmp_path / "flowers", operator))
    assert not found.servable
    assert operator in found.reason


def test_a_graph_without_its_folder_is_told_what_is_missing(tmp_path: Path) -> None:
    graph = folder_of(tmp_path / "flowers") / "saved_model.pb"
    with pytest.raises(UnservedError, match="name the folder that it lies in"):
        convert(str(graph))


@pytest.fixture(scope="module")
def python() -> Path:
    """Return an interpreter that has TensorFlow: 1.3 GB, and so of the person's own choosing."""
    chosen = os.environ.get(PYTHON, "")
    if not chosen:
        pytest.skip(f"{PYTHON} names no interpreter with {', '.join(OWN_FORMS['TensorFlow'])} (tensorflow-cpu: 1.3 GB)")
    return Path(chosen)


@pytest.fixture(scope="module")
def made(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    maker = folder / "maker.py"  # TensorFlow reads the lines of a function that loops
    maker.write_text(MAKER, encoding="utf-8")
    ran = subprocess.run([str(python), str(maker), str(folder)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return folder


def read(folder: Path, python: Path) -> Caged:
    return read_caged(folder, allowed=(), library="TensorFlow", imports=OWN_FORMS["TensorFlow"], python=python)


def difference(caged: Caged) -> float:
    """Return how far the served graph is from TensorFlow's own answers, as the project's `evaluate` asks it."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(caged.arrays["model"].tobytes(), providers=["CPUExecutionProvider"])
    rows = [
        np.concatenate([np.ravel(value) for value in row.values()])
        for row in caged.document["rows"]
        if not any(isinstance(value, str) for value in row.values())
    ]
    kept = [
        place
        for place, row in enumerate(caged.document["rows"])
        if not any(isinstance(value, str) for value in row.values())
    ]
    answers = caged.arrays["answers"][kept]
    given = session.run(None, {"features": np.array(rows, dtype=np.float64)})[0]
    expected = answers[:, -1:] if given.shape[1] == 1 else answers
    return float(np.abs(given - expected).max())


@pytest.mark.parametrize("name", ["chances", "several", "loop", "picture", "sequence", "first", "hub"])
def test_a_saved_model_answers_as_tensorflow_does(made: Path, python: Path, name: str) -> None:
    assert look(made / name).servable
    caged = read(made / name, python)
    assert difference(caged) <= 1e-5
    assert set(caged.document["layers"]) >= {"audit", "limits"}


def test_the_first_signature_is_served_and_the_others_are_told(made: Path, python: Path) -> None:
    caged = read(made / "several", python)
    assert caged.document["model"] == ["TensorFlow graph (total)"]
    assert "zeros" in caged.document["findings"][0]


def test_operators_on_texts_are_named(made: Path, python: Path) -> None:
    with pytest.raises(ArtifactError, match=r"StaticRegexReplace|StringLength|RegexReplace"):
        read(made / "words", python)


def test_variables_that_are_cut_off_end_in_a_sentence(made: Path, python: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(made / "chances", folder)
    data = next((folder / "variables").glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:20])
    with pytest.raises(ArtifactError):
        read(folder, python)
