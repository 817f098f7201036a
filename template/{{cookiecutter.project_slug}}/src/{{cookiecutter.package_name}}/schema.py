"""The input contract: one row's columns, their types and gaps, read from ``schema.json``.

A JSON row and a line of a CSV file become the same canonical values here, so every way in gives the same answer:
numbers, booleans and dates (as seconds since 1970, UTC) are float64 with NaN for a gap, categories and texts are
``str`` with ``""`` for a gap.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .tensors import TENSORS, VALUES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .tensors import Tensor

Kind = Literal["number", "boolean", "category", "text", "date", "tensor", "picture"]
Value = float | str
Columns = dict[str, "NDArray[Any]"]  # float64 for number, boolean and date; object (str) for category and text;
# float64, shape (rows, values), for a tensor

GAP = math.nan
IN_TRAINING = "in training"
NAME_LENGTH_MAX = 200  # of a name that is no column's
PROBLEMS_MAX = 100  # one answer names at most this many problems; a wrong file could have a million
HINTS_MAX = 10  # rows and files that are wrong may hold a million names; near names are looked for this often
NAMES_MAX = 300  # and among so many
CACHE_MAX = 100_000  # distinct cells remembered a column; beyond that each is parsed again
NUMBER_LENGTH_MAX = 48  # characters of a range, or of a number in several units
RANGE = re.compile(r"(.*?\d[^-\u2013\u2014~]*?)\s*(?:-|\u2013|\u2014|~|\bto\b)\s*(.*\d.*)", re.DOTALL)
PART = re.compile(r"(\d+(?:\.\d+)?)\s*(\D*)")
DURATION = re.compile(r"P(?=\d|T\d)(\d+[WD])?(?:T((?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?))?")  # PT1H41M
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b(?: of\b)?", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: which row (from 0), which column, what was expected and what came."""

    row: int | None
    column: str | None
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return the problem as it stands in an error answer."""
        return {"row": self.row, "column": self.column, "message": self.message}


class InputError(ValueError):
    """The input breaks the contract; ``problems`` says where, up to ``PROBLEMS_MAX`` of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:PROBLEMS_MAX])
        super().__init__("; ".join(describe(problem) for problem in self.problems[:3]))


def describe(problem: Problem) -> str:
    """Return the problem as one line for a person."""
    where = [f"row {problem.row}"] if problem.row is not None else []
    where += [f"column {problem.column!r}"] if problem.column is not None else []
    return f"{', '.join(where)}: {problem.message}" if where else problem.message


@dataclass(frozen=True)
class Column:
    """One column of the contract; ``seen_*`` is what training met, information and not a limit."""

    name: str
    kind: Kind
    nullable: bool
    description: str = ""
    unit: str = ""
    example: Any = None
    missing: frozenset[str] = frozenset({""})
    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    multipliers: Mapping[str, float] = field(default_factory=dict)
    parentheses: bool = False
    stray: str = ""
    ranges: bool = False
    parts: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, bool] = field(default_factory=dict)
    verbatim: bool = False  # blanks around a text count
    date_format: str = ""
    seen_minimum: float | None = None
    seen_maximum: float | None = None
    seen_in: str = IN_TRAINING
    whole: bool = False
    values: tuple[str, ...] = ()
    tensor: Tensor | None = None

    @property
    def is_text(self) -> bool:
        """Return whether canonical values are ``str`` (a category or a text) instead of float64."""
        return self.kind in {"category", "text"}

    @cached_property
    def is_plain(self) -> bool:
        """Return whether a cell is a number as Python writes it, or missing: nothing before, behind or between."""
        return self.kind == "number" and not self.is_dressed and not any(map(_is_a_number, self.missing))

    @cached_property
    def gap_numbers(self) -> frozenset[float]:
        """Return the numbers that the data writes where there is none, such as -999."""
        written = (float(text) for text in self.missing if _is_a_number(text)) if self.kind == "number" else ()
        return frozenset(number for number in written if self.nullable and math.isfinite(number))

    @property
    def is_dressed(self) -> bool:
        """Return whether the data writes this number as a text such as ``1.234,5 €``; JSON may carry such texts too."""
        signs = self.prefix or self.suffix or self.thousands or self.multipliers or self.decimal != "."
        return self.kind == "number" and bool(signs or self.parentheses or self.stray or self.ranges or self.parts)

    @property
    def gap(self) -> Value:
        """Return the canonical value of a missing cell."""
        return "" if self.is_text else GAP

    def from_cell(self, cell: str) -> Value:
        """Return the canonical value of a raw cell of a file; ``ValueError`` says what was expected."""
        text = cell.strip()
        if text in self.missing or cell in self.missing:
            if not self.nullable:
                raise ValueError(self._gap_message())
            return self.gap
        if self.is_text:
            return cell if self.verbatim else text
        if self.kind == "boolean":
            return self._word(text)
        if self.kind == "date":
            return self._date(text)
        return self._number(text)

    def from_json(self, value: object) -> Value:
        """Return the canonical value of a JSON value; ``ValueError`` says what was expected."""
        if value is None:
            if not self.nullable:
                raise ValueError(self._gap_message())
            return self.gap
        if isinstance(value, str):
            if self.kind == "number" and not self.is_dressed:
                message = f"expected {self.expected}, got the text {_short(value)}"
                raise ValueError(message)
            return self.from_cell(value)
        if isinstance(value, bool):
            if self.kind == "boolean":
                return float(value)
        elif isinstance(value, int | float) and (self.kind == "number" or self.date_format == "epoch_seconds"):
            return self._finite(value)
        message = f"expected {self.expected}, got {_name_of(value)}"
        raise ValueError(message)

    @property
    def expected(self) -> str:
        """Return what a value of this column looks like, in words."""
        if self.tensor is not None:
            return self.tensor.expected
        words = {"number": "a number", "boolean": "true or false", "category": "a text", "text": "a text"}
        what = words.get(self.kind, f"a date like {self.example!r}")
        return f"{what} or null" if self.nullable else what

    def _gap_message(self) -> str:
        return f"expected {self.expected}: training saw no gap in this column"

    def _word(self, text: str) -> float:
        for word in (text, text.lower()):
            if word in self.words:
                return float(self.words[word])
        message = f"expected one of {', '.join(map(repr, self.words))}, got {_short(text)}"
        raise ValueError(message)

    def _number(self, text: str) -> float:
        number = self._amount(text)
        if number is None and self.stray:
            number = self._amount(re.sub(f"^[{re.escape(self.stray)}]|[{re.escape(self.stray)}]$", "", text))
        if number is None and self.ranges and len(text) <= NUMBER_LENGTH_MAX:
            number = self._middle(text)
        if number is None and self.parts and len(text) <= NUMBER_LENGTH_MAX:
            number = self._sum(text)
        if number is None:
            message = f"expected {self.expected}, got the text {_short(text)}"
            raise ValueError(message)
        return self._finite(number)

    def _amount(self, text: str) -> float | None:
        """Return the number that a text writes in the data's form, None when it writes none."""
        plain = text.replace("\u2212", "-")  # the minus sign of typesetters
        if self.parentheses and plain.startswith("(") and plain.endswith(")"):  # as accountants write what is owed
            plain = f"-{plain[1:-1].strip()}"
        if self.prefix or self.suffix:
            sign = "-" if plain.startswith("-") else ""
            plain = sign + plain.removeprefix("-").strip().removeprefix(self.prefix).removesuffix(self.suffix).strip()
        if self.thousands:
            plain = plain.replace(self.thousands, "")
        if self.decimal != ".":
            plain = plain.replace(self.decimal, ".")
        mark = max((mark for mark in self.multipliers if plain.endswith(mark)), key=len, default="")
        plain = plain.removesuffix(mark).rstrip()
        try:  # Python reads 1_000 as a number; no data file means that
            return None if "_" in plain else float(plain) * self.multipliers.get(mark, 1.0)
        except ValueError:
            return None

    def _middle(self, text: str) -> float | None:
        """Return the middle of a range such as 10-20."""
        found = RANGE.fullmatch(text)
        low, high = map(self._amount, found.groups()) if found else (None, None)
        return None if low is None or high is None or low > high else low + (high - low) / 2

    def _sum(self, text: str) -> float | None:
        """Return what the parts of a number in several units come to: 2h 50m."""
        duration = DURATION.fullmatch(text)
        text = (duration[1] or "") + (duration[2] or "") if duration else text
        total = 0.0
        for number, rest in PART.findall(text):
            unit = rest.strip(" ,").removesuffix("and").strip(" ,").lower()
            if unit not in self.parts:
                return None
            total += float(number) * self.parts[unit]
        return total if text[:1].isdigit() else None

    def _finite(self, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return GAP if number in self.gap_numbers else number
        message = f"expected {self.expected}, got a number that is not finite"
        raise ValueError(message)

    def _date(self, text: str) -> float:
        if self.date_format == "epoch_seconds":
            return self._number(text)
        for pattern in (self.date_format, "iso"):
            try:
                moment = _moment(text, pattern)
            except ValueError:
                continue
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        message = f"expected {self.expected}, got {_short(text)}"
        raise ValueError(message)


class KnownCells(dict[str, Value]):
    """The canonical values of a column's raw cells, each parsed when it is first asked for."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, cell: str) -> Value:
        """Return the canonical value of a cell not met before; ``ValueError`` says what was expected."""
        value = self._column.from_cell(cell)
        if len(self) < CACHE_MAX:
            self[cell] = value
        return value


class Schema:
    """The contract of one row, and the question that the model answers about it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen_in: str = document.get("x-seen-in", IN_TRAINING)  # where the ranges and the usual row come from
        required = set(document.get("required", ()))
        self.columns = tuple(
            _column(name, facts, nullable=name not in required, seen_in=self.seen_in)
            for name, facts in document["properties"].items()
        )
        self.by_name = {column.name: column for column in self.columns}
        self.task: Literal["binary", "multiclass", "regression"] = document["x-task"]
        self.target: str = document["x-target"]
        self.labels: tuple[int | str, ...] = tuple(document.get("x-labels", ()))
        self.positive: int | str | None = document.get("x-positive")
        self.ignored: dict[str, str] = dict(document.get("x-ignored", {}))
        answer = document.get("x-answer", {})
        self.sides: tuple[int, ...] = tuple(answer.get("sides", ()))  # of an answer of several numbers
        self.has_scores: bool = answer.get("scores", False)  # the raw ones, which the probabilities are made of
        tensors = [column.tensor for column in self.columns if column.tensor is not None]
        made = [facts.get("x-values", 0) for facts in document["properties"].values()]  # of a text, say
        self.values = sum([tensor.size for tensor in tensors]) + sum(made)  # of a row's tensors
        self.depth = 3 + max([len(tensor.shape) for tensor in tensors], default=0)  # of a body's lists and objects
        self.lists = 2 + sum([math.prod(tensor.shape[:at]) for tensor in tensors for at in range(len(tensor.shape))])
        self._cells = {column.name: KnownCells(column) for column in self.columns}

    @classmethod
    def load(cls, path: Path) -> Schema:
        """Return the contract that ``path`` (a ``schema.json``) holds."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def rows_at_once(self, most: int) -> int:
        """Return how many rows one request may have, ``most`` unless their tensors would take too much memory."""
        return min(most, max(1, VALUES_MAX // self.values)) if self.values else most

    @property
    def is_explained(self) -> bool:
        """Return whether an answer is shared out among the columns: not where one is a tensor, or the answer is."""
        return not self.values and not self.sides

    @property
    def label_texts(self) -> tuple[str, ...]:
        """Return the labels as they stand in a CSV file and as keys of ``probabilities``."""
        return tuple(str(label) for label in self.labels)

    @property
    def example(self) -> dict[str, Any]:
        """Return a row that the contract accepts, made of each column's example; no row of the data."""
        return {column.name: column.example for column in self.columns}

    def target_column(self) -> Column:
        """Return how a number is read from the target's cells (regression)."""
        facts = {"x-number": self.document.get("x-target-number", {}), "x-missing": self.missing_targets}
        return _column(self.target, facts, nullable=True)

    @property
    def missing_targets(self) -> list[str]:
        """Return the raw texts that mean that a row's target is not known."""
        return list(self.document.get("x-target-missing", ["", "NA", "NaN", "nan", "null"]))

    def from_rows(self, rows: Sequence[object]) -> Columns:
        """Return the canonical columns of JSON rows (each an object: column name to value).

        An absent column is the same as null. Raises ``InputError`` with every problem, up to ``PROBLEMS_MAX``.
        """
        if len(rows) > self.rows_at_once(len(rows)):
            most = self.rows_at_once(len(rows))
            message = f"{len(rows):,} rows of {self.values:,} values each: expected at most {most:,} rows"
            raise InputError([Problem(None, None, message)])
        problems: list[Problem] = []
        gathered: dict[str, list[Any]] = {column.name: [] for column in self.columns}
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                message = f"expected an object with a value a column, got {_name_of(row)}"
                problems.append(Problem(index, None, message))
            else:
                problems.extend(self._unknown_names(row, index, hints=HINTS_MAX - len(problems)))
                for column in self.columns:
                    try:
                        reader = column if column.tensor is None else column.tensor
                        gathered[column.name].append(reader.from_json(row.get(column.name)))
                    except ValueError as error:
                        problems.append(Problem(index, column.name, self._absent(row, column) or str(error)))
            if len(problems) >= PROBLEMS_MAX:
                break
        if problems:
            raise InputError(problems)
        return {column.name: _array(column, gathered[column.name]) for column in self.columns}

    def from_cells(self, cells: Mapping[str, Sequence[str]], *, first_row: int = 0) -> Columns:
        """Return the canonical columns of raw cells (column name to its cells, as a file holds them).

        A column that the file does not have is all gaps. Raises ``InputError`` with every problem, up to
        ``PROBLEMS_MAX``.
        """
        problems: list[Problem] = []
        rows = max((len(column_cells) for column_cells in cells.values()), default=0)
        others = [name for name in cells if name not in self.by_name]
        found: Columns = {}
        for column in self.columns:
            raw = cells.get(column.name)
            if raw is not None and column.tensor is not None:
                found[column.name] = _tensors(column, column.tensor, raw, first_row, problems)
            elif raw is None:
                if not column.nullable:
                    near = _nearest(column.name, others) if len(problems) < HINTS_MAX else ""
                    problems.append(Problem(None, column.name, f"the column is missing{near}"))
                found[column.name] = _array(column, [column.gap] * rows)
            else:
                found[column.name] = _array(column, self._parse(column, raw, first_row, problems))
        if problems:
            raise InputError(sorted(problems, key=lambda problem: -1 if problem.row is None else problem.row))
        return found

    def _parse(
        self, column: Column, cells: Sequence[str], first_row: int, problems: list[Problem]
    ) -> Sequence[Value] | NDArray[np.float64]:
        try:
            if column.is_plain and (column.nullable or "" not in cells):
                return _plain_numbers(cells)
            return _each(self._cells[column.name], cells)
        except ValueError:  # then one by one, so that each is named
            known, values = self._cells[column.name], []
        for index, cell in enumerate(cells):
            try:
                values.append(known[cell])
            except ValueError as error:
                if len(problems) == PROBLEMS_MAX:
                    break  # as many as are told
                problems.append(Problem(first_row + index, column.name, str(error)))
                values.append(column.gap)
        return values

    def _unknown_names(self, row: dict[object, object], index: int, *, hints: int) -> Iterable[Problem]:
        unknown = (str(name) for name in row if name not in self.by_name and name not in self.ignored)
        for place, name in enumerate(islice(unknown, PROBLEMS_MAX)):
            near = _nearest(name, self.by_name) if place < hints else ""
            yield Problem(index, name[:NAME_LENGTH_MAX], f"no such column{near}")

    def _absent(self, row: dict[object, object], column: Column) -> str:
        if column.name in row:
            return ""
        return f"the column is missing: expected {column.expected}"


def _tensors(
    column: Column, tensor: Tensor, cells: Sequence[str], first_row: int, problems: list[Problem]
) -> NDArray[np.float64]:
    """Return a row of numbers a cell; what is wrong with one is added to ``problems``."""
    found = np.zeros((len(cells), tensor.size))
    for index, cell in enumerate(cells):
        if len(problems) == PROBLEMS_MAX:
            break
        try:
            found[index] = tensor.from_cell(cell.strip())
        except ValueError as error:
            problems.append(Problem(first_row + index, column.name, str(error)))
    return found


def _each(known: KnownCells, cells: Sequence[str]) -> Sequence[Value]:
    values: Sequence[Value] = itemgetter(*cells)(known) if len(cells) > 1 else [known[cell] for cell in cells]
    return values


def _plain_numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return the numbers of cells that hold nothing else, NaN for empty ones; ``ValueError`` when one is otherwise."""
    empty = cells.count("")
    numbers = np.array([float(cell) if cell else GAP for cell in cells] if empty else list(map(float, cells)))
    # Python also reads 1_000, nan and infinity as numbers; no data file means that.
    if np.count_nonzero(np.isfinite(numbers)) != len(cells) - empty or "_" in "".join(cells):
        raise ValueError
    return numbers


def _is_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(name: str, facts: dict[str, Any], *, nullable: bool, seen_in: str = IN_TRAINING) -> Column:
    number = facts.get("x-number", {})
    seen = facts.get("x-seen", {})
    kind: Kind = facts.get("x-kind", "number")
    column = Column(
        name=name,
        kind=kind,
        nullable=nullable,
        description=facts.get("description", ""),
        unit=facts.get("x-unit", ""),
        example=next(iter(facts.get("examples", ())), None),
        missing=frozenset({*facts.get("x-missing", ()), ""}),
        decimal=number.get("decimal", "."),
        thousands=number.get("thousands", ""),
        prefix=number.get("prefix", ""),
        suffix=number.get("suffix", ""),
        multipliers=number.get("multipliers", {}),
        parentheses=number.get("parentheses", False),
        stray=number.get("stray", ""),
        ranges=number.get("ranges", False),
        parts=number.get("parts", {}),
        words={key: value for word, value in facts.get("x-words", {}).items() for key in (word, word.lower())},
        verbatim=facts.get("x-verbatim", False),
        date_format=facts.get("x-date", "iso") if kind == "date" else "",
        seen_in=seen_in,
        whole=bool(seen.get("whole", False)),
        values=tuple(value.strip() for value in seen.get("values", ()) if isinstance(value, str)),
        tensor=TENSORS[kind](facts) if kind in TENSORS else None,
    )
    return _with_seen_range(column, seen)


def _with_seen_range(column: Column, seen: dict[str, Any]) -> Column:
    def bound(name: str) -> float | None:
        value = seen.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return float(Column(column.name, "date", nullable=True, date_format="iso").from_cell(value))
            except ValueError:
                return None
        return float(value)

    values = {**vars(column), "seen_minimum": bound("minimum"), "seen_maximum": bound("maximum")}
    return Column(**values)


def _moment(text: str, pattern: str) -> datetime:
    if pattern == "iso":
        return datetime.fromisoformat(text)
    if "%b" in pattern or "%B" in pattern:
        text = ORDINAL.sub("", text)  # 21st March 1995
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - data without a zone is read as UTC


def _array(column: Column, values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    if column.is_text:
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return np.asarray(values, dtype=np.float64)


def _nearest(name: str, known: Iterable[str]) -> str:
    folded = {candidate[:NAME_LENGTH_MAX].casefold(): candidate for candidate in islice(known, NAMES_MAX)}
    match = difflib.get_close_matches(name[:NAME_LENGTH_MAX].casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {_short(folded[match[0]])}?" if match else ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 - a glance, not the cell


def _name_of(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
