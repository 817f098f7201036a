"""Logs as lines of JSON: what happened, when, in which request; never a value of a row."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Scope

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
FACTS = ("request_id", "method", "path", "status", "milliseconds", "model", "why")  # what a record may carry

_run = os.urandom(6).hex().encode()  # tells processes and restarts apart
_numbers = itertools.count(1)
_requests = logging.getLogger(f"{__package__}.requests")


def fresh_id() -> bytes:
    """Return an id that no other request of this or any other process has."""
    return b"%b-%x" % (_run, next(_numbers))


def request_id(scope: Scope) -> bytes:
    """Return the id that the caller gave its request in ``X-Request-ID``, or a fresh one when it is none to repeat."""
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given_id(given[0]) if given else fresh_id()


def given_id(given: bytes) -> bytes:
    """Return the caller's own id when it is one to repeat, else a fresh one."""
    return bytes(given) if REQUEST_ID.fullmatch(given) else fresh_id()


def request(*, identity: bytes, method: str, path: str, status: int, seconds: float) -> None:
    """Write the line of one request; ``path`` is its route, not what the caller wrote."""
    level = logging.ERROR if status >= 500 else logging.INFO  # noqa: PLR2004 - a fault of ours
    facts = {
        "request_id": identity.decode(),
        "method": method[:16],
        "path": path,
        "status": status,
        "milliseconds": round(seconds * 1000, 3),
    }
    _requests.log(level, "request", extra=facts)


class JsonLines(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info and record.exc_info[2]:  # where it happened; the error's own text may hold a value of a row
            line["traceback"] = "".join(traceback.format_tb(record.exc_info[2]))
        return json.dumps(line, ensure_ascii=True)


CONFIGURATION: dict[str, Any] = {  # for logging.config.dictConfig; uvicorn takes it
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": f"{__package__}.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
