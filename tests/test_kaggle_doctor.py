"""The doctor says how things stand, names the credentials' source, and never shows a secret."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from kaggle_stub import Fault, Stub
from kaggle_stub.answers import KEY, TOKEN, USERNAME

from toolkit.doctor import Diagnosis, diagnose
from toolkit.kaggle_api import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with Stub() as running:
        running.lead(monkeypatch)
        yield running


def examine(*, offline: bool = False) -> Diagnosis:
    return diagnose(offline=offline, patience=Patience(sleep=lambda _: None))


def told(diagnosis: Diagnosis, what: str) -> str:
    return " | ".join(f"{one.state}: {one.told}" for one in diagnosis.examined if one.what == what)


def test_all_is_well_with_a_token_that_kaggle_takes(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    diagnosis = examine()
    assert diagnosis.exit_code == 0
    assert diagnosis.accepted is True
    assert "KAGGLE_API_TOKEN" in told(diagnosis, "credentials")
    assert "answers in" in told(diagnosis, "kaggle")
    assert stub.signed_in == "token"
    assert TOKEN not in json.dumps(diagnosis.to_json()) + repr(diagnosis)


def test_a_key_is_named_by_its_file_and_user(stub: Stub) -> None:
    folder = Path.home() / ".kaggle"
    folder.mkdir()
    (folder / "kaggle.json").write_text(json.dumps({"username": USERNAME, "key": KEY}), encoding="utf-8")
    diagnosis = examine()
    assert (diagnosis.credentials, diagnosis.accepted) == ("~/.kaggle/kaggle.json", True)
    assert f"as {USERNAME}" in told(diagnosis, "credentials")
    assert stub.signed_in == "key"
    assert KEY not in json.dumps(diagnosis.to_json()) + repr(diagnosis)


def test_a_refused_token_is_a_problem_that_names_its_source(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_stale_token")
    diagnosis = examine()
    assert (diagnosis.exit_code, diagnosis.accepted) == (3, False)
    assert "problem" in told(diagnosis, "credentials")
    assert "KAGGLE_API_TOKEN" in told(diagnosis, "credentials")
    assert "KGAT_stale_token" not in json.dumps(diagnosis.to_json())
    assert stub.seen


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        (Fault("status", 404), False),
        (Fault("status", 403), False),
        (Fault("body", {"active": False}), False),
        (Fault("body", {"active": True}), True),
        (Fault("status", 500), True),
    ],
)
def test_a_token_that_has_ended_is_found_though_public_things_are_given(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, fault: Fault, *, accepted: bool
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    stub.faults["IntrospectToken"] = [fault]
    diagnosis = examine()
    assert diagnosis.accepted is accepted
    assert diagnosis.exit_code == (0 if accepted else 3)


def test_without_credentials_it_says_how_to_get_some(stub: Stub) -> None:
    diagnosis = examine()
    assert (diagnosis.exit_code, diagnosis.accepted) == (0, None)
    assert "note: none found" in told(diagnosis, "credentials")
    assert any("https://www.kaggle.com/settings" in one.hint for one in diagnosis.examined)
    assert stub.signed_in == ""


def test_a_damaged_key_file_is_told(stub: Stub) -> None:
    folder = Path.home() / ".kaggle"
    folder.mkdir()
    (folder / "kaggle.json").write_text("{not json", encoding="utf-8")
    assert "~/.kaggle/kaggle.json is not the JSON" in told(examine(), "credentials")
    assert stub.seen


def test_trouble_on_the_way_is_a_problem(stub: Stub) -> None:
    stub.faults["api"] = [Fault("status", 503)] * 9
    diagnosis = examine()
    assert diagnosis.exit_code == 3
    assert "problem" in told(diagnosis, "kaggle")


def test_offline_asks_nobody(stub: Stub) -> None:
    diagnosis = examine(offline=True)
    assert diagnosis.exit_code == 0
    assert stub.seen == []


def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:planted-password@proxy.example:3128")
    diagnosis = examine(offline=True)
    assert "HTTPS_PROXY names proxy.example" in told(diagnosis, "proxy")
    assert "planted-password" not in json.dumps(diagnosis.to_json())


def test_the_cache_is_measured_and_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "a").write_bytes(bytes(1000))
    assert examine(offline=True).cache_bytes == 1000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    diagnosis = examine(offline=True)
    assert (diagnosis.free_bytes, diagnosis.exit_code) == (1, 1)
    assert "1 B free" in told(diagnosis, "cache")


def test_versions_are_those_that_are_installed() -> None:
    versions = examine(offline=True).versions
    assert versions["kaggle"].startswith("2.")
    assert versions["pandas"]


def test_the_command_prints_a_line_each(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, kaggle2app: Callable[..., Outcome]
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    told = kaggle2app("doctor")
    assert told.code == 0
    assert "good: credentials: used:" in told.out
    assert "good: kaggle: answers in" in told.out
    assert TOKEN not in told.out + told.err
    assert stub.seen


def test_the_command_ends_with_3_when_kaggle_refuses(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, kaggle2app: Callable[..., Outcome]
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_stale_token")
    told = kaggle2app("doctor", "--json")
    assert told.code == 3
    assert told.json["accepted"] is False
    assert "KGAT_stale_token" not in told.out + told.err
    assert stub.seen
