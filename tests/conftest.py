"""What every test stands on: no network beyond this machine, no files of the person who runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

# The same examples each time, so that a red run means a change did it; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.register_profile("search", print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

REPOSITORY = Path(__file__).parent.parent
DATASETS = REPOSITORY.parent / "shared" / "datasets"


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the object on standard output."""
        return json.loads(self.out)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home folder for the whole run: font caches are made once, the person's own files are never seen."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in {socket.AF_INET, socket.AF_INET6} and host not in {"127.0.0.1", "::1", "localhost"}:
            message = f"a test tried to reach {host}"
            raise AssertionError(message)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def kaggle2app(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process, as a shell would call it."""
    from toolkit.cli import main

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        wrote = capsys.readouterr()
        return Outcome(code=code, out=wrote.out, err=wrote.err)

    return run


@pytest.fixture
def datasets() -> Path:
    """The folder of real data sets, where it is at hand."""
    if not DATASETS.is_dir():
        pytest.skip(f"the real data sets are not at {DATASETS}")
    return DATASETS


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Outcome:
    """One project made by `kaggle2app new sample:iris --json`; do not change it."""
    into = tmp_path_factory.mktemp("made")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "toolkit",
            "new",
            "sample:iris",
            "--yes",
            "--into",
            str(into),
            "--seconds",
            "20",
            "--json",
        ],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(home), "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="session")
def built_project(built: Outcome) -> Path:
    """The folder of the project that `built` made."""
    return Path(built.json["project"])
