"""The body of a request that is not plainly right: read strictly, each fault told."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from .problems import RefusedError
from .schema import PROBLEMS_MAX, InputError, Problem

if TYPE_CHECKING:
    from starlette.requests import Request


class Twice(dict[str, Any]):
    """An object in which some names come more than once."""

    names: tuple[str, ...] = ()


def rows_of(body: bytes, *, rows_max: int, nesting_max: int) -> list[object]:
    """Return the rows of a ``{"rows": [...]}`` body; ``RefusedError`` or ``InputError`` say what is wrong with it."""
    too_deep = f"the body is nested more than {nesting_max} levels deep; a row needs 3"
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is no valid JSON: {error}") from None
    except RecursionError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, too_deep) from None
    held = document.get("rows") if isinstance(document, dict) else None
    crowded = isinstance(held, list) and len(held) > rows_max
    if not crowded and _is_deeper(document, nesting_max):  # which takes a look at every value
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
    twice = _names_twice(body)
    if twice:
        raise InputError(twice)
    return rows


def expect(request: Request, *types: str) -> None:
    """Let a request of one of these content types pass."""
    found = request.headers.get("content-type", types[0]).partition(";")[0].strip().lower()
    if found not in types:
        detail = f"expected the content type {types[0]}, got {found[:100]!r}"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


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
