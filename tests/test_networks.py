"""An ONNX model of a table is served by its own graph, with names and answers that people can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from conftest import DATASETS
from onnx import TensorProto, helper, numpy_helper

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.errors import ArtifactError
from toolkit.wrapping import TOLERANCE, Wishes, read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

WEIGHTS = np.array([[0.5, -1.0, 0.2], [1.0, 0.1, -0.3], [-0.4, 0.9, 0.7], [0.2, 0.2, -0.8]], dtype=np.float32)


def value(name: str, kind: int, *sides: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, list(sides))


def save(path: Path, nodes: Any, inputs: Any, outputs: Any, **constants: Any) -> Path:
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return path


def network(path: Path, *, classes: int, last: str) -> Path:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["s"]), helper.make_node(last, ["s"], ["y"])]
    given = [value("x", TensorProto.FLOAT, "n", 4)]
    return save(path, nodes, given, [value("y", TensorProto.FLOAT, "n", classes)], w=WEIGHTS[:, :classes])


def words_and_numbers(path: Path) -> Path:
    """Write what converters make of a column transformer: an input a column, a map of probabilities at the end."""
    nodes = [
        helper.make_node("OneHotEncoder", ["town"], ["hot"], domain="ai.onnx.ml", cats_strings=["Oslo", "Rome"]),
        helper.make_node("Reshape", ["hot", "sides"], ["flat"]),
        helper.make_node("Concat", ["age", "flat"], ["all"], axis=1),
        helper.make_node(
            "LinearClassifier",
            ["all"],
            ["label", "chances"],
            domain="ai.onnx.ml",
            classlabels_strings=["no", "yes"],
            coefficients=[-0.1, 1.0, -1.0, 0.1, -1.0, 1.0],
            intercepts=[0.5, -0.5],
            post_transform="LOGISTIC",
        ),
        helper.make_node("ZipMap", ["chances"], ["maps"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]),
    ]
    inputs = [value("age", TensorProto.FLOAT, "n", 1), value("town", TensorProto.STRING, "n", 1)]
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    )
    outputs = [value("label", TensorProto.STRING, "n"), helper.make_value_info("maps", kind)]
    return save(path, nodes, inputs, outputs, sides=np.array([-1, 2], dtype=np.int64))


def asked(path: Path) -> tuple[Any, float]:
    """Return the reading, and how far the served graph is from the original's answers."""
    import onnxruntime

    _, caged = read_model(path, look(path), Wishes(into=path.parent / "out", name="made"))
    columns = {column["name"]: column for column in caged.document["columns"]}
    rows = [
        [
            column["categories"].index(row[name]) if column["kind"] == "category" else row[name]
            for name, column in columns.items()
        ]
        for row in caged.document["rows"]
    ]
    session = onnxruntime.InferenceSession(caged.arrays["model"].tobytes(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"features": np.array(rows, dtype=np.float64)})[0]
    expected = caged.arrays["answers"]
    if session.get_outputs()[0].name == "positive":
        found = np.hstack([1 - found, found])
    return caged.document, float(np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))))


@pytest.mark.parametrize(
    ("classes", "last", "answer", "labels"),
    [
        (1, "Identity", "number", None),
        (1, "Sigmoid", "probabilities", [0, 1]),
        (2, "Softmax", "probabilities", [0, 1]),
        (3, "Softmax", "probabilities", [0, 1, 2]),
    ],
)
def test_numbers_in_and_an_answer_out(tmp_path: Path, classes: int, last: str, answer: str, labels: Any) -> None:
    document, difference = asked(network(tmp_path / "m.onnx", classes=classes, last=last))
    assert (document["answer"], document["classes"]) == (answer, labels)
    assert [column["name"] for column in document["columns"]] == [f"feature_{place}" for place in range(4)]
    assert difference <= TOLERANCE


def test_columns_of_words_keep_their_names_and_categories(tmp_path: Path) -> None:
    document, difference = asked(words_and_numbers(tmp_path / "m.onnx"))
    town = document["columns"][1]
    assert (town["name"], town["kind"], town["categories"]) == ("town", "category", ["Oslo", "Rome"])
    assert document["classes"] == ["no", "yes"]
    assert difference <= TOLERANCE


def test_numbers_of_a_table_are_not_taken_for_scores_of_classes(tmp_path: Path) -> None:
    path = network(tmp_path / "m.onnx", classes=3, last="Identity")
    document = read_caged(path, allowed=[], library="ONNX").document
    assert (document["answer"], document["answer_shape"]) == ("tensor", [3])


@pytest.mark.parametrize("labels", [(), ("cat", "dog", "owl")])
def test_chances_of_labels_that_do_not_exclude_each_other_stay_as_they_are(tmp_path: Path, labels: Any) -> None:
    path = network(tmp_path / "m.onnx", classes=3, last="Sigmoid")
    wishes = Wishes(into=tmp_path / "out", name="made", network={"labels": list(labels)})
    wrapped, caged = read_model(path, look(path), wishes)
    assert (caged.document["answer"], wrapped.sides) == ("tensor", (3,))
    assert caged.arrays["answers"].sum(axis=1).max() > 1.5
    assert any("each stands by itself" in told and all(label in told for label in labels) for told in wrapped.findings)


def test_an_output_without_a_line_a_row_is_left_out_and_told(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("ReduceSum", ["y"], ["all"], keepdims=0),
        helper.make_node("Greater", ["y", "zero"], ["which"]),
        helper.make_node("Compress", ["y", "one"], ["flat"]),
    ]
    outputs = [
        value("all", TensorProto.FLOAT),
        value("flat", TensorProto.FLOAT, "k"),
        value("y", TensorProto.FLOAT, "n", 1),
    ]
    given = [value("x", TensorProto.FLOAT, "n", 4)]
    one = np.array([True])
    path = save(
        tmp_path / "m.onnx", nodes, given, outputs, w=WEIGHTS[:, :1], zero=np.array([0], dtype=np.float32), one=one
    )
    document, difference = asked(path)
    assert document["answer"] == "number"
    assert document["findings"] == ["of its outputs 'y' is served, and not 'all', 'flat'"]
    assert difference <= TOLERANCE


def test_a_picture_of_a_fixed_batch_is_read_with_raw_scores() -> None:
    path = DATASETS / "models" / "mnist-onnx" / "mnist.onnx"
    if not path.is_file():
        pytest.skip("the real model files are not on this machine")
    document = read_caged(path, allowed=[], library="ONNX").document
    assert (document["answer"], document["classes"]) == ("scores", list(range(10)))
    assert [(column["name"], column["kind"], column["shape"]) for column in document["columns"]] == [
        ("Input3", "picture", [1, 28, 28])
    ]


@pytest.mark.slow
def test_a_graph_that_never_ends_is_stopped(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["going"]), helper.make_node("Add", ["kept", "kept"], ["more"])],
        "inner",
        [
            value("turn", TensorProto.INT64),
            value("on", TensorProto.BOOL),
            helper.make_tensor_value_info("kept", 1, None),
        ],
        [value("going", TensorProto.BOOL), helper.make_tensor_value_info("more", 1, None)],
    )
    nodes = [helper.make_node("Loop", ["", "always", "x"], ["y"], body=inner)]
    sides = [value("x", TensorProto.FLOAT, "n", 4)]
    path = save(
        tmp_path / "m.onnx", nodes, sides, [value("y", TensorProto.FLOAT, "n", 4)], always=np.ones((), dtype=bool)
    )
    with pytest.raises(ArtifactError, match="more than the time") as raised:
        read_caged(path, allowed=[], library="ONNX")
    assert "\n" not in raised.value.message


def test_a_truncated_graph_is_one_sentence(tmp_path: Path) -> None:
    path = network(tmp_path / "m.onnx", classes=1, last="Identity")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ArtifactError) as raised:
        read_caged(path, allowed=[], library="ONNX")
    assert "\n" not in raised.value.message


@pytest.mark.slow
def test_new_makes_a_project_of_a_graph(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = words_and_numbers(tmp_path / "visits.onnx")
    onnx.checker.check_model(onnx.load(path))
    done = kaggle2app("new", path, "--into", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert (done.json["tests"]["failed"], done.json["model"]["labels"]) == (0, ["no", "yes"])
