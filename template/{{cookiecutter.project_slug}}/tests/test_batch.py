"""Whole files: every row in order with its answer, in any usual CSV, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}}.batch import (
    SHARED_BYTES_MIN,
    header,
    predict_chunks,
    safe_in_a_spreadsheet,
    workers,
)
from {{cookiecutter.package_name}}.errors import TableError
from {{cookiecutter.package_name}}.schema import InputError
from {{cookiecutter.package_name}}.tables import line, read_csv, unique_names, write_rows

from .conftest import PRECISION, PROJECT
from .test_api import _as_csv

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.package_name}}.model import Model


def _predicted(model: Model, content: bytes, *, chunk_rows: int = 1000) -> list[dict[str, str]]:
    out = io.StringIO()
    predict_chunks(model, read_csv(io.BytesIO(content), chunk_rows=chunk_rows), out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def _same(cell: str, other: str) -> bool:
    """Return whether two cells say the same, as text, as a number, or as numbers in lists."""
    if cell == other:
        return True
    try:
        found, expected = np.ravel(json.loads(cell)).tolist(), np.ravel(json.loads(other)).tolist()
        return found == pytest.approx(expected, rel=PRECISION, abs=PRECISION / 1000)  # type: ignore[no-any-return]  # as pytest types it
    except (ValueError, TypeError):
        return False


def test_chunks_make_no_difference(model: Model, golden: list[dict[str, Any]]) -> None:
    content = _as_csv(model.schema, [case["row"] for case in golden]).encode()
    for in_chunks, at_once in zip(_predicted(model, content, chunk_rows=7), _predicted(model, content), strict=True):
        assert list(in_chunks) == list(at_once)
        for name, cell in at_once.items():
            assert _same(in_chunks[name], cell), name  # a sum over other rows may round its last digit otherwise


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_and_encoding_make_no_difference(
    model: Model, golden: list[dict[str, Any]], encoding: str, delimiter: str
) -> None:
    if len(model.schema.columns) == 1:
        pytest.skip("a table of one column has no delimiter")
    plain = _as_csv(model.schema, [case["row"] for case in golden])
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(csv.reader(io.StringIO(plain)))
    assert _predicted(model, out.getvalue().encode(encoding)) == _predicted(model, plain.encode())


def test_quotes_formulas_and_odd_lines_make_no_difference(model: Model, golden: list[dict[str, Any]]) -> None:
    """Lines without a quote are taken as they are; with one, every cell is read and written on its own."""
    plain = _as_csv(model.schema, [case["row"] for case in golden])
    rows = list(csv.reader(io.StringIO(plain)))
    for row, cell in zip(rows, ["a comment", *["=1+1", 'two\nlines, "said"', "", "-1.5"] * len(rows)], strict=False):
        row.append(cell)
    quoted, odd = io.StringIO(newline=""), io.StringIO(newline="")
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows(rows)
    csv.writer(odd, lineterminator="\r\n\r\n").writerows(rows)
    expected = _predicted(model, plain.encode())
    for written in (quoted, odd):
        content = written.getvalue().encode()
        found = _predicted(model, content, chunk_rows=3)
        assert [row.pop("a comment") for row in found] == [row[-1] for row in rows[1:]]
        assert all(_same(one[name], other[name]) for one, other in zip(found, expected, strict=True) for name in other)
        safe = io.StringIO(newline="")
        predict_chunks(model, read_csv(io.BytesIO(content)), safe, cell=safe_in_a_spreadsheet)
        assert "'=1+1" in safe.getvalue()
        assert "'-1.5" not in safe.getvalue()


@pytest.mark.slow
def test_processes_make_no_difference(model: Model, golden: list[dict[str, Any]]) -> None:
    content = _as_csv(model.schema, [case["row"] for case in golden]).encode()
    alone, shared = io.StringIO(), io.StringIO()
    predict_chunks(model, read_csv(io.BytesIO(content), chunk_rows=9), alone)
    with workers(model, size_bytes=SHARED_BYTES_MIN) as pool:
        predict_chunks(model, read_csv(io.BytesIO(content), chunk_rows=9), shared, pool=pool)
    assert shared.getvalue() == alone.getvalue()


def test_a_line_break_in_a_cell_gets_quotes() -> None:
    cells = ["a\nb", "c\rd", 'e"f', "g,h", " i ", ""]
    out = io.StringIO()
    write_rows(out, [cells])
    assert out.getvalue() == line(cells) + "\n"
    assert list(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [cells]


def test_a_ragged_row_is_named(model: Model) -> None:
    with pytest.raises(InputError) as caught:
        _predicted(model, b"a,b\n1,2\n3\n")
    assert caught.value.problems[0].row in {1, None}


def test_an_empty_file_is_told() -> None:
    with pytest.raises(TableError, match="empty"):
        list(read_csv(io.BytesIO(b"")))


def test_names_that_repeat_are_told_apart() -> None:
    assert unique_names(["a", "a", "", "a.1"]) == ("a", "a.1", "Unnamed: 2", "a.1.1")


def test_answer_columns_never_overwrite_the_inputs(model: Model) -> None:
    names = header(model, ["prediction"])
    assert len(set(names)) == len(names)
    assert names[0] == "prediction"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1.5", "-1.5"),
        ("-", "-"),
        ("@someone said", "@someone said"),
        ("plain", "plain"),
    ],
)
def test_a_formula_comes_out_as_text(cell: str, shown: str) -> None:
    assert safe_in_a_spreadsheet(cell) == shown


def test_the_command_writes_a_whole_file_or_none(model: Model, golden: list[dict[str, Any]], tmp_path: Path) -> None:
    source, output = tmp_path / "rows.csv", tmp_path / "answers.csv"
    source.write_text(_as_csv(model.schema, [case["row"] for case in golden]), encoding="utf-8")
    done = _command("predict", str(source), "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert len(output.read_text(encoding="utf-8").splitlines()) > len(golden)
    output.unlink()
    source.write_text('a,b\n"1', encoding="utf-8")
    refused = _command("predict", str(source), "--output", str(output))
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("error: ")
    assert list(tmp_path.iterdir()) == [source]


def test_serving_needs_neither_pandas_nor_scikit_learn() -> None:
    heavy = ("pandas", "sklearn", "onnx", "skops", "matplotlib", "pyarrow")
    code = (
        "import sys\n"
        "from {{cookiecutter.package_name}}.api import create_app\n"
        "create_app()\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = _python("-c", code)
    assert done.stdout.strip() == "[]", done.stderr


def test_serving_writes_nothing_at_home_and_reports_to_nobody(tmp_path: Path) -> None:
    """ONNX Runtime keeps what it means to send to its maker in the home folder, unless it is told not to."""
    code = "import {{cookiecutter.package_name}}.model as m, pathlib as p; m.Model.load(p.Path('model'))"
    done = _python("-c", code, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return _python("-m", "{{cookiecutter.package_name}}", *arguments)


def _python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=environment, check=False)  # noqa: S603 - our own code
