"""The base of every result: a frozen dataclass that turns into plain JSON values and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Record:
    """A result that can be written as JSON and read again, equal to what it was."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: dictionaries, lists, text, numbers, booleans and ``None``."""
        import msgspec  # noqa: PLC0415 - 12 ms, and not every command needs it

        return dict(msgspec.to_builtins(self, enc_hook=_encode))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the result that ``to_json`` wrote; unknown keys are ignored, wrong types raise ``ValueError``."""
        import msgspec  # noqa: PLC0415 - 12 ms, and not every command needs it

        return msgspec.convert(values, type=cls, dec_hook=_decode)


def dump(values: object) -> str:
    """Return ``values`` as deterministic JSON text: two-space indent, unicode kept, a line break at the end.

    Key order is kept: the order of columns carries meaning. NaN and infinity are refused with ``ValueError``.
    """
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False, default=_encode) + "\n"


def _encode(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    message = f"cannot read {kind.__name__} from {type(value).__name__}"
    raise TypeError(message)
