"""The public names exist, are typed, and the README's Python example runs as it is printed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import toolkit

REPOSITORY = Path(__file__).parent.parent


def python_examples(path: Path) -> list[str]:
    """Return the blocks of Python in a page."""
    return re.findall(r"(?ms)^```python\n(.*?)^```", path.read_text(encoding="utf-8"))


def test_every_public_name_is_there_and_told() -> None:
    assert sorted(toolkit.__all__) == list(toolkit.__all__)
    for name in toolkit.__all__:
        assert getattr(toolkit, name).__doc__, name
    assert dir(toolkit) == list(toolkit.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = toolkit.nonsense


def test_names_for_type_checkers_and_names_at_run_time_are_the_same() -> None:
    tree = ast.parse((REPOSITORY / "toolkit" / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.name: (node.module or "").removeprefix("toolkit.")
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == toolkit._HOME
    assert set(typed) == set(toolkit.__all__)


@pytest.mark.slow
def test_the_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = python_examples(REPOSITORY / "README.md")
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {"__name__": "example"})  # noqa: S102 - our own page
    assert list(tmp_path.rglob("model/metrics.json"))
