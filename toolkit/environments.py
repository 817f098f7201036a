"""An interpreter that has the libraries of a model: this one where they are here, else an environment made for them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.cache import cache_folder
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INSTALL_SECONDS_MAX = 900
COMMON = ("joblib", "pandas")  # what reading a model may ask for beside its own library
DISTRIBUTIONS = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost-cpu",  # the other one brings a gigabyte for graphics cards
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "tensorflow": "tensorflow-cpu",  # as above
    "ai_edge_litert": "ai-edge-litert",
}
# numpy 2 and pandas 3 came long after these: what was built before does not load beside them.
FIRST_BESIDE_NUMPY_2 = (1, 4, 2)
FIRST_BESIDE_PANDAS_3 = (1, 8)


def interpreter_for(
    packages: Sequence[str],
    *,
    sklearn: str = "",
    offline: bool = False,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Return an interpreter that imports ``packages``, beside scikit-learn of the version ``sklearn`` if one is given.

    It is this one where that holds. Else an environment is made in the cache, once, of wheels alone: no code of a
    package runs while it is installed. ``ArtifactError`` says why that was not possible.
    """
    if not sklearn and all(_is_here(package) for package in packages):
        return Path(sys.executable)
    needs = tuple(DISTRIBUTIONS.get(package, package) for package in packages) + _beside(sklearn)
    name = hashlib.sha256(repr((needs, sys.version_info[:2])).encode()).hexdigest()[:16]
    folder = cache_folder() / "environments" / name
    python = folder / "bin" / "python"
    listed = ", ".join([*packages, *([f"scikit-learn {sklearn}"] if sklearn else [])])
    if (folder / "complete").is_file() and python.exists():
        return python
    if offline:
        message = f"the model needs {listed}, which is not here, and `--offline` was given"
        raise ArtifactError(message, hint="run the command once without `--offline`")
    if say is not None:
        say(f"making an environment with {listed}")
    _make(folder, needs, listed)
    return python


def _is_here(package: str) -> bool:
    for name in {package, DISTRIBUTIONS.get(package, package)}:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        return True
    return False


def _beside(sklearn: str) -> tuple[str, ...]:
    if not sklearn:
        return ("scikit-learn", *COMMON)
    numbers = tuple(int(part) for part in re.findall(r"\d+", sklearn)[:3])
    older: tuple[str, ...] = ("numpy<2",) if numbers < FIRST_BESIDE_NUMPY_2 else ()
    older += ("pandas<3",) if numbers < FIRST_BESIDE_PANDAS_3 else ()
    return (f"scikit-learn=={sklearn}", *COMMON, *older)


def _make(folder: Path, needs: Sequence[str], listed: str) -> None:
    """Make the environment beside its place and move it in whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        _run([sys.executable, "-m", "venv", str(stage)], listed)
        pip = [str(stage / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--only-binary=:all:", *needs], listed)
        (stage / "complete").touch()
        shutil.rmtree(folder, ignore_errors=True)
        stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _run(command: Sequence[str], listed: str) -> None:
    try:
        ran = subprocess.run(
            list(command), capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False, env=_environment()
        )
        told = ran.stderr.strip().splitlines()
        why = next((line for line in reversed(told) if line.startswith("ERROR")), told[-1] if told else "")
        failed = ran.returncode != 0
    except subprocess.TimeoutExpired:
        why, failed = f"it took more than {INSTALL_SECONDS_MAX} s", True
    if failed:
        message = f"an environment with {listed} could not be made: {why.removeprefix('ERROR: ')[:200]}"
        raise ArtifactError(message, hint="install these libraries beside kaggle2app, or convert the model to ONNX")


def _environment() -> dict[str, str]:
    """Return what pip may know: how to reach its index, nothing of Kaggle's credentials."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("KAGGLE")}
