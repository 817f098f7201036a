"""What the environment may change, with a safe default for everything."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_LENGTH_MIN = 16  # a shorter API key can be guessed
LOGGED = ("problems", "all", "none")


@dataclass(frozen=True)
class Settings:
    """Where the model lies, who may ask, and how much; the environment's names are these in capitals."""

    model_dir: Path = Path("model")
    rows_max: int = 1_000
    explain_rows_max: int = 100
    body_bytes_max: int = 2_000_000
    file_bytes_max: int = 200_000_000
    nesting_max: int = 16
    request_seconds_max: int = 30
    file_seconds_max: int = 600
    concurrency_max: int = 100
    files_max: int = 8
    stop_seconds_max: int = 30
    reload_seconds: int = 5
    api_keys: tuple[str, ...] = ()
    rate_per_minute: int = 0
    cors_origins: tuple[str, ...] = ()
    log_requests: str = "problems"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that ``environment`` (by default the process's own) asks for.

        Raises ``SettingsError`` naming the variable whose value cannot be right.
        """
        values = os.environ if environment is None else environment
        texts = {field.name: values.get(field.name.upper(), "").strip() for field in fields(cls)}
        zero_is_off = {"reload_seconds", "rate_per_minute"}
        numbers = {
            field.name: _number(field.name.upper(), texts[field.name], least=0 if field.name in zero_is_off else 1)
            for field in fields(cls)
            if isinstance(field.default, int) and texts[field.name]
        }
        return cls(
            **numbers,
            model_dir=Path(texts["model_dir"] or cls.model_dir),
            api_keys=_keys(texts["api_keys"]),
            cors_origins=_origins(texts["cors_origins"]),
            log_requests=_one_of("LOG_REQUESTS", texts["log_requests"] or cls.log_requests, LOGGED),
        )


def _number(name: str, text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least):  # noqa: PLR2004 - no limit is that large
        message = f"{name} must be a whole number from {least} on, got {text[:40]!r}"
        raise SettingsError(message)
    return int(text)


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(filter(None, (key.strip() for key in text.split(","))))
    for place, key in enumerate(keys, start=1):  # a key is a secret: it is not repeated in the message
        if len(key) < KEY_LENGTH_MIN or not key.isascii() or not key.isprintable():
            message = f"API_KEYS: key {place} must be {KEY_LENGTH_MIN} or more printable ASCII characters"
            raise SettingsError(message)
    return keys


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(filter(None, (origin.strip() for origin in text.split(","))))
    for origin in origins:
        if not origin.startswith(("https://", "http://")) or origin.endswith("/") or "*" in origin:
            message = f"CORS_ORIGINS must hold origins such as https://example.org, got {origin[:80]!r}"
            raise SettingsError(message)
    return origins


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        message = f"{name} must be one of {', '.join(choices)}, got {text[:40]!r}"
        raise SettingsError(message)
    return text
