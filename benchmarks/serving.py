"""How fast a generated project serves, beside a typed FastAPI endpoint with no model behind it, and beside peers.

python benchmarks/serving.py SOURCE [--target COLUMN] [--seconds 3] [--rounds 5] [--peers FOLDER] [--file-rows N]

SOURCE becomes a project whose model is gradient boosting; one worker, everything else by default. The load generator is
`wrk` (Debian: `apt install wrk`). Runs are interleaved, figures are medians of the rounds, ratios are of the same run.

FOLDER holds an environment for each peer to be measured, made before: `python -m venv FOLDER/mlflow &&
FOLDER/mlflow/bin/pip install mlflow`, the same for `bentoml`, which is asked without and with its adaptive batching.
They get scikit-learn's pipeline with the same boosting, one worker, and one thread a process, which suits them best on
two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CONNECTIONS = (1, 8, 64)
MANY_ROWS = 1000
START_SECONDS_MAX = 120
LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
file:close()
"""


@dataclass
class Server:
    """One process to be measured: how it starts, where it answers, what it is sent."""

    name: str
    command: list[str]
    port: int
    path: str
    folder: Path
    one: bytes
    many: bytes
    environment: dict[str, str] = field(default_factory=dict)
    start_seconds: float = 0.0

    @property
    def address(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}{self.path}"


def main() -> int:
    """Print the medians and the ratios."""
    arguments = parsed()
    if shutil.which("wrk") is None:
        print("error: `wrk` makes the load and is not installed\nhint: apt install wrk", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="kaggle2app-") as folder:
        project, package = made(arguments, Path(folder))
        servers = [ours(project, package), floor(project), *peers(project, arguments.peers, Path(folder))]
        with contextlib.ExitStack() as stack:
            processes = {server.name: stack.enter_context(running(server)) for server in servers}
            report(servers, measured(servers, arguments.seconds, arguments.rounds, Path(folder)))
            peak = memory_bytes(processes["ours"].pid) / (1 << 20)
        times = start_seconds(servers[:2], arguments.rounds)
        print(f"\nto the first answer: ours {times[0]:.2f} s, floor {times[1]:.2f} s; ours: {peak:.0f} MB at most")
        two_workers(servers[0], package, arguments.seconds, Path(folder))
        whole_file(project, package, arguments.file_rows, Path(folder))
    return 0


def parsed() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--target")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--file-rows", type=int, default=1_000_000)
    return parser.parse_args()


def made(arguments: argparse.Namespace, folder: Path) -> tuple[Path, str]:
    """Return a project with a boosted model, and its package."""
    command = [sys.executable, "-m", "toolkit", "new", arguments.source, "--into", str(folder), "--no-tests", "--json"]
    command += ["--target", arguments.target] if arguments.target else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, encoding="utf-8", env=environment)
    if done.returncode:
        sys.exit(done.stdout or done.returncode)
    told = json.loads(done.stdout)
    project = Path(told["project"])
    path = project / "model/plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    kept = [one for one in plan["candidates"] if one["estimator"] in {"dummy", "gradient_boosting"}]
    plan["candidates"] = kept[:2]
    path.write_text(json.dumps(plan), encoding="utf-8")
    run(project, told["package"], "train")
    return project, told["package"]


def run(project: Path, package: str, *arguments: str) -> None:
    """Run one of the project's commands."""
    environment = {**os.environ, "PYTHONPATH": "src"}
    subprocess.run(
        [sys.executable, "-m", package, *arguments], check=True, cwd=project, env=environment, capture_output=True
    )


def rows_of(project: Path) -> list[dict[str, Any]]:
    """Return the project's made-up example, as JSON rows."""
    rows: list[dict[str, Any]] = json.loads((project / "model/example.json").read_text(encoding="utf-8"))["rows"]
    return rows


def ours(project: Path, package: str) -> Server:
    """Return the project's own server."""
    rows = rows_of(project)
    return Server(
        "ours",
        [sys.executable, "-m", package, "serve", "--port", "18101"],
        18101,
        "/predict",
        project,
        json.dumps({"rows": rows[:1]}).encode(),
        json.dumps({"rows": rows[:1] * MANY_ROWS}).encode(),
        {"PYTHONPATH": "src"},
    )


def floor(project: Path) -> Server:
    """Return the endpoint without a model, in the same environment under the same server."""
    rows = rows_of(project)
    return Server(
        "floor",
        [sys.executable, "-m", "uvicorn", "floor:app", "--port", "18102", "--no-access-log"],
        18102,
        "/predict",
        HERE / "peers",
        json.dumps({"rows": rows[:1]}).encode(),
        json.dumps({"rows": rows[:1] * MANY_ROWS}).encode(),
        {"SCHEMA": str(project / "model/schema.json")},
    )


def peers(project: Path, environments: Path | None, folder: Path) -> list[Server]:
    """Return a server for each peer that has an environment."""
    found = []
    row = rows_of(project)[0]
    names, values = list(row), list(row.values())
    if environments and (environments / "mlflow").exists():
        binaries = (environments / "mlflow/bin").resolve()
        model = folder / "mlflow-model"
        subprocess.run(
            [str(binaries / "python"), str(HERE / "peers/fit.py"), str(project), "mlflow", str(model)], check=True
        )
        command = [str(binaries / "mlflow"), "models", "serve", "-m", str(model), "-p", "18103"]
        found.append(
            Server(
                "mlflow",
                [*command, "--env-manager", "local", "--workers", "1"],
                18103,
                "/invocations",
                folder,
                json.dumps({"dataframe_split": {"columns": names, "data": [values]}}).encode(),
                json.dumps({"dataframe_split": {"columns": names, "data": [values] * MANY_ROWS}}).encode(),
                {"PATH": f"{binaries}:{os.environ['PATH']}"},
            )
        )
    if environments and (environments / "bentoml").exists():
        binaries = (environments / "bentoml/bin").resolve()
        pipeline = folder / "pipeline.joblib"
        subprocess.run(
            [str(binaries / "python"), str(HERE / "peers/fit.py"), str(project), "joblib", str(pipeline)], check=True
        )
        found += [
            Server(
                name,
                [str(binaries / "bentoml"), "serve", f"bento:{service}", "--port", str(port)],
                port,
                "/predict",
                HERE / "peers",
                json.dumps({"rows": [row]}).encode(),
                json.dumps({"rows": [row] * MANY_ROWS}).encode(),
                {"PATH": f"{binaries}:{os.environ['PATH']}", "PIPELINE": str(pipeline)},
            )
            for name, service, port in (("bentoml", "Scorer", 18104), ("batching", "Batcher", 18106))
        ]
    return found


@contextlib.contextmanager
def running(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it has answered once by then."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **server.environment}
    started = time.perf_counter()
    process = subprocess.Popen(
        server.command,
        cwd=server.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(server):
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS_MAX:
                sys.exit(f"{server.name} does not answer: {' '.join(server.command)}")
            time.sleep(0.01)
        server.start_seconds = time.perf_counter() - started
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def start_seconds(servers: list[Server], rounds: int) -> list[float]:
    """Return the median seconds from each command to its first answer, one after the other."""
    times: list[list[float]] = [[] for _ in servers]
    for _ in range(rounds):
        for found, server in zip(times, servers, strict=True):
            with running(server):
                found.append(server.start_seconds)
    return [statistics.median(found) for found in times]


def answers(server: Server) -> bool:
    """Return whether the server answers its row."""
    request = urllib.request.Request(server.address, server.one, {"Content-Type": "application/json"})  # noqa: S310 - on loopback
    try:
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - as above
            return True
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return False
        sys.exit(f"{server.name} answers {error.code}: {error.read()[:500].decode(errors='replace')}")
    except OSError:
        return False


@dataclass
class Figures:
    """What one kind of load measured: requests a second and the 99th percentile of their milliseconds."""

    rates: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)


def measured(servers: list[Server], seconds: int, rounds: int, folder: Path) -> dict[tuple[str, str], Figures]:
    """Return the figures of each server and load, their runs interleaved."""
    loads = [(f"1 row, {connections} connections", connections, "one") for connections in CONNECTIONS]
    loads += [(f"{MANY_ROWS} rows, {connections} connections", connections, "many") for connections in (1, 8)]
    found: dict[tuple[str, str], Figures] = {}
    for _ in range(rounds):
        for load, connections, size in loads:
            for server in servers:
                rate, tail = wrk(server, server.one if size == "one" else server.many, connections, seconds, folder)
                figures = found.setdefault((load, server.name), Figures())
                figures.rates.append(rate)
                figures.tails.append(tail)
    return found


def wrk(server: Server, body: bytes, connections: int, seconds: int, folder: Path) -> tuple[float, float]:
    """Return requests a second and the 99th percentile in milliseconds."""
    content, script = folder / "body.json", folder / "load.lua"
    content.write_bytes(body)
    script.write_text(LUA % content, encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script)]
    told = subprocess.run([*command, server.address], check=True, capture_output=True, encoding="utf-8").stdout
    if "Non-2xx" in told:
        sys.exit(f"{server.name} refused some requests:\n{told}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]  # wrk always says
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]  # as above
    return rate, float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def report(servers: list[Server], found: dict[tuple[str, str], Figures]) -> None:
    """Print requests a second, 99th percentiles, and how many times each other server's rate ours is."""
    names = [server.name for server in servers]
    print(f"{'':26}" + "".join(f"{name:>20}" for name in names) + "   ours / each other, by rate")
    for load in dict.fromkeys(load for load, _ in found):
        figures = [found[load, name] for name in names]
        cells = [f"{statistics.median(one.rates):9.0f}/s {statistics.median(one.tails):6.1f} ms" for one in figures]
        ratios = []
        for other in figures[1:]:
            each = [mine / theirs for mine, theirs in zip(figures[0].rates, other.rates, strict=True)]
            ratios.append(f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})")
        print(f"{load:26}" + "".join(f"{cell:>20}" for cell in cells) + "   " + ", ".join(ratios))


def memory_bytes(pid: int) -> int:
    """Return the most memory that a process has held; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def two_workers(server: Server, package: str, seconds: int, folder: Path) -> None:
    """Print how much more two workers answer than one; the load takes its share of the cores."""
    rates = []
    for workers in (1, 2):
        command = [sys.executable, "-m", package, "serve", "--port", "18105", "--workers", str(workers)]
        other = Server("ours", command, 18105, "/predict", server.folder, server.one, server.many, server.environment)
        with running(other):
            time.sleep(1)  # the second worker needs a moment more
            rates.append(wrk(other, server.one, 64, seconds, folder)[0])
    print(f"two workers: {rates[1] / rates[0]:.2f} times one, at 64 connections, on {os.cpu_count()} cores")


def whole_file(project: Path, package: str, rows: int, folder: Path) -> None:
    """Print how many rows a second `predict` answers."""
    head, *lines = (project / "data/train.csv").read_text(encoding="utf-8").splitlines()
    draw = random.Random(0)  # noqa: S311 - the same rows each time
    source = folder / "rows.csv"
    with source.open("w", encoding="utf-8") as file:
        file.write(head + "\n")
        file.writelines(draw.choice(lines) + "\n" for _ in range(rows))
    started = time.perf_counter()
    run(project, package, "predict", str(source), "--output", str(folder / "answers.csv"))
    seconds = time.perf_counter() - started
    print(f"predict: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows/s, start included")


if __name__ == "__main__":
    sys.exit(main())
