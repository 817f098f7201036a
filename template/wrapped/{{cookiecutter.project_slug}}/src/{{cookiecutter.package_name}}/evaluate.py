"""The served model held against the original: on the drawn rows of the proof, and on rows with known answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import EvaluationError
from .model import Model

if TYPE_CHECKING:
    from pathlib import Path

DRAWN_FILE = "drawn.json"
TOLERANCE = 1e-5  # largest difference from the original's answers; relative for numbers above 1
SEED = 7


def prove(model_dir: Path) -> str:
    """Return how far the served answers are from the original's, or raise ``EvaluationError`` when too far."""
    model = Model.load(model_dir)
    cases = json.loads((model_dir / DRAWN_FILE).read_text(encoding="utf-8"))["rows"]
    gap = difference(model, cases)
    told = f"{len(cases)} drawn rows: largest difference from the original's answers {gap:.1e}"
    if not gap <= TOLERANCE:
        message = f"{told}, more than {TOLERANCE:.0e}"
        raise EvaluationError(message)
    return f"{told}, model {model.version}"


def difference(model: Model, cases: list[dict[str, Any]]) -> float:
    """Return the largest difference of the served answers from those of ``cases``, relative above 1."""
    largest = 0.0
    step = max(1, model.schema.rows_at_once(len(cases)))
    for start in range(0, len(cases), step):
        some = cases[start : start + step]
        found = model.predict(model.schema.from_rows([case["row"] for case in some]), len(some)).original
        expected = np.array([case["answer"] for case in some], dtype=np.float64).reshape(len(some), -1)
        apart = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
        largest = float(np.max(apart, initial=largest))  # NaN stays NaN
    return largest


def score(model_dir: Path, data: Path, *, target: str | None = None) -> str:
    """Return the table of metrics, with 95% intervals, of the answers to a file whose true answers are known."""
    from .errors import TrainingError  # noqa: PLC0415 - what reading a labelled file may raise
    from .evaluation import Answers, intervals, metrics_for  # noqa: PLC0415 - scikit-learn, 1 s
    from .examples import positive_code, read_examples  # noqa: PLC0415 - as above

    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    plan = {**plan, "target": target or plan["target"]}
    model = Model.load(model_dir)
    if model.schema.sides:
        message = "the model answers with several numbers a row: no single score holds them against known answers"
        raise EvaluationError(message)
    try:
        examples = read_examples(data, plan, model.schema)
    except TrainingError as error:
        raise EvaluationError(str(error)) from error
    if len(examples.target) == 0:
        message = f"no row of {data} has a known answer in {plan['target']!r}"
        raise EvaluationError(message)
    rows = np.arange(len(examples.target), dtype=np.intp)
    predictions = model.predict(examples.at(rows), len(rows))
    answer = predictions.values if predictions.probabilities is None else predictions.probabilities
    answers = Answers(examples.target, answer, positive_code(plan))
    found = intervals(metrics_for(plan["task"], plan["metric"], answers.truth), answers, seed=SEED)
    lines = [f"{'metric':<20}{'value':>12}{'95% interval':>28}"]
    for name, interval in found.items():
        lines.append(f"{name:<20}{interval.value:>12.5g}{f'[{interval.low:.5g}, {interval.high:.5g}]':>28}")
    return "\n".join([*lines, f"{len(rows):,} rows, model {model.version}"])
