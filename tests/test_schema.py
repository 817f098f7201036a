"""The contract of one row: raw names, nullability from all rows, examples that are nobody's row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from frames import contents_of

from toolkit import plan, profile, schema, task
from toolkit.download import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROWS = 40


def derive(columns: Mapping[str, Sequence[str | None]], *, test: Any = None, target: str = "y") -> dict[str, Any]:
    """Return the contract of a table's rows."""
    read = contents_of({"filler": [f"{place / 7:.3f}" for place in range(ROWS)], **columns}, test=test)
    seen = profile.describe(read)
    question = task.infer(seen, read, target=target)
    made = plan.draft(seen, question, provenance=Provenance(source="s", title="A table"))
    return schema.derive(seen, question, made)


ANSWER = {"y": ["0", "1"] * (ROWS // 2)}


def test_a_plain_number_is_told_with_its_range_and_an_example() -> None:
    facts = derive({"a b": [str(place) for place in range(5, 5 + ROWS)], **ANSWER})["properties"]["a b"]
    assert facts["type"] == "number"
    assert facts["description"] == "A whole number, 5 to 44 in the training data"
    assert facts["examples"] == [24]
    assert facts["x-seen"] == {"minimum": 5, "maximum": 44, "whole": True}
    assert facts["x-missing"] == [""]
    assert "x-number" not in facts


def test_gaps_in_training_or_test_make_a_column_nullable() -> None:
    numbers = [f"{place / 3:.2f}" for place in range(ROWS)]
    gaps = ["?", *numbers[1:]]
    document = derive({"a": gaps, **ANSWER})
    assert document["properties"]["a"]["type"] == ["number", "null"]
    assert document["properties"]["a"]["x-missing"] == ["", "?"]
    assert document["required"] == ["filler"]
    columns = {"a": numbers, **ANSWER}
    test = {"filler": ["1"] * ROWS, "a": ["", *numbers[1:]]}
    assert derive(columns, test=test)["properties"]["a"]["type"] == ["number", "null"]
    assert derive(columns, test={**test, "a": numbers})["required"] == ["filler", "a"]


def test_numbers_in_disguise_carry_how_they_are_written() -> None:
    facts = derive({"cost": [f"${place + 1},{place + 100}.50" for place in range(ROWS)], **ANSWER})["properties"][
        "cost"
    ]
    assert facts["x-number"] == {"thousands": ",", "prefix": "$"}
    assert facts["type"] == "number"


def test_categories_booleans_dates_and_texts() -> None:
    texts = [f"a remark about person {place} that nobody shall read in an example" for place in range(ROWS)]
    days = [f"{1 + place % 28:02d}/03/2019" for place in range(ROWS)]
    found = derive(
        {
            "size": ["small", "large", "large", "medium"] * 10,
            "open": ["True", "False", "False", "True"] * 10,
            "day": days,
            "remark": texts,
            **ANSWER,
        }
    )["properties"]
    assert (found["size"]["type"], found["size"]["examples"]) == ("string", ["large"])
    assert found["size"]["x-seen"] == {"values": ["large", "medium", "small"], "distinct": 3}
    assert (found["open"]["type"], found["open"]["x-words"]) == ("boolean", {"False": False, "True": True})
    assert (found["day"]["x-date"], found["day"]["type"]) == ("%d/%m/%Y", "string")
    assert found["day"]["examples"][0].endswith("/03/2019")
    assert found["remark"]["x-kind"] == "text"
    assert found["remark"]["examples"][0] not in texts


@pytest.mark.parametrize(
    ("cells", "labels", "positive"),
    [
        (["0", "1"], [0, 1], 1),
        (["-1", "1"], [-1, 1], 1),
        (["no", "yes"], ["no", "yes"], "yes"),
        (["01", "02"], ["01", "02"], "02"),
        (["1.0", "2.0", "3.0"], ["1.0", "2.0", "3.0"], None),
    ],
)
def test_labels_are_whole_numbers_only_when_they_are_written_as_such(
    cells: list[str], labels: list[Any], positive: Any
) -> None:
    document = derive({"y": (cells * ROWS)[:ROWS]})
    assert document["x-labels"] == labels
    if len(cells) == 2:
        assert document["x-positive"] == positive


def test_an_amount_has_no_labels_and_tells_how_it_is_written() -> None:
    document = derive({"y": [f"${place * 37 % 91}.50" for place in range(ROWS)]})
    assert (document["x-task"], document["x-labels"], document["x-positive"]) == ("regression", [], None)
    assert document["x-target-number"] == {"prefix": "$"}


def test_unused_columns_are_named_with_their_reason() -> None:
    ids = [f"id-{place}" for place in range(ROWS)]
    document = derive({"row_id": ids, "same": ["k"] * ROWS, **ANSWER})
    assert set(document["x-ignored"]) == {"row_id", "same", "y"}
    assert document["x-ignored"]["y"] == "it is what the model predicts"


def test_hostile_names_and_cells_stay_data() -> None:
    names = ["{{ x }}", 'a"b', "a\nb", "<script>", "__import__('os')", "=1+1", "class", "model_x", "_", "ünï 🙂", ""]
    cells = ["=cmd()", "{{ 7 }}", "<b>", '"', "'; --", "a\nb"]
    columns = {name: [cells[(place + shift) % 6] for place in range(ROWS)] for shift, name in enumerate(names)}
    document = derive({**columns, "y": ["<i>", "{{ y }}"] * (ROWS // 2)})
    assert {*document["properties"], *document["x-ignored"]} >= set(names)
    assert document["x-labels"] == ["<i>", "{{ y }}"]
    assert json.loads(json.dumps(document)) == document
