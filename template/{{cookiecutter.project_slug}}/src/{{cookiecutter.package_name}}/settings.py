"""What the environment may change, with a safe default for everything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings:
    """Where the model lies and how much one request may ask for."""

    model_dir: Path = Path("model")
    rows_max: int = 1_000
    body_bytes_max: int = 2_000_000
    file_bytes_max: int = 200_000_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that ``environment`` (by default the process's own) asks for.

        Raises ``SettingsError`` naming the variable when a limit is not a positive whole number.
        """
        values = os.environ if environment is None else environment
        return cls(
            model_dir=Path(values.get("MODEL_DIR") or cls.model_dir),
            rows_max=_limit(values, "ROWS_MAX", cls.rows_max),
            body_bytes_max=_limit(values, "BODY_BYTES_MAX", cls.body_bytes_max),
            file_bytes_max=_limit(values, "FILE_BYTES_MAX", cls.file_bytes_max),
        )


def _limit(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        message = f"{name} must be a whole number above 0, got {text!r}"
        raise SettingsError(message)
    return int(text)
