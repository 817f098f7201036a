"""What the cards say: our own sentences with names in them, which may hold anything."""

from __future__ import annotations

import pytest

from {{cookiecutter.package_name}} import report, wording


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("its name says `price`, often the answer", "its name says `price`, often the answer"),
        ("the largest `a|b` is 5 times the median", "the largest `a\\|b` is 5 times the median"),
        ("`<b>` and <b>", "`<b>` and &lt;b&gt;"),
        ("a * b ` c", "a \\* b \\` c"),
        ("`line\nbreak` is long", "`line break` is long"),
        ("`` is empty", "is empty"),
    ],
)
def test_a_name_is_shown_as_code_and_everything_else_as_it_stands(sentence: str, shown: str) -> None:
    assert report.cell(sentence) == shown


def test_a_metric_tells_which_way_is_better_where_it_is_not_up() -> None:
    assert wording.named("rmse") == "Root mean squared error, lower is better"
    assert wording.named("roc_auc") == "Area under ROC"
    assert wording.named("a new one") == "a new one"
