"""Golden rows: made-up rows with the answers of the pipeline that was trained, to hold every later answer against.

Each column is drawn on its own, from what was seen in it, so no row of the data is copied; texts are put together from
words that many rows share.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .reference import as_json
from .texts import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pipeline import Predictor
    from .schema import Column, Columns, Schema

ROWS = 40
GAP_SHARE = 0.15  # of the cells in columns that may have gaps
WORD_ROWS_MIN = 3  # a word in fewer rows could give its row away
CATEGORIES_MAX = 50


def make(schema: Schema, columns: Columns, predictor: Predictor, *, seed: int) -> list[dict[str, Any]]:
    """Return ``ROWS`` rows as JSON values, each with the fitted pipeline's answer; none stands in ``columns``."""
    generator = np.random.default_rng(seed)
    drawn = {column.name: _draw(column, columns[column.name], generator) for column in schema.columns}
    rows = [dict(zip(drawn, values, strict=True)) for values in zip(*drawn.values(), strict=True)]
    seen = _as_seen(schema, columns)
    canonical = schema.from_rows(rows)
    fresh = [index for index, row in enumerate(_tuples(canonical)) if row not in seen]
    if not fresh:  # so few columns that every combination is a row of the data: one that cannot be
        rows = [{column.name: _beyond(column) for column in schema.columns}]
        canonical, fresh = schema.from_rows(rows), [0]
    answers = predictor.predict({name: values[fresh] for name, values in canonical.items()})
    return [
        {"row": rows[index], "answer": answer}
        for index, answer in zip(fresh, np.asarray(answers).tolist(), strict=True)
    ]


def _draw(column: Column, values: NDArray[Any], generator: np.random.Generator) -> list[Any]:
    drawn: list[Any]
    if column.kind == "text":
        drawn = _texts(values, generator)
    elif column.kind == "category":
        common = [category for category, _ in Counter(values[values != ""].tolist()).most_common(CATEGORIES_MAX)]
        drawn = [str(value) for value in generator.choice(common or ["unknown"], ROWS)]
    else:
        known = values[np.isfinite(values)]
        if len(known) == 0:
            drawn = [None if column.nullable else column.example] * ROWS
        else:
            drawn = [as_json(column, value) for value in generator.choice(known, ROWS).tolist()]
    if column.nullable:
        gaps = generator.random(ROWS) < GAP_SHARE
        drawn = [None if gap else value for gap, value in zip(gaps, drawn, strict=True)]
    return drawn


def _beyond(column: Column) -> object:
    """Return a value that training has not seen."""
    if column.is_text:
        return "never seen before"
    if column.kind == "number":
        return (column.seen_maximum or 0.0) + 1.0
    return column.example


def _texts(values: NDArray[Any], generator: np.random.Generator) -> list[str]:
    rows_with: Counter[str] = Counter()
    for text in values[:5_000]:
        rows_with.update(set(words_of(text, 1)))
    words = [word for word, rows in sorted(rows_with.items()) if rows >= WORD_ROWS_MIN] or ["text"]
    return [" ".join(generator.choice(words, generator.integers(3, 12)).tolist()) for _ in range(ROWS)]


def _as_seen(schema: Schema, columns: Columns) -> set[tuple[Any, ...]]:
    return set(_tuples({column.name: columns[column.name] for column in schema.columns}))


def _tuples(columns: Columns) -> list[tuple[Any, ...]]:
    cells = [[None if value != value else value for value in values.tolist()] for values in columns.values()]  # noqa: PLR0124 - NaN
    return list(zip(*cells, strict=True))
