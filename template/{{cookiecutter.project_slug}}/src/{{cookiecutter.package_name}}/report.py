"""What training tells people: MODEL_CARD.md, the figures in reports/, the result block of README.md.

Every number here was measured in this run; a section without facts is left out.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from . import figures
from .evaluation import resamples_of
from .figures import BARS_MAX, CLASSES_NAMED_MAX
from .wording import LOWER_IS_BETTER, METRICS, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .evaluation import Answers
    from .schema import Schema

NO_BETTER = (
    "**On this data the score's interval does not clear the baseline: the model is no better than a constant guess.**"
)
START, END = "<!-- results:start -->", "<!-- results:end -->"


def write(  # noqa: PLR0913 - one parameter a source of facts
    project: Path,
    *,
    plan: Mapping[str, Any],
    schema: Schema,
    metrics: Mapping[str, Any],
    held_out: Answers,
    manifest: Mapping[str, Any],
) -> None:
    """Write the card, the figures and the README's results into ``project``."""
    reports = project / "reports"
    reports.mkdir(exist_ok=True)
    figures.draw(reports, schema, metrics, held_out)
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
    name = metrics["metric"]
    score, guess = metrics["test"][name], metrics["baseline"][name]
    interval = f"95 % interval {number(score['low'])} to {number(score['high'])}"
    better = ", and lower is better" if name in LOWER_IS_BETTER else ""
    lead = (
        f"**{METRICS.get(name, name)}: {number(score['value'])}** ({interval}); a baseline that ignores the row gets "
        f"{number(guess['value'])}{better}. Scored once, on {rows['test']:,} rows that had no part in training; "
        f"{rows['train']:,} rows were for learning."
    )
    lines = [lead, "", *_score_table(metrics), ""]
    lines += [] if beats_baseline(metrics) else [NO_BETTER, ""]
    lines += [f"Brackets hold 95 % bootstrap intervals. The model is `{metrics['chosen']}`: {metrics['why']}.", ""]
    lines += [
        "![Cross-validated score of every candidate](reports/candidates.png)",
        "![What the model relies on](reports/importances.png)",
    ]
    return "\n".join(lines)


def card(plan: Mapping[str, Any], schema: Schema, metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return MODEL_CARD.md: what the model answers, how well, on what it relies, where it must not be trusted."""
    sections = [
        _about(plan, schema, metrics, manifest),
        (
            "Results",
            [*_results_lead(plan, metrics), "", *_score_table(metrics), "", "![Held-out answers](reports/answers.png)"],
        ),
        ("Candidates", _candidates(metrics)),
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


def prose(value: str) -> str:
    """Return one of our own sentences as Markdown: what stands between backticks is code, everything else is literal.

    A name with a backtick in it can end a code span early; what follows is then literal text, never markup.
    """
    parts = value.split("`")
    if len(parts) % 2 == 0:
        return text(value)
    told = (f"`{part}`" if place % 2 and part.strip() else _literal(part) for place, part in enumerate(parts))
    return " ".join("".join(told).split())


def _literal(part: str) -> str:
    head, tail = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{head}{text(part)}{tail if part.strip() else ''}"


def cell(value: str) -> str:
    """Return one of our own sentences for a cell of a table, which a bar would end even inside code."""
    return re.sub(r"(?<!\\)\|", r"\\|", prose(value))


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
    trained = str(manifest["created_at"]).replace("T", " ").replace("+00:00", " UTC")
    columns = "one column" if len(schema.columns) == 1 else f"{len(schema.columns)} columns"
    lines = [
        f"- **Predicts**: {text(plan['target'])}, {kinds[plan['task']]} ({plan['task']})",
        f"- **From**: {columns}, described in [DATA_CARD.md](DATA_CARD.md)",
        f"- **Data**: {text(plan['source'])}",
        f"- **Model**: `{metrics['chosen']}`, version `{manifest['version']}`, trained {trained}",
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
    parts = f"{rows['train']:,} rows for learning, {rows['test']:,} held out and used once"
    chosen = f"The model was chosen by `{plan['metric']}`: {prose(plan['metric_why'])}."
    lines = [
        f"Split `{plan['split']}`: {prose(plan['split_why'])}. {parts}.",
        "",
        f"{chosen} Brackets hold 95 % intervals from {resamples_of(rows['test']):,} bootstrap resamples.",
    ]
    if not beats_baseline(metrics):
        lines += ["", NO_BETTER]
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
        guess = number(metrics["baseline"][name]["value"])
        low, high = number(score["low"]), number(score["high"])
        lines.append(f"| {named(name)} (`{name}`) | **{number(score['value'])}** [{low}, {high}] | {guess} |")
    return lines


def _candidates(metrics: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Cross-validation on {_compared(metrics['rows'])}. Chosen: `{metrics['chosen']}`, {metrics['why']}.",
        "",
        f"| candidate | {metrics['metric']} | standard deviation over folds | seconds | why it was tried |",
        "| --- | --- | --- | --- | --- |",
    ]
    for trial in metrics["candidates"]:
        score = number(trial["mean"]) if trial["status"] == "ok" else trial["status"]
        spread = number(trial["standard_deviation"]) if trial["status"] == "ok" else ""
        lines.append(f"| `{trial['name']}` | {score} | {spread} | {trial['fit_seconds']:.1f} | {cell(trial['why'])} |")
    return [*lines, "", "![Candidates](reports/candidates.png)"]


def _compared(rows: Mapping[str, int]) -> str:
    drawn = rows.get("compared", rows["train"])
    if drawn == rows["train"]:
        return "the learning part"
    return f"{drawn:,} rows drawn from the learning part, from all of which the chosen one learned"


def _relies(metrics: Mapping[str, Any]) -> list[str]:
    found = metrics["importances"][:BARS_MAX]
    lines = [
        f"How much worse `{metrics['metric']}` gets on held-out rows when a column's cells are shuffled.",
        "",
        "| column | loss | standard deviation |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {text(row['column'])} | {_loss(row['drop'])} | {_loss(row['standard_deviation'])} |" for row in found]
    return [*lines, "", "![Importances](reports/importances.png)"]


def _loss(value: float) -> str:
    """Return a loss with as many digits as matter beside the largest one."""
    return number(value) if abs(value) >= 1 else f"{value:.4f}"


def _decisions(plan: Mapping[str, Any]) -> list[str]:
    decisions: Sequence[Mapping[str, Any]] = plan.get("decisions", ())
    return [f"- **{text(item['what'])}**: {prose(item['choice'])} ({prose(item['why'])})" for item in decisions]


def _limits(plan: Mapping[str, Any], schema: Schema, metrics: Mapping[str, Any]) -> list[str]:
    rows = metrics["rows"]["test"]
    lines = [f"- The scores rest on {rows:,} held-out rows of one data set; other data was not measured."]
    nullable = [column.name for column in schema.columns if column.nullable]
    if nullable:
        lines.append(
            f"- {len(nullable)} of {len(schema.columns)} columns may be empty; an answer with a gap carries a note."
        )
    unscored = [name for name, score in metrics["test"].items() if score["value"] is None]
    if unscored:
        lines.append(f"- Not defined on the held-out rows: {', '.join(f'`{name}`' for name in unscored)}.")
    skipped = [trial["name"] for trial in metrics["candidates"] if trial["status"] != "ok"]
    if skipped:
        lines.append(
            f"- Not compared: {', '.join(f'`{name}`' for name in skipped)}; with more time the choice may differ."
        )
    lines.append("- Values outside the ranges and categories of the training data are answered, with a note saying so.")
    if plan["split"] in {"random", "stratified"}:
        lines.append(
            "- The split is by chance: the scores hold for rows of the same kind and time, not for the future."
        )
    lines.append(
        "- It tells what goes together, not what causes what. Do not decide about people with it before the data, the "
        "errors by group and the law that applies were reviewed."
    )
    return lines


def _reproduce(plan: Mapping[str, Any], metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in metrics["versions"].items())
    difference = f"{metrics['parity']['difference']:.1e}"
    data, graph = plan["data"]["sha256"], manifest["files"]["model.onnx"]
    return [
        f"`make train` with the same data and seed {plan['seed']} gives the same metrics. Data: SHA-256 `{data}`.",
        "",
        f"The served model differs from the scikit-learn pipeline by at most {difference}; SHA-256 `{graph}`.",
        "",
        f"Trained with {versions}.",
    ]
