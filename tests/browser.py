"""A real browser for tests: headless Chromium, driven over the W3C WebDriver protocol by its own driver."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1280,900",
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's own key for an element
START_SECONDS = 20.0
WAIT_SECONDS = 10.0
ENTER, TAB = "\ue007", "\ue004"


def lacking() -> str:
    """Return why no browser can be driven here, or nothing."""
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)):
        if not any(map(shutil.which, names)):
            return f"{names[0]} is not installed (Debian: `apt-get install chromium chromium-driver`)"
    return ""


@dataclass(frozen=True)
class Element:
    """One element of the page."""

    browser: Browser
    key: str

    @property
    def text(self) -> str:
        """Return what a person reads in it."""
        return str(self.browser.ask("GET", f"element/{self.key}/text"))

    def get(self, name: str) -> Any:
        """Return a property, such as ``value``."""
        return self.browser.ask("GET", f"element/{self.key}/property/{name}")

    def all(self, selector: str) -> list[Element]:
        """Return every element inside it that a CSS selector finds now."""
        body = {"using": "css selector", "value": selector}
        found = self.browser.ask("POST", f"element/{self.key}/elements", body)
        return [Element(self.browser, item[ELEMENT]) for item in found]

    def click(self) -> None:
        """Press it."""
        self.browser.ask("POST", f"element/{self.key}/click", {})

    def type(self, text: str, *, clear: bool = True) -> None:
        """Replace its text as a person at a keyboard would; for a file field, choose a file."""
        if clear:
            self.browser.ask("POST", f"element/{self.key}/clear", {})
        if text:
            self.browser.ask("POST", f"element/{self.key}/value", {"text": text})


class Browser:
    """One fresh browser with a profile of its own; ``downloads`` is where files land."""

    def __init__(self, folder: Path) -> None:
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        self._folder = folder

    def __enter__(self) -> Self:
        """Start the driver and the browser."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        driver = shutil.which("chromedriver") or "chromedriver"
        self._base = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._until_it_answers()
            options = {
                "binary": binary,
                "args": [*ARGUMENTS, f"--user-data-dir={self._folder / 'profile'}"],
                "prefs": {"download.default_directory": str(self.downloads), "download.prompt_for_download": False},
            }
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        except BaseException:
            self._driver.kill()
            self._driver.wait()
            raise
        self._session = f"/session/{made['sessionId']}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser and its driver."""
        try:
            self._call("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(START_SECONDS)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what the driver answers to one command of this session."""
        return self._call(method, f"{self._session}/{path}", body)

    def open(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.ask("POST", "url", {"url": address})

    def find(self, selector: str) -> Element:
        """Return the first element that a CSS selector finds, once it is there."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            found = self.find_all(selector)
            if found:
                return found[0]
            if time.monotonic() > deadline:
                message = f"no {selector!r} on the page after {WAIT_SECONDS:.0f} s"
                raise AssertionError(message)
            time.sleep(0.05)

    def find_all(self, selector: str) -> list[Element]:
        """Return every element that a CSS selector finds now."""
        found = self.ask("POST", "elements", {"using": "css selector", "value": selector})
        return [Element(self, item[ELEMENT]) for item in found]

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a script in the page returns."""
        return self.ask("POST", "execute/sync", {"script": script, "args": list(arguments)})

    def developer(self, command: str, **parameters: object) -> Any:
        """Send a command of the developer tools: another screen, another colour scheme, no scripts."""
        return self.ask("POST", "goog/cdp/execute", {"cmd": command, "params": parameters})

    def complaints(self) -> list[str]:
        """Return what the browser's console says since the last time: errors and refused loads among it."""
        return [str(line["message"]) for line in self.ask("POST", "se/log", {"type": "browser"})]

    def picture(self, path: Path) -> None:
        """Write what is in sight to a PNG file."""
        path.write_bytes(base64.b64decode(self.ask("GET", "screenshot")))

    def _until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._call("GET", "/status")
            except (URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _call(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = Request(self._base + path, content, headers, method=method)  # noqa: S310 - our own driver
        try:
            with urlopen(request, timeout=60) as response:  # noqa: S310 - as above
                return json.load(response)["value"]
        except HTTPError as error:
            message = f"{method} {path}: {json.load(error)['value']['message'].splitlines()[0]}"
            raise AssertionError(message) from None
