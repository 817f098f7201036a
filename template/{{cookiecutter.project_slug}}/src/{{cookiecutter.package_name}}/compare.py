"""The plan's candidates held against each other: cross-validation under a time limit, and the rule that chooses."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from .errors import TrainingError
from .evaluation import GREATER_IS_BETTER, Answers, score
from .examples import positive_code
from .pipeline import fit
from .split import folds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from .examples import Examples
    from .split import Split

SIMPLICITY = {"dummy": 0, "linear": 1, "gradient_boosting": 2}


@dataclass
class Trial:
    """One candidate's cross-validation: a score a fold, or why there is none."""

    candidate: Mapping[str, Any]
    folds: list[float] = field(default_factory=list)
    fit_seconds: float = 0.0
    status: str = "ok"
    why: str = ""
    warned: set[str] = field(default_factory=set)

    @property
    def mean(self) -> float:
        """Return the mean score over folds."""
        return float(np.mean(self.folds)) if self.folds else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return the trial as ``metrics.json`` keeps it."""
        done = self.status == "ok"
        return {
            "name": self.candidate["name"],
            "estimator": self.candidate["estimator"],
            "status": self.status,
            "why": self.why or self.candidate.get("why", ""),
            "mean": self.mean if done else None,
            "standard_deviation": float(np.std(self.folds)) if done else None,
            "folds": self.folds,
            "fit_seconds": round(self.fit_seconds, 3),
            "warnings": sorted(self.warned),
        }


def compare(
    plan: Mapping[str, Any], examples: Examples, split: Split, *, deadline: float, say: Callable[[str], None]
) -> list[Trial]:
    """Return a trial of each candidate by cross-validation on the training part, in the plan's order."""
    folds = folds_of(plan, examples.target, examples.key, compared(plan, split))
    trials = [_try(plan, candidate, examples, folds, deadline) for candidate in plan["candidates"]]
    for trial in trials:
        scores = f"{plan['metric']} {trial.mean:.4g}" if trial.status == "ok" else f"{trial.status}: {trial.why}"
        say(f"  {trial.candidate['name']}: {scores} ({trial.fit_seconds:.1f} s)")
    return trials


def compared(plan: Mapping[str, Any], split: Split) -> NDArray[np.intp]:
    """Return the rows that candidates are compared on: the learning part, or as many of it as the plan wants, drawn."""
    most = plan.get("compare_rows") or len(split.train)
    if len(split.train) <= most:
        return split.train
    return np.sort(np.random.default_rng(plan["seed"]).choice(split.train, most, replace=False))


def _try(
    plan: Mapping[str, Any],
    candidate: Mapping[str, Any],
    examples: Examples,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    deadline: float,
) -> Trial:
    trial = Trial(candidate)

    def fold(learn: NDArray[np.intp], check: NDArray[np.intp]) -> float | None:
        # The baseline and the linear model always finish: without them there is nothing to compare or to ship.
        if candidate["estimator"] == "gradient_boosting" and time.perf_counter() > deadline:
            return None
        answer = fit(plan, candidate, examples.at(learn), examples.target[learn]).predict(examples.at(check))
        return score(plan["metric"], Answers(examples.target[check], answer, positive_code(plan)))

    started = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:  # one for all threads, which share what it changes
            warnings.simplefilter("always")
            scores = Parallel(n_jobs=-1, prefer="threads")(delayed(fold)(learn, check) for learn, check in folds)
        trial.warned = {str(warning.message).splitlines()[0] for warning in caught}
    except (ValueError, FloatingPointError) as error:
        trial.status, trial.why = "failed", str(error).splitlines()[0]
    else:
        trial.folds = [found for found in scores if found is not None]
        if None in scores:
            trial.status, trial.why = "skipped", "the time limit came first; raise it with `train --seconds`"
    trial.fit_seconds = time.perf_counter() - started
    return trial


def choose(trials: Sequence[Trial], metric: str) -> tuple[Trial, str]:
    """Return the candidate to ship and why: the best mean, unless a simpler one is as good within one standard error.

    The error is that of the paired differences over folds; the rule is Breiman's (1984), here between families.
    """
    done = [trial for trial in trials if trial.status == "ok" and math.isfinite(trial.mean)]
    models = [trial for trial in done if trial.candidate["estimator"] != "dummy"]
    if not models:
        reasons = "; ".join(f"{trial.candidate['name']}: {trial.why}" for trial in trials if trial.why)
        message = f"no candidate could be trained ({reasons})"
        raise TrainingError(message)
    sign = 1.0 if GREATER_IS_BETTER[metric] else -1.0
    best = max(models, key=lambda trial: sign * trial.mean)
    for trial in sorted(models, key=lambda trial: SIMPLICITY[trial.candidate["estimator"]]):
        if SIMPLICITY[trial.candidate["estimator"]] >= SIMPLICITY[best.candidate["estimator"]]:
            break
        lost = sign * (np.array(best.folds) - np.array(trial.folds))
        error = float(np.std(lost, ddof=1) / math.sqrt(len(lost))) if len(lost) > 1 else 0.0
        if float(lost.mean()) < error:
            return trial, f"simpler than {best.candidate['name']} and as good within one standard error"
    return best, f"best mean {metric} over {len(best.folds)} folds"
