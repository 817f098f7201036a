"""Files of every usual form become tables of raw texts, and what is no table is refused in one sentence."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import sqlite3
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TextIO

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from frames import codes_of, write
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import DataError
from toolkit.table import Table, read_tables

PLAIN = "name,age\nAnn,31\nBob,42\n"
ROWS_OF_TOWNS = [["Ann", "31", "Bonn"], ["Bob", "42", "Rome"], ["Cid", "5", "Oslo"]]
ROWS = [["Ann", "31"], ["Bob", "42"]]


def read(tmp_path: Path, content: str | bytes, name: str = "people.csv") -> Table:
    return read_tables(write(tmp_path, {name: content}) / name)[0]


def check(table: Table, names: list[str], rows: list[list[str]]) -> None:
    assert list(table.frame.columns) == names
    assert table.frame.fillna("<absent>").to_numpy().tolist() == rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    table = read(tmp_path, PLAIN.replace(",", delimiter))
    check(table, ["name", "age"], ROWS)
    assert table.reading.delimiter == delimiter


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_found(tmp_path: Path, end: str) -> None:
    check(read(tmp_path, PLAIN.replace("\n", end)), ["name", "age"], ROWS)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "cp1252"),
    ],
)
def test_any_usual_encoding_is_found(tmp_path: Path, encoding: str, told: str) -> None:
    table = read(tmp_path, "name,town\nZo\u00eb,K\u00f6ln\nAnn,Li\u00e8ge\n".encode(encoding))
    check(table, ["name", "town"], [["Zo\u00eb", "K\u00f6ln"], ["Ann", "Li\u00e8ge"]])
    assert table.reading.encoding == told


def test_a_foreign_letter_far_down_the_file_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, b"name,age\n" + b"Ann,31\n" * 60_000 + "Zo\u00eb,5\n".encode("cp1252"))
    assert table.frame.iloc[-1].tolist() == ["Zo\u00eb", "5"]
    assert table.reading.encoding == "cp1252"


def test_windows_letters_in_an_utf_8_file_are_kept_and_told(tmp_path: Path) -> None:
    good = "name,age\n" + "K\u00f6ln,1\nLi\u00e8ge,2\n" * 3
    table = read(tmp_path, good.encode() + "Zo\u00eb,3\n".encode("cp1252"))
    assert table.frame["name"].iloc[-1] == "Zo\u00eb"
    assert table.frame["name"].iloc[0] == "K\u00f6ln"
    assert codes_of(table.findings) == ["mixed-encoding"]


def test_cyrillic_windows_text_is_read_as_such(tmp_path: Path) -> None:
    words = (
        "\u0438\u043c\u044f,\u0433\u043e\u0440\u043e\u0434\n"
        "\u0410\u043d\u043d\u0430,\u041c\u043e\u0441\u043a\u0432\u0430\n"
        + "\u0418\u0432\u0430\u043d,\u041a\u0430\u0437\u0430\u043d\u044c\n"
        * 20
    )
    assert read(tmp_path, words.encode("cp1251")).frame.iloc[0].tolist() == [
        "\u0410\u043d\u043d\u0430",
        "\u041c\u043e\u0441\u043a\u0432\u0430",
    ]


def test_short_words_of_another_alphabet_beside_numbers_are_read_as_such(tmp_path: Path) -> None:
    rows = "\u59d3\u540d,\u6027\u522b,\u5e74\u9f84\n" + "\u738b\u4f1f,\u7537,31\n\u674e\u5a1c,\u5973,29\n" * 30
    assert read(tmp_path, rows.encode("gb18030")).frame.iloc[1].tolist() == ["\u674e\u5a1c", "\u5973", "29"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1250", ["\u0141ukasz", "Gra\u017cyna"]),
        ("mac_roman", ["Zo\u00eb", "Li\u00e8ge"]),
        ("cp1252", ["l\u2019\u00e9t\u00e9", "\u00bfC\u00f3mo?", "20\u00b0C", "S\u00e3o", "\u00c0\u00c9\u00ce"]),
    ],
)
def test_latin_letters_are_read_so_that_they_make_words(tmp_path: Path, encoding: str, words: list[str]) -> None:
    text = "word,number\n" + "".join(f"{word},{n}\n" for n in range(10) for word in words)
    table = read(tmp_path, text.encode(encoding))
    assert table.frame["word"].iloc[: len(words)].tolist() == words
    assert table.reading.encoding == encoding


def test_a_few_foreign_marks_side_by_side_do_not_make_western_text_another_alphabet(tmp_path: Path) -> None:
    text = (
        b"label,text\n" + b"spam,win \xe5\xa31000 now\nham,I\x89\xdb\xf7ll come home later\nham,ok see you then\n" * 40
    )
    table = read(tmp_path, text)
    assert table.frame["text"].iloc[0] == "win \u00e5\u00a31000 now"
    assert table.reading.encoding == "cp1252"
    assert codes_of(table.findings) == ["foreign-encoding"]


def test_semicolons_with_decimal_commas_are_not_split_at_the_commas(tmp_path: Path) -> None:
    check(read(tmp_path, "a;b\n1,5;2,5\n3,5;4,5\n"), ["a", "b"], [["1,5", "2,5"], ["3,5", "4,5"]])


def test_quotes_hold_delimiters_line_breaks_and_quotes(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,text\n1,"a, b"\n2,"two\nlines"\n3,"say ""yes"""\n')
    check(table, ["id", "text"], [["1", "a, b"], ["2", "two\nlines"], ["3", 'say "yes"']])


def test_backslashes_before_quotes_are_understood(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,text\n1,"say \\"yes\\", now"\n2,"no"\n')
    check(table, ["id", "text"], [["1", 'say "yes", now'], ["2", "no"]])


def test_a_quote_inside_an_unquoted_cell_is_a_letter(tmp_path: Path) -> None:
    check(read(tmp_path, 'item,price\npipe 5",3\nrod 6",4\n'), ["item", "price"], [['pipe 5"', "3"], ['rod 6"', "4"]])


def test_rows_of_other_lengths_are_kept_and_counted(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n9,x,y,z\n1,2,3\n")
    check(
        table, ["a", "b", "c"], [["1", "2", "3"], ["4", "5", ""], ["6", "7", "8"], ["9", "x", "y,z"], ["1", "2", "3"]]
    )
    finding = table.findings[0]
    assert (finding.code, finding.evidence["short"], finding.evidence["long"]) == ("ragged-rows", 1, 1)
    assert "line 3: 2" in finding.message
    assert "line 5: 4" in finding.message


@pytest.mark.parametrize("at", [1, 5])
def test_a_quote_that_is_never_closed_takes_no_rows_in(tmp_path: Path, at: int) -> None:
    rows = [f'{n},"a, {n}",x{n}' for n in range(10)]
    rows[at] = f'{at},"a {at},x{at}'
    table = read(tmp_path, "id,text,kind\n" + "\n".join(rows) + "\n")
    assert table.rows == 10
    assert table.frame["text"].tolist() == [f"a, {n}" if n != at else f"a {n}" for n in range(10)]
    assert codes_of(table.findings) == ["open-quote"]


def test_a_text_of_many_lines_stays_one_cell(tmp_path: Path) -> None:
    poem = "one, two\nthree\nfour, five\nsix\nseven"
    table = read(tmp_path, f'id,text\n1,"{poem}"\n2,"{poem}"\n')
    assert table.frame["text"].tolist() == [poem, poem]
    assert table.findings == ()


def test_delimiters_at_the_end_of_each_line_are_no_column(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,2,\n3,4,\n")
    check(table, ["a", "b"], [["1", "2"], ["3", "4"]])
    assert table.findings == ()
    check(read(tmp_path, "a,b\n1,2,,\n3,4,,\n"), ["a", "b"], [["1", "2"], ["3", "4"]])


def test_row_names_without_a_name_become_an_unnamed_column(tmp_path: Path) -> None:
    check(read(tmp_path, "a,b\nx,1,2\ny,3,4\n"), ["Unnamed: 0", "a", "b"], [["x", "1", "2"], ["y", "3", "4"]])


def test_names_that_are_empty_or_come_twice_are_made_to_differ(tmp_path: Path) -> None:
    assert list(read(tmp_path, ",a,a,,a\n1,2,3,4,5\n").frame.columns) == ["Unnamed: 0", "a", "a.1", "Unnamed: 3", "a.2"]


def test_zero_bytes_are_left_out_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, b"name,age\nA\0nn,31\nBob,42\n")
    check(table, ["name", "age"], ROWS)
    assert codes_of(table.findings) == ["zero-bytes"]


def test_cells_come_out_exactly_as_they_stand(tmp_path: Path) -> None:
    cells = ["007", "1e5", " x ", "NA", "=1+1", "{{ x }}", "<b>", "__import__('os')"]
    table = read(tmp_path, "a,b\n" + "".join(f"{cell},1\n" for cell in cells))
    assert table.frame["a"].tolist() == cells
    assert set(map(str, table.frame.dtypes)) == {"str"}


def test_a_column_of_its_own_is_a_table(tmp_path: Path) -> None:
    check(read(tmp_path, "age\n31\n42\n"), ["age"], [["31"], ["42"]])
    check(
        read(tmp_path, "text\nhello, you\nbye\nwell, well, well\n"),
        ["text"],
        [["hello, you"], ["bye"], ["well, well, well"]],
    )


# --- headers ----------------------------------------------------------------------------------------------------------


def test_a_first_line_of_data_is_no_header(tmp_path: Path) -> None:
    table = read(tmp_path, "5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,other\n")
    check(
        table,
        ["column_1", "column_2", "column_3"],
        [["5.1", "3.5", "setosa"], ["4.9", "3.0", "setosa"], ["6.2", "2.9", "other"]],
    )
    assert [(one.code, one.severity) for one in table.findings] == [("no-header", "unsure")]


def test_words_that_come_again_below_are_no_header(tmp_path: Path) -> None:
    assert list(read(tmp_path, "p,x,s\ne,x,s\np,x,y\np,b,s\n").frame.columns) == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    "text",
    [
        "name,town\nAnn,Bonn\nBob,Rome\n",  # words above words
        "type,4046,4225\na,1.5,2.5\nb,3.5,4.5\n",  # product codes as names
        "country,1990,1991,1992\nx,5,7,2\ny,8,3,1\n",  # years as names
        "0,1,2,3\n5,7,2,9\n8,3,1,4\n",  # a frame saved with numbers for names
        "country,2019\nx,67\ny,83\nz,9\n",  # one year as a name
        "country,count\nx,67\ny,\nz,9\nw,\nv,5\n",  # a word above numbers and gaps
    ],
)
def test_a_header_of_words_or_running_numbers_is_one(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert list(table.frame.columns) == text.split("\n", maxsplit=1)[0].split(",")
    assert table.rows == text.count("\n") - 1


@pytest.mark.parametrize("text", ["x,2019,1\ny,2001,2\nz,1987,3\n", "x,2019\ny,2001\nz,2020\n"])
def test_a_year_above_years_is_no_name(tmp_path: Path, text: str) -> None:
    assert codes_of(read(tmp_path, text).findings) == ["no-header"]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('"x"|"a;b"|"c"\n"1"|"well; yes"|"2"\n"1"|"so; no"|"2"\n', "|"),
        ("x|a;b\n1|well; yes\n1|so; no\n", "|"),
        ("x;a|b\n1; 5\n2; 7\n", ";"),
    ],
)
def test_a_delimiter_inside_cells_is_none(tmp_path: Path, text: str, delimiter: str) -> None:
    table = read(tmp_path, text)
    assert (table.reading.delimiter, table.rows) == (delimiter, 2)


@pytest.mark.parametrize(
    "above",
    [
        "# made by hand\n",
        "Sales report\n\n",
        "Report,,\nJanuary,,\n\n",
        "% one\n% two\n",
        "Source,World,\n\nDate,2020,\n\n",
    ],
)
def test_titles_and_comments_above_the_header_are_passed_over_and_told(tmp_path: Path, above: str) -> None:
    table = read(tmp_path, above + "name,age,town,x,y\nAnn,31,Bonn,1,2\nBob,42,Rome,1,2\nCid,5,Oslo,1,2\n")
    check(table, ["name", "age", "town", "x", "y"], [[*row, "1", "2"] for row in ROWS_OF_TOWNS])
    assert codes_of(table.findings) == ["lines-above-header"]


def test_a_header_of_few_names_is_no_title(tmp_path: Path) -> None:
    table = read(tmp_path, "v1,v2,,,\nham,hello,,,\nspam,win,,,\n")
    assert (list(table.frame.columns)[:2], table.rows) == (["v1", "v2"], 2)


@pytest.mark.parametrize(
    "below", ["\nTotal rows: 3\n", "Total,99,\n", "Source: the office\n", "\n* as told\n(c) 2020\n"]
)
def test_notes_and_totals_below_the_table_are_left_out_and_told(tmp_path: Path, below: str) -> None:
    table = read(tmp_path, "name,age,town\nAnn,31,Bonn\nBob,42,Rome\nCid,5,Oslo\n" + below)
    assert table.rows == 3
    assert "lines-below-table" in codes_of(table.findings)


@pytest.mark.parametrize("last", ["Dora,,\n", "Total Recall,99,Mars\n", "Dora\n", "#1,,\n"])
def test_a_last_row_with_gaps_is_a_row(tmp_path: Path, last: str) -> None:
    table = read(tmp_path, "name,age,town\nAnn,31,Bonn\nBob,42,Rome\nCid,5,Oslo\n" + last)
    assert table.rows == 4


def test_what_looks_like_a_note_below_rows_as_empty_is_a_row(tmp_path: Path) -> None:
    table = read(tmp_path, "name,remark,seen\nAnn,,\nBob,well,yes\nCid,,\nSum,,\n")
    assert table.rows == 4


# --- other forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("p.csv.gz", gzip.compress),
        ("p.csv.bz2", bz2.compress),
        ("p.csv.xz", lzma.compress),
        ("p.csv", gzip.compress),
        ("p.csv.zst", lambda raw: pa.compress(raw, codec="zstd", asbytes=True)),
    ],
)
def test_compressed_text_is_opened(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    check(read(tmp_path, pack(PLAIN.encode()), name), ["name", "age"], ROWS)


def test_every_table_of_a_zip_is_read(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/people.csv", PLAIN)
        archive.writestr("b.tsv", PLAIN.replace(",", "\t"))
        archive.writestr("__MACOSX/._people.csv", "junk")
        archive.writestr("photo.png", "x")
    tables = read_tables(write(tmp_path, {"all.zip": packed.getvalue()}) / "all.zip")
    assert [(table.name, table.reading.member) for table in tables] == [
        ("all.zip:a/people.csv", "a/people.csv"),
        ("all.zip:b.tsv", "b.tsv"),
    ]
    check(tables[1], ["name", "age"], ROWS)


def packed_zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_broken_member_of_a_zip_does_not_hide_the_good_one(tmp_path: Path) -> None:
    table = read(tmp_path, packed_zip({"empty.csv": b"", "people.csv": PLAIN.encode()}), "all.zip")
    check(table, ["name", "age"], ROWS)
    assert codes_of(table.findings) == ["unreadable-file"]


def test_archives_in_archives_end_somewhere(tmp_path: Path) -> None:
    packed = PLAIN.encode()
    for _ in range(3):
        packed = packed_zip({"people.csv": packed})
    check(read(tmp_path, packed, "three.zip"), ["name", "age"], ROWS)
    with pytest.raises(DataError, match="archives in archives"):
        read(tmp_path, packed_zip({"a.zip": packed_zip({"b.zip": packed})}), "five.zip")


def test_a_workbook_that_explodes_is_refused(tmp_path: Path) -> None:
    bomb = packed_zip({"xl/workbook.xml": b"<x/>", "xl/sharedStrings.xml": b"0" * (200 << 20)})
    with pytest.raises(DataError, match="unpacks to more than"):
        read(tmp_path, bomb, "book.xlsx")


def test_an_archive_that_explodes_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * (200 << 20))
    with pytest.raises(DataError, match="unpacks to more than"):
        read(tmp_path, bomb, "p.csv.gz")


def test_typed_files_come_out_in_their_shortest_form(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [1.0, 2.5],
            "b": [True, False],
            "d": pd.to_datetime(["2024-01-31", "2024-02-01"]),
            "t": pd.to_datetime(["2024-01-31 10:30", "2024-02-01 00:00"]),
            "s": ["x", None],
            "c": pd.Categorical(["u", "v"]),
        }
    )
    frame.to_parquet(tmp_path / "p.parquet")
    frame.to_feather(tmp_path / "p.feather")
    for name in ("p.parquet", "p.feather"):
        table = read_tables(tmp_path / name)[0]
        assert table.frame["i"].tolist() == ["1", "2"]
        assert table.frame["f"].tolist() == ["1", "2.5"]
        assert table.frame["b"].tolist() == ["True", "False"]
        assert table.frame["d"].tolist() == ["2024-01-31", "2024-02-01"]
        assert table.frame["t"].tolist() == ["2024-01-31 10:30:00", "2024-02-01"]
        assert table.frame["s"].isna().tolist() == [False, True]
        assert table.frame["c"].tolist() == ["u", "v"]


def test_each_filled_sheet_of_a_workbook_is_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "People"
    for row in (["Staff of 2024"], ["name", "age"], ["Ann", 31], ["Bob", 42.5], ["Cid", None]):
        first.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Towns").append(["town"])
    book["Towns"].append(["Bonn"])
    book.save(tmp_path / "book.xlsx")
    tables = read_tables(tmp_path / "book.xlsx")
    assert [table.name for table in tables] == ["book.xlsx:People", "book.xlsx:Towns"]
    check(tables[0], ["name", "age"], [["Ann", "31"], ["Bob", "42.5"], ["Cid", "<absent>"]])


OLD_WORKBOOK = (  # of two sheets, one empty, as a program before 2007 writes it; compressed
    "eNrtWE1oE0EU/mZ30yS1+aup0AolFKxa24P0oJc2tqA9WaoXpSiamEWkzSaEXuJBqzVHQfCkeKlUxEvViz+ooDcPQkUPgiA0euxJqOKhzfrm"
    "7W6b1BQaaAuR/ZZ5M/Nm5pu3M29+dj/OReann7YVsQb9UFEy/Wgo0wkKficTBpWbpkw6sY+C6aKu4PfRRDZ48CrwwSvnUM53EQqeaO9IAt8p"
    "nEEWwxlDj20jBtmGhJA29AmNfE/BPQpBtLJdzSwvsNzJ8jHXfc3yCGtusuyjuvNiFHPx4a7Dth+fVjq4LEhS4Dm3+cqag2jBe+nHV28Jq64H"
    "A7lLifE6K2jXmjADmtIh3dBzMh/CAzQCeUJPOt2TSs0jStM9g19mDFh01vXbmKvfXr0A6f9U6r3r6H00iWv1txUNmIR5XkhnLpBT92rWUs7q"
    "mey4XkAAZ3kf90BPZyfySzgkPYMD1TQSaV0FEhd1yiQzOYPqpvV0Us+RdsAwSI5mFkgOZpKN8gjgLSNcsWUEeCE1kUwhxOkIL6cwWbz06Oen"
    "48mR+DnWTPIxYR0me6TlMHFNtqDGQS7RVmQXtzjA8jqz7uZ0G8sovQ/FnSMtduLYFNe5waWd1E8v43N8b1l6H6ULCydetBd+xPdTenaoeDk6"
    "+yU+jQ463FLUXj5T6Bbd4u4diZdxJxb2tvONZes/W5BPCdu2m/aJGcKyXHSECEsrJ0dHrOQUe6ysnEo51eYSVbgEc8nReUPWCOa6whvi76BC"
    "PB7FRzqVe5AcShUOhTk8Noc1Wzu8kuP+Q4dDYQ7LDpVtruRQmUPOfb/SjGeSkrbdVWyep2BdT1lFvXkKjxmqjZkLFy5cuHDhwsUWQ/AFFHyd"
    "0/gTwbqmee3/OssUSu5vkv8WJ5GhZ4I+KY/CoDiHfE3+swse4XCJDbZx/hdKnKLecxhDku0Yq9l/6Zotyt9nww3Dm7eEau2/VIudW9z/X25L"
    "C0k="
)


def test_a_workbook_of_before_2007_is_read_and_without_its_package_the_way_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xlrd", reason="xlrd is not installed (`pip install .[xls]`)")
    raw = zlib.decompress(base64.b64decode(OLD_WORKBOOK))
    table = read(tmp_path, raw, "people.xls")
    rows = [["Ann", "31", "1992-05-01", "True"], ["Zo\u00eb", "4.5", "2019-01-31", "False"]]
    check(table, ["name", "age", "born", "member"], [*rows, ["Bob", "<absent>", "<absent>", "<absent>"]])
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(DataError, match="old Excel workbook") as failure:
        read(tmp_path, raw, "people.xls")
    assert "pip install xlrd" in failure.value.hint


def test_titles_and_groups_above_the_names_of_a_sheet_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Season 2024"], [None, "Bat", None, "Ball", None], ["Player", "Runs", "Mean", "Wickets", "Mean"]):
        sheet.append(row)
    for number in range(8):
        sheet.append([f"P{number}", number * 7, number / 2, number, number / 3])
    book.save(tmp_path / "book.xlsx")
    table = read_tables(tmp_path / "book.xlsx")[0]
    assert list(table.frame.columns) == ["Player", "Bat Runs", "Bat Mean", "Ball Wickets", "Ball Mean"]
    assert (table.rows, codes_of(table.findings)) == (8, ["header-over-rows", "lines-above-header"])


NUMBERED = "".join(f"{number},{number / 4},{number * 3},ok\n" for number in range(9))


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Day,Bat,,State\n,Runs,Mean,\n", ["Day", "Bat Runs", "Bat Mean", "State"]),
        ("Report 3\n,Bat,,\nDay,Mean,Mean,State\n", None),
        (",Bat,Ball,\nDay,Mean,Mean,State\n", ["Day", "Bat Mean", "Ball Mean", "Ball State"]),
        ("Day,Runs,Mean,State\ns,deg C,[hPa],-\n", ["Day (s)", "Runs (deg C)", "Mean (hPa)", "State"]),
        ("Price,Close,High,State\nTicker,AAPL,AAPL,AAPL\nDate,,,\n", ["Date", "Close AAPL", "High AAPL", "State AAPL"]),
        (
            "Q1,Q2,Q3,Q4\nHow old?,How far?,How many?,And how?\n",
            ["Q1 How old?", "Q2 How far?", "Q3 How many?", "Q4 And how?"],
        ),
    ],
)
def test_names_that_stand_over_several_rows_are_joined_and_told(
    tmp_path: Path, header: str, names: list[str] | None
) -> None:
    table = read(tmp_path, header + NUMBERED)
    assert table.rows == 9
    if names is not None:
        assert list(table.frame.columns) == names
        assert codes_of(table.findings) == ["header-over-rows"]


@pytest.mark.parametrize(
    "text",
    [
        "Day,Runs,Mean,State\n1,NA,?,ok\n" + NUMBERED,
        "Day,Runs,Mean,State\n1,unknown,broken,ok\n" + NUMBERED,
        "name,kind\nAnn,x\n" + "Bob,y\nCid,z\n" * 5,
        "a,b,c\nx,y,z\n1,2,3\n",
        "Sales,,Printed by Bob,\nDay,Runs,Mean,State\n" + NUMBERED,
        '"Source","Indicators",,\n"Updated","2021-07-30",,\nDay,Runs,Mean,State\n' + NUMBERED,
    ],
)
def test_a_row_or_a_title_is_no_part_of_the_names(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert "header-over-rows" not in codes_of(table.findings)
    assert next(iter(table.frame.columns)) in {"Day", "name", "a"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"columns": ["name", "age"], "index": [0, 1], "data": [["Ann", 31], ["Bob", 42]]}', "json"),
        ('{"answer": {"people": [{"name": "Ann", "age": 31}, {"name": "Bob", "age": 42}]}, "version": 1}', "json"),
        ('[{"name": "Ann", "age": 31}, {"name": "Bob", "age": 42}]', "json"),
        ('{"name": "Ann", "age": 31}\n{"name": "Bob", "age": 42}\n', "json-lines"),
        ('{"name": ["Ann", "Bob"], "age": [31, 42]}', "json"),
        ('{"name": {"0": "Ann", "1": "Bob"}, "age": {"0": 31, "1": 42}}', "json"),
        ('{"people": [{"name": "Ann", "age": 31}, {"name": "Bob", "age": 42}], "version": 1}', "json"),
    ],
)
def test_json_in_every_usual_shape_is_a_table(tmp_path: Path, text: str, kind: str) -> None:
    table = read(tmp_path, text, "people.json")
    check(table, ["name", "age"], ROWS)
    assert table.reading.format == kind


def test_nested_json_becomes_columns_and_lists_stay_text(tmp_path: Path) -> None:
    text = json.dumps([{"a": {"b": 1.50, "c": None}, "d": [1, 2], "e": True}, {"a": {"b": 2}}])
    check(
        read(tmp_path, text, "x.json"),
        ["a.b", "a.c", "d", "e"],
        [["1.5", "<absent>", "[1, 2]", "True"], ["2", "<absent>", "<absent>", "<absent>"]],
    )


def test_each_table_of_a_database_is_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite") as database:
        database.execute('CREATE TABLE "my ""people""" (name TEXT, age INTEGER)')
        database.executemany('INSERT INTO "my ""people""" VALUES (?, ?)', [("Ann", 31), ("Bob", None)])
    database.close()
    table = read_tables(tmp_path / "data.sqlite")[0]
    check(table, ["name", "age"], [["Ann", "31"], ["Bob", "<absent>"]])
    assert table.reading.sheet == 'my "people"'


def test_arff_is_read_with_its_attributes_as_names(tmp_path: Path) -> None:
    names = "@ATTRIBUTE width NUMERIC\n@ATTRIBUTE 'the kind' {a,'b c'}\n"
    text = f"% note\n@RELATION iris\n{names}@DATA\n% rows\n1.5,a\n?, 'b c'\n"
    check(read(tmp_path, text, "iris.arff"), ["width", "the kind"], [["1.5", "a"], ["?", "b c"]])


def test_sparse_arff_is_written_out_with_what_it_leaves_out(tmp_path: Path) -> None:
    names = "@attribute width numeric\n@attribute kind {plain,'b c'}\n@attribute height real\n"
    text = f"@relation r\n{names}@data\n{{0 1.5, 1 'b c'}}\n{{}}\n{{2 7}}, {{5}}\n"
    rows = [["1.5", "b c", "0"], ["0", "plain", "0"], ["0", "plain", "7"]]
    check(read(tmp_path, text, "r.arff"), ["width", "kind", "height"], rows)
    with pytest.raises(DataError, match="sparse row"):
        read(tmp_path, text.replace("{2 7}", "{9 7}"), "r.arff")


def test_a_database_in_an_archive_and_a_stream_of_arrow_are_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite") as database:
        database.execute("CREATE TABLE people (name TEXT, age INTEGER)")
        database.executemany("INSERT INTO people VALUES (?, ?)", [("Ann", 31), ("Bob", 42)])
    database.close()
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(tmp_path / "data.sqlite", "data.sqlite")
    check(read_tables(tmp_path / "data.zip")[0], ["name", "age"], ROWS)
    frame = pa.table({"name": ["Ann", "Bob"], "age": [31, 42]})
    with pa.ipc.new_stream(tmp_path / "people.arrow", frame.schema) as stream:
        stream.write_table(frame)
    check(read_tables(tmp_path / "people.arrow")[0], ["name", "age"], ROWS)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('18.0   8   307.0   "chevrolet malibu"\n15.0   8   350.0   "buick skylark"\n16.0 4 99.0 "saab"\n', 3),
        ('18.0   8   307.0\t"chevrolet malibu"\n15.0   8   350.0\t"buick skylark"\n16.0 4 99.0\t"saab"\n', 3),
        ("1::10::5\n1::20::3\n2::10::4\n", 3),
        ("a b c\n1 2 3\n4 5 6\n", 2),
        ("  id   years of school   mixed\n   9   12-15 years          No\n  11   < 12 years          Yes\n", 2),
    ],
)
def test_tables_with_blanks_or_double_colons_are_split(tmp_path: Path, text: str, rows: int) -> None:
    table = read(tmp_path, text, "auto.data")
    assert table.rows == rows
    assert table.frame.shape[1] > 2


def test_quotes_behind_blanks_are_quotes(tmp_path: Path) -> None:
    table = read(
        tmp_path, 'Name,   Team, Time\n"Bolt, Usain",   "JAM", 9.63\n"Blake",  "JAM",  9.75\n"Gay",  "USA", 9.8\n'
    )
    assert table.frame["Name"].tolist() == ["Bolt, Usain", "Blake", "Gay"]
    assert [str(cell).strip() for cell in table.frame.iloc[:, 1]] == ["JAM", "JAM", "USA"]


def test_a_list_that_a_service_answered_with_is_the_table(tmp_path: Path) -> None:
    text = '{"count": 2, "object": "list", "data": [{"name": "Ann", "age": 1}, {"name": "Bob", "age": 2}]}'
    table = read(tmp_path, text, "answer.json")
    assert table.frame["name"].tolist() == ["Ann", "Bob"]


def test_rows_under_a_header_that_are_shorter_than_it_are_no_second_header(tmp_path: Path) -> None:
    head = "time         north        south        east\n             ->north      ->south      ->east\n"
    rows = "".join(f"  {row} estimate     {row}.5          1.25         0.75\n" for row in range(12))
    assert read(tmp_path, head + rows, "response.txt").rows >= 12


@pytest.mark.parametrize(
    ("inside", "end", "every"),
    [("\r", "\n", 1), ("\r", "\n", 10), ("\r", "\r\n", 1), ("\r", "\r\n", 10), ("\n", "\r\n", 10)],
)
def test_breaks_inside_cells_without_quotes_leave_the_rows_whole(
    tmp_path: Path, inside: str, end: str, every: int
) -> None:
    rows = [f"{row},some{inside if row % every == 0 else ' '}words,{row}.5,Oslo" for row in range(60)]
    path = tmp_path / "notes.csv"
    path.write_bytes((end.join(["id,text,price,city", *rows]) + end).encode())
    (table,) = read_tables(path)
    assert table.frame.shape == (60, 4)
    assert set(table.frame["text"]) == {"some words"}
    assert "breaks-in-cells" in [finding.code for finding in table.findings]


def test_breaks_inside_quotes_and_rows_of_an_old_machine_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "quoted.csv").write_bytes(b'id,text\n1,"a\rb"\n2,c\n')
    assert read_tables(tmp_path / "quoted.csv")[0].frame["text"].tolist() == ["a\rb", "c"]
    (tmp_path / "old.csv").write_bytes(b"id,text,price\r1,a,2\r2,b,3\r")
    assert read_tables(tmp_path / "old.csv")[0].frame.shape == (2, 3)


def test_a_header_of_years_is_one_though_the_index_has_no_name(tmp_path: Path) -> None:
    head = ",country,indicator," + ",".join(map(str, range(2000, 2012)))
    rows = [f"{row},C{row % 7},URB.{row % 3}," + ",".join(f"{row + year}.5" for year in range(12)) for row in range(40)]
    table = read(tmp_path, "\n".join([head, *rows]) + "\n")
    assert table.rows == 40
    assert list(table.frame.columns)[1:4] == ["country", "indicator", "2000"]


def test_rows_of_types_and_parts_under_the_names_are_told_and_are_no_rows(tmp_path: Path) -> None:
    head = "age\tsex\tsurvived\nc\tmale female\td\n\t\tclass\n"
    rows = "".join(f"{row}\t{'male' if row % 3 else 'female'}\t{'yes' if row % 2 else 'no'}\n" for row in range(20, 60))
    table = read(tmp_path, head + rows, "people.tab")
    assert (table.rows, list(table.frame.columns)) == (40, ["age", "sex", "survived"])
    assert "types-below-header" in [finding.code for finding in table.findings]
    letters = read(tmp_path, "a\tb\tc\n" + "c\td\ts\n\t\tx\n" * 20, "letters.tab")
    assert letters.rows == 40


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "is empty"),
        (b"\n\n  \n", "a.csv", "is empty"),
        (b"\xef\xbb\xbf", "a.csv", "is empty"),
        (b"name,age\n", "a.csv", "has a header .* and no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.csv", "is a PNG image"),
        (b"\x80\x04\x95" + bytes(100), "a.csv", "pickle"),
        (bytes(range(256)) * 20, "a.csv", "is binary data"),
        (b"PAR1garbage", "a.parquet", "cannot be read as Parquet"),
        (b"PK\x03\x04garbage", "a.zip", "damaged or locked zip"),
        (b"\x1f\x8bgarbage", "a.csv.gz", "damaged gz"),
        (b"SQLite format 3\0garbage", "a.db", "cannot be read as SQLite"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "a.xls", "old Excel workbook"),
        (b'{"a": 1, "b": "x"', "a.json", "no JSON"),
        (b'"just text"', "a.json", "single line"),
        (b'{"a": {"b": {"c": 1}}}', "a.json", "not a table"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        read(tmp_path, content, name)
    assert f"`{name}`" in raised.value.message
    assert raised.value.hint
    assert raised.value.exit_code == 4


def test_a_file_is_read_whole_as_long_as_memory_holds_it(tmp_path: Path) -> None:
    path = write(tmp_path, {"big.csv": "a,b\n" + "1,2\n" * 250}) / "big.csv"
    assert read_tables(path, memory=4000)[0].rows < 250
    assert read_tables(path, memory=5000)[0].rows == 250


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_tables(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_tables(tmp_path)


# --- properties -------------------------------------------------------------------------------------------------------

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\t", exclude_characters="\ufeff"),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=8))
def test_what_pandas_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    frame = pd.DataFrame(
        [[*row, "end"] for row in rows], columns=["first name", "second name", "third name", "last name"], dtype="str"
    )
    path = tmp_path_factory.mktemp("round") / "table.csv"
    frame.to_csv(path, index=False)
    table = read_tables(path)[0]
    assert list(table.frame.columns) == list(frame.columns)
    assert table.frame.to_numpy().tolist() == frame.to_numpy().tolist()


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_give_tables_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "table.csv"
    path.write_bytes(raw)
    try:
        tables = read_tables(path)
    except DataError as error:
        assert error.hint  # noqa: PT017 - refused or read, both are right
    else:
        assert all(table.rows for table in tables)


WORDS = st.sampled_from(
    ["red", "blue", "S\u00e3o Paulo", "K\u00f6ln", "New York", "a-b", "x", "Private", "O'Hara", "10-20", "5+"]
)
SENTENCES = st.sampled_from(
    ["well, yes; no", 'he said "go"', "two\nlines, here", "tab\there", "a | b", "it's 5:30", "", "#1"]
)
CELLS_OF = {
    "count": st.integers(0, 10**6).map(str),
    "share": st.floats(0, 1).map("{:.3f}".format),
    "price": st.floats(0, 10**5).map(lambda number: f"{number:,.2f}"),
    "comma": st.floats(0, 10**3).map(lambda number: f"{number:.2f}".replace(".", ",")),
    "day": st.dates().map(str),
    "time": st.datetimes().map(lambda moment: moment.strftime("%d/%m/%Y %H:%M")),
    "kind": WORDS,
    "note": SENTENCES,
    "gap": st.sampled_from(["", "", "NA", "7"]),
}


def write_rows(file: TextIO, rows: list[list[str]], delimiter: str, end: str, *, everything_quoted: bool) -> None:
    if everything_quoted:
        csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)


@settings(max_examples=250, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(sorted(CELLS_OF)), min_size=2, max_size=7),
    rows=st.integers(3, 25),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    everything_quoted=st.booleans(),
    data=st.data(),
)
def test_a_table_written_in_any_usual_way_is_read_as_it_was(  # noqa: PLR0917 - drawn by hypothesis
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[str],
    rows: int,
    delimiter: str,
    end: str,
    encoding: str,
    everything_quoted: bool,  # noqa: FBT001 - drawn by hypothesis
    data: st.DataObject,
) -> None:
    names = [f"{kind} {index}" for index, kind in enumerate(kinds)]
    cells = [[data.draw(CELLS_OF[kind]) for kind in kinds] for _ in range(rows)]
    path = tmp_path_factory.mktemp("any") / "table.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        write_rows(file, [names, *cells], delimiter, end, everything_quoted=everything_quoted)
    table = read_tables(path)[0]
    assert list(table.frame.columns) == names
    assert table.frame.to_numpy().tolist() == cells


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame of texts in the form that the path's suffix names."""
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(path)
        case ".feather":
            frame.to_feather(path)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case ".xlsx":
            frame.to_excel(path, index=False)
        case _:
            with sqlite3.connect(path) as database:
                frame.to_sql("rows", database, index=False)
            database.close()


@settings(max_examples=150, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(sorted(CELLS_OF)), min_size=1, max_size=6),
    rows=st.integers(3, 12),
    suffix=st.sampled_from([".csv", ".tsv", ".parquet", ".feather", ".jsonl", ".xlsx", ".sqlite"]),
    data=st.data(),
)
def test_a_table_written_in_any_format_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], rows: int, suffix: str, data: st.DataObject
) -> None:
    kinds = ["count", *kinds]
    cells = [[data.draw(CELLS_OF[kind]) for kind in kinds] for _ in range(rows)]
    frame = pd.DataFrame(cells, columns=[f"{kind} {index}" for index, kind in enumerate(kinds)], dtype="str")
    path = tmp_path_factory.mktemp("any") / f"table{suffix}"
    write_frame(frame, path)
    table = read_tables(path)[0]
    assert list(table.frame.columns) == list(frame.columns)
    assert table.frame.fillna("").to_numpy().tolist() == cells
