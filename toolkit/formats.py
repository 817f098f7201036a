"""Files that are no delimited text become named Arrow tables of raw texts: Parquet, Excel, JSON, SQLite, ARFF."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.delimited import merged_header
from toolkit.dialect import has_header, merged_names, unique_names
from toolkit.errors import DataError
from toolkit.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pyarrow as pa

    from toolkit.texts import Text

SPARSE_CELLS_MAX = 100_000_000  # of a table whose file leaves zeros out; some gigabytes of memory
OLE = b"\xd0\xcf\x11\xe0"  # how Office files began before 2007

_SAVE = "save the table as CSV and name that file"


class NamedTable(NamedTuple):
    """One table of a file: the name of its sheet or database table (``""`` without one), its cells, what to tell."""

    name: str
    cells: pa.Table
    findings: tuple[Finding, ...] = ()


Named = list[NamedTable]


def read_parquet(text: Text, what: str) -> Named:
    """Return the one table of a Parquet file."""
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - 100 ms

    try:
        return [NamedTable("", as_text(parquet.read_table(text.open_at(0))))]
    except (ArrowException, OSError) as error:
        raise _damaged(what, "Parquet", error) from error


def read_feather(text: Text, what: str) -> Named:
    """Return the one table of a Feather (Arrow) file."""
    from pyarrow import ArrowException, feather, ipc  # noqa: PLC0415 - 100 ms

    try:
        if text.head(4) == b"\xff\xff\xff\xff":  # a stream of Arrow's
            with ipc.open_stream(text.open_at(0)) as stream:
                return [NamedTable("", as_text(stream.read_all()))]
        return [NamedTable("", as_text(feather.read_table(text.open_at(0))))]
    except (ArrowException, OSError) as error:
        raise _damaged(what, "Feather", error) from error


def read_excel(text: Text, what: str) -> Named:
    """Return the filled sheets of a workbook, each with its name; title rows above a header are left out."""
    import openpyxl  # noqa: PLC0415 - 150 ms, for workbooks alone

    try:
        book = openpyxl.load_workbook(io.BytesIO(text.all()), read_only=True, data_only=True)
        sheets = [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except Exception as error:  # openpyxl raises whatever its XML and zip readers do on a damaged file
        raise _damaged(what, "Excel", error) from error
    return [_sheet(name, rows) for name, rows in sheets if any(_filled(row) for row in rows)]


def read_old_excel(text: Text, what: str) -> Named:
    """Return the filled sheets of a workbook as Excel wrote it before 2007 (.xls)."""
    try:
        import xlrd  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and 20 ms
    except ImportError as error:
        message = f"`{what}` is an old Excel workbook (.xls), which takes the package xlrd to read"
        raise DataError(message, hint="`pip install xlrd`, or save it as .xlsx or CSV") from error
    try:
        book = xlrd.open_workbook(file_contents=text.all(), on_demand=True, logfile=io.StringIO())
        sheets = [
            (sheet.name, [list(map(_old_cell(book.datemode), sheet.row(row))) for row in range(sheet.nrows)])
            for sheet in book.sheets()
        ]
    except Exception as error:  # xlrd raises whatever a damaged file leads it to
        raise _damaged(what, "an old Excel workbook", error) from error
    return [_sheet(name, rows) for name, rows in sheets if any(_filled(row) for row in rows)]


def _old_cell(datemode: int) -> Callable[[Any], object]:
    """Return what makes a typed value of an old workbook's cell, whose dates count days."""
    import xlrd  # noqa: PLC0415 - as above

    def value(cell: Any) -> object:
        if cell.ctype == xlrd.XL_CELL_DATE:
            moment = xlrd.xldate_as_datetime(cell.value, datemode)
            return moment.time() if cell.value < 1 else moment
        if cell.ctype == xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        return None if cell.ctype in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR} else cell.value

    return value


def _sheet(name: str, rows: Sequence[Sequence[object]]) -> NamedTable:
    cells, findings = from_rows(rows, name)
    return NamedTable(name, cells, findings)


def read_sqlite(text: Text, what: str) -> Named:
    """Return every table of an SQLite database, opened for reading only."""
    try:
        database = _opened(text)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            listing = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            names = [str(row[0]) for row in database.execute(listing) if not str(row[0]).startswith("sqlite_")]
            found: Named = []
            for name in names:
                quoted = name.replace('"', '""')
                cursor = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - the name is quoted as SQL wants it
                header = [str(column[0]) for column in cursor.description]
                found.append(NamedTable(name, from_records(header, cursor)))
            return found
        finally:
            database.close()
    except sqlite3.Error as error:
        raise _damaged(what, "SQLite", error) from error


def _opened(text: Text) -> sqlite3.Connection:
    if text.raw is None:
        return sqlite3.connect(f"{text.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    database = sqlite3.connect(":memory:")
    database.deserialize(text.raw[:18] + b"\1\1" + text.raw[20:])  # its log of changes is not here: read as without one
    return database


def read_json(text: str, what: str) -> tuple[str, Named] | None:
    """Return the format (``json`` or ``json-lines``) and tables of JSON text, or ``None`` when it is no JSON table.

    Records (a list of objects), columns (an object of lists or of objects), either of them one level down under a name,
    and one object a line. Objects inside a record become columns ``outer.inner``; lists stay JSON text in their cell.
    """
    first_line = text.split("\n", 1)[0].strip()
    document: Any
    try:
        document = _loads(text)
    except ValueError:
        if not re.match(r'\{\s*["}]|\{$|\[', first_line):  # a header may begin with a brace
            return None
        return "json-lines", [NamedTable("", _from_json_lines(text, what))]
    except RecursionError as error:
        raise _damaged(what, "JSON", error) from error
    plain = sum(not isinstance(value, dict | list) for value in document.values()) if isinstance(document, dict) else 0
    listed = isinstance(document, dict) and any(map(_are_records, document.values()))
    if plain > 1 and not listed and "\n" not in text.strip():  # the shortest file with one object a line
        return "json-lines", [NamedTable("", from_json_records([document]))]
    found = _json_tables(document)
    return ("json", found) if found else None


def _are_records(value: object) -> bool:
    """Whether a value of an object is a table: several objects in a list, as services answer with."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(item, dict) for item in value)


def read_arff(text: str, what: str) -> Named:
    """Return the table of an ARFF file (Weka's form: attributes by name, then comma-separated rows)."""
    names: list[str] = []
    usual: list[str] = []  # what a sparse row leaves out: zero, or the first of the words
    lines = io.StringIO(text)
    for line in lines:
        found = re.match(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(.*)", line.strip(), re.IGNORECASE)
        if found:
            names.append(found[1].strip("'\""))
            words = next(csv.reader([found[2].strip("{} \t")], quotechar="'", skipinitialspace=True), [""])
            usual.append(words[0].strip() if found[2].startswith("{") else "0")
        if line.strip().lower().startswith("@data"):
            break
    body = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("%")]
    sparse = bool(body) and all(line.startswith("{") for line in body)
    if sparse and len(body) * len(names) > SPARSE_CELLS_MAX:
        message = f"`{what}` leaves zeros out; written out it has {len(body):,} rows of {len(names):,} cells"
        raise DataError(message, hint="keep fewer of its columns, and save the table as CSV")
    if sparse:
        body = [
            re.sub(r"\}(\s*,\s*\{[^{}]*\})?\s*$", "", line[1:]) for line in body
        ]  # a weight may stand behind the row
    rows = list(csv.reader(body, quotechar="'", escapechar="\\", skipinitialspace=True))
    if sparse:
        rows = [_filled_up(row, usual, what) for row in rows] if len(rows) == len(body) else []
    cells = from_records(names, ([_arff_cell(cell) for cell in row] for row in rows))
    return [NamedTable("", cells)]


def _arff_cell(cell: str) -> str:
    return cell.strip().strip('"')


def _filled_up(row: Sequence[str], usual: Sequence[str], what: str) -> list[str]:
    """Return all cells of a row that names only those which are not as usual: ``3 red`` is the fourth."""
    cells = list(usual)
    for pair in row:
        place, _, value = pair.strip().partition(" ")
        if not place:
            continue
        if not place.isdigit() or int(place) >= len(cells):
            message = (
                f"`{what}` has a sparse row with a cell {pair.strip()[:40]!r}: expected a column's number and a value"
            )
            raise DataError(message, hint=_SAVE)
        cells[int(place)] = value.strip().strip("'")
    return cells


def as_text(table: pa.Table) -> pa.Table:
    """Return a typed Arrow table with every cell written out in its shortest exact form; null stays absent."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    arrays = [_column_as_text(table.column(index)) for index in range(table.num_columns)]
    return pa.Table.from_arrays(arrays, names=list(unique_names(tuple(str(name) for name in table.column_names))))


def from_rows(rows: Sequence[Sequence[object]], name: str = "") -> tuple[pa.Table, tuple[Finding, ...]]:
    """Return a sheet's rows as a table, and what is to be told: the first full row is the header, unless it is data."""
    width = max((_last_filled(row) for row in rows), default=0)
    texts = [
        [cell_text(cell) for cell in row[:width]] + [None] * (width - len(row[:width])) for row in rows if _filled(row)
    ]
    start = 0
    while start + 1 < len(texts) and width > 1:
        filled, below = (sum(cell is not None for cell in texts[start + step]) for step in (0, 1))
        if filled > width / 2 or below <= filled:
            break
        start += 1
    sample = [[cell or "" for cell in row] for row in texts[max(start - 1, 0) : start + 200]]
    above, sample = (sample[0], sample[1:]) if start else ([], sample)
    if sample and not has_header(sample):
        header, lower = tuple(f"column_{index + 1}" for index in range(width)), -1
        merged = None
    else:
        merged = merged_names(above, sample) if sample else None
        header, lower = (merged[0], merged[2]) if merged else (tuple(sample[0]) if sample else (), 0)
    titles = start - (merged is not None and merged[1])
    shown = next((cell for cell in texts[0] if cell), "") if titles else ""
    told = [_titles(name, titles, shown)] if titles else []
    if merged is not None:
        told.append(merged_header(name, header, start - titles + lower + 1))
    return from_records(header, texts[start + 1 + lower :]), tuple(told)


def _titles(name: str, count: int, first: str) -> Finding:
    return Finding(
        "lines-above-header",
        f"{count} row(s) stand above the header of the sheet `{name}`, the first is {' '.join(first.split())[:60]!r}",
        action="left them out of the table",
        overrule="let the sheet begin with its header",
        evidence={"lines": count},
    )


def from_records(header: Sequence[str], rows: Iterable[Sequence[object]]) -> pa.Table:
    """Return rows of values (or raw texts) under ``header``; a short row is filled up, a long one cut."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    names = unique_names(tuple(header))
    width = len(names)
    columns: list[list[str | None]] = [[] for _ in names]
    for row in rows:
        for index, column in enumerate(columns):
            column.append(cell_text(row[index]) if index < len(row) else None)
    arrays = [pa.array(column, pa.large_string()) for column in columns]
    return pa.Table.from_arrays(arrays, names=list(names)) if width else pa.table({})


def from_json_records(records: Sequence[dict[str, Any]]) -> pa.Table:
    """Return objects as rows, in the order in which their names first appear; objects inside become ``outer.inner``."""
    flat = [_flatten(record) for record in records]
    header = list(dict.fromkeys(name for record in flat for name in record))
    return from_records(header, ([record.get(name) for name in header] for record in flat))


def cell_text(value: object) -> str | None:
    """Return a typed value in its shortest exact form (``1.5``, ``True``, ``2024-01-31``), ``None`` for none."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - NaN
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() and value.tzinfo is None else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, list | dict | tuple):
        return json.dumps(_with_numbers(value), ensure_ascii=False, default=str)
    return str(value)


class _Digits(str):
    """A number of JSON as it stands there."""

    __slots__ = ()


def _with_numbers(value: object) -> object:
    """Return a list or an object with its numbers as numbers, which are texts while they are cells."""
    if isinstance(value, _Digits):
        return json.loads(value)
    if isinstance(value, list | tuple):
        return [_with_numbers(inner) for inner in value]
    return {key: _with_numbers(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _column_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_as_text(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return column.cast(pa.large_string())
    if pa.types.is_decimal(kind) or pa.types.is_date(kind):
        return column.cast(pa.large_string())
    return pa.chunked_array([pa.array([cell_text(value) for value in column.to_pylist()], pa.large_string())])


def _from_json_lines(text: str, what: str) -> pa.Table:
    records: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _loads(line)
        except (ValueError, RecursionError) as error:
            message = f"`{what}` line {number} is no JSON: expected one object a line"
            raise DataError(message, hint=_SAVE) from error
        records.append(record if isinstance(record, dict) else {"value": record})
    return from_json_records(records)


def _json_tables(document: object) -> Named:
    if isinstance(document, list):
        if document and all(isinstance(record, dict) for record in document):
            return [NamedTable("", from_json_records(document))]
        if len(document) > 1 and all(isinstance(row, list) for row in document):
            return [NamedTable("", from_rows(document)[0])]
        return []
    if not isinstance(document, dict) or not document:
        return []
    names, data = document.get("columns"), document.get("data")
    if (
        isinstance(names, list) and isinstance(data, list) and data and _has_width(data, len(names))
    ):  # as pandas splits it
        return [NamedTable("", from_records([str(name) for name in names], data))]
    values = list(document.values())
    lists = [value for value in values if isinstance(value, list)]
    plain = [value for value in lists if not any(isinstance(cell, dict | list) for cell in value)]
    if len(plain) == len(values) and len({len(value) for value in plain}) == 1 and len(plain[0]):
        return [NamedTable("", from_records(list(document), zip(*plain, strict=True)))]
    if all(isinstance(value, dict) for value in values) and len(values) > 1:
        return [NamedTable("", _from_nested(document))]
    found = [
        NamedTable(str(key), table.cells)
        for key, value in document.items()
        if isinstance(value, list)
        for table in _json_tables(value)
    ]
    inner = [value for value in values if isinstance(value, dict)]
    return found or (_json_tables(inner[0]) if len(inner) == 1 else [])


def _has_width(rows: Sequence[object], width: int) -> bool:
    return all(isinstance(row, list) and len(row) == width for row in rows)


def _from_nested(document: dict[str, dict[str, Any]]) -> pa.Table:
    """Return an object of objects as pandas writes it: columns where the inner names are row numbers, else rows."""
    inner = dict.fromkeys(key for value in document.values() for key in value)
    if inner and all(key.isdigit() for key in inner):
        return from_records(list(document), ([value.get(key) for value in document.values()] for key in inner))
    return from_json_records([{"": key, **value} for key, value in document.items()])


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value and "$oid" not in value:
            flat |= {f"{name}.{inner}": cell for inner, cell in value.items()}
        else:
            flat[name] = value
    return flat


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=_Digits, parse_int=_Digits, parse_constant=lambda _: None)


def _filled(row: Sequence[object]) -> bool:
    return any(cell is not None and cell != "" for cell in row)


def _last_filled(row: Sequence[object]) -> int:
    return max((index + 1 for index, cell in enumerate(row) if cell is not None and cell != ""), default=0)


def _damaged(what: str, kind: str, error: BaseException) -> DataError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return DataError(f"`{what}` cannot be read as {kind}: {reason}", hint=f"download the file again, or {_SAVE}")
