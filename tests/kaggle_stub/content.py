"""What the stub holds: things of every kind, faults to come and requests that came."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal[
    "status",  # answer with this status instead
    "cut",  # send this many bytes, then hang up, the length having been told
    "cut-unmeasured",  # the same, without a length
    "unmeasured",  # send all, without a length
    "chunked",  # send all in chunks
    "cut-chunked",  # send this many bytes in chunks, then hang up
    "gzip",  # packed on the way, the checksum being that of what is packed
    "gzip-stored",  # packed on the way, the checksum being that of the packed bytes
    "short-parts",  # answer a resumption with this many bytes and no more
    "part",  # answer 206 though nobody asked for a part
    "odd-headers",  # names in small letters, both checksums in one line, nothing that may be left away
    "wrong-md5",
    "no-md5",
    "ignore-range",  # answer a resumption with 200 and the whole file
    "wrong-range",  # answer a resumption with 206 and other bytes than asked for
    "no-etag",
    "new-etag",  # the file has changed since
    "drip",  # send this many bytes a second
    "stall",  # send this many bytes, then nothing more, the connection staying open
    "silence",  # send nothing for this many seconds
    "raw",  # send these bytes as they are, then close the connection
    "hang-up",  # close the connection without an answer
    "redirect",  # to this address
    "type",  # this Content-Type
    "lost",  # do what was asked, then close the connection without an answer
    "unnumbered",  # answer without a `ref`
    "file",  # these bytes as application/json in place of a redirect
    "body",  # this JSON as the answer of the API
]


@dataclass
class Fault:
    """One thing that goes wrong, once: ``value`` as told at ``FaultKind``, ``headers`` and ``body`` for a status."""

    kind: FaultKind
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    also: tuple[FaultKind, ...] = ()  # other things that go wrong with the same answer

    def has(self, *kinds: FaultKind) -> bool:
        """Return whether one of these goes wrong."""
        return bool({self.kind, *self.also} & set(kinds))


@dataclass(frozen=True)
class Seen:
    """One request: where it came (``api`` or ``storage``), its method or path, headers in small letters, body."""

    place: str
    call: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Thing:
    """A dataset, competition, model or notebook: what Kaggle says of it, and its files by version."""

    meta: dict[str, Any]
    versions: dict[int, dict[str, bytes]]
    bundle: bytes | None = None  # what is sent for the whole of it, if not an archive of the files
    gate: tuple[int, str] | None = None  # refuse with this status and message
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        return max(self.versions)


def archive(files: dict[str, bytes], *, kind: Literal["zip", "tar.gz"] = "zip") -> bytes:
    """Return the files as an archive, the same bytes each time."""
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, content in files.items():
                zipped.writestr(zipfile.ZipInfo(name), content)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def page(items: list[dict[str, Any]], body: dict[str, Any], key: str, *, size_max: int = 200) -> dict[str, Any]:
    """Return one page of a listing; page tokens are offsets."""
    start = int(body.get("pageToken") or 0)
    size = min(int(body.get("pageSize") or 20), size_max)
    told: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        told["nextPageToken"] = str(start + size)
    return told
