"""The HTTP application: the same answers as the model, a contract that can be read, refusals that help."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient

    from {{cookiecutter.package_name}}.schema import Schema

TOLERANCE = 1e-6
JSON = {"content-type": "application/json"}


def _answers(client: TestClient, rows: list[Any]) -> list[dict[str, Any]]:
    response = client.post("/predict", json={"rows": rows})
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["predictions"]
    return answers


def test_golden_rows_are_answered_as_in_training(
    client: TestClient, schema: Schema, golden: list[dict[str, Any]]
) -> None:
    answers = _answers(client, [case["row"] for case in golden])
    for answer, case in zip(answers, golden, strict=True):
        if schema.task == "regression":
            told = np.ravel(answer["prediction"]).tolist()
            assert told == pytest.approx(np.ravel(case["answer"]).tolist(), rel=TOLERANCE, abs=TOLERANCE)
        else:
            told = list(answer["scores" if schema.has_scores else "probabilities"].values())
            assert told == pytest.approx(case["answer"], rel=TOLERANCE if schema.has_scores else 0, abs=TOLERANCE)
            assert answer["prediction"] == schema.labels[case["answer"].index(max(case["answer"]))]


def test_every_answer_names_the_model(client: TestClient, schema: Schema) -> None:
    answer = client.post("/predict", json={"rows": [schema.example]}).json()
    assert answer["model"] == client.get("/model").json()["model"]


def test_null_and_absent_and_mixed_give_the_same_answer(client: TestClient, schema: Schema) -> None:
    for column in schema.columns:
        if column.nullable:
            absent = {name: value for name, value in schema.example.items() if name != column.name}
            null = {**schema.example, column.name: None}
            answers = _answers(client, [null, absent, schema.example, null])
            assert answers[0] == answers[1] == answers[3]


def test_a_whole_number_may_arrive_as_a_float(client: TestClient, schema: Schema) -> None:
    numbers = [column.name for column in schema.columns if column.kind == "number"]
    as_floats = {**schema.example, **{name: float(schema.example[name]) for name in numbers}}
    assert _answers(client, [as_floats]) == _answers(client, [schema.example])


def test_a_file_is_answered_as_its_rows(client: TestClient, schema: Schema, golden: list[dict[str, Any]]) -> None:
    rows = [case["row"] for case in golden]
    answers = _answers(client, rows)
    response = client.post("/predict/file", files={"file": ("rows.csv", _as_csv(schema, rows), "text/csv")})
    assert response.status_code == 200, response.text
    answered = list(csv.DictReader(io.StringIO(response.text)))
    assert len(answered) == len(rows)
    for line, answer in zip(answered, answers, strict=True):
        if schema.task == "regression":
            found, told = np.ravel(json.loads(line["prediction"])), np.ravel(answer["prediction"])
            assert found.tolist() == pytest.approx(told.tolist(), rel=TOLERANCE, abs=TOLERANCE)
        else:
            chances = {label: float(line[f"probability_{label}"]) for label in schema.label_texts}
            assert chances == pytest.approx(answer["probabilities"], abs=TOLERANCE)


def test_a_column_of_the_data_that_is_not_used_is_accepted(client: TestClient, schema: Schema) -> None:
    for name in schema.ignored:
        assert _answers(client, [{**schema.example, name: "anything"}]) == _answers(client, [schema.example])


def test_openapi_shows_every_column_by_its_own_name(client: TestClient, schema: Schema) -> None:
    document = client.get("/openapi.json").json()
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    shown = body["schema"]["properties"]["rows"]["items"]["properties"]
    assert {column.name for column in schema.columns} <= set(shown)
    assert client.post("/predict", json=body["example"]).status_code == 200


@pytest.mark.parametrize("path", ["/", "/schema", "/model", "/metrics", "/health/live", "/health/ready", "/docs"])
def test_facts_can_be_read(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_metrics_count_rows(client: TestClient, schema: Schema) -> None:
    _answers(client, [schema.example] * 3)
    lines = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#")
    assert float(lines["predictions_total"]) >= 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"rows": [{"a": NaN}]}', 400),
        (b'{"rows": [{"a": Infinity}]}', 400),
        (b'{"rows": [{"a": 1e400}]}', 400),
        (b"[" * 100_000, 400),
        (b'{"rows": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"rows": "\xff"}', 400),
        (b"null", 422),
        (b"[]", 422),
        (b'{"rows": null}', 422),
        (b'{"rows": []}', 422),
        (b'{"rows": [1]}', 422),
        (b'{"rows": [{}], "more": 1}', 422),
        (b'{"rows": [{"no such column": 1}]}', 422),
    ],
    ids=str,
)
def test_a_broken_body_is_refused(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/predict", content=body, headers=JSON)
    assert response.status_code == status
    assert response.json()["status"] == status
    assert response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


def test_a_value_of_the_wrong_type_is_named(client: TestClient, schema: Schema) -> None:
    for column in schema.columns:
        response = client.post("/predict", json={"rows": [schema.example, {**schema.example, column.name: [1]}]})
        assert response.status_code == 422
        assert (response.json()["errors"][0]["row"], response.json()["errors"][0]["column"]) == (1, column.name)


def test_too_much_is_refused(model_dir: Path, schema: Schema) -> None:
    from fastapi.testclient import TestClient  # noqa: PLC0415 - a second application with small limits

    small = Settings(model_dir=model_dir, rows_max=2, body_bytes_max=100_000, file_bytes_max=200)
    with TestClient(create_app(small), raise_server_exceptions=False) as client:
        assert client.post("/predict", json={"rows": [schema.example] * 3}).status_code == 422
        assert client.post("/predict", content=b" " * 100_001, headers=JSON).status_code == 413
        parts = (b" " * 60_000 for _ in range(3))  # no declared length
        assert client.post("/predict", content=parts, headers=JSON).status_code == 413
        assert client.post("/predict/file", files={"file": ("a.csv", b"a" * 500)}).status_code == 413
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"PK\x03\x04\x00", 400), (b"\xff\xfe\x00", 400), (b"no such column\n1\n", 422)],
    ids=str,
)
def test_a_broken_file_is_refused(client: TestClient, content: bytes, status: int) -> None:
    response = client.post("/predict/file", files={"file": ("rows.csv", content, "text/csv")})
    if status == 422 and response.status_code == 200:
        pytest.skip("every column may be missing, so this is a table of gaps")
    assert response.status_code == status
    assert response.json()["detail"]


def test_another_content_type_is_refused(client: TestClient) -> None:
    assert client.post("/predict", content=b"{}", headers={"content-type": "text/html"}).status_code == 415
    assert client.post("/predict/file", content=b"{}", headers={"content-type": "image/png"}).status_code == 415


def test_nothing_is_served_from_outside(client: TestClient) -> None:
    for path in ("/static/../api.py", "/static/..%2fapi.py", "/static/%2e%2e/model.py", "/static/nothing"):
        assert client.get(path).status_code == 404


def _as_csv(schema: Schema, rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in schema.columns])
    for row in rows:
        writer.writerow([_cell(schema, column.name, row.get(column.name)) for column in schema.columns])
    return out.getvalue()


def _cell(schema: Schema, name: str, value: object) -> object:
    column = schema.by_name[name]
    if value is None:
        return ""
    if column.kind == "boolean":
        return next(word for word, truth in column.words.items() if truth == value)
    if column.kind == "number":
        return f"{column.prefix}{value}{column.suffix}".replace(".", column.decimal)
    return value
