"""Files handled with care: hashed, written whole or not at all, unpacked without trusting what is inside."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import shutil
import stat
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import IO, TYPE_CHECKING, Any, Self

from toolkit.errors import DataError, ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash

CHUNK_BYTES = 1 << 20
SMALL_BYTES = 1 << 16  # a chunk that is not worth a thread
RESERVED_BYTES_MIN = 16_000_000  # smaller files are written as they come
KEEP_SIZE = 1  # of Linux: room is set aside, the file is as long as what is written
WAITING_MAX = 8  # chunks that wait to be counted
MEMBERS_MAX = 50_000  # more files than the largest image data sets of Kaggle have a folder for
EXPANSION_MAX = 200  # CSV packs about 10 to 1, logs 50 to 1; a bomb 1,000 to 1 and more
EXPANDED_FREE_BYTES = 100_000_000  # small archives may expand to this whatever their ratio
NESTING_MAX = 3
PATH_BYTES_MAX = 400
NAME_BYTES_MAX = 255  # what disks take for one part of a path
# Zips by format that are something else by name; a model's file that is a zip is looked at, never unpacked.
NOT_ARCHIVES = frozenset(
    (
        ".xlsx", ".xlsm", ".ods", ".docx", ".pptx", ".jar", ".skops", ".keras", ".npz", ".pt", ".pt2", ".pth", ".ckpt",
        ".joblib", ".pkl", ".pickle", ".h5", ".hdf5", ".onnx", ".bin",
    )
)  # fmt: skip


class DamagedArchiveError(DataError):
    """An archive that is cut off or not what its checksums say."""


@dataclass(frozen=True)
class Bounds:
    """How much an archive may hold: members, bytes in all, and bytes for each packed byte."""

    members_max: int = MEMBERS_MAX
    bytes_max: int = 200_000_000_000
    expansion_max: int = EXPANSION_MAX


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex, read a chunk at a time."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def human_size(size_bytes: float) -> str:
    """Return a size for people: ``981 B``, ``1.2 MB``.

    >>> human_size(1_234_567)
    '1.2 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size_bytes) < 1000:  # noqa: PLR2004 - SI units
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def parse_size(text: str) -> int:
    """Return the bytes that a size typed by a person means; raise ``UsageError`` for what is none.

    >>> parse_size("1.5 MB"), parse_size("300k"), parse_size("42")
    (1500000, 300000, 42)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        message = f"`{text[:40]}` is no size, expected one such as 500kB, 20MB or 1GB"
        raise UsageError(message, hint="a plain number means bytes")
    return int(float(match[1]) * 1000.0 ** " kmgt".index(match[2].lower() or " "))


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that takes ``path``'s place when all went well, and leaves nothing behind when not.

    Raises ``ProjectError`` when the disk is full or the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:40]}.", delete=False) as stream:
            temporary = Path(stream.name)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror or error}"
        raise ProjectError(message, hint="free some space or choose another folder with `--into`") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing (see ``atomic``)."""
    with atomic(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def reserve(stream: IO[bytes], size_bytes: int) -> None:
    """Set room aside for what will be written, where the system can: a large file is then written in half the time.

    It is a favour that may be refused without a word; the file stays as long as what has been written to it.
    """
    if sys.platform != "linux" or sys.maxsize < 1 << 32 or size_bytes < RESERVED_BYTES_MIN:
        return
    import ctypes  # noqa: PLC0415 - for large files alone; Python has only the call that changes the length

    with suppress(AttributeError):  # a C library without it
        ctypes.CDLL(None).fallocate(stream.fileno(), KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(size_bytes))


def is_archive(path: Path) -> bool:
    """Return whether the file's first bytes are those of a zip or of a tar, packed or not; its name does not matter.

    Files that are zips by format and something else by meaning (Excel, skops, Keras) are told by their name.
    """
    if path.suffix.lower() in NOT_ARCHIVES:
        return False
    try:
        return zipfile.is_zipfile(path) if _starts_with(path, b"PK") else _is_tar(path)
    except OSError:
        return False


def unpack(
    archive: Path,
    into: Path,
    *,
    bounds: Bounds | None = None,
    nested: bool = True,
) -> list[Path]:
    """Return the files of ``archive``, unpacked into ``into``, which must not exist or be empty.

    Archives inside are unpacked in their place, up to ``NESTING_MAX`` deep. Refused with ``DataError``, nothing left
    behind: names that climb out or are absolute, links and devices, names that differ by case alone, encrypted
    members, too many members, expansion beyond ``bounds``.
    """
    limits = bounds or Bounds()
    into.parent.mkdir(parents=True, exist_ok=True)
    try:
        staging = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name[:40]}."))
    except OSError as error:
        message = f"`{into}` cannot be written: {error.strerror or error}"
        raise ProjectError(message, hint="free some space or choose another folder") from error
    try:
        budget = _Budget(archive, limits)
        _unpack_one(archive, staging, budget)
        if nested:
            _unpack_nested(staging, budget, depth=1)
        if into.exists():
            into.rmdir()
        staging.rename(into)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        gzip.BadGzipFile,
        UnicodeError,
        NotImplementedError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        message = f"`{archive.name}` is damaged or no archive that can be read: {error}"
        raise DamagedArchiveError(message, hint="download it again") from error
    except OSError as error:
        if error.errno is None:  # bzip2 says so of a damaged stream
            message = f"`{archive.name}` is damaged or no archive that can be read: {error}"
            raise DamagedArchiveError(message, hint="download it again") from error
        message = f"`{archive.name}` cannot be unpacked: {error.strerror or error}"
        raise DataError(message, hint="free some space, then try again") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return sorted(path for path in into.rglob("*") if path.is_file())


class CountedBeside:
    """Checksums counted in threads of their own while the next bytes are read: hashing gives Python's lock away."""

    def __init__(self, *sums: _Hash) -> None:
        self._sums = sums
        self._lanes: list[tuple[SimpleQueue[bytes | None], Semaphore, Thread]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until all is counted."""
        for waiting, _room, thread in self._lanes:
            waiting.put(None)
            thread.join()

    def count(self, chunk: bytes) -> None:
        """Count a chunk in every sum, soon; small ones at once, until a large one comes."""
        if not self._lanes:
            if len(chunk) < SMALL_BYTES:
                for one in self._sums:
                    one.update(chunk)
                return
            self._lanes = [self._lane(one) for one in self._sums]
        for waiting, room, _thread in self._lanes:
            room.acquire()
            waiting.put(chunk)

    def _lane(self, one: _Hash) -> tuple[SimpleQueue[bytes | None], Semaphore, Thread]:
        waiting: SimpleQueue[bytes | None] = SimpleQueue()
        room = Semaphore(WAITING_MAX)

        def work() -> None:
            while (chunk := waiting.get()) is not None:
                one.update(chunk)
                room.release()

        thread = Thread(target=work, daemon=True)
        thread.start()
        return waiting, room, thread


class _Budget:
    """What is left of the bounds while an archive and those inside it are unpacked."""

    def __init__(self, archive: Path, bounds: Bounds) -> None:
        size = archive.stat().st_size
        self.name = archive.name
        self.members_max = bounds.members_max
        self.members_left = bounds.members_max
        self.bytes_max = min(bounds.bytes_max, max(size * bounds.expansion_max, EXPANDED_FREE_BYTES))
        self.bytes_left = self.bytes_max

    def member(self) -> None:
        self.members_left -= 1
        if self.members_left < 0:
            self.refuse(f"it holds more than {self.members_max:,} files")

    def spend(self, size_bytes: int) -> None:
        self.bytes_left -= size_bytes
        if self.bytes_left < 0:
            self.refuse(f"it expands beyond {human_size(self.bytes_max)}")

    def refuse(self, reason: str) -> None:
        message = f"the archive `{self.name}` is refused: {reason}"
        raise DataError(message, hint="unpack it yourself if you trust it, then name the folder")


def _unpack_one(archive: Path, into: Path, budget: _Budget) -> None:
    taken: set[str] = set()
    if _starts_with(archive, b"PK"):
        with zipfile.ZipFile(archive) as zipped:
            budget_check = zipped.infolist()
            if len(budget_check) > budget.members_left:
                budget.refuse(f"it holds {len(budget_check):,} files, more than {budget.members_max:,}")
            for info in budget_check:
                if info.is_dir():
                    _safe_name(info.filename, budget)
                    continue
                mode = info.external_attr >> 16
                if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                    budget.refuse(f"`{info.filename}` is a link or a device")
                if info.flag_bits & 1:
                    budget.refuse(f"`{info.filename}` is encrypted")
                target = _place(into, info.filename, taken, budget)
                with zipped.open(info) as source:
                    _copy(source, target, budget, info.file_size)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir():
                _safe_name(member.name, budget)
                budget.member()
                continue
            if not member.isreg():
                budget.refuse(f"`{member.name}` is a link or a device")
            target = _place(into, member.name, taken, budget)
            content = tar.extractfile(member)
            if content is not None:
                with content:
                    _copy(content, target, budget, member.size)
        stream: Any = tar.fileobj
        while rest := stream.read(CHUNK_BYTES):  # to the checksum at its end
            budget.spend(len(rest))


def _unpack_nested(folder: Path, budget: _Budget, *, depth: int) -> None:
    """Unpack the archives in ``folder``: one that holds a single file of its own name becomes that file."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or not is_archive(path):
            continue
        if depth > NESTING_MAX:
            budget.refuse(f"archives lie in archives more than {NESTING_MAX} deep")
        inner = Path(tempfile.mkdtemp(dir=path.parent, prefix=".inner."))
        _unpack_one(path, inner, budget)
        _unpack_nested(inner, budget, depth=depth + 1)
        found = [entry for entry in inner.rglob("*") if entry.is_file()]
        single = found[0] if len(found) == 1 and found[0].name in {path.name, path.stem} else None
        path.unlink()
        target = path.with_name(single.name) if single else path.with_suffix("")
        if target.exists():
            target = path.with_name(f"{path.name}.unpacked")
        (single or inner).rename(target)
        if single:
            shutil.rmtree(inner)


def safe_path(name: str) -> PurePosixPath:
    """Return a name from elsewhere as a path that stays below a folder; one that does not is a ``DataError``."""
    plain = PurePosixPath(name.replace("\\", "/"))
    hint = "fetch it by hand if you trust it, then name the folder"
    if not name or "\x00" in name or len(name.encode(errors="surrogateescape")) > PATH_BYTES_MAX:
        message = "a name is refused: it is empty, too long or holds NUL"
        raise DataError(message, hint=hint)
    if any(len(part.encode(errors="surrogateescape")) > NAME_BYTES_MAX for part in plain.parts):
        message = f"a name is refused: one part of it is longer than the {NAME_BYTES_MAX} bytes that disks take"
        raise DataError(message, hint=hint)
    drive = len(plain.parts) > 0 and plain.parts[0].endswith(":")
    if plain.is_absolute() or drive or ".." in plain.parts:
        message = f"`{name}` is refused: it leads out of its folder"
        raise DataError(message, hint=hint)
    return plain


def _safe_name(name: str, budget: _Budget) -> PurePosixPath:
    try:
        return safe_path(name)
    except DataError as error:
        budget.refuse(error.message)
        raise


def _place(into: Path, name: str, taken: set[str], budget: _Budget) -> Path:
    plain = _safe_name(name, budget)
    budget.member()
    # Some disks take two spellings of é for one, and some leave dots and blanks at the end away.
    key = unicodedata.normalize("NFC", "/".join(part.rstrip(". ") or part for part in plain.parts)).casefold()
    if key in taken:
        budget.refuse(f"two of its names are the same but for case: `{name}`")
    taken.add(key)
    target = into.joinpath(*plain.parts)
    if not target.resolve().is_relative_to(into.resolve()):
        budget.refuse(f"`{name}` leads out of its folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        budget.refuse(f"`{name}` lies below a file")
    if target.exists():
        budget.refuse(f"`{name}` is both a file and a folder")
    return target


def _copy(source: IO[bytes], target: Path, budget: _Budget, told_bytes: int) -> None:
    try:
        with target.open("xb") as out:
            reserve(out, min(told_bytes, budget.bytes_left))
            while chunk := source.read(CHUNK_BYTES):
                budget.spend(len(chunk))
                out.write(chunk)
            out.truncate()  # room that was set aside for more than came
    except RuntimeError as error:  # zipfile: a password is needed, an unknown method
        budget.refuse(str(error))


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _is_tar(path: Path) -> bool:
    """Return whether the file is a tar, packed or not; a gzipped single file is not one."""
    if path.stat().st_size < 262:  # noqa: PLR2004 - a tar's first header carries its mark at byte 257
        head = b""
    else:
        with path.open("rb") as stream:
            head = stream.read(262)
    if head[257:262] == b"ustar":
        return True
    openers: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
    opener = next((opener for magic, opener in openers.items() if _starts_with(path, magic)), None)
    if opener is None:
        return False
    try:
        with opener(path) as stream:
            return bool(stream.read(262)[257:262] == b"ustar")
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
