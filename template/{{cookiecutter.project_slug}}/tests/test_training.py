"""Training on a made-up table: every candidate is served exactly, and the same seed gives the same model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}} import export, persistence, pipeline
from {{cookiecutter.package_name}}.compare import Trial, choose, compared
from {{cookiecutter.package_name}}.errors import ModelError, TrainingError
from {{cookiecutter.package_name}}.examples import read_examples
from {{cookiecutter.package_name}}.features import Encoder
from {{cookiecutter.package_name}}.model import Model, OnnxScorer
from {{cookiecutter.package_name}}.schema import Schema
from {{cookiecutter.package_name}}.split import Split, folds_of, hold_out
from {{cookiecutter.package_name}}.train import train

from . import made_up

if TYPE_CHECKING:
    from pathlib import Path

TASKS = ("binary", "multiclass", "regression")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("estimator", ["linear", "gradient_boosting"])
@pytest.mark.parametrize("target_log", [False, True])
def test_every_candidate_is_served_exactly(tmp_path: Path, task: str, estimator: str, *, target_log: bool) -> None:
    if target_log and task != "regression":
        pytest.skip("only a number has a logarithm")
    project = made_up.project(tmp_path, task, estimator)
    plan = json.loads((project / "model" / "plan.json").read_text(encoding="utf-8"))
    schema = Schema.load(project / "model" / "schema.json")
    examples = read_examples(project / "data" / "train.csv", plan, schema)
    candidate = {**plan["candidates"][0], "target_log": target_log}
    predictor = pipeline.fit(plan, candidate, examples.columns, examples.target)
    document = json.loads(json.dumps(export.encoder_of(predictor)))
    encoder = Encoder(document)
    scorer = OnnxScorer(export.graph_of(predictor, document, width=encoder.width))

    strange = {name: values.copy() for name, values in examples.columns.items()}
    for column in schema.columns:  # every third row without a value, every fifth one with a category nobody has seen
        strange[column.name][::3] = column.gap
        if column.is_text:
            strange[column.name][::5] = "never seen before"
    for columns in (examples.columns, strange):
        answer = scorer.score(encoder.encode(columns, made_up.ROWS))
        served = answer[:, 0] if task == "regression" else answer
        assert export.parity(served, predictor.predict(columns)) < export.TOLERANCE


@pytest.mark.slow
def test_equal_texts_in_another_order_are_served_exactly(tmp_path: Path) -> None:
    """Weights equal on paper may differ in the last bit; trees once split between them, and answers moved by 0.03."""
    project = made_up.project(tmp_path, "binary", "dummy", "gradient_boosting")
    metrics = train(project, model_dir=project / "model", say=print)
    assert metrics["chosen"] == "gradient_boosting"
    assert metrics["parity"]["difference"] < export.TOLERANCE


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return a project trained on the made-up table, and its metrics."""
    project = made_up.project(tmp_path_factory.mktemp("trained"), "binary")
    return project, train(project, model_dir=project / "model", say=print)


@pytest.mark.slow
def test_training_gives_a_model_that_beats_the_baseline(trained: tuple[Path, dict[str, Any]]) -> None:
    project, metrics = trained
    assert metrics["test"]["roc_auc"]["low"] > metrics["baseline"]["roc_auc"]["value"]
    assert (project / "MODEL_CARD.md").exists()
    model = Model.load(project / "model")
    saved = persistence.load(project / "model", "binary", classes=2)
    columns = model.schema.from_rows([model.schema.example])
    answer = model.predict(columns, 1)
    assert answer.probabilities == pytest.approx(saved.predict(columns), abs=export.TOLERANCE)


@pytest.mark.slow
def test_the_same_data_and_seed_give_the_same_metrics(tmp_path: Path, trained: tuple[Path, dict[str, Any]]) -> None:
    project, first = made_up.project(tmp_path, "binary"), trained[1]
    again = train(project, model_dir=project / "model", say=print)
    assert {name: again[name] for name in ("model", "test", "chosen")} == {
        name: first[name] for name in ("model", "test", "chosen")
    }


@pytest.mark.slow
def test_a_candidate_past_the_time_limit_is_reported_as_skipped(tmp_path: Path) -> None:
    project = made_up.project(tmp_path, "regression")
    metrics = train(project, model_dir=project / "model", seconds=0.0, say=print)
    assert {trial["name"]: trial["status"] for trial in metrics["candidates"]}["gradient_boosting"] == "skipped"
    assert metrics["chosen"] == "linear"


def test_missing_data_is_told_by_name(tmp_path: Path) -> None:
    project = made_up.project(tmp_path, "binary")
    (project / "data" / "train.csv").unlink()
    with pytest.raises(TrainingError, match=r"train\.csv is missing"):
        train(project, model_dir=project / "model", say=print)


def test_a_pipeline_with_a_strange_type_is_refused(
    trained: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "TRUSTED_TYPES", ())
    with pytest.raises(ModelError, match="TRUSTED_TYPES does not list"):
        persistence.load(trained[0] / "model", "binary", classes=2)


def test_the_simpler_of_two_equals_is_chosen() -> None:
    linear = Trial({"name": "linear", "estimator": "linear"}, [0.80, 0.85, 0.78])
    trees = Trial({"name": "trees", "estimator": "gradient_boosting"}, [0.81, 0.84, 0.79])
    better = Trial({"name": "better", "estimator": "gradient_boosting"}, [0.90, 0.95, 0.88])
    assert choose([linear, trees], "roc_auc")[0] is linear
    assert choose([linear, trees, better], "roc_auc")[0] is better


@pytest.mark.parametrize("kind", ["random", "stratified", "group", "time"])
def test_no_row_is_both_learned_from_and_held_out(kind: str) -> None:
    generator = np.random.default_rng(5)
    target, key = generator.integers(0, 3, 200).astype(float), generator.integers(0, 40, 200).astype(float)
    plan = {"split": kind, "test_share": 0.2, "seed": 1, "folds": 4, "split_column": "key"}
    split = hold_out(plan, target, key)
    assert not set(split.train) & set(split.test)
    assert len(split.train) + len(split.test) == len(target)
    if kind == "group":
        assert not set(key[split.train]) & set(key[split.test])
    if kind == "time":
        assert key[split.train].max() <= key[split.test].min()
    for learn, check in folds_of(plan, target, key, split.train):
        assert not set(learn) & set(check)
        assert set(learn) | set(check) <= set(split.train)


def test_of_many_rows_a_fixed_draw_decides_between_candidates() -> None:
    split = Split(np.arange(0, 2_000, 2), np.arange(1, 2_000, 2))
    drawn = compared({"seed": 7, "compare_rows": 300}, split)
    assert len(set(drawn.tolist())) == 300
    assert set(drawn.tolist()) <= set(split.train.tolist())
    assert np.array_equal(drawn, compared({"seed": 7, "compare_rows": 300}, split))
    assert np.array_equal(compared({"seed": 7, "compare_rows": 1_000}, split), split.train)


@pytest.mark.slow
def test_the_card_says_that_candidates_were_compared_on_a_draw(tmp_path: Path) -> None:
    project = made_up.project(tmp_path, "binary")
    place = project / "model" / "plan.json"
    plan = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**plan, "compare_rows": 100}), encoding="utf-8")
    metrics = train(project, model_dir=project / "model", say=print)
    assert metrics["rows"]["compared"] == 100 < metrics["rows"]["train"]
    assert "Cross-validation on 100 rows drawn" in (project / "MODEL_CARD.md").read_text(encoding="utf-8")
