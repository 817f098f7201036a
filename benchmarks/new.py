"""What `kaggle2app new` costs on a given table: seconds a step, peak memory, shares.

python benchmarks/new.py SOURCE [--target COLUMN] [other options of `new`]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time

WORK = ("train", "test")
TOTAL_SECONDS_MAX = 30.0
REST_SECONDS_MAX = 5.0
PEAK_GIBIBYTES_MAX = 2.0


def main() -> int:
    """Print what one `new` took and how it stands to the bounds; its exit code when it failed."""
    with tempfile.TemporaryDirectory(prefix="kaggle2app-") as folder:
        command = [sys.executable, "-m", "toolkit", "new", *sys.argv[1:], "--into", folder, "--json"]
        started = time.perf_counter()
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, encoding="utf-8")
        seconds = time.perf_counter() - started
    if done.returncode:
        print(done.stdout)
        return done.returncode
    made = json.loads(done.stdout)
    for step, took in made["seconds"].items():
        print(f"{step:10} {took:7.2f} s")
    rest = seconds - sum(made["seconds"].get(step, 0.0) for step in WORK)
    # ru_maxrss is the largest process, in KiB on Linux: the command itself or the training that it waited for
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    metric = made["metric"]
    print(f"{metric}: {made['metrics'][metric]['value']:.4g}, a constant guess {made['baseline'][metric]['value']:.4g}")
    print(f"tests: {made['tests']}")
    for name, value, bound, unit in (
        ("all, start-up included", seconds, TOTAL_SECONDS_MAX, "s"),
        ("neither training nor tests", rest, REST_SECONDS_MAX, "s"),
        ("largest process", peak, PEAK_GIBIBYTES_MAX, "GiB"),
    ):
        print(f"{name:28} {value:6.2f} {unit:4} ratio to the bound of {bound:g}: {value / bound:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
