"""How long ``inspect`` takes over a large table, against reading the same file with pandas and Arrow.

    python benchmarks/inspecting.py [--rows 1000000] [--file FILE] [--times 3] [--memory MB]

Makes a table of 20 mixed columns (about 150 MB at a million rows) from a fixed seed, then times in turns, in a
process of its own each, ``pandas.read_csv(engine="pyarrow")`` and ``kaggle2app inspect --json``. Prints seconds, peak
memory and both as a share; the exit code is 1 when ``inspect`` takes more than 3 times as long or more than 4 times the
file in memory. With ``--memory`` only that much counts as free: a draw of the rows is looked at, and the bound is that
much and what Python takes with its libraries.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMES_MAX = 3.0
MEMORY_TIMES_MAX = 4.0
LIBRARIES_MB = 200  # of a Python process that has loaded pandas and Arrow
REPOSITORY = Path(__file__).parents[1]
READ = "import sys, pandas; pandas.read_csv(sys.argv[1], engine='pyarrow')"
INSPECT = "import sys; from toolkit.cli import main; sys.exit(main(['inspect', sys.argv[1], '--json']))"


def main() -> int:
    """Print both measurements; the exit code is 1 when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, help="a CSV to measure instead of a made one")
    parser.add_argument("--times", type=int, default=3, help="turns, of which the quickest of each counts")
    parser.add_argument("--memory", type=int, help="megabytes that count as free, fewer than the file takes")
    given = parser.parse_args()
    if given.memory:
        os.environ["KAGGLE2APP_MEMORY_MB"] = str(given.memory)
    with tempfile.TemporaryDirectory() as folder:
        path = given.file or make(Path(folder) / "large.csv", given.rows)
        size = path.stat().st_size
        turns = [(measure(READ, path), measure(INSPECT, path)) for _ in range(given.times)]
    (plain, plain_bytes), (ours, our_bytes) = (min(runs) for runs in zip(*turns, strict=True))
    print(f"file                 {size / 1e6:8.1f} MB")
    print(f"pandas and Arrow     {plain:8.2f} s   {plain_bytes / 1e6:8.0f} MB at most")
    print(f"inspect              {ours:8.2f} s   {our_bytes / 1e6:8.0f} MB at most")
    times, memory = ours / plain, our_bytes / size
    print(f"times as long        {times:8.2f}     at most {TIMES_MAX:g}")
    if given.memory:
        bound = given.memory + LIBRARIES_MB
        print(f"MB at most           {our_bytes / 1e6:8.0f}     at most {bound}")
        return int(our_bytes / 1e6 > bound)
    print(f"times the file       {memory:8.2f}     at most {MEMORY_TIMES_MAX:g}")
    return int(times > TIMES_MAX or memory > MEMORY_TIMES_MAX)


def measure(code: str, path: Path) -> tuple[float, int]:
    """Return the seconds and the peak memory in bytes of a Python process that runs ``code`` over ``path``."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        message = f"the measured process ended with {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, peak(usage) * unit


def peak(usage: resource.struct_rusage) -> int:
    """Return the largest memory that a process had, in the unit its system counts in."""
    return int(usage.ru_maxrss)


def make(path: Path, rows: int) -> Path:
    """Write a table of 20 mixed columns, 100,000 rows at a time, and return its path."""
    import numpy as np  # noqa: PLC0415 - only when a file is made
    import pandas as pd  # noqa: PLC0415 - as above

    draw = np.random.default_rng(7)
    days = pd.date_range("2015-01-01", periods=2000).strftime("%Y-%m-%d").to_numpy()
    words = np.array([f"word{number}" for number in range(500)])
    for start in range(0, rows, 100_000):
        size = min(100_000, rows - start)
        amounts = {f"amount_{number}": np.round(draw.normal(100, 30, size), 4) for number in range(6)}
        counts = {f"count_{number}": draw.integers(0, 10 ** (number + 1), size) for number in range(4)}
        towns = {f"town_{number}": draw.choice(words[: 10 * (number + 1) ** 2], size) for number in range(4)}
        frame = pd.DataFrame(
            {
                "id": np.arange(start, start + size),
                "day": draw.choice(days, size),
                **amounts,
                **counts,
                **towns,
                "price": np.char.add("$", np.round(draw.lognormal(4, 1, size), 2).astype(str)),
                "note": [" ".join(row) for row in draw.choice(words, (size, 4))],
                "active": draw.choice(["Yes", "No"], size),
                "churned": draw.integers(0, 2, size),
            }
        )
        frame.loc[draw.random(size) < 0.05, "amount_0"] = None  # noqa: PLR2004 - a share of gaps
        frame.to_csv(path, mode="a", header=start == 0, index=False)
    return path


if __name__ == "__main__":
    sys.exit(main())
