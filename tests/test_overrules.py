"""What a finding says can be changed by what it says to type, and the plan keeps what was asked for."""

from __future__ import annotations

import csv
import json
import shlex
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

ROWS = 120
REPEATED = 3


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """Give a table whose columns each have one thing that is worth telling."""
    path = tmp_path / "patients.csv"
    draw = Random(7)  # noqa: S311 - no secret
    columns: dict[str, list[object]] = {
        "sugar": [0 if row % 5 == 0 else 60 + row * 37 % 131 for row in range(ROWS)],
        "garage": [("NA", "beside", "below")[row % 3] for row in range(ROWS)],
        "work": [("?", "private", "state", "own")[row * 7 % 4] for row in range(ROWS)],
        "seen": [f"{row % 12 + 1:02d}/{row * 5 % 6 + 1:02d}/2019" for row in range(ROWS)],
        "age": [-999 if row % 9 == 4 else 18 + row * 11 % 60 for row in range(ROWS)],
        "size": ["oops" if row == 7 else 1 + row * 29 % 97 for row in range(ROWS)],
        "ward": ["north"] * ROWS,
        "scan": ["NA"] * ROWS,
        "outcome": [draw.randint(0, 1) for _ in range(ROWS)],
    }
    rows = list(zip(*columns.values(), strict=True))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows([*rows, *rows[:REPEATED]])
    return path


def looked_at(kaggle2app: Callable[..., Outcome], path: Path, *flags: str) -> dict[str, Any]:
    """Return what ``inspect`` says of the table."""
    told = kaggle2app("inspect", path, "--target", "outcome", *flags, "--json")
    assert told.code == 0, told.out
    found: dict[str, Any] = told.json
    return found


def test_every_finding_on_a_table_ends_with_what_changes_it(kaggle2app: Callable[..., Outcome], messy: Path) -> None:
    found = {one["code"]: one["overrule"] for one in looked_at(kaggle2app, messy)["findings"]}
    assert found == {
        "odd-cells": "--as 'size=category'",
        "date-order": "--as 'seen=day-first'",
        "sentinel-number": "--no-missing 'age=-999'",
        "zero-as-missing": "--missing 'sugar=0'",
        "missing-word": "--no-missing 'work=?'",
        "maybe-category": "--no-missing 'garage=NA'",
        "empty-column": "--no-missing 'scan=NA'",
        "constant-column": "--keep ward",
        "duplicate-rows": "--drop-duplicates",
    }


def test_what_every_finding_says_to_type_silences_it(kaggle2app: Callable[..., Outcome], messy: Path) -> None:
    before = looked_at(kaggle2app, messy)["findings"]
    for finding in before:
        if finding["code"] == "constant-column":  # keeping it does not make it vary
            continue
        after = looked_at(kaggle2app, messy, *shlex.split(finding["overrule"]))["findings"]
        assert finding["message"] not in {one["message"] for one in after}


@pytest.mark.parametrize(
    ("flags", "column", "read"),
    [
        (("--missing", "sugar=0"), "sugar", ("number", 0.2)),
        (("--missing", "sugar=0.0"), "sugar", ("number", 0.2)),
        (("--missing", "work=Private"), "work", ("category", 0.5)),
        (("--missing", "work=private", "--as", "work=text"), "work", ("text", 0.5)),
        (("--no-missing", "garage=NA"), "garage", ("category", 0.0)),
        (("--no-missing", "work=?"), "work", ("category", 0.0)),
        (("--no-missing", "age=-999"), "age", ("number", 0.0)),
        (("--no-missing", "size=oops"), "size", ("category", 0.0)),
        (("--as", "seen=day-first"), "seen", ("date", 0.0)),
        (("--as", "seen=month-first"), "seen", ("date", 0.0)),
    ],
)
def test_a_text_is_a_value_or_none_as_asked(
    flags: tuple[str, ...], column: str, read: tuple[str, float], kaggle2app: Callable[..., Outcome], messy: Path
) -> None:
    kind, share = read
    columns = {one["name"]: one for one in looked_at(kaggle2app, messy, *flags)["columns"]}
    assert columns[column]["kind"] == kind
    assert columns[column]["missing_share"] == pytest.approx(share, abs=0.02)


def test_day_and_month_change_places_as_asked(kaggle2app: Callable[..., Outcome], messy: Path) -> None:
    read = {
        order: next(
            one["maximum"]
            for one in looked_at(kaggle2app, messy, "--as", f"seen={order}-first")["columns"]
            if one["name"] == "seen"
        )
        for order in ("day", "month")
    }
    assert read == {"day": "2019-06-08", "month": "2019-12-02"}


def test_repeated_rows_are_left_out_as_asked_and_that_is_told(kaggle2app: Callable[..., Outcome], messy: Path) -> None:
    found = looked_at(kaggle2app, messy, "--drop-duplicates")
    assert found["rows"] == ROWS
    told = next(one for one in found["findings"] if one["code"] == "repeats-left-out")
    assert told["message"] == "3 of 123 rows repeat an earlier one in every cell"


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (("--missing", "sugar=7777"), "no cell of `sugar` holds '7777'", "leave out --missing 'sugar=7777'"),
        (("--missing", "sugar"), "`sugar` names no column and text", "--missing 'sugar=0'"),
        (("--missing", "sugar="), "a cell without one is always missing", "--missing 'sugar=0'"),
        (("--missing", "suger=0"), "no column is called `suger`", "--missing 'sugar=0'"),
        (("--no-missing", "work=own"), "'own' in `work` is not read as missing", "leave out --no-missing 'work=own'"),
        (("--missing", "work=?", "--no-missing", "work=?"), "as missing and as a value", "not with both"),
        (("--no-missing", "size=oops", "--as", "size=number"), "cannot be a value of `size`", "--as 'size=category'"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(
    flags: tuple[str, ...], message: str, hint: str, kaggle2app: Callable[..., Outcome], messy: Path
) -> None:
    told = kaggle2app("inspect", messy, *flags, "--json")
    assert told.code == 2
    assert message in told.json["error"]["message"]
    assert hint in told.json["error"]["hint"]


@pytest.mark.slow
def test_the_plan_the_data_and_the_project_follow_what_was_asked(
    kaggle2app: Callable[..., Outcome], messy: Path, tmp_path: Path
) -> None:
    flags = ("--missing", "sugar=0", "--no-missing", "garage=NA", "--drop-duplicates")
    made = kaggle2app(
        "new", messy, "--target", "outcome", *flags, "--into", tmp_path, "--seconds", 2, "--no-tests", "--json"
    )
    assert made.code == 0, made.err
    model = tmp_path / "patients" / "model"
    decisions = {
        (one["what"], one["choice"]): one["overrule"]
        for one in json.loads((model / "plan.json").read_text(encoding="utf-8"))["decisions"]
    }
    assert decisions["read as missing", "sugar=0"] == "leave out --missing 'sugar=0'"
    assert decisions["read as a value", "garage=NA"] == "leave out --no-missing 'garage=NA'"
    assert decisions["rows", "3 that repeat an earlier one left out"] == "leave out --drop-duplicates"
    schema = json.loads((model / "schema.json").read_text(encoding="utf-8"))
    columns = schema["properties"]
    assert columns["sugar"]["x-missing"] == ["", "0"]
    assert "NA" not in columns["garage"]["x-missing"]
    lines = (tmp_path / "patients" / "data" / "train.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == ROWS + 1
