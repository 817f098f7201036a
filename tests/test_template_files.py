"""The template's files: nothing missing, nothing left over, and what they say of each other is true."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from conftest import REPOSITORY
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from toolkit import Handle, fetch, read
from toolkit.project import names, tree

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = REPOSITORY / "template"
FOLDER = TEMPLATE / "{{cookiecutter.project_slug}}"
PACKAGE = FOLDER / "src" / "{{cookiecutter.package_name}}"
CACHES = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache"}
IMPORTED_AS = {"prometheus_client": "prometheus-client", "multipart": "python-multipart", "starlette": "fastapi"}

# What a project has beside its package and its tests.
STANDING = {
    ".dockerignore",
    ".github/workflows/ci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "docs/architecture.md",
    "docs/operations.md",
    "pyproject.toml",
    "requirements-serve.lock",
    "requirements.lock",
}
LONG = {"project_slug": "a" * 40, "package_name": "a" * 40, "title": "T" * 100, "summary": "s" * 200}


def rendered(into: Path, **words: str) -> Path:
    """Return the template's files with their names filled in, as cookiecutter does it."""
    from cookiecutter.generate import generate_context, generate_files

    context = generate_context(str(TEMPLATE / "cookiecutter.json"), extra_context=words)
    generate_files(str(TEMPLATE), context, str(into), accept_hooks=False)
    return into / str(context["cookiecutter"]["project_slug"])


def files(folder: Path) -> dict[str, Path]:
    """Return every file below a folder by its path, caches aside."""
    found = (path for path in folder.rglob("*") if path.is_file() and not CACHES & set(path.parts))
    return {path.relative_to(folder).as_posix(): path for path in found}


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock names for each package."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([\w.\-]+)==([^\s;]+)", (FOLDER / lock).read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def pyproject(folder: Path = FOLDER) -> dict[str, object]:
    """Return the project's own settings."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def asked(*groups: str) -> list[Requirement]:
    """Return what the project asks for: its dependencies and those of dependency groups."""
    document = pyproject()
    project, listed = document["project"], document["dependency-groups"]
    assert isinstance(project, dict)
    assert isinstance(listed, dict)
    return [
        Requirement(text) for text in [*project["dependencies"], *(line for group in groups for line in listed[group])]
    ]


def test_the_files_beside_code_and_tests_are_exactly_these() -> None:
    assert {name for name in files(FOLDER) if name.split("/")[0] not in {"src", "tests"}} == STANDING


@pytest.mark.parametrize("words", [{}, LONG], ids=["usual", "long"])
def test_nothing_of_the_template_is_left_after_rendering(tmp_path: Path, words: dict[str, str]) -> None:
    project = rendered(tmp_path, **words)
    assert len(files(project)) == len(files(FOLDER))
    for name, path in files(project).items():
        assert "{" not in name
        text = path.read_text(encoding="utf-8")
        assert "cookiecutter" not in text, name
        if not name.startswith(".github/"):
            assert not re.search(r"\{\{|\{%", text), name


def test_the_template_holds_names_and_no_statements() -> None:
    for name, path in files(FOLDER).items():
        text = path.read_text(encoding="utf-8")
        assert "{%" not in text, name
        if not name.startswith(".github/"):
            assert set(re.findall(r"\{\{.*?\}\}", text)) <= {f"{{{{cookiecutter.{key}}}}}" for key in keys()}, name
        if name.startswith("src/"):
            assert "cookiecutter" not in text, name


def keys() -> set[str]:
    """Return the words that the template asks for."""
    return {key for key in json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8")) if key[0] != "_"}


def test_every_word_is_used_and_given() -> None:
    texts = [f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in files(TEMPLATE).items()]
    assert {key for text in texts for key in re.findall(r"\{\{cookiecutter\.(\w+)\}\}", text)} == keys()
    source = ast.parse((REPOSITORY / "toolkit" / "project.py").read_text(encoding="utf-8"))
    given = [
        {key.value for key in node.keys if isinstance(key, ast.Constant)}
        for node in ast.walk(source)
        if isinstance(node, ast.Dict)
    ]
    assert keys() in given


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-serve.lock"])
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    lines = (FOLDER / lock).read_text(encoding="utf-8").splitlines()
    entries = [place for place, line in enumerate(lines) if re.match(r"[\w.\-]+==", line)]
    assert entries
    for place in entries:
        assert lines[place].endswith("\\")
        assert "--hash=sha256:" in lines[place + 1]
    assert not [line for line in lines if "://" in line or "--index" in line or "--find-links" in line]


def test_the_lock_satisfies_pyproject() -> None:
    locked = pins("requirements.lock")
    for requirement in asked("dev", "serve"):
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_served_process_is_locked_to_the_same_versions() -> None:
    everything, served = pins("requirements.lock"), pins("requirements-serve.lock")
    assert {name: everything[name] for name in served} == served
    assert not {"pandas", "scikit-learn", "onnx", "skops", "matplotlib", "pyarrow", "scipy"} & set(served)


def test_the_served_process_imports_what_its_lock_holds() -> None:
    reached, outside, waiting = set(), set(), ["api", "settings"]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        for name, is_own in imports((PACKAGE / f"{module}.py").read_text(encoding="utf-8")):
            if is_own:
                waiting.append(name)
            elif name not in sys.stdlib_module_names:
                outside.add(canonicalize_name(IMPORTED_AS.get(name, name)))
    assert outside <= {canonicalize_name(requirement.name) for requirement in asked("serve")}
    assert outside <= set(pins("requirements-serve.lock"))
    assert {"model", "schema", "features", "page"} <= reached
    assert not {"train", "pipeline", "export", "examples", "figures", "report"} & reached


def imports(text: str) -> list[tuple[str, bool]]:
    """Return the modules that a module imports when it is loaded, each with whether it is of the same package."""
    found: list[tuple[str, bool]] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            found += [(alias.name.split(".")[0], False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found += [(node.module, True)] if node.module else [(alias.name, True) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module.split(".")[0], False))
    return found


def test_a_template_file_is_never_ignored_by_git() -> None:
    git = shutil.which("git")
    if git is None or not (REPOSITORY / ".git").exists():
        pytest.skip("this is no git repository")
    names_given = "\n".join(f"template/{name}" for name in files(TEMPLATE))
    done = subprocess.run(
        [git, "check-ignore", "--stdin"],
        cwd=REPOSITORY,
        input=names_given,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout == ""


def test_ci_and_hooks_call_verbs_that_the_makefile_has() -> None:
    verbs = set(re.findall(r"^([a-z]+):", (FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", (FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == verbs
    for name in (".github/workflows/ci.yml", ".pre-commit-config.yaml", "README.md", "docs/operations.md"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        called = re.findall(r"(?:run: |entry: |^|`)make ((?:[a-z]+ ?)+)", text, re.MULTILINE)
        assert called, name
        assert {verb for verbs_called in called for verb in verbs_called.split()} <= verbs | {"in"}, name


def test_the_docs_name_every_module_and_no_other() -> None:
    text = (FOLDER / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py", "errors.py"}
    assert set(re.findall(r"`(\w+\.py)`", text)) == modules


def test_the_docs_list_every_setting_with_its_default() -> None:
    source = (PACKAGE / "settings.py").read_text(encoding="utf-8")
    text = (FOLDER / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^`|]*?)`? \|", text, re.MULTILINE))
    fields = dict(re.findall(r"^    (\w+): [\w\[\], .]+ = (.+)$", source, re.MULTILINE))
    assert set(listed) == {name.upper() for name in fields}
    for name, default in fields.items():
        value = re.sub(r'Path\(|[()"_]', "", default) or "none"
        assert listed[name.upper()] == value, name


def test_the_docs_name_the_metrics_that_are_served() -> None:
    text = (FOLDER / "docs" / "operations.md").read_text(encoding="utf-8").partition("\n## Limits")[0]
    source = (PACKAGE / "middleware.py").read_text(encoding="utf-8")
    served = re.findall(r'(Counter|Gauge|Histogram|Info)\(\s*"(\w+)"', source)
    endings = {"Counter": "_total", "Gauge": "", "Histogram": "", "Info": "_info"}
    assert {f"{name}{endings[kind]}" for kind, name in served} == set(
        re.findall(r"^\| `([a-z_]+)\{?[\w,]*\}?` \|", text, re.MULTILINE)
    )


@pytest.mark.parametrize("words", [{}, LONG], ids=["usual", "long"])
def test_a_rendered_project_is_clean_whatever_it_is_called(tmp_path: Path, words: dict[str, str]) -> None:
    project = rendered(tmp_path, **words)
    for command in (["check", "--no-cache", "."], ["format", "--check", "--no-cache", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], cwd=project, capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_made_project_has_the_files_that_were_announced(built_project: Path) -> None:
    announced = set(tree(names(built_project.name), read(fetch(Handle.parse("sample:iris")))))
    assert set(files(built_project)) == announced


@pytest.mark.slow
def test_the_readme_of_a_made_project_is_short_and_its_links_lead_somewhere(built_project: Path) -> None:
    for path in (built_project / "README.md", *(built_project / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)", text):
            assert target.startswith("https://") or (path.parent / target).exists(), target
    lines = (built_project / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    headings = [place for place, line in enumerate(lines) if line.startswith("#")]
    for place, following in zip(headings, [*headings[1:], len(lines)], strict=True):
        assert any(line.strip() for line in lines[place + 1 : following]), f"nothing below {lines[place]}"
