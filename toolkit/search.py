"""What Kaggle has on a subject, told apart by what a project needs to know: size, licence, care, and how often used."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from toolkit.errors import AccessError, UsageError
from toolkit.handle import FRAMEWORK_ALIASES, Handle
from toolkit.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.kaggle_api import Kaggle

SearchKind = Literal["dataset", "competition", "model", "notebook"]
Sort = Literal["relevance", "votes", "updated", "hot"]

KINDS: tuple[SearchKind, ...] = get_args(SearchKind)
SORTS: tuple[Sort, ...] = get_args(Sort)
FOUND_MAX = 20
PAGES_MAX = 5
NEAR_MAX = 3
NEAR_LIKENESS = 0.5  # more alike than not
# Beyond this a reader has seen the data before: the few dozen that courses use have thousands of notebooks.
NOTEBOOKS_WORN = 500
DOWNLOADS_WORN = 100_000
TEAMS_WORN = 10_000

_TYPES = {
    "dataset": ("datasets", "list_datasets", "datasets", "kagglesdk.datasets.types.dataset_enums", "DatasetSortBy"),
    "competition": (
        "competitions",
        "list_competitions",
        "competitions",
        "kagglesdk.competitions.types.competition_enums",
        "CompetitionSortBy",
    ),
    "model": ("models", "list_models", "models", "kagglesdk.models.types.model_enums", "ListModelsOrderBy"),
    "notebook": ("kernels", "list_kernels", "kernels", "kagglesdk.kernels.types.kernels_enums", "KernelsListSortType"),
}
_SORT_NAMES: dict[SearchKind, dict[Sort, str]] = {
    "dataset": {
        "relevance": "DATASET_SORT_BY_RELEVANCE",
        "votes": "DATASET_SORT_BY_VOTES",
        "updated": "DATASET_SORT_BY_UPDATED",
        "hot": "DATASET_SORT_BY_HOTTEST",
    },
    "competition": {
        "relevance": "COMPETITION_SORT_BY_RELEVANCE",
        "votes": "COMPETITION_SORT_BY_NUMBER_OF_TEAMS",
        "updated": "COMPETITION_SORT_BY_RECENTLY_CREATED",
        "hot": "COMPETITION_SORT_BY_GROUPED",
    },
    "model": {
        "relevance": "LIST_MODELS_ORDER_BY_UNSPECIFIED",
        "votes": "LIST_MODELS_ORDER_BY_VOTE_COUNT",
        "updated": "LIST_MODELS_ORDER_BY_UPDATE_TIME",
        "hot": "LIST_MODELS_ORDER_BY_HOTNESS",
    },
    "notebook": {"relevance": "RELEVANCE", "votes": "VOTE_COUNT", "updated": "DATE_RUN", "hot": "HOTNESS"},
}


@dataclass(frozen=True)
class Found(Record):
    """One thing on Kaggle: ``handle`` is what to type next; ``None`` and empty texts mean that Kaggle does not say.

    ``usability`` is Kaggle's own mark from 0 to 1 for documentation and upkeep. ``worn`` says why most readers have
    seen a project on it, empty when they have not.
    """

    handle: str
    kind: SearchKind
    title: str = ""
    size_bytes: int | None = None
    licence: str = ""
    usability: float | None = None
    votes: int | None = None
    updated: str = ""
    url: str = ""
    worn: str = ""


def search(
    words: str,
    *,
    kind: SearchKind = "dataset",
    sort: Sort = "relevance",
    max_size_bytes: int | None = None,
    limit: int = FOUND_MAX,
    kaggle: Kaggle | None = None,
) -> tuple[Found, ...]:
    """Return up to ``limit`` things that Kaggle finds for ``words``, in Kaggle's order.

    What is known to be larger than ``max_size_bytes`` is left out. Raises ``AccessError`` when Kaggle does not answer.
    """
    if kind not in KINDS or sort not in SORTS:
        wrong, known = (kind, KINDS) if kind not in KINDS else (sort, SORTS)
        message = f"`{wrong}` is unknown, expected one of {', '.join(known)}"
        raise UsageError(message, hint="see `kaggle2app search --help`")
    if not words.strip():
        message = "there are no words to search for"
        raise UsageError(message, hint="such as `kaggle2app search house prices`")
    if kaggle is None:
        from toolkit.credentials import find  # noqa: PLC0415 - not needed where a conversation is given
        from toolkit.kaggle_api import Kaggle as Conversation  # noqa: PLC0415 - as above

        kaggle = Conversation(find())
    found: list[Found] = []
    for item in _items(kaggle, words, kind, sort, max_size_bytes):
        one = _found(kind, item)
        if one and (max_size_bytes is None or one.size_bytes is None or one.size_bytes <= max_size_bytes):
            found.append(one)
        if len(found) >= limit:
            break
    return tuple(found[:limit])


def near(kaggle: Kaggle, handle: Handle) -> tuple[str, ...]:
    """Return up to three handles of the same kind whose names are like that of ``handle``; none when nobody knows."""
    if handle.kind not in KINDS:
        return ()
    kind: SearchKind = handle.kind
    wanted = f"{handle.owner}/{handle.slug}".strip("/").lower()
    words = re.split(r"[^A-Za-z0-9]+", handle.slug)
    ranked: dict[str, float] = {}
    for asked in _guesses(kind, handle, words):
        try:
            for item in _items(kaggle, asked, kind, "relevance", None, hurried=True):
                one = _found(kind, item)
                if one is None or one.handle == str(handle):
                    continue
                name = "/".join(one.handle.rpartition(":")[2].split("/")[:2]).lower()
                alike = difflib.SequenceMatcher(None, wanted, name).ratio()
                same = 1.0 if name.rpartition("/")[2] == handle.slug.lower() else 0.0
                ranked[one.handle] = max(alike, same)
                if len(ranked) >= FOUND_MAX:
                    break
        except (AccessError, UsageError):
            break
        if any(alike > NEAR_LIKENESS for alike in ranked.values()):
            break
    best = sorted(ranked, key=lambda name: -ranked[name])
    return tuple(name for name in best[:NEAR_MAX] if ranked[name] > NEAR_LIKENESS)


def _guesses(kind: SearchKind, handle: Handle, words: list[str]) -> tuple[str, ...]:
    """Return what to search for, the likeliest first: the name, its owner, its longest word, that word's beginning."""
    longest = max(words, key=len)
    owner = handle.owner if kind != "competition" else ""
    guesses = (" ".join(words), owner, longest, longest[: max(3, len(longest) // 2)])
    return tuple(dict.fromkeys(guess for guess in guesses if guess))


def _items(
    kaggle: Kaggle, words: str, kind: SearchKind, sort: Sort, max_size_bytes: int | None, *, hurried: bool = False
) -> Iterator[Any]:
    from importlib import import_module  # noqa: PLC0415 - for kagglesdk, 200 ms

    service, method, attribute, module, enum = _TYPES[kind]
    order = getattr(import_module(module), enum)[_SORT_NAMES[kind][sort]]
    token = ""
    for number in range(PAGES_MAX):
        asked: dict[str, Any] = {"search": words, "sort_by": order}
        if kind == "dataset" and max_size_bytes is not None:
            asked["max_size"] = max_size_bytes
        if token:
            asked["page_token"] = token
        elif number:
            asked["page"] = number + 1
        answer = kaggle.ask(service, method, patience=kaggle.patience.hurried if hurried else None, **asked)
        yield from getattr(answer, attribute, None) or ()
        token = getattr(answer, "next_page_token", "") or ""
        if not token:
            return


def _found(kind: SearchKind, item: Any) -> Found | None:
    """Return what Kaggle says of one thing; ``None`` for what has no handle that can be typed."""
    try:
        handle = _handle(kind, item)
    except UsageError:
        return None
    whole = handle.kind == kind  # a model whose variations Kaggle does not list stays without them
    moment = next(
        (
            value
            for name in ("last_updated", "update_time", "last_run_time", "deadline", "publish_time")
            if (value := getattr(item, name, None)) is not None
        ),
        None,
    )
    votes = next((value for name in ("vote_count", "total_votes") if (value := _number(item, name)) is not None), None)
    usability = getattr(item, "usability_rating", None)
    return Found(
        handle=str(handle) if whole else f"{kind}:{handle.owner}/{handle.slug}",
        kind=kind,
        title=_line(getattr(item, "title", "")),
        size_bytes=_size(kind, item),
        licence=_licence(kind, item),
        usability=round(float(usability), 2) if kind == "dataset" and usability else None,
        votes=votes,
        updated=moment.date().isoformat() if moment else "",
        url=handle.page if whole else f"https://www.kaggle.com/models/{handle.owner}/{handle.slug}",
        worn=_worn(item),
    )


def _handle(kind: SearchKind, item: Any) -> Handle:
    reference = _line(getattr(item, "ref", ""))
    if kind == "competition":
        return Handle.parse(f"competition:{reference.rstrip('/').rsplit('/', 1)[-1]}")
    if kind == "model":
        instances = getattr(item, "instances", None) or ()
        for instance in instances:
            name = str(getattr(getattr(instance, "framework", None), "name", ""))
            framework = FRAMEWORK_ALIASES.get(name.removeprefix("MODEL_FRAMEWORK_").replace("_", "").lower())
            if framework:
                return Handle.parse(f"model:{reference}/{framework}/{instance.slug}")
        return Handle.parse(f"dataset:{reference}")  # the same form: owner/slug
    return Handle.parse(f"{kind}:{reference}")


def _size(kind: SearchKind, item: Any) -> int | None:
    if kind == "dataset":
        return _number(item, "total_bytes") or None  # 0 where Kaggle does not say
    if kind == "model":
        sizes = [_number(instance, "total_uncompressed_bytes") for instance in getattr(item, "instances", None) or ()]
        return next((size for size in sizes if size), None)
    return None


def _licence(kind: SearchKind, item: Any) -> str:
    holder = next(iter(getattr(item, "instances", None) or ()), None) if kind == "model" else item
    return _line(getattr(holder, "license_name", "") or "")


def _worn(item: Any) -> str:
    for name, least, words in (
        ("kernel_count", NOTEBOOKS_WORN, "notebooks"),
        ("download_count", DOWNLOADS_WORN, "downloads"),
        ("team_count", TEAMS_WORN, "teams"),
    ):
        count = _number(item, name) or 0
        if count >= least:
            return f"{count:,} {words}"
    return ""


def _number(item: Any, name: str) -> int | None:
    value = getattr(item, name, None)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _line(value: object) -> str:
    return " ".join(str(value or "").split())
