"""A ``Handle`` becomes a ``Download``: complete files on this disk, and what is known of where they came from."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.cache import cache_folder, hashed
from toolkit.download import Download, FileRecord, Provenance
from toolkit.errors import ArtifactError, DataError, ProjectError
from toolkit.files import is_archive, sha256_of, unpack, write_atomic
from toolkit.refusals import SpaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from toolkit.handle import Handle

SKIPPED_FOLDERS = frozenset({"__MACOSX", "__pycache__", "node_modules"})
COMMON_NAMES = frozenset({"train", "training", "data", "dataset", "test", "input", "archive", "table", "file"})
SMALL_BYTES = 1 << 20  # of a file whose SHA-256 takes no time
SKIPPED_FILES = frozenset({"Thumbs.db", "desktop.ini"})


def fetch(
    handle: Handle, *, offline: bool = False, progress: Callable[[str], None] | None = None, hashes: bool = True
) -> Download:
    """Return the complete files of ``handle`` on this disk, with their hashes and provenance.

    A sample needs no network, a local file or folder is read where it lies and never changed, an archive is unpacked
    into the cache. Without ``hashes``, the SHA-256 of what is large may be left empty: counting it takes as long as
    the download. Raises ``DataError`` for what is missing or damaged, ``AccessError`` for what Kaggle does not give.
    """
    match handle.kind:
        case "sample":
            return _sample(handle)
        case "local":
            return _local(handle, hashes=hashes)
        case _:
            from toolkit.kaggle_download import fetch as from_kaggle  # noqa: PLC0415 - for what is on Kaggle alone

            download = from_kaggle(handle, offline=offline, say=progress)
            return hashed(download) if hashes else download


def _sample(handle: Handle) -> Download:
    from toolkit import samples  # noqa: PLC0415 - scikit-learn, 1 s

    sample = samples.load(handle.slug)
    root = cache_folder() / "samples" / handle.slug
    path = root / sample.file_name
    if not path.exists() or path.read_bytes() != sample.content:
        try:
            write_atomic(path, sample.content)
        except ProjectError as error:
            message = f"the cache `{cache_folder()}` cannot be written"
            raise SpaceError(message, hint="free some space, or point KAGGLE2APP_CACHE to another folder") from error
    return _download(root, [path], sample.provenance)


def _local(handle: Handle, *, hashes: bool) -> Download:
    path = Path(handle.path).expanduser()
    try:
        if not path.exists():
            message = f"`{handle.path}` does not exist"
            raise DataError(message, hint="check the path; a Kaggle dataset is named `owner/slug`")
        path = path.resolve()
        if path.is_dir():
            found = sorted(_files_below(path))
            if not found:
                message = f"the folder `{handle.path}` holds no file"
                raise DataError(message, hint="name the folder or file that holds the data")
            return _download(path, found, _provenance(path), hashes=hashes)
        if path.stat().st_size == 0:
            message = f"`{handle.path}` is empty: 0 bytes"
            from toolkit.model_search import MODEL_SUFFIXES  # noqa: PLC0415 - 100 ms, for this sentence alone

            kind = ArtifactError if path.suffix.lower() in MODEL_SUFFIXES else DataError
            raise kind(message, hint="download it again")
        if is_archive(path):
            root = cache_folder() / "local" / sha256_of(path)[:20]
            if not root.exists():
                unpack(path, root)
            found = sorted(_files_below(root))
            if not found:
                message = f"the archive `{handle.path}` holds no file"
                raise DataError(message, hint="download it again")
            return _download(root, found, _provenance(path), hashes=hashes)
        return _download(path.parent, [path], _provenance(path), hashes=hashes)
    except PermissionError as error:
        message = f"`{error.filename or handle.path}` may not be read by this user"
        raise DataError(message, hint="change its permissions, or copy it") from error
    except OSError as error:
        message = f"`{handle.path}` cannot be read: {error.strerror or error}"
        raise DataError(message, hint="check the path and the disk") from error


def _provenance(path: Path) -> Provenance:
    """Return what is known of a file of the person's own: its name, and when it was read."""
    # The last two parts: `train.csv` alone says nothing, and the whole path would tell of the person's disk.
    source = "/".join(part for part in (path.parent.name, path.name) if part)
    name = path.name.split(".")[0] if path.is_file() else path.name
    telling = path.parent.name if name.lower() in COMMON_NAMES and path.parent.name else name
    title = " ".join(telling.replace("__", " ").replace("_", " ").replace("-", " ").split())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Provenance(source=source, kind="local", title=title, fetched_at=now)


def _download(root: Path, paths: Iterable[Path], provenance: Provenance, *, hashes: bool = True) -> Download:
    sizes = [(path, path.stat().st_size) for path in paths]
    records = tuple(
        FileRecord(path.relative_to(root).as_posix(), size, sha256_of(path) if hashes or size < SMALL_BYTES else "")
        for path, size in sizes
    )
    return Download(root, records, replace(provenance, files=records))


def _files_below(folder: Path) -> Iterable[Path]:
    """Yield the regular files below ``folder``; hidden ones, links and what systems leave behind are no data."""
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        for name in names:
            path = Path(current, name)
            if not name.startswith(".") and name not in SKIPPED_FILES and not path.is_symlink() and path.is_file():
                yield path
