"""Where a long job stands: named steps with their seconds, and lines of talk, told to whoever listens."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listener(Protocol):
    """Whoever wants to hear how a job goes on."""

    def started(self, step: str) -> None:
        """Hear that a step begins."""

    def said(self, step: str, line: str) -> None:
        """Hear one line of what the running step tells."""

    def finished(self, step: str, seconds: float) -> None:
        """Hear that a step ended well, and how long it took."""


class Steps:
    """Measure the steps of one job: ``with steps("train"): ...``; ``seconds`` holds the finished ones in order."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._listener = listener
        self._running = ""

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Run the block as the step called ``step``; a step that fails has no seconds."""
        self._running = step
        if self._listener:
            self._listener.started(step)
        started = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - started, 3)
        if self._listener:
            self._listener.finished(step, self.seconds[step])

    def say(self, line: str) -> None:
        """Pass on one line of what the running step tells."""
        if self._listener and line:
            self._listener.said(self._running, line)
