"""Whatever Kaggle has arrives complete, verified and once; what goes wrong is told, and nothing is silently short."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from kaggle_stub import Fault, Stub, archive
from kaggle_stub.answers import KEY, TOKEN, USERNAME

from toolkit import contents, kaggle_download, refusals
from toolkit.cache import hashed
from toolkit.errors import AccessError, DataError, ProjectError, ToolkitError
from toolkit.files import sha256_of, write_atomic
from toolkit.handle import Handle
from toolkit.kaggle_api import Patience
from toolkit.source import fetch as fetch_by_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaggle_stub.content import FaultKind

    from toolkit.download import Download

ROWS = b"".join(
    b"%d,%s\n" % (number, hashlib.sha256(b"%d" % number).hexdigest()[:32].encode()) for number in range(20_000)
)
TABLE = b"number,word\n" + ROWS
PACKED = gzip.compress(TABLE)
WEATHER = {1: {"old.csv": b"a\n1\n"}, 2: {"weather.csv": TABLE, "notes/read me.txt": b"hello\n"}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("KAGGLE2APP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A Kaggle on loopback with one dataset of two versions; the person has a token."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    with Stub() as stub:
        stub.lead(monkeypatch)
        stub.add_dataset("ann/weather", dict(WEATHER), title="Weather", licenseName="CC0: Public Domain")
        yield stub


SHORT_SECONDS = 1.0  # long enough for an answer that comes, on a busy machine too


class Clock:
    """A patience that notes how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.patience = Patience(connect_seconds=60, read_seconds=60, sleep=self.slept.append)

    @property
    def short(self) -> Patience:
        """Return the patience for a test in which nothing comes."""
        return replace(self.patience, read_seconds=SHORT_SECONDS)


def fetch(text: str, *, patience: Patience | None = None, offline: bool = False) -> Download:
    return kaggle_download.fetch(Handle.parse(text), offline=offline, patience=patience or Clock().patience)


def content(download: Download) -> dict[str, bytes]:
    found = {path: path.read_bytes() for path in download.root.rglob("*") if path.is_file()}
    told = {record.path: record.sha256 for record in download.files}
    assert told == {path.relative_to(download.root).as_posix(): sha256_of(path) for path in found}
    return {path.relative_to(download.root).as_posix(): data for path, data in found.items()}


def complete_ones(cache: Path) -> list[Path]:
    return list(cache.rglob("complete"))


def _no_room(path: Path, text: str | bytes) -> None:
    message = f"`{path}` cannot be written, {len(text)} long"
    raise ProjectError(message, hint="free some space")


# What arrives


def test_the_newest_version_arrives_with_its_files_and_where_they_came_from(kaggle: Stub, cache: Path) -> None:
    download = fetch("ann/weather")
    assert content(download) == WEATHER[2]
    assert download.root == cache / "datasets" / "ann" / "weather" / "2" / "files"
    told = download.provenance
    assert (told.source, told.kind, told.version, told.title) == ("ann/weather", "dataset", "2", "Weather")
    assert told.licence == "CC0: Public Domain"
    assert told.url == "https://www.kaggle.com/datasets/ann/weather"
    assert json.loads((download.root.parent / "provenance.json").read_text())["version"] == "2"
    assert not (download.root.parent / "work").exists()
    assert kaggle.calls().count("DownloadDataset") == 1


def test_versions_stand_side_by_side(kaggle: Stub) -> None:
    assert content(fetch("ann/weather/versions/1")) == WEATHER[1]
    assert content(fetch("ann/weather")) == WEATHER[2]
    assert content(fetch("ann/weather/1")) == WEATHER[1]
    assert kaggle.calls().count("DownloadDataset") == 2


def test_a_named_version_is_asked_for_once(kaggle: Stub) -> None:
    first = fetch("ann/weather/2")
    kaggle.seen.clear()
    assert fetch("ann/weather/2") == first
    assert fetch("ann/weather", offline=True) == first
    assert kaggle.seen == []


@pytest.mark.usefixtures("kaggle")
def test_hashes_of_what_is_large_are_counted_when_asked_for_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.cache.HASHED_BYTES_MAX", 10)
    download = fetch("ann/weather")
    assert {record.sha256 for record in download.files} == {""}
    whole = fetch_by_source(Handle.parse("ann/weather"))
    content(whole)
    assert fetch("ann/weather", offline=True) == whole
    assert hashed(whole) == whole


@pytest.mark.usefixtures("kaggle")
def test_hashes_are_told_where_they_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.cache.HASHED_BYTES_MAX", 10)
    download = fetch("ann/weather")
    monkeypatch.setattr("toolkit.cache.write_atomic", _no_room)
    content(hashed(download))
    assert fetch("ann/weather", offline=True) == download


@pytest.mark.usefixtures("kaggle")
@pytest.mark.parametrize("writes", [0, 1, 2])
def test_counting_hashes_may_be_broken_off_anywhere(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    monkeypatch.setattr("toolkit.cache.HASHED_BYTES_MAX", 10)
    download = fetch("ann/weather")
    left = [write_atomic] * writes

    def write(path: Path, text: str | bytes) -> None:
        (left.pop() if left else _no_room)(path, text)

    with monkeypatch.context() as patched:
        patched.setattr("toolkit.cache.write_atomic", write)
        whole = hashed(download)
    assert fetch("ann/weather", offline=True) == (whole if writes == 2 else download)
    assert content(hashed(fetch("ann/weather", offline=True))) == content(whole)


def test_the_newest_version_is_looked_up_and_nothing_else_the_second_time(kaggle: Stub) -> None:
    first = fetch("ann/weather")
    kaggle.seen.clear()
    assert fetch("ann/weather") == first
    assert kaggle.calls() == ["GetDataset"]


def test_a_new_version_is_fetched(kaggle: Stub) -> None:
    fetch("ann/weather")
    kaggle.datasets["ann/weather"].versions[3] = {"weather.csv": b"a\n3\n"}
    assert content(fetch("ann/weather")) == {"weather.csv": b"a\n3\n"}


def test_without_a_network_the_newest_that_was_fetched_is_taken(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch("ann/weather")
    kaggle.api = "http://127.0.0.1:1"
    kaggle.lead(monkeypatch)
    said: list[str] = []
    again = kaggle_download.fetch(Handle.parse("ann/weather"), say=said.append, patience=Clock().patience)
    assert again == first
    assert "taking version 2" in said[-1]


def test_offline_without_a_cache_says_what_to_do(kaggle: Stub) -> None:
    with pytest.raises(refusals.OfflineError, match="was not fetched before") as caught:
        fetch("ann/weather", offline=True)
    assert "kaggle2app fetch ann/weather" in caught.value.hint
    assert kaggle.seen == []


def test_a_file_that_went_missing_is_fetched_again(kaggle: Stub) -> None:
    download = fetch("ann/weather")
    (download.root / "weather.csv").write_bytes(b"short")
    assert content(fetch("ann/weather/2")) == WEATHER[2]
    assert kaggle.calls().count("DownloadDataset") == 2


def test_the_credential_is_sent_to_kaggle_and_not_to_its_storage(kaggle: Stub) -> None:
    netrc = Path.home() / ".netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password planted\n")
    try:
        fetch("ann/weather")
    finally:
        netrc.unlink()
    assert {seen.headers.get("authorization") for seen in kaggle.seen if seen.place == "api"} == {f"Bearer {TOKEN}"}
    assert not any("authorization" in seen.headers for seen in kaggle.seen if seen.place == "storage")


def test_columns_licence_and_tags_come_from_what_kaggle_says(kaggle: Stub) -> None:
    thing = kaggle.datasets["ann/weather"]
    thing.meta["tags"] = [{"name": "climate"}, {"name": "tabular\x1b[31m"}]
    thing.extra = {
        "description": "# Weather\n\nof <b>somewhere</b>",
        "licenses": [{"name": "CC0-1.0"}],
        "userSpecifiedSources": "the weather office",
        "data": [
            {"name": "weather.csv", "columns": [{"name": "word", "description": "a  word\nof it"}, {"name": "number"}]}
        ],
    }
    told = fetch("ann/weather").provenance
    assert told.columns == {"weather.csv": {"word": "a word of it"}}
    assert told.licence == "CC0-1.0"
    assert told.origin == "the weather office"
    assert told.description == "# Weather\n\nof <b>somewhere</b>"
    assert told.tags == ("climate", "tabular [31m")


def test_metadata_that_is_refused_is_done_without(kaggle: Stub) -> None:
    kaggle.faults["GetDatasetMetadata"] = [Fault("status", 403)]
    kaggle.faults["ListDatasetFiles"] = [Fault("status", 404)]
    assert content(fetch("ann/weather")) == WEATHER[2]


def test_two_thousand_small_files_arrive(kaggle: Stub) -> None:
    files = {f"folder {number % 7}/größe {number}.txt": b"%d" % number for number in range(2000)}
    kaggle.add_dataset("ann/many", {1: files})
    assert content(fetch("ann/many")) == files
    assert kaggle.calls("storage").__len__() == 1


def test_an_empty_file_among_others_is_a_file(kaggle: Stub) -> None:
    kaggle.add_dataset("ann/empty", {1: {"empty.csv": b"", "full.csv": b"a\n1\n"}})
    assert content(fetch("ann/empty")) == {"empty.csv": b"", "full.csv": b"a\n1\n"}


def test_a_dataset_without_files_says_so_and_leaves_nothing(kaggle: Stub, cache: Path) -> None:
    kaggle.add_dataset("ann/none", {1: {}})
    with pytest.raises(DataError, match="holds no file"):
        fetch("ann/none")
    assert complete_ones(cache) == []


@pytest.mark.parametrize(
    ("sent_as", "body", "expected"),
    [
        ("weather.csv", TABLE, {"weather.csv": TABLE}),
        ("weather.csv", archive({"weather.csv": TABLE}), {"weather.csv": TABLE}),
        ("weather.csv.zip", archive({"weather.csv": TABLE}), {"weather.csv": TABLE}),
        ("archive.zip", archive({"weather.csv": archive({"weather.csv": TABLE})}), {"weather.csv": TABLE}),
        ("archive.zip", archive({"train.csv.zip": archive({"train.csv": TABLE})}), {"train.csv": TABLE}),
        ("archive.tar.gz", archive({"a/weather.csv": TABLE}, kind="tar.gz"), {"a/weather.csv": TABLE}),
        ("größe.csv", b"a\n1\n", {"größe.csv": b"a\n1\n"}),
        ("output.csv", b"a\n1\n", {"output.csv": b"a\n1\n"}),
        ("table.csv.gz", PACKED, {"table.csv.gz": PACKED}),
        ("empty.csv", b"", {"empty.csv": b""}),
    ],
)
def test_however_the_files_are_packed_they_arrive(
    kaggle: Stub, monkeypatch: pytest.MonkeyPatch, sent_as: str, body: bytes, expected: dict[str, bytes]
) -> None:
    kaggle.datasets["ann/weather"].versions[2] = expected
    monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link(f"x/{sent_as}", body))
    assert content(fetch("ann/weather")) == expected


def test_one_file_where_there_are_several_is_not_all(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link("x/weather.csv", TABLE))
    with pytest.raises(refusals.DamagedError, match=r"one file came, `weather\.csv`, where Kaggle lists 2"):
        fetch("ann/weather")


def test_a_json_file_served_as_json_is_a_file(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"code": 404, "message": "not an error"}).encode()
    kaggle.datasets["ann/weather"].versions[2] = {"data.json": body}
    monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link("x/data.json", body))
    kaggle.faults["storage"] = [Fault("type", "application/json")]
    assert content(fetch("ann/weather")) == {"data.json": body}


# Other kinds


def test_a_competition_arrives_with_its_metric_and_the_page_on_its_data(kaggle: Stub, cache: Path) -> None:
    files = {"train.csv": TABLE, "sample_submission.csv": b"id,y\n1,0\n"}
    thing = kaggle.add_competition("spaceship", files, title="Spaceship", evaluationMetric="Categorization Accuracy")
    thing.extra["pages"] = [
        {"name": "rules", "content": "be nice"},
        {"name": "data-description", "content": "id: a number"},
        {"name": "Evaluation", "content": "<p>By the share of right answers.</p>"},
    ]
    download = fetch("competition:spaceship")
    assert content(download) == files
    assert download.root == cache / "competitions" / "spaceship" / "current" / "files"
    assert download.provenance.metric == "Categorization Accuracy"
    assert download.provenance.description == "id: a number"
    assert download.provenance.details["evaluation"] == "By the share of right answers."
    assert download.provenance.licence_url.endswith("/competitions/spaceship/rules")
    kaggle.seen.clear()
    assert fetch("competition:spaceship") == download
    assert kaggle.seen == []


@pytest.mark.parametrize(
    "page",
    [
        "## Data\n\n* number: how many\n* **word** - the word, see <https://example.com>",
        "| Variable | Definition |\n|---|---|\n| number | how many |\n| word | the word |",
        (
            "<h2>Data</h2><script>evil()</script><table><tr><th>Variable</th><th>Definition</th></tr>"
            "<tr><td>number</td>\n<td>how many</td></tr>"
            "<tr><td><b>word</b></td><td>the &quot;word&quot;</td></tr></table>"
        ),
        "<ul>\n<li><code>number</code> - how many</li>\n<li>word: the word</li></ul>",
    ],
    ids=["list", "table", "html table", "html list"],
)
def test_the_page_on_the_data_describes_its_columns(kaggle: Stub, page: str) -> None:
    thing = kaggle.add_competition("spaceship", {"train.csv": TABLE})
    thing.extra["pages"] = [{"name": "data-description", "content": page}]
    described = contents.read(fetch("competition:spaceship")).descriptions
    assert described["number"] == "how many"
    assert described["word"].startswith("the")


def test_column_descriptions_reach_the_input_contract(kaggle: Stub) -> None:
    kaggle.datasets["ann/weather"].extra = {
        "data": [{"name": "weather.csv", "columns": [{"name": "word", "description": "what was said"}]}]
    }
    assert contents.read(fetch("ann/weather")).descriptions == {"word": "what was said"}


def test_rules_that_were_not_accepted_are_found_before_anything_is_fetched(kaggle: Stub) -> None:
    kaggle.add_competition("spaceship", {"train.csv": TABLE}, userHasEntered=False)
    with pytest.raises(refusals.RulesError) as caught:
        fetch("competition:spaceship")
    assert "https://www.kaggle.com/competitions/spaceship/rules" in caught.value.hint
    assert kaggle.calls("storage") == []


@pytest.mark.parametrize("call", ["ListDataFiles", "DownloadDataFiles"])
def test_a_refusal_without_words_is_about_the_rules_where_they_were_not_accepted(kaggle: Stub, call: str) -> None:
    thing = kaggle.add_competition("spaceship", {"train.csv": TABLE}, userHasEntered=False)
    thing.extra["listed"] = True
    kaggle.faults[call] = [Fault("status", 403, body={"code": 403, "message": "Forbidden"})]
    with pytest.raises(refusals.RulesError):
        fetch("competition:spaceship")
    thing.meta["userHasEntered"] = True
    kaggle.faults[call] = [Fault("status", 403, body={"code": 403, "message": "Forbidden"})]
    if call == "DownloadDataFiles":
        with pytest.raises(refusals.PrivateError):
            fetch("competition:spaceship")
    else:
        assert content(fetch("competition:spaceship")) == {"train.csv": TABLE}


@pytest.mark.usefixtures("kaggle")
def test_a_competition_needs_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(refusals.CredentialsError, match="no credentials"):
        fetch("competition:spaceship")


def test_a_model_of_few_files_comes_file_by_file(kaggle: Stub) -> None:
    files = {"config.json": b'{"code": 500}', "weights/part 1.bin": os.urandom(300_000), "weights/part 2.bin": b""}
    thing = kaggle.add_model(
        "ann/tree/SCIKIT_LEARN/base",
        {1: {"old.bin": b"1"}, 2: files},
        licenseName="MIT",
        overview="A tree.",
        usage="Use it.",
        trainingData=["ann/weather"],
        baseModelInstanceInformation={"owner": {"slug": "bob"}, "modelSlug": "seed", "instanceSlug": "small"},
    )
    thing.extra["model"] = {"title": "Tree", "subtitle": "it grows"}
    download = fetch("ann/tree/sklearn/base")
    assert content(download) == files
    assert download.provenance.version == "2"
    assert download.provenance.title == "Tree"
    assert download.provenance.description == "A tree.\n\nUse it."
    assert download.provenance.details == {
        "framework": "scikitLearn",
        "overview": "A tree.",
        "usage": "Use it.",
        "base model": "bob/seed/small",
        "training data": "ann/weather",
    }
    assert len(kaggle.calls("storage")) == 3
    assert content(fetch("ann/tree/sklearn/base/1")) == {"old.bin": b"1"}


def test_a_file_of_a_model_that_fails_stops_the_others_and_what_came_is_kept(kaggle: Stub, cache: Path) -> None:
    files = {f"{number}.bin": os.urandom(50_000) for number in range(8)}
    kaggle.add_model("ann/tree/PY_TORCH/base", {1: files})
    kaggle.faults["7.bin"] = [Fault("status", 404)]
    with pytest.raises(refusals.NotFoundError):
        fetch("ann/tree/torch/base")
    assert complete_ones(cache) == []
    arrived = {f"{path.stem}.bin" for path in cache.rglob("*.arrival")}
    assert "7.bin" not in arrived
    assert len(arrived) >= 4, "four at a time are on their way, so the last one begins after four others"
    kaggle.seen.clear()
    assert content(fetch("ann/tree/torch/base")) == files
    asked = {urlsplit(path).path.rsplit("/", 1)[-1] for path in kaggle.calls("storage")}
    assert asked == set(files) - arrived


def test_a_list_of_files_that_lacks_some_is_not_trusted(kaggle: Stub) -> None:
    files = {"a.bin": os.urandom(1000), "b.bin": os.urandom(2000)}
    kaggle.add_model("ann/tree/PY_TORCH/base", {1: files}, totalUncompressedBytes="3000")
    kaggle.faults["ListModelInstanceVersionFiles"] = [Fault("body", {"files": [{"name": "a.bin", "size": "1000"}]})]
    assert content(fetch("ann/tree/torch/base")) == files


@pytest.mark.parametrize("odd", ["x", "", None, -1, 1.5, [], {}])
def test_odd_values_where_numbers_belong_are_survived(kaggle: Stub, odd: Any) -> None:
    kaggle.datasets["ann/weather"].meta["currentVersionNumber"] = odd
    kaggle.faults["ListDatasetFiles"] = [Fault("body", {"datasetFiles": [{"name": "weather.csv", "totalBytes": odd}]})]
    with suppress(AccessError):
        assert content(fetch("ann/weather")) in WEATHER.values()


def test_a_model_of_many_files_comes_as_a_bundle(kaggle: Stub) -> None:
    files = {f"part-{number}.bin": b"%d" % number for number in range(40)}
    kaggle.add_model("ann/tree/PY_TORCH/base", {1: files})
    assert content(fetch("ann/tree/torch/base")) == files
    assert len(kaggle.calls("storage")) == 1


def test_terms_that_were_not_agreed_to_are_found_before_anything_is_fetched(kaggle: Stub) -> None:
    thing = kaggle.add_model("ann/tree/PY_TORCH/base", {1: {"a.bin": b"1"}})
    thing.extra["instance"] = {"canUse": False, "license": {"id": 1, "name": "Gated", "agreementRequired": True}}
    with pytest.raises(refusals.ConsentError) as caught:
        fetch("ann/tree/torch/base")
    assert "https://www.kaggle.com/models/ann/tree" in caught.value.hint
    assert not any(call.startswith("Download") for call in kaggle.calls())


def test_consent_that_only_the_download_asks_for_is_told_as_such(kaggle: Stub) -> None:
    thing = kaggle.add_model("ann/tree/PY_TORCH/base", {1: {"a.bin": b"1"}})
    thing.gate = (403, "User has not consented to terms of use")
    with pytest.raises(refusals.ConsentError):
        fetch("ann/tree/torch/base")


def test_a_model_whose_file_names_lead_out_is_refused(kaggle: Stub, cache: Path) -> None:
    kaggle.add_model("ann/tree/PY_TORCH/base", {1: {"../../../evil.bin": b"1"}})
    with pytest.raises(DataError, match="leads out"):
        fetch("ann/tree/torch/base")
    assert list(cache.parent.rglob("evil.bin")) == []


def test_a_notebooks_output_arrives(kaggle: Stub) -> None:
    kaggle.add_notebook("ann/eda", {1: {"a.csv": b"a\n1\n"}, 2: {"submission.csv": b"id,y\n"}}, title="EDA")
    download = fetch("notebook:ann/eda")
    assert content(download) == {"submission.csv": b"id,y\n"}
    assert (download.provenance.title, download.provenance.version) == ("EDA", "2")
    assert content(fetch("notebook:ann/eda/1")) == {"a.csv": b"a\n1\n"}


def test_a_notebooks_output_that_is_no_archive_comes_file_by_file(kaggle: Stub) -> None:
    files = {"a.csv": b"a\n1\n", "plots/b.png": b"png", "submission.csv": b"id,y\n"}
    kaggle.add_notebook("ann/eda", {3: files})
    kaggle.faults["DownloadKernelOutput"] = [Fault("status", 404)]
    assert content(fetch("notebook:ann/eda")) == files


def test_a_notebook_without_output_is_told_as_such(kaggle: Stub) -> None:
    kaggle.add_notebook("ann/eda", {3: {}})
    kaggle.faults["DownloadKernelOutput"] = [Fault("status", 404)]
    with pytest.raises(refusals.NotFoundError, match="no output"):
        fetch("notebook:ann/eda")


def test_a_version_that_only_the_list_of_versions_tells_is_taken(kaggle: Stub) -> None:
    kaggle.datasets["ann/weather"].meta["currentVersionNumber"] = None
    assert fetch("ann/weather").provenance.version == "2"


# Refusals, told apart


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("status", 401, body={"code": 401, "message": "Unauthorized"}), "CredentialsError", "KAGGLE_API_TOKEN"),
        (Fault("status", 403, body={"code": 403, "message": "Permission denied"}), "PrivateError", "Permission denied"),
        (Fault("status", 404, body={"code": 404, "message": "Not found"}), "NotFoundError", "no dataset `ann/weather`"),
        (Fault("body", {"code": 404, "message": "Not found"}), "NotFoundError", "no dataset `ann/weather`"),
        (Fault("body", {"code": "403", "message": "No"}), "PrivateError", "may not read"),
        (Fault("status", 429, headers={"Retry-After": "9000"}), "RateLimitError", "9000 s"),
        (Fault("status", 400, body={"code": 400, "message": "Bad request"}), "ServerError", "answer 400"),
        (Fault("body", ["not", "an", "object"]), "ServerError", "cannot be understood"),
        (Fault("redirect", "http://login.example/"), "NetworkError", "answers in its place"),
    ],
)
def test_each_refusal_has_its_own_name_and_words(kaggle: Stub, fault: Fault, kind: str, words: str) -> None:
    kaggle.faults["GetDataset"] = [fault]
    with pytest.raises(AccessError) as caught:
        fetch("ann/weather")
    assert caught.value.code == kind
    assert words in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 3
    assert kaggle.calls().count("GetDataset") == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_waited_out(kaggle: Stub, status: int) -> None:
    kaggle.faults["GetDataset"] = [Fault("status", status)] * 3
    clock = Clock()
    assert content(fetch("ann/weather", patience=clock.patience)) == WEATHER[2]
    assert clock.slept == [0.5, 1.0, 2.0]


def test_a_pause_that_kaggle_asks_for_is_kept(kaggle: Stub) -> None:
    kaggle.faults["DownloadDataset"] = [Fault("status", 429, headers={"Retry-After": "7"})]
    kaggle.faults["storage"] = [Fault("status", 429, headers={"Retry-After": "11"})]
    clock = Clock()
    assert content(fetch("ann/weather", patience=clock.patience)) == WEATHER[2]
    assert clock.slept == [7.0, 11.0]


def test_trouble_that_stays_ends(kaggle: Stub) -> None:
    kaggle.faults["GetDataset"] = [Fault("status", 500)] * 50
    with pytest.raises(refusals.ServerError, match="trouble of its own"):
        fetch("ann/weather")
    assert kaggle.calls().count("GetDataset") == 5


def test_a_rate_limit_in_other_clothes_is_a_rate_limit(kaggle: Stub) -> None:
    body = {"error": {"code": 429, "message": "Too many requests", "status": "RESOURCE_EXHAUSTED"}}
    kaggle.faults["GetDataset"] = [Fault("status", 429, body=body)] * 50
    with pytest.raises(refusals.RateLimitError):
        fetch("ann/weather")


def test_who_is_not_signed_in_is_told_how(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    assert content(fetch("ann/weather")) == WEATHER[2]
    kaggle.anonymous = False
    with pytest.raises(refusals.CredentialsError, match="only to who signs in") as caught:
        fetch("ann/weather/1")
    assert "KAGGLE_API_TOKEN" in caught.value.hint


@pytest.mark.usefixtures("kaggle")
@pytest.mark.parametrize("typed", ["bob/weather", "ann/wether", "anne/weather-data"])
def test_what_is_not_there_is_told_with_what_is_near(typed: str) -> None:
    with pytest.raises(refusals.NotFoundError) as caught:
        fetch(typed)
    assert "ann/weather" in caught.value.hint


@pytest.mark.usefixtures("kaggle")
@pytest.mark.parametrize("version", [3, 99])
def test_an_impossible_version_is_told_with_those_that_are_there(version: int) -> None:
    with pytest.raises(refusals.VersionError, match="there are 1, 2") as caught:
        fetch(f"ann/weather/{version}")
    assert "ann/weather/versions/2" in caught.value.hint


def test_a_version_that_was_deleted_is_told_as_such(kaggle: Stub) -> None:
    del kaggle.datasets["ann/weather"].versions[1]
    kaggle.datasets["ann/weather"].versions[4] = {"a.csv": b"a\n"}
    with pytest.raises(refusals.VersionError, match="there are 2, 4"):
        fetch("ann/weather/1")


def test_a_name_that_is_not_found_is_a_network_that_is_not_there(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(refusals.NetworkError, match="no network"):
        fetch("ann/weather")
    assert kaggle.seen == []


def test_a_proxy_that_is_not_there_is_told_without_its_password(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:planted@127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://user:planted@127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(refusals.ProxyError) as caught:
        fetch("ann/weather")
    assert "127.0.0.1" in caught.value.hint
    assert "planted" not in caught.value.hint + caught.value.message
    assert kaggle.seen == []


@pytest.mark.parametrize("fault", [Fault("hang-up"), Fault("silence", 300.0)])
def test_an_api_that_does_not_answer_is_asked_three_times(kaggle: Stub, fault: Fault) -> None:
    kaggle.faults["GetDataset"] = [fault] * 10
    with pytest.raises(refusals.NetworkError):
        fetch("ann/weather", patience=Clock().short)
    assert kaggle.calls().count("GetDataset") == 3


# Faults on the way: each ends complete and verified, or cleanly refused

MENDED: dict[str, list[Fault]] = {
    "a cut body": [Fault("cut", 100_000)],
    "a body cut again and again": [Fault("cut", 60_000) for _ in range(6)],
    "a body cut at its first byte": [Fault("cut", 0), Fault("cut", 1)],
    "a cut body without length": [Fault("cut-unmeasured", 100_000)],
    "a whole body without length": [Fault("unmeasured")],
    "a resumption answered with everything": [Fault("cut", 100_000), Fault("ignore-range")],
    "a resumption answered with other bytes": [Fault("cut", 100_000), Fault("wrong-range")],
    "a resumption answered with 500": [Fault("cut", 100_000), Fault("status", 500)],
    "a resumption answered with 416": [Fault("cut", 100_000), Fault("status", 416)],
    "a file that changed in between": [Fault("new-etag"), Fault("cut", 100_000)],
    "a cut of a file that then has another tag": [Fault("cut", 100_000), Fault("new-etag")],
    "a checksum that is wrong once": [Fault("wrong-md5")],
    "no checksum": [Fault("no-md5")],
    "no checksum and a cut": [Fault("no-md5"), Fault("cut", 5)],
    "no tag and a cut": [Fault("no-etag"), Fault("cut", 5)],
    "a cut without length or checksum": [Fault("cut-unmeasured", 100_000, also=("no-md5",))],
    "no length and no checksum": [Fault("unmeasured", also=("no-md5",))],
    "no length, no checksum, no tag": [Fault("unmeasured", also=("no-md5", "no-etag"))],
    "a cut with nothing to go by": [Fault("cut-unmeasured", 100_000, also=("no-md5", "no-etag"))],
    "a cut, then all without length": [Fault("cut", 100_000), Fault("unmeasured", also=("ignore-range",))],
    "a pause with seconds": [Fault("status", 429, headers={"Retry-After": "2"})],
    "a pause with a date": [Fault("status", 429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})],
    "a pause without": [Fault("status", 429)],
    "trouble thrice": [Fault("status", 500), Fault("status", 502), Fault("status", 503)],
    "an expired address": [Fault("status", 403)],
    "an expired address in between": [Fault("cut", 100_000), Fault("status", 403)],
    "silence": [Fault("silence", 300.0)],
    "silence in the middle": [Fault("stall", 100_000)],
    "hanging up": [Fault("hang-up")],
    "chunks": [Fault("chunked")],
    "chunks without checksum": [Fault("chunked", also=("no-md5",))],
    "cut chunks": [Fault("cut-chunked", 100_000)],
    "cut chunks with nothing to go by": [Fault("cut-chunked", 100_000, also=("no-md5", "no-etag"))],
    "packed on the way": [Fault("gzip")],
    "packed where it lies": [Fault("gzip-stored")],
    "packed on the way and without checksum": [Fault("gzip", also=("no-md5",))],
    "packed in chunks": [Fault("chunked", also=("gzip",))],
    "parts shorter than asked for": [Fault("cut", 100_000), *[Fault("short-parts", 90_000)] * 8],
    "a part that nobody asked for": [Fault("part")],
    "odd headers": [Fault("cut", 100_000, also=("odd-headers",)), Fault("odd-headers")],
}


@pytest.mark.parametrize("faults", MENDED.values(), ids=list(MENDED))
def test_a_fault_that_passes_is_mended(kaggle: Stub, faults: list[Fault]) -> None:
    kaggle.faults["storage"] = list(faults)
    silent = any(fault.kind in {"silence", "stall"} for fault in faults)
    patience = Clock().short if silent else Clock().patience
    assert content(fetch("ann/weather", patience=patience)) == WEATHER[2]


FATAL: dict[str, tuple[list[Fault], str]] = {
    "a checksum that stays wrong": ([Fault("wrong-md5")] * 9, "DamagedError"),
    "trouble that stays": ([Fault("status", 500)] * 99, "ServerError"),
    "a pause that stays": ([Fault("status", 429)] * 99, "RateLimitError"),
    "a pause of hours": ([Fault("status", 429, headers={"Retry-After": "9999"})], "RateLimitError"),
    "addresses that are never good": ([Fault("status", 403)] * 99, "PrivateError"),
    "a file that is gone": ([Fault("status", 404)] * 9, "NotFoundError"),
    "silence that stays": ([Fault("silence", 300.0)] * 9, "NetworkError"),
    "a line that is always cut": ([Fault("cut", 0)] * 99, "DamagedError NetworkError"),
    "a redirect to nowhere": ([Fault("redirect", "ftp://127.0.0.1/a")], "ServerError"),
}


@pytest.mark.parametrize(("faults", "kinds"), FATAL.values(), ids=list(FATAL))
def test_a_fault_that_stays_is_refused_and_mended_later(
    kaggle: Stub, cache: Path, faults: list[Fault], kinds: str
) -> None:
    kaggle.faults["storage"] = list(faults)
    with pytest.raises(AccessError) as caught:
        fetch("ann/weather", patience=Clock().short if faults[0].kind == "silence" else None)
    assert caught.value.code in kinds.split()
    assert "secret" not in caught.value.message + caught.value.hint
    assert complete_ones(cache) == []
    kaggle.faults.clear()
    assert content(fetch("ann/weather")) == WEATHER[2]


NOTHING_TO_GO_BY: tuple[FaultKind, ...] = ("no-md5", "no-etag")


@pytest.mark.parametrize("sent", [0, 1, 100_000])
def test_a_short_table_with_nothing_to_go_by_is_never_taken_for_whole(
    kaggle: Stub, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    """No archive around it, no length, no checksum: the listed size is all there is."""
    kaggle.add_dataset("ann/one", {1: {"weather.csv": TABLE}})
    monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link("x/weather.csv", TABLE))
    kaggle.faults["storage"] = [Fault("cut-unmeasured", sent, also=NOTHING_TO_GO_BY)] * 2
    with pytest.raises(refusals.DamagedError):
        fetch("ann/one")
    kaggle.faults["storage"] = [Fault("unmeasured", also=NOTHING_TO_GO_BY)]
    assert content(fetch("ann/one")) == {"weather.csv": TABLE}


def test_a_body_that_claims_to_be_whole_is_held_to_the_listed_size(
    kaggle: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.add_dataset("ann/one", {1: {"weather.csv": TABLE}})
    monkeypatch.setattr(kaggle, "_download_dataset", lambda _: kaggle.link("x/weather.csv", TABLE))
    kaggle.faults["storage"] = [Fault("short-parts", 1000, also=("no-md5",))] * 2
    with pytest.raises(refusals.DamagedError, match="that Kaggle lists"):
        fetch("ann/one")
    assert content(fetch("ann/one")) == {"weather.csv": TABLE}


def test_what_has_arrived_is_not_fetched_again(kaggle: Stub) -> None:
    size = len(archive(WEATHER[2]))
    kaggle.faults["storage"] = [Fault("cut", size // 2), *[Fault("status", 500)] * 5]
    with pytest.raises(refusals.ServerError):
        fetch("ann/weather")
    kaggle.seen.clear()
    assert content(fetch("ann/weather")) == WEATHER[2]
    asked = [seen.headers for seen in kaggle.seen if seen.place == "storage"]
    assert [headers.get("range") for headers in asked] == [f"bytes={size // 2}-"]
    assert asked[0]["if-range"].startswith('"')


def test_an_address_that_expired_is_asked_for_anew_and_the_rest_is_fetched(kaggle: Stub) -> None:
    kaggle.faults["storage"] = [Fault("cut", 100_000)]
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "did not arrive whole" in line or "cut" in line:
            kaggle.expire()

    download = kaggle_download.fetch(Handle.parse("ann/weather"), say=say, patience=Clock().patience)
    assert content(download) == WEATHER[2]
    assert kaggle.calls().count("DownloadDataset") == 2
    ranges = [seen.headers.get("range") for seen in kaggle.seen if seen.place == "storage"]
    assert ranges == [None, "bytes=100000-", "bytes=100000-"]


def test_a_redirect_to_another_host_is_followed(kaggle: Stub) -> None:
    with Stub() as other:
        there = other.link("elsewhere/archive.zip", archive(WEATHER[2]))
        kaggle.faults["storage"] = [Fault("redirect", there)]
        assert content(fetch("ann/weather")) == WEATHER[2]
        assert not any("authorization" in seen.headers for seen in other.seen)


def test_a_slow_drip_is_no_speed(kaggle: Stub) -> None:
    """Each look at the clock finds it a minute on: the drip has brought less than it should, whatever is quick more."""
    kaggle.faults["storage"] = [Fault("drip", 1000)]
    minutes = itertools.count(step=61)
    patience = replace(Clock().patience, drip_bytes=500, answer_seconds=math.inf, clock=lambda: float(next(minutes)))
    said: list[str] = []
    download = kaggle_download.fetch(Handle.parse("ann/weather"), patience=patience, say=said.append)
    assert content(download) == WEATHER[2]
    assert any("is no speed" in line for line in said)


def test_a_drip_that_does_not_end_ends(kaggle: Stub) -> None:
    kaggle.faults["storage"] = [Fault("drip", 1000)] * 99
    minutes = itertools.count(step=61)
    patience = replace(Clock().patience, drip_bytes=500, answer_seconds=math.inf, clock=lambda: float(next(minutes)))
    with pytest.raises(refusals.DamagedError, match="is no speed"):
        fetch("ann/weather", patience=patience)
    assert len(kaggle.calls("storage")) == 3


def test_an_answer_of_the_api_that_does_not_end_ends(kaggle: Stub) -> None:
    kaggle.faults["GetDataset"] = [Fault("drip", 10)] * 99
    minutes = itertools.count(step=61)
    with pytest.raises(refusals.NetworkError, match="gone silent"):
        fetch("ann/weather", patience=replace(Clock().patience, clock=lambda: float(next(minutes))))


@pytest.mark.parametrize("body", [b'{"code": 500}', b'{"message": "hello", "code": 400, "rows": []}', b"[1, 2]", b""])
def test_a_json_file_that_the_api_answers_itself_is_a_file(kaggle: Stub, body: bytes) -> None:
    kaggle.add_model("ann/tree/PY_TORCH/base", {1: {"config.json": body}})
    kaggle.faults["DownloadModelInstanceVersion"] = [Fault("file", body)]
    assert content(fetch("ann/tree/torch/base")) == {"config.json": body}
    assert kaggle.calls("storage") == []


def test_an_error_that_arrives_in_place_of_a_file_is_an_error(kaggle: Stub) -> None:
    kaggle.faults["DownloadDataset"] = [Fault("file", b'{"code": 403, "message": "Permission denied"}')]
    with pytest.raises(refusals.PrivateError, match="Permission denied"):
        fetch("ann/weather")


@pytest.mark.usefixtures("kaggle")
def test_a_download_that_the_api_answers_itself_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some answers come without a redirect; a cut of those begins anew."""
    from kaggle_stub import server

    body, send = archive(WEATHER[2]), server._Api.do_POST
    cuts = [100]

    def answer(self: Any) -> None:
        if not self.path.endswith("DownloadDataset"):
            return send(self)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Disposition", "attachment; filename=archive.zip")
        self.end_headers()
        self.wfile.write(body[: cuts.pop()] if cuts else body)
        self.close_connection = True
        return None

    monkeypatch.setattr(server._Api, "do_POST", answer)
    assert content(fetch("ann/weather")) == WEATHER[2]
    assert cuts == []


# Hostile archives


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, data in members:
            archive_.writestr(name, data)
    return out.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    "body",
    [
        zipped(("good.csv", b"a\n1\n"), ("../../evil.csv", b"x")),
        zipped(("/srv/evil.csv", b"x")),
        zipped((link("evil.csv"), b"/etc/passwd")),
        zipped(("A.csv", b"x"), ("a.csv", b"y")),
        zipped(("bomb.csv", bytes(150_000_000))),
        zipped(("inner.zip", zipped(("../evil.csv", b"x")))),
    ],
    ids=["climbs out", "absolute", "link", "case", "bomb", "nested"],
)
def test_a_hostile_archive_is_refused_and_nothing_is_left(kaggle: Stub, cache: Path, body: bytes) -> None:
    kaggle.datasets["ann/weather"].bundle = body
    with pytest.raises(DataError, match="refused"):
        fetch("ann/weather")
    assert list(cache.parent.rglob("*.csv")) == []
    assert complete_ones(cache) == []
    assert not list(cache.rglob("work"))


def test_a_damaged_archive_is_fetched_once_more_and_then_refused(kaggle: Stub) -> None:
    broken = bytearray(archive(WEATHER[2]))
    broken[2000:2100] = bytes(100)
    kaggle.datasets["ann/weather"].bundle = bytes(broken)
    with pytest.raises(refusals.DamagedError):
        fetch("ann/weather")
    kaggle.datasets["ann/weather"].bundle = None
    assert content(fetch("ann/weather")) == WEATHER[2]


# The disk, other processes, sudden ends


@pytest.mark.usefixtures("kaggle")
def test_room_is_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(refusals.SpaceError, match=r"1\.0 MB are free") as caught:
        fetch("ann/weather")
    assert "KAGGLE2APP_CACHE" in caught.value.hint
    monkeypatch.undo()


def child(kaggle: Stub, cache: Path, *, before: str = "") -> subprocess.Popen[str]:
    """Start the same fetch in a process of its own."""
    program = f"""
import resource, signal, time
from kagglesdk import kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = {kaggle.api!r}
from toolkit import kaggle_download
from toolkit.errors import ToolkitError
from toolkit.handle import Handle
{before}
try:
    download = kaggle_download.fetch(Handle.parse("ann/weather"), say=lambda line: None)
    print("done", len(download.files))
except ToolkitError as error:
    print(type(error).__name__, error.message)
"""
    environment = {**os.environ, "KAGGLE2APP_CACHE": str(cache), "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("limit", [3_000, 200_000, 700_000])
def test_a_disk_that_fills_up_is_told_and_leaves_nothing_that_looks_complete(
    kaggle: Stub, cache: Path, limit: int
) -> None:
    before = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    process = child(kaggle, cache, before=before)
    out, err = process.communicate()
    assert out.split()[0] == "SpaceError", out + err
    assert "Traceback" not in err
    assert complete_ones(cache) == []
    assert content(fetch("ann/weather")) == WEATHER[2]


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_process_that_was_killed_is_taken_up_where_it_was(kaggle: Stub, cache: Path, share: float) -> None:
    kaggle.faults["storage"] = [Fault("stall", int(len(archive(WEATHER[2])) * share))]
    process = child(kaggle, cache)
    partial = cache / "datasets" / "ann" / "weather" / "2" / "work" / "bundle.partial"
    while process.poll() is None and not (partial.exists() and partial.stat().st_size):
        time.sleep(0.01)  # it waits for the rest, which does not come: the end is ours
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert complete_ones(cache) == []
    assert content(fetch("ann/weather")) == WEATHER[2]


def test_two_processes_fetch_once(kaggle: Stub, cache: Path) -> None:
    kaggle.faults["storage"] = [Fault("drip", len(archive(WEATHER[2])) * 2)]
    processes = [child(kaggle, cache) for _ in range(2)]
    assert [process.communicate()[0].split() for process in processes] == [["done", "2"]] * 2
    assert len(kaggle.calls("storage")) == 1


def test_threads_of_one_process_fetch_once(kaggle: Stub) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(fetch("ann/weather"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [content(download) for download in found] == [WEATHER[2]] * 4
    assert len(kaggle.calls("storage")) == 1


# Secrets


@pytest.mark.parametrize("fails", [False, True])
def test_no_secret_is_printed_logged_or_kept(
    kaggle: Stub, cache: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], *, fails: bool
) -> None:
    caplog.set_level("DEBUG", logger="toolkit")
    kaggle.faults["storage"] = [Fault("cut", 1000), *([Fault("status", 403)] * 9 if fails else [])]
    said: list[str] = []
    told = ""
    try:
        download = fetch_by_source(Handle.parse("ann/weather"), progress=said.append)
        told = repr(download) + json.dumps(download.to_json())
    except ToolkitError as error:
        told = repr(error) + json.dumps(error.to_json())
    wrote = capfd.readouterr()
    texts = [told, wrote.out, wrote.err, caplog.text, *said]
    texts += [path.read_text(errors="replace") for path in cache.rglob("*") if path.is_file()]
    for secret in (TOKEN, KEY, "secret1", "X-Goog-Signature"):
        assert not any(secret in text for text in texts), secret


def test_a_key_is_used_where_there_is_no_token(kaggle: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", USERNAME)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    fetch("ann/weather")
    assert kaggle.signed_in == "key"
