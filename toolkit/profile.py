"""``Contents`` becomes a ``Profile``: what every column holds, judged on all rows.

Each column's cells are counted once (``cells``); missing markers, number and date forms and identifiers are judged
on the different texts and their counts, so neither the order of rows nor the name of a file can change a decision.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from toolkit.findings import Finding
from toolkit.number_format import PLAIN, NumberFormat
from toolkit.overrules import NOTHING, asked_of
from toolkit.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit import kinds
    from toolkit.contents import Contents

__all__ = ["Column", "ColumnKind", "Identifier", "NumberFormat", "Profile", "describe"]

ColumnKind = Literal["number", "boolean", "category", "text", "date", "empty"]


@dataclass(frozen=True)
class Column(Record):
    """One column's facts, from all rows.

    ``kind`` says how to understand a cell. ``missing`` are the raw texts that stand for a missing value
    (the empty text included when it occurs); ``missing_share`` counts them, 0 to 1; ``distinct`` counts different
    non-missing values. ``test_missing_share`` is the same share in the test table: a column without gaps in training
    may have some there, and must then be nullable. ``minimum``, ``maximum``, ``median`` are numbers (``number``; 0 and
    1 for ``boolean``) or ISO dates (``date``). ``whole`` is true when every number is a whole one. ``values`` are the
    most frequent texts without blanks around, first 100, most frequent first then alphabetical, with ``counts`` beside
    them (``category`` and ``boolean``; also ``number`` with at most 20 distinct values). ``words`` maps the
    raw texts of a pair such as yes and no to true or false. ``date_format`` is a ``strptime`` pattern, ``iso`` or
    ``epoch_seconds``. ``length_maximum`` is in characters.
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
    number_format: NumberFormat = PLAIN
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
    is decided in ``plan``. ``rows_drawn_from`` is how many rows there are where ``rows`` are a draw of them, else 0.
    A person asked to leave out ``repeats_left_out`` rows, to read the texts ``asked_missing`` (``COLUMN=TEXT``) as no
    value and ``asked_values`` as one.
    ``test_columns`` are the names in the test table, empty when there is none;
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
    rows_drawn_from: int = 0
    repeats_left_out: int = 0
    asked_missing: tuple[str, ...] = ()
    asked_values: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called ``name``; ``KeyError`` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def describe(
    contents: Contents, *, asked: Sequence[str] = (), missing: Sequence[str] = (), values: Sequence[str] = ()
) -> Profile:
    """Return what every column of the main table holds, its identifiers, constants, doubles and oddities.

    ``asked`` are kinds that a person wants, as ``COLUMN=KIND``, ``missing`` and ``values`` texts that are to be no
    value or one, as ``COLUMN=TEXT``; what cannot be raises ``UsageError`` or ``DataError``. Otherwise it never raises:
    strange data gives findings. Rows or columns in another order, or another name of the file, change nothing.
    """
    from toolkit import cells, kinds, oddities  # noqa: PLC0415 - numpy, 80 ms

    main, test, submission = contents.main.frame, contents.test, contents.sample_submission
    tests = test.frame if test is not None else None
    test_columns = tuple(str(name) for name in tests.columns) if tests is not None else ()
    names = [str(name) for name in main.columns]
    wanted = asked_of(asked, missing, values, names)
    submission_columns = tuple(str(name) for name in submission.frame.columns) if submission is not None else ()

    marks = cells.RowMarks(len(main))
    heavy = threading.Lock()  # columns whose cells nearly all differ are judged one at a time, as memory counts

    long = [cells.mostly_differ(main.iloc[:, position]) for position in range(len(names))]

    def judge(position: int) -> kinds.Judged:
        name = names[position]
        among = next((index for index, column in enumerate(test_columns) if column == name), None)
        other = tests.iloc[:, among] if tests is not None and among is not None else None
        series = main.iloc[:, position]
        fractions = cells.fractions(series) if long[position] and name not in wanted else None
        found = kinds.judge_fractions(name, fractions, other) if fractions is not None else None
        if fractions is not None and found is not None:
            marks.add_fractions(position, fractions)
            return found
        with heavy if long[position] else nullcontext():
            counted = cells.count(series)
            marks.add(position, counted)
            return kinds.judge(
                name, counted, other, names_rows=submission_columns[:1] == (name,), wanted=wanted.get(name, NOTHING)
            )

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        order = sorted(range(len(names)), key=lambda position: not long[position])  # what takes longest is begun first
        found = dict(zip(order, pool.map(judge, order), strict=True))
    judged = [found[position] for position in range(len(names))]
    columns = tuple(_column(one, position, contents.descriptions) for position, one in enumerate(judged))
    duplicates = marks.doubles() if names else 0
    identifiers = tuple(Identifier(one.name, one.identifier) for one in judged if one.identifier)
    constants = tuple(one.name for one in judged if one.distinct == 0 or (one.distinct == 1 and one.gaps == 0))
    return Profile(
        table=contents.main.name,
        rows=len(main),
        columns=columns,
        identifiers=identifiers,
        constants=constants,
        duplicate_rows=duplicates,
        test_columns=test_columns,
        submission_columns=submission_columns,
        findings=tuple(oddities.find(judged, rows=len(main), constants=constants, duplicates=duplicates)),
        rows_drawn_from=_rows_drawn_from(contents),
        repeats_left_out=sum(one.evidence["rows"] for one in contents.findings if one.code == "repeats-left-out"),
        asked_missing=tuple(f"{name}={text}" for name, one in wanted.items() for text in one.missing),
        asked_values=tuple(f"{name}={text}" for name, one in wanted.items() for text in one.kept),
    )


def _rows_drawn_from(contents: Contents) -> int:
    main = contents.main
    drawn = {
        finding.message: finding.evidence
        for finding in (*contents.findings, *main.findings)
        if finding.code == "drawn-rows" and (finding in main.findings or finding.evidence["table"] == main.name)
    }
    left = sum(evidence["rows"] - evidence["drawn"] for evidence in drawn.values())
    return main.rows + left if left else 0


def _column(one: kinds.Judged, position: int, descriptions: dict[str, str]) -> Column:
    return Column(
        name=one.name,
        position=position,
        kind=one.kind,
        missing_share=one.missing_share,
        test_missing_share=one.test_missing_share,
        missing=one.missing,
        distinct=one.distinct,
        whole=one.whole,
        minimum=one.minimum,
        maximum=one.maximum,
        median=one.median,
        mean=one.mean,
        standard_deviation=one.standard_deviation,
        values=one.values,
        counts=one.value_counts,
        words=one.words,
        number_format=one.number_format,
        date_format=one.date_format,
        length_mean=one.length_mean,
        length_maximum=one.length_maximum,
        words_mean=one.words_mean,
        description=descriptions.get(one.name, ""),
        unit=one.unit,
    )
