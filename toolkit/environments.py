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
    "tf_keras": "tf-keras",
    "torch": "torch==2.13.0",  # whose writer of ONNX was tried: it is to leave PyTorch some day
}
HEAVY = {
    "torch": (
        "PyTorch takes about 1 GB, on Linux some 5 GB where pip's index has no build of it for processors alone; "
        "`pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu` beside kaggle2app avoids that"
    ),
}
ALONE = frozenset({"tf-keras"})  # it asks for the other TensorFlow, and takes this one
# The Pythons for which scikit-learn has wheels, from the version on the left on: the oldest and the newest.
WHEELS = (
    ((0, 22), (8, 8)),
    ((0, 24), (8, 9)),
    ((1, 0, 2), (8, 10)),
    ((1, 1, 3), (8, 11)),
    ((1, 3, 1), (8, 12)),
    ((1, 4), (9, 12)),
    ((1, 5, 2), (9, 13)),
    ((1, 6), (9, 13)),
    ((1, 7), (10, 13)),
    ((1, 8), (11, 14)),
)
EARLIEST = "0.22.2.post1"
# numpy 2 and pandas 3 came long after these: what was built before does not load beside them.
NUMPY_BEFORE = (((1, 0), "numpy<1.20"), ((1, 1, 3), "numpy<1.24"), ((1, 4, 2), "numpy<2"))
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
    package runs while it is installed. A version without wheels for this Python is looked for with the older Pythons of
    this machine; where there is none, the nearest version with wheels takes its place. ``ArtifactError`` says why
    that was not possible.
    """
    if not sklearn and all(_is_here(package) for package in packages):
        return Path(sys.executable)
    base, sklearn = _base_for(sklearn) if sklearn else (Path(sys.executable), "")
    needs = tuple(DISTRIBUTIONS.get(package, package) for package in packages) + _beside(sklearn)
    name = hashlib.sha256(repr((needs, _minor_of(base))).encode()).hexdigest()[:16]
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
        for package in packages:
            if package in HEAVY:
                say(HEAVY[package])
    _make(folder, base, needs, listed)
    return python


def _base_for(sklearn: str) -> tuple[Path, str]:
    """Return the Python to make an environment of, and the version of scikit-learn to put into it.

    What is older than 0.22 is asked of that version, the first for a Python that the cage runs on.
    """
    first, told = WHEELS[0][0], _numbers(sklearn)
    numbers = max(first, told)
    wanted = sklearn if told >= first and sklearn[:1].isdigit() else EARLIEST
    here = Path(sys.executable)
    mine = _minor_of(here)
    oldest, newest = [pythons for since, pythons in WHEELS if since <= numbers][-1]
    if oldest <= mine <= newest:
        return here, wanted
    older = (_python(minor) for minor in range(newest, oldest - 1, -1))
    base = next((python for python in older if python is not None), None)
    if base is not None:
        return base, wanted
    nearest = [since for since, (low, high) in WHEELS if low <= mine <= high and since >= numbers]
    return here, ".".join(map(str, min(nearest))) if nearest else wanted


def _python(minor: int) -> Path | None:
    """Return a Python 3 of that minor version on this machine, ``None`` when there is none that runs."""
    name = f"python3.{minor}"
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = [shutil.which(name), *map(str, sorted(managed.glob(f"3.{minor}.*/bin/{name}")))]
    return next((Path(path) for path in known if path and _minor_of(Path(path)) == minor), None)


def _minor_of(python: Path) -> int:
    """Return the minor version of a Python, -1 when it does not start."""
    if python == Path(sys.executable):
        return sys.version_info[1]
    asked = [str(python), "-I", "-c", "import sys, venv; print(sys.version_info[1])"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired):
        return -1
    return int(told.stdout) if told.returncode == 0 and told.stdout.strip().isdigit() else -1


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


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
    numbers = _numbers(sklearn)
    bound = next((bound for before, bound in NUMPY_BEFORE if numbers < before), "")
    older: tuple[str, ...] = (bound,) if bound else ()
    older += ("pandas<3",) if numbers < FIRST_BESIDE_PANDAS_3 else ()
    return (f"scikit-learn=={sklearn}", *COMMON, *older)


def _make(folder: Path, base: Path, needs: Sequence[str], listed: str) -> None:
    """Make the environment beside its place and move it in whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        _run([str(base), "-m", "venv", str(stage)], listed)
        pip = [str(stage / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--only-binary=:all:", *(need for need in needs if need not in ALONE)], listed)
        for need in ALONE.intersection(needs):
            _run([*pip, "--only-binary=:all:", "--no-deps", need], listed)
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
