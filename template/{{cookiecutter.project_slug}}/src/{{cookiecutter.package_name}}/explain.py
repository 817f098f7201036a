"""What drove an answer: each column's share of it, as Shapley values against a reference row.

A set of columns is worth the model's answer to the reference row with these columns taken from the row in question. A
column's share is what it adds to a set, averaged over the orders in which columns can be added (Strumbelj and Kononenko
2014, doi:10.1007/s10115-013-0679-x). Few columns are averaged over every set. More are averaged over some orders, each
with its reverse, which halves the error and more (antithetic sampling: Mitchell, Cooper, Frank and Holmes 2022,
jmlr.org/papers/v23/21-0439.html). Either way the shares and the reference's answer sum to the answer, and the same row
always gets the same shares.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .features import DATE_PARTS, Numbers
from .schema import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .features import Encoder
    from .model import Model
    from .schema import Columns

EXACT_MAX = 7  # columns up to which every set is asked: 128 of them
SETS_MAX = 160  # about as many sets are asked otherwise; most shares of a probability are then right to 0.01
SEED = 2014
CELLS_MAX = 1_000_000  # numbers handed to the model at once: 8 MB


class Question(NamedTuple):
    """What to ask the model of one row: which output, which columns changed, which sets of them with what weights."""

    place: int
    changed: NDArray[np.intp]
    sets: NDArray[np.bool_]
    weights: NDArray[np.float64]


class Explainer:
    """Explanations of one model's answers against its reference row."""

    def __init__(self, model: Model, reference: Mapping[str, Any]) -> None:
        self.reference = dict(reference)
        self._model = model
        if not model.schema.is_explained:
            return
        self._names = [column.name for column in model.schema.columns]
        self._owners = owners(model.encoder, self._names)
        self._usual = model.encoder.encode(model.schema.from_rows([self.reference]), 1)[0]
        self._usual_answer = model.scorer.score(self._usual[None])[0]

    def explain(self, columns: Columns, rows: int) -> list[dict[str, Any]]:
        """Return the answers to canonical rows, in order, each with its notes and its explanation.

        The explanation is None for an answer of several numbers, and for one to a tensor.
        """
        if not self._model.schema.is_explained:
            return [{**answer, "explanation": None} for answer in self._model.answer_columns(columns, rows)]
        notes = [[note.to_json() for note in noted] for noted in self._model.notes(columns, rows)]
        with np.errstate(over="ignore", invalid="ignore"):  # told by row
            return self._explain(self._model.encoder.encode(columns, rows), notes)

    def explain_body(self, body: bytes, *, rows_max: int) -> list[dict[str, Any]] | None:
        """Return what ``explain`` gives for the rows of a request's body, or None when it is not plainly right."""
        read = self._model.read_body(body) if self._model.schema.is_explained else None
        if read is None or len(read[0]) > rows_max:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # told by row
            return self._explain(*read)

    def _explain(self, matrix: NDArray[np.float64], notes: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        answers = self._model.answer_features(matrix, notes)
        changed = self._changed(matrix)
        asked = [self._question(*each) for each in zip(changed, answers, strict=True)]
        told = [
            {**answer, "explanation": self._explanation(question, worth)}
            for answer, question, worth in zip(answers, asked, self._worths(matrix, asked), strict=True)
        ]
        extreme = [
            row for row, each in enumerate(told) if not isfinite(sum(each["explanation"]["contributions"].values()))
        ]
        if extreme:
            raise InputError([Problem(row, None, "its numbers are too large to tell shares") for row in extreme])
        return told

    def _changed(self, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which columns of each row differ from the reference's, shape (rows, columns)."""
        found = np.zeros((len(matrix), len(self._names)), dtype=bool)
        other = (matrix != self._usual) & ~(np.isnan(matrix) & np.isnan(self._usual))
        rows, features = np.nonzero(other)
        found[rows, self._owners[features]] = True
        return found

    def _question(self, changed: NDArray[np.bool_], answer: dict[str, Any]) -> Question:
        """Return what to ask of a row: which output, and which columns differ from the reference's."""
        schema, place = self._model.schema, 0
        if schema.task != "regression":
            asks_positive = schema.task == "binary" and schema.positive in schema.labels
            place = schema.labels.index(schema.positive if asks_positive else answer["prediction"])
        columns = np.flatnonzero(changed)
        return Question(place, columns, *coalitions(len(columns)))

    def _worths(self, matrix: NDArray[np.float64], asked: Sequence[Question]) -> Iterator[NDArray[np.float64]]:
        """Yield what the sets of each row are worth; those of several rows are asked at once, which is quicker."""
        step = max(1, CELLS_MAX // (2 * SETS_MAX * matrix.shape[1]))
        for start in range(0, len(asked), step):
            part = asked[start : start + step]
            scores = self._scores(matrix[start : start + step], part)
            first = 0
            for each in part:
                yield scores[first : first + len(each.sets), each.place]
                first += len(each.sets)

    def _scores(self, matrix: NDArray[np.float64], asked: Sequence[Question]) -> NDArray[np.float64]:
        """Return the model's answers to all sets of some rows."""
        trees = self._model.scorer.trees
        if trees is None:
            taken = [self._taken(features, each) for features, each in zip(matrix, asked, strict=True)]
            return self._model.scorer.score(np.concatenate(taken))
        places = trees.places_by(np.concatenate([self._usual[None], matrix]), self._owners, len(self._names))
        usual, others = places[0], places[1:] - places[0]
        lines = [each.sets @ other[each.changed] for other, each in zip(others, asked, strict=True)]
        return self._model.scorer.whole(
            trees.score_places((np.concatenate(lines) + usual.sum(axis=0)).T.astype(np.intp, order="C"))
        )

    def _taken(self, features: NDArray[np.float64], asked: Question) -> NDArray[np.float64]:
        """Return a row a set: the reference's features with those of the set's columns taken from the row."""
        column = np.full(len(self._names), len(asked.changed))  # all others share a place that is in no set
        column[asked.changed] = np.arange(len(asked.changed))
        none = np.zeros((len(asked.sets), 1), dtype=bool)
        return np.where(np.concatenate([asked.sets, none], axis=1)[:, column[self._owners]], features, self._usual)

    def _explanation(self, asked: Question, worth: NDArray[np.float64]) -> dict[str, Any]:
        """Return what is explained, the reference's answer to it, and each column's share, the largest first."""
        shares = dict.fromkeys(self._names, 0.0)
        found = (worth @ asked.weights).tolist()
        shares.update(zip([self._names[index] for index in asked.changed], found, strict=True))
        schema = self._model.schema
        return {
            "explained": None if schema.task == "regression" else schema.label_texts[asked.place],
            "reference": float(self._usual_answer[asked.place]),
            "contributions": dict(sorted(shares.items(), key=lambda share: -abs(share[1]))),
            "exact": len(asked.changed) <= EXACT_MAX,
        }


def owners(encoder: Encoder, names: Sequence[str]) -> NDArray[np.intp]:
    """Return for each feature the place in ``names`` of the column that it is made of."""
    found: list[int] = []
    for step in encoder.steps:
        if isinstance(step, Numbers):
            parts = len(DATE_PARTS) if step.dates else 1
            places = [names.index(name) for name in step.columns for _ in range(parts)]
            found += [*places, *(places[flag] for flag in step.flags.tolist())]
        else:
            found += [names.index(step.column)] * step.width  # type: ignore[attr-defined]  # every other step has one
    return np.array(found, dtype=np.intp)


@lru_cache(maxsize=64)
def coalitions(columns: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return the sets to ask, shape (sets, columns), and how their worths add up to shares, the same shape."""
    return _every_set(columns) if columns <= EXACT_MAX else _some_orders(columns)


def _every_set(columns: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    if columns == 0:
        return np.zeros((1, 0), dtype=bool), np.zeros((1, 0))
    sets = (np.arange(2**columns)[:, None] >> np.arange(columns)) & 1 == 1
    size = sets.sum(axis=1)
    orders = np.array([factorial(k) * factorial(columns - k - 1) for k in range(columns)]) / factorial(columns)
    joining = orders[np.maximum(size - 1, 0)][:, None]
    staying = orders[np.minimum(size, columns - 1)][:, None]
    return sets, np.where(sets, joining, -staying)


def _some_orders(columns: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    generator = np.random.default_rng(SEED)
    drawn = [generator.permutation(columns) for _ in range(max(1, SETS_MAX // (2 * columns)))]
    orders = [order for one in drawn for order in (one, one[::-1])]
    sets = np.zeros((len(orders) * (columns + 1), columns), dtype=bool)
    weights = np.zeros(sets.shape)
    for number, order in enumerate(orders):
        first = number * (columns + 1)  # the empty set, then one column more each time
        for step, column in enumerate(order.tolist(), start=1):
            sets[first + step :, column][: columns + 1 - step] = True
            weights[first + step, column] += 1 / len(orders)
            weights[first + step - 1, column] -= 1 / len(orders)
    distinct, which = np.unique(sets, axis=0, return_inverse=True)  # every order has the empty set and the full one
    summed = np.zeros(distinct.shape)
    np.add.at(summed, which.ravel(), weights)
    return distinct, summed
