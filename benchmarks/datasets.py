"""`new` on every single-table data set of a folder: made, tested, above the baseline, the same answer by every way in.

python benchmarks/datasets.py [--data ../shared/datasets] [--into DIR] [WORD ...]

Reads the folder's index.json (task, target, alternatives); `--target` is given only where it lists alternatives. A WORD
picks data sets by a part of their handle. Prints one Markdown line each; exit code 1 when one fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SUPERVISED = ("binary", "multiclass", "regression", "text")


def main() -> int:
    """Print the table; 1 when a project was not made, a test failed or the ways to an answer differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/datasets"))
    parser.add_argument("--into", type=Path)
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    entries = json.loads((asked.data / "index.json").read_text(encoding="utf-8"))
    wanted = [
        entry
        for entry in entries
        if entry["task"] in SUPERVISED and (not asked.words or any(word in entry["handle"] for word in asked.words))
    ]
    print("| data set | target | metric | score | 95 % interval | baseline | tests | seconds | parity |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="kaggle2app-") as scratch:
        lines = [_line(entry, asked.data, asked.into or Path(scratch)) for entry in wanted]
    return int(not all(lines))


def _line(entry: dict[str, Any], data: Path, into: Path) -> bool:
    command = [sys.executable, "-m", "toolkit", "new", str(data / entry["folder"]), "--into", str(into), "--json"]
    if entry["alternatives"]:
        command += ["--target", entry["target"]]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    made = json.loads(done.stdout)
    if "error" in made:
        print(f"| {entry['handle']} | {made['error']['message']} |", flush=True)
        return False
    metric = made["metric"]
    score, guess = made["metrics"][metric], made["baseline"][metric]
    beside = [sys.executable, str(Path(__file__).with_name("parity.py")), made["project"]]
    parity = subprocess.run(beside, check=False, stdout=subprocess.PIPE, encoding="utf-8")
    worst = max((part.rsplit(" ", 1)[1] for part in parity.stdout.strip().split(", ")), key=float, default="none")
    right = "" if made["target"] == entry["target"] else f" (expected {entry['target']})"
    print(
        f"| {entry['handle']} | {made['target']}{right} | {metric} | {score['value']:.4g} "
        f"| {score['low']:.4g} to {score['high']:.4g} | {guess['value']:.4g} | {made['tests']['passed']} passed, "
        f"{made['tests']['failed']} failed | {made['seconds']['total']:.0f} | {worst} |",
        flush=True,
    )
    return not right and parity.returncode == 0 and not made["tests"]["failed"]


if __name__ == "__main__":
    sys.exit(main())
