"""Files in and out: CSV in any usual delimiter and encoding, Parquet; always raw text, a chunk at a time."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import IO, TYPE_CHECKING

import numpy as np

from .cells import LINE_END, QUOTE, Cells
from .errors import TableError
from .schema import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

CHUNK_ROWS = 8_000  # rows held at once: about 8 MB of a 30-column table
BLOCK_CHARACTERS = 1_000_000  # read at once
HEAD_BYTES = 65_536  # enough to tell encoding and delimiter
HEADER_LENGTH_MAX = 1_000_000  # characters; what is longer is no table, and could be a million names
HEADER_LINES_MAX = 1_000  # a name may be written on several
COLUMNS_MAX = 20_000
EMPTY_LINES = re.compile("\n{2,}")
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

    Plain rows are kept as the lines they stand on, ``content``: the cells with ``delimiter`` between, some of them in
    quotes, no quote inside, a line feed after each row.
    """

    names: tuple[str, ...]
    first: int
    read: Sequence[Sequence[str]] = ()
    content: bytes = b""
    count: int = 0
    delimiter: str = ","

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.count or len(self.read)

    @cached_property
    def cells(self) -> Cells | None:
        """Return the cells of plain rows by their places; None when a row has more or fewer than the header."""
        try:
            return Cells(self.content, rows=self.count, columns=len(self.names), delimiter=self.delimiter)
        except ValueError:
            return None

    @cached_property
    def rows(self) -> Sequence[Sequence[str]]:
        """Return the cells by row; ``InputError`` names a row with more or fewer cells than the header."""
        if not self.content:
            return self.read
        return _cut(self.names, self.first, io.StringIO(self.content.decode(), newline=""), self.delimiter)

    def columns(self) -> dict[str, Sequence[str]]:
        """Return the cells by column, under names that are all different (see ``unique_names``)."""
        names = unique_names(self.names)
        if not len(self):
            return dict.fromkeys(names, ())
        return dict(zip(names, zip(*self.rows, strict=True), strict=True))


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


class _Lines:
    """The lines of a text: some at a time, or one by one."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._rest = ""
        self._read: deque[str] = deque()  # whole lines, some at a time
        self._begun = io.StringIO()  # of which these are given one by one

    def take(self, lines_max: int) -> str:
        """Return the next whole lines, some of them; an empty text at the end."""
        found = self._some()
        if found.count("\n") > lines_max:
            *lines, end = found.split("\n")
            found, *later = ["\n".join([*lines[at : at + lines_max], ""]) for at in range(0, len(lines), lines_max)]
            self._read.extendleft(part for part in (end, *reversed(later)) if part)
        return found

    def give_back(self, lines: str) -> None:
        """Take lines that were not needed, to give them again."""
        if lines:
            self._read.appendleft(lines)

    def __iter__(self) -> Iterator[str]:
        """Return the lines one by one."""
        return self

    def __next__(self) -> str:
        """Return the next line."""
        line = self._begun.readline()
        if not line:
            self._begun = io.StringIO(self._some(), newline="")
            line = self._begun.readline()
        if not line:
            raise StopIteration
        return line

    def _some(self) -> str:
        """Return the whole lines that come next, at least one unless at the end."""
        return self._begun.read() or (self._read.popleft() if self._read else self._whole_lines())

    def _whole_lines(self) -> str:
        parts, end = [self._rest], 0
        while not end and (part := self._text.read(BLOCK_CHARACTERS)):
            parts.append(part)
            if sum(map(len, parts)) > LINE_LENGTH_MAX:
                message = f"a line is longer than {LINE_LENGTH_MAX:,} characters"
                raise TableError(message)
            end = max(part.rfind("\n"), part.rfind("\r", 0, len(part) - 1)) + 1  # a line feed may follow the last one
        found = "".join(parts)
        end = len(found) - len(parts[-1]) + end if end else len(found)
        self._rest = found[end:]
        return found[:end]


def _chunks(text: IO[str], delimiter: str, chunk_rows: int) -> Iterator[Chunk]:
    start = text.readline(HEADER_LENGTH_MAX)
    if len(start) == HEADER_LENGTH_MAX and not start.endswith("\n"):
        message = f"the file has no header line: its first line is longer than {HEADER_LENGTH_MAX:,} characters"
        raise TableError(message)
    lines = _Lines(text)
    reader = csv.reader(chain([start] if start else (), islice(lines, HEADER_LINES_MAX)), delimiter=delimiter)
    names = tuple(next(reader, ()))
    if not names:
        message = "the file is empty: expected a header line with the column names"
        raise TableError(message)
    if reader.line_num > HEADER_LINES_MAX:
        message = "the file has no header line: a quote opens in its first line, and does not end"
        raise TableError(message)
    if len(names) > COLUMNS_MAX:
        message = f"the file has {len(names):,} columns, more than the {COLUMNS_MAX:,} that are read"
        raise TableError(message)
    first = 0
    while taken := lines.take(chunk_rows):
        chunk = _plain(names, first, taken, delimiter, lines)
        if chunk is None:
            more = chain(io.StringIO(taken, newline=""), lines)
            chunk = Chunk(names, first, _cut(names, first, more, delimiter, lines=_count_lines(taken)))
        if len(chunk):
            yield chunk
        first += len(chunk)
    if first == 0:
        yield Chunk(names, 0)


def _plain(names: tuple[str, ...], first: int, taken: str, delimiter: str, lines: _Lines) -> Chunk | None:
    """Return the whole rows among the lines, giving back the rest; None when they need reading cell by cell."""
    whole = taken.replace("\r\n", "\n") if "\r" in taken else taken
    whole = whole if whole.endswith("\n") else whole + "\n"
    if '"' not in whole:
        whole = whole.replace("\r", "\n")
        if len(names) > 1:  # an empty line between rows; in a table of one column it is a gap
            whole = (EMPTY_LINES.sub("\n", whole) if "\n\n" in whole else whole).removeprefix("\n")
    if "\r" in whole or "\0" in whole or "\n\n" in whole or whole.startswith("\n"):
        return None
    content = whole.encode()
    if '"' not in whole:
        return Chunk(names, first, content=content, count=content.count(b"\n"), delimiter=delimiter)
    signs = np.frombuffer(content, dtype=np.uint8)
    ends, quotes = np.flatnonzero(signs == LINE_END), np.flatnonzero(signs == QUOTE)
    outside = ends[quotes.searchsorted(ends) % 2 == 0]
    if not len(outside) or (len(outside) < len(ends) and "\r" in taken):
        return None
    end = int(outside[-1]) + 1
    quotes = quotes[quotes < end]
    around = signs[np.concatenate([quotes[0::2] - 1, quotes[1::2] + 1])]  # before the first sign is the last line's end
    if not ((around == LINE_END) | (around == ord(delimiter))).all():
        return None
    lines.give_back(content[end:].decode() if taken.endswith("\n") else content[end:-1].decode())
    return Chunk(names, first, content=content[:end], count=len(outside), delimiter=delimiter)


def _count_lines(taken: str) -> int:
    return sum(1 for _ in io.StringIO(taken, newline=""))


def _cut(
    names: tuple[str, ...], first: int, text: Iterable[str], delimiter: str, *, lines: int | None = None
) -> list[list[str]]:
    """Return the rows of so many lines of ``text``, of all by default; the last row may go on in the lines behind."""
    reader = csv.reader(text, delimiter=delimiter)
    rows: list[list[str]] = []
    while lines is None or reader.line_num < lines:
        row = next(reader, None)
        if row is None:
            break
        if not row:
            if len(names) > 1:  # an empty line between rows; in a table of one column it is a gap
                continue
            row = [""]
        if len(row) != len(names):
            message = f"{len(row)} cells, the header has {len(names)}"
            raise InputError([Problem(first + len(rows), None, message)])
        rows.append(row)
    return rows


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
