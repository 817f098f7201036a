"""The straight way: a request that is plainly right is answered before FastAPI's middleware and routing are asked.

They cost more than a model's answer. Whatever is not plainly right (another content type, a body that breaks the
contract, a route that somebody gave dependencies) goes the usual way, body and all, so that no rule lives here twice.
"""

from __future__ import annotations

import asyncio
import time
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute

from . import logs
from .limits import Admission, late
from .middleware import CONTENT_POLICY, NOT_KEPT, SECURITY_HEADERS, BodyLimit, Observed
from .schema import InputError
from .served import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Message, Receive, Scope, Send

    from .limits import Room
    from .middleware import Telemetry
    from .served import Served

PATH = "/predict"
NOTES = itemgetter("notes")
COVERED = {Admission, BodyLimit, Observed}  # the middleware whose work is done here as well
HEADERS = [(b"content-type", b"application/json"), *SECURITY_HEADERS, CONTENT_POLICY, NOT_KEPT]


class StraightWay:
    """From the bytes of a request to those of its answer, and how much one may ask for."""

    def __init__(self, served: Served, room: Room) -> None:
        self.model = served.model
        self.telemetry = served.telemetry
        self.room = room
        self.rows_max = served.settings.rows_max
        self.body_bytes_max = served.settings.body_bytes_max
        self.seconds_max = served.settings.request_seconds_max
        self.logged = served.settings.log_requests == "all"
        self.answered = served.telemetry.requests.labels(PATH, "200")
        self.seconds = served.telemetry.seconds.labels(PATH)
        self.head = b"".join(b"%b: %b\r\n" % header for header in HEADERS)  # as they go over the wire

    def answer(self, body: bytes) -> bytes | None:
        """Return the answer to ``body``, or None when it is not plainly right."""
        try:
            answers = self.model.answer_body(body)
        except InputError:
            return None
        if answers is None or len(answers) > self.rows_max:
            return None
        count(self.telemetry, answers)
        return msgspec.json.encode(envelope(self.model, answers))

    def told(self, identity: bytes, seconds: float) -> None:
        """Count, time and log a request that was answered."""
        self.answered.inc()
        self.seconds.observe(seconds)
        if self.logged:
            logs.request(identity=identity, method="POST", path=PATH, status=200, seconds=seconds)


class Application(FastAPI):
    """FastAPI with a straight way to the model for ``POST /predict``."""

    def __init__(self, way: StraightWay, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(**options)
        self.way = way
        self._usual: bool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        identity = None
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            identity = self.plain(scope["headers"])
        if identity is None:
            await super().__call__(scope, receive, send)
            return
        started = time.perf_counter()
        room = self.way.room
        room.taken += 1
        try:
            body, message = await self._whole(receive)
        finally:
            room.taken -= 1
        if message is None:
            await super().__call__(scope, _late(self.way.seconds_max), send)
            return
        content = self.way.answer(body) if message["type"] == "http.request" else None
        if content is None:
            await super().__call__(scope, _again(body, message, receive), send)
            return
        headers = [*HEADERS, (b"x-request-id", identity), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        seconds = time.perf_counter() - started
        self.way.told(identity, seconds)

    async def _whole(self, receive: Receive) -> tuple[bytes, Message | None]:
        """Return the whole body and its last message; None when it did not arrive in time."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        watch = asyncio.get_running_loop().call_later(self.way.seconds_max, task.cancel)  # a tenth of asyncio.timeout()
        try:
            message = await receive()
            body: bytes = message.get("body", b"")
            if message.get("more_body"):
                parts = [body]
                while message.get("more_body"):
                    message = await receive()
                    parts.append(message.get("body", b""))
                body = b"".join(parts)
        except asyncio.CancelledError:
            if watch.when() > asyncio.get_running_loop().time():
                raise  # not by the watch
            task.uncancel()
            return b"", None
        finally:
            watch.cancel()
        return body, message

    def plain(self, headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
        """Return the id of a ``POST`` with these headers, or None when something is known that needs the usual way."""
        if self._usual is None:
            routes = [route for route in self.routes if isinstance(route, APIRoute) and route.path == PATH]
            others = {middleware.cls for middleware in self.user_middleware} - COVERED
            self._usual = bool(others or self.dependency_overrides or any(one.dependant.dependencies for one in routes))
        if self._usual or self.way.room.taken >= self.way.room.most:
            return None
        kind, length, given = b"", b"", b""
        for name, value in headers:
            if name == b"content-type":
                kind = value
            elif name == b"content-length":
                length = value
            elif name == b"x-request-id":
                given = value
        if kind != b"application/json" or not length.isdigit() or int(length) > self.way.body_bytes_max:
            return None
        return logs.given_id(given) if given else logs.fresh_id()


def count(telemetry: Telemetry, answers: list[dict[str, Any]]) -> None:
    """Add the answers and their notes to what ``/metrics`` tells."""
    telemetry.rows.inc(len(answers))
    for notes in filter(None, map(NOTES, answers)):  # most have none: a third of the time
        for note in notes:
            telemetry.notes.labels(note["kind"]).inc()


def _again(body: bytes, last: Message, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body once more, or the hang-up that came instead, then goes on."""
    messages = [{"type": "http.request", "body": body} if last["type"] == "http.request" else last]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _late(seconds: int) -> Receive:
    async def refused() -> Message:
        raise late(seconds)

    return refused
