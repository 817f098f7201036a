"""The command line: parse, call the public functions, print, exit. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import atexit
import gc
import os
import shlex
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from toolkit.errors import AmbiguousError, ArtifactError, ProjectError, ToolkitError, UnservableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from toolkit.artifact import Artifact
    from toolkit.building import Build
    from toolkit.contents import Contents
    from toolkit.download import Download
    from toolkit.profile import Profile
    from toolkit.steps import Steps
    from toolkit.task import Task
    from toolkit.wrapping import Wishes

GUESSES_SHOWN_MAX = 5
YOUNG_OBJECTS_MAX = 50_000  # before they are gone through: what is imported stays, and is a hundred thousand
VERBS = frozenset({"new", "inspect", "fetch", "search", "submit", "doctor", "check"})
DEBUG = "KAGGLE2APP_DEBUG"  # set: show the traceback of a bug

# Plain help: rich_markup_mode would load rich, 60 ms, to draw boxes around it.
app = typer.Typer(
    name="kaggle2app",
    help="Turn something on Kaggle into a trained, tested, served application.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A Kaggle handle or page, `sample:iris`, or a file, folder or zip you have."),
]
Target = Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict. [default: the likeliest]")]
TableName = Annotated[
    str | None, typer.Option("--table", metavar="FILE", help="The table to learn from, if there are several.")
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--task", metavar="KIND", help="binary, multiclass or regression. [default: what the target asks for]"
    ),
]
Metric = Annotated[
    str | None, typer.Option(metavar="NAME", help="The score to choose the model by, e.g. roc_auc or mae.")
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="What to hold out: random, stratified, group:COLUMN or time:COLUMN. [default: as rows belong]",
    ),
]
As = Annotated[
    list[str] | None,
    typer.Option(
        "--as",
        metavar="COLUMN=KIND",
        help="Read a column as number, category, text, date, day-first, month-first or boolean; may be repeated.",
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=TEXT", help="Read a text or number of a column as no value, e.g. age=0; may be repeated."
    ),
]
NoMissing = Annotated[
    list[str] | None,
    typer.Option(
        "--no-missing",
        metavar="COLUMN=TEXT",
        help="Read as a value what is taken for a missing one; may be repeated.",
    ),
]
DropDuplicates = Annotated[
    bool, typer.Option("--drop-duplicates", help="Leave out rows that repeat an earlier one in every cell.")
]
Drop = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated.")]
Rows = Annotated[int | None, typer.Option(min=1, metavar="N", help="Use a draw of so many rows, not all that fit.")]
Keep = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Use a column all the same; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, on errors too.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use only what was fetched before.")]


@app.command()
def new(
    context: typer.Context,
    source: Source,
    *,
    into: Annotated[
        Path,
        typer.Option(metavar="DIR", show_default=False, help="The folder to make the project in. [default: this one]"),
    ] = Path(),
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The project's name. [default: the source's]")
    ] = None,
    author: Annotated[str, typer.Option(metavar="NAME", help="Who the licence names. [default: git's user.name]")] = "",
    target: Target = None,
    task: Kind = None,
    metric: Metric = None,
    table: TableName = None,
    split: Split = None,
    read_as: As = None,
    missing: Missing = None,
    no_missing: NoMissing = None,
    drop_duplicates: DropDuplicates = False,
    drop: Drop = None,
    keep: Keep = None,
    rows: Rows = None,
    model: Annotated[
        str | None, typer.Option(metavar="FILE", help="The model file to wrap, if there are several files.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Rows that a wrapped model is to answer: a file, or a data set."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="SIDES", help="Sides that a network leaves open: [INPUT=]224,224,3."),
    ] = None,
    pixels: Annotated[
        list[str] | None,
        typer.Option(metavar="RANGE", help="What it takes pixels as: 0..1, 0..255, -1..1, imagenet, caffe."),
    ] = None,
    labels: Annotated[
        str, typer.Option(metavar="NAMES", help="Names of its classes: a file, one a line, or names with commas.")
    ] = "",
    answer: Annotated[
        str, typer.Option(metavar="KIND", help="What its numbers are, if it does not tell: classes or numbers.")
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Open a model file whatever it imports: for files of your own.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=1, metavar="N", show_default=False, help="Time for comparing models. [default: 60]")
    ] = 60.0,
    offline: Offline = False,
    no_tests: Annotated[bool, typer.Option("--no-tests", help="Do not run the project's own tests.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show decisions and files, write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take the best guess and say so.")] = False,
    json: Json = False,
) -> None:
    """Make a tested project that serves a model: one trained on the data, or the model file itself."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.building import create  # noqa: PLC0415 - as above
    from toolkit.contract import network_wishes  # noqa: PLC0415 - as above
    from toolkit.models import companions, find_model  # noqa: PLC0415 - as above
    from toolkit.plan import draft  # noqa: PLC0415 - as above
    from toolkit.project import check_free, default_name, names, tree  # noqa: PLC0415 - as above
    from toolkit.schema import derive  # noqa: PLC0415 - as above
    from toolkit.wrapping import Wishes  # noqa: PLC0415 - as above

    network = network_wishes(shapes=shape or (), pixels=pixels or (), labels=labels, answer=answer)
    if name is not None:
        check_free(into.absolute() / names(name).slug)  # told before minutes of work
    with _progress() as steps:
        download = _fetch(source, offline=offline, steps=steps)
        found_model = find_model(download, wanted=model) if table is None else None
    if found_model is not None:
        wishes = Wishes(
            into=into,
            name=name or default_name(download.provenance),
            author=author or _git_author(),
            target=target or "",
            beside=companions(download, found_model),
            network=network,
            trust=trust,
            tests=not no_tests,
            offline=offline,
        )
        _wrap(download, found_model, wishes, rows=data, steps=steps, dry_run=dry_run, json=json)
        return
    with _progress(steps) as steps:
        contents, profile = _understand(
            download, _Reading(table, rows, read_as, missing, no_missing, drop_duplicates), steps
        )
        named = names(default_name(contents.provenance) if name is None else name)
        path = into.absolute() / named.slug
        check_free(path)
        with steps("infer"):
            asked = _infer(profile, contents, target=target, kind=task, metric=metric, split=split)
    if asked.target and not asked.sure and target is None:
        asked = _settle(
            asked, profile, contents, kind=task, metric=metric, split=split, yes=yes, as_json=json, typed=context.obj
        )
    with _progress(steps) as steps:
        with steps("plan"):
            origin = contents.provenance
            plan = draft(
                profile, asked, provenance=origin, seconds=seconds, drop=tuple(drop or ()), keep=tuple(keep or ())
            )
            schema = derive(profile, asked, plan)
        if dry_run:
            files = tree(named, contents)
        else:
            built = create(
                plan,
                schema,
                profile,
                contents,
                into=into,
                name=name,
                author=author or _git_author(),
                tests=not no_tests,
                steps=steps,
            )
    found = report.findings(contents, profile, asked)
    if dry_run:
        if json:
            report.print_json(report.planned_json(plan, path, named, files, found=found, seconds=steps.seconds))
        else:
            report.print_planned(plan, path, files, found)
        return
    following = _next_commands(built.project.path)
    if json:
        report.print_json(report.built_json(plan, built, found, steps.seconds, following))
    else:
        report.print_built(plan, built, found, steps.seconds, following)


@app.command()
def inspect(
    source: Source,
    *,
    target: Target = None,
    task: Kind = None,
    metric: Metric = None,
    table: TableName = None,
    split: Split = None,
    read_as: As = None,
    missing: Missing = None,
    no_missing: NoMissing = None,
    drop_duplicates: DropDuplicates = False,
    drop: Drop = None,
    keep: Keep = None,
    rows: Rows = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Show what the data holds and what could be predicted, or what a model file is; make nothing."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs

    if _inspect_models(source, offline=offline, as_json=json):
        return
    with _progress() as steps:
        download = _fetch(source, offline=offline, steps=steps, hashes=False)
        contents, profile = _understand(
            download, _Reading(table, rows, read_as, missing, no_missing, drop_duplicates), steps
        )
        with steps("infer"):
            asked = _infer(profile, contents, target=target, kind=task, metric=metric, split=split)
            if drop or keep:
                from toolkit.plan import asked_for  # noqa: PLC0415 - each command loads what it needs

                asked = asked_for(profile, asked, drop=drop or (), keep=keep or ())
    if json:
        report.print_json(report.inspected_json(contents, profile, asked))
    else:
        ask = _command("new", source, *(("--target", asked.target or "COLUMN") if target or not asked.sure else ()))
        ask += f" --rows {rows}" if rows is not None else ""
        report.print_inspected(contents, profile, asked, ask=ask)


@app.command()
def fetch(source: Source, *, offline: Offline = False, json: Json = False) -> None:
    """Bring the files of a source to this machine and say where they are."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.handle import Handle  # noqa: PLC0415 - as above
    from toolkit.source import fetch as bring  # noqa: PLC0415 - as above

    with _progress() as steps, steps("fetch"):
        download = bring(Handle.parse(source), offline=offline, progress=steps.say, hashes=False)
    if json:
        report.print_json(report.fetched_json(download))
    else:
        report.print_fetched(download)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What it shall be about.")],
    *,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="dataset, competition, model or notebook.", show_default=True)
    ] = "dataset",
    sort: Annotated[
        str, typer.Option(metavar="ORDER", help="relevance, votes, updated or hot.", show_default=True)
    ] = "relevance",
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Leave out what is larger, e.g. 500kB, 20MB or 1GB.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="How many to show.", show_default=True)] = 20,
    json: Json = False,
) -> None:
    """Look for something on Kaggle: how large, under which licence, how well kept, how often used."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.files import parse_size  # noqa: PLC0415 - as above
    from toolkit.search import search as look  # noqa: PLC0415 - as above

    asked = " ".join(words)
    most = None if max_size is None else parse_size(max_size)
    with _progress() as steps, steps("search"):
        found = look(asked, kind=kind, sort=sort, max_size_bytes=most, limit=limit)  # type: ignore[arg-type]
    if json:
        report.print_json({"words": asked, "kind": kind, "found": [one.to_json() for one in found]})
    else:
        report.print_found(found, asked)


@app.command()
def submit(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder of a generated project.")] = Path(),
    *,
    message: Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="What is new in this submission.")],
    competition: Annotated[
        str | None, typer.Option(metavar="SLUG", help="Which competition. [default: the one the data came from]")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answers that are there already. [default: the model's]")
    ] = None,
    json: Json = False,
) -> None:
    """Hand a project's answers in to its competition, wait for the score and keep it with the project."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.submission import submit as hand_in  # noqa: PLC0415 - as above

    with _progress() as steps, steps("submit"):
        submitted = hand_in(project, message=message, competition=competition, file=file, say=steps.say)
    if json:
        report.print_json(submitted.to_json())
    else:
        report.print_submitted(submitted)


@app.command()
def doctor(*, offline: Offline = False, json: Json = False) -> None:
    """Say whether this machine can do its part: credentials, the way to Kaggle, disk, versions."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.doctor import diagnose  # noqa: PLC0415 - as above

    with _progress() as steps, steps("doctor"):
        diagnosis = diagnose(offline=offline)
    if json:
        report.print_json(diagnosis.to_json())
    else:
        report.print_diagnosis(diagnosis)
    if diagnosis.exit_code:
        raise typer.Exit(diagnosis.exit_code)


@app.command()
def check(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder of a generated project.")] = Path(),
    *,
    json: Json = False,
) -> None:
    """Hold a generated project against the rules of good engineering; exit 1 when one fails."""
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.checks import check as judge  # noqa: PLC0415 - as above

    with _progress() as steps, steps("check"):
        found = judge(project, say=steps.say)
    if json:
        report.print_json(report.checked_json(found))
    else:
        report.print_checked(found)
    if not found.passed:
        raise typer.Exit(1)


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context,
    *,
    show: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    """Turn something on Kaggle into a trained, tested, served application."""
    if show:
        from importlib.metadata import version as installed  # noqa: PLC0415 - 20 ms

        typer.echo(f"kaggle2app {installed('kaggle2app')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a failure is one sentence and a hint, never a traceback."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    received: list[int] = []
    failure: ToolkitError | None = None
    code: object = 0
    gc.set_threshold(YOUNG_OBJECTS_MAX)
    atexit.register(gc.freeze)  # the process ends, and with it all that it holds: nothing is to be gone through
    try:
        with _interruptible(received):
            code = app(typed, standalone_mode=False, prog_name="kaggle2app", obj=typed)
            sys.stdout.flush()
    except BrokenPipeError:
        return _hang_up()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - the one broad catch: told, not thrown
        if isinstance(error, SystemExit):  # typer's answer to a reader that left
            return _hang_up() if error.code else 0
        failure = _explained(error, typed)
    if received:
        failure = _InterruptedError(128 + received[0])
    if failure is not None:
        return _tell(failure, as_json="--json" in typed)
    return code if isinstance(code, int) else 0


def _explained(error: BaseException, typed: Sequence[str]) -> ToolkitError:
    """Return any failure as one that can be told; what nobody foresaw is told as a bug of ours."""
    match error:
        case ToolkitError():
            return error
        case KeyboardInterrupt():
            return _InterruptedError(128 + signal.SIGINT)
        case Abort():
            return UsageError("no answer was given", hint="`--yes` takes the best guess without asking")
        case TyperException():
            told = error.format_message().rstrip(".")
            return UsageError(told[:1].lower() + told[1:], hint=_help_hint(typed))
        case MemoryError():
            hint = "close other programs, or take fewer rows"
            return ToolkitError("the memory of this machine is not enough", hint=hint)
        case OSError():
            where = f"`{error.filename}`" if error.filename else "a file"
            told = f"{where} cannot be used: {error.strerror or error}"
            return ProjectError(told, hint="look at its place, its permissions and the space on its disk")
        case _:
            return _bug(error, typed)


def _inspect_models(source: str, *, offline: bool, as_json: bool) -> bool:
    """Show the models that ``source`` names or holds, and return whether it did; nothing of them is opened.

    Raises ``UnservableError`` when one must not be opened, or none can be served.
    """
    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.artifact import look  # noqa: PLC0415 - as above
    from toolkit.model_search import holds_tables  # noqa: PLC0415 - as above

    with _progress() as steps:
        paths = _model_paths(source, offline=offline, steps=steps)
        if not paths:
            return False
        with steps("look"):
            looked, failure = [], None
            for path in paths:
                try:
                    looked.append(look(path))
                except ArtifactError as error:  # one of several may be no model at all
                    failure = failure or error
    if failure is not None and not looked:
        if holds_tables(paths[0].parent):
            return False  # what is called a model is none, and there is data
        raise failure
    bad = [model for model in looked if model.refused]
    if not bad and not any(model.servable for model in looked):
        bad = looked
    if not as_json:
        report.print_looked(looked, source)
    elif not bad:
        report.print_json(report.looked_json(looked, source))
    if bad:
        first = bad[0]
        message = f"`{first.name}` cannot be used: {first.reason}"
        models = tuple(model.to_json() for model in looked)
        raise UnservableError(message, hint=first.way or "ask for an ONNX file", models=models)
    return True


def _model_paths(source: str, *, offline: bool, steps: Steps) -> tuple[Path, ...]:
    """Return the model files that ``source`` names or holds, none when it is data."""
    from toolkit.files import is_archive  # noqa: PLC0415 - each command loads what it needs
    from toolkit.handle import Handle  # noqa: PLC0415 - as above
    from toolkit.model_search import holds_tables, is_model, may_hold_models, models_in  # noqa: PLC0415 - as above
    from toolkit.source import fetch as bring  # noqa: PLC0415 - as above

    handle = Handle.parse(source)
    path = Path(handle.path).expanduser() if handle.kind == "local" else None
    if path is not None:
        if is_model(path):
            return (path,)
        if path.is_dir():
            return () if holds_tables(path) else models_in(path)
        if not path.is_file() or not is_archive(path) or not may_hold_models(path):
            return ()
    elif handle.kind != "model":
        return ()
    with steps("fetch"):
        root = bring(handle, offline=offline, progress=steps.say).root
    return models_in(root) if handle.kind == "model" or not holds_tables(root) else ()


def _fetch(source: str, *, offline: bool, steps: Steps, hashes: bool = True) -> Download:
    from toolkit.handle import Handle  # noqa: PLC0415 - each command loads what it needs
    from toolkit.source import fetch as bring  # noqa: PLC0415 - as above

    handle = Handle.parse(source)
    with steps("fetch"):
        return bring(handle, offline=offline, progress=steps.say, hashes=hashes)


@dataclass(frozen=True)
class _Reading:
    """What a person wants of how the data is read."""

    table: str | None
    rows: int | None
    read_as: Sequence[str] | None
    missing: Sequence[str] | None
    no_missing: Sequence[str] | None
    drop_duplicates: bool


def _understand(download: Download, wanted: _Reading, steps: Steps) -> tuple[Contents, Profile]:
    from toolkit.contents import read, without_repeats  # noqa: PLC0415 - pandas, 0.3 s
    from toolkit.profile import describe  # noqa: PLC0415 - each command loads what it needs

    with steps("read"):
        contents = read(download, table=wanted.table, rows=wanted.rows)
        if wanted.drop_duplicates:
            contents = without_repeats(contents)
    with steps("describe"):
        profile = describe(
            contents, asked=wanted.read_as or (), missing=wanted.missing or (), values=wanted.no_missing or ()
        )
    return contents, profile


def _rows_of(source: str, folder: Path, *, offline: bool, steps: Steps) -> Path:
    """Return a file with the rows that a model is to answer, in ``folder`` where it must be made."""
    from toolkit.model_rows import as_csv, is_plain  # noqa: PLC0415 - each command loads what it needs

    path = Path(source).expanduser()
    if is_plain(path):
        return path
    download = _fetch(source, offline=offline, steps=steps)
    with steps("read"):
        return as_csv(download, folder)


def _wrap(
    download: Download,
    found: tuple[Path, Artifact],
    wishes: Wishes,
    *,
    rows: str | None,
    steps: Steps,
    dry_run: bool,
    json: bool,
) -> None:
    """Make the project of a model file and print it, or only what it would be; ``rows`` are what it is to answer."""
    from dataclasses import replace  # noqa: PLC0415 - 5 ms
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - 5 ms

    from toolkit import report  # noqa: PLC0415 - each command loads what it needs
    from toolkit.wrapping import read_model, wrap_file  # noqa: PLC0415 - as above

    with TemporaryDirectory(prefix="kaggle2app-") as folder, _progress(steps) as telling:
        built: Build | None = None
        if rows is not None:
            wishes = replace(wishes, data=_rows_of(rows, Path(folder), offline=wishes.offline, steps=telling))
        if dry_run:
            wrapped, _ = read_model(*found, wishes, steps=telling)
        else:
            wrapped, built = wrap_file(*found, wishes, provenance=download.provenance, steps=telling)
    following = () if built is None else _next_commands(built.project.path)
    if json:
        report.print_json(report.wrapped_json(wrapped, built, telling.seconds, following))
    else:
        report.print_wrapped(wrapped, built, telling.seconds, following)


def _infer(
    profile: Profile,
    contents: Contents,
    *,
    target: str | None,
    kind: Any,
    metric: str | None,
    split: str | None,
) -> Task:
    from toolkit.task import infer  # noqa: PLC0415 - each command loads what it needs

    return infer(profile, contents, target=target, kind=kind, metric=metric, split=split)


def _settle(
    asked: Task,
    profile: Profile,
    contents: Contents,
    *,
    kind: str | None,
    metric: str | None,
    split: str | None,
    yes: bool,
    as_json: bool,
    typed: Sequence[str],
) -> Task:
    """Return the task after asking the person, or by the best guess under ``--yes``; else raise ``AmbiguousError``."""
    from toolkit import report  # noqa: PLC0415 - rich, 40 ms

    targets = list(dict.fromkeys([asked.target, *(guess.target for guess in asked.alternatives)]))[:GUESSES_SHOWN_MAX]
    if yes:
        report.print_note(f"target: took the best guess `{asked.target}`; `--target COLUMN` changes it")
        return asked
    if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise _ambiguous(asked, profile, targets, typed)
    report.print_note("which column shall be predicted?")
    reasons = {guess.target: guess.reasons for guess in asked.alternatives} | {asked.target: asked.reasons}
    for number, column in enumerate(targets, start=1):
        report.print_note(f"  {number}  {column}  {'; '.join(reasons[column])}")
    number = typer.prompt("number", default="1", err=True)
    while not (number.isdigit() and 1 <= int(number) <= len(targets)) and number not in {
        c.name for c in profile.columns
    }:
        number = typer.prompt(f"a number from 1 to {len(targets)}, or a column's name", default="1", err=True)
    chosen = targets[int(number) - 1] if number.isdigit() and int(number) <= len(targets) else number
    return _infer(profile, contents, target=chosen, kind=kind, metric=metric, split=split)


def _ambiguous(asked: Task, profile: Profile, targets: Sequence[str], typed: Sequence[str]) -> AmbiguousError:
    best = {"target": asked.target, "kind": asked.kind, "score": asked.score, "reasons": list(asked.reasons)}
    rest = [guess.to_json() for guess in asked.alternatives if guess.target != asked.target]
    columns = " or ".join(f"`{column}`" for column in targets[:3])
    message = f"it is not clear what to predict in `{profile.table}`: {columns}"
    command = _command(*typed, "--target", asked.target)
    choices = tuple([best, *rest][:GUESSES_SHOWN_MAX])
    return AmbiguousError(message, hint=f"name the column: {command}", choices=choices)


def _next_commands(path: Path) -> tuple[str, ...]:
    shown = os.path.relpath(path)
    folder = shown if not shown.startswith("..") else str(path)
    return (f"cd {shlex.quote(folder)}", "make serve", "kaggle2app check .")


def _command(*words: str) -> str:
    return shlex.join(["kaggle2app", *words])


def _git_author() -> str:
    """Return the name that git signs commits with; empty when there is none."""
    import subprocess  # noqa: PLC0415 - 10 ms, only for `new`

    try:
        told = subprocess.run(
            ["git", "config", "user.name"],  # noqa: S607 - whichever git the person uses
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()


@contextmanager
def _progress(steps: Steps | None = None) -> Iterator[Steps]:
    """Give steps that are told on stderr; seconds of earlier ``steps`` are kept."""
    from toolkit.report import Narrator  # noqa: PLC0415 - each command loads what it needs
    from toolkit.steps import Steps as Measured  # noqa: PLC0415 - as above

    listener = Narrator()
    measured = Measured(listener)
    if steps is not None:
        measured.seconds.update(steps.seconds)
    try:
        yield measured
    finally:
        listener.close()


@contextmanager
def _interruptible(received: list[int]) -> Iterator[None]:
    """Turn the first request to end into ``KeyboardInterrupt`` and ignore the rest: cleaning up is not cut short.

    ``received`` holds the signal's number once it came.
    """

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        for name in signals:
            signal.signal(name, signal.SIG_IGN)
        received.append(number)
        raise _Interruption

    signals = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    try:
        before = {name: signal.signal(name, end) for name in signals}
    except ValueError:  # not the main thread: whoever called handles signals
        yield
        return
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


class _Interruption(KeyboardInterrupt):
    """A request to end. CPython ends by the signal once a bare ``KeyboardInterrupt`` crossed ``exec``, caught or not.

    An import often is in one (a dataclass is made so), and the exit code would then depend on the moment.
    """


class _InterruptedError(ToolkitError):
    """Somebody ended the command."""

    def __init__(self, code: int) -> None:
        super().__init__("interrupted; nothing half-made was left behind", hint="run the same command to start again")
        self.exit_code = code

    @property
    def code(self) -> str:
        """Return the kind of failure without the private name."""
        return "Interrupted"


def _bug(error: BaseException, typed: Sequence[str]) -> ToolkitError:
    if os.environ.get(DEBUG):
        import traceback  # noqa: PLC0415 - for a bug only

        traceback.print_exception(error)
    told = (str(error).splitlines() or [""])[0]
    message = f"this is a bug of kaggle2app: {type(error).__name__}{f': {told}' if told else ''}"
    return ToolkitError(message, hint=f"report it with the output of: {DEBUG}=1 {_command(*typed)}")


def _tell(error: ToolkitError, *, as_json: bool) -> int:
    from toolkit import report  # noqa: PLC0415 - rich, 40 ms

    try:
        if as_json:
            report.print_json(error.to_json())
            sys.stdout.flush()
        report.print_error(error)
    except BrokenPipeError:
        _hang_up()
    return error.exit_code


def _hang_up() -> int:
    """Say nothing more: whoever read our output has gone."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    return 1


def _help_hint(typed: Sequence[str]) -> str:
    verbs = [word for word in typed if word in VERBS]
    return f"`{_command(*verbs[:1], '--help')}` lists what can be asked"
