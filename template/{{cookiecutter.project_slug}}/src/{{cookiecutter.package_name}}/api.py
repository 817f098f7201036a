"""The HTTP application: ``create_app()`` gives FastAPI routes around one verified model."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Request  # noqa: TC002 - FastAPI reads it in annotations
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from . import answers, openapi, problems, web
from .errors import TableError
from .limits import Admission, Gate
from .middleware import BodyLimit, Observed, Telemetry
from .model import Model
from .problems import RefusedError
from .schema import InputError
from .served import Served
from .settings import Settings
from .straight import Application, StraightWay

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_app(
    settings: Settings | None = None,
    *,
    model: Model | None = None,
    telemetry: Telemetry | None = None,
    gate: Gate | None = None,
) -> FastAPI:
    """Return the application around ``model``, by default that of the settings' folder, verified and loaded.

    Raises ``ModelError`` when that cannot be served.
    """
    settings = settings or Settings.from_environment()
    telemetry = telemetry or Telemetry()
    gate = gate or Gate.of(settings)
    model = model or Model.load(settings.model_dir)
    served = Served.of(settings, model=model, guard=gate.guard, telemetry=telemetry)
    app = Application(
        StraightWay(served, gate.room),
        title=served.info["title"],
        version=served.model.version,
        summary=f"Answers {served.model.schema.target!r}",
        docs_url=None,  # ours loads nothing from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=openapi.EVERYWHERE,
    )
    app.add_middleware(BodyLimit, body_bytes_max=settings.body_bytes_max, file_bytes_max=settings.file_bytes_max)
    app.add_middleware(Admission, settings=settings, room=gate.room)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "x-api-key", "x-request-id"],
            expose_headers=["retry-after", "x-model", "x-request-id"],
        )
    app.add_middleware(Observed, telemetry=telemetry, logged=settings.log_requests)  # the last added is outermost
    _add_refusals(app)
    answers.add_routes(app, served)
    _add_facts(app, served)
    web.add_routes(app, served)
    telemetry.serve(served.model)
    return app


def _add_facts(app: FastAPI, served: Served) -> None:
    model = served.model

    @app.get("/schema", summary="The input contract, as JSON Schema")
    async def schema() -> dict[str, Any]:
        return model.schema.document

    @app.get("/model", summary="What model this is: version, scores beside the baseline, origin of the data")
    async def about() -> dict[str, Any]:
        return served.info

    @app.get("/health/live", summary="The process answers")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", summary="The model answers its example row")
    async def ready() -> dict[str, str]:
        model.answer([model.schema.example])
        return {"status": "ready", "model": model.version}

    @app.get("/metrics", summary="Metrics for Prometheus", openapi_extra=openapi.metrics(), response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(served.telemetry.registry), media_type=CONTENT_TYPE_LATEST)


def _add_refusals(app: FastAPI) -> None:
    @app.exception_handler(InputError)
    async def broken_contract(_: Request, error: InputError) -> Response:
        return problems.response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), error.problems)

    @app.exception_handler(TableError)
    async def unreadable(_: Request, error: TableError) -> Response:
        return problems.response(HTTPStatus.BAD_REQUEST, str(error))

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        return problems.response(error.status, error.detail, headers=error.headers)

    @app.exception_handler(HTTPException)
    async def not_served(_: Request, error: HTTPException) -> Response:
        return problems.response(error.status_code, str(error.detail), headers=error.headers)
