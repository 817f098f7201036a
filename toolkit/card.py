"""What was measured about the data becomes DATA_CARD.md: facts only, and no heading without one."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from toolkit.contents import Contents
    from toolkit.download import FileRecord, Provenance
    from toolkit.findings import Finding
    from toolkit.plan import Plan
    from toolkit.profile import Column, Profile

VALUES_SHOWN = 5
VALUES_SHOWN_UP_TO = 30  # a column with more different values is described by their number
DESCRIPTION_CHARACTERS_MAX = 1_500
CELL_CHARACTERS_MAX = 60
TIMES = ("%H:", "%I:")  # a column of times of day, which are read as moments of this day
NO_DAY = "1900-01-01"
YEARS = (1800, 2100)  # whole numbers that all lie between these are years, or read as well without a separator

# A licence in plain words, by the first pattern that fits what the source calls it.
LICENCES = (
    (
        r"cc0|public domain|pddl|u\.?s\.?[ -]government|unlicense",
        "public domain: use it for anything, no permission or credit needed",
    ),
    (r"by[- ]nc[- ]nd", "share unchanged, with credit, and not commercially"),
    (r"by[- ]nc[- ]sa", "use and adapt with credit, not commercially, and share under the same licence"),
    (r"by[- ]nc|noncommercial", "use and adapt with credit, not commercially"),
    (r"by[- ]nd", "share unchanged, with credit"),
    (r"by[- ]sa", "use and adapt with credit, and share under the same licence"),
    (r"cc[ -]?by|odc[ -]by|attribution|eu[ -]odp|world[ -]bank", "use and adapt for anything, with credit"),
    (r"cdla.*permissive|data license agreement.*permissive", "use and adapt for anything, passing its text on"),
    (r"cdla|data license agreement", "use and adapt; data that you pass on stays under the same licence"),
    (r"odbl|dbcl|open database", "use and adapt with credit, and share an adapted database under the same licence"),
    (r"gpl|gnu|gfdl|mpl", "use and adapt; what you pass on stays under the same licence"),
    (r"apache|\bmit\b|bsd|\bisc\b", "use and adapt for anything, keeping the notice"),
    (r"copyright|original authors|©", "all rights stay with its authors: ask them before you pass any of it on"),
    (r"competition", "use within the competition's rules; they seldom allow passing the data on"),
)
USES = {
    "number": "a number",
    "boolean": "true or false",
    "onehot": "categories, one feature each",
    "target_mean": "the mean target of its category",
    "text": "words",
    "date": "its parts",
}
NOTICE = """{title}

This project was made from data that belongs to others. The licence of the code, in LICENSE, does not change its terms.

{facts}

No row of the data is in this repository. The files in model/ were learnt from it: before you pass them on or put them
to use, see that the terms above allow it.
"""
LICENCE_UNKNOWN = "not stated by the source: treat the data as somebody else's and do not pass it on"


def data_card(plan: Plan, profile: Profile, contents: Contents) -> str:
    """Return DATA_CARD.md: where the data came from, what it holds, what was decided about it and why."""
    sections = [
        [f"# Data card: {markdown(plan.title)}", _lead(plan, profile)],
        _origin(contents.provenance),
        _files(contents.provenance.files),
        _columns(plan, profile),
        _findings(_once([*contents.findings, *contents.main.findings, *profile.findings])),
        _decisions(plan),
        _dropped(plan),
    ]
    return "\n\n".join("\n\n".join(section) for section in sections if section) + "\n"


def markdown(text: object, *, characters_max: int = 0) -> str:
    """Return ``text`` on one line, so that Markdown and the HTML made of it show it letter for letter."""
    line = printable(str(text))
    if characters_max and len(line) > characters_max:
        line = line[: characters_max - 1].rstrip() + "…"
    line = re.sub(r"([\\`*_\[\]|~#$])", r"\\\1", line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Bare addresses become links by themselves; a zero-width break inside `://` and `www.` keeps them text.
    return re.sub(
        r"(?i)(https?|ftp)://|www\.", lambda match: match[0].replace(":", "&#58;").replace(".", "&#46;"), line
    )


def prose(text: str) -> str:
    """Return one of our own sentences as Markdown: what stands between backticks is code, everything else plain text.

    A name with a backtick in it can end a code span early; what follows is then plain text, never markup.
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return markdown(text)
    return "".join(
        f"`{printable(part)}`" if place % 2 and part.strip() else markdown_part(part)
        for place, part in enumerate(parts)
    )


def markdown_part(text: str) -> str:
    """Return ``text`` as ``markdown`` does, the blanks at its ends kept."""
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{' ' if head else ''}{markdown(text)}{' ' if tail and text.strip() else ''}"


def sentence(text: str) -> str:
    """Return one of our own sentences with a capital at its start and a full stop at its end, as Markdown."""
    told = prose(text.strip())
    return told[:1].upper() + told[1:] + ("" if told.endswith((".", "!", "?")) else ".")


def printable(text: str) -> str:
    """Return ``text`` on one line without control, direction and unassigned characters."""
    kept = (" " if letter.isspace() else letter for letter in text)
    shown = "".join(letter for letter in kept if letter in "\u200c\u200d" or unicodedata.category(letter)[0] != "C")
    return " ".join(shown.split())


def notice(title: str, provenance: Provenance) -> str:
    """Return NOTICE: whose data the project was made from, and what its licence permits, in plain words."""
    facts = [
        ("Data", provenance.title or provenance.source),
        ("From", provenance.origin),
        ("Page", provenance.url),
        ("Version", provenance.version),
        ("Fetched", provenance.fetched_at),
        ("Licence", provenance.licence or "unknown"),
        ("Its text", provenance.licence_url),
        ("In words", licence_in_words(provenance.licence)),
    ]
    width = max(len(name) for name, _ in facts) + 1
    lines = [f"{name + ':':<{width}} {printable(told)}" for name, told in facts if told]
    return NOTICE.format(title=printable(title), facts="\n".join(lines))


def licence_in_words(licence: str) -> str:
    """Return what a licence allows, in one plain sentence."""
    name = licence.strip().casefold()
    for pattern, words in LICENCES:
        if re.search(pattern, name):
            return words
    if name in {"", "unknown", "none", "other", "other (specified in description)"}:
        return LICENCE_UNKNOWN
    return "read its text before you pass the data on"


def share(value: float) -> str:
    """Return a share from 0 to 1 as a percentage: ``19.9%``, ``none``, ``under 0.1%``."""
    if value <= 0:
        return "none"
    if value < 0.001:  # noqa: PLR2004 - one decimal would show 0.0%
        return "under 0.1%"
    return f"{value * 100:.1f}%"


def size(size_bytes: int) -> str:
    """Return a size for people: ``1.2 MB``."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":  # noqa: PLR2004 - decimal units, as file managers show
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def seen(column: Column) -> str:
    """Return what was seen in a column, in words that hold no whole row: range, frequent values, length."""
    if column.kind == "empty":
        return "nothing"
    if column.kind in {"number", "date"} and column.minimum is not None:
        if column.minimum == column.maximum:
            return f"always {_figure(column, column.minimum)}"
        middle = f", median {_figure(column, column.median)}" if column.median is not None else ""
        return f"{_figure(column, column.minimum)} to {_figure(column, column.maximum)}{middle}"
    if column.kind == "text":
        words = f", {column.words_mean:.0f} words on average" if column.words_mean else ""
        return f"up to {column.length_maximum or 0:,} characters{words}"
    if column.distinct > VALUES_SHOWN_UP_TO or not column.values:
        return f"{column.distinct:,} different values"
    shown = ", ".join(printable(value)[:CELL_CHARACTERS_MAX] for value in column.values[:VALUES_SHOWN])
    more = f" and {column.distinct - VALUES_SHOWN} more" if column.distinct > VALUES_SHOWN else ""
    return shown + more


def _figure(column: Column, value: float | str | None) -> str:
    """Return a number or a moment of a column as people write it: years without a separator, a time without a day."""
    if column.date_format.startswith(TIMES) and isinstance(value, str):
        return value.removeprefix(NO_DAY).strip() or "00:00:00"
    bounds = [column.minimum, column.maximum]
    years = column.whole and all(isinstance(bound, int | float) and YEARS[0] <= bound <= YEARS[1] for bound in bounds)
    return f"{value:.0f}" if years and isinstance(value, int | float) else _number(value)


def _number(value: float | str | None) -> str:
    if isinstance(value, str) or value is None:
        return str(value)
    if abs(value) < 1e15 and (float(value).is_integer() or abs(value) >= 1e4):  # noqa: PLR2004 - exact, and in reach
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _lead(plan: Plan, profile: Profile) -> str:
    rows = f"{profile.rows:,} rows, {len(profile.columns):,} columns"
    return f"{rows}; the project learns to predict `{_code(plan.target)}` from {len(plan.treatments):,} of them."


def _code(text: str) -> str:
    """Return ``text`` fit for the inside of a code span: a backtick cannot stand there."""
    return printable(text).replace("`", "'")


def _origin(provenance: Provenance) -> list[str]:
    facts = [
        ("Source", markdown(provenance.source)),
        ("Title", markdown(provenance.title)),
        ("Version", markdown(provenance.version)),
        ("Page", _link(provenance.url)),
        ("Origin", markdown(provenance.origin)),
        ("Licence", _licence(provenance)),
        ("Fetched", markdown(provenance.fetched_at)),
    ]
    section = ["## Origin", _table(("What", "Value"), [(what, value) for what, value in facts if value])]
    described = markdown(provenance.description or provenance.subtitle, characters_max=DESCRIPTION_CHARACTERS_MAX)
    if described:
        section += ["What the source says of it:", f"> {described}"]
    return section


def _licence(provenance: Provenance) -> str:
    name = _link(provenance.licence_url, text=provenance.licence) if provenance.licence else ""
    words = markdown(licence_in_words(provenance.licence))
    return f"{name} ({words})" if name else words


def _link(address: str, *, text: str = "") -> str:
    """Return a Markdown link when the address is a web address, else the text alone."""
    if re.fullmatch(r"https?://[\w.\-]+(:\d+)?(/[\w\-./%~+,;=@?#&]*)?", address, flags=re.ASCII):
        return f"[{markdown(text)}]({address})" if text else f"<{address}>"
    return markdown(text or address)


def _files(files: Sequence[FileRecord]) -> list[str]:
    if not files:
        return []
    rows = [(f"`{_code(file.path)}`", size(file.size_bytes), f"`{file.sha256}`") for file in files]
    return ["## Files", _table(("File", "Size", "SHA-256"), rows)]


def _columns(plan: Plan, profile: Profile) -> list[str]:
    use = {drop.column: f"not used: {drop.reason.replace('_', ' ')}" for drop in plan.dropped}
    use |= {treatment.column: f"used as {USES[treatment.treatment]}" for treatment in plan.treatments}
    use[plan.target] = "the target"
    described = any(column.description for column in profile.columns)
    head = ("Column", "Kind", "Missing", "Seen", "Use", *(("Meaning",) if described else ()))
    rows = [
        (
            f"`{_code(column.name)}`" if column.name.strip() else "(no name)",
            column.kind,
            share(column.missing_share),
            markdown(_classes(column) if plan.labels and column.name == plan.target else _seen_with_unit(column)),
            use.get(column.name, "not used"),
            *((markdown(column.description, characters_max=200),) if described else ()),
        )
        for column in profile.columns
    ]
    return ["## Columns", _table(head, rows)]


def _seen_with_unit(column: Column) -> str:
    return seen(column) + (f" {column.unit}" if column.unit else "")


def _classes(column: Column) -> str:
    """Return the classes of the target with their shares of the known rows."""
    total = sum(column.counts)
    if not total or column.distinct > VALUES_SHOWN_UP_TO:
        return seen(column)
    shares = (
        f"{printable(value)[:CELL_CHARACTERS_MAX]} ({share(count / total)})"
        for value, count in zip(column.values, column.counts, strict=True)
    )
    return ", ".join(shares)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings without those that say the same as an earlier one."""
    return list({finding.message: finding for finding in reversed(findings)}.values())[::-1]


def _findings(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    lines = []
    for finding in findings:
        told = "; ".join(part.rstrip(".") for part in (finding.message, finding.action) if part)
        flag = f" To overrule: {_flag(finding.overrule)}." if finding.overrule else ""
        lines.append(f"- {sentence(told)}{flag}")
    return ["## Findings", "\n".join(lines)]


def _decisions(plan: Plan) -> list[str]:
    if not plan.decisions:
        return []
    rows = [
        (prose(decision.what), prose(decision.choice), prose(decision.why), _flag(decision.overrule))
        for decision in plan.decisions
    ]
    return ["## Decisions", _table(("What", "Choice", "Why", "To change it"), rows)]


def _dropped(plan: Plan) -> list[str]:
    if not plan.dropped:
        return []
    rows = [(f"`{_code(drop.column)}`", prose(drop.why), _flag(drop.overrule)) for drop in plan.dropped]
    return ["## Columns the model does not see", _table(("Column", "Why", "To bring it back"), rows)]


def _flag(overrule: str) -> str:
    """Return how to overrule: an option as code, anything else as a sentence."""
    return f"`{_code(overrule)}`" if overrule.startswith("--") else prose(overrule)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    # A bar splits cells even inside a code span.
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |" for line in lines)
