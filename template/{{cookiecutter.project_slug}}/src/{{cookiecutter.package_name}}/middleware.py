"""What happens around every request: a bound on its body, counted and timed answers, headers that protect a browser."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, Info

from . import problems
from .problems import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_SECONDS = 10.0  # a client that is still sending cannot read the refusal; its bytes are thrown away
UPLOAD_PATH = "/predict/file"
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class BodyLimit:
    """Refuse bodies above a number of bytes with 413, without keeping them in memory."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, file_bytes_max: int) -> None:
        self.app = app
        self.body_bytes_max = body_bytes_max
        self.file_bytes_max = file_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        limit = self.file_bytes_max if scope["path"] == UPLOAD_PATH else self.body_bytes_max
        detail = f"the body is larger than {limit:,} bytes, the most that one request may hold"
        declared = _declared_bytes(scope)
        if declared is not None and declared > limit:
            await _drain(receive)
            await problems.response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                if message.get("more_body", False):
                    await _drain(receive)
                raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self.app(scope, counted, send)


class Telemetry:
    """Prometheus metrics of one application, in a registry of their own."""

    def __init__(self, *, model: str, labels: Mapping[str, str]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests answered", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("http_request_seconds", "Time to answer", ["path"], registry=self.registry)
        self.rows = Counter("predictions", "Rows answered", registry=self.registry)
        self.notes = Counter("prediction_notes", "Notes given with answers", ["kind"], registry=self.registry)
        Info("model", "The model that answers", registry=self.registry).info({"version": model, **labels})


class Observed:
    """Count and time every answer by its route, and add the headers that protect a browser."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "other")  # a label a route: paths that nobody serves share one
            self.telemetry.requests.labels(path, str(status)).inc()
            self.telemetry.seconds.labels(path).observe(time.perf_counter() - started)


def _declared_bytes(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
