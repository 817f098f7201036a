"""What the profile says of a column, the generated project reads alike: every cell, the same number."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from frames import profile_of
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import cells, schema

if TYPE_CHECKING:
    from types import ModuleType

TEMPLATE = Path(__file__).parent.parent / "template"
GAPS = ("", "NA", "?", "-", " ", "nan")


def project_module(name: str) -> ModuleType:
    """Return a module of the template's source, which is real Python."""
    folder = next(TEMPLATE.glob(f"{{{{*/src/*/{name}.py")).parent
    package = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("template_project", None, is_package=True))
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    return importlib.import_module(f"{package.__name__}.{name}")


PROJECT = project_module("schema")


def read(cells: list[str], name: str = "a") -> tuple[Any, list[float | str]]:
    """Return the column's profile and its cells as the generated project reads them."""
    column = profile_of({name: cells}).columns[0]
    facts = schema._property(column)
    contract = PROJECT._column(name, facts, nullable=column.missing_share > 0)
    return column, [contract.from_cell(cell) for cell in cells]


NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
FORMS = st.sampled_from(
    [
        "{:.2f}",
        "{:,.2f}",
        "${:,.2f}",
        "{:.1f}%",
        "{:.0f} kg",
        "{:,.0f}+",
        "{:e}",
        "{:.3f}/5",
        "EUR {:.2f}",
        " {:.1f} ",
    ]
)


@settings(max_examples=150, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=30), form=FORMS, gaps=st.lists(st.sampled_from(GAPS), max_size=3))
def test_numbers_in_any_form_are_read_alike(numbers: list[float], form: str, gaps: list[str]) -> None:
    column, values = read([form.format(number) for number in numbers] + gaps)
    if column.kind != "number":
        return
    known = [value for value in values if isinstance(value, float) and value == value]  # noqa: PLR0124 - no NaN
    assert min(known) == column.minimum
    assert max(known) == column.maximum
    assert len(values) - len(known) == round(column.missing_share * len(values))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.234,5", "99,0"], [1234.5, 99.0]),
        (["1.2M", "300k", "5M"], [1.2e6, 3e5, 5e6]),
        (["(1,234)", "5"], [-1234.0, 5.0]),
        (["\u2212" + "5", "7"], [-5.0, 7.0]),
        (["-$5", "$1,000"], [-5.0, 1000.0]),
        (["1 234,5", "7,25"], [1234.5, 7.25]),
        (["Rs. 1,500", "Rs. 20"], [1500.0, 20.0]),
        (["RM 1,250,000", "RM 480,000"], [1250000.0, 480000.0]),
        (["(2005)", "(1999)"], [2005.0, 1999.0]),
        (["3000\u2009mAh", "50\u00a0mAh"], [3000.0, 50.0]),
        (["5\u2009kg", "500\u00a0g"], [5.0, 0.5]),
        (["(min) 24", "(min) 7"], [24.0, 7.0]),
        (["5 kg", "500 g", "2.5 kg"], [5.0, 0.5, 2.5]),
        (["2h 50m", "1h", "5m"], [170.0, 60.0, 5.0]),
        (["PT1H41M", "PT2H", "PT5M"], [101.0, 120.0, 5.0]),
        (["P1DT2H", "PT30M"], [1560.0, 30.0]),
        (["5'11", "6'2", "6'"], [71.0, 74.0, 72.0]),
        ([*map(str, range(30)), "28_", "*5"], [*map(float, range(30)), 28.0, 5.0]),
        ([*map(str, range(30)), "10 - 20", "1,000 to 2,000"], [*map(float, range(30)), 15.0, 1500.0]),
    ],
)
def test_disguised_numbers_mean_the_same_in_both(cells: list[str], expected: list[float]) -> None:
    column, values = read(cells)
    assert values == expected
    assert column.maximum == max(expected)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["31/12/2019", "1/2/2020"], "a"),
        (["2019-12-31 10:30:00", "2020-01-01"], "a"),
        (["2019-12-31T10:30:00+02:00", "2020-01-01T00:00:00Z"], "a"),
        (["Dec 31, 2019", "Jan 5, 2020"], "a"),
        (["21st March 1995", "2nd May 1996"], "a"),
        (["March 3rd, 1995", "May 12th, 1996"], "a"),
        (["10:30", "23:59"], "a"),
        (["10:30 PM", "3:05 AM"], "a"),
        (["2015-02-24 11:35:52 -0800", "2015-02-24 11:35:52 +0100"], "a"),
        (["2015-02-24 11:35:52.123456789", "2015-02-24 11:35:53.5"], "a"),
        (["2015-02-24T11:35:52+0100", "2015-02-24T11:35:53+02:00"], "a"),
        (["2015-05-07 19:52:06 UTC", "2016-05-07 19:52:06 UTC"], "a"),
        (["Mon Apr 06 22:19:45 PDT 2009", "Tue Apr 07 22:19:45 PDT 2009"], "a"),
        (["Jan-85", "Dec-11"], "a"),
        (["1/2/85", "30/3/68", "28/2/69"], "a"),
        (["12/31/2019 10:30 PM", "1/5/2020 1:00 AM"], "a"),
        (["1546300800", "1577836800"], "timestamp"),
        (["20190131", "20190201"], "date"),
        (["2019-01", "2020-02"], "a"),
    ],
)
def test_dates_mean_the_same_moment_in_both(cells: list[str], name: str) -> None:
    column, values = read(cells, name)
    assert column.kind == "date"
    contract = PROJECT._column(name, schema._property(column), nullable=False)
    assert [contract.seen_minimum, contract.seen_maximum] == pytest.approx([min(values), max(values)], abs=1)


CELL = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [*GAPS, "True", "FALSE", "2019-01-01", "31/12/2019", "5 kg", "$7", "1,5", "1.2M", "(4)", "0x1", "1e400", "inf"]
    ),
    NUMBERS.map(str),
    st.integers().map(str),
)


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(CELL, min_size=1, max_size=40))
def test_no_cell_of_the_training_table_is_refused_by_the_project(cells: list[str]) -> None:
    column, values = read(cells)
    if column.kind in {"category", "text"}:
        assert sum(value == "" for value in values) == round(column.missing_share * len(cells))


@pytest.mark.parametrize("odd", ["", "007", "-0", "7.0", "12", "word"])
def test_a_long_column_that_counts_up_is_counted_as_any_other(odd: str) -> None:
    numbers = [str(number) for number in range(cells.HEAVY_ROWS + 1)]
    plain, other = (cells.count(pd.Series(texts, dtype="str")) for texts in (numbers, [*numbers, odd]))
    assert plain.texts.to_pylist() == numbers
    assert plain.counts.tolist() == [1] * len(numbers)
    assert plain.codes is not None
    assert plain.codes.tolist() == list(range(len(numbers)))
    assert other.rows == len(numbers) + 1
    assert len(other) == len({*numbers, odd})
    assert other.texts[: len(numbers)].to_pylist() == numbers
