"""The page: it asks what the contract asks, answers as the API does, and shows every name and cell as text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.package_name}} import page
from {{cookiecutter.package_name}}.schema import PROBLEMS_MAX, Problem, Schema

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

HOSTILE = "\"'><script>alert(1)</script>\n" + "{" * 2 + "7 * 7" + "}" * 2


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.text += data

    def fields(self) -> dict[str, dict[str, str | None]]:
        """Return the fields of the row's form by name."""
        controls = [attributes for tag, attributes in self.found if tag in {"input", "select", "textarea"}]
        return {str(each["name"]): each for each in controls if each["name"] != "file"}


def _example(schema: Schema) -> dict[str, str]:
    return {f"c{place}": cell for place, cell in enumerate(page.example_cells(schema).values())}


def test_there_is_a_field_for_every_column(client: TestClient, schema: Schema) -> None:
    fields = Elements(client.get("/").text).fields()
    assert list(fields) == [f"c{place}" for place in range(len(schema.columns))]
    for column, field in zip(schema.columns, fields.values(), strict=True):
        assert ("required" in field) == (not column.nullable)


def test_the_example_is_answered_as_by_the_api(client: TestClient, schema: Schema) -> None:
    answer = client.post("/predict", json={"rows": [schema.example]}).json()["predictions"][0]
    response = client.post("/", data=_example(schema))
    assert response.status_code == 200
    shown = page.number(answer["prediction"], digits=6) if schema.task == "regression" else str(answer["prediction"])
    assert shown in Elements(response.text).text


def test_empty_fields_are_gaps_or_are_told(client: TestClient, schema: Schema) -> None:
    response = client.post("/", data={})
    needed = [column for column in schema.columns if not column.nullable]
    assert response.status_code == (422 if needed else 200)
    assert response.text.count('class="problem"') == min(len(needed), PROBLEMS_MAX)


def test_what_was_typed_is_still_there(client: TestClient, schema: Schema) -> None:
    for place, column in enumerate(schema.columns):
        if column.kind in {"number", "date"}:
            response = client.post("/", data={**_example(schema), f"c{place}": HOSTILE})
            assert response.status_code == 422
            assert Elements(response.text).fields()[f"c{place}"]["value"] == HOSTILE.strip("\r\n")


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    response = client.get("/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    for tag, attributes in Elements(response.text).found:
        assert "style" not in attributes
        if tag in {"link", "script"}:
            address = attributes.get("href") or attributes.get("src") or ""
            assert address == "data:," or client.get(f"/{address}").status_code == 200


@pytest.mark.parametrize("kind", ["number", "boolean", "category", "text", "date"])
def test_hostile_names_and_cells_are_text(kind: str) -> None:
    base: dict[str, Any] = {"number": "number", "boolean": "boolean"}
    facts = {
        "type": base.get(kind, "string"),
        "description": HOSTILE,
        "x-kind": kind,
        "x-unit": HOSTILE,
        "x-words": {HOSTILE: True, "no": False} if kind == "boolean" else {},
        "x-seen": {"values": [HOSTILE]} if kind == "category" else {},
    }
    document = {"properties": {HOSTILE: facts}, "x-task": "binary", "x-target": HOSTILE, "x-labels": [HOSTILE, "no"]}
    note = {"kind": "unseen_category", "column": HOSTILE, "message": HOSTILE}
    answer = {"prediction": HOSTILE, "probabilities": {HOSTILE: 0.75, "no": 0.25}, "notes": [note]}
    info = {"title": HOSTILE, "provenance": {"title": HOSTILE, "url": "javascript:alert(1)", "licence": HOSTILE}}
    schema = Schema(document)
    problem = Problem(0, HOSTILE, HOSTILE)
    for content in (
        page.render(schema=schema, info=info, values={HOSTILE: HOSTILE}, result=answer),
        page.render(schema=schema, info=info, values={HOSTILE: HOSTILE}, problems=[problem]),
    ):
        elements = Elements(content)
        scripts = [attributes for tag, attributes in elements.found if tag == "script"]
        assert scripts == [{"src": "static/page.js", "defer": None}]
        assert HOSTILE in elements.text
        assert "javascript:" not in {str(attributes.get("href", ""))[:11] for _, attributes in elements.found}


@pytest.mark.parametrize(
    ("facts", "typed", "cell"),
    [
        ({"x-kind": "number"}, " 1.5 ", "1.5"),
        ({"x-kind": "number", "x-number": {"decimal": ",", "thousands": "."}}, "1.5", "1,5"),
        ({"x-kind": "number", "x-number": {"decimal": ",", "thousands": "."}}, "1.234,5", "1.234,5"),
        ({"x-kind": "category", "x-seen": {"values": ["a\r\nb"]}}, "a\r\nb", "a\r\nb"),
        ({"x-kind": "text"}, "a\r\nb", "a\nb"),
    ],
)
def test_a_typed_value_means_the_cell_that_a_file_would_hold(facts: dict[str, Any], typed: str, cell: str) -> None:
    schema = Schema({"properties": {"a": facts}, "x-task": "regression", "x-target": "b"})
    assert page.values_of(schema, {"c0": typed}) == {"a": cell}


@pytest.mark.parametrize(
    ("pattern", "example", "kind", "shown"),
    [
        ("iso", "2020-01-31", "date", "2020-01-31"),
        ("%d/%m/%Y", "31/01/2020", "date", "2020-01-31"),
        ("%d/%m/%Y %H:%M", "31/01/2020 16:30", "datetime-local", "2020-01-31T16:30:00"),
        ("%Y-%d-%m", "2020-31-01", "text", "2020-31-01"),
        ("epoch_seconds", "1580428800", "number", "1580428800"),
    ],
)
def test_a_date_is_asked_in_a_field_that_cannot_be_misread(pattern: str, example: str, kind: str, shown: str) -> None:
    facts = {"x-kind": "date", "x-date": pattern, "examples": [example], "description": ""}
    schema = Schema({"properties": {"a": facts}, "x-task": "regression", "x-target": "b"})
    field = Elements(page.render(schema=schema, info={})).fields()["c0"]
    assert (field["type"], field["value"]) == (kind, shown)
    sent = page.values_of(schema, {"c0": shown})["a"]
    assert schema.by_name["a"].from_cell(sent) == schema.by_name["a"].from_cell(example)
