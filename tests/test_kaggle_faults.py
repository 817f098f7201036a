"""The fault table: each row ends complete and verified, or cleanly refused, and is whole at the next try.

Every row is one thing that goes wrong on the way. What is refused has a sentence, a hint and exit code 3 or 4, leaves
nothing that looks complete, and the same command brings it all once the fault is gone. Nothing is silently short.
"""

from __future__ import annotations

import base64
import hashlib
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


BUNDLE = archive(FILES)
PAGE = b"<html>sign in</html>"
MD5 = base64.b64encode(hashlib.md5(BUNDLE, usedforsecurity=False).digest()).decode()
GOOD = f'200 OK\nETag: "one"\nx-goog-hash: md5={MD5}\n'


def raw(head: str, body: bytes = b"") -> Fault:
    """Return an answer as it goes over the wire."""
    return Fault("raw", f"HTTP/1.1 {head.strip()}\n\n".replace("\n", "\r\n").encode() + body)


def chunks(body: bytes) -> bytes:
    pieces = (body[place : place + 5000] for place in range(0, len(body), 5000))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def leading_to(address: str) -> dict[str, list[Fault]]:
    return storage(*[raw(f"302 Found\nLocation: {address}\nContent-Length: 0")] * ALWAYS)


def from_api(*faults: Fault) -> dict[str, list[Fault]]:
    return {"DownloadDataset": list(faults)}


def round_and_round(kaggle: Stub, _: pytest.MonkeyPatch) -> None:
    kaggle.faults["storage"] = [Fault("redirect", kaggle.link("x/archive.zip", BUNDLE))] * 200


# What no honest server sends.
ODD: dict[str, Row] = {
    "garbage after the last chunk": Row(
        storage(raw(f"{GOOD}Transfer-Encoding: chunked", chunks(BUNDLE) + b"0\r\n\r\n" + b"GARBAGE" * 9))
    ),
    "a chunk of no length": Row(storage(raw(f"{GOOD}Transfer-Encoding: chunked", chunks(BUNDLE)[:9000] + b"zz\r\nxx"))),
    "a chunk of negative length": Row(storage(raw(f"{GOOD}Transfer-Encoding: chunked", b"-5\r\nxx"))),
    "a length and chunks": Row(
        storage(raw(f"{GOOD}Content-Length: 5\nTransfer-Encoding: chunked", chunks(BUNDLE) + b"0\r\n\r\n"))
    ),
    "more than was told": Row(storage(raw(f"{GOOD}Content-Length: {len(BUNDLE)}", BUNDLE + b"MORE" * 1000))),
    "a negative length": Row(storage(raw(f"{GOOD}Content-Length: -5", BUNDLE))),
    "a length that is none": Row(storage(raw(f"{GOOD}Content-Length: abc", BUNDLE))),
    "a length that no disk has": Row(storage(raw(f"{GOOD}Content-Length: {'9' * 22}", BUNDLE)), "SpaceError"),
    "nothing, and no checksum": Row(storage(*[raw("200 OK\nContent-Length: 0")] * ALWAYS), "DamagedError"),
    "nothing, and a checksum": Row(storage(raw(f"{GOOD}Content-Length: 0"))),
    "206 of another total": Row(
        storage(
            Fault("cut", HALF),
            raw(
                f'206 Part\nETag: "one"\nContent-Range: bytes {HALF}-{len(BUNDLE) - 1}/999999999\n'
                f"Content-Length: {len(BUNDLE) - HALF}",
                BUNDLE[HALF:],
            ),
        )
    ),
    "206 without a range": Row(
        storage(Fault("cut", HALF), raw(f"206 Part\nContent-Length: {len(BUNDLE) - HALF}", BUNDLE[HALF:]))
    ),
    "206 of a range that no file has": Row(
        storage(raw(f"206 Part\nContent-Range: bytes {'9' * 20}-{'9' * 21}/{'9' * 22}\nContent-Length: 3", b"abc"))
    ),
    "redirects in a circle": Row({}, "ServerError", at=round_and_round),
    "a redirect that leads nowhere": Row(storage(raw("302 Found\nContent-Length: 0")), "ServerError"),
    "a redirect to a file of this machine": Row(leading_to("file:///etc/passwd"), "ServerError"),
    "a redirect to another protocol": Row(leading_to("ftp://127.0.0.1/a"), "ServerError"),
    "a redirect to no address": Row(leading_to("http://[::bad"), "ServerError"),
    "a redirect to a name that is too long": Row(leading_to(f"http://{'a' * 300}.com/x"), "ServerError"),
    "a redirect to a port that is none": Row(leading_to("http://127.0.0.1:99999/x"), "ServerError"),
    "204": Row(storage(raw("204 No Content")), "ServerError"),
    "no HTTP": Row(storage(Fault("raw", b"\x16\x03\x01\x02" * 100))),
    "500 headers": Row(storage(raw(GOOD + "".join(f"X-{number}: 1\n" for number in range(500))))),
    "a checksum that is none": Row(
        storage(raw(f"200 OK\nContent-Length: {len(BUNDLE)}\nx-goog-hash: md5=!!!!", BUNDLE))
    ),
    "packed as nobody asked for": Row(
        storage(*[raw(f"200 OK\nContent-Length: {len(BUNDLE)}\nContent-Encoding: br", BUNDLE)] * ALWAYS),
        "DamagedError",
    ),
    "not packed, though it says so": Row(
        storage(raw(f"200 OK\nContent-Length: {len(BUNDLE)}\nContent-Encoding: gzip", BUNDLE))
    ),
    "a page to sign in": Row(
        storage(raw("200 OK\nContent-Type: text/html; charset=utf-8\nContent-Length: 13", b"<html></html>")),
        "NetworkError",
    ),
    "a page to sign in from the API": Row(
        from_api(raw(f"200 OK\nContent-Type: text/html\nContent-Length: {len(PAGE)}", PAGE)),
        "NetworkError",
        files={"a.csv": b"a\n1\n"},
    ),
    "nothing from the API": Row(from_api(raw("200 OK\nContent-Length: 0")), "DamagedError"),
    "one file from the API where there are several": Row(
        from_api(raw("200 OK\nContent-Length: 4", b"a\n1\n")), "DamagedError"
    ),
    "the file itself from the API": Row(
        from_api(raw("200 OK\nContent-Length: 4", b"a\n1\n")), files={"a.csv": b"a\n1\n"}
    ),
    "a redirect of the API without an address": Row(from_api(raw("302 Found\nContent-Length: 0")), "ServerError"),
    "a redirect of the API to no address": Row(
        from_api(raw("302 Found\nLocation: http://[::bad\nContent-Length: 0")), "ServerError"
    ),
    **{
        f"Retry-After: {odd}": Row(storage(Fault("status", 429, headers={"Retry-After": odd})))
        for odd in ("-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "nan")
    },
}

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
    **ODD,
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
