"""The project's commands: predict and serve, and those of ``learning``."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from . import learning
from .errors import ExplainedError
from .settings import Settings

if TYPE_CHECKING:
    from .model import Model

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
learning.add_commands(app)

PROBLEMS_SHOWN = 10
# Cores are shared out by fold, not within a fit: two threads in one small fit wait for each other more than they work
# (27 s instead of 5 s for 20 fits of 5,600 rows), and threads that spin while they wait are worse on a busy machine.
# All are read once, when numpy and scikit-learn are loaded; what the environment says already stays.
CALM_THREADS = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Run the command line; a failure that can be explained is one sentence on stderr and exit code 1."""
    for variable, value in CALM_THREADS.items():
        os.environ.setdefault(variable, value)
    from .schema import InputError, describe  # noqa: PLC0415 - numpy, 0.1 s

    try:
        app()
    except InputError as error:
        for problem in error.problems[:PROBLEMS_SHOWN]:
            _say(f"error: {describe(problem)}")
        if len(error.problems) > PROBLEMS_SHOWN:
            _say(f"error: and {len(error.problems) - PROBLEMS_SHOWN} more problems")
        sys.exit(1)
    except ExplainedError as error:
        _say(f"error: {error}")
        sys.exit(1)
    except FileNotFoundError as error:
        _say(f"error: {error.filename} does not exist")
        sys.exit(1)


@app.command()
def predict(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A CSV or Parquet file, of any size.")],
    output: Annotated[Path | None, typer.Option(help="Where to write the CSV; standard output by default.")] = None,
) -> None:
    """Answer every row of a file: its columns in order, then the prediction and its probabilities.

    An output called submission.csv gets the form of data/sample_submission.csv instead, where there is one.
    """
    from .model import Model  # noqa: PLC0415 - each command loads what it needs
    from .submission import NAME, SAMPLE, scored_by, write_submission  # noqa: PLC0415 - as above

    model_dir = Settings.from_environment().model_dir
    model = Model.load(model_dir)
    if output is None:
        _answered(model, source, sys.stdout)
        return
    # Written beside its place and moved in at the end: a file that is there is whole.
    sample = Path(SAMPLE)
    as_sample = output.name == NAME and sample.exists()
    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            if as_sample:
                rows = write_submission(model, source, sample, out, metric=scored_by(model_dir))
            else:
                rows = _answered(model, source, out)
        Path(name).replace(output)
    finally:
        Path(name).unlink(missing_ok=True)
    _say(f"{rows:,} rows answered in {output}{f', in the form of {sample}' if as_sample else ''}")


def _answered(model: Model, source: Path, out: IO[str]) -> int:
    """Answer the rows of a file, or the pictures of a folder where the model looks at some; return how many."""
    from .batch import predict_chunks, workers  # noqa: PLC0415 - each command loads what it needs
    from .tables import read_file  # noqa: PLC0415 - as above
    from .tensors import predict_pictures  # noqa: PLC0415 - as above

    rows = predict_pictures(model, source, out)
    if rows is None:
        with workers(model, size_bytes=source.stat().st_size) as pool:
            rows = predict_chunks(model, read_file(source), out, pool=pool)
    return rows


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
) -> None:
    """Serve the model over HTTP: the page at /, the API's description at /docs."""
    import uvicorn  # noqa: PLC0415 - 0.2 s

    from .logs import CONFIGURATION  # noqa: PLC0415 - each command loads what it needs
    from .model import read_manifest  # noqa: PLC0415 - as above
    from .protocol import StraightProtocol  # noqa: PLC0415 - as above

    settings = Settings.from_environment()
    read_manifest(settings.model_dir)  # told here, once, instead of by every worker
    uvicorn.run(
        f"{__package__}.reload:serving",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        interface="asgi3",
        http=StraightProtocol,
        access_log=False,
        log_config=CONFIGURATION,
        server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds_max,  # what runs is finished first
    )


def _say(message: str) -> None:
    typer.echo(message, err=True)
