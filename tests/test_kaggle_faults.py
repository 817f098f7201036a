"""The fault table: each row ends complete and verified, or cleanly refused, and is whole at the next try.

Every row is one thing that goes wrong on the way. What is refused has a sentence, a hint and exit code 3 or 4, leaves
nothing that looks complete, and the same command brings it all once the fault is gone. Nothing is silently short.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kaggle_stub import Fault, Stub, archive
from kaggle_stub.answers import TOKEN

from toolkit import kaggle_download
from toolkit.errors import ToolkitError
from toolkit.files import sha256_of
from toolkit.handle import Handle
from toolkit.kaggle_api import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = b"number,word\n" + b"".join(b"%d,%x\n" % (number, number * 7_919_999_983) for number in range(20_000))
FILES = {"weather.csv": TABLE, "notes/read me.txt": b"hello\n", "notes/été 夏.csv": b"a\n1\n"}
MANY = {f"folder {number % 7}/größe {number}.txt": b"%d" % number for number in range(2000)}
HALF = len(archive(FILES)) // 2
ALWAYS = 99
REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True)
class Row:
    """What goes wrong, and how it ends: ``refused`` holds the errors that may be told, empty where all is mended."""

    faults: dict[str, list[Fault]]
    refused: str = ""
    files: dict[str, bytes] | None = None
    sent_as: str = ""  # the name under which one file comes alone
    body: bytes | None = None
    at: Callable[[Stub, pytest.MonkeyPatch], None] | None = None
    asked: str = "ann/weather"


def storage(*faults: Fault) -> dict[str, list[Fault]]:
    return {"storage": list(faults)}


def nobody_listens(_: Stub, patch: pytest.MonkeyPatch) -> None:
    from kagglesdk import kaggle_env

    patch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, "http://127.0.0.1:1")


def no_name_is_known(_: Stub, patch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    patch.setattr(socket, "getaddrinfo", nowhere)


def another_host(kaggle: Stub, _: pytest.MonkeyPatch) -> None:
    kaggle.faults["storage"] = [
        Fault("redirect", kaggle.link("elsewhere", archive(FILES)).replace("127.0.0.1", "localhost"))
    ]


def version_deleted(kaggle: Stub, _: pytest.MonkeyPatch) -> None:
    kaggle.datasets["ann/weather"].versions[3] = kaggle.datasets["ann/weather"].versions.pop(2)


ROWS: dict[str, Row] = {
    "cut body": Row(storage(Fault("cut", HALF))),
    "cut body without Content-Length": Row(storage(Fault("cut-unmeasured", HALF))),
    "resume answered 200": Row(storage(Fault("cut", HALF), Fault("ignore-range"))),
    "resume answered 206 wrong range": Row(storage(Fault("cut", HALF), Fault("wrong-range"))),
    "resume answered 416": Row(storage(Fault("cut", HALF), Fault("status", 416))),
    "resume answered 500": Row(storage(Fault("cut", HALF), Fault("status", 500))),
    "resume always answered 500": Row(storage(Fault("cut", HALF), *[Fault("status", 500)] * ALWAYS), "ServerError"),
    "changed ETag in between": Row(storage(Fault("cut", HALF), Fault("new-etag"))),
    "expired URL in between": Row(storage(Fault("cut", HALF), Fault("status", 403))),
    "URL never good": Row(storage(*[Fault("status", 403)] * ALWAYS), "PrivateError"),
    "wrong MD5": Row(storage(*[Fault("wrong-md5")] * ALWAYS), "DamagedError"),
    "wrong MD5 once": Row(storage(Fault("wrong-md5"))),
    "no MD5": Row(storage(*[Fault("no-md5")] * ALWAYS)),
    "429 with Retry-After": Row(storage(Fault("status", 429, headers={"Retry-After": "7"}))),
    "429 without Retry-After": Row(storage(Fault("status", 429))),
    "429 from the API": Row({"DownloadDataset": [Fault("status", 429, headers={"Retry-After": "7"})]}),
    "429 for hours": Row(storage(Fault("status", 429, headers={"Retry-After": "9999"})), "RateLimitError"),
    "500 thrice then good": Row(storage(*[Fault("status", 500)] * 3)),
    "500 thrice then good from the API": Row({"GetDataset": [Fault("status", 500)] * 3}),
    "a redirect to another host": Row({}, at=another_host),
    "slow drip": Row(storage(Fault("drip", HALF))),
    "silence": Row(storage(Fault("silence", 300.0))),
    "silence in the middle": Row(storage(Fault("stall", HALF))),
    "silence for good": Row(storage(*[Fault("silence", 300.0)] * ALWAYS), "NetworkError"),
    "refused": Row({}, "NetworkError", at=nobody_listens),
    "DNS failure": Row({}, "NetworkError", at=no_name_is_known),
    "a JSON file served as application/json": Row(
        storage(Fault("type", "application/json")),
        files={"data.json": b'{"code": 404, "message": "m"}'},
        sent_as="data.json",
    ),
    "a csv that is a zip": Row(
        {}, files={"weather.csv": TABLE}, sent_as="weather.csv", body=archive({"weather.csv": TABLE})
    ),
    "empty file": Row({}, files={"empty.csv": b""}, sent_as="empty.csv"),
    "empty file among others": Row({}, files={"empty.csv": b"", "a.csv": b"a\n1\n"}),
    "0-file dataset": Row({}, "DataError", files={}),
    "unicode and nested file names": Row({}, files={"日本/ü ber/a b.csv": b"a\n1\n", "x/y/z/😀.csv": b"b\n2\n"}),
    "2,000 small files": Row({}, files=MANY),
    "version deleted": Row({}, "VersionError", at=version_deleted, asked="ann/weather/2"),
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A Kaggle on loopback with one dataset; the person has a token."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    with Stub() as stub:
        stub.lead(monkeypatch)
        stub.add_dataset("ann/weather", {1: {"old.csv": b"a\n1\n"}, 2: dict(FILES)})
        yield stub


def fetch(asked: str, patience: Patience, *, offline: bool = False) -> dict[str, bytes]:
    """Return the files that arrived, their hashes checked."""
    download = kaggle_download.fetch(Handle.parse(asked), patience=patience, offline=offline)
    paths = {path.relative_to(download.root).as_posix(): path for path in download.root.rglob("*") if path.is_file()}
    assert {record.path: record.sha256 for record in download.files} == {
        name: sha256_of(path) for name, path in paths.items()
    }
    return {name: path.read_bytes() for name, path in paths.items()}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_each_fault_ends_whole_or_cleanly_refused(
    kaggle: Stub, monkeypatch: pytest.MonkeyPatch, cache: Path, row: Row
) -> None:
    files = FILES if row.files is None else row.files
    kaggle.datasets["ann/weather"].versions[2] = files
    if row.sent_as:
        body = row.body if row.body is not None else files[row.sent_as]
        monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link(f"x/{row.sent_as}", body))
    kaggle.faults.update(row.faults)
    waited: list[float] = []
    patience = Patience(connect_seconds=60, read_seconds=60, sleep=waited.append)
    if any(fault.kind in {"silence", "stall"} for faults in row.faults.values() for fault in faults):
        patience = replace(patience, read_seconds=1.0)
    with pytest.MonkeyPatch.context() as patch:
        if row.at:
            row.at(kaggle, patch)
        if not row.refused:
            assert fetch(row.asked, patience) == files
            kaggle.seen.clear()
            assert fetch(row.asked, patience, offline=True) == files
            assert kaggle.seen == []
            return
        with pytest.raises(ToolkitError) as caught:
            fetch(row.asked, patience)
    error = caught.value
    assert error.code in row.refused.split()
    assert error.exit_code in {3, 4}
    assert error.hint
    assert "\n" not in error.message
    assert "secret" not in json.dumps(error.to_json()), "a signed address is a key"
    assert not list(cache.rglob("complete"))
    kaggle.faults.clear()
    kaggle.datasets["ann/weather"].versions[2] = FILES
    assert fetch(row.asked, patience) == FILES


# Sudden ends and full disks, at any point. One process forks for every point, so that each costs milliseconds.

AT_POINTS = """
import errno, json, os, pathlib, signal, sys
from kagglesdk import KaggleClient, kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv[1]
base, deed = pathlib.Path(sys.argv[2]), sys.argv[3]
import pandas, requests
from toolkit import kaggle_download, search
from toolkit.errors import ToolkitError
from toolkit.files import sha256_of
from toolkit.handle import Handle
from toolkit.kaggle_api import Patience

CHANGES = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree",
           "tempfile.mkstemp", "tempfile.mkdtemp"}
state = {"count": 0, "at": None}

def watch(event, values):
    if event not in CHANGES or state["at"] is None:
        return
    names = [os.fsdecode(value) for value in values if isinstance(value, (str, bytes))]
    if not any(name.startswith(str(base)) for name in names):
        return
    if event == "open" and not (isinstance(values[2], int) and values[2] & (os.O_WRONLY | os.O_RDWR)):
        return
    state["count"] += 1
    if state["count"] < state["at"]:
        return
    if deed == "kill" and state["count"] == state["at"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "full" and event in {"open", "os.mkdir", "tempfile.mkstemp", "tempfile.mkdtemp"}:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

sys.addaudithook(watch)

def fetch(at):
    state.update(count=0, at=at)
    try:
        download = kaggle_download.fetch(Handle.parse("ann/weather"), patience=Patience(sleep=lambda _: None))
    except ToolkitError as error:
        return f"{error.code}: {error.message}"
    finally:
        state["at"] = None
    good = all(sha256_of(download.root / record.path) == record.sha256 for record in download.files)
    return f"{len(download.files)} files, {'whole' if good else 'damaged'}"

def forked(at, cache):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ["KAGGLE2APP_CACHE"] = str(cache)
        told = f"{fetch(at)}|{state['count']}"
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    return told if status == 0 else f"ended by {os.WTERMSIG(status)}|0"

points = int(forked(10**9, base / "uninterrupted").rpartition("|")[2])
ends = {}
for at in range(1, points + 1, int(sys.argv[4])):
    cache = base / str(at)
    first = forked(at, cache).rpartition("|")[0]
    complete = len(list(cache.rglob("complete"))) if first.startswith(("ended", "SpaceError")) else 0
    again = forked(10**9, cache).rpartition("|")[0]
    ends[at] = [first, complete, again]
print(json.dumps(ends))
"""


def at_points(kaggle: Stub, base: Path, deed: str, *, step: int) -> dict[str, tuple[str, int, str]]:
    """Return for every ``step``-th change on disk how the fetch ended that met the deed there.

    With it come the number of things that lay complete then, and how the next fetch ended.
    """
    done = subprocess.run(
        [sys.executable, "-c", AT_POINTS, kaggle.api, str(base), deed, str(step)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    ends: dict[str, tuple[str, int, str]] = json.loads(done.stdout)
    assert len(ends) > 10
    return ends


def test_a_kill_at_any_point_leaves_what_the_next_run_makes_whole(kaggle: Stub, tmp_path: Path) -> None:
    for point, (first, complete, again) in at_points(kaggle, tmp_path / "work", "kill", step=2).items():
        assert first in {"ended by 9", "3 files, whole"}, (point, first)  # the last points are not always reached
        assert complete in {0, 1}, point  # one: it came after the marker, with only tidying left
        assert again == "3 files, whole", point


def test_a_disk_full_at_any_point_is_told_and_the_next_run_makes_whole(kaggle: Stub, tmp_path: Path) -> None:
    for point, (first, complete, again) in at_points(kaggle, tmp_path / "work", "full", step=3).items():
        assert first.startswith("SpaceError: ") or first == "3 files, whole", (point, first)
        assert complete == 0, point
        assert again == "3 files, whole", point
