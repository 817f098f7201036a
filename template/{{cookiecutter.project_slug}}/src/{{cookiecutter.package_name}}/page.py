"""The page at ``/``: a form from the contract, the answer with its notes, files, and what model this is.

Rendered here whole, so that it works without JavaScript; static/page.js swaps in parts of the same page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import fields
from .fields import example_cells, values_of
from .markup import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import Problem, Schema

__all__ = ["example_cells", "number", "render", "values_of"]

BARS_MAX = 8
METRICS = {
    "accuracy": "Accuracy",
    "average_precision": "Average precision",
    "balanced_accuracy": "Balanced accuracy",
    "brier": "Brier score",
    "f1": "F1",
    "f1_macro": "F1, mean of classes",
    "log_loss": "Log loss",
    "mae": "Mean absolute error",
    "mape": "Mean absolute percentage error",
    "r2": "R²",
    "rmse": "Root mean squared error",
    "rmsle": "Root mean squared log error",
    "roc_auc": "Area under ROC",
}


def render(
    *,
    schema: Schema,
    info: Mapping[str, Any],
    values: Mapping[str, str] | None = None,
    result: Mapping[str, Any] | None = None,
    problems: Sequence[Problem] = (),
) -> str:
    """Return the page as HTML.

    ``values`` are cells by column (the example row by default), ``result`` one answer as ``/predict`` gives it,
    ``problems`` what the contract says against the values.
    """
    title = str(info.get("title") or schema.target)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href="static/page.css"),
        tag("script", src="static/page.js", defer=True),
    )
    body = tag(
        "body",
        tag("a", "Skip to the form", href="#form", class_="skip"),
        _header(title, schema, info),
        tag(
            "main",
            _form(schema, values, problems),
            tag(
                "div",
                tag("section", *_result(schema, result, problems), id="result", aria_live="polite", tabindex="-1"),
            ),
            _files(schema),
            _card(info),
        ),
        _footer(),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(title: str, schema: Schema, info: Mapping[str, Any]) -> Html:
    question = {
        "binary": "Which of two classes",
        "multiclass": f"Which of {len(schema.labels)} classes",
        "regression": "Which number",
    }[schema.task]
    asked = tag("strong", schema.target, dir="auto")
    return tag(
        "header",
        tag("h1", title, dir="auto"),
        tag("p", join(f"{question} is ", asked, f"? Answered by model {info.get('model', '')}."), class_="lead"),
    )


def _form(schema: Schema, values: Mapping[str, str] | None, problems: Sequence[Problem]) -> Html:
    cells = example_cells(schema) if values is None else values
    return tag(
        "section",
        tag("h2", "One row"),
        tag("p", "Filled with a made-up example of typical values: change what you like.", class_="quiet"),
        tag(
            "form",
            tag("div", fields.render(schema, cells, problems), id="fields"),
            tag(
                "div",
                tag("button", "Predict", type="submit"),
                tag("a", "Back to the example", href="./", class_="quiet"),
                class_="actions",
            ),
            action="./#result",
            method="post",
            id="row",
        ),
        id="form",
        class_="card",
    )


def _result(schema: Schema, result: Mapping[str, Any] | None, problems: Sequence[Problem]) -> list[Html]:
    if problems:
        return [_refusal(schema, problems)]
    if result is None:
        waiting = tag("p", "The answer appears here, with what its reader should know.", class_="quiet")
        return [tag("h2", "Answer"), waiting]
    prediction = result["prediction"]
    shown = number(prediction, digits=6) if schema.task == "regression" else str(prediction)
    parts = [
        tag("h2", "Answer"),
        tag("p", join(tag("span", schema.target, class_="asked", dir="auto"), tag("output", shown, dir="auto"))),
    ]
    if result.get("probabilities"):
        parts.append(_bars(result["probabilities"]))
    if result.get("notes"):
        notes = [
            tag("li", join(tag("strong", note["column"], dir="auto"), ": ", note["message"]))
            for note in result["notes"]
        ]
        parts.append(tag("div", tag("h3", "Notes"), tag("ul", *notes), class_="notes"))
    return parts


def _bars(probabilities: Mapping[str, float]) -> Html:
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    bars = [
        tag(
            "li",
            tag("span", label, class_="label", dir="auto"),
            tag("span", percent(chance), class_="chance"),
            tag(
                "svg",
                tag("rect", width=f"{100 * chance:.2f}", height="1"),
                viewBox="0 0 100 1",
                preserveAspectRatio="none",
                aria_hidden="true",
            ),
        )
        for label, chance in ranked[:BARS_MAX]
    ]
    rest = ranked[BARS_MAX:]
    more = f"{len(rest)} more share {percent(sum(chance for _, chance in rest))}" if rest else ""
    return join(tag("ul", *bars, class_="bars"), tag("p", more, class_="quiet") if more else "")


def _refusal(schema: Schema, problems: Sequence[Problem]) -> Html:
    places = {column.name: f"c{place}" for place, column in enumerate(schema.columns)}
    items = []
    for problem in problems:
        target = places.get(problem.column or "")
        where = tag("a", problem.column, href=f"#{target}", dir="auto") if target and problem.column else None
        items.append(tag("li", join(where, ": ", problem.message) if where else problem.message))
    count = "One value needs" if len(problems) == 1 else f"{len(problems)} values need"
    return tag("div", tag("h2", f"{count} another look"), tag("ul", *items), class_="refusal", role="alert")


def _files(schema: Schema) -> Html:
    return tag(
        "section",
        tag("h2", "A whole file"),
        tag("p", f"A CSV with a header line; the answer is the same file with {_added(schema)} added.", class_="quiet"),
        tag(
            "form",
            tag(
                "label",
                tag("span", "Choose a CSV file, or drop it here", class_="prompt"),
                tag("input", type="file", name="file", accept=".csv,.tsv,.txt,text/csv", required=True, id="file"),
                class_="drop",
                for_="file",
            ),
            tag("div", tag("button", "Predict the file", type="submit", class_="second"), class_="actions"),
            tag("div", id="file-result", aria_live="polite"),
            action="predict/file",
            method="post",
            enctype="multipart/form-data",
            id="upload",
        ),
        class_="card",
    )


def _added(schema: Schema) -> str:
    return "a prediction" if schema.task == "regression" else "a prediction and its probabilities"


def _card(info: Mapping[str, Any]) -> Html:
    rows = info.get("rows") or {}
    data = info.get("provenance") or {}
    facts = [
        ("Version", info.get("model")),
        ("Kind", info.get("chosen")),
        ("Trained", str(info.get("created_at") or "").replace("T", " ").replace("+00:00", " UTC")),
        ("Rows", f"{rows['train']:,} to learn, {rows['test']:,} to score" if {"train", "test"} <= set(rows) else ""),
        ("Data", _link(data.get("url"), data.get("title") or data.get("source"))),
        ("Licence of the data", _link(data.get("licence_url"), data.get("licence"))),
    ]
    listed = [join(tag("dt", name), tag("dd", value, dir="auto")) for name, value in facts if value]
    warnings = [tag("li", str(warning)) for warning in info.get("warnings") or ()]
    return tag(
        "section",
        tag("h2", "The model"),
        _scores(info),
        tag("dl", *listed),
        tag("ul", *warnings, class_="notes") if warnings else "",
        class_="card",
    )


def _scores(info: Mapping[str, Any]) -> Html:
    test, baseline = info.get("test") or {}, info.get("baseline") or {}
    names = sorted(test, key=lambda name: name != info.get("metric"))
    lines = []
    for name in names:
        score, guess = test[name], baseline.get(name) or {}
        interval = f"{number(score.get('low'))} to {number(score.get('high'))}"
        lines.append(
            tag(
                "tr",
                tag("th", METRICS.get(name, name), scope="row"),
                tag("td", tag("strong", number(score.get("value"))), tag("span", interval, class_="interval")),
                tag("td", number(guess.get("value"))),
                class_="main" if name == info.get("metric") else None,
            )
        )
    if not lines:
        return Html()
    heads = [tag("th", name, scope="col") for name in ("Held-out rows", "Model", "Baseline")]
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines))


def _link(address: object, text: object) -> str:
    """Return a link when the address is a web address, else the text alone."""
    if isinstance(address, str) and address.startswith(("https://", "http://")):
        return tag("a", str(text or address), href=address, rel="noreferrer")
    return str(text or "")


def _footer() -> Html:
    links = {"API": "docs", "Input contract": "schema", "Model facts": "model", "Metrics": "metrics"}
    return tag("footer", tag("nav", *(tag("a", name, href=path) for name, path in links.items()), aria_label="More"))


def number(value: object, *, digits: int = 4) -> str:
    """Return a number for people: ``digits`` significant ones, thousands apart."""
    if not isinstance(value, int | float):
        return "not defined"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:,.{digits}g}"


def percent(share: float) -> str:
    """Return a share from 0 to 1 for people; only certainty is shown as 100 % or 0 %."""
    if 0 < share < 0.001:  # noqa: PLR2004 - one decimal would show 0.0 %
        return "under 0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004 - as above
        return "over 99.9 %"
    return f"{100 * share:.1f} %"
