"""A JSON row in one pass: checked, noted and turned into features without an array a column.

The same answers as ``Schema.from_rows``, ``Encoder.encode`` and ``Model.notes`` give, at a third of their time for a
single row. What is not plainly right is left to them: they know every rule and name every problem.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Lookup, Numbers, OneHot, Words
from .notes import MISSING_MESSAGE, number_note, unseen_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .features import Encoder
    from .schema import Column, Schema

    Put = Callable[[list[float], Any], None]  # writes a canonical value's features into a row of them
    Take = Callable[[Any, list[float], list[dict[str, str]]], bool]  # reads a JSON value; False: not plainly right

FINITE_MAX = 1.7e308  # a larger number is infinite, or about to be


class RowReader:
    """Rows of one contract, read one at a time."""

    def __init__(self, schema: Schema, encoder: Encoder) -> None:
        self._names = frozenset(column.name for column in schema.columns) | frozenset(schema.ignored)
        self._blank = [0.0] * encoder.width
        puts = _puts(encoder)
        # Dates have forms to try, and a contract may name a column that the model does not use: the thorough way.
        self._able = all(column.kind != "date" and column.name in puts for column in schema.columns)
        self._takes = [
            (column.name, _take(column, puts[column.name], encoder.categories.get(column.name)))
            for column in schema.columns
            if self._able
        ]

    def read(self, rows: list[object]) -> tuple[NDArray[np.float64], list[list[dict[str, str]]]] | None:
        """Return the features of ``rows`` and each row's notes, or None when a row needs the thorough way."""
        if not self._able:
            return None
        matrix, notes = [], []
        for row in rows:
            if not isinstance(row, dict) or not row.keys() <= self._names:
                return None
            features = self._blank.copy()
            noted: list[dict[str, str]] = []
            for name, take in self._takes:
                if not take(row.get(name), features, noted):
                    return None
            matrix.append(features)
            notes.append(noted)
        return np.array(matrix), notes


def _take(column: Column, put: Put, known: frozenset[str] | None) -> Take:
    """Return how a JSON value of ``column`` is read."""
    read = {"number": _take_number, "boolean": _take_boolean}.get(column.kind)
    filled = read(column, put) if read else _take_text(column, put, known)
    name, nullable, gap = column.name, column.nullable, column.gap

    def take(value: Any, features: list[float], noted: list[dict[str, str]]) -> bool:  # noqa: ANN401 - any JSON value
        if value is not None:
            return filled(value, features, noted)
        if nullable:
            put(features, gap)
            noted.append({"kind": "missing", "column": name, "message": MISSING_MESSAGE})
        return nullable

    return take


def _take_number(column: Column, put: Put) -> Take:
    low = -math.inf if column.seen_minimum is None or column.seen_maximum is None else column.seen_minimum
    high = math.inf if column.seen_minimum is None or column.seen_maximum is None else column.seen_maximum
    whole = column.whole

    def take(value: Any, features: list[float], noted: list[dict[str, str]]) -> bool:  # noqa: ANN401 - any JSON value
        kind = type(value)
        if (kind is not float and kind is not int) or not -FINITE_MAX < value < FINITE_MAX:
            return False
        number = float(value)
        put(features, number)
        if not low <= number <= high or (whole and number % 1.0):
            note = number_note(column, number)
            if note:
                noted.append(note.to_json())
        return True

    return take


def _take_boolean(_: Column, put: Put) -> Take:
    def take(value: Any, features: list[float], _: list[dict[str, str]]) -> bool:  # noqa: ANN401 - any JSON value
        if value is not True and value is not False:
            return False
        put(features, float(value))
        return True

    return take


def _take_text(column: Column, put: Put, known: frozenset[str] | None) -> Take:
    missing = column.missing

    def take(value: Any, features: list[float], noted: list[dict[str, str]]) -> bool:  # noqa: ANN401 - any JSON value
        if type(value) is not str:
            return False
        text = value.strip()
        if text in missing or value in missing:
            return False
        put(features, text)
        if known is not None and text not in known:
            noted.append(unseen_note(column, text).to_json())
        return True

    return take


def _puts(encoder: Encoder) -> dict[str, Put]:
    """Return, for each column, how its canonical value is written into a row of features."""
    puts: dict[str, Put] = {}
    start = 0
    for step in encoder.steps:
        if isinstance(step, Numbers) and not step.dates:
            flags = step.flags.tolist()
            plain = step.width - len(flags)
            for place, name in enumerate(step.columns):
                flag = start + plain + flags.index(place) if place in flags else -1
                if step.fill is None or step.center is None or step.scale is None:
                    puts[name] = _number(start + place)
                else:
                    of_flag = flag - start
                    puts[name] = _scaled(
                        start + place,
                        fill=float(step.fill[place]),
                        center=float(step.center[place]),
                        scale=float(step.scale[place]),
                        flag=flag,
                        flagged=(1.0 - float(step.center[of_flag])) / float(step.scale[of_flag]) if flag >= 0 else 0.0,
                        unflagged=(0.0 - float(step.center[of_flag])) / float(step.scale[of_flag])
                        if flag >= 0
                        else 0.0,
                    )
        elif isinstance(step, OneHot):
            puts[step.column] = _one_hot(start, step)
        elif isinstance(step, Lookup):
            puts[step.column] = _lookup(start, step)
        elif isinstance(step, Words):
            puts[step.column] = _words(start, step)
        start += step.width
    return puts


def _number(place: int) -> Put:
    def put(features: list[float], value: float) -> None:
        features[place] = value

    return put


def _scaled(  # noqa: PLR0913 - what scikit-learn's imputer and scaler learned of one column
    place: int, *, fill: float, center: float, scale: float, flag: int, flagged: float, unflagged: float
) -> Put:
    def put(features: list[float], value: float) -> None:
        gap = value != value  # noqa: PLR0124 - the fastest test for NaN
        features[place] = ((fill if gap else value) - center) / scale
        if flag >= 0:
            features[flag] = flagged if gap else unflagged

    return put


def _one_hot(start: int, step: OneHot) -> Put:
    places, unseen = step.places, step.unseen

    def put(features: list[float], value: str) -> None:
        place = places.get(value, unseen)
        if place >= 0:
            features[start + place] = 1.0

    return put


def _lookup(start: int, step: Lookup) -> Put:
    vectors = {category: vector.tolist() for category, vector in step.vectors.items()}
    unseen, end = step.unseen.tolist(), start + step.width

    def put(features: list[float], value: str) -> None:
        features[start:end] = vectors.get(value, unseen)

    return put


def _words(start: int, step: Words) -> Put:
    end = start + step.width

    def put(features: list[float], value: str) -> None:
        out = np.empty((1, step.width))
        step.encode({step.column: np.array([value], dtype=object)}, out)
        features[start:end] = out[0].tolist()

    return put
