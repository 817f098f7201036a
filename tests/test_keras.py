"""Keras networks of both ages: written by Keras, read in the cage, answered by the served graph as Keras does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from toolkit.artifact import look, require
from toolkit.cage import read_caged
from toolkit.errors import ArtifactError
from toolkit.wrapping import OWN_FORMS

if TYPE_CHECKING:
    from toolkit.cage import Caged

PYTHON = "KAGGLE2APP_TENSORFLOW_PYTHON"
TOLERANCE = 1e-5
MAKER = """
import sys

import keras
import tf_keras

out = sys.argv[1]


def networks(keras):
    keras.utils.set_random_seed(1)
    layers = keras.layers
    yield "table", keras.Sequential([
        keras.Input((5,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5),
        layers.Dense(3, activation="softmax"),
    ])
    yield "picture", keras.Sequential([
        keras.Input((12, 12, 1)), layers.Rescaling(1 / 255), layers.RandomFlip(),
        layers.Conv2D(4, 3, strides=2, padding="same"),
        layers.DepthwiseConv2D(3), layers.LeakyReLU(), layers.GlobalAveragePooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ])
    yield "words", keras.Sequential([
        keras.Input((6,)), layers.Embedding(40, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3)),
        layers.Dense(1),
    ])
    yield "groups", keras.Sequential([
        keras.Input((9, 9, 4)), layers.Conv2D(8, 3, groups=2), layers.GlobalMaxPooling2D(), layers.Dense(1),
    ])
    yield "bins", keras.Sequential([
        keras.Input((1,)), layers.Discretization(bin_boundaries=[-1.0, 0.0, 0.5]), layers.Embedding(4, 3),
        layers.Flatten(), layers.Dense(1),
    ])
    days = keras.Input((7, 2), name="days")
    seen = layers.MultiHeadAttention(2, 3)(days, days)
    last = layers.GRU(3)(layers.LayerNormalization()(layers.Add()([days, seen])))
    facts = keras.Input((3,), name="facts")
    yield "both", keras.Model([days, facts], layers.Dense(2, activation="softmax")(layers.Concatenate()([last, facts])))


for name, network in networks(keras):
    network.save(f"{out}/{name}.keras")
for name, network in networks(tf_keras):
    network.save(f"{out}/{name}.h5")
layers = [keras.Input((None,)), keras.layers.Embedding(9, 2), keras.layers.GlobalMaxPooling1D()]
keras.Sequential(layers).save(f"{out}/open.keras")
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """Return an interpreter that has TensorFlow: 1.3 GB, and so of the person's own choosing."""
    chosen = os.environ.get(PYTHON, "")
    if not chosen:
        pytest.skip(f"{PYTHON} names no interpreter with {', '.join(OWN_FORMS['Keras'])} (tensorflow-cpu: 1.3 GB)")
    return Path(chosen)


@pytest.fixture(scope="module")
def made(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    ran = subprocess.run([str(python), "-c", MAKER, str(folder)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return folder


def read(path: Path, python: Path) -> Caged:
    artifact = look(path)
    require(artifact)
    return read_caged(path, allowed=(), library="Keras", imports=OWN_FORMS["Keras"], python=python)


def difference(caged: Caged) -> float:
    """Return how far the served graph is from Keras's own answers."""
    import onnxruntime

    rows, kept = [], []
    for place, row in enumerate(caged.document["rows"]):
        if not any(isinstance(value, str) for value in row.values()):  # a picture's text is not features
            rows.append(np.concatenate([np.ravel(value) for value in row.values()]))
            kept.append(place)
    session = onnxruntime.InferenceSession(caged.arrays["model"].tobytes(), providers=["CPUExecutionProvider"])
    found: Any = session.run(None, {"features": np.array(rows, dtype=np.float64)})[0]
    answers = caged.arrays["answers"][kept]
    return float(np.abs(found - (answers[:, -1:] if found.shape[1] == 1 else answers)).max())


@pytest.mark.parametrize("kind", ["keras", "h5"])
@pytest.mark.parametrize("name", ["table", "picture", "words", "groups", "bins", "both"])
def test_the_served_graph_answers_as_the_keras_of_its_age_does(made: Path, python: Path, name: str, kind: str) -> None:
    caged = read(made / f"{name}.{kind}", python)
    assert len(caged.document["rows"]) > 30
    assert difference(caged) <= TOLERANCE


def test_a_rescaling_layer_tells_how_bright_pixels_are(made: Path, python: Path) -> None:
    (column,) = read(made / "picture.keras", python).document["columns"]
    assert (column["kind"], column["picture"]["scale"]) == ("picture", 1.0)


def test_words_are_numbers_that_the_embedding_has(made: Path, python: Path) -> None:
    columns = read(made / "words.keras", python).document["columns"]
    assert [(column["low"], column["high"], column["whole"]) for column in columns] == [(0.0, 39.0, True)] * 6


def test_a_side_that_is_left_open_is_asked_for(made: Path, python: Path) -> None:
    with pytest.raises(ArtifactError, match="--shape"):
        read(made / "open.keras", python)
