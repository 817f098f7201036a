"""How a column writes its numbers, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.records import Record


@dataclass(frozen=True)
class NumberFormat(Record):
    """How numbers are written in a column: ``-$1.234,50`` is decimal ``,``, thousands ``.``, prefix ``$``.

    ``multipliers`` are letters that may stand behind a number and what they are worth: ``1.2M``, ``{"M": 1e6}``.
    ``parentheses`` says that ``(5)`` is -5. A prefix or suffix may be absent in some cells. ``stray`` are marks of
    which one may stand before or behind a number and means nothing (``28_``), ``ranges`` says that ``10-20`` is the
    middle, ``parts`` what each part of a number in several units is worth: ``2h 50m``, ``{"h": 60, "m": 1}``.
    """

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    multipliers: dict[str, float] = field(default_factory=dict)
    parentheses: bool = False
    stray: str = ""
    ranges: bool = False
    parts: dict[str, float] = field(default_factory=dict)


PLAIN = NumberFormat()
