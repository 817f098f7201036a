"""The way back: a project's answers are handed in to its competition, and the score is kept with the project."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.building import run
from toolkit.credentials import CREATE_HINT, find
from toolkit.errors import AccessError, BuildError, DataError, ProjectError, UsageError
from toolkit.files import write_atomic
from toolkit.handle import Handle
from toolkit.kaggle_api import PASSING, TEXT_MAX, Kaggle, network_error, retry_after, rules_error
from toolkit.project import SAMPLE_SUBMISSION, Project
from toolkit.records import Record
from toolkit.refusals import CredentialsError, NetworkError, NotFoundError, RateLimitError, ServerError
from toolkit.transfer import EXPIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEST = "data/test.csv"
SUBMISSION = "submission.csv"
RESULTS = "reports/submissions.csv"
MESSAGE_CHARACTERS_MAX = 500
WAITED_SECONDS_MAX = 900.0
LEADERBOARD_PAGES_MAX = 100
COLUMNS_SHOWN_MAX = 12
SCORED_BY_PROBABILITY = frozenset({"roc_auc", "average_precision", "log_loss", "brier"})
NO_NUMBERS = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "null", "none", "na"})
NO_REASON = "it does not say why"


@dataclass(frozen=True)
class Submitted(Record):
    """What became of one submission; an empty score means that Kaggle has not said yet, rank 0 that nobody knows."""

    competition: str
    file: Path
    rows: int
    reference: int
    status: str
    score: str = ""
    private_score: str = ""
    rank: int = 0
    teams: int = 0
    message: str = ""
    model: str = ""
    submitted_at: str = ""


def submit(
    path: Path,
    *,
    message: str,
    competition: str | None = None,
    file: Path | None = None,
    kaggle: Kaggle | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Submitted:
    """Return the score of the project's answers, handed in to its competition and added to ``reports/submissions.csv``.

    The project answers ``data/test.csv`` itself, in the form of the sample, unless ``file`` holds the answers. Nothing
    is uploaded before rules, limits and the file's form are known to be right.
    """
    project = Project.open(path.resolve())
    handle = _competition(project, competition)
    described = " ".join(message.split())
    if not described or len(described) > MESSAGE_CHARACTERS_MAX:
        wrong = f"a submission's message has 1 to {MESSAGE_CHARACTERS_MAX} characters, this one {len(described)}"
        raise UsageError(wrong, hint="say what is new: `--message TEXT`")
    if kaggle is None:
        kaggle = Kaggle(find(), say=say)
    _may_submit(kaggle, handle)
    answers = _answered(project, say) if file is None else file
    chances = _of_metrics(project, "metric") in SCORED_BY_PROBABILITY
    rows = _checked(answers, project.path / SAMPLE_SUBMISSION, keys_in=project.path / TEST, chances=chances)
    reference = _handed_in(kaggle, handle, answers, described, say)
    submitted = Submitted(
        competition=handle.slug,
        file=answers,
        rows=rows,
        reference=reference,
        status="pending",
        message=described,
        model=_of_metrics(project, "model"),
        submitted_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _keep(project, submitted)  # whatever comes now, it has been handed in
    told = _scored(kaggle, reference, handle, say)
    team, score, private = (_text(told, name) for name in ("team_name", "public_score", "private_score"))
    rank, teams = _rank(kaggle, handle, team) if score else (0, 0)
    submitted = dataclasses.replace(
        submitted, status=_status(told), score=score, private_score=private, rank=rank, teams=teams
    )
    _keep(project, submitted)
    if submitted.status == "error":
        failed = f"Kaggle could not score the submission to `{handle}`: {_text(told, 'error_description') or NO_REASON}"
        raise DataError(failed, hint=f"compare {answers.name} with {SAMPLE_SUBMISSION}")
    return submitted


def _competition(project: Project, named: str | None) -> Handle:
    """Return the competition that was named, else the one that the project's data came from."""
    if named is not None:
        handle = Handle.parse(named if ":" in named else f"competition:{named}")
        if handle.kind != "competition":
            wrong = f"`{named}` is a {handle.kind}, and only a competition takes submissions"
            raise UsageError(wrong, hint="name it as in its address: `--competition SLUG`")
        return handle
    try:
        origin = json.loads((project.path / "model" / "provenance.json").read_text(encoding="utf-8"))
        source, kind = str(origin.get("source", "")), origin.get("kind")
    except (OSError, ValueError, AttributeError):
        source, kind = "", None
    if kind != "competition":
        wrong = f"the data of `{project.path.name}` does not come from a competition"
        raise ProjectError(wrong, hint="name the competition with `--competition SLUG`")
    return Handle.parse(source)


def _may_submit(kaggle: Kaggle, handle: Handle) -> None:
    if kaggle.credentials.anonymous:
        wrong = f"Kaggle takes submissions only from who signs in, and there are {kaggle.credentials.source}"
        raise CredentialsError(wrong, hint=CREATE_HINT)
    told = kaggle.ask("competitions", "get_competition", about=handle, competition_name=handle.slug)
    if "userHasEntered" in kaggle.answered and not told.user_has_entered:
        raise rules_error(handle)
    if getattr(told, "is_kernels_submissions_only", False):
        wrong = f"`{handle}` takes notebooks alone, no files"
        raise AccessError(wrong, hint=f"hand in a notebook at {handle.page}")
    if getattr(told, "submissions_disabled", False):
        wrong = f"`{handle}` takes no submissions any more"
        raise AccessError(wrong, hint=f"see {handle.page}")
    try:
        limits = kaggle.ask(
            "competitions", "get_submission_limits", patience=kaggle.patience.hurried, competition_name=handle.slug
        )
    except AccessError:
        return  # then Kaggle says so when it takes the file
    allowed, today = getattr(limits, "num_allowed_now", None), getattr(limits, "num_today", 0)
    if allowed == 0 and (today or getattr(limits, "limited_by_total", False)):
        wrong = f"`{handle}` takes no more submissions today: {today} were handed in"
        raise RateLimitError(wrong, hint="the count begins anew at midnight UTC")


def _answered(project: Project, say: Callable[[str], None]) -> Path:
    for name in (TEST, SAMPLE_SUBMISSION):
        if not (project.path / name).exists():
            wrong = f"the project has no `{name}`, which says what to answer"
            raise ProjectError(
                wrong, hint="make it again with `kaggle2app new competition:SLUG`, or give `--file FILE`"
            )
    command = [sys.executable, "-m", project.package, "predict", TEST, "--output", SUBMISSION]
    ran = run(project, command, say=say)
    if ran.code:
        told = next((line for line in reversed(ran.lines) if line.strip()), NO_REASON).strip()
        wrong = f"the project could not answer `{TEST}`: {told.removeprefix('error: ')}"
        raise BuildError(wrong, hint=f"run it there: `{project.slug} predict {TEST} --output {SUBMISSION}`")
    return project.path / SUBMISSION


def _checked(answers: Path, sample: Path, *, keys_in: Path, chances: bool = False) -> int:
    """Return the number of answers after holding them against the sample: columns, rows, their order, types, no gaps.

    The columns of the sample that the table ``keys_in`` has as well name the row; they must be the sample's own. With
    ``chances`` a probability may stand where the sample has a word.
    """
    hint = f"the form is that of {SAMPLE_SUBMISSION}"
    try:
        given, asked = _rows(answers), _rows(sample) if sample.exists() else None
        head = next(given, [])
        wanted = next(asked, []) if asked else head
        if not head or head != wanted:
            wrong = f"`{answers.name}` has the columns {_list(head)}, expected {_list(wanted)}"
            raise DataError(wrong, hint=hint)
        named = next(_rows(keys_in), []) if keys_in.exists() else []
        keys = frozenset(place for place, name in enumerate(head) if name in named) or frozenset({0})
        count = 0
        for count, row in enumerate(given, start=1):
            model = next(asked, None) if asked else row
            if model is None:
                wrong = f"`{answers.name}` has more rows than the sample's {count - 1:,}"
                raise DataError(wrong, hint=hint)
            why = _wrong(row, model, head, keys, chances=chances)
            if why:
                wrong = f"row {count:,} of `{answers.name}` {why}"
                raise DataError(wrong, hint=hint)
        if asked and next(asked, None) is not None:
            wrong = f"`{answers.name}` ends after {count:,} rows, the sample goes on"
            raise DataError(wrong, hint=hint)
        if not count:
            wrong = f"`{answers.name}` holds no answer"
            raise DataError(wrong, hint=hint)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        wrong = f"`{answers}` cannot be read: {getattr(error, 'strerror', None) or error}"
        raise DataError(wrong, hint=hint) from error
    return count


def _wrong(row: list[str], model: list[str], head: list[str], keys: frozenset[int], *, chances: bool) -> str:
    """Return what is wrong with one row, beside the sample's row; empty when nothing is."""
    if len(row) != len(head):
        return f"has {len(row)} cells, expected {len(head)}"
    for place, (cell, example, name) in enumerate(zip_longest(row, model[: len(head)], head, fillvalue="")):
        if place in keys and cell != example:
            return f"has `{cell[:40]}` in `{name}`, expected `{example[:40]}`"
        if place in keys:
            continue
        number, expected = _is_number(cell), _is_number(example)
        if cell.strip() == "" or (expected and cell.strip().lower() in NO_NUMBERS):
            return f"has a gap in `{name}`"
        if expected and not number:
            return f"has `{cell[:40]}` in `{name}`, expected a number such as {example[:40]}"
        chance = chances and number and 0 <= float(cell) <= 1
        if number and not expected and example.strip() and not chance:
            return f"has the number {cell[:40]} in `{name}`, expected a word such as `{example[:40]}`"
    return ""


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:COLUMNS_SHOWN_MAX])
    return f"{shown} and {len(names) - COLUMNS_SHOWN_MAX} more" if len(names) > COLUMNS_SHOWN_MAX else shown or "none"


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from (row for row in csv.reader(stream) if row)


def _handed_in(kaggle: Kaggle, handle: Handle, answers: Path, message: str, say: Callable[[str], None]) -> int:
    """Return the submission's number after uploading the file; it is handed in once, even when the answer is lost."""
    say(f"uploading {answers.name}")
    token = _uploaded(kaggle, handle, answers, say)
    before = {_whole(entry, "ref") for entry in _listed(kaggle, handle)}
    lost: AccessError | None = None
    said = ""
    try:
        taken = kaggle.ask(
            "competitions",
            "create_submission",
            about=handle,
            patience=dataclasses.replace(kaggle.patience, tries=1),  # a second try might hand it in twice
            competition_name=handle.slug,
            blob_file_tokens=token,
            submission_description=message,
        )
        said = _text(taken, "message")
        reference = _whole(taken, "ref")
        if reference:
            return reference
    except (NetworkError, ServerError) as error:
        lost = error
    new = [entry for entry in _listed(kaggle, handle) if _whole(entry, "ref") not in {0, *before}]
    mine = [entry for entry in new if _text(entry, "description") == message]
    if mine:
        return _whole(mine[0], "ref")
    if lost is not None:
        raise lost
    wrong = f"Kaggle did not take the submission to `{handle}`{f': {said}' if said else ''}"
    raise AccessError(wrong, hint=f"see {handle.page}/submissions")


def _listed(kaggle: Kaggle, handle: Handle) -> list[Any]:
    """Return the person's last submissions, the newest first; none when Kaggle does not say."""
    try:
        told = kaggle.ask("competitions", "list_submissions", about=handle, competition_name=handle.slug, page=1)
    except AccessError:
        return []
    return list(getattr(told, "submissions", None) or ())


def _uploaded(kaggle: Kaggle, handle: Handle, answers: Path, say: Callable[[str], None]) -> str:
    """Return the token of the uploaded file; each try asks for an address of its own, since old ones expire."""
    import requests  # noqa: PLC0415 - 40 ms

    patience, state, attempt = kaggle.patience, answers.stat(), 0
    while True:
        attempt += 1
        place = kaggle.ask(
            "competitions",
            "start_submission_upload",
            about=handle,
            competition_name=handle.slug,
            content_length=state.st_size,
            last_modified_epoch_seconds=int(state.st_mtime),
            file_name=answers.name,
        )
        after = 0.0
        try:
            with answers.open("rb") as stream, requests.Session() as session:
                session.auth = _unsigned
                limits = (patience.connect_seconds, patience.read_seconds)
                with session.put(str(place.create_url), data=stream, timeout=limits) as answer:
                    if answer.status_code in {200, 201, 204}:
                        return str(place.token)
                    after = retry_after(answer) or 0.0
                    wrong = f"Kaggle's storage did not take `{answers.name}` (answer {answer.status_code})"
                    told: AccessError = ServerError(wrong, hint="wait some minutes, then run the same command again")
                    if answer.status_code not in PASSING | EXPIRED | {308}:  # 308: a part of it came
                        raise told
        except requests.RequestException as error:
            told = network_error(error, "Kaggle's storage")
        if attempt >= patience.tries or after > patience.retry_after_max_seconds:
            raise told from None
        say(f"{told.message}; trying again")
        patience.sleep(max(after, patience.before(attempt)))


def _unsigned(request: Any) -> Any:
    return request  # the address is signed; a password for its host stays here


def _scored(kaggle: Kaggle, reference: int, handle: Handle, say: Callable[[str], None]) -> Any:
    """Return what Kaggle says of the submission, once it has a score or after ``WAITED_SECONDS_MAX``."""
    waited, pause, told = 0.0, 1.0, None
    while True:
        try:
            told = kaggle.ask("competitions", "get_submission", about=handle, ref=reference)
        except NotFoundError:  # Kaggle knows of a new submission only after a moment
            told = next((entry for entry in _listed(kaggle, handle) if _whole(entry, "ref") == reference), told)
        except (NetworkError, ServerError, RateLimitError) as error:
            if waited >= WAITED_SECONDS_MAX:
                raise
            say(f"{error.message}; the submission was handed in, asking again")
        if told is not None and _status(told) != "pending":
            return told
        if waited >= WAITED_SECONDS_MAX:
            return told
        say(f"waiting for the score, {waited:.0f} s so far")
        kaggle.patience.sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, 20.0)


def _status(told: Any) -> str:
    """Return ``pending``, ``complete`` or ``error``."""
    status = getattr(told, "status", None)
    name = str(getattr(status, "name", status) or "").lower().rpartition("_")[2]
    return name if name in {"complete", "error"} else "pending"


def _rank(kaggle: Kaggle, handle: Handle, team: str) -> tuple[int, int]:
    """Return the team's place on the public leaderboard and how many teams are on it; 0 when nobody says."""
    place, teams, token = 0, 0, ""
    try:
        for _ in range(LEADERBOARD_PAGES_MAX if team else 0):
            answer = kaggle.ask(
                "competitions",
                "get_leaderboard",
                patience=kaggle.patience.hurried,
                competition_name=handle.slug,
                page_size=200,
                page_token=token or None,
            )
            for entry in getattr(answer, "submissions", None) or ():
                teams += 1
                if not place and getattr(entry, "team_name", "") == team:
                    place = teams
            token = getattr(answer, "next_page_token", "") or ""
            if not token:
                break
        if place:
            return place, 0 if token else teams
        told = kaggle.ask(
            "competitions", "get_competition", patience=kaggle.patience.hurried, competition_name=handle.slug
        )
    except AccessError:
        return place, 0
    return _whole(told, "user_rank"), _whole(told, "team_count")


def _of_metrics(project: Project, name: str) -> str:
    """Return what ``train`` has written down of its work."""
    try:
        return str(json.loads((project.path / "model" / "metrics.json").read_text(encoding="utf-8")).get(name, ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _keep(project: Project, submitted: Submitted) -> None:
    """Put a line for this submission into the project's table of them, in place of its earlier one."""
    values = {name: value for name, value in submitted.to_json().items() if name != "file"}
    path = project.path / RESULTS
    before = list(_rows(path)) if path.exists() else []
    head = before[0] if before else list(values)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    place = head.index("reference") if "reference" in head else None
    earlier = [row for row in before[1:] if place is None or row[place : place + 1] != [str(submitted.reference)]]
    writer.writerows([head, *earlier, [_cell(values.get(name, "")) for name in head]])
    write_atomic(path, out.getvalue())


def _whole(told: Any, name: str) -> int:
    """Return a number of Kaggle's, 0 where it gives none."""
    value: Any = getattr(told, name, None)
    return int(value) if isinstance(value, int) or str(value or "").isdecimal() else 0


def _text(told: Any, name: str) -> str:
    """Return a text of Kaggle's as one line."""
    return " ".join(str(getattr(told, name, "") or "").split())[:TEXT_MAX]


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet runs as a formula; a negative score stays a number."""
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
