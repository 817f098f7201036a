"""The routes that answer: rows as JSON, with or without an explanation, and whole files."""

from __future__ import annotations

import io
import tempfile
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request  # noqa: TC002 - FastAPI reads it in annotations
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from . import openapi, straight
from .batch import predict_chunks, safe_in_a_spreadsheet, workers
from .bodies import expect, rows_of
from .problems import RefusedError
from .served import envelope
from .straight import count
from .tables import read_csv

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import IO

    from fastapi import FastAPI

    from .served import Served
    from .tables import Chunk

UPLOAD_MEMORY_BYTES = 8_000_000  # an answer file up to this size stays in memory, a larger one goes to a temporary file
SEND_BYTES = 65_536


def add_routes(app: FastAPI, served: Served) -> None:
    """Add ``/predict``, ``/explain`` and ``/predict/file``."""
    model, settings = served.model, served.settings
    dependencies = served.guard.dependencies
    rows_max = model.schema.rows_at_once(settings.rows_max)
    explain_rows_max = model.schema.rows_at_once(settings.explain_rows_max)

    @app.post(
        straight.PATH,
        summary="Answer one or many rows",
        openapi_extra=openapi.predict(model, rows_max=rows_max, guard=served.guard),
        response_class=Response,
        dependencies=dependencies,
    )
    async def predict(request: Request) -> Response:
        expect(request, "application/json")
        body = await request.body()
        slow = model.schema.values  # tensors and pictures take their time: the others are answered meanwhile
        answers = await run_in_threadpool(answer_body, served, body) if slow else answer_body(served, body)
        return _json(envelope(model, answers))

    @app.post(
        "/explain",
        summary="Answer rows and tell each column's share in the answer",
        openapi_extra=openapi.explain(model, rows_max=explain_rows_max, guard=served.guard),
        response_class=Response,
        dependencies=dependencies,
    )
    async def explain(request: Request) -> Response:
        expect(request, "application/json")
        body = await request.body()
        return _json(envelope(model, await run_in_threadpool(explain_body, served, body)))

    @app.post(
        "/predict/file",
        summary="Answer every row of a CSV file",
        openapi_extra=openapi.predict_file(model.schema, guard=served.guard),
        response_class=Response,
        dependencies=dependencies,
    )
    async def predict_file(request: Request) -> Response:
        deadline = time.monotonic() + settings.file_seconds_max
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=10) as form:
                upload = form.get("file")
                if not isinstance(upload, UploadFile):
                    raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "expected a CSV file in the form field `file`")
                answered = await run_in_threadpool(_answer_file, served, upload.file, deadline)
        else:
            expect(request, "text/csv", "text/plain", "application/csv", "application/octet-stream")
            with tempfile.SpooledTemporaryFile(max_size=UPLOAD_MEMORY_BYTES) as received:
                async for part in request.stream():
                    received.write(part)
                received.seek(0)
                answered = await run_in_threadpool(_answer_file, served, received, deadline)
        headers = {"content-disposition": 'attachment; filename="predictions.csv"', "x-model": model.version}
        return StreamingResponse(_parts(answered), media_type="text/csv; charset=utf-8", headers=headers)


def answer_body(served: Served, body: bytes) -> list[dict[str, Any]]:
    """Return one answer a row of a ``/predict`` body, in order; ``RefusedError`` or ``InputError`` otherwise."""
    settings, schema = served.settings, served.model.schema
    answers = served.model.answer_body(body)
    if answers is None or len(answers) > settings.rows_max:
        rows = rows_of(
            body,
            rows_max=schema.rows_at_once(settings.rows_max),
            nesting_max=settings.nesting_max,
            depth=schema.depth,
            lists=schema.lists,
        )
        answers = served.model.answer(rows)
    count(served.telemetry, answers)
    return answers


def explain_body(served: Served, body: bytes) -> list[dict[str, Any]]:
    """Return one answer with its explanation a row of an ``/explain`` body, in order."""
    settings, schema = served.settings, served.model.schema
    answers = served.explainer.explain_body(body, rows_max=settings.explain_rows_max)
    if answers is None:
        rows = rows_of(
            body,
            rows_max=schema.rows_at_once(settings.explain_rows_max),
            nesting_max=settings.nesting_max,
            depth=schema.depth,
            lists=schema.lists,
        )
        answers = served.explainer.explain(schema.from_rows(rows), len(rows))
    count(served.telemetry, answers)
    return answers


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


def _answer_file(served: Served, received: IO[bytes], deadline: float) -> IO[bytes]:
    """Return the whole answer before its first byte is sent: a problem in the last row is still a 4xx."""
    answered = tempfile.SpooledTemporaryFile(max_size=UPLOAD_MEMORY_BYTES)  # noqa: SIM115 - closed when it was sent
    out = io.TextIOWrapper(answered, encoding="utf-8", newline="")
    try:
        size_bytes = received.seek(0, io.SEEK_END)
        received.seek(0)
        chunks = _until(deadline, read_csv(received), served.settings.file_seconds_max)
        rows = _answer_chunks(served, chunks, out, size_bytes=size_bytes)
        served.telemetry.rows.inc(rows)
    except BaseException:
        answered.close()
        raise
    out.flush()
    out.detach()
    answered.seek(0)
    return answered


def _answer_chunks(served: Served, chunks: Generator[Chunk, None, None], out: IO[str], *, size_bytes: int) -> int:
    """Answer on every core, unless another upload has them: then on this thread, so that processes stay few."""
    mine = served.cores.acquire(blocking=False)
    try:
        with workers(served.model, size_bytes=size_bytes if mine else 0) as pool:
            return predict_chunks(served.model, chunks, out, cell=safe_in_a_spreadsheet, pool=pool)
    finally:
        if mine:
            served.cores.release()


def _until(deadline: float, chunks: Generator[Chunk, None, None], seconds: int) -> Generator[Chunk, None, None]:
    try:
        for chunk in chunks:
            if time.monotonic() > deadline:  # a thread cannot be stopped from outside
                detail = f"the file took longer than {seconds} s; send fewer rows at once"
                raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "1"})
            yield chunk
    finally:
        chunks.close()


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(SEND_BYTES):
            yield part
