"""Files are written whole or not at all, and an archive is never trusted."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import pytest

from toolkit.errors import DataError, ProjectError, UsageError
from toolkit.files import (
    Bounds,
    DamagedArchiveError,
    atomic,
    human_size,
    is_archive,
    parse_size,
    reserve,
    sha256_of,
    unpack,
    write_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def zipped(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip with these members, whatever their names."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return path


def tarred(path: Path, members: dict[str, bytes], *, kinds: dict[str, bytes] | None = None) -> Path:
    """Write a tar.gz with these members; ``kinds`` gives some of them another type."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if kinds and name in kinds:
                info.type, info.size, info.linkname = kinds[name], 0, "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return path


def members(folder: Path) -> dict[str, bytes]:
    """Return everything below a folder with its content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(archive: Path, words: str, *, bounds: Bounds | None = None) -> None:
    """Unpacking fails with these words and leaves the folder as it was."""
    around = sorted(archive.parent.rglob("*"))
    with pytest.raises(DataError) as caught:
        unpack(archive, archive.parent / "out", bounds=bounds)
    assert words in caught.value.message
    assert caught.value.hint
    assert sorted(archive.parent.rglob("*")) == around


@pytest.mark.parametrize("write", [zipped, tarred])
def test_an_honest_archive_is_unpacked(tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]) -> None:
    content = {"a.csv": b"x\n1\n", "deep/er/ü file.csv": b"y\n2\n", "empty.csv": b""}
    archive = write(tmp_path / "archive", content)
    assert is_archive(archive)
    found = unpack(archive, tmp_path / "out")
    assert members(tmp_path / "out") == content
    assert [path.relative_to(tmp_path / "out").as_posix() for path in found] == sorted(content)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]


CLIMBING = ["../out.csv", "a/../../out.csv", "..\\out.csv", "/etc/out.csv", "\\out.csv", "C:/out.csv", "C:\\out.csv"]


@pytest.mark.parametrize("name", CLIMBING)
@pytest.mark.parametrize("write", [zipped, tarred])
def test_a_name_that_leads_out_is_refused(
    tmp_path: Path, name: str, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    refused(write(tmp_path / "archive", {"good.csv": b"x", name: b"bad"}), "leads out of its folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    refused(tarred(tmp_path / "a.tar.gz", {"good.csv": b"x", "bad": b""}, kinds={"bad": kind}), "a link or a device")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("data")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc")
        archive.writestr("data/passwd", "bad")
    refused(path, "`data` is a link or a device")


@pytest.mark.parametrize("write", [zipped, tarred])
def test_names_that_differ_by_case_alone_are_refused(
    tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    refused(write(tmp_path / "archive", {"Data.csv": b"1", "data.CSV": b"2"}), "the same but for case")


def test_a_name_that_is_both_file_and_folder_is_refused(tmp_path: Path) -> None:
    refused(zipped(tmp_path / "a.zip", {"data": b"1", "data/b.csv": b"2"}), "`data/b.csv` lies below a file")
    refused(zipped(tmp_path / "a.zip", {"data/b.csv": b"2", "data": b"1"}), "`data` is both a file and a folder")


@pytest.mark.parametrize("name", ["n" * 500, "f/" * 300 + "a.csv"])
def test_a_name_longer_than_any_disk_takes_is_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "a.zip", {name: b"1"}), "too long")


@pytest.mark.parametrize("name", ["n" * 300 + ".csv", "folder/" + "\u00fc" * 140])
def test_a_part_of_a_path_longer_than_any_disk_takes_is_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "a.zip", {"a.csv": b"1", name: b"2"}), "255 bytes")


@pytest.mark.parametrize("twin", ["a.csv.", "a.csv ", "./a.csv", "A.CSV. ."])
def test_names_that_some_disks_take_for_the_same_are_refused(tmp_path: Path, twin: str) -> None:
    refused(zipped(tmp_path / "a.zip", {"a.csv": b"1", twin: b"2"}), "the same but for case")


def unpacked(archive: Path) -> dict[str, bytes]:
    """Return what an archive holds, once it is unpacked beside itself."""
    into = archive.with_name("out")
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in unpack(archive, into)}


def told_otherwise(archive: Path, place: int, value: int, mark: bytes = b"PK\x01\x02", size: int = 4) -> Path:
    """Change what a zip's directory (or its end) says of its last member."""
    body = bytearray(archive.read_bytes())
    at = body.rindex(mark) + place
    body[at : at + size] = value.to_bytes(size, "little")
    archive.write_bytes(body)
    return archive


@pytest.mark.parametrize(
    ("place", "value"),
    [(16, 1), (20, 3), (24, 10), (42, 10**6), (42, 2**32 - 1), (10, 99)],
    ids=["checksum", "packed size", "size", "place", "negative place", "method"],
)
def test_a_directory_that_lies_is_told_as_damaged(tmp_path: Path, place: int, value: int) -> None:
    path = zipped(tmp_path / "a.zip", {"a.csv": b"a\n1\n" * 1000})
    told_otherwise(path, place, value, size=2 if place == 10 else 4)
    with pytest.raises(DamagedArchiveError):
        unpack(path, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(("place", "size"), [(20, 4), (24, 4)], ids=["packed size", "size"])
def test_a_directory_that_promises_more_than_comes_does_no_harm(tmp_path: Path, place: int, size: int) -> None:
    path = told_otherwise(zipped(tmp_path / "a.zip", {"a.csv": b"a\n1\n"}), place, 90_000_000, size=size)
    assert unpacked(path) == {"a.csv": b"a\n1\n"}


def test_members_that_share_their_bytes_are_told_as_damaged(tmp_path: Path) -> None:
    """One packed member named many times in the directory is the densest bomb that there is."""
    path = zipped(tmp_path / "a.zip", {"a.csv": bytes(500_000)})
    body = path.read_bytes()
    entry, end = body.index(b"PK\x01\x02"), bytearray(body[body.index(b"PK\x05\x06") :])
    one = body[entry : -len(end)]
    end[8:10] = end[10:12] = (60).to_bytes(2, "little")
    end[12:16] = (60 * len(one)).to_bytes(4, "little")
    named = b"".join(one.replace(b"a.csv", b"%05d" % number) for number in range(60))
    path.write_bytes(body[:entry] + named + end)
    with pytest.raises(DamagedArchiveError):
        unpack(path, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_of_the_large_kind_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, archive.open("a.csv", "w", force_zip64=True) as out:
        out.write(b"a\n1\n")
    assert unpacked(tmp_path / "a.zip") == {"a.csv": b"a\n1\n"}


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"data.csv": b"x,y\n1,2\n"}, method=zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag in the member's own header
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path.write_bytes(raw)
    refused(path, "`data.csv` is encrypted")


@pytest.mark.parametrize("write", [zipped, tarred])
def test_too_many_members_are_refused(tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]) -> None:
    archive = write(tmp_path / "archive", {f"{number}.txt": b"" for number in range(30)})
    refused(archive, "more than 20", bounds=Bounds(members_max=20))


def test_folders_count_as_members_too(tmp_path: Path) -> None:
    folders = {f"folder {number}": b"" for number in range(30)}
    archive = tarred(tmp_path / "a.tar.gz", folders, kinds=dict.fromkeys(folders, tarfile.DIRTYPE))
    refused(archive, "more than 20", bounds=Bounds(members_max=20))


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_a_tar_is_one_however_it_is_packed(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"archive.tar.{packing}"
    with tarfile.open(path, f"w:{packing}") as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a/data.csv")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"x\n1\n"))
    assert is_archive(path)
    unpack(path, tmp_path / "out")
    assert members(tmp_path / "out") == {"a/data.csv": b"x\n1\n"}
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])
    with pytest.raises(DataError, match="damaged"):
        unpack(path, tmp_path / "again")


def test_names_that_differ_by_the_spelling_of_an_accent_are_refused(tmp_path: Path) -> None:
    refused(zipped(tmp_path / "a.zip", {"\u00e9.csv": b"1", "e\u0301.csv": b"2"}), "the same but for case")


def test_room_set_aside_for_a_file_is_given_back_when_less_comes(tmp_path: Path) -> None:
    content = os.urandom(100_000)
    path = zipped(tmp_path / "a.zip", {"a.bin": content})
    body = bytearray(path.read_bytes())
    entry = body.rindex(b"PK\x01\x02")
    body[entry + 24 : entry + 28] = (90_000_000).to_bytes(4, "little")  # the size that the directory tells
    path.write_bytes(body)
    with suppress(DamagedArchiveError):
        unpack(path, tmp_path / "out")
        assert (tmp_path / "out" / "a.bin").read_bytes() == content
        assert (tmp_path / "out" / "a.bin").stat().st_blocks * 512 < 1_000_000
    assert {entry.name for entry in tmp_path.iterdir()} <= {"a.zip", "out"}


def test_a_file_is_as_long_as_what_is_written_whatever_room_is_set_aside(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as stream:
        reserve(stream, 40_000_000)
        stream.write(b"abc")
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_room_that_no_disk_has_is_not_insisted_on(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as stream:
        reserve(stream, 1 << 60)
        stream.write(b"abc")
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_a_hundred_thousand_members_are_refused_before_one_is_written(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.csv": b"x"})
    raw = path.read_bytes()
    entry, end = raw[raw.index(b"PK\x01\x02") : raw.index(b"PK\x05\x06")], raw[raw.index(b"PK\x05\x06") :]
    size = struct.pack("<L", len(entry) * 100_000)
    path.write_bytes(raw[: raw.index(entry)] + entry * 100_000 + end[:12] + size + end[16:])
    refused(path, "it holds 100,000 files, more than 50,000")


@pytest.mark.parametrize("write", [zipped, tarred])
def test_a_bomb_is_refused(tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]) -> None:
    archive = write(tmp_path / "archive", {"zeros.csv": bytes(5_000_000)})
    refused(archive, "it expands beyond 2.0 MB", bounds=Bounds(bytes_max=2_000_000))


def test_a_bomb_is_refused_without_being_told_a_bound(tmp_path: Path) -> None:
    refused(zipped(tmp_path / "a.zip", {"zeros.csv": bytes(110_000_000)}), "it expands beyond 100.0 MB")


def test_a_bomb_inside_an_archive_is_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"zeros.csv": bytes(5_000_000)}).read_bytes()
    (tmp_path / "inner.zip").unlink()
    archive = zipped(tmp_path / "a.zip", {"one.zip": inner})
    refused(archive, "it expands beyond 2.0 MB", bounds=Bounds(bytes_max=2_000_000))


def test_archives_in_archives_are_unpacked_in_their_place(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", {"a.csv": b"x", "b.csv": b"y"}).read_bytes()
    (tmp_path / "inner").unlink()
    unpack(zipped(tmp_path / "a.zip", {"sub/part.zip": inner, "c.csv": b"z"}), tmp_path / "out")
    assert members(tmp_path / "out") == {"sub/part/a.csv": b"x", "sub/part/b.csv": b"y", "c.csv": b"z"}


@pytest.mark.parametrize("name", ["train.csv.zip", "train.csv"])
def test_a_single_file_zipped_under_its_own_name_becomes_that_file(tmp_path: Path, name: str) -> None:
    inner = zipped(tmp_path / "inner", {"train.csv": b"x\n1\n"}).read_bytes()
    (tmp_path / "inner").unlink()
    unpack(zipped(tmp_path / "a.zip", {name: inner}), tmp_path / "out")
    assert members(tmp_path / "out") == {"train.csv": b"x\n1\n"}


def test_an_archive_never_replaces_the_file_beside_it(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", {"train.csv": b"inner"}).read_bytes()
    (tmp_path / "inner").unlink()
    unpack(zipped(tmp_path / "a.zip", {"train.csv": b"outer", "train.csv.zip": inner}), tmp_path / "out")
    found = members(tmp_path / "out")
    assert found.pop("train.csv") == b"outer"
    assert list(found.values()) == [b"inner"]


def test_archives_nested_too_deep_are_refused(tmp_path: Path) -> None:
    content = b"end"
    for depth in range(6):
        content = zipped(tmp_path / "inner", {f"{depth}.zip" if depth else "end.csv": content, "x": b""}).read_bytes()
    (tmp_path / "inner").unlink()
    refused(zipped(tmp_path / "a.zip", {"top.zip": content}), "more than 3 deep")


def test_a_climbing_name_inside_a_nested_archive_is_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", {"../../out.csv": b"bad"}).read_bytes()
    (tmp_path / "inner").unlink()
    refused(zipped(tmp_path / "a.zip", {"good.csv": b"x", "one.zip": inner}), "leads out of its folder")


@pytest.mark.parametrize("write", [zipped, tarred])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_told_as_damaged(
    tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path], share: float
) -> None:
    path = write(tmp_path / "archive", {f"{number}.csv": os.urandom(5000) for number in range(10)})
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    refused(path, "`archive` is damaged")


def test_a_changed_byte_is_told_as_damaged(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.csv": b"x" * 1000}, method=zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[500] ^= 1
    path.write_bytes(raw)
    refused(path, "`a.zip` is damaged")


def test_an_office_file_is_no_archive(tmp_path: Path) -> None:
    assert not is_archive(zipped(tmp_path / "book.xlsx", {"xl/workbook.xml": b""}))
    assert is_archive(zipped(tmp_path / "data.csv", {"data.csv": b""}))
    assert not is_archive(tmp_path / "absent")


class FullDisk:
    """A file on a disk that takes ``room`` bytes more."""

    def __init__(self, stream: IO[bytes], room: int) -> None:
        self.stream = stream
        self.room = room

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, content: bytes) -> int:
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.stream.write(content)


def test_a_disk_that_fills_while_unpacking_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.csv": b"x" * 50, "b.csv": b"y" * 5000})
    real = Path.open

    def opened(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        stream = real(self, mode, *rest, **more)
        return FullDisk(stream, 1000) if mode == "xb" else stream

    monkeypatch.setattr(Path, "open", opened)
    refused(archive, "No space left on device")


def test_a_disk_that_fills_while_writing_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomic(tmp_path / "a.json", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProjectError, match="cannot be written: No space left"):
        write_atomic(tmp_path / "a.json", "new")
    assert members(tmp_path) == {"a.json": b"old"}


def test_a_failure_of_the_writer_leaves_nothing(tmp_path: Path) -> None:
    def half(stream: IO[bytes]) -> None:
        stream.write(b"half")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"), atomic(tmp_path / "a.json") as stream:
        half(stream)
    assert members(tmp_path) == {}


def test_a_file_is_written_whole_with_the_usual_permissions(tmp_path: Path) -> None:
    write_atomic(tmp_path / "deep" / "a.json", "ü")
    assert members(tmp_path) == {"deep/a.json": "ü".encode()}
    before = os.umask(0)
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep" / "a.json").stat().st_mode) == 0o666 & ~before


def test_a_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_told_in_units_people_know(size: float, words: str) -> None:
    assert human_size(size) == words


@pytest.mark.parametrize(
    ("text", "size"), [("42", 42), ("300k", 300_000), ("1.5 MB", 1_500_000), ("2GB", 2_000_000_000), ("1GiB", 10**9)]
)
def test_a_size_is_read_as_people_type_it(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "huge", "-1", "1e9", "1 XB"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_size(text)
