"""The one way to ask Kaggle: its own client, with time-outs, bounded retries and refusals that say what to do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.credentials import ANONYMOUS, CREATE_HINT, Credentials
from toolkit.errors import AccessError, UsageError
from toolkit.refusals import (
    ConsentError,
    CredentialsError,
    NetworkError,
    NotFoundError,
    PrivateError,
    ProxyError,
    RateLimitError,
    RulesError,
    ServerError,
)

if TYPE_CHECKING:
    from toolkit.handle import Handle

Say = Callable[[str], None]

PASSING = frozenset({408, 429, 500, 502, 503, 504})  # answers that another try may change
NETWORK_TRIES = 3  # of a question that nobody answers; no network is no network
ANSWER_BYTES_MAX = 100_000_000  # of an answer that is no file; listings have some hundred kB
ERROR_BYTES_MAX = 10_000
ERROR_FIELDS = frozenset({"code", "message", "status", "details", "error"})
TEXT_MAX = 300  # of what a server says, in a message
KNOWS_NO_MORE = "look at its page in a browser"
# Kaggle's client by the part of Kaggle that answers: the attribute of the area, the client in it.
CLIENTS = {
    "datasets": ("datasets", "dataset_api_client"),
    "competitions": ("competitions", "competition_api_client"),
    "models": ("models", "model_api_client"),
    "kernels": ("kernels", "kernels_api_client"),
    "oauth": ("security", "oauth_client"),
    "account": ("users", "account_client"),
}


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds; ``sleep`` does the waiting, ``clock`` tells the time."""

    connect_seconds: float = 10.0
    read_seconds: float = 20.0  # between two bytes
    tries: int = 5
    wait_seconds: float = 0.5  # before the second try; doubles from try to try
    wait_max_seconds: float = 30.0
    retry_after_max_seconds: float = 120.0
    drip_seconds: float = 30.0  # in such a stretch at least `drip_bytes` must come
    drip_bytes: int = 30_000
    answer_seconds: float = 120.0  # for the whole of an answer that is no file
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def before(self, attempt: int) -> float:
        """Return the seconds to wait before try number ``attempt`` + 1."""
        return float(min(self.wait_seconds * 2 ** (attempt - 1), self.wait_max_seconds))

    @property
    def hurried(self) -> Patience:
        """Return the patience for a question that can be done without."""
        return replace(
            self, tries=1, connect_seconds=min(self.connect_seconds, 5), read_seconds=min(self.read_seconds, 10)
        )


class Kaggle:
    """A conversation with Kaggle under one set of credentials; may be used from several threads."""

    def __init__(self, credentials: Credentials, patience: Patience | None = None, say: Say | None = None) -> None:
        self.credentials = credentials
        self.patience = patience or Patience()
        self._say = say or silent
        self._lock = threading.Lock()
        self._client: Any = None
        self._answer: Any = None  # the last answer: the client's exceptions do not always carry it

    def ask(
        self, service: str, method: str, *, about: Handle | None = None, patience: Patience | None = None, **values: Any
    ) -> Any:
        """Return Kaggle's answer to one call, such as ``ask("datasets", "get_dataset", owner_slug=...)``.

        Raises the ``AccessError`` that fits; trouble that may pass is tried again first.
        """
        enduring = patience or self.patience
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(service, method, values)
            except _Refusal as refusal:
                error = self._told(refusal, about)
                wait = refusal.wait(enduring, attempt)
                if wait is None or attempt >= enduring.tries:
                    raise error from None  # the chain holds addresses and headers, which are nobody's business
                self._say(f"{error.message}; next try in {wait:.0f} s")
                enduring.sleep(wait)

    @property
    def answered(self) -> frozenset[str]:
        """Return the names that stood in the last answer: the client's object has a value for those that did not."""
        try:
            told = json.loads(self._answer.content)
        except (AttributeError, ValueError):
            return frozenset()
        return frozenset(told) if isinstance(told, dict) else frozenset()

    def _once(self, service: str, method: str, values: dict[str, Any]) -> Any:
        import requests  # noqa: PLC0415 - 40 ms, for what is on Kaggle alone

        with self._lock:
            client = self._open()
            area, name = CLIENTS[service]
            call = getattr(getattr(getattr(client, area), name), method)
            request = call.__annotations__["request"]()
            for field, value in values.items():
                if value is not None:
                    setattr(request, field, value)
            self._answer = None
            try:
                told = call(request)
                if told is not self._answer and not self._answer.content.lstrip().startswith(b"{"):
                    raise _misunderstood(self._answer)  # the client takes anything with a length for an empty object
            except requests.HTTPError as error:
                raise _refused(error.response if error.response is not None else self._answer) from None
            except requests.RequestException as error:
                answered = self._answer
                if isinstance(error, ValueError) and answered is not None:
                    raise _misunderstood(answered) from None
                raise _Refusal(cause=error) from None
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                if self._answer is None:
                    raise
                raise _misunderstood(self._answer) from error
            return told

    def _open(self) -> Any:
        if self._client is not None:
            return self._client
        from kagglesdk import KaggleClient  # noqa: PLC0415 - 200 ms, for what is on Kaggle alone

        token = self._token()
        try:
            client = KaggleClient(
                api_token=token or None,
                username=self.credentials.username or None,
                password=self.credentials.key or None,
                user_agent="kaggle2app",
            )
        except Exception as error:
            message = f"Kaggle's client does not start: {error}"
            raise UsageError(message, hint="unset KAGGLE_API_ENVIRONMENT") from error
        self._prepare(client, token)
        self._client = client
        return client

    def _prepare(self, client: Any, token: str) -> None:
        """Make the client's session ours: these credentials and no others, time-outs, redirects left to the caller."""
        http = client.http_client()
        http._signed_in = True  # noqa: SLF001 - else it looks for a token of its own, and that one wins over ours
        http._init_session()  # noqa: SLF001 - there is no other way to its session before the first call
        session = http._session  # noqa: SLF001 - as above
        if token:
            session.auth = http.BearerAuth(token)
        elif self.credentials.key:
            session.auth = (self.credentials.username, self.credentials.key)
        else:
            session.auth = None
        session.resolve_redirects = lambda *_, **__: iter(())  # a download's 302 is what we came for
        patience, remember = self.patience, self._remember

        import requests  # noqa: PLC0415 - as above

        class Adapter(requests.adapters.HTTPAdapter):
            def send(self, request: Any, *args: Any, **options: Any) -> Any:
                options["timeout"] = (patience.connect_seconds, patience.read_seconds)
                answer = super().send(request, *args, **options)
                remember(answer)
                if not options.get("stream"):
                    try:
                        _read(answer, patience)
                    except requests.RequestException:
                        answer.close()
                        raise
                elif (answer.is_redirect or _is_file(answer)) and "json" in answer.headers.get("Content-Type", ""):
                    # The client would read a file called JSON whole, and look for an error in it.
                    del answer.headers["Content-Type"]
                return answer

        session.mount("https://", Adapter())
        session.mount("http://", Adapter())

    def _remember(self, answer: Any) -> None:
        self._answer = answer

    def _token(self) -> str:
        """Return the token to send; a login that has ended is renewed for this run, its file is left as it is."""
        told = self.credentials
        if told.token or told.kind != "login":
            return told.token
        login = Kaggle(Credentials(), self.patience, self._say)
        try:
            from kagglesdk.users.types.account_service import ApiVersion  # noqa: PLC0415 - with the client

            answer = login.ask(
                "account", "generate_access_token", refresh_token=told.refresh, api_version=ApiVersion.API_VERSION_V1
            )
        except (CredentialsError, PrivateError, NotFoundError) as error:
            message = f"{told.source} has ended and cannot be renewed"
            raise CredentialsError(message, hint="run `kaggle auth login` again") from error
        return str(answer.token)

    def _told(self, refusal: _Refusal, about: Handle | None) -> AccessError:
        """Return the error that says in one sentence what happened, and what to do."""
        if refusal.cause is not None:
            return network_error(refusal.cause, "Kaggle")
        what = f"`{about}`" if about else "this"
        page = about.page if about else "https://www.kaggle.com"
        said = f": {refusal.text}" if refusal.text else ""
        source = self.credentials.source
        match refusal.status:
            case 401 if self.credentials.anonymous:
                return CredentialsError(
                    f"Kaggle gives {what} only to who signs in, and there are {ANONYMOUS}", hint=CREATE_HINT
                )
            case 401:
                return CredentialsError(
                    f"Kaggle refuses the credentials from {source}{said}", hint=f"{CREATE_HINT}, or correct {source}"
                )
            case 403:
                return self._forbidden(refusal, about, what, page, said)
            case 404:
                kind = about.kind if about else "thing"
                return NotFoundError(
                    f"Kaggle has no {kind} {what}, or hides it",
                    hint=f"look for it with `kaggle2app search {_words(about)}`",
                )
            case 429:
                after = f" of {refusal.retry_after:.0f} s" if refusal.retry_after else ""
                return RateLimitError(
                    f"Kaggle asks for a pause{after}: too many requests",
                    hint="wait some minutes, then run the same command again",
                )
            case 407:
                return ProxyError(
                    "the proxy between here and Kaggle wants to know who asks",
                    hint="put user and password into HTTPS_PROXY",
                )
            case status if status >= 500:  # noqa: PLR2004 - the server's own trouble
                return ServerError(
                    f"Kaggle has trouble of its own (answer {status}){said}",
                    hint="wait some minutes, then run the same command again",
                )
            case status if 300 <= status < 400:  # noqa: PLR2004 - a redirect where none belongs
                return NetworkError(
                    "something between here and Kaggle answers in its place",
                    hint="sign in to this network in a browser, then try again",
                )
            case 0:
                return ServerError(
                    f"Kaggle's answer about {what} cannot be understood",
                    hint="check for a login page of this network, or try `pip install --upgrade kaggle`",
                )
            case status:
                return ServerError(f"Kaggle refuses {what} (answer {status}){said}", hint=f"{KNOWS_NO_MORE}: {page}")

    def _forbidden(self, refusal: _Refusal, about: Handle | None, what: str, page: str, said: str) -> AccessError:
        words = refusal.text.lower()
        if about and about.kind == "competition" and ("rule" in words or "accept" in words or "entered" in words):
            return rules_error(about)
        if "consent" in words or (
            about and about.kind == "model" and ("gated" in words or "agree" in words or "terms" in words)
        ):
            return consent_error(about) if about else ConsentError(f"terms have not been agreed to{said}", hint=page)
        if self.credentials.anonymous:
            return PrivateError(
                f"Kaggle does not give {what} to everybody{said}",
                hint=f"it may be private, or not there; {CREATE_HINT}",
            )
        who = f"the credentials from {self.credentials.source}"
        return PrivateError(
            f"{who} may not read {what}: it is private, or not there{said}", hint=f"{KNOWS_NO_MORE}: {page}"
        )


def rules_error(about: Handle) -> RulesError:
    """Return the refusal of a competition that has not been entered."""
    return RulesError(
        f"the rules of `{about}` have not been accepted",
        hint=f"accept them on {about.page}/rules, then run the same command again",
    )


def consent_error(about: Handle) -> ConsentError:
    """Return the refusal of a model whose terms have not been agreed to."""
    return ConsentError(
        f"the terms of `{about}` have not been agreed to",
        hint=f"agree to them on {about.page}, then run the same command again",
    )


def network_error(cause: Exception, where: str) -> AccessError:
    """Return what a failed request means, without its address: that may hold a signature."""
    import requests  # noqa: PLC0415 - it is loaded, or there would be no cause

    text = f"{cause!r} {cause}".lower()
    again = "check the network, then run the same command again; what has arrived is kept"
    if isinstance(cause, requests.exceptions.ProxyError):
        return ProxyError(
            f"the proxy on the way to {where} does not answer or does not let through",
            hint=f"check HTTPS_PROXY{_proxy()}",
        )
    if isinstance(cause, requests.exceptions.SSLError) or "certificate" in text:
        return NetworkError(
            f"the connection to {where} is not safe: its certificate does not hold",
            hint="behind a company's proxy, name its certificates in REQUESTS_CA_BUNDLE",
        )
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return NetworkError(f"{where} does not answer: no connection in time", hint=again)
    if isinstance(cause, requests.exceptions.Timeout) or "timed out" in text or "timeout" in text:
        return NetworkError(f"{where} has gone silent", hint=again)
    if any(
        words in text for words in ("name resolution", "nameresolution", "name or service", "getaddrinfo", "nodename")
    ):
        return NetworkError(
            f"the name of {where} is not found: there seems to be no network",
            hint=f"{again}; `--offline` uses what was fetched before",
        )
    if "refused" in text:
        return NetworkError(f"{where} refuses the connection", hint=again)
    if isinstance(
        cause,
        requests.exceptions.TooManyRedirects
        | requests.exceptions.InvalidSchema
        | requests.exceptions.InvalidURL
        | requests.exceptions.MissingSchema,
    ):
        return ServerError(
            f"{where} leads to an address that leads nowhere", hint="wait some minutes, then run the same command again"
        )
    return NetworkError(f"the connection to {where} was cut", hint=again)


def retry_after(answer: Any) -> float | None:
    """Return the seconds that an answer asks to wait, given in seconds or as a date."""
    told = str(answer.headers.get("Retry-After") or "").strip()
    if not told:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def silent(line: str) -> None:
    """Say nothing."""


class _Refusal(Exception):  # noqa: N818 - it is a refusal
    """An answer that is none: a status with its text, or a cause without an answer."""

    def __init__(
        self, *, status: int = 0, text: str = "", after: float | None = None, cause: Exception | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after, self.cause = status, text, after, cause

    def wait(self, patience: Patience, attempt: int) -> float | None:
        """Return how long to wait before another try makes sense, ``None`` when none does."""
        if self.cause is None and self.status not in PASSING:
            return None
        if self.cause is not None and attempt >= NETWORK_TRIES:
            return None
        if self.retry_after is not None:
            return self.retry_after if self.retry_after <= patience.retry_after_max_seconds else None
        return patience.before(attempt)


def _refused(answer: Any) -> _Refusal:
    if answer is None:
        return _Refusal()
    status, text = answer.status_code, ""
    try:
        body = json.loads(answer.content[: 1 << 16]) if "json" in answer.headers.get("Content-Type", "") else {}
    except Exception:  # noqa: BLE001 - an error's body that cannot be read says nothing
        body = {}
    if isinstance(body, dict):
        inner = body.get("error") if isinstance(body.get("error"), dict) else body
        text = str(inner.get("message") or "") if isinstance(inner, dict) else ""
        code = inner.get("code") if isinstance(inner, dict) else None
        if status < 400 and str(code).isdigit():  # noqa: PLR2004 - an error that arrives as if all were well
            status = int(str(code))
    text = " ".join(text.split())[:TEXT_MAX].rstrip(". ")
    return _Refusal(status=status, text=text, after=retry_after(answer))


def _read(answer: Any, patience: Patience) -> None:
    """Read an answer to its end, which must come in time and before it fills the memory."""
    import requests  # noqa: PLC0415 - it is loaded
    import urllib3  # noqa: PLC0415 - as above

    parts, size, started = [], 0, patience.clock()
    try:
        while part := answer.raw.read1(ANSWER_BYTES_MAX, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > ANSWER_BYTES_MAX:
                message = f"an answer of more than {ANSWER_BYTES_MAX:,} bytes"
                raise requests.exceptions.ContentDecodingError(message)
            if patience.clock() - started > patience.answer_seconds:
                message = "timed out"
                raise requests.exceptions.ReadTimeout(message)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.exceptions.ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    answer._content, answer._content_consumed = b"".join(parts), True  # noqa: SLF001 - where it keeps what it has read


def _is_file(answer: Any) -> bool:
    """Return whether an answer to a download is the file itself, and no error that arrives as if all were well."""
    if answer.status_code != 200:  # noqa: PLR2004 - OK
        return False
    if "attachment" in answer.headers.get("Content-Disposition", ""):
        return True
    length = answer.headers.get("Content-Length", "")
    if not length.isdigit() or int(length) > ERROR_BYTES_MAX:
        return True
    from io import BytesIO  # noqa: PLC0415 - for this rare case

    import urllib3  # noqa: PLC0415 - it is loaded

    try:
        body = answer.raw.read(decode_content=False)
    except urllib3.exceptions.HTTPError:
        body = b""  # a cut, which is found when the length is compared
    answer.raw.release_conn()
    answer.raw = urllib3.HTTPResponse(BytesIO(body), answer.headers, answer.status_code, preload_content=False)
    try:
        told = json.loads(body)
    except ValueError:
        return True
    return not (isinstance(told, dict) and {"code", "message"} <= set(told) <= ERROR_FIELDS)


def _misunderstood(answer: Any) -> _Refusal:
    """Return the refusal of an answer that the client cannot read: an error in odd clothes, or not Kaggle's at all."""
    refusal = _refused(answer)
    return refusal if refusal.status >= 300 else _Refusal()  # noqa: PLR2004 - not a success


def _words(about: Handle | None) -> str:
    return about.slug if about else "WORDS"


def _proxy() -> str:
    """Return the proxy's host, without the password that its address may hold."""
    from urllib.request import getproxies  # noqa: PLC0415 - 10 ms, and requests has loaded it

    address = getproxies().get("https") or getproxies().get("http") or ""
    host = urlsplit(address).hostname if address else None
    return f" (now {host})" if host else ""
