"""A thing on Kaggle becomes a ``Download``: looked up, fetched, verified, unpacked and kept, or cleanly refused."""

from __future__ import annotations

import gzip
import html
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from toolkit import search
from toolkit.cache import Shelf, alone, complete, keep, newest, shelf_of
from toolkit.credentials import CREATE_HINT, find
from toolkit.download import Download, Provenance
from toolkit.errors import AccessError, DataError, ProjectError
from toolkit.files import DamagedArchiveError, is_archive, safe_path, unpack
from toolkit.kaggle_api import Kaggle, Patience, Say, consent_error, rules_error, silent
from toolkit.refusals import (
    CredentialsError,
    DamagedError,
    NetworkError,
    NotFoundError,
    OfflineError,
    PrivateError,
    RateLimitError,
    ServerError,
    VersionError,
)
from toolkit.transfer import Arrival, Place, arrived, bring, forget, space_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.handle import Handle

Answer = TypeVar("Answer")

PAGE_FILES = 200  # of a listing at once; what Kaggle's own client asks for
PAGES_MAX = 25  # a thing of more files is known by its first ones
SINGLES_MAX = 25  # files of a model that are fetched one by one; as Kaggle's own client has it
THREADS = 4  # at a time, of a model's files
TEXT_MAX = 20_000  # letters of a description
SUBTITLE_MAX = 300
VERSIONS_SHOWN_MAX = 8
BUNDLE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz")
DATA_PAGES = ("data-description", "data", "description")
KEPT_PAGES = frozenset({*DATA_PAGES, "evaluation", "rules"})


@dataclass(frozen=True)
class _Listed:
    """One file as Kaggle lists it; a size of ``None`` is not told."""

    name: str
    size_bytes: int | None


@dataclass(frozen=True)
class _Known:
    """What Kaggle says of a thing before any of its files is fetched."""

    provenance: Provenance
    files: tuple[_Listed, ...] = ()
    counted: bool = False  # whether ``files`` are all of them


def fetch(
    handle: Handle, *, offline: bool = False, say: Say | None = None, patience: Patience | None = None
) -> Download:
    """Return the complete, verified files of a thing on Kaggle, from the cache when they are there.

    A version that is named, and a competition's data, is asked for once; where none is named, Kaggle is asked which
    is the newest, and if it cannot be reached the newest that was fetched is taken. Raises the ``AccessError`` that
    fits, ``DataError`` for an archive that is refused.
    """
    told = say or silent
    cached = complete(shelf_of(handle, handle.version)) if _is_fixed(handle) else newest(handle)
    if cached is not None and (offline or _is_fixed(handle)):
        return cached
    if offline:
        message = f"`{handle}` was not fetched before, and `--offline` asks for the cache alone"
        raise OfflineError(message, hint=f"run `kaggle2app fetch {handle}` with a network once")
    enduring = patience or Patience()
    kaggle = Kaggle(find(), enduring.hurried if cached is not None else enduring, told)
    try:
        first = _look_up(kaggle, handle)
    except (NetworkError, ServerError, RateLimitError) as error:
        if cached is None:
            raise
        told(
            f"{error.message}; taking version {cached.provenance.version}, fetched {cached.provenance.fetched_at[:10]}"
        )
        return cached
    kaggle.patience = enduring
    shelf = shelf_of(handle, first.version)
    found = complete(shelf)
    if found is not None:
        return found
    with alone(shelf, told):
        found = complete(shelf)  # whoever held the lock may have brought it
        if found is not None:
            return found
        job = _Job(kaggle, handle, shelf, first.version, say=told)
        return job.run(first.answer)


def _is_fixed(handle: Handle) -> bool:
    return handle.version is not None or handle.kind == "competition"


@dataclass(frozen=True)
class _First:
    """The answer of the first question: which version, and what else came with it."""

    version: int | None
    answer: Any


def _look_up(kaggle: Kaggle, handle: Handle) -> _First:
    """Return which version is meant, after the one call that knows; refusals are told with what is near."""
    try:
        match handle.kind:
            case "dataset":
                told = kaggle.ask("datasets", "get_dataset", about=handle, **_dataset(handle))
                newest_version = _whole(told.current_version_number) or max(_numbers(told), default=None)
            case "model":
                told = kaggle.ask("models", "get_model_instance", about=handle, **_model(handle))
                newest_version = _whole(told.version_number)
            case "notebook":
                told = kaggle.ask(
                    "kernels", "get_kernel", about=handle, user_name=handle.owner, kernel_slug=handle.slug
                ).metadata
                newest_version = _whole(told.current_version_number if told else 0)
            case _:
                return _First(None, _competition(kaggle, handle))
    except NotFoundError as error:
        raise _with_near(kaggle, handle, error) from error
    if handle.version is not None and newest_version is not None and handle.version > newest_version:
        raise _no_version(handle, _versions(kaggle, handle, told) or tuple(range(1, newest_version + 1)))
    return _First(handle.version or newest_version, told)


def _competition(kaggle: Kaggle, handle: Handle) -> Any:
    """Return what Kaggle says of a competition; without credentials it gives nobody its data."""
    if kaggle.credentials.anonymous:
        message = f"Kaggle gives a competition's data only to who signs in, and there are {kaggle.credentials.source}"
        raise CredentialsError(message, hint=CREATE_HINT)
    try:
        return kaggle.ask("competitions", "get_competition", about=handle, competition_name=handle.slug)
    except NotFoundError:
        # Not every competition has a page of its own; whether there is data is the question.
        kaggle.ask("competitions", "download_data_files", about=handle, competition_name=handle.slug).close()
        return None


class _Job:
    """One thing on its way to its shelf, the lock being held."""

    def __init__(self, kaggle: Kaggle, handle: Handle, shelf: Shelf, version: int | None, *, say: Say) -> None:
        self.kaggle, self.handle, self.shelf, self.version = kaggle, handle, shelf, version
        self.patience, self.say = kaggle.patience, say
        self.staging = shelf.work / "staging"
        self.entered = True  # whether the person has joined the competition, if it is one

    def run(self, answer: Any) -> Download:
        """Fetch, verify, unpack, keep."""
        self.entered = _entered(answer)
        known = self._describe(answer)
        try:
            shutil.rmtree(self.staging, ignore_errors=True)
            self.shelf.work.mkdir(parents=True, exist_ok=True)
            if self.handle.kind == "model" and known.counted and 0 < len(known.files) <= SINGLES_MAX:
                self._singles(known.files)
            else:
                try:
                    self._bundle(known)
                except NotFoundError:
                    output = self._output() if self.handle.kind == "notebook" else {}
                    if not output:
                        raise
                    self._singles(tuple(_Listed(name, None) for name in output))
            self._check_any()
            return keep(self.shelf, self.staging, known.provenance)
        except (DataError, ProjectError) as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and not isinstance(cause, gzip.BadGzipFile):
                raise space_error(cause, self.shelf.folder) from cause
            shutil.rmtree(self.shelf.work, ignore_errors=True)  # nobody will want the rest of what is refused
            raise
        except OSError as error:
            raise space_error(error, self.shelf.folder) from error

    def _check_any(self) -> None:
        if not any(path.is_file() for path in self.staging.rglob("*")):
            message = f"`{self.handle}` holds no file"
            raise DataError(message, hint=f"look at {self.handle.page}")

    def _bundle(self, known: _Known) -> None:
        """Fetch the thing as one archive and unpack it; one that is damaged all the same is fetched once more."""
        target = self.shelf.work / "bundle"
        expanded = sum(file.size_bytes or 0 for file in known.files)
        alone_bytes = known.files[0].size_bytes if known.counted and len(known.files) == 1 else None
        again = arrived(target) is None
        while True:
            arrival = bring(
                self._locate(None),
                target,
                label=str(self.handle),
                size_bytes=alone_bytes,
                room_bytes=expanded,
                patience=self.patience,
                say=self.say,
            )
            try:
                return self._unpack(target, arrival, known)
            except DamagedArchiveError as error:
                forget(target)
                if again:
                    message = f"what Kaggle sends for `{self.handle}` is damaged: {error.message}"
                    raise DamagedError(message, hint="try again later, or tell its owner on its page") from error
                again = True
                self.say(f"{error.message}; fetching it once more")

    def _unpack(self, target: Path, arrival: Arrival, known: _Known) -> None:
        listed = [PurePosixPath(file.name).name for file in known.files] if known.counted else []
        name = PurePosixPath(arrival.name).name or "data"
        if not PurePosixPath(name).suffix and len(listed) == 1 and PurePosixPath(listed[0]).suffix:
            name = listed[0]  # the address tells none
        path = target.with_name("named") / name
        if not _is_name(name):
            path = target.with_name("named") / "bundle"
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        try:
            path.hardlink_to(target)  # under its own name: an Excel file is no archive, though it is a zip
        except OSError:  # a disk without hard links
            target.rename(path)
        try:
            if is_archive(path):
                self.say(f"{self.handle}: unpacking")
                unpack(path, self.staging, nested=self.handle.kind != "model")
            elif path.name in {"bundle", "archive.tar.gz"} or path.suffix in {".zip", ".tar", ".tgz"}:
                message = f"`{name}` is no archive"
                raise DamagedArchiveError(message)
            elif len(listed) > 1:
                message = f"one file came, `{name}`, where Kaggle lists {len(listed)}"
                raise DamagedArchiveError(message)
            else:
                self.staging.mkdir(parents=True)
                path.rename(self.staging / path.name)
        finally:
            shutil.rmtree(path.parent, ignore_errors=True)

    def _output(self) -> dict[str, str]:
        """Return the files of a notebook's output that is not there as one archive, each with its address."""
        found: dict[str, str] = {}
        for page, _ in _pages(
            lambda token: self.kaggle.ask(
                "kernels",
                "list_kernel_session_output",
                about=self.handle,
                user_name=self.handle.owner,
                kernel_slug=self.handle.slug,
                version_label=str(self.handle.version) if self.handle.version else None,
                page_size=PAGE_FILES,
                page_token=token,
            ),
            "files",
        ):
            found.update({str(file.file_name): str(file.url) for file in page if file.file_name and file.url})
        return found

    def _singles(self, files: tuple[_Listed, ...]) -> None:
        """Fetch a few files side by side."""
        arriving = self.shelf.work / "arriving"
        places = safe_path_all(files, str(self.handle))
        total = sum(file.size_bytes or 0 for file in files)
        stop = threading.Event()

        def say(line: str) -> None:
            if stop.is_set():
                raise _StoppedError
            self.say(line)

        def one(number: int, file: _Listed) -> None:
            if not stop.is_set():
                bring(
                    self._locate(file.name),
                    arriving / str(number),
                    label=file.name,
                    size_bytes=file.size_bytes,
                    room_bytes=total,
                    patience=self.patience,
                    say=say,
                )

        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for done in as_completed([pool.submit(one, number, file) for number, file in enumerate(files)]):
                    done.result()
            except BaseException:  # Ctrl-C too: the other files stop at their next word
                stop.set()
                raise
        for number, place in enumerate(places):
            target = self.staging / place
            target.parent.mkdir(parents=True, exist_ok=True)
            (arriving / str(number)).rename(target)
            _unwrap(target)

    def _locate(self, name: str | None) -> Callable[[], Place]:
        handle, version = self.handle, self.version

        def locate() -> Place:
            try:
                match handle.kind:
                    case "dataset":
                        told = self.kaggle.ask(
                            "datasets",
                            "download_dataset",
                            about=handle,
                            dataset_version_number=version,
                            file_name=name,
                            **_dataset(handle),
                        )
                    case "model":
                        told = self.kaggle.ask(
                            "models",
                            "download_model_instance_version",
                            about=handle,
                            version_number=version,
                            path=name,
                            **_model(handle),
                        )
                    case "notebook" if name is not None:
                        return Place(url=urljoin(handle.page, self._output().get(name, "")))
                    case "notebook":
                        told = self.kaggle.ask(
                            "kernels",
                            "download_kernel_output",
                            about=handle,
                            owner_slug=handle.owner,
                            kernel_slug=handle.slug,
                            version_number=version,
                        )
                    case _:
                        told = self.kaggle.ask(
                            "competitions", "download_data_files", about=handle, competition_name=handle.slug
                        )
            except NotFoundError as error:
                raise self._gone(error) from error
            except PrivateError:
                if handle.kind == "competition" and not self.entered:
                    raise rules_error(handle) from None
                raise
            if told.is_redirect:
                told.close()
                try:
                    return Place(url=urljoin(told.url, told.headers["Location"]))
                except ValueError:
                    message = "Kaggle leads to an address that is none"
                    raise ServerError(message, hint="try again later") from None
            return Place(answer=told)

        return locate

    def _gone(self, error: NotFoundError) -> AccessError:
        """Return what a download that is not there means: the thing itself has been found before."""
        if self.handle.kind == "notebook":
            message = f"`{self.handle}` has no output that can be fetched"
            return NotFoundError(message, hint=f"look at {self.handle.page}/output")
        if self.handle.version is None:
            return error
        versions = _versions(self.kaggle, self.handle, None)
        return _no_version(self.handle, tuple(number for number in versions if number != self.handle.version))

    def _describe(self, answer: Any) -> _Known:
        describe = {
            "dataset": _describe_dataset,
            "competition": _describe_competition,
            "model": _describe_model,
            "notebook": _describe_notebook,
        }[self.handle.kind]
        known = describe(self.kaggle, self.handle, self.version, answer)
        provenance = replace(
            known.provenance,
            source=str(self.handle),
            kind=self.handle.kind,
            version=str(self.version or ""),
            url=self.handle.page,
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return replace(known, provenance=provenance)


class _StoppedError(Exception):
    """Another file has failed, or somebody has ended the command."""


def _describe_dataset(kaggle: Kaggle, handle: Handle, version: int | None, answer: Any) -> _Known:
    told = _maybe(lambda: kaggle.ask("datasets", "get_dataset_metadata", about=handle, **_dataset(handle)))
    info = told.info if told is not None else None
    licences = [_line(licence.name) for licence in (info.licenses if info else None) or [] if licence.name]
    columns = {}
    for file in (info.data if info else None) or []:
        columns[str(file.name)] = _columns(file.columns)
    files: list[_Listed] = []
    counted = False
    for page in _pages(
        lambda token: kaggle.ask(
            "datasets",
            "list_dataset_files",
            about=handle,
            dataset_version_number=version,
            page_size=PAGE_FILES,
            page_token=token,
            **_dataset(handle),
        ),
        "files",
    ):
        listed, counted = page
        for file in listed:
            name = str(file.name)
            files.append(_Listed(name, _whole(file.total_bytes)))
            columns[name] = _columns(file.columns) | columns.get(name, {})
    provenance = Provenance(
        source="",
        title=_line(answer.title),
        subtitle=_line(answer.subtitle),
        description=_text((info.description if info else "") or answer.description),
        licence=", ".join(licences) or _line(answer.license_name),
        origin=_text((info.user_specified_sources if info else "") or "")
        or _line(answer.owner_name or answer.creator_name),
        tags=tuple(_line(tag.name) for tag in answer.tags or [] if tag.name),
        columns={name: told for name, told in columns.items() if told},
    )
    return _Known(provenance, tuple(files), counted)


def _describe_competition(kaggle: Kaggle, handle: Handle, version: int | None, answer: Any) -> _Known:
    del version  # its data has none

    def ask() -> Any:
        return kaggle.ask(
            "competitions", "list_data_files", about=handle, competition_name=handle.slug, page_size=PAGE_FILES
        )

    try:
        listed = ask()
    except PrivateError:
        if not _entered(answer):
            raise rules_error(handle) from None
        listed = None
    except (NotFoundError, ServerError, NetworkError, RateLimitError):
        listed = None
    pages = _maybe(
        lambda: kaggle.ask("competitions", "list_competition_pages", about=handle, competition_name=handle.slug)
    )
    texts = {
        _line(page.name).lower().replace(" ", "-"): _text(_plain(page.content))
        for page in (pages.pages if pages else None) or []
    }
    data = next((texts[name] for name in DATA_PAGES if texts.get(name)), "")
    files = tuple(
        _Listed(str(file.name), _whole(file.total_bytes)) for file in (listed.files if listed else None) or []
    )
    provenance = Provenance(
        source="",
        title=_line(answer.title if answer else handle.slug),
        subtitle=_line(answer.description if answer else "")[:SUBTITLE_MAX],
        description=data or _text(answer.description if answer else ""),
        licence=_line(getattr(answer, "license_name", "")) or "subject to the competition's rules",
        licence_url=f"{handle.page}/rules",
        origin=_line(answer.organization_name if answer else ""),
        tags=tuple(_line(tag.name) for tag in (answer.tags if answer else None) or [] if tag.name),
        metric=_line(answer.evaluation_metric if answer else ""),
        details={name: text for name, text in texts.items() if text and name in KEPT_PAGES},
    )
    return _Known(provenance, files, counted=listed is not None and not listed.next_page_token)


def _entered(answer: Any) -> bool:
    """Return whether a competition, as far as its answer says, has been joined."""
    return answer is None or bool(getattr(answer, "user_has_entered", True))


def _describe_model(kaggle: Kaggle, handle: Handle, version: int | None, answer: Any) -> _Known:
    told = _maybe(
        lambda: kaggle.ask("models", "get_model", about=handle, owner_slug=handle.owner, model_slug=handle.slug)
    )
    _check_terms(kaggle, handle)
    files: list[_Listed] = []
    counted = False
    for page in _pages(
        lambda token: kaggle.ask(
            "models",
            "list_model_instance_version_files",
            about=handle,
            version_number=version,
            page_size=SINGLES_MAX,
            page_token=token,
            **_model(handle),
        ),
        "files",
        pages_max=1,  # where there is a second one, the whole bundle comes
    ):
        listed, counted = page
        files += [_Listed(str(file.name), _whole(file.size)) for file in listed]
    total = _whole(answer.total_uncompressed_bytes) if _whole(answer.version_number) == version else None
    if total and sum(file.size_bytes or 0 for file in files) < total:
        counted = False  # the list has not everything, so the whole of it comes in one
    base = answer.base_model_instance_information
    owner = getattr(getattr(base, "owner", None), "slug", "") if base else ""
    parts = [owner, getattr(base, "model_slug", ""), getattr(base, "instance_slug", "")] if base else []
    origin = "/".join(_line(part) for part in parts if part) or _line(answer.external_base_model_url)
    texts = [_text(part) for part in (told.description if told else "", answer.overview, answer.usage)]
    details = {
        "framework": handle.framework,
        "overview": texts[1],
        "usage": texts[2],
        "base model": origin,
        "training data": ", ".join(_line(name) for name in answer.training_data or []),
    }
    provenance = Provenance(
        source="",
        title=_line(told.title if told else handle.slug),
        subtitle=_line(told.subtitle if told else ""),
        description="\n\n".join(dict.fromkeys(text for text in texts if text)),
        licence=_line(answer.license_name),
        origin=f"based on {origin}" if origin else _line(told.author if told else handle.owner),
        tags=tuple(
            dict.fromkeys([handle.framework, *(_line(tag.name) for tag in (told.tags if told else None) or [])])
        ),
        details={name: text for name, text in details.items() if text},
    )
    return _Known(provenance, tuple(files), counted)


def _describe_notebook(kaggle: Kaggle, handle: Handle, version: int | None, answer: Any) -> _Known:
    del kaggle, version  # all that is to be known came with the version
    provenance = Provenance(
        source="",
        title=_line(answer.title if answer else handle.slug) or handle.slug,
        origin=_line(answer.author if answer else "") or handle.owner,
    )
    return _Known(provenance)


def _check_terms(kaggle: Kaggle, handle: Handle) -> None:
    """Refuse a model whose terms this person has not agreed to, before anything is fetched."""
    told = _maybe(
        lambda: kaggle.ask(
            "models",
            "list_model_instances",
            about=handle,
            owner_slug=handle.owner,
            model_slug=handle.slug,
            page_size=100,
        )
    )
    for instance in (told.instances if told else None) or []:
        framework = getattr(instance.framework, "name", "").removeprefix("MODEL_FRAMEWORK_").replace("_", "").lower()
        if str(instance.slug).lower() != handle.variation.lower() or framework != handle.framework.lower():
            continue
        licence = instance.license
        status = getattr(getattr(licence, "agreement_status", None), "name", "") if licence else ""
        agreed = "ACCEPTED" in status or "CONSENTED" in status or "GRANTED" in status
        if licence is not None and licence.agreement_required and not instance.can_use and not agreed:
            raise consent_error(handle)


def _versions(kaggle: Kaggle, handle: Handle, answer: Any) -> tuple[int, ...]:
    """Return the versions that there are, as far as Kaggle says."""
    if handle.kind == "dataset":
        told = answer or _maybe(lambda: kaggle.ask("datasets", "get_dataset", about=handle, **_dataset(handle)))
        numbers = _numbers(told)
        newest_version = _whole(told.current_version_number if told else 0) or 0
        return tuple(sorted(numbers)) or tuple(range(1, newest_version + 1))
    if handle.kind == "model":
        told = _maybe(
            lambda: kaggle.ask("models", "list_model_instance_versions", about=handle, page_size=100, **_model(handle))
        )
        listed = told.version_list.versions if told is not None and told.version_list else []
        return tuple(sorted(number for version in listed or [] if (number := _whole(version.version_number))))
    return ()


def _numbers(told: Any) -> list[int]:
    """Return the versions that a dataset lists."""
    return [number for version in getattr(told, "versions", None) or [] if (number := _whole(version.version_number))]


def _no_version(handle: Handle, versions: tuple[int, ...]) -> VersionError:
    shown = ", ".join(str(number) for number in versions[-VERSIONS_SHOWN_MAX:])
    few = len(versions) <= VERSIONS_SHOWN_MAX
    there = (
        f": there {'is' if len(versions) == 1 else 'are'} {'' if few else 'among others '}{shown}" if versions else ""
    )
    message = f"`{replace(handle, version=None)}` has no version {handle.version}{there}"
    newest_handle = replace(handle, version=versions[-1] if versions else None)
    return VersionError(message, hint=f"try `kaggle2app fetch {newest_handle}`")


def _with_near(kaggle: Kaggle, handle: Handle, error: NotFoundError) -> NotFoundError:
    """Return the refusal with names that are near, where Kaggle's search knows some."""
    kaggle.patience = kaggle.patience.hurried
    near = _maybe(lambda: search.near(kaggle, handle)) or ()
    hint = f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else error.hint
    return NotFoundError(error.message, hint=hint)


def _dataset(handle: Handle) -> dict[str, Any]:
    return {"owner_slug": handle.owner, "dataset_slug": handle.slug}


def _model(handle: Handle) -> dict[str, Any]:
    from kagglesdk.models.types.model_enums import ModelFramework  # noqa: PLC0415 - 200 ms, with the client

    plain = handle.framework.lower()
    framework = next(
        member
        for name, member in ModelFramework.__members__.items()
        if name.removeprefix("MODEL_FRAMEWORK_").replace("_", "").lower() == plain
    )
    return {
        "owner_slug": handle.owner,
        "model_slug": handle.slug,
        "framework": framework,
        "instance_slug": handle.variation,
    }


def _pages(
    ask: Callable[[str | None], Any], field_name: str, *, pages_max: int = PAGES_MAX
) -> Iterator[tuple[list[Any], bool]]:
    """Yield the pages of a listing, each with whether it is the last; a listing that fails is a listing that ends."""
    token: str | None = None
    for _ in range(pages_max):
        current = token
        told = _maybe(lambda: ask(current))  # noqa: B023 - called at once
        if told is None:
            return
        token = told.next_page_token or None
        yield list(getattr(told, field_name) or []), token is None
        if token is None:
            return


def _maybe(ask: Callable[[], Answer]) -> Answer | None:
    """Return an answer that can be done without, ``None`` where it is refused."""
    try:
        return ask()
    except (NotFoundError, PrivateError, ServerError, NetworkError, RateLimitError):
        return None


def _columns(columns: Any) -> dict[str, str]:
    told = {str(column.name): _line(column.description) for column in columns or [] if column.name}
    return {name: text for name, text in told.items() if text}


def _whole(value: Any) -> int | None:
    """Return a count of Kaggle's, ``None`` where it gives none or something else."""
    try:
        return max(int(value), 0) or None
    except (TypeError, ValueError, OverflowError):
        return None


def _line(text: Any) -> str:
    """Return a text of Kaggle's as one line without control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text or ""))
    return " ".join(plain.split())[:TEXT_MAX]


def _text(text: Any) -> str:
    """Return a text of Kaggle's with its lines."""
    lines = str(text or "").replace("\r\n", "\n").split("\n")
    plain = ["".join(letter if letter.isprintable() else " " for letter in line).rstrip() for line in lines]
    return "\n".join(plain).strip()[:TEXT_MAX]


def _plain(text: Any) -> str:
    """Return a page's text without its HTML: what stands in cells of one row stays on one line."""
    page = str(text or "")
    if not re.search(r"</(?:p|li|tr|div|h[1-6])>", page, re.IGNORECASE):
        return page
    page = re.sub(r"\s*\n\s*", " ", page)
    page = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", page)
    page = re.sub(r"(?i)</t[dh]>\s*(?=<t[dh])", " | ", page)
    page = re.sub(r"(?i)<(?:br|/p|/li|/tr|/div|/h[1-6]|/ul|/ol|/table)\b[^>]*>", "\n", page)
    lines = html.unescape(re.sub(r"<[^>]*>", "", page)).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


def _is_name(name: str) -> bool:
    try:
        return len(safe_path(name).parts) == 1
    except DataError:
        return False


def safe_path_all(files: tuple[_Listed, ...], what: str) -> list[PurePosixPath]:
    """Return where files go below a folder; names that lead out of it or meet each other are refused."""
    places = [safe_path(file.name) for file in files]
    if len({str(place).casefold() for place in places}) != len(places):
        message = f"`{what}` is refused: two of its names are the same but for case"
        raise DataError(message, hint="fetch its files by hand from its page")
    return places


def _unwrap(path: Path) -> None:
    """Turn a file that came as a zip of itself into itself."""
    import zipfile  # noqa: PLC0415 - for this case alone

    if not zipfile.is_zipfile(path) or not is_archive(path) or path.suffix.lower() in BUNDLE_SUFFIXES:
        return
    with zipfile.ZipFile(path) as zipped:
        if zipped.namelist() != [path.name]:
            return
    inner = path.with_name(f".{path.name}.unpacked")
    unpack(path, inner, nested=False)
    (inner / path.name).replace(path)
    inner.rmdir()
