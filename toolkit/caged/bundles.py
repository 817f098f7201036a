"""``unbundled``: the one model in what a file holds, behind what prepares its rows, and what lies beside it.

People save a dictionary or a list with a model, the scaler or vectorizer that its rows go through, the names of its
columns, and the encoder of its classes. What fits together is put together; what is left over is told.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from .graph import Graph, Slot, UnservedError, Value
from .transformers import transform
from .widths import width_of

NAMED = ("model", "pipeline", "pipe", "clf", "classifier", "regressor", "estimator", "best_model", "trained_model")
LABELS = {"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer"}
VECTORIZERS = {"CountVectorizer", "TfidfVectorizer"}
SHOWN_MAX = 10
STEPS_MAX = 3  # before a model, each in a file or under a key of its own


class Bundle(NamedTuple):
    """A model, the names that the file gives its columns, and what is to be told."""

    model: Any
    names: List[str]
    findings: List[str]


def unbundled(found: Any) -> Bundle:
    """Return the model in what was opened; ``UnservedError`` when there is none, or no one of several."""
    if hasattr(found, "predict"):
        return Bundle(found, [], [])
    held = _parts(found)
    key, model = _one_model(found, held)
    findings: List[str] = []
    rest = {name: part for name, part in held.items() if name != key and part is not model}
    steps = [(name, part) for name, part in rest.items() if hasattr(part, "transform") and not hasattr(part, "predict")]
    steps = [(name, part) for name, part in steps if type(part).__name__ not in LABELS]
    itself = hasattr(model, "steps") or getattr(model, "feature_names_in_", None) is not None
    before = [] if itself else _in_order(steps, model)
    if before:
        from sklearn.pipeline import Pipeline  # noqa: PLC0415 - loaded long before

        shown = ", then a ".join(type(part).__name__ for _, part in before)
        findings.append(f"a {shown} lies beside the model, of as many columns as the model reads: rows pass it first")
        for name, _ in before:
            rest.pop(name)
        model = Pipeline([*((f"before_{place}", part) for place, (_, part) in enumerate(before)), ("model", model)])
    why = "the model prepares rows itself, or names columns of its own" if itself else ""
    for name, part in rest.items():
        findings += _told(name, part, why)
    return Bundle(model, _names(rest, width_of(model)), findings)


class Unopened:
    """What lies beside a model in a file that does not open."""


def _in_order(steps: List[Tuple[str, Any]], model: Any) -> List[Tuple[str, Any]]:
    """Return the steps that rows pass before the model, in their order: as many of them as fit into one another.

    ``UnservedError`` where they fit in several orders, for each gives other answers. What fills gaps comes first.
    """
    for count in range(min(len(steps), STEPS_MAX), 0, -1):
        found = [list(order) for order in permutations(steps, count) if _fits([part for _, part in order], model)]
        first = [order for order in found if type(order[0][1]).__name__.endswith("Imputer")]
        found = first or found
        if len(found) > 1:
            shown = ", ".join(sorted({type(part).__name__ for order in found for _, part in order}))
            message = f"what lies beside the model fits before it in several ways ({shown}), expected one"
            raise UnservedError(message)
        if found:
            return found[0]
    return []


def _parts(found: Any) -> Dict[str, Any]:
    if isinstance(found, dict):
        return {str(name): part for name, part in found.items()}
    if isinstance(found, (list, tuple)):
        return {str(place): part for place, part in enumerate(found)}
    return {}


def _one_model(found: Any, held: Dict[str, Any]) -> Tuple[str, Any]:
    models = {name: part for name, part in held.items() if hasattr(part, "predict")}
    named = {name: part for name, part in models.items() if name.lower() in NAMED}
    for several in (models, named):
        if len({id(part) for part in several.values()}) == 1:
            return next(iter(several.items()))
    kind = type(found).__name__
    if models:
        message = f"the file holds {len(models)} models in a {kind}, expected one"
    elif hasattr(found, "best_params_"):
        message = f"the {kind} was told not to fit the best of what it tried (`refit=False`): it cannot answer"
    elif hasattr(found, "transform"):
        message = f"the file holds a {kind}, which prepares data and answers nothing: it is no model by itself"
    else:
        message = f"the file holds a {kind}, not a fitted model: nothing in it has `predict`"
    raise UnservedError(message)


def _fits(parts: List[Any], model: Any) -> bool:
    """Return whether steps fit into one another, and give as many columns as the model reads."""
    wanted, part = width_of(model), parts[0]
    if type(part).__name__ in VECTORIZERS:
        made = len(getattr(part, "vocabulary_", ()))
        return made == wanted if len(parts) == 1 else made == width_of(parts[1]) and _fits(parts[1:], model)
    slots = [Slot(f"feature_{place}") for place in range(width_of(part) or 0)]
    names = [str(one) for one in getattr(part, "feature_names_in_", ())]
    if len(names) == len(slots):
        slots = [Slot(name) for name in names]
    graph = Graph(slots)
    try:
        value = Value(graph.base, slots)
        for place, each in enumerate(parts):
            if place and width_of(each) != value.width:
                return False
            value = transform(graph, each, value)
        return bool(slots) and value.width == wanted
    except Exception:  # noqa: BLE001 - whatever it cannot do, it does not fit
        return False


def _names(rest: Dict[str, Any], width: Any) -> List[str]:
    """Return the names of the columns, where a list of as many texts lies beside the model."""
    for name, part in rest.items():
        if "feature" not in name.lower() and "column" not in name.lower():
            continue
        names = part.tolist() if hasattr(part, "tolist") else part
        if isinstance(names, (list, tuple)) and len(names) == width and all(isinstance(one, str) for one in names):
            return [str(one) for one in names]
    return []


def _told(name: str, part: Any, why: str) -> List[str]:
    kind = type(part).__name__
    if isinstance(part, Unopened):
        return [f"{name} lies beside the model and is not applied: it does not open"]
    if kind in LABELS and hasattr(part, "classes_"):
        shown = [str(one) for one in np.asarray(part.classes_, dtype=object).tolist()][:SHOWN_MAX]
        places = ", ".join(f"{place} for {name}" for place, name in enumerate(shown))
        more = ", ..." if len(part.classes_) > SHOWN_MAX else ""
        return [f"a {kind} lies beside the model, whose numbers stand for names: {places}{more}"]
    if hasattr(part, "transform"):
        return [f"a {kind} lies beside the model and is not applied: {why or 'it does not fit what the model reads'}"]
    if hasattr(part, "predict"):
        return [f"a {kind} lies beside the model and is not served"]
    return []
