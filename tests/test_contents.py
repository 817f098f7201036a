"""What a download holds: which table is the main one, which role the others have, what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from frames import codes_of, download_of, write

from toolkit import contents
from toolkit.download import Provenance
from toolkit.errors import DataError

MAIN = "id,age,town,paid\n" + "".join(f"{n},{n % 70},{'Bonn' if n % 3 else 'Rome'},{n % 2}\n" for n in range(1, 60))
TEST = "id,age,town\n" + "".join(f"{n},{n % 70},Bonn\n" for n in range(60, 90))
SUBMISSION = "id,paid\n" + "".join(f"{n},0\n" for n in range(60, 90))
OTHER = "shop,street\n" + "".join(f"s{n},street {n}\n" for n in range(10))


def read(folder: Path, table: str | None = None, provenance: Provenance | None = None) -> contents.Contents:
    return contents.read(download_of(folder, provenance), table=table)


def roles(found: contents.Contents) -> dict[str, str]:
    return {item.path: item.role for item in found.items}


def test_a_single_table_is_the_main_one(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"people.csv": MAIN}))
    assert (found.main.name, found.main.rows, found.test, found.findings) == ("people.csv", 59, None, ())
    assert found.items[0].columns == ("id", "age", "town", "paid")


@pytest.mark.parametrize(
    ("train", "test", "submission"),
    [
        ("train.csv", "test.csv", "sample_submission.csv"),
        ("train_u6lujuX.csv", "test_Y3wMUE5.csv", "sampleSubmission.csv"),
        ("Train.csv", "Test.csv", "Sample_Submission_ZAuTl8O.csv"),
        ("data/training_set.csv", "data/testing_set.csv", "data/gender_submission.csv"),
        ("loans_train.csv", "loans_test.csv", "submission_format.csv"),
        ("X_train.csv", "X_test.csv", "y_sample_submission.csv"),
    ],
)
def test_the_files_of_a_competition_get_their_roles(tmp_path: Path, train: str, test: str, submission: str) -> None:
    found = read(write(tmp_path, {train: MAIN, test: TEST, submission: SUBMISSION}))
    assert roles(found) == {train: "train", test: "test", submission: "sample_submission"}
    assert found.main.name == train
    assert found.test is not None
    assert found.sample_submission is not None
    assert "several-tables" not in codes_of(found.findings)


def test_a_sample_submission_is_known_by_its_shape_too(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"train.csv": MAIN, "test.csv": TEST, "benchmark.csv": SUBMISSION}))
    assert roles(found)["benchmark.csv"] == "sample_submission"


def test_a_test_table_with_the_answers_is_a_test_table(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"train.csv": MAIN, "test.csv": MAIN[:200]}))
    assert roles(found) == {"train.csv": "train", "test.csv": "test"}


def test_a_larger_test_table_is_not_the_main_one(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"train.csv": MAIN, "test.csv": TEST + TEST.split("\n", 1)[1] * 20}))
    assert found.main.name == "train.csv"


def test_a_file_called_test_with_other_columns_is_another_table(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"test_results.csv": MAIN, "shops.csv": OTHER}))
    assert (found.main.name, found.test) == ("test_results.csv", None)


def test_among_equals_the_largest_is_taken_and_the_choice_told(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"a.csv": MAIN, "b.csv": OTHER}))
    assert found.main.name == "a.csv"
    finding = next(one for one in found.findings if one.code == "several-tables")
    assert (finding.severity, finding.overrule) == ("note", "--table b.csv")


def test_a_close_choice_is_flagged_as_unsure(tmp_path: Path) -> None:
    found = read(
        write(
            tmp_path, {"a.csv": MAIN, "b.csv": MAIN.replace("age", "size").replace("town", "place").replace("id", "no")}
        )
    )
    assert [one.severity for one in found.findings if one.code == "several-tables"] == ["unsure"]


@pytest.mark.parametrize("name", ["b.csv", "b", "B.CSV", "sub/b.csv"])
def test_the_table_asked_for_is_taken(tmp_path: Path, name: str) -> None:
    found = read(write(tmp_path, {"a.csv": MAIN, "sub/b.csv": OTHER}), table=name)
    assert found.main.name == "sub/b.csv"


def test_a_table_that_is_not_there_is_refused_with_the_names_that_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no table is called `c`: found `a.csv`, `b.csv`") as raised:
        read(write(tmp_path, {"a.csv": MAIN, "b.csv": OTHER}), table="c")
    assert "--table" in raised.value.hint


def test_descriptions_come_from_a_dictionary_table(tmp_path: Path) -> None:
    words = "Variable,Type,Description\nAge,int,Age in years\nTOWN,text,Where they live\npaid,int,\n"
    found = read(write(tmp_path, {"people.csv": MAIN, "data_dictionary.csv": words}))
    assert found.descriptions == {"age": "Age in years", "town": "Where they live"}
    assert roles(found)["data_dictionary.csv"] == "dictionary"


@pytest.mark.parametrize(
    "text",
    [
        "age: Age in years\ntown: Where they live\n",
        "# Columns\n- **age**: Age in years\n- `town` - Where they live\n",
        "| age | Age in years |\n| town | Where they live |\n",
        "1. age - Age in years\n2. town = Where they live\n",
    ],
)
def test_descriptions_come_from_a_text_beside_the_table(tmp_path: Path, text: str) -> None:
    found = read(write(tmp_path, {"people.csv": MAIN, "data_description.txt": text}))
    assert found.descriptions == {"age": "Age in years", "town": "Where they live"}
    assert roles(found)["data_description.txt"] == "dictionary"


def test_kaggles_own_descriptions_win(tmp_path: Path) -> None:
    provenance = Provenance(source="a/b", columns={"people.csv": {"age": "Years of life", "nothing": "x"}})
    found = read(write(tmp_path, {"people.csv": MAIN, "notes.txt": "age: Age in years\n"}), provenance=provenance)
    assert found.descriptions == {"age": "Years of life"}


def test_prose_is_no_table(tmp_path: Path) -> None:
    prose = "Hello, this is a note.\nIt has lines, and commas, here and there.\nThe end, my friend.\n" * 5
    found = read(write(tmp_path, {"people.csv": MAIN, "notes.txt": prose, "README.md": prose}))
    assert [item.kind for item in found.items] == ["text", "text", "table"]


def test_a_text_file_with_a_table_is_one(tmp_path: Path) -> None:
    assert read(write(tmp_path, {"auto.data": MAIN, "README.txt": "hello\n"})).main.name == "auto.data"


def test_parts_of_one_table_are_joined_and_it_is_said(tmp_path: Path) -> None:
    head, *rows = MAIN.strip().split("\n")
    parts = {
        f"sales_{year}.csv": "\n".join([head, *rows[start : start + 20]]) + "\n"
        for year, start in ((2019, 0), (2020, 20), (2021, 40))
    }
    found = read(write(tmp_path, parts))
    assert found.main.rows == 59
    finding = next(one for one in found.findings if one.code == "joined-parts")
    assert "3 files" in finding.message
    assert "2019" in " ".join(finding.evidence["files"])


def test_copies_of_one_table_are_not_joined(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"version 1/people.csv": MAIN, "version 2/people.csv": MAIN}))
    assert found.main.rows == 59


def test_answers_in_a_file_of_their_own_are_joined_by_their_key(tmp_path: Path) -> None:
    rows = [line.rsplit(",", 1) for line in MAIN.strip().split("\n")]
    features = "\n".join(left for left, _ in rows) + "\n"
    labels = "id,paid\n" + "\n".join(f"{left.split(',')[0]},{right}" for left, right in reversed(rows[1:])) + "\n"
    found = read(write(tmp_path, {"train_values.csv": features, "train_labels.csv": labels, "test_values.csv": TEST}))
    assert found.main.frame.to_csv(index=False) == MAIN
    assert roles(found)["train_labels.csv"] == "train"
    assert [one.severity for one in found.findings if one.code == "joined-answers"] == ["note"]


def test_answers_without_a_key_are_joined_in_order_and_flagged(tmp_path: Path) -> None:
    rows = [line.rsplit(",", 1) for line in MAIN.strip().split("\n")]
    files = {
        "X_train.csv": "\n".join(row[0] for row in rows) + "\n",
        "y_train.csv": "\n".join(row[1] for row in rows) + "\n",
    }
    found = read(write(tmp_path, files))
    assert found.main.frame.to_csv(index=False) == MAIN
    assert [one.severity for one in found.findings if one.code == "joined-answers"] == ["unsure"]


def test_labels_of_something_else_are_not_joined(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"people.csv": MAIN, "labels.csv": "town,word\n" + "Bonn,x\n" * 59}))
    assert list(found.main.frame.columns) == ["id", "age", "town", "paid"]


def test_a_table_of_the_same_columns_under_an_unlike_name_is_not_joined(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"red.csv": MAIN, "copy of it.csv": MAIN}))
    assert found.main.rows == 59


def test_a_broken_file_beside_a_good_one_is_told(tmp_path: Path) -> None:
    found = read(write(tmp_path, {"people.csv": MAIN, "broken.parquet": b"PAR1nothing", "empty.csv": ""}))
    assert found.main.name == "people.csv"
    assert codes_of(found.findings) == ["unreadable-file", "unreadable-file"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"yes/1.png": "x", "yes/2.jpg": "x", "no/3.PNG": "x"}, r"3 images in 2 folders \(no, yes\)"),
        ({"a.wav": "x"}, "1 sound"),
        ({"model.pkl": "x", "LICENSE": "x"}, "1 model file, 1 text file$"),
        ({}, "empty folder"),
        ({"a.csv": ""}, "is empty"),
        ({"a.csv": "", "b.csv": "x,y\n"}, "no table in .* can be read"),
    ],
)
def test_without_a_table_it_is_said_what_is_there(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        read(write(tmp_path, files))
    assert raised.value.hint
    assert raised.value.exit_code == 4


def test_files_called_by_a_class_are_joined_with_it_and_files_called_by_a_place_are_not(tmp_path: Path) -> None:
    rows = "title,text\n" + "".join(f"t{n},words of a story {n}\n" for n in range(30))
    more = rows.replace("story", "tale")
    found = read(write(tmp_path / "a", {"Fake.csv": rows, "True.csv": more}))
    assert (found.main.rows, list(found.main.frame["file"].unique())) == (60, ["fake", "true"])
    assert "joined-classes" in codes_of(found.findings)
    found = read(write(tmp_path / "b", {"Bonn.csv": rows, "Rome.csv": more}))
    assert (found.main.rows, "file" in found.main.frame) == (30, False)
    found = read(write(tmp_path / "a", {}), table="True.csv")
    assert (found.main.rows, "file" in found.main.frame) == (30, False)


def cars(brand: str, rows: int = 40) -> str:
    return "model,year,price\n" + "".join(
        f"{brand}{n % 4},{2000 + n % 20},{len(brand) * n * 37 + n}\n" for n in range(rows)
    )


def test_three_files_of_the_same_columns_called_by_what_they_hold_are_one_table_with_that_as_a_column(
    tmp_path: Path,
) -> None:
    files = {f"used_{brand}_cars.csv": cars(brand) for brand in ("audi", "ford", "skoda")}
    found = read(write(tmp_path, files))
    assert list(found.main.frame.columns) == ["file", "model", "year", "price"]
    assert found.main.frame["file"].value_counts().to_dict() == {"audi": 40, "ford": 40, "skoda": 40}
    (told,) = [finding for finding in found.findings if finding.code == "joined-files"]
    assert (told.columns, told.overrule) == (("file",), "--table used_audi_cars.csv")
    assert "several-tables" not in codes_of(found.findings)
    assert list(read(tmp_path, table="used_ford_cars.csv").main.frame.columns) == ["model", "year", "price"]


@pytest.mark.parametrize(
    "names",
    [
        ("cars.csv", "cars_clean.csv", "cars_scaled.csv"),  # called versions of one table
        ("red.csv", "green.csv"),  # two are as often two subjects
        ("train.csv", "validation.csv", "test.csv"),  # called by the part they play
    ],
)
def test_files_of_the_same_columns_that_are_versions_or_play_parts_are_not_joined(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    found = read(write(tmp_path, {name: cars("abc"[: place + 1]) for place, name in enumerate(names)}))
    assert list(found.main.frame.columns) == ["model", "year", "price"]
    assert "joined-files" not in codes_of(found.findings)


def test_files_that_hold_the_same_rows_are_not_joined_whatever_they_are_called(tmp_path: Path) -> None:
    files = {"north.csv": cars("audi"), "south.csv": cars("audi", 30) + "x,2001,5\n", "west.csv": cars("ford")}
    found = read(write(tmp_path, files))
    assert list(found.main.frame.columns) == ["model", "year", "price"]
    assert "several-tables" in codes_of(found.findings)


SALES = "day,shop,sold\n" + "".join(f"2020-01-{n % 28 + 1:02d},s{n % 10},{n * 7 % 50}\n" for n in range(200))
SHOPS = "shop,street,size\n" + "".join(f"s{n},street {n},{n * 3}\n" for n in range(10))


def test_a_table_that_is_referred_to_by_a_key_is_joined_to_both_parts_and_never_guessed(tmp_path: Path) -> None:
    rows = SALES.replace(",sold", "").splitlines()
    ahead = "\n".join([rows[0], *(row.rpartition(",")[0] for row in rows[1:60])]) + "\n"
    found = read(write(tmp_path, {"train.csv": SALES, "test.csv": ahead, "shops.csv": SHOPS}))
    assert list(found.main.frame.columns) == ["day", "shop", "sold", "street", "size"]
    assert found.test is not None
    assert list(found.test.frame.columns) == ["day", "shop", "street", "size"]
    (told,) = [finding for finding in found.findings if finding.code == "joined-lookup"]
    assert (told.columns, told.overrule) == (("street", "size"), "--table train.csv")
    assert "several-tables" not in codes_of(found.findings)
    alone = read(tmp_path, table="train.csv")
    assert list(alone.main.frame.columns) == ["day", "shop", "sold"]


@pytest.mark.parametrize(
    "other",
    [
        SHOPS + "s1,again,5\n",  # two rows for one key
        SHOPS.replace("shop,", "place,"),  # no key of that name
        SHOPS.replace("\ns", "\nt"),  # the same name, other keys
        SHOPS.replace(",street,", ",sold,").replace("size", "day"),  # nothing that is not there already
    ],
)
def test_a_table_that_is_not_referred_to_is_left_out_and_named(tmp_path: Path, other: str) -> None:
    found = read(write(tmp_path, {"sales.csv": SALES, "shops.csv": other}))
    assert list(found.main.frame.columns) == ["day", "shop", "sold"]
    assert "several-tables" in codes_of(found.findings)


CODEBOOK = """1. Title: a study
2. Number of rows: 3
3. Attribute information:
   1. Case number      id
   2. Clump thickness  1 - 10
   3. Class: (2 for benign)
4. Missing values: none
"""
DECLARED = "| a note\n\nno, yes.\n\nage: continuous.\nsex: male, female.\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CODEBOOK, ["Case number", "Clump thickness", "Class"]),
        (DECLARED, ["age", "sex", "class"]),
        ("The variables:\n1) age: years\n2) sex\n3) died?\n", ["age", "sex", "died?"]),
        ("1. Title\n2. Sources\n3. Past use\n", ["column_1", "column_2", "column_3"]),
        ("Variables:\n1. age\n2. sex\n", ["column_1", "column_2", "column_3"]),
    ],
)
def test_a_table_without_a_header_is_named_by_the_text_that_lists_as_many(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    rows = "".join(f"{1000 + number},{number % 9},{number % 2}\n" for number in range(20))
    found = read(write(tmp_path, {"cases.data": rows, "cases.names": text}))
    assert list(found.main.frame.columns) == names
    assert found.main.rows == 20
    assert codes_of(found.findings) == ["no-header" if names[0] == "column_1" else "names-from-text"]


def test_a_header_is_not_replaced_by_a_text_beside_it(tmp_path: Path) -> None:
    rows = "a,b,c\n" + "".join(f"{1000 + number},{number % 9},{number % 2}\n" for number in range(20))
    assert list(read(write(tmp_path, {"cases.data": rows, "cases.names": CODEBOOK})).main.frame.columns) == [
        "a",
        "b",
        "c",
    ]


def test_files_without_header_are_joined_and_it_is_told_once(tmp_path: Path) -> None:
    rows = [f"0.{place}1,{place},0.5\n0.{place}2,{place},0.7\n0.{place}3,{place},0.9\n" for place in range(3)]
    found = read(write(tmp_path, {f"S00{place}.csv": text for place, text in enumerate(rows)}))
    assert (found.main.rows, codes_of(found.findings)) == (9, ["joined-parts", "no-header"])


def test_columns_set_with_blanks_are_a_table_beside_others(tmp_path: Path) -> None:
    rows = "".join(f"  {number / 7:.5e}  {number / 3:.5e}  -{number:.5e}\n" for number in range(40))
    assert read(write(tmp_path, {"X_train.txt": rows, "about.md": "text"})).main.frame.shape == (40, 3)


def test_answers_are_in_the_training_table_whose_twin_lacks_them_and_not_in_a_larger_one_that_is_whole(
    tmp_path: Path,
) -> None:
    answers = "shop,cheats\n" + "".join(f"s{n},{'yes' if n % 4 else 'no'}\n" for n in range(40))
    asked = "shop\n" + "".join(f"s{n}\n" for n in range(40, 60))
    bills = "bill,shop,amount,town\n" + "".join(f"b{n},s{n % 60},{n * 7 % 90},Bonn\n" for n in range(900))
    files = {"Train-1.csv": answers, "Train_Bills-1.csv": bills, "Test-2.csv": asked, "Test_Bills-2.csv": bills}
    assert read(write(tmp_path / "twins", files)).main.name == "Train-1.csv"
    whole = {"Train-1.csv": answers, "Train_Bills-1.csv": bills, "Test_Bills-2.csv": bills}
    assert read(write(tmp_path / "whole", whole)).main.name == "Train_Bills-1.csv"
