"""A fitted model becomes what it reads (columns), how it answers (graph), and what it answers (drawn rows)."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, List, Optional

import numpy as np

from . import boosters, densities, drawing, imputers, multiclass, projections
from .bundles import unbundled
from .dependence import used_columns
from .estimators import Answer, estimate
from .graph import Graph, Slot, UnservedError, Value
from .ties import Ties
from .widths import width_of

FORMS = (densities, imputers, multiclass, projections)  # each adds its own to what is known of models and steps
VECTORIZERS = {"CountVectorizer", "TfidfVectorizer"}


class Reading:
    """All that the outside needs: ``document`` is JSON, ``arrays`` the constants and answers."""

    def __init__(self, document: Dict[str, Any], arrays: Dict[str, Any]) -> None:
        self.document = document
        self.arrays = arrays


def read(model: Any, *, rows: int, seed: int, names: Optional[List[str]] = None) -> Reading:
    """Return the reading of a fitted model; ``UnservedError`` when it has no served form or does not answer."""
    model, columns_told, findings = unbundled(model)
    model = boosters.owned(model)
    width = width_of(model)
    if names and width and len(names) != width:
        if not names_in(model):
            findings.append(f"the {len(names)} names that were given are not used: the model reads {width} columns")
        names = None
    names = names or columns_told or None
    known = bool(names)
    texts = _reads_texts(model)
    told = names_in(model)
    boosted = boosters.columns_of(model)
    if boosted is not None:
        told, names = (boosted[0], names) if boosted[1] else ([], names or boosted[0])
    slots = [Slot(name) for name in (["text"] if texts else told or names or _numbered(model))]
    if len({slot.name for slot in slots}) != len(slots):
        message = "two columns of the model have the same name"
        raise UnservedError(message)
    categories = boosters.categories_of(model, slots)
    graph = Graph(slots)
    answer = estimate(graph, model, Value(graph.base, slots))
    _leave_out_unused(graph, answer.tensor)
    terms = {text.slot.name: text.facts["terms"] for text in graph.texts.values()}
    framed = bool(told) and not texts and not isinstance(model, boosters.Booster)
    findings += _told(answer)
    ask = _Asker(model, answer, framed=framed or bool(categories), texts=texts, categories=categories)
    columns = drawing.draw(slots, rows, seed=seed, terms=terms)
    ties = Ties(model)
    answers = ask(columns)
    tied = ties.rows(len(answers))
    columns, answers = _with_gaps(slots, columns, answers, ask, seed=seed)
    tied |= ties.rows(len(answers))
    if tied.any() and not tied.all():
        columns = {
            name: [value for value, left_out in zip(values, tied) if not left_out] for name, values in columns.items()
        }
        answers = answers[~tied]
        findings.append(
            f"{int(tied.sum())} of {len(tied)} drawn rows lie as far from one learned row as from another, of which "
            "only one counts: either answer is right there, and these rows prove nothing"
        )
    document = {
        "model": _described(model),
        "columns": [_facts(slot) for slot in slots if slot.used],
        "named": bool(told) or known or texts,
        "answer": "tensor" if answer.kind in {"several", "chances"} else answer.kind,
        "answer_shape": [answers.shape[1]] if answer.kind in {"several", "chances", "tensor"} else None,
        "classes": None if answer.classes is None else [_json(one) for one in answer.classes.tolist()],
        "encoder": {"format": 1, "steps": graph.settle()},
        "nodes": graph.nodes,
        "output": answer.tensor,
        "rows": _rows({slot.name: columns[slot.name] for slot in slots if slot.used}),
        "unused": [slot.name for slot in slots if not slot.used],
        "findings": findings,
    }
    return Reading(document, {**graph.constants, "answers": answers})


def _told(answer: Answer) -> List[str]:
    """Return what is to be told of several answers a row: which of them is what."""
    if answer.kind == "several":
        return [f"the model answers with {answer.width} numbers a row, in the order in which it learned them"]
    if answer.kind != "chances":
        return []
    if not answer.outputs:
        return [f"the model answers with {answer.width} chances a row: of each label, of which a row may have several"]
    named = "; ".join(", ".join(str(one) for one in classes) for classes in answer.outputs)
    return [f"the model answers {len(answer.outputs)} questions a row; its numbers are the chances of {named}"]


def _rows(columns: Dict[str, List[Any]]) -> List[Dict[str, Any]]:
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _leave_out_unused(graph: Graph, output: str) -> None:
    """Mark the columns that the answer does not depend on: nobody has to give them."""
    used = used_columns(graph.nodes, graph.constants, output, len(graph.inputs))
    if graph.blocks or not used:
        return
    for place, slot in enumerate(graph.inputs):
        if place not in used:
            slot.used = False


class _Asker:
    """Asks the model's own library, in the form that it wants."""

    def __init__(
        self, model: Any, answer: Answer, *, framed: bool, texts: bool, categories: Dict[str, List[Any]]
    ) -> None:
        self.model, self.answer, self.framed, self.texts = model, answer, framed, texts
        self.categories = categories

    def __call__(self, columns: Dict[str, List[Any]]) -> Any:
        given = drawing.as_input(columns, framed=self.framed, texts=self.texts)
        for name, categories in self.categories.items():
            given[name] = drawing.as_categories(columns[name], categories)
        if self.answer.kind == "chances":
            told = self.model.predict_proba(given)
            return np.hstack(told) if isinstance(told, list) else np.asarray(told, dtype=np.float64)
        if self.answer.kind == "several":
            return np.asarray(self.model.predict(given), dtype=np.float64)
        if self.answer.kind == "probabilities":
            return np.asarray(self.model.predict_proba(given), dtype=np.float64)
        several = self.answer.kind == "tensor" and hasattr(self.model, "predict_proba")
        raw = isinstance(self.model, boosters.Booster)
        found = np.asarray(self.model.predict_proba(given) if several and not raw else self.model.predict(given))
        if self.answer.kind == "tensor":
            return found.astype(np.float64).reshape(len(found), -1)
        if self.answer.kind == "number":
            return found.astype(np.float64).reshape(-1, 1)
        classes = [] if self.answer.classes is None else self.answer.classes.tolist()
        return np.array([[float(one == label) for label in classes] for one in found.ravel().tolist()])


def _with_gaps(slots: List[Slot], columns: Any, answers: Any, ask: _Asker, *, seed: int) -> Any:
    """Find out which columns may have gaps by asking, and give those some."""
    few = {name: values[:2] for name, values in columns.items()}
    for slot in slots:
        slot.nullable = False
        if slot.kind in {"text", "boolean"} or not slot.used:
            continue
        with contextlib.suppress(Exception):
            found = ask(drawing.with_gap(few, slot.name))
            slot.nullable = bool(np.isfinite(found).all())
    nullable = [slot for slot in slots if slot.nullable]
    if not nullable:
        return columns, answers
    generator = np.random.default_rng(seed + 1)
    count = len(answers)
    gapped = columns
    for slot in nullable:
        rows = np.flatnonzero(generator.random(count) < min(0.3, 2.0 / len(nullable))).tolist()
        gapped = drawing.with_gap(gapped, slot.name, rows)
    return gapped, ask(gapped)


def _first(model: Any) -> Any:
    """Return the step that sees the data first."""
    while True:
        if hasattr(model, "steps") and model.steps:
            model = model.steps[0][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif hasattr(model, "regressor_"):
            model = model.regressor_
        else:
            return model


def _reads_texts(model: Any) -> bool:
    first = _first(model)
    if hasattr(first, "transformer_list"):
        return all(_reads_texts(inner) for _, inner in first.transformer_list)
    return type(first).__name__ in VECTORIZERS


def names_in(model: Any) -> List[str]:
    """Return the names of the columns that the model was fitted on, none when it does not know them."""
    seen = [model, _first(model)]
    for one in seen:
        for name in ("feature_names_in_", "_df_columns", "_columns_", "_feature_names_in"):
            try:
                found = getattr(one, name, None)
            except Exception:  # noqa: BLE001, S112 - a property that asks what is not fitted
                continue
            if found is not None and len(found) and all(isinstance(each, str) for each in found):
                return [str(each) for each in found]
    return []


def _numbered(model: Any) -> List[str]:
    count = width_of(model)
    if count:
        return [f"feature_{place}" for place in range(count)]
    if not any(name.endswith("_") for one in (model, _last(model)) for name in getattr(one, "__dict__", {})):
        message = f"the {type(model).__name__} was saved before it was fitted: it has learned nothing"
        raise UnservedError(message)
    message = f"{type(model).__name__} does not tell how many columns it reads"
    steps = getattr(model, "steps", None)
    if steps:
        message = f"its first step, {type(steps[0][1]).__name__}, does not tell how many columns it reads"
    raise UnservedError(message)


def _last(model: Any) -> Any:
    return _last(model.steps[-1][1]) if getattr(model, "steps", None) else model


def _facts(slot: Slot) -> Dict[str, Any]:
    low, high = drawing.bounds(slot)
    known = slot.kind == "number" and (slot.low is not None or bool(slot.marks))
    return {
        "name": slot.name,
        "kind": slot.kind,
        "nullable": slot.nullable,
        "categories": slot.categories,
        "low": low if known else None,
        "high": high if known else None,
    }


def _described(model: Any) -> List[str]:
    """Return the names of the model's parts in order, as one would say them."""
    if hasattr(model, "steps") and model.steps:
        return [name for _, step in model.steps for name in _described(step)]
    if hasattr(model, "best_estimator_"):
        return _described(model.best_estimator_)
    return [model if isinstance(model, str) else type(model).__name__]


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value
