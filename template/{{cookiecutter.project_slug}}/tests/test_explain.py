"""What drove an answer: shares that add up, that are right where they can be checked, and come out the same again."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}}.explain import EXACT_MAX, Explainer, coalitions
from {{cookiecutter.package_name}}.familiarity import Familiarity, fit
from {{cookiecutter.package_name}}.features import Encoder

from .conftest import PRECISION

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi.testclient import TestClient
    from numpy.typing import NDArray

    from {{cookiecutter.package_name}}.model import Model
    from {{cookiecutter.package_name}}.schema import Schema


def _shares(value: Callable[[NDArray[np.bool_]], float], columns: int) -> NDArray[np.float64]:
    sets, weights = coalitions(columns)
    found: NDArray[np.float64] = np.array([value(one) for one in sets]) @ weights
    return found


def test_the_shares_sum_to_the_answer(client: TestClient, schema: Schema, golden: list[dict[str, Any]]) -> None:
    if not schema.is_explained:
        pytest.skip("the answer is not shared out among columns")
    rows = [case["row"] for case in golden[:10]]
    answers = client.post("/predict", json={"rows": rows}).json()["predictions"]
    explained = client.post("/explain", json={"rows": rows}).json()["predictions"]
    for answer, told in zip(answers, explained, strict=True):
        why = told.pop("explanation")
        assert told == answer
        value = answer["prediction"] if schema.task == "regression" else answer["probabilities"][why["explained"]]
        total = why["reference"] + sum(why["contributions"].values())
        assert total == pytest.approx(value, rel=PRECISION, abs=PRECISION)
        assert set(why["contributions"]) == {column.name for column in schema.columns}


def test_the_reference_explains_itself(client: TestClient, model: Model) -> None:
    if not model.schema.is_explained:
        pytest.skip("the answer is not shared out among columns")
    (answer,) = client.post("/explain", json={"rows": [model.reference]}).json()["predictions"]
    assert set(answer["explanation"]["contributions"].values()) == {0.0}


def test_a_row_gets_the_same_shares_alone_and_among_others(model: Model, golden: list[dict[str, Any]]) -> None:
    if not model.schema.is_explained:
        pytest.skip("the answer is not shared out among columns")
    rows: list[object] = [case["row"] for case in golden[:5]]
    together = Explainer(model, model.reference).explain(model.schema.from_rows(rows), len(rows))
    for row, told in zip(rows, together, strict=True):
        (alone,) = Explainer(model, model.reference).explain(model.schema.from_rows([row]), 1)
        why = told["explanation"]
        far = PRECISION * max(1.0, abs(why["reference"]))
        assert alone["explanation"]["contributions"] == pytest.approx(why["contributions"], rel=PRECISION, abs=far)


@pytest.mark.parametrize("columns", [1, 2, 5, EXACT_MAX, EXACT_MAX + 1, 30])
def test_what_only_adds_up_is_shared_out_exactly(columns: int) -> None:
    worth = np.arange(columns) - 1.5
    assert _shares(lambda taken: float(worth[taken].sum()), columns) == pytest.approx(worth)


def test_few_columns_get_their_exact_share() -> None:
    """Held against the definition: the mean of what a column adds over all orders."""
    worth = {taken: math.sin(sum(taken) + len(taken) ** 2) for size in range(5) for taken in _sets(4, size)}
    expected = np.zeros(4)
    for order in itertools.permutations(range(4)):
        for place, column in enumerate(order):
            before = tuple(sorted(order[:place]))
            expected[column] += (worth[tuple(sorted((*before, column)))] - worth[before]) / math.factorial(4)
    found = _shares(lambda taken: worth[tuple(np.flatnonzero(taken).tolist())], 4)
    assert found == pytest.approx(expected)


def test_many_columns_get_nearly_their_share() -> None:
    """Ten columns of which pairs work together: each of a pair has half of what the pair is worth."""

    def pairs(taken: NDArray[np.bool_]) -> float:
        return float((taken[0::2] & taken[1::2]).sum())

    assert _shares(pairs, 10) == pytest.approx(np.full(10, 0.5), abs=1e-9)  # an order and its reverse cancel out


def _sets(columns: int, size: int) -> list[tuple[int, ...]]:
    return list(itertools.combinations(range(columns), size))


def test_a_combination_that_training_never_met_is_a_stranger() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(size=4_000)
    matrix = np.column_stack([first, first + generator.normal(size=4_000) / 20])
    document = fit(Encoder({"steps": [{"step": "numbers", "columns": ["a", "b"]}]}), matrix)
    assert document
    familiarity = Familiarity(document)
    assert len(familiarity.strangers(matrix)) == 4_000 // 1_000 - 1
    usual, odd, gap = np.array([[1.0, 1.0]]), np.array([[1.5, -1.5]]), np.array([[1.0, np.nan]])
    assert familiarity.strangers(np.concatenate([usual, odd, gap])) == [1]
    assert [familiarity.strangers(row) for row in (usual, odd, gap)] == [[], [0], []]
    assert [familiarity.strangers(row, plain=True) for row in (usual, odd, gap)] == [[], [0], []]
    assert familiarity.strangers(np.array([[1.7e308, -1.7e308], [1.0, 1.0], [np.inf, 0.0]])) == [0, 2]


def test_a_model_without_anything_that_varies_has_no_strangers() -> None:
    encoder = Encoder({"steps": [{"step": "numbers", "columns": ["a"]}]})
    assert fit(encoder, np.zeros((10, 1))) is None
