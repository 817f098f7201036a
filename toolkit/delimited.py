"""A delimited text file becomes an Arrow table of raw texts, every row accounted for."""

from __future__ import annotations

import csv
import io
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit import dialect as dialects
from toolkit.errors import DataError
from toolkit.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from toolkit.dialect import Dialect

SCAN_BYTES = 1 << 24  # read size when a file is only looked through
BLOCK_BYTES = 1 << 20  # Arrow reads so much at a time; larger blocks only took more memory (1,000,000 x 20)
CHUNK_ROWS = 50_000  # rows turned into Arrow at a time on the slow way
FOOTER_ROWS_MAX = 12  # rows at the end that may be notes
NAMED_MAX = 5  # lines named in a finding

_TOTAL = re.compile(r"(grand )?totals?\b|sum\b|totals? rows?\b", re.IGNORECASE)
_NOTE = re.compile(
    r"(grand )?totals?\b|sum\b|(data )?sources?\b|notes?\b|last updated|generated|copyright|\(c\)|\u00a9|[*#]|--"
    r"|end of|n ?=|data from|\d+ rows",
    re.IGNORECASE,
)


@dataclass
class Text:
    """The bytes of a file: those at ``path``, or ``raw`` when they are in memory already (the member of an archive)."""

    path: Path
    raw: bytes | None = None

    def head(self, size_bytes: int) -> bytes:
        """Return the first bytes."""
        if self.raw is not None:
            return self.raw[:size_bytes]
        with self.path.open("rb") as file:
            return file.read(size_bytes)

    def all(self) -> bytes:
        """Return all bytes."""
        return self.path.read_bytes() if self.raw is None else self.raw

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces that memory holds easily."""
        if self.raw is not None:
            yield self.raw
            return
        with self.path.open("rb") as file:
            while chunk := file.read(SCAN_BYTES):
                yield chunk

    def open_at(self, offset: int) -> Any:
        """Return a file that starts at ``offset``."""
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        file = pa.OSFile(str(self.path)) if self.raw is None else pa.BufferReader(self.raw)
        file.seek(offset)
        return file


@dataclass
class Delimited:
    """What reading gave: the cells, the dialect and encoding that fitted, and what was strange."""

    cells: pa.Table
    dialect: Dialect
    encoding: str
    findings: list[Finding] = field(default_factory=list)


def read_delimited(text: Text, what: str) -> Delimited:
    """Return all rows of a delimited file as raw texts; ``what`` names the file in errors and findings.

    A well-formed file goes through Arrow's reader; one with rows of other lengths, foreign quotes or a foreign encoding
    through Python's, which is some ten times slower and mends what it can.
    """
    head = text.head(dialects.SAMPLE_BYTES)
    encoding = dialects.encoding_of(head)
    findings: list[Finding] = []
    zeros = encoding in {"utf-8", "utf-8-sig"} and any(b"\0" in chunk for chunk in text.chunks())
    if zeros:
        raw = text.all()
        findings.append(_zeros(what, raw.count(b"\0")))
        text = Text(text.path, raw.replace(b"\0", b""))
    if encoding not in {"utf-8", "utf-8-sig"}:
        text = Text(text.path, dialects.decode(text.all(), encoding).encode())
    result = _read(text, encoding, what)
    result.findings[:0] = findings
    return result


def _read(text: Text, encoding: str, what: str) -> Delimited:
    from pyarrow import ArrowInvalid  # noqa: PLC0415 - 100 ms

    head = text.head(dialects.SAMPLE_BYTES)
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    whole = len(head) < dialects.SAMPLE_BYTES
    sample = head[mark:].decode("utf-8", errors="ignore")
    if not sample.strip():
        message = f"`{what}` is empty: expected a header line and rows"
        raise DataError(message, hint="download the file again, or name another one with --table FILE")
    dialect = dialects.sniff(sample, whole=whole)
    names = _names(dialect)
    offset = mark + sum(len(line.encode()) for line in dialects.lines_of(sample)[: dialect.lines])
    try:
        cells = _read_fast(text, dialect, names, offset)
    except ArrowInvalid as error:
        if "UTF8" in str(error) or "utf-8" in str(error).lower():
            raw = text.all()
            encoding = dialects.fallback_encoding(raw)
            return _read(Text(text.path, dialects.decode(raw, encoding).encode()), encoding, what)
        cells = None
    findings = _told_about(dialect, encoding, what)
    if cells is None or _quote_ran_away(cells, dialect):
        cells, ragged, told = _read_mending(text, dialect, names, offset)
        findings += [_open_quote(what)] if told else []
        findings += [ragged.finding(what, len(names))] if ragged.found else []
    cells = _without_artefact(cells, dialect)
    cells, below = _without_footer(cells)
    findings += [_footer(what, below)] if below else []
    return Delimited(cells, dialect, encoding.removesuffix("-mixed"), findings)


def _names(dialect: Dialect) -> tuple[str, ...]:
    if dialect.names is None:
        return tuple(f"column_{position + 1}" for position in range(dialect.width))
    names = dialect.names
    while len(names) > dialect.width and not names[-1].strip():
        names = names[:-1]
    if len(names) < dialect.width:
        missing = dialect.width - len(names)
        names = (*names, *("",) * missing) if missing > 1 else names  # one is judged when the rows are read
    return names


def _read_fast(text: Text, dialect: Dialect, names: tuple[str, ...], offset: int) -> pa.Table | None:
    """Return the cells by Arrow's reader, or ``None`` where it cannot be used; its ``ArrowInvalid`` passes through."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    if len(dialect.delimiter) != 1 or dialect.delimiter == " " or dialect.escape or len(names) != dialect.width:
        return None
    unique = dialects.unique_names(names)
    quote = dialect.quote.encode()
    quoted = any(quote in chunk for chunk in text.chunks())
    file = text.open_at(offset)
    if not file.read(1):
        return pa.table({name: pa.array([], pa.large_string()) for name in unique})
    file.seek(offset)
    return arrow_csv.read_csv(
        file,
        read_options=arrow_csv.ReadOptions(column_names=list(unique), block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote if quoted else False, newlines_in_values=quoted
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(unique, pa.large_string()), strings_can_be_null=False
        ),
    )


@dataclass
class _Ragged:
    """Rows with more or fewer cells than the header has names."""

    short: int = 0
    long: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        return self.short + self.long

    def add(self, line: int, cells: list[str], width: int) -> None:
        if len(cells) < width:
            self.short += 1
        else:
            self.long += 1
        if len(self.examples) < NAMED_MAX:
            self.examples.append(f"line {line}: {len(cells)}")

    def finding(self, what: str, width: int) -> Finding:
        parts = [f"{self.short:,} with fewer" if self.short else "", f"{self.long:,} with more" if self.long else ""]
        kinds = " and ".join(part for part in parts if part)
        plural = "row has" if self.found == 1 else "rows have"
        return Finding(
            "ragged-rows",
            f"{self.found:,} {plural} another number of cells than the {width} of the header in `{what}` "
            f"({kinds}; {', '.join(self.examples)})",
            severity="warning",
            action="kept every row: absent cells are missing values, surplus cells stay joined to the last column",
            evidence={"short": self.short, "long": self.long, "expected": width},
        )


def _read_mending(text: Text, dialect: Dialect, names: tuple[str, ...], offset: int) -> tuple[pa.Table, _Ragged, bool]:
    """Return the cells by Python's reader, their ragged rows, and whether a quote was taken for a letter."""
    cells, ragged = _read_slow(text, dialect, names, offset)
    if len(dialect.delimiter) == 1 and dialect.width > 1 and (ragged.found or _quote_ran_away(cells, dialect)):
        again, rest = _read_slow(text, dialect, names, offset, by_line=True)
        if again.num_rows > cells.num_rows and rest.found <= ragged.found:
            return again, rest, True
    return cells, ragged, False


def _quote_ran_away(cells: pa.Table, dialect: Dialect) -> bool:
    """Whether some cell holds whole rows: a quote that nobody closed took them in."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    if dialect.width < 2 or len(dialect.delimiter) != 1:  # noqa: PLR2004 - one column has no rows to take in
        return False
    for column in cells.columns:
        breaks = pc.count_substring(column, "\n")
        most = pc.max(breaks).as_py() or 0
        if most > 1:
            lines = column[pc.index(breaks, most).as_py()].as_py().split("\n")[1:-1]
            whole = sum(line.count(dialect.delimiter) >= dialect.width - 1 for line in lines)
            if whole > 0.8 * len(lines):
                return True
    return False


def _open_quote(what: str) -> Finding:
    return Finding(
        "open-quote",
        f"a quotation mark in `{what}` is opened and not closed, so that the rows after it would be one cell",
        severity="warning",
        action="read the mark as a letter where its row is complete without it",
    )


def _read_slow(
    text: Text, dialect: Dialect, names: tuple[str, ...], offset: int, *, by_line: bool = False
) -> tuple[pa.Table, _Ragged]:
    """Return the cells by Python's reader, with rows of another length counted and mended.

    ``by_line`` lets no quote run over a row that is complete on its line.
    """
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    width = max(dialect.width, len(names))
    if len(names) == dialect.width - 1:  # a name is missing: for row names, or for nothing but a last delimiter
        names = (*names, "") if _last_is_empty(text, dialect, offset) else ("", *names)
    unique = dialects.unique_names(names)
    width = len(unique)
    ragged = _Ragged()
    pieces: list[pa.Table] = []
    rows: list[list[str]] = []

    def flush() -> None:
        columns = zip(*rows, strict=True) if rows else [()] * width
        arrays = [pa.array(column, pa.large_string()) for column in columns]
        pieces.append(pa.Table.from_arrays(arrays, names=list(unique)))
        rows.clear()

    for cells, line in (_records_by_line if by_line else _records)(text, dialect, offset):
        if len(cells) != width:
            while len(cells) > width and not cells[-1].strip():
                cells.pop()  # delimiters at the end of a line hold nothing
            if len(cells) != width:
                ragged.add(line + dialect.lines, cells, width)
            cells[width - 1 :] = [dialect.delimiter.join(cells[width - 1 :])]
            cells.extend([""] * (width - len(cells)))
        rows.append(cells)
        if len(rows) >= CHUNK_ROWS:
            flush()
    flush()
    return pa.concat_tables(pieces), ragged


def _last_is_empty(text: Text, dialect: Dialect, offset: int) -> bool:
    return all(len(cells) < dialect.width or not cells[-1].strip() for cells, _ in _records(text, dialect, offset))


def _records(text: Text, dialect: Dialect, offset: int) -> Iterator[tuple[list[str], int]]:
    file = io.TextIOWrapper(io.BytesIO(text.all()[offset:]), encoding="utf-8", errors="replace", newline="")
    if dialect.delimiter in {"", " ", "::"}:
        for line, raw in enumerate(file, start=1):
            if raw.strip("\r\n"):
                yield dialects.split_line(raw, dialect.delimiter), line
        return
    limit = csv.field_size_limit(sys.maxsize)  # the module's own 128 KB would stop at a long text
    try:
        reader = csv.reader(
            file, delimiter=dialect.delimiter, quotechar=dialect.quote, escapechar=dialect.escape or None
        )
        for cells in reader:
            if cells and (len(cells) > 1 or cells[0] or dialect.width == 1):
                yield cells, reader.line_num
    finally:
        csv.field_size_limit(limit)


def _records_by_line(text: Text, dialect: Dialect, offset: int) -> Iterator[tuple[list[str], int]]:
    """Yield records of which each ends as early as it can: at a line with all its cells and every quote closed."""
    held = ""
    started = 0
    lines = dialects.lines_of(text.all()[offset:].decode("utf-8", errors="replace"))
    for number, line in enumerate(lines, start=1):
        alone = _cells_of(line, dialect)
        if held and alone is not None and len(alone) >= dialect.width:  # the held text was no cell's first line
            yield _literal(held, dialect), started
            held = ""
        if not held and alone is not None:
            if any(alone):
                yield alone, number
            continue
        started = started if held else number
        held += line
        together = _cells_of(held, dialect)
        if together is not None and len(together) >= dialect.width:
            yield together, started
            held = ""
    if held:
        yield _literal(held, dialect), started


def _cells_of(line: str, dialect: Dialect) -> list[str] | None:
    """Return the cells of a text whose quotes are all closed, else ``None``."""
    if line.count(dialect.quote) % 2:
        return None
    return next(csv.reader(io.StringIO(line, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote), [])


def _literal(text: str, dialect: Dialect) -> list[str]:
    return [cell.strip(dialect.quote) for cell in text.rstrip("\r\n").split(dialect.delimiter)]


def _without_artefact(cells: pa.Table, dialect: Dialect) -> pa.Table:
    """Drop the nameless empty columns that delimiters at each line's end make when the header has none."""
    import pyarrow.compute as pc  # noqa: PLC0415 - 100 ms

    if dialect.names is None or len(dialect.names) >= cells.num_columns:
        return cells
    last = cells.column(cells.num_columns - 1)
    if cells.column_names[-1].startswith("Unnamed: ") and not pc.any(pc.greater(pc.binary_length(last), 0)).as_py():
        return _without_artefact(cells.remove_column(cells.num_columns - 1), dialect)
    return cells


def _without_footer(cells: pa.Table) -> tuple[pa.Table, list[str]]:
    """Cut off what stands below a table: a source, a note or a total in the first cell of rows that are else empty."""
    width, rows = cells.num_columns, cells.num_rows
    last = cells.slice(max(0, rows - FOOTER_ROWS_MAX)).to_pylist() if width > 1 else []
    below: list[str] = []
    for row in reversed(last[1:]):
        first, *others = (cell.strip() for cell in row.values())
        filled = sum(bool(cell) for cell in others)
        if not (_TOTAL.match(first) and filled <= width / 2) and not (_NOTE.match(first) and filled == 0):
            break
        below.insert(0, first)
    return cells.slice(0, rows - len(below)), below


def _footer(what: str, below: list[str]) -> Finding:
    shown = re.sub(r"\s+", " ", below[0])[:60]
    return Finding(
        "lines-below-table",
        f"{len(below)} line(s) stand below the table of `{what}`, the first is {shown!r}",
        action="left them out of the table",
        evidence={"lines": len(below)},
    )


def _told_about(dialect: Dialect, encoding: str, what: str) -> list[Finding]:
    found: list[Finding] = []
    if encoding == "utf-8-mixed":
        found.append(
            Finding(
                "mixed-encoding",
                f"`{what}` is written in UTF-8 with some bytes from Windows' encoding",
                action="read those bytes as Windows letters",
            )
        )
    if dialect.above:
        shown = re.sub(r"\s+", " ", dialect.above[0])[:60]
        found.append(
            Finding(
                "lines-above-header",
                f"{len(dialect.above)} line(s) stand above the header of `{what}`, the first is {shown!r}",
                action="left them out of the table",
                evidence={"lines": len(dialect.above)},
            )
        )
    if dialect.names is None:
        found.append(
            Finding(
                "no-header",
                f"the first line of `{what}` looks like a row, not like column names",
                severity="unsure",
                action=f"named the columns column_1 to column_{dialect.width}",
                overrule="write a header line into the file",
            )
        )
    return found


def _zeros(what: str, count: int) -> Finding:
    return Finding(
        "zero-bytes",
        f"`{what}` holds {count:,} zero byte(s), which no text has",
        severity="warning",
        action="left those bytes out; the cells around them are kept",
    )
