"""Files in and out: CSV in any usual delimiter and encoding, Parquet; always raw text, a chunk at a time."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from operator import methodcaller
from typing import IO, TYPE_CHECKING

from .errors import TableError
from .schema import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

CHUNK_ROWS = 4_000  # rows held at once: about 4 MB of a 30-column table, which a core keeps near
HEAD_BYTES = 65_536  # enough to tell encoding and delimiter
HEADER_LENGTH_MAX = 1_000_000  # characters; what is longer is no table, and could be a million names
LINE_LENGTH_MAX = 20_000_000  # characters; it could be as many cells
DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "cp1252")  # the second reads what spreadsheets on Windows save; it cannot fail on letters
csv.field_size_limit(10_000_000)  # the default of 131,072 characters is shorter than some texts


class _Echo:
    """A file that keeps nothing: what is written to it is returned."""

    def write(self, text: str) -> str:
        """Return ``text``."""
        return text


_END = "\r\n"  # a cell with a character of the line's end gets quotes
_LINES = csv.writer(_Echo(), lineterminator=_END)


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file as raw text: ``names`` of the columns, ``first`` row's number from 0, and the cells.

    Rows without a quote are kept as ``lines``, the cells with ``delimiter`` between: their columns are then cut out of
    the whole at once, at a fifth of the time of reading row by row.
    """

    names: tuple[str, ...]
    first: int
    read: Sequence[Sequence[str]] = ()
    lines: Sequence[str] | None = None
    delimiter: str = ","

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.read if self.lines is None else self.lines)

    @cached_property
    def rows(self) -> Sequence[Sequence[str]]:
        """Return the cells by row."""
        return self.read if self.lines is None else [line.split(self.delimiter) for line in self.lines]

    def columns(self) -> dict[str, Sequence[str]]:
        """Return the cells by column, under names that are all different (see ``unique_names``)."""
        names = unique_names(self.names)
        if not len(self):
            return dict.fromkeys(names, ())
        if self.lines is None:
            return dict(zip(names, zip(*self.read, strict=True), strict=True))
        cells = self.delimiter.join(self.lines).split(self.delimiter)
        return {name: cells[place :: len(names)] for place, name in enumerate(names)}


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that are all different: the second ``a`` is ``a.1``, an empty one ``Unnamed: <position>``."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    found: list[str] = []
    for position, name in enumerate(names):
        base = name if name.strip() else f"Unnamed: {position}"
        candidate, count = base, counts.get(base, 0)
        while candidate in taken:
            count += 1
            candidate = f"{base}.{count}"
        counts[base] = count  # the names up to here are taken
        taken.add(candidate)
        found.append(candidate)
    return tuple(found)


def read_file(path: Path, *, chunk_rows: int = CHUNK_ROWS) -> Generator[Chunk, None, None]:
    """Yield the rows of a CSV or Parquet file (told by its first bytes), in order, ``chunk_rows`` at a time."""
    try:
        with path.open("rb") as stream:
            if stream.read(4) == b"PAR1":
                yield from _read_parquet(path, chunk_rows)
                return
            stream.seek(0)
            yield from read_csv(stream, chunk_rows=chunk_rows)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise TableError(message) from error


def read_csv(stream: IO[bytes], *, chunk_rows: int = CHUNK_ROWS) -> Generator[Chunk, None, None]:
    """Yield the rows of a CSV file, in order, ``chunk_rows`` at a time.

    The delimiter is the likeliest of comma, semicolon, tab and bar; the encoding UTF-8 (with or without its mark),
    UTF-16 by its mark, or Windows-1252. Raises ``InputError`` naming a row with more or fewer cells than the header.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    encoding = _encoding(stream, head)
    text = io.TextIOWrapper(
        stream, encoding=encoding, newline="", errors="strict" if encoding != "cp1252" else "replace"
    )
    try:
        yield from _chunks(text, _delimiter(head.decode(encoding, errors="replace")), chunk_rows)
    except csv.Error as error:
        message = f"the file is no readable CSV: {error}"
        raise TableError(message) from error
    except UnicodeDecodeError as error:
        message = f"the file is not {encoding} text from its byte {error.start} on"
        raise TableError(message) from error
    finally:
        if not stream.closed:  # a reader that is given up midway is closed when its file may be gone
            text.detach()


def _chunks(text: IO[str], delimiter: str, chunk_rows: int) -> Iterator[Chunk]:
    lines = iter(text)
    start = text.readline(HEADER_LENGTH_MAX)
    if len(start) == HEADER_LENGTH_MAX and not start.endswith("\n"):
        message = f"the file has no header line: its first line is longer than {HEADER_LENGTH_MAX:,} characters"
        raise TableError(message)
    names = tuple(next(csv.reader(chain([start] if start else (), lines), delimiter=delimiter), ()))
    if not names:
        message = "the file is empty: expected a header line with the column names"
        raise TableError(message)
    first = 0
    while taken := list(islice(lines, chunk_rows)):
        if max(map(len, taken)) > LINE_LENGTH_MAX:
            message = f"a line behind row {first:,} is longer than {LINE_LENGTH_MAX:,} characters"
            raise TableError(message)
        chunk = _plain(names, first, taken, delimiter) or _quoted(names, first, taken, lines, delimiter)
        if len(chunk):
            yield chunk
        first += len(chunk)
    if first == 0:
        yield Chunk(names, 0)


def _plain(names: tuple[str, ...], first: int, taken: Sequence[str], delimiter: str) -> Chunk | None:
    """Return the lines as a chunk, or None when one has a quote or another number of cells."""
    whole = "".join(taken)
    if '"' in whole:
        return None
    whole = whole.replace("\r\n", "\n").removesuffix("\n")
    if "\r" in whole:
        return None
    lines = whole.split("\n")
    if {*map(methodcaller("count", delimiter), lines)} != {len(names) - 1}:
        return None
    return Chunk(names, first, lines=lines, delimiter=delimiter)


def _quoted(names: tuple[str, ...], first: int, taken: Sequence[str], more: Iterator[str], delimiter: str) -> Chunk:
    """Return the rows of the lines ``taken``; the last one may go on in ``more``."""
    reader = csv.reader(chain(taken, more), delimiter=delimiter)
    rows: list[list[str]] = []
    while reader.line_num < len(taken):
        row = next(reader)
        if not row:
            if len(names) > 1:  # an empty line between rows; in a table of one column it is a gap
                continue
            row = [""]
        if len(row) != len(names):
            message = f"{len(row)} cells, the header has {len(names)}"
            raise InputError([Problem(first + len(rows), None, message)])
        rows.append(row)
    return Chunk(names, first, rows)


def _read_parquet(path: Path, chunk_rows: int) -> Iterator[Chunk]:
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s, for Parquet alone
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        with parquet.ParquetFile(path) as file:
            names, first = tuple(file.schema_arrow.names), 0
            for batch in file.iter_batches(batch_size=chunk_rows):
                columns = [[_text(cell) for cell in column.to_pylist()] for column in batch.columns]
                rows = list(zip(*columns, strict=True))
                yield Chunk(names, first, rows)
                first += len(rows)
            if first == 0:
                yield Chunk(names, 0)
    except pa.ArrowException as error:
        message = f"{path} is no readable Parquet file: {error}"
        raise TableError(message) from error


def _text(cell: object) -> str:
    """Return a typed cell as a CSV file would hold it; a float that is whole loses its ``.0`` as integers have none."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def _encoding(stream: IO[bytes], head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in head:
        message = "the file is binary, not CSV"
        raise TableError(message)
    decoder = io.TextIOWrapper(stream, encoding=ENCODINGS[0], newline="")
    try:
        while decoder.read(1 << 20):
            pass
    except UnicodeDecodeError:
        return ENCODINGS[1]
    else:
        return ENCODINGS[0]
    finally:
        decoder.detach()
        stream.seek(0)


def _delimiter(head: str) -> str:
    """Return the delimiter whose count outside quotes is the same in the most lines."""
    lines = [row for row in head.splitlines()[:20] if row.strip()]
    if not lines:
        return ","

    def agreement(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)]
        except csv.Error:
            return (0, 0)
        if not widths or widths[0] == 1:
            return (0, 0)
        return (sum(width == widths[0] for width in widths), widths[0])

    best = max(DELIMITERS, key=agreement)
    return best if agreement(best) > (0, 0) else ","


def line(cells: Iterable[object]) -> str:
    """Return cells as one CSV line without its end: comma, quotes where needed."""
    return str(_LINES.writerow(list(cells))).removesuffix(_END)  # the writer returns what its file's write returns


def write_rows(out: IO[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV lines: comma, quotes where needed, one LF a line."""
    out.writelines(f"{line(row)}\n" for row in rows)
