"""What operators see: an id and headers on every answer, counts that add up, logs without a value of a row."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}} import page
from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.logs import JsonLines
from {{cookiecutter.package_name}}.notes import unfamiliar
from {{cookiecutter.package_name}}.settings import Settings

from .conftest import PRECISION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from {{cookiecutter.package_name}}.model import Model
    from {{cookiecutter.package_name}}.schema import Schema

PRIVATE = "a value that nobody may read in a log"


@pytest.fixture
def chatty(model_dir: Path) -> Iterator[TestClient]:
    """Return a client of an application that logs every request."""
    settings = Settings(model_dir=model_dir, log_requests="all")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def _counts(client: TestClient) -> dict[str, float]:
    lines = [line for line in client.get("/metrics").text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("POST", "/predict", 200), ("GET", "/nothing", 404), ("PUT", "/predict", 405)],
)
def test_every_answer_has_an_id_and_protects_the_browser(
    client: TestClient, schema: Schema, method: str, path: str, status: int
) -> None:
    answers = [client.request(method, path, json={"rows": [schema.example]}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {status}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 2
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_the_callers_own_id_is_kept_when_it_is_harmless(client: TestClient, schema: Schema) -> None:
    body = {"rows": [schema.example]}
    for path in ("/predict", "/explain"):
        for given, kept in (("mine-1.2_3", True), ("a b", False), ("<b>", False), ("x" * 65, False), ("a,b", False)):
            answer = client.post(path, json=body, headers={"x-request-id": given})
            assert (answer.headers["x-request-id"] == given) is kept


def test_a_request_is_one_line_without_a_value_of_its_row(
    chatty: TestClient, schema: Schema, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    texts = [column.name for column in schema.columns if column.is_text]
    rows = [{**schema.example, **dict.fromkeys(texts, PRIVATE)}]
    for path in ("/predict", "/explain"):
        assert chatty.post(path, json={"rows": rows}, headers={"x-request-id": path[1:]}).status_code == 200
    assert chatty.post(f"/predict?{PRIVATE}", json={"rows": [{PRIVATE: PRIVATE}]}).status_code == 422
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name.endswith("requests")]
    told = [(line["method"], line["path"], line["status"]) for line in lines]
    assert told == [("POST", "/predict", 200), ("POST", "/explain", 200), ("POST", "/predict", 422)]
    assert [line["request_id"] for line in lines[:2]] == ["predict", "explain"]
    assert all(line["milliseconds"] > 0 and re.match(r"\d{4}-\d\d-\d\dT", line["time"]) for line in lines)
    assert PRIVATE not in json.dumps(lines)


def test_a_fault_of_ours_is_a_500_that_tells_nothing(model_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(Settings(model_dir=model_dir))

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError(PRIVATE)

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert PRIVATE not in answer.text
        assert client.get("/health/live").status_code == 200
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    (line,) = (line for line in lines if line["message"] == "a request failed")
    assert (line["why"], line["request_id"]) == ("ValueError", answer.headers["x-request-id"])
    assert "in broken" in line["traceback"]
    assert not [text for text in line.values() if PRIVATE in str(text)]


def test_the_metrics_tell_requests_rows_notes_and_the_model(client: TestClient, schema: Schema, model: Model) -> None:
    body: dict[str, Any] = {"rows": [schema.example] * 3}
    nullable = next((column.name for column in schema.columns if column.nullable), None)
    before = _counts(client)
    noted = client.post("/predict", json=body).json()["predictions"]
    if nullable:
        noted += client.post("/explain", json={"rows": [{**schema.example, nullable: None}]}).json()["predictions"]
    after = _counts(client)
    kinds = [note["kind"] for answer in noted for note in answer["notes"]]
    assert after["predictions_total"] - before["predictions_total"] == len(noted)
    for kind in kinds:
        name = 'prediction_notes_total{kind="' + kind + '"}'
        assert after[name] - before.get(name, 0.0) == kinds.count(kind)
    requests = 'http_requests_total{path="/predict",status="200"}'
    assert after[requests] - before.get(requests, 0.0) == 1
    assert after['http_request_seconds_count{path="/predict"}'] >= 1
    assert any(f'version="{model.version}"' in name for name in after)
    assert after["model_created_timestamp_seconds"] > 1_700_000_000


def test_an_unfamiliar_row_is_told_on_the_page(client: TestClient, schema: Schema, model: Model) -> None:
    answer = {**model.answer([schema.example])[0], "notes": [unfamiliar(schema)]}
    assert str(unfamiliar(schema)["message"]) in page.render(schema=schema, info={}, result=answer)
    assert "unfamiliar" in client.get("/openapi.json").text


def test_probabilities_sum_to_one_and_the_threshold_is_told(
    client: TestClient, schema: Schema, golden: list[dict[str, Any]]
) -> None:
    told = client.post("/predict", json={"rows": [case["row"] for case in golden]}).json()
    assert ("threshold" in told) == (schema.task == "binary")
    for answer in told["predictions"]:
        if schema.task != "regression":
            assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=PRECISION)
        if schema.task == "binary":
            last = schema.label_texts[-1]
            says = schema.labels[1] if answer["probabilities"][last] > told["threshold"] else schema.labels[0]
            assert answer["prediction"] == says
