"""Rows of another length, foreign delimiters and open quotes: read by Python's reader, mended and counted."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit import dialect as dialects
from toolkit.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from toolkit.dialect import Dialect
    from toolkit.texts import Text

CHUNK_ROWS = 50_000  # rows turned into Arrow at a time on the slow way
NAMED_MAX = 5  # lines named in a finding


@dataclass
class Ragged:
    """Rows with more or fewer cells than the header has names."""

    short: int = 0
    long: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        """Return how many there are."""
        return self.short + self.long

    def add(self, line: int, cells: list[str], width: int) -> None:
        """Count a row; the first few are remembered by their line."""
        if len(cells) < width:
            self.short += 1
        else:
            self.long += 1
        if len(self.examples) < NAMED_MAX:
            self.examples.append(f"line {line}: {len(cells)}")

    def finding(self, what: str, width: int) -> Finding:
        """Return what is to be told of them."""
        parts = [f"{self.short:,} with fewer" if self.short else "", f"{self.long:,} with more" if self.long else ""]
        kinds = " and ".join(part for part in parts if part)
        plural = "row has" if self.found == 1 else "rows have"
        return Finding(
            "ragged-rows",
            f"{self.found:,} {plural} another number of cells than the {width} of the header in `{what}` "
            f"({kinds}; {', '.join(self.examples)}), so cells may stand in the wrong column",
            severity="warning",
            action="kept every row: absent cells are missing values, surplus cells stay joined to the last column",
            overrule="mend those lines in the file",
            evidence={"short": self.short, "long": self.long, "expected": width},
        )


def read_mending(text: Text, dialect: Dialect, names: tuple[str, ...], offset: int) -> tuple[pa.Table, Ragged, bool]:
    """Return the cells by Python's reader, their ragged rows, and whether a quote was taken for a letter."""
    cells, ragged = _read_slow(text, dialect, names, offset)
    if len(dialect.delimiter) == 1 and dialect.width > 1 and (ragged.found or quote_ran_away(cells, dialect)):
        again, rest = _read_slow(text, dialect, names, offset, by_line=True)
        if again.num_rows > cells.num_rows and rest.found <= ragged.found:
            return again, rest, True
    return cells, ragged, False


def quote_ran_away(cells: pa.Table, dialect: Dialect) -> bool:
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


def _read_slow(
    text: Text, dialect: Dialect, names: tuple[str, ...], offset: int, *, by_line: bool = False
) -> tuple[pa.Table, Ragged]:
    """Return the cells by Python's reader, with rows of another length counted and mended.

    ``by_line`` lets no quote run over a row that is complete on its line.
    """
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    width = max(dialect.width, len(names))
    if len(names) == dialect.width - 1:  # a name is missing: for row names, or for nothing but a last delimiter
        names = (*names, "") if _last_is_empty(text, dialect, offset) else ("", *names)
    unique = dialects.unique_names(names)
    width = len(unique)
    ragged = Ragged()
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
    if dialect.delimiter in dialects.UNQUOTED:
        for line, raw in enumerate(file, start=1):
            if raw.strip("\r\n"):
                yield dialects.split_line(raw, dialect.delimiter), line
        return
    limit = csv.field_size_limit(sys.maxsize)  # the module's own 128 KB would stop at a long text
    try:
        reader = csv.reader(
            file,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            escapechar=dialect.escape or None,
            skipinitialspace=dialect.spaced,
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
