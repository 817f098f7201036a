"""How often the right question is found: ``inspect``'s path over real Kaggle tables, against what is known of them.

    python benchmarks/deciding.py [DATASETS] [--only WORD]

DATASETS is a folder with ``index.json`` and one folder a data set (default ``../shared/datasets``). Prints a line a
data set and the shares: first guess right, right within three, kind of task right, identifiers found, silent mistakes
(wrong and not marked as unsure).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import contents, profile, task
from toolkit.download import Download, FileRecord, Provenance
from toolkit.errors import ToolkitError

GUESSES = 3
SUPERVISED = {"binary", "multiclass", "regression", "text"}


@dataclass(frozen=True)
class Outcome:
    """What was decided for one data set, and whether that is right."""

    name: str
    told: str
    first: bool | None = None
    within: bool | None = None
    kind: bool | None = None
    identifiers: bool | None = None
    shape: bool | None = None
    sure: bool = False
    seconds: float = 0.0
    noted: str = ""

    @property
    def silent(self) -> bool:
        """Return whether the decision is wrong and nothing warned of it."""
        return self.sure and (self.first is False or self.kind is False)


def main() -> int:
    """Print the table and the shares; the exit code is 1 when a mistake was silent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="?", type=Path, default=Path(__file__).parents[2] / "shared" / "datasets")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    index = json.loads((given.datasets / "index.json").read_text(encoding="utf-8"))
    outcomes = [judge(given.datasets, known) for known in index if given.only in known["folder"]]
    for outcome in outcomes:
        marks = "".join(
            {None: "-", True: "+", False: "X"}[mark]
            for mark in (outcome.first, outcome.within, outcome.kind, outcome.identifiers, outcome.shape)
        )
        silent = "  SILENT MISTAKE" if outcome.silent else ""
        sure = "sure  " if outcome.sure else "unsure"
        print(f"{marks} {sure} {outcome.seconds:5.2f} s  {outcome.name[:42]:42s} {outcome.told}{silent}")
        if outcome.noted:
            print(f"                       {outcome.noted}")
    print()
    for label, name in (
        ("target, first guess right", "first"),
        ("target right within three", "within"),
        ("kind of task right", "kind"),
        ("identifiers found", "identifiers"),
        ("rows and columns exact", "shape"),
    ):
        marks_of = [getattr(outcome, name) for outcome in outcomes if getattr(outcome, name) is not None]
        print(f"{label:27s} {sum(marks_of):3d} of {len(marks_of)}")
    silent_names = [outcome.name for outcome in outcomes if outcome.silent]
    print(f"{'silent mistakes':27s} {len(silent_names):3d} {' '.join(silent_names)}")
    return 1 if silent_names else 0


def judge(root: Path, known: dict[str, Any]) -> Outcome:
    """Return the outcome for one data set of the index."""
    name = known["folder"]
    started = time.perf_counter()
    try:
        read = contents.read(opened(root / name))
        seen = profile.describe(read)
        decided = task.infer(seen, read)
    except ToolkitError as error:
        right = known["task"] not in SUPERVISED
        return Outcome(name, f"refused: {error.message}", first=None if right else False, kind=None if right else False)
    seconds = time.perf_counter() - started
    guesses = list(dict.fromkeys([decided.target, *(guess.target for guess in decided.alternatives)]))
    allowed = {known["target"], *known["alternatives"]} - {None}
    unsure_kinds = {guess.kind for guess in decided.alternatives if guess.target == decided.target}
    wanted = {"text": "binary"}.get(known["task"], known["task"])
    found = {identifier.name for identifier in seen.identifiers}
    identifiers = {column for column in known["id_columns"] if column in {column.name for column in seen.columns}}
    charges = [f"{leak.action} {leak.column} ({leak.strength:.2f})" for leak in decided.leaks]
    notes = [finding.code for finding in read.findings if finding.code.startswith("joined")]
    notes += [finding.code for finding in decided.findings if not finding.code.startswith(("leak", "near"))]
    return Outcome(
        name=name,
        told=f"{guesses[:3]} {decided.kind} {decided.metric} {decided.split} {decided.split_column} {decided.positive}",
        first=decided.target in allowed if allowed else None,
        within=bool(allowed & set(guesses[:GUESSES])) if allowed else None,
        kind=(decided.kind == wanted or decided.target in known["alternatives"])
        if known["task"] in SUPERVISED
        else None,
        identifiers=identifiers <= found,
        shape=known["table"] is None or (seen.rows == known["rows"] and columns_right(known, own_columns(read))),
        sure=decided.sure and not unsure_kinds & {wanted},
        seconds=seconds,
        noted="; ".join([*notes, *charges])
        + (f"; extra ids {sorted(found - identifiers)}" if found - identifiers else ""),
    )


def own_columns(read: contents.Contents) -> int:
    """Return how many columns the main table has of its own, without those joined from tables it refers to."""
    joined = sum(len(finding.columns) for finding in read.findings if finding.code == "joined-lookup")
    return read.main.frame.shape[1] - joined


def columns_right(known: dict[str, Any], columns: int) -> bool:
    """Return whether that many columns is right, empty trailing ones counted or not."""
    return columns == known["columns"] or columns in known.get("also_ok", {}).get("columns", [])


def opened(folder: Path) -> Download:
    """Return a folder on disk as a download of unknown origin."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    records = tuple(FileRecord(path.relative_to(folder).as_posix(), path.stat().st_size, "") for path in files)
    return Download(folder, records, Provenance(source=str(folder)))


if __name__ == "__main__":
    sys.exit(main())
