"""Small tables for tests: from columns in memory to ``Contents`` and ``Profile``, and from text to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from toolkit import contents, profile, table
from toolkit.download import Download, FileRecord, Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from toolkit.findings import Finding


def table_of(columns: Mapping[str, Sequence[str | None]], name: str = "table.csv") -> table.Table:
    """Return a table of raw texts."""
    frame = pd.DataFrame({key: pd.Series(list(cells), dtype="str") for key, cells in columns.items()})
    return table.Table(name, frame, table.Reading(Path(name), "csv"))


def contents_of(
    columns: Mapping[str, Sequence[str | None]],
    *,
    test: Mapping[str, Sequence[str | None]] | None = None,
    submission: Mapping[str, Sequence[str | None]] | None = None,
    name: str = "table.csv",
) -> contents.Contents:
    """Return contents whose main table has these columns."""
    return contents.Contents(
        items=(),
        main=table_of(columns, name),
        test=table_of(test, "test.csv") if test is not None else None,
        sample_submission=table_of(submission, "sample_submission.csv") if submission is not None else None,
        descriptions={},
        provenance=Provenance(source=name),
    )


def profile_of(
    columns: Mapping[str, Sequence[str | None]],
    *,
    test: Mapping[str, Sequence[str | None]] | None = None,
    submission: Mapping[str, Sequence[str | None]] | None = None,
    name: str = "table.csv",
) -> profile.Profile:
    """Return the profile of these columns."""
    return profile.describe(contents_of(columns, test=test, submission=submission, name=name))


def column_of(*cells: str | None, name: str = "a") -> profile.Column:
    """Return the profile of one column that holds these cells."""
    return profile_of({name: cells}).columns[0]


def codes_of(findings: Sequence[Finding]) -> list[str]:
    """Return the codes of findings, sorted."""
    return sorted(finding.code for finding in findings)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files (path to text or bytes) below ``folder`` and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def download_of(folder: Path, provenance: Provenance | None = None) -> Download:
    """Return a folder of files as a download."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = tuple(FileRecord(path.relative_to(folder).as_posix(), path.stat().st_size, "") for path in paths)
    return Download(folder, files, provenance or Provenance(source=folder.name))
