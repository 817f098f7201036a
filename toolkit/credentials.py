"""Who asks Kaggle: the sources of credentials that its own clients read, one of them chosen, none ever shown."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

CredentialsKind = Literal["token", "key", "login", "anonymous"]

ANONYMOUS = "no credentials"
CREATE_HINT = "create a token on https://www.kaggle.com/settings and put it into KAGGLE_API_TOKEN"
LOGIN_MARGIN = timedelta(minutes=5)  # a login that ends sooner is renewed first


@dataclass(frozen=True)
class Credentials:
    """One way to say who asks; ``source`` names it for people, the secrets are in no text of this object.

    ``problems`` tells of sources that are there and cannot be used.
    """

    kind: CredentialsKind = "anonymous"
    source: str = ANONYMOUS
    username: str = ""
    problems: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)

    @property
    def anonymous(self) -> bool:
        """Return whether nobody in particular asks."""
        return self.kind == "anonymous"


def find() -> Credentials:
    """Return the credentials to use, in the order of Kaggle's own clients; anonymous ones when there are none.

    Tokens (a notebook's own, ``KAGGLE_API_TOKEN`` or the file it names, ``~/.kaggle/access_token``) come before keys
    (``KAGGLE_USERNAME`` and ``KAGGLE_KEY``, ``kaggle.json``), these before ``kaggle auth login``, Colab's secrets last.
    """
    problems: list[str] = []
    found = _token(problems) or _key(problems) or _login(problems) or _colab() or Credentials()
    return Credentials(
        found.kind,
        found.source,
        found.username,
        tuple(problems),
        token=found.token,
        key=found.key,
        refresh=found.refresh,
    )


def _token(problems: list[str]) -> Credentials | None:
    folder = Path("~/.kaggle").expanduser()
    named: list[tuple[str, str]] = []
    if os.environ.get("KAGGLE_KERNEL_RUN_TYPE"):
        named.append(("KAGGLE_API_V1_TOKEN", _text(os.environ.get("KAGGLE_API_V1_TOKEN", ""), problems)))
    value = os.environ.get("KAGGLE_API_TOKEN", "").strip()
    if value and _is_file(value):
        named.append(("the file that KAGGLE_API_TOKEN names", _text(value, problems)))
    elif value:
        named.append(("KAGGLE_API_TOKEN", value))
    named += [
        (f"~/.kaggle/{name}", _text(str(folder / name), problems)) for name in ("access_token", "access_token.txt")
    ]
    for source, token in named:
        if _sendable(token, source, problems):
            return Credentials("token", source, token=token)
    return None


def _key(problems: list[str]) -> Credentials | None:
    """Return a user name and key: the environment's come before the file's, each on its own as in Kaggle's client."""
    username, key = (os.environ.get(name, "").strip() for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"))
    sources = [name for name, value in (("KAGGLE_USERNAME", username), ("KAGGLE_KEY", key)) if value]
    if not (username and key):
        for path in _key_files():
            values = _object(path, problems)
            if values is None:
                continue
            told = {name: values.get(name) for name in ("username", "key")}
            username = username or (told["username"] if isinstance(told["username"], str) else "")
            key = key or (told["key"] if isinstance(told["key"], str) else "")
            if not (username and key):
                problems.append(f"{_short(path)} holds no `username` and `key`")
            sources.append(_short(path))
            break
    if not (username and key):
        if sources:
            problems.append(f"{' and '.join(sources)} give {'a user name' if username else 'a key'} alone")
        return None
    source = " and ".join(sources)
    if _sendable(username, source, problems) and _sendable(key, source, problems):
        return Credentials("key", source, username, key=key)
    return None


def _key_files() -> list[Path]:
    chosen = os.environ.get("KAGGLE_CONFIG_DIR")
    home = Path("~/.kaggle").expanduser()
    folders = [Path(chosen).expanduser()] if chosen else []
    folders.append(home)
    if sys.platform.startswith("linux") and not home.exists():
        folders.append(Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "kaggle")
    return [folder / "kaggle.json" for folder in folders]


def _login(problems: list[str]) -> Credentials | None:
    """Return what ``kaggle auth login`` left; a login that has ended keeps only what renews it."""
    path = Path("~/.kaggle/credentials.json").expanduser()
    values = _object(path, problems)
    if values is None:
        return None
    refresh, token, username = (
        value if isinstance(value := values.get(name), str) else ""
        for name in ("refresh_token", "access_token", "username")
    )
    try:
        ends = datetime.fromisoformat(str(values.get("access_token_expiration") or ""))
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    except ValueError:
        ends = datetime.min.replace(tzinfo=UTC)
    source = "`kaggle auth login`"
    fresh = token if ends > datetime.now(UTC) + LOGIN_MARGIN else ""
    if not fresh and not refresh:
        problems.append(f"{source} has ended")
        return None
    if not all(_sendable(value, source, problems) for value in (fresh, refresh) if value):
        return None
    return Credentials("login", source, username, token=fresh, refresh=refresh)


def _colab() -> Credentials | None:
    """Return the key among the secrets of a Colab notebook, where this runs in one and may read them."""
    if "google.colab" not in sys.modules:
        return None
    try:
        userdata: Any = import_module("google.colab").userdata
        username, key = str(userdata.get("KAGGLE_USERNAME")), str(userdata.get("KAGGLE_KEY"))
    except Exception:  # noqa: BLE001 - Colab's own errors for a secret that is absent or not granted
        return None
    return Credentials("key", "Colab's secrets", username, key=key)


def _text(path: str, problems: list[str]) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip() if path and _is_file(path) else ""
    except (OSError, UnicodeError):
        problems.append(f"{_short(Path(path))} cannot be read")
        return ""


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # a token is no path: too long, or holds what no path may
        return False


def _object(path: Path, problems: list[str]) -> dict[str, Any] | None:
    text = _text(str(path), problems)
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        problems.append(f"{_short(path)} is not the JSON that Kaggle hands out")
        return None
    return values


def _sendable(secret: str, source: str, problems: list[str]) -> bool:
    """Return whether a header can carry the secret; a line break in it would be a header of its own."""
    if secret and secret.isascii() and secret.isprintable() and " " not in secret:
        return True
    if secret:
        problems.append(f"{source} holds spaces, line breaks or other letters that no token has")
    return False


def _short(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)
