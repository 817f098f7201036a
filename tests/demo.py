"""What `make demo` shows: a project is made of real data, served, asked once, and stopped."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS_MAX = 60.0


def main() -> int:
    """Run the demonstration and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args()
    shutil.rmtree(asked.into, ignore_errors=True)
    command = ["new", asked.source, "--offline", "--yes", "--into", str(asked.into)]
    tell(f"kaggle2app {' '.join(command)}")
    made = subprocess.run([sys.executable, "-m", "toolkit", *command], check=False)
    if made.returncode:
        return made.returncode
    project = next(path for path in sorted(asked.into.iterdir()) if (path / "pyproject.toml").is_file())
    package = next((project / "src").glob("*/__main__.py")).parent.name
    with served(project, package) as address:
        tell(f"{project.name} serve   (at {address})")
        tell(f"curl -H 'content-type: application/json' -d @{project}/model/example.json {address}/predict")
        answer = call(f"{address}/predict", (project / "model" / "example.json").read_bytes())
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    tell("stopped")
    print(
        f"\nMade: {project}, a tested application that serves its model. Look into README.md and MODEL_CARD.md there."
    )
    print("Next:")
    print(f"  cd {project} && make serve          # its own environment, then the page at http://127.0.0.1:8000")
    print("  .venv/bin/kaggle2app inspect YOUR.csv")
    print("  .venv/bin/kaggle2app new YOUR.csv --into ~/projects")
    return 0


@contextmanager
def served(project: Path, package: str) -> Iterator[str]:
    """Give the address of the project's own server, ready to answer; it is stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", package, "serve", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as server:
        try:
            wait_until_ready(address, server)
            yield address
        finally:
            server.terminate()
            try:
                server.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_until_ready(address: str, server: subprocess.Popen[str]) -> None:
    """Return once the server answers; end the demonstration when it does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    server.kill()
    output = server.communicate()[0]
    sys.exit(f"error: the server did not become ready\n{output}")


def call(address: str, body: bytes) -> Any:
    """Return the JSON that a POST of ``body`` answers."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def tell(line: str) -> None:
    """Print a line as a shell would show a command."""
    print(f"\n$ {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
