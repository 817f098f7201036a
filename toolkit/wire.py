"""Packed forms read without their libraries: protocol buffers, flatbuffers and UBJSON, bounded by what is there."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.streams import BombError, DamagedError, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS_MAX = 10_000_000  # of all messages, some 10 s; a network of 100,000 nodes has a million
TEXT_KEPT = 100_000
NESTING_MAX = 200
VECTOR_MAX = 1_000_000
CONTAINERS_MAX = 3_000_000  # of JSON: lists and objects take 100 times their two bytes
COMMAS_MAX = 10_000_000
TEXTS_BYTES_MAX = 256 << 20  # of a flatbuffer, read in all
TABLE_BYTES = 200  # that a table takes when it is held
VALUES_MAX = 20_000_000  # of UBJSON, some 20 s; trees are typed lists, which are skipped whole

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field of a message: its number, and a number or the place of its bytes."""

    number: int
    kind: int
    value: int
    start: int
    end: int


class Message:
    """A protocol buffer's message inside a larger buffer; nothing is copied."""

    def __init__(
        self, data: memoryview, start: int = 0, end: int | None = None, *, budget: list[int] | None = None
    ) -> None:
        self.data = data
        self.budget = [FIELDS_MAX] if budget is None else budget
        self.start = start
        self.end = len(data) if end is None else end

    def __iter__(self) -> Iterator[Field]:
        """Give the fields in order; ``DamagedError`` where they break off."""
        at, end = self.start, self.end
        while at != end:
            self.budget[0] -= 1
            if self.budget[0] < 0:
                message = f"it has more than {FIELDS_MAX:,} fields"
                raise BombError(message)
            tag, at = self._varint(at)
            number, kind = tag >> 3, tag & 7
            if number == 0:
                message = f"byte {at:,} begins no field"
                raise DamagedError(message)
            start, value = at, 0
            if kind == _VARINT:
                value, at = self._varint(at)
            elif kind == _BYTES:
                size, start = self._varint(at)
                at = start + size
            elif kind in {_FIXED32, _FIXED64}:
                at += 4 if kind == _FIXED32 else 8
            else:
                message = f"byte {at:,} begins no field"
                raise DamagedError(message)
            if at > end:
                message = f"field {number} at byte {start:,} ends beyond the file"
                raise DamagedError(message)
            yield Field(number, kind, value, start, at)

    def inner(self, field: Field) -> Message:
        """Return the message that a field holds."""
        if field.kind != _BYTES:
            message = f"field {field.number} at byte {field.start:,} is no message"
            raise DamagedError(message)
        return Message(self.data, field.start, field.end, budget=self.budget)

    def text(self, field: Field) -> str:
        """Return the text that a field holds."""
        return bytes(self.data[field.start : min(field.end, field.start + TEXT_KEPT)]).decode("utf-8", "replace")

    def numbers(self, field: Field) -> list[int]:
        """Return the numbers of a repeated field, packed or one by one."""
        if field.kind == _VARINT:
            return [_signed(field.value)]
        found: list[int] = []
        at = field.start
        while at < field.end and len(found) < VECTOR_MAX:
            value, at = self._varint(at)
            found.append(_signed(value))
        return found

    def first(self, number: int) -> Field | None:
        """Return the first field of that number."""
        return next((field for field in self if field.number == number), None)

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while at < self.end:
            byte = self.data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                return value, at
            shift += 7
            if shift > 63:  # noqa: PLR2004 - bits
                break
        message = f"the number at byte {at:,} never ends"
        raise DamagedError(message)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


class Table:
    """A flatbuffer's table; places outside the buffer raise ``DamagedError``."""

    def __init__(self, data: memoryview, at: int, *, budget: list[int] | None = None) -> None:
        self.data = data
        self.at = at
        self.budget = [TEXTS_BYTES_MAX] if budget is None else budget  # many places may point to one long text
        self._fields = at - self._number("<i", at)
        self._size = self._number("<H", self._fields)

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """Return the buffer's outermost table."""
        return cls(data, _unpack(data, "<I", 0))

    def _number(self, form: str, at: int) -> int:
        return _unpack(self.data, form, at)

    def place(self, index: int) -> int:
        """Return where the field of that index lies, 0 for absent."""
        slot = 4 + 2 * index
        if slot + 2 > self._size:
            return 0
        offset = self._number("<H", self._fields + slot)
        return self.at + offset if offset else 0

    def number(self, index: int, form: str = "<i", default: int = 0) -> int:
        """Return a number."""
        at = self.place(index)
        return self._number(form, at) if at else default

    def _below(self, at: int) -> Table:
        self._spend(TABLE_BYTES)
        return Table(self.data, self._follow(at), budget=self.budget)

    def _spend(self, size: int) -> None:
        self.budget[0] -= size
        if self.budget[0] < 0:
            message = "it points to more texts and tables than any honest model"
            raise BombError(message)

    def _follow(self, at: int) -> int:
        return at + self._number("<I", at)

    def text(self, index: int) -> str:
        """Return a text, ``""`` for absent."""
        at = self.place(index)
        return self._text_at(self._follow(at)) if at else ""

    def _text_at(self, at: int) -> str:
        size = self._number("<I", at)
        if at + 4 + size > len(self.data):
            message = f"the text at byte {at:,} ends beyond the file"
            raise DamagedError(message)
        self._spend(min(size, TEXT_KEPT))
        return bytes(self.data[at + 4 : at + 4 + min(size, TEXT_KEPT)]).decode("utf-8", "replace")

    def table(self, index: int) -> Table | None:
        """Return the table that a field points to."""
        at = self.place(index)
        return self._below(at) if at else None

    def tables(self, index: int) -> list[Table]:
        """Return a vector of tables."""
        return [self._below(at) for at in self._vector(index, 4)]

    def texts(self, index: int) -> list[str]:
        """Return a vector of texts."""
        return [self._text_at(self._follow(at)) for at in self._vector(index, 4)]

    def numbers(self, index: int, form: str = "<i") -> list[int]:
        """Return a vector of numbers."""
        return [self._number(form, at) for at in self._vector(index, struct.calcsize(form))]

    def _vector(self, index: int, width: int) -> range:
        at = self.place(index)
        if not at:
            return range(0)
        start = self._follow(at)
        count = self._number("<I", start)
        if count > VECTOR_MAX or start + 4 + count * width > len(self.data):
            message = f"the list at byte {start:,} ends beyond the file"
            raise DamagedError(message)
        return range(start + 4, start + 4 + count * width, width)


def _unpack(data: memoryview, form: str, at: int) -> int:
    if at < 0 or at + struct.calcsize(form) > len(data):
        message = f"it points to byte {at:,}, outside the file"
        raise DamagedError(message)
    return int(struct.unpack_from(form, data, at)[0])


def hold_json(data: bytes) -> bytes:
    """Return JSON that may be read into memory; ``BombError`` for one of more objects and values than any honest one.

    >>> hold_json(b'{"a": [1]}')
    b'{"a": [1]}'
    """
    if data.count(b"[") + data.count(b"{") > CONTAINERS_MAX or data.count(b",") > COMMAS_MAX:
        message = "its JSON holds more lists and values than any honest description"
        raise BombError(message)
    return data


_UBJ = {b"i": "b", b"U": "B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}


@dataclass
class _Wanted:
    """Which entries are kept, and how many values may still be read."""

    names: frozenset[str]
    left: int = VALUES_MAX


def read_ubjson(stream: Stream, wanted: frozenset[str], *, depth: int = 0) -> object:
    """Return a UBJSON value; of the objects in it only entries named in ``wanted`` are kept, all else is read past."""
    return _ubj_value(stream, stream.read(1), _Wanted(wanted), depth, keep=True)


def _ubj_value(stream: Stream, kind: bytes, wanted: _Wanted, depth: int, *, keep: bool) -> object:
    wanted.left -= 1
    if wanted.left < 0:
        message = f"it holds more than {VALUES_MAX:,} single values"
        raise BombError(message)
    if depth > NESTING_MAX:
        message = f"lists lie in one another more than {NESTING_MAX} deep"
        raise BombError(message)
    if kind in _UBJ:
        value: float = struct.unpack(_UBJ[kind], stream.read(struct.calcsize(_UBJ[kind])))[0]
        return value
    match kind:
        case b"Z":
            return None
        case b"T" | b"F":
            return kind == b"T"
        case b"C":
            return stream.read(1).decode("latin1")
        case b"S":
            return stream.take(_ubj_size(stream), keep=TEXT_KEPT).decode("utf-8", "replace")
        case b"{":
            return _ubj_object(stream, wanted, depth, keep=keep)
        case b"[":
            return _ubj_list(stream, wanted, depth, keep=keep)
        case _:
            message = f"byte {stream.place - 1:,} begins no value: {kind!r}"
            raise DamagedError(message)


def _ubj_size(stream: Stream) -> int:
    kind = stream.read(1)
    if kind not in _UBJ or kind in b"dD":
        message = f"byte {stream.place - 1:,} is no size"
        raise DamagedError(message)
    size = int(struct.unpack(_UBJ[kind], stream.read(struct.calcsize(_UBJ[kind])))[0])
    if size < 0:
        message = f"a size of {size} at byte {stream.place:,}"
        raise DamagedError(message)
    return size


def _ubj_object(stream: Stream, wanted: _Wanted, depth: int, *, keep: bool) -> object:
    found: dict[str, object] = {}
    while stream.peek(1) != b"}":
        key = stream.take(_ubj_size(stream), keep=TEXT_KEPT).decode("utf-8", "replace")
        kept = keep and key in wanted.names
        value = _ubj_value(stream, stream.read(1), wanted, depth + 1, keep=kept)
        if kept:
            found[key] = value
    stream.read(1)
    return found


def _ubj_list(stream: Stream, wanted: _Wanted, depth: int, *, keep: bool) -> object:
    found: list[object] = []
    kind, count = b"", -1
    if stream.peek(1) == b"$":
        stream.read(1)
        kind = stream.read(1)
    if stream.peek(1) == b"#":
        stream.read(1)
        count = _ubj_size(stream)
    if kind and kind in _UBJ and count >= 0 and not keep:
        stream.skip(count * struct.calcsize(_UBJ[kind]))
        return found
    if (
        kind and kind not in _UBJ and kind not in b"SC[{"
    ):  # nothing follows such values: a billion of them would be free
        message = f"a list of nothing, {count:,} times"
        raise BombError(message)
    while count != 0 and (count > 0 or stream.peek(1) != b"]"):
        value = _ubj_value(stream, kind or stream.read(1), wanted, depth + 1, keep=keep)
        if keep and len(found) < VECTOR_MAX:
            found.append(value)
        count -= 1
    if count < 0:
        stream.read(1)
    return found
