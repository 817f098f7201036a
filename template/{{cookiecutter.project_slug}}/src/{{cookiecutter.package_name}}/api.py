"""The HTTP application: ``create_app()`` gives FastAPI routes around one verified model."""

from __future__ import annotations

import gc
import io
import json
import logging
import tempfile
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request  # noqa: TC002 - FastAPI reads it in annotations
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from . import openapi, page, problems, straight
from .batch import predict_chunks, safe_in_a_spreadsheet
from .errors import TableError
from .middleware import BodyLimit, Observed, Telemetry
from .model import Model, version_warnings
from .problems import RefusedError
from .schema import InputError, Problem
from .settings import Settings
from .straight import Application, StraightWay, count
from .tables import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from fastapi import FastAPI

logger = logging.getLogger(__name__)

UPLOAD_MEMORY_BYTES = 8_000_000  # an answer file up to this size stays in memory, a larger one goes to a temporary file
SEND_BYTES = 65_536
GARBAGE_OBJECTS_MAX = 100_000  # new objects before Python looks for cycles among them
STATIC_FILES = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application, its model verified and loaded; ``ModelError`` when the model cannot be served."""
    settings = settings or Settings.from_environment()
    model = Model.load(settings.model_dir)
    info = model_info(model, settings.model_dir)
    telemetry = Telemetry(model=model.version, labels={"task": model.schema.task, "target": model.schema.target})
    way = StraightWay(model, telemetry, rows_max=settings.rows_max, body_bytes_max=settings.body_bytes_max)
    app = Application(way, title=info["title"], version=model.version, summary=f"Answers {model.schema.target!r}")
    app.add_middleware(Observed, telemetry=telemetry)
    app.add_middleware(BodyLimit, body_bytes_max=settings.body_bytes_max, file_bytes_max=settings.file_bytes_max)
    _add_refusals(app)
    _add_predictions(app, model, telemetry, settings)
    _add_facts(app, model, info, telemetry)
    _add_page(app, model, info)
    return app


def serving() -> FastAPI:
    """Return the application as ``serve`` runs it: nothing that was loaded is looked through for garbage again.

    Answers hold no cycles, so a thousand rows need not start forty collections: they took half the time of a request.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS_MAX, 50, 100)
    return app


def model_info(model: Model, folder: Path) -> dict[str, Any]:
    """Return what ``GET /model`` tells: version, question, scores beside the baseline, where the data came from."""
    metrics = _read(folder / "metrics.json")
    provenance = _read(folder / "provenance.json")
    plan = _read(folder / "plan.json")
    return {
        "model": model.version,
        "title": str(plan.get("title") or model.schema.target),
        "task": model.schema.task,
        "target": model.schema.target,
        "labels": list(model.schema.labels),
        "created_at": model.manifest.get("created_at"),
        "chosen": metrics.get("chosen"),
        "metric": metrics.get("metric"),
        "rows": metrics.get("rows"),
        "test": metrics.get("test"),
        "baseline": metrics.get("baseline"),
        "provenance": provenance,
        "versions": model.manifest.get("versions", {}),
        "warnings": version_warnings(model.manifest),
    }


def answer_body(model: Model, body: bytes, telemetry: Telemetry, *, rows_max: int) -> list[dict[str, Any]]:
    """Return one answer a row of a ``/predict`` body, in order; ``RefusedError`` or ``InputError`` otherwise."""
    answers = model.answer_body(body)
    if answers is None or len(answers) > rows_max:
        answers = model.answer(rows_of(body, rows_max=rows_max))
    count(telemetry, answers)
    return answers


def rows_of(body: bytes, *, rows_max: int) -> list[object]:
    """Return the rows of a ``/predict`` body; ``RefusedError`` or ``InputError`` say what is wrong with it."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is no valid JSON: {error}") from None
    except RecursionError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
        detail = 'expected {"rows": [{column: value, ...}, ...]}'
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    unknown = [name for name in document if name != "rows"]
    if unknown:
        raise InputError([Problem(None, name, 'not known beside "rows"') for name in unknown])
    rows: list[object] = document["rows"]
    if not 1 <= len(rows) <= rows_max:
        detail = f"expected 1 to {rows_max:,} rows, got {len(rows):,}; send larger tables to /predict/file"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return rows


def _add_predictions(app: FastAPI, model: Model, telemetry: Telemetry, settings: Settings) -> None:
    @app.post(
        straight.PATH,
        summary="Answer one or many rows",
        openapi_extra=openapi.predict(model.schema, rows_max=settings.rows_max),
        response_class=Response,
    )
    async def predict(request: Request) -> Response:
        _expect(request, "application/json")
        answers = answer_body(model, await request.body(), telemetry, rows_max=settings.rows_max)
        content = msgspec.json.encode({"model": model.version, "predictions": answers})
        return Response(content, media_type="application/json")

    @app.post(
        "/predict/file",
        summary="Answer every row of a CSV file",
        openapi_extra=openapi.predict_file(),
        response_class=Response,
    )
    async def predict_file(request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=10) as form:
                upload = form.get("file")
                if not isinstance(upload, UploadFile):
                    raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "expected a CSV file in the form field `file`")
                answered = await run_in_threadpool(_answer_file, model, upload.file, telemetry)
        else:
            _expect(request, "text/csv", "text/plain", "application/csv", "application/octet-stream")
            with tempfile.SpooledTemporaryFile(max_size=UPLOAD_MEMORY_BYTES) as received:
                async for part in request.stream():
                    received.write(part)
                received.seek(0)
                answered = await run_in_threadpool(_answer_file, model, received, telemetry)
        headers = {"content-disposition": 'attachment; filename="predictions.csv"', "x-model": model.version}
        return StreamingResponse(_parts(answered), media_type="text/csv; charset=utf-8", headers=headers)


def _answer_file(model: Model, received: IO[bytes], telemetry: Telemetry) -> IO[bytes]:
    """Return the whole answer before its first byte is sent: a problem in the last row is still a 4xx."""
    answered = tempfile.SpooledTemporaryFile(max_size=UPLOAD_MEMORY_BYTES)  # noqa: SIM115 - closed when it was sent
    out = io.TextIOWrapper(answered, encoding="utf-8", newline="")
    try:
        telemetry.rows.inc(predict_chunks(model, read_csv(received), out, cell=safe_in_a_spreadsheet))
    except BaseException:
        answered.close()
        raise
    out.flush()
    out.detach()
    answered.seek(0)
    return answered


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(SEND_BYTES):
            yield part


def _add_facts(app: FastAPI, model: Model, info: dict[str, Any], telemetry: Telemetry) -> None:
    @app.get("/schema", summary="The input contract, as JSON Schema")
    async def schema() -> dict[str, Any]:
        return model.schema.document

    @app.get("/model", summary="What model this is: version, scores beside the baseline, origin of the data")
    async def about() -> dict[str, Any]:
        return info

    @app.get("/health/live", summary="The process answers")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", summary="The model answers its example row")
    async def ready() -> dict[str, str]:
        model.answer([model.schema.example])
        return {"status": "ready", "model": model.version}

    @app.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_LATEST)


def _add_page(app: FastAPI, model: Model, info: dict[str, Any]) -> None:
    @app.get("/", include_in_schema=False)
    async def show() -> HTMLResponse:
        return HTMLResponse(page.render(schema=model.schema, info=info), headers=PAGE_HEADERS)

    @app.post("/", include_in_schema=False)
    async def answer(request: Request) -> HTMLResponse:
        async with request.form(max_files=0, max_fields=10_000) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        values = page.values_of(model.schema, fields)
        try:
            columns = model.schema.from_cells({name: [cell] for name, cell in values.items()})
            answer = next(model.predict(columns, 1).to_json())
        except InputError as error:
            content = page.render(schema=model.schema, info=info, values=values, problems=error.problems)
            return HTMLResponse(content, HTTPStatus.UNPROCESSABLE_ENTITY, headers=PAGE_HEADERS)
        answer["notes"] = [note.to_json() for note in model.notes(columns, 1)[0]]
        content = page.render(schema=model.schema, info=info, values=values, result=answer)
        return HTMLResponse(content, headers=PAGE_HEADERS)

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in STATIC_FILES:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such file")
        content = resources.files(__package__).joinpath("static", name).read_bytes()
        return Response(content, media_type=STATIC_FILES[name], headers=PAGE_HEADERS)


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(InputError)
    async def broken_contract(_: Request, error: InputError) -> Response:
        return problems.response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), error.problems)

    @app.exception_handler(TableError)
    async def unreadable(_: Request, error: TableError) -> Response:
        return problems.response(HTTPStatus.BAD_REQUEST, str(error))

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        return problems.response(error.status, error.detail)

    @app.exception_handler(Exception)
    async def our_own_fault(_: Request, error: Exception) -> Response:
        logger.error("a request failed", exc_info=error)  # the caller learns nothing of the inside
        return problems.response(HTTPStatus.INTERNAL_SERVER_ERROR, "the request could not be answered")

    @app.exception_handler(HTTPException)
    async def not_served(_: Request, error: HTTPException) -> Response:
        return problems.response(error.status_code, str(error.detail), headers=error.headers)


def _expect(request: Request, *types: str) -> None:
    found = request.headers.get("content-type", types[0]).partition(";")[0].strip().lower()
    if found not in types:
        detail = f"expected the content type {types[0]}, got {found[:100]!r}"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # facts to show, not needed for an answer
        return {}
    return found
