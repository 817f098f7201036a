"""The page: it asks what the contract asks, answers as the API does, and shows every name and cell as text."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.package_name}} import page
from {{cookiecutter.package_name}}.batch import safe_in_a_spreadsheet
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
        return {str(each["name"]): each for each in controls if each.get("name") not in {None, "file"}}


def _example(schema: Schema) -> dict[str, str]:
    return {f"c{place}": cell for place, cell in enumerate(page.example_cells(schema).values())}


def test_there_is_a_field_for_every_column(client: TestClient, schema: Schema) -> None:
    fields = Elements(client.get("/").text).fields()
    assert set(fields) == {f"c{place}" for place in range(len(schema.columns))}
    for place, column in enumerate(schema.columns):
        assert ("required" in fields[f"c{place}"]) == (not column.nullable)


def test_the_example_is_answered_as_by_the_api(client: TestClient, schema: Schema) -> None:
    answer = client.post("/predict", json={"rows": [schema.example]}).json()["predictions"][0]
    response = client.post("/", data=_example(schema))
    assert response.status_code == 200
    assert page.said(schema, answer["prediction"]) in Elements(response.text).text


def test_the_example_file_is_answered_as_the_example_row(client: TestClient, schema: Schema) -> None:
    file = client.get("/example.csv")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(file.text, newline="")))
    plain = [list(page.example_cells(schema)), list(page.example_cells(schema).values())]
    assert lines == [[safe_in_a_spreadsheet(cell) for cell in line] for line in plain]
    if lines != plain:  # a name or a word of the data is a formula, which a spreadsheet must not run
        return
    answered = client.post("/predict/file", content=file.content, headers={"content-type": "text/csv"})
    row = next(csv.DictReader(io.StringIO(answered.text, newline="")))
    answer = client.post("/predict", json={"rows": [schema.example]}).json()["predictions"][0]
    told = answer["prediction"]
    assert row["prediction"].replace(" ", "") == str(told).replace(" ", "")


def test_the_answer_comes_with_what_drove_it(client: TestClient, schema: Schema) -> None:
    if not schema.is_explained:
        pytest.skip("the answer is not shared out among columns")
    assert "What drove it" in Elements(client.post("/", data=_example(schema)).text).text


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
    shares = {"explained": HOSTILE, "reference": 0.5, "contributions": {HOSTILE: 0.25}, "exact": True}
    answer = {
        "prediction": HOSTILE,
        "probabilities": {HOSTILE: 0.75, "no": 0.25},
        "notes": [note, {"kind": "unfamiliar", "column": None, "message": HOSTILE}],
        "explanation": shares,
    }
    info = {
        "title": HOSTILE,
        "chosen": HOSTILE,
        "importances": [{"column": HOSTILE, "drop": 0.1}],
        "provenance": {"title": HOSTILE, "url": "javascript:alert(1)", "licence": HOSTILE},
    }
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


def test_of_many_columns_the_weightiest_stand_open() -> None:
    names = [f"column {place}" for place in range(300)]
    facts: dict[str, Any] = {"type": "number", "x-kind": "number", "examples": [1]}
    schema = Schema({"properties": dict.fromkeys(names, facts), "x-task": "regression", "x-target": "b"})
    info = {"importances": [{"column": "column 7", "drop": 0.5}, {"column": "column 200", "drop": 0.9}]}
    content = page.render(schema=schema, info=info)
    fields = Elements(content).fields()
    assert list(fields)[:3] == ["c200", "c7", "c0"]
    assert set(fields) == {f"c{place}" for place in range(300)}
    assert dict(Elements(content).found)["details"] == {"id": "others"}
    told = page.render(schema=schema, info=info, problems=[Problem(0, "column 299", "expected a number")])
    assert ("details", {"id": "others", "open": None}) in Elements(told).found


def test_what_drove_an_answer_is_told_in_shares_that_can_be_seen() -> None:
    facts = {"type": "number", "x-kind": "number"}
    names = [*"abcdefghi", "nothing"]
    question = {"x-task": "binary", "x-target": "t", "x-labels": ["no", "yes"]}
    document = {"properties": dict.fromkeys(names, facts), **question}
    shares = {name: (-1) ** place * 0.08 / (place + 1) for place, name in enumerate("abcdefghi")}
    explanation = {"explained": "yes", "reference": 0.2, "contributions": {**shares, "nothing": 1e-9}, "exact": False}
    answer = {"prediction": "no", "probabilities": {"no": 0.75, "yes": 0.25}, "explanation": explanation}
    text = Elements(page.render(schema=Schema(document), info={}, values={"a": "5"}, result=answer)).text
    assert "For yes, a usual row gets 20.0" in text
    assert "a5+8.0 points" in text
    assert "bempty\N{MINUS SIGN}4.0 points" in text
    assert "3 more columns: +1.0 points together. Estimated" in text
    assert "nothing" not in text.partition("What drove it")[2].partition("The model")[0]


def test_a_key_is_asked_for_where_one_is_needed() -> None:
    schema = Schema({"properties": {"a": {"x-kind": "number"}}, "x-task": "regression", "x-target": "b"})
    assert list(Elements(page.render(schema=schema, info={}, locked=True)).fields()) == ["key", "c0"]
    assert list(Elements(page.render(schema=schema, info={})).fields()) == ["c0"]


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
