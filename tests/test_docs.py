"""What the docs tell people to type works, and what they link to is there."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Outcome

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
PROJECT = REPOSITORY / "template" / "{{cookiecutter.project_slug}}"
ELSEWHERE = {"cd", "curl", "git", "pipx", "pip", "uv", "pytest", "source"}  # other people's programs


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Return every command of a page's shell blocks, as a shell would split it."""
    lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def verbs(makefile: Path) -> set[str]:
    """Return the verbs of a Makefile."""
    return set(re.findall(r"^([a-z]+):", makefile.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Return the options of every verb, as the command line itself tells them."""
    from typer.main import get_command

    from toolkit.cli import app

    group: Any = get_command(app)
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in group.commands.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path, options: dict[str, set[str]]) -> None:
    for words in commands(page):
        program, *arguments = words
        if program == "make":
            known = verbs(REPOSITORY / "Makefile") | (
                verbs(PROJECT / "Makefile") if page.name != "README.md" else {"serve"}
            )
            assert {word for word in arguments if word[0].islower()} <= known, words
        elif program == "kaggle2app" and arguments[0] != "--help":
            assert {word for word in arguments[1:] if word.startswith("-")} <= options[arguments[0]] | {"--help"}, words
        elif program == "python":
            assert arguments[0] == "-m" or (REPOSITORY / arguments[0]).is_file(), words
        else:
            assert program in ELSEWHERE | {"kaggle2app"}, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_of_the_docs_is_linked_from_the_readme(page: Path) -> None:
    if page.name == "README.md":
        return
    assert f"({page.relative_to(REPOSITORY).as_posix()})" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_readme_opens_with_the_two_commands() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    first = blocks(REPOSITORY / "README.md", "sh")[0].splitlines()
    assert [line.partition("#")[0].strip() for line in first] == ["make demo", "make test"]
    assert text.index("```sh") < 100


def test_the_metrics_that_concepts_names_are_those_that_can_be_asked_for() -> None:
    from toolkit.task import METRICS

    text = (REPOSITORY / "docs" / "concepts.md").read_text(encoding="utf-8")
    for kind, metrics in METRICS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{kind}` |"))
        assert set(re.findall(r"`(\w+)`", row)) - {kind} == set(metrics)


@pytest.mark.slow
def test_the_readmes_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks(REPOSITORY / "README.md", "python")
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own page
    assert "target | species" in said.getvalue()
    assert (tmp_path / "projects" / "iris" / "MODEL_CARD.md").is_file()


@pytest.mark.slow
def test_the_guide_can_be_followed_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kaggle2app: Callable[..., Outcome]
) -> None:
    """Every `kaggle2app` of the guide is run in order, and the training after its edit."""
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "sales.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["order", "price", "colour", "days", "returned"], *sales()])
    where = tmp_path
    for words in commands(REPOSITORY / "docs" / "guide.md"):
        match words:
            case ["cd", folder]:
                where = (where / folder).resolve()
                assert where.is_dir()
                monkeypatch.chdir(where)
            case ["kaggle2app", *arguments]:
                makes = arguments[0] == "new" and "--dry-run" not in arguments
                quick = ["--no-tests", "--seconds", "5"] if makes else []
                done = kaggle2app(*arguments, *quick)
                assert done.code == 0, (words, done.err)
            case ["make", "train"]:
                assert train_with_edit(where) == 0, words


def sales() -> Iterator[list[object]]:
    """Yield orders of which the dear and the late ones come back more often."""
    for order in range(300):
        price, days = order * 7919 % 1000 / 10, order * 104_729 % 13
        often = price / 100 + days / 12 + (order * 31 % 7) / 7 > 1.5
        yield [f"A{order:05d}", price, ("red", "green", "blue")[order % 3], days, "yes" if often else "no"]


def train_with_edit(project: Path) -> int:
    """Edit the plan as the guide says, train again with this Python in place of the project's, return the exit code."""
    (edit,) = blocks(REPOSITORY / "docs" / "guide.md", "json")
    plan = project / "model" / "plan.json"
    text = plan.read_text(encoding="utf-8")
    name = edit.partition(":")[0]
    changed = re.sub(rf"{name}:.*", edit.strip(), text)
    assert changed != text
    plan.write_text(changed, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", project.name, "train"],
        cwd=project,
        env={"PYTHONPATH": str(project / "src"), "MPLBACKEND": "Agg", "HOME": str(project.parent)},
        capture_output=True,
        check=False,
    )
    return done.returncode
