"""Whether this machine can do its part: credentials, the way to Kaggle, room on disk, versions; nothing is changed."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from toolkit.credentials import CREATE_HINT, Credentials, find
from toolkit.errors import AccessError, ToolkitError
from toolkit.files import human_size
from toolkit.records import Record

if TYPE_CHECKING:
    from toolkit.kaggle_api import Kaggle, Patience

State = Literal["good", "note", "problem"]

PACKAGES = ("kaggle2app", "kaggle", "kagglesdk", "requests", "pandas", "scikit-learn", "onnxruntime")
FREE_BYTES_LEAST = 1_000_000_000  # a project's environment, its data and model
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True)
class Examined(Record):
    """One thing that was looked at: what, how it is, in words, and what to do about it."""

    what: str
    state: State
    told: str
    hint: str = ""


@dataclass(frozen=True)
class Diagnosis(Record):
    """What `doctor` found; ``credentials`` names their source, never what they are."""

    examined: tuple[Examined, ...]
    credentials: str
    credentials_kind: str
    accepted: bool | None
    cache: Path
    cache_bytes: int
    free_bytes: int
    versions: dict[str, str]

    @property
    def exit_code(self) -> int:
        """Return 0 when all is well, 3 when Kaggle cannot be used, else 1."""
        problems = [one for one in self.examined if one.state == "problem"]
        if any(one.what in {"credentials", "kaggle"} for one in problems):
            return AccessError.exit_code
        return 1 if problems else 0


def diagnose(*, offline: bool = False, patience: Patience | None = None) -> Diagnosis:
    """Return how things stand; Kaggle is asked one small question, unless ``offline``."""
    from toolkit.cache import cache_folder  # noqa: PLC0415 - a function, so that the variable counts that is set now

    credentials = find()
    cache = cache_folder()
    free, size = _free_bytes(cache), _size_below(cache)
    versions = _versions()
    examined = [_python(), *_packages(versions), *_proxies(), _credentials(credentials)]
    examined += [Examined("credentials", "note", problem) for problem in credentials.problems]
    accepted = None
    if not offline:
        asked, accepted = _kaggle(credentials, patience)
        examined.append(asked)
    examined.append(_cache(cache, size, free))
    return Diagnosis(
        examined=tuple(examined),
        credentials=credentials.source,
        credentials_kind=credentials.kind,
        accepted=accepted,
        cache=cache,
        cache_bytes=size,
        free_bytes=free,
        versions=versions,
    )


def _python() -> Examined:
    return Examined("python", "good", f"{platform.python_version()} on {platform.system() or 'an unknown system'}")


def _packages(versions: dict[str, str]) -> list[Examined]:
    missing = [name for name, version in versions.items() if not version and name != "kaggle2app"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        hint = f"install them: pip install {' '.join(missing)}"
        return [Examined("packages", "problem", f"missing: {', '.join(missing)}; found: {told}", hint)]
    return [Examined("packages", "good", told)]


def _proxies() -> list[Examined]:
    """Return the proxies in use, by host alone: their addresses may hold a password."""
    told = []
    for name in PROXY_VARIABLES:
        value = os.environ.get(name)
        if value:
            try:
                host = urlsplit(value if "//" in value else f"//{value}").hostname
            except ValueError:
                host = None
            told.append(f"{name} names {host or 'no host'}")
    found = [Examined("proxy", "note", "; ".join(told))] if told else []
    if os.environ.get("KAGGLE_API_ENVIRONMENT", "PROD") != "PROD":
        told_environment = "KAGGLE_API_ENVIRONMENT leads the client away from kaggle.com"
        found.append(Examined("proxy", "note", told_environment, "unset it, unless you meant to"))
    return found


def _credentials(credentials: Credentials) -> Examined:
    if credentials.anonymous:
        told = "none found; public data sets can be read, competitions cannot"
        return Examined("credentials", "note", told, CREATE_HINT)
    who = f" as {credentials.username}" if credentials.username else ""
    return Examined("credentials", "good", f"used: {credentials.source}{who}")


def _kaggle(credentials: Credentials, patience: Patience | None) -> tuple[Examined, bool | None]:
    """Return what came of a small question to Kaggle, and whether it took the credentials."""
    from toolkit.kaggle_api import Kaggle as Conversation  # noqa: PLC0415 - kagglesdk, 200 ms
    from toolkit.kaggle_api import Patience as Waiting  # noqa: PLC0415 - as above
    from toolkit.refusals import CredentialsError  # noqa: PLC0415 - as above

    started = time.perf_counter()
    try:
        kaggle = Conversation(credentials, (patience or Waiting()).hurried)
        kaggle.ask("datasets", "list_datasets", page_size=1)
        if credentials.token and not _known(kaggle, credentials):
            told = f"Kaggle does not know the token from {credentials.source}, or it has ended"
            return Examined("credentials", "problem", told, f"{CREATE_HINT}, or correct {credentials.source}"), False
    except ToolkitError as error:
        refused = isinstance(error, CredentialsError)
        accepted = False if refused and not credentials.anonymous else None
        return Examined("credentials" if refused else "kaggle", "problem", error.message, error.hint), accepted
    except ImportError as error:
        told = f"its client cannot be loaded: {error.name or error}"
        return Examined("kaggle", "problem", told, "pip install --upgrade 'kaggle>=2.2.4' six"), None
    took = "" if credentials.anonymous else f", and takes the credentials from {credentials.source}"
    milliseconds = round((time.perf_counter() - started) * 1000)
    return Examined("kaggle", "good", f"answers in {milliseconds} ms{took}"), None if credentials.anonymous else True


def _known(kaggle: Kaggle, credentials: Credentials) -> bool:
    """Return whether Kaggle knows the token: what everybody may read is given to who shows a stale one, too."""
    from toolkit.refusals import (  # noqa: PLC0415 - as above
        NetworkError,
        NotFoundError,
        PrivateError,
        RateLimitError,
        ServerError,
    )

    try:
        told = kaggle.ask("oauth", "introspect_token", token=credentials.token)
    except (NotFoundError, PrivateError):
        return False
    except (NetworkError, RateLimitError, ServerError):  # the question is one too many, or in trouble of its own
        return True
    return bool(told.active)


def _cache(cache: Path, size: int, free: int) -> Examined:
    told = f"{cache} holds {human_size(size)}, {human_size(free)} free"
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(place, os.W_OK):
        return Examined("cache", "problem", f"{told}; it may not be written", "name another one in KAGGLE2APP_CACHE")
    if free < FREE_BYTES_LEAST:
        hint = "free some space, or name a folder on another disk in KAGGLE2APP_CACHE"
        return Examined("cache", "problem", told, hint)
    return Examined("cache", "good", told)


def _free_bytes(cache: Path) -> int:
    for folder in (cache, *cache.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return 0


def _size_below(folder: Path) -> int:
    size = 0
    for current, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(current, name).lstat().st_size
            except OSError:  # gone meanwhile
                continue
    return size


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
