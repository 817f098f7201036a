"""The figures in reports/: candidates compared, what the model relies on, held-out answers beside the truth."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from .evaluation import Answers
    from .schema import Schema

INK, QUIET, ACCENT = "#1f2933", "#9aa5b1", "#2563eb"
BARS_MAX = 15
DOTS_MAX = 2_000
CLASSES_NAMED_MAX = 12
NAME_LENGTH_MAX = 32
DARK_HALF = 0.5  # of the colour scale, where ink is no longer readable


def draw(folder: Path, schema: Schema, metrics: Mapping[str, Any], held_out: Answers) -> None:
    """Write candidates.png, importances.png and answers.png into ``folder``."""
    _figure(folder / "candidates.png", lambda axes: _candidates(axes, metrics))
    _figure(folder / "importances.png", lambda axes: _importances(axes, metrics))
    _figure(folder / "answers.png", lambda axes: _answers(axes, schema, held_out))


def _figure(path: Path, fill: Callable[[Axes], None]) -> None:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(b=False)
    fill(axes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks shows as boxes
        figure.savefig(path, dpi=110, metadata={"Software": None})  # the library's version would change the bytes


def _candidates(axes: Axes, metrics: Mapping[str, Any]) -> None:
    trials = [trial for trial in metrics["candidates"] if trial["status"] == "ok"]
    for place, trial in enumerate(reversed(trials)):
        colour = ACCENT if trial["name"] == metrics["chosen"] else QUIET
        axes.plot(trial["folds"], [place] * len(trial["folds"]), "o", color=colour, alpha=0.45)
        axes.plot([trial["mean"]], [place], "|", color=colour, markersize=22, markeredgewidth=3)
    axes.set_yticks(range(len(trials)), [trial["name"] for trial in reversed(trials)])
    axes.set_ylim(-0.6, len(trials) - 0.4)
    better = "higher is better" if metrics["greater_is_better"] else "lower is better"
    axes.set_xlabel(f"{metrics['metric']} of each fold, line at the mean ({better})")
    axes.set_title("Candidates in cross-validation", loc="left", color=INK)


def _importances(axes: Axes, metrics: Mapping[str, Any]) -> None:
    found = metrics["importances"][:BARS_MAX][::-1]
    names = [_label(row["column"]) for row in found]
    drops, spreads = [row["drop"] for row in found], [row["standard_deviation"] for row in found]
    axes.barh(range(len(found)), drops, xerr=spreads, color=ACCENT, ecolor=QUIET)
    axes.set_yticks(range(len(found)), names, fontsize=8)
    axes.set_xlabel(f"loss in {metrics['metric']} when the column is shuffled")
    axes.set_title("What the model relies on", loc="left", color=INK)


def _answers(axes: Axes, schema: Schema, held_out: Answers) -> None:
    if schema.task == "regression":
        rows = slice(None, DOTS_MAX)
        axes.plot(held_out.truth[rows], held_out.answer[rows], ".", color=ACCENT, alpha=0.4, markersize=4)
        ends = [float(held_out.truth.min()), float(held_out.truth.max())]
        axes.plot(ends, ends, color=QUIET)
        axes.set_xlabel(_label(f"true {schema.target}"))
        axes.set_ylabel("predicted")
        axes.set_title("Held-out rows: predicted beside true", loc="left", color=INK)
        return
    names = [_label(label) for label in schema.label_texts]
    said, classes = held_out.answer.argmax(axis=1), len(names)
    table = np.zeros((classes, classes))
    np.add.at(table, (held_out.truth.astype(int), said), 1)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if classes <= CLASSES_NAMED_MAX:
        for (row, column), count in np.ndenumerate(table):
            colour = "white" if share[row, column] > DARK_HALF else INK
            axes.text(column, row, f"{count:,.0f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(classes), names, fontsize=8)
        axes.set_yticks(range(classes), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Held-out rows: predicted beside true", loc="left", color=INK)


def _label(name: object) -> str:
    """Return a name short and plain enough for a figure: a dollar sign would start a formula."""
    flat = " ".join(str(name).split())
    return (flat if len(flat) <= NAME_LENGTH_MAX else flat[: NAME_LENGTH_MAX - 3] + "...").replace("$", r"\$")
