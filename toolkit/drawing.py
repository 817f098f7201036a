"""A file that is larger than memory becomes a seeded draw of its rows: read once in blocks, every row counted."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from toolkit import dialect as dialects
from toolkit.compressed import refuse_bomb
from toolkit.delimited import Delimited, names_of, open_quote, read_delimited, told_about
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.formats import as_text
from toolkit.mending import Ragged, quote_ran_away
from toolkit.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from toolkit.dialect import Dialect

SEED = 7
BLOCK_BYTES = 4 << 20
BLOCK_ROWS = 1 << 16  # of a Parquet file
SLACK = 1.25  # times the rows wanted, held before some are let go of
RAGGED_MAX = 100_000  # rows of another length that are kept in memory until all are read
_RAN_AWAY = "a quotation mark is opened and not closed"
STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # so that a little more memory gives no other draw


class Draw:
    """Keeps so many rows of all that come by, each with the same chance, in their order.

    Each row gets a seeded number, and those with the least are kept: a larger draw holds every row of a smaller one.
    ``rows`` is how many to keep; without it as many as fit ``room`` bytes.
    """

    def __init__(self, rows: int | None, room: int = 0) -> None:
        import numpy as np  # noqa: PLC0415 - 80 ms

        self.seen = 0
        self.gaps: dict[str, int] = {}
        self._rows, self._room = rows, room
        self._random = np.random.default_rng(SEED)
        self._below = 1.0
        self._kept: list[tuple[pa.Table, NDArray[Any]]] = []

    def add(self, block: pa.Table) -> None:
        """Take in the next rows."""
        import pyarrow as pa  # noqa: PLC0415 - 100 ms
        import pyarrow.compute as pc  # noqa: PLC0415

        if not block.num_rows:
            return
        if self._rows is None:
            self._rows = _stepped(self._room // max(1, block.nbytes // block.num_rows))
        for name, column in zip(block.column_names, block.columns, strict=True):
            empty = pc.sum(pc.equal(pc.binary_length(column), 0)).as_py() or 0
            self.gaps[name] = self.gaps.get(name, 0) + empty + column.null_count
        keys = self._random.random(block.num_rows)
        self.seen += block.num_rows
        keep = keys < self._below
        self._kept.append((block.filter(pa.array(keep)), keys[keep]))
        if sum(len(keys) for _, keys in self._kept) > SLACK * self._rows:
            self._let_go()

    def drawn(self) -> pa.Table:
        """Return the rows that are kept."""
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        self._let_go()
        rest, self._kept = pa.concat_tables([block for block, _ in self._kept]), []
        columns: dict[str, pa.ChunkedArray] = {}
        while rest.num_columns:  # one after the other, so that no more than one of them is there twice
            columns[rest.column_names[0]] = pa.chunked_array([rest.column(0).combine_chunks()])
            rest = rest.remove_column(0)
        return pa.table(columns)

    def _let_go(self) -> None:
        import numpy as np  # noqa: PLC0415 - 80 ms
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        keys = np.concatenate([keys for _, keys in self._kept])
        if self._rows is None or len(keys) <= self._rows:
            return
        self._below = float(np.partition(keys, self._rows)[self._rows])
        for place, (block, own) in enumerate(self._kept):
            keep = own < self._below
            if not keep.all():
                self._kept[place] = block.filter(pa.array(keep)), own[keep]


def places(count: int, rows: int) -> NDArray[Any]:
    """Return which of ``count`` rows a draw of ``rows`` keeps, in their order."""
    import numpy as np  # noqa: PLC0415 - 80 ms

    return np.sort(np.argsort(np.random.default_rng(SEED).random(count), kind="stable")[:rows])


def some(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return a draw of a frame's rows, the same that reading in blocks gives."""
    return frame.iloc[places(len(frame), rows)].reset_index(drop=True)


def draw_delimited(opened: Callable[[], IO[bytes]], what: str, draw: Callable[[], Draw]) -> tuple[Delimited, Draw]:
    """Return a draw of the rows of a delimited file; ``opened`` gives its bytes from the start, as often as asked."""
    from pyarrow import ArrowInvalid  # noqa: PLC0415 - 100 ms

    with opened() as file:
        encoding = dialects.encoding_of(file.read(dialects.SAMPLE_BYTES))
    quoted = True
    while True:
        try:
            return _draw(opened, encoding, what, draw(), quoted=quoted)
        except ArrowInvalid as error:
            if "utf" in str(error).lower() and encoding in {"utf-8", "utf-8-sig"}:
                encoding = _foreign(opened)
            elif quoted:
                quoted = False  # a quote that nobody closes takes in all that follows
            else:
                message = f"`{what}` is larger than memory and cannot be read in blocks: {str(error)[:200]}"
                raise DataError(message, hint="mend the line, or take a part of the file") from error


def _draw(
    opened: Callable[[], IO[bytes]], encoding: str, what: str, draw: Draw, *, quoted: bool
) -> tuple[Delimited, Draw]:
    from pyarrow import ArrowInvalid, large_string  # noqa: PLC0415 - 100 ms
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    with _readable(opened(), encoding) as file:
        head = file.read(dialects.SAMPLE_BYTES)
    mark = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    sample = head[mark:].decode("utf-8", errors="ignore")
    dialect = dialects.sniff(sample, whole=False)
    names = names_of(dialect)
    above = mark + sum(len(line.encode()) for line in dialects.lines_of(sample)[: dialect.lines])
    plain = len(dialect.delimiter) == 1 and dialect.delimiter != " " and not dialect.escape and not dialect.spaced
    if not plain or len(names) != dialect.width:
        text = draw_lines(
            opened, draw, above=above
        )  # Arrow cannot read it: lines are drawn, then read as any other file
        return read_delimited(Text(Path(what), text.encode()), what), draw
    unique = list(dialects.unique_names(names))
    ragged = Ragged()
    texts: list[str] = []

    def odd(row: Any) -> str:
        if row.actual_columns < row.expected_columns:
            ragged.short += 1
        else:
            ragged.long += 1
        if len(texts) < RAGGED_MAX:
            texts.append(str(row.text))
        return "skip"

    with _readable(opened(), encoding) as file:
        file.read(above)
        with arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(column_names=unique, block_size=BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=odd,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(unique, large_string()), strings_can_be_null=False
            ),
        ) as blocks:
            for block in _tables(blocks):
                if quoted and quote_ran_away(block, dialect):
                    raise ArrowInvalid(_RAN_AWAY)
                draw.add(block)
    if quoted and any("\n" in text.rstrip() for text in texts):
        raise ArrowInvalid(_RAN_AWAY)
    if texts:
        draw.add(_mended(texts, dialect, unique))
    findings = told_about(dialect, encoding, what)
    findings += [] if quoted else [open_quote(what)]
    if ragged.found:
        ragged.examples.append("they stand behind all others")
        findings.append(ragged.finding(what, len(unique)))
    if ragged.found > len(texts):
        findings.append(_left_out(what, ragged.found - len(texts)))
    return Delimited(draw.drawn(), dialect, encoding.removesuffix("-mixed"), findings), draw


def draw_lines(opened: Callable[[], IO[bytes]], draw: Draw, *, above: int = 0) -> str:
    """Return a draw of the lines of a file behind the first ``above`` bytes, which stay; empty lines are left out."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    with opened() as file:
        encoding = dialects.encoding_of(file.read(dialects.SAMPLE_BYTES))
    with _readable(opened(), encoding) as file:
        head = file.read(above)
        for piece in _lines(file):
            lines = [text for text in piece.decode(errors="replace").lstrip("\ufeff").split("\n") if text.strip()]
            draw.add(pa.table({"": pa.array(lines, pa.large_string())}))
    return head.decode(errors="replace").lstrip("\ufeff") + "\n".join(draw.drawn().column(0).to_pylist())


def draw_parquet(file: IO[bytes], draw: Draw) -> pa.Table:
    """Return a draw of the rows of a Parquet file, as texts."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms
    from pyarrow import parquet  # noqa: PLC0415

    for batch in parquet.ParquetFile(file).iter_batches(batch_size=BLOCK_ROWS):
        draw.add(as_text(pa.Table.from_batches([batch])))
    return draw.drawn()


def told_of(what: str, draw: Draw, kept: int, why: str) -> Finding:
    """Return what is to be told of a draw, ``why`` there is one."""
    missing = {name: count for name, count in draw.gaps.items() if count}
    return drawn_finding(what, draw.seen, kept, why, missing)


def drawn_finding(what: str, rows: int, kept: int, why: str, missing: dict[str, int]) -> Finding:
    """Return the finding of a table of which not all rows are used."""
    return Finding(
        "drawn-rows",
        f"`{what}` has {rows:,} rows, {why}; figures, decisions and the model are those of {kept:,} of them",
        severity="warning",
        action=f"counted all rows, and drew {kept:,} by chance (seed {SEED}), which stay in their order",
        overrule="--rows N",
        evidence={"table": what, "rows": rows, "drawn": kept, "seed": SEED, "missing": missing},
    )


def _left_out(what: str, rows: int) -> Finding:
    return Finding(
        "rows-left-out",
        f"{rows:,} more rows of `{what}` have another number of cells than the header has names",
        severity="warning",
        action="counted them, and left them out: so many are kept in memory",
        overrule="mend those lines in the file",
    )


def _tables(blocks: Any) -> Iterator[pa.Table]:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    for batch in blocks:
        yield pa.Table.from_batches([batch])


def _mended(texts: list[str], dialect: Dialect, names: list[str]) -> pa.Table:
    """Return rows of another length: absent cells are empty, surplus cells stay joined to the last column."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    width = len(names)
    rows = [_cells(text, dialect) for text in texts]
    rows = [[*row[: width - 1], dialect.delimiter.join(row[width - 1 :])] for row in rows]
    rows = [row + [""] * (width - len(row)) for row in rows]
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(list(cells), pa.large_string()) for name, cells in columns})


def _cells(text: str, dialect: Dialect) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote), [])
    except csv.Error:  # a cell beyond its bounds
        return text.split(dialect.delimiter)


def _stepped(rows: int) -> int:
    """Return the nearest rounder number below, so that a draw does not hang on each byte of memory."""
    power = 10 ** (len(str(max(rows, 1))) - 1)
    return max(1, int(max(step for step in STEPS if step * power <= max(rows, 1)) * power))


def _foreign(opened: Callable[[], IO[bytes]]) -> str:
    """Return the encoding of a file that is not UTF-8, by the first piece that shows it."""
    with opened() as file:
        for piece in _lines(file):
            try:
                piece.decode()
            except UnicodeDecodeError:
                return dialects.fallback_encoding(piece)
    return "latin-1"


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield whole lines, some megabytes at a time."""
    rest = b""
    while piece := file.read(BLOCK_BYTES):
        whole, mark, rest_of = (rest + piece).rpartition(b"\n")
        rest = rest_of
        if whole or mark:
            yield whole + mark
    if rest:
        yield rest


def _readable(file: IO[bytes], encoding: str) -> IO[bytes]:
    """Return a file as UTF-8, whatever it is written in."""
    if encoding in {"utf-8", "utf-8-sig"}:
        return file
    return io.BufferedReader(_Pieces(file, _decoded(file, encoding)), BLOCK_BYTES)


def _decoded(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    if encoding.startswith(("utf-16", "utf-32")):
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        while piece := file.read(BLOCK_BYTES):
            yield decoder.decode(piece).lstrip("\ufeff").encode()
        return
    for piece in _lines(file):
        yield dialects.decode(piece, encoding).encode()


@dataclass(eq=False)
class _Pieces(io.RawIOBase):
    """A file of pieces that are made one after the other."""

    file: IO[bytes]
    pieces: Iterator[bytes]
    _rest: memoryview = field(default_factory=lambda: memoryview(b""))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self.pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def close(self) -> None:
        self.file.close()
        super().close()


def unpacked(file: IO[bytes], packed_bytes: int, what: str) -> IO[bytes]:
    """Return what a compressed file gives, refusing one that grows beyond reason."""
    return io.BufferedReader(_Pieces(file, _counted(file, packed_bytes, what)), BLOCK_BYTES)


def _counted(file: IO[bytes], packed_bytes: int, what: str) -> Iterator[bytes]:
    size = 0
    while piece := file.read(1 << 20):
        size += len(piece)
        refuse_bomb(size, packed_bytes, what, most=0)
        yield piece
