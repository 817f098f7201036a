"""The commands that need rows whose answers are known: train and evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .settings import Settings


def add_commands(app: typer.Typer) -> None:
    """Add ``train`` and ``evaluate`` to the command line."""
    app.command()(train)
    app.command()(evaluate)


def train(
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Bound on comparing candidates; the plan's by default.")
    ] = None,
) -> None:
    """Train on data/train.csv and write the model folder, MODEL_CARD.md and reports/."""
    from .train import train as run  # noqa: PLC0415 - scikit-learn and pandas, 2 s

    def say(message: str) -> None:
        typer.echo(message, err=True)

    run(Path(), model_dir=Settings.from_environment().model_dir, seconds=seconds, say=say)


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="A labelled CSV or Parquet file; the held-out part by default.")
    ] = None,
) -> None:
    """Score the served model on the held-out rows, or on a labelled file, and print the table."""
    from .evaluate import evaluate as run  # noqa: PLC0415 - scikit-learn, 1 s

    typer.echo(run(Path(), model_dir=Settings.from_environment().model_dir, data=data))
