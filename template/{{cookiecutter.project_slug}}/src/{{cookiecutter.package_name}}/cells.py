"""The cells of many lines of a CSV file by their places, read all at once instead of one by one.

A cell's bytes are looked at eight at a time, as one number each (of Lemire's and Langdale's ways to parse text:
doi:10.1007/s00778-019-00578-5). What is not plain is told, never guessed: it is then read as a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.uint64]
    Places = NDArray[np.intp]
    Yes = NDArray[np.bool_]

WORD = 8  # bytes looked at in one
MARGIN = b"0" * 2 * WORD  # around the content: a cell at its edge is looked at like all others
QUOTE, LINE_END, MINUS, DOT = b'"\n-.'
DIGITS_MAX = 2 * WORD  # before the dot or behind it
WHOLE_MAX = 2**53  # float64 holds every whole number up to here, so one division gives the nearest float64
POWERS = 10 ** np.arange(DIGITS_MAX + 1, dtype=np.uint64)
FIRST_BYTES = np.array([(1 << (8 * size)) - 1 for size in range(WORD + 1)], dtype=np.uint64)  # of a word
LAST_BYTES = ~FIRST_BYTES[::-1]
ZEROS = np.uint64(0x3030303030303030)
SIXES, HIGH_HALVES, THREES, FOUR = (
    np.uint64(bits) for bits in (0x0606060606060606, 0xF0F0F0F0F0F0F0F0, 0x3333333333333333, 4)
)
PAIRS, FOURS, EIGHT = (  # two digits become a number below 100, two of these one below 10,000, and so on
    (np.uint64(mask), np.uint64(factor), np.uint64(shift))
    for mask, factor, shift in (
        (0x0F0F0F0F0F0F0F0F, 2561, 8),
        (0x00FF00FF00FF00FF, 6553601, 16),
        (0x0000FFFF0000FFFF, 42949672960001, 32),
    )
)


class Cells:
    """The cells of whole lines: where each starts and ends."""

    def __init__(self, content: bytes, *, rows: int, columns: int, delimiter: str) -> None:
        """Cut ``content``, whose quotes stand around cells only; ``ValueError`` when a line has more or fewer cells."""
        self._content = MARGIN + content + MARGIN
        self._bytes = np.frombuffer(self._content, dtype=np.uint8)
        self._words = np.ndarray((len(self._content) - WORD + 1,), "<u8", self._content, strides=(1,))
        inner = self._bytes[len(MARGIN) : -len(MARGIN)]
        found = np.flatnonzero((inner == ord(delimiter)) | (inner == LINE_END)) + len(MARGIN)
        quotes = np.flatnonzero(self._bytes == QUOTE) if b'"' in content else None
        if quotes is not None:
            found = found[quotes.searchsorted(found) % 2 == 0]
        if len(found) != rows * columns or (self._bytes[found[columns - 1 :: columns]] != LINE_END).any():
            raise ValueError(rows)
        starts = np.concatenate([[len(MARGIN)], found[:-1] + 1])
        self.lines = starts[::columns] - len(MARGIN), found[columns - 1 :: columns] - len(MARGIN)
        if quotes is not None:
            quoted = self._bytes[starts] == QUOTE
            starts, found = starts + quoted, found - quoted
        self._starts = np.ascontiguousarray(starts.reshape(rows, columns).T)
        self._ends = np.ascontiguousarray(found.reshape(rows, columns).T)
        self._dots = np.append(np.flatnonzero(self._bytes == DOT), len(self._bytes))

    def text(self, column: int, row: int) -> str:
        """Return a cell as it stands in the file."""
        return self._content[self._starts[column, row] : self._ends[column, row]].decode()

    def texts(self, column: int) -> list[str]:
        """Return the cells of a column as they stand in the file."""
        places = zip(self._starts[column].tolist(), self._ends[column].tolist(), strict=True)
        return [self._content[start:end].decode() for start, end in places]

    def words(self, column: int, words_max: int) -> list[Whole] | None:
        """Return the cells of a column as numbers, one for each eight bytes; None when one has more words."""
        starts = self._starts[column]
        sizes = self._ends[column] - starts
        count = -(-int(sizes.max()) // WORD) or 1
        if count > words_max:
            return None
        found = [self._words[starts] & FIRST_BYTES.take(sizes, mode="clip")]
        for place in range(WORD, count * WORD, WORD):
            at = np.minimum(starts + place, len(self._words) - 1)
            found.append(self._words[at] & FIRST_BYTES.take(np.maximum(sizes - place, 0), mode="clip"))
        return found

    def numbers(self, column: int) -> tuple[NDArray[np.float64], Yes]:
        """Return the numbers in a column, and which cells are plain ones; the others have no meaning here."""
        return self._numbers(self._starts[column], self._ends[column])

    def starting_with(self, signs: bytes) -> list[tuple[int, int]]:
        """Return the column and row of each cell that starts with one of these signs and is no plain number."""
        heads = self._bytes[self._starts]
        found = np.zeros(heads.shape, dtype=bool)
        for sign in signs:
            found |= heads == sign
        columns, rows = np.nonzero(found & (self._starts < self._ends))
        numbers = self._numbers(self._starts[columns, rows], self._ends[columns, rows])[1]
        return list(zip(columns[~numbers].tolist(), rows[~numbers].tolist(), strict=True))

    def _numbers(self, starts: Places, ends: Places) -> tuple[NDArray[np.float64], Yes]:
        below_zero = self._bytes[starts] == MINUS
        starts = starts + below_zero
        dots = np.minimum(self._dots[self._dots.searchsorted(starts)], ends)
        before, behind = dots - starts, np.maximum(ends - dots - 1, 0)
        plain = (before + behind > 0) & (before + behind <= DIGITS_MAX + 1) & (np.maximum(before, behind) <= DIGITS_MAX)
        whole, are_digits = self._digits(dots, before)
        plain &= are_digits
        power = POWERS.take(behind, mode="clip")
        if behind.any():
            rest, are_digits = self._digits(ends, behind)
            plain &= are_digits
            whole = whole * power + rest
        plain &= whole <= WHOLE_MAX
        numbers = whole / power
        return np.where(below_zero, -numbers, numbers), plain

    def _digits(self, ends: Places, sizes: Places) -> tuple[Whole, Yes]:
        """Return what the digits before ``ends`` mean, and whether they are digits; 16 at most are looked at."""
        found, plain = self._eight_digits(ends, sizes)
        if len(sizes) and sizes.max() > WORD:
            more, are_digits = self._eight_digits(np.maximum(ends - WORD, WORD), np.maximum(sizes - WORD, 0))
            found += more * POWERS[WORD]
            plain &= are_digits
        return found, plain

    def _eight_digits(self, ends: Places, sizes: Places) -> tuple[Whole, Yes]:
        kept = LAST_BYTES.take(sizes, mode="clip")
        word = (self._words[ends - WORD] & kept) | (ZEROS & ~kept)
        plain = ((word & HIGH_HALVES) | (((word + SIXES) & HIGH_HALVES) >> FOUR)) == THREES
        for mask, factor, shift in (PAIRS, FOURS, EIGHT):
            word = ((word & mask) * factor) >> shift
        return word, plain
