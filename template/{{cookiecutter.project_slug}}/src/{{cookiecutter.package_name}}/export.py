"""A fitted scikit-learn pipeline becomes what is served: ``encoder.json`` and ``model.onnx``.

The graph works in float64 and keeps every tree's thresholds as they were learned, so the served answers are the
pipeline's own; ``parity`` measures that, and ``train`` refuses to save a model that differs by more than ``TOLERANCE``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from .errors import ExportError
from .features import DATE_PARTS
from .model import POSITIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator
    from sklearn.feature_extraction.text import TfidfVectorizer

    from .pipeline import Predictor

TOLERANCE = 1e-6  # largest difference between pipeline and served model; relative for numbers above 1
OPSET, TREES_OPSET, IR_VERSION = 21, 5, 10  # the first opset whose TreeEnsemble computes in float64
UNSEEN = "\0never seen"  # no cell can hold it: readers strip NUL
BRANCH_LEQ, SUM, NO_TRANSFORM = 0, 1, 0  # the enumerations of ONNX's TreeEnsemble


def parity(served: NDArray[np.float64], fitted: NDArray[np.float64]) -> float:
    """Return the largest difference of two sets of answers, relative where the fitted answer is above 1."""
    return float(np.max(np.abs(served - fitted) / np.maximum(1.0, np.abs(fitted)), initial=0.0))


def encoder_of(predictor: Predictor) -> dict[str, Any]:
    """Return the content of ``encoder.json``: the fitted column transformer as plain data."""
    linear = _linear_weights(predictor)
    steps: list[dict[str, Any]] = []
    start = 0
    for name, transformer, columns in predictor.pipeline.named_steps["features"].transformers_:
        if name == "remainder":
            continue
        kind = name.split("_")[0]
        if kind in {"numbers", "dates"}:
            facts, width = _numbers(transformer, list(columns), dates=kind == "dates")
        elif kind == "text":
            vectorizer = transformer.named_steps["weigh"]
            weights = None if linear is None else linear[0][start : start + len(vectorizer.vocabulary_)]
            facts, width = _words(vectorizer, columns, weights)
        else:
            facts, width = _category(transformer, columns[0])
        steps.append(facts)
        start += width
    return {"format": 1, "steps": steps}


def graph_of(predictor: Predictor, encoder: dict[str, Any], *, width: int) -> bytes:
    """Return ``model.onnx``: from the encoder's features, shape (rows, ``width``), to probabilities or a number."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    estimator = predictor.pipeline.named_steps["estimator"]
    linear = _linear_weights(predictor)
    if linear is not None:
        weights, intercept = _folded(*linear, encoder)
        constants += [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(intercept, "intercept")]
        nodes += [
            helper.make_node("Gemm", ["features", "weights", "intercept"], ["score"]),
        ]
    elif hasattr(estimator, "_predictors"):
        nodes += [_trees(estimator)]
    else:
        message = f"{type(estimator).__name__} has no served form"
        raise ExportError(message)
    nodes += _link(predictor, estimator, constants)
    answer = nodes[-1].output[0]
    outputs = 1 if answer == POSITIVE else predictor.classes or 1
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", width])],
        [helper.make_tensor_value_info(answer, TensorProto.DOUBLE, ["rows", outputs])],
        constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="export")
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _numbers(transformer: Any, columns: list[str], *, dates: bool) -> tuple[dict[str, Any], int]:  # noqa: ANN401 - scikit-learn ships no types
    facts: dict[str, Any] = {"step": "numbers", "columns": columns, "dates": dates}
    width = len(columns) * (len(DATE_PARTS) if dates else 1)
    if not isinstance(transformer, Pipeline):  # trees: as they are
        return facts, width
    impute, scale = transformer.named_steps["impute"], transformer.named_steps["scale"]
    flags = [int(index) for index in impute.indicator_.features_]
    facts |= {"fill": impute.statistics_.tolist(), "flags": flags}
    facts |= {"center": scale.mean_.tolist(), "scale": scale.scale_.tolist()}
    return facts, width + len(flags)


def _category(transformer: Any, column: str) -> tuple[dict[str, Any], int]:  # noqa: ANN401 - scikit-learn ships no types
    """Ask the fitted encoder what it makes of each category, and of one that it never saw."""
    encoder = transformer.named_steps["encode"] if isinstance(transformer, Pipeline) else transformer
    if not isinstance(encoder, OneHotEncoder | TargetEncoder):
        message = f"{type(encoder).__name__} has no served form"
        raise ExportError(message)
    categories = [str(category) for category in encoder.categories_[0]]
    cells = np.array([*categories, UNSEEN], dtype=object).reshape(-1, 1)
    encoded = transformer.transform(_named(cells, column))
    vectors = np.asarray(encoded.toarray() if hasattr(encoded, "toarray") else encoded, dtype=np.float64)
    if isinstance(encoder, OneHotEncoder):
        places = [int(vector.argmax()) if vector.any() else -1 for vector in vectors]
        known = dict(zip(categories, places[:-1], strict=True))
        facts = {"step": "onehot", "column": column, "places": known, "unseen": places[-1], "width": vectors.shape[1]}
    else:
        known_vectors = dict(zip(categories, vectors[:-1].tolist(), strict=True))
        facts = {"step": "lookup", "column": column, "vectors": known_vectors, "unseen": vectors[-1].tolist()}
    return facts, vectors.shape[1]


def _named(cells: NDArray[np.object_], column: str) -> Any:  # noqa: ANN401 - a frame; pandas is imported where used
    import pandas as pd  # noqa: PLC0415 - beside its only use

    return pd.DataFrame(cells, columns=[column])


def _words(vectorizer: TfidfVectorizer, column: str, weights: NDArray[np.float64] | None) -> tuple[dict[str, Any], int]:
    terms = [str(term) for term in vectorizer.get_feature_names_out()]
    facts: dict[str, Any] = {"step": "words", "column": column, "longest": int(vectorizer.ngram_range[1])}
    facts |= {"terms": terms, "idf": vectorizer.idf_.tolist()}
    if weights is not None:  # a linear model only needs each text's weighted sum
        facts["project"] = weights.tolist()
    return facts, len(terms)


def _linear_weights(predictor: Predictor) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return a linear model's weights, shape (features, scores), and intercept, shape (1, scores); None for others."""
    estimator = predictor.pipeline.named_steps["estimator"]
    if not isinstance(estimator, LogisticRegression | Ridge):
        return None
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (weights.shape[1],))
    return weights, np.array(intercept).reshape(1, -1)


def _folded(
    weights: NDArray[np.float64], intercept: NDArray[np.float64], encoder: dict[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights for the served features: a text's words have become one finished sum a score."""
    parts: list[NDArray[np.float64]] = []
    start = 0
    for facts in encoder["steps"]:
        if facts["step"] == "words":
            parts.append(np.eye(weights.shape[1]))
            start += len(facts["terms"])
        else:
            width = _width(facts)
            parts.append(weights[start : start + width])
            start += width
    return np.vstack(parts), intercept


def _width(facts: dict[str, Any]) -> int:
    if facts["step"] == "numbers":
        return len(facts["columns"]) * (len(DATE_PARTS) if facts["dates"] else 1) + len(facts.get("flags", ()))
    return int(facts["width"]) if facts["step"] == "onehot" else len(facts["unseen"])


def _trees(estimator: BaseEstimator) -> onnx.NodeProto:
    """Return all trees of a histogram gradient boosting as one node; the first ones hold the score they start from."""
    baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()  # noqa: SLF001 - as its trees
    features: list[int] = []
    thresholds: list[float] = []
    gaps_left: list[int] = []
    children: dict[bool, list[int]] = {True: [], False: []}
    child_is_leaf: dict[bool, list[int]] = {True: [], False: []}
    roots: list[int] = []
    leaf_values: list[float] = []
    leaf_scores: list[int] = []
    for count, iteration in enumerate(estimator._predictors):  # noqa: SLF001 - scikit-learn has no public form of trees
        for score, tree in enumerate(iteration):
            nodes = _with_a_split(tree.nodes)
            inner = np.flatnonzero(nodes["is_leaf"] == 0)
            leaves = np.flatnonzero(nodes["is_leaf"] == 1)
            place = np.empty(len(nodes), dtype=int)
            place[inner] = len(features) + np.arange(len(inner))
            place[leaves] = len(leaf_values) + np.arange(len(leaves))
            roots.append(len(features))
            features += nodes["feature_idx"][inner].astype(int).tolist()
            thresholds += nodes["num_threshold"][inner].tolist()
            gaps_left += nodes["missing_go_to_left"][inner].astype(int).tolist()
            for is_left, side in ((True, "left"), (False, "right")):
                targets = nodes[side][inner].astype(int)
                children[is_left] += place[targets].tolist()
                child_is_leaf[is_left] += nodes["is_leaf"][targets].astype(int).tolist()
            leaf_values += (nodes["value"][leaves] + (0.0 if count else baseline[score])).tolist()
            leaf_scores += [score] * len(leaves)
    return helper.make_node(
        "TreeEnsemble",
        ["features"],
        ["score"],
        domain="ai.onnx.ml",
        n_targets=len(baseline),
        aggregate_function=SUM,
        post_transform=NO_TRANSFORM,
        tree_roots=roots,
        nodes_featureids=features,
        nodes_splits=_tensor(np.array(thresholds)),
        nodes_modes=_tensor(np.full(len(features), BRANCH_LEQ, dtype=np.uint8)),
        nodes_missing_value_tracks_true=gaps_left,
        nodes_truenodeids=children[True],
        nodes_trueleafs=child_is_leaf[True],
        nodes_falsenodeids=children[False],
        nodes_falseleafs=child_is_leaf[False],
        leaf_targetids=leaf_scores,
        leaf_weights=_tensor(np.array(leaf_values)),
    )


def _with_a_split(nodes: NDArray[np.void]) -> NDArray[np.void]:
    """Return a tree's nodes; one that is a single leaf gets a split in front, since ONNX trees start with one."""
    if np.any(nodes["is_categorical"]):
        message = "categorical splits have no served form"
        raise ExportError(message)
    if len(nodes) > 1:
        return nodes
    grown = np.zeros(3, dtype=nodes.dtype)
    grown[1:] = nodes[0]
    grown[0]["left"], grown[0]["right"] = 1, 2
    return grown


def _link(predictor: Predictor, estimator: BaseEstimator, constants: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Return the nodes from raw scores to probabilities (every label in its place) or to the target's unit."""
    if predictor.task == "regression":
        return _number_link(predictor, estimator, constants)
    known = np.asarray(predictor.pipeline.classes_, dtype=int)
    if len(known) == predictor.classes == 2:  # noqa: PLR2004 - one probability says both
        return [helper.make_node("Sigmoid", ["score"], [POSITIVE])]
    places = np.zeros((len(known), predictor.classes))
    places[np.arange(len(known)), known] = 1.0
    constants.append(numpy_helper.from_array(places, "places"))
    to_places = helper.make_node("MatMul", ["probabilities", "places"], ["answer"])
    if len(known) > 2:  # noqa: PLR2004 - more than two classes: one score each
        return [helper.make_node("Softmax", ["score"], ["probabilities"], axis=1), to_places]
    constants.append(numpy_helper.from_array(np.ones((1, 1)), "one"))
    return [
        helper.make_node("Sigmoid", ["score"], ["second"]),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"], ["probabilities"], axis=1),
        to_places,
    ]


def _number_link(
    predictor: Predictor, estimator: BaseEstimator, constants: list[onnx.TensorProto]
) -> list[onnx.NodeProto]:
    loss = getattr(estimator, "loss", "squared_error")
    if loss in {"poisson", "gamma"}:  # scikit-learn's boosting learns their logarithm
        if predictor.target_log:
            message = f"loss {loss} on a logarithmic target has no served form"
            raise ExportError(message)
        return [helper.make_node("Exp", ["score"], ["answer"])]
    if not predictor.target_log:
        return [helper.make_node("Identity", ["score"], ["answer"])]
    constants.append(numpy_helper.from_array(np.ones((1, 1)), "one"))
    return [helper.make_node("Exp", ["score"], ["grown"]), helper.make_node("Sub", ["grown", "one"], ["answer"])]


def _tensor(values: NDArray[Any] | Sequence[float]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values), "")
