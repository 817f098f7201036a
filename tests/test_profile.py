"""What a column is taken to be: each rule with a table where it fires and one where it must not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from frames import codes_of, column_of, contents_of, profile_of
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import card, profile, records
from toolkit.errors import DataError, UsageError

ROWS = [str(number) for number in range(40)]

CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            " ",
            "NA",
            "?",
            "-",
            "nan",
            "inf",
            "1e999",
            "-0",
            "1,5",
            "1.234,5",
            "$3",
            "12%",
            "True",
            "no",
            "0012",
            "31/12/2019",
            "2019-02-30",
            "2019-01-01",
            "12/31/19",
            "Jan 5, 2020",
            "10:30",
            "99999999999999999999",
            "0x1F",
            "1_000",
            "١",
            "(5)",
            "2019-01-01 10:00:00+02:00",
            "20190131",
            "1546300800",
            "a@b.de",
            "http://a.b/c",
            "[1, 2]",
            "a|b",
            "−" + "5",
            "9999",
        ]
    ),
    st.integers().map(str),
    st.floats().map(repr),
    st.dates().map(str),
)


def columns(rows: int) -> st.SearchStrategy[dict[str, list[str | None]]]:
    names = st.text(max_size=8) | st.sampled_from(["id", "Unnamed: 0", "date", "time", "name", "{{ x }}", "a\nb"])
    return st.dictionaries(names, st.lists(CELLS, min_size=rows, max_size=rows), max_size=4)


FRAMES = st.integers(0, 25).flatmap(columns)


@settings(max_examples=200, deadline=None)
@given(main=FRAMES, test=FRAMES)
def test_describe_never_raises_and_always_gives_valid_json(
    main: dict[str, list[str | None]], test: dict[str, list[str | None]]
) -> None:
    found = profile_of(main, test=test, submission=test)
    assert [column.name for column in found.columns] == list(main)
    assert profile.Profile.from_json(found.to_json()) == found
    assert records.dump(found.to_json())


@settings(max_examples=60, deadline=None)
@given(main=FRAMES, seed=st.integers(0, 1000))
def test_order_of_rows_and_columns_and_the_files_name_change_no_decision(
    main: dict[str, list[str | None]], seed: int
) -> None:
    rows = len(next(iter(main.values()), []))
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    order = chance.sample(range(rows), rows)
    names = chance.sample(list(main), len(main))
    shuffled = {name: [main[name][row] for row in order] for name in names}
    before, after = profile_of(main), profile_of(shuffled, name="other name.csv")
    for column in before.columns:
        facts, again = column.to_json(), after.column(column.name).to_json()
        for key in ("mean", "standard_deviation", "length_mean", "words_mean"):  # sums in another order
            assert (facts.pop(key) or 0) == pytest.approx(again.pop(key) or 0, rel=1e-6)
        assert {**facts, "position": 0} == {**again, "position": 0}
    assert {one.name: one.why for one in before.identifiers} == {one.name: one.why for one in after.identifiers}
    assert set(before.constants) == set(after.constants)
    assert before.duplicate_rows == after.duplicate_rows
    assert codes_of(before.findings) == codes_of(after.findings)


def test_a_constant_column_more_changes_nothing_else() -> None:
    cells = {"a": ROWS, "b": ["x", "y"] * 20}
    assert profile_of({**cells, "c": ["1"] * 40}).columns[:2] == profile_of(cells).columns


# --- missing values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["", " ", "NA", "N/A", "?", "-", "null", "None", "unknown", "nan", "inf", "."])
def test_a_word_among_numbers_is_a_missing_value(mark: str) -> None:
    column = column_of("1.5", "2", mark, "4")
    assert (column.kind, column.missing, column.missing_share, column.distinct) == ("number", (mark,), 0.25, 3)


@pytest.mark.parametrize("mark", ["", "NA", "?", "NULL", "n/a", "-"])
def test_a_mark_among_words_is_a_missing_value(mark: str) -> None:
    column = column_of("red", "blue", mark, "red")
    assert (column.kind, column.missing, column.values) == ("category", (mark,), ("red", "blue"))


@pytest.mark.parametrize("word", ["unknown", "None", "other", "missing", "x"])
def test_a_word_that_may_be_an_answer_stays_a_category(word: str) -> None:
    assert column_of("red", "blue", word, "red").missing == ()


def test_a_dash_among_signs_is_no_missing_value() -> None:
    assert column_of("+", "-", "+", "-").missing == ()


def test_na_among_words_is_said_to_be_perhaps_a_category() -> None:
    found = profile_of({"pool": ["NA", "good", "fair", "NA"]})
    assert "maybe-category" in codes_of(found.findings)
    assert "maybe-category" not in codes_of(profile_of({"pool": ["?", "good", "fair", ""]}).findings)


def test_marks_of_the_rows_to_predict_count_too() -> None:
    found = profile_of({"a": ["1", "2", ""]}, test={"a": ["3", "?", "N/A", "4"]}).columns[0]
    assert found.missing == ("", "?", "N/A")
    assert found.missing_share == pytest.approx(1 / 3)
    assert found.test_missing_share == 0.5


def test_a_column_without_gaps_has_no_missing_marks() -> None:
    assert column_of("a", "b").missing == ()


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "form", "maximum"),
    [
        (["1", "2.5", "-3e2"], {}, 2.5),
        (["$1,234.50", "$99.00", "$5"], {"thousands": ",", "prefix": "$"}, 1234.5),
        (["1.234,50 \u20ac", "99,00 \u20ac"], {"decimal": ",", "thousands": ".", "suffix": "\u20ac"}, 1234.5),
        (["1,5", "2,25", "3"], {"decimal": ","}, 3.0),
        (["1,234", "5,678", "12"], {"thousands": ","}, 5678.0),
        (["1,23,456", "12,345"], {"thousands": ","}, 123456.0),
        (["12%", "7.5%"], {"suffix": "%"}, 12.0),
        (["74 kg", "80 kg"], {"suffix": "kg"}, 80.0),
        (["10,000+", "500+"], {"thousands": ",", "suffix": "+"}, 10000.0),
        (["1 234", "12 345 678"], {"thousands": " "}, 12345678.0),
        (["1'234.5", "2'000.0"], {"thousands": "'"}, 2000.0),
        (["Rs. 500", "Rs. 1,500"], {"thousands": ",", "prefix": "Rs."}, 1500.0),
        (["-$5", "$7"], {"prefix": "$"}, 7.0),
        (["0,123", "0,456"], {"decimal": ","}, 0.456),
        (["1.234", "5.678"], {}, 5.678),
        (["19M", "201k", "5.5M"], {"multipliers": {"k": 1e3, "M": 1e6}}, 19e6),
        (["\u20ac1.5M", "\u20ac300K", "\u20ac0"], {"prefix": "\u20ac", "multipliers": {"K": 1e3, "M": 1e6}}, 1.5e6),
        (["$5K", "$300K"], {"prefix": "$", "multipliers": {"K": 1e3}}, 3e5),
        (["(1,234)", "99", "1,000"], {"thousands": ",", "parentheses": True}, 1000.0),
        (["\u22125", "\u22127", "3"], {}, 3.0),
        (["4.1/5", "3.8 /5", "2/5"], {"suffix": "/5"}, 4.1),
        (["(min) 24", "(min) 101"], {"prefix": "(min)"}, 101.0),
        (["3000\u2009mAh", "5000\u2009mAh"], {"suffix": "mAh"}, 5000.0),
        (
            ["\u20b94,890/sq.ft.", "\u20b960/sq.ft."],
            {"thousands": ",", "prefix": "\u20b9", "suffix": "/sq.ft."},
            4890.0,
        ),
        (["1,234 sq ft", "980 sq ft"], {"thousands": ",", "suffix": "sq ft"}, 1234.0),
        (["(2005)", "(1999)"], {"prefix": "(", "suffix": ")"}, 2005.0),
        (["(1,234)", "(7)"], {"thousands": ",", "prefix": "(", "suffix": ")"}, 1234.0),
        (["21.5\u00b0C", "19.0\u00b0C"], {"suffix": "\u00b0C"}, 21.5),
        (["5 \u2605", "3 \u2605"], {"suffix": "\u2605"}, 5.0),
        (["0", "0", "0", "$4.99"], {"prefix": "$"}, 4.99),
        (["\u20ac256", "\u20ac755", "\u20ac900", "\u20ac110K"], {"prefix": "\u20ac", "multipliers": {"K": 1e3}}, 110e3),
        (["5.5 Lakh", "1.2 Cr"], {"multipliers": {"Lakh": 1e5, "Cr": 1e7}}, 12e6),
        ([*ROWS, "1.5K", "2.1K"], {"multipliers": {"K": 1e3}}, 2100.0),
        (["8GB", "16GB", "1TB"], {"multipliers": {"GB": 1.0, "TB": 1e3}}, 1e3),
        (["1 day", "2 days", "3 days"], {"multipliers": {"day": 1.0, "days": 1.0}}, 3.0),
        (["1 bath", "2 baths", "2.5 baths"], {"multipliers": {"bath": 1.0, "baths": 1.0}}, 2.5),
        (["2h 50m", "19h", "5m"], {"parts": {"m": 1.0, "h": 60.0}}, 1140.0),
        (["1 Years and 2 Months", "22 Years and 9 Months"], {"parts": {"months": 1.0, "years": 12.0}}, 273.0),
        (["5'11", "6'0"], {"parts": {"'": 12.0, "": 1.0}}, 72.0),
        (["5'11\"", "6'0\""], {"parts": {'"': 1.0, "'": 12.0}}, 72.0),
        ([*ROWS, "28_"], {"stray": "_"}, 39.0),
        (["1", "2", "3", "4"] * 5 + ["3_", "2_"], {"stray": "_"}, 4.0),
        ([*ROWS, "1133 - 1384"], {"ranges": True}, 1258.5),
        (
            ["PT1H41M", "PT55M", "PT2H"],
            {"parts": {"h": 60.0, "m": 1.0}},
            120.0,
        ),
        (
            [f"${low}K-${low + 30}K" for low in range(30)],
            {"prefix": "$", "multipliers": {"K": 1e3}, "ranges": True},
            44e3,
        ),
    ],
)
def test_numbers_in_disguise_are_numbers(cells: list[str], form: dict[str, Any], maximum: float) -> None:
    column = column_of(*cells)
    assert column.kind == "number"
    assert column.number_format == profile.NumberFormat(**form)
    assert column.maximum == maximum


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "1", "2", "3+"],
        ["10-20", "20-30", "30+"],
        ["02134", "10001", "94103"],
        ["A1", "B2", "C3"],
        ["1st", "2nd", "3rd"],
        ["1.2.3", "1.2.4"],
        ["192.168.0.1", "10.0.0.1"],
        ["1/2", "3/4", "1/8"],
        ["12M", "34F", "9M"],
        ["(617) 555-0100", "(212) 555-0199"],
        ["Room 12", "Room 7"],
        ["123xx", "940xx", "100xx"],
        ["90 min", "2 Seasons", "81 min"],
        ["5", "4", "3*", "2*"],
        ["2h", "3b", "4h 3b"],
        ["PT", "PT5", "P7X"],
        ["5'14", "5'31"],
        [f"{number}-{number + 5}" for number in range(30)],
        [f"{number % 5}-{(number + 2) % 3}" for number in range(40)],
        [*(f"{number}-{number + 1000}" for number in range(30)), "7"],
    ],
)
def test_what_only_looks_like_numbers_is_none(cells: list[str]) -> None:
    assert column_of(*cells).kind in {"category", "text"}


def test_one_phrase_among_many_numbers_is_missing_and_flagged() -> None:
    found = profile_of({"size": [*ROWS, *["Varies with device"] * 10]})
    assert found.columns[0].kind == "number"
    assert found.columns[0].missing == ("Varies with device",)
    finding = next(one for one in found.findings if one.code == "odd-cells")
    assert (finding.severity, finding.columns) == ("unsure", ("size",))


def test_a_phrase_and_a_shifted_row_together_leave_a_column_of_numbers() -> None:
    assert column_of(*ROWS * 3, *["Varies with device"] * 30, "1.000+").missing == ("Varies with device", "1.000+")
    assert column_of(*ROWS * 3, *["Varies with device"] * 30, *["A 1", "B 2", "C 3", "D 4", "E 5"]).kind == "category"


def test_a_placeholder_between_marks_is_missing_among_numbers_alone() -> None:
    assert column_of(*ROWS, *["__10000__"] * 9).missing == ("__10000__",)
    assert column_of("red", "blue", "__red__").missing == ()


def test_minus_one_stands_for_a_missing_value_where_it_is_no_amount() -> None:
    assert column_of("Google", "Apple", "-1", "Google").missing == ("-1",)
    assert column_of("1999", "2004", "1987", "2010", "2013", "-1", "-1").missing == ("-1",)
    assert column_of("-1", "0", "1", "2", "5", "-1", "10").missing == ()
    assert column_of("-1", "A", "-1", "1").missing == ()


def test_figures_of_numbers_are_right() -> None:
    column = column_of("1", "2", "2", "10", "")
    assert (column.minimum, column.maximum, column.median, column.mean, column.whole) == (1.0, 10.0, 2.0, 3.75, True)
    assert column.standard_deviation == pytest.approx(4.193, abs=1e-3)
    assert (column.values, column.counts) == (("2", "1", "10"), (2, 1, 1))


def test_a_number_far_outside_is_said_to_be_perhaps_a_gap() -> None:
    assert "sentinel-number" in codes_of(profile_of({"a": [*ROWS, "-999", "-999"]}).findings)
    assert "sentinel-number" not in codes_of(profile_of({"a": [*ROWS, "-99"]}).findings)


def test_zeros_that_stand_apart_are_told() -> None:
    measured = [str(90 + number) for number in range(40)]
    assert "zero-as-missing" in codes_of(profile_of({"a": [*measured, "0", "0"]}).findings)
    assert "zero-as-missing" not in codes_of(profile_of({"a": ROWS * 2}).findings)


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "pattern", "minimum"),
    [
        (["2019-12-31", "2020-01-05"], "iso", "2019-12-31"),
        (["2019-12-31 10:30:00", "2020-01-05 00:00:00"], "iso", "2019-12-31 10:30:00"),
        (["2019-12-31T10:30:00Z", "2020-01-05T08:00:00Z"], "iso", "2019-12-31 10:30:00"),
        (["31/12/2019", "05/01/2020"], "%d/%m/%Y", "2019-12-31"),
        (["12/31/2019", "01/05/2020"], "%m/%d/%Y", "2019-12-31"),
        (["31.12.2019", "05.01.2020"], "%d.%m.%Y", "2019-12-31"),
        (["5/1/19", "31/12/19"], "%d/%m/%y", "2019-01-05"),
        (["17.14.11", "16.30.12"], "%y.%d.%m", "2016-12-30"),
        (["99-12-31", "98-01-05"], "%y-%m-%d", "1998-01-05"),
        (
            [f"{year}.{month:02d}.{year + month:02d}" for year in (14, 15, 16, 17) for month in range(1, 13)],
            "%d.%m.%y",
            "2015-01-14",
        ),
        ([f"{13 + day % 3}.05.{day:02d}" for day in range(1, 32)], "%y.%m.%d", "2013-05-03"),
        (["31-Dec-2019", "05-Jan-2020"], "%d-%b-%Y", "2019-12-31"),
        (["Dec 31, 2019", "Jan 5, 2020"], "%b %d, %Y", "2019-12-31"),
        (["December 31, 2019", "January 5, 2020"], "%B %d, %Y", "2019-12-31"),
        (["12/31/2019 10:30", "1/5/2020 0:00"], "%m/%d/%Y %H:%M", "2019-12-31 10:30:00"),
        (["12/31/2019 10:30:15 PM", "1/5/2020 1:00:00 AM"], "%m/%d/%Y %I:%M:%S %p", "2019-12-31 22:30:15"),
        (["2019/12/31", "2020/01/05"], "%Y/%m/%d", "2019-12-31"),
        (["1949-01", "1949-02"], "%Y-%m", "1949-01-01"),
        (["10:30", "23:59"], "%H:%M", "1900-01-01 10:30:00"),
        (["10:30 PM", "3:05 AM"], "%I:%M %p", "1900-01-01 03:05:00"),
        (["2015-02-24 11:35:52 -0800"], "%Y-%m-%d %H:%M:%S %z", "2015-02-24 19:35:52"),
        (["2015-05-07 19:52:06 UTC"], "%Y-%m-%d %H:%M:%S UTC", "2015-05-07 19:52:06"),
        (["Mon Apr 06 22:19:45 PDT 2009"], "%a %b %d %H:%M:%S PDT %Y", "2009-04-06 22:19:45"),
        (["Jan-85", "Dec-11"], "%b-%y", "1985-01-01"),
        (["21st March 1995", "2nd May 1996"], "%d %B %Y", "1995-03-21"),
        (["March 3rd, 1995", "May 12th, 1996"], "%B %d, %Y", "1995-03-03"),
        (["3rd of May 1995", "1st of June 1996"], "%d %B %Y", "1995-05-03"),
        ([" September 9, 2019", "May 1, 2020"], "%B %d, %Y", "2019-09-09"),
    ],
)
def test_dates_are_read_in_the_form_that_all_rows_fit(cells: list[str], pattern: str, minimum: str) -> None:
    column = column_of(*cells)
    assert (column.kind, column.date_format, column.minimum) == ("date", pattern, minimum)


def test_an_order_of_day_and_month_that_no_row_shows_is_flagged() -> None:
    found = profile_of({"when": ["01/02/2019", "03/04/2019"]})
    assert found.columns[0].kind == "date"
    assert [one.severity for one in found.findings if one.code == "date-order"] == ["unsure"]
    assert "date-order" not in codes_of(profile_of({"when": ["01/02/2019", "13/04/2019"]}).findings)


def test_seconds_since_1970_are_dates_only_under_a_name_of_time() -> None:
    cells = ["1546300800", "1546387200", "1577836800"]
    assert column_of(*cells, name="timestamp").date_format == "epoch_seconds"
    assert column_of(*cells, name="timestamp").minimum == "2019-01-01"
    assert column_of(*cells, name="income").kind == "number"


def test_eight_digits_are_dates_when_all_are_real_days() -> None:
    assert column_of("20190131", "20190201", name="date").date_format == "%Y%m%d"
    assert column_of("20190131", "20190299", name="date").kind == "number"
    assert column_of("20190131", "20190201", name="amount").kind == "number"


@pytest.mark.parametrize(
    "cells",
    [
        ["10:30", "26:15"],
        ["1:2:3", "4:5:6"],
        ["2019", "2020"],
        ["1-2", "3-4"],
        ["31/31/2019", "1/1/2019"],
        ["21st", "2nd"],
        ["3rd Avenue 12", "5th Avenue 30"],
    ],
)
def test_what_only_looks_like_dates_is_none(cells: list[str]) -> None:
    assert column_of(*cells).kind != "date"


# --- words ------------------------------------------------------------------------------------------------------------


def test_true_and_false_are_a_boolean_other_pairs_a_category_with_words() -> None:
    assert column_of("True", "FALSE", "").kind == "boolean"
    assert column_of("True", "FALSE").words == {"FALSE": False, "True": True}
    pair = column_of("Yes", "No", "Yes")
    assert (pair.kind, pair.words) == ("category", {"No": False, "Yes": True})
    assert column_of("0", "1").kind == "number"
    assert column_of("left", "right").words == {}


def test_sentences_are_text_and_repeated_phrases_a_category() -> None:
    sentences = [f"this is the {number} message of a person" for number in range(60)]
    assert column_of(*sentences).kind == "text"
    assert column_of(*(["no internet service at all", "some of it"] * 30)).kind == "category"


def test_titles_with_names_are_text_but_no_identifier() -> None:
    names = [f"Smith, Mr. Number {number} of {number * 7}" for number in range(80)]
    found = profile_of({"Name": names})
    assert (found.columns[0].kind, found.identifiers) == ("text", ())


def test_blanks_around_words_do_not_make_other_words() -> None:
    column = column_of(" <=50K", "<=50K", " >50K", ">50K ")
    assert (column.distinct, column.values, column.counts) == (2, ("<=50K", ">50K"), (2, 2))


def test_lists_and_addresses_in_cells_are_told() -> None:
    kinds = ["Action", "Drama", "Comedy", "War", "Horror", "Musical"]
    genres = [f"{kinds[n % 6]}|{kinds[n // 6 % 6]}" for n in range(72)]
    assert "list-cells" in codes_of(profile_of({"genres": genres}).findings)
    assert "web-addresses" in codes_of(profile_of({"link": [f"https://a.b/{n}" for n in range(20)]}).findings)
    assert "file-paths" in codes_of(profile_of({"image": [f"images/{n}.jpg" for n in range(20)]}).findings)
    prices = [f"{'$€£'[n % 3]}{n * 7 % 90}.50" for n in range(60)]
    assert "several-currencies" in codes_of(profile_of({"price": prices}).findings)
    assert "several-currencies" not in codes_of(profile_of({"price": [f"€{n}.50" for n in range(60)]}).findings)
    assert "list-cells" not in codes_of(profile_of({"name": [f"Smith, Mr. {n}" for n in range(40)]}).findings)


# --- identifiers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("PassengerId", ROWS),
        ("Unnamed: 0", ROWS),
        ("Unnamed: 0", [str(n % 10) for n in range(40)]),
        ("customerID", [f"{n * 37 % 1000:04d}-ABCDE" for n in range(40)]),
        ("EmployeeNumber", [str(n * 3 + 1) for n in range(40)]),
        ("row", ROWS),
        ("clientnum", [str(n * 37 + 11) for n in range(40)]),
        ("kepid", [str(n * 37 + 11) for n in range(40)]),
        ("Unnamed: 0", [str(n * 37 + 11) for n in range(40)]),
        ("rank", ROWS[1:]),
        ("count", ROWS[1:]),
        ("#", ROWS),
        ("userid", [str(n % 60 + 100) for n in range(400)]),
        ("link", [f"https://a.b/{n}" for n in range(40)]),
        ("code", [f"LP{n:06d}" for n in range(40)]),
        ("user_id", [str(n % 60 + 100) for n in range(400)]),
        ("Surname", [f"Name{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(100)]),
    ],
)
def test_identifiers_are_found_with_their_reason(name: str, cells: list[str]) -> None:
    found = profile_of({name: cells})
    assert [one.name for one in found.identifiers] == [name]
    assert found.identifiers[0].why


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("weight", [f"{n * 1.37:.3f}" for n in range(1, 41)]),
        ("income", [str(n * n * 37 + 11) for n in range(40)]),
        ("year", [str(1980 + n) for n in range(40)]),
        ("paid", ["1", "0"] * 20),
        ("count", [str(n * 3 % 100) for n in range(40)]),
        ("shop_id", [str(n % 6) for n in range(60)]),
        ("date", [f"2020-01-{n + 1:02d}" for n in range(30)]),
        ("width", ["3", "5", "9", "12"]),
        ("NumOfProducts", [str(n % 4) for n in range(40)]),
        ("city", [f"town{chr(97 + n % 26)}" for n in range(60)]),
        ("Age", ROWS),
        ("paid", [str(n % 60 + 100) for n in range(400)]),
        ("solids", [str(n * 37 + 11) for n in range(40)]),
        ("citricacid", [str(n * 37 + 11) for n in range(40)]),
        ("grid", [str(n * 3 + 1) for n in range(40)]),
    ],
)
def test_what_describes_rows_is_no_identifier(name: str, cells: list[str]) -> None:
    assert profile_of({name: cells}).identifiers == ()


def test_the_sample_submission_shows_what_names_the_rows() -> None:
    keys = [str(n * n * 37 + 11) for n in range(40)]
    test = {"file": ["7", "8"], "x": ["1", "2"]}
    found = profile_of(
        {"file": keys, "x": ["1", "2"] * 20}, test=test, submission={"file": ["7", "8"], "y": ["0", "0"]}
    )
    assert [one.name for one in found.identifiers] == ["file"]
    assert profile_of({"file": keys, "x": ["1", "2"] * 20}, test=test).identifiers == ()


# --- the table --------------------------------------------------------------------------------------------------------


def test_constants_empty_columns_and_doubles_are_counted() -> None:
    found = profile_of({"a": ["1", "1", "1"], "b": ["", "", ""], "c": ["x", "x", ""], "d": ["1", "1", "2"]})
    assert found.constants == ("a", "b")
    assert found.columns[1].kind == "empty"
    assert found.duplicate_rows == 1
    assert {"constant-column", "empty-column", "duplicate-rows", "few-rows"} <= set(codes_of(found.findings))


def test_a_table_without_rows_or_columns_is_described() -> None:
    assert profile_of({}).columns == ()
    assert profile_of({"a": []}).columns[0].kind == "empty"


def test_descriptions_and_test_columns_come_along() -> None:
    contents = contents_of({"a": ["1"]}, test={"a": ["1"], "id": ["7"]})
    contents.descriptions["a"] = "Age in years"
    found = profile.describe(contents)
    assert (found.columns[0].description, found.test_columns) == ("Age in years", ("a", "id"))


def test_findings_are_sentences_with_what_was_done() -> None:
    found = profile_of(
        {"when": ["01/02/2019"] * 3, "b": ["", "NA", "x"], "c": ["$1", "$2", "$3"], "d": ["?", "1", "2"]}
    )
    assert found.findings
    for finding in found.findings:
        assert finding.action
        assert len(finding.message.split()) > 4


# --- what a person overrules ------------------------------------------------------------------------------------------


def kind_as(cells: list[str | None], kind: str) -> profile.Column:
    return profile.describe(contents_of({"a": cells}), asked=[f"a={kind}"]).columns[0]


def test_a_column_is_read_as_it_is_asked_for() -> None:
    assert kind_as(["1", "2", "3", "1"], "category").kind == "category"
    assert kind_as(["red", "blue", "red"], "text").kind == "text"
    assert kind_as(["1", "2", "red", "4"], "number").missing == ("red",)
    assert kind_as(["$1,200", "$3,400"], "number").maximum == 3400.0
    assert kind_as(["1262304000", "1262390400"], "date").date_format == "epoch_seconds"
    assert kind_as([*ROWS, "-999", "-999"], "number").minimum == -999.0


def test_what_cannot_be_read_as_asked_is_refused_with_the_option_to_leave_out() -> None:
    for cells, kind in ((["red", "blue"], "number"), (["red", "blue"], "date"), (["1", "2", "3"], "boolean")):
        with pytest.raises(DataError, match="cannot be read as") as failure:
            kind_as(list(cells), kind)
        assert "--as" in failure.value.hint
    for asked in ("a", "a=colour", "b=number"):
        with pytest.raises(UsageError) as refused:
            profile.describe(contents_of({"a": ["1", "2"]}), asked=[asked])
        assert "--as" in refused.value.hint


def test_a_number_far_outside_is_a_gap_with_its_rows_and_the_option_to_keep_it() -> None:
    seen = profile_of({"a": [*ROWS, "-999", "-999.0"]})
    (told,) = [finding for finding in seen.findings if finding.code == "sentinel-number"]
    assert (set(seen.columns[0].missing), seen.columns[0].minimum) == ({"-999", "-999.0"}, 0.0)
    assert (told.overrule, told.evidence["rows"]) == ("--no-missing 'a=-999'", 2)
    assert profile_of({"a": [*ROWS, "-99"]}).columns[0].minimum == -99.0
    assert profile_of({"a": [str(900 + number) for number in range(99)] + ["999", "999"]}).columns[0].maximum == 999.0


def test_steps_of_a_scale_are_told_to_have_an_order_and_other_words_are_not() -> None:
    assert "ordered-categories" in codes_of(profile_of({"risk": ["Low", "Medium", "High"] * 20}).findings)
    assert "ordered-categories" not in codes_of(profile_of({"risk": ["Low", "Rome", "High"] * 20}).findings)


def test_degrees_on_a_map_are_told_and_numbers_of_another_range_are_not() -> None:
    north, east = ([f"{start + place / 7:.3f}" for place in range(40)] for start in (40, 100))
    assert "coordinates" in codes_of(profile_of({"pickup_latitude": north, "pickup_longitude": east}).findings)
    assert "coordinates" not in codes_of(profile_of({"latitude": east, "longitude": north}).findings)
    assert "coordinates" not in codes_of(profile_of({"latency": north, "long_run": east}).findings)


def test_one_word_in_two_writings_is_told_and_single_letters_are_not() -> None:
    found = profile_of({"sex": ["Male", "male ", "Female", "FEMALE"] * 5, "vitamin": ["a", "A", "b", "B"] * 5})
    told = [finding for finding in found.findings if finding.code == "two-writings"]
    assert [finding.columns for finding in told] == [("sex",)]
    assert "'Male' and 'male'" in told[0].message or "'male' and 'Male'" in told[0].message
    assert found.columns[0].distinct == 4


def test_numbers_in_units_that_cannot_be_compared_are_told_and_codes_are_not() -> None:
    mixed = [f"{number} {'min' if number % 3 else 'Seasons'}" for number in range(30)]
    told = profile_of({"length": mixed, "code": [f"{number}A{number % 3}" for number in range(30)]})
    assert [one.columns for one in told.findings if one.code == "several-units"] == [("length",)]
    assert told.columns[0].kind == "category"


def test_years_and_times_of_day_are_told_as_people_write_them() -> None:
    assert card.seen(column_of("2015", "2000", "2007")) == "2000 to 2015, median 2007"
    assert card.seen(column_of("12015", "12000", "12007")) == "12,000 to 12,015, median 12,007"
    assert card.seen(column_of("10:30", "23:59", "00:00")) == "00:00:00 to 23:59:00, median 10:30:00"
    assert card.seen(column_of("2019-12-31", "2020-01-05")) == "2019-12-31 to 2020-01-05, median 2019-12-31"


def test_how_numbers_are_written_is_told_with_the_option_to_read_them_as_words() -> None:
    found = [one for one in profile_of({"p p": ["$1", "$2", "$3"]}).findings if one.code == "number-format"]
    assert [one.overrule for one in found] == ["--as 'p p=category'"]
    assert not [one for one in profile_of({"p": ["1", "2"]}).findings if one.code == "number-format"]
