"""The body of a request that is not plainly right: read strictly, each fault told."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from .problems import RefusedError
from .rows import SPACED
from .schema import PROBLEMS_MAX, InputError, Problem

if TYPE_CHECKING:
    from starlette.requests import Request

TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
DEPTH = 3  # of a body whose rows hold single values
CROWDED, CROWDED_LEAST = 2, 1_000  # lists and objects for each row allowed, and besides: more are not worth building
NAMES_BESIDES_MAX = 10_000  # more are not told one by one


class Twice(dict[str, Any]):
    """An object in which some names come more than once."""

    names: tuple[str, ...] = ()


def rows_of(body: bytes, *, rows_max: int, nesting_max: int, depth: int = DEPTH, lists: int = CROWDED) -> list[object]:
    """Return the rows of a ``{"rows": [...]}`` body; ``RefusedError`` or ``InputError`` say what is wrong with it.

    ``depth`` and ``lists`` are how deep a body's rows go, and how many lists and objects each may have.
    """
    nesting_max = max(nesting_max, depth)
    too_deep = f"the body is nested more than {nesting_max} levels deep; a row needs {depth}"
    if _holds_more(body, lists * rows_max + CROWDED_LEAST):
        detail = f"the body holds more lists and objects than {rows_max:,} rows do"
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is no valid JSON: {error}") from None
    except RecursionError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, too_deep) from None
    held = document.get("rows") if isinstance(document, dict) else None
    crowded = isinstance(held, list) and len(held) > rows_max
    nested = _holds_more(body, nesting_max)
    if nested and not crowded and _is_deeper(document, nesting_max):  # which takes a look at every value
        raise RefusedError(HTTPStatus.BAD_REQUEST, too_deep)
    if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
        detail = 'expected {"rows": [{column: value, ...}, ...]}'
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    unknown = [name for name in document if name != "rows"]
    if unknown:
        raise InputError([Problem(None, name[:200], 'not known beside "rows"') for name in unknown[:PROBLEMS_MAX]])
    rows: list[object] = document["rows"]
    if not 1 <= len(rows) <= rows_max:
        detail = f"expected 1 to {rows_max:,} rows, got {len(rows):,}; send larger tables to /predict/file"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    besides = _names_besides(body, rows)
    if besides and besides > NAMES_BESIDES_MAX:
        message = f"{besides:,} names come more than once, or stand in objects inside of rows"
        raise InputError([Problem(None, None, message)])
    twice = [] if besides == 0 else _names_twice(body)
    if twice:
        raise InputError(twice)
    return rows


def expect(request: Request, *types: str) -> None:
    """Let a request of one of these content types pass."""
    found = request.headers.get("content-type", types[0]).partition(";")[0].strip().lower()
    if found not in types:
        detail = f"expected the content type {types[0]}, got {found[:100]!r}"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _holds_more(body: bytes, most: int) -> bool:
    """Return whether more than ``most`` lists and objects begin in a body, outside of texts."""
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    outside = TEXT.sub(b"", body)
    return outside.count(b"[") + outside.count(b"{") > most


def _is_deeper(document: object, most: int) -> bool:
    level = [document]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True


def _names_besides(body: bytes, rows: list[object]) -> int | None:
    """Return how many names stand in a body besides those that its rows hold; None where that needs a closer look."""
    if b"\\" in body or any(sign in body for sign in SPACED):
        return None
    return body.count(b'":') - 1 - sum([len(row) for row in rows if isinstance(row, dict)])


def _names_twice(body: bytes) -> list[Problem]:
    """Return what comes more than once in an object: a decoder would keep the last and say nothing."""

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        seen: set[str] = set()
        twice = Twice(found)
        twice.names = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # adding says nothing, which is the point
        return twice

    document = json.loads(body.decode(), object_pairs_hook=noted, parse_int=len, parse_float=len)
    objects = [(None, document), *enumerate(document["rows"])]
    problems = [
        Problem(row, name[:200], "comes more than once: expected one value")
        for row, each in objects
        if isinstance(each, Twice)
        for name in each.names
    ]
    return problems[:PROBLEMS_MAX]
