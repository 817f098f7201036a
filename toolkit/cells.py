"""A column's cells counted: each different text once, with how many rows hold it. Every judgement is made on these."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

HEAVY_ROWS = 200_000  # from here on a column's memory is worth a thought: some 5 MB and more
SAMPLE_ROWS = 2000
PIECES_MAX = 1000  # of a column, joined without copying it first
FOLDED_BYTES = 4  # more, in which a word may be written in capitals of other scripts
BLOCK_ROWS = 1 << 16  # texts made or compared at a time


@dataclass(frozen=True, eq=False)
class Cells:
    """``texts`` are the different raw texts (an absent cell is the empty text), ``counts`` the rows that hold each.

    ``stripped`` are the texts without blanks around them. ``codes`` gives each row the place of its text;
    it is ``None`` once cells were left out.
    """

    texts: pa.Array
    stripped: pa.Array
    counts: NDArray[np.int64]
    codes: NDArray[np.int32] | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows that these cells come from."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, mask: NDArray[np.bool_]) -> Cells:
        """Return the cells that ``mask`` (one truth a text) keeps."""
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        if bool(mask.all()):
            return self
        keep = pa.array(mask)
        texts = self.texts.filter(keep)
        stripped = texts if self.stripped is self.texts else self.stripped.filter(keep)
        return Cells(texts, stripped, self.counts[mask])

    def merged(self) -> Cells:
        """Return the cells with texts that differ only in blanks around them counted as one."""
        import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

        if self.stripped is self.texts:
            return self
        encoded = pc.dictionary_encode(self.stripped)
        texts = encoded.dictionary
        if len(texts) == len(self):
            return Cells(self.stripped, self.stripped, self.counts)
        counts = np.bincount(_numpy(encoded.indices), weights=self.counts, minlength=len(texts)).astype(np.int64)
        return Cells(texts, texts, counts)

    def top(self, count: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Return the most frequent texts, most frequent first, then alphabetical, and their counts."""
        if len(self) > 10 * count:  # sorting a million texts for a hundred of them is waste
            limit = np.partition(self.counts, -count)[-count]
            kept = self.where(self.counts >= limit)
            if len(kept) <= 100 * count:
                return kept.top_of_few(count)
        return self.top_of_few(count)

    def top_of_few(self, count: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Return what ``top`` does, by sorting all texts."""
        pairs = sorted(
            zip(self.texts.to_pylist(), self.counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])
        )
        pairs = pairs[:count]
        return tuple(text for text, _ in pairs), tuple(number for _, number in pairs)


@dataclass(frozen=True, eq=False)
class Fractions:
    """A long column of plain numbers with decimals, most of them different: no text of it needs to be kept.

    ``rows`` are its numbers as they stand (NaN for an empty cell), ``values`` the different ones in their order with
    ``counts``, ``gaps`` how many cells are empty.
    """

    rows: NDArray[np.float64]
    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    gaps: int


def fractions(series: pd.Series[Any]) -> Fractions | None:
    """Return a column's numbers when all its cells are plain numbers or empty and some have decimals, else ``None``.

    Numbers are put in order in a tenth of the time that counting their texts takes, and in a third of the memory.
    """
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    column = _column(series)
    if not _are_plain_fractions(column.slice(0, SAMPLE_ROWS)):
        return None
    rows, start = np.full(len(column), np.nan), 0
    for piece in column.chunks:
        space = rows[start : start + len(piece)]
        start += len(piece)
        try:
            if not piece.null_count:
                with contextlib.suppress(pa.ArrowInvalid):  # an empty cell, most often
                    space[:] = pc.cast(piece, pa.float64())
                    if np.isfinite(space).all():
                        continue
            filled = pc.fill_null(pc.not_equal(pc.binary_length(piece), 0), fill_value=False)
            numbers = pc.cast(piece.filter(filled), pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            return None
        if not np.isfinite(numbers).all():
            return None
        space[filled.to_numpy(zero_copy_only=False)] = numbers
    known = rows[~np.isnan(rows)]
    known.sort()
    begins = np.flatnonzero(np.concatenate(([True], known[1:] != known[:-1])))
    gaps = len(rows) - len(known)
    return Fractions(rows, known[begins], np.diff(np.append(begins, len(known))), gaps)


def _are_plain_fractions(sample: pa.ChunkedArray) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        numbers = pc.cast(sample.filter(pc.not_equal(pc.binary_length(sample), 0)), pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return False
    return bool((numbers != np.floor(numbers)).any())


def _column(series: pd.Series[Any]) -> pa.ChunkedArray:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    try:
        column = pa.array(series, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        column = pa.array([None if value is None else str(value) for value in series], type=pa.large_string())
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def count(series: pd.Series[Any]) -> Cells:
    """Return the counted cells of one column of a frame of texts; a missing cell is the empty text."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    column = _column(series)
    if column.null_count:
        column = pc.fill_null(column, "")
    if len(column) > HEAVY_ROWS and _are_different_integers(column):
        texts, rows = pa.concat_arrays(column.chunks), len(column)
        return Cells(texts, texts, np.ones(rows, dtype=np.int64), np.arange(rows, dtype=np.int32))
    if mostly_differ(series, 0.995):
        return _count_by_marks(column)
    encoded = pc.dictionary_encode(column)
    if encoded.num_chunks == 0:
        texts, codes = pa.array([], pa.large_string()), np.zeros(0, dtype=np.int32)
    else:  # every chunk carries the dictionary of all
        texts = encoded.chunk(encoded.num_chunks - 1).dictionary
        codes = np.concatenate([_numpy(chunk.indices) for chunk in encoded.chunks]).astype(np.int32, copy=False)
    counts = np.bincount(codes, minlength=len(texts)).astype(np.int64)
    return Cells(texts, _stripped(texts), counts, codes)


def _count_by_marks(column: pa.ChunkedArray) -> Cells:
    """Count texts that differ nearly all by 64-bit marks of them: a table of the texts takes their size thrice."""
    import pandas as pd  # noqa: PLC0415 - 300 ms, loaded by then
    import pyarrow as pa  # noqa: PLC0415

    rows = len(column)
    marks = np.empty(rows, dtype=np.uint64)
    for start in range(0, rows, BLOCK_ROWS):
        piece = column.slice(start, BLOCK_ROWS).to_numpy()
        marks[start : start + BLOCK_ROWS] = pd.util.hash_array(piece, categorize=False)
    ordered = np.sort(marks)
    doubled = ordered[:-1][ordered[1:] == ordered[:-1]]
    del ordered
    codes = np.arange(rows, dtype=np.int32)
    if not len(doubled):
        texts = pa.concat_arrays(column.chunks)
        return Cells(texts, _stripped(texts), np.ones(rows, dtype=np.int64), codes)
    places = np.minimum(np.searchsorted(doubled, marks), len(doubled) - 1)
    several = np.flatnonzero(doubled[places] == marks)
    del places
    firsts, groups = np.unique(marks[several], return_index=True, return_inverse=True)[1:]
    first = several[firsts][groups]  # the row where the text of each of those rows stands first
    again = several[first != several]
    kept = np.ones(rows, dtype=bool)
    kept[again] = False
    codes = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    codes[several] = codes[first]
    pieces = column.filter(pa.array(kept)).chunks if len(again) > PIECES_MAX else _between(column, again)
    texts = pa.concat_arrays(pieces)
    return Cells(texts, _stripped(texts), np.bincount(codes).astype(np.int64, copy=False), codes)


def _between(column: pa.ChunkedArray, left_out: NDArray[np.intp]) -> list[pa.Array]:
    """Return a column's cells without a few rows, in pieces on the same memory."""
    ends = [*left_out.tolist(), len(column)]
    starts = [0, *(left_out + 1).tolist()]
    return [piece for start, end in zip(starts, ends, strict=True) for piece in column.slice(start, end - start).chunks]


def _are_different_integers(column: pa.ChunkedArray) -> bool:
    """Return whether all texts are integers in their plainest form and no two are equal, as of a table's own count.

    Asked first, as comparing neighbours takes a fraction of the time and memory that counting different texts takes.
    """
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    first = column.chunk(0)
    for chunk in (first.slice(0, SAMPLE_ROWS), column):
        try:
            values = pc.cast(chunk, pa.int64())
        except pa.ArrowInvalid:
            return False
        rising = values.to_numpy()
        if not (rising[1:] > rising[:-1]).all():
            return False
    return bool(pc.cast(values, pa.large_string()).equals(column))


def _stripped(texts: pa.Array) -> pa.Array:
    """Return the texts without blanks around them: the same array where there are none, as memory counts here."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    for start in range(0, len(texts), BLOCK_ROWS):
        piece = texts.slice(start, BLOCK_ROWS)
        before, after = (pc.sum(pc.binary_length(array)).as_py() for array in (piece, pc.utf8_trim_whitespace(piece)))
        if before != after:
            return pc.utf8_trim_whitespace(texts)
    return texts


def mostly_differ(series: pd.Series[Any], share: float = 0.9) -> bool:
    """Return whether a long column's cells seem to differ nearly all: counting them then takes its size again."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    rows = len(series)
    if rows <= HEAVY_ROWS:
        return False
    sample = _column(series).take(np.arange(0, rows, rows // SAMPLE_ROWS))
    return bool(pc.count_distinct(sample).as_py() > share * SAMPLE_ROWS)


def matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Return for each text whether it matches the regular expression (RE2) somewhere."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    return _numpy(pc.match_substring_regex(texts, pattern))


def is_in(texts: pa.Array, words: frozenset[str]) -> NDArray[np.bool_]:
    """Return for each text whether it is one of ``words``, which are in small letters, in any case."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    longest = max(len(word.encode()) for word in words) + FOLDED_BYTES
    short = _numpy(pc.binary_length(texts)) <= longest
    found = np.zeros(len(texts), dtype=bool)
    if short.any():
        few = texts.filter(pa.array(short))
        found[short] = _numpy(pc.is_in(pc.utf8_lower(few), value_set=pa.array(sorted(words), pa.large_string())))
    return found


def _numpy(array: pa.Array) -> NDArray[Any]:
    return np.asarray(array.to_numpy(zero_copy_only=False))


class RowMarks:
    """Marks that are equal for rows equal in every cell; columns may come in any order, from several threads."""

    def __init__(self, rows: int) -> None:
        self._marks = np.zeros(rows, dtype=np.uint64)
        self._lock = threading.Lock()
        self._differ = False

    def add(self, position: int, cells: Cells) -> None:
        """Take in the cells of the column at ``position``."""
        if cells.codes is not None and not self._differ:
            self._differ = len(cells) == len(self._marks)  # one column without doubles rules out equal rows
            self._mix(position, cells.codes.astype(np.uint64))

    def add_fractions(self, position: int, found: Fractions) -> None:
        """Take in the numbers of the column at ``position``, equal where their values are."""
        if not self._differ:
            self._differ = len(found.values) == len(self._marks)
            self._mix(position, (found.rows + 0.0).view(np.uint64))  # -0.0 is 0.0

    def _mix(self, position: int, mixed: NDArray[np.uint64]) -> None:
        if self._differ:
            return
        mixed += np.uint64((position + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):  # the mixer of SplitMix64
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        with self._lock:
            self._marks += mixed

    def doubles(self) -> int:
        """Return how many rows repeat an earlier one in every cell."""
        import pandas as pd  # noqa: PLC0415 - 300 ms

        return 0 if self._differ else len(self._marks) - len(pd.unique(pd.Series(self._marks)))
