"""The straight way: a request that is plainly right is answered before FastAPI's middleware and routing are asked.

They cost more than a model's answer. Whatever is not plainly right (another content type, a body that breaks the
contract, a route that somebody gave dependencies) goes the usual way, body and all, so that no rule lives here twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI
from fastapi.routing import APIRoute

from .middleware import SECURITY_HEADERS, BodyLimit, Observed
from .schema import InputError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from .middleware import Telemetry
    from .model import Model

PATH = "/predict"
COVERED = {BodyLimit, Observed}  # the middleware whose work is done here as well
HEADERS = [(b"content-type", b"application/json"), *SECURITY_HEADERS]


class StraightWay:
    """From the bytes of a request to those of its answer, and how much one may ask for."""

    def __init__(self, model: Model, telemetry: Telemetry, *, rows_max: int, body_bytes_max: int) -> None:
        self.model = model
        self.telemetry = telemetry
        self.rows_max = rows_max
        self.body_bytes_max = body_bytes_max
        self.answered = telemetry.requests.labels(PATH, "200")
        self.seconds = telemetry.seconds.labels(PATH)

    def answer(self, body: bytes) -> bytes | None:
        """Return the answer to ``body``, or None when it is not plainly right."""
        try:
            answers = self.model.answer_body(body)
        except InputError:
            return None
        if answers is None or len(answers) > self.rows_max:
            return None
        count(self.telemetry, answers)
        return msgspec.json.encode({"model": self.model.version, "predictions": answers})


class Application(FastAPI):
    """FastAPI with a straight way to the model for ``POST /predict``."""

    def __init__(self, way: StraightWay, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(**options)
        self.way = way
        self._usual: bool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != PATH or not self._is_plain(scope):
            await super().__call__(scope, receive, send)
            return
        started = time.perf_counter()
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body"):
            parts = [body]
            while message.get("more_body"):
                message = await receive()
                parts.append(message.get("body", b""))
            body = b"".join(parts)
        content = self.way.answer(body) if message["type"] == "http.request" else None
        if content is None:
            await super().__call__(scope, _again(body, message, receive), send)
            return
        headers = [*HEADERS, (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        self.way.answered.inc()
        self.way.seconds.observe(time.perf_counter() - started)

    def _is_plain(self, scope: Scope) -> bool:
        """Return whether nothing is known yet that needs the usual way."""
        if self._usual is None:
            routes = [route for route in self.routes if isinstance(route, APIRoute) and route.path == PATH]
            given = {middleware.cls for middleware in self.user_middleware} - COVERED
            self._usual = bool(given or self.dependency_overrides or any(one.dependant.dependencies for one in routes))
        if self._usual or scope["method"] != "POST":
            return False
        kind, length = b"", b""
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = value
            elif name == b"content-length":
                length = value
        return kind == b"application/json" and length.isdigit() and int(length) <= self.way.body_bytes_max


def count(telemetry: Telemetry, answers: list[dict[str, Any]]) -> None:
    """Add the answers and their notes to what ``/metrics`` tells."""
    telemetry.rows.inc(len(answers))
    for answer in answers:
        for note in answer["notes"]:
            telemetry.notes.labels(note["kind"]).inc()


def _again(body: bytes, last: Message, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body once more, or the hang-up that came instead, then goes on."""
    messages = [{"type": "http.request", "body": body} if last["type"] == "http.request" else last]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
