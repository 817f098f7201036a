"""What the readers of model files return: ``Seen``, before the file's name, size and hash are added."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.findings import Finding, Severity
from toolkit.records import Record
from toolkit.verdicts import Import

NAMES_MAX = 20_000  # inputs told one by one


@dataclass(frozen=True)
class Port(Record):
    """One input or output as the file names it; ``?`` in ``shape`` stands for any size that it does not tell."""

    name: str
    dtype: str = ""
    shape: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the bytes of a model file tell.

    ``holds`` says in words what is in it (``sklearn.pipeline.Pipeline``). ``reason`` says why it cannot be served, and
    ``way`` the nearest way to one that can; both are empty for a file that can.
    """

    framework: str
    format: str
    version: str = ""
    python: str = ""
    protocol: int | None = None
    holds: str = ""
    opens: tuple[Import, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    way: str = ""
    compression: str = ""


def finding(code: str, message: str, severity: Severity = "note") -> Finding:
    """Return a finding on a model file."""
    return Finding(code, message, severity)


def listed(words: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Return words as a sentence names them, the first few of many.

    >>> listed(["os.system", "eval"])
    '`os.system` and `eval`'
    """
    told = [f"`{word[:80]}`" for word in words[:most]]
    if len(words) > most:
        told.append(f"{len(words) - most:,} more")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}" if told else ""
