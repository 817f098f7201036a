"""``unbundled``: the one model in what a file holds, behind what prepares its rows, and what lies beside it.

People save a dictionary or a list with a model, the scaler or vectorizer that its rows go through, the names of its
columns, and the encoder of its classes. What fits together is put together; what is left over is told.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from .graph import Graph, Slot, UnservedError, Value
from .transformers import transform
from .widths import width_of

NAMED = ("model", "pipeline", "pipe", "clf", "classifier", "regressor", "estimator", "best_model", "trained_model")
LABELS = {"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer"}
VECTORIZERS = {"CountVectorizer", "TfidfVectorizer"}
SHOWN_MAX = 10


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
    before = [(name, part) for name, part in steps if type(part).__name__ not in LABELS and _fits(part, model)]
    if len(before) == 1 and not hasattr(model, "steps") and getattr(model, "feature_names_in_", None) is None:
        from sklearn.pipeline import Pipeline  # noqa: PLC0415 - loaded long before

        name, part = before[0]
        findings.append(
            f"a {type(part).__name__} lies beside the model, of as many columns as the model reads: rows pass it first"
        )
        rest.pop(name)
        model = Pipeline([("before", part), ("model", model)])
    for part in rest.values():
        findings += _told(part)
    return Bundle(model, _names(rest, width_of(model)), findings)


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


def _fits(part: Any, model: Any) -> bool:
    """Return whether a step gives as many columns as the model reads."""
    wanted = width_of(model)
    if type(part).__name__ in VECTORIZERS:
        return len(getattr(part, "vocabulary_", ())) == wanted
    slots = [Slot(f"feature_{place}") for place in range(width_of(part) or 0)]
    names = [str(one) for one in getattr(part, "feature_names_in_", ())]
    if len(names) == len(slots):
        slots = [Slot(name) for name in names]
    graph = Graph(slots)
    try:
        return bool(slots) and transform(graph, part, Value(graph.base, slots)).width == wanted
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


def _told(part: Any) -> List[str]:
    kind = type(part).__name__
    if kind in LABELS and hasattr(part, "classes_"):
        shown = [str(one) for one in np.asarray(part.classes_, dtype=object).tolist()][:SHOWN_MAX]
        places = ", ".join(f"{place} for {name}" for place, name in enumerate(shown))
        more = ", ..." if len(part.classes_) > SHOWN_MAX else ""
        return [f"a {kind} lies beside the model, whose numbers stand for names: {places}{more}"]
    if hasattr(part, "transform"):
        return [f"a {kind} lies beside the model and is not applied: it does not fit what the model reads"]
    if hasattr(part, "predict"):
        return [f"a {kind} lies beside the model and is not served"]
    return []
