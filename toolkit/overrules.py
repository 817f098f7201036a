"""What a person types to overrule how cells are read, ``--as COLUMN=KIND``, understood or refused with a hint."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

from toolkit.errors import UsageError
from toolkit.names import argument, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

AskedKind = Literal["number", "category", "text", "date", "boolean", "day-first", "month-first"]

SHOWN_MAX = 8


@dataclass(frozen=True)
class Asked:
    """What a person wants of one column: its kind, texts that are no value in it, and texts that are one."""

    kind: AskedKind | Literal[""] = ""
    missing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


NOTHING = Asked()


def asked_of(
    kinds: Sequence[str], missing: Sequence[str], values: Sequence[str], columns: Sequence[str]
) -> dict[str, Asked]:
    """Return what is asked of each column by ``--as``, ``--missing`` and ``--no-missing``, each ``COLUMN=...``.

    Raises ``UsageError`` for what names no column, and for a text that is asked for as both.
    """
    read_as = kinds_asked(kinds, columns)
    gaps, kept = texts_asked(missing, columns, "--missing"), texts_asked(values, columns, "--no-missing")
    for name in sorted(gaps.keys() & kept.keys()):
        if both := sorted(set(gaps[name]) & set(kept[name])):
            message = f"{both[0]!r} in {quoted(name)} is asked for as missing and as a value"
            raise UsageError(message, hint="name it with --missing or with --no-missing, not with both")
    names = [name for name in columns if name in read_as or name in gaps or name in kept]
    return {name: Asked(read_as.get(name, ""), gaps.get(name, ()), kept.get(name, ())) for name in names}


def texts_asked(asked: Sequence[str], columns: Sequence[str], flag: str) -> dict[str, tuple[str, ...]]:
    """Return the texts asked for by column, of ``COLUMN=TEXT`` such as ``glucose=0``; ``UsageError`` for what is none.

    Either side may hold an equals sign: the first place to its left where a column's name ends counts.
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair in asked:
        ends = [place for place, letter in enumerate(pair) if letter == "="]
        end = next((place for place in ends if pair[:place] in columns), ends[-1] if ends else 0)
        name, text = pair[:end], pair[end + 1 :].strip()
        if not name:
            message = f"`{pair}` names no column and text, expected COLUMN=TEXT"
            raise UsageError(message, hint=f"{flag} {argument((columns[0] if columns else 'COLUMN') + '=0')}")
        if not text:
            message = f"`{pair}` names no text: a cell without one is always missing"
            raise UsageError(message, hint=f"{flag} {argument(f'{name}=0')}, with what stands in the cells")
        column = column_called(name, columns, f"{flag} {{}}={text}")
        found[column] = (*found.get(column, ()), text)
    return found


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
