"""A delimited text file becomes an Arrow table of raw texts, every row accounted for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit import dialect as dialects
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.mending import Ragged, quote_ran_away, read_mending
from toolkit.texts import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from toolkit.dialect import Dialect

BLOCK_BYTES = 1 << 20  # Arrow reads so much at a time; larger blocks only took more memory (1,000,000 x 20)
FOOTER_ROWS_MAX = 12  # rows at the end that may be notes
FOOTER_ALIKE_SHARE_MAX = 0.05  # rows that look like a note; where more do, a note may be a row

_TOTAL = re.compile(r"(grand )?totals?\b|sum\b|totals? rows?\b", re.IGNORECASE)
_NOTE = re.compile(
    r"(grand )?totals?\b|sum\b|(data )?sources?\b|notes?\b|last updated|generated|copyright|\(c\)|\u00a9"
    r"|[*#]+ *[^\W\d]|--|end of|n ?=|data from|\d+ rows",
    re.IGNORECASE,
)


BARE_RETURN = re.compile(rb"\r(?!\n)")
BARE_FEED = re.compile(rb"(?<!\r)\n")  # among rows that end with both


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
    marks = text.holds(b"\0\"'\r")
    if 0 in marks and encoding in {"utf-8", "utf-8-sig"}:
        raw = text.all()
        findings.append(_zeros(what, raw.count(b"\0")))
        text = Text(text.path, raw.replace(b"\0", b""))
    if encoding not in {"utf-8", "utf-8-sig"}:
        text = Text(text.path, dialects.decode(text.all(), encoding).encode())
    result = _read(text, encoding, what, quotes=marks)
    if ord("\r") in marks:
        result = _with_breaks(text, encoding, what, result, quotes=marks)
    result.findings[:0] = findings
    return result


def _with_breaks(text: Text, encoding: str, what: str, found: Delimited, *, quotes: frozenset[int]) -> Delimited:
    """Return the table read with breaks inside cells as blanks, where taking them for the ends of rows broke it."""
    broken = _ragged_rows(found)
    if not broken and found.dialect.width > 1:
        return found
    raw = text.all()
    rows = raw.count(b"\n")
    for inside, name in ((BARE_RETURN, "carriage return"), (BARE_FEED, "line feed")):
        count = len(inside.findall(raw))
        if not count or not rows or (inside is BARE_FEED and 2 * count > rows):
            continue  # none, or rows end so
        again = _read(Text(text.path, inside.sub(b" ", raw)), encoding, what, quotes=quotes)
        wider = again.dialect.width > found.dialect.width and again.dialect.fit >= found.dialect.fit
        if wider or (again.dialect.width == found.dialect.width and _ragged_rows(again) < broken):
            again.findings.append(_breaks(what, count, name))
            return again
    return found


def _breaks(what: str, count: int, name: str) -> Finding:
    return Finding(
        "breaks-in-cells",
        f"inside cells of `{what}` stand breaks ({count:,} times a {name}) that look like the end of the row",
        severity="note",
        action="read each as a blank, so that the rows stay whole",
        overrule="take them out of the file",
        evidence={"count": count},
    )


def _ragged_rows(found: Delimited) -> int:
    told = next((one.evidence for one in found.findings if one.code == "ragged-rows"), {})
    return int(told.get("short", 0)) + int(told.get("long", 0))


def _read(text: Text, encoding: str, what: str, *, quotes: frozenset[int]) -> Delimited:
    from pyarrow import ArrowInvalid  # noqa: PLC0415 - 100 ms

    head = text.head(dialects.SAMPLE_BYTES)
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    whole = len(head) < dialects.SAMPLE_BYTES
    sample = head[mark:].decode("utf-8", errors="ignore")
    if not sample.strip():
        message = f"`{what}` is empty: expected a header line and rows"
        raise DataError(message, hint="download the file again, or name another one with --table FILE")
    dialect = dialects.sniff(sample, whole=whole)
    names = names_of(dialect)
    offset = mark + sum(len(line.encode()) for line in dialects.lines_of(sample)[: dialect.lines])
    quoted = ord(dialect.quote) in quotes
    try:
        cells = _read_fast(text, dialect, names, offset, quoted=quoted)
    except ArrowInvalid as error:
        if "UTF8" in str(error) or "utf-8" in str(error).lower():
            raw = text.all()
            encoding = dialects.fallback_encoding(raw)
            return _read(Text(text.path, dialects.decode(raw, encoding).encode()), encoding, what, quotes=quotes)
        cells = None
    findings = told_about(dialect, encoding, what)
    ragged = Ragged()
    if cells is None or (quoted and quote_ran_away(cells, dialect)):
        cells, ragged, told = read_mending(text, dialect, names, offset)
        findings += [open_quote(what)] if told else []
    cells = _without_artefact(cells, dialect)
    cells, below = _without_footer(cells)
    if ragged.found > len(below):
        findings.append(ragged.finding(what, len(names)))
    findings += [_footer(what, below)] if below else []
    return Delimited(cells, dialect, encoding.removesuffix("-mixed"), findings)


def names_of(dialect: Dialect) -> tuple[str, ...]:
    """Return the names of the columns, those that the header leaves out made up."""
    if dialect.names is None:
        return tuple(f"column_{position + 1}" for position in range(dialect.width))
    names = dialect.names
    while len(names) > dialect.width and not names[-1].strip():
        names = names[:-1]
    if len(names) < dialect.width:
        missing = dialect.width - len(names)
        names = (*names, *("",) * missing) if missing > 1 else names  # one is judged when the rows are read
    return names


def _read_fast(text: Text, dialect: Dialect, names: tuple[str, ...], offset: int, *, quoted: bool) -> pa.Table | None:
    """Return the cells by Arrow's reader, or ``None`` where it cannot be used; its ``ArrowInvalid`` passes through."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    plain = len(dialect.delimiter) == 1 and dialect.delimiter != " " and not dialect.escape and not dialect.spaced
    if not plain or len(names) != dialect.width:
        return None
    unique = dialects.unique_names(names)
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


def open_quote(what: str) -> Finding:
    """Return what is to be told of a quote that nobody closes."""
    return Finding(
        "open-quote",
        f"a quotation mark in `{what}` is opened and not closed, so that the rows after it would be one cell",
        severity="warning",
        action="read the mark as a letter where its row is complete without it",
        overrule="close the mark in the file, or write it twice",
    )


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
    """Cut off what stands below a table: a source, a note or a total in the first cell of rows that are else empty.

    Where rows above are as empty, nothing tells a note from a row, and all stay.
    """
    width, rows = cells.num_columns, cells.num_rows
    last = cells.slice(max(0, rows - FOOTER_ROWS_MAX)).to_pylist() if width > 1 else []
    below: list[str] = []
    for row in reversed(last[1:]):
        first, filled = next(iter(row.values())).strip(), _filled_beyond_first(row)
        if not (_TOTAL.match(first) and filled <= width / 2) and not (_NOTE.match(first) and filled == 0):
            break
        below.insert(0, first)
    above = cells.slice(0, min(rows - len(below), dialects.RECORDS_MAX)).to_pylist() if below else []
    if sum(_filled_beyond_first(row) == 0 for row in above) > FOOTER_ALIKE_SHARE_MAX * len(above):
        below = []
    return cells.slice(0, rows - len(below)), below


def _filled_beyond_first(row: dict[str, str]) -> int:
    return sum(bool(cell.strip()) for cell in list(row.values())[1:])


def _footer(what: str, below: list[str]) -> Finding:
    shown = re.sub(r"\s+", " ", below[0])[:60]
    return Finding(
        "lines-below-table",
        f"{len(below)} line(s) stand below the table of `{what}`, the first is {shown!r}; as rows they would be cases "
        "that never were",
        action="left them out of the table",
        overrule="give them as many cells as the header has, in the file",
        evidence={"lines": len(below)},
    )


def told_about(dialect: Dialect, encoding: str, what: str) -> list[Finding]:
    """Return what is to be told of how a file is written."""
    found: list[Finding] = []
    if encoding == "utf-8-mixed":
        found.append(
            Finding(
                "mixed-encoding",
                f"`{what}` is written in UTF-8 with some bytes from Windows' encoding, else unreadable",
                action="read those bytes as Windows letters",
                overrule="write the file in UTF-8",
            )
        )
    elif not encoding.startswith("utf"):
        found.append(
            Finding(
                "foreign-encoding",
                f"`{what}` is not written in UTF-8, and nothing says in what else; if letters look wrong, this is why",
                action=f"read it as {encoding}, which its bytes fit",
                overrule="write the file in UTF-8",
                evidence={"encoding": encoding},
            )
        )
    if dialect.above:
        shown = re.sub(r"\s+", " ", dialect.above[0])[:60]
        found.append(
            Finding(
                "lines-above-header",
                f"{len(dialect.above)} line(s) stand above the header of `{what}`, the first is {shown!r}",
                action="left them out of the table",
                overrule="let the file begin with its header",
                evidence={"lines": len(dialect.above)},
            )
        )
    if dialects.tells_types(
        [line.split(dialect.delimiter) for line in dialect.merged[1:3]] if dialect.delimiter else []
    ):
        found.append(
            Finding(
                "types-below-header",
                f"two rows under the names in `{what}` tell each column's type and part, as Orange writes them",
                severity="note",
                action="left them out of the rows; the kinds of the columns are judged from their cells",
                overrule="leave one header line in the file",
            )
        )
    elif dialect.merged:
        found.append(merged_header(what, dialect.names or (), len(dialect.merged)))
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


def merged_header(what: str, names: Sequence[str], rows: int) -> Finding:
    """Return what is to be told of names that stand over several rows."""
    several = [" ".join(name.split())[:40] for name in names if " " in name]
    shown = ", ".join(f"`{name}`" for name in several[:3])
    return Finding(
        "header-over-rows",
        f"the names of the columns stand over {rows} rows of `{what}`: groups or units, and the names themselves",
        action=f"joined them to one name each, such as {shown}" if shown else "joined them to one name each",
        overrule="leave one header line in the file",
        evidence={"rows": rows},
    )


def _zeros(what: str, count: int) -> Finding:
    return Finding(
        "zero-bytes",
        f"`{what}` holds {count:,} zero byte(s), which no text has",
        severity="warning",
        action="left those bytes out; the cells around them are kept",
        overrule="write the file again without them",
    )
