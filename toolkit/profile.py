"""``Contents`` becomes a ``Profile``: what every column holds, judged on all rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from toolkit.findings import Finding
from toolkit.records import Record

ColumnKind = Literal["number", "boolean", "category", "text", "date", "empty"]


@dataclass(frozen=True)
class NumberFormat(Record):
    """How numbers are written in a column: ``-$1.234,50`` is decimal ``,``, thousands ``.``, prefix ``$``."""

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Column(Record):
    """One column's facts, from all rows.

    ``kind`` says how to understand a cell. ``missing`` are the raw texts that stand for a missing value
    (the empty text included when it occurs); ``missing_share`` counts them, 0 to 1; ``distinct`` counts different
    non-missing values. ``test_missing_share`` is the same share in the test table: a column without gaps in training may
    have some there, and must then be nullable. ``minimum``, ``maximum``, ``median`` are numbers (``number``; 0 and 1 for ``boolean``) or ISO dates
    (``date``). ``whole`` is true when every number is a whole one. ``values`` are the most frequent raw texts, first
    100, most frequent first then alphabetical, with ``counts`` beside them (``category`` and ``boolean``; also ``number``
    with at most 20 distinct values). ``words`` maps the raw texts of a boolean to true or false.
    ``date_format`` is a ``strptime`` pattern, ``iso`` or ``epoch_seconds``. ``length_maximum`` is in characters.
    """

    name: str
    position: int
    kind: ColumnKind
    missing_share: float = 0.0
    test_missing_share: float = 0.0
    missing: tuple[str, ...] = ()
    distinct: int = 0
    whole: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    median: float | str | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    words: dict[str, bool] = field(default_factory=dict)
    number_format: NumberFormat = NumberFormat()
    date_format: str = ""
    length_mean: float | None = None
    length_maximum: int | None = None
    words_mean: float | None = None
    description: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Identifier(Record):
    """A column that names rows instead of describing them, with the evidence in plain words."""

    name: str
    why: str


@dataclass(frozen=True)
class Profile(Record):
    """A table understood: its columns, identifiers, constants, oddities.

    ``identifiers``, ``constants`` (one value or empty) and what ``findings`` say are facts; what to do about them
    is decided in ``plan``. ``test_columns`` are the names in the test table, empty when there is none;
    ``submission_columns`` those of the sample submission.
    """

    table: str
    rows: int
    columns: tuple[Column, ...]
    identifiers: tuple[Identifier, ...] = ()
    constants: tuple[str, ...] = ()
    duplicate_rows: int = 0
    test_columns: tuple[str, ...] = ()
    submission_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called ``name``; ``KeyError`` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
