"""A table without a header gets the names that a text beside it lists, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from toolkit.dialect import looks_like_value, unique_names
from toolkit.findings import Finding

if TYPE_CHECKING:
    from toolkit.table import Table

NAMES_MIN = 3  # fewer stand in any text by chance
NAME_LENGTH_MAX = 60
NEAR_LINES = 8  # above a list, in which a text says what it lists
CLASS = "class"  # what the last column is called where the text names all but the classes

_LISTS = re.compile(r"\b(attributes?|variables?|features?|columns?|fields?)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"(\s*)(?:#\s*)?(\d{1,3})([.):]?)\s+(\S.*)")
_DECLARED = re.compile(r"([^\s:|][^:|]{0,60}?)\s*:\s+(continuous|discrete|ignore|label|\S.*)\.?\s*$", re.IGNORECASE)


def name_columns(found: list[Table], texts: dict[str, str]) -> list[Table]:
    """Return the tables, with names for those without a header where one of ``texts`` (by path) lists as many."""
    return [_named(one, texts) if any(said.code == "no-header" for said in one.findings) else one for one in found]


def _named(table: Table, texts: dict[str, str]) -> Table:
    stem = PurePosixPath(table.name).stem.casefold()
    for path, text in sorted(texts.items(), key=lambda item: PurePosixPath(item[0]).stem.casefold() != stem):
        names = names_in(text, table.frame.shape[1])
        if names:
            finding = Finding(
                "names-from-text",
                f"`{table.name}` has no header, and `{path}` lists as many names as it has columns: "
                f"{', '.join(f'`{name}`' for name in names[:4])}{' ...' if len(names) > 4 else ''}",  # noqa: PLR2004 - shown
                action="named the columns so, in that order",
                overrule="write a header line into the file",
                evidence={"file": path},
            )
            others = [said for said in table.findings if said.code != "no-header"]
            frame = table.frame.set_axis(list(names), axis=1)
            return replace(table, frame=frame, findings=(*others, finding))
    return table


def names_in(text: str, count: int) -> tuple[str, ...]:
    """Return the ``count`` names that a text lists, by number or as ``name: kind``, else nothing."""
    lines = text.splitlines()
    for names in (_numbered(lines, count), _declared(lines, count)):
        clean = [name for name in names if name and len(name) <= NAME_LENGTH_MAX and not looks_like_value(name)]
        if len(clean) == count >= NAMES_MIN:
            return unique_names(tuple(clean))
    return ()


@dataclass
class _Run:
    """Lines numbered 1, 2, 3 at one depth."""

    indent: int
    mark: str
    start: int
    last: int = 1
    names: list[str] = field(default_factory=list)


def _numbered(lines: list[str], count: int) -> list[str]:
    """Return the names of the last list of that many numbers which a text says to be of attributes."""
    runs: list[_Run] = []
    for place, line in enumerate(lines):
        match = _NUMBERED.match(line)
        if not match:
            continue
        indent, number, mark = len(match[1]), int(match[2]), match[3]
        name = re.split(r"\s{2,}|\t|:|\s[-\u2013=]\s|\s*[(,;]", match[4])[0].strip(" .*`'\"")
        if number == 1:
            runs.append(_Run(indent, mark, place, names=[name]))
            continue
        for run in reversed(runs):
            if run.last == number - 1 and run.mark == mark and abs(run.indent - indent) <= 2:  # noqa: PLR2004 - 9 above 10
                run.last = number
                run.names.append(name)
                break
    fitting = [run for run in runs if len(run.names) == count]
    said = [run for run in fitting if any(map(_LISTS.search, lines[max(0, run.start - NEAR_LINES) : run.start]))]
    return said[-1].names if said else []


def _declared(lines: list[str], count: int) -> list[str]:
    """Return names as the files of C4.5 declare them: the classes in a line, then ``name: continuous.`` for each."""
    rows = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("|")]
    found = [match for line in rows if (match := _DECLARED.fullmatch(line))]
    typed = sum(match[2].rstrip(".").casefold() in {"continuous", "discrete", "ignore"} for match in found)
    if not typed or len(found) < len(rows) - 1:
        return []
    names = [match[1].strip() for match in found]
    return [*names, CLASS] if len(names) == count - 1 and rows[0] != found[0].string else names
