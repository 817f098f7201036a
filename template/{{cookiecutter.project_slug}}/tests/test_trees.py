"""Trees asked all at once give what ONNX Runtime gives, on every side of every threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import helper

from {{cookiecutter.package_name}}.graph import read
from {{cookiecutter.package_name}}.model import OnnxScorer
from {{cookiecutter.package_name}}.trees import LEAVES_MAX, Trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from {{cookiecutter.package_name}}.model import Model

FEATURES = 6


def _forest(*, trees: int, leaves: int, targets: int, features: int = FEATURES, mode: int = 0) -> bytes:
    """Return a graph of random trees: each a chain of splits, so that leaves are on both sides."""
    generator = np.random.default_rng(trees * leaves * targets)
    splits = leaves - 1
    places = np.arange(trees * splits)
    last = places % splits == splits - 1
    values = np.arange(trees * leaves).reshape(trees, leaves)
    turned = generator.random(trees * splits) < 0.5
    onward, stop = np.where(last, values[:, 1:].ravel(), places + 1), values[:, :-1].ravel()
    onward_leaf, stop_leaf = last.astype(int), np.ones(trees * splits, dtype=int)
    stop = np.where(last, values[:, -2].repeat(splits), stop)
    ensemble = helper.make_node(
        "TreeEnsemble",
        ["features"],
        ["score"],
        domain="ai.onnx.ml",
        n_targets=targets,
        aggregate_function=1,
        post_transform=0,
        tree_roots=(np.arange(trees) * splits).tolist(),
        nodes_featureids=generator.integers(0, features, trees * splits).tolist(),
        nodes_splits=onnx.numpy_helper.from_array(generator.integers(-3, 4, trees * splits) / 2, ""),
        nodes_modes=onnx.numpy_helper.from_array(np.full(trees * splits, mode, dtype=np.uint8), ""),
        nodes_missing_value_tracks_true=generator.integers(0, 2, trees * splits).tolist(),
        nodes_truenodeids=np.where(turned, onward, stop).tolist(),
        nodes_trueleafs=np.where(turned, onward_leaf, stop_leaf).tolist(),
        nodes_falsenodeids=np.where(turned, stop, onward).tolist(),
        nodes_falseleafs=np.where(turned, stop_leaf, onward_leaf).tolist(),
        leaf_targetids=(np.arange(trees) % targets).repeat(leaves).tolist(),
        leaf_weights=onnx.numpy_helper.from_array(generator.normal(size=trees * leaves), ""),
    )
    nodes = [ensemble, helper.make_node("Softmax" if targets > 1 else "Sigmoid", ["score"], ["answer"])]
    if targets > 1:
        nodes[1].attribute.append(helper.make_attribute("axis", 1))
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("features", onnx.TensorProto.DOUBLE, ["rows", features])],
        [helper.make_tensor_value_info("answer", onnx.TensorProto.DOUBLE, ["rows", targets])],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def _odd_rows(features: int) -> NDArray[np.float64]:
    numbers = np.array([-1.5, -1, -0.5, 0, 0.5, 1, 1.5, np.nextafter(0.5, 1), 1e300, np.inf, -np.inf, np.nan])
    return np.random.default_rng(1).choice(numbers, size=(500, features))


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("leaves", [2, 7, LEAVES_MAX])
def test_trees_answer_as_onnx_runtime_does(leaves: int, targets: int) -> None:
    content = _forest(trees=30, leaves=leaves, targets=targets)
    trees, rows = Trees.of(content), _odd_rows(FEATURES)
    assert trees is not None
    one_by_one = np.concatenate([OnnxScorer(content).score(row[None]) for row in rows[:100]])
    assert trees.score(rows)[:100] == pytest.approx(one_by_one, abs=1e-12)
    assert trees.score(rows[:0]).shape == (0, targets)


def test_rows_put_together_of_two_are_answered_by_the_sum_of_their_parts() -> None:
    trees, rows = Trees.of(_forest(trees=30, leaves=7, targets=1)), _odd_rows(FEATURES)
    assert trees is not None
    owners = np.arange(FEATURES) // 2
    own = trees.places_by(rows, owners, 3)
    for taken in ([0], [1], [0, 2], [], [0, 1, 2]):
        mixed = np.where(np.isin(owners, taken), rows, rows[::-1])
        chosen = np.isin(np.arange(3), taken)[:, None]
        places = np.where(chosen, own, own[::-1]).sum(axis=1).T.astype(np.intp)
        assert trees.score_places(list(places)).tolist() == trees.score(mixed).tolist()


def test_other_graphs_are_left_to_onnx_runtime() -> None:
    assert Trees.of(_forest(trees=3, leaves=LEAVES_MAX + 1, targets=1)) is None
    assert Trees.of(_forest(trees=3, leaves=4, targets=2)) is None  # one target has more trees than the other
    assert Trees.of(_forest(trees=3, leaves=4, targets=1, mode=1)) is None  # compares by less than
    assert Trees.of(_forest(trees=2_000, leaves=9, targets=1, features=900)) is None  # node by node is as quick


def test_the_served_trees_answer_many_rows_as_they_do_one(model: Model) -> None:
    trees = Trees.of(model.content["model.onnx"])
    if trees is None:
        pytest.skip("the served model is no forest of small trees")
    splits = read(model.content["model.onnx"]).nodes[0].attributes["nodes_splits"]
    numbers = np.concatenate([splits, [np.nan, np.inf, 0.0, 1.0]])
    rows = np.random.default_rng(2).choice(numbers, size=(50, model.encoder.width))
    one_by_one = np.concatenate([model.scorer.score(row[None]) for row in rows])
    assert trees.score(rows)[:, -1] == pytest.approx(one_by_one[:, -1], rel=1e-9, abs=1e-12)
