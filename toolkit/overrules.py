"""What a person types to overrule how a column is read, ``--as COLUMN=KIND``, understood or refused with a hint."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Literal, cast, get_args

from toolkit.errors import UsageError
from toolkit.names import argument, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

AskedKind = Literal["number", "category", "text", "date", "boolean"]

SHOWN_MAX = 8


def kinds_asked(asked: Sequence[str], columns: Sequence[str]) -> dict[str, AskedKind]:
    """Return the kind asked for by column, of texts such as ``zip=category``; ``UsageError`` for what is none."""
    found: dict[str, AskedKind] = {}
    for text in asked:
        name, _, kind = text.rpartition("=")
        if not name:
            message = f"`{text}` names no column and kind, expected COLUMN=KIND"
            raise UsageError(message, hint=f"--as {argument((columns[0] if columns else 'COLUMN') + '=category')}")
        kind = kind.strip().lower()
        if kind not in get_args(AskedKind):
            near = difflib.get_close_matches(kind, get_args(AskedKind), n=1, cutoff=0.5)
            message = f"no kind of column is called `{kind}`: expected {', '.join(get_args(AskedKind))}"
            raise UsageError(message, hint=f"--as {argument(f'{name}=' + (near[0] if near else 'category'))}")
        column = column_called(name, columns, f"--as {{}}={kind}")
        found[column] = cast("AskedKind", kind)
    return found


def column_called(name: str, known: Sequence[str], flag: str) -> str:
    """Return the column that a person means; ``UsageError`` with ``flag`` as it is to be typed when there is none."""
    if name in known:
        return name
    alike = [one for one in known if one.strip().casefold() == name.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    shown = near or list(known[:SHOWN_MAX])
    message = f"no column is called {quoted(name)}: expected one of {', '.join(map(quoted, shown))}"
    raise UsageError(message, hint=argument_of(flag, shown[0]) if shown else "name a table with columns")


def argument_of(flag: str, name: str) -> str:
    """Return an option with a column's name in it, as it is typed in a shell."""
    option, _, value = flag.partition(" ")
    return f"{option} {argument(value.format(name))}"
