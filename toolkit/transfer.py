"""One file from Kaggle's storage to this disk: resumed where it was cut, verified before it gets its name."""

from __future__ import annotations

import base64
import errno
import gzip
import json
import re
import shutil
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import file_digest, md5
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, urlsplit

from toolkit.errors import AccessError, ProjectError
from toolkit.files import CountedBeside, human_size, is_archive, reserve, write_atomic
from toolkit.kaggle_api import PASSING, Patience, Say, network_error, retry_after, silent
from toolkit.refusals import (
    DamagedError,
    NetworkError,
    NotFoundError,
    PrivateError,
    RateLimitError,
    ServerError,
    SpaceError,
)

if TYPE_CHECKING:
    from hashlib import _Hash

READ_BYTES = 1 << 19  # at most at once; on loopback larger reads gain nothing and smaller ones wake more threads
SPARE_BYTES = 20_000_000  # left free on the disk for everybody else
TRIES_IN_ALL_MAX = 60  # of one file, however well each of them goes on
EXPIRED = frozenset({400, 401, 403, 410})  # what storage answers to an address that is no longer good
ADDRESSES_MAX = 5  # new ones that are asked for before an address that is refused is refused for good
SAY_SECONDS = 0.2  # between two lines of progress
BAR_CHARACTERS = 12
AGAIN = "run the same command again; what has arrived is kept"
REDIRECTS_MAX = 5
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class Place:
    """Where a file is to be had: an address that is good for a while, or an answer whose body is the file."""

    url: str = ""
    answer: Any = None


@dataclass(frozen=True)
class Arrival:
    """A complete file: its name at the sender's, its size, and how it was verified."""

    name: str
    size_bytes: int
    etag: str = ""
    verified: str = ""


@dataclass(frozen=True)
class _Sent:
    """What the sender says of the whole file; kept beside a partial file to tell whether the rest still fits."""

    name: str = ""
    etag: str = ""
    modified: str = ""
    md5: str = ""
    encoding: str = ""
    size_bytes: int | None = None

    @property
    def validator(self) -> str:
        """Return what proves to the sender that our part is of the same file; a weak tag proves nothing."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def is_same(self, other: _Sent) -> bool:
        """Return whether two answers speak of the same bytes, as far as both say anything."""
        pairs = ((self.etag, other.etag), (self.md5, other.md5), (self.size_bytes, other.size_bytes))
        return all(mine == its for mine, its in pairs if mine and its) and self.encoding == other.encoding


def bring(
    locate: Callable[[], Place],
    target: Path,
    *,
    label: str,
    size_bytes: int | None = None,
    room_bytes: int = 0,
    patience: Patience | None = None,
    say: Say | None = None,
) -> Arrival:
    """Return when ``target`` is complete and verified; what was there of it before is used.

    ``locate`` asks Kaggle for the file's address and is called again when that has expired. ``size_bytes`` is the
    listed size, the last resort where the sender gives neither length nor checksum; ``room_bytes`` is needed beside
    the file itself. Raises the ``AccessError`` that fits; the part that has arrived stays in ``target``.partial.
    """
    job = _Job(
        locate,
        target,
        label=label,
        size_bytes=size_bytes,
        room_bytes=room_bytes,
        patience=patience or Patience(),
        say=say or silent,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return job.run()
    except OSError as error:
        raise space_error(error, target.parent) from error
    except ProjectError as error:  # what writing whole files or nothing raises
        if isinstance(error.__cause__, OSError):
            raise space_error(error.__cause__, target.parent) from error
        raise
    finally:
        if job.session is not None:
            job.session.close()


def space_error(error: OSError, folder: Path) -> AccessError:
    """Return what a failure to write means."""
    if error.errno in FULL:
        free = f": {human_size(shutil.disk_usage(folder).free)} free" if folder.exists() else ""
        message = f"the disk of `{folder}` is full{free}"
        return SpaceError(message, hint=f"free some space or point KAGGLE2APP_CACHE to another disk, then {AGAIN}")
    message = f"`{folder}` cannot be written: {error.strerror or error}"
    return SpaceError(message, hint="look at its permissions, or point KAGGLE2APP_CACHE to another folder")


def arrived(target: Path) -> Arrival | None:
    """Return what an earlier run brought to ``target``, if it came to its end."""
    try:
        told = Arrival(**json.loads(_beside(target, "arrival").read_text(encoding="utf-8")))
        return told if target.stat().st_size == told.size_bytes else None
    except (OSError, ValueError, TypeError):
        return None


def forget(target: Path) -> None:
    """Leave nothing of ``target``, neither whole nor in part."""
    for path in (target, *(_beside(target, word) for word in ("arrival", "partial", "state"))):
        path.unlink(missing_ok=True)


class _CutError(Exception):
    """The body ended before its end; what has arrived is good."""

    def __init__(self, cause: Exception | None = None, *, text: str = "", slow: bool = False) -> None:
        super().__init__(text)
        self.cause, self.slow = cause, slow

    @property
    def silent(self) -> bool:
        """Return whether next to nothing came for as long as we wait, which makes each further try cost as much."""
        return self.slow or "timed out" in str(self.cause).lower()


class _Job:
    """One file on its way."""

    def __init__(
        self,
        locate: Callable[[], Place],
        target: Path,
        *,
        label: str,
        size_bytes: int | None,
        room_bytes: int,
        patience: Patience,
        say: Say,
    ) -> None:
        self.locate, self.target, self.label = locate, target, label
        self.listed_bytes, self.room_bytes = size_bytes, room_bytes
        self.patience, self.say = patience, say
        self.partial, self.state = _beside(target, "partial"), _beside(target, "state")
        self.sum: _Hash | None = None  # of the first `hashed_bytes`
        self.hashed_bytes = 0
        self.place: Place | None = None
        self.session: Any = None

    def run(self) -> Arrival:
        """Try until the file is whole, or until trying again makes no sense."""
        before = arrived(self.target)
        if before is not None:
            return before
        misses, furthest, addresses, tries, spoiled = 0, self._have(), 0, 0, False
        while True:
            tries += 1
            try:
                sent, whole = self._once()
                return self._finish(sent, whole=whole)
            except _SpoiledError as error:
                self._drop()
                self.place = None
                if spoiled:
                    raise error.told from None
                spoiled = True
                self.say(f"{error.told.message}; fetching it once more")
            except _LaterError as error:
                misses += 1
                if misses >= self.patience.tries or error.after is None:
                    raise error.told from None
                self._wait(error.told.message, max(error.after, self.patience.before(misses)))
            except _ExpiredError as error:
                addresses += 1
                if addresses > ADDRESSES_MAX:
                    raise error.told from None
                self.place = None
            except _CutError as error:
                have = self._have()
                misses = 0 if have > furthest and not error.slow else misses + (2 if error.silent else 1)
                furthest = max(have, furthest)
                told = self._cut(error)
                if misses >= self.patience.tries or tries >= TRIES_IN_ALL_MAX:
                    raise told from None
                if self.place is not None and self.place.answer is not None:
                    self.place = None
                self._wait(told.message, 0 if have and not misses else self.patience.before(max(misses, 1)))

    def _once(self) -> tuple[_Sent, bool]:
        """Ask for what is missing and write it; return what was sent, and whether its end is known to be the end."""
        import requests  # noqa: PLC0415 - 40 ms, for what is on Kaggle alone

        have, known = self._have(), self._known()
        if have and (known is None or not (known.validator or known.md5)):
            have = 0  # nothing proves that the rest would be of the same file
        headers = {"Accept-Encoding": "identity", "User-Agent": "kaggle2app"}
        if have and known is not None:
            headers["Range"] = f"bytes={have}-"
            if known.validator:
                headers["If-Range"] = known.validator
        place = self.place = self.place or self.locate()
        try:
            if place.answer is not None:
                with place.answer as answer:
                    return self._receive(answer, 0, None)
            with self._get(place.url, headers) as answer:
                return self._receive(answer, have, known)
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.TooManyRedirects) as error:
            raise network_error(error, "Kaggle's storage") from None
        except requests.exceptions.ProxyError as error:
            raise network_error(error, "Kaggle's storage") from None
        except requests.exceptions.SSLError as error:
            raise network_error(error, "Kaggle's storage") from None
        except requests.RequestException as error:
            raise _CutError(error) from None

    def _get(self, url: str, headers: dict[str, str]) -> Any:
        import requests  # noqa: PLC0415 - as above

        if self.session is None:
            self.session = requests.Session()
            self.session.auth = _unsigned  # else ~/.netrc would be looked up for the storage's host
            self.session.max_redirects = REDIRECTS_MAX
        seconds = (self.patience.connect_seconds, self.patience.read_seconds)
        try:
            answer = self.session.get(url, headers=headers, stream=True, timeout=seconds)
        except requests.RequestException:
            raise
        except ValueError as error:  # some addresses are none in ways that it does not foresee
            raise requests.exceptions.InvalidURL(error) from None
        if url.startswith("https:") and not answer.url.startswith("https:"):
            answer.close()
            message = "Kaggle's storage leads to an address without encryption"
            raise ServerError(message, hint="sign in to this network in a browser, then try again")
        return answer

    def _receive(self, answer: Any, have: int, known: _Sent | None) -> tuple[_Sent, bool]:
        status = answer.status_code
        if status == 416 and known is not None:  # noqa: PLR2004 - nothing beyond what we have
            total = re.search(r"\*/(\d+)", answer.headers.get("Content-Range", ""))
            if total and int(total[1]) == have and known.is_same(_sent(answer, None)):
                return _with_size(known, have), True
            self._drop()
            raise _CutError(text="the part that had arrived no longer fits")
        if status == 206 and have and known is not None:  # noqa: PLR2004 - a part
            return self._resume(answer, have, known)
        if status not in {200, 206}:  # neither whole nor part
            raise self._refused(answer, status)
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        if status == 206:  # noqa: PLR2004 - a part that nobody asked for
            first, size = _range(answer)
            if first != 0:
                raise _CutError(text="a part came that was not asked for")
        sent = _sent(answer, size)
        kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind == "text/html" and not sent.md5 and not sent.name.lower().endswith((".html", ".htm")):
            message = f"something between here and Kaggle's storage sends a page of its own in place of `{self.label}`"
            raise NetworkError(message, hint="sign in to this network in a browser, then try again")
        self._check_room(sent.size_bytes or self.listed_bytes or 0)
        with self.partial.open("wb") as out:  # emptied first: a state must never describe older bytes
            write_atomic(self.state, json.dumps(asdict(sent)))
            reserve(out, sent.size_bytes or 0)
            self.sum, self.hashed_bytes = _weak_md5() if sent.md5 else None, 0
            whole = self._write(answer, out, sent, 0)
        return sent, whole

    def _resume(self, answer: Any, have: int, known: _Sent) -> tuple[_Sent, bool]:
        first, total = _range(answer)
        if first != have or not known.is_same(_sent(answer, total)):
            self._drop()
            raise _CutError(text="the rest that was sent does not fit what had arrived")
        self._check_room((total or have) - have)
        if self.hashed_bytes != have:
            self.sum, self.hashed_bytes = None, have
            if known.md5:
                with self.partial.open("rb") as stream:
                    self.sum = file_digest(stream, _weak_md5)
        with self.partial.open("ab") as out:
            whole = self._write(answer, out, known, have)
        return _with_size(known, total), whole

    def _write(self, answer: Any, out: IO[bytes], sent: _Sent, have: int) -> bool:
        """Write the body as it comes; a checksum is counted beside it. Return whether the end is known to be one."""
        import urllib3  # noqa: PLC0415 - requests has loaded it

        body = answer.raw
        meter = _Meter(self.label, sent.size_bytes, have, self.say)
        stretch, since = self.patience.clock(), 0
        with CountedBeside(*[self.sum] if self.sum else []) as beside:
            try:
                while chunk := body.read1(READ_BYTES, decode_content=False):
                    beside.count(chunk)
                    out.write(chunk)
                    self.hashed_bytes += len(chunk)
                    since += len(chunk)
                    meter.add(len(chunk))
                    now = self.patience.clock()
                    if now - stretch > self.patience.drip_seconds:
                        if since < self.patience.drip_bytes:
                            raise _CutError(text=f"{human_size(since)} in {now - stretch:.0f} s is no speed", slow=True)
                        stretch, since = now, 0
            except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
                raise _CutError(error) from None
            finally:
                out.flush()
        if sent.size_bytes is not None and meter.done < sent.size_bytes:
            raise _CutError(text=f"{human_size(meter.done)} of {human_size(sent.size_bytes)} came")
        return sent.size_bytes is not None or "chunked" in answer.headers.get("Transfer-Encoding", "").lower()

    def _finish(self, sent: _Sent, *, whole: bool) -> Arrival:
        """Verify what has arrived and give it its name."""
        size = self._have()
        verified = "length" if whole else ""
        if sent.size_bytes is not None and size != sent.size_bytes:
            self._spoil(f"{human_size(size)} arrived of {human_size(sent.size_bytes)}")
        fits = not sent.md5 or self._digest(size) == sent.md5
        if not verified and not sent.md5:
            verified = self._end(sent, size)
        if sent.encoding:
            if sent.encoding != "gzip":
                self._spoil(f"it is packed as `{sent.encoding}`, which nobody asked for")
            self._decode()
            size = self._have()
            fits = fits or self._digest(size) == sent.md5  # some count it before packing, some after
        if not fits:
            self._spoil("its checksum is not the one that was sent with it")
        if sent.md5:
            verified = "checksum"
        elif self.listed_bytes is not None and size < self.listed_bytes and not is_archive(self.partial):
            self._spoil(f"{human_size(size)} arrived of the {human_size(self.listed_bytes)} that Kaggle lists")
        arrival = Arrival(sent.name, size, sent.etag, verified)
        write_atomic(_beside(self.target, "arrival"), json.dumps(asdict(arrival)))
        self.partial.replace(self.target)
        self.state.unlink(missing_ok=True)
        return arrival

    def _digest(self, size: int) -> str:
        """Return the checksum of what has arrived; it is counted again only where it was not counted on the way."""
        if self.sum is None or self.hashed_bytes != size:
            with self.partial.open("rb") as stream:
                self.sum, self.hashed_bytes = file_digest(stream, _weak_md5), size
        return self.sum.hexdigest()

    def _end(self, sent: _Sent, size: int) -> str:
        """Return how the end of a body that came without length and checksum is known to be its end."""
        import requests  # noqa: PLC0415 - it is loaded

        if self.listed_bytes is not None and size == self.listed_bytes and not sent.encoding:
            return "listed size"
        if self.place is not None and self.place.url and sent.validator:
            headers = {"Range": f"bytes={size}-", "If-Range": sent.validator, "Accept-Encoding": "identity"}
            try:
                with self._get(self.place.url, headers) as answer:
                    status = answer.status_code
            except requests.RequestException as error:
                raise _CutError(error) from None
            if status == 416:  # noqa: PLR2004 - nothing beyond what we have
                return "end of range"
            if status == 206:  # noqa: PLR2004 - there is more
                raise _CutError(text="the body was cut")
        import zipfile  # noqa: PLC0415 - for this rare case alone

        if zipfile.is_zipfile(self.partial):
            return "end of archive"
        return self._spoil("it came without length and checksum, so nobody can say whether it is whole")

    def _decode(self) -> None:
        """Take off the packing that the way here put on."""
        plain = _beside(self.target, "plain")
        try:
            with gzip.open(self.partial) as packed, plain.open("wb") as out:
                while chunk := packed.read(READ_BYTES):
                    out.write(chunk)
                    self._check_room(0)
            plain.replace(self.partial)
            self.sum, self.hashed_bytes = None, 0
        except (EOFError, gzip.BadGzipFile, zlib.error):
            self._spoil("its packing is broken")
        finally:
            plain.unlink(missing_ok=True)

    def _refused(self, answer: Any, status: int) -> Exception:
        after = retry_after(answer)
        if status in PASSING:
            kind = RateLimitError if status == 429 else ServerError  # noqa: PLR2004 - too many requests
            why = "asks for a pause" if status == 429 else f"has trouble of its own (answer {status})"  # noqa: PLR2004
            told = kind(f"Kaggle's storage {why}, at `{self.label}`", hint=f"wait some minutes, then {AGAIN}")
            too_long = after is not None and after > self.patience.retry_after_max_seconds
            return _LaterError(told, None if too_long else after or 0.0)
        if status in EXPIRED and self.place is not None and self.place.url:
            message = f"Kaggle's storage does not give `{self.label}` (answer {status})"
            return _ExpiredError(PrivateError(message, hint=f"check this machine's clock, then {AGAIN}"))
        if status == 404:  # noqa: PLR2004 - not found
            message = f"Kaggle's storage does not have `{self.label}`"
            return NotFoundError(message, hint="its page may know more; try again later")
        message = f"Kaggle's storage answers `{self.label}` with {status}"
        return ServerError(message, hint=f"wait some minutes, then {AGAIN}")

    def _cut(self, error: _CutError) -> AccessError:
        if error.cause is not None:
            told = network_error(error.cause, "Kaggle's storage")
            return type(told)(f"{told.message}, at `{self.label}`", hint=told.hint)
        message = f"`{self.label}` did not arrive whole" + (f": {error}" if str(error) else "")
        return DamagedError(message, hint=f"check the network, then {AGAIN}")

    def _spoil(self, why: str) -> NoReturn:
        raise _SpoiledError(DamagedError(f"`{self.label}` arrived damaged: {why}", hint="try again later")) from None

    def _wait(self, why: str, seconds: float) -> None:
        self.say(f"{why}; going on" + (f" in {seconds:.0f} s" if seconds >= 1 else ""))
        if seconds:
            self.patience.sleep(seconds)

    def _have(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _known(self) -> _Sent | None:
        try:
            return _Sent(**json.loads(self.state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _drop(self) -> None:
        self.state.unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)
        self.sum, self.hashed_bytes = None, 0

    def _check_room(self, coming_bytes: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        needed = coming_bytes + self.room_bytes + SPARE_BYTES
        if free < needed:
            where = f"{human_size(free)} are free at `{self.target.parent}`"
            message = f"`{self.label}` needs {human_size(needed)} of disk, {where}"
            raise SpaceError(message, hint="free some space, or point KAGGLE2APP_CACHE to another disk")


class _ExpiredError(Exception):
    """The address is no longer good."""

    def __init__(self, told: AccessError) -> None:
        super().__init__(told.message)
        self.told = told


class _SpoiledError(_ExpiredError):
    """All of it came, and it is not what was sent."""


class _LaterError(_ExpiredError):
    """Trouble that may pass; ``after`` are the seconds asked for, ``None`` when that is too long."""

    def __init__(self, told: AccessError, after: float | None) -> None:
        super().__init__(told)
        self.after = after


class _Meter:
    """Bytes, rate and time left, told a few times a second."""

    def __init__(self, label: str, total: int | None, done: int, say: Say) -> None:
        self.label, self.total, self.done, self.say = label, total, done, say
        self.started, self.before, self.told = time.monotonic(), done, 0.0

    def add(self, size_bytes: int) -> None:
        """Count what has come."""
        self.done += size_bytes
        now = time.monotonic()
        if now - self.told < SAY_SECONDS:
            return
        self.told = now
        rate = (self.done - self.before) / max(now - self.started, 0.001)
        line = f"{self.label}: {human_size(self.done)}"
        if self.total:
            left = (self.total - self.done) / max(rate, 1)
            bar = "#" * (BAR_CHARACTERS * self.done // self.total)
            line = f"[{bar:.<{BAR_CHARACTERS}}] {human_size(self.done)} of {human_size(self.total)}"
            line += f", {human_size(rate)}/s, {_duration(left)} left, {self.label}"  # what a narrow terminal cuts off
        else:
            line += f", {human_size(rate)}/s"
        self.say(line)


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - an hour


def _sent(answer: Any, size_bytes: int | None) -> _Sent:
    headers = answer.headers
    checksum = re.search(r"md5=([A-Za-z0-9+/]{22}==)", headers.get("x-goog-hash", ""))
    return _Sent(
        name=unquote(urlsplit(answer.url).path.rsplit("/", 1)[-1]),
        etag=headers.get("ETag", ""),
        modified=headers.get("Last-Modified", ""),
        md5=base64.b64decode(checksum[1]).hex() if checksum else "",
        encoding=headers.get("Content-Encoding", "").strip().lower().replace("identity", ""),
        size_bytes=size_bytes,
    )


def _range(answer: Any) -> tuple[int | None, int | None]:
    """Return where the part begins that an answer holds, and the size of the whole, as far as it says."""
    part = re.fullmatch(r"bytes\s+(\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip(), re.IGNORECASE)
    if part is None:
        return None, None
    return int(part[1]), int(part[3]) if part[3].isdigit() else None


def _with_size(sent: _Sent, size_bytes: int | None) -> _Sent:
    return _Sent(sent.name, sent.etag, sent.modified, sent.md5, sent.encoding, size_bytes or sent.size_bytes)


def _beside(target: Path, word: str) -> Path:
    return target.with_name(f"{target.name}.{word}")


def _weak_md5() -> _Hash:
    return md5(usedforsecurity=False)  # it is what the storage sends, and finds accidents, not attacks


def _unsigned(request: Any) -> Any:
    return request
