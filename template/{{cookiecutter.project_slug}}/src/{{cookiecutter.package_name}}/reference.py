"""What is usual: the row that explanations compare with, and how far rows lie from the training data.

Written from the rows that the model learned from, or is to answer; no row of the data is in it.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from . import familiarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .features import Encoder
    from .schema import Column, Columns, Schema


def make(schema: Schema, encoder: Encoder, columns: Columns, rows: int) -> dict[str, Any]:
    """Return the content of ``reference.json``: ``row``, each column's median or most frequent value, and distances."""
    known = min(rows, familiarity.ROWS_MAX)
    return {
        "row": {column.name: _usual(column, columns[column.name]) for column in schema.columns},
        "familiarity": familiarity.fit(
            encoder,
            encoder.encode({name: values[: familiarity.ROWS_MAX] for name, values in columns.items()}, known),
        ),
    }


def _usual(column: Column, values: NDArray[Any]) -> object:
    if column.kind == "text":  # a text that many rows share is rare, and one that they do not could tell of somebody
        return None if column.nullable else column.example
    if column.kind == "category":
        value = Counter(sorted(values.tolist())).most_common(1)[0][0]
        return value or None
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None if column.nullable else column.example
    return as_json(column, float(np.quantile(known, 0.5, method="lower")))


def as_json(column: Column, value: float) -> object:
    """Return a canonical number, boolean or date as a JSON row holds it."""
    if column.kind == "boolean":
        return bool(value)
    if column.kind == "date":
        if column.date_format == "epoch_seconds":
            return str(int(value))
        moment = datetime.fromtimestamp(value, tz=UTC).replace(tzinfo=None)
        return moment.isoformat() if column.date_format == "iso" else moment.strftime(column.date_format)
    return int(value) if column.whole and float(value).is_integer() else value
