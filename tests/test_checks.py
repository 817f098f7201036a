"""Each rule passes on what `new` makes, and fails with the right words when its promise is broken."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from toolkit import checks
from toolkit.checks import RULES, Examined
from toolkit.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

pytestmark = pytest.mark.slow  # one project is trained for all of them


@pytest.fixture
def project(built_project: Path, tmp_path: Path) -> Path:
    """Give a copy of a finished project, to be broken."""
    copy = tmp_path / built_project.name
    shutil.copytree(built_project, copy)
    return copy


def problems(code: str, path: Path) -> list[str]:
    """Return what the rule called ``code`` finds."""
    rule = next(rule for rule in RULES if rule.code == code)
    return list(rule.examine(Examined(Project.open(path))))


def append(path: Path, text: str) -> None:
    """Add text at the end of a file."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_fresh_project_passes_every_rule(built_project: Path, kaggle2app: Callable[..., Outcome]) -> None:
    before = sorted(built_project.rglob("*"))
    told = kaggle2app("check", built_project, "--json")
    assert [rule for rule in told.json["rules"] if rule["status"] != "passed"] == []
    assert told.code == 0
    assert told.json["passed"] is True
    assert {rule["code"] for rule in told.json["rules"]} == {rule.code for rule in RULES}
    assert sorted(built_project.rglob("*")) == before


def test_a_broken_project_fails_with_a_way_to_mend(project: Path, kaggle2app: Callable[..., Outcome]) -> None:
    (project / "Dockerfile").unlink()
    (project / "tests" / "test_wrong.py").write_text("def test_wrong():\n    assert 1 == 2\n", encoding="utf-8")
    told = kaggle2app("check", project)
    assert told.code == 1
    assert "failed  tests" in told.out
    assert "failed  container" in told.out
    assert "mend: " in told.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_says_why_and_how_to_mend(rule: checks.Rule) -> None:
    assert rule.title
    assert rule.why
    assert rule.mend


def test_a_linter_finding_is_told_with_its_place(project: Path) -> None:
    source = next((project / "src").glob("*/settings.py"))
    append(source, "\nimport os, sys\n")
    assert any("settings.py" in problem for problem in problems("lint", project))


def test_a_type_error_is_told_with_its_place(project: Path) -> None:
    source = next((project / "src").glob("*/settings.py"))
    append(source, "\nWRONG: int = 'text'\n")
    assert any("settings.py" in problem for problem in problems("types", project))


def test_a_dependency_that_is_not_pinned_is_named(project: Path) -> None:
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace("dependencies = [", 'dependencies = [\n  "left-pad>=1",', 1)
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    assert problems("lock", project) == ["`requirements.lock` does not pin `left-pad`"]


def test_a_changed_model_file_is_named(project: Path) -> None:
    model = project / "model" / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    assert problems("model", project) == ["`model/model.onnx` changed since training"]


def test_a_model_no_better_than_guessing_is_told(project: Path) -> None:
    path = project / "model" / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["test"] = metrics["baseline"]
    path.write_text(json.dumps(metrics), encoding="utf-8")
    assert "a constant guess has" in problems("score", project)[0]


def test_an_empty_heading_and_a_placeholder_are_told(project: Path) -> None:
    append(project / "README.md", "\n## Results to come\n\n## More\n\nTODO: write this\n")
    found = problems("cards", project)
    assert "`README.md` has nothing under `Results to come`" in found
    assert "`README.md` still says `TODO`" in found


def test_a_pickle_and_a_call_that_opens_one_are_told(project: Path) -> None:
    (project / "model" / "model.pkl").write_bytes(b"\x80\x04.")
    source = next((project / "src").glob("*/settings.py"))
    append(source, "\n# joblib.load(path)\n")
    assert len(problems("pickle", project)) == 2


def test_a_table_outside_the_data_folder_is_told(project: Path) -> None:
    shutil.copy(project / "data" / "train.csv", project / "model" / "rows.csv")
    assert problems("data", project) == ["`model/rows.csv` is a table outside of `data/`"]


def test_data_that_git_tracks_is_told(project: Path) -> None:
    for command in (["init", "-q"], ["add", "-A"], ["add", "-f", "data/train.csv"]):
        subprocess.run(["git", *command], cwd=project, check=True)  # noqa: S607 - whichever git is there
    assert problems("data", project) == ["`data/train.csv` is in git"]


def test_a_golden_row_copied_from_the_data_is_told(project: Path) -> None:
    golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    with (project / "data" / "train.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    target = json.loads((project / "model" / "plan.json").read_text(encoding="utf-8"))["target"]
    golden["rows"][0]["row"] = {name: float(cell) for name, cell in row.items() if name != target}
    (project / "model" / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    assert any("rows of the training data" in problem for problem in problems("data", project))


@pytest.mark.parametrize(
    "secret",
    [
        '{"username": "me", "key": "0123456789abcdef0123456789abcdef"}',
        "-----BEGIN RSA PRIVATE KEY-----",
        "AKIAABCDEFGHIJKLMNOP",
        "postgresql://me:hunter22@db.example.org/prod",
    ],
)
def test_a_secret_is_told_by_its_place_and_never_shown(secret: str, project: Path) -> None:
    append(project / "docs" / "operations.md", f"\n{secret}\n")
    found = problems("secrets", project)
    assert len(found) == 1
    assert "docs/operations.md" in found[0]
    assert secret not in found[0]


def test_a_container_that_runs_as_root_is_told(project: Path) -> None:
    path = project / "Dockerfile"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("USER")) + "\n", encoding="utf-8")
    assert problems("container", project) == ["the last stage names no `USER`, so it runs as root"]


def test_a_base_image_without_a_version_is_told(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM python\nUSER 1000\nHEALTHCHECK CMD true\n", encoding="utf-8")
    assert problems("container", project) == ["the base image `python` is not pinned to a version"]


def test_a_missing_workflow_is_told(project: Path) -> None:
    shutil.rmtree(project / ".github")
    assert problems("ci", project) == ["there is no workflow in `.github/workflows`"]


def test_a_tool_that_is_not_installed_is_skipped_not_failed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    report = checks.check(project, rules=tuple(rule for rule in RULES if rule.code in {"lint", "types"}))
    assert [result.status for result in report.results] == ["skipped", "skipped"]
    assert report.passed
