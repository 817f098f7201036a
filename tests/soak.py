"""Every kind of request at once, for as long as one likes: `python tests/soak.py PROJECT --seconds 3600`.

Held to: each row gets its own answer, nothing is a 5xx, no connection is dropped while the model folder changes again
and again, and memory does not grow.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import itertools
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving import Server

THREADS = 4
GROWTH_MEGABYTES_MAX = 30.0  # of the second half over the first: caches fill, then nothing more
SAMPLES_MIN = 8
RELOAD_EVERY_SECONDS = 3.0
TOLERANCE = 1e-6


@dataclass
class Soak:
    """What happened: requests by kind, what went wrong, megabytes over time."""

    seconds: float
    requests: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    reloads: int = 0

    @property
    def growth(self) -> float:
        """Return by how much the most that was held in the second half is above the most in the first."""
        half = len(self.megabytes) // 2
        return max(self.megabytes[half:]) - max(self.megabytes[:half]) if half else 0.0


class Caller:
    """One connection that asks every kind of question in turn, and knows the right answers."""

    def __init__(self, connection: http.client.HTTPConnection, project: Path) -> None:
        self.connection = connection
        golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"]
        self.rows = [case["row"] for case in golden]
        self.schema = json.loads((project / "model" / "schema.json").read_text(encoding="utf-8"))
        self.expected = [self._value(answer) for answer in self._answers("/predict", self.rows)]
        self.table = self._csv()

    def kinds(self) -> dict[str, Callable[[int], bool]]:
        """Return the questions: each takes a number and returns whether the answer was right."""
        return {
            "one row": self._one,
            "many rows": lambda _: [self._value(a) for a in self._answers("/predict", self.rows)] == self.expected,
            "explain": self._explain,
            "file": lambda _: self._file(),
            "page": lambda _: self._ask("GET", "/", None)[0] == http.client.OK,
            "metrics": lambda _: self._ask("GET", "/metrics", None)[0] == http.client.OK,
            "broken": lambda _: self._refused(b'{"rows": [{"'),
            "too deep": lambda _: self._refused(b"[" * 50_000),
            "wrong row": lambda n: self._refused(json.dumps({"rows": [{"no such column": n}]}).encode()),
        }

    def _one(self, number: int) -> bool:
        place = number % len(self.rows)
        return self._near(self._answers("/predict", [self.rows[place]])[0], place)

    def _explain(self, number: int) -> bool:
        place = number % len(self.rows)
        (answer,) = self._answers("/explain", [self.rows[place]])
        why = answer["explanation"]
        value = answer["probabilities"][why["explained"]] if why["explained"] is not None else answer["prediction"]
        gap = why["reference"] + sum(why["contributions"].values()) - value
        return self._near(answer, place) and abs(gap) <= TOLERANCE * max(1.0, abs(value))

    def _near(self, answer: dict[str, Any], place: int) -> bool:
        found, right = self._value(answer), self.expected[place]
        return all(
            abs(one - other) <= TOLERANCE * max(1.0, abs(other)) for one, other in zip(found, right, strict=True)
        )

    def _file(self) -> bool:
        status, content = self._ask("POST", "/predict/file", self.table, "text/csv")
        return status == http.client.OK and content.count(b"\n") == self.table.count(b"\n")

    def _refused(self, body: bytes) -> bool:
        status, content = self._ask("POST", "/predict", body)
        return 400 <= status < 500 and json.loads(content)["status"] == status

    def _answers(self, path: str, rows: list[Any]) -> list[dict[str, Any]]:
        status, content = self._ask("POST", path, json.dumps({"rows": rows}).encode())
        if status != http.client.OK:
            message = f"{path}: {status} {content[:200]!r}"
            raise AssertionError(message)
        answers: list[dict[str, Any]] = json.loads(content)["predictions"]
        return answers

    def _ask(self, method: str, path: str, body: bytes | None, kind: str = "application/json") -> tuple[int, bytes]:
        self.connection.request(method, path, body, {"content-type": kind})
        response = self.connection.getresponse()
        return response.status, response.read()

    def _value(self, answer: dict[str, Any]) -> list[float]:
        return list(answer["probabilities"].values()) if "probabilities" in answer else [answer["prediction"]]

    def _csv(self) -> bytes:
        """Return the golden rows that a file can hold as JSON has them: no words for true, no marks in numbers."""
        facts = self.schema["properties"]
        plain = all(each["x-kind"] != "boolean" and not each.get("x-number") for each in facts.values())
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(facts)
        for row in self.rows if plain else []:
            writer.writerow(["" if row.get(name) is None else row[name] for name in facts])
        return out.getvalue().encode()


def soak(project: Path, *, seconds: float, log: Path) -> Soak:
    """Return what happened in so many seconds of every kind of request."""
    found = Soak(seconds)
    with serving(project, log, RELOAD_SECONDS="1") as server:
        end = time.monotonic() + seconds
        callers = [
            threading.Thread(target=_call, args=(server, project, found, end, place)) for place in range(THREADS)
        ]
        for caller in callers:
            caller.start()
        touched = time.monotonic()
        while time.monotonic() < end:
            time.sleep(min(1.0, seconds / (2 * SAMPLES_MIN)))
            held = server.memory_megabytes()
            found.megabytes += [] if held is None else [held]
            if time.monotonic() - touched > RELOAD_EVERY_SECONDS:
                touched = time.monotonic()
                manifest = project / "model" / "manifest.json"
                manifest.write_bytes(manifest.read_bytes())  # another time of change: the model is loaded again
        for caller in callers:
            caller.join()
    text = log.read_text(encoding="utf-8")
    found.reloads = text.count("a new model answers")
    found.faults += [line for line in text.splitlines() if '"level": "error"' in line][:10]
    return found


def _call(server: Server, project: Path, found: Soak, end: float, place: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        kinds = list(Caller(connection, project).kinds().items())
        for number in itertools.count(place):
            if time.monotonic() > end:
                return
            kind, ask = kinds[number % len(kinds)]
            if not ask(number):
                found.faults.append(f"{kind}: a wrong answer")
            found.requests[kind] += 1
    except (OSError, http.client.HTTPException, AssertionError, ValueError) as error:
        found.faults.append(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def main() -> int:
    """Soak a project and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--seconds", type=float, default=3600.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(options.project.absolute(), seconds=options.seconds, log=Path(folder) / "log")
    for kind, count in sorted(found.requests.items()):
        print(f"{kind:10} {count:>10,}")
    held = f"{min(found.megabytes):.0f} to {max(found.megabytes):.0f} MB" if found.megabytes else "unknown"
    print(f"memory     {held}, second half above the first: {found.growth:.1f} MB; {found.reloads} reloads")
    for fault in found.faults[:20]:
        print(f"fault: {fault}")
    return 1 if found.faults or found.growth > GROWTH_MEGABYTES_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
