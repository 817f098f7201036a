"""docs/cli.md, made of what the commands say of themselves: `make docs` writes it, a test compares it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
VERBS = ("new", "inspect", "fetch", "search", "submit", "doctor", "check")
HEAD = """# Command line

```sh
kaggle2app new sample:iris
```

This page is what the commands say of themselves (`make docs` writes it). Data goes to stdout, talk to stderr; with
`--json` stdout is one JSON object, on errors too. Colour and moving lines are for terminals only; `NO_COLOR` is obeyed.

| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 1 | a check failed, or a bug of ours |
| 2 | the command was not understood |
| 3 | Kaggle, or the way to it, did not give what was asked for |
| 4 | the data cannot be read, or it is not clear what to predict |
| 5 | a model file is dangerous, damaged or of no use |
| 6 | the project folder cannot be made, found or built |
| 130 | interrupted; nothing half-made was left behind |
"""


def reference() -> str:
    """Return the whole page."""
    sections = [HEAD, section("kaggle2app"), *(section(f"kaggle2app {verb}", verb) for verb in VERBS)]
    return "\n".join(sections)


def section(title: str, *words: str) -> str:
    """Return the section of one command."""
    told = subprocess.run(
        [sys.executable, "-m", "toolkit", *words, "--help"],
        capture_output=True,
        check=True,
        encoding="utf-8",
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(REPOSITORY)},
    )
    lines = [line.rstrip() for line in told.stdout.strip().splitlines()]
    return f"## {title}\n\n```text\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    (REPOSITORY / "docs" / "cli.md").write_text(reference(), encoding="utf-8", newline="\n")
