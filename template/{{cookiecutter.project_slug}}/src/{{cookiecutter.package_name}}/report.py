"""What training tells people: MODEL_CARD.md, the figures in reports/, the result block of README.md.

Every number here was measured in this run; a section without facts is left out.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .evaluation import Answers
    from .schema import Schema

mpl.use("Agg")  # files only: a server has no screen
START, END = "<!-- results:start -->", "<!-- results:end -->"
INK, QUIET, ACCENT = "#1f2933", "#9aa5b1", "#2563eb"
BARS_MAX = 15
DOTS_MAX = 2_000
CLASSES_NAMED_MAX = 12
NAME_LENGTH_MAX = 32


def write(
    project: Path,
    plan: Mapping[str, Any],
    schema: Schema,
    metrics: Mapping[str, Any],
    held_out: Answers,
    manifest: Mapping[str, Any],
) -> None:
    """Write the card, the figures and the README's results into ``project``."""
    reports = project / "reports"
    reports.mkdir(exist_ok=True)
    _figure(reports / "candidates.png", lambda axes: _draw_candidates(axes, metrics))
    _figure(reports / "importances.png", lambda axes: _draw_importances(axes, metrics))
    _figure(reports / "answers.png", lambda axes: _draw_answers(axes, schema, held_out))
    (project / "MODEL_CARD.md").write_text(card(plan, schema, metrics, manifest), encoding="utf-8")
    readme = project / "README.md"
    if readme.exists():
        text = readme.read_text(encoding="utf-8")
        readme.write_text(with_results(text, results(metrics)), encoding="utf-8")


def with_results(readme: str, block: str) -> str:
    """Return ``readme`` with the part between its result marks replaced; without marks it stays as it is."""
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    return f"{before}{start}\n{block}\n{end}{after}" if start and end else readme


def results(metrics: Mapping[str, Any]) -> str:
    """Return the score beside the baseline, with the figures, as Markdown."""
    rows = metrics["rows"]
    return "\n".join(
        [
            f"Scored once on {rows['test']:,} held-out rows; {rows['train']:,} rows were for learning. "
            "95 % bootstrap intervals in brackets.",
            "",
            *_score_table(metrics),
            "",
            f"The model is `{metrics['chosen']}`: {metrics['why']}.",
            "",
            "![Cross-validated score of every candidate](reports/candidates.png)",
            "![What the model relies on](reports/importances.png)",
        ]
    )


def card(
    plan: Mapping[str, Any], schema: Schema, metrics: Mapping[str, Any], manifest: Mapping[str, Any]
) -> str:
    """Return MODEL_CARD.md: what the model answers, how well, on what it relies, where it must not be trusted."""
    sections = [
        _about(plan, schema, metrics, manifest),
        ("Results", [*_results_lead(plan, metrics), "", *_score_table(metrics), "", f"![Held-out answers](reports/answers.png)"]),
        ("Candidates", _candidates(plan, metrics)),
        ("What it relies on", _relies(metrics)),
        ("Decisions", _decisions(plan)),
        ("Limits", _limits(plan, schema, metrics)),
        ("Reproduce", _reproduce(plan, metrics, manifest)),
    ]
    lines = [f"# Model card: {text(plan['title'])}"]
    for title, content in sections:
        if content:
            lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def text(value: object) -> str:
    """Return ``value`` as Markdown shows it literally: no markup, no line break, whatever a column is called."""
    flat = " ".join(str(value).split())
    return re.sub(r"([\\`*_\[\]|{}#~])", r"\\\1", html.escape(flat, quote=False))


def number(value: float | None) -> str:
    """Return a number for people: four significant digits, thousands apart."""
    if value is None:
        return "not defined"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits either way


def _about(
    plan: Mapping[str, Any], schema: Schema, metrics: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[str, list[str]]:
    kinds = {"binary": "one of two classes", "multiclass": "one of several classes", "regression": "a number"}
    lines = [
        f"- **Question**: `{plan['task']}`, {kinds[plan['task']]}: {text(plan['target'])}",
        f"- **Model**: `{metrics['chosen']}`, version `{manifest['version']}`, trained {manifest['created_at']}",
        f"- **Inputs**: {len(schema.columns)} columns, described in DATA_CARD.md",
        f"- **Data**: {text(plan['source'])}",
    ]
    if schema.labels:
        named = ", ".join(text(label) for label in schema.label_texts[:CLASSES_NAMED_MAX])
        more = len(schema.labels) - CLASSES_NAMED_MAX
        lines.append(f"- **Classes**: {named}{f' and {more} more' if more > 0 else ''}")
    if schema.positive is not None and plan["task"] == "binary":
        lines.append(f"- **Counted as positive**: {text(schema.positive)}")
    return "What it answers", lines


def _results_lead(plan: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    rows = metrics["rows"]
    lines = [
        f"Split `{plan['split']}`: {text(plan['split_why'])}. {rows['train']:,} rows for learning, {rows['test']:,} held out and used once.",
        f"The metric is `{plan['metric']}`: {text(plan['metric_why'])}. Intervals: 95 %, 1,000 bootstrap resamples.",
    ]
    if not beats_baseline(metrics):
        lines += ["", "**The score's interval does not clear the baseline: on this data the model is no better than a constant guess.**"]
    return lines


def beats_baseline(metrics: Mapping[str, Any]) -> bool:
    """Return whether the worse end of the score's interval is better than the baseline's score."""
    score, baseline = metrics["test"][metrics["metric"]], metrics["baseline"][metrics["metric"]]
    if score["value"] is None or baseline["value"] is None:
        return False
    if metrics["greater_is_better"]:
        return bool(score["low"] > baseline["value"])
    return bool(score["high"] < baseline["value"])


def _score_table(metrics: Mapping[str, Any]) -> list[str]:
    lines = ["| metric | model | baseline |", "| --- | --- | --- |"]
    for name, score in metrics["test"].items():
        guess = metrics["baseline"][name]
        lines.append(f"| `{name}` | **{number(score['value'])}** [{number(score['low'])}, {number(score['high'])}] | {number(guess['value'])} |")
    return lines


def _candidates(plan: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Cross-validation on the learning part, {plan['folds']} folds. Chosen: `{metrics['chosen']}`, {metrics['why']}.",
        "",
        f"| candidate | {metrics['metric']} | spread over folds | seconds | why it was tried |",
        "| --- | --- | --- | --- | --- |",
    ]
    for trial in metrics["candidates"]:
        score = number(trial["mean"]) if trial["status"] == "ok" else trial["status"]
        spread = number(trial["standard_deviation"]) if trial["status"] == "ok" else ""
        lines.append(f"| `{trial['name']}` | {score} | {spread} | {trial['fit_seconds']:.1f} | {text(trial['why'])} |")
    return [*lines, "", "![Candidates](reports/candidates.png)"]


def _relies(metrics: Mapping[str, Any]) -> list[str]:
    found = metrics["importances"][:BARS_MAX]
    lines = [
        f"How much `{metrics['metric']}` loses on held-out rows when a column's cells are shuffled.",
        "",
        "| column | loss | spread |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {text(row['column'])} | {number(row['drop'])} | {number(row['standard_deviation'])} |" for row in found]
    return [*lines, "", "![Importances](reports/importances.png)"]


def _decisions(plan: Mapping[str, Any]) -> list[str]:
    decisions: Sequence[Mapping[str, Any]] = plan.get("decisions", ())
    return [f"- **{text(item['what'])}**: {text(item['choice'])}. {text(item['why'])}" for item in decisions]


def _limits(plan: Mapping[str, Any], schema: Schema, metrics: Mapping[str, Any]) -> list[str]:
    rows = metrics["rows"]["test"]
    lines = [f"- The scores rest on {rows:,} held-out rows of one data set; other data was not measured."]
    nullable = [column.name for column in schema.columns if column.nullable]
    if nullable:
        lines.append(f"- {len(nullable)} of {len(schema.columns)} columns may be empty; an answer with a gap carries a note.")
    unscored = [name for name, score in metrics["test"].items() if score["value"] is None]
    if unscored:
        lines.append(f"- Not defined on the held-out rows: {', '.join(f'`{name}`' for name in unscored)}.")
    skipped = [trial["name"] for trial in metrics["candidates"] if trial["status"] != "ok"]
    if skipped:
        lines.append(f"- Not compared: {', '.join(f'`{name}`' for name in skipped)}; with more time the choice may differ.")
    lines.append("- Values outside the ranges and categories of the training data are answered, with a note saying so.")
    if plan["split"] == "random" or plan["split"] == "stratified":
        lines.append("- The split is by chance: the scores hold for rows of the same kind and time, not for the future.")
    return lines


def _reproduce(plan: Mapping[str, Any], metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in metrics["versions"].items())
    parity = metrics["parity"]["difference"]
    return [
        f"`train` with the same data and seed {plan['seed']} gives the same metrics. Data: SHA-256 `{plan['data']['sha256']}`.",
        f"The served model (`model.onnx`, `{manifest['files']['model.onnx']}`) differs from the scikit-learn pipeline by at most {parity:.1e}.",
        f"Trained with {versions}.",
    ]


def _figure(path: Path, draw: Any) -> None:  # noqa: ANN401 - a function of axes
    from matplotlib.figure import Figure  # noqa: PLC0415 - after the backend is chosen

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(b=False)
    draw(axes)
    figure.savefig(path, dpi=110, metadata={"Software": None})  # the library's version would change the bytes


def _draw_candidates(axes: Axes, metrics: Mapping[str, Any]) -> None:
    trials = [trial for trial in metrics["candidates"] if trial["status"] == "ok"]
    for place, trial in enumerate(reversed(trials)):
        colour = ACCENT if trial["name"] == metrics["chosen"] else QUIET
        axes.plot(trial["folds"], [place] * len(trial["folds"]), "o", color=colour, alpha=0.45)
        axes.plot([trial["mean"]], [place], "|", color=colour, markersize=22, markeredgewidth=3)
    axes.set_yticks(range(len(trials)), [trial["name"] for trial in reversed(trials)])
    axes.set_ylim(-0.6, len(trials) - 0.4)
    better = "more is better" if metrics["greater_is_better"] else "less is better"
    axes.set_xlabel(f"{metrics['metric']} of each fold, line at the mean ({better})")
    axes.set_title("Candidates in cross-validation", loc="left", color=INK)


def _draw_importances(axes: Axes, metrics: Mapping[str, Any]) -> None:
    found = metrics["importances"][:BARS_MAX][::-1]
    names = [_label(row["column"]) for row in found]
    axes.barh(range(len(found)), [row["drop"] for row in found], xerr=[row["standard_deviation"] for row in found], color=ACCENT, ecolor=QUIET)
    axes.set_yticks(range(len(found)), names, fontsize=8)
    axes.set_xlabel(f"loss of {metrics['metric']} when the column is shuffled")
    axes.set_title("What the model relies on", loc="left", color=INK)


def _draw_answers(axes: Axes, schema: Schema, held_out: Answers) -> None:
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
            axes.text(column, row, f"{count:,.0f}", ha="center", va="center", color="white" if share[row, column] > 0.5 else INK)  # noqa: PLR2004 - dark half
        axes.set_xticks(range(classes), names, fontsize=8)
        axes.set_yticks(range(classes), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Held-out rows: predicted beside true", loc="left", color=INK)


def _label(name: object) -> str:
    """Return a name short and plain enough for a figure: a dollar sign would start a formula."""
    flat = " ".join(str(name).split())
    return (flat if len(flat) <= NAME_LENGTH_MAX else flat[: NAME_LENGTH_MAX - 3] + "...").replace("$", r"\$")
