"""The rows of a file in one pass: its cells cut, looked up, and turned into features, a column at a time.

The same features as ``Schema.from_cells`` and ``Encoder.encode`` give, at a tenth of their time. What is not plainly
right is left to them: they know every rule and name every problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .features import Lookup, OneHot
from .schema import KnownCells
from .tables import unique_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells
    from .features import Encoder
    from .schema import Column, Columns, Schema
    from .tables import Chunk

WORDS_MAX = 4  # of eight bytes: longer cells are read one by one
KNOWN_MAX = 1_000  # different cells that are looked up all at once; a column with more is read one by one
FACTORS = [np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)]


class Found(NamedTuple):
    """The values that a column's cells can mean, and which of them each row has."""

    values: list[Any]
    places: NDArray[np.intp]


class FileReader:
    """The lines of files of one contract, read into the encoder's features."""

    def __init__(self, schema: Schema, encoder: Encoder) -> None:
        self._schema = schema
        self._encoder = encoder
        self._known = {column.name: Known(column) for column in schema.columns}

    def read(self, chunk: Chunk) -> NDArray[np.float64]:
        """Return the features of the rows; ``InputError`` names every problem."""
        try:
            return self._quickly(chunk)
        except ValueError:
            return self._encoder.encode(self._schema.from_cells(chunk.columns(), first_row=chunk.first), len(chunk))

    def _quickly(self, chunk: Chunk) -> NDArray[np.float64]:
        if self._schema.values or chunk.cells is None:
            raise ValueError(chunk.first)
        places = {name: place for place, name in enumerate(unique_names(chunk.names))}
        columns: Columns = {}
        found: dict[str, Found] = {}
        for column in self._schema.columns:
            read = self._column(column, chunk.cells, places.get(column.name), len(chunk))
            if isinstance(read, Found):
                found[column.name] = read
            else:
                columns[column.name] = read
        matrix = np.empty((len(chunk), self._encoder.width))
        start = 0
        for step in self._encoder.steps:
            out = matrix[:, start : start + step.width]
            if isinstance(step, OneHot | Lookup) and step.column in found:
                values, which = found[step.column]
                codes = np.array([step.codes.get(value, step.unseen_code) for value in values], dtype=np.intp)
                step.put(codes[which], out)
            else:
                step.encode(columns, out)
            start += step.width
        return matrix

    def _column(self, column: Column, cells: Cells, place: int | None, rows: int) -> Found | NDArray[Any]:
        """Return the canonical values of a column; ``ValueError`` when a cell is not right."""
        known = self._known[column.name]
        if place is None:
            if not column.nullable:
                raise ValueError(column.name)
            return known.column_of([known.cells[""]] * rows)
        if column.is_plain:
            numbers, plain = cells.numbers(place)
            for row in np.flatnonzero(~plain).tolist():
                numbers[row] = known.cells[cells.text(place, row)]
            return numbers
        which = None if column.kind == "text" else known.find(cells, place)
        if which is None:
            return known.column_of([known.cells[text] for text in cells.texts(place)])
        return Found(known.values, which) if column.is_text else known.column_of(known.values)[which]


class Known:
    """The different cells of a column met so far, with what each means."""

    def __init__(self, column: Column) -> None:
        self.cells = KnownCells(column)
        self.values: list[Any] = []
        self._is_text = column.is_text
        self._words = np.zeros((WORDS_MAX, 0), dtype=np.uint64)
        self._marks = np.zeros(0, dtype=np.uint64)  # made of the words, in order
        self._order = np.zeros(0, dtype=np.intp)

    def column_of(self, values: list[Any]) -> NDArray[Any]:
        """Return values as a canonical column."""
        array = np.empty(len(values), dtype=object if self._is_text else np.float64)
        array[:] = values
        return array

    def find(self, cells: Cells, place: int) -> NDArray[np.intp] | None:
        """Return for each cell of a column its place in ``values``, or None when it has too many or too long ones.

        ``ValueError`` when a cell is not right.
        """
        words = cells.words(place, WORDS_MAX) if len(self.values) <= KNOWN_MAX else None
        if words is None:
            return None
        marks = words[0] * FACTORS[0]
        for word, factor in zip(words[1:], FACTORS[1:], strict=False):
            marks ^= word * factor
        found, strange = self._look_up(marks, words)
        if strange.any():
            new, rows = np.unique(marks[strange], return_index=True)
            if len(self.values) + len(new) > KNOWN_MAX:
                return None
            rows = np.flatnonzero(strange)[rows]
            self._learn([cells.text(place, row) for row in rows.tolist()], new, words, rows)
            found, strange = self._look_up(marks, words)
        return None if strange.any() else found  # two cells that share a mark are told apart by nobody

    def _look_up(self, marks: NDArray[np.uint64], words: list[NDArray[np.uint64]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return each cell's place in ``values``, and which cells are not there."""
        if not self.values:
            return np.zeros(len(marks), dtype=np.intp), np.ones(len(marks), dtype=bool)
        found = self._order.take(self._marks.searchsorted(marks), mode="clip")
        strange = np.zeros(len(marks), dtype=bool)
        for word, known in zip(words, self._words, strict=False):
            strange |= known[found] != word
        for known in self._words[len(words) :]:
            strange |= known[found] != 0
        return found, strange

    def _learn(
        self, texts: list[str], marks: NDArray[np.uint64], words: list[NDArray[np.uint64]], rows: NDArray[np.intp]
    ) -> None:
        """Add what the cells in ``rows`` mean."""
        self.values += [self.cells[text] for text in texts]
        added = np.zeros((WORDS_MAX, len(rows)), dtype=np.uint64)
        for line, word in zip(added, words, strict=False):
            line[:] = word[rows]
        self._words = np.concatenate([self._words, added], axis=1)
        unsorted = np.concatenate([self._marks[np.argsort(self._order)], marks])
        self._order = np.argsort(unsorted, kind="stable")
        self._marks = unsorted[self._order]
