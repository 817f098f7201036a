"""The two servers of the stub: the API answers with JSON and redirects, the storage with bytes, both with faults."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from kaggle_stub.answers import Answers, Refused
from kaggle_stub.content import Fault, Seen

if TYPE_CHECKING:
    import pytest

MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"
CHUNK_BYTES = 10_000
STALL_SECONDS = 300.0  # longer than any test


class Stub(Answers):
    """Both servers and what they hold; use as a context manager."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.faults: dict[str, list[Fault]] = {}
        self.signature = 1  # an address signed with another one has expired
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._servers = [_Server(("127.0.0.1", 0), handler) for handler in (_Api, _Storage)]
        for server in self._servers:
            server.stub = self
        self.api, self.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def lead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lead the real client here instead of to Kaggle."""
        from kagglesdk import kaggle_env

        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, self.api)

    def calls(self, place: str = "api") -> list[str]:
        """Return the methods (or paths) of the requests that came to ``api`` or ``storage``."""
        return [seen.call for seen in self.seen if seen.place == place]

    def link(self, name: str, content: bytes) -> str:
        """Return a signed address of the storage that gives these bytes."""
        self.stored[name] = content
        return f"{self.storage}/{quote(name)}?X-Goog-Signature=secret{self.signature}&X-Goog-Expires=259200"

    def upload_base(self) -> str:
        return self.storage

    def expire(self) -> None:
        """Make every signed address so far invalid."""
        self.signature += 1

    def next_fault(self, *places: str) -> Fault | None:
        """Return the next fault for the first of these places that has one."""
        with self._lock:
            for place in places:
                if self.faults.get(place):
                    return self.faults[place].pop(0)
        return None

    def note(self, place: str, call: str, headers: dict[str, str], body: dict[str, Any]) -> None:
        with self._lock:
            self.seen.append(Seen(place, call, headers, body))

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the stub runs."""
        self._over.wait(seconds)


class _Server(http.server.ThreadingHTTPServer):
    stub: Stub
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the play."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def stub(self) -> Stub:
        return self.server.stub

    def small_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_fault(self, fault: Fault) -> bool:
        """Do what the fault says in place of an answer; return whether it did."""
        match fault.kind:
            case "status":
                told = fault.body if fault.body is not None else {"code": fault.value, "message": "a scripted fault"}
                self.send(fault.value, json.dumps(told).encode(), {"Content-Type": "application/json", **fault.headers})
            case "redirect":
                self.send(302, b"", {"Location": fault.value})
            case "silence":
                self.stub.wait(fault.value)
                self.close_connection = True
            case "raw":
                self.wfile.write(fault.value)
                self.close_connection = True
            case "hang-up":
                self.close_connection = True
            case _:
                return False
        return True


class _Api(_Handler):
    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw or b"{}")
        method = self.path.rsplit("/", 1)[-1]
        self.stub.note("api", method, self.small_headers(), body)
        fault = self.stub.next_fault(method, "api")
        if fault and fault.kind == "body":
            return self.send(200, json.dumps(fault.value).encode(), {"Content-Type": "application/json"})
        if fault and fault.kind == "file":
            return self.send(200, fault.value, {"Content-Type": "application/json"})
        if fault and fault.kind == "drip":
            self.send(200, b"", {"Content-Type": "application/json", "Content-Length": "10000"})
            return self._drip(fault.value)
        if fault and self.send_fault(fault):
            return None
        try:
            self.stub.sign_in(self.headers.get("Authorization"))
            told = self.stub.answer(method, body)
        except Refused as refused:
            problem = {"code": refused.status, "message": refused.message}
            return self.send(refused.status, json.dumps(problem).encode(), {"Content-Type": "application/json"})
        if fault and fault.kind == "lost":
            self.close_connection = True
            return None
        if fault and fault.kind == "unnumbered" and isinstance(told, dict):
            told = {name: value for name, value in told.items() if name != "ref"}
        if isinstance(told, str):
            return self.send(302, b"", {"Location": told, "Content-Type": "text/html"})
        return self.send(200, json.dumps(told).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _drip(self, size: int) -> None:
        """Send an object that goes on and on."""
        for piece in [b"{", *[b" "] * 9998]:
            self.wfile.write(piece)
            self.stub.wait(1 / size)
        self.close_connection = True


class _Storage(_Handler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.stub.note("storage", self.path, self.small_headers(), {})
        fault = self.stub.next_fault("upload")
        if fault and self.send_fault(fault):
            return
        self.stub.uploads[urlsplit(self.path).path.strip("/")] = body
        self.send(200, b"", {})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.stub.note("storage", self.path, self.small_headers(), {})
        name = unquote(address.path).rsplit("/", 1)[-1]
        fault = self.stub.next_fault(name, "storage") or Fault("type", "application/octet-stream")
        if self.send_fault(fault):
            return
        signed = parse_qs(address.query).get("X-Goog-Signature", [""])[0]
        if signed != f"secret{self.stub.signature}":
            self.send(403, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "application/xml"})
            return
        content = self.stub.stored_at(address.path)
        if content is None:
            self.send(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"})
            return
        self._send_file(content, fault)

    def _send_file(self, content: bytes, fault: Fault) -> None:
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        etag = f'"{digest.hex()}"' if not fault.has("new-etag") else f'"new{time.monotonic_ns()}"'
        headers = {"Accept-Ranges": "bytes", "ETag": etag, "Last-Modified": MODIFIED}
        if fault.has("gzip", "gzip-stored"):
            content = gzip.compress(content, mtime=0)
            headers["Content-Encoding"] = "gzip"
            digest = hashlib.md5(content, usedforsecurity=False).digest() if fault.has("gzip-stored") else digest
        start = self._range_start(len(content), etag, fault)
        if start is not None and start >= len(content):
            self.send(416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
            return
        whole = start is None and not fault.has("part")
        first = start or 0
        shifted = max(0, first - 7) if fault.has("wrong-range") else first
        end = min(len(content), shifted + fault.value) if fault.kind == "short-parts" else len(content)
        part = memoryview(content)[shifted:end]
        self.send_response(200 if whole else 206)
        if not whole:
            headers["Content-Range"] = f"bytes {shifted}-{end - 1}/{len(content)}"
        if fault.has("no-etag"):
            headers.pop("ETag")
            headers.pop("Last-Modified")
        headers["Content-Type"] = fault.value if fault.kind == "type" else "application/octet-stream"
        if fault.has("chunked", "cut-chunked"):
            headers["Transfer-Encoding"] = "chunked"
        elif fault.has("cut-unmeasured", "unmeasured"):
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(len(part))
        told = hashlib.md5(b"other", usedforsecurity=False).digest() if fault.has("wrong-md5") else digest
        sums = ["crc32c=AAAAAA==", f"md5={base64.b64encode(told).decode()}"]
        if fault.has("odd-headers"):
            del headers["Accept-Ranges"], headers["Content-Type"], headers["Last-Modified"]
            headers = {name.lower(): value for name, value in headers.items()}
            sums = [",".join(reversed(sums))]
        for name, value in headers.items():
            self.send_header(name, value)
        for told_sum in sums if not fault.has("no-md5") else []:
            self.send_header("x-goog-hash", told_sum)
        self.end_headers()
        self._send_body(part, fault)

    def _range_start(self, size: int, etag: str, fault: Fault) -> int | None:
        """Return where a resumption begins, ``None`` when the whole file is to be sent."""
        asked = self.headers.get("Range", "")
        condition = self.headers.get("If-Range")
        if not asked.startswith("bytes=") or fault.has("ignore-range"):
            return None
        if condition is not None and condition not in {etag, MODIFIED}:
            return None
        first = asked.removeprefix("bytes=").split("-")[0]
        return min(int(first), size) if first.isdigit() else None

    def _send_body(self, part: memoryview, fault: Fault) -> None:
        if fault.kind in {"chunked", "cut-chunked"}:
            for place in range(0, len(part) if fault.kind == "chunked" else fault.value, CHUNK_BYTES):
                piece = part[place : place + CHUNK_BYTES]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if fault.kind == "chunked":
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True
            return
        if fault.kind in {"cut", "cut-unmeasured"}:
            self.wfile.write(part[: fault.value])
            self.close_connection = True
            return
        if fault.kind == "stall":
            self.wfile.write(part[: fault.value])
            self.stub.wait(STALL_SECONDS)
            self.close_connection = True
            return
        if fault.kind == "drip":
            for place in range(0, len(part), max(1, fault.value // 10)):
                self.wfile.write(part[place : place + max(1, fault.value // 10)])
                self.stub.wait(0.1)
            return
        self.wfile.write(part)
        if fault.kind == "unmeasured":
            self.close_connection = True
