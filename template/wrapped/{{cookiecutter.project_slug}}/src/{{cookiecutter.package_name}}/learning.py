"""The commands that read data of yours: ``evaluate`` and ``usual``. The model came trained: there is no ``train``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it in annotations
from typing import Annotated

import typer

from .settings import Settings


def add_commands(app: typer.Typer) -> None:
    """Add ``evaluate`` and ``usual`` to the command line."""
    app.command()(evaluate)
    app.command()(usual)


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="A labelled CSV or Parquet file; the drawn rows of the proof by default.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The file's column of known answers.")] = None,
) -> None:
    """Hold the served model against the original's answers to drawn rows, or score it on a labelled file."""
    from . import evaluate as evaluation  # noqa: PLC0415 - each command loads what it needs

    model_dir = Settings.from_environment().model_dir
    typer.echo(evaluation.prove(model_dir) if data is None else evaluation.score(model_dir, data, target=target))


def usual(
    data: Annotated[Path, typer.Option(help="A CSV or Parquet file with rows as the model is to answer them.")],
) -> None:
    """Learn from rows what is usual: ranges, the example, and what explanations and notes compare with."""
    from .usual import learn  # noqa: PLC0415 - each command loads what it needs

    typer.echo(learn(Settings.from_environment().model_dir, data))
