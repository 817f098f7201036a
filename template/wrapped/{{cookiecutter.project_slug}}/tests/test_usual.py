"""What is usual, learned from rows: told, noted and shown, and no answer changed."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.package_name}}.errors import EvaluationError
from {{cookiecutter.package_name}}.evaluate import TOLERANCE, difference
from {{cookiecutter.package_name}}.model import Model
from {{cookiecutter.package_name}}.schema import InputError
from {{cookiecutter.package_name}}.usual import learn

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.package_name}}.schema import Schema

ROWS = 30


@pytest.fixture
def folder(tmp_path: Path, model_dir: Path, schema: Schema) -> Path:
    """Return a copy of the model's folder that may learn."""
    if schema.values:
        pytest.skip("this model reads tensors")
    return shutil.copytree(model_dir, tmp_path / "model")


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def data(tmp_path: Path, schema: Schema) -> Path:
    """Return a file whose numbers run from 1 to ``ROWS``, whatever else is in it."""
    rows = [
        {column.name: number if column.kind == "number" else column.example for column in schema.columns}
        for number in range(1, ROWS + 1)
    ]
    return _write(tmp_path / "rows.csv", rows)


def test_ranges_and_the_usual_row_are_those_of_the_rows(folder: Path, data: Path, schema: Schema) -> None:
    assert f"{ROWS} rows of rows.csv" in learn(folder, data)
    learned = Model.load(folder)
    for column in learned.schema.columns:
        if column.kind == "number":
            assert (column.seen_minimum, column.seen_maximum, column.whole) == (1.0, ROWS, True)
            assert f"1 to {ROWS} in rows.csv" in column.description
            assert learned.reference[column.name] == learned.schema.example[column.name] == ROWS // 2
    assert list(learned.reference) == [column.name for column in schema.columns]


def test_no_answer_changes_and_the_model_has_a_new_version(
    folder: Path, data: Path, golden: list[dict[str, Any]], model: Model
) -> None:
    learn(folder, data)
    learned = Model.load(folder)
    assert difference(learned, golden) <= TOLERANCE
    assert learned.version != model.version
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["model"] == learned.version


def test_a_number_beyond_them_is_noted(folder: Path, data: Path) -> None:
    learn(folder, data)
    learned = Model.load(folder)
    numbers = [column for column in learned.schema.columns if column.kind == "number"]
    if not numbers:
        pytest.skip("no column of numbers")
    row = {**learned.schema.example, numbers[0].name: ROWS + 1}
    notes = learned.answer([row])[0]["notes"]
    told = [note["message"] for note in notes if note["column"] == numbers[0].name]
    assert told == [f"{ROWS + 1} is outside 1 to {ROWS}, the range seen in rows.csv"]


def test_learning_twice_gives_what_learning_once_gives(folder: Path, data: Path) -> None:
    learn(folder, data)
    once = {path.name: path.read_bytes() for path in folder.iterdir()}
    learn(folder, data)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == once


def test_rows_that_do_not_fit_change_nothing(folder: Path, tmp_path: Path, schema: Schema) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(EvaluationError, match="none of the columns"):
        learn(folder, _write(tmp_path / "others.csv", [{"a column of nobody": "1"}]))
    empty = tmp_path / "empty.csv"
    empty.write_text(",".join(f'"{column.name}"' for column in schema.columns) + "\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match="no rows"):
        learn(folder, empty)
    numbers = [column.name for column in schema.columns if column.kind == "number"]
    if numbers:
        with pytest.raises(InputError):
            learn(folder, _write(tmp_path / "words.csv", [{**schema.example, numbers[0]: "a word"}]))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
