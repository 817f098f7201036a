"""How fast one large file arrives from loopback, against curl in the same run, and the memory that it takes.

python benchmarks/downloading.py [--gigabytes 1] [--rounds 3]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
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

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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


def timed_bring(url: str, target: Path) -> float:
    """Return the seconds that we take, checksum included."""
    started = time.perf_counter()
    bring(lambda: Place(url=url), target, label="noise")
    return time.perf_counter() - started


def main() -> None:
    """Print rates and their ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--gigabytes", type=float, default=1.0)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        checksum = make(source, asked.gigabytes)
        size = source.stat().st_size
        for word, sent in (("with checksum", checksum), ("without", "")):
            url = f"http://127.0.0.1:{serve(source, sent)}/noise"
            curls, ours = [], []
            for number in range(asked.rounds):
                curls.append(timed_curl(url, Path(folder, "curl")))
                target = Path(folder, f"ours{number}{word}")
                ours.append(timed_bring(url, target))
                target.unlink()
            best = min(curls) / min(ours)
            rates = f"curl {size / min(curls) / 1e6:.0f} MB/s, kaggle2app {size / min(ours) / 1e6:.0f} MB/s"
            print(f"{word}: {rates}, ratio {best:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory {peak / (1e6 if sys.platform == 'darwin' else 1e3):.0f} MB")


if __name__ == "__main__":
    main()
