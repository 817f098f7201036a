"""A column's cells counted: each different text once, with how many rows hold it. Every judgement is made on these."""

from __future__ import annotations

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


def count(series: pd.Series[Any]) -> Cells:
    """Return the counted cells of one column of a frame of texts; a missing cell is the empty text."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    try:
        column = pa.array(series, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        column = pa.array([None if value is None else str(value) for value in series], type=pa.large_string())
    if not isinstance(column, pa.ChunkedArray):
        column = pa.chunked_array([column])
    if column.null_count:
        column = pc.fill_null(column, "")
    if len(column) > HEAVY_ROWS and _are_different_integers(column):
        texts, rows = pa.concat_arrays(column.chunks), len(column)
        return Cells(texts, texts, np.ones(rows, dtype=np.int64), np.arange(rows, dtype=np.int32))
    encoded = pc.dictionary_encode(column)
    if encoded.num_chunks == 0:
        texts, codes = pa.array([], pa.large_string()), np.zeros(0, dtype=np.int32)
    else:  # every chunk carries the dictionary of all
        texts = encoded.chunk(encoded.num_chunks - 1).dictionary
        codes = np.concatenate([_numpy(chunk.indices) for chunk in encoded.chunks]).astype(np.int32, copy=False)
    counts = np.bincount(codes, minlength=len(texts)).astype(np.int64)
    return Cells(texts, _stripped(texts), counts, codes)


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

    trimmed = pc.utf8_trim_whitespace(texts)
    before, after = (pc.sum(pc.binary_length(array)).as_py() for array in (texts, trimmed))
    return texts if before == after else trimmed


def mostly_differ(series: pd.Series[Any]) -> bool:
    """Return whether a long column's cells seem to differ nearly all: counting them then takes its size again."""
    rows = len(series)
    return rows > HEAVY_ROWS and series.iloc[:: rows // SAMPLE_ROWS].nunique() > 0.9 * SAMPLE_ROWS


def matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Return for each text whether it matches the regular expression (RE2) somewhere."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    return _numpy(pc.match_substring_regex(texts, pattern))


def is_in(texts: pa.Array, words: frozenset[str]) -> NDArray[np.bool_]:
    """Return for each text whether it is one of ``words``, which are in small letters, in any case."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    import pyarrow.compute as pc  # noqa: PLC0415

    longest = max(map(len, words))
    short = _numpy(pc.utf8_length(texts)) <= longest
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
        if cells.codes is None or self._differ:
            return
        if len(cells) == len(self._marks):  # one column without doubles rules out equal rows
            self._differ = True
            return
        mixed = cells.codes.astype(np.uint64)
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
