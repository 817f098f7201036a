"""The way back: answers are handed in once, in the sample's form, and their score is kept with the project."""

from __future__ import annotations

import csv
import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kaggle_stub import Fault, Stub
from kaggle_stub.answers import TOKEN

from toolkit import refusals
from toolkit.cli import main
from toolkit.credentials import find
from toolkit.errors import AccessError, DataError, ProjectError, ToolkitError, UsageError
from toolkit.kaggle_api import Kaggle, Patience
from toolkit.submission import RESULTS, Submitted, submit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome

TRAINED, ASKED = 300, 40
LEADERBOARD = [
    {"teamId": place, "teamName": name, "score": "0.8"} for place, name in enumerate(["anna", "stubuser", "x"])
]


def harbour() -> dict[str, bytes]:
    """Return a competition's files: which ship comes late."""
    pick = random.Random(7)  # noqa: S311 - ships, no secrets
    rows = []
    for number in range(TRAINED + ASKED):
        length, cargo = pick.randint(20, 300), pick.choice(["grain", "ore", "cars"])
        late = length > 160 or (cargo == "ore" and pick.random() < 0.7)
        rows.append((f"ship_{number:04}", str(length), cargo, str(late)))
    train, test = rows[:TRAINED], rows[TRAINED:]
    return {
        "train.csv": _table("ship,length,cargo,late", train),
        "test.csv": _table("ship,length,cargo", [row[:3] for row in test]),
        "sample_submission.csv": _table("ship,late", [(row[0], "False") for row in test]),
    }


def _table(head: str, rows: Any) -> bytes:
    return "\n".join([head, *(",".join(row) for row in rows), ""]).encode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """One project made from a competition by `kaggle2app new`; do not change it."""
    into = tmp_path_factory.mktemp("competition")
    with pytest.MonkeyPatch.context() as patch, Stub() as stub:
        for name, value in (("HOME", home), ("KAGGLE2APP_CACHE", into / "cache"), ("KAGGLE_API_TOKEN", TOKEN)):
            patch.setenv(name, str(value))
        stub.lead(patch)
        stub.add_competition("harbour", harbour(), title="Harbour", evaluationMetric="Categorization Accuracy")
        code = main(["new", "competition:harbour", "--into", str(into), "--yes", "--no-tests", "--seconds", "5"])
    assert code == 0
    return into / "harbour"


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of the project, free to change."""
    return Path(shutil.copytree(made, tmp_path / "harbour"))


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stub]:
    """A Kaggle on loopback with the competition; the person has a token."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    with Stub() as stub:
        stub.lead(monkeypatch)
        thing = stub.add_competition("harbour", harbour(), title="Harbour", evaluationMetric="Categorization Accuracy")
        thing.extra["leaderboard"] = LEADERBOARD
        yield stub


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Answers in the right form."""
    path = tmp_path / "mine.csv"
    path.write_bytes(harbour()["sample_submission.csv"].replace(b"False", b"True"))
    return path


def hand_in(project: Path, file: Path, *, said: list[str] | None = None, message: str = "first try") -> Submitted:
    told = [] if said is None else said
    conversation = Kaggle(find(), Patience(connect_seconds=60, read_seconds=60, sleep=lambda _: None), told.append)
    return submit(project, message=message, file=file, kaggle=conversation, say=told.append)


def results(project: Path) -> list[dict[str, str]]:
    with (project / RESULTS).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# What goes well


def test_the_models_own_answers_are_handed_in_and_scored(
    kaggle: Stub, project: Path, kaggle2app: Callable[..., Outcome]
) -> None:
    done = kaggle2app("submit", project, "--message", "the first", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["competition"], told["rows"], told["status"], told["score"]) == (
        "harbour",
        ASKED,
        "complete",
        "0.77511",
    )
    assert (told["rank"], told["teams"]) == (2, 3)
    (uploaded,) = kaggle.uploads.values()
    assert uploaded == (project / "submission.csv").read_bytes()
    rows = [line.split(",") for line in uploaded.decode().splitlines()]
    wanted = [line.split(",") for line in harbour()["sample_submission.csv"].decode().splitlines()]
    assert [row[0] for row in rows] == [row[0] for row in wanted]
    assert {row[1] for row in rows[1:]} == {"True", "False"}
    assert kaggle.submissions[0]["description"] == "the first"
    (kept,) = results(project)
    assert (kept["score"], kept["rank"], kept["message"]) == ("0.77511", "2", "the first")
    assert kept["model"] == json.loads((project / "model" / "metrics.json").read_text())["model"]


def test_people_read_score_and_rank(
    kaggle: Stub, project: Path, answers: Path, kaggle2app: Callable[..., Outcome]
) -> None:
    kaggle.pending = 0
    done = kaggle2app("submit", project, "--message", "again", "--file", answers)
    assert done.code == 0, done.err
    assert "0.77511" in done.out
    assert "2 of 3" in done.out
    assert RESULTS in done.out


def test_the_score_is_waited_for_with_progress(kaggle: Stub, project: Path, answers: Path) -> None:
    kaggle.pending = 3
    said: list[str] = []
    assert hand_in(project, answers, said=said).score == "0.77511"
    assert sum("waiting for the score" in line for line in said) == 3


def test_every_submission_is_a_line_of_the_results(kaggle: Stub, project: Path, answers: Path) -> None:
    hand_in(project, answers, message="one")
    kaggle.outcome = {"status": "COMPLETE", "publicScore": "-0.5"}
    hand_in(project, answers, message="=1+1")
    assert [(row["message"], row["score"]) for row in results(project)] == [("one", "0.77511"), ("'=1+1", "-0.5")]


def test_another_competition_can_be_named(kaggle: Stub, project: Path, answers: Path) -> None:
    kaggle.add_competition("port", harbour())
    conversation = Kaggle(find(), Patience(sleep=lambda _: None))
    for named in ("port", "competition:port", "https://www.kaggle.com/competitions/port/overview"):
        done = submit(project, message="m", file=answers, kaggle=conversation, competition=named)
        assert done.competition == "port"
    with pytest.raises(UsageError, match="only a competition"):
        submit(project, message="m", file=answers, kaggle=conversation, competition="dataset:ann/weather")


def test_the_rank_comes_from_the_competition_where_the_board_does_not_show_the_team(
    kaggle: Stub, project: Path, answers: Path
) -> None:
    thing = kaggle.competitions["harbour"]
    thing.extra["leaderboard"] = []
    thing.meta.update(userRank=7, teamCount=90)
    done = hand_in(project, answers)
    assert (done.rank, done.teams) == (7, 90)


def test_a_board_of_many_pages_is_read_to_the_end(kaggle: Stub, project: Path, answers: Path) -> None:
    others = [{"teamId": number, "teamName": f"team {number}", "score": "1"} for number in range(450)]
    kaggle.competitions["harbour"].extra["leaderboard"] = [*others, LEADERBOARD[1]]
    done = hand_in(project, answers)
    assert (done.rank, done.teams) == (451, 451)


# What Kaggle refuses


@pytest.mark.parametrize(
    ("meta", "limits", "refusal"),
    [
        ({"userHasEntered": False}, {}, ("RulesError", "rules of `competition:harbour`")),
        ({"isKernelsSubmissionsOnly": True}, {}, ("AccessError", "notebooks alone")),
        ({"submissionsDisabled": True}, {}, ("AccessError", "no submissions any more")),
        ({}, {"numToday": 5, "numAllowedNow": 0}, ("RateLimitError", "no more submissions today: 5")),
    ],
)
def test_what_may_not_be_handed_in_is_told_before_anything_is_uploaded(
    kaggle: Stub,
    project: Path,
    answers: Path,
    *,
    meta: dict[str, Any],
    limits: dict[str, Any],
    refusal: tuple[str, str],
) -> None:
    kind, words = refusal
    kaggle.competitions["harbour"].meta.update(meta)
    kaggle.limits = limits
    with pytest.raises(AccessError, match=words) as caught:
        hand_in(project, answers)
    assert (caught.value.code, caught.value.exit_code) == (kind, 3)
    assert caught.value.hint
    assert kaggle.calls("storage") == []
    assert not (project / RESULTS).exists()


def test_a_competition_that_does_not_say_who_entered_takes_answers(kaggle: Stub, project: Path, answers: Path) -> None:
    thing = kaggle.competitions["harbour"]
    del thing.meta["userHasEntered"]
    thing.extra["open"] = True
    assert hand_in(project, answers).status == "complete"


def test_who_is_not_signed_in_is_told_how(
    kaggle: Stub, project: Path, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(refusals.CredentialsError) as caught:
        hand_in(project, answers)
    assert "KAGGLE_API_TOKEN" in caught.value.hint
    assert kaggle.submissions == []


def test_a_file_that_kaggle_cannot_score_is_told_and_kept(kaggle: Stub, project: Path, answers: Path) -> None:
    kaggle.outcome = {"status": "ERROR", "errorDescription": "Evaluation\nexception: ids"}
    with pytest.raises(DataError, match="Evaluation exception: ids") as caught:
        hand_in(project, answers)
    assert caught.value.exit_code == 4
    assert [row["status"] for row in results(project)] == ["error"]


def test_a_score_that_does_not_come_is_told_as_pending(kaggle: Stub, project: Path, answers: Path) -> None:
    kaggle.pending = 10_000
    done = hand_in(project, answers)
    assert (done.status, done.score, done.rank) == ("pending", "", 0)
    assert [row["status"] for row in results(project)] == ["pending"]


# What goes wrong on the way


@pytest.mark.parametrize(
    "faults",
    [
        {"upload": [Fault("hang-up"), Fault("status", 503)]},
        {"upload": [Fault("status", 403)]},
        {"upload": [Fault("status", 308, headers={"Range": "bytes=0-99"})]},
        {"upload": [Fault("status", 429, headers={"Retry-After": "3"})]},
        {"StartSubmissionUpload": [Fault("status", 500), Fault("status", 429)]},
        {"GetSubmission": [Fault("status", 404), Fault("status", 500), Fault("hang-up")]},
        {"GetSubmission": [Fault("status", 404)] * 99},
        {"GetSubmissionLimits": [Fault("status", 500)]},
        {"CreateSubmission": [Fault("lost")]},
        {"CreateSubmission": [Fault("unnumbered")]},
    ],
    ids=lambda faults: f"{next(iter(faults))} {next(iter(faults.values()))[0].kind}",
)
def test_trouble_that_passes_does_not_hand_in_twice(
    kaggle: Stub, project: Path, answers: Path, faults: dict[str, list[Fault]]
) -> None:
    kaggle.faults.update(faults)
    done = hand_in(project, answers)
    assert (done.status, done.score) == ("complete", "0.77511")
    assert len(kaggle.submissions) == 1
    assert [row["reference"] for row in results(project)] == [str(done.reference)]


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"upload": [Fault("status", 500)] * 99}, "ServerError"),
        ({"upload": [Fault("hang-up")] * 99}, "NetworkError"),
        ({"upload": [Fault("status", 413)] * 99}, "ServerError"),
        ({"CreateSubmission": [Fault("status", 400, body={"code": 400, "message": "Too late"})]}, "ServerError"),
        ({"CreateSubmission": [Fault("hang-up")] * 99}, "NetworkError"),
        ({"CreateSubmission": [Fault("body", {"message": "No more today"})]}, "AccessError"),
    ],
)
def test_trouble_that_stays_is_told_and_nothing_is_kept(
    kaggle: Stub, project: Path, answers: Path, faults: dict[str, list[Fault]], kind: str
) -> None:
    kaggle.faults.update(faults)
    with pytest.raises(AccessError) as caught:
        hand_in(project, answers)
    assert caught.value.code == kind
    assert "secret" not in caught.value.message + caught.value.hint
    assert kaggle.submissions == []
    assert not (project / RESULTS).exists()


# What has the wrong form

SAMPLE = harbour()["sample_submission.csv"].decode()
FIRST = SAMPLE.splitlines()[1]
WRONG: dict[str, tuple[str, str]] = {
    "other columns": (SAMPLE.replace("ship,late", "ship,Late"), "has the columns ship, Late, expected ship, late"),
    "a column more": ("\n".join(f"{line},1" for line in SAMPLE.splitlines()), "has the columns"),
    "a row less": (SAMPLE.rsplit("\n", 2)[0] + "\n", "ends after 39 rows"),
    "a row more": (SAMPLE + "ship_9999,True\n", "has more rows than the sample's 40"),
    "another order": ("\n".join([*SAMPLE.splitlines()[:1], *SAMPLE.splitlines()[:0:-1]]), "expected `ship_0300`"),
    "a gap": (SAMPLE.replace(FIRST, FIRST.replace("False", "")), "row 1 of `mine.csv` has a gap in `late`"),
    "a short row": (SAMPLE.replace(FIRST, "ship_0300"), "has 1 cells, expected 2"),
    "a number for a word": (SAMPLE.replace("False", "0.5"), "expected a word such as `False`"),
    "nothing": ("", "has the columns none"),
    "a head alone": ("ship,late\n", "ends after 0 rows"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=list(WRONG))
def test_what_has_not_the_samples_form_is_refused_before_anything_is_uploaded(
    kaggle: Stub, project: Path, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        hand_in(project, file)
    assert caught.value.exit_code == 4
    assert kaggle.calls("storage") == []
    assert kaggle.submissions == []


@pytest.mark.parametrize(
    ("cell", "words"),
    [("word", "expected a number such as 0.5"), ("nan", "a gap in `late`"), ("inf", "a gap in `late`")],
)
def test_a_word_or_no_number_where_the_sample_has_numbers_is_refused(
    kaggle: Stub, project: Path, tmp_path: Path, cell: str, words: str
) -> None:
    sample = project / "data" / "sample_submission.csv"
    sample.write_text(SAMPLE.replace("False", "0.5"), encoding="utf-8")
    file = tmp_path / "mine.csv"
    file.write_text(SAMPLE.replace("False", cell), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        hand_in(project, file)
    assert kaggle.calls("storage") == []


# What cannot be asked


@pytest.mark.usefixtures("kaggle")
def test_what_is_no_project_or_no_file_is_told(
    project: Path, tmp_path: Path, answers: Path, kaggle2app: Callable[..., Outcome]
) -> None:
    assert kaggle2app("submit", tmp_path / "nowhere", "--message", "m", "--json").code == 6
    assert kaggle2app("submit", project, "--json").code == 2
    assert kaggle2app("submit", project, "--message", " ", "--file", answers).code == 2
    done = kaggle2app("submit", project, "--message", "m", "--file", tmp_path / "none.csv", "--json")
    assert done.code == 4
    assert "cannot be read" in done.json["error"]["message"]


def test_a_project_of_other_data_asks_for_the_competition(kaggle: Stub, project: Path, answers: Path) -> None:
    (project / "model" / "provenance.json").write_text('{"source": "ann/weather", "kind": "dataset"}', encoding="utf-8")
    with pytest.raises(ProjectError, match="does not come from a competition") as caught:
        hand_in(project, answers)
    assert "--competition" in caught.value.hint
    assert kaggle.seen == []


def test_a_project_without_its_test_rows_says_what_it_lacks(kaggle: Stub, project: Path) -> None:
    (project / "data" / "test.csv").unlink()
    with pytest.raises(ToolkitError, match=r"has no `data/test\.csv`"):
        submit(project, message="m", kaggle=Kaggle(find(), Patience(sleep=lambda _: None)))
    assert kaggle.calls("storage") == []
