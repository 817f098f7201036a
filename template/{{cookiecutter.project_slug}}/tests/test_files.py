"""Cells read all at once mean what they mean one by one, however the file is written and wherever it is cut."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from {{cookiecutter.package_name}}.cells import Cells
from {{cookiecutter.package_name}}.files import KNOWN_MAX, FileReader, Known
from {{cookiecutter.package_name}}.schema import Column, InputError, KnownCells
from {{cookiecutter.package_name}}.tables import Chunk, read_csv

from .test_api import _as_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from {{cookiecutter.package_name}}.model import Model

TEXTS = ["", "a", "ab,c", "two\nlines", "a longer one, of more than eight bytes", "ä", "日本語" * 12, "x;y", " b ", "-"]


def _cells(texts: list[str]) -> Cells:
    return Cells("".join(f"{text}\n" for text in texts).encode(), rows=len(texts), columns=1, delimiter=",")


def _line(row: list[str], delimiter: str, *, quoted: bool) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerow(row)
    return out.getvalue().removesuffix("\r\n")


def _numbers() -> list[str]:
    draw = np.random.default_rng(1)
    texts = ["0", "-0", "7", "00012", "5.", ".5", "-.5", "123456789012345", "-122.23"]
    texts += ["0.8414709848078965", "9007199254740992"]
    for size in draw.integers(1, 16, 3_000).tolist():
        digits = "".join(map(str, draw.integers(0, 10, size).tolist()))
        place = int(draw.integers(0, size + 1))
        texts += [f"{'-' * (place % 2)}{digits}", f"{'-' * (size % 2)}{digits[:place]}.{digits[place:]}"]
    return texts


def test_plain_numbers_are_the_nearest_that_there_are() -> None:
    texts = _numbers()
    for some in (texts, texts[:1], [text for text in texts if "." not in text]):
        numbers, plain = _cells(some).numbers(0)
        assert plain.all()
        assert numbers.tolist() == [float(text) for text in some]
        assert np.signbit(numbers).tolist() == [text.startswith("-") for text in some]


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", ".", "-.", "+1", "1e5", " 1", "1 ", "1_0", "1.2.3", "--1", "1-", "0x1", "nan", "inf", "1/2", "1:2"),
        *("9007199254740993", "0.9007199254740993", "1\xa0", "abcdefgh", "1234567a", "a1234567", "9" * 17, "1" * 400),
        "\N{ARABIC-INDIC DIGIT THREE}",
    ],
)
def test_other_numbers_are_read_one_by_one(text: str) -> None:
    numbers, plain = _cells(["1", text, "2.5"]).numbers(0)
    assert plain.tolist() == [True, False, True]
    assert (numbers[0], numbers[2]) == (1.0, 2.5)


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
def test_rows_are_those_that_python_reads(*, chunk_rows: int, delimiter: str, end: str, quoted: bool) -> None:
    draw = np.random.default_rng(2)
    for texts in (TEXTS, [text.replace("\n", " ") for text in TEXTS], [*TEXTS, 'said "so"', "a\r\nb", "c\rd"]):
        rows = [["one", "two", "three"], *([*draw.choice(texts, 2).tolist(), "1.5"] for _ in range(40))]
        whole = "".join(_line(row, delimiter, quoted=quoted) + end for row in rows)
        for content in (whole, whole.removesuffix(end)):
            chunks = list(read_csv(io.BytesIO(content.encode()), chunk_rows=chunk_rows))
            found = [list(row) for chunk in chunks for row in chunk.rows]
            assert found == rows[1:]
            assert [chunk.first for chunk in chunks] == [sum(map(len, chunks[:place])) for place in range(len(chunks))]
            if texts == TEXTS and end == "\n" and chunk_rows == 1_000:
                assert all(chunk.content for chunk in chunks)
            for chunk in chunks:
                if chunk.content:
                    assert chunk.cells is not None
                    assert [list(row) for row in zip(*map(chunk.cells.texts, range(3)), strict=True)] == chunk.rows


def test_quotes_in_odd_places_are_read_as_python_does() -> None:
    for row in ('a"b,c', 'a,"b"c', '"a""b",c', 'a,""', '"",b', ' "a",b', '5" pipe,6" pipe', '"a,b",c', '"a\n",b'):
        content = "x,y\n1,2\n" + row + "\n3,4\n"
        found = [list(each) for chunk in read_csv(io.BytesIO(content.encode())) for each in chunk.rows]
        assert found == list(csv.reader(io.StringIO(content, newline="")))[1:]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_empty_lines_between_rows_are_none(end: str) -> None:
    content = end.join(["a,b", "", "1,2", "", "", "3,4", *[""] * 50, "5,6", ""])
    for chunk_rows in (1, 2, 3, 1_000):
        chunks = list(read_csv(io.BytesIO(content.encode()), chunk_rows=chunk_rows))
        assert [list(row) for chunk in chunks for row in chunk.rows] == [["1", "2"], ["3", "4"], ["5", "6"]]
    gaps = read_csv(io.BytesIO(f"a{end}1{end}{end}2{end}".encode()))
    assert [list(row) for chunk in gaps for row in chunk.rows] == [["1"], [""], ["2"]]


def test_different_cells_are_looked_up_and_strangers_learned() -> None:
    column = Column("a", "category", nullable=True)
    known = Known(column)
    draw = np.random.default_rng(3)
    texts = ["", "a", "b", "abcdefgh", "abcdefghi", "abcdefg", "of four words: thirty-two bytes.", " a "]
    for size in (1, 50, 500):
        drawn = draw.choice(texts, size).tolist()
        found = known.find(_cells(drawn), 0)
        assert found is not None
        assert [known.values[place] for place in found.tolist()] == [text.strip() for text in drawn]
    assert known.find(_cells(["a", "longer than thirty-two bytes: four words of eight"]), 0) is None
    assert known.find(_cells([str(number) for number in range(KNOWN_MAX + 1)]), 0) is None


def _columns(model: Model, golden: list[dict[str, Any]]) -> list[list[str]]:
    plain = _as_csv(model.schema, [case["row"] for case in golden])
    return list(csv.reader(io.StringIO(plain, newline="")))


def _thorough(model: Model, chunk: Chunk) -> NDArray[np.float64]:
    return model.encoder.encode(model.schema.from_cells(chunk.columns()), len(chunk))


def _features(model: Model, chunk: Chunk) -> list[Any]:
    reader = FileReader(model.schema, model.encoder)
    reader.read(chunk)
    return [_thorough(model, chunk), reader.read(chunk)]  # the second time it knows the cells


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("quoted", [False, True])
def test_the_quick_way_gives_the_thorough_ones_features(
    *, model: Model, golden: list[dict[str, Any]], delimiter: str, quoted: bool
) -> None:
    if model.schema.values:
        pytest.skip("tensors are read the thorough way alone")
    header, *rows = _columns(model, golden)
    order = np.random.default_rng(4).permutation(len(header)).tolist()
    for used in (range(len(header)), order):
        out = io.StringIO(newline="")
        writer = csv.writer(
            out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n"
        )
        writer.writerows([[row[place] for place in used] for row in [header, *rows, *rows]])
        (chunk,) = read_csv(io.BytesIO(out.getvalue().encode()))
        thorough, quick = _features(model, chunk)
        np.testing.assert_array_equal(quick, thorough)


def test_the_quick_way_finds_the_same_problems(model: Model, golden: list[dict[str, Any]]) -> None:
    header, *rows = (row for row in _columns(model, golden) if not any(set(cell) & {'"', ",", "\n"} for cell in row))
    reader = FileReader(model.schema, model.encoder)
    for place in range(len(header)):
        for odd in ("", "odd", "1e999", "-999", " 1 ", "nan", "9" * 40):
            changed = [
                [*row[:place], odd, *row[place + 1 :]] if number == 1 else row for number, row in enumerate(rows)
            ]
            content = "".join(",".join(row) + "\n" for row in [header, *changed])
            (chunk,) = read_csv(io.BytesIO(content.encode()))
            quick, thorough = _outcome(lambda: reader.read(chunk)), _outcome(lambda: _thorough(model, chunk))  # noqa: B023 - asked at once
            assert quick == thorough


def _outcome(read: Callable[[], NDArray[np.float64]]) -> object:
    """Return the features as text, in which gaps are equal, or the problems."""
    try:
        return repr(read().tolist())
    except InputError as error:
        return error.problems


def test_a_ragged_row_is_named_also_among_many(model: Model) -> None:
    names = ",".join(f"c{number}" for number in range(3))
    content = f"{names}\n" + "1,2,3\n" * 5 + "1,2\n1,2,3,4\n"
    (chunk,) = read_csv(io.BytesIO(content.encode()))
    assert chunk.cells is None
    with pytest.raises(InputError) as caught:
        FileReader(model.schema, model.encoder).read(chunk)
    assert caught.value.problems[0].row == 5


def test_every_cell_is_remembered_once() -> None:
    cells = KnownCells(Column("a", "number", nullable=True))
    assert [cells["1"], cells["1"]] == [1.0, 1.0]
    assert list(cells) == ["1"]
