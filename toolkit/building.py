"""A rendered ``Project`` becomes a ``Build``: its own commands train and test it, in processes of their own.

Nothing here knows how a model is made: the project's ``train`` and its tests do. This module runs them, tells what they
say and moves the folder into place only when both have passed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET  # the file is our own pytest's

from toolkit.errors import BuildError, ProjectError
from toolkit.project import CACHES, Project, check_free, default_name, disk_errors_told, names, render
from toolkit.records import Record
from toolkit.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.contents import Contents
    from toolkit.plan import Plan
    from toolkit.profile import Profile

# What a child process inherits; everything else (tokens, proxies with passwords, PYTHON* settings) stays here.
ENVIRONMENT_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE", "TZ")
ENVIRONMENT_PREFIXES_KEPT = ("OMP_", "OPENBLAS_", "MKL_")
END_SECONDS = 3.0  # between asking a child to end and making it
TOLD_LINES_MAX = 12
FAILED_NAMES_MAX = 3


@dataclass(frozen=True)
class TestCounts(Record):
    """How the project's own tests went; ``failures`` are the names of those that failed."""

    passed: int
    failed: int
    skipped: int
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran(Record):
    """A finished command: its exit code and every line it wrote."""

    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Build(Record):
    """A trained project: its scores (``model/metrics.json``), its tests' result, seconds per step."""

    project: Project
    metrics: dict[str, Any]
    tests: TestCounts | None
    seconds: dict[str, float] = field(default_factory=dict)


def create(
    plan: Plan,
    schema: dict[str, Any],
    profile: Profile,
    contents: Contents,
    *,
    into: Path,
    name: str | None = None,
    author: str = "",
    tests: bool = True,
    steps: Steps | None = None,
) -> Build:
    """Render, train and test a project, and only then let it appear as a folder in ``into``.

    The work is done in a hidden folder beside its place, which is gone after any failure or interruption.
    ``ProjectError`` when the place is taken or cannot be written, ``BuildError`` when training or a test fails.
    """
    steps = steps or Steps()
    slug = names(default_name(contents.provenance) if name is None else name).slug

    def make(stage: Path) -> Build:
        with steps("render"):
            project = render(plan, schema, profile, contents, into=stage, name=name, author=author)
        return build(project, tests=tests, steps=steps)

    return appear(into.absolute() / slug, make, steps=steps)


def appear(path: Path, make: Callable[[Path], Build], *, steps: Steps) -> Build:
    """Let ``make`` work in a hidden folder beside ``path``, and move the project it made there when it is done.

    The hidden folder is gone after any failure or interruption, and so are parents of ``path`` that were made for it.
    """
    check_free(path)
    with disk_errors_told(path):
        made = _make_folders(path.parent)
        try:
            stage = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
            try:
                built = make(stage)
                project = built.project
                check_free(path)
                if path.exists():
                    path.rmdir()
                project.path.rename(path)
            finally:
                shutil.rmtree(stage, ignore_errors=True)
        except BaseException:
            for folder in made:
                if not any(folder.iterdir()):
                    folder.rmdir()
            raise
    placed = Project(path=path, slug=project.slug, package=project.package, title=project.title)
    return Build(project=placed, metrics=built.metrics, tests=built.tests, seconds=dict(steps.seconds))


def build(
    project: Project,
    *,
    tests: bool = True,
    say: Callable[[str], None] | None = None,
    steps: Steps | None = None,
) -> Build:
    """Train ``project`` by its own ``train``, then run its own tests, and return scores and counts.

    Every line the commands write goes to ``say``. ``BuildError`` tells what failed.
    """
    steps = steps or Steps()
    tell = say or steps.say
    with steps("train"):
        ran = run(project, [sys.executable, "-m", project.package, "train"], say=tell)
        if ran.code:
            raise _training_error(ran)
    return tested(project, tests=tests, steps=steps, tell=tell)


def tested(project: Project, *, tests: bool, steps: Steps, tell: Callable[[str], None]) -> Build:
    """Run the project's own tests unless they are not wanted, and return its scores and their counts."""
    counts = None
    if tests:
        with steps("test"):
            counts = run_tests(project, say=tell)
        if counts.failed or not counts.passed:
            raise _test_error(counts)
    clear_caches(project.path)
    file = project.path / "model" / "metrics.json"
    metrics = json.loads(file.read_text(encoding="utf-8"))
    return Build(project=project, metrics=metrics, tests=counts, seconds=dict(steps.seconds))


def run_tests(project: Project, *, say: Callable[[str], None]) -> TestCounts:
    """Run the project's own quick tests and return how they went; ``BuildError`` when they could not run at all."""
    with tempfile.TemporaryDirectory(prefix="kaggle2app-") as folder:
        report = Path(folder) / "junit.xml"
        options = ["-p", "no:cacheprovider", "-m", "not slow", "--verbose", "--color=no", f"--junitxml={report}"]
        ran = run(project, [sys.executable, "-m", "pytest", *options], say=lambda line: _say_test(line, say))
        if not report.exists():
            message = f"the project's tests could not run: {_last_words(ran.lines)}"
            raise BuildError(
                message, hint="`--no-tests` makes the project without running them; then `make test` there"
            )
        return _counts(report)


def run(project: Project, command: Sequence[str], *, say: Callable[[str], None]) -> Ran:
    """Run a command in the project's folder and return what it wrote; it never outlives this call.

    It sees the project's ``src`` and a few harmless variables of the environment, nothing else.
    """
    lines: list[str] = []
    with subprocess.Popen(
        list(command),
        cwd=project.path,
        env=environment(project),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # a group of its own: an interruption here ends its children as well
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                say(lines[-1].strip())
            process.wait()
        finally:
            _end(process)
    return Ran(code=process.returncode, lines=tuple(lines))


def environment(project: Project) -> dict[str, str]:
    """Return the environment variables that the project's commands run with."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT_KEPT or name.startswith(ENVIRONMENT_PREFIXES_KEPT)
    }
    return {
        **kept,
        "PYTHONPATH": str(project.path / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "Agg",
        "NO_COLOR": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def clear_caches(path: Path) -> None:
    """Take away what interpreters and tools leave behind in a project."""
    for folder in [found for found in path.rglob("*") if found.name in CACHES and found.is_dir()]:
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and its whole group, at once when asking does not help."""
    if process.poll() is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=END_SECONDS if sign == signal.SIGTERM else None)
        except subprocess.TimeoutExpired:
            continue
        return


def _make_folders(into: Path) -> list[Path]:
    """Make ``into`` with its parents and return those that were not there, innermost first."""
    missing = []
    folder = into
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    if not folder.is_dir():
        message = f"`{folder}` is not a folder"
        raise ProjectError(message, hint="choose another place with `--into DIR`")
    into.mkdir(parents=True, exist_ok=True)
    return missing


def _counts(report: Path) -> TestCounts:
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - written by our own pytest a moment ago
    if suite is None:
        message = "the project's tests left no readable report"
        raise BuildError(message, hint="`--no-tests` makes the project without running them; then `make test` there")
    failures = tuple(
        str(case.get("name"))
        for case in suite.iter("testcase")
        if any(case.find(tag) is not None for tag in ("failure", "error"))
    )
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    return TestCounts(passed=total - skipped - len(failures), failed=len(failures), skipped=skipped, failures=failures)


def _say_test(line: str, say: Callable[[str], None]) -> None:
    if "::" in line:
        say(line.split("::", 1)[1])


def _training_error(ran: Ran) -> ProjectError:
    words = _last_words(ran.lines)
    if "No space left on device" in words or "Disk quota exceeded" in words or "File too large" in words:
        message = "no space is left for the trained model"
        return ProjectError(message, hint="free some space, or choose another disk with `--into DIR`")
    if ran.code == -signal.SIGKILL:
        message = "training was ended by the system, most likely for want of memory"
        return BuildError(message, hint="close other programs, or train on fewer columns with `--drop COLUMN`")
    message = f"training failed: {words}"
    return BuildError(message, hint="look at the decisions with `--dry-run`; `--drop COLUMN` leaves a column out")


def _test_error(counts: TestCounts) -> BuildError:
    hint = "`--no-tests` makes the project all the same; then run `make test` there to see why"
    if not counts.failed:
        return BuildError("the project's tests did not test anything", hint=hint)
    shown = ", ".join(f"`{name}`" for name in counts.failures[:FAILED_NAMES_MAX])
    more = f" and {counts.failed - FAILED_NAMES_MAX} more" if counts.failed > FAILED_NAMES_MAX else ""
    return BuildError(f"{counts.failed} of the project's own tests failed: {shown}{more}", hint=hint)


def _last_words(lines: Sequence[str]) -> str:
    """Return what a failed command said last, without the label that marks it as an error."""
    told = [line.strip() for line in lines[-TOLD_LINES_MAX:] if line.strip()]
    errors = [line for line in told if line.lower().startswith("error: ")]
    last = (errors or told or ["it said nothing"])[-1]
    return last.removeprefix("error: ")
