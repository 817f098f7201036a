"""Search tells what a project needs to know before anything is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kaggle_stub import Fault, Stub

from toolkit.credentials import Credentials
from toolkit.errors import UsageError
from toolkit.handle import Handle
from toolkit.kaggle_api import Kaggle, Patience
from toolkit.refusals import ServerError
from toolkit.search import near, search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Outcome


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with Stub() as running:
        running.lead(monkeypatch)
        running.add_dataset(
            "ann/house-prices",
            {1: {"a.csv": b"x"}},
            title="House prices\nof a town",
            totalBytes=1200,
            licenseName="CC0: Public Domain",
            usabilityRating=0.882,
            voteCount=12,
            kernelCount=3,
            lastUpdated="2024-05-06T07:08:09.123Z",
        )
        running.add_dataset("bob/house-prices-again", {1: {}}, totalBytes=5_000_000, kernelCount=4321)
        running.add_dataset("cleo/rivers", {1: {}}, totalBytes=10)
        running.add_competition("house-prices-advanced", {}, title="Houses", teamCount=22_000)
        running.add_model("ann/house/SCIKIT_LEARN/base", {1: {}}, title="House model", voteCount=4)
        running.add_notebook("ann/house-eda", {1: {}}, title="House EDA", totalVotes=7)
        yield running


@pytest.fixture
def kaggle() -> Kaggle:
    return Kaggle(Credentials(), Patience(sleep=lambda _: None))


def test_a_dataset_is_told_with_all_that_matters(stub: Stub, kaggle: Kaggle) -> None:
    first, second = search("house prices", kaggle=kaggle)
    assert (first.handle, first.title, first.size_bytes) == ("ann/house-prices", "House prices of a town", 1200)
    assert (first.licence, first.usability, first.votes) == ("CC0: Public Domain", 0.88, 12)
    assert (first.updated, first.worn) == ("2024-05-06", "")
    assert first.url == "https://www.kaggle.com/datasets/ann/house-prices"
    assert Handle.parse(first.handle).kind == "dataset"
    assert (second.handle, second.worn) == ("bob/house-prices-again", "4,321 notebooks")
    assert stub.calls() == ["ListDatasets"]


@pytest.mark.parametrize(
    ("kind", "handle"),
    [
        ("competition", "competition:house-prices-advanced"),
        ("notebook", "notebook:ann/house-eda"),
    ],
)
def test_every_kind_is_found_under_a_name_that_can_be_typed(stub: Stub, kaggle: Kaggle, kind: str, handle: str) -> None:
    (found,) = search("house", kind=kind, kaggle=kaggle)  # type: ignore[arg-type]
    assert found.handle == handle
    assert stub.seen


def test_a_model_names_its_first_variation(stub: Stub, kaggle: Kaggle) -> None:
    stub.models.clear()
    instance = {"slug": "base", "framework": "MODEL_FRAMEWORK_SCIKIT_LEARN", "licenseName": "MIT"}
    stub.add_model("ann/house", {1: {}}, instances=[instance])
    stub.add_model("ann/house-bare", {1: {}})
    whole, bare = search("house", kind="model", kaggle=kaggle)
    assert (whole.handle, whole.licence) == ("ann/house/scikitLearn/base", "MIT")
    assert bare.handle == "model:ann/house-bare"


def test_what_is_too_large_is_left_out(stub: Stub, kaggle: Kaggle) -> None:
    assert [one.handle for one in search("house", max_size_bytes=2000, kaggle=kaggle)] == ["ann/house-prices"]
    assert stub.seen[0].body["maxSize"] == 2000


def test_pages_are_followed_to_the_limit(stub: Stub, kaggle: Kaggle) -> None:
    for number in range(50):
        stub.add_dataset(f"ann/many-{number}", {1: {}})
    assert len(search("many", limit=30, kaggle=kaggle)) == 30
    assert len(search("many", limit=90, kaggle=kaggle)) == 50


@pytest.mark.parametrize("sort", ["relevance", "votes", "updated", "hot"])
@pytest.mark.parametrize("kind", ["dataset", "competition", "model", "notebook"])
def test_every_sort_is_understood_for_every_kind(stub: Stub, kaggle: Kaggle, kind: str, sort: str) -> None:
    search("house", kind=kind, sort=sort, kaggle=kaggle)  # type: ignore[arg-type]
    assert stub.seen


def test_nothing_found_is_no_error(stub: Stub, kaggle: Kaggle) -> None:
    assert search("unicorns", kaggle=kaggle) == ()
    assert stub.seen


@pytest.mark.parametrize(
    ("words", "kind", "sort", "message"),
    [
        ("x", "datset", "votes", "`datset` is unknown, expected one of dataset, competition"),
        ("x", "dataset", "size", "`size` is unknown, expected one of relevance, votes"),
        (" ", "dataset", "votes", "no words"),
    ],
)
def test_an_impossible_search_is_told(words: str, kind: str, sort: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        search(words, kind=kind, sort=sort)  # type: ignore[arg-type]


def test_trouble_of_kaggle_is_told(stub: Stub, kaggle: Kaggle) -> None:
    stub.faults["ListDatasets"] = [Fault("status", 500)] * 9
    with pytest.raises(ServerError):
        search("house", kaggle=kaggle)


def test_near_names_are_of_the_same_kind_and_never_fail(stub: Stub, kaggle: Kaggle) -> None:
    assert near(kaggle, Handle.parse("zoe/house-prices"))[0] == "ann/house-prices"
    assert near(kaggle, Handle.parse("zoe/unicorns")) == ()
    assert near(kaggle, Handle.parse("sample:iris")) == ()
    stub.faults["api"] = [Fault("status", 500)]
    assert near(kaggle, Handle.parse("zoe/house-prices")) == ()


def test_the_command_prints_a_table_and_the_next_step(stub: Stub, kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("search", "house", "prices")
    assert told.code == 0
    assert "ann/house-prices " in told.out
    assert "CC0: Public Domain" in told.out
    assert "4,321 notebooks" in told.out
    assert "kaggle2app inspect ann/house-prices" in told.out
    assert stub.calls() == ["ListDatasets"]


def test_the_command_gives_json(stub: Stub, kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("search", "house", "--max-size", "2kB", "--json")
    (found,) = told.json["found"]
    assert (found["handle"], found["size_bytes"], found["worn"]) == ("ann/house-prices", 1200, "")
    assert stub.seen


@pytest.mark.parametrize("flag", [("--max-size", "huge"), ("--kind", "thing"), ("--sort", "size")])
def test_the_command_refuses_what_it_does_not_know(flag: tuple[str, str], kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("search", "house", *flag, "--json")
    assert told.code == 2
    assert told.json["error"]["hint"]
    assert flag[1] in told.json["error"]["message"]


def test_the_command_says_when_there_is_nothing(stub: Stub, kaggle2app: Callable[..., Outcome]) -> None:
    told = kaggle2app("search", "unicorns")
    assert (told.code, told.out.strip()) == (0, "Kaggle finds nothing for `unicorns`")
    assert stub.seen
