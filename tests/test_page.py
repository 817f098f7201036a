"""The generated project's page in a real browser: fill, predict, be told what is wrong, send a file."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from browser import ENTER, TAB, Browser, lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(lacking()), reason=lacking() or "a browser is here"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

TEMPLATE = Path(__file__).parent.parent / "template"
PICTURES = os.environ.get("PICTURES")  # a folder to keep screenshots in, for looking at

# The made-up table of the template's tests, its columns called as an attacker would call them.
HOSTILE = """
import sys
from pathlib import Path
from tests import made_up
names = [
    "Fare (£)", "class", '"><script>window.hacked = 1</script>', "<img src=x onerror='window.hacked = 1'>",
    "日本 & co", "{" * 2 + "7 * 7" + "}" * 2, "line\\nbreak' onfocus='window.hacked = 1",
]
made_up.KINDS = dict(zip(names, made_up.KINDS.values(), strict=True))
made_up.TARGET = "<b>what</b> is asked"
made_up.project(Path("."), "multiclass")
"""

# Every visible text with a contrast below 4.5, or 3 for large text (WCAG 2.2, AA).
LOW_CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
  .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parts(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!(own || node.matches("input, select, textarea")) || !node.checkVisibility() || node.closest("svg")) continue;
  const style = getComputedStyle(node);
  const [light, dark] = [luminance(parts(style.color)), luminance(ground(node))].sort((a, b) => b - a);
  const least = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
  if ((light + 0.05) / (dark + 0.05) < least) found.push(`${node.tagName} ${node.textContent.slice(0, 30)}`);
}
return found;
"""


# What an automatic check can find of what shuts people out: each line is one fault.
BARRIERS = """
const faults = [];
const fault = (what, node) => faults.push(`${what}: ${(node && node.outerHTML || "").slice(0, 80)}`);
const all = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility());
const textOf = (ids) => ids.split(" ").map((id) => document.getElementById(id)?.textContent || "").join(" ").trim();
const nameOf = (node) => node.getAttribute("aria-label") || textOf(node.getAttribute("aria-labelledby") || "")
  || [...(node.labels || [])].map((label) => label.textContent).join(" ").trim() || node.textContent.trim();
if (document.documentElement.lang !== "en") fault("no language");
if (!document.title.trim()) fault("no title");
if (/user-scalable=no|maximum-scale/.test(document.querySelector("meta[name=viewport]").content)) fault("no zoom");
for (const landmark of ["header", "main", "footer", "h1"])
  if (all(landmark).length !== 1) fault(`not one ${landmark}`);
for (const node of all("nav, section, [role=region]")) if (!nameOf(node)) fault("a landmark without a name", node);
const levels = all("h1, h2, h3, h4").map((node) => [Number(node.tagName[1]), node]);
levels.forEach(([level, node], place) => {
  if (level > (place ? levels[place - 1][0] : 0) + 1) fault("a heading out of order", node);
  if (!node.textContent.trim()) fault("an empty heading", node);
});
for (const node of all("input, select, textarea"))
  if (!(node.labels.length && nameOf({ labels: node.labels, getAttribute: () => "", textContent: "" })))
    fault("a field without a label", node);
for (const node of all("a, button, summary")) if (!nameOf(node)) fault("nothing to press by name", node);
const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) fault(`the id ${id} comes twice`);
for (const node of document.querySelectorAll("[aria-describedby], [for], [list]"))
  for (const name of ["aria-describedby", "for", "list"])
    for (const id of (node.getAttribute(name) || "").split(" ").filter(Boolean))
      if (!document.getElementById(id)) fault(`${name} leads nowhere`, node);
for (const node of all("[aria-invalid=true]")) {
  const told = (node.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id));
  if (!told.some((text) => text && text.className === "problem" && text.textContent.trim()))
    fault("a wrong field that does not say why", node);
}
for (const node of all("[tabindex]")) if (Number(node.getAttribute("tabindex")) > 0) fault("an own tab order", node);
for (const node of all("svg, img"))
  if (!(node.getAttribute("aria-hidden") === "true" || node.getAttribute("alt") || nameOf(node)))
    fault("a picture without words", node);
for (const node of all("table th")) if (!node.scope) fault("a table head without scope", node);
for (const id of ["result", "file-result"])
  if (document.getElementById(id).getAttribute("aria-live") !== "polite") fault(`${id} changes unheard`);
for (const node of all("button, select, summary, input")) {
  const box = node.getBoundingClientRect();
  if (box.width < 24 || box.height < 24) fault("too small to hit", node);
}
for (const node of all("a, button, select, summary, input, textarea, [tabindex='0']")) {
  node.focus({ focusVisible: true });
  const style = getComputedStyle(node.matches(".drop input") ? node.closest(".drop") : node);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) fault("focus cannot be seen", node);
}
document.activeElement.blur();
return faults;
"""

WIDE = """
import json
from pathlib import Path
from my_project import page
from my_project.schema import Problem, Schema
facts = {"type": "number", "x-kind": "number", "examples": [1], "description": "measured by an instrument " * 20}
names = [f"column {place} " + "with a long name " * (place % 5) for place in range(300)]
document = {"properties": dict.fromkeys(names, facts), "x-task": "multiclass", "x-target": "t" * 200}
document |= {"x-labels": ["a label that is " + "very " * 30 + "long", "short"], "required": names}
document["properties"][names[7]] = {"type": "string", "x-kind": "text", "examples": ["word " * 2000]}
chances = dict(zip(document["x-labels"], [0.7, 0.3], strict=True))
shares = {"explained": document["x-labels"][0], "reference": 0.2, "exact": False}
shares["contributions"] = {name: 0.5 / (place + 1) for place, name in enumerate(names)}
answer = {"prediction": document["x-labels"][0], "probabilities": chances, "explanation": shares}
schema = Schema(document)
out = Path("src/my_project/wide.html")
out.write_text(page.render(schema=schema, info={}, values=page.example_cells(schema), result=answer), encoding="utf-8")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a trained project of a made-up table with hostile names."""
    from cookiecutter.generate import generate_context, generate_files

    into = tmp_path_factory.mktemp("page")
    context = generate_context(str(TEMPLATE / "cookiecutter.json"))
    generate_files(str(TEMPLATE), context, str(into), accept_hooks=False)
    path = into / "my-project"
    _run(path, "-c", HOSTILE)
    _run(path, "-m", "my_project", "train")
    return path


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """Serve the project on a free port."""
    with serving(project, "my_project") as where:
        yield where


@contextlib.contextmanager
def serving(project: Path, package: str) -> Iterator[str]:
    """Serve a project on a free port as long as its address is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", package, "serve", "--port", str(port)]
    served = subprocess.Popen(
        command, cwd=project, env=_environment(project), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        where = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(OSError), urlopen(f"{where}/health/ready"):  # noqa: S310 - the server above
                break
            time.sleep(0.1)
        yield where
    finally:
        served.terminate()
        served.wait(20)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return one browser for all tests here."""
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, address: str) -> Iterator[Browser]:
    """Return the browser with the page freshly opened; afterwards its console must hold no complaint."""
    window.open(f"{address}/")
    window.complaints()
    yield window
    complaints = [line for line in window.complaints() if "422" not in line]  # a refusal is shown at its field
    assert complaints == []
    assert window.run("return window.hacked") is None


def test_filling_and_predicting_gives_the_answer_of_the_api(browser: Browser, address: str, project: Path) -> None:
    browser.find("#c0").type("44.5")
    browser.find("#row button").click()
    shown = browser.find("#result output").text
    row = {**_example(project), "Fare (£)": 44.5}
    answer = _post(f"{address}/predict", {"rows": [row]})["predictions"][0]
    assert shown == str(answer["prediction"])
    chances = {
        bar.text.split("\n")[0]: bar.text.split("\n")[1] for bar in browser.find_all("#result .bars:not(.drivers) li")
    }
    explained = _post(f"{address}/explain", {"rows": [row]})["predictions"][0]["explanation"]
    drivers = [driver.text.split("\n")[0] for driver in browser.find_all("#result .drivers li")]
    assert any(driver.startswith("Fare (£)") and driver.endswith("44.5") for driver in drivers)
    assert len(drivers) == sum(abs(share) > 0.0005 for share in explained["contributions"].values())
    assert chances == {label: f"{100 * share:.1f}%" for label, share in answer["probabilities"].items()}
    assert browser.find("#c0").get("value") == "44.5"
    _keep(browser, "answer")


def test_a_row_can_be_answered_by_keyboard_alone(browser: Browser) -> None:
    browser.find("#c0").type(f"31{ENTER}")
    assert browser.find("#result output").text
    assert browser.run("return document.activeElement.id") == "c0"
    for _ in range(30):
        browser.ask("POST", "actions", {"actions": [_keys(TAB)]})
        if browser.run("return document.activeElement.textContent") == "Predict":
            return
    pytest.fail("the button cannot be reached with the tab key")


def test_a_missing_value_is_told_at_its_field(browser: Browser) -> None:
    browser.find("#c1").type("")
    browser.find("#row button").click()
    told = browser.find("#c1-problem")
    assert "expected a number" in told.text
    assert browser.find("#c1").get("ariaInvalid") == "true"
    assert browser.run("return document.activeElement.id") == "c1"
    assert "c1-problem" in browser.run("return document.getElementById('c1').getAttribute('aria-describedby')")
    assert browser.find("#result [role=alert]").text.startswith("One value needs another look")
    _keep(browser, "problem")


def test_half_a_number_is_not_taken_for_an_empty_field(browser: Browser) -> None:
    browser.find("#c0").type("1e")
    browser.find("#row button").click()
    time.sleep(0.5)
    assert browser.find_all("#result output") == []
    assert browser.run("return document.activeElement.id") == "c0"


def test_an_unusual_value_is_answered_with_a_note(browser: Browser) -> None:
    browser.find("#c0").type("5000")
    browser.find("#c4").type("a town nobody has seen")
    browser.find("#row button").click()
    notes = browser.find("#result .notes").text
    assert "Fare (£): 5000 is outside" in notes
    assert "'a town nobody has seen' was never seen in training" in notes
    _keep(browser, "notes")


def test_a_field_that_may_be_empty_is_left_empty(browser: Browser, address: str, project: Path) -> None:
    browser.find("#c0").type("")
    browser.find("#row button").click()
    shown = browser.find("#result output").text
    row = {**_example(project), "Fare (£)": None}
    assert shown == str(_post(f"{address}/predict", {"rows": [row]})["predictions"][0]["prediction"])


def test_hostile_names_and_cells_are_shown_as_text(browser: Browser, project: Path) -> None:
    shown = [label.get("textContent") for label in browser.find_all("label .name")]
    assert shown == list(_example(project))
    assert browser.run("return document.querySelectorAll('main script, main img, label b, header b').length") == 0
    assert browser.find("header strong").text == "<b>what</b> is asked"


def test_a_file_comes_back_with_its_answers(browser: Browser, project: Path, tmp_path: Path) -> None:
    lines = (project / "data" / "train.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(lines, newline="")))[:21]
    sent = tmp_path / "some rows.csv"
    with sent.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    browser.find("#file").type(str(sent), clear=False)
    assert browser.find(".prompt").text == "some rows.csv, 2 kB"
    assert browser.find("#file-result caption").text == "First rows of your file"
    shown = [[cell.get("textContent") for cell in line.all("td")] for line in browser.find_all("#file-result tbody tr")]
    assert shown == rows[1:6]
    assert browser.find("#file-result p").text == "7 of 7 columns of the model are in the file."
    _keep(browser, "file-before")
    browser.find("#upload button").click()
    link = browser.find("#file-result a")
    assert len(browser.find_all("#file-result tbody tr")) == 5
    assert browser.find("#file-result th").text == "prediction"
    _keep(browser, "file")
    link.click()
    answered = list(csv.reader(io.StringIO(_downloaded(browser.downloads, "some rows-predictions.csv"), newline="")))
    assert len(answered) == len(rows)
    assert answered[0][len(rows[0])] == "prediction"
    assert [line[1] for line in answered] == [row[1] for row in rows]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("class;Fare (£)\n1;2\n3;4", "2 of 7 columns"),
        ("class\tFare (£)\n1\t2\n".encode("utf-16"), "2 of 7 columns"),
        ("Fare (£),class\n1,2\n".encode("cp1252"), "2 of 7 columns"),
    ],
)
def test_a_file_is_looked_at_before_it_is_sent(
    browser: Browser, tmp_path: Path, content: str | bytes, told: str
) -> None:
    sent = tmp_path / "few.csv"
    sent.write_bytes(content.encode() if isinstance(content, str) else content)
    browser.find("#file").type(str(sent), clear=False)
    browser.find("#file-result table")
    assert browser.find("#file-result p").text.startswith(told)
    lacking = browser.find("#file-result .problem").text
    assert "日本 & co" in lacking
    assert "Fare" not in lacking
    assert [cell.text for cell in browser.find_all("#file-result th")] != ["class;Fare (£)"]


def test_a_file_is_answered_without_javascript(browser: Browser, address: str, project: Path, tmp_path: Path) -> None:
    lines = (project / "data" / "train.csv").read_text(encoding="utf-8")
    sent = tmp_path / "rows.csv"
    sent.write_text(lines, encoding="utf-8")
    browser.developer("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{address}/")
        browser.find("#file").type(str(sent), clear=False)
        browser.find("#upload button").click()
        answered = csv.reader(io.StringIO(_downloaded(browser.downloads, "predictions.csv"), newline=""))
        assert len(list(answered)) == len(list(csv.reader(io.StringIO(lines, newline=""))))
    finally:
        browser.developer("Emulation.setScriptExecutionDisabled", value=False)


def test_a_file_with_a_broken_row_is_told_by_row_and_column(browser: Browser, tmp_path: Path) -> None:
    sent = tmp_path / "broken.csv"
    sent.write_text("class\nmany\n", encoding="utf-8")
    browser.find("#file").type(str(sent), clear=False)
    browser.find("#upload button").click()
    told = browser.find("#file-result [role=alert]").text
    assert "row 1, class: expected a number" in told


def test_the_page_answers_without_javascript(browser: Browser, address: str) -> None:
    browser.developer("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{address}/")
        browser.find("#c0").type("44.5")
        browser.find("#row button").click()
        assert browser.find("#result output").text
        browser.find("#c4").type(" ")  # the browser lets it pass as filled in; the contract does not
        browser.find("#row button").click()
        assert "training saw no gap" in browser.find("#c4-problem").text
        assert browser.find("#c0").get("value") == "44.5"
        _keep(browser, "without-javascript")
    finally:
        browser.developer("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: Browser, scheme: str) -> None:
    browser.developer("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        assert browser.run(LOW_CONTRAST) == []
        browser.find("#c0").type("5000")
        browser.find("#row button").click()
        browser.find("#result .notes")
        assert browser.run(LOW_CONTRAST) == []
        _keep(browser, scheme)
        browser.find("#c1").type("")
        browser.find("#row button").click()
        browser.find("#c1-problem")
        assert browser.run(LOW_CONTRAST) == []
    finally:
        browser.developer("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_cut_off_at_any_width(browser: Browser, width: int) -> None:
    browser.developer(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 700
    )
    try:
        browser.find("#row button").click()
        browser.find("#result output")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        _keep(browser, f"width-{width}")
    finally:
        browser.developer("Emulation.clearDeviceMetricsOverride")


def test_nobody_is_shut_out(browser: Browser, tmp_path: Path) -> None:
    assert browser.run(BARRIERS) == []
    browser.find("#c0").type("5000")
    browser.find("#row button").click()
    browser.find("#result .notes")
    for summary in browser.find_all("summary"):
        summary.click()
    sent = tmp_path / "a.csv"
    sent.write_text("class,b\n1,2\n", encoding="utf-8")
    browser.find("#file").type(str(sent), clear=False)
    browser.find("#file-result table")
    assert browser.run(BARRIERS) == []
    browser.find("#c1").type("")
    browser.find("#row button").click()
    browser.find("#c1-problem")
    assert browser.run(BARRIERS) == []


def test_the_search_for_barriers_finds_them(browser: Browser) -> None:
    browser.run("""
        document.querySelector("label[for=c0]").remove();
        document.getElementById("result").removeAttribute("aria-live");
        document.querySelector("h2").replaceWith(document.createElement("h4"));
        document.querySelector("svg").removeAttribute("aria-hidden");
        document.querySelector("#row button").style.outline = "none";
    """)
    found = "\n".join(browser.run(BARRIERS))
    for fault in ("without a label", "unheard", "out of order", "empty heading", "without words", "cannot be seen"):
        assert fault in found


def test_three_hundred_columns_and_long_texts_stay_usable(browser: Browser, project: Path) -> None:
    _run(project, "-c", WIDE)
    browser.open((project / "src" / "my_project" / "wide.html").as_uri())
    assert browser.run(BARRIERS) == []
    assert len(browser.find_all("#fields .field")) == 300
    assert sum(browser.run("return [...document.querySelectorAll('.field')].map((f) => f.checkVisibility())")) == 12
    _keep(browser, "wide")
    browser.find("#others summary").click()
    browser.find("#find").type("column 123 ", clear=False)
    assert browser.find("#found").text == "1 of 288 columns"
    assert browser.find("#c123").get("value") == "1"
    _keep(browser, "wide-found")
    for width in (320, 1280):
        browser.developer(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 700
        )
        _keep(browser, f"wide-{width}")
        assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.developer("Emulation.clearDeviceMetricsOverride")


def test_nothing_is_loaded_from_elsewhere(browser: Browser, address: str) -> None:
    loaded = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded
    assert all(name.startswith(address) for name in loaded)


def _example(project: Path) -> dict[str, Any]:
    request = json.loads((project / "model" / "example.json").read_text(encoding="utf-8"))
    row: dict[str, Any] = request["rows"][0]
    return row


def _post(address: str, body: object) -> Any:
    headers = {"content-type": "application/json"}
    request = Request(address, json.dumps(body).encode(), headers)  # noqa: S310 - the server above
    with urlopen(request) as response:  # noqa: S310 - as above
        return json.load(response)


def _keys(*keys: str) -> dict[str, object]:
    presses = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
    return {"type": "key", "id": "keyboard", "actions": presses}


def _downloaded(folder: Path, name: str) -> str:
    for _ in range(100):
        if (folder / name).exists():
            return (folder / name).read_text(encoding="utf-8")
        time.sleep(0.1)
    pytest.fail(f"{name} was not downloaded: {sorted(path.name for path in folder.iterdir())}")


def _keep(browser: Browser, name: str) -> None:
    if PICTURES:
        browser.picture(Path(PICTURES) / f"{name}.png")


def _environment(project: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(project / "src"), str(project)]), "MPLBACKEND": "Agg"}


def _run(project: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=_environment(project),
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
