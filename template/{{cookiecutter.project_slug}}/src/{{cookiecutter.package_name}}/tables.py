"""Files in and out: CSV in any usual delimiter and encoding, Parquet; always raw text, a chunk at a time."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from .errors import TableError
from .schema import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

CHUNK_ROWS = 10_000  # rows held at once: about 10 MB of a 30-column table
HEAD_BYTES = 65_536  # enough to tell encoding and delimiter
DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "cp1252")  # the second reads what spreadsheets on Windows save; it cannot fail on letters
csv.field_size_limit(10_000_000)  # the default of 131,072 characters is shorter than some texts


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file as raw text: ``names`` of the columns, ``rows`` of cells, ``first`` row's number from 0."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    first: int

    def columns(self) -> dict[str, Sequence[str]]:
        """Return the cells by column, under names that are all different (see ``unique_names``)."""
        cells = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(self.names)
        return dict(zip(unique_names(self.names), cells, strict=True))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that are all different: the second ``a`` is ``a.1``, an empty one ``Unnamed: <position>``."""
    taken: set[str] = set()
    found: list[str] = []
    for position, name in enumerate(names):
        base = name if name.strip() else f"Unnamed: {position}"
        candidate, count = base, 0
        while candidate in taken:
            count += 1
            candidate = f"{base}.{count}"
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
        reader = csv.reader(text, delimiter=_delimiter(head.decode(encoding, errors="replace")))
        yield from _chunks(reader, chunk_rows)
    except csv.Error as error:
        message = f"the file is no readable CSV: {error}"
        raise TableError(message) from error
    except UnicodeDecodeError as error:
        message = f"the file is not {encoding} text from its byte {error.start} on"
        raise TableError(message) from error
    finally:
        if not stream.closed:  # a reader that is given up midway is closed when its file may be gone
            text.detach()


def _chunks(reader: Iterable[list[str]], chunk_rows: int) -> Iterator[Chunk]:
    lines = iter(reader)
    names = tuple(next(lines, ()))
    if not names:
        message = "the file is empty: expected a header line with the column names"
        raise TableError(message)
    first = 0
    rows: list[list[str]] = []
    for row in lines:
        if not row:
            if len(names) > 1:  # an empty line between rows; in a table of one column it is a gap
                continue
            row = [""]  # noqa: PLW2901 - the line as a row
        if len(row) != len(names):
            message = f"{len(row)} cells, the header has {len(names)}"
            raise InputError([Problem(first + len(rows), None, message)])
        rows.append(row)
        if len(rows) == chunk_rows:
            yield Chunk(names, rows, first)
            first, rows = first + len(rows), []
    if rows or first == 0:
        yield Chunk(names, rows, first)


def _read_parquet(path: Path, chunk_rows: int) -> Iterator[Chunk]:
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s, for Parquet alone
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        with parquet.ParquetFile(path) as file:
            names, first = tuple(file.schema_arrow.names), 0
            for batch in file.iter_batches(batch_size=chunk_rows):
                columns = [[_text(cell) for cell in column.to_pylist()] for column in batch.columns]
                rows = list(zip(*columns, strict=True))
                yield Chunk(names, rows, first)
                first += len(rows)
            if first == 0:
                yield Chunk(names, [], 0)
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


def write_rows(out: IO[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV lines: comma, quotes where needed, one LF a line."""
    csv.writer(out, lineterminator="\n").writerows(rows)
