"""The application that is served: a new model in the model folder takes over, a bad one never does.

A folder is looked at every ``RELOAD_SECONDS``. When its files have changed, the new model is loaded beside the old one,
verified, and asked the golden rows; only then does it answer. Requests that run are finished by the model they began
with.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .api import create_app
from .errors import ExplainedError, ModelError
from .limits import Gate
from .middleware import Telemetry
from .model import MANIFEST, SERVED_FILES, USUAL_FILE, Model, read_manifest, verified
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

GARBAGE_OBJECTS_MAX = 100_000  # new objects before Python looks for cycles among them
TOLERANCE = 1e-6
REMEMBERING = type(lru_cache(len))


def serving() -> Reloading:
    """Return the application as ``serve`` runs it: new objects are rarely looked through for garbage.

    Answers hold no cycles, so a thousand rows need not start forty collections: they took half the time of a request.
    """
    gc.set_threshold(GARBAGE_OBJECTS_MAX, 50, 100)
    return Reloading(Settings.from_environment(), settle=settle)


class Reloading:
    """An application around the newest good model of a folder."""

    def __init__(self, settings: Settings, *, settle: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._settle = settle  # asked after each model that took over
        self._telemetry = Telemetry()
        self._gate = Gate.of(settings)  # who asks how much goes on with the next model
        self._seen = self._doubted = _signature(settings.model_dir)
        self.app = create_app(settings, telemetry=self._telemetry, gate=self._gate)
        self._settle()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request by the model that serves now."""
        return self._live(receive, send) if scope["type"] == "lifespan" else self.app(scope, receive, send)

    def look(self) -> bool:
        """Load the folder's model if its files changed; return whether it took over.

        A bad one is looked at once more, for it may be half written; then it is told and left.
        """
        found = _signature(self._settings.model_dir)
        if found == self._seen:
            return False
        try:
            model = hold_to_golden(self._settings.model_dir)
            self.app = create_app(self._settings, model=model, telemetry=self._telemetry, gate=self._gate)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old one serves on
            if found != self._doubted:
                self._doubted = found
                return False
            self._seen = found
            self._telemetry.reloads.labels("refused").inc()
            why = str(error) if isinstance(error, ExplainedError) else type(error).__name__
            logger.error("the new model is refused, the old one serves on", extra={"why": why})  # noqa: TRY400 - no traceback: the file is at fault
            return False
        self._seen = found
        self._telemetry.reloads.labels("taken").inc()
        logger.info("a new model answers", extra={"model": self.app.version})
        self._settle()
        return True

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop with the server."""
        await receive()
        logger.info("serving", extra={"model": self.app.version})
        watch = asyncio.create_task(self._watch()) if self._settings.reload_seconds else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if watch:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        logger.info("stopped")
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.reload_seconds)
            await asyncio.to_thread(self.look)


def hold_to_golden(folder: Path) -> Model:
    """Return the folder's model, or raise ``ModelError`` unless it answers the golden rows as it did in training."""
    manifest = read_manifest(folder)
    cases: list[dict[str, Any]] = json.loads(verified(folder, "golden.json", manifest))["rows"]
    model = Model.load(folder)
    found = model.predict(model.schema.from_rows([case["row"] for case in cases]), len(cases))
    expected = np.array([case["answer"] for case in cases], dtype=np.float64).reshape(len(cases), -1)
    tolerance = max(TOLERANCE, manifest.get("precision", 0.0))
    if not np.allclose(found.original, expected, rtol=tolerance, atol=tolerance):
        message = f"the model in {folder} does not answer the golden rows as it did in training"
        raise ModelError(message)
    return model


def settle() -> None:
    """Free what served before, and look no more for garbage in what serves now: applications are full of cycles."""
    gc.unfreeze()
    for found in gc.get_objects():  # FastAPI remembers the functions behind routes, and these hold their model
        if isinstance(found, REMEMBERING) and str(found.__module__).startswith("fastapi."):
            found.cache_clear()
    gc.collect()
    gc.freeze()


def _signature(folder: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Return what changes when a file of the model is written or replaced."""
    found: list[tuple[int, int, int] | None] = []
    for name in (MANIFEST, *SERVED_FILES, USUAL_FILE):
        try:
            facts = (folder / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
    return tuple(found)
