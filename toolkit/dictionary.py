"""Texts and tables that describe columns become ``{column: description}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.download import Provenance
    from toolkit.table import Table

# fmt: off
NAME_HEADS = frozenset((
    "column", "columns", "column name", "variable", "variable name", "variables", "feature", "features",
    "feature name", "field", "field name", "attribute", "attributes", "name", "row", "col", "item",
))
# fmt: on
TEXT_HEADS = ("description", "definition", "meaning", "explanation", "label", "details", "comment", "notes", "desc")
LENGTH_MAX = 300  # characters of a description: one that is longer is a page, and is cut at a word
MATCH_SHARE = 0.4  # of a dictionary's rows that name a column of some table


def looks_like_dictionary(table: Table, tables: list[Table]) -> bool:
    """Return whether a table's rows describe the columns of another one of ``tables``."""
    pair = _columns_of(table)
    if pair is None:
        return False
    names = {_key(name) for other in tables if other is not table for name in other.frame.columns}
    rows = [_key(cell) for cell in table.frame[pair[0]].fillna("") if cell]
    return bool(rows) and len(rows) < 2000 and sum(row in names for row in rows) >= MATCH_SHARE * len(rows)  # noqa: PLR2004


def descriptions_from(
    main: Table, dictionaries: tuple[Table, ...], texts: dict[str, str], provenance: Provenance
) -> tuple[dict[str, str], set[str]]:
    """Return what is said about columns of ``main``: by Kaggle's metadata first, then tables, then texts.

    ``texts`` are by path; the second result are the paths that said something.
    """
    by_key = {_key(name): str(name) for name in main.frame.columns}
    found: dict[str, str] = {}
    used: set[str] = set()
    for path, text in texts.items():
        for key, description in _from_text(text, by_key).items():
            used.add(path)
            found.setdefault(key, description)
    for key, description in _from_text(provenance.description, by_key).items():
        found.setdefault(key, description)
    for table in dictionaries:
        pair = _columns_of(table)
        if pair is not None:
            rows = zip(table.frame[pair[0]].fillna(""), table.frame[pair[1]].fillna(""), strict=True)
            found |= {_key(name): _short(text) for name, text in rows if text.strip() and _key(name) in by_key}
    file = main.reading.path.name
    for name, columns in provenance.columns.items():
        if name in {main.name, file} or len(provenance.columns) == 1:
            found |= {
                _key(column): _short(text)
                for column, text in columns.items()
                if text.strip() and _key(column) in by_key
            }
    return {name: found[key] for key, name in by_key.items() if key in found}, used


def _columns_of(table: Table) -> tuple[str, str] | None:
    """Return the columns that hold names and descriptions."""
    folded = {str(name).strip().casefold().replace("_", " "): str(name) for name in table.frame.columns}
    names = [original for name, original in folded.items() if name in NAME_HEADS]
    texts = [
        original
        for head in TEXT_HEADS
        for name, original in folded.items()
        if head in name and original not in names[:1]
    ]
    return (names[0], texts[0]) if names and texts else None


def _from_text(text: str, by_key: dict[str, str]) -> dict[str, str]:
    """Read lines such as ``name: text``, ``- name - text``, ``1. **name**: text``, ``| name | text |``."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(
            r"\s*(?:[-*•>|]|\d+[.)])*\s*[*_`'\"]*([^:|\t]{1,80}?)[*_`'\"]*\s*(?::|\||\t|\s[-\u2013\u2014=]\s)\s*(\S.*)",
            line,
        )
        if match and _key(match[1]) in by_key:
            described = match[2].strip().strip("|*_` \t")
            if described:
                found.setdefault(_key(match[1]), _short(described))
    return found


def _key(name: object) -> str:
    return re.sub(r"[\s_.-]+", " ", str(name)).strip().casefold()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LENGTH_MAX else text[:LENGTH_MAX].rsplit(" ", 1)[0] + " ..."
