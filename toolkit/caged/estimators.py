"""Fitted estimators of scikit-learn, written as operators: features in, probabilities, labels or a number out."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from .functions import interpolated
from .graph import LEQ, Graph, Trees, UnservedError, Value
from .transformers import squared_distances, transform, undone

TWO = 2
WHOLE = {"DecisionTreeClassifier", "ExtraTreeClassifier", "KNeighborsClassifier", "RandomForestClassifier"}


class Answer:
    """What an estimator gives: ``tensor`` of shape (rows, classes) or (rows, 1).

    ``kind`` is ``probabilities``, ``labels`` (a 1 in the place of the class) or ``number``; of several answers a row,
    ``several`` (numbers) or ``chances`` (``width`` in all; of each class of each of ``outputs``, or of what each label
    says). ``scores`` are the decision values of a classifier, where it has them.
    """

    def __init__(
        self,
        kind: str,
        tensor: str,
        *,
        classes: Any = None,
        scores: Optional[str] = None,
        width: int = 1,
        outputs: Any = None,
    ) -> None:
        self.kind = kind
        self.width = width
        self.outputs = outputs
        self.tensor = tensor
        self.classes = None if classes is None else np.asarray(classes)
        self.scores = scores


def estimate(graph: Graph, model: Any, value: Value) -> Answer:
    """Return what the fitted ``model`` answers; ``UnservedError`` names what has no served form."""
    for name in [base.__name__ for base in type(model).__mro__]:
        if name in ESTIMATORS:
            return ESTIMATORS[name](graph, model, value)
    if hasattr(model, "coef_") and hasattr(model, "intercept_") and not hasattr(model, "classes_"):
        return _linear_number(graph, model, value)
    message = f"{type(model).__module__.split('.')[0]}'s {type(model).__name__} has no served form yet"
    raise UnservedError(message)


# --- put together of others -------------------------------------------------------------------------------------------


def _same_always(graph: Graph, model: Any, value: Value) -> Answer:
    """Return what a member answers that met one class alone: that class's number, 0 or 1."""
    first = graph.add("Gather", value.tensor, graph.constant([0], np.int64), axis=1)
    zero = graph.add("Where", graph.add("IsNaN", first), graph.constant([[0.0]]), graph.scalar("Mul", first, 0.0))
    chance = graph.scalar("Add", zero, float(np.ravel(model.y_)[0]))
    return Answer("probabilities", graph.both(chance), classes=np.array([0, 1]), scores=chance)


def _pipeline(graph: Graph, model: Any, value: Value) -> Answer:
    for _, step in model.steps[:-1]:
        if not hasattr(step, "fit_resample"):  # a sampler of imbalanced-learn changes the rows of training alone
            value = transform(graph, step, value)
    return estimate(graph, model.steps[-1][1], value)


def _search(graph: Graph, model: Any, value: Value) -> Answer:
    return estimate(graph, model.best_estimator_, value)


def _mean(graph: Graph, tensors: List[str], weights: Any = None) -> str:
    shares = np.ones(len(tensors)) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = shares / shares.sum()
    parts = [graph.scalar("Mul", tensor, float(share)) for tensor, share in zip(tensors, shares)]
    return parts[0] if len(parts) == 1 else graph.add("Sum", *parts)


def probabilities_of(graph: Graph, model: Any, value: Value) -> Answer:
    """Return what ``model`` answers in probabilities, or say that it does not."""
    answer = estimate(graph, model, value)
    if answer.kind != "probabilities":
        message = f"{type(model).__name__} gives no probabilities, which the model around it needs"
        raise UnservedError(message)
    return answer


def _voting(graph: Graph, model: Any, value: Value) -> Answer:
    kept = [
        place
        for place, (_, inner) in enumerate(model.estimators)
        if not (inner is None or (isinstance(inner, str) and inner == "drop"))
    ]
    weights = None if model.weights is None else [model.weights[place] for place in kept]
    if not hasattr(model, "le_"):
        parts = [estimate(graph, inner, value).tensor for inner in model.estimators_]
        return Answer("number", _mean(graph, parts, weights))
    classes = model.le_.classes_
    if model.voting == "soft":
        parts = [probabilities_of(graph, inner, value).tensor for inner in model.estimators_]
        return Answer("probabilities", _mean(graph, parts, weights), classes=classes)
    votes = [_as_labels(graph, estimate(graph, inner, value), len(classes)) for inner in model.estimators_]
    return Answer("labels", winner(graph, _mean(graph, votes, weights), len(classes)), classes=classes)


def _as_labels(graph: Graph, answer: Answer, count: int) -> str:
    return answer.tensor if answer.kind == "labels" else winner(graph, answer.tensor, count)


def winner(graph: Graph, tensor: str, count: int) -> str:
    """Return a 1 in the place of the largest of ``count`` columns."""
    return graph.one_hot(graph.add("ArgMax", tensor, axis=1, keepdims=1), count)


def _stacking(graph: Graph, model: Any, value: Value) -> Answer:
    parts = []
    for inner, method in zip(model.estimators_, model.stack_method_):
        answer = estimate(graph, inner, value)
        if method == "predict_proba":
            classes = 0 if answer.classes is None else len(answer.classes)
            tensor, width = answer.tensor, classes
            if classes == TWO:
                tensor, width = graph.add("Gather", tensor, graph.constant([1], np.int64), axis=1), 1
            parts.append(graph.fresh(tensor, width))
        elif method == "decision_function" and answer.scores is not None:
            count = 0 if answer.classes is None else len(answer.classes)
            parts.append(graph.fresh(answer.scores, 1 if count == TWO else count))
        elif answer.kind == "number":
            parts.append(graph.fresh(answer.tensor, 1))
        elif method == "predict" and answer.classes is not None and answer.classes.dtype.kind in "iuf":
            hit = _as_labels(graph, answer, len(answer.classes))
            parts.append(graph.fresh(graph.matmul(hit, answer.classes.astype(np.float64).reshape(-1, 1)), 1))
        else:
            message = f"a stack of {type(inner).__name__} by {method} has no served form"
            raise UnservedError(message)
    if model.passthrough:
        parts.append(value)
    final = estimate(graph, model.final_estimator_, graph.beside(parts))
    if hasattr(model, "_label_encoder") and final.classes is not None:
        final.classes = np.asarray(model.classes_)
    return final


def _calibrated(graph: Graph, model: Any, value: Value) -> Answer:
    parts = []
    for one in model.calibrated_classifiers_:
        inner = getattr(one, "estimator", None) or one.base_estimator
        calibrators = one.calibrators if hasattr(one, "calibrators") else one.calibrators_
        answer = estimate(graph, inner, value)
        count = len(model.classes_)
        scores = answer.scores
        if scores is None and answer.kind == "probabilities":
            scores = answer.tensor
            if count == TWO:
                scores = graph.add("Gather", scores, graph.constant([1], np.int64), axis=1)
        if scores is None:
            message = f"the calibration of {type(inner).__name__} has no served form"
            raise UnservedError(message)
        columns = []
        for place, calibrator in enumerate(calibrators):
            column = graph.add("Gather", scores, graph.constant([place], np.int64), axis=1)
            columns.append(_calibrator(graph, calibrator, column))
        if count == TWO:
            parts.append(graph.both(columns[0]))
        else:
            parts.append(graph.shares(graph.add("Concat", *columns, axis=1)))
    return Answer("probabilities", _mean(graph, parts), classes=model.classes_)


def _calibrator(graph: Graph, calibrator: Any, column: str) -> str:
    if not hasattr(calibrator, "a_") and not hasattr(calibrator, "X_thresholds_"):
        message = 'a calibration by temperature has no served form: `method="sigmoid"` has'
        raise UnservedError(message)
    if hasattr(calibrator, "a_"):  # Platt's sigmoid
        inner = graph.scalar("Add", graph.scalar("Mul", column, -float(calibrator.a_)), -float(calibrator.b_))
        return graph.add("Sigmoid", inner)
    points = np.asarray(calibrator.X_thresholds_, dtype=np.float64)
    heights = np.asarray(calibrator.y_thresholds_, dtype=np.float64)
    return interpolated(graph, column, points, heights)


def _chosen(graph: Graph, model: Any, value: Value) -> Answer:
    places = np.flatnonzero(np.asarray(model.support_)).tolist()
    return estimate(graph, model.estimator_, graph.columns(value, places))


def _one_against_rest(graph: Graph, model: Any, value: Value) -> Answer:
    answers = [estimate(graph, inner, value) for inner in model.estimators_]
    several = bool(getattr(model, "multilabel_", False))
    if not several and all(one.kind == "labels" and one.scores is not None for one in answers):
        if len(answers) == 1:
            return label_of(graph, str(answers[0].scores), model.classes_)
        scores = graph.add("Concat", *[str(one.scores) for one in answers], axis=1)
        return Answer("labels", winner(graph, scores, len(model.classes_)), classes=model.classes_)
    parts = []
    for inner, answer in zip(model.estimators_, answers):
        if answer.kind != "probabilities":
            message = f"{type(inner).__name__} gives no probabilities, which the model around it needs"
            raise UnservedError(message)
        parts.append(graph.add("Gather", answer.tensor, graph.constant([1], np.int64), axis=1))
    if several:
        return Answer("chances", graph.add("Concat", *parts, axis=1), width=len(parts))
    if len(parts) == 1:
        return Answer("probabilities", graph.both(parts[0]), classes=model.classes_)
    chances = graph.add("Concat", *parts, axis=1)
    if any(type(inner).__name__ in WHOLE for inner in model.estimators_):  # no class may have a share
        return Answer("labels", winner(graph, chances, len(parts)), classes=model.classes_)
    return Answer("probabilities", graph.shares(chances), classes=model.classes_)


def _target(graph: Graph, model: Any, value: Value) -> Answer:
    answer = estimate(graph, model.regressor_, value)
    if answer.kind != "number":
        message = f"a target of {answer.width} numbers that is transformed has no served form"
        raise UnservedError(message)
    return Answer("number", undone(graph, model.transformer_, answer.tensor))


# --- linear -----------------------------------------------------------------------------------------------------------


def _scores(graph: Graph, model: Any, value: Value) -> str:
    weights = np.atleast_2d(np.asarray(_dense(model.coef_), dtype=np.float64))
    if weights.shape[1] != value.width:
        message = f"{type(model).__name__} reads {weights.shape[1]} features, and {value.width} come to it"
        raise UnservedError(message)
    return graph.matmul(value.tensor, weights.T, np.asarray(model.intercept_, dtype=np.float64).ravel())


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else values


def _linear_number(graph: Graph, model: Any, value: Value) -> Answer:
    scores = _scores(graph, model, value)
    width = np.atleast_2d(np.asarray(_dense(model.coef_))).shape[0]
    return Answer("number", scores) if width == 1 else Answer("several", scores, width=width)


def _partial_number(graph: Graph, model: Any, value: Value) -> Answer:
    return _linear_number(graph, model, graph.affine(value, minus=model._x_mean))  # noqa: SLF001 - no public name


def _generalized(graph: Graph, model: Any, value: Value) -> Answer:
    scores = _scores(graph, model, value)
    identity = getattr(model, "link", "") == "identity" or (
        getattr(model, "link", "") == "auto" and getattr(model, "power", 1) <= 0
    )
    return Answer("number", scores if identity else graph.add("Exp", scores))


def _logistic(graph: Graph, model: Any, value: Value) -> Answer:
    scores = _scores(graph, model, value)
    count = len(model.classes_)
    one_each = getattr(model, "multi_class", "auto") == "ovr" or (
        getattr(model, "multi_class", "auto") in {"auto", "warn"} and getattr(model, "solver", "") == "liblinear"
    )
    if count == TWO and np.atleast_2d(np.asarray(model.coef_)).shape[0] == 1:
        multinomial = getattr(model, "multi_class", "") == "multinomial"
        halves = graph.scalar("Mul", scores, 2.0) if multinomial else scores  # softmax of (-score, score)
        return Answer("probabilities", graph.both(graph.add("Sigmoid", halves)), classes=model.classes_, scores=scores)
    if one_each:
        return Answer("probabilities", _each_share(graph, scores), classes=model.classes_, scores=scores)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_, scores=scores)


def _descent(graph: Graph, model: Any, value: Value) -> Answer:
    if model.loss not in {"log", "log_loss", "modified_huber"}:
        return _linear_label(graph, model, value)
    scores = _scores(graph, model, value)
    if model.loss == "modified_huber":
        clipped = graph.add("Min", graph.add("Max", scores, graph.constant([[-1.0]])), graph.constant([[1.0]]))
        each = graph.scalar("Div", graph.scalar("Add", clipped, 1.0), 2.0)
    else:
        each = graph.add("Sigmoid", scores)
    if len(model.classes_) == TWO:
        return Answer("probabilities", graph.both(each), classes=model.classes_, scores=scores)
    if model.loss == "modified_huber":  # rows without any share are spread evenly
        total = graph.add("ReduceSum", each, graph.constant([1], np.int64), keepdims=1)
        none = graph.add("Equal", total, graph.constant([[0.0]]))
        each = graph.add("Where", none, graph.constant([[1.0] * len(model.classes_)]), each)
    return Answer("probabilities", graph.shares(each), classes=model.classes_, scores=scores)


def _linear_label(graph: Graph, model: Any, value: Value) -> Answer:
    scores = _scores(graph, model, value)
    return label_of(graph, scores, model.classes_)


def label_of(graph: Graph, scores: str, classes: Any) -> Answer:
    """Return the class that the scores name: above zero the second of two, else the one with the largest."""
    if len(classes) == TWO:
        above = graph.add("Cast", graph.add("Greater", scores, graph.constant([[0.0]])), to=11)
        return Answer("labels", graph.both(above), classes=classes, scores=scores)
    return Answer("labels", winner(graph, scores, len(classes)), classes=classes, scores=scores)


def _discriminant(graph: Graph, model: Any, value: Value) -> Answer:
    scores = _scores(graph, model, value)
    if len(model.classes_) == TWO:
        return Answer("probabilities", graph.both(graph.add("Sigmoid", scores)), classes=model.classes_, scores=scores)
    if getattr(model, "one_each", False):  # as versions before 0.21: see ``ages.py``
        return Answer("probabilities", _each_share(graph, scores), classes=model.classes_, scores=scores)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_, scores=scores)


def _each_share(graph: Graph, scores: str) -> str:
    """Return each class's chance against the rest as a share of all, by logarithms: small chances keep their digits."""
    beyond = graph.add("Exp", graph.add("Neg", graph.add("Abs", scores)))
    below = graph.add("Min", scores, graph.constant([[0.0]]))
    logs = graph.add("Sub", below, graph.add("Log", graph.scalar("Add", beyond, 1.0)))
    return graph.add("Softmax", logs, axis=1)


def _quadratic(graph: Graph, model: Any, value: Value) -> Answer:
    parts = []
    for place in range(len(model.classes_)):
        rotation, scaling = np.asarray(model.rotations_[place]), np.asarray(model.scalings_[place])
        apart = graph.add("Sub", value.tensor, graph.constant([np.asarray(model.means_)[place]]))
        turned = graph.matmul(apart, rotation * (scaling ** (-0.5)))
        size = graph.add("ReduceSumSquare", turned, graph.constant([1], np.int64), keepdims=1)
        offset = -0.5 * float(np.sum(np.log(scaling))) + float(np.log(model.priors_[place]))
        parts.append(graph.scalar("Add", graph.scalar("Mul", size, -0.5), offset))
    scores = graph.add("Concat", *parts, axis=1)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_)


# --- Bayes ------------------------------------------------------------------------------------------------------------


def _gaussian(graph: Graph, model: Any, value: Value) -> Answer:
    variance = np.asarray(model.var_ if hasattr(model, "var_") else model.sigma_, dtype=np.float64)
    means = np.asarray(model.theta_, dtype=np.float64)
    for slot, middle, spread in zip(value.slots, means.mean(axis=0), np.sqrt(variance.mean(axis=0))):
        slot.seen(middle - 2 * spread, middle + 2 * spread)
    rows = graph.add("Unsqueeze", value.tensor, graph.constant([1], np.int64))
    apart = graph.add("Sub", rows, graph.constant(means[None]))
    squared = graph.add("Div", graph.add("Mul", apart, apart), graph.constant(variance[None]))
    size = graph.add("ReduceSum", squared, graph.constant([2], np.int64), keepdims=0)
    offset = np.log(model.class_prior_) - 0.5 * np.sum(np.log(2.0 * np.pi * variance), axis=1)
    scores = graph.add("Add", graph.scalar("Mul", size, -0.5), graph.constant([offset]))
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_)


def _multinomial(graph: Graph, model: Any, value: Value) -> Answer:
    for slot in value.slots:
        slot.seen(0.0, 5.0)
    scores = graph.matmul(value.tensor, np.asarray(model.feature_log_prob_).T, model.class_log_prior_)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_)


def _complement(graph: Graph, model: Any, value: Value) -> Answer:
    for slot in value.slots:
        slot.seen(0.0, 5.0)
    prior = model.class_log_prior_ if len(model.classes_) == 1 else np.zeros(len(model.classes_))
    scores = graph.matmul(value.tensor, np.asarray(model.feature_log_prob_).T, prior)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_)


def _bernoulli(graph: Graph, model: Any, value: Value) -> Answer:
    tensor = value.tensor
    if model.binarize is not None:
        tensor = graph.add("Cast", graph.add("Greater", tensor, graph.constant([[float(model.binarize)]])), to=11)
    present = np.asarray(model.feature_log_prob_)
    absent = np.log(1 - np.exp(present))
    scores = graph.matmul(tensor, (present - absent).T, model.class_log_prior_ + absent.sum(axis=1))
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=model.classes_)


def _of_categories(graph: Graph, model: Any, value: Value) -> Answer:
    total = graph.constant([np.asarray(model.class_log_prior_, dtype=np.float64)])
    for place, chances in enumerate(model.feature_log_prob_):
        slot, codes = value.slots[place], np.arange(np.asarray(chances).shape[1], dtype=np.float64)
        slot.meet(codes.tolist())
        slot.seen(0.0, float(codes[-1]))
        column = graph.columns(value, [place]).tensor
        hits = graph.add("Cast", graph.add("Equal", column, graph.constant([codes])), to=11)
        total = graph.add("Add", graph.matmul(hits, np.asarray(chances, dtype=np.float64).T), total)
    return Answer("probabilities", graph.add("Softmax", total, axis=1), classes=model.classes_)


# --- trees ------------------------------------------------------------------------------------------------------------


def _nodes(tree: Any) -> Dict[str, Any]:
    """Return a fitted tree's arrays by name, whatever version wrote them."""
    state = tree.__getstate__()
    nodes = state["nodes"]
    found = {name: nodes[name] for name in ("left_child", "right_child", "feature", "threshold")}
    names = nodes.dtype.names or ()
    lefts = nodes["missing_go_to_left"] if "missing_go_to_left" in names else np.zeros(len(nodes))
    return {**found, "gaps_left": lefts, "values": np.asarray(state["values"])}


def _forest_trees(model: Any) -> List[Any]:
    return [one.tree_ for one in model.estimators_] if hasattr(model, "estimators_") else [model.tree_]


def _mark(value: Value, nodes: Dict[str, Any]) -> None:
    inner = (nodes["left_child"] >= 0) & np.isfinite(np.asarray(nodes["threshold"], dtype=np.float64))
    for feature in np.unique(nodes["feature"][inner]):
        cuts = nodes["threshold"][inner & (nodes["feature"] == feature)]
        slot = value.slots[int(feature)]
        slot.mark(cuts.tolist())
        slot.seen(float(cuts.min()), float(cuts.max()))


def _tree_tables(graph: Graph, model: Any, value: Value, tables: List[Any]) -> str:
    """Return the mean over trees of what ``tables`` say of their leaves; a table a tree, a line a node."""
    trees, start = Trees(), 0
    for place, tree in enumerate(_forest_trees(model)):
        nodes = _nodes(tree)
        _mark(value, nodes)
        count = len(nodes["left_child"])
        trees.add(
            feature=nodes["feature"],
            threshold=nodes["threshold"],
            left=nodes["left_child"],
            right=nodes["right_child"],
            weight=np.arange(start, start + count),
            target=place,
            gaps_left=nodes["gaps_left"],
        )
        start += count
    found = graph.trees(graph.as_float32(value.tensor), trees, targets=len(tables))
    rows = graph.add("Gather", graph.constant(np.concatenate(tables)), graph.add("Cast", found, to=7), axis=0)
    return graph.add("ReduceMean", rows, graph.constant([1], np.int64), keepdims=0)


def _tree_chances(graph: Graph, model: Any, value: Value) -> Answer:
    tables = []
    for tree in _forest_trees(model):
        values, parts = _nodes(tree)["values"], []
        for output, classes in enumerate(model.classes_):
            counts = values[:, output, : len(classes)]
            totals = counts.sum(axis=1, keepdims=True)
            parts.append(counts / np.where(totals == 0, 1.0, totals))
        tables.append(np.concatenate(parts, axis=1))
    tensor = _tree_tables(graph, model, value, tables)
    return Answer("chances", tensor, width=tables[0].shape[1], outputs=list(model.classes_))


def _tree_classes(graph: Graph, model: Any, value: Value) -> Answer:
    if getattr(model, "n_outputs_", 1) != 1:
        return _tree_chances(graph, model, value)
    grown = _forest_trees(model)
    count = len(model.classes_)
    trees = Trees()
    tables: List[Any] = []
    start = 0
    for place, tree in enumerate(grown):
        nodes = _nodes(tree)
        _mark(value, nodes)
        values = nodes["values"][:, 0, :]
        totals = values.sum(axis=1, keepdims=True)
        shares = values / np.where(totals == 0, 1.0, totals)
        several = count > TWO
        weight = np.arange(start, start + len(values)) if several else shares[:, -1] / len(grown)
        trees.add(
            feature=nodes["feature"],
            threshold=nodes["threshold"],
            left=nodes["left_child"],
            right=nodes["right_child"],
            weight=weight,
            target=place if several else 0,
            gaps_left=nodes["gaps_left"],
        )
        tables.append(shares)
        start += len(values)
    rounded = graph.as_float32(value.tensor)
    if count == 1:
        one = graph.scalar("Add", graph.scalar("Mul", graph.trees(rounded, trees, targets=1), 0.0), 1.0)
        return Answer("probabilities", one, classes=model.classes_)
    if count == TWO:
        return Answer("probabilities", graph.both(graph.trees(rounded, trees, targets=1)), classes=model.classes_)
    leaves = graph.add("Cast", graph.trees(rounded, trees, targets=len(grown)), to=7)
    shares = graph.add("Gather", graph.constant(np.concatenate(tables)), leaves, axis=0)
    mean = graph.add("ReduceMean", shares, graph.constant([1], np.int64), keepdims=0)
    return Answer("probabilities", mean, classes=model.classes_)


def _tree_number(graph: Graph, model: Any, value: Value) -> Answer:
    grown = _forest_trees(model)
    if getattr(model, "n_outputs_", 1) != 1:
        tables = [_nodes(tree)["values"][:, :, 0] for tree in grown]
        return Answer("several", _tree_tables(graph, model, value, tables), width=tables[0].shape[1])
    trees = Trees()
    for tree in grown:
        nodes = _nodes(tree)
        _mark(value, nodes)
        trees.add(
            feature=nodes["feature"],
            threshold=nodes["threshold"],
            left=nodes["left_child"],
            right=nodes["right_child"],
            weight=nodes["values"][:, 0, 0] / len(grown),
            target=0,
            gaps_left=nodes["gaps_left"],
        )
    return Answer("number", graph.trees(graph.as_float32(value.tensor), trees, targets=1))


def _boosted(graph: Graph, model: Any, value: Value) -> Answer:
    scores_count = model.estimators_.shape[1]
    trees = Trees()
    for stage in model.estimators_:
        for target, one in enumerate(stage):
            nodes = _nodes(one.tree_)
            _mark(value, nodes)
            trees.add(
                feature=nodes["feature"],
                threshold=nodes["threshold"],
                left=nodes["left_child"],
                right=nodes["right_child"],
                weight=nodes["values"][:, 0, 0] * model.learning_rate,
                target=target,
                gaps_left=nodes["gaps_left"],
            )
    raised = graph.trees(graph.as_float32(value.tensor), trees, targets=scores_count)
    start = _boosted_start(graph, model, value)
    scores = raised if start is None else graph.add("Add", raised, start)
    classes = getattr(model, "classes_", None)
    if classes is None:
        return Answer("number", scores)
    if len(classes) == TWO:
        factor = 2.0 if model.loss == "exponential" else 1.0
        chance = graph.add("Sigmoid", graph.scalar("Mul", scores, factor))
        return Answer("probabilities", graph.both(chance), classes=classes, scores=scores)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=classes, scores=scores)


def _boosted_start(graph: Graph, model: Any, value: Value) -> Optional[str]:
    """Return the scores that boosting starts from; None for zero."""
    first = model.init_
    if isinstance(first, str) and first == "zero":
        return None
    classes = getattr(model, "classes_", None)
    if classes is None:
        if type(first).__name__ == "DummyRegressor":
            return graph.constant([[float(np.ravel(first.constant_)[0])]])
        if hasattr(first, "mean"):  # as versions before 0.21 keep it
            return graph.constant([[float(first.mean)]])
        if hasattr(first, "quantile"):
            return graph.constant([[float(first.quantile)]])
        return estimate(graph, first, value).tensor
    tiny = np.finfo(np.float32).eps
    if type(first).__name__ == "DummyClassifier":
        prior = np.clip(np.asarray(first.class_prior_, dtype=np.float64), tiny, 1 - tiny)
        if len(classes) > TWO:
            return graph.constant([np.log(prior)])
        ratio = float(np.log(prior[1] / (1 - prior[1])))
        return graph.constant([[ratio / 2 if model.loss == "exponential" else ratio]])
    if hasattr(first, "prior"):
        return graph.constant([np.atleast_1d(np.asarray(first.prior, dtype=np.float64))])
    message = f"boosting that starts from {type(first).__name__} has no served form"
    raise UnservedError(message)


def _histogram_boosted(graph: Graph, model: Any, value: Value) -> Answer:
    baseline = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()  # noqa: SLF001 - no public name
    if getattr(model, "is_categorical_", None) is not None and np.any(model.is_categorical_):
        value = _own_categories(graph, model, value)
    trees = Trees()
    for iteration in model._predictors:  # noqa: SLF001 - as above
        for target, predictor in enumerate(iteration):
            nodes = predictor.nodes
            names = nodes.dtype.names or ()
            cuts = nodes["num_threshold" if "num_threshold" in names else "threshold"]
            leaf = nodes["is_leaf"].astype(bool)
            left = np.where(leaf, -1, nodes["left"].astype(np.int64))
            trees.add(
                feature=nodes["feature_idx"].astype(np.int64),
                threshold=cuts,
                left=left,
                right=nodes["right"].astype(np.int64),
                weight=nodes["value"],
                target=target,
                gaps_left=nodes["missing_go_to_left"],
                members=_members(predictor),
            )
            _mark(
                value,
                {"left_child": left, "feature": nodes["feature_idx"].astype(np.int64), "threshold": np.asarray(cuts)},
            )
    for slot in value.slots:
        slot.nullable = True
    raised = graph.trees(value.tensor, trees, targets=len(baseline))
    scores = graph.add("Add", raised, graph.constant([baseline]))
    classes = getattr(model, "classes_", None)
    if classes is None:
        exponential = getattr(model, "loss", "") in {"poisson", "gamma"}
        return Answer("number", graph.add("Exp", scores) if exponential else scores)
    if len(classes) == TWO:
        return Answer("probabilities", graph.both(graph.add("Sigmoid", scores)), classes=classes, scores=scores)
    return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=classes, scores=scores)


def _own_categories(graph: Graph, model: Any, value: Value) -> Value:
    """Return the columns as the trees read them: codes of categories, a gap for those that nobody knows."""
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is not None:  # since 1.4: an encoder puts the categories first
        return transform(graph, preprocessor, value)
    parts = []
    for place, chosen in enumerate(np.asarray(model.is_categorical_)):
        column = graph.columns(value, [place])
        if chosen:
            known = [float(one) for one in model._bin_mapper.bin_thresholds_[place]]  # noqa: SLF001 - no public name
            column.slots[0].meet(known)
            hits = graph.add("Cast", graph.add("Equal", column.tensor, graph.constant([known])), to=11)
            some = graph.add("ReduceMax", hits, graph.constant([1], np.int64), keepdims=1)
            strange = graph.add("Equal", some, graph.constant([[0.0]]))
            gap = graph.add("Where", strange, graph.constant([[float("nan")]]), column.tensor)
            column = Value(gap, column.slots)
        parts.append(column)
    return graph.beside(parts)


def _members(predictor: Any) -> Dict[int, Sequence[float]]:
    """Return the categories that go left, by the nodes of a histogram's tree that split on categories."""
    nodes = predictor.nodes
    if "is_categorical" not in (nodes.dtype.names or ()):
        return {}
    sets = predictor.raw_left_cat_bitsets
    return {
        place: [float(code) for code in range(256) if int(sets[node["bitset_idx"]][code // 32]) >> (code % 32) & 1]
        for place, node in enumerate(nodes)
        if node["is_categorical"] and not node["is_leaf"]
    }


def _bagging(graph: Graph, model: Any, value: Value) -> Answer:
    parts, classes = [], getattr(model, "classes_", None)
    for inner, places in zip(model.estimators_, model.estimators_features_):
        answer = estimate(graph, inner, graph.columns(value, list(places)))
        if classes is None:
            parts.append(answer.tensor)
            continue
        if answer.kind not in {"probabilities", "labels"} or (
            answer.kind == "labels" and hasattr(inner, "predict_proba")
        ):
            message = f"bagging of {type(inner).__name__}, whose probabilities are not served, has no served form"
            raise UnservedError(message)
        known = [] if answer.classes is None else [int(one) for one in answer.classes]
        tensor = answer.tensor
        if known != list(range(len(classes))):  # a member that met some of the classes only
            tensor = graph.matmul(tensor, np.eye(len(classes))[known])
        parts.append(tensor)
    return Answer("number" if classes is None else "probabilities", _mean(graph, parts), classes=classes)


def _ada(graph: Graph, model: Any, value: Value) -> Answer:
    classes = model.classes_
    count = len(classes)
    if getattr(model, "algorithm", "SAMME") == "SAMME.R":
        parts = []
        tiny = float(np.finfo(np.float64).eps)
        for inner in model.estimators_:
            chance = probabilities_of(graph, inner, value).tensor
            logs = graph.add("Log", graph.add("Max", chance, graph.constant([[tiny]])))
            mean = graph.add("ReduceMean", logs, graph.constant([1], np.int64), keepdims=1)
            parts.append(graph.scalar("Mul", graph.add("Sub", logs, mean), float(count - 1)))
        total = graph.scalar("Div", _total(graph, parts), float(len(parts)))
    else:
        parts, counted = [], getattr(model, "votes", "")  # as versions before 1.3 did: see ``ages.py``
        for inner, weight in zip(model.estimators_, model.estimator_weights_):
            answer = estimate(graph, inner, value)
            votes = answer.tensor if counted == "chances" else _as_labels(graph, answer, count)
            if counted:
                parts.append(graph.scalar("Mul", votes, float(weight)))
                continue
            signed = graph.scalar("Sub", graph.scalar("Mul", votes, count / (count - 1)), 1.0 / (count - 1))
            parts.append(graph.scalar("Mul", signed, float(weight)))
        total = graph.scalar("Div", _total(graph, parts), float(np.sum(model.estimator_weights_)))
    halved = graph.scalar("Div", total, float(count - 1))
    return Answer("probabilities", graph.add("Softmax", halved, axis=1), classes=classes)


def _ada_number(graph: Graph, model: Any, value: Value) -> Answer:
    """Return the median of the members' numbers, by their weights."""
    parts = [estimate(graph, inner, value).tensor for inner in model.estimators_]
    graph.add(
        "TopK",
        graph.add("Concat", *parts, axis=1),
        graph.constant([len(parts)], np.int64),
        axis=1,
        largest=0,
        sorted=1,
    )
    top = graph.nodes[-1]
    values, places = f"{top['outputs'][0]}v", f"{top['outputs'][0]}i"
    top["outputs"] = [values, places]
    weights = np.asarray(model.estimator_weights_, dtype=np.float64)[: len(parts)]
    sorted_weights = graph.add("Gather", graph.constant(weights), places, axis=0)
    rising = graph.matmul(sorted_weights, np.triu(np.ones((len(parts), len(parts)))))
    last = graph.add("Gather", rising, graph.constant([len(parts) - 1], np.int64), axis=1)
    half = graph.add("Cast", graph.add("GreaterOrEqual", rising, graph.scalar("Mul", last, 0.5)), to=11)
    first = graph.one_hot(graph.add("ArgMax", half, axis=1, keepdims=1), len(parts))
    found = graph.add("ReduceSum", graph.add("Mul", values, first), graph.constant([1], np.int64), keepdims=1)
    return Answer("number", found)


def _outliers(graph: Graph, model: Any, value: Value) -> Answer:
    """Return -1 for rows that few cuts set apart, 1 for the others."""
    total, trees = [], len(model.estimators_)
    for place, (inner, features) in enumerate(zip(model.estimators_, model.estimators_features_)):
        nodes, seen = _nodes(inner.tree_), graph.columns(value, [int(one) for one in features])
        _mark(seen, nodes)
        depths = np.ones(len(nodes["left_child"]))
        for parent in range(len(depths)):  # a parent comes before its children
            for child in (nodes["left_child"][parent], nodes["right_child"][parent]):
                if child >= 0:
                    depths[child] = depths[parent] + 1.0
        grown = Trees()
        grown.add(
            feature=nodes["feature"],
            threshold=nodes["threshold"],
            left=nodes["left_child"],
            right=nodes["right_child"],
            weight=depths + np.asarray(model._average_path_length_per_tree[place]) - 1.0,  # noqa: SLF001
            target=0,
            gaps_left=nodes["gaps_left"],
        )
        total.append(graph.trees(graph.as_float32(seen.tensor), grown, targets=1))
    rows = float(getattr(model, "_max_samples", getattr(model, "max_samples_", 0)))
    usual = 2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows if rows > TWO else rows - 1.0
    share = graph.scalar("Mul", _total(graph, total), -float(np.log(2.0)) / (trees * usual))
    outside = graph.scalar("Add", graph.add("Neg", graph.add("Exp", share)), -float(model.offset_))
    below = graph.add("Cast", graph.add("Greater", graph.constant([[0.0]]), outside), to=11)
    inside = graph.add("Sub", graph.constant([[1.0]]), below)
    return Answer("labels", graph.both(inside), classes=np.array([-1, 1]), scores=outside)


def _total(graph: Graph, parts: List[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.add("Sum", *parts)


# --- neighbours, support vectors, networks ----------------------------------------------------------------------------


def _neighbours(graph: Graph, model: Any, value: Value) -> Answer:
    points = np.asarray(_dense(model._fit_X), dtype=np.float64)  # noqa: SLF001 - no public name
    metric = getattr(model, "effective_metric_", model.metric)
    for slot, low, high in zip(value.slots, points.min(axis=0), points.max(axis=0)):
        slot.seen(float(low), float(high))
    if metric == "euclidean":
        distance = graph.add("Sqrt", squared_distances(graph, value, points))
    elif metric in {"manhattan", "chebyshev", "minkowski"} and not _of_weights(model):
        rows = graph.add("Unsqueeze", value.tensor, graph.constant([1], np.int64))
        apart = graph.add("Abs", graph.add("Sub", rows, graph.constant(points[None])))
        power = float((getattr(model, "effective_metric_params_", None) or {}).get("p", getattr(model, "p", 2)))
        if metric == "minkowski":
            apart = graph.add("Pow", apart, graph.constant([[[power]]]))
        operator = "ReduceMax" if metric == "chebyshev" else "ReduceSum"
        distance = graph.add(operator, apart, graph.constant([2], np.int64), keepdims=0)
        if metric == "minkowski":
            distance = graph.scalar("Pow", distance, 1.0 / power)
    elif metric == "cosine":
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        length = graph.add("ReduceL2", value.tensor, graph.constant([1], np.int64), keepdims=1)
        safe = graph.add("Where", graph.add("Equal", length, graph.constant([[0.0]])), graph.constant([[1.0]]), length)
        alike = graph.add("Div", graph.matmul(value.tensor, (points / np.where(lengths == 0, 1.0, lengths)).T), safe)
        distance = graph.add("Sub", graph.constant([[1.0]]), alike)
    else:
        message = f"neighbours by the distance {metric!r} have no served form"
        raise UnservedError(message)
    near = graph.nodes
    distance_name = graph.add("Neg", distance)
    graph.add("TopK", distance_name, graph.constant([model.n_neighbors], np.int64), axis=1, largest=1, sorted=1)
    top = near[-1]
    values, places = f"{top['outputs'][0]}v", f"{top['outputs'][0]}i"
    top["outputs"] = [values, places]
    weights = _neighbour_weights(graph, model, values)
    truth = np.asarray(model._y)  # noqa: SLF001 - no public name
    classes = getattr(model, "classes_", None)
    if classes is not None and truth.ndim > 1 and truth.shape[1] > 1:
        message = f"{type(model).__name__} of several classes a row has no served form"
        raise UnservedError(message)
    if classes is None and truth.ndim > 1 and truth.shape[1] > 1:
        answers = graph.add("Gather", graph.constant(truth.astype(np.float64)), places, axis=0)
        each = graph.add("Unsqueeze", weights, graph.constant([2], np.int64))
        total = graph.add("ReduceSum", graph.add("Mul", answers, each), graph.constant([1], np.int64), keepdims=0)
        sums = graph.add("ReduceSum", weights, graph.constant([1], np.int64), keepdims=1)
        return Answer("several", graph.add("Div", total, sums), width=truth.shape[1])
    if classes is None:
        answers = graph.add("Gather", graph.constant(truth.astype(np.float64).reshape(-1)), places, axis=0)
        total = graph.add("ReduceSum", graph.add("Mul", answers, weights), graph.constant([1], np.int64), keepdims=1)
        sums = graph.add("ReduceSum", weights, graph.constant([1], np.int64), keepdims=1)
        return Answer("number", graph.add("Div", total, sums))
    table = np.eye(len(classes))[truth.astype(int).ravel()]
    votes = graph.add("Gather", graph.constant(table), places, axis=0)
    weighted = graph.add("Mul", votes, graph.add("Unsqueeze", weights, graph.constant([2], np.int64)))
    total = graph.add("ReduceSum", weighted, graph.constant([1], np.int64), keepdims=0)
    return Answer("probabilities", graph.shares(total), classes=classes)


def _of_weights(model: Any) -> bool:
    given = getattr(model, "effective_metric_params_", None) or {}
    return given.get("w") is not None


def _neighbour_weights(graph: Graph, model: Any, values: str) -> str:
    if model.weights == "uniform":
        return graph.scalar("Add", graph.scalar("Mul", values, 0.0), 1.0)
    if model.weights != "distance":
        message = "neighbours weighted by a function of one's own have no served form"
        raise UnservedError(message)
    distance = graph.add("Neg", values)
    zero = graph.add("Equal", distance, graph.constant([[0.0]]))
    hits = graph.add("Cast", zero, to=11)
    some = graph.add(
        "Greater", graph.add("ReduceMax", hits, graph.constant([1], np.int64), keepdims=1), graph.constant([[0.0]])
    )
    safe = graph.add("Where", zero, graph.constant([[1.0]]), distance)
    return graph.add("Where", some, hits, graph.add("Div", graph.constant([[1.0]]), safe))


def support_kernel(graph: Graph, model: Any, value: Value) -> str:
    """Return the kernel between rows and a model's support vectors."""
    points = np.asarray(_dense(model.support_vectors_), dtype=np.float64)
    for slot, low, high in zip(value.slots, points.min(axis=0), points.max(axis=0)):
        slot.seen(float(low), float(high))
    gamma = float(getattr(model, "_gamma", 0.0) or 0.0)
    if model.kernel == "linear":
        return graph.matmul(value.tensor, points.T)
    if model.kernel == "rbf":
        return graph.add("Exp", graph.scalar("Mul", squared_distances(graph, value, points), -gamma))
    inner = graph.scalar("Add", graph.scalar("Mul", graph.matmul(value.tensor, points.T), gamma), float(model.coef0))
    if model.kernel == "poly":
        return graph.scalar("Pow", inner, float(model.degree))
    if model.kernel == "sigmoid":
        return graph.add("Tanh", inner)
    message = f"support vectors with the kernel {model.kernel!r} have no served form"
    raise UnservedError(message)


def _support_number(graph: Graph, model: Any, value: Value) -> Answer:
    kernel = support_kernel(graph, model, value)
    weights = np.asarray(_dense(model.dual_coef_), dtype=np.float64).T
    return Answer("number", graph.matmul(kernel, weights, np.asarray(model.intercept_).ravel()))


def _support_classes(graph: Graph, model: Any, value: Value) -> Answer:
    kernel = support_kernel(graph, model, value)
    classes, counts = model.classes_, np.asarray(model.n_support_ if hasattr(model, "n_support_") else model._n_support)  # noqa: SLF001
    weights = np.asarray(_dense(model._dual_coef_), dtype=np.float64)
    offsets = np.asarray(model._intercept_, dtype=np.float64)
    ends = np.concatenate([[0], np.cumsum(counts)])
    pairs, columns = [], []
    for first in range(len(classes)):
        for second in range(first + 1, len(classes)):
            column = np.zeros(weights.shape[1])
            mine, others = slice(ends[first], ends[first + 1]), slice(ends[second], ends[second + 1])
            column[mine] = weights[second - 1, mine]
            column[others] = weights[first, others]
            pairs.append((first, second))
            columns.append(column)
    decisions = graph.matmul(kernel, np.array(columns).T, offsets)
    # Probabilities of support vectors are guessed by a loop that stops early (Wu, Lin and Weng 2004) and need not agree
    # with the class that is named: the class is what is served.
    if len(classes) == TWO:
        return label_of(graph, graph.add("Neg", decisions), classes)
    votes = np.zeros((2 * len(pairs), len(classes)))
    for place, (first, second) in enumerate(pairs):
        votes[place, first] = 1.0
        votes[len(pairs) + place, second] = 1.0
    ahead = graph.add("Cast", graph.add("Greater", decisions, graph.constant([[0.0]])), to=11)
    behind = graph.add("Sub", graph.constant([[1.0]]), ahead)
    total = graph.matmul(graph.add("Concat", ahead, behind, axis=1), votes)
    scores = None
    if getattr(model, "decision_function_shape", "ovr") == "ovr":
        sure = graph.add("Neg", decisions)
        favoured = graph.add("Cast", graph.add("Greater", sure, graph.constant([[0.0]])), to=11)
        scores = votes_of_pairs(graph, favoured, sure, len(classes))
        if getattr(model, "break_ties", False):
            return Answer("labels", winner(graph, scores, len(classes)), classes=classes, scores=scores)
    return Answer("labels", winner(graph, total, len(classes)), classes=classes, scores=scores)


def votes_of_pairs(graph: Graph, ahead: str, sure: str, count: int) -> str:
    """Return votes of pairs of classes, and less than a third of a vote by how sure they are (the second's favour)."""
    pairs = [(first, second) for first in range(count) for second in range(first + 1, count)]
    for_second, for_first, signs = (np.zeros((len(pairs), count)) for _ in range(3))
    for place, (first, second) in enumerate(pairs):
        for_first[place, first] = for_second[place, second] = signs[place, second] = 1.0
        signs[place, first] = -1.0
    behind = graph.add("Sub", graph.constant([[1.0]]), ahead)
    votes = graph.add("Add", graph.matmul(ahead, for_second), graph.matmul(behind, for_first))
    total = graph.matmul(sure, signs)
    bounded = graph.scalar("Mul", graph.scalar("Add", graph.add("Abs", total), 1.0), 3.0)
    return graph.add("Add", votes, graph.add("Div", total, bounded))


def _network(graph: Graph, model: Any, value: Value) -> Answer:
    tensor = value.tensor
    functions = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}
    last = len(model.coefs_) - 1
    for place, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_)):
        tensor = graph.matmul(tensor, weights, bias)
        if place < last:
            tensor = graph.add(functions[model.activation], tensor)
    if not hasattr(model, "_label_binarizer"):
        width = np.asarray(model.coefs_[-1]).shape[1]
        return Answer("number", tensor) if width == 1 else Answer("several", tensor, width=width)
    classes = model.classes_
    if model.out_activation_ == "softmax":
        return Answer("probabilities", graph.add("Softmax", tensor, axis=1), classes=classes)
    width = np.asarray(model.coefs_[-1]).shape[1]
    if width > 1:  # labels, of which a row may have several
        return Answer("chances", graph.add("Sigmoid", tensor), width=width)
    return Answer("probabilities", graph.both(graph.add("Sigmoid", tensor)), classes=classes)


def _cluster(graph: Graph, model: Any, value: Value) -> Answer:
    centers = np.asarray(model.cluster_centers_, dtype=np.float64)
    for slot, low, high in zip(value.slots, centers.min(axis=0), centers.max(axis=0)):
        slot.seen(float(low), float(high))
    nearest = graph.add("ArgMin", squared_distances(graph, value, centers), axis=1, keepdims=1)
    return Answer("labels", graph.one_hot(nearest, len(centers)), classes=np.arange(len(centers)))


def _constant(graph: Graph, model: Any, value: Value) -> Answer:
    first = graph.add("Gather", value.tensor, graph.constant([0], np.int64), axis=1)
    zero = graph.add("Where", graph.add("IsNaN", first), graph.constant([[0.0]]), graph.scalar("Mul", first, 0.0))
    if hasattr(model, "constant_") and not hasattr(model, "classes_"):
        return Answer("number", graph.scalar("Add", zero, float(np.ravel(model.constant_)[0])))
    prior = np.asarray(model.class_prior_, dtype=np.float64)
    if model.strategy == "most_frequent":
        prior = np.eye(len(prior))[int(prior.argmax())]
    elif model.strategy == "constant":
        prior = np.array([float(one == np.ravel(model.constant)[0]) for one in model.classes_.tolist()])
    elif model.strategy != "prior":
        message = f"a DummyClassifier that answers by {model.strategy!r} has no served form"
        raise UnservedError(message)
    return Answer("probabilities", graph.add("Add", zero, graph.constant([prior])), classes=model.classes_)


ESTIMATORS: Dict[str, Callable[[Graph, Any, Value], Answer]] = {
    "Pipeline": _pipeline,
    "_ConstantPredictor": _same_always,
    "BaseSearchCV": _search,
    "VotingClassifier": _voting,
    "VotingRegressor": _voting,
    "StackingClassifier": _stacking,
    "StackingRegressor": _stacking,
    "CalibratedClassifierCV": _calibrated,
    "OneVsRestClassifier": _one_against_rest,
    "TransformedTargetRegressor": _target,
    "LogisticRegression": _logistic,
    "SGDClassifier": _descent,
    "PoissonRegressor": _generalized,
    "GammaRegressor": _generalized,
    "TweedieRegressor": _generalized,
    "LinearDiscriminantAnalysis": _discriminant,
    "QuadraticDiscriminantAnalysis": _quadratic,
    "LinearSVC": _linear_label,
    "RidgeClassifier": _linear_label,
    "RidgeClassifierCV": _linear_label,
    "Perceptron": _linear_label,
    "PassiveAggressiveClassifier": _linear_label,
    "GaussianNB": _gaussian,
    "MultinomialNB": _multinomial,
    "ComplementNB": _complement,
    "BernoulliNB": _bernoulli,
    "CategoricalNB": _of_categories,
    "DecisionTreeClassifier": _tree_classes,
    "ForestClassifier": _tree_classes,
    "DecisionTreeRegressor": _tree_number,
    "ForestRegressor": _tree_number,
    "BaseGradientBoosting": _boosted,
    "BaseHistGradientBoosting": _histogram_boosted,
    "BaggingClassifier": _bagging,
    "BaggingRegressor": _bagging,
    "AdaBoostClassifier": _ada,
    "AdaBoostRegressor": _ada_number,
    "IsolationForest": _outliers,
    "KNeighborsClassifier": _neighbours,
    "KNeighborsRegressor": _neighbours,
    "SVC": _support_classes,
    "NuSVC": _support_classes,
    "SVR": _support_number,
    "NuSVR": _support_number,
    "MLPClassifier": _network,
    "MLPRegressor": _network,
    "KMeans": _cluster,
    "MiniBatchKMeans": _cluster,
    "RFE": _chosen,
    "PLSRegression": _partial_number,
    "DummyClassifier": _constant,
    "DummyRegressor": _constant,
}

__all__ = [
    "ESTIMATORS",
    "LEQ",
    "Answer",
    "estimate",
    "label_of",
    "probabilities_of",
    "support_kernel",
    "votes_of_pairs",
    "winner",
]
