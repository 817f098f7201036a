"""Estimators that ask others: one class against another, codes, thresholds, chains, and several answers a row."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from .estimators import ESTIMATORS, TWO, Answer, estimate, label_of, probabilities_of, votes_of_pairs, winner
from .graph import Graph, UnservedError, Value
from .transformers import squared_distances


def confidence(graph: Graph, inner: Any, value: Value) -> str:
    """Return how sure one of two classes is, shape (rows, 1), as scikit-learn asks members for it."""
    answer = estimate(graph, inner, value)
    if answer.kind == "number" or (answer.scores is not None and hasattr(inner, "decision_function")):
        return str(answer.tensor if answer.kind == "number" else answer.scores)
    if answer.kind != "probabilities" or hasattr(inner, "decision_function"):
        message = f"{type(inner).__name__} inside another model has no served form"
        raise UnservedError(message)
    return graph.add("Gather", answer.tensor, graph.constant([1], np.int64), axis=1)


def _each_pair(graph: Graph, model: Any, value: Value) -> Answer:
    if getattr(model, "pairwise_indices_", None) is not None:
        message = "OneVsOneClassifier of a kernel that was computed before has no served form"
        raise UnservedError(message)
    ahead, sure = [], []
    for inner in model.estimators_:
        sure.append(confidence(graph, inner, value))
        half = 0.0 if hasattr(inner, "decision_function") else 0.5
        ahead.append(graph.add("Cast", graph.add("Greater", sure[-1], graph.constant([[half]])), to=11))
    together, sum_of = graph.add("Concat", *ahead, axis=1), graph.add("Concat", *sure, axis=1)
    classes = model.classes_
    if len(classes) == TWO:
        scores = graph.add("Sub", sure[0], graph.constant([[half]]))
        return label_of(graph, scores, classes)
    scores = votes_of_pairs(graph, together, sum_of, len(classes))
    return Answer("labels", winner(graph, scores, len(classes)), classes=classes, scores=scores)


def _codes(graph: Graph, model: Any, value: Value) -> Answer:
    sure = graph.add("Concat", *[confidence(graph, inner, value) for inner in model.estimators_], axis=1)
    book = np.asarray(model.code_book_, dtype=np.float64)
    distance = squared_distances(graph, graph.fresh(sure, book.shape[1]), book)
    return Answer("labels", winner(graph, graph.add("Neg", distance), len(book)), classes=model.classes_)


def _threshold(graph: Graph, model: Any, value: Value) -> Answer:
    answer = estimate(graph, model.estimator_, value)
    method = getattr(model, "response_method", "auto")
    place = 1
    if getattr(model, "pos_label", None) is not None:
        place = [str(one) for one in model.classes_].index(str(model.pos_label))
    cut = getattr(model, "best_threshold_", getattr(model, "threshold", 0.5))
    if answer.kind == "probabilities" and method in {"auto", "predict_proba"}:
        sure = graph.add("Gather", answer.tensor, graph.constant([place], np.int64), axis=1)
        cut = 0.5 if cut == "auto" else cut
    elif answer.scores is not None:
        sure = answer.scores if place else graph.add("Neg", answer.scores)
        cut = 0.0 if cut == "auto" else cut
    else:
        message = f"a threshold on {type(model.estimator_).__name__} has no served form"
        raise UnservedError(message)
    above = graph.add("Cast", graph.add("GreaterOrEqual", sure, graph.constant([[float(cut)]])), to=11)
    one_hot = graph.both(above)
    if not place:
        one_hot = graph.add("Gather", one_hot, graph.constant([1, 0], np.int64), axis=1)
    return Answer("labels", one_hot, classes=model.classes_)


def _self_trained(graph: Graph, model: Any, value: Value) -> Answer:
    return estimate(graph, model.estimator_ if hasattr(model, "estimator_") else model.base_estimator_, value)


# --- several answers a row --------------------------------------------------------------------------------------------


def _numbers(graph: Graph, model: Any, value: Value) -> Answer:
    answers = [estimate(graph, inner, value) for inner in model.estimators_]
    if any(answer.kind != "number" for answer in answers):
        message = f"{type(model).__name__} of models that give no numbers has no served form"
        raise UnservedError(message)
    return Answer("several", graph.add("Concat", *[answer.tensor for answer in answers], axis=1), width=len(answers))


def _chained_numbers(graph: Graph, model: Any, value: Value) -> Answer:
    found: List[str] = []
    for inner in model.estimators_:
        found.append(estimate(graph, inner, graph.beside([value, *[graph.fresh(one, 1) for one in found]])).tensor)
    return _in_order(graph, model, found, "several")


def _chained_chances(graph: Graph, model: Any, value: Value) -> Answer:
    labels: List[str] = []
    chances: List[str] = []
    for inner in model.estimators_:
        answer = probabilities_of(graph, inner, graph.beside([value, *[graph.fresh(one, 1) for one in labels]]))
        classes = np.asarray(answer.classes)
        if len(classes) != TWO or getattr(model, "chain_method_", "predict") != "predict":
            message = "a ClassifierChain of more than two classes, or one that hands on chances, has no served form"
            raise UnservedError(message)
        chances.append(graph.add("Gather", answer.tensor, graph.constant([1], np.int64), axis=1))
        labels.append(graph.matmul(winner(graph, answer.tensor, TWO), classes.astype(np.float64).reshape(-1, 1)))
    return _in_order(graph, model, chances, "chances")


def _in_order(graph: Graph, model: Any, found: List[str], kind: str) -> Answer:
    places = np.argsort(np.asarray(model.order_))
    joined = graph.add("Concat", *found, axis=1)
    return Answer(kind, graph.add("Gather", joined, graph.constant(places, np.int64), axis=1), width=len(found))


def _several_chances(graph: Graph, model: Any, value: Value) -> Answer:
    answers = [probabilities_of(graph, inner, value) for inner in model.estimators_]
    names = [np.asarray(answer.classes) for answer in answers]
    tensor = graph.add("Concat", *[answer.tensor for answer in answers], axis=1)
    return Answer("chances", tensor, width=sum(len(one) for one in names), outputs=names)


ESTIMATORS.update(
    {
        "OneVsOneClassifier": _each_pair,
        "OutputCodeClassifier": _codes,
        "FixedThresholdClassifier": _threshold,
        "TunedThresholdClassifierCV": _threshold,
        "SelfTrainingClassifier": _self_trained,
        "MultiOutputRegressor": _numbers,
        "MultiOutputClassifier": _several_chances,
        "RegressorChain": _chained_numbers,
        "ClassifierChain": _chained_chances,
    }
)
