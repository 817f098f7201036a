"""How much memory there is for a table, and how freed memory goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = "KAGGLE2APP_MEMORY_MB"
LARGE_BYTES = 64 << 20  # of tables; below that, memory is not worth the time that giving it back takes
_MMAP_THRESHOLD = -3  # the number that glibc's ``mallopt`` gives this setting
_PURGE = "MIMALLOC_PURGE_DELAY"


def machine_bytes() -> int:
    """Return the memory of this machine, 0 where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return 0


def free_bytes() -> int:
    """Return the memory that this process may still take, 0 where nobody can say.

    That is what the system has available, or less where a container or a limit of the process says so; a person says so
    with the environment variable ``KAGGLE2APP_MEMORY_MB``.
    """
    asked = os.environ.get(ASKED, "")
    if asked.isdecimal():
        return int(asked) << 20
    known = [size for size in (_available(), *_of_groups(), _of_process()) if size is not None]
    return max(1, min(known)) if known else machine_bytes()


def _available() -> int | None:
    found = re.search(r"MemAvailable:\s+(\d+) kB", _read(Path("/proc/meminfo")))
    return int(found[1]) << 10 if found else None


def _of_groups() -> Iterator[int]:
    """Yield what each control group of this process, as containers have, leaves of its memory."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        number, kinds, name = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not kinds:
            root, most, used = Path("/sys/fs/cgroup"), "memory.max", "memory.current"
        elif "memory" in kinds.split(","):
            root, most, used = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        inner = root / name.strip("/")
        for folder in (inner, *inner.parents):
            limit = _read(folder / most).strip()
            if limit.isdecimal():
                cached = re.search(r"^(?:total_)?inactive_file (\d+)$", _read(folder / "memory.stat"), re.MULTILINE)
                taken = int(_read(folder / used).strip() or 0) - (int(cached[1]) if cached else 0)
                yield int(limit) - max(0, taken)
            if folder == root:
                break


def _of_process() -> int | None:
    """Return half of what the limit of this process's address space leaves: libraries reserve more than they use."""
    try:
        import resource  # noqa: PLC0415 - not on Windows

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, OSError, ValueError):
        return None
    pages = _read(Path("/proc/self/statm")).split(" ")[0]
    if limit == resource.RLIM_INFINITY or not pages.isdecimal():
        return None
    return (int(limit) - int(pages) * os.sysconf("SC_PAGE_SIZE")) // 2


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


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
