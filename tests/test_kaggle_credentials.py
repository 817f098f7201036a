"""Credentials come from wherever Kaggle's own clients read them; one is chosen, and it is the one that is sent."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from kaggle_stub import Stub
from kaggle_stub.answers import KEY, REFRESH, TOKEN, USERNAME

from toolkit import credentials, refusals
from toolkit.kaggle_api import Kaggle, Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = "KGAT_another_token_planted"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything of Kaggle's."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("KAGGLE_CONFIG_DIR", "KAGGLE_API_V1_TOKEN", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with Stub() as stub:
        stub.lead(monkeypatch)
        stub.add_dataset("ann/weather", {1: {"a.csv": b"a\n1\n"}})
        yield stub


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def key_file(username: str = USERNAME, key: str = KEY) -> str:
    return json.dumps({"username": username, "key": key})


def login(*, ends: timedelta, token: str = TOKEN) -> str:
    expiration = (datetime.now(UTC) + ends).isoformat()
    values = {"refresh_token": REFRESH, "access_token": token, "access_token_expiration": expiration, "username": "ann"}
    return json.dumps(values)


def sent(kaggle: Stub) -> str | None:
    """Return what is shown to Kaggle by who uses the credentials found."""
    found = Kaggle(credentials.find(), Patience(tries=1))
    found.ask("datasets", "get_dataset", owner_slug="ann", dataset_slug="weather")
    return kaggle.seen[-1].headers.get("authorization")


def basic(username: str = USERNAME, key: str = KEY) -> str:
    return "Basic " + base64.b64encode(f"{username}:{key}".encode()).decode()


def test_without_any_nobody_in_particular_asks(kaggle: Stub) -> None:
    assert credentials.find().anonymous
    assert sent(kaggle) is None


def test_a_token_in_the_environment_comes_first(kaggle: Stub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLE_USERNAME", "else")
    monkeypatch.setenv("KAGGLE_KEY", "else")
    write(home / ".kaggle" / "access_token", OTHER)
    assert credentials.find().source == "KAGGLE_API_TOKEN"
    assert sent(kaggle) == f"Bearer {TOKEN}"


def test_the_environment_may_name_a_file_with_the_token(
    kaggle: Stub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(write(home / "token", f"{TOKEN}\n")))
    assert sent(kaggle) == f"Bearer {TOKEN}"


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_a_token_in_its_file_is_found(kaggle: Stub, home: Path, name: str) -> None:
    write(home / ".kaggle" / name, f"{TOKEN}\n")
    assert credentials.find().source == f"~/.kaggle/{name}"
    assert sent(kaggle) == f"Bearer {TOKEN}"


def test_a_notebook_on_kaggle_brings_its_own(kaggle: Stub, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setenv("KAGGLE_API_V1_TOKEN", str(write(home / "secret", TOKEN)))
    monkeypatch.setenv("KAGGLE_API_TOKEN", OTHER)
    assert sent(kaggle) == f"Bearer {TOKEN}"


def test_a_key_in_the_environment_is_found(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", USERNAME)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    assert credentials.find().source == "KAGGLE_USERNAME and KAGGLE_KEY"
    assert sent(kaggle) == basic()


@pytest.mark.parametrize("place", [".kaggle", ".config/kaggle", "xdg/kaggle", "chosen"])
def test_a_key_in_its_file_is_found(kaggle: Stub, home: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    write(home / place / "kaggle.json", key_file())
    if place.startswith("xdg"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    if place == "chosen":
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home / "chosen"))
    assert credentials.find().source == f"~/{place}/kaggle.json"
    assert sent(kaggle) == basic()


def test_a_key_of_the_environment_replaces_the_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".kaggle" / "kaggle.json", key_file(key="old"))
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    found = credentials.find()
    assert (found.kind, found.username, found.key) == ("key", USERNAME, KEY)
    assert found.source == "KAGGLE_KEY and ~/.kaggle/kaggle.json"


def test_a_login_is_used_while_it_lasts(kaggle: Stub, home: Path) -> None:
    write(home / ".kaggle" / "credentials.json", login(ends=timedelta(hours=2)))
    assert credentials.find().source == "`kaggle auth login`"
    assert sent(kaggle) == f"Bearer {TOKEN}"
    assert "GenerateAccessToken" not in kaggle.calls()


@pytest.mark.parametrize("ended", [timedelta(minutes=1), timedelta(minutes=29), timedelta(days=9)])
def test_a_login_that_has_ended_is_renewed_and_its_file_left(kaggle: Stub, home: Path, ended: timedelta) -> None:
    path = write(home / ".kaggle" / "credentials.json", login(ends=-ended, token=OTHER))
    before = path.read_text()
    assert sent(kaggle) == f"Bearer {TOKEN}"
    assert path.read_text() == before


def test_a_login_that_cannot_be_renewed_is_told(kaggle: Stub, home: Path) -> None:
    write(home / ".kaggle" / "credentials.json", login(ends=-timedelta(hours=1)).replace(REFRESH, "revoked"))
    with pytest.raises(refusals.CredentialsError) as caught:
        sent(kaggle)
    assert "kaggle auth login" in caught.value.hint
    assert "revoked" not in caught.value.message


def test_a_key_is_sent_although_a_stale_token_appears_later(
    kaggle: Stub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kaggle's client would look for a token by itself, and send that one."""
    monkeypatch.setenv("KAGGLE_USERNAME", USERNAME)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    found = credentials.find()
    write(home / ".kaggle" / "access_token", OTHER)
    Kaggle(found, Patience(tries=1)).ask("datasets", "get_dataset", owner_slug="ann", dataset_slug="weather")
    assert kaggle.seen[-1].headers.get("authorization") == basic()


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("kaggle.json", "{not json", "~/.kaggle/kaggle.json is not the JSON that Kaggle hands out"),
        ("kaggle.json", "[]", "~/.kaggle/kaggle.json is not the JSON that Kaggle hands out"),
        ("kaggle.json", '{"username": "ann"}', "~/.kaggle/kaggle.json holds no `username` and `key`"),
        ("kaggle.json", '{"username": 1, "key": null}', "~/.kaggle/kaggle.json holds no `username` and `key`"),
        ("access_token", "two words", "~/.kaggle/access_token holds spaces"),
        ("access_token", "line\r\nX-Evil: yes", "~/.kaggle/access_token holds spaces, line breaks"),
        ("access_token", "clé", "~/.kaggle/access_token holds"),
        ("credentials.json", '{"username": "ann"}', "`kaggle auth login` has ended"),
    ],
)
def test_a_source_that_cannot_be_used_is_passed_over_and_told(home: Path, name: str, text: str, problem: str) -> None:
    write(home / ".kaggle" / name, text)
    found = credentials.find()
    assert found.anonymous
    assert any(line.startswith(problem) for line in found.problems), found.problems


@pytest.mark.parametrize("value", ["", "   ", "KGAT_" + "x" * 5000, "a\x00b"])
def test_any_value_of_the_variable_is_survived(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    if "\x00" not in value:
        monkeypatch.setenv("KAGGLE_API_TOKEN", value)
    assert credentials.find().kind in {"token", "anonymous"}


def test_no_text_of_credentials_holds_a_secret(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    write(home / ".kaggle" / "kaggle.json", key_file())
    write(home / ".kaggle" / "credentials.json", login(ends=timedelta(hours=1)))
    found = credentials.find()
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    by_key = credentials.find()
    (home / ".kaggle" / "kaggle.json").unlink()
    for one in (found, by_key, credentials.find()):
        assert not one.anonymous
        for secret in (TOKEN, KEY, REFRESH):
            assert secret not in f"{one} {one!r}"
