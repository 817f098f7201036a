"""How far a row is from the rows of the training data, all columns together: the Mahalanobis distance of its features.

Each value may be usual and their combination not; such a row is answered by guesswork. The distance (Mahalanobis 1936;
as a test for rows unlike the training data: Lee, Lee, Lee and Shin 2018, arxiv.org/abs/1807.03888) is compared with
that of the training rows: a row farther out than ``SHARE`` of them is noted. Words of texts are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .features import Encoder

SHARE = 0.999
FEATURES_MAX = 64  # the cost of a row grows with their square; those that vary most are kept
ROWS_MAX = 20_000
RIDGE = 0.05  # added to each feature's variance of 1: features that nearly repeat each other do not blow up
DIGITS = 7


class Familiarity:
    """The distance of rows of features from the training data, as ``fit`` learned it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._features = np.array(document["features"], dtype=np.intp)
        self._center = np.array(document["center"], dtype=np.float64)
        self._directions = np.array(document["directions"], dtype=np.float64)
        self._offset = self._center @ self._directions
        self._limit: float = document["limit"]

    def distances(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each row's squared distance, NaN beyond all numbers; a gap counts as the column's mean."""
        found = matrix if matrix.shape[1] == len(self._features) else matrix.take(self._features, axis=1)
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near the largest there is
            distances = self._distances(found)
            if not np.isfinite(distances).all():
                distances = self._distances(np.where(np.isnan(found), self._center, found))
        return distances

    def strangers(self, matrix: NDArray[np.float64], *, plain: bool = False) -> list[int]:
        """Return the places of the rows that are farther out than ``SHARE`` of the training rows.

        ``plain`` promises that every value is within the range that training saw.
        """
        if len(matrix) == 1:  # the usual request: a third of the time
            row = matrix[0] if matrix.shape[1] == len(self._features) else matrix[0].take(self._features)
            if plain:
                distance = self._distance(row)
            else:
                with np.errstate(over="ignore", invalid="ignore"):
                    distance = self._distance(row)
            if distance == distance:  # noqa: PLR0124 - no gap: the fastest test for NaN
                return [0] if distance > self._limit else []
        distances = self.distances(matrix).tolist()
        return [place for place, distance in enumerate(distances) if not distance <= self._limit]

    def _distance(self, row: NDArray[np.float64]) -> float:
        moved = row.dot(self._directions)
        moved -= self._offset
        distance: float = moved.dot(moved)
        return distance

    def _distances(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = found @ self._directions
        moved -= self._offset
        distances: NDArray[np.float64] = np.einsum("ij,ij->i", moved, moved)
        return distances


def fit(encoder: Encoder, matrix: NDArray[np.float64]) -> dict[str, Any] | None:
    """Return what ``Familiarity`` needs, learned from the features of training rows; None when nothing varies."""
    places: list[int] = []
    start = 0
    for step in encoder.steps:
        places += [] if isinstance(step, Words) else range(start, start + step.width)
        start += step.width
    known = matrix[:ROWS_MAX].take(places, axis=1)
    gaps = np.isnan(known)
    counted = np.maximum((~gaps).sum(axis=0), 1)
    center = np.where(gaps, 0.0, known).sum(axis=0) / counted
    known = np.where(gaps, center, known)
    spread = known.std(axis=0)
    kept = np.sort(np.argsort(-_worth(known, spread), kind="stable")[:FEATURES_MAX])
    kept = kept[spread[kept] > 0]
    if len(kept) == 0:
        return None
    scaled = (known[:, kept] - center[kept]) / spread[kept]
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    directions = vectors / np.sqrt(np.maximum(values, 0.0) + RIDGE) / spread[kept][:, None]
    document = {
        "features": [places[place] for place in kept.tolist()],
        "center": center[kept].tolist(),
        "directions": [[float(f"{value:.{DIGITS}g}") for value in row] for row in directions.tolist()],
        "limit": 0.0,
    }
    document["limit"] = float(np.quantile(Familiarity(document).distances(matrix[:ROWS_MAX]), SHARE, method="higher"))
    return document


def _worth(known: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which features to keep first: those with more than two values, then yes or no by how much it varies."""
    many = (known.min(axis=0) < 0) | (known.max(axis=0) > 1)
    worth: NDArray[np.float64] = np.where(many, np.inf, spread)
    worth[spread == 0] = -1.0
    return worth
