"""``Profile`` becomes a ``Task``: what to predict, what kind of question it is, how to score and split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.findings import Finding
from toolkit.records import Record

TaskKind = Literal["binary", "multiclass", "regression"]
SplitKind = Literal["random", "stratified", "group", "time"]


@dataclass(frozen=True)
class Guess(Record):
    """One possible target with its score (0 to 1, higher is likelier) and the reasons in plain words."""

    target: str
    kind: TaskKind
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Leak(Record):
    """A column that knows the answer: how strong (0 to 1), why, and what was done (``drop``, ``keep``, ``ask``)."""

    column: str
    strength: float
    why: str
    action: Literal["drop", "keep", "ask"]


@dataclass(frozen=True)
class Task(Record):
    """The question that the table is taken to ask.

    ``labels`` are the raw texts of the classes in their stable order (numbers by value, words by alphabet), empty for
    regression; ``positive`` is the one a binary metric counts. ``alternatives`` are the runners-up, best first.
    ``sure`` is false when the two best guesses are too close, or none is good: the command line then asks.
    ``split_column`` is the group or time column when the split needs one.
    """

    kind: TaskKind
    target: str
    metric: str
    split: SplitKind
    labels: tuple[str, ...] = ()
    positive: str = ""
    score: float = 1.0
    sure: bool = True
    reasons: tuple[str, ...] = ()
    metric_why: str = ""
    split_why: str = ""
    split_column: str = ""
    alternatives: tuple[Guess, ...] = ()
    leaks: tuple[Leak, ...] = ()
    findings: tuple[Finding, ...] = ()
