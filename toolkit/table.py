"""A file becomes a ``Table`` of raw cells: the only module that reads tabular files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.findings import Finding
from toolkit.records import Record

if TYPE_CHECKING:
    import pandas as pd


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
