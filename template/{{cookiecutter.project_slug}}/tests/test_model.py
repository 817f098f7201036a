"""The model folder: it answers as it did in training, and refuses to be anything but what was trained."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}} import export, persistence
from {{cookiecutter.package_name}}.errors import ModelError
from {{cookiecutter.package_name}}.model import SERVED_FILES, Model
from {{cookiecutter.package_name}}.rows import FEW_ROWS_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.package_name}}.schema import Schema


def test_golden_rows_are_answered_as_in_training(model: Model, golden: list[dict[str, Any]]) -> None:
    assert golden
    columns = model.schema.from_rows([case["row"] for case in golden])
    predictions = model.predict(columns, len(golden))
    found = predictions.values if predictions.probabilities is None else predictions.probabilities
    assert export.parity(found, np.array([case["answer"] for case in golden])) < export.TOLERANCE


def test_the_saved_pipeline_and_the_served_model_agree(
    model: Model, model_dir: Path, golden: list[dict[str, Any]]
) -> None:
    saved = persistence.load(model_dir, model.schema.task, classes=len(model.schema.labels))
    columns = model.schema.from_rows([case["row"] for case in golden])
    predictions = model.predict(columns, len(golden))
    found = predictions.values if predictions.probabilities is None else predictions.probabilities
    assert export.parity(found, saved.predict(columns)) < export.TOLERANCE


def test_a_row_is_answered_alone_as_among_others(model: Model, golden: list[dict[str, Any]]) -> None:
    rows = [case["row"] for case in golden]
    together = list(model.predict(model.schema.from_rows(rows), len(rows)).to_json())
    alone = [next(model.predict(model.schema.from_rows([row]), 1).to_json()) for row in rows]
    if model.schema.task == "regression":  # a sum over one row may round its last digit otherwise than over many
        expected = pytest.approx([answer["prediction"] for answer in together], rel=export.TOLERANCE)
        assert [answer["prediction"] for answer in alone] == expected
    else:
        assert [answer["prediction"] for answer in alone] == [answer["prediction"] for answer in together]


def odd_rows(schema: Schema) -> list[dict[str, Any]]:
    """Return rows that are allowed but not as training saw them: gaps, absent columns, strangers, other spellings."""
    rows = []
    for column in schema.columns:
        values: list[Any] = [f" {column.example} ", "never seen before", '\u00e9\u2028\\": '] if column.is_text else []
        values += [column.seen_maximum * 2 + 0.5, 0, -1] if column.kind == "number" and column.seen_maximum else []
        values += [*sorted(column.gap_numbers), None] if column.nullable else []
        rows += [{**schema.example, column.name: value} for value in values]
        if column.nullable:
            rows.append({name: value for name, value in schema.example.items() if name != column.name})
    return rows or [schema.example]


@pytest.mark.parametrize("at_once", [1, 2, FEW_ROWS_MAX + 1])
def test_the_quick_way_and_the_thorough_way_agree(model: Model, golden: list[dict[str, Any]], at_once: int) -> None:
    if model.answer_body(json.dumps({"rows": [model.schema.example]}).encode()) is None:
        pytest.skip("names with quotes, or columns that are not used, take the thorough way alone")
    read = 0
    for row in [*(case["row"] for case in golden), *odd_rows(model.schema)]:
        rows = [row, *[model.schema.example] * (at_once - 1)]
        thorough = model.answer(rows)
        quick = model.answer_body(json.dumps({"rows": rows}).encode())
        if quick is None:
            continue  # it may always leave a row to the thorough way
        read += 1
        for one, other in zip(quick, thorough, strict=True):
            assert one["notes"] == other["notes"]
            told = other["prediction"]
            assert one["prediction"] == (told if model.schema.labels else pytest.approx(told, rel=export.TOLERANCE))
            assert one.get("probabilities", {}) == pytest.approx(other.get("probabilities", {}), abs=export.TOLERANCE)
    assert read


def test_a_name_that_comes_twice_is_left_to_the_thorough_way(model: Model) -> None:
    column = model.schema.columns[0]
    again = f"{json.dumps(column.name)}: {json.dumps(column.example)}, "
    body = json.dumps({"rows": [model.schema.example]})
    twice = body.replace("[{", "[{" + again, 1)
    if model.answer_body(body.encode()) is None:
        pytest.skip("names with quotes, or columns that are not used, take the thorough way alone")
    assert model.answer_body(twice.encode()) is None
    apart = twice[::-1].replace(':"', ': "', 1)[::-1]  # another name stands apart from its colon
    assert model.answer_body(apart.encode()) is None


def test_probabilities_sum_to_one(model: Model, golden: list[dict[str, Any]]) -> None:
    predictions = model.predict(model.schema.from_rows([case["row"] for case in golden]), len(golden))
    if predictions.probabilities is None:
        pytest.skip("the model answers with a number")
    assert predictions.probabilities.sum(axis=1) == pytest.approx(np.ones(len(golden)))


def test_a_gap_and_a_stranger_are_noted(model: Model, schema: Schema) -> None:
    row = dict(schema.example)
    expected = set()
    for column in schema.columns:
        if column.nullable:
            row[column.name] = None
            expected.add(("missing", column.name))
        elif column.name in model.encoder.categories:
            row[column.name] = "never seen before"
            expected.add(("unseen_category", column.name))
    notes = model.notes(schema.from_rows([row]), 1)[0]
    assert expected <= {(note.kind, note.column) for note in notes}


@pytest.mark.parametrize("name", [*SERVED_FILES, persistence.PIPELINE_FILE])
def test_a_changed_file_is_refused_before_it_is_opened(tmp_path: Path, model_dir: Path, name: str) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    with (folder / name).open("ab") as file:
        file.write(b" ")
    task = json.loads((folder / "schema.json").read_text(encoding="utf-8"))["x-task"]
    with pytest.raises(ModelError, match="not the file that was trained"):
        persistence.load(folder, task, classes=2) if name == persistence.PIPELINE_FILE else Model.load(folder)


@pytest.mark.parametrize("name", [*SERVED_FILES, "manifest.json"])
def test_a_missing_file_is_told_with_the_cure(tmp_path: Path, model_dir: Path, name: str) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelError, match="train"):
        Model.load(folder)


def test_the_score_on_record_is_beside_a_baseline(model_dir: Path) -> None:
    metrics = json.loads((model_dir / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["metric"] in metrics["test"]
    assert set(metrics["test"]) == set(metrics["baseline"])
    assert metrics["parity"]["difference"] <= metrics["parity"]["tolerance"]
