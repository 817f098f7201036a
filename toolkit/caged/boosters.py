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
from .graph import LEQ, LT, Graph, Slot, Trees, UnservedError, Value

ZERO_AS_MISSING, NAN_AS_MISSING = 1, 2  # LightGBM's kinds of missing; 0 reads a gap as zero
_EXPONENTIAL = {"poisson", "gamma", "tweedie", "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"}


class Booster:
    """A booster saved by itself, with the methods that a fitted estimator has."""

    def __init__(self, library: str, path: str) -> None:
        self.library = library
        self.classes_: Any = None
        if library == "LightGBM":
            import lightgbm  # noqa: PLC0415 - only for its own files

            self.booster = lightgbm.Booster(model_file=path)
            self.text = self.booster.model_to_string()
        elif library == "XGBoost":
            import xgboost  # noqa: PLC0415 - as above

            self.booster = xgboost.Booster(model_file=path)
            self.text = bytes(self.booster.save_raw("json")).decode()
        else:
            import catboost  # noqa: PLC0415 - as above

            self.booster = catboost.CatBoost().load_model(path)
            self.text = _catboost_json(self.booster)

    def predict(self, rows: Any) -> Any:
        """Return the library's own answers, shape (rows,) or (rows, classes)."""
        if self.library == "XGBoost":
            import xgboost  # noqa: PLC0415 - loaded by now

            names = self.booster.feature_names
            return self.booster.predict(xgboost.DMatrix(_floats(rows), feature_names=names))
        if self.library == "LightGBM":
            return self.booster.predict(rows if hasattr(rows, "columns") else _floats(rows))
        kind = "Probability" if self.classes_ is not None else "Exponent" if self.is_exponential else "RawFormulaVal"
        return self.booster.predict(_floats(rows), prediction_type=kind)

    is_exponential = False

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class."""
        found = np.asarray(self.predict(rows))
        return np.column_stack([1.0 - found, found]) if found.ndim == 1 else found


def _floats(rows: Any) -> Any:
    return np.asarray(rows, dtype=np.float64)


# --- LightGBM ---------------------------------------------------------------------------------------------------------


def lightgbm_answer(graph: Graph, text: str, value: Value, classes: Any = None) -> Answer:
    """Return what a LightGBM model in its own text form answers."""
    head, *parts = re.split(r"\n(?=Tree=\d+\n)", text)
    facts = dict(line.partition("=")[::2] for line in head.splitlines() if "=" in line)
    targets = int(facts.get("num_tree_per_iteration", 1))
    _lightgbm_ranges(facts, value)
    trees = Trees()
    for place, part in enumerate(parts):
        tree = dict(line.partition("=")[::2] for line in part.split("\nend of trees")[0].splitlines() if "=" in line)
        _lightgbm_tree(trees, tree, target=place % targets, value=value)
    scores = graph.trees(value.tensor, trees, targets=targets)
    if re.search(r"^average_output", head, re.MULTILINE):
        scores = graph.scalar("Div", scores, float(max(1, len(parts) // targets)))
    return _lightgbm_link(graph, scores, facts.get("objective", ""), classes)


def _lightgbm_ranges(facts: Dict[str, str], value: Value) -> None:
    for slot, told in zip(value.slots, facts.get("feature_infos", "").split()):
        found = re.fullmatch(r"\[([^:]+):([^\]]+)\]", told)
        slot.nullable = True
        if found:
            slot.seen(float(found[1]), float(found[2]))
        elif told != "none" and slot.kind == "number":
            slot.meet([float(one) for one in told.split(":")])


def _lightgbm_tree(trees: Trees, tree: Dict[str, str], *, target: int, value: Value) -> None:
    weights = _numbers(tree["leaf_value"])
    if int(tree.get("is_linear", 0)):
        message = "LightGBM's linear trees have no served form yet"
        raise UnservedError(message)
    inner = len(weights) - 1
    if inner == 0:
        trees.add(feature=[0], threshold=[0.0], left=[-1], right=[-1], weight=weights, target=target)
        return
    features = [int(one) for one in tree["split_feature"].split()]
    thresholds = _numbers(tree["threshold"])
    kinds = [int(one) for one in tree["decision_type"].split()]
    left, right = ([int(one) for one in tree[side].split()] for side in ("left_child", "right_child"))
    members: Dict[int, Sequence[float]] = {}
    gaps: List[int] = []
    for node, kind in enumerate(kinds):
        if kind & 1:
            members[node] = _bits(tree, int(thresholds[node]))
            gaps.append(0)
            continue
        missing, default_left, zero_left = (kind >> 2) & 3, bool(kind & 2), thresholds[node] >= 0.0
        if missing == ZERO_AS_MISSING and default_left != zero_left:
            message = "LightGBM's zeros that count as missing have no served form"
            raise UnservedError(message)
        gaps.append(int(default_left if missing == NAN_AS_MISSING else zero_left))
        value.slots[features[node]].mark([thresholds[node]])
    places = [[one if one >= 0 else inner + ~one for one in side] for side in (left, right)]
    leaves = [-1] * len(weights)
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
    base = _base_scores(facts["base_score"], objective, count)
    for slot in value.slots:
        slot.nullable = True
    rounded = graph.as_float32(value.tensor)
    if booster["name"] == "gblinear":
        scores = _linear_booster(graph, rounded, booster, value.width)
    else:
        drops = booster.get("weight_drop")
        model = (booster.get("gbtree") or booster)["model"]
        targets = max(1, count)
        trees = Trees()
        for place, (tree, target) in enumerate(zip(model["trees"], model["tree_info"])):
            if rounds is not None and place // targets >= rounds:
                break
            _xgboost_tree(trees, tree, target=target, value=value, weight=drops[place] if drops else 1.0)
        scores = graph.trees(rounded, trees, targets=targets)
    return _xgboost_link(graph, graph.add("Add", scores, graph.constant([base])), objective, count, classes)


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


def _xgboost_tree(trees: Trees, tree: Dict[str, Any], *, target: int, value: Value, weight: float) -> None:
    left, right = list(tree["left_children"]), list(tree["right_children"])
    cuts = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    gaps = [int(bool(one)) for one in tree["default_left"]]
    members: Dict[int, Sequence[float]] = {}
    for node, start, size in zip(
        tree.get("categories_nodes", ()), tree.get("categories_segments", ()), tree.get("categories_sizes", ())
    ):
        members[node] = [float(one) for one in tree["categories"][start : start + size]]
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
    if "oblivious_trees" not in document:
        message = "CatBoost's trees that are not symmetric have no served form yet"
        raise UnservedError(message)
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
    for place, tree in enumerate(document["oblivious_trees"]):
        splits = tree["splits"] or []
        if any(split.get("split_type", "FloatFeature") != "FloatFeature" for split in splits):
            message = "CatBoost's splits on categories have no served form yet"
            raise UnservedError(message)
        table = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, dimensions) * scale
        asked = [
            (flat[one["float_feature_index"]], float(one["border"]), gaps_true[one["float_feature_index"]])
            for one in splits
        ]
        _oblivious(trees, asked, start=start, target=place)
        tables.append(table)
        start += len(table)
    leaves = graph.add("Cast", graph.trees(graph.as_float32(value.tensor), trees, targets=len(tables)), to=7)
    values = graph.add("Gather", graph.constant(np.concatenate(tables)), leaves, axis=0)
    scores = graph.add("ReduceSum", values, graph.constant([1], np.int64), keepdims=0)
    return _catboost_link(graph, graph.add("Add", scores, graph.constant([bias])), document, classes)


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
    best = getattr(model, "best_iteration", None) if getattr(model, "early_stopping_rounds", None) else None
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
    answer = read[model.library](graph, model.text, value)
    model.classes_ = answer.classes
    if model.library == "CatBoost":
        model.is_exponential = catboost_loss(json.loads(model.text)) in {"Poisson", "Tweedie"}
    return answer


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
    for place, categories in zip(places, known):
        for category in categories:
            slots[place].code(category)
        slots[place].meet(list(categories))
    if any(slots[place].kind != "category" for place in places):
        message = "the model has categories that are numbers: they have no served form yet"
        raise UnservedError(message)
    return {slots[place].name: list(categories) for place, categories in zip(places, known)}
