"""The straight way below ASGI: byte for byte what uvicorn would send, in the order of the requests."""

from __future__ import annotations

import asyncio
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.protocol import StraightProtocol
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from {{cookiecutter.package_name}}.schema import Schema

LAST = b"GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"  # the server hangs up after its answer
CHANGING = re.compile(rb"x-request-id: [^\r]+\r\n")


@pytest.fixture
def app(model_dir: Path) -> FastAPI:
    """Return an application of its own, whose counts nobody else adds to."""
    return create_app(Settings(model_dir=model_dir))


@pytest.fixture
def body(schema: Schema) -> bytes:
    """Return the body of a plain request."""
    return json.dumps({"rows": [schema.example]}).encode()


def _post(body: bytes, *lines: str, kind: str = "application/json", version: str = "1.1") -> bytes:
    head = [f"POST /predict HTTP/{version}", "host: a", f"content-type: {kind}", f"content-length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


async def _talk(
    protocol: type[HttpToolsProtocol], app: ASGIApp, packets: Sequence[bytes | Callable[[], None]]
) -> bytes:
    """Return all that a connection gives for ``packets``, each sent when the server has read the one before."""
    config = Config(app, http=protocol, log_config=None, access_log=False, lifespan="off", interface="asgi3")
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", b"today")]
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for packet in packets:
            if callable(packet):
                packet()
                continue
            writer.write(packet)
            await writer.drain()
            for _ in range(20):  # turns of the loop that both ends share, not time
                await asyncio.sleep(0)
        found = await reader.read()
        writer.close()
        await writer.wait_closed()
    return found


def _said(protocol: type[HttpToolsProtocol], app: ASGIApp, *packets: bytes | Callable[[], None]) -> bytes:
    return CHANGING.sub(b"", asyncio.run(_talk(protocol, app, packets)))


def _statuses(said: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", said)]


REQUESTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "plain": lambda body: [_post(body) + LAST],
    "two in one packet": lambda body: [_post(body) * 2 + LAST],
    "two, one after the other": lambda body: [_post(body), _post(body) + LAST],
    "in pieces": lambda body: [*(bytes([one]) for one in _post(body)), LAST],
    "head, then body": lambda body: [_post(body)[: -len(body)], body, LAST],
    "half of the body, then the rest": lambda body: [_post(body)[:-9], _post(body)[-9:] + _post(body) + LAST],
    "a refused one between plain ones": lambda body: [_post(body) + _post(b'{"rows": 1}') + _post(body) + LAST],
    "a slow one before a plain one": lambda body: [_post(body, "expect: 100-continue") + _post(body) + LAST],
    "no JSON": lambda body: [_post(body[:-1]) + LAST],
    "empty": lambda _: [_post(b"") + LAST],
    "other type": lambda body: [_post(body, kind="text/csv") + LAST],
    "the last of its connection": lambda body: [_post(body, "connection: close")],
    "old HTTP": lambda body: [_post(body, version="1.0")],
    "in chunks": lambda body: [
        b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        + LAST
    ],
    "with a question": lambda body: [_post(body).replace(b"/predict", b"/predict?a=1") + LAST],
    "another path": lambda body: [_post(body).replace(b"/predict", b"/predictions") + LAST],
    "another method": lambda body: [_post(body).replace(b"POST", b"PUT") + LAST],
    "longer than it says": lambda body: [_post(body).replace(b"content-length", b"content-length: 9\r\nx")],
}


@pytest.mark.parametrize("packets", REQUESTS.values(), ids=REQUESTS)
def test_a_connection_gives_what_it_would_give_without(
    app: FastAPI, body: bytes, packets: Callable[[bytes], list[bytes]]
) -> None:
    said = _said(StraightProtocol, app, *packets(body))
    assert said == _said(HttpToolsProtocol, app, *packets(body))
    assert _statuses(said)


class Front:
    """What ``serve`` runs: the application of now, with a list of what it was asked for."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.paths: list[str] = []

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        self.paths.append(scope["path"])
        return self.app(scope, receive, send)


def test_a_plain_request_asks_nothing_of_asgi(app: FastAPI, schema: Schema, body: bytes) -> None:
    if schema.values:
        pytest.skip("this model takes its time: others are answered meanwhile")
    front = Front(app)
    said = _said(StraightProtocol, front, _post(body) * 2 + _post(b"[]") + LAST)
    assert _statuses(said) == [200, 200, 422, 200]
    assert front.paths == ["/predict", "/health/live"]


def test_a_request_is_counted_and_keeps_its_id(app: FastAPI, body: bytes) -> None:
    asked = LAST.replace(b"/health/live", b"/metrics")
    said = asyncio.run(_talk(StraightProtocol, app, [_post(body, "x-request-id: mine") * 2 + asked]))
    assert said.count(b"x-request-id: mine\r\n") == 2
    for line in (
        b'http_requests_total{path="/predict",status="200"} 2.0',
        b'http_request_seconds_count{path="/predict"} 2.0',
        b"predictions_total 2.0",
    ):
        assert line in said


def test_a_head_without_end_is_refused_and_a_long_one_is_not(app: FastAPI, body: bytes) -> None:
    long = [f"x-{number}: {'a' * 900}" for number in range(60)]
    assert _statuses(_said(StraightProtocol, app, _post(body, *long) + LAST)) == [200, 200]
    endless = [b"POST /predict HTTP/1.1\r\nhost: a\r\nx: ", *[b"a" * 9_000] * 9]
    said = _said(StraightProtocol, app, *endless)
    assert _statuses(said) == [431]
    assert json.loads(said.rpartition(b"\r\n\r\n")[2])["status"] == 431


class Waiting:
    """A loop that notes what it is asked to do later, and does it when told."""

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def call_later(self, _: float, what: Callable[[], None]) -> Waiting:
        """Note ``what``."""
        self.later.append(what)
        return self

    def cancel(self) -> None:
        """Forget what was noted last."""
        self.later.pop()


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:  # noqa: ANN401 - asyncio's
        """Keep ``data``."""
        self.written += bytes(data)

    def close(self) -> None:
        """Close."""
        self.closed = True

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closed


def _connected(app: FastAPI) -> tuple[StraightProtocol, Wire, Waiting]:
    config = Config(app, http=StraightProtocol, log_config=None, lifespan="off", interface="asgi3")
    config.load()
    protocol = StraightProtocol(config=config, server_state=ServerState(), app_state={})
    waiting, wire = Waiting(), Wire()
    protocol.loop = waiting  # type: ignore[assignment] # as much of a loop as is asked of it
    protocol.connection_made(wire)
    return protocol, wire, waiting


@pytest.mark.parametrize(
    ("packets", "statuses"),
    [
        ([], []),
        ([b"POST /predict HTTP/1.1\r\nho"], [408]),
        ([b"GET /health/live HTTP/1.1\r\nhost: a\r\n", b"x"], [408]),
    ],
    ids=["nothing", "half a line", "half a head"],
)
def test_a_head_that_does_not_come_is_given_up(app: FastAPI, packets: list[bytes], statuses: list[int]) -> None:
    async def talked() -> Wire:
        protocol, wire, waiting = _connected(app)
        for packet in packets:
            protocol.data_received(packet)
        (give_up,) = waiting.later
        give_up()
        return wire

    wire = asyncio.run(talked())
    assert wire.closed
    assert _statuses(wire.written) == statuses


def test_an_answer_that_is_being_made_comes_before_patience_ends(app: FastAPI) -> None:
    async def talked() -> None:
        protocol, wire, waiting = _connected(app)
        protocol.cycle = SimpleNamespace(response_complete=False)  # type: ignore[assignment] # as much as is asked of it
        waiting.later.pop()()
        assert len(waiting.later) == 1
        assert not wire.closed

    asyncio.run(talked())


def test_nobody_waits_for_a_head_that_has_come(app: FastAPI, schema: Schema, body: bytes) -> None:
    if schema.values:
        pytest.skip("this model takes its time: its answer needs a loop")

    async def talked() -> None:
        protocol, wire, waiting = _connected(app)
        protocol.data_received(_post(body)[:9])
        protocol.data_received(_post(body)[9:])
        assert waiting.later == [protocol.timeout_keep_alive_handler]
        assert not wire.closed

    asyncio.run(talked())


def test_a_model_that_takes_over_answers_the_next_request_of_a_connection(
    app: FastAPI, model_dir: Path, body: bytes
) -> None:
    front = Front(app)

    def replace() -> None:
        front.app = create_app(Settings(model_dir=model_dir, rows_max=0))  # answers no row

    assert _statuses(_said(StraightProtocol, front, _post(body), replace, _post(body) + LAST)) == [200, 422, 200]


@pytest.mark.parametrize("options", [{"api_keys": ("correct-horse-battery",)}, {"concurrency_max": 0}], ids=str)
def test_what_guards_the_application_guards_it_here(model_dir: Path, body: bytes, options: dict[str, Any]) -> None:
    app = create_app(Settings(model_dir=model_dir, **options))
    packet = _post(body) + LAST
    said = _said(StraightProtocol, app, packet)
    assert said == _said(HttpToolsProtocol, app, packet)
    assert _statuses(said)[0] in {401, 503}
