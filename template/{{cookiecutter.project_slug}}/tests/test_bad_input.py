"""What nobody should send: each is refused in one shape, at little cost, and the next caller is served as before."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from .conftest import PRECISION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi.testclient import TestClient
    from httpx2 import Response

    from {{cookiecutter.package_name}}.schema import Column, Schema

JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}
ROUTES = ["/predict", "/explain"]
MEGABYTE = b" " * 1_000_000
NAME_CHARACTERS = 60  # a refusal repeats a name of this length whole


@pytest.fixture(scope="module")
def answer(client: TestClient, schema: Schema) -> bytes:
    """Return the answer to the example, asked before anything else."""
    return client.post("/predict", json={"rows": [schema.example]}).content


@pytest.fixture(autouse=True)
def _still_serving(client: TestClient, schema: Schema, answer: bytes) -> Iterator[None]:
    """Hold each test to leave the application as it was: the next caller gets the same answer."""
    yield
    assert client.post("/predict", json={"rows": [schema.example]}).content == answer


def _refused(response: Response, status: int) -> list[dict[str, Any]]:
    """Return the errors of a refusal, which has this status and the shape of every refusal."""
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert set(told) == {"type", "title", "status", "detail", "errors"}
    assert told["status"] == status
    assert told["detail"]
    errors: list[dict[str, Any]] = told["errors"]
    assert all(set(error) == {"row", "column", "message"} for error in errors)
    return errors


def _longest(schema: Schema) -> str:
    """Return the longest name that a refusal repeats whole: longer ones are cut there."""
    names = [column.name for column in schema.columns]
    return max((name for name in names if len(name) <= NAME_CHARACTERS), key=len, default=names[0][:NAME_CHARACTERS])


def _raw(schema: Schema, value: str, *, beside: str = "") -> bytes:
    """Return a body whose first column has ``value``, written as it is."""
    mark = "here the value is put"
    body = json.dumps({"rows": [{**schema.example, schema.columns[0].name: mark}]})
    return (body.replace(json.dumps(mark), value)[:-1] + beside + "}").encode()


def _rows(schema: Schema, *rows: object) -> bytes:
    return json.dumps({"rows": [schema.example, *rows]}).encode()


def _many(schema: Schema) -> int:
    """Return more lists than any rows of the contract have."""
    return 100_000 + 1_000 * schema.lists


UNREADABLE: dict[str, Callable[[Schema], bytes]] = {
    "nothing": lambda _: b"",
    "half": lambda schema: _rows(schema)[:-3],
    "more behind it": lambda schema: _rows(schema) + b"1",
    "no JSON": lambda _: b"rows=1",
    "single quotes": lambda schema: _rows(schema).replace(b'"', b"'"),
    "NaN": lambda schema: _raw(schema, "NaN"),
    "Infinity": lambda schema: _raw(schema, "Infinity"),
    "-Infinity": lambda schema: _raw(schema, "-Infinity"),
    "1e400": lambda schema: _raw(schema, "1e400"),
    "100,000 digits": lambda schema: _raw(schema, "9" * 100_000),
    "lone surrogate": lambda schema: _raw(schema, r'"\ud800"'),
    "lone low surrogate": lambda schema: _raw(schema, r'"a\udfffb"'),
    "surrogate in a name": lambda schema: _rows(schema)[:-1] + rb', "\ud800": 1}',
    "invalid UTF-8": lambda schema: _raw(schema, '"@"').replace(b"@", b"\xff"),
    "overlong UTF-8": lambda schema: _raw(schema, '"@"').replace(b"@", b"\xc0\xaf"),
    "surrogate in UTF-8": lambda schema: _raw(schema, '"@"').replace(b"@", b"\xed\xa0\x80"),
    "UTF-16": lambda schema: _rows(schema).decode().encode("utf-16"),
    "control character": lambda schema: _raw(schema, '"\n"'),
    "lists in lists": lambda _: b"[" * 100_000,
    "lists in lists, closed": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "lists in rows": lambda _: b'{"rows": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects in objects": lambda _: b'{"rows": ' * 100_000 + b"1" + b"}" * 100_000,
    "deep in a value": lambda schema: _raw(schema, "[" * 100_000 + "]" * 100_000),
    "deep beside rows": lambda schema: _raw(schema, "1", beside=f', "more": {"[" * 100_000}{"]" * 100_000}'),
    "a crowd of lists": lambda schema: _raw(schema, f"[{'[],' * _many(schema)}[]]"),
    "a crowd beside rows": lambda schema: _raw(schema, "1", beside=f', "more": [{"[]," * _many(schema)}0]'),
    "a little too deep": lambda schema: _raw(schema, "[" * 20 + "]" * 20),
}
BREACHES: dict[str, Callable[[Schema], bytes]] = {
    "null": lambda _: b"null",
    "a number": lambda _: b"1",
    "a list": lambda _: b"[]",
    "an empty object": lambda _: b"{}",
    "rows null": lambda _: b'{"rows": null}',
    "rows an object": lambda _: b'{"rows": {}}',
    "no row": lambda _: b'{"rows": []}',
    "more beside rows": lambda schema: _rows(schema)[:-1] + b', "more": 1}',
    "a row null": lambda schema: _rows(schema, None),
    "a row a list": lambda schema: _rows(schema, []),
    "a row a text": lambda schema: _rows(schema, "row"),
    "rows twice": lambda schema: _rows(schema)[:-1] + b', "rows": []}',
    "too many rows": lambda schema: _rows(schema, *[{}] * 1_000),  # small in a wide table too
    "an extra column": lambda schema: _rows(schema, {**schema.example, "no such column": 1}),
    "an empty name": lambda schema: _rows(schema, {**schema.example, " ": 1}),
    "many extra columns": lambda schema: _rows(schema, {f"{_longest(schema)[:100]}{n}": n for n in range(5_000)}),
    "a long name": lambda schema: _rows(schema, {"x" * 1_000_000: 1}),
    "400 digits": lambda schema: _raw(schema, "9" * 400),
    "-400 digits": lambda schema: _raw(schema, "-" + "9" * 400),
    "400 digits unused": lambda schema: _rows(schema)[:-1] + b', "more": ' + b"9" * 400 + b"}",
    "names twice by the thousand": lambda _: b'{"rows": [{"a": 1' + b', "a": 1' * 20_000 + b"}]}",
    "a value a list": lambda schema: _raw(schema, "[1]"),
    "a value an object": lambda schema: _raw(schema, '{"a": 1}'),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_readable_json_is_refused(client: TestClient, schema: Schema, name: str) -> None:
    for path in ROUTES:
        _refused(client.post(path, content=UNREADABLE[name](schema), headers=JSON), 400)


@pytest.mark.parametrize("name", BREACHES)
def test_what_breaks_the_contract_is_refused(client: TestClient, schema: Schema, name: str) -> None:
    for path in ROUTES:
        response = client.post(path, content=BREACHES[name](schema), headers=JSON)
        assert len(_refused(response, 422)) <= 100
        assert len(response.content) < 100_000


@pytest.mark.parametrize("path", ROUTES)
def test_a_misspelt_column_is_told_its_right_name(client: TestClient, schema: Schema, path: str) -> None:
    right = _longest(schema)
    row = {(name + "e" if name == right else name): value for name, value in schema.example.items()}
    errors = _refused(client.post(path, json={"rows": [schema.example, row]}), 422)
    wrong = next(error for error in errors if error["column"] == right + "e")
    assert wrong["row"] == 1
    assert "did you mean" in wrong["message"]


@pytest.mark.parametrize("path", ROUTES)
def test_every_gap_that_training_never_saw_is_named(client: TestClient, schema: Schema, path: str) -> None:
    needed = [column.name for column in schema.columns if not column.nullable]
    if not needed:
        pytest.skip("every column of this table has gaps")
    nothing = _refused(client.post(path, json={"rows": [schema.example, {}]}), 422)
    nulls = _refused(client.post(path, json={"rows": [schema.example, dict.fromkeys(schema.example)]}), 422)
    for errors in (nothing, nulls):
        assert [(error["row"], error["column"]) for error in errors] == [(1, name) for name in needed][:100]


@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_type_is_told_what_was_expected(client: TestClient, schema: Schema, path: str) -> None:
    wrong: dict[str, list[object]] = {
        "number": [True, [], {}, "many"],
        "boolean": [1, 0.5, [], "perhaps"],
        "category": [1, True, []],
        "text": [1, True, []],
        "date": [True, [], "the day before", "2024-13-45", "99999-01-01"],
        "tensor": [True, {}, "many", [], [[]], [None], 1],
        "picture": [True, {}, "many", [], [[]], [None], 1, "data:image/png;base64,AAAA", "data:image/png;base64,?"],
    }
    rows: list[dict[str, Any]] = []
    expected: list[tuple[int, str]] = []
    for column in schema.columns:
        for value in wrong[column.kind]:
            expected.append((len(rows), column.name))
            rows.append({**schema.example, column.name: value})
    errors = _refused(client.post(path, json={"rows": rows[:90]}), 422)
    assert [(error["row"], error["column"]) for error in errors] == expected[:90]
    assert all(error["message"].startswith("expected ") for error in errors)


@pytest.mark.parametrize("path", ROUTES)
def test_a_column_that_comes_twice_is_refused(client: TestClient, schema: Schema, path: str) -> None:
    for name, value in list(schema.example.items())[:20]:
        first = json.dumps({name: value})[:-1]
        body = '{"rows": [' + f"{first}, {json.dumps(schema.example)[1:]}]" + "}"
        (error,) = _refused(client.post(path, content=body, headers=JSON), 422)
        assert (error["row"], error["column"][:NAME_CHARACTERS]) == (0, name[:NAME_CHARACTERS])


def test_numbers_at_the_edge_are_answered_or_refused_by_row(client: TestClient, schema: Schema) -> None:
    numbers = [column.name for column in schema.columns if column.kind == "number"]
    for value in (1.7e308, -1.7e308, 5e-324, -0.0, 2**53 + 1, 10**18):
        body = {"rows": [schema.example, {**schema.example, **dict.fromkeys(numbers, value)}]}
        for path in ROUTES:
            response = client.post(path, json=body)
            if response.status_code != 200:
                assert [error["row"] for error in _refused(response, 422)] == [1]
                continue
            first, extreme = response.json()["predictions"]
            alone = client.post(path, json={"rows": [schema.example]}).json()["predictions"][0]
            assert first["notes"] == alone["notes"]
            for name in {"prediction", "probabilities"} & set(first):
                told, expected = first[name], alone[name]
                if isinstance(told, list):
                    told, expected = np.ravel(told).tolist(), np.ravel(expected).tolist()
                assert told == (expected if isinstance(told, str) else pytest.approx(expected, rel=PRECISION))
            assert extreme["prediction"] is not None
            assert None not in (extreme.get("explanation") or {}).get("contributions", {}).values()
            if "probabilities" in extreme:
                assert sum(extreme["probabilities"].values()) == pytest.approx(1.0, abs=PRECISION)


@pytest.mark.parametrize("path", [*ROUTES, "/"])
def test_fifty_megabytes_are_refused(client: TestClient, path: str) -> None:
    kind = JSON if path in ROUTES else {"content-type": "application/x-www-form-urlencoded"}
    _refused(client.post(path, content=(MEGABYTE for _ in range(50)), headers=kind), 413)
    _refused(client.post(path, content=b"", headers={**kind, "content-length": "50000000"}), 413)


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "image/png", "", "x", "multipart/form-data"])
def test_another_content_type_is_refused(client: TestClient, schema: Schema, kind: str) -> None:
    for path in [*ROUTES, "/predict/file"]:
        response = client.post(path, content=_rows(schema), headers={"content-type": kind})
        assert response.status_code in {400, 415, 422}
        _refused(response, response.status_code)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused(client: TestClient, method: str) -> None:
    for path in [*ROUTES, "/predict/file"]:
        response = client.request(method, path)
        _refused(response, 405)
        assert response.headers["allow"] == "POST"


# Files.


@pytest.fixture(scope="module")
def rows(golden: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return some rows of made-up values."""
    return [case["row"] for case in golden[:20]]


def _table(schema: Schema, rows: list[dict[str, Any]], *, order: int = 1, **dialect: Any) -> str:  # noqa: ANN401 - as csv.writer takes it
    out = io.StringIO()
    writer = csv.writer(out, **dialect)
    columns = schema.columns[::order]
    writer.writerow([column.name for column in columns])
    writer.writerows([[_cell(column, row.get(column.name)) for column in columns] for row in rows])
    return out.getvalue()


def _cell(column: Column, value: object) -> object:
    if value is None:
        return ""
    if column.kind == "boolean":
        return next(word for word, truth in column.words.items() if truth == value)
    return f"{column.prefix}{value}{column.suffix}".replace(".", column.decimal) if column.kind == "number" else value


def _answered(response: Response) -> list[list[str]]:
    assert response.status_code == 200, response.text[:500]
    return [
        [value for name, value in line.items() if name.startswith(("prediction", "probability_"))]
        for line in csv.DictReader(io.StringIO(response.text))
    ]


@pytest.mark.parametrize(
    ("dialect", "encoding"),
    [
        ({}, "utf-8"),
        ({"order": -1}, "utf-8"),
        ({"delimiter": ";"}, "utf-8"),
        ({"delimiter": "\t"}, "utf-8-sig"),
        ({"delimiter": "|"}, "utf-8"),
        ({"lineterminator": "\n"}, "utf-8"),
        ({"quoting": csv.QUOTE_ALL}, "utf-8"),
        ({"quoting": csv.QUOTE_ALL, "delimiter": ";", "order": -1}, "utf-16"),
        ({"order": -1}, "utf-16"),
    ],
    ids=str,
)
def test_a_file_may_be_written_in_any_usual_way(
    client: TestClient, schema: Schema, rows: list[dict[str, Any]], dialect: dict[str, Any], encoding: str
) -> None:
    if len(schema.columns) == 1 and "delimiter" in dialect:
        pytest.skip("a table of one column has no delimiter")
    expected = _answered(client.post("/predict/file", content=_table(schema, rows).encode(), headers=CSV))
    content = _table(schema, rows, **dialect).encode(encoding)
    assert _answered(client.post("/predict/file", content=content, headers=CSV)) == expected
    assert _answered(client.post("/predict/file", files={"file": ("rows.csv", content)})) == expected
    assert len(expected) == len(rows)


def test_a_file_of_windows_is_read(client: TestClient, schema: Schema) -> None:
    words = [column.name for column in schema.columns if column.is_text]
    row = {**schema.example, **dict.fromkeys(words, "Zürich, 5 €")}
    expected = _answered(client.post("/predict/file", content=_table(schema, [row]).encode(), headers=CSV))
    try:
        content = _table(schema, [row]).encode("cp1252")
    except UnicodeEncodeError:
        pytest.skip("a column's name or example has letters that Windows-1252 lacks")
    assert _answered(client.post("/predict/file", content=content, headers=CSV)) == expected


def test_what_would_run_in_a_spreadsheet_is_quoted(client: TestClient, schema: Schema) -> None:
    harm = ["=1+1", "=cmd|' /C calc'!A0", "@SUM(1+1)", "+cmd|x!A0", "-cmd|x!A0", "\t=1+1", '=HYPERLINK("http://x")']
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(column.name for column in schema.columns), "=1+1", "free"])
    cells = [_cell(column, schema.example[column.name]) for column in schema.columns]
    writer.writerows([[*cells, "-1", each] for each in harm])
    response = client.post("/predict/file", content=out.getvalue().encode(), headers=CSV)
    answered = list(csv.DictReader(io.StringIO(response.text)))
    assert [line["free"] for line in answered] == [f"'{each}" for each in harm]
    assert [line["'=1+1"] for line in answered] == ["-1"] * len(harm)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"\n\n", 400),
        (b"\x00" * 100, 400),
        (b"PK\x03\x04\x00\x00", 400),
        (b"PAR1\x00\x00PAR1", 400),
        (b"\x89PNG\r\n\x1a\n\x00", 400),
        (b"\xff\xfea", 400),
        (b"\xff\xfe\x00\xd8", 400),
        (b"," * 20_000, 422),
        (b"a," * 20_000 + b"a\n1\n", 422),
        (b'"' * 99_999, 422),
        (b"," * 2_000_000, 400),
        (b"," * 400_000 + b"\n1\n", 400),
        (b'"' + b"\n" * 99_999, 422),
    ],
    ids=lambda given: repr(given)[:30],
)
def test_what_is_no_table_is_refused(client: TestClient, schema: Schema, content: bytes, status: int) -> None:
    for response in (
        client.post("/predict/file", files={"file": ("rows.csv", content)}),
        client.post("/predict/file", content=content, headers=CSV),
    ):
        if all(column.nullable for column in schema.columns) and response.status_code == 200:
            pytest.skip("every column may be missing, so this is a table of gaps")
        assert len(_refused(response, response.status_code)) <= 100
        assert response.status_code in {status, 400}


def test_a_row_of_another_length_is_named(client: TestClient, schema: Schema) -> None:
    for more in ("1," * 1_000 + "1", "x" * 10 if len(schema.columns) > 1 else "x,x"):
        content = _table(schema, [schema.example] * 3) + more + "\r\n"
        (error,) = _refused(client.post("/predict/file", content=content.encode(), headers=CSV), 422)
        assert error["row"] == 3
        assert error["message"].endswith(f"the header has {len(schema.columns)}")


def test_problems_in_a_file_are_named_up_to_a_bound(client: TestClient, schema: Schema) -> None:
    column = next((column for column in schema.columns if column.kind in {"number", "boolean", "date"}), None)
    if column is None:
        pytest.skip("every text is right in this table")
    rows = [schema.example] * 3
    lines = _table(schema, rows, lineterminator="\n").splitlines()
    place = [each.name for each in schema.columns].index(column.name)
    cells = next(csv.reader([lines[1]]))
    cells[place] = "no such value"
    out = io.StringIO()
    csv.writer(out).writerows([cells] * 500)
    content = "\n".join([*lines, out.getvalue()])
    errors = _refused(client.post("/predict/file", content=content.encode(), headers=CSV), 422)
    assert [(error["row"], error["column"]) for error in errors] == [(n, column.name) for n in range(3, 103)]


@pytest.mark.parametrize(
    "parts",
    [{"other": ("a.csv", b"a")}, {"file": (None, b"a,b")}, {"file": ("a.csv", b"")}, {"": ("a.csv", b"a")}],
    ids=str,
)
def test_a_form_without_a_table_is_refused(client: TestClient, parts: dict[str, Any]) -> None:
    response = client.post("/predict/file", files=parts)
    _refused(response, 400 if parts.get("file", "") == ("a.csv", b"") else 422)


def test_a_broken_form_is_refused(client: TestClient, schema: Schema) -> None:
    # Where every column may be missing, an empty form is a row of gaps.
    paths = ("/predict/file", "/") if any(not column.nullable for column in schema.columns) else ("/predict/file",)
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data; boundary=", "multipart/form-data"):
        for content in (
            b"",
            b"--x\r\n",
            b"--x\r\n\r\n",
            b"\xff" * 100,
            b"--x\r\nContent-Disposition: a\r\n\r\na\r\n--x--",
        ):
            for path in paths:
                response = client.post(path, content=content, headers={"content-type": kind})
                assert 400 <= response.status_code < 500


@pytest.mark.parametrize(
    "name", ['a"b.csv', "a\r\nset-cookie: a=b.csv", "../../x.csv", "<b>.csv", "=1+1.csv", "\u202e.csv"]
)
def test_the_name_of_a_file_goes_nowhere(client: TestClient, schema: Schema, name: str) -> None:
    response = client.post("/predict/file", files={"file": (name, _table(schema, [schema.example]).encode())})
    assert response.headers["content-disposition"] == 'attachment; filename="predictions.csv"'
    assert "set-cookie" not in response.headers


# The page and its files.


def test_the_form_of_the_page_answers_odd_fields_at_once(client: TestClient, schema: Schema) -> None:
    name = schema.columns[0].name
    for data in (
        {},
        {"no such field": "x" * 100_000},
        {f"c{number}": "x" for number in range(2_000)},
        {name: "<script>alert(1)</script>"},
        {name: "\x00"},
    ):
        response = client.post("/", data=data)
        assert response.status_code in {200, 400, 422}
        assert "<script>alert" not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/.",
        "/static/../api.py",
        "/static/..%2fapi.py",
        "/static/..%2f..%2f..%2fmodel%2fschema.json",
        "/static/%2e%2e/api.py",
        "/static/%2e%2e%2fapi.py",
        "/static/..%5capi.py",
        "/static/page.css%00",
        "/static/page.css/",
        "/static/page.css/..",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/C:%5cwindows",
        "/static/PAGE.CSS",
        "/static/__init__.py",
        "//etc/passwd",
        "/model/schema.json",
        "/.git/config",
        "/%ff",
        "/%00",
        "/" + "a" * 10_000,
    ],
)
def test_nothing_is_served_from_outside(client: TestClient, path: str) -> None:
    _refused(client.get(path), 404)
