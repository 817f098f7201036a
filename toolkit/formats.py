"""Files that are no delimited text become named Arrow tables of raw texts: Parquet, Excel, JSON, SQLite, ARFF."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from toolkit.dialect import has_header, unique_names
from toolkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from toolkit.texts import Text

Named = list[tuple[str, "pa.Table"]]  # the name of a sheet, a database's table or "" and its cells

_SAVE = "save the table as CSV and name that file"


def read_parquet(text: Text, what: str) -> Named:
    """Return the one table of a Parquet file."""
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - 100 ms

    try:
        return [("", as_text(parquet.read_table(text.open_at(0))))]
    except (ArrowException, OSError) as error:
        raise _damaged(what, "Parquet", error) from error


def read_feather(text: Text, what: str) -> Named:
    """Return the one table of a Feather (Arrow) file."""
    from pyarrow import ArrowException, feather  # noqa: PLC0415 - 100 ms

    try:
        return [("", as_text(feather.read_table(text.open_at(0))))]
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
    return [(name, from_rows(rows)) for name, rows in sheets if any(_filled(row) for row in rows)]


def read_sqlite(path: Path, what: str) -> Named:
    """Return every table of an SQLite database, opened for reading only."""
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            listing = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            names = [str(row[0]) for row in database.execute(listing) if not str(row[0]).startswith("sqlite_")]
            found: Named = []
            for name in names:
                quoted = name.replace('"', '""')
                cursor = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - the name is quoted as SQL wants it
                header = [str(column[0]) for column in cursor.description]
                found.append((name, from_records(header, cursor)))
            return found
        finally:
            database.close()
    except sqlite3.Error as error:
        raise _damaged(what, "SQLite", error) from error


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
        return "json-lines", [("", _from_json_lines(text, what))]
    except RecursionError as error:
        raise _damaged(what, "JSON", error) from error
    plain = sum(not isinstance(value, dict | list) for value in document.values()) if isinstance(document, dict) else 0
    if plain > 1 and "\n" not in text.strip():  # one line of one object: the shortest file with one object a line
        return "json-lines", [("", from_json_records([document]))]
    found = _json_tables(document)
    return ("json", found) if found else None


def read_arff(text: str, what: str) -> Named:
    """Return the table of an ARFF file (Weka's form: attributes by name, then comma-separated rows)."""
    names: list[str] = []
    lines = io.StringIO(text)
    for line in lines:
        found = re.match(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s", line.strip(), re.IGNORECASE)
        if found:
            names.append(found[1].strip("'\""))
        if line.strip().lower().startswith("@data"):
            break
    body = (line for line in lines if line.strip() and not line.lstrip().startswith("%"))
    rows = list(csv.reader(body, quotechar="'", escapechar="\\", skipinitialspace=True))
    if any(row and row[0].startswith("{") for row in rows):
        message = f"`{what}` is a sparse ARFF file, which is not read"
        raise DataError(message, hint=_SAVE)
    return [("", from_records(names, ([cell.strip() for cell in row] for row in rows)))]


def as_text(table: pa.Table) -> pa.Table:
    """Return a typed Arrow table with every cell written out in its shortest exact form; null stays absent."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    arrays = [_column_as_text(table.column(index)) for index in range(table.num_columns)]
    return pa.Table.from_arrays(arrays, names=list(unique_names(tuple(str(name) for name in table.column_names))))


def from_rows(rows: Sequence[Sequence[object]]) -> pa.Table:
    """Return a sheet's rows as a table: the first full row is the header, unless it looks like data."""
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
    header = [cell or "" for cell in texts[start]] if texts else []
    sample = [[cell or "" for cell in row] for row in texts[start : start + 200]]
    if sample and not has_header(sample):
        return from_records([f"column_{index + 1}" for index in range(width)], texts[start:])
    return from_records(header, texts[start + 1 :])


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
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


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
            return [("", from_json_records(document))]
        if len(document) > 1 and all(isinstance(row, list) for row in document):
            return [("", from_rows(document))]
        return []
    if not isinstance(document, dict) or not document:
        return []
    values = list(document.values())
    lists = [value for value in values if isinstance(value, list)]
    plain = [value for value in lists if not any(isinstance(cell, dict | list) for cell in value)]
    if len(plain) == len(values) and len({len(value) for value in plain}) == 1 and len(plain[0]):
        return [("", from_records(list(document), zip(*plain, strict=True)))]
    if all(isinstance(value, dict) for value in values) and len(values) > 1:
        return [("", _from_nested(document))]
    return [
        (f"{key}", table)
        for key, value in document.items()
        if isinstance(value, list)
        for _, table in _json_tables(value)
    ]


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
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=lambda _: None)


def _filled(row: Sequence[object]) -> bool:
    return any(cell is not None and cell != "" for cell in row)


def _last_filled(row: Sequence[object]) -> int:
    return max((index + 1 for index, cell in enumerate(row) if cell is not None and cell != ""), default=0)


def _damaged(what: str, kind: str, error: BaseException) -> DataError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return DataError(f"`{what}` cannot be read as {kind}: {reason}", hint=f"download the file again, or {_SAVE}")
