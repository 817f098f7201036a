"""How a column writes its numbers, as data."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.records import Record


@dataclass(frozen=True)
class NumberFormat(Record):
    """How numbers are written in a column: ``-$1.234,50`` is decimal ``,``, thousands ``.``, prefix ``$``."""

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""


PLAIN = NumberFormat()
