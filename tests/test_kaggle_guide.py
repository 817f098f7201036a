"""What docs/kaggle.md tells people to type works, from the first look to the rank, and no secret is left anywhere."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import REPOSITORY
from kaggle_stub import Fault, Stub
from kaggle_stub.answers import KEY, REFRESH, TOKEN
from test_docs import commands
from test_kaggle_submission import LEADERBOARD, harbour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome

PAGE = REPOSITORY / "docs" / "kaggle.md"
SECRETS = (TOKEN, KEY, REFRESH, "planted_password", "secret1", "X-Goog-Signature")
MEANS = {
    "ship": "its register number",
    "length": "metres from bow to stern",
    "cargo": "what it carries",
    "late": "whether",
}
PROGRAM = """
import sys
from kagglesdk import kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv.pop(1)
from toolkit.cli import main
sys.exit(main())
"""


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stub]:
    """A Kaggle on loopback that has what the page names; every place for a secret holds one."""
    own = tmp_path / "home"
    (own / ".kaggle").mkdir(parents=True)
    (own / ".kaggle" / "kaggle.json").write_text(json.dumps({"username": "stubuser", "key": KEY}), encoding="utf-8")
    login = {"refresh_token": REFRESH, "access_token": "planted_password", "username": "stubuser"}
    (own / ".kaggle" / "credentials.json").write_text(json.dumps(login), encoding="utf-8")
    (own / ".netrc").write_text("machine 127.0.0.1 login stubuser password planted_password\n", encoding="utf-8")
    for name, value in (
        ("HOME", str(own)),
        ("USERPROFILE", str(own)),
        ("KAGGLE2APP_CACHE", str(tmp_path / "cache")),
        ("KAGGLE_API_TOKEN", TOKEN),
        ("KAGGLE_KEY", KEY),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with Stub() as stub:
        stub.lead(monkeypatch)
        typed = [word for words in commands(PAGE) for word in words]
        (named,) = {word for word in typed if re.fullmatch(r"[a-z]+/[a-z]+", word)}
        (competition,) = {word.partition(":")[2] for word in typed if word.startswith("competition:")}
        table = {"ships.csv": harbour()["train.csv"]}
        columns = [{"name": name, "description": words} for name, words in MEANS.items()]
        stub.add_dataset(
            named,
            {1: table, 2: table},
            title="Weather for ships",
            licenseName="Attribution 4.0 International (CC BY 4.0)",
        ).extra.update(data=[{"name": "ships.csv", "columns": columns}], licenses=[{"name": "CC-BY-NC-SA-4.0"}])
        thing = stub.add_competition(
            competition,
            harbour(),
            title="Harbour",
            evaluationMetric="Area Under Receiver Operating Characteristic Curve",
        )
        thing.extra["leaderboard"] = LEADERBOARD
        thing.extra["pages"] = [
            {"name": "data-description", "content": "\n".join(f"* {n}: {w}" for n, w in MEANS.items())}
        ]
        yield stub


def leaks(folder: Path, *texts: str) -> list[str]:
    """Return where a secret stands: in one of the texts, or in a file that was not there to hold it."""
    planted = {folder / "home" / ".kaggle", folder / "home"}
    found = [f"{secret} in {text[:80]!r}" for text in texts for secret in SECRETS if secret in text]
    for path in folder.rglob("*"):
        if path.is_file() and path.parent not in planted:
            content = path.read_bytes()
            found += [f"{secret} in {path}" for secret in SECRETS if secret.encode() in content]
    return found


@pytest.mark.slow
def test_the_page_can_be_followed_from_top_to_bottom(
    kaggle: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kaggle2app: Callable[..., Outcome]
) -> None:
    told: list[str] = []
    for words in commands(PAGE):
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        quick = ["--no-tests", "--seconds", "5"] if words[1] == "new" else []
        done = kaggle2app(*words[1:], *quick)
        assert done.code == 0, (words, done.err)
        told += [done.out, done.err]
    assert "2 of 3" in told[-2]
    project = Path.cwd()
    metrics = json.loads((project / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["metric"] == "roc_auc", "the competition's own"
    assert "competition's rules" in (project / "NOTICE").read_text(encoding="utf-8")
    uploaded = next(iter(kaggle.uploads.values())).decode().splitlines()
    assert all(0 <= float(line.split(",")[1]) <= 1 for line in uploaded[1:]), "scored by probability"
    assert leaks(tmp_path, *told) == []


@pytest.mark.slow
def test_what_kaggle_says_of_a_dataset_reaches_schema_page_card_and_notice(
    kaggle: Stub, tmp_path: Path, kaggle2app: Callable[..., Outcome]
) -> None:
    named = next(iter(kaggle.datasets))
    done = kaggle2app("new", named, "--target", "late", "--name", "ships", "--no-tests", "--seconds", "5", "--json")
    assert done.code == 0, done.err
    project = Path(done.json["project"])
    schema = json.loads((project / "model" / "schema.json").read_text(encoding="utf-8"))
    assert MEANS["length"] in schema["properties"]["length"]["description"].lower()
    card, notice = ((project / name).read_text(encoding="utf-8") for name in ("DATA_CARD.md", "NOTICE"))
    assert MEANS["cargo"] in card
    for text in (card, notice):
        assert "CC-BY-NC-SA-4.0" in text
        assert "not commercially" in text
        assert "Weather for ships" in text
    page = subprocess.run(
        [sys.executable, "-c", SHOW_PAGE],
        cwd=project,
        env={"PYTHONPATH": str(project / "src"), "HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
        text=True,
    )
    assert MEANS["cargo"] in page.stdout, page.stderr
    assert leaks(tmp_path, done.out, done.err) == []


SHOW_PAGE = """
from fastapi.testclient import TestClient
from ships.api import create_app
with TestClient(create_app()) as client:
    print(client.get("/").text)
"""


@pytest.mark.parametrize("verb", ["fetch", "inspect"])
def test_every_kind_goes_through_the_command_line(
    kaggle: Stub, verb: str, tmp_path: Path, kaggle2app: Callable[..., Outcome]
) -> None:
    table = {"ships.csv": harbour()["train.csv"]}
    kaggle.add_model("ann/tree/SCIKIT_LEARN/base", {1: {"model.skops": b"PK\x05\x06" + bytes(18), **table}})
    kaggle.add_notebook("ann/eda", {1: table})
    named, competition = next(iter(kaggle.datasets)), next(iter(kaggle.competitions))
    for source in (named, f"competition:{competition}", "ann/tree/sklearn/base", "notebook:ann/eda"):
        for more in ([], ["--offline"]):
            done = kaggle2app(verb, source, "--json", *more)
            assert done.code == 0, (source, done.err)
            assert "ships.csv" in done.out or "train.csv" in done.out
            assert leaks(tmp_path, done.out, done.err) == []
            kaggle.seen.clear()
        assert kaggle.seen == [], "the second use was offline"


@pytest.mark.parametrize(
    ("source", "code", "kind", "words"),
    [
        ("uci ml/iris", 2, "UsageError", "the owner `uci ml`"),
        ("ann/tree/sklern/base", 2, "UsageError", "`sklern` in"),
        ("https://example.com/a", 2, "UsageError", "not a page of kaggle.com"),
        ("nobody/nothing", 3, "NotFoundError", "no dataset `nobody/nothing`"),
        ("{named}/9", 3, "VersionError", "there are 1, 2"),
        ("competition:closed", 3, "RulesError", "rules of `competition:closed`"),
    ],
)
def test_a_refusal_is_one_object_with_its_kind_and_what_to_do(
    kaggle: Stub, kaggle2app: Callable[..., Outcome], *, source: str, code: int, kind: str, words: str
) -> None:
    kaggle.add_competition("closed", harbour(), userHasEntered=False)
    for verb in ("fetch", "inspect", "new"):
        done = kaggle2app(verb, source.format(named=next(iter(kaggle.datasets))), "--json")
        assert done.code == code
        error = done.json["error"]
        assert (error["kind"], error["exit_code"]) == (kind, code)
        assert words in error["message"]
        assert error["hint"]
        assert done.err.count("error: ") == 1
        assert "Traceback" not in done.err


def start(kaggle: Stub, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """Start the command as a person does, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kaggle.api, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", "COLUMNS": "80"},
        **more,
    )


def test_an_interrupted_fetch_goes_on_where_it_stopped(kaggle: Stub, tmp_path: Path) -> None:
    named = next(iter(kaggle.datasets))
    kaggle.datasets[named].versions[2]["more.bin"] = os.urandom(400_000)
    kaggle.faults["storage"] = [Fault("stall", 200_000)]
    process = start(kaggle, "fetch", named, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not any(path.stat().st_size for path in tmp_path.rglob("*.partial")):
        pass
    process.terminate()
    _, err = process.communicate()
    assert b"error: interrupted" in err
    assert not list(tmp_path.rglob("complete"))
    kaggle.seen.clear()
    again = start(kaggle, "fetch", named, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = again.communicate()
    assert again.returncode == 0, err
    (asked,) = [seen.headers["range"] for seen in kaggle.seen if seen.place == "storage"]
    assert 0 < int(asked.removeprefix("bytes=").rstrip("-")) <= 200_000
    assert {file["path"] for file in json.loads(out)["files"]} == {"ships.csv", "more.bin"}


def test_progress_is_for_terminals(kaggle: Stub) -> None:
    named = next(iter(kaggle.datasets))
    kaggle.datasets[named].versions[2]["more.bin"] = os.urandom(400_000)
    kaggle.faults["storage"] = [Fault("drip", 400_000), Fault("drip", 400_000)]
    quiet = start(kaggle, "fetch", f"{named}/1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = quiet.communicate()
    assert len(err.splitlines()) == 1, "one line a step"
    ours, theirs = pty.openpty()
    watched = start(kaggle, "fetch", named, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        select.select([ours], [], [])
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end has closed
            break
        if not part:
            break
        shown += part
    assert watched.wait() == 0
    os.close(ours)
    text = shown.decode(errors="replace")
    assert re.search(r"\[#+\.*\] [0-9.]+ kB of [0-9.]+ kB, [0-9.]+ kB/s, \d+ s left", text), text[-2000:]
