"""Results become text for people or JSON for programs: the only module with colour.

Text from the data is printed as data: one line, without control characters, never read as markup.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any, TextIO

from toolkit.card import licence_in_words, printable, seen, share, size
from toolkit.records import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from toolkit.artifact import Artifact
    from toolkit.building import Build
    from toolkit.checks import CheckReport
    from toolkit.contents import Contents
    from toolkit.doctor import Diagnosis
    from toolkit.download import Download
    from toolkit.errors import ToolkitError
    from toolkit.findings import Finding
    from toolkit.plan import Plan
    from toolkit.profile import Profile
    from toolkit.project import Names
    from toolkit.search import Found
    from toolkit.seen import Port
    from toolkit.submission import Submitted
    from toolkit.task import Task
    from toolkit.wrapping import Wrapped

PIPE_COLUMNS = 160  # a pipe has no width of its own
LINE_CHARACTERS_MAX = 110
IMPORTS_SHOWN_MAX = 40
PORTS_SHOWN_MAX = 15


# --- JSON ---------------------------------------------------------------------------------------------------------


def print_json(values: dict[str, Any]) -> None:
    """Print one JSON object on standard output; what JSON does not know (NaN, infinity) is null."""
    text = dump(_finite(values))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a character from a file name: JSON can say it in escapes
        text = json.dumps(_finite(values), indent=2) + "\n"
    sys.stdout.write(text)


def inspected_json(contents: Contents, profile: Profile, task: Task) -> dict[str, Any]:
    """Return what `inspect --json` prints."""
    origin = contents.provenance
    told = task.to_json()
    return {
        "source": origin.source,
        "kind": origin.kind,
        "version": origin.version,
        "title": origin.title,
        "licence": origin.licence,
        "files": [
            {"path": item.path, "kind": item.kind, "role": item.role, "size_bytes": item.size_bytes, "why": item.why}
            for item in contents.items
        ],
        "table": profile.table,
        "rows": profile.rows,
        "columns": [column.to_json() for column in profile.columns],
        "task": {name: value for name, value in told.items() if name not in {"leaks", "findings"}},
        "identifiers": [identifier.to_json() for identifier in profile.identifiers],
        "leaks": told["leaks"],
        "findings": [finding.to_json() for finding in findings(contents, profile, task)],
    }


def looked_json(models: Sequence[Artifact], source: str) -> dict[str, Any]:
    """Return what `inspect --json` prints of models."""
    return {"source": source, "kind": "model", "models": [model.to_json() for model in models]}


def fetched_json(download: Download) -> dict[str, Any]:
    """Return what `fetch --json` prints."""
    origin = download.provenance
    return {
        "source": origin.source,
        "kind": origin.kind,
        "version": origin.version,
        "title": origin.title,
        "licence": origin.licence,
        "folder": str(download.root),
        "files": [file.to_json() for file in download.files],
    }


def planned_json(
    plan: Plan,
    path: Path,
    named: Names,
    files: Sequence[str],
    *,
    found: Sequence[Finding],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Return what `new --dry-run --json` prints."""
    told = plan.to_json()
    return {
        "dry_run": True,
        "project": str(path),
        "package": named.package,
        "task": plan.task,
        "target": plan.target,
        "metric": plan.metric,
        "decisions": told["decisions"],
        "treatments": told["treatments"],
        "dropped": told["dropped"],
        "candidates": told["candidates"],
        "findings": [finding.to_json() for finding in found],
        "files": list(files),
        "seconds": seconds,
    }


def built_json(
    plan: Plan, built: Build, found: Sequence[Finding], seconds: dict[str, float], following: Sequence[str]
) -> dict[str, Any]:
    """Return what `new --json` prints."""
    metrics = built.metrics
    return {
        "project": str(built.project.path),
        "package": built.project.package,
        "task": plan.task,
        "target": plan.target,
        "metric": plan.metric,
        "metrics": metrics.get("test", {}),
        "baseline": metrics.get("baseline", {}),
        "chosen": metrics.get("chosen", ""),
        "decisions": [decision.to_json() for decision in plan.decisions],
        "dropped": [drop.to_json() for drop in plan.dropped],
        "findings": [finding.to_json() for finding in found],
        "tests": None if built.tests is None else {"passed": built.tests.passed, "failed": built.tests.failed},
        "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
        "next": list(following),
    }


def wrapped_json(
    wrapped: Wrapped, built: Build | None, seconds: dict[str, float], following: Sequence[str]
) -> dict[str, Any]:
    """Return what `new --json` prints of a model file that was wrapped, or would be."""
    made = {} if built is None else {"project": str(built.project.path), "package": built.project.package}
    tests = None if built is None or built.tests is None else built.tests
    return {
        **made,
        "task": "wrapped",
        "answers": wrapped.task,
        "target": wrapped.target,
        "model": wrapped.to_json(),
        "proof": None if built is None else built.metrics.get("parity"),
        "metrics": {},
        "baseline": {},
        "tests": None if tests is None else {"passed": tests.passed, "failed": tests.failed},
        "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
        "next": list(following),
    }


def checked_json(report: CheckReport) -> dict[str, Any]:
    """Return what `check --json` prints."""
    return {
        "project": str(report.project),
        "passed": report.passed,
        "rules": [result.to_json() for result in report.results],
    }


def _finite(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(key): _finite(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


# --- text ---------------------------------------------------------------------------------------------------------


def _target(task: Task) -> str:
    if not task.target:
        return "none found (--target)"
    return f"{task.target} ({task.kind}){'' if task.sure else ', not sure'} (--target, --task)"


def print_inspected(contents: Contents, profile: Profile, task: Task, *, ask: str) -> None:
    """Print what `inspect` found; ``ask`` is the command that makes a project of it."""
    out = _console(sys.stdout)
    origin = contents.provenance
    _say(out, origin.title or origin.source, style="bold")
    _facts(
        out,
        (
            ("source", origin.source + (f", version {origin.version}" if origin.version else "")),
            ("licence", _licence(origin.licence)),
            ("table", f"{profile.table}: {profile.rows:,} rows, {len(profile.columns):,} columns (--table)"),
            ("target", _target(task)),
            ("why", "; ".join(task.reasons)),
            ("metric", f"{_with_why(task.metric, task.metric_why)} (--metric)" if task.target else ""),
            ("split", f"{_with_why(task.split, task.split_why)} (--split)" if task.target else ""),
            (
                "or rather",
                "; ".join(f"{guess.target} ({guess.kind}, {guess.score:.2f})" for guess in task.alternatives[:3])
                + (" (--target, --task)" if task.alternatives else ""),
            ),
        ),
    )
    others = [item for item in contents.items if item.path != profile.table]
    if others:
        _table(
            out, ("other file", "role", "size"), [(item.path, item.role, size(item.size_bytes)) for item in others[:20]]
        )
    if len(others) > 20:  # noqa: PLR2004 - a screenful
        _say(out, f"and {len(others) - 20:,} more files")
    names = {identifier.name: "names rows" for identifier in profile.identifiers}
    names |= dict.fromkeys(profile.constants, "constant")
    names |= {leak.column: "knows the answer" for leak in task.leaks}
    names[task.target] = "the target"
    _table(
        out,
        ("column", "kind", "missing", "different", "seen", "note"),
        [
            (
                column.name,
                column.kind,
                share(column.missing_share),
                f"{column.distinct:,}",
                seen(column),
                names.get(column.name, ""),
            )
            for column in profile.columns
        ],
    )
    for finding in findings(contents, profile, task):
        _say(out, _told(finding))
    _next(out, (ask,))


def print_looked(models: Sequence[Artifact], source: str) -> None:
    """Print what `inspect` saw of model files, one after the other."""
    out = _console(sys.stdout)
    for number, model in enumerate(models):
        if number:
            _say(out, "")
        _print_model(out, model)
    servable = [model for model in models if model.servable]
    if len(models) == 1 and servable:
        _next(out, (f"kaggle2app new {shlex.quote(source)}",))


def _print_model(out: Console, model: Artifact) -> None:
    _say(out, model.name, style="bold")
    packed = f", packed with {model.compression}" if model.compression else ""
    harmless = [one.full for one in model.opens if one.verdict == "harmless"]
    written = f"{model.framework} {model.version}" if model.version[:1].isdigit() else model.version
    protocol = f"protocol {model.protocol}" if model.protocol is not None else ""
    facts = (
        ("size", f"{size(model.size_bytes)}, sha256 {model.sha256}"),
        ("what", f"{' '.join(part for part in (model.framework, f'({model.format}{packed})') if part)}"),
        ("holds", model.holds),
        ("written by", "; ".join(part for part in (written, protocol) if part)),
        ("inputs", _ports(model.inputs)),
        ("outputs", _ports(model.outputs)),
        ("imports", f"{len(harmless):,} harmless: {_some(harmless)}" if harmless else ""),
        ("can be served", "yes" if model.servable else "no"),
        ("reason", model.reason),
    )
    _facts(out, facts)
    if model.refused:
        rows = [(one.full, "called" if one.called else "named", one.verdict, one.why) for one in model.refused]
        _table(out, ("opening it would import", "", "verdict", "why"), rows[:IMPORTS_SHOWN_MAX])
        if len(rows) > IMPORTS_SHOWN_MAX:
            _say(out, f"and {len(rows) - IMPORTS_SHOWN_MAX:,} more")
    for finding in model.findings:
        _say(out, _told(finding))


def _ports(ports: Sequence[Port]) -> str:
    shown = []
    for port in ports[:PORTS_SHOWN_MAX]:
        shape = f"[{', '.join(str(side) for side in port.shape)}]" if port.shape else ""
        shown.append(" ".join(part for part in (port.name, port.dtype if port.dtype != "class" else "", shape) if part))
    rest = f" and {len(ports) - len(shown):,} more" if len(ports) > len(shown) else ""
    return f"{len(ports):,}: {', '.join(shown)}{rest}" if ports else ""


def _some(words: Sequence[str]) -> str:
    rest = f" and {len(words) - PORTS_SHOWN_MAX:,} more" if len(words) > PORTS_SHOWN_MAX else ""
    return f"{', '.join(words[:PORTS_SHOWN_MAX])}{rest}"


def print_fetched(download: Download) -> None:
    """Print where `fetch` put the files."""
    out = _console(sys.stdout)
    origin = download.provenance
    _facts(
        out,
        (
            ("source", origin.source + (f", version {origin.version}" if origin.version else "")),
            ("title", origin.title),
            ("licence", _licence(origin.licence)),
            ("folder", str(download.root)),
        ),
    )
    _table(out, ("file", "size"), [(file.path, size(file.size_bytes)) for file in download.files])


def print_found(found: Sequence[Found], words: str) -> None:
    """Print what `search` found as a table."""
    out = _console(sys.stdout)
    if not found:
        _say(out, f"Kaggle finds nothing for `{words}`")
        return
    _table(
        out,
        ("name", "size", "licence", "usability", "votes", "updated", "often seen"),
        [
            (
                one.handle,
                "" if one.size_bytes is None else size(one.size_bytes),
                one.licence,
                "" if one.usability is None else f"{one.usability:.2f}",
                "" if one.votes is None else f"{one.votes:,}",
                one.updated,
                one.worn,
            )
            for one in found
        ],
    )
    _next(out, (f"kaggle2app inspect {shlex.quote(found[0].handle)}",))


def print_submitted(submitted: Submitted) -> None:
    """Print what became of a submission."""
    from toolkit.submission import RESULTS  # noqa: PLC0415 - for `submit` alone

    out = _console(sys.stdout)
    of_teams = f" of {submitted.teams:,}" if submitted.teams else ""
    facts = (
        ("competition", submitted.competition),
        ("answers", f"{submitted.rows:,} rows in {submitted.file.name}"),
        ("score", submitted.score or "not there yet"),
        ("private score", submitted.private_score),
        ("rank", f"{submitted.rank:,}{of_teams}" if submitted.rank else ""),
        ("kept in", RESULTS),
    )
    _facts(out, tuple((name, told) for name, told in facts if told))


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Print how things stand, one line each."""
    out = _console(sys.stdout)
    for one in diagnosis.examined:
        style = {"good": "green", "note": "yellow", "problem": "red"}[one.state]
        _say(out, f"{one.state}: {one.what}: {one.told}", style=style, lead=f"{one.state}:")
        if one.hint:
            _say(out, f"  {one.hint}")


def print_planned(plan: Plan, path: Path, files: Sequence[str], found: Sequence[Finding]) -> None:
    """Print what `new --dry-run` would decide and make."""
    out = _console(sys.stdout)
    _say(out, f"would make {path}", style="bold")
    _decided(out, plan)
    _worrying(out, found)
    _say(out, "")
    for name in _branches(files):
        _say(out, name)
    _say(out, "")
    _say(out, f"nothing was written: {len(files)} files without `--dry-run`")


def print_built(
    plan: Plan, built: Build, found: Sequence[Finding], seconds: dict[str, float], following: Sequence[str]
) -> None:
    """Print what `new` made: decisions with their reasons, the score beside the baseline, where it is, what next."""
    out = _console(sys.stdout)
    _decided(out, plan)
    _worrying(out, found)
    metrics = built.metrics
    score, guess = (metrics.get(name, {}).get(plan.metric, {}) for name in ("test", "baseline"))
    _say(out, "")
    _say(out, f"score: {_interval(plan.metric, score)}, a constant guess {_value(guess.get('value'))}", style="bold")
    if _no_better(score, guess, greater=bool(metrics.get("greater_is_better", True))):
        _say(out, "the model is no better than guessing: the columns may not hold the answer", style="bold yellow")
    rows = metrics.get("rows", {})
    why = f" ({metrics['why']})" if metrics.get("why") else ""
    _say(out, f"model: {metrics.get('chosen', '')}{why}, scored once on {rows.get('test', 0):,} held-out rows")
    tests = f", its {built.tests.passed} tests pass" if built.tests else ", its tests were not run"
    _say(out, f"project: {built.project.path} in {duration(sum(seconds.values()))}{tests}", style="bold")
    _next(out, following)


def print_wrapped(wrapped: Wrapped, built: Build | None, seconds: dict[str, float], following: Sequence[str]) -> None:
    """Print what a model file was taken for, how its served form was proven, where the project is, what next."""
    out = _console(sys.stdout)
    written = f", written by {wrapped.framework} {wrapped.written_by}" if wrapped.written_by else ""
    _say(out, f"file: {wrapped.file}, {size(wrapped.size_bytes)}{written}", style="bold")
    _say(out, f"model: {' -> '.join(wrapped.parts)}")
    columns = "column" if wrapped.columns == 1 else "columns"
    _say(out, f"answers: {wrapped.answers}, from {wrapped.columns} {columns}")
    _say(out, f"opened: in a cage ({', '.join(wrapped.layers)})")
    for told in wrapped.findings:
        _say(out, f"note: {told}", style="yellow")
    if built is None:
        _say(out, "nothing was written: leave out `--dry-run` to make the project")
        return
    proof = built.metrics["parity"]
    _say(out, "")
    _say(out, f"proof: {proof['rows']} drawn rows, largest difference from the original {proof['difference']:.1e}",
         style="bold")  # fmt: skip
    tests = f", its {built.tests.passed} tests pass" if built.tests else ", its tests were not run"
    _say(out, f"project: {built.project.path} in {duration(sum(seconds.values()))}{tests}", style="bold")
    _next(out, following)


def print_checked(report: CheckReport) -> None:
    """Print what each rule of `check` found, and how to mend it."""
    out = _console(sys.stdout)
    styles = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    for result in report.results:
        _say(out, f"{result.status:8}{result.code:11}{result.title}", style=styles[result.status])
        for problem in result.problems[:5]:
            _say(out, f"        {problem}")
        if len(result.problems) > 5:  # noqa: PLR2004 - the rest is in --json
            _say(out, f"        and {len(result.problems) - 5} more, see `--json`")
        if result.mend:
            _say(out, f"        why: {result.why}")
            _say(out, f"        mend: {result.mend}")
    done = sum(result.status == "passed" for result in report.results)
    _say(out, f"{done} of {len(report.results)} rules passed", style="bold")


def print_error(error: ToolkitError) -> None:
    """Print a failure and its hint on standard error."""
    out = _console(sys.stderr)
    _say(out, f"error: {error.message}", style="bold red", lead="error:")
    if error.hint:
        _say(out, f"hint: {error.hint}", style="bold", lead="hint:")


def print_note(text: str) -> None:
    """Print one line of talk on standard error."""
    _say(_console(sys.stderr), text)


def duration(seconds: float) -> str:
    """Return a time for people: ``0.4 s``, ``12 s``, ``3 min 20 s``."""
    if seconds < 10:  # noqa: PLR2004 - below ten a decimal matters
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Narrator:
    """Tell how a job goes on: a moving line on a terminal, one line a finished step elsewhere."""

    def __init__(self) -> None:
        self._out = _console(sys.stderr)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def started(self, step: str) -> None:
        """Begin a moving line when somebody watches."""
        if not is_watched(sys.stderr):
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - 30 ms

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[step]:9}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._out,
            transient=True,
        )
        self._task = self._progress.add_task("", step=step, total=None)
        self._progress.start()

    def said(self, step: str, line: str) -> None:  # noqa: ARG002 - a listener hears both
        """Show what the running step says."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=_short(line))

    def finished(self, step: str, seconds: float) -> None:
        """Leave one line a step."""
        self.close()
        _say(self._out, f"{step:9} {duration(seconds)}")

    def close(self) -> None:
        """Stop the moving line."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None


def is_watched(stream: TextIO) -> bool:
    """Return whether a person sees this stream on a terminal that can move the cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _console(stream: TextIO) -> Console:
    from rich.console import Console  # noqa: PLC0415 - 40 ms

    width = None if stream.isatty() else PIPE_COLUMNS
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False, width=width)


def _say(out: Console, line: str, *, style: str = "", lead: str = "") -> None:
    from rich.text import Text  # noqa: PLC0415 - comes with the console

    indent = line[: len(line) - len(line.lstrip())]
    shown = printable(line) if not style or lead else printable_keeping_gaps(line)
    text = Text(indent + shown if not style or lead else shown)
    if style:
        text.stylize(style, 0, len(lead) if lead else len(text))
    out.print(text, soft_wrap=True)


def _print(out: Console, table: Table) -> None:
    """Print a table; where nobody watches, without the blanks that fill its lines."""
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    for line in captured.get().splitlines():
        out.file.write(line.rstrip() + "\n")


def printable_keeping_gaps(line: str) -> str:
    """Return the line without control characters, its runs of blanks as they are."""
    return "".join(letter if letter == " " else printable(letter) for letter in line)


def _short(line: str) -> str:
    shown = printable(line)
    return shown if len(shown) <= LINE_CHARACTERS_MAX else shown[: LINE_CHARACTERS_MAX - 1] + "…"


def _facts(out: Console, facts: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - 10 ms
    from rich.text import Text  # noqa: PLC0415 - comes with the console

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(Text(name, style="dim"), Text(printable(value)))
    _print(out, grid)


def _table(out: Console, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - 10 ms
    from rich.text import Text  # noqa: PLC0415 - comes with the console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_short(cell)) for cell in row))
    out.print()
    _print(out, table)


def _decided(out: Console, plan: Plan) -> None:
    rows = [(decision.what, decision.choice, decision.why, decision.overrule) for decision in plan.decisions]
    rows += [(f"without {one.column}", one.reason.replace("_", " "), one.why, one.overrule) for one in plan.dropped]
    from rich.table import Table  # noqa: PLC0415 - 10 ms
    from rich.text import Text  # noqa: PLC0415 - comes with the console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("decided", "choice", "why", "to change it"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    _print(out, table)


def _with_why(choice: str, why: str) -> str:
    return f"{choice}: {why}" if why else choice


def _worrying(out: Console, found: Sequence[Finding]) -> None:
    """Print the findings that a person should look at; the others are in the data card."""
    for finding in found:
        if finding.severity != "note":
            _say(out, _told(finding), style="yellow", lead=f"{finding.severity}:")


def _told(finding: Finding) -> str:
    told = "; ".join(part for part in (finding.message, finding.action) if part)
    way = (
        f"{finding.overrule} overrules it" if finding.overrule.startswith("--") else f"to change it: {finding.overrule}"
    )
    flag = f" ({way})" if finding.overrule else ""
    return f"{finding.severity}: {told}{flag}"


def _no_better(score: dict[str, Any], guess: dict[str, Any], *, greater: bool) -> bool:
    got, least = score.get("value"), guess.get("value")
    if got is None or least is None:
        return False
    return bool(got <= least if greater else got >= least)


def _next(out: Console, commands: Sequence[str]) -> None:
    _say(out, "")
    _say(out, "next:", style="bold")
    for command in commands:
        _say(out, f"  {command}")


def _branches(files: Sequence[str]) -> list[str]:
    """Return the files as an indented tree."""
    lines: list[str] = []
    shown: tuple[str, ...] = ()
    for name in files:
        *folders, leaf = name.split("/")
        common = 0
        while common < min(len(shown), len(folders)) and shown[common] == folders[common]:
            common += 1
        lines += [f"{'  ' * depth}{folders[depth]}/" for depth in range(common, len(folders))]
        lines.append(f"{'  ' * len(folders)}{leaf}")
        shown = tuple(folders)
    return lines


def findings(contents: Contents, profile: Profile, task: Task) -> list[Finding]:
    """Return every finding once, those that may be wrong first."""
    found = [*contents.findings, *contents.main.findings, *profile.findings, *task.findings]
    once = list({(finding.code, finding.message): finding for finding in found}.values())
    order = {"unsure": 0, "warning": 1, "note": 2}
    return sorted(once, key=lambda finding: order[finding.severity])


def _licence(name: str) -> str:
    return f"{name} ({licence_in_words(name)})" if name else licence_in_words("")


def _interval(name: str, score: dict[str, Any]) -> str:
    low, high = score.get("low"), score.get("high")
    spread = f" (95 % interval {_value(low)} to {_value(high)})" if low is not None and high is not None else ""
    return f"{name} {_value(score.get('value'))}{spread}"


def _value(value: Any) -> str:
    return "unknown" if value is None else f"{value:.4g}"
