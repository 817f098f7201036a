"""Who may ask, how often, how much at once and for how long; what is above a limit is refused at once.

A refusal costs little and says when to come back (``Retry-After``); nothing is queued.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from . import problems
from .problems import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi.params import Depends as Dependency
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .settings import Settings

CALLERS_MAX = 10_000  # callers whose rate is remembered; the one not seen for longest is forgotten
HEADER = APIKeyHeader(name="X-API-Key", scheme_name="API key", description="One of `API_KEYS`", auto_error=False)
UPLOAD_PATH = "/predict/file"
ALWAYS_OPEN = ("/health/", "/metrics")


class Keys:
    """The keys that may ask."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    async def __call__(self, request: Request, key: Annotated[str | None, Security(HEADER)]) -> None:
        """Let a request with a known key in its header pass."""
        request.state.caller = self.check(key or "")

    def check(self, key: str) -> str:
        """Return the caller of a known key; ``RefusedError`` otherwise. It takes as long whichever key it is."""
        given = key.encode("utf-8", errors="replace")
        found = [hmac.compare_digest(given, known) for known in self._keys]
        if not any(found):
            detail = "expected a valid API key in the header X-API-Key"
            raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, {"www-authenticate": 'ApiKey realm="model"'})
        return f"key {found.index(True) + 1}"


class Rate:
    """So many requests a minute for each caller: a key, or an address where there are no keys (a token bucket)."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, request: Request) -> None:
        """Let a request pass, or refuse it with the seconds to wait."""
        address = request.client.host if request.client else ""
        self.check(getattr(request.state, "caller", address))

    def check(self, caller: str) -> None:
        """Take one request from what the caller has left; ``RefusedError`` when that is nothing."""
        now = self._now()
        left, then = self._left.pop(caller, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - then) * self._per_minute / 60)
        self._left[caller] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._left) > CALLERS_MAX:
            self._left.popitem(last=False)
        if left < 1:
            wait = ceil((1 - left) * 60 / self._per_minute)
            detail = f"{self._per_minute} requests a minute are allowed; come back in {wait} s"
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": str(wait)})


class Guard:
    """What stands before every answer, as the settings ask: nothing by default."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.api_keys) if settings.api_keys else None
        self.rate = Rate(settings.rate_per_minute) if settings.rate_per_minute else None

    @property
    def dependencies(self) -> list[Dependency]:
        """Return the guard as dependencies of a route."""
        return [Depends(each) for each in (self.keys, self.rate) if each is not None]

    def check(self, request: Request, key: str) -> None:
        """Let a form of the page pass, whose key stands in a field of its own."""
        caller = self.keys.check(request.headers.get("x-api-key") or key) if self.keys else None
        if self.rate:
            self.rate.check(caller or (request.client.host if request.client else ""))


@dataclass
class Room:
    """How many requests, and uploads among them, are being answered, and how many may be."""

    most: int
    files_most: int
    taken: int = 0
    files: int = 0


@dataclass(frozen=True)
class Gate:
    """Who may ask and how much at once, with what has been asked so far."""

    guard: Guard
    room: Room

    @classmethod
    def of(cls, settings: Settings) -> Gate:
        """Return the gate that the settings ask for."""
        return cls(Guard(settings), Room(settings.concurrency_max, settings.files_max))


class Admission:
    """So many requests at once, each for so long."""

    def __init__(self, app: ASGIApp, *, settings: Settings, room: Room) -> None:
        self.app = app
        self.room = room
        self._seconds = settings.request_seconds_max
        self._file_seconds = settings.file_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say that it comes at a bad time."""
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_OPEN):
            await self.app(scope, receive, send)
            return
        room = self.room
        file = scope["path"] == UPLOAD_PATH
        if room.taken >= room.most or (file and room.files >= room.files_most):
            what = f"{room.files_most} files" if file and room.files >= room.files_most else f"{room.most} requests"
            detail = f"{what} are being answered, as many as at once; come back in 1 s"
            response = problems.response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"retry-after": "1"})
            await response(scope, receive, send)
            return
        room.taken += 1
        room.files += file
        try:
            await self._in_time(scope, receive, send)
        finally:
            room.taken -= 1
            room.files -= file

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole, started = scope["method"] in {"GET", "HEAD"}, False

        async def noted_receive() -> Message:
            nonlocal whole
            message = await receive()
            whole = whole or not message.get("more_body", False)
            return message

        async def noted_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        seconds = self._file_seconds if scope["path"] == UPLOAD_PATH else self._seconds
        try:
            async with asyncio.timeout(seconds):
                await self.app(scope, noted_receive, noted_send)
        except TimeoutError:
            if started:  # nothing can be taken back: the connection ends, and the caller sees that the rest is missing
                raise
            refusal = slow(seconds) if whole else late(seconds)
            await problems.response(refusal.status, refusal.detail, headers=refusal.headers)(scope, receive, send)


def late(seconds: int) -> RefusedError:
    """Return the refusal of a request whose body did not arrive in time."""
    detail = f"the body did not arrive within {seconds} s"
    return RefusedError(HTTPStatus.REQUEST_TIMEOUT, detail, {"connection": "close"})


def slow(seconds: int) -> RefusedError:
    """Return the refusal of a request whose answer took too long."""
    headers = {"retry-after": "1", "connection": "close"}
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"the answer took longer than {seconds} s", headers)
