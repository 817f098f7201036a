"""``must_end``: what is asked for the first time ends soon, or the whole cage does.

Native code that never returns never comes back to the interpreter either, so the system's clock of the processor's time
stops it: its signal, left to itself, ends the process, and the outside says that it took too long.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Iterator

SECONDS = 30.0  # of the processor, for the few rows that are asked first


@contextlib.contextmanager
def must_end(seconds: float = SECONDS) -> Iterator[None]:
    """End the process where what is done inside takes more than ``seconds`` of the processor."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
