"""How good are the answers: each metric with its 95 % interval, from one set of held-out rows.

Every metric is written for weighted rows, so a bootstrap resample is a row of counts instead of a copy of the data: the
thousand resamples of Efron's percentile interval (Efron & Tibshirani 1993, chapter 13) cost one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

RESAMPLES = 1000
RESAMPLES_MIN = 200  # of so many rows that more would take minutes: their intervals are narrow
RESAMPLED_ROWS_MAX = 20_000_000
RESAMPLES_AT_ONCE = 50  # bounds memory: 50 resamples of 100,000 rows are 40 MB
PROBABILITY_MIN = 1e-15  # a wrong answer given with certainty costs 34.5, not infinity
GREATER_IS_BETTER = {
    "roc_auc": True,
    "average_precision": True,
    "accuracy": True,
    "balanced_accuracy": True,
    "f1": True,
    "f1_macro": True,
    "log_loss": False,
    "brier": False,
    "rmse": False,
    "mae": False,
    "r2": True,
    "rmsle": False,
    "mape": False,
}
METRICS_OF = {
    "binary": ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "log_loss", "brier"),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "roc_auc"),
    "regression": ("rmse", "mae", "r2"),
}


@dataclass(frozen=True)
class Interval:
    """A metric's value with the bounds of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Answers:
    """What was true and what was answered: codes and probabilities for classes, numbers otherwise.

    ``truth`` has shape (rows,); ``answer`` (rows, classes) or (rows,). ``positive`` is the code a binary metric counts.
    """

    truth: NDArray[np.float64]
    answer: NDArray[np.float64]
    positive: int = 1


def metrics_for(task: str, first: str, truth: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the metrics to report, the chosen one first; those that the target cannot bear are left out."""
    names = [first, *(name for name in METRICS_OF[task] if name != first)]
    if task == "regression":
        names += [name for name in ("rmsle",) if name not in names and truth.min(initial=0) >= 0]
    return tuple(names)


def score(name: str, answers: Answers) -> float:
    """Return one metric of ``answers``, every row counted once; NaN where it is not defined."""
    return float(_METRICS[name](answers, np.ones((1, len(answers.truth))))[0])


def intervals(
    names: Sequence[str], answers: Answers, *, seed: int, resamples: int = RESAMPLES
) -> Mapping[str, Interval]:
    """Return each metric with its 95 % interval over bootstrap resamples of the rows, ``resamples_of`` that many."""
    resamples = resamples_of(len(answers.truth), wanted=resamples)
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for counts in _resamples(len(answers.truth), seed=seed, resamples=resamples):
        for name in names:
            drawn[name].append(_METRICS[name](answers, counts))
    found = {}
    for name in names:
        value = score(name, answers)
        spread = np.concatenate(drawn[name])
        spread = spread[np.isfinite(spread)]
        low, high = np.quantile(spread, [0.025, 0.975]) if len(spread) else (value, value)
        found[name] = Interval(value, float(low), float(high))
    return found


def resamples_of(rows: int, *, wanted: int = RESAMPLES) -> int:
    """Return how often ``rows`` rows are drawn anew for an interval: as wanted, less often where they are many."""
    return min(wanted, max(RESAMPLES_MIN, RESAMPLED_ROWS_MAX // max(1, rows)))


def _resamples(rows: int, *, seed: int, resamples: int) -> Iterator[NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, resamples - start)
        counts = np.zeros((size, rows))
        for resample in counts:
            resample[:] = np.bincount(generator.integers(0, rows, rows), minlength=rows)
        yield counts


def _share(weights: NDArray[np.float64], hit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of ``hit``, shape (resamples,)."""
    mean: NDArray[np.float64] = (weights @ hit) / weights.sum(axis=1)
    return mean


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def _accuracy(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return _share(weights, (answers.answer.argmax(axis=1) == answers.truth).astype(np.float64))


def _balanced_accuracy(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean recall of the classes that a resample holds."""
    hit = answers.answer.argmax(axis=1) == answers.truth
    recalls = [_ratio(weights @ (hit & of).astype(float), weights @ of.astype(float)) for of in _classes(answers)]
    return _mean_of_known(recalls)


def _f1(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return _f1_of(answers, weights, answers.positive)


def _f1_macro(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    present = [code for code in range(answers.answer.shape[1]) if np.any(answers.truth == code)]
    return _mean_of_known([_f1_of(answers, weights, code) for code in present])


def _f1_of(answers: Answers, weights: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    true, said = answers.truth == code, answers.answer.argmax(axis=1) == code
    both = 2 * (weights @ (true & said).astype(float))
    return _ratio(both, weights @ (true.astype(float) + said.astype(float)))


def _log_loss(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    given = answers.answer[np.arange(len(answers.truth)), answers.truth.astype(int)]
    return _share(weights, -np.log(np.clip(given, PROBABILITY_MIN, 1.0)))


def _brier(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    true = (answers.truth == answers.positive).astype(np.float64)
    return _share(weights, (answers.answer[:, answers.positive] - true) ** 2)


def _roc_auc(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area under the ROC curve; of several classes the mean of each against the rest."""
    codes = [answers.positive] if answers.answer.shape[1] <= 2 else range(answers.answer.shape[1])  # noqa: PLR2004 - binary
    return _mean_of_known([_area(answers, weights, code) for code in codes if np.any(answers.truth == code)])


def _area(answers: Answers, weights: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """Return the share of (positive, negative) pairs in the right order, ties counted half (Mann-Whitney)."""
    order = np.argsort(answers.answer[:, code], kind="stable")
    scores, true = answers.answer[order, code], answers.truth[order] == code
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    positive = np.add.reduceat(weights[:, order] * true, starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * ~true, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    won = (positive * (below + negative / 2)).sum(axis=1)
    return _ratio(won, positive.sum(axis=1) * negative.sum(axis=1))


def _average_precision(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean precision over the recalls gained, from the highest score down."""
    order = np.argsort(-answers.answer[:, answers.positive], kind="stable")
    scores, true = answers.answer[order, answers.positive], answers.truth[order] == answers.positive
    ends = np.flatnonzero(np.concatenate([scores[1:] != scores[:-1], [True]]))
    hits = np.cumsum(weights[:, order] * true, axis=1)[:, ends]
    seen = np.cumsum(weights[:, order], axis=1)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return _ratio((gained * precision).sum(axis=1), hits[:, -1])


def _rmse(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(_share(weights, (answers.answer - answers.truth) ** 2))


def _mae(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return _share(weights, np.abs(answers.answer - answers.truth))


def _r2(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the target's variance that the answers explain."""
    missed = _share(weights, (answers.answer - answers.truth) ** 2)
    mean = _share(weights, answers.truth)
    centred = answers.truth - answers.truth.mean()  # centred first: squares of large numbers lose digits
    variance = _share(weights, centred**2) - (mean - answers.truth.mean()) ** 2
    return 1 - _ratio(missed, variance)


def _rmsle(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    gap = np.log1p(np.maximum(answers.answer, 0)) - np.log1p(np.maximum(answers.truth, 0))
    return np.sqrt(_share(weights, gap**2))


def _mape(answers: Answers, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.maximum(np.abs(answers.truth), np.finfo(np.float64).eps)
    return _share(weights, np.abs(answers.answer - answers.truth) / size)


def _classes(answers: Answers) -> list[NDArray[np.bool_]]:
    return [answers.truth == code for code in range(answers.answer.shape[1]) if np.any(answers.truth == code)]


def _mean_of_known(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean over classes, leaving out those that a resample does not hold."""
    stacked = np.vstack(values)
    known = np.isfinite(stacked)
    return _ratio(np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


_METRICS: dict[str, Callable[[Answers, NDArray[np.float64]], NDArray[np.float64]]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "log_loss": _log_loss,
    "brier": _brier,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
    "rmsle": _rmsle,
    "mape": _mape,
}
