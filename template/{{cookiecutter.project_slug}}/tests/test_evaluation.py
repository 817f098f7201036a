"""Every metric is scikit-learn's, and every interval holds its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn import metrics

from {{cookiecutter.package_name}}.evaluation import Answers, intervals, metrics_for, resamples_of, score

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 300


def _answers(classes: int) -> Answers:
    generator = np.random.default_rng(3)
    truth = generator.integers(0, classes, ROWS).astype(np.float64)
    raw = generator.random((ROWS, classes)).round(1) + 0.05  # rounded: ties are where metrics go wrong
    raw[np.arange(ROWS), truth.astype(int)] += 0.3
    return Answers(truth, raw / raw.sum(axis=1, keepdims=True), positive=1)


BINARY: dict[str, Callable[[Any, Any], float]] = {
    "roc_auc": lambda truth, answer: metrics.roc_auc_score(truth, answer[:, 1]),
    "average_precision": lambda truth, answer: metrics.average_precision_score(truth, answer[:, 1]),
    "accuracy": lambda truth, answer: metrics.accuracy_score(truth, answer.argmax(axis=1)),
    "balanced_accuracy": lambda truth, answer: metrics.balanced_accuracy_score(truth, answer.argmax(axis=1)),
    "f1": lambda truth, answer: metrics.f1_score(truth, answer.argmax(axis=1)),
    "log_loss": metrics.log_loss,
    "brier": lambda truth, answer: metrics.brier_score_loss(truth, answer[:, 1]),
}
MULTICLASS: dict[str, Callable[[Any, Any], float]] = {
    "roc_auc": lambda truth, answer: metrics.roc_auc_score(truth, answer, multi_class="ovr"),
    "accuracy": BINARY["accuracy"],
    "balanced_accuracy": BINARY["balanced_accuracy"],
    "f1_macro": lambda truth, answer: metrics.f1_score(truth, answer.argmax(axis=1), average="macro"),
    "log_loss": metrics.log_loss,
}
REGRESSION: dict[str, Callable[[Any, Any], float]] = {
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
    "rmsle": metrics.root_mean_squared_log_error,
    "mape": metrics.mean_absolute_percentage_error,
}


@pytest.mark.parametrize("name", list(BINARY))
def test_a_metric_of_two_classes_is_scikit_learns(name: str) -> None:
    answers = _answers(2)
    assert score(name, answers) == pytest.approx(BINARY[name](answers.truth, answers.answer))


@pytest.mark.parametrize("name", list(MULTICLASS))
def test_a_metric_of_several_classes_is_scikit_learns(name: str) -> None:
    answers = _answers(4)
    assert score(name, answers) == pytest.approx(MULTICLASS[name](answers.truth, answers.answer))


@pytest.mark.parametrize("name", list(REGRESSION))
def test_a_metric_of_numbers_is_scikit_learns(name: str) -> None:
    generator = np.random.default_rng(4)
    truth = generator.random(ROWS) * 1e6
    answers = Answers(truth, truth * generator.normal(1, 0.1, ROWS))
    assert score(name, answers) == pytest.approx(REGRESSION[name](answers.truth, answers.answer))


def test_an_interval_holds_its_value_and_is_the_same_again() -> None:
    answers = _answers(2)
    names = metrics_for("binary", "f1", answers.truth)
    found = intervals(names, answers, seed=1, resamples=200)
    assert names[0] == "f1"
    for name in names:
        assert found[name].low <= found[name].value <= found[name].high
    assert found == intervals(names, answers, seed=1, resamples=200)


def test_of_very_many_rows_fewer_resamples_are_drawn() -> None:
    assert [resamples_of(rows) for rows in (0, 100, 20_000, 50_000, 10_000_000)] == [1_000, 1_000, 1_000, 400, 200]
