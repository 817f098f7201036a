"""Boosted trees of LightGBM, XGBoost and CatBoost, written as operators from the form in which each library saves them.

The libraries answer the drawn rows; the trees are read from their own documented text or JSON, not from memory.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .estimators import ESTIMATORS, TWO, Answer
from .graph import GAP, LEQ, LT, Graph, Slot, Trees, UnservedError, Value

ZERO_AS_MISSING, NAN_AS_MISSING = 1, 2  # LightGBM's kinds of missing; 0 reads a gap as zero
TARGETS_MAX = 10_000  # numbers a row
ZERO_MAX = float(np.float32(1e-35))  # LightGBM takes what is no larger for zero
_EXPONENTIAL = {"poisson", "gamma", "tweedie", "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"}


class Booster:
    """A booster saved by itself, in a file or (``held``) in a pickle, with the methods that a fitted estimator has."""

    def __init__(self, library: str, path: str = "", *, held: Any = None) -> None:
        self.library = library
        self.classes_: Any = None
        self.rounds: Optional[int] = None
        self.booster = held
        if library == "LightGBM":
            import lightgbm  # noqa: PLC0415 - only for its own files

            self.booster = self.booster or lightgbm.Booster(model_file=path)
            self.text = self.booster.model_to_string()
        elif library == "XGBoost":
            import xgboost  # noqa: PLC0415 - as above

            self.booster = self.booster or xgboost.Booster(model_file=path)
            self.text = bytes(self.booster.save_raw("json")).decode()
            told = self.booster.attributes()
            if "scikit_learn" in told and "best_iteration" in told:  # who saved it asks no trees after the best
                self.rounds = int(told["best_iteration"]) + 1
        else:
            import catboost  # noqa: PLC0415 - as above

            self.booster = catboost.CatBoost().load_model(path)
            self.text = _catboost_json(self.booster)

    def predict(self, rows: Any) -> Any:
        """Return the library's own answers, shape (rows,) or (rows, classes)."""
        if self.library == "XGBoost":
            import xgboost  # noqa: PLC0415 - loaded by now

            rounds = (0, self.rounds) if self.rounds and '"name":"gblinear"' not in self.text else (0, 0)
            return self.booster.predict(
                self._matrix(xgboost, rows),
                output_margin=self.is_softmax,
                iteration_range=rounds,
            )
        if self.library == "LightGBM":
            return self.booster.predict(rows if hasattr(rows, "columns") else _floats(rows))
        several = self.library == "CatBoost" and catboost_loss(json.loads(self.text)) in {
            "MultiLogloss",
            "MultiCrossEntropy",
        }
        kind = (
            "Probability"
            if self.classes_ is not None or several
            else "Exponent"
            if self.is_exponential
            else "RawFormulaVal"
        )
        return self.booster.predict(_floats(rows), prediction_type=kind)

    def _matrix(self, xgboost: Any, rows: Any) -> Any:
        names, types = self.booster.feature_names, self.booster.feature_types
        if hasattr(rows, "columns"):
            return xgboost.DMatrix(rows, enable_categorical=True)
        if types and "c" in types:
            return xgboost.DMatrix(_floats(rows), feature_names=names, feature_types=types, enable_categorical=True)
        return xgboost.DMatrix(_floats(rows), feature_names=names)

    is_exponential = False
    is_softmax = False  # of which XGBoost's own answer is the class alone

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class."""
        found = np.asarray(self.predict(rows))
        if self.is_softmax:
            shares = np.exp(found - found.max(axis=1, keepdims=True))
            return shares / shares.sum(axis=1, keepdims=True)
        return np.column_stack([1.0 - found, found]) if found.ndim == 1 else found


def owned(model: Any) -> Any:
    """Return a booster that was pickled by itself with the methods of a fitted estimator; other models as they are."""
    library = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}.get(type(model).__module__.split(".", maxsplit=1)[0])
    return Booster(library, held=model) if library and type(model).__name__ == "Booster" else model


def _floats(rows: Any) -> Any:
    return np.asarray(rows, dtype=np.float64)


# --- LightGBM ---------------------------------------------------------------------------------------------------------


def lightgbm_answer(graph: Graph, text: str, value: Value, classes: Any = None) -> Answer:
    """Return what a LightGBM model in its own text form answers."""
    head, *parts = re.split(r"\n(?=Tree=\d+\n)", text)
    facts = dict(line.partition("=")[::2] for line in head.splitlines() if "=" in line)
    targets = int(facts.get("num_tree_per_iteration", 1))
    _lightgbm_ranges(facts, value)
    zeros = _lightgbm_zeros(graph, parts, value)
    words = _lightgbm_categories(text)
    trees = Trees()
    for place, part in enumerate(parts):
        tree = dict(line.partition("=")[::2] for line in part.split("\nend of trees")[0].splitlines() if "=" in line)
        _lightgbm_tree(trees, tree, target=place % targets, value=value, words=words)
    scores = graph.trees(zeros, trees, targets=targets)
    if re.search(r"^average_output", head, re.MULTILINE):
        scores = graph.scalar("Div", scores, float(max(1, len(parts) // targets)))
    return _lightgbm_link(graph, scores, facts.get("objective", ""), classes)


def _lightgbm_zeros(graph: Graph, parts: Sequence[str], value: Value) -> str:
    """Return the numbers with a gap for each zero, in the columns where LightGBM was told that zeros are gaps."""
    columns = set()
    for part in parts:
        tree = dict(line.partition("=")[::2] for line in part.splitlines() if "=" in line)
        for feature, kind in zip(tree.get("split_feature", "").split(), tree.get("decision_type", "").split()):
            if not int(kind) & 1 and (int(kind) >> 2) & 3 == ZERO_AS_MISSING:
                columns.add(int(feature))
    if not columns:
        return value.tensor
    for place in columns:
        value.slots[place].mark([0.0])
    limits = [[ZERO_MAX if place in columns else -1.0 for place in range(value.width)]]
    small = graph.add("GreaterOrEqual", graph.constant(limits), graph.add("Abs", value.tensor))
    return graph.add("Where", small, graph.constant([[float("nan")]]), value.tensor)


def _lightgbm_categories(text: str) -> Dict[int, List[Any]]:
    """Return the categories of pandas that are numbers, by column: where trees ask for their places."""
    told = re.search(r"^pandas_categorical:(.+)$", text, re.MULTILINE)
    columns = re.search(r"\[categorical_feature: ([\d,]+)\]", text)
    known = json.loads(told[1]) if told else None
    if not known or not columns:
        return {}
    places = [int(one) for one in columns[1].split(",")]
    return {place: found for place, found in zip(places, known) if _are_numbers(found)}


def _are_numbers(categories: Sequence[Any]) -> bool:
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in categories)


def _lightgbm_ranges(facts: Dict[str, str], value: Value) -> None:
    for slot, told in zip(value.slots, facts.get("feature_infos", "").split()):
        found = re.fullmatch(r"\[([^:]+):([^\]]+)\]", told)
        slot.nullable = True
        if found:
            slot.seen(float(found[1]), float(found[2]))
        elif told != "none" and slot.kind == "number" and not slot.known:
            slot.meet([float(one) for one in told.split(":")])


def _lightgbm_tree(
    trees: Trees, tree: Dict[str, str], *, target: int, value: Value, words: Dict[int, List[Any]]
) -> None:
    weights = _numbers(tree["leaf_value"])
    if int(tree.get("is_linear", 0)):
        message = "LightGBM's linear trees have no served form yet"
        raise UnservedError(message)
    inner = len(weights) - 1
    if inner == 0:
        trees.add(feature=[0], threshold=[0.0], left=[-1], right=[-1], weight=weights, target=target)
        return
    features = [int(one) for one in tree["split_feature"].split()]
    thresholds = [
        float(np.nextafter(one, -1.0)) if -ZERO_MAX <= one < 0 else one for one in _numbers(tree["threshold"])
    ]
    kinds = [int(one) for one in tree["decision_type"].split()]
    left, right = ([int(one) for one in tree[side].split()] for side in ("left_child", "right_child"))
    members: Dict[int, Sequence[float]] = {}
    gaps: List[int] = []
    for node, kind in enumerate(kinds):
        if kind & 1:
            codes, known = _bits(tree, int(thresholds[node])), words.get(features[node])
            members[node] = [float(known[int(code)]) for code in codes if code < len(known)] if known else codes
            gaps.append(0)
            continue
        missing, default_left, zero_left = (kind >> 2) & 3, bool(kind & 2), thresholds[node] >= 0.0
        gaps.append(int(default_left if missing in {ZERO_AS_MISSING, NAN_AS_MISSING} else zero_left))
        if 0 <= features[node] < value.width:
            value.slots[features[node]].mark([thresholds[node]])
    places = [[one if one >= 0 else inner + ~one for one in side] for side in (left, right)]
    leaves = [-1] * len(weights)
    _hold(places[0] + leaves, places[1] + leaves, features, value.width)
    trees.add(
        feature=features + [0] * len(weights),
        threshold=[*thresholds, *([0.0] * len(weights))],
        left=places[0] + leaves,
        right=places[1] + leaves,
        weight=[0.0] * inner + weights,
        target=target,
        mode=LEQ,
        gaps_left=gaps + leaves,
        members=members,
    )


def _hold(left: Sequence[int], right: Sequence[int], features: Sequence[int], width: int) -> None:
    """Stop at nodes that are no tree, in which libraries walk without end, or that ask for columns not there."""
    count = len(left)
    inner = [node for node in range(count) if left[node] >= 0]
    below = [side[node] for side in (left, right) for node in inner]
    if len(right) != count or not count or any(not 0 < one < count for one in below) or len(set(below)) < len(below):
        message = "the nodes of one of its trees are no tree"
        raise UnservedError(message)
    if any(not 0 <= features[node] < width for node in inner):
        message = f"one of its trees asks for a column that it has not: it reads {width}"
        raise UnservedError(message)


def _bits(tree: Dict[str, str], place: int) -> List[float]:
    """Return the categories of a split: the bits that are set in its words of 32."""
    bounds = [int(one) for one in tree["cat_boundaries"].split()]
    words = [int(one) for one in tree["cat_threshold"].split()][bounds[place] : bounds[place + 1]]
    return [float(32 * index + bit) for index, word in enumerate(words) for bit in range(32) if word >> bit & 1]


def _numbers(text: str) -> List[float]:
    return [float(one) for one in text.split()]


def _lightgbm_link(graph: Graph, scores: str, objective: str, classes: Any) -> Answer:
    name, *rest = objective.split() or [""]
    options = dict(one.partition(":")[::2] for one in rest)
    slope = float(options.get("sigmoid") or 1.0)
    if name in {"binary", "cross_entropy", "xentropy"}:
        chance = graph.add("Sigmoid", graph.scalar("Mul", scores, slope))
        if name != "binary":
            return Answer("number", chance)
        return Answer("probabilities", graph.both(chance), classes=_or_counted(classes, TWO))
    if name in {"multiclass", "softmax"}:
        known = _or_counted(classes, int(options.get("num_class", 0)))
        return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=known)
    if name in {"multiclassova", "ova"}:
        message = "LightGBM's one-against-all probabilities do not sum to 1: they have no served form"
        raise UnservedError(message)
    if name in {"cross_entropy_lambda", "xentlambda"}:
        return Answer("number", graph.add("Log", graph.scalar("Add", graph.add("Exp", scores), 1.0)))
    if name in _EXPONENTIAL:
        return Answer("number", graph.add("Exp", scores))
    if "sqrt" in rest:
        sign = graph.add("Sub", graph.add("Cast", graph.add("Greater", scores, graph.constant([[0.0]])), to=11),
                         graph.add("Cast", graph.add("Greater", graph.constant([[0.0]]), scores), to=11))  # fmt: skip
        return Answer("number", graph.add("Mul", sign, graph.add("Mul", scores, scores)))
    return Answer("number", scores)


def _or_counted(classes: Any, count: int) -> Any:
    return np.arange(count) if classes is None else classes


# --- XGBoost ----------------------------------------------------------------------------------------------------------


def xgboost_answer(graph: Graph, text: str, value: Value, classes: Any = None, rounds: Optional[int] = None) -> Answer:
    """Return what an XGBoost model in its own JSON form answers; ``rounds`` bounds the trees that are asked."""
    learner = json.loads(text)["learner"]
    booster, objective = learner["gradient_booster"], learner["objective"]["name"]
    facts = learner["learner_model_param"]
    count = int(facts.get("num_class", 0) or 0)
    held = max(count, int(facts.get("num_target", 1) or 1))
    if not 0 <= held <= TARGETS_MAX:
        message = f"it is said to answer with {held:,} numbers a row"
        raise UnservedError(message)
    base = _base_scores(facts["base_score"], objective, held)
    for slot in value.slots:
        slot.nullable = True
    words = _xgboost_categories(learner)
    rounded = graph.as_float32(_gaps(graph, value))
    if booster["name"] == "gblinear":
        scores = _linear_booster(graph, rounded, booster, value.width)
    else:
        drops = booster.get("weight_drop")
        model = (booster.get("gbtree") or booster)["model"]
        targets = max(1, held)
        if int(facts.get("num_target", 1) or 1) > 1 and not all(_leaves_alone(tree) for tree in model["trees"]):
            message = "XGBoost's trees whose leaves hold several numbers have no served form"
            raise UnservedError(message)
        ends = model.get("iteration_indptr") or []
        wanted = len(model["trees"])
        if rounds is not None:
            each = targets * max(1, int((model.get("gbtree_model_param") or {}).get("num_parallel_tree", 1) or 1))
            wanted = min(wanted, int(ends[rounds]) if rounds < len(ends) else rounds * each)
        trees = Trees()
        for place, (tree, target) in enumerate(zip(model["trees"], model["tree_info"])):
            if place >= wanted:
                break
            weight = drops[place] if drops else 1.0
            _xgboost_tree(trees, tree, target=target, value=value, weight=weight, words=words)
        scores = graph.trees(rounded, trees, targets=targets)
    scores = graph.add("Add", scores, graph.constant([base]))
    if held > max(1, count):
        sure = objective == "binary:logistic"  # several labels, each with a chance of its own
        answer = (
            Answer("number", graph.add("Sigmoid", scores))
            if sure
            else _xgboost_link(graph, scores, objective, count, None)
        )
        return Answer("tensor", answer.tensor)
    return _xgboost_link(graph, scores, objective, count, classes)


def _leaves_alone(tree: Dict[str, Any]) -> bool:
    return int(tree["tree_param"].get("size_leaf_vector", 1) or 1) <= 1


def _gaps(graph: Graph, value: Value) -> str:
    """Return the numbers with a gap where the code of a category says that there is none."""
    if not any(slot.kind == "category" for slot in value.slots):
        return value.tensor
    codes = [[GAP if slot.kind == "category" else float("nan") for slot in value.slots]]
    empty = graph.add("Equal", value.tensor, graph.constant(codes))
    return graph.add("Where", empty, graph.constant([[float("nan")]]), value.tensor)


def _xgboost_categories(learner: Dict[str, Any]) -> Dict[int, List[Any]]:
    """Return the categories that the model was fitted on, by column; files of before 3.1 keep their codes alone."""
    booster = learner["gradient_booster"]
    model = (booster.get("gbtree") or booster).get("model") or {}
    found: Dict[int, List[Any]] = {}
    for place, told in enumerate((model.get("cats") or {}).get("enc") or ()):
        values, ends = told.get("values") or [], told.get("offsets")
        if values and ends:
            text = bytes(one & 255 for one in values)
            found[place] = [text[start:end].decode("utf-8", "replace") for start, end in zip(ends, ends[1:])]  # noqa: RUF007 - Python 3.8
        elif values:
            found[place] = list(values)
    return found


def _base_scores(told: str, objective: str, count: int) -> List[float]:
    """Return the scores that boosting starts from; those of chances and counts are saved as such."""
    found = [float(one) for one in str(told).strip("[]").split(",")]
    if objective in {"binary:logistic", "reg:logistic"}:
        found = [float(np.log(one / (1.0 - one))) for one in found]
    elif objective in _EXPONENTIAL:
        found = [float(np.log(one)) for one in found]
    return found * max(1, count) if len(found) == 1 else found


def _linear_booster(graph: Graph, tensor: str, booster: Dict[str, Any], width: int) -> str:
    weights = np.array(booster["model"]["weights"], dtype=np.float64).reshape(width + 1, -1)
    known = graph.add("Where", graph.add("IsNaN", tensor), graph.constant([[0.0]]), tensor)  # a gap adds nothing
    return graph.matmul(known, weights[:-1], weights[-1])


def _xgboost_tree(
    trees: Trees, tree: Dict[str, Any], *, target: int, value: Value, weight: float, words: Dict[int, List[Any]]
) -> None:
    left, right = list(tree["left_children"]), list(tree["right_children"])
    _hold(left, right, list(tree["split_indices"]), value.width)
    cuts = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    gaps = [int(bool(one)) for one in tree["default_left"]]
    members: Dict[int, Sequence[float]] = {}
    for node, start, size in zip(
        tree.get("categories_nodes", ()), tree.get("categories_segments", ()), tree.get("categories_sizes", ())
    ):
        codes = [int(one) for one in tree["categories"][start : start + size]]
        column = tree["split_indices"][node]
        known = words.get(column)
        if known and _are_numbers(known):
            codes = [known[code] for code in codes if code < len(known)]
        elif not known and codes:
            slot = value.slots[column]
            slot.known = sorted({*slot.known, *(float(one) for one in range(max(codes) + 2))})
            slot.seen(0.0, slot.known[-1])
        members[node] = [float(one) for one in codes]
        left[node], right[node] = right[node], left[node]  # there, a category of the set goes right
        gaps[node] = 1 - gaps[node]
    for node, feature in enumerate(tree["split_indices"]):
        if left[node] >= 0 and node not in members:
            value.slots[feature].mark([float(cuts[node])])
    trees.add(
        feature=tree["split_indices"],
        threshold=cuts,
        left=left,
        right=right,
        weight=cuts * weight,
        target=target,
        mode=LT,
        gaps_left=gaps,
        members=members,
    )


def _xgboost_link(graph: Graph, scores: str, objective: str, count: int, classes: Any) -> Answer:
    if objective == "binary:logistic":
        return Answer("probabilities", graph.both(graph.add("Sigmoid", scores)), classes=_or_counted(classes, TWO))
    if objective in {"multi:softprob", "multi:softmax"}:
        return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=_or_counted(classes, count))
    if objective == "reg:logistic":
        return Answer("number", graph.add("Sigmoid", scores))
    if objective in _EXPONENTIAL:
        return Answer("number", graph.add("Exp", scores))
    if objective.startswith(("reg:", "rank:")) or objective == "binary:logitraw":
        return Answer("number", scores)
    message = f"XGBoost's objective {objective} has no served form"
    raise UnservedError(message)


# --- CatBoost ---------------------------------------------------------------------------------------------------------


def _catboost_json(model: Any) -> str:
    path = os.path.join(os.environ.get("TMPDIR", "."), "catboost.json")  # noqa: PTH118 - the library wants a text
    model.save_model(path, format="json")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        return file.read()


def catboost_answer(graph: Graph, text: str, value: Value, classes: Any = None) -> Answer:
    """Return what a CatBoost model in its own JSON form answers."""
    document = json.loads(text)
    floats = document["features_info"].get("float_features", [])
    gaps_true = {one["feature_index"]: one.get("nan_value_treatment") == "AsTrue" for one in floats}
    flat = {one["feature_index"]: one["flat_feature_index"] for one in floats}
    for one in floats:
        slot = value.slots[one["flat_feature_index"]]
        slot.nullable = bool(one.get("has_nans"))
        slot.mark([float(border) for border in one.get("borders") or ()])
    scale, shift = document["scale_and_bias"]
    bias = np.atleast_1d(np.asarray(shift, dtype=np.float64))
    dimensions = len(bias)
    trees, tables, start = Trees(), [], 0

    def asked(split: Dict[str, Any]) -> Tuple[int, float, bool]:
        if split.get("split_type", "FloatFeature") != "FloatFeature":
            message = (
                "CatBoost keeps of its categories hashes alone, not their names: splits on them have no served form"
            )
            raise UnservedError(message)
        place = split["float_feature_index"]
        return flat[place], float(split["border"]), gaps_true[place]

    symmetric = document.get("oblivious_trees")
    for place, tree in enumerate(document.get("trees") or () if symmetric is None else symmetric):
        if symmetric is None:
            weights = _grown(trees, tree, asked, start=start, target=place)
        else:
            weights = tree["leaf_values"]
            _oblivious(trees, [asked(split) for split in tree["splits"] or ()], start=start, target=place)
        table = np.array(weights, dtype=np.float64).reshape(-1, dimensions) * scale
        tables.append(table)
        start += len(table)
    leaves = graph.add("Cast", graph.trees(graph.as_float32(value.tensor), trees, targets=len(tables)), to=7)
    values = graph.add("Gather", graph.constant(np.concatenate(tables)), leaves, axis=0)
    scores = graph.add("ReduceSum", values, graph.constant([1], np.int64), keepdims=0)
    return _catboost_link(graph, graph.add("Add", scores, graph.constant([bias])), document, classes)


def _grown(
    trees: Trees,
    tree: Dict[str, Any],
    asked: Callable[[Dict[str, Any]], Tuple[int, float, bool]],
    *,
    start: int,
    target: int,
) -> List[Any]:
    """Add a tree whose nodes ask each their own, and return the values of its leaves."""
    feature, cut, left, right, gaps, weight = [], [], [], [], [], []
    values: List[Any] = []
    waiting = [tree]
    for node in waiting:  # which grows on the way: children follow all that wait already
        if "split" in node:
            column, border, gap_above = asked(node["split"])
            left.append(len(waiting))
            right.append(len(waiting) + 1)
            waiting += [node["left"], node["right"]]
        else:
            column, border, gap_above = 0, 0.0, True
            left.append(-1)
            right.append(-1)
        feature.append(column)
        cut.append(float(np.float32(border)))
        gaps.append(int(not gap_above))
        weight.append(0.0 if "split" in node else float(start + len(values)))
        values += [] if "split" in node else [node["value"]]
    trees.add(
        feature=feature, threshold=cut, left=left, right=right, weight=weight, target=target, mode=LEQ, gaps_left=gaps
    )
    return values


def _oblivious(trees: Trees, splits: Sequence[Tuple[int, float, bool]], *, start: int, target: int) -> None:
    """Add a tree that asks the same in all nodes of a level: its last split first, so that bits make the leaf.

    A split is the column, the border, and whether a gap counts as above it.
    """
    depth = len(splits)
    feature, cut, left, right, gaps, weight = [], [], [], [], [], []
    for level in range(depth):
        column, border, gap_above = splits[depth - 1 - level]
        for node in range(2**level):
            first = 2 ** (level + 1) - 1 + 2 * node
            feature.append(column)
            cut.append(float(np.float32(border)))
            left.append(first)
            right.append(first + 1)
            gaps.append(int(not gap_above))
            weight.append(0.0)
    for leaf in range(2**depth):
        feature.append(0)
        cut.append(0.0)
        left.append(-1)
        right.append(-1)
        gaps.append(0)
        weight.append(float(start + leaf))
    trees.add(
        feature=feature, threshold=cut, left=left, right=right, weight=weight, target=target, mode=LEQ, gaps_left=gaps
    )


def _catboost_link(graph: Graph, scores: str, document: Dict[str, Any], classes: Any) -> Answer:
    loss = catboost_loss(document)
    if loss in {"Logloss", "CrossEntropy"}:
        return Answer("probabilities", graph.both(graph.add("Sigmoid", scores)), classes=_or_counted(classes, TWO))
    if loss == "MultiClass":
        known = classes if classes is not None else _catboost_classes(document)
        return Answer("probabilities", graph.add("Softmax", scores, axis=1), classes=known)
    if loss in {"Poisson", "Tweedie"}:
        return Answer("number", graph.add("Exp", scores))
    if loss in {"MultiLogloss", "MultiCrossEntropy"}:
        return Answer("tensor", graph.add("Sigmoid", scores))
    if loss in {"MultiRMSE", "MultiRMSEWithMissingValues", "MultiQuantile"}:
        return Answer("tensor", scores)
    if loss == "RMSEWithUncertainty":
        message = "CatBoost's answers with their uncertainty have no served form"
        raise UnservedError(message)
    if loss == "MultiClassOneVsAll":
        message = "CatBoost's one-against-all probabilities have no served form"
        raise UnservedError(message)
    return Answer("number", scores)


def catboost_loss(document: Dict[str, Any]) -> str:
    """Return the name of the loss that a CatBoost model was fitted with."""
    parameters = document.get("model_info", {}).get("params", {})
    return str(parameters.get("loss_function", {}).get("type", ""))


def _catboost_classes(document: Dict[str, Any]) -> Any:
    told = document.get("model_info", {}).get("class_params", {})
    return np.array(told.get("class_to_label", told.get("class_names", [])))


# --- estimators of these libraries ------------------------------------------------------------------------------------


def _lightgbm(graph: Graph, model: Any, value: Value) -> Answer:
    return lightgbm_answer(graph, model.booster_.model_to_string(), value, getattr(model, "classes_", None))


def _xgboost(graph: Graph, model: Any, value: Value) -> Answer:
    text = bytes(model.get_booster().save_raw("json")).decode()
    best = getattr(model, "best_iteration", None)  # which the library asks no trees after, if it stopped early
    classes = np.asarray(model.classes_) if hasattr(model, "predict_proba") else None
    return xgboost_answer(graph, text, value, classes, None if best is None else int(best) + 1)


def _catboost(graph: Graph, model: Any, value: Value) -> Answer:
    classes = getattr(model, "classes_", None)
    known = classes if classes is not None and len(classes) else None
    return catboost_answer(graph, _catboost_json(model), value, known)


def _raw(graph: Graph, model: Booster, value: Value) -> Answer:
    read: Dict[str, Callable[..., Answer]] = {
        "LightGBM": lightgbm_answer,
        "XGBoost": xgboost_answer,
        "CatBoost": catboost_answer,
    }
    asked = {"rounds": model.rounds} if model.library == "XGBoost" else {}
    answer = read[model.library](graph, model.text, value, **asked)
    model.classes_ = answer.classes
    model.is_softmax = model.library == "XGBoost" and _objective(model.text) == "multi:softmax"
    if model.library == "CatBoost":
        model.is_exponential = catboost_loss(json.loads(model.text)) in {"Poisson", "Tweedie"}
    return answer


def _objective(text: str) -> str:
    return str(json.loads(text)["learner"]["objective"]["name"])


ESTIMATORS.update({"LGBMModel": _lightgbm, "XGBModel": _xgboost, "CatBoost": _catboost, "Booster": _raw})


def columns_of(model: Any) -> Optional[Tuple[List[str], bool]]:
    """Return the names of a booster's columns, and whether they are its own; None for other models."""
    if isinstance(model, Booster):
        if model.library == "LightGBM":
            found = list(model.booster.feature_name())
        elif model.library == "XGBoost":
            found = list(model.booster.feature_names or [])
        else:
            found = list(model.booster.feature_names_ or [])
        count = len(found) or int(model.booster.num_features()) if model.library != "CatBoost" else len(found)
    elif type(model).__name__.startswith("CatBoost"):
        found = list(model.feature_names_ or [])
        count = len(found)
    elif hasattr(model, "booster_"):
        found, count = list(model.booster_.feature_name()), 0
    elif hasattr(model, "get_booster"):
        found, count = list(model.get_booster().feature_names or []), int(model.n_features_in_)
    else:
        return None
    plain = not found or all(re.fullmatch(r"(Column_|f)?\d+", name) for name in found)
    if plain:
        return [f"feature_{place}" for place in range(len(found) or count)], False
    return [str(name) for name in found], True


def categories_of(model: Any, slots: Sequence[Slot]) -> Dict[str, List[Any]]:
    """Return the categories of the columns that were pandas' own kind, and tell their slots."""
    if (isinstance(model, Booster) and model.library == "XGBoost") or hasattr(model, "get_booster"):
        raw = model.text if isinstance(model, Booster) else bytes(model.get_booster().save_raw("json")).decode()
        return _told_slots(_xgboost_categories(json.loads(raw)["learner"]), slots)
    booster = model.booster if isinstance(model, Booster) else getattr(model, "booster_", None)
    known = getattr(booster, "pandas_categorical", None)
    if booster is None or not known:
        return {}
    text = booster.model_to_string()
    told = re.search(r"\[categorical_feature: ([\d,]+)\]", text)
    places = [int(one) for one in told[1].split(",")] if told else []
    if len(places) != len(known):
        message = "the model has categories, and does not tell of which columns"
        raise UnservedError(message)
    return _told_slots(dict(zip(places, known)), slots)


def _told_slots(known: Dict[int, List[Any]], slots: Sequence[Slot]) -> Dict[str, List[Any]]:
    for place, categories in known.items():
        slot = slots[place]
        if _are_numbers(categories):
            slot.seen(float(min(categories)), float(max(categories)))
        else:
            for category in categories:
                slot.code(category)
            if slot.kind != "category" or slot.categories != categories:
                message = f"the categories of its column {slot.name!r} are neither texts nor numbers"
                raise UnservedError(message)
        slot.meet(list(categories))
    return {slots[place].name: list(categories) for place, categories in known.items()}
