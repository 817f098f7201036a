"""What a table is taken to ask: each rule with a table where it fires and one where it must not."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DATASETS
from frames import codes_of, contents_of, download_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_profile import FRAMES

from toolkit import contents, profile, task
from toolkit.errors import DataError, ToolkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROWS = 60


def chance(seed: int) -> random.Random:
    """Return a source of made-up rows."""
    return random.Random(seed)  # noqa: S311 - no secrets here


def numbers(seed: int, low: float = 0, high: float = 100, rows: int = ROWS) -> list[str]:
    """Return fractions between two bounds."""
    draw = chance(seed)
    return [f"{draw.uniform(low, high):.3f}" for _ in range(rows)]


def words(seed: int, *choices: str, rows: int = ROWS) -> list[str]:
    """Return cells drawn from ``choices``, the first ones oftener."""
    draw = chance(seed)
    weights = range(len(choices) + 1, 1, -1)
    return draw.choices(choices, weights, k=rows)


def infer(columns: Mapping[str, Sequence[str | None]], **asked: Any) -> task.Task:
    """Return the task of a table; ``test``, ``submission``, ``about`` and what ``task.infer`` takes may be given."""
    companions = {name: asked.pop(name) for name in ("test", "submission") if name in asked}
    about = asked.pop("about", {})
    read = contents_of(columns, **companions)
    read = dataclasses.replace(read, provenance=dataclasses.replace(read.provenance, **about))
    return task.infer(profile.describe(read), read, **asked)


MEASURES = {"length": numbers(1), "width": numbers(2), "height": numbers(3)}


@pytest.mark.parametrize("name", ["target", "label", "Churn", "isFraud", "Loan_Status", "SalePrice", "RainTomorrow"])
def test_a_name_that_says_answer_is_the_target_wherever_it_stands(name: str) -> None:
    answer = numbers(4) if name == "SalePrice" else words(4, "0", "1")
    for columns in ({name: answer, **MEASURES}, {**MEASURES, name: answer}):
        found = infer(columns)
        assert (found.target, found.sure) == (name, True)
        assert any("name" in reason or "called" in reason for reason in found.reasons)


@pytest.mark.parametrize("name", ["gender", "city", "previous_cancellations", "RainToday", "x"])
def test_a_name_that_describes_a_row_convinces_nobody(name: str) -> None:
    found = infer({**MEASURES, name: words(4, "0", "1")})
    assert not found.sure
    assert "unsure-target" in codes_of(found.findings)


def test_the_column_that_the_test_table_lacks_is_the_target() -> None:
    columns = {**MEASURES, "w": words(5, "a", "b"), "price": numbers(6)}
    test = {name: cells for name, cells in columns.items() if name != "w"}
    found = infer(columns, test=test)
    assert (found.target, found.sure) == ("w", True)
    assert "the training table has it and the test table has not" in found.reasons


def test_a_test_table_with_all_columns_says_nothing() -> None:
    columns = {**MEASURES, "w": words(5, "a", "b"), "price": numbers(6)}
    assert infer(columns, test=columns).target == "price"


def test_the_sample_submission_names_the_target() -> None:
    ids = [str(number) for number in range(1, ROWS + 1)]
    columns = {"Id": ids, **MEASURES, "w": words(5, "a", "b")}
    found = infer(columns, submission={"Id": ids, "width": ["0"] * ROWS})
    assert (found.target, found.kind, found.sure) == ("width", "regression", True)


def test_a_submission_with_a_column_a_class_names_the_target_too() -> None:
    ids = [str(number) for number in range(1, ROWS + 1)]
    columns = {"id": ids, **MEASURES, "w": words(5, "a", "b", "c"), "v": words(6, "d", "e")}
    found = infer(columns, submission={"id": ids, "a": ["0"] * ROWS, "b": ["0"] * ROWS, "c": ["0"] * ROWS})
    assert (found.target, found.sure) == ("w", True)


def test_the_description_of_the_data_names_the_target() -> None:
    text = "Some measurements. The goal is to predict the `width` of a plank."
    assert infer({**MEASURES, "type": words(3, "a", "b")}, about={"description": text}).target == "width"
    text = "The width is measured in metres. The goal is to predict well."
    assert infer({**MEASURES, "type": words(3, "a", "b")}, about={"description": text}).target == "type"


def test_the_title_counts_unless_it_is_only_a_file_name() -> None:
    columns = {**MEASURES, "weight": numbers(7), "cost": numbers(8)}
    told = infer(columns, about={"title": "Weight of fish", "kind": "dataset"})
    assert "the data's title says `weight` too" in {
        reason for guess in told.alternatives for reason in guess.reasons
    } | set(told.reasons)
    assert infer(columns, about={"title": "Weight of fish", "kind": "local"}) == infer(columns)


def test_the_only_column_beside_a_text_is_the_target() -> None:
    texts = [f"some words about thing {number} and more of them" for number in range(ROWS)]
    found = infer({"v1": words(1, "ham", "spam"), "v2": texts})
    assert (found.target, found.sure, found.positive) == ("v1", True, "spam")
    assert not infer({"v1": words(1, "ham", "spam"), "v2": texts, "v3": words(2, "p", "q")}).sure


def test_coordinates_are_no_target_called_y() -> None:
    assert infer({"x": numbers(1), "y": numbers(2), "price": numbers(3)}).target == "price"
    assert infer({"x1": numbers(1), "x2": numbers(4), "y": words(2, "yes", "no")}).target == "y"


def test_several_illnesses_are_a_history_and_one_is_a_question() -> None:
    one = infer({**MEASURES, "stroke": words(1, "0", "1")})
    assert (one.target, one.sure) == ("stroke", True)
    many = {name: words(seed, "0", "1") for seed, name in enumerate(("stroke", "diabetes", "cancer", "depression"))}
    assert not infer({**MEASURES, **many}).sure


def test_one_score_is_a_target_and_three_are_a_question_to_the_person() -> None:
    marks = {f"{name} score": numbers(seed) for seed, name in enumerate(("math", "reading", "writing"))}
    found = infer({"lunch": words(9, "a", "b"), **marks})
    assert not found.sure
    assert [found.target, *(guess.target for guess in found.alternatives)][:3] == list(marks)


def test_identifiers_constants_dates_and_texts_are_never_guessed() -> None:
    ids = [str(number) for number in range(100, 100 + ROWS)]
    columns = {
        "customer_id": ids,
        "label": ["x"] * ROWS,
        "date": ["2020-01-01", "2021-02-03"] * (ROWS // 2),
        "note": [f"a longer text with words {number} in it, many of them" for number in range(ROWS)],
        "w": words(2, "a", "b"),
        "v": numbers(3),
    }
    found = infer(columns)
    guessed = {found.target, *(guess.target for guess in found.alternatives)}
    assert guessed == {"w", "v"}


def test_a_table_where_nothing_can_be_predicted_says_so() -> None:
    found = infer({"customer_id": [str(number) for number in range(100, 140)], "k": ["x"] * 40})
    assert (found.target, found.sure, codes_of(found.findings)) == ("", False, ["no-target"])


@pytest.mark.parametrize(
    ("name", "cells", "kind", "rival"),
    [
        ("w", ["0", "1"], "binary", None),
        ("w", ["yes", "no"], "binary", None),
        ("w", ["a", "b", "c"], "multiclass", None),
        ("w", ["3", "4", "5", "6", "7"], "multiclass", "regression"),
        ("class", ["1", "2", "3"], "multiclass", None),
        ("price", ["1", "2", "3"], "regression", "multiclass"),
        ("w", ["0.5", "1.0", "1.5", "2.0"], "regression", "multiclass"),
        ("w", [str(number) for number in range(30)], "regression", None),
        ("label", [str(number) for number in range(26)], "multiclass", "regression"),
        ("score", [str(number) for number in range(26)], "regression", None),
    ],
)
def test_values_and_name_say_the_kind_of_task(name: str, cells: list[str], kind: str, rival: str | None) -> None:
    rows = cells * 20
    found = infer({name: rows, "length": numbers(1, rows=len(rows))}, target=name)
    assert found.kind == kind
    others = [guess.kind for guess in found.alternatives if guess.target == name]
    assert others == ([rival] if rival else [])
    assert ("two-kinds-of-task" in codes_of(found.findings)) == bool(rival)


def test_labels_stand_in_a_stable_order_without_blanks() -> None:
    rows = numbers(1)
    assert infer({"a": rows, "y": ["10", "9", "2"] * 20}, target="y", kind="multiclass").labels == ("2", "9", "10")
    assert infer({"a": rows, "y": [" no ", "no", " yes"] * 20}, target="y").labels == ("no", "yes")
    assert infer({"a": rows, "y": ["b", "a", "?"] * 20}, target="y").labels == ("a", "b")


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["0", "1", "1"], "1"),
        (["Yes", "No", "Yes"], "Yes"),
        (["good", "bad", "bad"], "bad"),
        (["B", "M", "B"], "M"),
        (["-1", "1", "1"], "1"),
        (["Not_Canceled", "Canceled", "Canceled"], "Canceled"),
        (["neutral", "happy", "happy"], "neutral"),
    ],
)
def test_the_positive_label_is_the_one_that_means_yes_or_the_rarer(cells: list[str], positive: str) -> None:
    assert infer({"a": numbers(1), "y": cells * 20}, target="y").positive == positive


def test_the_metric_follows_the_classes_and_the_competition() -> None:
    def metric(cells: list[str], **asked: Any) -> str:
        return infer({"a": numbers(1, rows=len(cells)), "y": cells}, target="y", **asked).metric

    assert metric(["0", "1"] * 50) == "roc_auc"
    assert metric(["0"] * 990 + ["1"] * 10) == "average_precision"
    assert metric(["a", "b", "c"] * 40) == "accuracy"
    assert metric(["a"] * 80 + ["b"] * 10 + ["c"] * 10) == "balanced_accuracy"
    assert metric(numbers(2)) == "rmse"
    assert metric(["0", "1"] * 50, about={"metric": "Categorization Accuracy"}) == "accuracy"
    assert metric(numbers(2), about={"metric": "Root Mean Squared Logarithmic Error"}) == "rmsle"
    assert metric(numbers(2, low=-5), about={"metric": "Root Mean Squared Logarithmic Error"}) == "rmse"
    assert metric(numbers(2), about={"metric": "Quadratic weighted kappa"}) == "rmse"
    assert metric(["a", "b", "c"] * 40, about={"metric": "Mean F1-Score"}) == "f1_macro"
    assert metric(["a", "b", "c"] * 40, about={"metric": "MulticlassLoss"}) == "log_loss"
    assert metric(["0", "1"] * 50, about={"metric": "Normalized Gini Coefficient"}) == "roc_auc"
    assert metric(["0", "1"] * 50, metric="Log-Loss") == "log_loss"


def test_a_score_of_the_competition_that_cannot_be_used_is_told() -> None:
    about = {"metric": "Quadratic weighted kappa"}
    assert "Quadratic weighted kappa" in infer({"a": numbers(1), "y": numbers(2)}, target="y", about=about).metric_why


def test_rows_of_one_person_stay_together() -> None:
    people = [f"p{number // 4}" for number in range(400)]
    columns = {"patient_id": people, "a": numbers(1, rows=400), "outcome": words(2, "0", "1", rows=400)}
    assert (infer(columns).split, infer(columns).split_column) == ("group", "patient_id")
    alone = {**columns, "patient_id": [f"p{number}" for number in range(400)]}
    assert infer(alone).split == "stratified"


def test_a_panel_is_split_by_time_and_loose_dates_are_not() -> None:
    days = [f"2020-{1 + day // 28:02d}-{1 + day % 28:02d}" for day in range(120)]
    panel = {
        "date": [day for day in days for _ in range(4)],
        "region": ["north", "south", "east", "west"] * 120,
        "a": numbers(1, rows=480),
        "price": numbers(2, rows=480),
    }
    found = infer(panel)
    assert (found.split, found.split_column) == ("time", "date")
    loose = {**panel, "date": chance(3).choices(days, k=480)}
    assert infer(loose).split == "random"


def test_ratings_are_recognised_and_not_taken_for_a_sure_question() -> None:
    draw = chance(1)
    columns = {
        "user_id": [str(draw.randint(1, 90)) for _ in range(900)],
        "movie_id": [str(draw.randint(1, 200)) for _ in range(900)],
        "rating": [str(draw.randint(1, 10) / 2) for _ in range(900)],
    }
    found = infer(columns)
    assert (found.target, found.sure) == ("rating", False)
    assert "looks-like-ratings" in codes_of(found.findings)
    more = {**columns, **{f"f{number}": numbers(number, rows=900) for number in range(8)}}
    assert "looks-like-ratings" not in codes_of(infer(more).findings)


def test_purchases_are_recognised_and_not_taken_for_a_sure_question() -> None:
    draw = chance(1)
    columns = {
        "invoice_no": [str(5000 + number // 5) for number in range(900)],
        "item": [f"thing {draw.randint(1, 60)}" for _ in range(900)],
        "price": numbers(3, rows=900),
    }
    found = infer(columns)
    assert not found.sure
    assert "looks-like-purchases" in codes_of(found.findings)
    asked = {"item": columns["item"], "price": columns["price"], "length": numbers(4, rows=900)}
    assert infer(asked).findings == ()


def test_a_series_is_recognised_and_a_dated_table_with_an_answer_is_not_one() -> None:
    days = [f"2020-{1 + day // 28:02d}-{1 + day % 28:02d}" for day in range(200)]
    series = {"Month": days, "Passengers": numbers(1, rows=200)}
    found = infer(series)
    assert (found.target, found.sure, found.split) == ("Passengers", False, "time")
    assert "looks-like-series" in codes_of(found.findings)
    answered = infer({"date": days, "wind": numbers(1, rows=200), "weather": words(2, "sun", "rain", "fog", rows=200)})
    assert "looks-like-series" not in codes_of(answered.findings)


def test_a_series_whose_time_is_no_date_is_recognised_and_numbered_years_of_people_are_not() -> None:
    months = [f"{1 + place // 12}-{1 + place % 12:02d}" for place in range(36)]
    found = infer({"Month": months, "Sales": numbers(1, rows=36)})
    assert (found.target, found.sure) == ("Sales", False)
    assert "looks-like-series" in codes_of(found.findings)
    people = {"YearsOfWork": [str(place) for place in range(36)], "Salary": numbers(1, rows=36)}
    assert "looks-like-series" not in codes_of(infer(people).findings)


def test_labels_of_pictures_are_not_a_sure_question_and_a_table_that_says_much_of_each_is() -> None:
    names = [f"img{place:04d}" for place in range(ROWS)]
    held = tuple(contents.Item(f"images/{name}.png", "image", "other", 9, "an image") for name in names)
    labels = {"id_code": names, "diagnosis": words(1, "0", "1", "2")}

    def judged(columns: Mapping[str, Sequence[str | None]], items: tuple[contents.Item, ...]) -> task.Task:
        read = dataclasses.replace(contents_of(columns), items=items)
        return task.infer(profile.describe(read), read)

    found = judged(labels, held)
    assert (found.target, found.sure) == ("diagnosis", False)
    assert "looks-like-images" in codes_of(found.findings)
    assert judged(labels, ()).sure
    assert not judged({"file": [f"train/{name}.jpg" for name in names], "label": words(1, "cat", "dog")}, ()).sure
    much = {**labels, **{f"feature{place}": numbers(place) for place in range(12)}}
    assert judged(much, held).sure


def test_several_answers_a_row_are_told_and_two_flags_beside_a_text_are_not() -> None:
    text = [" ".join(words(place, "one", "two", "three", "four", "five", rows=8)) for place in range(ROWS)]
    flags = {name: words(place, "0", "1") for place, name in enumerate(("toxic", "obscene", "insult", "threat"))}
    found = infer({"comment": text, **flags})
    assert not found.sure
    assert "several-answers" in codes_of(found.findings)
    assert "several-answers" not in codes_of(infer({"comment": text, "toxic": flags["toxic"]}).findings)
    asked = {"id": [str(place) for place in range(ROWS)], **MEASURES, "a": flags["toxic"], "b": flags["obscene"]}
    one = {"id": asked["id"], "a": flags["toxic"]}
    both = {**one, "b": flags["obscene"]}
    assert "several-answers" in codes_of(infer(asked, submission=both).findings)
    assert "several-answers" not in codes_of(infer(asked, submission=one).findings)


def test_ratings_without_names_are_recognised_and_measurements_without_names_are_not() -> None:
    draw = chance(1)
    columns = {
        "column_1": [f"A{draw.randint(100, 300)}K" for _ in range(900)],
        "column_2": [f"{draw.randint(1000, 1200):010d}" for _ in range(900)],
        "column_3": [f"{draw.randint(1, 5)}.0" for _ in range(900)],
        "column_4": [str(draw.randint(1_360_000_000, 1_400_000_000)) for _ in range(900)],
    }
    assert "looks-like-ratings" in codes_of(infer(columns).findings)
    measured = {f"column_{place}": numbers(place, rows=900) for place in range(1, 4)}
    assert "looks-like-ratings" not in codes_of(infer({**measured, "column_4": columns["column_3"]}).findings)


def test_words_for_how_something_ended_are_likelier_than_other_words() -> None:
    groups = words(1, "Nondemented", "Demented", "Converted")
    assert infer({**MEASURES, "Group": groups, "visit_delay": numbers(4)}).target == "Group"
    other = words(1, "red", "green", "blue")
    assert infer({**MEASURES, "Group": other, "visit_delay": numbers(4)}).target == "visit_delay"


def test_a_place_on_the_map_is_no_answer_because_it_stands_last() -> None:
    assert infer({"Arrest": words(1, "0", "1"), **MEASURES, "Longitude": numbers(4, -80, -70)}).target == "Arrest"
    assert infer({"kind of roof": words(1, "0", "1"), "Longitude": numbers(4, -80, -70)}).target == "kind of roof"


def test_one_of_several_under_one_heading_is_a_fact_and_a_finding_of_its_own_a_question() -> None:
    headed = {f"Dx:{name}": words(place, "0", "1") for place, name in enumerate(("Cancer", "Warts", "Other"))}
    assert infer({**MEASURES, **headed, "Biopsy": words(8, "0", "1")}).target == "Biopsy"
    assert infer({**MEASURES, "Dx:Cancer": words(8, "0", "1")}).target == "Dx:Cancer"


def test_a_number_at_the_end_of_a_name_means_one_of_several_only_beside_others() -> None:
    assert infer({"pm2.5": numbers(1), "dew": numbers(2), "wind": numbers(3), "rain": numbers(4)}).target == "pm2.5"
    several = {f"price{place}": numbers(place) for place in range(3)}
    assert infer({**several, "demand": numbers(9)}).sure is False


def test_an_asked_target_is_taken_in_any_spelling_of_its_case() -> None:
    found = infer({**MEASURES, "w": words(1, "a", "b")}, target="Width ")
    assert (found.target, found.sure, found.reasons[0]) == ("width", True, "asked for with `--target`")


def test_what_cannot_be_asked_is_refused_with_a_hint() -> None:
    columns = {
        **MEASURES,
        "id": [str(number) for number in range(1, ROWS + 1)],
        "k": ["x"] * ROWS,
        "void": [""] * ROWS,
        "w": words(1, "a", "b"),
        "day": ["2020-01-01", "2021-02-03"] * (ROWS // 2),
        "note": [f"a longer text with words {number} in it, many of them" for number in range(ROWS)],
    }
    cases: list[tuple[dict[str, str], type[ToolkitError], str]] = [
        ({"target": "widht"}, UsageError, "width"),
        ({"target": "k"}, DataError, "same value `x`"),
        ({"target": "void"}, DataError, "empty in all 60 rows"),
        ({"target": "id"}, DataError, "names rows"),
        ({"target": "note"}, DataError, "60 different texts"),
        ({"target": "day"}, DataError, "is a date"),
        ({"target": "w", "kind": "regression"}, DataError, "holds words"),
        ({"target": "w", "kind": "multiclass"}, DataError, "two values"),
        ({"target": "width", "kind": "binary"}, DataError, "expected two"),
        ({"kind": "clustering"}, UsageError, "no task is called"),
        ({"target": "w", "metric": "rmse"}, UsageError, "no metric for a binary task"),
        ({"target": "w", "metric": "roc-auk"}, UsageError, "roc_auc"),
    ]
    for asked, error, told in cases:
        with pytest.raises(error, match=told) as caught:
            infer(columns, **asked)
        assert caught.value.hint, asked
        assert not caught.value.message.endswith("."), asked
        assert caught.value.message[0].islower() or caught.value.message[0] == "`", asked


def test_one_row_is_nothing_to_learn_from() -> None:
    assert not infer({"a": ["1"], "y": ["0"]}).sure
    with pytest.raises(DataError, match="1 row"):
        infer({"a": ["1"], "y": ["0"]}, target="y")


def test_rare_classes_and_missing_answers_are_told() -> None:
    cells = ["a"] * 30 + ["b"] * 28 + ["c", ""]
    found = infer({**MEASURES, "target": cells})
    assert {"rare-classes", "target-missing"} <= set(codes_of(found.findings))
    assert found.labels == ("a", "b", "c")


def test_rows_that_stand_in_both_tables_are_told() -> None:
    columns = {**MEASURES, "w": words(5, "a", "b"), "target": words(6, "0", "1")}
    test = {name: cells[:20] for name, cells in columns.items() if name != "target"}
    fresh = {**test, "length": numbers(77)[:20]}
    assert "rows-in-both" in codes_of(infer(columns, test=test).findings)
    assert "rows-in-both" not in codes_of(infer(columns, test=fresh).findings)


@settings(max_examples=120, deadline=None)
@given(main=FRAMES, test=FRAMES)
def test_infer_never_raises_and_gives_json(
    main: dict[str, list[str | None]], test: dict[str, list[str | None]]
) -> None:
    found = infer(main, test=test, submission=test)
    assert task.Task.from_json(found.to_json()) == found
    assert found.target in {*main, ""}


@settings(max_examples=60, deadline=None)
@given(main=FRAMES, data=st.data())
def test_any_column_asked_for_gives_a_task_or_a_reason(main: dict[str, list[str | None]], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*main, "missing"]))
    try:
        assert infer(main, target=name).target == name
    except (UsageError, DataError) as error:
        assert error.hint  # noqa: PT017 - either ending is right


def decision(read: contents.Contents) -> tuple[object, ...]:
    found = task.infer(profile.describe(read), read)
    dropped = {leak.column for leak in found.leaks if leak.action == "drop"}
    return found.target, found.kind, found.metric, found.split, found.labels, found.positive, found.sure, dropped


TABLES = sorted(path.name for path in DATASETS.glob("*__*")) if DATASETS.exists() else []


@pytest.mark.skipif(not TABLES, reason="needs the real tables in ../shared/datasets")
@pytest.mark.parametrize("name", [name for name in TABLES if "mri" not in name and "hotel" not in name])
def test_order_of_rows_and_columns_constants_and_file_names_change_no_decision(name: str) -> None:
    read = contents.read(download_of(DATASETS / name))
    expected = decision(read)
    frame = read.main.frame
    columns = list(frame.columns)
    chance(1).shuffle(columns)
    named = [column for column in columns if not column.startswith("Unnamed")]
    for changed in (
        frame.sample(frac=1, random_state=1).reset_index(drop=True),
        frame[columns],
        frame[[*named, *(column for column in columns if column not in named)]],
        frame.assign(always="same"),
    ):
        main = dataclasses.replace(read.main, frame=changed, name="other.csv")
        assert decision(dataclasses.replace(read, main=main)) == expected


def test_what_a_column_of_ranks_ranks_is_likelier_and_an_unrelated_amount_is_not() -> None:
    score = sorted(numbers(4), key=float, reverse=True)
    ranks = [str(place) for place in range(1, ROWS + 1)]
    columns = {"Overall rank": ranks, "Score": score, "Healthy life expectancy": numbers(5), "support": numbers(6)}
    assert infer(columns).target == "Score"
    assert infer({**columns, "Score": numbers(7)}).target == "Healthy life expectancy"


def test_how_easy_it_is_to_leave_is_no_answer_and_whether_somebody_left_is() -> None:
    assert infer({**MEASURES, "leave": words(4, "easy", "hard", "unsure")}).sure is False
    assert infer({**MEASURES, "left": words(4, "0", "1")}).sure is True


def test_without_names_the_only_whole_numbers_at_the_end_are_likelier_than_words_at_the_start() -> None:
    fractions = {f"column_{place}": numbers(place) for place in range(2, 6)}
    whole = [str(chance(9).randrange(1, 29) + place % 3) for place in range(ROWS)]
    words_first = {"column_1": words(1, "M", "F", "I"), **fractions}
    assert infer({**words_first, "column_6": whole}).target == "column_6"
    assert infer({**words_first, "column_6": numbers(8)}).sure is False


def test_a_span_of_time_ahead_says_answer_and_one_behind_does_not() -> None:
    flags = {name: words(place, "0", "1") for place, name in enumerate(("diabetes", "smokes", "male"))}
    assert infer({**MEASURES, **flags, "TenYearCHD": words(8, "0", "1")}).target == "TenYearCHD"
    assert infer({**MEASURES, "SeriousTrouble_in_2_yrs": words(8, "0", "1")}).target == "SeriousTrouble_in_2_yrs"
    past = infer({**MEASURES, "promotion_last_5_years": words(8, "0", "1"), "left": words(9, "0", "1")})
    assert past.target == "left"


def test_a_price_depends_on_illnesses_and_a_wrong_guess_would_not_be_silent() -> None:
    columns = {**MEASURES, "Diabetes": words(1, "0", "1")}
    assert infer(columns).target == "Diabetes"
    priced = infer({**columns, "PremiumPrice": numbers(2, 1000, 9000)})
    assert priced.target == "PremiumPrice"


def test_degrees_of_an_illness_are_no_answer_beside_a_level_in_words() -> None:
    degrees = {name: [str(draw) for draw in range(1, 8)] * 9 for name in ("Obesity", "Dust Allergy", "Fatigue")}
    rows = len(degrees["Obesity"])
    found = infer({**degrees, "Level": words(2, "High", "Medium", "Low", rows=rows)})
    assert found.target == "Level"
    assert infer({**MEASURES, "Obesity": words(3, "0", "1")}).target == "Obesity"


def test_a_column_of_sexes_is_no_answer_unless_it_is_called_one() -> None:
    sexes = words(1, "Male", "Female")
    assert infer({"Genre": sexes, **MEASURES, "score": numbers(5)}).target == "score"
    assert infer({**MEASURES, "label": sexes}).target == "label"


def test_without_names_the_only_column_of_a_few_values_is_likelier_than_the_last_one() -> None:
    measures = {f"m{place}": numbers(place) for place in range(4)}
    classes = {"Vin": [str(place % 3 + 1) for place in range(ROWS)]}
    assert infer({**classes, **measures}).target == "Vin"
    flag = {"Vin": [str(place % 2) for place in range(ROWS)]}
    assert infer({**flag, **measures}).target != "Vin"


def test_the_split_asked_for_is_taken() -> None:
    columns = {**MEASURES, "town": words(1, "a", "b", "c", "d"), "label": words(2, "0", "1")}
    days = {"day": [f"2020-01-{day % 28 + 1:02d}" for day in range(ROWS)]}
    assert infer(columns, split="random").split == "random"
    grouped = infer(columns, split="group:town")
    assert (grouped.split, grouped.split_column, grouped.split_why) == ("group", "town", "asked for with `--split`")
    assert infer({**columns, **days}, split="time:Day").split_column == "day"


def test_a_split_that_cannot_be_is_refused_with_another() -> None:
    columns = {**MEASURES, "town": words(1, "a", "b"), "price": numbers(4)}
    for asked, hint in (
        ("halves", "--split random"),
        ("stratified", "--split random"),
        ("group", "--split group:"),
        ("group:town", "--split random"),
        ("group:twon", "--split group:town"),
        ("time:town", "--as town=date"),
    ):
        with pytest.raises((UsageError, DataError)) as failure:
            infer(columns, target="price", split=asked)
        assert failure.value.hint.replace("'", "").startswith(hint)


def test_one_class_in_two_writings_is_one_label_and_single_letters_stay_two() -> None:
    found = infer({**MEASURES, "churned": ["Yes", "No", "yes ", "NO", "Yes", "No"] * 10})
    assert (found.kind, found.labels, found.positive) == ("binary", ("No", "Yes"), "Yes")
    assert found.spellings == {"yes": "Yes", "NO": "No"}
    assert "one-label-in-two-writings" in codes_of(found.findings)
    letters = infer({**MEASURES, "class": ["a", "A", "b", "B"] * 15})
    assert (letters.labels, letters.spellings) == (("A", "B", "a", "b"), {})


def test_a_response_in_several_words_is_a_fact_beside_what_happened() -> None:
    columns = {**MEASURES, "Response": words(1, "full", "partial", "none yet", "worse")}
    assert infer({**columns, "Recurred": words(2, "Yes", "No")}).target == "Recurred"
    assert infer({**MEASURES, "Response": words(3, "0", "1")}).sure is True


def test_the_state_of_a_complaint_does_not_outweigh_churn_in_silence() -> None:
    columns = {**MEASURES, "complaint_status": words(1, "open", "closed", "asked")}
    found = infer({**columns, "churn_risk": words(2, "1", "2", "3")})
    assert found.target == "churn_risk" or not found.sure


def test_how_much_fertilizer_is_a_fact_and_which_fertilizer_a_question() -> None:
    assert infer({**MEASURES, "Fertilizer": numbers(1), "Yield": numbers(2)}).target == "Yield"
    assert infer({**MEASURES, "Fertilizer": words(1, "urea", "potash", "lime")}).target == "Fertilizer"


def test_without_names_the_fewest_classes_beside_a_text_are_likelier_than_numbers() -> None:
    text = [f"a long story about number {place} and so on it goes" for place in range(ROWS)]
    columns = {
        "column_1": [str(place * 37 % 997) for place in range(ROWS)],
        "column_2": words(2, "joy", "anger", "fear"),
        "column_3": text,
    }
    assert infer(columns).target == "column_2"
    assert infer({**columns, "price": numbers(4)}).target == "price"


def test_two_amounts_that_occur_are_no_yes_or_no_and_two_flags_are() -> None:
    columns = {**MEASURES, "area": numbers(4)}
    assert infer({**columns, "rain": words(5, "0.0", "0.2")}).sure is False
    assert infer({**columns, "rain": words(5, "0", "1")}).target == "rain"


def test_how_many_of_so_many_is_an_amount_and_the_unit_no_word_of_its_own() -> None:
    columns = {**MEASURES, "generation": words(1, "old", "young", "middle", "none")}
    assert infer({**columns, "deaths/100k pop": numbers(2)}).target == "deaths/100k pop"
    assert infer({**columns, "km/100 deaths": numbers(2)}).sure is False


def test_an_amount_in_one_currency_is_likelier_where_others_are_in_several() -> None:
    pay = {"salary": numbers(1, 1000, 9000), "salary_in_usd": numbers(2, 1000, 9000)}
    currency = {"salary_currency": words(3, "USD", "EUR", "INR")}
    assert infer({**MEASURES, **pay, **currency}).target == "salary_in_usd"
    assert not infer({**MEASURES, **pay}).sure


def test_what_is_nearly_always_the_same_is_a_remark_and_what_differs_a_state() -> None:
    always = ["Released"] * 58 + ["Rumored", "Planned"]
    found = infer({**MEASURES, "status": always, "revenue": numbers(2, 1000, 9000)})
    assert found.target == "revenue"
    states = words(3, "Released", "Rumored", "Planned")
    assert infer({**MEASURES, "status": states}).target == "status"


def test_how_much_energy_is_used_is_asked_rather_than_how_many_people_are_there() -> None:
    people = [str(draw % 9) for draw in range(ROWS)]
    assert infer({**MEASURES, "Occupancy": people, "EnergyConsumption": numbers(5)}).target == "EnergyConsumption"
    assert infer({**MEASURES, "Occupancy": words(1, "0", "1"), "kWh": numbers(5)}).target == "Occupancy"


def test_particles_of_two_sizes_are_measurements_beside_the_index_made_of_them_and_one_is_asked() -> None:
    sizes = {"pm2_5": numbers(1), "pm10": numbers(2)}
    assert infer({**MEASURES, **sizes, "calculated_aqi": numbers(3)}).target == "calculated_aqi"
    assert infer({**MEASURES, "PM 2.5": numbers(1)}).target == "PM 2.5"


def test_an_illness_that_may_be_unknown_is_no_sure_question_and_whether_somebody_has_it_is() -> None:
    columns = {**MEASURES, "kota": words(2, "Solo", "Medan", "Padang")}
    assert not infer({**columns, "riwayat diabetes": words(1, "Tidak", "Ya", "Tidak diketahui")}).sure
    assert infer({**MEASURES, "diabetes": words(1, "No", "Yes")}).sure


def test_three_numbers_of_what_happens_or_not_say_how_often_and_two_whether() -> None:
    columns = {**MEASURES, "pollution": numbers(4)}
    assert not infer({**columns, "rain": words(5, "0", "1", "2")}).sure
    assert infer({**columns, "rain": words(5, "0", "1")}).sure
    assert infer({**columns, "severity": words(5, "1", "2", "3")}).target == "severity"


def test_a_score_in_words_is_a_judgement_and_one_in_numbers_a_fact_among_others() -> None:
    judged = words(4, "Good", "Standard", "Poor")
    assert infer({**MEASURES, "Credit_Score": judged}).target == "Credit_Score"
    assert infer({**MEASURES, "Credit_Score": judged}).sure
    assert not infer({**MEASURES, "Credit_Score": [str(300 + row) for row in range(ROWS)]}).sure


def test_a_faint_guess_says_that_only_a_name_speaks_for_it() -> None:
    unsure = next(
        one for one in infer({**MEASURES, "health_level": numbers(4)}).findings if one.code == "unsure-target"
    )
    assert "only the name of `health_level`" in unsure.message
    plain = next(one for one in infer(MEASURES).findings if one.code == "unsure-target")
    assert "no column stands out" in plain.message


def test_the_last_and_only_column_of_two_values_among_many_numbers_is_likelier_than_one_in_their_midst() -> None:
    scales = {f"scale_{place}": [str(row * place % 13 + 1) for row in range(ROWS)] for place in range(2, 8)}
    scales["motivation_strength"] = [str(row * 5 % 13) for row in range(ROWS)]
    flag = {"ca_cervix": words(3, "0", "1")}
    assert infer({**scales, **flag}).target == "ca_cervix"
    assert infer({**flag, **scales, "price": numbers(2)}).target == "price"
    assert infer({**flag, **scales, "medv": numbers(2)}).target != "ca_cervix"


def test_a_level_in_words_beside_marks_is_likelier_than_a_symptom_and_an_amount_among_measurements_is_not() -> None:
    marks = {
        name: [str(row * step % 9 + 1) for row in range(ROWS)] for step, name in enumerate(("Pollen", "Fatigue"), 2)
    }
    marks["Weight Loss"] = [str(row * 7 % 9 + 1) for row in range(ROWS)]
    level = words(2, "High", "Medium", "Low")
    assert infer({**marks, "Level": level}).target == "Level"
    assert infer({**MEASURES, "state": level, "loss": numbers(4)}).target == "loss"


def test_how_uncertain_a_measurement_is_describes_it() -> None:
    columns = {"temperature": numbers(1), **MEASURES, "temperature_uncertainty": numbers(2)}
    found = infer(columns)
    names = [found.target, *(guess.target for guess in found.alternatives)]
    assert names.index("temperature") < names.index("temperature_uncertainty")


def test_a_state_in_which_things_end_is_asked_and_one_where_people_live_is_not() -> None:
    ended = words(1, "failed", "successful", "canceled", "suspended")
    columns = {**MEASURES, "section": words(2, "a", "b", "c", "d", "e")}
    assert infer({**columns, "state": ended, "goal": numbers(4)}).target == "state"
    assert infer({"state": words(1, "CA", "NY", "TX"), **columns, "goal": numbers(4)}).target != "state"


def test_a_sort_of_status_is_no_sure_question_and_a_status_is() -> None:
    assert not infer({**MEASURES, "status_type": words(1, "photo", "video", "link")}).sure
    assert infer({**MEASURES, "status": words(1, "approved", "denied", "delayed")}).sure


def test_a_unit_in_a_name_says_nothing_and_what_is_done_per_something_describes() -> None:
    name = "measured log solubility in mols per litre"
    assert infer({name: numbers(5), **MEASURES}).target == name
    twins = {f"ESOL predicted {name.removeprefix('measured ')}": numbers(7), name: numbers(5)}
    assert infer({**MEASURES, **twins}).target == name
    assert infer({"solubility per gram": numbers(5), **MEASURES, "price": numbers(6)}).target == "price"


def test_the_left_beside_the_right_is_a_side_and_left_alone_what_somebody_did() -> None:
    sides = {"hear_left": words(1, "1", "2"), "hear_right": words(2, "1", "2")}
    assert infer({**MEASURES, **sides, "drinker_yn": words(3, "N", "Y")}).target == "drinker_yn"
    assert infer({**MEASURES, "left": words(1, "0", "1"), "city": words(2, "Rome", "Oslo", "Bern")}).target == "left"


def test_what_stands_under_one_heading_is_a_history_and_what_stands_alone_what_happened() -> None:
    history = {
        f"baseline_{name}": words(place, "0", "1") for place, name in enumerate(("cancer", "stroke", "diabetes"))
    }
    assert infer({**MEASURES, **history, "complication": words(5, "0", "1")}).target == "complication"
    assert infer({**MEASURES, "stroke": words(5, "0", "1"), "baseline_age": numbers(6)}).target == "stroke"


def test_the_average_of_a_score_is_a_fact_beside_the_score_and_asked_where_it_is_alone() -> None:
    scores = {"Average_Score": numbers(1, 1, 9), "Reviewer_Score": numbers(2, 1, 9)}
    assert infer({**MEASURES, **scores}).target == "Reviewer_Score"
    assert infer({**MEASURES, "Average_Score": numbers(1, 1, 9)}).target == "Average_Score"


def test_which_sort_of_sales_is_a_fact_and_how_much_was_sold_a_question() -> None:
    sort = words(2, "Online", "In store", "Outlet")
    assert infer({"Units Sold": numbers(3), "Sales": numbers(4, 100, 900), "Sales Method": sort}).target == "Sales"
    assert infer({**MEASURES, "Crop": sort}).target == "Crop"


def test_shots_on_target_are_counted_and_a_target_is_predicted() -> None:
    shots = {"On-Target": [str(row % 9) for row in range(ROWS)], "Off-Target": [str(row % 7) for row in range(ROWS)]}
    assert infer({**MEASURES, **shots, "winner": words(3, "Yes", "No")}).target == "winner"
    assert infer({**MEASURES, "winner": words(3, "Yes", "No"), "Target": words(4, "1", "0")}).target == "Target"


def test_a_faint_name_is_not_sure_against_the_only_flag_at_the_end_and_is_without_one() -> None:
    sorts = {"Soil": words(1, "loam", "clay", "sand"), "Fertilizer": words(2, "chemical", "organic", "none")}
    columns = {**sorts, **MEASURES, "sun": numbers(8)}
    found = infer({**columns, "Growth_Milestone": words(3, "0", "1")})
    assert not found.sure
    assert "Growth_Milestone" in {found.target, *(guess.target for guess in found.alternatives[:2])}
    assert infer({**columns, "city": words(3, "Rome", "Oslo")}).sure


def test_a_price_is_set_beside_what_was_sold_and_asked_where_nothing_was() -> None:
    columns = {"store": words(1, "a", "b", "c"), "Units Sold": [str(round(float(cell))) for cell in numbers(2)]}
    asked = infer({**columns, "discount": numbers(4), "Price": numbers(3), "season": words(5, "spring", "winter")})
    assert asked.target == "Units Sold"
    assert infer({**MEASURES, "Price": numbers(3)}).target == "Price"


def test_the_nearest_name_is_guessed_where_what_is_submitted_is_no_column_and_is_not_sure() -> None:
    columns = {"shop": words(1, "a", "b"), "item_price": numbers(2), "item_cnt_day": numbers(3, 1, 9)}
    asked = {"ID": [str(row) for row in range(ROWS)], "item_cnt_month": ["0"] * ROWS}
    found = infer(columns, submission=asked)
    assert (found.target, found.sure) == ("item_cnt_day", False)
    assert infer(columns, submission={"ID": asked["ID"], "item_price": ["0"] * ROWS}).target == "item_price"


def test_what_was_bought_is_a_fact_and_whether_it_was_is_asked() -> None:
    texts = [f"the screen of my number {row} stays dark since today" for row in range(ROWS)]
    sorts = {"Product Purchased": words(1, "phone", "camera", "watch"), "Channel": words(2, "mail", "chat", "phone")}
    facts = {"Age": numbers(3), "Gender": words(4, "m", "f", "x"), "City": words(5, "Rome", "Oslo", "Bern")}
    assert not infer({**sorts, **facts, "Description": texts}).sure
    assert infer({**facts, "Purchased": words(6, "0", "1")}).target == "Purchased"


def test_a_named_column_at_the_end_is_weighed_against_a_price_before_it_and_a_nameless_one_is_not() -> None:
    levels = words(4, "low", "medium", "high")
    found = infer({**MEASURES, "price": numbers(5), "interest_level": levels})
    assert not found.sure
    assert {found.target, found.alternatives[0].target} == {"price", "interest_level"}
    assert infer({**MEASURES, "price": numbers(5), "nearby": levels}).sure


def test_the_last_column_is_among_the_first_three_guesses_unless_it_tells_when_a_row_was() -> None:
    scores = {f"{name}_score": words(place, "1", "2", "3", "4", "5") for place, name in enumerate(("a", "b", "c", "d"))}
    found = infer({**scores, "kibo": words(9, "0", "1")})
    assert "kibo" in list(dict.fromkeys([found.target, *(guess.target for guess in found.alternatives)]))[:3]
    teams = {name: numbers(place) for place, name in enumerate(("orb", "drb", "ftr", "adj"))}
    assert infer({**teams, "YEAR": words(9, "2013", "2014", "2015", "2016")}).target != "YEAR"


def test_minutes_are_no_minimum_and_a_whole_price_is_no_past_one() -> None:
    weather = {"weather": words(5, "sun", "rain", "snow")}
    assert infer({**MEASURES, **weather, "Delivery_Time_min": numbers(4)}).target == "Delivery_Time_min"
    rents = {"baseRent": numbers(4), "totalRent": numbers(5)}
    assert infer({**MEASURES, **rents}).target == "totalRent"
    assert infer({**MEASURES, "price_min": numbers(6), "price": numbers(7)}).target == "price"


def test_a_sort_of_product_is_a_fact_and_a_category_alone_is_asked() -> None:
    sorts = words(1, "a", "b", "c", "d")
    assert infer({**MEASURES, "CourseCategory": sorts, "CourseCompletion": words(2, "0", "1")}).target == (
        "CourseCompletion"
    )
    assert infer({**MEASURES, "Category": sorts}).target == "Category"


def test_a_species_among_places_and_people_is_a_fact_and_among_measurements_the_question() -> None:
    named = {name: [f"{name} {row % 40}" for row in range(ROWS)] for name in ("owner", "farm", "mill", "region")}
    species = words(2, "Arabica", "Robusta")
    assert not infer({**named, "species": species, "moisture": numbers(3)}).sure
    assert infer({**MEASURES, "species": species}).sure


def test_gaps_in_what_is_called_the_target_are_a_class_of_their_own() -> None:
    target = [cell if row % 3 else None for row, cell in enumerate(words(1, "K", "G", "R"))]
    columns = {**MEASURES, "tumor": words(2, "f", "t")}
    assert infer({**columns, "target": target}).target == "target"
    assert infer({**columns, "grade": target}).target == "tumor"


def test_the_total_beside_its_price_a_unit_is_the_question_and_a_unit_price_alone_a_number_like_others() -> None:
    parts = {"Quantity": words(1, "1", "2", "3", "4"), "Price per Unit": words(2, "25", "30", "50", "300", "500")}
    total = [str(int(many) * int(price)) for many, price in zip(*parts.values(), strict=True)]
    assert infer({**parts, "Total Amount": total}).target == "Total Amount"
    assert infer({**MEASURES, "Price": numbers(5, 10, 90)}).target == "Price"


def test_whether_somebody_passed_is_a_question_and_how_many_passes_a_fact() -> None:
    assert infer({"tier": numbers(3), **MEASURES, "pass_bar": words(1, "1", "0")}).target == "pass_bar"
    passes = [str(row % 40) for row in range(ROWS)]
    found = infer({**MEASURES, "Pass Accuracy": passes, "winner": words(1, "Yes", "No")})
    assert found.target == "winner"


def test_a_log_of_what_people_did_is_told_and_a_table_with_an_event_to_foresee_is_not() -> None:
    rows = 400
    draw = chance(3)
    log = {
        "event_time": [f"2019-10-{1 + row // 20:02d} 08:{row % 60:02d}:00" for row in range(rows)],
        "event_type": words(1, "view", "cart", "purchase", rows=rows),
        "product_id": [str(1000 + draw.randrange(90)) for _ in range(rows)],
        "price": numbers(2, rows=rows),
        "user_id": [str(5000 + draw.randrange(120)) for _ in range(rows)],
    }
    found = infer(log)
    assert "looks-like-events" in codes_of(found.findings)
    assert not found.sure
    assert "looks-like-events" not in codes_of(infer({**MEASURES, "event": words(2, "0", "1")}).findings)


def test_the_wins_of_a_season_are_asked_beside_its_games_and_a_letter_alone_is_a_letter() -> None:
    games = {"G": [str(150 + row % 13) for row in range(ROWS)], "W": [str(row * 7 % 41) for row in range(ROWS)]}
    assert infer({"OBP": numbers(1), **games, "SLG": numbers(2)}).target == "W"
    assert infer({"OBP": numbers(1), "W": games["W"], "SLG": numbers(2), "outcome": words(3, "0", "1")}).target == (
        "outcome"
    )


def test_the_status_somebody_lives_in_is_a_fact_and_how_a_loan_ended_is_asked() -> None:
    status = words(4, "verified", "not verified")
    assert infer({**MEASURES, "bad_loan": words(5, "0", "1"), "verification_status": status}).target == "bad_loan"
    assert infer({**MEASURES, "loan_status": words(5, "good", "late")}).target == "loan_status"


def test_a_unit_behind_an_amount_says_nothing_and_an_amount_for_a_unit_of_something_is_another() -> None:
    weather = {"Weather": words(2, "sun", "rain", "snow")}
    found = infer({**MEASURES, **weather, "Yield_tons_per_hectare": numbers(4)})
    assert (found.target, found.kind) == ("Yield_tons_per_hectare", "regression")
    assert infer({**MEASURES, "price_per_sqft": numbers(4), "price": numbers(5)}).target == "price"


def test_what_was_done_is_a_question_of_yes_or_no_and_not_of_how_often() -> None:
    assert infer({"tier": words(1, "a", "b", "c"), **MEASURES, "redeemed": words(2, "0", "1")}).target == "redeemed"
    often = [str(row % 30) for row in range(ROWS)]
    assert infer({**MEASURES, "times_repaid": often, "loan_status": words(2, "good", "late")}).target == "loan_status"


def test_an_amount_is_not_sure_against_a_flag_at_the_end_and_a_price_is() -> None:
    columns = {**MEASURES, "region": words(2, "a", "b", "c"), "charges": numbers(4)}
    found = infer({**columns, "insuranceclaim": words(3, "0", "1")})
    assert not found.sure
    assert {found.target, found.alternatives[0].target} == {"charges", "insuranceclaim"}
    assert infer({**columns, "note": words(3, "a", "b", "c")}).sure
    assert infer({**MEASURES, "price": numbers(4), "parking": words(3, "0", "1")}).sure


def test_a_compound_name_in_the_middle_is_not_sure_and_a_word_alone_is() -> None:
    failed = words(4, "0", "1")
    assert not infer({**MEASURES, "Disciplinary failure": failed, "weight": numbers(5), "size": numbers(6)}).sure
    assert infer({**MEASURES, "failure": failed, "weight": numbers(5), "size": numbers(6)}).sure


def test_the_only_words_at_the_end_of_many_numbers_are_a_rival_and_words_before_them_are_not() -> None:
    many = {f"part {letter}": numbers(place) for place, letter in enumerate("abcdef")}
    makers = words(9, "US", "Japan", "Europe")
    found = infer({"mpg": numbers(7), **many, "brand": makers})
    assert not found.sure
    assert "brand" in list(dict.fromkeys([found.target, *(guess.target for guess in found.alternatives)]))[:3]
    assert infer({"mpg": numbers(7), "brand": makers, **many}).sure
    assert infer({**many, "class": makers}).sure


def test_a_class_called_binary_is_the_answer_and_the_name_of_a_class_is_not() -> None:
    answer = words(4, "P", "N")
    assert infer({"tumor": words(5, "f", "t"), **MEASURES, "binaryClass": answer}).target == "binaryClass"
    assert infer({**MEASURES, "Class Name": words(6, "a", "b", "c"), "churn": answer}).target == "churn"


def test_a_heading_of_several_columns_says_nothing_of_each_and_a_single_one_does() -> None:
    parts = {"review/summary": words(1, "a", "b", "c"), "review/time": numbers(2), "review/size": numbers(3)}
    scores = words(4, "1", "2", "3", "4", "5")
    assert infer({**parts, "review/score": scores}).target == "review/score"
    assert not infer({**MEASURES, "review score": scores}).sure


def test_a_length_of_time_is_a_fact_and_a_time_ahead_a_question() -> None:
    columns = {**MEASURES, "30 days of groceries": words(1, "0", "1")}
    assert infer({**columns, "rating": numbers(2, 0, 5)}).target == "rating"
    assert infer({**MEASURES, "default in 30 days": words(1, "0", "1"), "rating": words(3, "1", "2", "3")}).target == (
        "default in 30 days"
    )


def test_hours_on_something_are_a_fact_and_whether_it_came_on_time_a_question() -> None:
    hours = {"Screen On Time (hours/day)": numbers(1, 1, 12), "Battery": numbers(2)}
    kinds = words(3, "1", "2", "3", "4")
    assert infer({**MEASURES, **hours, "Behavior Class": kinds}).target == "Behavior Class"
    assert infer({**MEASURES, "Arrived On Time": words(1, "0", "1")}).target == "Arrived On Time"


def test_what_nobody_has_rated_yet_may_be_asked_beside_a_price_and_a_price_alone_is_sure() -> None:
    ratings = [None if row % 8 == 0 else cell for row, cell in enumerate(numbers(5, 1, 5))]
    columns = {"app": [f"App {row}" for row in range(ROWS)], "price": numbers(4, 0, 90)}
    assert not infer({**columns, **MEASURES, "rating": ratings}).sure
    assert infer({**columns, **MEASURES}).sure


def test_the_status_of_an_illness_is_asked_and_a_level_of_stress_beside_it_is_a_fact() -> None:
    ill = {
        "Smoking": words(1, "Yes", "No"),
        "Diabetes": words(2, "No", "Yes"),
        "Family Heart Disease": words(3, "Yes", "No"),
    }
    columns = {**ill, "Stress Level": words(4, "Low", "Medium", "High"), "Sleep Hours": numbers(5)}
    assert infer({**columns, "Heart Disease Status": words(6, "No", "Yes")}).target == "Heart Disease Status"
    assert infer({**MEASURES, "Marital Status": words(6, "a", "b"), "churn": words(2, "0", "1")}).target == "churn"


def test_how_much_somebody_is_satisfied_is_no_sure_question_in_the_middle_and_whether_somebody_is_one() -> None:
    marks = words(4, *map(str, range(1, 10)))
    assert not infer({**MEASURES, "Customer_Satisfaction": marks, "hours": numbers(5), "visits": numbers(6)}).sure
    flag = words(4, "satisfied", "neutral or dissatisfied")
    assert infer({**MEASURES, "satisfaction": flag, "hours": numbers(5), "visits": numbers(6)}).sure


def test_the_status_of_a_disease_in_the_middle_of_a_field_is_not_sure_beside_its_yield() -> None:
    columns = {**MEASURES, "yield_kg_per_hectare": numbers(4), "depth": numbers(5)}
    assert not infer({"crop_disease_status": words(6, "None", "Mild", "Severe"), **columns}).sure
    assert infer({"loan_status": words(6, "paid", "late"), **MEASURES}).sure


def test_what_is_asked_as_often_as_something_beside_it_is_not_sure_and_alone_it_is() -> None:
    price, measures = {"Price": numbers(4)}, {**MEASURES, "depth": numbers(8)}
    assert not infer({**price, **measures, "Revenue generated": numbers(5), "mode": words(6, "a", "b", "c")}).sure
    assert infer({**price, **measures, "mode": words(6, "a", "b", "c")}).sure
    late = {"CANCELLED": words(1, "0", "1"), "ARRIVAL_DELAY": numbers(2)}
    assert not infer({**MEASURES, **late}).sure
    assert infer({**MEASURES, "CANCELLED": late["CANCELLED"]}).sure
    species = {"Species": words(3, "Bream", "Perch", "Pike")}
    assert not infer({**species, "Weight": numbers(5), **MEASURES}).sure
    assert infer({**species, **MEASURES}).sure


def test_a_vague_answer_before_another_at_the_end_is_not_sure_and_a_vague_one_alone_is() -> None:
    columns = {**MEASURES, "Output": words(1, "Yes", "No")}
    assert not infer({**columns, "Feedback": words(2, "Positive", "Negative")}).sure
    assert infer({**columns, "city": words(2, "Rome", "Oslo", "Bern")}).sure


def guesses_of(columns: Mapping[str, Sequence[str | None]]) -> list[str]:
    """Return the first three guesses at what is asked."""
    found = infer(columns)
    return list(dict.fromkeys([found.target, *(guess.target for guess in found.alternatives)]))[:3]


def test_the_first_and_the_last_column_are_among_three_guesses_where_names_tell_nothing_and_not_before_better() -> None:
    inner = {"tic": words(4, "a", "b"), "tac": words(5, "a", "b"), "ponder": numbers(6), "quell": words(7, "a", "b")}
    columns = {"zorp": numbers(2), **inner, "yonder": numbers(3)}
    assert {"zorp", "yonder"} <= set(guesses_of(columns))
    told = {"zorp": numbers(2), "churn": words(4, "0", "1"), "salary": numbers(6), "price": numbers(7)}
    assert guesses_of({**told, "yonder": numbers(3)})[0] == "churn"


def test_two_values_that_cut_an_amount_are_an_answer_and_several_steps_are_a_fact() -> None:
    columns = {**MEASURES, "capital_loss": numbers(5), "hours": numbers(6)}
    assert infer({**columns, "income_per_year": words(1, "<=50K", ">50K")}).target == "income_per_year"
    steps = infer({"bracket": words(1, "<=50K", "50K-90K", ">90K"), **columns, "churn": words(2, "0", "1")})
    assert steps.target == "churn"


def test_what_a_row_was_set_apart_for_is_no_question_and_a_train_among_other_things_is_one() -> None:
    parts = {"dataset": words(3, "Training", "Testing")}
    assert "dataset" not in guesses_of({**parts, "carbon": numbers(4), "ash": numbers(5)})
    assert "mode" in guesses_of({"mode": words(3, "train", "bus", "car"), **MEASURES})


@pytest.mark.parametrize("ends", [("Up", "Down"), ("good", "bad"), ("positive", "negative"), ("W", "L")])
def test_two_ends_are_an_answer_wherever_they_stand_and_two_opinions_are_not(ends: tuple[str, str]) -> None:
    columns = {**MEASURES, "volume": numbers(5), "share": numbers(6)}
    assert infer({"drift": words(1, *ends), **columns}).target == "drift"
    asked = {"School satisfaction": words(1, "good", "bad"), **MEASURES, "Class": words(2, "L", "M", "H")}
    assert infer(asked).target == "Class"


def test_a_year_as_a_yes_or_no_column_is_no_answer_and_a_numbered_y_is() -> None:
    columns = {**MEASURES, "price": numbers(5)}
    assert infer({**columns, "y81": words(1, "0", "1")}).target == "price"
    assert infer({**MEASURES, "Y1": numbers(5)}).target == "Y1"


def test_sales_are_asked_before_the_price_that_was_set_and_a_price_alone_is_asked() -> None:
    columns = {"Advertising": numbers(3), "Price": numbers(4), "Age": numbers(5, 20, 80)}
    assert infer({"Sales": numbers(1), **columns}).target == "Sales"
    assert infer({"Stores": numbers(1), **columns}).target == "Price"


def test_how_much_grew_is_asked_before_what_was_sown_and_a_variety_alone_is_asked() -> None:
    sown = {"variety": words(1, "Manchuria", "Glabron", "Peatland"), "acres": numbers(3)}
    assert infer({"yield": numbers(2), **sown}).target == "yield"
    assert infer({**MEASURES, **sown}).target == "variety"


def test_a_class_at_a_school_is_no_answer_and_any_other_class_is_one() -> None:
    pupils = {"class": words(1, "1", "2", "3", "4"), "english": numbers(3), "score": numbers(4)}
    assert infer({"school": words(2, *"abcdefgh"), **pupils}).target == "score"
    assert infer({"teacher": words(2, *"abcdefgh"), **pupils}).target == "class"


def test_a_doctors_code_of_an_illness_among_many_findings_is_no_sure_question_and_among_measurements_it_is() -> None:
    findings = {code: words(ord(code[0]), "0", "1") for code in ("afb", "chf", "miord", "sho", "wave")}
    assert not infer({**MEASURES, "cvd": words(3, "0", "1"), **findings}).sure
    assert infer({**MEASURES, "cvd": words(3, "0", "1"), "ratio": numbers(4)}).sure


def test_a_grade_among_many_columns_is_not_sure_and_among_a_few_it_is() -> None:
    columns = {f"m{letter}": numbers(ord(letter)) for letter in "abcdef"}
    grade = {"grade": words(1, "1", "2", "3", "4")}
    assert not infer({**columns, **grade}).sure
    assert infer({**MEASURES, **grade}).sure


def test_a_class_in_words_beside_two_amounts_that_could_be_asked_is_not_sure_and_alone_it_is() -> None:
    cars = {"cty": numbers(1, 10, 40), "hwy": numbers(2, 10, 40), "displ": numbers(3)}
    sort = {"class": words(4, "compact", "suv", "pickup")}
    assert not infer({**cars, **sort}).sure
    assert infer({"displ": cars["displ"], **sort}).sure


@pytest.mark.parametrize("name", ["lifeExp", "Miles_per_Gallon", "Total Profit", "birth_weight", "time_to_delivery"])
def test_words_that_together_name_an_amount_are_asked_and_in_another_order_they_are_not(name: str) -> None:
    columns = {"continent": words(1, "Asia", "Europe"), "Total Cost": numbers(4), **MEASURES}
    assert infer({name: numbers(2), **columns}).target == name
    assert infer({"gallons": numbers(2), **columns}).target == "Total Cost"


def test_one_amount_by_owner_and_date_is_told_as_several_series_and_with_more_columns_it_is_not() -> None:
    days = [f"2020-01-{day:02d}" for day in range(1, 21)]
    panel = {"symbol": [symbol for symbol in "abc" for _ in days], "date": days * 3, "price": numbers(1)}
    told = infer(panel)
    assert "looks-like-series" in codes_of(told.findings)
    assert "one for each `symbol`" in next(one.message for one in told.findings if one.code == "looks-like-series")
    assert "looks-like-series" not in codes_of(
        infer({**panel, "promotion": words(2, "0", "1", rows=60), "discount": numbers(5)}).findings
    )


def test_a_date_and_one_amount_are_a_series_whatever_the_amount_is_called() -> None:
    days = [f"2020-01-{day:02d}" for day in range(1, 32)]
    assert "looks-like-series" in codes_of(infer({"ts": days, "y": numbers(1, rows=31)}).findings)
    found = infer({"ts": days, "y": words(1, "0", "1", rows=31), "humidity": numbers(2, rows=31)})
    assert "looks-like-series" not in codes_of(found.findings)


def test_sources_and_targets_are_links_of_a_network_and_a_target_alone_is_asked() -> None:
    draw = chance(4)
    ends = {end: [str(draw.randrange(40)) for _ in range(ROWS)] for end in ("source", "target")}
    found = infer({**ends, "value": numbers(5)})
    assert "looks-like-links" in codes_of(found.findings)
    assert not found.sure
    assert infer({"source": words(1, "web", "shop", "fair"), "value": numbers(5), "target": words(2, "0", "1")}).sure


def test_whether_a_row_was_for_training_is_no_question_and_any_other_flag_is_one() -> None:
    columns = {"volume": numbers(1), "drift": numbers(2)}
    assert infer({**columns, "train": words(3, "TRUE", "FALSE")}).target != "train"
    assert infer({**columns, "trained": words(3, "TRUE", "FALSE")}).target == "trained"


def test_words_of_which_hardly_one_comes_again_are_names_and_a_few_sorts_are_a_question() -> None:
    beasts = [f"{kind} {number}" for number in range(ROWS // 4) for kind in ("cat", "dog", "elk", "yak")]
    assert infer({"species": beasts, **MEASURES}).target != "species"
    assert infer({"species": words(1, "cat", "dog", "elk"), **MEASURES}).target == "species"


def test_a_status_in_words_that_are_no_ends_is_not_sure_and_one_that_tells_ends_is() -> None:
    columns = {**MEASURES, "share": numbers(5)}
    assert not infer({"status": words(1, "Hourly", "Salaried"), **columns}).sure
    assert infer({"status": words(1, "Placed", "Not Placed"), **columns}).sure


def test_what_was_made_is_no_sure_question_beside_what_it_cost_and_alone_it_is() -> None:
    columns = {**MEASURES, "fuel": numbers(5)}
    assert not infer({**columns, "cost": numbers(6), "output": numbers(7)}).sure
    assert infer({**columns, "output": numbers(7)}).sure


def test_two_numbers_beyond_two_are_grades_of_many_and_zero_and_one_are_yes_and_no() -> None:
    columns = {**MEASURES, "share": numbers(5), "ratio": numbers(6)}
    assert not infer({"grade": words(1, "7", "8"), **columns}).sure
    assert infer({"churn": words(1, "0", "1"), **columns}).sure


def test_independent_is_no_dependent_variable_and_a_dependent_one_is() -> None:
    assert infer({"independent": words(1, "1", "2", "3"), **MEASURES, "churn": words(2, "0", "1")}).target == "churn"
    assert infer({"dependent": words(1, "1", "2", "3"), **MEASURES}).target == "dependent"


@pytest.mark.parametrize("form", ["{}", "{} [YR{}]", "1/{}/20", "Jan-{}"])
def test_years_and_days_as_names_of_columns_are_series_across_them_and_a_few_are_not(form: str) -> None:
    names = [
        form.format(*[number] * form.count("{}")) for number in (range(1960, 1990) if form[0] == "{" else range(10, 29))
    ]
    columns: dict[str, list[str]] = {"country": [f"Land {row}" for row in range(ROWS)]}
    columns |= {name: numbers(place) for place, name in enumerate(names)}
    found = infer(columns)
    assert "looks-like-series" in codes_of(found.findings)
    assert not found.sure
    assert "looks-like-series" not in codes_of(infer({**MEASURES, names[0]: numbers(7), "price": numbers(8)}).findings)


def test_each_of_several_ranks_tells_what_it_ranks_by() -> None:
    columns: dict[str, list[str]] = {}
    for seed, part in enumerate(("personal", "economic")):
        cells = numbers(seed, rows=ROWS)
        order = sorted(cells, key=float, reverse=True)
        columns |= {f"{part}_score": cells, f"{part}_rank": [str(order.index(cell) + 1) for cell in cells]}
    assert not infer({**columns, **MEASURES}).sure
    assert set(guesses_of({**columns, **MEASURES})[:2]) == {"personal_score", "economic_score"}


def test_the_quality_of_several_things_is_a_fact_beside_a_score_and_of_one_it_is_asked() -> None:
    parts = {"quality_of_teaching": numbers(1, 1, 300), "quality_of_faculty": numbers(2, 1, 300)}
    assert infer({**parts, "patents": numbers(3), "score": numbers(4, 40, 100)}).target == "score"
    assert infer({"quality_of_sleep": words(1, *"456789"), "hours": numbers(3)}).target == "quality_of_sleep"


@pytest.mark.parametrize("name", ["Fatal (Y/N)", "Crime Solved"])
def test_whether_it_was_fatal_or_was_solved_is_asked_and_a_sort_of_it_is_a_fact(name: str) -> None:
    columns = {"Type": words(1, "a", "b", "c"), **MEASURES}
    assert infer({**columns, name: words(2, "N", "Y"), "hour": numbers(3, 0, 23)}).target == name
    told = infer({**columns, f"{name.rsplit(maxsplit=1)[-1]} by": words(2, "x", "y", "z"), "churn": words(4, "0", "1")})
    assert told.target == "churn"


def test_yes_no_and_unknown_are_no_sure_classes_and_yes_and_no_are() -> None:
    assert not infer({**MEASURES, "fatal": words(1, "N", "Y", "UNKNOWN")}).sure
    assert infer({**MEASURES, "fatal": words(1, "N", "Y")}).sure
