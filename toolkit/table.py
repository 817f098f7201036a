"""A file becomes a ``Table`` of raw cells: the only door to tabular files.

The first bytes decide what a file is, its name only where they cannot: compressed files are opened, databases and
workbooks give one table each, and what is left is text with delimiters or no table at all.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from toolkit import compressed, delimited, dialect, formats
from toolkit import memory as machine
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.records import Record
from toolkit.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa

    from toolkit.drawing import Draw

PACKED_TIMES = 30  # how many times a compressed file may grow before its size is counted
OBJECT_TIMES = 32  # of a JSON object's text, read by Python before it is a row
CELL_BYTES = 5  # of a cell as text, where a format writes what comes again as a number
MEMORY_TIMES = 4  # of a file's size: its table, and room to look at it
DEPTH_MAX = 3  # archives in archives; an archive can hold itself
# fmt: off
TABLE_SUFFIXES = frozenset((
    ".csv", ".tsv", ".tab", ".psv", ".data", ".dat", ".all-data", ".txt", ".test", ".names", ".parquet", ".pq",
    ".feather", ".arrow", ".ftr", ".xlsx", ".xlsm", ".xls", ".json", ".jsonl", ".ndjson", ".sqlite", ".sqlite3",
    ".db", ".arff",
))
# fmt: on
COMPRESSED_SUFFIXES = frozenset((".gz", ".bz2", ".xz", ".zst", ".zip"))

_BINARY = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x80\x04\x95", "a Python pickle, which can run code and is not opened"),
    (b"\x80\x03", "a Python pickle, which can run code and is not opened"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"RIFF", "a sound or video file"),
    (b"OggS", "a sound file"),
    (b"ID3", "a sound file"),
    (b"\x1a\x45\xdf\xa3", "a video file"),
)


@dataclass(frozen=True)
class Reading(Record):
    """How a file was read, so that anybody can read it the same way again."""

    path: Path
    format: str  # csv, excel, parquet, json-lines, ...
    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    header_rows: int = 1
    sheet: str = ""
    member: str = ""  # the name inside a compressed file


@dataclass(frozen=True, eq=False)
class Table:
    """Rows and columns as they stand in the file, every cell raw text.

    ``frame`` has one column of dtype ``str`` a column (pyarrow-backed); a cell that a format knows to be absent
    (JSON null, an empty Excel cell) is missing, an empty CSV cell is the empty text. Typed formats are
    written out in their shortest exact form (``1.5``, ``True``, ``2024-01-31``). Names are unique: an
    empty one is ``Unnamed: <position>``, the second ``a`` is ``a.1``.
    """

    name: str
    frame: pd.DataFrame
    reading: Reading
    findings: tuple[Finding, ...] = field(default=())

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.frame)


def read_tables(path: Path, *, name: str = "", memory: int | None = None, rows: int | None = None) -> tuple[Table, ...]:
    """Return every table that a file holds: one for CSV or Parquet, one a sheet, database table or archive member.

    ``name`` is what the tables are called (the file's own name without it), ``memory`` the bytes that may be used (what
    is free without it). Of a larger file of delimited text or Parquet, a seeded draw of the rows is returned, ``rows``
    of them or as many as fit. Raises ``DataError`` for one that is missing, empty, damaged, no table, or too large.
    """
    what = name or path.name
    if not path.is_file():
        message = f"`{what}` is {'a folder' if path.is_dir() else 'not there'}: expected a file with a table"
        raise DataError(message, hint="check the spelling, or name another file with --table FILE")
    bound = _Bound(machine.free_bytes() if memory is None else memory, rows)
    try:
        drawn = _drawn_file(path, what, bound)
        return (drawn,) if drawn is not None else tuple(_read(Text(path), path, what, member="", depth=0, bound=bound))
    except OSError as error:
        message = f"`{what}` cannot be read: {error.strerror or error}"
        raise DataError(message, hint="check the file and its permissions") from error


@dataclass(frozen=True)
class _Bound:
    """The memory that a table may take with all that is done with it (0 for any), and the rows wanted of a larger."""

    memory: int = 0
    rows: int | None = None

    def draw(self, times: int = MEMORY_TIMES) -> Draw:
        """Return an empty draw of as many rows as fit, each of which takes ``times`` its size."""
        from toolkit.drawing import Draw  # noqa: PLC0415 - for files larger than memory

        return Draw(self.rows, self.memory // times)

    def exceeded_by(self, size_bytes: int, times: int = MEMORY_TIMES) -> bool:
        """Return whether a file of that size, which takes ``times`` that, is too large to be read whole."""
        return 0 < self.memory < size_bytes * times

    def why(self, size_bytes: int, times: int = MEMORY_TIMES) -> str:
        """Return why not all rows are read."""
        size, needed, free = (_amount(part) for part in (size_bytes, size_bytes * times, self.memory))
        return f"{size} that would take some {needed} of memory, of which {free} are free"


def _amount(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:,.3g} MB"  # noqa: PLR2004 - as people say


def _drawn_file(path: Path, what: str, bound: _Bound) -> Table | None:
    """Return a draw of the rows of a file that is too large to be read whole, ``None`` for any other file."""
    from toolkit import drawing  # noqa: PLC0415 - for files larger than memory

    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(dialect.SAMPLE_BYTES)
    packing = compressed.opener(head)
    if head.startswith(b"PAR1"):
        return _drawn_parquet(path, what, bound)
    if packing:
        if not bound.exceeded_by(size * PACKED_TIMES) or not (size := _size_unpacked(path, packing, what, bound)):
            return None
    elif not bound.exceeded_by(size, _times(head)) or head.startswith(b"PK\x03\x04"):
        return None

    def opened() -> IO[bytes]:
        if not packing:
            return path.open("rb")
        return drawing.unpacked(compressed.stream(path, packing), path.stat().st_size, what)

    return _drawn(opened, size, path, what, bound, member=PurePosixPath(what).stem if packing else "")


def _size_unpacked(path: Path, packing: str, what: str, bound: _Bound) -> int:
    """Return how many bytes a compressed file holds where it is too large to be read whole, else 0."""
    size, packed = 0, path.stat().st_size
    try:
        with compressed.stream(path, packing) as file:
            while piece := file.read(1 << 20):
                size += len(piece)
                compressed.refuse_bomb(size, packed, what, most=0)
    except (OSError, EOFError, ValueError):
        return 0  # damaged, which reading it tells
    return size if bound.exceeded_by(size) else 0


def _drawn(
    opened: Callable[[], IO[bytes]], size_bytes: int, path: Path, what: str, bound: _Bound, *, member: str
) -> Table:
    from toolkit import drawing  # noqa: PLC0415 - for files larger than memory

    with opened() as file:
        head = file.read(dialect.SAMPLE_BYTES)
    refuse_binary(head, what)
    start = dialect.decode(head[:4096], dialect.encoding_of(head)).lstrip("\ufeff \t\r\n")
    if _times(head) == OBJECT_TIMES:
        draw = bound.draw(OBJECT_TIMES)
        read = formats.read_json(drawing.draw_lines(opened, draw), what)
        if read is not None and read[1]:
            _, cells, findings = read[1][0]
            told = drawing.told_of(what, draw, cells.num_rows, bound.why(size_bytes, OBJECT_TIMES))
            reading = Reading(path, "json-lines", delimiter="", quote="", member=member)
            return Table(what, frame_of(cells), reading, (*findings, replace(told, evidence=_less(told.evidence))))
    known = head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff", b"SQLite format 3\0", formats.OLE))
    if known or start[:1] in {"{", "["} or "@relation" in start.lower()[:2000]:
        message = f"`{what}` has {bound.why(size_bytes)}"
        raise DataError(message, hint="write it as CSV or Parquet, of which a part of the rows can be drawn")
    found, draw = drawing.draw_delimited(opened, what, bound.draw)
    told = drawing.told_of(what, draw, found.cells.num_rows, bound.why(size_bytes))
    return Table(what, frame_of(found.cells), _reading(path, found, member), (*found.findings, told))


def _times(head: bytes) -> int:
    """Return how many times its size a file takes that begins so: one of JSON objects, one a line, takes more."""
    text = dialect.decode(head, dialect.encoding_of(head)).lstrip("\ufeff \t\r\n") if b"{" in head[:100] else ""
    lines = [line for line in text.split("\n")[:-1] if line.strip()][:2]
    try:
        objects = len(lines) > 1 and all(isinstance(json.loads(line), dict) for line in lines)
    except (ValueError, RecursionError):
        objects = False
    return OBJECT_TIMES if objects else MEMORY_TIMES


def _less(evidence: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in evidence.items() if name != "missing"}  # lines have no columns to count in


def _drawn_parquet(path: Path, what: str, bound: _Bound) -> Table | None:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - 100 ms

    from toolkit import drawing  # noqa: PLC0415 - for files larger than memory

    try:
        with path.open("rb") as file:
            groups = parquet.ParquetFile(file).metadata
            size = sum(groups.row_group(place).total_byte_size for place in range(groups.num_row_groups))
            size = max(size, groups.num_rows * groups.num_columns * CELL_BYTES)
            if not bound.exceeded_by(size):
                return None
            draw = bound.draw()
            cells = drawing.draw_parquet(file, draw)
    except (ArrowException, OSError):
        return None  # damaged, which reading it tells
    told = drawing.told_of(what, draw, cells.num_rows, bound.why(size))
    return Table(what, frame_of(cells), Reading(path, "parquet", delimiter="", quote=""), (told,))


def frame_of(cells: pa.Table) -> pd.DataFrame:
    """Return an Arrow table of texts as a data frame of dtype ``str`` on the same memory."""
    import pandas as pd  # noqa: PLC0415 - 300 ms

    kind = pd.StringDtype("pyarrow", na_value=float("nan"))
    frame: pd.DataFrame = cells.to_pandas(types_mapper=lambda _: kind)
    return frame


def _read(text: Text, path: Path, what: str, *, member: str, depth: int, bound: _Bound) -> list[Table]:
    if depth > DEPTH_MAX:
        message = f"`{what}` holds archives in archives in archives, which are not opened"
        raise DataError(message, hint="unpack it by hand and name the folder")
    head = text.head(dialect.SAMPLE_BYTES)
    if not head.strip(b"\0\t\r\n "):
        message = f"`{what}` is empty: expected a header line and rows"
        raise DataError(message, hint="download the file again, or name another one with --table FILE")
    if head.startswith(b"PK\x03\x04"):
        return _read_zip(text, path, what, depth=depth, bound=bound)
    packing = compressed.opener(head)
    if packing:
        inner = (
            PurePosixPath(member or what).stem if PurePosixPath(member or what).suffix in COMPRESSED_SUFFIXES else ""
        )
        return _read(
            Text(path, compressed.unpack(text, packing, what)),
            path,
            what,
            member=inner or member,
            depth=depth + 1,
            bound=bound,
        )
    kind, named = _typed(text, head, what)
    if named is None:
        return [_read_delimited(text, head, path, what, member)]
    if not named:
        message = f"`{what}` holds no table: every sheet or table in it is empty"
        raise DataError(message, hint="name another file with --table FILE")
    return [
        Table(
            f"{what}:{sheet}" if sheet and len(named) > 1 else what,
            frame_of(cells),
            Reading(path, kind, delimiter="", quote="", sheet=sheet, member=member),
            findings,
        )
        for sheet, cells, findings in named
    ]


def _typed(text: Text, head: bytes, what: str) -> tuple[str, formats.Named | None]:
    """Return the format and the tables of a file that is no delimited text; ``("", None)`` when it is some."""
    if head.startswith(b"PAR1"):
        return "parquet", formats.read_parquet(text, what)
    if head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return "feather", formats.read_feather(text, what)
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite", formats.read_sqlite(text, what)
    if head.startswith(formats.OLE) and not what.lower().endswith((".doc", ".ppt", ".msg", ".msi")):
        return "excel", formats.read_old_excel(text, what)
    refuse_binary(head, what)
    encoding = dialect.encoding_of(head)
    start = dialect.decode(head[:4096], encoding).lstrip("\ufeff \t\r\n")
    if start[:1] in {"{", "["}:
        found = formats.read_json(dialect.decode(text.all(), encoding).lstrip("\ufeff"), what)
        if found is not None:
            return found
        if PurePosixPath(what).suffix.lower() in {".json", ".jsonl", ".ndjson"}:
            message = f"`{what}` is JSON, but not a table: expected a list of records or one object a line"
            raise DataError(message, hint="name another file with --table FILE")
    if "@relation" in start.lower()[:2000] and "@attribute" in dialect.decode(head, encoding).lower():
        return "arff", formats.read_arff(dialect.decode(text.all(), encoding), what)
    return "", None


def refuse_binary(head: bytes, what: str) -> None:
    """Raise ``DataError`` when the first bytes are those of an image, a program, a pickle or other binary data."""
    hint = "name a file with a table with --table FILE"
    for mark, kind in _BINARY:
        if head.startswith(mark):
            message = f"`{what}` is {kind}, not a table"
            raise DataError(message, hint=hint)
    if dialect.encoding_of(head).startswith("utf-16") or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    control = sum(head.count(bytes((code,))) for code in range(32) if code not in {0, 1, 9, 10, 12, 13, 26, 27})
    if control > max(8, 0.01 * len(head)) or head.count(b"\0") > 0.3 * len(head):
        message = f"`{what}` is binary data, not a table"
        raise DataError(message, hint=hint)


def _read_delimited(text: Text, head: bytes, path: Path, what: str, member: str) -> Table:
    found = delimited.read_delimited(text, what)
    if found.cells.num_rows == 0:
        first = ", ".join(found.cells.column_names[:4])
        message = f"`{what}` has a header ({first[:80]}) and no rows"
        if found.cells.num_columns == 1 and b"\n" not in head.strip():
            message = f"`{what}` holds a single line and no rows: expected a header line and rows"
        raise DataError(message, hint="download the file again, or name another one with --table FILE")
    return Table(what, frame_of(found.cells), _reading(path, found, member), tuple(found.findings))


def _reading(path: Path, found: delimited.Delimited, member: str) -> Reading:
    return Reading(
        path,
        "tsv" if found.dialect.delimiter == "\t" else "csv",
        delimiter=found.dialect.delimiter,
        encoding=found.encoding,
        quote=found.dialect.quote,
        header_rows=found.dialect.lines,
        member=member,
    )


def _read_zip(text: Text, path: Path, what: str, *, depth: int, bound: _Bound) -> list[Table]:
    try:
        with zipfile.ZipFile(io.BytesIO(text.raw) if text.raw is not None else path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and not _noise(info.filename)]
            if any(info.filename == "xl/workbook.xml" for info in members):
                compressed.refuse_bomb(sum(info.file_size for info in members), len(text.all()), what)
                return _sheets(formats.read_excel(text, what), path, what)
            named = [info for info in members if is_table_name(info.filename)]
            tables: list[Table] = []
            refused: list[DataError] = []
            for info in named:
                label = what if len(members) == 1 else f"{what}:{info.filename}"
                try:
                    if bound.exceeded_by(info.file_size) and not is_packed(info.filename):
                        opened = partial(_member, archive, info, label)
                        tables.append(_drawn(opened, info.file_size, path, label, bound, member=info.filename))
                        continue
                    with archive.open(info) as stream:
                        raw = compressed.bounded(stream, info.compress_size, what)
                    tables += _read(Text(path, raw), path, label, member=info.filename, depth=depth + 1, bound=bound)
                except DataError as error:
                    refused.append(error)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        message = f"`{what}` is a damaged or locked zip archive: {error}"
        raise DataError(message, hint="download it again, or unpack it by hand and name the folder") from error
    if not tables:
        message = f"`{what}` is an archive without a table in it"
        raise refused[0] if refused else DataError(message, hint="name another file with --table FILE")
    told = tuple(
        Finding("unreadable-file", error.message, severity="warning", action="left the file out") for error in refused
    )
    return [replace(tables[0], findings=(*tables[0].findings, *told)), *tables[1:]]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> IO[bytes]:
    from toolkit.drawing import unpacked  # noqa: PLC0415 - for files larger than memory

    return unpacked(archive.open(info), info.compress_size, what)


def is_packed(name: str) -> bool:
    """Return whether a file's name says that it is compressed, or a format that is."""
    return PurePosixPath(name.lower()).suffix in {*COMPRESSED_SUFFIXES, ".parquet", ".pq", ".xlsx"}


def _sheets(named: formats.Named, path: Path, what: str) -> list[Table]:
    if not named:
        message = f"`{what}` holds no table: every sheet of it is empty"
        raise DataError(message, hint="name another file with --table FILE")
    return [
        Table(
            f"{what}:{sheet}" if len(named) > 1 else what,
            frame_of(cells),
            Reading(path, "excel", delimiter="", quote="", sheet=sheet),
            findings,
        )
        for sheet, cells, findings in named
    ]


def is_table_name(name: str) -> bool:
    """Return whether a file's name promises a table, compressed or not."""
    path = PurePosixPath(name.lower())
    if path.suffix in COMPRESSED_SUFFIXES:
        return path.suffix == ".zip" or is_table_name(path.stem) or not path.suffixes[:-1]
    return path.suffix in TABLE_SUFFIXES


def _noise(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(("__MACOSX", ".")) for part in parts)


def looks_tabular(path: Path) -> bool:
    """Return whether a text file of any name holds rows of two cells or more, nearly all of the same width."""
    with path.open("rb") as file:
        head = file.read(dialect.SAMPLE_BYTES)
    text = dialect.decode(head, dialect.encoding_of(head)).lstrip("\ufeff")
    if not text.strip():
        return False
    found = dialect.sniff(text, whole=len(head) < dialect.SAMPLE_BYTES)
    prose = found.delimiter in {" ", ":", ","} and _prose(text)
    return found.width > 1 and found.fit > 0.9 and not prose  # noqa: PLR2004 - prose keeps no width for long


def _prose(text: str) -> bool:
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    letters = sum(character.isalpha() or character.isspace() for line in lines for character in line)
    return letters > 0.9 * sum(len(line) for line in lines)
