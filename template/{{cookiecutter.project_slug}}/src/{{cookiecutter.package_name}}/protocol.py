"""HTTP as uvicorn reads it, with the straight way before a task and its messages are made for a request.

They cost more than a small model's answer. A request that is plainly right and came whole is answered where its last
byte is read; every other one is uvicorn's, as it came. A head that is too long or does not come is given up.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import problems

if TYPE_CHECKING:
    import asyncio

    from .straight import Application

TARGET = b"/predict"
STATUS = b"HTTP/1.1 200 OK\r\n"
HEAD_BYTES_MAX = 65_536  # of a request's first line and headers, besides one packet
HEAD_SECONDS_MAX = 20.0  # for them to come, from the connection or from their first byte


class StraightProtocol(HttpToolsProtocol):
    """One connection of uvicorn, which answers plain requests itself."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*arguments, **options)
        self._application: Application | None = None  # who answers the request that is being read, if plain so far
        self._identity = b""
        self._body = b""
        self._started = 0.0
        self._in_head = False
        self._head_bytes: int | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._lose_patience()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        super().data_received(data)
        if self._application is not None:
            self._hand_over()  # more of the body is still to come: others are answered meanwhile
        if self._in_head:
            self._wait_for_head(len(data))

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, None

    def on_headers_complete(self) -> None:
        """Look whether the request is plain so far."""
        self._in_head = False
        if self._patience is not None:
            self._lose_patience()
        self._application = self._plain()
        if self._application is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._application is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer the request, if it is plainly right."""
        way = self._application.way if self._application else None
        content = way.answer(self._body) if way else None
        if way is None or content is None:
            self._hand_over()
            super().on_message_complete()
            return
        self._application, self._body = None, b""
        changing = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]  # the date
        ending = b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n" % (self._identity, len(content))
        self.transport.write(b"".join((STATUS, *changing, way.head, ending, content)))
        self.on_response_complete()
        way.told(self._identity, time.perf_counter() - self._started)

    def _plain(self) -> Application | None:
        """Return who answers the request that begins, if nothing about it is out of the ordinary."""
        if (
            self.url != TARGET
            or self.root_path
            or self.expect_100_continue
            or self.limit_concurrency is not None
            or self.flow.write_paused
            or not getattr(self.cycle, "response_complete", True)  # answers keep the order of their requests
            or self.parser.get_method() != b"POST"
            or self.parser.get_http_version() != "1.1"
            or self.parser.should_upgrade()
            or not self.parser.should_keep_alive()
        ):
            return None
        application = _innermost(self.app)
        identity = application.plain(self.headers) if application else None
        if identity is None:
            return None
        self._identity, self._started = identity, time.perf_counter()
        return application

    def _wait_for_head(self, size_bytes: int) -> None:
        """Count the packets of a head after its first, in which something else may have stood before."""
        self._head_bytes = 0 if self._head_bytes is None else self._head_bytes + size_bytes
        if self._head_bytes > HEAD_BYTES_MAX:
            detail = f"the request's headers are larger than {HEAD_BYTES_MAX:,} bytes"
            self._hang_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        if not getattr(self.cycle, "response_complete", True):  # an answer before it comes first
            self._patience = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)
        elif self._in_head:
            detail = f"the request's headers did not come within {HEAD_SECONDS_MAX:g} s"
            self._hang_up(HTTPStatus.REQUEST_TIMEOUT, detail)
        else:
            self.transport.close()

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self, status: HTTPStatus, detail: str) -> None:
        """Say why, unless an answer before is still being written, and close the connection."""
        if not self.transport.is_closing() and getattr(self.cycle, "response_complete", True):
            refusal = problems.response(status, detail)
            headers = [*self.server_state.default_headers, *refusal.raw_headers, (b"connection", b"close")]
            head = b"".join(b"%b: %b\r\n" % header for header in headers)
            line = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
            self.transport.write(b"".join((line, head, b"\r\n", refusal.body)))
        self.transport.close()

    def _hand_over(self) -> None:
        """Let uvicorn have the request, with what came of its body."""
        waiting, body, self._application, self._body = self._application, self._body, None, b""
        if waiting is None or self.transport.is_closing():
            return
        super().on_headers_complete()
        if body:
            super().on_body(body)


def _innermost(app: Any) -> Application | None:  # noqa: ANN401 - any ASGI application
    """Return the application that answers now, below what uvicorn and the reloading of models put around it."""
    while app is not None and not hasattr(app, "way"):
        app = getattr(app, "app", None)
    found: Application | None = app
    return found
