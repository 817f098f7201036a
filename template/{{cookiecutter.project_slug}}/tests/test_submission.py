"""Answers for a competition have the columns, the rows and the order of its sample, or are refused."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.package_name}}.errors import TableError
from {{cookiecutter.package_name}}.submission import write_submission
from {{cookiecutter.package_name}}.tables import read_csv

from .conftest import PRECISION
from .test_api import _as_csv

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.package_name}}.model import Model

KEY = "the row's name"


@pytest.fixture
def source(tmp_path: Path, model: Model, golden: list[dict[str, Any]]) -> Path:
    """Return a file of the golden rows, each with a name of its own."""
    (chunk,) = read_csv(io.BytesIO(_as_csv(model.schema, [case["row"] for case in golden]).encode()))
    rows = [[KEY, *chunk.names], *([f"r{number}", *row] for number, row in enumerate(chunk.rows))]
    return _written(tmp_path / "rows.csv", rows)


def _written(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def _submitted(model: Model, source: Path, sample: Path, *, metric: str = "accuracy") -> list[list[str]]:
    out = io.StringIO()
    write_submission(model, source, sample, out, metric=metric)
    return list(csv.reader(io.StringIO(out.getvalue())))


def _answers(model: Model, golden: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(model.predict(model.schema.from_rows([case["row"] for case in golden]), len(golden)).to_json())


def test_rows_come_in_the_order_of_the_sample(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    names = [f"r{number}" for number in reversed(range(len(golden)))]
    sample = _written(tmp_path / "sample.csv", [[KEY, model.schema.target], *([name, "0"] for name in names)])
    head, *rows = _submitted(model, source, sample)
    assert head == [KEY, model.schema.target]
    assert [row[0] for row in rows] == names
    for answer, row in zip(reversed(_answers(model, golden)), rows, strict=True):
        expected = answer["prediction"]
        if isinstance(expected, float):
            assert float(row[1]) == pytest.approx(expected, rel=PRECISION)
        else:
            assert row[1] == str(expected)


def test_a_column_a_label_gets_its_probability(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    if model.schema.task == "regression":
        pytest.skip("a number has no labels")
    labels = model.schema.label_texts
    blank = [[f"r{number}", *("0" for _ in labels)] for number in range(len(golden))]
    sample = _written(tmp_path / "sample.csv", [[KEY, *(f"class_{label}" for label in labels)], *blank])
    for answer, row in zip(_answers(model, golden), _submitted(model, source, sample)[1:], strict=True):
        told = [answer["probabilities"][label] for label in labels]
        assert [float(cell) for cell in row[1:]] == pytest.approx(told, rel=1e-6, abs=1e-9)


def test_a_score_of_probabilities_gets_probabilities(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    if model.schema.task != "binary":
        pytest.skip("only two labels have one probability")
    blank = [[f"r{number}", "0"] for number in range(len(golden))]
    sample = _written(tmp_path / "sample.csv", [[KEY, model.schema.target], *blank])
    rows = _submitted(model, source, sample, metric="roc_auc")[1:]
    assert all(0.0 <= float(row[1]) <= 1.0 for row in rows)
    assert any(row[1] not in model.schema.label_texts for row in rows)


def test_a_sample_without_a_shared_column_is_filled_by_order(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    blank = [[str(number + 1), "0"] for number in range(len(golden))]
    sample = _written(tmp_path / "sample.csv", [["number", model.schema.target], *blank])
    assert [row[0] for row in _submitted(model, source, sample)[1:]] == [row[0] for row in blank]


def test_gaps_doubles_and_strangers_are_refused(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    names = [f"r{number}" for number in range(len(golden))]
    for wanted, words in (
        (names[:-1], "rows"),
        ([*names[:-1], "nobody"], "no row called nobody"),
        *([([*names[:-1], names[0]], f"no row called {names[0]}")] if len(names) > 1 else []),
    ):
        sample = _written(tmp_path / "sample.csv", [[KEY, model.schema.target], *([name, "0"] for name in wanted)])
        with pytest.raises(TableError, match=words):
            _submitted(model, source, sample)


def test_columns_that_nobody_can_fill_are_refused(
    model: Model, golden: list[dict[str, Any]], source: Path, tmp_path: Path
) -> None:
    blank = [[f"r{number}", "0", "0"] for number in range(len(golden))]
    sample = _written(tmp_path / "sample.csv", [[KEY, "one thing", "another"], *blank])
    with pytest.raises(TableError, match="one thing, another"):
        _submitted(model, source, sample)
