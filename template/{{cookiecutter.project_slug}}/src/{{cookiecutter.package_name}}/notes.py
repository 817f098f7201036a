"""What the reader of one answer should know about its row: gaps, strangers, values outside the seen range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .schema import IN_TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .features import Encoder
    from .schema import Column, Columns, Schema

MISSING_MESSAGE = "no value: answered as training answered gaps"
CATEGORY_LENGTH_MAX = 80


@dataclass(frozen=True)
class Note:
    """Something a reader of one answer should know: which column, what kind of oddity, in words."""

    kind: str
    column: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return the note as it stands in an answer."""
        return {"kind": self.kind, "column": self.column, "message": self.message}


@runtime_checkable
class Teller(Protocol):
    """A step of the encoder that has something to say of rows."""

    column: str

    def told(self, columns: Columns) -> Iterator[tuple[int, str, str]]:
        """Return the row, the kind of oddity and the words of each note."""


def unfamiliar(schema: Schema) -> dict[str, Any]:
    """Return the note on a row whose values are unlike what was seen, all together."""
    seen = "the training data" if schema.seen_in == IN_TRAINING else f"the rows seen {schema.seen_in}"
    message = f"taken together its values are unlike {seen}: 999 of 1,000 of those rows are more usual"
    return {"kind": "unfamiliar", "column": None, "message": message}


def notes_of(schema: Schema, encoder: Encoder, columns: Columns, rows: int) -> list[list[Note]]:
    """Return the notes of each of ``rows`` canonical rows, in the order of the contract's columns."""
    notes: list[list[Note]] = [[] for _ in range(rows)]
    for column in schema.columns:
        for row, note in _column_notes(column, columns[column.name], encoder.categories.get(column.name)):
            notes[row].append(note)
    for step in encoder.steps:
        if isinstance(step, Teller):
            for row, kind, message in step.told(columns):
                notes[row].append(Note(kind, step.column, message))
    return notes


def number_note(column: Column, value: float) -> Note | None:
    """Return the note on a number, boolean or date, if it deserves one."""
    if value != value:  # noqa: PLR0124 - the fastest test for NaN
        return Note("missing", column.name, MISSING_MESSAGE)
    low, high = column.seen_minimum, column.seen_maximum
    if low is not None and high is not None and not low <= value <= high:
        if column.kind == "date":
            return Note("out_of_range", column.name, f"outside the dates seen {column.seen_in}")
        message = f"{value:g} is outside {low:g} to {high:g}, the range seen {column.seen_in}"
        return Note("out_of_range", column.name, message)
    if column.whole and not value.is_integer():
        return Note("fraction", column.name, f"{value:g} is a fraction; only whole numbers were seen {column.seen_in}")
    return None


def unseen_note(column: Column, value: str) -> Note:
    """Return the note on a category that training never met."""
    return Note("unseen_category", column.name, f"{value[:CATEGORY_LENGTH_MAX]!r} was never seen in training")


def _column_notes(column: Column, values: NDArray[Any], known: frozenset[str] | None) -> Iterator[tuple[int, Note]]:
    if column.tensor is not None:
        return
    if column.is_text:
        for row, value in enumerate(values):
            if value == "":
                yield row, Note("missing", column.name, MISSING_MESSAGE)
            elif known is not None and value not in known:
                yield row, unseen_note(column, value)
        return
    for row, value in enumerate(values.tolist()):
        note = number_note(column, value)
        if note:
            yield row, note
