"""Answers in the form that a competition asks for: the columns, the rows and their order are those of its sample."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from .errors import TableError
from .tables import read_file, unique_names, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .model import Model
    from .schema import Schema

SAMPLE = "data/sample_submission.csv"
NAME = "submission.csv"  # an output of this name gets the sample's form
SCORED_BY_PROBABILITY = frozenset({"roc_auc", "average_precision", "log_loss", "brier"})

Answer = dict[str, Any]


def write_submission(model: Model, source: Path, sample: Path, out: IO[str], *, metric: str) -> int:
    """Write the answers for ``source`` in the form of ``sample`` and return the number of rows.

    Raises ``TableError`` when a row of the sample has no answer, or two, or when its columns cannot be filled.
    """
    names, wanted = _read_whole(sample)
    given = _columns(source)
    keys = [place for place, name in enumerate(names) if name in given and name != model.schema.target]
    fills = _fills(model.schema, names, wanted, keys or [0], metric)
    found: dict[tuple[str, ...], Answer] = {}
    for key, answer in _answers(model, source, [names[place] for place in keys]):
        if key in found:
            message = f"{source}: two rows are called {', '.join(key)}, so the sample's rows cannot be told apart"
            raise TableError(message)
        found[key] = answer
    if len(found) != len(wanted):
        message = f"{source} has {len(found):,} rows, {sample} asks for {len(wanted):,}"
        raise TableError(message)
    rows: list[list[object]] = []
    for number, row in enumerate(wanted):
        key = tuple(row[place] for place in keys) if keys else (str(number),)
        if key not in found:
            message = f"{source} has no row called {', '.join(key)}, which {sample} asks for in its row {number + 1}"
            raise TableError(message)
        answer = found.pop(key)
        rows.append([fills[place](answer) if place in fills else cell for place, cell in enumerate(row)])
    write_rows(out, chain([names], rows))
    return len(rows)


def scored_by(model_dir: Path) -> str:
    """Return the score that the competition itself names; empty when it names none, whatever training chose."""
    try:
        told, chosen = (
            json.loads((model_dir / name).read_text(encoding="utf-8")).get("metric", "")
            for name in ("provenance.json", "metrics.json")
        )
    except (OSError, ValueError):
        return ""
    return str(chosen) if told else ""


def _read_whole(path: Path) -> tuple[tuple[str, ...], list[Sequence[str]]]:
    names: tuple[str, ...] = ()
    rows: list[Sequence[str]] = []
    with closing(read_file(path)) as chunks:
        for chunk in chunks:
            names = chunk.names
            rows += chunk.rows
    return names, rows


def _columns(path: Path) -> tuple[str, ...]:
    with closing(read_file(path)) as chunks:
        return unique_names(next(chunks).names)


def _answers(model: Model, source: Path, keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Answer]]:
    """Yield each row's cells in the ``keys`` columns, or its number where there are none, with its answer."""
    with closing(read_file(source)) as chunks:
        for chunk in chunks:
            if not chunk.rows:
                continue
            cells = chunk.columns()
            answers = model.predict(model.schema.from_cells(cells, first_row=chunk.first), len(chunk.rows)).to_json()
            numbers = [str(chunk.first + place) for place in range(len(chunk.rows))]
            yield from zip(zip(*([cells[name] for name in keys] or [numbers]), strict=True), answers, strict=True)


def _fills(
    schema: Schema, names: Sequence[str], wanted: Sequence[Sequence[str]], keys: Sequence[int], metric: str
) -> dict[int, Callable[[Answer], object]]:
    """Return what goes into each column that is not a key: the answer, or the probability of a label."""
    asked = [position for position in range(len(names)) if position not in keys]
    if len(asked) == 1:
        return {asked[0]: _single(schema, [row[asked[0]] for row in wanted], metric)}
    fills: dict[int, Callable[[Answer], object]] = {}
    for label in () if schema.task == "regression" else schema.label_texts:
        places = [place for place in asked if names[place] == label or names[place].endswith(f"_{label}")]
        exact = [place for place in places if names[place] == label] or places
        if len(exact) == 1:
            fills[exact[0]] = _probability(label)
    if not asked or len(fills) != len(asked):
        left = ", ".join(names[place] for place in asked if place not in fills) or "none but its keys"
        message = f"the sample's columns cannot be filled by this model: {left}"
        raise TableError(message)
    return fills


def _single(schema: Schema, examples: Sequence[str], metric: str) -> Callable[[Answer], object]:
    labels = schema.label_texts if schema.task != "regression" else ()
    between = labels and any(example not in labels and _is_fraction(example) for example in examples)
    if schema.task == "binary" and (metric in SCORED_BY_PROBABILITY or between):
        positive = str(schema.positive) if schema.positive is not None else labels[-1]
        return _probability(positive)
    return lambda answer: answer["prediction"]


def _probability(label: str) -> Callable[[Answer], object]:
    return lambda answer: answer["probabilities"][label]


def _is_fraction(text: str) -> bool:
    try:
        return 0.0 < float(text) < 1.0
    except ValueError:
        return False
