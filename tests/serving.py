"""A generated project's own server, started for a test on a free port and stopped afterwards."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = Path(__file__).parent.parent / "template"
START_SECONDS = 60.0
STOP_SECONDS = 40.0


def made(into: Path, task: str) -> Path:
    """Return a trained project of the made-up table of the template's tests: every kind of column, awkward names."""
    from cookiecutter.generate import generate_context, generate_files

    context = generate_context(str(TEMPLATE / "cookiecutter.json"))
    generate_files(str(TEMPLATE), context, str(into), accept_hooks=False)
    project = into / "my-project"
    code = f"from pathlib import Path; from tests import made_up; made_up.project(Path('.'), {task!r})"
    for arguments in (["-c", code], ["-m", "my_project", "train"]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project / "src")},
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
    return project


@dataclass(frozen=True)
class Server:
    """A server that runs: where it listens, its process, and the file that its log goes to."""

    address: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def memory_megabytes(self) -> float | None:
        """Return what the process holds in memory, where the system tells it."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else None


@contextlib.contextmanager
def serving(project: Path, log: Path, **environment: str) -> Iterator[Server]:
    """Serve a trained project until the end of the block; variables of the environment as keywords."""
    (package,) = (path.name for path in (project / "src").iterdir() if (path / "api.py").exists())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-m", package, "serve", "--port", str(port)]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=project, env=variables, stderr=out, stdout=out) as process,
    ):
        server = Server(f"http://127.0.0.1:{port}", port, process, log)
        try:
            _until_ready(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(f"{server.address}/health/ready"):  # noqa: S310 - the server above
                return
        except OSError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                message = f"the server did not start: {server.log.read_text(encoding='utf-8')[-2000:]}"
                raise AssertionError(message) from None
            time.sleep(0.05)
