"""A ``Download`` becomes ``Contents``: which files are tables, in which role, and what the rest is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.download import Provenance
from toolkit.findings import Finding
from toolkit.table import Table

Role = Literal["train", "test", "sample_submission", "dictionary", "table", "other"]


@dataclass(frozen=True)
class Item:
    """One file (or one sheet of it): its path relative to the download, what it is and in which role."""

    path: str
    kind: Literal["table", "text", "image", "audio", "model", "database", "archive", "other"]
    role: Role
    size_bytes: int
    why: str
    rows: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Contents:
    """What a download holds. ``main`` is the table to learn from; ``test`` the rows to predict, if any.

    ``descriptions`` maps a column of ``main`` to its plain-word description (data dictionary, Kaggle's metadata).
    """

    items: tuple[Item, ...]
    main: Table
    test: Table | None
    sample_submission: Table | None
    descriptions: dict[str, str]
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
