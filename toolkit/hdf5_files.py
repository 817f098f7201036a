"""``reaches_outside``: what in an HDF5 file would have its reader open other files, found in the bytes.

HDF5 follows such links by itself, so that opening a network's weights would read any file that they name. There are
three kinds, and none has a signature of its own: each is told by the fields of its message that must agree.
"""

from __future__ import annotations

import mmap
import re
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89HDF\r\n\x1a\n"
PLACES = (0, *(512 << step for step in range(12)))  # where a file may begin, behind a block of somebody's own
NAME_BYTES_MAX = 4096
LINK_PARTS = 3  # the file, the object in it, and nothing behind them
# A link message of version 1 that tells its type (64: external), and may tell its order and the letters of its name.
_LINK = re.compile(rb"\x01([\x08-\x1f])\x40", re.DOTALL)
_LINK_ORDER, _LINK_LETTERS, _LINK_WIDE = 4, 16, 3
_LAYOUTS = (b"\x04\x03", b"\x05\x03")  # a data set that is made of others


def reaches_outside(data: memoryview) -> str:
    """Return what in an HDF5 file names another one, in words; nothing when the file stands alone."""
    held: Any = data.obj
    searched: Any = held if isinstance(held, mmap.mmap) and len(held) == len(data) else bytes(data)
    start = next((place for place in PLACES if searched[place : place + len(SIGNATURE)] == SIGNATURE), 0)
    named = next(_links(searched), None)
    if named is not None:
        return f"a link to the file `{named}`"
    if any(_stored_outside(searched, at - start) for at in _signatures(searched, b"HEAP")):
        return "values that lie in another file"
    if any(_made_of_others(searched, at - start) for at in _signatures(searched, b"GCOL")):
        return "values that are put together from other files"
    return ""


def _links(searched: Any) -> Iterator[str]:
    """Give the files that external links name."""
    for match in _LINK.finditer(searched):
        flags = match[1][0]
        at = match.end() + (8 if flags & _LINK_ORDER else 0) + (1 if flags & _LINK_LETTERS else 0)
        wide = 1 << (flags & _LINK_WIDE)
        length = int.from_bytes(searched[at : at + wide], "little")
        if not 0 < length <= NAME_BYTES_MAX:
            continue
        name = searched[at + wide : at + wide + length]
        at += wide + length
        size = int.from_bytes(searched[at : at + 2], "little")
        target = searched[at + 2 : at + 2 + size]
        parts = target[1:].split(b"\0")
        if len(target) != size or target[:1] != b"\0" or len(parts) != LINK_PARTS or parts[2]:
            continue
        if all(part and _is_text(part) for part in (name, *parts[:2])):
            yield parts[0].decode()[:80]


def _is_text(name: bytes) -> bool:
    try:
        return name.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def _signatures(searched: Any, mark: bytes) -> Iterator[int]:
    at = searched.find(mark)
    while at >= 0:
        yield at
        at = searched.find(mark, at + 1)


def _stored_outside(searched: Any, address: int) -> bool:
    """Return whether a list of external files takes its names from the heap at that address."""
    if address < 0:
        return False
    wanted = struct.pack("<Q", address)
    for at in _signatures(searched, wanted):
        head = searched[max(0, at - 8) : at]
        if len(head) == 8 and head[:4] == b"\x01\0\0\0":  # noqa: PLR2004 - version, nothing, slots, used
            slots, used = struct.unpack("<HH", head[4:])
            if 0 < used <= slots:
                return True
    return False


def _made_of_others(searched: Any, address: int) -> bool:
    """Return whether a virtual data set is described in the heap at that address."""
    if address < 0:
        return False
    wanted = struct.pack("<Q", address)
    return any(searched.find(layout + wanted) >= 0 for layout in _LAYOUTS)
