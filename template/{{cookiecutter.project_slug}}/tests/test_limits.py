"""What one caller may ask: who, how often, how much at once and for how long; and that every limit is documented."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.errors import SettingsError
from {{cookiecutter.package_name}}.limits import CALLERS_MAX, Keys, Rate
from {{cookiecutter.package_name}}.problems import RefusedError
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from starlette.types import Message

    from {{cookiecutter.package_name}}.schema import Schema

KEY, OTHER = "correct-horse-battery", "staple-for-another-one"
OPEN = ["/", "/schema", "/model", "/metrics", "/health/live", "/health/ready", "/docs", "/openapi.json"]


@pytest.fixture(scope="module")
def locked(model_dir: Path) -> Iterator[TestClient]:
    """Return a client of an application that wants a key."""
    app = create_app(Settings(model_dir=model_dir, api_keys=(KEY, OTHER)))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def body(schema: Schema) -> dict[str, Any]:
    """Return the body of a request that is plainly right."""
    return {"rows": [schema.example]}


@pytest.mark.parametrize("key", [None, "", "correct-horse-batter", KEY + "x", f"{KEY},{OTHER}", "é" * 20])
def test_an_answer_needs_a_key(locked: TestClient, body: dict[str, Any], key: str | None) -> None:
    headers = [] if key is None else [(b"x-api-key", key.encode())]
    for path in ("/predict", "/explain", "/predict/file"):
        response = locked.post(path, json=body, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"]
        assert response.json()["detail"] == "expected a valid API key in the header X-API-Key"


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_any_of_the_keys_opens(locked: TestClient, schema: Schema, body: dict[str, Any], key: str) -> None:
    headers = {"x-api-key": key}
    assert locked.post("/predict", json=body, headers=headers).status_code == 200
    assert locked.post("/explain", json=body, headers=headers).status_code == 200
    out = io.StringIO()
    csv.writer(out).writerow([column.name for column in schema.columns])
    content = out.getvalue().encode()
    assert locked.post("/predict/file", content=content, headers={**headers, "content-type": "text/csv"}).is_success


def test_the_pages_form_needs_a_key_too(locked: TestClient) -> None:
    assert locked.post("/", data={}).status_code == 401
    assert locked.post("/", data={"key": KEY}).status_code in {200, 422}


@pytest.mark.parametrize("path", OPEN)
def test_facts_stay_open(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_the_contract_tells_of_the_key(locked: TestClient, client: TestClient) -> None:
    document = locked.get("/openapi.json").json()
    (scheme,) = document["components"]["securitySchemes"].items()
    assert (scheme[1]["type"], scheme[1]["in"], scheme[1]["name"]) == ("apiKey", "header", "X-API-Key")
    for path in ("/predict", "/explain", "/predict/file"):
        assert document["paths"][path]["post"]["security"] == [{scheme[0]: []}]
        assert "401" in document["paths"][path]["post"]["responses"]
    assert "securitySchemes" not in client.get("/openapi.json").json().get("components", {})


def test_a_key_stands_for_its_place_and_is_told_to_nobody() -> None:
    keys = Keys((KEY, OTHER))
    assert [keys.check(KEY), keys.check(OTHER)] == ["key 1", "key 2"]
    with pytest.raises(RefusedError) as refused:
        keys.check("\ud800" * 20)
    assert KEY not in str(refused.value)


def test_a_rate_holds_for_each_key_on_every_route(model_dir: Path, body: dict[str, Any]) -> None:
    settings = Settings(model_dir=model_dir, api_keys=(KEY, OTHER), rate_per_minute=2)
    with TestClient(create_app(settings)) as client:
        assert client.post("/predict", json=body, headers={"x-api-key": KEY}).status_code == 200
        assert client.post("/explain", json=body, headers={"x-api-key": KEY}).status_code == 200
        refused = client.post("/predict", json=body, headers={"x-api-key": KEY})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert client.post("/", data={"key": KEY}).status_code == 429
        assert client.post("/predict", json=body, headers={"x-api-key": OTHER}).status_code == 200
        assert client.get("/health/live").status_code == 200


def test_a_rate_holds_for_each_address_without_keys(model_dir: Path, body: dict[str, Any]) -> None:
    app = create_app(Settings(model_dir=model_dir, rate_per_minute=1))
    with TestClient(app, client=("192.0.2.1", 1)) as one, TestClient(app, client=("192.0.2.2", 1)) as two:
        assert [one.post("/predict", json=body).status_code for _ in range(2)] == [200, 429]
        assert two.post("/predict", json=body).status_code == 200


def test_what_was_used_up_comes_back_with_time() -> None:
    now = 0.0
    rate = Rate(60, now=lambda: now)
    for _ in range(60):
        rate.check("a")
    with pytest.raises(RefusedError) as refused:
        rate.check("a")
    assert dict(refused.value.headers or {}) == {"retry-after": "1"}
    now = 1.0
    rate.check("a")
    with pytest.raises(RefusedError):
        rate.check("a")
    now = 1_000_000.0  # a long rest gives a minute's worth, no more
    for _ in range(60):
        rate.check("a")
    with pytest.raises(RefusedError):
        rate.check("a")


def test_many_callers_do_not_fill_the_memory() -> None:
    rate = Rate(1, now=lambda: 0.0)
    for number in range(CALLERS_MAX + 10):
        rate.check(str(number))
    rate.check("0")  # forgotten, so it has a minute's worth again
    with pytest.raises(RefusedError):
        rate.check(str(CALLERS_MAX))


@pytest.mark.parametrize("path", ["/predict", "/explain", "/"])
def test_one_request_too_many_is_told_to_come_back(model_dir: Path, body: dict[str, Any], path: str) -> None:
    app = create_app(Settings(model_dir=model_dir, concurrency_max=1))

    async def run() -> list[tuple[int, dict[str, str]]]:
        reached, let_go = asyncio.Event(), asyncio.Event()

        async def slow() -> Message:
            reached.set()
            await let_go.wait()
            return {"type": "http.request", "body": json.dumps(body).encode()}

        first = asyncio.create_task(_ask(app, "POST", path, slow))
        await reached.wait()
        crowded = [await _ask(app, "POST", "/predict", body), await _ask(app, "GET", "/schema")]
        health = await _ask(app, "GET", "/health/live")
        let_go.set()
        return [*crowded, health, await first, await _ask(app, "POST", "/predict", body)]

    refused, also, health, first, after = asyncio.run(run())
    assert (refused[0], also[0], health[0], after[0]) == (503, 503, 200, 200)
    assert first[0] in {200, 422}  # for the page's form, JSON is no field
    assert refused[1]["retry-after"] == "1"
    assert refused[1]["content-type"] == "application/problem+json"


def test_one_file_too_many_is_told_to_come_back_while_rows_are_answered(
    model_dir: Path, schema: Schema, body: dict[str, Any]
) -> None:
    app = create_app(Settings(model_dir=model_dir, files_max=1))
    out = io.StringIO()
    csv.writer(out).writerow([column.name for column in schema.columns])
    table = out.getvalue().encode()

    async def run() -> list[int]:
        reached, let_go = asyncio.Event(), asyncio.Event()

        async def slow() -> Message:
            if reached.is_set():
                await asyncio.Event().wait()  # nothing more comes
            reached.set()
            await let_go.wait()
            return {"type": "http.request", "body": table}

        first = asyncio.create_task(_ask(app, "POST", "/predict/file", slow))
        await reached.wait()
        second = await _ask(app, "POST", "/predict/file", table)
        row = await _ask(app, "POST", "/predict", body)
        let_go.set()
        found = [await first, second, row, await _ask(app, "POST", "/predict/file", table)]
        assert second[1]["retry-after"] == "1"
        return [status for status, _ in found]

    assert asyncio.run(run()) == [200, 503, 200, 200]


@pytest.mark.parametrize("path", ["/predict", "/explain", "/predict/file", "/"])
def test_a_body_that_never_comes_is_given_up(model_dir: Path, schema: Schema, body: dict[str, Any], path: str) -> None:
    if schema.values:
        pytest.skip("tensors do not take the straight way, which alone answers in no time")
    app = create_app(Settings(model_dir=model_dir, request_seconds_max=0, file_seconds_max=0, concurrency_max=1))

    async def half() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    parts: list[Message] = [{"type": "http.request", "body": b'{"rows": [', "more_body": True}]

    async def run() -> list[tuple[int, dict[str, str]]]:
        late = await _ask(app, "POST", path, half)
        app.way.seconds_max = 60  # type: ignore[attr-defined]  # the straight way's own
        return [late, await _ask(app, "POST", "/predict", body)]

    late, after = asyncio.run(run())
    assert late[0] == 408
    assert late[1]["content-type"] == "application/problem+json"
    assert after[0] == 200  # the room that it took is free again


def test_a_caller_that_hangs_up_leaves_its_room(model_dir: Path, body: dict[str, Any]) -> None:
    app = create_app(Settings(model_dir=model_dir, concurrency_max=1))

    async def gone() -> Message:
        return parts.pop() if parts else {"type": "http.disconnect"}

    for path in ("/predict", "/explain", "/predict/file"):
        parts: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
        asyncio.run(_ask(app, "POST", path, gone))
        assert asyncio.run(_ask(app, "POST", "/predict", body))[0] == 200


def test_pages_of_other_origins_may_not_call_by_default(client: TestClient, body: dict[str, Any]) -> None:
    response = client.post("/predict", json=body, headers={"origin": "https://example.org"})
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control")]
    asked = {"origin": "https://example.org", "access-control-request-method": "POST"}
    assert client.options("/predict", headers=asked).status_code == 405


def test_an_origin_that_is_named_may_call(model_dir: Path, body: dict[str, Any]) -> None:
    origin = "https://example.org"
    with TestClient(create_app(Settings(model_dir=model_dir, cors_origins=(origin,)))) as client:
        asked = {"origin": origin, "access-control-request-method": "POST"}
        asked |= {"access-control-request-headers": "content-type, x-api-key"}
        allowed = client.options("/predict", headers=asked)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, origin)
        asked["origin"] = "https://example.com"
        assert client.options("/predict", headers=asked).status_code == 400
        answered = client.post("/predict", json=body, headers={"origin": origin})
        assert answered.headers["access-control-allow-origin"] == origin
        refused = client.post("/predict", json={}, headers={"origin": origin})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (422, origin)
        other = client.post("/predict", json=body, headers={"origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ROWS_MAX", "0"),
        ("ROWS_MAX", "-1"),
        ("ROWS_MAX", "many"),
        ("ROWS_MAX", "1e3"),
        ("ROWS_MAX", "٣"),
        ("ROWS_MAX", "9" * 400),
        ("CONCURRENCY_MAX", "0"),
        ("API_KEYS", "short"),
        ("API_KEYS", f"{KEY},é{KEY}"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("LOG_REQUESTS", "yes"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        Settings.from_environment({variable: text})
    assert KEY not in str(refused.value)


def test_settings_come_from_the_environment_and_nothing_is_needed() -> None:
    assert Settings.from_environment({}) == Settings()
    told = {"API_KEYS": f" {KEY} , {OTHER},", "RATE_PER_MINUTE": "0", "CORS_ORIGINS": "http://localhost:3000"}
    found = Settings.from_environment(told)
    assert (found.api_keys, found.rate_per_minute, found.cors_origins) == (
        (KEY, OTHER),
        0,
        ("http://localhost:3000",),
    )


def test_one_table_documents_every_setting_with_its_default() -> None:
    text = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", text, flags=re.MULTILINE))
    expected = {
        field.name.upper(): "none" if field.default == () else f"`{field.default}`" for field in fields(Settings)
    }
    assert told == expected


async def _ask(app: FastAPI, method: str, path: str, body: Any = b"") -> tuple[int, dict[str, str]]:  # noqa: ANN401 - bytes, JSON or a receive of its own
    """Return the status and headers of one request, asked without a network."""
    sent: list[Message] = []
    asked: list[bool] = []

    async def receive() -> Message:
        if asked:
            await asyncio.Event().wait()  # nothing more comes
        asked.append(True)
        return {"type": "http.request", "body": body if isinstance(body, bytes) else json.dumps(body).encode()}

    async def send(message: Message) -> None:
        sent.append(message)

    kind = {"/": b"application/x-www-form-urlencoded", "/predict/file": b"text/csv"}.get(path, b"application/json")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", kind), (b"content-length", b"10")],
        "client": ("192.0.2.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    await app(scope, body if callable(body) else receive, send)
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    if start is None:
        return 0, {}
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}
