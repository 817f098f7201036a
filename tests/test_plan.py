"""Every modelling choice as data: treatments, drops, candidates, and what cannot become a plan."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DATASETS
from frames import contents_of, download_of
from hypothesis import given, settings
from test_profile import FRAMES

from toolkit import contents, plan, profile, schema, task
from toolkit.download import Provenance
from toolkit.errors import DataError, ToolkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROWS = 300
draw = random.Random(3)  # noqa: S311 - made-up rows, no secrets
NUMBERS = [f"{draw.uniform(0, 9):.3f}" for _ in range(ROWS)]
ANSWERS = [draw.choice("01") for _ in range(ROWS)]
COLUMNS = {
    "customer_id": [f"c{place}" for place in range(ROWS)],
    "age": NUMBERS,
    "plan type": [draw.choice(["basic", "plus", "pro"]) for _ in range(ROWS)],
    "town": [f"town {draw.randint(1, 45)}" for _ in range(ROWS)],
    "note": [f"called {place} times and asked about the bill of month {place % 7} again" for place in range(ROWS)],
    "joined": [f"201{draw.randint(0, 9)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)}" for _ in range(ROWS)],
    "active": [draw.choice(["True", "False"]) for _ in range(ROWS)],
    "country": ["xx"] * ROWS,
    "void": [""] * ROWS,
    "churn": ANSWERS,
}


def draft(columns: Mapping[str, Sequence[str | None]], *, target: str | None = None, **asked: Any) -> plan.Plan:
    """Return the plan of a table; ``test``, ``metric`` and what ``plan.draft`` takes may be given."""
    read = contents_of(columns, test=asked.pop("test", None))
    seen = profile.describe(read)
    question = task.infer(seen, read, target=target, metric=asked.pop("metric", None))
    return plan.draft(seen, question, provenance=Provenance(source="folder/a_table.csv"), **asked)


def treated(made: plan.Plan) -> dict[str, str]:
    return {one.column: one.treatment for one in made.treatments}


def left_out(made: plan.Plan) -> dict[str, str]:
    return {one.column: one.reason for one in made.dropped}


def test_each_column_is_treated_by_its_kind_or_left_out_with_a_reason() -> None:
    made = draft(COLUMNS)
    assert treated(made) == {
        "age": "number",
        "plan type": "onehot",
        "town": "target_mean",
        "note": "text",
        "joined": "date",
        "active": "boolean",
    }
    assert left_out(made) == {"customer_id": "identifier", "country": "constant", "void": "empty"}
    assert {one.column: one.overrule for one in made.dropped} == {
        "customer_id": "--keep customer_id",
        "country": "--keep country",
        "void": "",
    }
    reasons = [one.why for one in made.treatments] + [one.why for one in made.dropped]
    assert all(reasons + [one.why for one in made.candidates] + [one.why for one in made.decisions])
    assert (made.target, made.task, made.title, made.labels) == ("churn", "binary", "A table", ("0", "1"))


def test_a_person_overrules_what_is_left_out() -> None:
    made = draft(COLUMNS, keep=["customer_id", "country"], drop=["age", "note"])
    assert {"customer_id", "country"} <= set(treated(made))
    assert left_out(made) == {"age": "asked", "note": "asked", "void": "empty"}


def test_leaks_are_left_out_and_come_back_when_asked() -> None:
    columns = {**COLUMNS, "reason": ["price" if answer == "1" else "" for answer in ANSWERS]}
    assert left_out(draft(columns))["reason"] == "leak"
    assert "reason" in treated(draft(columns, keep=["reason"]))


def test_what_the_test_table_lacks_is_left_out_unless_it_is_another_table() -> None:
    test = {name: cells for name, cells in COLUMNS.items() if name not in {"churn", "town"}}
    assert left_out(draft(COLUMNS, target="churn", test=test))["town"] == "absent_in_test"
    other = {"age": NUMBERS, "something": NUMBERS}
    assert "town" in treated(draft(COLUMNS, target="churn", test=other))


def test_of_two_equal_columns_one_is_left_out() -> None:
    assert left_out(draft({**COLUMNS, "age again": NUMBERS}))["age again"] == "duplicate"
    made = draft({**COLUMNS, "age again": NUMBERS}, drop=["age"])
    assert "age again" in treated(made)


def test_candidates_are_a_baseline_a_linear_model_and_trees() -> None:
    made = draft(COLUMNS)
    assert [one.estimator for one in made.candidates[:3]] == ["dummy", "gradient_boosting", "linear"]
    assert made.candidates[0].parameters == {"strategy": "prior"}
    assert not any("class_weight" in one.parameters for one in made.candidates)


def test_rare_classes_weigh_more_only_where_the_metric_counts_them_so() -> None:
    rare = {**COLUMNS, "churn": ["1" if place % 12 == 0 else "0" for place in range(ROWS)]}
    weighed = [one for one in draft(rare, metric="f1").candidates if one.estimator != "dummy"]
    assert all(one.parameters["class_weight"] == "balanced" and "weigh more" in one.why for one in weighed)
    assert not any("class_weight" in one.parameters for one in draft(rare, metric="roc_auc").candidates)


def test_a_skewed_amount_is_also_learned_as_a_logarithm() -> None:
    skewed = [f"{draw.lognormvariate(3, 1):.2f}" for _ in range(ROWS)]
    logged = [one.name for one in draft({"age": NUMBERS, "price": skewed}).candidates if one.target_log]
    assert {"ridge_log", "gradient_boosting_log"} <= set(logged)
    assert not any(one.target_log for one in draft({"age": NUMBERS, "price": NUMBERS[::-1]}).candidates)
    negative = [f"{float(value) - 20:.2f}" for value in skewed]
    assert not any(one.target_log for one in draft({"age": NUMBERS, "price": negative}).candidates)


def test_the_number_of_trees_follows_from_the_table_and_the_seconds() -> None:
    few, many = draft(COLUMNS, seconds=1), draft(COLUMNS, seconds=600)
    assert few == draft(COLUMNS, seconds=1)
    trees = [next(one for one in made.candidates if one.name == "gradient_boosting") for made in (few, many)]
    assert trees[0].parameters["max_iter"] < trees[1].parameters["max_iter"] <= 250
    assert len(few.candidates) < len(many.candidates)


def test_candidates_for_many_rows_are_compared_on_a_draw_and_that_is_decided_in_the_open() -> None:
    rows = 130_000
    numbers = [str(place % 977) for place in range(rows)]
    answers = [str(place * 7919 % 2) for place in range(rows)]
    made = draft({"age": numbers, "churned": answers}, target="churned")
    told = {one.what: one for one in made.decisions}["compared on"]
    assert (told.choice, made.compare_rows) == ("100,000 drawn rows", 100_000)
    assert told.overrule == "edit `compare_rows` in model/plan.json, then `make train`"
    assert "compared on" not in {one.what for one in draft(COLUMNS).decisions}


def test_decisions_name_the_flag_that_changes_them() -> None:
    flags = {one.what: one.overrule for one in draft(COLUMNS).decisions}
    assert flags["target"] == "--target COLUMN"
    assert flags["metric"] == "--metric NAME"
    assert flags["time limit"] == "--seconds N"
    assert flags["texts"] == "--as note=category or --drop note, and so for any of them"
    assert flags["folds"] == "edit `folds` in model/plan.json, then `make train`"
    assert all(flags.values())


def test_what_cannot_be_learned_is_refused_with_a_hint() -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], type[ToolkitError], str]] = [
        (COLUMNS, {"drop": ["aeg"]}, UsageError, "`age`"),
        (COLUMNS, {"keep": ["churn"]}, UsageError, "is the target"),
        (COLUMNS, {"keep": ["void"]}, UsageError, "is empty"),
        (COLUMNS, {"keep": ["age"], "drop": ["age"]}, UsageError, "both"),
        ({"churn": ANSWERS}, {}, DataError, "1 column"),
        ({"churn": ANSWERS, "k": ["x"] * ROWS}, {}, DataError, "no column is left"),
        ({"customer_id": COLUMNS["customer_id"], "k": ["x"] * ROWS}, {}, DataError, "can be predicted"),
        ({"churn": ANSWERS[:6], "age": NUMBERS[:6]}, {}, DataError, "6 rows"),
        ({"churn": ["1"], "age": ["2"]}, {}, DataError, "has 1 row,"),
        ({"churn": [*ANSWERS[:6], *[""] * 30], "age": NUMBERS[:36]}, {"target": "churn"}, DataError, "6 rows with a"),
    ]
    for columns, asked, error, told in cases:
        with pytest.raises(error, match=told) as caught:
            draft(columns, **asked)
        assert caught.value.hint, told
        assert not caught.value.message.endswith(".")


@settings(max_examples=100, deadline=None)
@given(main=FRAMES)
def test_a_plan_is_made_or_refused_with_a_reason(main: dict[str, list[str | None]]) -> None:
    try:
        made = draft(main)
    except DataError as error:
        assert error.hint  # noqa: PT017 - either ending is right
    else:
        assert plan.Plan.from_json(made.to_json()) == made
        assert {*treated(made), *left_out(made), made.target} == set(main)


TABLES = sorted(path.name for path in DATASETS.glob("*__*")) if DATASETS.exists() else []


@pytest.mark.skipif(not TABLES, reason="needs the real tables in ../shared/datasets")
@pytest.mark.parametrize("name", [name for name in TABLES if "mri" not in name])
def test_every_real_table_gets_a_plan_and_a_contract(name: str) -> None:
    read = contents.read(download_of(DATASETS / name))
    seen = profile.describe(read)
    question = task.infer(seen, read)
    made = plan.draft(seen, question, provenance=read.provenance)
    document = schema.derive(seen, question, made)
    assert set(document["properties"]) == set(treated(made))
    assert {*document["properties"], *document["x-ignored"]} == {column.name for column in seen.columns}
