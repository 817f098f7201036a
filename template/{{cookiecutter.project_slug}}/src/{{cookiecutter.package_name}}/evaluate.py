"""The served model scored again: on the held-out rows of training, or on a labelled file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import EvaluationError, TrainingError
from .evaluation import Answers, intervals, metrics_for
from .examples import positive_code, read_examples
from .model import Model
from .split import hold_out

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 1e-6


def evaluate(project: Path, *, model_dir: Path, data: Path | None = None) -> str:
    """Return the table of metrics with 95 % intervals.

    Without ``data`` the held-out rows are scored and must give what training recorded, else ``EvaluationError``.
    """
    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    model = Model.load(model_dir)
    try:
        examples = read_examples(data or project / plan["data"]["path"], plan, model.schema)
    except TrainingError as error:
        raise EvaluationError(str(error)) from error
    rows = np.arange(len(examples.target), dtype=np.intp)
    if data is None:
        rows = hold_out(plan, examples.target, examples.key).test
    if len(rows) == 0:
        message = "no row has a known target"
        raise EvaluationError(message)
    predictions = model.predict(examples.at(rows), len(rows))
    answer = predictions.values if predictions.probabilities is None else predictions.probabilities
    answers = Answers(examples.target[rows], answer, positive_code(plan))
    found = intervals(metrics_for(plan["task"], plan["metric"], answers.truth), answers, seed=plan["seed"])
    if data is None:
        recorded = json.loads((model_dir / "metrics.json").read_text(encoding="utf-8"))
        _hold_against(recorded, {name: interval.value for name, interval in found.items()})
    lines = [f"{'metric':<20}{'value':>12}{'95 % interval':>28}"]
    for name, interval in found.items():
        lines.append(f"{name:<20}{interval.value:>12.5g}{f'[{interval.low:.5g}, {interval.high:.5g}]':>28}")
    return "\n".join([*lines, f"{len(rows):,} rows, model {model.version}"])


def _hold_against(recorded: dict[str, Any], found: dict[str, float]) -> None:
    for name, value in found.items():
        expected = recorded["test"].get(name, {}).get("value")
        if expected is not None and abs(value - expected) > TOLERANCE * max(1.0, abs(expected)):
            message = (
                f"{name} is {value:.6g} here, {expected:.6g} in metrics.json: the data or the model changed since "
                "training; run `train` again"
            )
            raise EvaluationError(message)
