"""How fast one large file arrives from loopback, against curl in the same run, and the memory that it takes.

python benchmarks/downloading.py [--gigabytes 1] [--rounds 5] [--packed]

Two things are measured: the transfer alone, and the whole of `kaggle2app fetch` as a person runs it, from start to
the marker in the cache: looked up, brought, verified, unpacked where it comes packed. curl only brings; so a zip is
also measured against curl and then unzip, which do what the command does. `--packed` deflates the zip.

The two take turns, what one has written is deleted before the other begins, and the ratio told is the median of the
rounds: memory that a machine has just given back is much faster to write to than fresh memory.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from toolkit.transfer import Place, bring

BLOCK = 1 << 20


def make(path: Path, gigabytes: float) -> str:
    """Write a file of noise and return its MD5 as the storage sends it."""
    digest, block = hashlib.md5(usedforsecurity=False), os.urandom(BLOCK)
    with path.open("wb") as out:
        for _ in range(int(gigabytes * 1000)):
            out.write(block)
            digest.update(block)
    return base64.b64encode(digest.digest()).decode()


def md5_of(path: Path) -> str:
    """Return a file's MD5 as the storage sends it."""
    with path.open("rb") as stream:
        return base64.b64encode(hashlib.file_digest(stream, "md5").digest()).decode()


def serve(path: Path, checksum: str) -> int:
    """Serve the file from a process of its own and return the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            size = path.stat().st_size
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.send_header("ETag", '"one"')
            if checksum:
                self.send_header("x-goog-hash", f"md5={checksum}")
            self.end_headers()
            self.wfile.flush()
            with path.open("rb") as stream:
                sent = 0
                while sent < size:
                    sent += os.sendfile(self.connection.fileno(), stream.fileno(), sent, size - sent)

    return in_a_process(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def in_a_process(server: http.server.HTTPServer) -> int:
    """Let a server run in a process of its own, as long as this one lives, and return its port."""
    port = int(server.server_address[1])
    if os.fork() == 0:
        parent = os.getppid()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)
    server.server_close()
    return port


def timed_curl(url: str, target: Path) -> float:
    """Return the seconds that curl takes."""
    started = time.perf_counter()
    subprocess.run(["curl", "-s", "-S", "-f", "-o", str(target), url], check=True)  # noqa: S607 - whichever curl
    return time.perf_counter() - started


def timed_curl_and_unzip(url: str, folder: Path) -> float:
    """Return the seconds that curl and then unzip take."""
    started = time.perf_counter()
    timed_curl(url, folder / "archive.zip")
    subprocess.run(["unzip", "-q", "archive.zip"], check=True, cwd=folder)  # noqa: S607 - whichever unzip
    (folder / "archive.zip").unlink()
    return time.perf_counter() - started


def timed_bring(url: str, target: Path) -> float:
    """Return the seconds that we take, checksum included."""
    started = time.perf_counter()
    bring(lambda: Place(url=url), target, label="noise")
    return time.perf_counter() - started


FETCH = """
import sys
from kagglesdk import kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv[1]
from toolkit.cli import main
import resource
code = main(["fetch", "ann/noise"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def serve_api(url: str, size: int) -> int:
    """Answer for a dataset of one file that lies at ``url``, from a process of its own, and return the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            method = self.path.rsplit("/", 1)[-1]
            files = [{"name": "noise.csv", "totalBytes": size}]
            told = {
                "GetDataset": {"ref": "ann/noise", "title": "Noise", "currentVersionNumber": 1},
                "ListDatasetFiles": {"datasetFiles": files},
            }.get(method, {"info": {}})
            body = b"" if method == "DownloadDataset" else json.dumps(told).encode()
            self.send_response(302 if method == "DownloadDataset" else 200)
            if method == "DownloadDataset":
                self.send_header("Location", url)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        wbufsize = -1  # head and body in one: else each answer waits 40 ms for the other side's word on its head

    return in_a_process(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def timed_fetch(api: int, cache: Path) -> tuple[float, int]:
    """Return the seconds and the peak memory of the whole command."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", FETCH, f"http://127.0.0.1:{api}"],
        env={**os.environ, "KAGGLE2APP_CACHE": str(cache), "NO_PROXY": "*"},
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    return seconds, int(done.stderr.strip().splitlines()[-1])


def told(what: str, size: int, theirs: list[float], ours: list[float], *, other: str = "curl") -> str:
    """Return a line of rates and the median ratio of the rounds."""
    rates = [size / statistics.median(seconds) / 1e6 for seconds in (theirs, ours)]
    ratios = sorted(their / our for their, our in zip(theirs, ours, strict=True))
    line = f"{what}: {other} {rates[0]:.0f} MB/s, kaggle2app {rates[1]:.0f} MB/s"
    return f"{line}, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def measure_transfer(source: Path, checksum: str, rounds: int) -> None:
    """Print how the transfer alone compares."""
    folder, size = source.parent, source.stat().st_size
    for word, sent in (("transfer with checksum", checksum), ("transfer without", "")):
        url = f"http://127.0.0.1:{serve(source, sent)}/noise"
        theirs, ours = [], []
        for number in range(rounds):
            theirs.append(timed_curl(url, folder / "curl"))
            (folder / "curl").unlink()
            ours.append(timed_bring(url, folder / f"ours{number}"))
            for path in folder.glob("ours*"):
                path.unlink()
        print(told(word, size, theirs, ours))


def measure_fetch(what: str, path: Path, name: str, size: int, rounds: int) -> None:
    """Print how the whole command compares."""
    folder = path.parent
    url = f"http://127.0.0.1:{serve(path, md5_of(path))}/{name}"
    api = serve_api(url, size)
    theirs, both, ours, peaks = [], [], [], []
    for _ in range(rounds):
        theirs.append(timed_curl(url, folder / "curl"))
        (folder / "curl").unlink()
        seconds, peak = timed_fetch(api, folder / "cache")
        ours.append(seconds)
        peaks.append(peak)
        shutil.rmtree(folder / "cache")
        if name.endswith(".zip") and shutil.which("unzip"):
            (folder / "unzipped").mkdir()
            both.append(timed_curl_and_unzip(url, folder / "unzipped"))
            shutil.rmtree(folder / "unzipped")
    kilo = 1e6 if sys.platform == "darwin" else 1e3
    print(f"{told(what, path.stat().st_size, theirs, ours)}, peak memory {max(peaks) / kilo:.0f} MB")
    if both:
        print(told(what, path.stat().st_size, both, ours, other="curl and unzip"))


def main() -> None:
    """Print rates and their ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--gigabytes", type=float, default=1.0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--packed", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        checksum = make(source, asked.gigabytes)
        size = source.stat().st_size
        measure_transfer(source, checksum, asked.rounds)
        measure_fetch("fetch of a file", source, "noise.csv", size, asked.rounds)
        packed = Path(folder, "packed")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED if asked.packed else zipfile.ZIP_STORED) as zipped:
            zipped.write(source, "noise.csv")
        measure_fetch("fetch of a zip", packed, "archive.zip", size, asked.rounds)


if __name__ == "__main__":
    main()
