"""How much memory there is for a table, and how freed memory goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

LARGE_BYTES = 64 << 20  # of tables; below that, memory is not worth the time that giving it back takes
_MMAP_THRESHOLD = -3  # the number that glibc's ``mallopt`` gives this setting
_PURGE = "MIMALLOC_PURGE_DELAY"


def machine_bytes() -> int:
    """Return the memory of this machine, 0 where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return 0


def return_early() -> None:
    """Have large pieces of memory go back to the system when they are freed, not some time later.

    Arrow's allocator and the C library keep freed memory for the next piece, which with columns of many sizes comes to
    a half of the table again. The settings are those of this process alone, and nothing happens where they are unknown.
    """
    if "pyarrow" not in sys.modules and _PURGE not in os.environ:
        os.environ[_PURGE] = "0"  # read once, as Arrow's library loads
        try:
            import pyarrow  # noqa: F401, ICN001, PLC0415 - 100 ms, for its library alone
        finally:
            del os.environ[_PURGE]
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)
