"""Compressed files are opened in memory, never further than reason allows."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import IO, TYPE_CHECKING, cast

from toolkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from toolkit.texts import Text

UNPACKED_BYTES_MAX = 8 << 30  # more than any table that fits the memory of a usual machine
UNPACKED_BYTES_FREE = 64 << 20  # small enough to unpack, whatever the ratio
UNPACKED_RATIO_MAX = 500  # text compresses up to some 20 times, columns of zeros some 200; an archive bomb thousands


def opener(head: bytes) -> str:
    """Return how the first bytes say that a file is compressed (``gz``, ``bz2``, ``xz``, ``zst``), else ``""``."""
    marks = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
    return next((kind for mark, kind in marks if head.startswith(mark)), "")


def unpack(text: Text, kind: str, what: str) -> bytes:
    """Return what a compressed file holds, refusing one that grows beyond reason."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    packed = text.all()
    try:
        if kind == "zst":
            with pa.input_stream(pa.py_buffer(packed), compression="zstd") as stream:
                return bounded(stream, len(packed), what)
        openers: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {"gz": _gz, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile}
        with openers[kind](io.BytesIO(packed)) as unpacked:
            return bounded(unpacked, len(packed), what)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        message = f"`{what}` is a damaged {kind} file: {error}"
        raise DataError(message, hint="download it again") from error


def _gz(packed: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=packed))


def bounded(stream: IO[bytes] | pa.NativeFile, packed_bytes: int, what: str) -> bytes:
    """Return all that ``stream`` gives, refusing one that grows beyond reason."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(1 << 20):
        pieces.append(piece)
        size += len(piece)
        refuse_bomb(size, packed_bytes, what)
    return b"".join(pieces)


def stream(path: Path, kind: str) -> IO[bytes]:
    """Return what a compressed file holds as a file, to be read a piece at a time."""
    if kind == "zst":
        import pyarrow as pa  # noqa: PLC0415 - 100 ms

        return cast("IO[bytes]", pa.input_stream(str(path), compression="zstd"))
    if kind == "gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return cast("IO[bytes]", bz2.open(path, "rb") if kind == "bz2" else lzma.open(path, "rb"))


def refuse_bomb(size_bytes: int, packed_bytes: int, what: str, *, most: int = UNPACKED_BYTES_MAX) -> None:
    """Raise ``DataError`` when ``size_bytes`` come out of ``packed_bytes`` that no honest file holds.

    ``most`` is what may come out whatever the ratio, 0 for a file that is not held in memory.
    """
    limit = max(packed_bytes * UNPACKED_RATIO_MAX, UNPACKED_BYTES_FREE)
    limit = min(most, limit) if most else limit
    if size_bytes > limit:
        message = f"`{what}` unpacks to more than {limit >> 20:,} MB from {packed_bytes >> 10:,} KB: an archive bomb"
        raise DataError(message, hint="do not open this file")
