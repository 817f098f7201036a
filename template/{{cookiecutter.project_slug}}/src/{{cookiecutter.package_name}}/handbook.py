"""The description of the API at ``/docs``: the OpenAPI document as one plain page, with a field to try each call.

It loads nothing from another host, so that the page's strict content policy holds here too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .markup import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS_SHOWN = 24


def render(document: Mapping[str, Any]) -> str:
    """Return the page as HTML."""
    title = f"{document['info']['title']}: API"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href="static/page.css"),
        tag("script", src="static/handbook.js", defer=True),
    )
    schemes = document.get("components", {}).get("securitySchemes", {})
    sections = [
        _call(path, method, call, locked=bool(schemes))
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    ]
    lead = join(
        "Version ", document["info"]["version"], ". The same as ", tag("a", "OpenAPI 3.1", href="openapi.json"), "."
    )
    body = tag(
        "body",
        tag("a", "Skip to the calls", href="#calls", class_="skip"),
        tag("header", tag("h1", title, dir="auto"), tag("p", lead, class_="lead")),
        tag("main", *sections, id="calls", class_="handbook"),
        tag("footer", tag("nav", tag("a", "The page", href="./"), aria_label="More")),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _call(path: str, method: str, call: Mapping[str, Any], *, locked: bool) -> Html:
    content = call.get("requestBody", {}).get("content", {})
    described = content.get("application/json")
    secured = tag("p", "Needs the header X-API-Key.", class_="quiet") if locked and call.get("security") else ""
    parts = [
        tag("h2", tag("code", f"{method.upper()} {path}")),
        tag("p", call.get("summary", "")),
        tag("p", call["description"], class_="quiet", dir="auto") if call.get("description") else "",
        secured,
        tag("p", f"Body: {', '.join(content)}", class_="quiet") if content else "",
        _fields(described["schema"]) if described else "",
        _try(path, method, described, locked=bool(secured)) if described or method == "get" else "",
        _answers(call["responses"]),
    ]
    return tag("section", *parts, class_="card call")


def _fields(schema: Mapping[str, Any]) -> Html:
    row = schema["properties"]["rows"]["items"]
    needed = set(row["required"])
    lines = [
        tag(
            "tr",
            tag("th", name, scope="row", dir="auto"),
            tag("td", _type(facts)),
            tag("td", "needed" if name in needed else "may be left out"),
            tag("td", str(facts.get("description", "")), dir="auto"),
        )
        for name, facts in row["properties"].items()
    ]
    heads = tag("tr", *(tag("th", name, scope="col") for name in ("Column", "Type", "", "What")))
    table = tag("table", tag("thead", heads), tag("tbody", *lines))
    rows = schema["properties"]["rows"]
    told = f"The columns of a row; {rows['minItems']} to {rows['maxItems']:,} rows"
    frame = tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Columns")
    return tag("details", tag("summary", told), frame, open=len(lines) <= ROWS_SHOWN)


def _type(facts: Mapping[str, Any]) -> str:
    found = facts.get("type", "anything")
    return " or ".join(found) if isinstance(found, list) else str(found)


def _try(path: str, method: str, described: Mapping[str, Any] | None, *, locked: bool) -> Html:
    name = path.strip("/").replace("/", "-")
    parts: list[str] = []
    if locked:
        key = tag("input", id=f"key-{name}", name="key", type="password", autocomplete="off")
        parts += [tag("label", "API key", for_=f"key-{name}"), key]
    if described:
        text = json.dumps(described["example"], ensure_ascii=False, indent=2)
        field = tag("textarea", Html("\n"), text, id=f"body-{name}", name="body", rows=12, spellcheck="false")
        parts += [tag("label", "Body", for_=f"body-{name}"), field]
    parts += [
        tag("div", tag("button", "Send", type="submit", class_="second"), class_="actions"),
        tag("pre", tag("output"), class_="scroll", hidden=True, tabindex=0, aria_live="polite"),
    ]
    return tag("form", *parts, class_="try", data_path=path.lstrip("/"), data_method=method.upper())


def _answers(responses: Mapping[str, Any]) -> Html:
    def listed() -> Iterator[Html]:
        for status, facts in sorted(responses.items()):
            yield join(tag("dt", status), tag("dd", facts["description"]))

    return tag("dl", *listed(), class_="answers")
