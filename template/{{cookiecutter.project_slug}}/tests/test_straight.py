"""The straight way to an answer: the same as the usual way, and out of the way of whoever adds to the application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Depends, HTTPException
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from fastapi import FastAPI, Request, Response

    from {{cookiecutter.package_name}}.schema import Schema

STRAIGHT = {"content-type": "application/json"}
USUAL = {"content-type": "application/json; charset=utf-8"}  # anything but the plainest takes the usual way
SAME = {"content-type", "content-length", "cache-control", "content-security-policy", "x-content-type-options"}


@pytest.fixture
def app(model_dir: Path) -> FastAPI:
    """Return an application of its own, to add to."""
    return create_app(Settings(model_dir=model_dir))


def _ask(app: FastAPI, schema: Schema, headers: dict[str, str] | None = None) -> int:
    with TestClient(app) as client:
        content = json.dumps({"rows": [schema.example]})
        return client.post("/predict", content=content, headers=headers or STRAIGHT).status_code


def test_both_ways_give_the_same_answers(client: TestClient, golden: list[dict[str, Any]]) -> None:
    rows = [case["row"] for case in golden]
    for body in (*({"rows": [row]} for row in rows), {"rows": rows}, {"rows": rows[:1] * 1_000}, {"rows": []}):
        content = json.dumps(body)
        straight = client.post("/predict", content=content, headers=STRAIGHT)
        usual = client.post("/predict", content=content, headers=USUAL)
        assert (straight.status_code, straight.content) == (usual.status_code, usual.content)
        assert {name: straight.headers[name] for name in SAME} == {name: usual.headers[name] for name in SAME}
        assert set(straight.headers) == set(usual.headers)


def test_a_request_of_the_straight_way_is_counted(client: TestClient, schema: Schema) -> None:
    def counts() -> dict[str, float]:
        lines = [line for line in client.get("/metrics").text.splitlines() if line[0] != "#"]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    before = counts()
    for headers in (STRAIGHT, USUAL):
        client.post("/predict", content=json.dumps({"rows": [schema.example] * 2}), headers=headers)
    after = counts()
    for name, more in {
        'http_requests_total{path="/predict",status="200"}': 2,
        'http_request_seconds_count{path="/predict"}': 2,
        "predictions_total": 4,
    }.items():
        assert after[name] - before.get(name, 0.0) == more


@pytest.mark.parametrize("headers", [STRAIGHT, USUAL], ids=["straight", "usual"])
def test_middleware_that_is_added_sees_every_request(app: FastAPI, schema: Schema, headers: dict[str, str]) -> None:
    seen = []

    @app.middleware("http")
    async def noted(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        seen.append(request.url.path)
        return await answer(request)

    assert _ask(app, schema, headers) == 200
    assert seen == ["/predict"]


@pytest.mark.parametrize("headers", [STRAIGHT, USUAL], ids=["straight", "usual"])
def test_a_dependency_that_is_added_is_asked(app: FastAPI, schema: Schema, headers: dict[str, str]) -> None:
    async def closed() -> None:
        raise HTTPException(403, "closed today")

    for route in app.routes:
        if getattr(route, "path", "") == "/predict":
            app.routes.remove(route)

    @app.post("/predict", dependencies=[Depends(closed)])
    async def predict() -> None: ...

    assert _ask(app, schema, headers) == 403


@pytest.mark.parametrize("options", [{"api_keys": ("correct-horse-battery",)}, {"rate_per_minute": 1}], ids=str)
def test_limits_by_caller_turn_it_off(model_dir: Path, schema: Schema, options: dict[str, Any]) -> None:
    app = create_app(Settings(model_dir=model_dir, **options))
    assert {_ask(app, schema) for _ in range(3)} <= {200, 401, 429}
    assert _ask(app, schema) in {401, 429}


def test_a_body_that_is_not_plainly_right_is_read_again_by_the_usual_way(client: TestClient, schema: Schema) -> None:
    parts = json.dumps({"rows": [schema.example], "more": 1}).encode()
    headers = {**STRAIGHT, "content-length": str(len(parts))}
    response = client.post("/predict", content=iter([parts[:10], parts[10:]]), headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"][0]["column"] == "more"
