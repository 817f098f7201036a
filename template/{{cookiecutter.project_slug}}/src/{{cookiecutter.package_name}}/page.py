"""The page at ``/``: a form from the contract, the answer with its notes, files, and what model this is.

Rendered here whole, so that it works without JavaScript; static/page.js swaps in parts of the same page.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import fields
from .fields import example_cells, values_of
from .markup import Html, join, tag
from .tensors import STATIC_FILES
from .wording import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import Problem, Schema

__all__ = ["example_cells", "number", "render", "said", "values_of"]

BARS_MAX = 8
LONG = 24  # letters; a longer answer is set smaller
LABELS_MAX = 5  # more classes than this are counted instead of named
SHARES_MAX = 6
LEAST_POINT, LEAST_SHARE = 0.0005, 0.0001  # a column whose share would be shown as nothing is not shown
RELIED_MAX = 5
LISTED_MAX = 600  # characters of an answer of several numbers
SCORES_MAX = 100
UNIT_METRICS = frozenset({"accuracy", "average_precision", "balanced_accuracy", "f1", "f1_macro", "r2", "roc_auc"})


def render(  # noqa: PLR0913 - each is told by name
    *,
    schema: Schema,
    info: Mapping[str, Any],
    values: Mapping[str, str] | None = None,
    result: Mapping[str, Any] | None = None,
    problems: Sequence[Problem] = (),
    locked: bool = False,
) -> str:
    """Return the page as HTML.

    ``values`` are cells by column (the example row by default), ``result`` one answer as ``/explain`` gives it (or as
    ``/predict`` does), ``problems`` what the contract says against the values. ``locked`` asks for the API key.
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
        *_beside_pictures(schema),
    )
    body = tag(
        "body",
        tag("a", "Skip to the form", href="#form", class_="skip"),
        _header(title, schema),
        tag(
            "main",
            _form(schema, values, problems, _weighty(info), locked=locked),
            tag(
                "div",
                tag(
                    "section",
                    *_result(schema, result, problems, values or {}),
                    id="result",
                    aria_label="Answer",
                    aria_live="polite",
                    tabindex="-1",
                ),
                _card(info),
                class_="side",
            ),
            _files(schema),
        ),
        _footer(),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _beside_pictures(schema: Schema) -> list[Html]:
    """Return the script and the style that a form with pictures needs besides."""
    wanted = [*STATIC_FILES] if any(column.kind == "picture" for column in schema.columns) else []
    return [
        tag("link", rel="stylesheet", href=f"static/{name}")
        if name.endswith(".css")
        else tag("script", src=f"static/{name}", defer=True)
        for name in wanted
    ]


def _header(title: str, schema: Schema) -> Html:
    labels = [tag("strong", label, dir="auto") for label in schema.label_texts]
    if schema.task == "regression":
        answers = f"{' x '.join(map(str, schema.sides))} numbers" if schema.sides else "a number"
    elif len(labels) > LABELS_MAX:
        answers = f"one of {len(labels)} classes"
    else:
        answers = join(*(join(", " if place else "", label) for place, label in enumerate(labels[:-1])))
        answers = join(answers, " or ", labels[-1])
    asked = tag("strong", schema.target, dir="auto")
    count = f"{len(schema.columns)} columns" if len(schema.columns) > 1 else "one column"
    return tag(
        "header",
        tag("h1", title, dir="auto"),
        tag("p", "Predicts ", asked, " (", answers, f") from {count}.", class_="lead"),
    )


def _weighty(info: Mapping[str, Any]) -> list[str]:
    """Return the columns that the model relies on, those with the greatest loss first."""
    ranked = sorted(info.get("importances") or (), key=lambda each: -each["drop"])
    return [str(each["column"]) for each in ranked if each["drop"] > 0]


def _form(
    schema: Schema,
    values: Mapping[str, str] | None,
    problems: Sequence[Problem],
    weighty: Sequence[str],
    *,
    locked: bool,
) -> Html:
    cells = example_cells(schema) if values is None else values
    return tag(
        "section",
        tag("h2", "One row"),
        tag("p", "Filled with a made-up example of typical values: change what you like.", class_="quiet"),
        tag(
            "form",
            _key_field() if locked else "",
            tag("div", fields.render(schema, cells, problems, weighty), id="fields"),
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
        aria_label="One row",
    )


def _key_field() -> Html:
    return tag(
        "div",
        tag("label", tag("span", "API key", class_="name"), for_="key"),
        tag(
            "input",
            type="password",
            id="key",
            name="key",
            required=True,
            autocomplete="current-password",
            aria_describedby="key-hint",
        ),
        tag("p", "This service answers holders of a key, for one row as for files.", id="key-hint", class_="hint"),
        class_="field key",
    )


def _result(
    schema: Schema, result: Mapping[str, Any] | None, problems: Sequence[Problem], cells: Mapping[str, str]
) -> list[Html]:
    if problems:
        return [_refusal(schema, problems)]
    if result is None:
        waiting = tag("p", "Press Predict: the answer appears here, with what its reader should know.", class_="quiet")
        return [tag("h2", "Answer"), waiting]
    prediction = result["prediction"]
    shown = said(schema, prediction)
    answer = tag("output", shown, dir="auto", class_="long" if len(shown) > LONG else None)
    parts = [
        tag("h2", "Answer"),
        tag("p", join(tag("span", schema.target, class_="asked", dir="auto"), answer)),
    ]
    if result.get("probabilities"):
        parts.append(_bars(result["probabilities"]))
    if result.get("scores"):
        parts.append(_raw(result["scores"]))
    if result.get("explanation"):
        parts.append(_drivers(result["explanation"], prediction, cells))
    if result.get("notes"):
        notes = [
            tag("li", join(tag("strong", note["column"] or "The whole row", dir="auto"), ": ", note["message"]))
            for note in result["notes"]
        ]
        parts.append(tag("div", tag("h3", "Notes"), tag("ul", *notes), class_="notes"))
    return parts


def _raw(scores: Mapping[str, float]) -> Html:
    """Return the scores that the probabilities were made of, as the model gives them."""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    listed = [join(tag("dt", label, dir="auto"), tag("dd", number(score, digits=6))) for label, score in ranked]
    told = tag("summary", "Raw scores, as the model gives them; the shares above are their softmax")
    return tag("details", told, tag("dl", *listed[:SCORES_MAX]))


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


def _drivers(explanation: Mapping[str, Any], prediction: object, cells: Mapping[str, str]) -> Html:
    """Return each column's share of the way from a usual row's answer to this one."""
    usual, label = float(explanation["reference"]), explanation.get("explained")
    least = LEAST_POINT if label is not None else LEAST_SHARE * abs(usual)
    shares = [(name, share) for name, share in explanation["contributions"].items() if abs(share) > least]
    if not shares:
        nothing = "No column in particular: this is as a usual row. Change a value to see its share."
        return tag("div", tag("h3", "What drove it"), tag("p", nothing, class_="quiet"))
    if label is None:
        lead = join(f"A usual row gets {number(usual, digits=6)}, this one {number(prediction, digits=6)}.")
    else:
        reached = usual + sum(explanation["contributions"].values())
        told = f", a usual row gets {percent(usual)}, this one {percent(reached)}."
        lead = join("For ", tag("strong", str(label), dir="auto"), told)
    most = max(abs(share) for _, share in shares)
    bars = [
        tag(
            "li",
            tag("span", name, tag("span", cells.get(name) or "empty", class_="cell"), class_="label", dir="auto"),
            tag("span", _signed(share, points=label is not None), class_="chance"),
            tag(
                "svg",
                tag("rect", x=f"{50 + min(0, 50 * share / most):.2f}", width=f"{abs(50 * share / most):.2f}", height=1),
                viewBox="0 0 100 1",
                preserveAspectRatio="none",
                aria_hidden="true",
            ),
            class_="up" if share > 0 else "down",
        )
        for name, share in shares[:SHARES_MAX]
    ]
    rest = shares[SHARES_MAX:]
    others = _signed(sum(share for _, share in rest), points=label is not None) if rest else ""
    more = f"{len(rest)} more {'column' if len(rest) == 1 else 'columns'}: {others} together." if rest else ""
    sure = "" if explanation.get("exact", True) else "Estimated shares of the difference."
    return tag(
        "div",
        tag("h3", "What drove it"),
        tag("p", lead, class_="quiet"),
        tag("ul", *bars, class_="bars drivers"),
        tag("p", " ".join(filter(None, (more, sure))), class_="quiet") if more or sure else "",
    )


def _signed(share: float, *, points: bool) -> str:
    """Return a share with its sign: percentage points of a probability, else in the target's own unit."""
    sign = "\N{MINUS SIGN}" if share < 0 else "+"
    if points:
        return f"{sign}{abs(100 * share):.1f} points"
    return f"{sign}{number(abs(share))}"


def _refusal(schema: Schema, problems: Sequence[Problem]) -> Html:
    places = {column.name: f"c{place}" for place, column in enumerate(schema.columns)}
    items = []
    for problem in problems:
        target = places.get(problem.column or "")
        where = tag("a", problem.column, href=f"#{target}", dir="auto") if target and problem.column else None
        items.append(tag("li", join(where, ": ", problem.message) if where else problem.message))
    if all(problem.column is None for problem in problems):
        title = "No answer"
    else:
        title = "One value needs another look" if len(items) == 1 else f"{len(items)} values need another look"
    return tag("div", tag("h2", title), tag("ul", *items), class_="refusal", role="alert")


def _files(schema: Schema) -> Html:
    return tag(
        "section",
        tag("h2", "A whole file"),
        tag(
            "p",
            f"A CSV with a header line; the answer is the same file with {_added(schema)} added. ",
            tag("a", "An example of such a file", href="example.csv", download="example.csv"),
            class_="quiet",
        ),
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
        aria_label="A whole file",
    )


def _added(schema: Schema) -> str:
    return "a prediction" if schema.task == "regression" else "a prediction and its probabilities"


def _card(info: Mapping[str, Any]) -> Html:
    rows = info.get("rows") or {}
    data = info.get("provenance") or {}
    wrapped, created = bool(info.get("wrapped")), str(info.get("created_at") or "")
    relied = [tag("span", name, dir="auto", class_="relied") for name in _weighty(info)[:RELIED_MAX]]
    facts = [
        ("Relies most on", join(*relied)),
        ("Model", str(info.get("chosen") or "").replace("_", " ")),
        ("Wrapped" if wrapped else "Trained", created.replace("T", " ").replace("+00:00", " UTC")),
        ("Rows", f"{rows['train']:,} to learn, {rows['test']:,} to score" if {"train", "test"} <= set(rows) else ""),
        ("Source" if wrapped else "Data", _link(data.get("url"), data.get("title") or data.get("source"))),
        ("Its licence", _link(data.get("licence_url"), data.get("licence") or "not stated by the source")),
        ("Version", info.get("model")),
    ]
    listed = [join(tag("dt", name), tag("dd", value, dir="auto")) for name, value in facts if value]
    warnings = [tag("li", str(warning)) for warning in info.get("warnings") or ()]
    limits = "The scores hold for rows like those of the data. They say what goes together, not what causes what."
    if wrapped and not info.get("test"):
        limits = "It answers as the file did that it was made from. How often that is right was not measured."
    return tag(
        "section",
        tag("h2", "The model"),
        _score(info),
        _scores(info),
        tag("dl", *listed),
        tag("p", limits, class_="quiet limits"),
        tag("ul", *warnings, class_="notes") if warnings else "",
        class_="card",
        id="model",
        aria_label="The model",
    )


def _score(info: Mapping[str, Any]) -> Html:
    """Return the score that the model was chosen by, drawn beside the baseline's."""
    name = str(info.get("metric") or "")
    score, guess = (info.get("test") or {}).get(name) or {}, (info.get("baseline") or {}).get(name) or {}
    found = [score.get("low"), score.get("value"), score.get("high"), guess.get("value")]
    values = [float(each) for each in found if isinstance(each, int | float)]
    if len(values) < len(found):
        return Html()
    low, value, high, base = values
    start = min(0.0, low, base)
    scale = 100 / ((max(1.0 if name in UNIT_METRICS else 0.0, high, base) - start) or 1.0)
    return tag(
        "div",
        tag("p", named(name), tag("strong", number(value)), class_="score"),
        tag(
            "svg",
            tag(
                "rect",
                class_="interval",
                x=f"{(low - start) * scale:.2f}",
                width=f"{(high - low) * scale:.2f}",
                height=2,
            ),
            tag("rect", class_="guess", x=f"{(base - start) * scale - 0.4:.2f}", width="0.8", height=2),
            tag("rect", class_="value", x=f"{(value - start) * scale - 0.4:.2f}", width="0.8", height=2),
            viewBox="-0.5 0 101 2",
            preserveAspectRatio="none",
            aria_hidden="true",
        ),
        tag(
            "p",
            f"95 % interval {number(low)} to {number(high)}; a baseline that ignores the row gets {number(base)}.",
            class_="quiet",
        ),
        class_="measure",
    )


def _scores(info: Mapping[str, Any]) -> Html:
    test, baseline = info.get("test") or {}, info.get("baseline") or {}
    lines = []
    for name in sorted(test, key=lambda name: name != info.get("metric")):
        score, guess = test[name], baseline.get(name) or {}
        interval = f"{number(score.get('low'))} to {number(score.get('high'))}"
        lines.append(
            tag(
                "tr",
                tag("th", named(name), scope="row"),
                tag("td", tag("strong", number(score.get("value"))), tag("span", interval, class_="interval")),
                tag("td", number(guess.get("value"))),
            )
        )
    if not lines:
        return Html()
    heads = [tag("th", name, scope="col") for name in ("On held-out rows", "Model", "Baseline")]
    summary = tag("summary", f"All {len(lines)} scores") if len(lines) > 1 else tag("summary", "The score in full")
    return tag("details", summary, tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines)))


def _link(address: object, text: object) -> str:
    """Return a link when the address is a web address, else the text alone."""
    if isinstance(address, str) and address.startswith(("https://", "http://")):
        return tag("a", str(text or address), href=address, rel="noreferrer")
    return str(text or "")


def _footer() -> Html:
    links = {"API description": "docs", "Input contract": "schema", "Model facts": "model", "Metrics": "metrics"}
    return tag("footer", tag("nav", *(tag("a", name, href=path) for name, path in links.items()), aria_label="More"))


def said(schema: Schema, prediction: object) -> str:
    """Return an answer for people: a label, a number, or the start of several numbers."""
    if not schema.sides:
        return number(prediction, digits=6) if schema.task == "regression" else str(prediction)
    text = json.dumps(prediction)
    if len(text) <= LISTED_MAX:
        return text
    return f"{text[:LISTED_MAX]} ... (the first of {len(text):,} characters: the API gives all)"


def number(value: object, *, digits: int = 4) -> str:
    """Return a number for people: ``digits`` significant ones, thousands apart."""
    if not isinstance(value, int | float):
        return "not defined"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:,.{digits}g}"


def percent(share: float) -> str:
    """Return a share from 0 to 1 for people; only certainty is shown as 100% or 0%."""
    if 0 < share < 0.001:  # noqa: PLR2004 - one decimal would show 0.0%
        return "under 0.1%"
    if 0.999 < share < 1:  # noqa: PLR2004 - as above
        return "over 99.9%"
    return f"{100 * share:.1f}%"
