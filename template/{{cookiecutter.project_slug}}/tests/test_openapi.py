"""The description of the API: it can be read by people and programs, and what it shows can be sent."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}} import handbook, openapi
from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.limits import Guard
from {{cookiecutter.package_name}}.problems import MEDIA_TYPE
from {{cookiecutter.package_name}}.schema import Column, Schema
from {{cookiecutter.package_name}}.settings import Settings

from . import made_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAY_LOAD = {"static/page.css", "static/handbook.js", "data:,"}


class Parts(HTMLParser):
    """The tags of a page with their attributes, and the texts of its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.fields: list[str] = []
        self._field = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag == "textarea":
            self.fields.append("")
        self._field = tag == "textarea"

    def handle_endtag(self, tag: str) -> None:
        """Note that a field has ended."""
        self._field = self._field and tag != "textarea"

    def handle_data(self, data: str) -> None:
        """Note the text of a field."""
        if self._field:
            self.fields[-1] += data


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    """Return the description as programs read it."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def _calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            yield path, method, call


def test_every_example_is_answered_when_it_is_pasted(client: TestClient, document: dict[str, Any]) -> None:
    sent = 0
    for path, method, call in _calls(document):
        content = call.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            rows = content["schema"]["properties"]["rows"]["items"]["examples"]
            for body in (content["example"], {"rows": rows}):
                response = client.request(
                    method, path, content=json.dumps(body), headers={"content-type": "application/json"}
                )
                assert response.status_code == 200, response.text
                sent += 1
    assert sent >= 4


def test_the_example_of_each_column_is_accepted_by_itself(
    client: TestClient, document: dict[str, Any], schema: Schema
) -> None:
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    for name, facts in content["schema"]["properties"]["rows"]["items"]["properties"].items():
        for example in facts.get("examples", ()):
            assert client.post("/predict", json={"rows": [{**schema.example, name: example}]}).status_code == 200


def test_every_call_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    ids = [call["operationId"] for _, _, call in _calls(document)]
    assert len(set(ids)) == len(ids)
    for _, method, call in _calls(document):
        assert call["summary"]
        assert {"200", "500", "503"} <= set(call["responses"])
        if method == "post":
            assert {"400", "408", "413", "415", "422"} <= set(call["responses"])
        for status, facts in call["responses"].items():
            assert facts["description"]
            assert status < "400" or MEDIA_TYPE in facts["content"]


def test_every_fact_is_served_as_documented(client: TestClient, document: dict[str, Any]) -> None:
    for path, method, call in _calls(document):
        if method == "get":
            response = client.get(path)
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] in call["responses"]["200"]["content"]


def test_an_answer_has_exactly_what_is_documented(client: TestClient, document: dict[str, Any]) -> None:
    for path in ("/predict", "/explain"):
        call = document["paths"][path]["post"]
        body = call["requestBody"]["content"]["application/json"]["example"]
        told = call["responses"]["200"]["content"]["application/json"]["schema"]
        answer = client.post(path, json=body).json()
        _same_names(told, answer)


def _same_names(told: dict[str, Any], found: object) -> None:
    """Hold the objects in ``found`` to the names that are documented of them."""
    if isinstance(found, dict) and "properties" in told:
        assert set(found) == set(told["properties"]) == set(told["required"])
        for name, value in found.items():
            _same_names(told["properties"][name], value)
    if isinstance(found, list) and "items" in told:
        for value in found:
            _same_names(told["items"], value)


def test_what_is_documented_of_texts_for_numbers_is_what_is_accepted() -> None:
    columns = [
        Column("price", "number", nullable=True, prefix="$", missing=frozenset({"", "n/a"})),
        Column("price", "number", nullable=False, decimal=",", suffix=" €"),
        Column("flag", "boolean", nullable=True, words={"Yes": True, "yes": True, "No": False, "no": False}),
    ]
    facts = {"type": ["number", "null"], "description": "A number", "examples": [1]}
    for column in columns:
        shown = openapi._property(column, facts)  # noqa: SLF001 - one column at a time
        assert "string" in shown["type"]
        accepted = [
            text
            for text in ("$12", "-$12.5", "12 €", "1,5 €", "yes", "No", "", "n/a")
            if re.search(shown["pattern"], text)
        ]
        assert len(accepted) >= 2
        for text in accepted:
            column.from_json(text)
        for text in ("12", "$", "€", "maybe", "$1.2.3", " "):
            assert not re.search(shown["pattern"], text)


def test_the_page_of_the_api_loads_nothing_from_elsewhere(client: TestClient) -> None:
    response = client.get("/docs")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    parts = Parts(response.text)
    for tag, attributes in parts.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}, "run or styled inline"
        assert tag not in {"style", "iframe", "img", "object", "base"}
        if tag in {"script", "link"}:
            assert (attributes.get("src") or attributes.get("href")) in MAY_LOAD
        elif attributes.get("href"):
            assert "//" not in str(attributes["href"])
    for name in MAY_LOAD - {"data:,"}:
        assert client.get(f"/{name}").status_code == 200


def test_the_page_of_the_api_shows_every_call_and_what_to_send(client: TestClient, document: dict[str, Any]) -> None:
    parts = Parts(client.get("/docs").text)
    tried = {
        (attributes.get("data-method"), attributes.get("data-path")) for tag, attributes in parts.tags if tag == "form"
    }
    for path, method, call in _calls(document):
        content = call.get("requestBody", {}).get("content", {})
        if not content or "application/json" in content:
            assert (method.upper(), path.lstrip("/")) in tried
    assert parts.fields
    for field in parts.fields:
        assert client.post("/predict", content=field, headers={"content-type": "application/json"}).status_code == 200


def test_the_page_of_the_api_asks_for_the_key_where_one_is_needed(model_dir: Path) -> None:
    with TestClient(create_app(Settings(model_dir=model_dir, api_keys=("correct-horse-battery",)))) as client:
        fields = [attributes for tag, attributes in Parts(client.get("/docs").text).tags if tag == "input"]
    assert fields
    assert all(field.get("type") == "password" and field.get("name") == "key" for field in fields)


def test_names_that_are_code_stay_text_on_the_page_of_the_api() -> None:
    contract = made_up.schema("binary")
    contract["properties"]["<script>alert(1)</script>"] = {
        **contract["properties"]["class"],
        "description": "<b>bold</b>",
    }
    schema = Schema(contract)
    row = openapi.row_schema(schema)
    rows = {"type": "array", "minItems": 1, "maxItems": 9, "items": row}
    body = {"schema": {"properties": {"rows": rows}}, "example": {"rows": [schema.example]}}
    call = {"summary": "<b>answer</b>", "requestBody": {"content": {"application/json": body}}, "responses": {}}
    call |= openapi.predict_file(schema, guard=Guard(Settings())) | {"requestBody": call["requestBody"]}
    document = {"info": {"title": "<i>title", "version": "</title>"}, "paths": {"/predict": {"post": call}}}
    tags = {tag for tag, _ in Parts(handbook.render(document)).tags}
    assert not tags & {"b", "i"}
    assert handbook.render(document).count("<script") == 1
