"""Rows drawn for the proof: what the model may be asked, from what it tells of its columns."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from .graph import Slot

NEAR = 1e-9  # relative distance from a threshold at which both sides are asked
SPREAD = 3.0  # numbers of a column that tells nothing: within three of zero
WORDS_MIN, WORDS_MAX = 3, 15
STRANGE_SHARE = 0.1  # of drawn words that the model does not know


def draw(slots: Sequence[Slot], rows: int, *, seed: int, terms: Dict[str, List[str]]) -> Dict[str, List[Any]]:
    """Return ``rows`` drawn values a column; ``terms`` are the words that the model knows of a text column."""
    generator = np.random.default_rng(seed)
    return {slot.name: _column(slot, rows, generator, terms.get(slot.name, [])) for slot in slots}


def _column(slot: Slot, rows: int, generator: Any, terms: List[str]) -> List[Any]:
    if slot.kind == "category":
        return [str(one) for one in generator.choice(np.array(slot.known or slot.categories, dtype=object), rows)]
    if slot.kind == "boolean":
        return [bool(one) for one in generator.integers(0, 2, rows)]
    if slot.kind == "text":
        return [_text(generator, terms) for _ in range(rows)]
    return _numbers(slot, rows, generator)


def _numbers(slot: Slot, rows: int, generator: Any) -> List[float]:
    if slot.known:
        return [float(one) for one in generator.choice(np.array(slot.known, dtype=np.float64), rows)]
    low, high = bounds(slot)
    values = generator.uniform(low, high, rows)
    whole = generator.random(rows) < 0.3  # noqa: PLR2004 - a share, as below
    values[whole] = np.round(values[whole])
    if slot.marks:
        marks = np.unique(np.array(slot.marks))
        near = generator.choice(marks, rows)
        sides = generator.choice([-1.0, 0.0, 1.0], rows)
        near = near + sides * NEAR * np.maximum(1.0, np.abs(near))
        taken = generator.random(rows) < 0.3  # noqa: PLR2004
        values[taken] = near[taken]
    return [float(value) for value in values]


def bounds(slot: Slot) -> Any:
    """Return the lowest and the highest number to draw for a column."""
    numbers = [number for number in (slot.low, slot.high, *slot.marks) if number is not None]
    if not numbers:
        return -SPREAD, SPREAD
    low, high = min(numbers), max(numbers)
    margin = 0.1 * (high - low) or max(1.0, abs(high))
    return (low if low >= 0 > low - margin else low - margin), high + margin


def _text(generator: Any, terms: List[str]) -> str:
    count = int(generator.integers(WORDS_MIN, WORDS_MAX))
    words = []
    for _ in range(count):
        strange = generator.random() < STRANGE_SHARE or not terms
        words.append("unheard" if strange else str(terms[int(generator.integers(0, len(terms)))]))
    return " ".join(words)


def as_input(columns: Dict[str, List[Any]], *, framed: bool, texts: bool) -> Any:
    """Return the rows in the form that the model reads: a frame, a matrix, or a list of texts."""
    names = list(columns)
    if texts:
        return columns[names[0]]
    if framed:
        import pandas as pd  # noqa: PLC0415 - only where the model asks for names

        return pd.DataFrame({name: _series(values) for name, values in columns.items()}, columns=names)
    if all(_is_number(values) for values in columns.values()):
        return np.array([_series(values) for values in columns.values()], dtype=np.float64).T
    return np.array([list(row) for row in zip(*columns.values())], dtype=object)


def as_categories(values: Sequence[Any], categories: Sequence[Any]) -> Any:
    """Return a column of pandas' own kind for categories, with the codes that the model was fitted on."""
    import pandas as pd  # noqa: PLC0415 - only where the model asks for it

    return pd.Categorical(values, categories=list(categories))


def _is_number(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, (int, float)) for value in values)


def _series(values: Sequence[Any]) -> Any:
    if any(isinstance(value, str) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=object)
    if values and all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=bool)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def with_gap(columns: Dict[str, List[Any]], name: str, rows: Optional[Sequence[int]] = None) -> Dict[str, List[Any]]:
    """Return the same rows with a gap in one column, in all or some of them."""
    wanted = None if rows is None else set(rows)
    values = [None if wanted is None or place in wanted else value for place, value in enumerate(columns[name])]
    return {**columns, name: values}
