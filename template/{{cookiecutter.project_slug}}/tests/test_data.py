"""The real data, where it is: it keeps the contract, and every way in gives the pipeline's answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}} import export, persistence
from {{cookiecutter.package_name}}.examples import Examples, read_examples
from {{cookiecutter.package_name}}.tables import read_file

from .conftest import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient
    from numpy.typing import NDArray

    from {{cookiecutter.package_name}}.model import Model

ROWS = 500


@pytest.fixture(scope="module")
def data(model_dir: Path) -> Path:
    """Return the training table; skip where it is not, as it is never in git."""
    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    path = PROJECT / str(plan["data"]["path"])
    if not path.exists():
        pytest.skip(f"{path.name} is not here: the data is not in git; DATA_CARD.md says where it comes from")
    return path


@pytest.fixture(scope="module")
def examples(model: Model, model_dir: Path, data: Path) -> Examples:
    """Return the rows of the training table, read once for all tests: there may be a million."""
    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    return read_examples(data, plan, model.schema)


def test_every_row_keeps_the_contract_and_has_an_answer(model_dir: Path, examples: Examples) -> None:
    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    assert len(examples.target) + examples.left_out == plan["data"]["rows"]


def test_every_way_in_gives_the_pipelines_answer(model: Model, model_dir: Path, client: TestClient, data: Path) -> None:
    saved = persistence.load(model_dir, model.schema.task, classes=len(model.schema.labels))
    chunk = next(iter(read_file(data, chunk_rows=ROWS)))
    columns = model.schema.from_cells(chunk.columns())
    expected = saved.predict(columns)
    predictions = model.predict(columns, len(chunk.rows))
    offline = predictions.values if predictions.probabilities is None else predictions.probabilities
    assert export.parity(offline, expected) < export.TOLERANCE

    rows = [_as_json(model, columns, index) for index in range(len(chunk.rows))]
    parts = [rows[start : start + 250] for start in range(0, len(rows), 250)]
    answers = [answer for part in parts for answer in _ask(client, part)]
    if model.schema.task == "regression":
        online = np.array([answer["prediction"] for answer in answers])
    else:
        online = np.array([list(answer["probabilities"].values()) for answer in answers])
    assert export.parity(online, expected) < export.TOLERANCE


def test_no_golden_row_is_a_row_of_the_data(model: Model, examples: Examples, golden: list[dict[str, Any]]) -> None:
    if len(model.schema.columns) < 3:
        pytest.skip("with one or two columns a made-up row can be a real one by chance")
    for case in golden:
        made_up = model.schema.from_rows([case["row"]])
        alike = np.arange(len(examples.target))
        for name, values in examples.columns.items():
            value = made_up[name][0]
            alike = alike[_is(values[alike], value)]
        assert len(alike) == 0


def _ask(client: TestClient, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    response = client.post("/predict", json={"rows": rows})
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["predictions"]
    return answers


def _as_json(model: Model, columns: dict[str, Any], index: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in model.schema.columns:
        value = columns[column.name][index]
        if column.is_text:
            row[column.name] = value or None
        elif np.isnan(value):
            row[column.name] = None
        elif column.kind == "boolean":
            row[column.name] = bool(value)
        elif column.kind == "date":
            moment = np.datetime64(int(value * 1000), "ms")
            row[column.name] = float(value) if column.date_format == "epoch_seconds" else str(moment)
        else:
            row[column.name] = float(value)
    return row


def _is(values: NDArray[Any], value: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - a text or a number
    """Return which values are ``value``; a gap is one like any other."""
    gap = value != value  # noqa: PLR0124 - NaN is not itself
    return np.asarray(np.isnan(values) if gap else values == value, dtype=np.bool_)
