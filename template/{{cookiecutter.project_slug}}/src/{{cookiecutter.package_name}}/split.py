"""Which rows are for learning and which are held out, as the plan says and its seed fixes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Row numbers of the training part and of the held-out part; no row is in both."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def hold_out(plan: Mapping[str, Any], target: NDArray[np.float64], key: NDArray[np.float64]) -> Split:
    """Return the split of all rows: by chance, by class, by group (none in both parts) or by time (the last held out).

    ``key`` holds each row's group or moment; it is only read for those two.
    """
    rows = np.arange(len(target))
    share = plan["test_share"]
    kind = plan["split"]
    if kind == "time":
        order = np.argsort(key, kind="stable")
        cut = len(rows) - max(1, round(len(rows) * share))
        return Split(np.sort(order[:cut]), np.sort(order[cut:]))
    if kind == "group":
        splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=plan["seed"])
        train, test = next(splitter.split(rows, groups=key))
        return Split(np.sort(train), np.sort(test))
    strata = _strata(target, members_min=2) if kind == "stratified" else None
    if strata is not None and len(set(strata)) > max(1, int(len(rows) * share)):
        strata = None  # fewer held-out rows than classes: no stratification is possible
    train, test = train_test_split(rows, test_size=share, random_state=plan["seed"], stratify=strata)
    return Split(np.sort(train), np.sort(test))


def folds_of(
    plan: Mapping[str, Any], target: NDArray[np.float64], key: NDArray[np.float64], rows: NDArray[np.intp]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return (learn, check) row numbers of each fold over ``rows``, split the way the held-out part was."""
    wanted = max(2, min(plan["folds"], len(rows)))
    kind = plan["split"]
    splits: Any
    if kind == "time":
        order = rows[np.argsort(key[rows], kind="stable")]
        return [(order[learn], order[check]) for learn, check in TimeSeriesSplit(wanted).split(order)]
    if kind == "group":
        groups = key[rows]
        splits = GroupKFold(min(wanted, len(np.unique(groups)))).split(rows, groups=groups)
    elif kind == "stratified":
        strata = _strata(target[rows], members_min=wanted)
        splits = StratifiedKFold(wanted, shuffle=True, random_state=plan["seed"]).split(rows, strata)
    else:
        splits = KFold(wanted, shuffle=True, random_state=plan["seed"]).split(rows)
    return [(rows[learn], rows[check]) for learn, check in splits]


def moments(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return a sortable number a cell: the number or ISO date it holds; texts sort by alphabet."""
    found = [_moment(cell.strip()) for cell in cells]
    if all(moment is not None for moment in found):
        return np.array(found, dtype=np.float64)
    places = {cell: place for place, cell in enumerate(sorted(set(cells)))}
    return np.array([places[cell] for cell in cells], dtype=np.float64)


def _moment(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _strata(target: NDArray[np.float64], *, members_min: int) -> NDArray[np.float64]:
    """Return the classes to keep in proportion; those with too few members join the largest one."""
    counts = Counter(target.tolist())
    largest = counts.most_common(1)[0][0]
    rare = [code for code, count in counts.items() if count < members_min]
    return np.where(np.isin(target, rare), largest, target)
