"""The routes for people: the page, what it is made of, and the description of the API."""

from __future__ import annotations

import io
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - FastAPI reads it in annotations
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from . import handbook, page
from .batch import safe_in_a_spreadsheet
from .problems import RefusedError
from .schema import InputError, Problem
from .straight import count
from .tables import write_rows
from .tensors import STATIC_FILES as MORE_FILES

if TYPE_CHECKING:
    from fastapi import FastAPI

    from .served import Served

STATIC_FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "handbook.js": "text/javascript; charset=utf-8",
    **MORE_FILES,
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
}


def add_routes(app: FastAPI, served: Served) -> None:
    """Add ``/``, ``/example.csv``, ``/docs`` and ``/static``."""
    schema, info, locked = served.model.schema, served.info, served.guard.keys is not None

    @app.get("/", include_in_schema=False)
    async def show() -> HTMLResponse:
        return HTMLResponse(page.render(schema=schema, info=info, locked=locked), headers=HEADERS)

    @app.post("/", include_in_schema=False)
    async def answer(request: Request) -> HTMLResponse:
        async with request.form(max_files=0, max_fields=10_000) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        values = page.values_of(schema, fields)
        try:
            served.guard.check(request, fields.get("key", ""))
            columns = schema.from_cells({name: [cell] for name, cell in values.items()})
            answers = await run_in_threadpool(served.explainer.explain, columns, 1)
        except RefusedError as error:
            told = [Problem(None, None, error.detail)]
            content = page.render(schema=schema, info=info, values=values, problems=told, locked=locked)
            return HTMLResponse(content, error.status, headers={**HEADERS, **(error.headers or {})})
        except InputError as error:
            content = page.render(schema=schema, info=info, values=values, problems=error.problems, locked=locked)
            return HTMLResponse(content, HTTPStatus.UNPROCESSABLE_ENTITY, headers=HEADERS)
        count(served.telemetry, answers)
        content = page.render(schema=schema, info=info, values=values, result=answers[0], locked=locked)
        return HTMLResponse(content, headers=HEADERS)

    @app.get("/example.csv", include_in_schema=False)
    async def example() -> Response:
        cells, out = page.example_cells(schema), io.StringIO()
        write_rows(out, [[safe_in_a_spreadsheet(cell) for cell in line] for line in (cells, cells.values())])
        return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=HEADERS)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(handbook.render(app.openapi()), headers=HEADERS)

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in STATIC_FILES:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such file")
        content = resources.files(__package__).joinpath("static", name).read_bytes()
        return Response(content, media_type=STATIC_FILES[name], headers={**HEADERS, "cache-control": "max-age=600"})
