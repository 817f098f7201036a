"""A column that knows the answer, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.records import Record


@dataclass(frozen=True)
class Leak(Record):
    """A column that knows the answer: how strong (0 to 1), why, and what was done (``drop``, ``keep``, ``ask``)."""

    column: str
    strength: float
    why: str
    action: Literal["drop", "keep", "ask"]
