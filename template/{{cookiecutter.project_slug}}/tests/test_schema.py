"""The contract: what a value of each column may be, and what is said when it is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.package_name}}.schema import Column, InputError, Schema

from . import made_up

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_example_row_keeps_the_contract(schema: Schema) -> None:
    columns = schema.from_rows([schema.example])
    assert set(columns) == {column.name for column in schema.columns}


def test_every_column_says_what_it_is(schema: Schema) -> None:
    assert schema.columns
    assert all(column.description for column in schema.columns)


def test_a_required_column_refuses_null(schema: Schema) -> None:
    for column in schema.columns:
        if not column.nullable:
            with pytest.raises(InputError) as caught:
                schema.from_rows([{**schema.example, column.name: None}])
            assert caught.value.problems[0].column == column.name


def test_an_absent_value_is_the_same_as_null(schema: Schema) -> None:
    for column in schema.columns:
        if column.nullable:
            without = {name: value for name, value in schema.example.items() if name != column.name}
            absent = schema.from_rows([without])[column.name][0]
            null = schema.from_rows([{**schema.example, column.name: None}])[column.name][0]
            assert absent == null or (absent != absent and null != null)  # noqa: PLR0124 - NaN is not itself


def test_an_unknown_column_is_refused_with_the_nearest_name(schema: Schema) -> None:
    name = schema.columns[0].name
    with pytest.raises(InputError, match="no such column"):
        schema.from_rows([{**schema.example, f"{name}{name}?": 1}])


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        (Column("price", "number", nullable=False), " 12.5 ", 12.5),
        (Column("price", "number", nullable=False, decimal=",", thousands="."), "1.234,5", 1234.5),
        (Column("price", "number", nullable=False, prefix="$", thousands=","), "-$1,234", -1234.0),
        (Column("share", "number", nullable=False, suffix="%"), "12 %", 12.0),
        (Column("flag", "boolean", nullable=False, words={"yes": True, "no": False}), "Yes", 1.0),
        (Column("day", "date", nullable=False, date_format="iso"), "1970-01-02", 86400.0),
        (Column("day", "date", nullable=False, date_format="%d/%m/%Y"), "02/01/1970", 86400.0),
        (Column("word", "category", nullable=False), " a ", "a"),
    ],
)
def test_a_cell_becomes_its_canonical_value(column: Column, cell: str, expected: object) -> None:
    assert column.from_cell(cell) == expected


@pytest.mark.parametrize("cell", ["", "  ", "?"])
def test_a_missing_marker_is_a_gap(cell: str) -> None:
    assert math.isnan(float(Column("a", "number", nullable=True, missing=frozenset({"", "?"})).from_cell(cell)))
    assert Column("a", "text", nullable=True, missing=frozenset({"", "?"})).from_cell(cell) == ""


def test_a_number_that_stands_for_a_gap_is_one_however_it_is_sent() -> None:
    age = Column("age", "number", nullable=True, missing=frozenset({"", "?", "-999"}))
    read = [age.from_cell("-999"), age.from_cell("-999.0"), age.from_json(-999), age.from_json(-999.0)]
    assert [math.isnan(float(value)) for value in read] == [True] * 4
    assert (age.from_cell("-99"), age.from_json(-99)) == (-99.0, -99.0)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "12"),
        ("number", True),
        ("number", [1]),
        ("number", 10**400),
        ("number", float("nan")),
        ("boolean", 1),
        ("category", 1),
        ("text", {}),
        ("date", 3),
    ],
)
def test_a_json_value_of_another_type_is_refused(kind: Any, value: object) -> None:  # noqa: ANN401 - one of Kind
    with pytest.raises(ValueError, match="expected"):
        Column("a", kind, nullable=True).from_json(value)


@pytest.mark.parametrize(
    "column",
    [
        Column("price", "number", nullable=True, prefix="$", thousands=","),
        Column("price", "number", nullable=True, decimal=",", suffix=" €", missing=frozenset({"", "n/a"})),
        Column("flag", "boolean", nullable=True, words={"Yes": True, "yes": True, "No": False, "no": False}),
    ],
)
@pytest.mark.parametrize("text", ["$1,234", "1,5 €", "Yes", " no ", "", "n/a", "1.5", "true", "$", "maybe"])
def test_a_text_for_what_the_data_writes_as_text_is_read_as_in_a_file(column: Column, text: str) -> None:
    def outcome(read: Callable[[str], object]) -> str:
        try:
            return repr(read(text))
        except ValueError as error:
            return str(error)

    assert outcome(column.from_json) == outcome(column.from_cell)


def test_hints_are_given_for_a_few_of_many_wrong_names(schema: Schema) -> None:
    """A near name is looked for by comparing letters, which must not cost minutes for a row of a million names."""
    with pytest.raises(InputError) as caught:
        schema.from_rows([{f"{column.name}{number}": 1 for number in range(2_000) for column in schema.columns}] * 2)
    assert len(caught.value.problems) == 100
    assert sum("did you mean" in problem.message for problem in caught.value.problems) <= 10


def test_problems_name_row_and_column() -> None:
    schema = Schema(made_up.schema("binary"))
    good = schema.example
    with pytest.raises(InputError) as caught:
        schema.from_rows([good, {**good, "class": "three", "model_x": None}])
    assert {(problem.row, problem.column) for problem in caught.value.problems} == {(1, "class"), (1, "model_x")}


def test_json_and_file_cells_give_the_same_values() -> None:
    schema = Schema(made_up.schema("binary"))
    cells = made_up.columns()
    from_file = schema.from_cells(cells)
    rows = []
    for index in range(made_up.ROWS):
        raw = {name: column[index] for name, column in cells.items()}
        rows.append({name: _as_json(schema.by_name[name], cell) for name, cell in raw.items()})
    from_json = schema.from_rows(rows)
    for name, values in from_file.items():
        assert repr(values.tolist()) == repr(from_json[name].tolist())


def _as_json(column: Column, cell: str) -> object:
    if cell == "":
        return None
    if column.kind == "number":
        return float(cell)
    return cell == "True" if column.kind == "boolean" else cell
