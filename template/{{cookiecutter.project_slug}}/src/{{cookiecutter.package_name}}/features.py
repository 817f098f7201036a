"""Canonical columns become the numbers that the model reads: the served half of the pipeline, with numpy alone.

``encoder.json`` holds what training learned (medians, categories, words) as plain data; ``export.py`` writes it from
the fitted scikit-learn pipeline, and refuses to when the two do not give the same predictions.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import tensors
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .schema import Columns

DATE_PARTS = ("days", "year", "month", "day", "weekday", "hour", "month_sin", "month_cos")
SECONDS_A_DAY = 86_400
THURSDAY = 3  # 1970-01-01 was one; Monday is 0


def date_parts(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the parts of dates, shape (rows, ``len(DATE_PARTS)``); a gap (NaN) is NaN in all of them.

    ``seconds`` counts from 1970 in UTC, shape (rows,). Days may be negative; hours have fractions.
    """
    parts = np.full((len(seconds), len(DATE_PARTS)), np.nan)
    known = np.isfinite(seconds)
    days = np.floor_divide(seconds[known], SECONDS_A_DAY)
    moments = days.astype("datetime64[D]")
    years = moments.astype("datetime64[Y]")
    months = moments.astype("datetime64[M]")
    month = (months - years).astype(np.float64)
    parts[known] = np.column_stack(
        [
            days,
            years.astype(np.float64) + 1970,
            month + 1,
            (moments - months).astype(np.float64) + 1,
            np.mod(days + THURSDAY, 7),
            (seconds[known] - days * SECONDS_A_DAY) / 3600,
            np.sin(2 * np.pi * month / 12),
            np.cos(2 * np.pi * month / 12),
        ]
    )
    return parts


class Step(Protocol):
    """One part of the encoder: some canonical columns in, some features out."""

    width: int

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write the features of ``columns`` into ``out``, shape (rows, ``width``)."""


class Numbers:
    """Numeric features as they are, or with gaps filled, flagged and everything brought to one scale."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.columns: list[str] = facts["columns"]
        self.dates: bool = facts.get("dates", False)
        self.fill = _vector(facts.get("fill"))
        self.flags = np.array(facts.get("flags", ()), dtype=np.intp)
        self.center = _vector(facts.get("center"))
        self.scale = _vector(facts.get("scale"))
        parts = len(DATE_PARTS) if self.dates else 1
        self.width = len(self.columns) * parts + len(self.flags)

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write one feature a number (or ``DATE_PARTS`` a date), then one flag a column that had gaps in training."""
        plain = self.width - len(self.flags)
        values = out[:, :plain]
        if self.dates:
            for index, name in enumerate(self.columns):
                values[:, index * len(DATE_PARTS) : (index + 1) * len(DATE_PARTS)] = date_parts(columns[name])
        else:
            for index, name in enumerate(self.columns):
                values[:, index] = columns[name]
        if self.fill is not None:
            gaps = np.isnan(values)
            out[:, plain:] = gaps[:, self.flags]
            np.copyto(values, self.fill, where=gaps)
        if self.center is not None and self.scale is not None:
            out -= self.center
            out /= self.scale


class Lookup:
    """A category becomes the vector that training learned for it; one never seen gets the vector for the unseen."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.column: str = facts["column"]
        self.codes: dict[str, int] = {category: code for code, category in enumerate(facts["vectors"])}
        self.unseen_code = len(self.codes)
        self.table = np.array([*facts["vectors"].values(), facts["unseen"]], dtype=np.float64)
        self.width = self.table.shape[1]

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write each category's vector."""
        self.put(_codes(self.codes, columns[self.column], self.unseen_code), out)

    def put(self, codes: NDArray[np.intp], out: NDArray[np.float64]) -> None:
        """Write the vector of each code."""
        out[:] = self.table[codes]


class OneHot:
    """A category becomes a 1 in its place and 0 elsewhere; rare ones share a place."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.column: str = facts["column"]
        self.codes: dict[str, int] = facts["places"]
        self.unseen_code: int = facts["unseen"]  # the place of the rare ones, -1 for none
        self.width: int = facts["width"]

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write the 1 of each category; an unseen one goes with the rare ones when there are any, else nowhere."""
        self.put(_codes(self.codes, columns[self.column], self.unseen_code), out)

    def put(self, codes: NDArray[np.intp], out: NDArray[np.float64]) -> None:
        """Write the 1 of each code that has a place."""
        out[:] = 0.0
        rows = np.flatnonzero(codes >= 0)
        out[rows, codes[rows]] = 1.0


STEPS: dict[str, type[Numbers | Lookup | OneHot | Words]] = {
    "numbers": Numbers,
    "lookup": Lookup,
    "onehot": OneHot,
    "words": Words,
}


class Encoder:
    """All steps side by side: canonical columns in, a float64 matrix out."""

    def __init__(self, document: dict[str, Any]) -> None:
        made = {**STEPS, **tensors.STEPS}
        self.steps: Sequence[Step] = [made[facts["step"]](facts) for facts in document["steps"]]
        self.width = sum(step.width for step in self.steps)
        self.categories = {
            facts["column"]: frozenset(facts["vectors" if facts["step"] == "lookup" else "places"])
            for facts in document["steps"]
            if facts["step"] in {"lookup", "onehot"}
        }

    def encode(self, columns: Columns, rows: int) -> NDArray[np.float64]:
        """Return the features of ``rows`` canonical rows, shape (rows, ``width``)."""
        matrix = np.empty((rows, self.width))
        start = 0
        for step in self.steps:
            step.encode(columns, matrix[:, start : start + step.width])
            start += step.width
        return matrix


def _codes(codes: dict[str, int], categories: NDArray[Any], unseen: int) -> NDArray[np.intp]:
    names = categories.tolist()
    try:
        found = itemgetter(*names)(codes) if len(names) > 1 else [codes[name] for name in names]
    except KeyError:  # one of them is a stranger
        found = [codes.get(name, unseen) for name in names]
    return np.array(found, dtype=np.intp)


def _vector(values: Sequence[float] | None) -> NDArray[np.float64] | None:
    return None if values is None else np.array(values, dtype=np.float64)
