"""What happens around every request: a bound on its body, an id, counts and times, headers that protect a browser."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from . import logs, problems
from .problems import RefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .model import Model

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0  # a client that is still sending cannot read the refusal; its bytes are thrown away
UPLOAD_PATH = "/predict/file"
CONTENT_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")  # the page has its own
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NOT_KEPT = (b"cache-control", b"no-store")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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
    """Prometheus metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests answered", ["path", "status"], registry=registry)
        self.seconds = Histogram("http_request_seconds", "Time to answer", ["path"], registry=registry, buckets=SECONDS)
        self.rows = Counter("predictions", "Rows answered", registry=registry)
        self.notes = Counter("prediction_notes", "Notes given with answers", ["kind"], registry=registry)
        self.model = Info("model", "The model that answers", registry=registry)
        self.created = Gauge("model_created_timestamp_seconds", "When the model was trained", registry=registry)
        self.reloads = Counter("model_reloads", "New models met while serving", ["result"], registry=registry)

    def serve(self, model: Model) -> None:
        """Tell which model answers from now on, and how old it is."""
        facts = {"version": model.version, "task": model.schema.task, "target": model.schema.target}
        self.model.info(facts)
        created = model.manifest.get("created_at")
        self.created.set(datetime.fromisoformat(created).timestamp() if created else 0.0)


class Observed:
    """Give every request an id, count, time and log it by its route, and add the headers that protect a browser.

    A fault of ours becomes a 500 in the shape of every refusal here; the log has where it happened, no value of a row.
    """

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry, logged: str) -> None:
        self.app = app
        self.telemetry = telemetry
        self._least = {"all": 0, "problems": HTTPStatus.BAD_REQUEST.value}.get(logged, 1_000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        identity = logs.request_id(scope)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _protected(message.get("headers", ()), identity)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if status:  # half an answer is out: the connection must end for the caller to see it
                raise
            facts = {"request_id": identity.decode(), "why": type(error).__name__}
            logger.exception("a request failed", extra=facts)
            refusal = problems.response(HTTPStatus.INTERNAL_SERVER_ERROR, "the request could not be answered")
            await refusal(scope, receive, noted)
        finally:
            path = getattr(scope.get("route"), "path", "other")  # a label a route: paths nobody serves share one
            seconds = time.perf_counter() - started
            self.telemetry.requests.labels(path, str(status or 499)).inc()  # 499: the caller hung up first
            self.telemetry.seconds.labels(path).observe(seconds)
            if status >= self._least:
                logs.request(identity=identity, method=scope["method"], path=path, status=status, seconds=seconds)


def _protected(headers: list[tuple[bytes, bytes]], identity: bytes) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in headers}
    given = (CONTENT_POLICY, NOT_KEPT)
    return [*headers, *SECURITY_HEADERS, *(one for one in given if one[0] not in names), (b"x-request-id", identity)]


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
