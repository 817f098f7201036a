"""The model folder: it answers as it did in training, and refuses to be anything but what was trained."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}}.errors import EvaluationError, ModelError
from {{cookiecutter.package_name}}.evaluate import DRAWN_FILE, TOLERANCE, difference, prove
from {{cookiecutter.package_name}}.model import SERVED_FILES, Model
from {{cookiecutter.package_name}}.rows import FEW_ROWS_MAX

from .conftest import PRECISION

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.package_name}}.schema import Schema


def test_golden_rows_are_answered_as_by_the_original(model: Model, golden: list[dict[str, Any]]) -> None:
    assert golden
    assert difference(model, golden) <= TOLERANCE


def test_all_drawn_rows_are_answered_as_by_the_original(model_dir: Path) -> None:
    assert "largest difference" in prove(model_dir)


def test_an_answer_unlike_the_originals_is_told(tmp_path: Path, model_dir: Path) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    drawn = json.loads((folder / DRAWN_FILE).read_text(encoding="utf-8"))
    answer = drawn["rows"][0]["answer"]
    drawn["rows"][0]["answer"] = [value + 1 for value in answer]
    (folder / DRAWN_FILE).write_text(json.dumps(drawn), encoding="utf-8")
    with pytest.raises(EvaluationError, match="more than"):
        prove(folder)


def test_a_row_is_answered_alone_as_among_others(model: Model, golden: list[dict[str, Any]]) -> None:
    rows = [case["row"] for case in golden]
    together = list(model.predict(model.schema.from_rows(rows), len(rows)).to_json())
    alone = [next(model.predict(model.schema.from_rows([row]), 1).to_json()) for row in rows]
    if model.schema.task == "regression":  # a sum over one row may round its last digit otherwise than over many
        expected = np.ravel([answer["prediction"] for answer in together]).tolist()
        found = np.ravel([answer["prediction"] for answer in alone]).tolist()
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
    else:
        assert [answer["prediction"] for answer in alone] == [answer["prediction"] for answer in together]


def odd_rows(schema: Schema) -> list[dict[str, Any]]:
    """Return rows that are allowed but not as training saw them: gaps, absent columns, strangers, other spellings."""
    rows = []
    for column in schema.columns:
        values: list[Any] = [f" {column.example} ", "never seen before", '\u00e9\u2028\\": '] if column.is_text else []
        values += [column.seen_maximum * 2 + 0.5, 0, -1] if column.kind == "number" and column.seen_maximum else []
        values += [None] if column.nullable else []
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
            told, given = np.ravel(other["prediction"]).tolist(), np.ravel(one["prediction"]).tolist()
            assert given == (told if model.schema.labels else pytest.approx(told, rel=TOLERANCE, abs=TOLERANCE))
            assert one.get("probabilities", {}) == pytest.approx(other.get("probabilities", {}), abs=TOLERANCE)
    assert read


def test_a_name_that_comes_twice_is_left_to_the_thorough_way(model: Model) -> None:
    column = model.schema.columns[0]
    again = f"{json.dumps(column.name)}: {json.dumps(column.example)}, "
    body = json.dumps({"rows": [model.schema.example]})
    twice = body.replace("[{", "[{" + again, 1)
    if model.answer_body(body.encode()) is None:
        pytest.skip("names with quotes, or columns that are not used, take the thorough way alone")
    assert model.answer_body(twice.encode()) is None


def test_probabilities_sum_to_one(model: Model, golden: list[dict[str, Any]]) -> None:
    predictions = model.predict(model.schema.from_rows([case["row"] for case in golden]), len(golden))
    if predictions.probabilities is None:
        pytest.skip("the model answers with a number")
    assert predictions.probabilities.sum(axis=1) == pytest.approx(np.ones(len(golden)), abs=PRECISION)


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


@pytest.mark.parametrize("name", SERVED_FILES)
def test_a_changed_file_is_refused_before_it_is_opened(tmp_path: Path, model_dir: Path, name: str) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelError, match="not the file that was trained"):
        Model.load(folder)


@pytest.mark.parametrize("name", [*SERVED_FILES, "manifest.json"])
def test_a_missing_file_is_told_with_the_cure(tmp_path: Path, model_dir: Path, name: str) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelError, match="train"):
        Model.load(folder)


def test_the_proof_is_on_record(model_dir: Path) -> None:
    metrics = json.loads((model_dir / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["parity"]["difference"] <= metrics["parity"]["tolerance"] == TOLERANCE
    drawn = json.loads((model_dir / DRAWN_FILE).read_text(encoding="utf-8"))
    assert metrics["parity"]["rows"] == len(drawn["rows"])
