"""What a source handed over: a folder of files and what is known of where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from toolkit.records import Record


@dataclass(frozen=True)
class FileRecord(Record):
    """One file as it arrived: path relative to the root with ``/``, size, SHA-256 in hex (empty until counted)."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Provenance(Record):
    """Where data came from and under which terms; an empty text means that nobody said.

    ``columns`` maps a file's name to its columns' descriptions. ``details`` is what else the source says, by what it is
    about: a model's framework, overview, usage and base; a competition's pages. ``fetched_at`` is UTC, ISO 8601.
    """

    source: str
    kind: str = "local"
    version: str = ""
    title: str = ""
    subtitle: str = ""
    description: str = ""
    url: str = ""
    licence: str = ""
    licence_url: str = ""
    origin: str = ""
    tags: tuple[str, ...] = ()
    metric: str = ""
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    fetched_at: str = ""
    files: tuple[FileRecord, ...] = ()


@dataclass(frozen=True)
class Download(Record):
    """A folder of complete files (``root``) with their records and provenance."""

    root: Path
    files: tuple[FileRecord, ...]
    provenance: Provenance
