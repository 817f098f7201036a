"""What was fetched stays: one folder for each version of a thing, with a marker that says that it is complete."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from toolkit.download import Download, FileRecord, Provenance
from toolkit.errors import AccessError, DataError, ProjectError
from toolkit.files import sha256_of, write_atomic
from toolkit.records import dump
from toolkit.refusals import SpaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.handle import Handle

CACHE_VARIABLE = "KAGGLE2APP_CACHE"
CURRENT = "current"  # the version of what has none: a competition's data
LOCK_POLL_SECONDS = 0.2
HASHED_BYTES_MAX = 100_000_000  # at once; of more, the SHA-256 is counted by who asks for it


def cache_folder() -> Path:
    """Return the folder that keeps what was fetched: ``KAGGLE2APP_CACHE``, else the platform's own for caches."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kaggle2app"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "kaggle2app" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kaggle2app"


@dataclass(frozen=True)
class Shelf:
    """The place of one version of a thing: its files, what is known of them, and what is on its way."""

    folder: Path

    @property
    def files(self) -> Path:
        """Return the folder of the complete files."""
        return self.folder / "files"

    @property
    def provenance(self) -> Path:
        """Return the file that tells where the files came from."""
        return self.folder / "provenance.json"

    @property
    def marker(self) -> Path:
        """Return the file that is there when all the rest is."""
        return self.folder / "complete"

    @property
    def work(self) -> Path:
        """Return the folder for what is on its way."""
        return self.folder / "work"


def shelf_of(handle: Handle, version: int | None) -> Shelf:
    """Return the place of ``version`` of a thing; Kaggle's names mean the same in any case."""
    parts = [part.lower() for part in handle.cache_parts]
    return Shelf(cache_folder().joinpath(*parts, str(version or CURRENT)))


def newest(handle: Handle) -> Download | None:
    """Return the newest complete version of a thing, if there is one."""
    folder = shelf_of(handle, None).folder.parent
    try:
        names = [entry.name for entry in folder.iterdir() if entry.name.isdigit() or entry.name == CURRENT]
    except OSError:
        return None
    for name in sorted(names, key=lambda name: int(name) if name.isdigit() else 0, reverse=True):
        found = complete(Shelf(folder / name))
        if found is not None:
            return found
    return None


def complete(shelf: Shelf) -> Download | None:
    """Return what lies on a shelf when all of it is there, at its full length."""
    try:
        told = shelf.provenance.read_bytes()
        if _seal(told) not in shelf.marker.read_text(encoding="utf-8").split():
            return None
        provenance = Provenance.from_json(json.loads(told))
        if any((shelf.files / record.path).stat().st_size != record.size_bytes for record in provenance.files):
            return None
    except (OSError, ValueError):
        return None
    return Download(shelf.files, provenance.files, provenance)


def keep(shelf: Shelf, staging: Path, provenance: Provenance) -> Download:
    """Put the files of ``staging`` on the shelf, and the marker last; what was there before goes away.

    Small ones get their SHA-256 now, large ones when ``hashed`` is asked for it.
    """
    shelf.marker.unlink(missing_ok=True)
    if shelf.files.exists():
        shutil.rmtree(shelf.files)
    staging.rename(shelf.files)
    paths = sorted(path for path in shelf.files.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in paths]
    small = sum(sizes) <= HASHED_BYTES_MAX
    records = tuple(
        FileRecord(path.relative_to(shelf.files).as_posix(), size, sha256_of(path) if small else "")
        for path, size in zip(paths, sizes, strict=True)
    )
    told = dump(replace(provenance, files=records).to_json()).encode()
    write_atomic(shelf.provenance, told)
    write_atomic(shelf.marker, f"{_seal(told)}\n")
    shutil.rmtree(shelf.work, ignore_errors=True)
    for path in shelf.folder.glob(".*"):
        path.unlink(missing_ok=True)  # what a process that was killed had begun to write
    return Download(shelf.files, records, replace(provenance, files=records))


def hashed(download: Download) -> Download:
    """Return a download with the SHA-256 of each file; what is counted for it is kept where the files are kept."""
    if all(record.sha256 for record in download.files):
        return download
    try:
        files = tuple(
            record if record.sha256 else replace(record, sha256=sha256_of(download.root / record.path))
            for record in download.files
        )
    except OSError as error:
        message = f"`{error.filename}` cannot be read: {error.strerror or error}"
        raise DataError(message, hint="look at its permissions and its disk, then fetch it again") from error
    whole = Download(download.root, files, replace(download.provenance, files=files))
    shelf = Shelf(download.root.parent)
    if shelf.files == download.root:
        with suppress(OSError, ProjectError, AccessError), alone(shelf, lambda _: None):
            if complete(shelf) == download:
                told = dump(whole.provenance.to_json()).encode()
                seal = shelf.marker.read_text(encoding="utf-8").strip()
                # Both are good for a moment: whoever stops here leaves what is complete as complete as it was.
                write_atomic(shelf.marker, f"{seal}\n{_seal(told)}\n")
                write_atomic(shelf.provenance, told)
                write_atomic(shelf.marker, f"{_seal(told)}\n")
    return whole


@contextmanager
def alone(shelf: Shelf, say: Callable[[str], None]) -> Iterator[None]:
    """Let one process at a time work on a shelf; the lock goes with its process, however that ends."""
    path = shelf.folder.with_name(f".{shelf.folder.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+b")
    except OSError as error:
        message = f"the cache `{path.parent}` cannot be written: {error.strerror or error}"
        raise SpaceError(
            message, hint="look at its permissions, or point KAGGLE2APP_CACHE to another folder"
        ) from error
    with stream:
        told = False
        while not _lock(stream):
            if not told:
                say("another process is fetching the same; waiting for it")
                told = True
            time.sleep(LOCK_POLL_SECONDS)
        yield


def _lock(stream: IO[bytes]) -> bool:
    """Take the lock if it is free; closing the file gives it back."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists on Windows alone

            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - exists elsewhere alone

            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _seal(told: bytes) -> str:
    import hashlib  # noqa: PLC0415 - one line

    return hashlib.sha256(told).hexdigest()
