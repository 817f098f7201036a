"""The members of a zip file nobody trusts, each read in order and bounded: ``open_members``."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from toolkit.streams import BombError, DamagedError, Stream
from toolkit.wire import hold_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS_MAX = 100_000
DIRECTORY_BYTES_MAX = 32 << 20  # of the list of members
MEMBER_BYTES_MAX = 64 << 30
JSON_BYTES_MAX = 64 << 20  # as Python objects ten times as much
RATIO_MAX = 300
FREE_BYTES = 512 << 20
CODE_BYTES_MAX = 64 << 20
END_BYTES = 66_000  # where the list of members is named, at the end of the file


class Members:
    """The members of a zip file, each read in order and bounded; refused when two have the same name."""

    def __init__(self, archive: zipfile.ZipFile, size_bytes: int) -> None:
        self._archive = archive
        self._left = max(size_bytes * RATIO_MAX, FREE_BYTES)
        self._size_bytes = size_bytes
        names = archive.namelist()
        if len(names) > MEMBERS_MAX:
            message = f"it holds more than {MEMBERS_MAX:,} files"
            raise BombError(message)
        if len(set(names)) != len(names):
            message = "two of its members have the same name: readers would disagree which one counts"
            raise DamagedError(message)
        self.names = names

    def size(self, name: str) -> int:
        """Return how large a member says it is."""
        return self._archive.getinfo(name).file_size

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """Give a member's bytes."""
        info = self._archive.getinfo(name)
        if info.flag_bits & 1:
            message = f"its member `{name[:80]}` is encrypted"
            raise DamagedError(message)
        with self._archive.open(info) as member:
            stream = Stream(_Counted(member, self), bytes_max=MEMBER_BYTES_MAX)
            yield stream

    def spend(self, size: int) -> None:
        """Count unpacked bytes; ``BombError`` beyond what a file of this size may hold."""
        self._left -= size
        if self._left < 0:
            message = f"it expands beyond {RATIO_MAX} times its size"
            raise BombError(message)

    def raw(self, name: str) -> IO[bytes]:
        """Return a member as a file, for a zip inside a zip."""
        return self._archive.open(name)

    def json(self, name: str) -> Any:
        """Return a member's JSON."""
        import msgspec  # noqa: PLC0415 - 12 ms

        size = self.size(name)
        if size > JSON_BYTES_MAX:
            message = f"its `{name[:80]}` is {size:,} bytes of JSON"
            raise BombError(message)
        with self.open(name) as stream:
            data = hold_json(stream.read(size))
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            message = f"its `{name[:80]}` is no JSON: {error}"
            raise DamagedError(message) from error

    def text(self, name: str) -> str:
        """Return a member's text, its beginning when it is long."""
        with self.open(name) as stream:
            return stream.read(min(self.size(name), CODE_BYTES_MAX)).decode("utf-8", "replace")


class _Counted:
    def __init__(self, member: IO[bytes], members: Members) -> None:
        self._member = member
        self._members = members

    def read(self, size: int, /) -> bytes:
        part = self._member.read(size)
        self._members.spend(len(part))
        return part


@contextmanager
def open_members(file: Path | IO[bytes], size_bytes: int) -> Iterator[Members]:
    """Give the members of a zip file; ``DamagedError`` for one that is cut off or not what its checksums say."""
    try:
        _hold_directory(file, size_bytes)
        with zipfile.ZipFile(file) as archive:
            yield Members(archive, size_bytes)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
        KeyError,
    ) as error:
        message = f"it is a damaged zip file: {error}"
        raise DamagedError(message) from error


def _hold_directory(file: Path | IO[bytes], size_bytes: int) -> None:
    """Refuse a list of members that would not fit in memory, before it is read."""
    if not hasattr(file, "open"):
        return  # inside another zip, whose members are bounded
    with file.open("rb") as stream:
        stream.seek(max(0, size_bytes - END_BYTES))
        tail = stream.read(END_BYTES)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        message = "it is a zip file without an end: it is cut off"
        raise DamagedError(message)
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and len(tail) >= wide + 48:
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    if directory > DIRECTORY_BYTES_MAX or count > MEMBERS_MAX:
        message = f"it lists {count:,} members in {directory:,} bytes"
        raise BombError(message)


def objects_in(top: object) -> Iterator[dict[str, Any]]:
    """Give every object in JSON values, outermost first."""
    waiting = [top]
    for value in waiting:
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))
