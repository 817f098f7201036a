"""The bytes of a file, on disk or in memory already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SCAN_BYTES = 1 << 24  # read size when a file is only looked through


@dataclass
class Text:
    """The bytes of a file: those at ``path``, or ``raw`` when they are in memory already (the member of an archive)."""

    path: Path
    raw: bytes | None = None

    def head(self, size_bytes: int) -> bytes:
        """Return the first bytes."""
        if self.raw is not None:
            return self.raw[:size_bytes]
        with self.path.open("rb") as file:
            return file.read(size_bytes)

    def all(self) -> bytes:
        """Return all bytes."""
        return self.path.read_bytes() if self.raw is None else self.raw

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces that memory holds easily."""
        if self.raw is not None:
            yield self.raw
            return
        with self.path.open("rb") as file:
            while chunk := file.read(SCAN_BYTES):
                yield chunk

    def holds(self, marks: bytes) -> frozenset[int]:
        """Return those of the bytes ``marks`` that occur anywhere."""
        found: set[int] = set()
        for chunk in self.chunks():
            found |= {mark for mark in marks if mark not in found and mark in chunk}
        return frozenset(found)

    def open_at(self, offset: int) -> Any:
        """Return a file that starts at ``offset``."""
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        file = pa.OSFile(str(self.path)) if self.raw is None else pa.BufferReader(self.raw)
        file.seek(offset)
        return file
