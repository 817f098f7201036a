"""What each dependency costs: megabytes on disk with what it brings along, milliseconds to import.

python benchmarks/dependencies.py
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

RUNS = 3
MODULES = {
    "httpx2": "httpx2",
    "pandas-stubs": "",
    "prometheus-client": "prometheus_client",
    "python-multipart": "python_multipart",
    "python-slugify": "slugify",
    "scikit-learn": "sklearn",
    "ruff": "",
    "kaggle": "kagglesdk",
}


def main() -> None:
    """Print a table: distribution, megabytes alone, megabytes with its own dependencies, import milliseconds."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    empty = milliseconds("pass")
    names = sorted(re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in project["dependencies"])
    everything: set[str] = set()
    for name in names:
        together = closure(name)
        everything |= together
        module = MODULES.get(name, name)
        took = f"{milliseconds(f'import {module}') - empty:6.0f}" if module else "     -"
        print(f"{name:20} {megabytes({name}):7.1f} {megabytes(together):7.1f} {took}")
    print(f"{'all':20} {'':7} {megabytes(everything):7.1f}")


def closure(name: str) -> set[str]:
    """Return a distribution and all that it brings along here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if current in found:
            continue
        try:
            requirements = metadata.requires(current) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(current)
        waiting += [re.split(r"[<>=!~\[ ;(]", text)[0] for text in requirements if "extra ==" not in text]
    return found


def megabytes(names: set[str]) -> float:
    """Return the size of installed files in megabytes."""
    files = (file for name in names for file in metadata.files(name) or ())
    return sum(Path(str(file.locate())).stat().st_size for file in files if Path(str(file.locate())).is_file()) / 1e6


def milliseconds(statement: str) -> float:
    """Return the median time of a process that runs ``statement``."""
    measured = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL)
        measured.append(time.perf_counter() - started)
    return statistics.median(measured) * 1000


if __name__ == "__main__":
    main()
