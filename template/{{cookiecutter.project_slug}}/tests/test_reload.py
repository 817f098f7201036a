"""A new model takes over while serving, a bad one never does, and nobody's request is dropped over it."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from inspect import getfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}}.reload import Reloading, settle
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from {{cookiecutter.package_name}}.schema import Schema

KEY = "correct-horse-battery"


@pytest.fixture
def folder(model_dir: Path, tmp_path: Path) -> Path:
    """Return a copy of the model's folder, to be changed."""
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


def _replace(folder: Path, name: str, content: bytes) -> None:
    """Put a file in its place at once, as training does."""
    beside = folder / f".{name}.new"
    beside.write_bytes(content)
    beside.replace(folder / name)


def _publish(folder: Path, version: str, changed: dict[str, bytes] | None = None) -> None:
    """Write a model of another version: the manifest last, with the hashes of the files."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["version"] = version
    for name, content in (changed or {}).items():
        _replace(folder, name, content)
        manifest["files"][name] = hashlib.sha256(content).hexdigest()
    _replace(folder, "manifest.json", json.dumps(manifest).encode())


def _wrong_golden(folder: Path) -> dict[str, bytes]:
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    answer = golden["rows"][0]["answer"]
    golden["rows"][0]["answer"] = [1 - value for value in answer] if isinstance(answer, list) else answer * 2 + 1
    return {"golden.json": json.dumps(golden).encode()}


def test_a_new_model_takes_over(folder: Path, schema: Schema) -> None:
    app = Reloading(Settings(model_dir=folder))
    with TestClient(_asgi(app)) as client:
        body = {"rows": [schema.example]}
        before = client.post("/predict", json=body).json()
        assert not app.look()
        _publish(folder, "new")
        assert app.look()
        assert not app.look()
        after = client.post("/predict", json=body).json()
        assert (after["model"], after["predictions"]) == ("new", before["predictions"])
        assert client.get("/model").json()["model"] == "new"
        metrics = client.get("/metrics").text
        assert 'model_reloads_total{result="taken"} 1.0' in metrics
        assert 'version="new"' in metrics
        assert f'version="{before["model"]}"' not in metrics


BAD: dict[str, Callable[[Path], None]] = {
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "no folder": shutil.rmtree,
    "half a manifest": lambda folder: _replace(folder, "manifest.json", b'{"version": "bad'),
    "another file": lambda folder: _replace(folder, "encoder.json", b"{}"),
    "an empty graph": lambda folder: _publish(folder, "bad", {"model.onnx": b""}),
    "no graph": lambda folder: _publish(folder, "bad", {"model.onnx": b"\x08\x01" * 500}),
    "no contract": lambda folder: _publish(folder, "bad", {"schema.json": b"[]"}),
    "other answers": lambda folder: _publish(folder, "bad", _wrong_golden(folder)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_refused_and_the_old_one_serves_on(
    folder: Path, schema: Schema, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    app = Reloading(Settings(model_dir=folder))
    with TestClient(_asgi(app)) as client:
        before = client.post("/predict", json={"rows": [schema.example]}).json()
        BAD[name](folder)
        caplog.clear()
        assert [app.look() for _ in range(4)] == [False] * 4
        assert client.post("/predict", json={"rows": [schema.example]}).json() == before
        assert client.get("/health/ready").status_code == 200
        assert 'model_reloads_total{result="refused"} 1.0' in client.get("/metrics").text
        told = [record for record in caplog.records if "refused" in record.getMessage()]
        assert len(told) == 1  # once, not at every look
        assert told[0].__dict__["why"]


def test_a_model_that_is_half_written_is_waited_for(folder: Path) -> None:
    app = Reloading(Settings(model_dir=folder))
    encoder = (folder / "encoder.json").read_bytes() + b"\n"
    _replace(folder, "encoder.json", encoder)
    assert not app.look()
    _publish(folder, "new", {"encoder.json": encoder})
    assert app.look()
    with TestClient(_asgi(app)) as client:
        assert 'result="refused"' not in client.get("/metrics").text


def test_a_good_model_takes_over_after_a_bad_one(folder: Path) -> None:
    app = Reloading(Settings(model_dir=folder))
    good = (folder / "encoder.json").read_bytes()
    _replace(folder, "encoder.json", b"{}")
    assert [app.look(), app.look()] == [False, False]
    _publish(folder, "new", {"encoder.json": good})
    assert app.look()


@pytest.mark.parametrize("path", ["/predict", "/explain"])
def test_a_request_that_runs_is_finished_by_the_model_it_began_with(folder: Path, schema: Schema, path: str) -> None:
    app = Reloading(Settings(model_dir=folder))
    body = json.dumps({"rows": [schema.example]}).encode()

    async def run() -> list[dict[str, Any]]:
        reached, let_go = asyncio.Event(), asyncio.Event()

        async def slow() -> Message:
            reached.set()
            await let_go.wait()
            return {"type": "http.request", "body": body}

        async def quick() -> Message:
            return {"type": "http.request", "body": body}

        running = asyncio.create_task(_ask(app, path, slow))
        await reached.wait()
        _publish(folder, "new")
        assert await asyncio.to_thread(app.look)
        among = await _ask(app, path, quick)
        let_go.set()
        return [await running, among]

    old, new = asyncio.run(run())
    assert new["model"] == "new"
    assert old["model"] != "new"
    assert old["predictions"] == new["predictions"]


@pytest.mark.slow
def test_a_model_that_was_replaced_leaves_the_memory(folder: Path) -> None:
    app = Reloading(Settings(model_dir=folder), settle=settle)
    served: list[weakref.ref[Any]] = []
    for version in ("second", "third"):
        served.append(weakref.ref(app.app.way.model))  # type: ignore[attr-defined]  # what the straight way asks
        _publish(folder, version)
        assert app.look()
    gc.unfreeze()
    assert [model() for model in served] == [None, None]


def test_what_was_asked_is_remembered_over_a_new_model(folder: Path, schema: Schema) -> None:
    app = Reloading(Settings(model_dir=folder, api_keys=(KEY,), rate_per_minute=1))
    with TestClient(_asgi(app), headers={"x-api-key": KEY}) as client:
        assert client.post("/predict", json={"rows": [schema.example]}).status_code == 200
        _publish(folder, "new")
        assert app.look()
        assert client.post("/predict", json={"rows": [schema.example]}).status_code == 429


def _asgi(app: Reloading) -> ASGIApp:
    """Return the application as the test client wants it: a function."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return call


async def _ask(app: Reloading, path: str, receive: Callable[[], Any]) -> dict[str, Any]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"10")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    scope |= {"root_path": "", "scheme": "http", "http_version": "1.1", "state": {}}
    await app(scope, receive, send)
    answer: dict[str, Any] = json.loads(b"".join(message.get("body", b"") for message in sent))
    return answer


# A server of its own, over a network.


@pytest.mark.slow
def test_a_server_drops_no_request_over_a_new_model_and_finishes_what_runs_when_stopped(
    folder: Path, schema: Schema
) -> None:
    package, source = Reloading.__module__.partition(".")[0], str(Path(getfile(Reloading)).parents[1])
    environment = {**os.environ, "MODEL_DIR": str(folder), "RELOAD_SECONDS": "1", "PYTHONPATH": source}
    command = [sys.executable, "-m", package, "serve", "--port", "0"]
    body = json.dumps({"rows": [schema.example]}).encode()
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own command
        try:
            log: list[str] = []
            port = _port(server, log)
            rest = threading.Thread(target=lambda: log.extend(server.stderr or ()))
            rest.start()
            seen: list[tuple[int, str]] = []
            first = threading.Event()
            asking = threading.Thread(target=_keep_asking, args=(port, body, seen, first))
            asking.start()
            assert first.wait(60)
            _publish(folder, "new")
            asking.join()
            assert {status for status, _ in seen} == {200}
            assert [version for _, version in seen].count("new") == 1  # the last one

            late = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            late.putrequest("POST", "/predict")
            late.putheader("content-type", "application/json")
            late.putheader("content-length", str(len(body)))
            late.endheaders(body[:5])
            assert _answer(port, body) == (200, "new")  # so what was sent before has arrived
            server.send_signal(signal.SIGTERM)
            late.send(body[5:])
            answer = late.getresponse()
            assert (answer.status, json.loads(answer.read())["model"]) == (200, "new")
            late.close()
            assert server.wait(60) in {0, -signal.SIGTERM}
            rest.join()
        finally:
            server.kill()
    assert {json.loads(line)["level"] for line in log} <= {"info", "warning"}


def _port(server: subprocess.Popen[str], log: list[str]) -> int:
    """Return the port that the server tells of, with the lines up to there in ``log``."""
    for line in server.stderr or ():
        log.append(line)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    pytest.fail("".join(log))


def _answer(port: int, body: bytes) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/predict", body, {"content-type": "application/json"})
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    return response.status, str(told.get("model"))


def _keep_asking(port: int, body: bytes, seen: list[tuple[int, str]], first: threading.Event) -> None:
    """Ask until a new model answers, or nothing does."""
    while not seen or seen[-1] == (200, seen[0][1]):
        seen.append(_answer(port, body))
        first.set()
