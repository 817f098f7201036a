"""The command line: data on stdout, talk on stderr, one sentence and a hint for every failure."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

REPOSITORY = Path(__file__).parent.parent
VERBS = ("new", "inspect", "fetch", "search", "doctor", "check")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Give a table whose last column is the only sensible target."""
    path = tmp_path / "houses.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["rooms", "area", "price"])
        out.writerows([row % 6 + 1, 40 + row * 13 % 90, 50_000 + row * 977 % 90_000 + row * 500] for row in range(80))
    return path


@pytest.fixture
def unclear(tmp_path: Path) -> Path:
    """Give a table in which nothing says which column is asked for."""
    path = tmp_path / "figures.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["a", "b", "c"])
        out.writerows([row * 31 % 97 / 7, row * 57 % 101 / 3, row * 17 % 89 / 11] for row in range(120))
    return path


def shell(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "toolkit", *map(str, arguments)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app(verb, "--help")
    assert told.code == 0
    assert f"kaggle2app {verb}" in told.out
    assert "--json" in told.out


def test_without_words_it_shows_the_verbs(kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app()
    assert told.code == 0
    assert all(verb in told.out for verb in VERBS)


def test_the_version_is_the_one_in_the_package(kaggle2app: Callable[..., Outcome]) -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert kaggle2app("--version").out == f"kaggle2app {project['version']}\n"


@pytest.mark.parametrize(
    "typed",
    [
        ["nwe", "x.csv"],
        ["new"],
        ["new", "x.csv", "--seconds", "soon"],
        ["new", "x.csv", "--nonsense"],
        ["inspect", "a", "b"],
        ["new", "x.csv", "--name", "../up"],
        ["new", "x.csv", "--name", ""],
    ],
)
def test_a_wrong_call_is_a_usage_error_in_words_and_in_json(
    typed: list[str], kaggle2app: Callable[..., Outcome]
) -> None:
    told = kaggle2app(*typed)
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "\nhint: " in told.err
    asked = kaggle2app(*typed, "--json")
    assert asked.code == 2
    assert asked.json["error"]["exit_code"] == 2
    assert asked.json["error"]["hint"]


def test_a_missing_file_is_told_with_its_name(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    told = kaggle2app("inspect", tmp_path / "absent.csv", "--json")
    assert told.code in {2, 4}
    assert "absent.csv" in told.json["error"]["message"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("header.csv", b"a,b,c\n"),
        ("row.csv", b"a,b,c\n1,2,3\n"),
        ("column.csv", b"a\n1\n2\n3\n"),
        ("binary.csv", bytes(range(256)) * 40),
    ],
)
def test_a_table_that_teaches_nothing_is_a_data_error(
    name: str, content: bytes, kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    told = kaggle2app("new", path, "--into", tmp_path / "made", "--yes", "--json")
    assert told.code == 4, told
    assert told.json["error"]["hint"]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("cells", "column"),
    [(["same"] * 40, "constant"), ([f"name {row}" for row in range(40)], "all different")],
    ids=["constant", "all different"],
)
def test_an_impossible_target_is_refused(
    cells: list[str], column: str, kaggle2app: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{row % 7},{row * 3 % 11},{cell}" for row, cell in enumerate(cells)]
    path.write_text("\n".join([f"x,y,{column}", *rows]) + "\n", encoding="utf-8")
    told = kaggle2app("new", path, "--target", column, "--into", tmp_path / "made", "--json")
    assert told.code in {2, 4}
    assert column in told.json["error"]["message"]
    assert not (tmp_path / "made").exists()


def test_an_unknown_target_names_those_there_are(kaggle2app: Callable[..., Outcome], table: Path) -> None:
    told = kaggle2app("inspect", table, "--target", "prise", "--json")
    assert told.code == 2
    error = told.json["error"]
    assert "price" in error["message"] + error["hint"]


def test_inspect_tells_columns_task_and_origin(kaggle2app: Callable[..., Outcome], table: Path) -> None:
    told = kaggle2app("inspect", table, "--json")
    assert told.code == 0
    keys = {"source", "kind", "version", "title", "licence", "files", "table", "rows", "columns", "task"}
    assert keys | {"identifiers", "leaks", "findings"} <= set(told.json)
    assert [column["name"] for column in told.json["columns"]] == ["rooms", "area", "price"]
    assert told.json["rows"] == 80
    assert {"kind", "target", "metric", "reasons", "alternatives"} <= set(told.json["task"])
    shown = kaggle2app("inspect", table)
    assert all(word in shown.out for word in ("rooms", "area", "price", "80 rows", "next:"))


def test_inspect_says_that_no_column_can_be_asked(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(
        "\n".join(["date,id", *(f"2024-01-{row % 28 + 1:02d},{row}" for row in range(90))]), encoding="utf-8"
    )
    told = kaggle2app("inspect", path)
    assert told.code == 0
    assert "none found (--target)" in told.out
    assert "--target COLUMN" in told.out
    assert "rmse" not in told.out


def test_text_from_a_table_cannot_steer_the_terminal(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{row % 5},\x1b[31mred{row % 3}\x1b[0m,[bold]{row % 2}[/bold]" for row in range(60)]
    path.write_text("\n".join(["a,\x1b]0;title\x07b,c", *rows]) + "\n", encoding="utf-8")
    told = kaggle2app("inspect", path)
    assert told.code == 0, told
    assert "\x1b" not in told.out + told.err
    assert "\x07" not in told.out + told.err


def test_fetch_says_where_the_files_are(kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("fetch", "sample:iris", "--json")
    assert told.code == 0
    folder = Path(told.json["folder"])
    assert all((folder / file["path"]).is_file() for file in told.json["files"])


def test_a_dry_run_shows_decisions_and_files_and_writes_nothing(
    kaggle2app: Callable[..., Outcome], table: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    told = kaggle2app("new", table, "--target", "price", "--into", tmp_path, "--dry-run", "--json")
    assert told.code == 0, told
    assert told.json["dry_run"] is True
    assert told.json["target"] == "price"
    assert {"what", "choice", "why", "overrule"} <= set(told.json["decisions"][0])
    assert {"README.md", "model/plan.json", "pyproject.toml"} <= set(told.json["files"])
    shown = kaggle2app("new", table, "--target", "price", "--into", tmp_path, "--dry-run")
    assert "nothing was written" in shown.out
    assert "README.md" in shown.out
    assert sorted(tmp_path.rglob("*")) == before


def test_a_column_can_be_left_out_by_name(kaggle2app: Callable[..., Outcome], table: Path, tmp_path: Path) -> None:
    told = kaggle2app("new", table, "--target", "price", "--drop", "rooms", "--into", tmp_path, "--dry-run", "--json")
    assert [treatment["column"] for treatment in told.json["treatments"]] == ["area"]
    assert "rooms" in {drop["column"] for drop in told.json["dropped"]}


def test_an_unclear_target_ends_with_ranked_guesses_and_the_command(
    kaggle2app: Callable[..., Outcome], unclear: Path, tmp_path: Path
) -> None:
    told = kaggle2app("new", unclear, "--into", tmp_path, "--dry-run", "--json")
    assert told.code == 4, told
    assert told.json["error"]["kind"] == "AmbiguousError"
    choices = told.json["choices"]
    assert len(choices) >= 2
    assert [choice["score"] for choice in choices] == sorted((choice["score"] for choice in choices), reverse=True)
    assert f"kaggle2app new {unclear}" in told.json["error"]["hint"]
    assert f"--target {choices[0]['target']}" in told.json["error"]["hint"]


def test_yes_takes_the_best_guess_and_says_so(
    kaggle2app: Callable[..., Outcome], unclear: Path, tmp_path: Path
) -> None:
    refused = kaggle2app("new", unclear, "--into", tmp_path, "--dry-run", "--json")
    told = kaggle2app("new", unclear, "--into", tmp_path, "--dry-run", "--json", "--yes")
    assert told.code == 0
    assert told.json["target"] == refused.json["choices"][0]["target"]
    assert "best guess" in told.err


def test_a_named_target_is_never_questioned(kaggle2app: Callable[..., Outcome], unclear: Path, tmp_path: Path) -> None:
    told = kaggle2app("new", unclear, "--target", "b", "--into", tmp_path, "--dry-run", "--json")
    assert told.code == 0
    assert told.json["target"] == "b"


def test_on_a_terminal_it_asks(unclear: Path, tmp_path: Path) -> None:
    """A pseudo-terminal stands for the person, who answers with the name of a column."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "toolkit", "new", str(unclear), "--into", str(tmp_path), "--dry-run"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "dumb"},
        encoding="utf-8",
    ) as process:
        os.write(leader, b"c\n")
        out = process.communicate(timeout=60)[0]
    os.close(follower)
    talk = os.read(leader, 100_000).decode()
    os.close(leader)
    assert process.returncode == 0, talk
    assert "which column shall be predicted?" in talk
    assert "nothing was written" in out
    assert any("target" in line and " c " in f"{line} " for line in out.splitlines())


def test_a_folder_that_is_not_empty_is_refused_before_any_work(
    kaggle2app: Callable[..., Outcome], table: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    told = kaggle2app("new", table, "--into", tmp_path, "--name", "mine", "--json")
    assert told.code == 6
    assert "not empty" in told.json["error"]["message"]
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_place_that_is_a_file_is_refused(kaggle2app: Callable[..., Outcome], table: Path) -> None:
    told = kaggle2app("new", table, "--target", "price", "--into", table, "--json")
    assert told.code == 6
    assert told.json["error"]["hint"]


def test_a_place_that_cannot_be_written_is_refused(kaggle2app: Callable[..., Outcome], table: Path) -> None:
    told = kaggle2app("new", table, "--target", "price", "--into", "/proc/nowhere", "--json")
    assert told.code == 6
    assert "cannot be written" in told.json["error"]["message"]


def test_a_kaggle_source_without_a_network_is_an_access_error(kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("inspect", "uciml/iris", "--offline", "--json")
    assert told.code == 3
    assert told.json["error"]["hint"]


def test_check_without_a_project_is_a_project_error(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        told = kaggle2app("check", place, "--json")
        assert told.code == 6
        assert told.json["error"]["kind"] == "ProjectError"


def test_a_bug_is_told_as_a_bug_without_a_traceback(
    kaggle2app: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("toolkit.source.fetch", broken)
    told = kaggle2app("fetch", "sample:iris", "--json")
    assert told.code == 1
    assert "bug" in told.json["error"]["message"]
    assert "Traceback" not in told.err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m toolkit inspect sample:iris --json | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command],  # noqa: S607 - the shell is what is tested
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr
    assert "error:" not in done.stderr


def test_no_colour_is_written_where_nobody_watches(table: Path) -> None:
    done = shell("inspect", table)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[0].startswith("fetch")


def test_json_is_one_object_and_all_of_stdout(table: Path) -> None:
    done = shell("inspect", table, "--json", LC_ALL="C")
    assert done.returncode == 0
    assert json.loads(done.stdout)["table"]


def test_the_reference_in_the_docs_is_what_the_commands_say() -> None:
    from reference import reference

    assert (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8") == reference()
