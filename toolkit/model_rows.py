"""Rows that a wrapped model is to answer, from any source, as a file that its project reads."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.download import Download

PLAIN_SUFFIXES = frozenset((".csv", ".tsv", ".parquet", ".pq"))  # a project reads these as they are


def is_plain(path: Path) -> bool:
    """Return whether a project reads the file itself: then its rows need not go through memory here."""
    return path.is_file() and path.suffix.lower() in PLAIN_SUFFIXES


def as_csv(download: Download, folder: Path) -> Path:
    """Return a CSV file in ``folder`` with the rows of a download's main table, raw text, what means a gap left empty.

    Raises ``DataError`` when the download holds no table.
    """
    from toolkit.contents import read  # noqa: PLC0415 - pandas, 0.3 s
    from toolkit.profile import describe  # noqa: PLC0415 - as above

    contents = read(download)
    frame = contents.main.frame.copy()
    for column in describe(contents).columns:
        gaps = set(column.missing) - {""}
        if gaps and column.name in frame:
            frame[column.name] = frame[column.name].where(~frame[column.name].str.strip().isin(gaps), "")
    path = folder / f"{PurePosixPath(contents.main.name).stem or 'rows'}.csv"
    frame.to_csv(path, index=False)
    return path
