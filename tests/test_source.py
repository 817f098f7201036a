"""A source becomes complete files on this disk; the person's own folder is never written to."""

from __future__ import annotations

import csv
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from toolkit.cache import cache_folder
from toolkit.errors import DataError
from toolkit.files import sha256_of
from toolkit.handle import SAMPLES, Handle
from toolkit.source import fetch


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the person's own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def local(path: Path) -> Handle:
    return Handle.parse(str(path))


def listing(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_needs_no_network_and_says_where_it_is_from(name: str, cache: Path) -> None:
    download = fetch(Handle.parse(f"sample:{name}"), offline=True)
    (record,) = download.files
    path = download.root / record.path
    assert path.is_relative_to(cache)
    assert (record.size_bytes, record.sha256) == (path.stat().st_size, sha256_of(path))
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    assert len(rows) > 100
    assert set(download.provenance.columns[record.path]) == set(header)
    assert download.provenance.source == f"sample:{name}"
    assert download.provenance.title
    assert download.provenance.origin
    assert download.provenance.url.startswith("https://")


def test_a_sample_is_the_same_each_time_and_mended_when_changed() -> None:
    first = fetch(Handle.parse("sample:iris"))
    (first.root / first.files[0].path).write_text("broken", encoding="utf-8")
    assert fetch(Handle.parse("sample:iris")).files == first.files


def test_a_file_is_read_where_it_lies(mine: Path, cache: Path) -> None:
    (mine / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (mine / "other.csv").write_text("c\n3\n", encoding="utf-8")
    before = listing(mine)
    download = fetch(local(mine / "data.csv"), offline=True)
    assert (download.root, [record.path for record in download.files]) == (mine, ["data.csv"])
    assert (download.provenance.kind, download.provenance.title) == ("local", "mine")
    assert not Path(download.provenance.source).is_absolute()
    assert listing(mine) == before
    assert not cache.exists()


def test_a_folder_is_read_with_what_lies_below(mine: Path, cache: Path) -> None:
    (mine / "deep" / "er").mkdir(parents=True)
    (mine / ".hidden").mkdir()
    (mine / "__MACOSX").mkdir()
    for name in ("b.csv", "a.csv", "deep/er/ü.csv", ".hidden/x.csv", "__MACOSX/x.csv", ".secret", "Thumbs.db"):
        (mine / name).write_text("a\n1\n", encoding="utf-8")
    (mine / "link.csv").symlink_to("/etc/passwd")
    (mine / "linked").symlink_to("/etc")
    before = listing(mine)
    download = fetch(local(mine))
    assert [record.path for record in download.files] == ["a.csv", "b.csv", "deep/er/ü.csv"]
    assert listing(mine) == before
    assert not cache.exists()


@pytest.mark.parametrize("name", ["archive.zip", "archive.csv", "archive"])
def test_a_zip_is_unpacked_into_the_cache_whatever_its_name(mine: Path, cache: Path, name: str) -> None:
    with zipfile.ZipFile(mine / name, "w") as archive:
        archive.writestr("train.csv", "a\n1\n")
        archive.writestr("__MACOSX/._train.csv", "noise")
    before = listing(mine)
    download = fetch(local(mine / name))
    assert [record.path for record in download.files] == ["train.csv"]
    assert download.root.is_relative_to(cache)
    assert fetch(local(mine / name)).files == download.files
    assert listing(mine) == before


def test_a_tar_is_unpacked(mine: Path) -> None:
    with tarfile.open(mine / "a.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("x/train.csv")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"a\n1\n"))
    assert [record.path for record in fetch(local(mine / "a.tar.gz")).files] == ["x/train.csv"]


def test_a_single_file_zipped_under_its_own_name_is_that_file(mine: Path) -> None:
    with zipfile.ZipFile(mine / "train.csv", "w") as archive:
        archive.writestr("train.csv", "a\n1\n")
    download = fetch(local(mine / "train.csv"))
    assert [record.path for record in download.files] == ["train.csv"]
    assert (download.root / "train.csv").read_bytes() == b"a\n1\n"


def test_a_refused_archive_leaves_nothing_in_the_cache(mine: Path, cache: Path) -> None:
    with zipfile.ZipFile(mine / "a.zip", "w") as archive:
        archive.writestr("../../out.csv", "bad")
    with pytest.raises(DataError, match="leads out"):
        fetch(local(mine / "a.zip"))
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    assert not (mine.parent / "out.csv").exists()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "absent.csv", "does not exist"),
        (lambda folder: folder, "holds no file"),
        (lambda folder: _written(folder / "empty.csv", b""), "is empty: 0 bytes"),
        (lambda folder: _written(folder / "file", b"x") / "below.csv", "`"),
        (lambda folder: folder / ("n" * 300 + ".csv"), "`"),
    ],
)
def test_what_is_missing_or_empty_is_told(mine: Path, make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(DataError, match=words) as caught:
        fetch(local(make(mine)))
    assert caught.value.hint


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_zip_without_a_file_is_told(mine: Path) -> None:
    zipfile.ZipFile(mine / "a.zip", "w").close()
    with pytest.raises(DataError, match="holds no file"):
        fetch(local(mine / "a.zip"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(mine: Path) -> None:
    (mine / "a.csv").write_text("a\n1\n", encoding="utf-8")
    (mine / "a.csv").chmod(0)
    with pytest.raises(DataError, match="may not be read by this user"):
        fetch(local(mine / "a.csv"))


def test_a_device_is_no_data() -> None:
    with pytest.raises(DataError):
        fetch(Handle.parse("/dev/null"))


def test_the_cache_lies_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("KAGGLE2APP_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv("KAGGLE2APP_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == Path.home() / ".cache" / "kaggle2app"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "kaggle2app"


@pytest.mark.parametrize(
    ("name", "title"), [("house-prices.csv", "house prices"), ("train.csv", "mine"), ("a__b_c.csv", "a b c")]
)
def test_local_data_is_titled_by_what_its_names_say(mine: Path, name: str, title: str) -> None:
    (mine / name).write_text("a\n1\n", encoding="utf-8")
    assert fetch(local(mine / name)).provenance.title == title
