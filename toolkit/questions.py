"""How a column would be predicted: as two classes, as several, or as an amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.names import AMOUNT_WORDS, CLASS_WORDS, core_of

if TYPE_CHECKING:
    from toolkit.profile import Column

TaskKind = Literal["binary", "multiclass", "regression"]

CLASSES_MAX = 200  # more classes than this is a name, not an answer
FEW_NUMBERS = 10  # this many whole numbers or fewer are classes, unless the name counts something
SOME_NUMBERS = 20


@dataclass(frozen=True)
class Question:
    """How a column would be predicted: the kind of question, and the other kind that could be meant."""

    kind: TaskKind
    why: str
    rival: TaskKind | None = None


def question_of(column: Column) -> Question:
    """Return how a column would be predicted, from its values and, where they leave it open, its name."""
    distinct = column.distinct
    if distinct == 2 or column.kind == "boolean":  # noqa: PLR2004 - two values, one question
        return Question("binary", "it has two values")
    if column.kind != "number":
        return Question("multiclass", f"its values are {distinct:,} different words")
    words = set(core_of(column.name))
    says_class, says_amount = bool(words & CLASS_WORDS), bool(words & AMOUNT_WORDS)
    if not column.whole:
        return Question("regression", "its numbers have fractions", "multiclass" if distinct <= FEW_NUMBERS else None)
    low, high = number(column.minimum), number(column.maximum)
    packed = low is not None and high is not None and high - low + 1 <= distinct * 1.25
    if distinct <= FEW_NUMBERS:
        if says_amount and not says_class:
            return Question(
                "regression",
                f"its name counts something, though it has only {distinct} different numbers",
                "multiclass",
            )
        if packed or says_class:
            rival: TaskKind | None = None if says_class and not words & {"grade", "level", "quality"} else "regression"
            return Question("multiclass", f"it has only {distinct} different whole numbers", rival)
        return Question("multiclass", f"it has only {distinct} different whole numbers", "regression")
    if distinct <= CLASSES_MAX and says_class and packed and not says_amount and low in {0, 1}:
        return Question("multiclass", f"its name says classes, numbered from {low:g} to {high:g}", "regression")
    near = distinct <= SOME_NUMBERS
    return Question("regression", f"it has {distinct:,} different numbers", "multiclass" if near else None)


def number(value: float | str | None) -> float | None:
    """Return a figure of the profile as a number; ``None`` where it is a date or unknown."""
    return float(value) if isinstance(value, int | float) else None
