"""``Profile`` and ``Task`` become a ``Plan``: every modelling choice as data, each with its why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.records import Record

TreatmentKind = Literal["number", "boolean", "onehot", "target_mean", "text", "date"]
DropReason = Literal["identifier", "constant", "empty", "leak", "duplicate", "absent_in_test", "asked"]


@dataclass(frozen=True)
class Treatment(Record):
    """How one column enters the model.

    ``number``: as it is for trees; median, missing flag and standard scale for linear models. ``boolean``: 0, 1.
    ``onehot``: one 0/1 feature a frequent category, the rest share one. ``target_mean``: the category's smoothed mean
    target, cross-fitted (scikit-learn's ``TargetEncoder``). ``text``: TF-IDF of words. ``date``: its parts.
    """

    column: str
    treatment: TreatmentKind
    why: str


@dataclass(frozen=True)
class Drop(Record):
    """A column that the model does not see, with the reason and the flag that brings it back."""

    column: str
    reason: DropReason
    why: str
    overrule: str = ""


@dataclass(frozen=True)
class Candidate(Record):
    """A model to try. ``estimator``: ``dummy``, ``linear``, ``gradient_boosting``; parameters are scikit-learn's."""

    name: str
    estimator: Literal["dummy", "linear", "gradient_boosting"]
    why: str
    parameters: dict[str, Any] = field(default_factory=dict)
    target_log: bool = False  # learn log(1 + target) and answer in the target's own unit


@dataclass(frozen=True)
class Decision(Record):
    """One decision for the summary: what was decided, the choice, why, and the flag that changes it."""

    what: str
    choice: str
    why: str
    overrule: str = ""


@dataclass(frozen=True)
class DataFile(Record):
    """The training table as the project keeps it (UTF-8, comma, out of git): path, rows and SHA-256."""

    path: str = "data/train.csv"
    rows: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Plan(Record):
    """All that ``train`` needs to know; ``model/plan.json`` is this, and editing it is the advanced interface."""

    source: str
    title: str
    task: Literal["binary", "multiclass", "regression"]
    target: str
    metric: str
    metric_why: str
    split: Literal["random", "stratified", "group", "time"]
    split_why: str
    data: DataFile = DataFile()
    split_column: str = ""
    test_share: float = 0.2
    folds: int = 5
    folds_why: str = ""
    seed: int = 7
    seconds: float = 60.0
    labels: tuple[str, ...] = ()
    positive: str = ""
    treatments: tuple[Treatment, ...] = ()
    dropped: tuple[Drop, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decisions: tuple[Decision, ...] = ()
    format: int = 1
