"""A made project's server, from outside: its own description put to the test, and every kind of request at once."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from serving import made, serving
from soak import GROWTH_MEGABYTES_MAX, RELOAD_EVERY_SECONDS, soak

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
KEY = "a key that is long enough"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "15")
# OpenAPI cannot say what a CSV file must hold, so text that is no such table is refused in spite of "a string".
CONFIGURATION = """
[[operations]]
include-path = "/predict/file"
[operations.checks]
positive_data_acceptance.enabled = false
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a trained project of a made-up table; do not change it."""
    return made(tmp_path_factory.mktemp("served"), "binary")


@pytest.mark.parametrize("keys", ["", KEY], ids=["open", "with keys"])
@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed (`pip install .[test]`)")
def test_the_api_is_as_its_openapi_document_says(project: Path, tmp_path: Path, keys: str) -> None:
    """Schemathesis with all its checks: examples, boundaries, and requests that nobody thought of."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, encoding="utf-8")
    with serving(project, tmp_path / "log", API_KEYS=keys) as server:
        options = ["--seed", "1", "--max-examples", EXAMPLES, "--no-color"]
        if keys:
            options += ["--header", f"X-API-Key: {keys}"]
        command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
        done = subprocess.run(
            [*command, f"{server.address}/openapi.json", *options],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout
    assert '"level": "error"' not in (tmp_path / "log").read_text(encoding="utf-8")


def test_every_kind_of_request_at_once_gets_its_own_answer_while_models_change(project: Path, tmp_path: Path) -> None:
    """SOAK_SECONDS sets how long; `make soak` is an hour of it."""
    soaked = tmp_path / "soaked"
    shutil.copytree(project, soaked)
    found = soak(soaked, seconds=SECONDS, log=tmp_path / "log")
    assert found.faults == []
    assert len(found.requests) == 9
    assert min(found.requests.values()) >= 3
    assert found.reloads >= min(1, SECONDS // (4 * RELOAD_EVERY_SECONDS))
    assert found.growth < GROWTH_MEGABYTES_MAX


def test_the_served_process_is_small_and_logs_json(project: Path, tmp_path: Path) -> None:
    with serving(project, tmp_path / "log") as server:
        body = (project / "model" / "example.json").read_bytes()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for path in ("/predict", "/explain"):
            connection.request("POST", path, body, {"content-type": "application/json"})
            assert connection.getresponse().read()
        connection.request("POST", "/predict", b"{", {"content-type": "application/json", "x-request-id": "wrong-1"})
        assert connection.getresponse().read()
        connection.close()
        held = server.memory_megabytes()
        assert held is None or held < 130
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert [line["request_id"] for line in lines if "request_id" in line] == ["wrong-1"]
    assert "stopped" in {line["message"] for line in lines}
