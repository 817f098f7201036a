"""Something worth telling about the data that is not a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.records import Record

Severity = Literal["note", "warning", "unsure"]


@dataclass(frozen=True)
class Finding(Record):
    """One observation: what was seen, why it matters, what was done, and how to overrule it.

    ``code`` is a stable word such as ``duplicate-rows``; ``message`` is a whole plain sentence;
    ``action`` says what we did about it; ``overrule`` is the flag that changes it (``--keep COLUMN``).
    ``severity`` ``unsure`` means that a decision may be wrong and the person should look.
    """

    code: str
    message: str
    severity: Severity = "note"
    columns: tuple[str, ...] = ()
    action: str = ""
    overrule: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
