"""The floors in docs/architecture.md and the imports in toolkit/ are the same thing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parent.parent
TOOLKIT = REPOSITORY / "toolkit"
OUTSIDE_THE_FLOORS = {"__init__", "__main__"}
HEAVY = {"cookiecutter", "kaggle", "kagglesdk", "msgspec", "openpyxl", "pandas", "pyarrow", "requests", "rich", "scipy"}
HEAVY |= {"skops", "sklearn", "onnx", "onnxruntime", "matplotlib", "slugify"}


def floors() -> list[list[str]]:
    """Return the modules a floor, lowest first, in the order of the table."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("| Floor |", 1)[1].split("\n\n", 1)[0]
    rows = [line.split("|")[2] for line in table.splitlines()[2:]]
    return [re.findall(r"`(\w+)`", row) for row in rows]


def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module."""
    return {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(TOOLKIT.glob("*.py"))}


def imported(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """Yield the toolkit modules that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("toolkit."))
        elif isinstance(node, ast.ImportFrom) and node.module == "toolkit":
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolkit."):
            yield (node.module or "").split(".")[1]


def test_the_table_lists_every_module_once() -> None:
    listed = [name for floor in floors() for name in floor]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(modules()) - OUTSIDE_THE_FLOORS


def test_a_module_imports_only_what_stands_before_it() -> None:
    order = [name for floor in floors() for name in floor]
    trees = modules()
    wrong = [
        f"{name} imports {other}"
        for name in order
        if name in trees
        for other in imported(trees[name], set(trees))
        if order.index(other) >= order.index(name)
    ]
    assert wrong == []


def test_heavy_packages_are_imported_late() -> None:
    wrong = []
    for name, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.Import):
                found = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found = {(node.module or "").split(".")[0]}
            else:
                continue
            wrong += [f"{name} imports {package}" for package in found & HEAVY]
    assert wrong == []


@pytest.mark.parametrize("statement", ["import toolkit", "from toolkit.cli import main; main(['--help'])"])
def test_starting_loads_none_of_the_heavy_packages(statement: str) -> None:
    loaded = f"import sys; print(sorted({HEAVY | {'numpy'}!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; {loaded}"], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_step_loads_a_heavy_package_when_it_is_imported() -> None:
    steps = ", ".join(
        f"toolkit.{name}" for name in ("contents", "profile", "task", "plan", "schema", "checks", "report")
    )
    loaded = f"import sys; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"import {steps}; {loaded}"], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "[]"


def test_the_understanding_floor_touches_neither_files_nor_network() -> None:
    trees = modules()
    forbidden = {"pathlib", "io", "shutil", "subprocess", "socket", "urllib", "tempfile", "requests"}
    wrong = []
    for name in next(floor for floor in floors() if "profile" in floor):
        for node in ast.walk(trees[name]) if name in trees else ():
            if isinstance(node, ast.Import):
                wrong += [
                    f"{name} imports {alias.name}" for alias in node.names if alias.name.split(".")[0] in forbidden
                ]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in forbidden:
                wrong.append(f"{name} imports {node.module}")
    assert wrong == []
