"""Bytes of a file nobody trusts: ``open_stream`` gives them in order, decompressed, never more than reason allows."""

from __future__ import annotations

import bz2
import lzma
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHUNK_BYTES = 1 << 20
UNPACKED_BYTES_MAX = 16 << 30
UNPACKED_FREE_BYTES = 512 << 20  # read through in a second or two, whatever the ratio
UNPACKED_RATIO_MAX = 300  # forests and tables of words pack 5 to 50 times; a bomb 1,000 times
LZMA_MEMORY_BYTES = 512 << 20  # the largest preset needs 65 MB; the header may ask for 4 GB
LINE_BYTES_MAX = 1 << 20
COMPRESSIONS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"ZF0x", "zlib"),  # joblib before 0.10: a length in 19 characters, then zlib
)
ZLIB_SECOND_BYTES = b"\x01\x5e\x9c\xda"
OLD_JOBLIB_HEADER_BYTES = 21


class DamagedError(Exception):
    """The bytes end too early, or cannot be what they say they are."""


class BombError(DamagedError):
    """The bytes would take more memory or time than any honest file does."""


class Readable(Protocol):
    """What gives bytes: at most so many, none at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""


class Stream:
    """Bytes in order: read exactly, looked at in advance, skipped, counted, and bounded.

    ``buffer`` holds bytes that are at hand, ``at`` is the next of them: for loops that count every microsecond.
    """

    def __init__(self, source: Readable, *, bytes_max: int) -> None:
        self._source = source
        self.buffer = b""
        self.at = 0
        self._before = 0  # bytes that came before the buffer
        self._bytes_max = bytes_max

    @property
    def place(self) -> int:
        """Return how many bytes were read."""
        return self._before + self.at

    def peek(self, size: int) -> bytes:
        """Return the next bytes without reading them, fewer at the end."""
        if self.at + size > len(self.buffer):
            self._fill(size)
        return self.buffer[self.at : self.at + size]

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes; ``DamagedError`` when there are fewer. For small sizes: see ``take``."""
        end = self.at + size
        if end > len(self.buffer):
            self._fill(size)
            end = self.at + size
            if end > len(self.buffer):
                self._end()
        part = self.buffer[self.at : end]
        self.at = end
        return part

    def take(self, size: int, *, keep: int) -> bytes:
        """Read ``size`` bytes and return the first ``keep`` of them; the rest is never held."""
        if size <= keep:
            return self.read(size)
        kept = self.read(keep)
        self.skip(size - keep)
        return kept

    def skip(self, size: int) -> None:
        """Read past ``size`` bytes; ``DamagedError`` when there are fewer."""
        left = size
        while left > 0:
            here = len(self.buffer) - self.at
            if here == 0:
                self._fill(1)
                here = len(self.buffer) - self.at
                if here == 0:
                    self._end()
            step = min(here, left)
            self.at += step
            left -= step

    def line(self) -> bytes:
        """Return what stands before the next line break, which is read too."""
        size = 256
        while True:
            ahead = self.peek(size)
            end = ahead.find(b"\n")
            if end >= 0:
                return self.read(end + 1)[:-1]
            if len(ahead) < size:
                self._end()
            if size > LINE_BYTES_MAX:
                message = f"a line of more than {LINE_BYTES_MAX:,} bytes"
                raise BombError(message)
            size *= 4

    def _fill(self, size: int) -> None:
        parts = [self.buffer[self.at :]]
        held = len(parts[0])
        self._before += self.at
        self.at = 0
        while held < size:
            part = self._source.read(max(CHUNK_BYTES, min(size - held, 8 * CHUNK_BYTES)))
            if not part:
                break
            parts.append(part)
            held += len(part)
            if self._before + held > self._bytes_max:
                message = f"it expands beyond {self._bytes_max:,} bytes, as no honest model does"
                raise BombError(message)
        self.buffer = b"".join(parts)

    def _end(self) -> None:
        message = f"it ends after {self._before + len(self.buffer):,} bytes, in the middle of something"
        raise DamagedError(message)


class _Unpacked:
    """What a compressed file holds, given piece by piece, never more than was asked for."""

    def __init__(
        self, file: IO[bytes], make: Callable[[], zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor]
    ) -> None:
        self._file = file
        self._make = make
        self._packed = b""
        self._unpacker = make()
        self._begun = False

    def read(self, size: int, /) -> bytes:
        while True:
            unpacker = self._unpacker
            if unpacker.eof:
                rest = unpacker.unused_data or self._packed
                self._packed = rest or self._file.read(CHUNK_BYTES)
                if not self._packed.strip(b"\0"):
                    return b""
                self._unpacker, self._begun = self._make(), False
                continue
            if not self._packed and _hungry(unpacker):
                self._packed = self._file.read(CHUNK_BYTES)
                if not self._packed:
                    part = unpacker.decompress(b"", size)  # what zlib still holds back
                    if not part and not unpacker.eof:
                        message = "its compressed data end too early"
                        raise DamagedError(message)
                    if part:
                        return part
                    continue
            given, self._packed = self._packed, b""
            part = unpacker.decompress(given, size)
            if not isinstance(unpacker, bz2.BZ2Decompressor | lzma.LZMADecompressor):
                self._packed = unpacker.unconsumed_tail
            if part:
                return part


def _hungry(unpacker: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor) -> bool:
    return unpacker.needs_input if isinstance(unpacker, bz2.BZ2Decompressor | lzma.LZMADecompressor) else True


def compression_of(head: bytes) -> str:
    """Return how the first bytes say that a file is compressed, ``""`` for not.

    >>> compression_of(b"BZh91AY")
    'bz2'
    """
    for mark, name in COMPRESSIONS:
        if head.startswith(mark):
            return name
    zlib_header = len(head) > 1 and head[0] == 0x78 and head[1] in ZLIB_SECOND_BYTES  # noqa: PLR2004 - RFC 1950
    return "zlib" if zlib_header else ""


@contextmanager
def open_stream(path: Path, *, compression: str | None = None) -> Iterator[Stream]:
    """Give the bytes of a file, decompressed as its first bytes ask (or as ``compression`` says).

    ``DamagedError`` is raised for damaged data, ``BombError`` beyond ``UNPACKED_RATIO_MAX`` times the file's size.
    """
    with path.open("rb") as file:
        kind = compression_of(file.read(16)) if compression is None else compression
        file.seek(OLD_JOBLIB_HEADER_BYTES if kind == "zlib" and _starts(file, b"ZF0x") else 0)
        size = path.stat().st_size
        bounded = min(UNPACKED_BYTES_MAX, max(size * UNPACKED_RATIO_MAX, UNPACKED_FREE_BYTES))
        try:
            yield Stream(_source(file, path, kind), bytes_max=size if not kind else bounded)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            message = f"its {kind or 'packed'} data are damaged: {error}"
            raise DamagedError(message) from error


def _starts(file: IO[bytes], mark: bytes) -> bool:
    file.seek(0)
    return file.read(len(mark)) == mark


def _source(file: IO[bytes], path: Path, kind: str) -> Readable:
    match kind:
        case "":
            return file
        case "gzip":
            return _Unpacked(file, lambda: zlib.decompressobj(31))
        case "zlib":
            return _Unpacked(file, zlib.decompressobj)
        case "bz2":
            return _Unpacked(file, bz2.BZ2Decompressor)
        case "xz" | "lzma":
            return _Unpacked(file, lambda: lzma.LZMADecompressor(memlimit=LZMA_MEMORY_BYTES))
        case "zstd" | "lz4":
            import pyarrow as pa  # noqa: PLC0415 - 100 ms, for two rare kinds

            return _Arrow(pa.input_stream(str(path), compression=kind))
        case _:
            message = f"`{path.name}` is compressed in an unknown way: {kind}"
            raise ArtifactError(message, hint="unpack it, then name the file inside")


class _Arrow:
    """Arrow's decompression, with its errors as ours."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except (OSError, ValueError) as error:
            message = f"its packed data are damaged: {error}"
            raise DamagedError(message) from error
