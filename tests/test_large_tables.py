"""Long columns are judged as short ones are, in less time and memory; of files larger than memory a part is read."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import lzma
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from frames import codes_of, download_of, profile_of

from toolkit import card, cells, contents, kinds, memory, plan, profile, task
from toolkit.errors import DataError
from toolkit.table import read_tables


@pytest.mark.parametrize("odd", [(), ("",) * 50, ("-9999",) * 30, ("7",), ("1e3", " 2.5", "word")])
def test_a_long_column_of_fractions_is_judged_as_any_other(odd: tuple[str, ...]) -> None:
    rows = cells.HEAVY_ROWS + 1
    texts = pd.Series([f"{number * 0.37 % 1000:.4f}" for number in range(rows)] + list(odd), dtype="str")
    slow = kinds.judge("a", cells.count(texts), None)
    found = cells.fractions(texts)
    assert (found is None) == ("word" in odd)
    fast = kinds.judge_fractions("a", found, None) if found is not None else None
    assert (fast is None) == bool({"word", "-9999"} & set(odd))
    if fast is not None:
        assert fast.mean == pytest.approx(slow.mean)
        assert fast.standard_deviation == pytest.approx(slow.standard_deviation)
        about = {"mean": fast.mean, "standard_deviation": fast.standard_deviation}  # sums in another order
        assert dataclasses.asdict(fast) == {**dataclasses.asdict(slow), **about}


def test_long_whole_numbers_are_no_fractions() -> None:
    assert cells.fractions(pd.Series([f"{number}.0" for number in range(cells.HEAVY_ROWS)], dtype="str")) is None


@pytest.mark.parametrize("last", [(), ("text 0 of its own", "text 3 of its own", "text 0 of its own"), ("", " blank ")])
def test_long_texts_that_differ_nearly_all_are_counted_as_any_other(last: tuple[str, ...]) -> None:
    texts = [*(f"text {number} of its own" for number in range(cells.HEAVY_ROWS + 1)), *last]
    counted = cells.count(pd.Series(texts, dtype="str"))
    assert counted.texts.to_pylist() == list(dict.fromkeys(texts))
    assert dict(zip(counted.texts.to_pylist(), counted.counts.tolist(), strict=True)) == Counter(texts)
    assert counted.codes is not None
    assert counted.texts.take(counted.codes).to_pylist() == texts


def test_rows_that_repeat_are_seen_among_long_fractions() -> None:
    rows = cells.HEAVY_ROWS + 1
    numbers = [f"{number * 0.37:.4f}" for number in range(rows)]
    assert profile_of({"a": [*numbers, *numbers[:3]]}).duplicate_rows == 3


ROWS = 4000


def written(path: Path, content: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content)
    return path


def people(rows: int = ROWS) -> str:
    return "id,town,age\n" + "".join(f"{number},town {number % 7},{number % 90}\n" for number in range(rows))


def packed_parquet() -> bytes:
    file = io.BytesIO()
    frame = pd.DataFrame({"id": range(ROWS), "town": [f"town {number % 7}" for number in range(ROWS)], "age": 1})
    frame.to_parquet(file, row_group_size=500)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", people())
        archive.writestr("few.csv", "a,b\n1,2\n3,4\n")
    return file.getvalue()


LARGER_THAN_MEMORY = {
    "people.csv": people().encode(),
    "people.csv.gz": gzip.compress(people().encode()),
    "people.csv.bz2": bz2.compress(people().encode()),
    "people.csv.xz": lzma.compress(people().encode()),
    "people.csv.zst": pa.compress(people().encode(), "zstd", asbytes=True),
    "people.tsv": people().replace(",", "\t").encode("utf-16"),
    "people.txt": people().replace("town", "Münster").encode("cp1252"),
    "people.zip": zipped(),
    "people.dat": people().replace(" ", "-").replace(",", "  ").encode(),
    "people.all-data": people().replace("id,", "", 1).encode(),  # as R writes names of rows
    "people.parquet": packed_parquet(),
    "people.jsonl": b"".join(
        b'{"id": %d, "town": "town %d", "age": 1}\n\n' % (number, number % 7) for number in range(ROWS)
    ),
}


@pytest.mark.parametrize("name", LARGER_THAN_MEMORY)
def test_of_a_file_larger_than_memory_a_draw_is_read_and_every_row_counted(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, LARGER_THAN_MEMORY[name])
    whole = read_tables(path, memory=0)[0]
    drawn, *_ = read_tables(path, memory=40_000)
    (told,) = [finding for finding in drawn.findings if finding.code == "drawn-rows"]
    assert whole.rows == ROWS
    assert drawn.rows == told.evidence["drawn"] < ROWS == told.evidence["rows"]
    ids = [int(cell) for cell in drawn.frame.iloc[:, 0]]
    assert ids == sorted(set(ids))
    pd.testing.assert_frame_equal(drawn.frame, whole.frame.iloc[ids].reset_index(drop=True))
    pd.testing.assert_frame_equal(read_tables(path, memory=40_000)[0].frame, drawn.frame)


def test_a_larger_draw_holds_a_smaller_one_and_rows_asked_for_are_drawn(tmp_path: Path) -> None:
    path = written(tmp_path / "people.csv", people().encode())
    many, few = (read_tables(path, memory=4000, rows=rows)[0].frame for rows in (600, 60))
    assert (len(many), len(few)) == (600, 60)
    assert set(few["id"]) < set(many["id"])
    read = contents.read(download_of(tmp_path), rows=60)
    pd.testing.assert_frame_equal(read.main.frame, few)
    assert codes_of(read.findings) == ["drawn-rows"]


def test_rows_of_another_length_and_gaps_are_counted_in_a_file_larger_than_memory(tmp_path: Path) -> None:
    text = people() + "7,short\n8,long,1,more\n" + "9,,\n" * 3
    (drawn,) = read_tables(written(tmp_path / "odd.csv", text.encode()), memory=4000, rows=ROWS + 5)
    ragged, told = drawn.findings
    assert (ragged.code, ragged.evidence["short"], ragged.evidence["long"]) == ("ragged-rows", 1, 1)
    assert told.evidence["rows"] == drawn.rows == ROWS + 5
    assert told.evidence["missing"] == {"town": 3, "age": 4}
    assert drawn.frame.tail(2).to_numpy().tolist() == [["7", "short", ""], ["8", "long", "1,more"]]


def test_a_quote_that_nobody_closes_takes_in_no_row_of_a_file_larger_than_memory(tmp_path: Path) -> None:
    text = people().replace("11,town 4", '11,"town 4', 1)
    (drawn,) = read_tables(written(tmp_path / "quote.csv", text.encode()), memory=40_000)
    assert drawn.findings[-1].evidence["rows"] == ROWS
    assert codes_of(drawn.findings) == ["drawn-rows", "open-quote"]


def test_a_format_of_which_no_part_can_be_read_is_refused_with_its_needs(tmp_path: Path) -> None:
    path = written(tmp_path / "people.json", b"[" + b'{"a": 1},' * 3000 + b'{"a": 1}]')
    with pytest.raises(DataError, match="of memory") as raised:
        read_tables(path, memory=4000)
    assert "Parquet" in raised.value.hint


def test_of_several_files_the_small_ones_are_read_whole_and_a_large_one_drawn(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", people().encode())
    written(tmp_path / "test.csv", people(40).encode())
    read = contents.read(download_of(tmp_path), memory=30_000)
    assert (read.main.name, read.test is not None and read.test.rows) == ("train.csv", 40)
    assert read.main.rows < ROWS
    assert "drawn-rows" in codes_of(read.findings)


def test_memory_is_what_a_person_says_or_the_system_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE2APP_MEMORY_MB", "64")
    assert memory.free_bytes() == 64 << 20
    monkeypatch.delenv("KAGGLE2APP_MEMORY_MB")
    assert memory.free_bytes() > 1 << 20


def test_a_plan_and_its_cards_tell_of_rows_that_were_drawn(tmp_path: Path) -> None:
    written(tmp_path / "people.csv", people().encode())
    for rows, told in ((500, "500 of 4,000, drawn by a fixed seed"), (None, "")):
        read = contents.read(download_of(tmp_path), rows=rows)
        seen = profile.describe(read)
        made = plan.draft(seen, task.infer(seen, read, target="age"), provenance=read.provenance)
        assert [(one.choice, one.overrule) for one in made.decisions if one.what == "rows"] == (
            [(told, "--rows N")] if told else []
        )
        assert card.data_card(made, seen, read).count("has 4,000 rows") == (rows is not None)


GB = 1 << 30
SYSTEM = {"/proc/meminfo": f"MemTotal: {16 << 20} kB\nMemAvailable: {8 << 20} kB\n"}
CONTAINER = {
    "/proc/self/cgroup": "0::/kubepods/pod1\n",
    "/sys/fs/cgroup/kubepods/memory.max": f"{4 * GB}\n",
    "/sys/fs/cgroup/kubepods/memory.current": f"{2 * GB}\n",
    "/sys/fs/cgroup/kubepods/memory.stat": f"anon {GB}\ninactive_file {GB}\n",
    "/sys/fs/cgroup/kubepods/pod1/memory.max": "max\n",
}
OLD_CONTAINER = {
    "/proc/self/cgroup": "12:cpu,cpuacct:/\n7:memory:/\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GB}\n",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GB}\n",
}


@pytest.mark.parametrize(
    ("files", "free"), [({}, 8), (CONTAINER, 3), (OLD_CONTAINER, 1)], ids=["system", "container", "old container"]
)
def test_the_memory_of_a_container_is_what_its_groups_leave(
    files: dict[str, str], free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_read", lambda path: {**SYSTEM, **files}.get(path.as_posix(), ""))
    assert memory.free_bytes() == free * GB
