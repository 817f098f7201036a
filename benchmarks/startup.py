"""What starting costs: `kaggle2app --help` beside `python -c "import typer"`, the least such a command line takes.

python benchmarks/startup.py [runs]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
RATIO_MAX = 2.0


def main() -> int:
    """Print the medians and their ratio; 1 when the ratio is above the bound."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "python -c 'import typer'": [python, "-c", "import typer"],
        "kaggle2app --help": [python, "-c", "from toolkit.cli import main; main(['--help'])"],
        "kaggle2app new --help": [python, "-c", "from toolkit.cli import main; main(['new', '--help'])"],
    }
    seconds = {name: median(command, runs) for name, command in commands.items()}
    for name, value in seconds.items():
        print(f"{name:28} {value * 1000:6.0f} ms")
    ratio = seconds["kaggle2app --help"] / seconds["python -c 'import typer'"]
    print(f"ratio help / import typer    {ratio:6.2f}   (bound {RATIO_MAX})")
    return int(ratio > RATIO_MAX)


def median(command: list[str], runs: int) -> float:
    """Return the median seconds of a command over some runs, after one to warm up."""
    measured = []
    for run in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if run:
            measured.append(time.perf_counter() - started)
    return statistics.median(measured)


if __name__ == "__main__":
    sys.exit(main())
