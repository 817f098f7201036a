"""``Ties``: drawn rows whose nearest points cannot be told apart, for which any of several answers is right.

Where the last neighbour that counts is as far away as the next one, the order in which a library looks at its points
decides, and it is another for each of its search trees. Such rows prove nothing.
"""

from __future__ import annotations

import contextlib
from typing import Any, List, Set

import numpy as np

RELATIVE = 1e-9
DEPTH_MAX = 12


class Ties:
    """Watches the neighbours in ``model``; ``rows`` are the places of the rows last asked that lie on a tie."""

    def __init__(self, model: Any) -> None:
        self.asked: List[Any] = []
        for found in _neighbours_in(model, set(), 0):
            self._watch(found)

    def rows(self, count: int) -> Any:
        """Return a mask over ``count`` rows, and forget what was asked."""
        tied = np.zeros(count, dtype=bool)
        for mask in self.asked:
            if len(mask) == count:
                tied |= mask
        self.asked = []
        return tied

    def _watch(self, found: Any) -> None:
        for name in ("transform",) if _fills(found) else ("predict", "predict_proba"):
            method = getattr(found, name, None)
            if method is not None:
                setattr(found, name, self._watched(found, method))

    def _watched(self, found: Any, method: Any) -> Any:
        def watched(rows: Any, *arguments: Any, **named: Any) -> Any:
            with contextlib.suppress(Exception):  # rows that it does not take are told by the method itself
                self.asked.append(_tied(found, rows))
            return method(rows, *arguments, **named)

        return watched


def _fills(found: Any) -> bool:
    return getattr(found, "_mask_fit_X", None) is not None


def _tied_in_filling(found: Any, rows: Any) -> Any:
    """Return where a gap is filled by neighbours of which the last is as far as one that does not count."""
    from sklearn.metrics.pairwise import nan_euclidean_distances  # noqa: PLC0415 - loaded long before

    asked = np.asarray(rows, dtype=np.float64)
    far = nan_euclidean_distances(asked, found._fit_X)  # noqa: SLF001 - no public name
    tied = np.zeros(len(asked), dtype=bool)
    for place in range(asked.shape[1]):
        donors = np.flatnonzero(~found._mask_fit_X[:, place])  # noqa: SLF001 - as above
        last = int(found.n_neighbors)
        if len(donors) > last:
            near = np.sort(np.nan_to_num(far[:, donors], nan=np.inf), axis=1)[:, last - 1 : last + 1]
            with np.errstate(invalid="ignore"):
                same = near[:, 1] - near[:, 0] <= RELATIVE * np.maximum(1.0, near[:, 1])
            tied |= np.isnan(asked[:, place]) & same
    return tied


def _tied(found: Any, rows: Any) -> Any:
    if _fills(found):
        return _tied_in_filling(found, rows)
    count = int(found.n_neighbors)
    known = found._fit_X.shape[0]  # noqa: SLF001 - no public name
    if count >= known:
        return np.zeros(np.shape(rows)[0], dtype=bool)
    distances, _ = found.kneighbors(rows, n_neighbors=count + 1)
    return distances[:, count] - distances[:, count - 1] <= RELATIVE * np.maximum(1.0, distances[:, count])


def _neighbours_in(found: Any, seen: Set[int], depth: int) -> List[Any]:
    if id(found) in seen or depth > DEPTH_MAX:
        return []
    seen.add(id(found))
    if isinstance(found, dict):
        inner = list(found.values())
    elif isinstance(found, (list, tuple)):
        inner = list(found)
    elif isinstance(found, np.ndarray):
        inner = list(found.ravel()) if found.dtype == object else []
    elif type(found).__module__.startswith("sklearn.") and hasattr(found, "__dict__"):
        if _fills(found):
            return [found]
        if hasattr(found, "kneighbors") and getattr(found, "_fit_X", None) is not None and hasattr(found, "predict"):
            return [found]
        inner = list(vars(found).values())
    else:
        return []
    return [one for part in inner for one in _neighbours_in(part, seen, depth + 1)]
