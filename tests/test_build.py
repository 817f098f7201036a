"""A project appears only when it was trained and passed its own tests; otherwise nothing does."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from toolkit.building import environment, run
from toolkit.project import CACHES, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

REPOSITORY = Path(__file__).parent.parent
STEPS = ["fetch", "read", "describe", "infer", "plan", "render", "train", "test"]


def started(into: Path, *options: str, **more: Callable[[], None]) -> subprocess.Popen[str]:
    """Start `kaggle2app new` in a process of its own."""
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-m", "toolkit", "new", "sample:iris", "--yes", "--into", str(into), "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        **more,  # type: ignore[call-overload]  # preexec_fn, where a test gives one
    )
    return process


def processes_below(folder: Path) -> list[str]:
    """Return the command lines of running processes that work inside a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = (process / "cwd").readlink()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(command)
    return found


def assert_nothing_runs_below(folder: Path) -> None:
    """Wait for the system to take away what was told to end: on a busy machine that takes a while."""
    for _ in range(600):
        if not processes_below(folder):
            return
        time.sleep(0.1)
    assert processes_below(folder) == []


@pytest.mark.slow
def test_new_makes_a_tested_project_and_tells_what_it_decided(built: Outcome, built_project: Path) -> None:
    told = built.json
    assert told["project"] == str(built_project)
    assert list(told["seconds"]) == [*STEPS, "total"]
    assert told["tests"]["failed"] == 0
    assert told["tests"]["passed"] > 20
    metric = told["metric"]
    assert told["metrics"][metric]["value"] > told["baseline"][metric]["value"]
    assert len(told["next"]) == 3
    assert all({"what", "choice", "why", "overrule"} <= set(decision) for decision in told["decisions"])


@pytest.mark.slow
def test_the_finished_project_holds_what_the_dry_run_promised(
    built_project: Path, kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    promised = set(kaggle2app("new", "sample:iris", "--yes", "--into", tmp_path, "--dry-run", "--json").json["files"])
    found = {path.relative_to(built_project).as_posix() for path in built_project.rglob("*") if path.is_file()}
    assert found == promised
    assert not [path for path in built_project.rglob("*") if path.name in CACHES]


@pytest.mark.slow
def test_nothing_but_the_project_is_left_beside_it(built_project: Path) -> None:
    assert list(built_project.parent.iterdir()) == [built_project]


@pytest.mark.slow
def test_the_summary_for_people_says_score_place_and_next_step(
    kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    told = kaggle2app(
        "new", "sample:breast-cancer", "--yes", "--into", tmp_path, "--no-tests", "--seconds", "1", "--name", "mine"
    )
    assert told.code == 0, told.err
    assert "a constant guess" in told.out
    assert str(tmp_path / "mine") in told.out
    assert "its tests were not run" in told.out
    assert told.out.count("\n  ") >= 3
    assert "to change it" in told.out
    assert [line.split()[0] for line in told.err.splitlines()] == STEPS[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["at once", "rendering", "training", "testing"])
def test_an_interruption_leaves_neither_folder_nor_process(moment: str, tmp_path: Path) -> None:
    into = tmp_path / "place"
    with started(into) as process:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and process.poll() is None:
            if moment == "at once":
                time.sleep(0.6)
                break
            if moment == "rendering" and list(into.glob(".*")):
                break
            if moment == "training" and any(" train" in command for command in processes_below(into)):
                break
            if moment == "testing" and any("pytest" in command for command in processes_below(into)):
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    assert "Traceback" not in err
    assert not into.exists()
    assert_nothing_runs_below(tmp_path)


def test_an_interruption_while_a_class_is_made_has_the_same_exit_code(tmp_path: Path) -> None:
    """CPython ends by the signal itself when a bare ``KeyboardInterrupt`` crossed an ``exec``, caught or not."""
    (tmp_path / "interrupted.py").write_text(
        "import sys\n"
        "from toolkit import cli\n"
        "cli.app = lambda *_, **__: exec('import os, signal; os.kill(os.getpid(), signal.SIGINT)')\n"
        "sys.exit(cli.main(['doctor']))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        130,
        "error: interrupted; nothing half-made was left behind",
    )


@pytest.mark.slow
def test_a_request_to_end_is_obeyed_like_an_interruption(tmp_path: Path) -> None:
    into = tmp_path / "place"
    with started(into) as process:
        while process.poll() is None and not any(" train" in command for command in processes_below(into)):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    assert process.returncode == 143
    assert not into.exists()
    assert_nothing_runs_below(tmp_path)


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: writing fails in the same place with a like error."""
    into = tmp_path / "place"
    limit = 20_000
    with started(into, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 6, err
    assert "space" in json.loads(out)["error"]["message"]
    assert not into.exists()


@pytest.mark.slow
def test_failing_tests_of_the_project_keep_it_from_appearing(
    kaggle2app: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit import project

    rendered = project._write_data

    def with_a_failing_test(path: Path, *rest: object) -> None:
        rendered(path, *rest)  # type: ignore[arg-type]  # passed on as they came
        (path / "tests" / "test_wrong.py").write_text("def test_wrong() -> None:\n    assert not 1\n", encoding="utf-8")

    monkeypatch.setattr(project, "_write_data", with_a_failing_test)
    told = kaggle2app("new", "sample:iris", "--yes", "--into", tmp_path / "place", "--json", "--seconds", "1")
    assert told.code == 6
    assert told.json["error"]["kind"] == "BuildError"
    assert "test_wrong" in told.json["error"]["message"]
    assert not (tmp_path / "place").exists()


def test_a_failing_training_says_why(
    kaggle2app: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit import project

    rendered = project._write_data

    def with_a_broken_plan(path: Path, *rest: object) -> None:
        rendered(path, *rest)  # type: ignore[arg-type]  # passed on as they came
        (path / "data" / "train.csv").unlink()

    monkeypatch.setattr(project, "_write_data", with_a_broken_plan)
    told = kaggle2app("new", "sample:iris", "--yes", "--into", tmp_path / "place", "--json")
    assert told.code == 6
    assert "train.csv" in told.json["error"]["message"]
    assert "Traceback" not in told.json["error"]["message"]
    assert not (tmp_path / "place").exists()


def test_commands_of_a_project_see_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "planted-token")
    monkeypatch.setenv("SOME_PASSWORD", "planted-token")
    project = Project(path=tmp_path, slug="x", package="x", title="x")
    assert "planted-token" not in environment(project).values()
    ran = run(project, [sys.executable, "-c", "import os; print(dict(os.environ))"], say=lambda line: None)
    assert "planted-token" not in "".join(ran.lines)


def test_a_command_does_not_outlive_the_one_who_asked(tmp_path: Path) -> None:
    project = Project(path=tmp_path, slug="x", package="x", title="x")
    script = (
        "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('ready', flush=True); time.sleep(60)"
    )

    def leave(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, [sys.executable, "-c", script], say=leave)
    time.sleep(0.1)
    assert_nothing_runs_below(tmp_path)


@pytest.mark.slow
def test_the_demo_ends_with_an_answer_of_the_served_application(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests" / "demo.py"), "sample:iris", "--into", str(tmp_path / "demo")],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    assert '"predictions"' in done.stdout
    assert "$ stopped" in done.stdout
    assert done.stdout.count("\n  ") >= 3
    assert_nothing_runs_below(tmp_path)
