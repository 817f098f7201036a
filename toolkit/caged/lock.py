"""``lock``: this process gives up the network, other programs, other files, and more than its share of the machine.

Four layers, each holding where the one before does not exist: Landlock (Linux 5.13: which files), seccomp (which
calls of the system), resource limits (how much), and Python's audit hook (what the interpreter is about to do).
They are given up for good: nothing that runs later in the process can take them back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

# Old libraries run on old Pythons, so this package keeps to what Python 3.8 reads.

_LANDLOCK = {"create": 444, "add": 445, "restrict": 446}  # the same numbers on every architecture
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000  # calls of the x32 interface would pass a filter by number

# What the files of an opened ruleset may be: the rights of Landlock's first interface, in the order of their bits.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1, 2, 4, 8
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many rights each version of the interface knows
_NETWORK_VERSION_MIN = 4
_SCOPE_VERSION_MIN = 6

# Calls refused with "not permitted". Threads are made by clone with CLONE_THREAD, everything else it does is refused.
_REFUSED: Dict[str, Dict[str, int]] = {
    "x86_64": {
        "socket": 41, "connect": 42, "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59, "kill": 62,
        "ptrace": 101, "mount": 165, "tkill": 200, "unshare": 272, "process_vm_readv": 310, "process_vm_writev": 311,
        "execveat": 322, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434, "keyctl": 250,
        "add_key": 248, "request_key": 249, "setns": 308, "kexec_load": 246, "init_module": 175, "finit_module": 313,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "socketpair": 199, "execve": 221, "kill": 129, "ptrace": 117, "mount": 40,
        "tkill": 130, "unshare": 97, "process_vm_readv": 270, "process_vm_writev": 271, "execveat": 281, "bpf": 280,
        "userfaultfd": 282, "io_uring_setup": 425, "pidfd_open": 434, "keyctl": 219, "add_key": 217,
        "request_key": 218, "setns": 268, "kexec_load": 104, "init_module": 105, "finit_module": 273,
    },
}  # fmt: skip
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435  # answered "no such call": the C library then uses clone, whose flags a filter can read
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_EVENTS_REFUSED = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "pty.spawn", "ftplib.", "http.client", "smtplib.", "urllib.Request", "webbrowser.", "shutil.", "winreg.",
    "ctypes.dlopen", "os.kill", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate", "os.putenv",
)  # fmt: skip
_FILE_EVENTS = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.utime")


class CagedError(PermissionError):
    """What the file tried is not allowed in here."""


def lock(
    scratch: Path, readable: Sequence[Path], *, memory_bytes: int, seconds: int, file_bytes: int
) -> Tuple[str, ...]:
    """Give up everything but reading ``readable`` and writing ``scratch``, and return the layers that hold.

    ``seconds`` bounds the processor's time; ``memory_bytes`` the address space; ``file_bytes`` each file written.
    """
    _limit(memory_bytes=memory_bytes, seconds=seconds, file_bytes=file_bytes)
    layers = ["limits"]
    if sys.platform.startswith("linux"):
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if _restrict_files(library, scratch, readable):
            layers.append("landlock")
        if _filter_calls(library):
            layers.append("seccomp")
    _watch(scratch)
    return (*layers, "audit")


def _limit(*, memory_bytes: int, seconds: int, file_bytes: int) -> None:
    for name, value in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_FSIZE", file_bytes),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 256),
    ):
        try:
            _, hard = resource.getrlimit(getattr(resource, name))
            ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
            later = ceiling + 5 if name == "RLIMIT_CPU" else ceiling  # first the signal that says why, then the end
            resource.setrlimit(getattr(resource, name), (ceiling, later if hard == resource.RLIM_INFINITY else ceiling))
        except (OSError, ValueError, AttributeError):  # macOS refuses some; the outside watches the clock as well
            continue


def _restrict_files(library: Any, scratch: Path, readable: Sequence[Path]) -> bool:
    """Leave only ``scratch`` writable and ``readable`` readable, and no network; False where Landlock is missing."""
    version = int(library.syscall(_LANDLOCK["create"], None, 0, 1))
    if version < 1:
        return False
    rights = (1 << _RIGHTS[min(version, max(_RIGHTS))]) - 1
    fields = [rights]
    if version >= _NETWORK_VERSION_MIN:
        fields.append(3)  # binding and connecting
    if version >= _SCOPE_VERSION_MIN:
        fields.append(3)  # sockets without a name, and signals
    attribute = struct.pack("=" + "Q" * len(fields), *fields)
    ruleset = int(library.syscall(_LANDLOCK["create"], attribute, len(attribute), 0))
    if ruleset < 0:
        return False
    reading = _READ_FILE | _READ_FOLDER | _EXECUTE  # mapping a library into memory is no execution, but some ask for it
    allowed = [(path, reading) for path in readable] + [(scratch, rights & ~_EXECUTE)]
    try:
        for path, wanted in allowed:
            _allow_beneath(library, ruleset, path, wanted & rights)
        return int(library.syscall(_LANDLOCK["restrict"], ruleset, 0)) == 0
    finally:
        os.close(ruleset)


def _allow_beneath(library: Any, ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(str(path), getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            rights &= _READ_FILE | _WRITE_FILE | _EXECUTE
        rule = struct.pack("=Qi", rights, descriptor)
        library.syscall(_LANDLOCK["add"], ruleset, 1, rule, 0)
    finally:
        os.close(descriptor)


def _filter_calls(library: Any) -> bool:
    """Refuse the calls that reach beyond this process; False where the machine's calls are not known."""
    machine = platform.machine()
    if machine not in _ARCHITECTURE:
        return False
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    refuse = _ERRNO | errno.EPERM
    program: List[Tuple[int, int, int, int]] = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, _ARCHITECTURE[machine]),
        (answer, 0, 0, _KILL),
        (load, 0, 0, 0),  # the call's number
        (at_least, 0, 1, _X32),
        (answer, 0, 0, refuse),
        (equal, 0, 1, _CLONE3),
        (answer, 0, 0, _ERRNO | errno.ENOSYS),
        (equal, 0, 4, _CLONE[machine]),
        (load, 0, 0, 16),  # clone's flags
        (any_bit, 1, 0, _CLONE_THREAD),
        (answer, 0, 0, refuse),
        (answer, 0, 0, _ALLOW),
    ]
    for number in sorted(_REFUSED[machine].values()):
        program += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    program.append((answer, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    return int(library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)) == 0


def _watch(scratch: Path) -> None:
    """Refuse in Python what the system might let pass: the one layer that every platform has."""
    home = os.path.realpath(str(scratch)) + os.sep

    def hook(event: str, arguments: Tuple[Any, ...]) -> None:
        if event.startswith(_EVENTS_REFUSED):
            raise CagedError(f"{event} is not allowed in the cage")  # noqa: EM102, TRY003 - one line for all
        if event not in _FILE_EVENTS or not arguments:
            return
        writes = event != "open" or _writes(arguments)
        path = arguments[0]
        if writes and isinstance(path, (str, bytes, os.PathLike)) and not _inside(path, home):
            raise CagedError(f"{event} of a file outside the scratch folder is not allowed in the cage")  # noqa: EM102, TRY003

    sys.addaudithook(hook)


def _writes(arguments: Tuple[Any, ...]) -> bool:
    mode = arguments[1] if len(arguments) > 1 else None
    flags = arguments[2] if len(arguments) > 2 else 0  # noqa: PLR2004 - path, mode, flags
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))


def _inside(path: Any, home: str) -> bool:
    return (os.path.realpath(os.fsdecode(path)) + os.sep).startswith(home) or os.fsdecode(path) == os.devnull
