"""A project is held against what a careful engineer would ask of it: small rules, each with a way to mend."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from toolkit.building import clear_caches, run, run_tests
from toolkit.errors import BuildError
from toolkit.project import CACHES, Project, read_plan
from toolkit.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.plan import Plan

FOUND_SHOWN_MAX = 5
TEXT_BYTES_MAX = 2_000_000  # a larger file is data, not something written by hand
TELLING_ROWS_MAX = 4  # a row that five or more share tells of nobody: k-anonymity's usual k is 5
ENVIRONMENTS = frozenset({".git", ".venv", "venv", "node_modules", "build", "dist", *CACHES})

SECRETS = {
    "a Kaggle key": r"\"key\"\s*:\s*\"[0-9a-f]{32}\"|KAGGLE_KEY\s*[=:]\s*['\"]?[0-9a-f]{32}|\bKGAT_[0-9a-zA-Z]{16,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36}|\bgithub_pat_[0-9A-Za-z_]{22,}",
    "a Hugging Face token": r"\bhf_[0-9A-Za-z]{30,}",
    "an API key": r"\bsk-[0-9A-Za-z_-]{32,}|\bAIza[0-9A-Za-z_-]{35}|\bxox[abpr]-[0-9A-Za-z-]{20,}",
    "a password in an address": r"[a-z][a-z0-9+]{2,}://[^\s/:@\"'<>{}$]+:[^\s/:@\"'<>{}$]{3,}@[\w.-]+",
}
PLACEHOLDERS = r"\bTODO\b|\bFIXME\b|\bTBD\b|\bXXX\b|lorem ipsum|\{\{|\{%"
PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth"})
UNSAFE_LOADS = r"\b(pickle|cPickle|dill|cloudpickle|joblib)\.loads?\(|\btorch\.load\(|allow_pickle\s*=\s*True"
TABLES = frozenset({".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".jsonl", ".feather", ".sqlite", ".db"})
LOCKS = ("requirements.lock", "requirements.txt", "pylock.toml", "uv.lock", "requirements-lock.txt")


@dataclass(frozen=True)
class Result(Record):
    """What one rule found: ``problems`` are empty when it passed; ``mend`` says what to do about them."""

    code: str
    title: str
    why: str
    status: Literal["passed", "failed", "skipped"]
    problems: tuple[str, ...] = ()
    mend: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckReport(Record):
    """All rules' results for one project."""

    project: Path
    results: tuple[Result, ...]

    @property
    def failed(self) -> tuple[Result, ...]:
        """Return the results of the rules that failed."""
        return tuple(result for result in self.results if result.status == "failed")

    @property
    def passed(self) -> bool:
        """Return whether no rule failed."""
        return not self.failed


class NotApplicableError(Exception):
    """A rule has nothing to judge here; the text says why."""


class Examined:
    """A project as the rules see it; what several of them need is read once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.path = project.path

    @cached_property
    def plan(self) -> Plan:
        """Return the project's plan."""
        return read_plan(self.path)

    @cached_property
    def tracked(self) -> tuple[str, ...] | None:
        """Return the paths that git tracks, or ``None`` when the project is not the root of a repository."""
        if not (self.path / ".git").exists():
            return None
        ran = run(self.project, ["git", "ls-files", "-z"], say=_nobody)
        if ran.code:
            return None
        return tuple(name for name in "\n".join(ran.lines).split("\0") if name)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """Return the paths that others get to see: what git tracks, or would by the project's .gitignore."""
        if self.tracked is not None:
            return self.tracked
        found = (path.relative_to(self.path) for path in sorted(self.path.rglob("*")) if path.is_file())
        kept = (path for path in found if not set(path.parts) & ENVIRONMENTS)
        return tuple(path.as_posix() for path in kept if not (path.parts[0] == "data" and self.data_ignored))

    @cached_property
    def data_ignored(self) -> bool:
        """Return whether .gitignore keeps the data folder out."""
        lines = {line.strip().rstrip("*").strip("/") for line in self.text(".gitignore").splitlines()}
        return "data" in lines

    def text(self, name: str) -> str:
        """Return a file's text; empty when it is missing, large or not UTF-8."""
        path = self.path / name
        try:
            return path.read_text(encoding="utf-8") if path.stat().st_size <= TEXT_BYTES_MAX else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON object; empty when the file is missing or damaged."""
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}


class Rule:
    """One thing to ask of a project: ``examine`` yields a sentence a problem, none when all is well."""

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    mend: ClassVar[str]

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield a sentence a problem."""
        raise NotImplementedError


class TestsPass(Rule):
    """The project's own tests."""

    code, title = "tests", "its own tests pass"
    why = "they hold the data contract, the model's answers and the API together"
    mend = "run `make test` in the project and read the first failure"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each failed test."""
        try:
            counts = run_tests(it.project, say=_nobody)
        except BuildError as error:
            yield error.message
            return
        yield from (f"`{name}` fails" for name in counts.failures)
        if not counts.passed:
            yield "no test passed"


class LintClean(Rule):
    """ruff's findings."""

    code, title = "lint", "ruff finds nothing"
    why = "a linter's finding is the cheapest bug to mend"
    mend = "run `ruff check --fix .` in the project"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each finding."""
        _need("ruff")
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."]
        ran = run(it.project, command, say=_nobody)
        if ran.code:
            yield from (line for line in ran.lines if re.match(r"\S+:\d+:\d+:", line) or "error" in line.lower())


class TypesHold(Rule):
    """mypy's findings."""

    code, title = "types", "mypy finds nothing"
    why = "types are the documentation that cannot go stale"
    mend = "run `make types` in the project"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each finding."""
        _need("mypy")
        with tempfile.TemporaryDirectory(prefix="kaggle2app-") as cache:
            command = [sys.executable, "-m", "mypy", "--cache-dir", cache, "--no-error-summary", "--no-color-output"]
            named = [] if "files" in _tool(it, "mypy") else ["src"]
            ran = run(it.project, [*command, *named], say=_nobody)
        if ran.code:
            yield from (line for line in ran.lines if ": error:" in line or line.startswith("mypy:"))


class LockPresent(Rule):
    """A pinned environment."""

    code, title = "lock", "the environment is pinned"
    why = "the same commit gives the same answers next year"
    mend = "run `make lock` in the project"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield a missing lock, or each dependency that it does not pin."""
        found = [name for name in LOCKS if (it.path / name).is_file()]
        if not found:
            yield "there is no lock file"
            return
        pinned = {_distribution(line) for line in re.findall(r"(?m)^\s*([A-Za-z0-9._-]+)==", it.text(found[0]))}
        pinned |= {_distribution(name) for name in re.findall(r"(?m)^name = \"([^\"]+)\"", it.text(found[0]))}
        wanted = tomllib.loads(it.text("pyproject.toml")).get("project", {}).get("dependencies", [])
        for requirement in wanted:
            name = _distribution(re.split(r"[\s\[<>=!~;@]", requirement, maxsplit=1)[0])
            if name not in pinned:
                yield f"`{found[0]}` does not pin `{name}`"


class ModelWhole(Rule):
    """The model's files."""

    code, title = "model", "the model is the one that was tested"
    why = "a file that changed since training answers something nobody has measured"
    mend = "run `make train` in the project, then its tests"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each file that is missing or differs from the manifest."""
        manifest = it.json("model/manifest.json")
        files = manifest.get("files")
        if not isinstance(files, dict) or not files:
            yield "`model/manifest.json` is missing or lists no files"
            return
        for name, expected in files.items():
            path = it.path / "model" / name
            if not path.is_file():
                yield f"`model/{name}` is missing"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != expected:
                yield f"`model/{name}` changed since training"
        if it.json("model/metrics.json").get("model") != manifest.get("version"):
            yield "`model/metrics.json` tells of another model than the one in the folder"


class BetterThanGuessing(Rule):
    """The score beside the baseline."""

    code, title = "score", "the model beats a constant guess"
    why = "a model that does not is worse than none: it costs and misleads"
    mend = "look for another target or better columns: `kaggle2app inspect`, then `new --target COLUMN`"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield the comparison when it is lost."""
        metrics = it.json("model/metrics.json")
        if metrics.get("wrapped"):
            message = "the model came from elsewhere, without rows to score it on: `evaluate --data FILE` does"
            raise NotApplicableError(message)
        try:
            name = metrics["metric"]
            got, guess = metrics["test"][name]["value"], metrics["baseline"][name]["value"]
            better = got > guess if metrics["greater_is_better"] else got < guess
        except (KeyError, TypeError):
            yield "`model/metrics.json` has no score beside a baseline"
            return
        if not better:
            yield f"{name} is {got:.4g} and a constant guess has {guess:.4g}"


class CardsComplete(Rule):
    """README and the two cards."""

    code, title = "cards", "README and cards are complete"
    why = "an empty heading or a left-over placeholder is the first thing a reader sees"
    mend = "fill the section with a fact or take the heading out; `make train` writes MODEL_CARD.md again"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each missing file, empty heading and placeholder."""
        wrapped = bool(it.json("model/metrics.json").get("wrapped"))  # of its data nothing is known
        for name in ("README.md", "MODEL_CARD.md", *(() if wrapped else ("DATA_CARD.md",)), "LICENSE"):
            text = it.text(name)
            if not text.strip():
                yield f"`{name}` is missing or empty"
                continue
            if name == "LICENSE":
                continue
            prose = re.sub(r"(?ms)^```.*?^```\s*?$|`[^`\n]*`", "code", text)
            yield from (f"`{name}` has nothing under `{title}`" for title in _empty_headings(prose))
            yield from (
                f"`{name}` still says `{found[0]}`" for found in re.finditer(PLACEHOLDERS, prose, re.IGNORECASE)
            )


class DataOutOfGit(Rule):
    """No row of the data where others can see it."""

    code, title = "data", "no row of the data is in git"
    why = "licences, competition rules and the people in the rows seldom allow it"
    mend = "`git rm --cached FILE` and name it in .gitignore; `make train` draws golden rows again"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each shared table and each golden row that is a row of the training data."""
        if not it.data_ignored:
            yield "`.gitignore` does not name `data/`"
        for name in it.shared:
            top, suffix = name.split("/")[0], Path(name).suffix.lower()
            if top == "data" and suffix in TABLES:
                yield f"`{name}` is in git" if it.tracked is not None else f"`{name}` would be in git"
            elif suffix in TABLES and top not in {"tests", "reports", "docs"}:
                yield f"`{name}` is a table outside of `data/`"
        yield from _golden_rows_copied(it)


class NoSecret(Rule):
    """Keys and passwords."""

    code, title = "secrets", "no key or password lies about"
    why = "what is pushed once is copied by strangers within minutes"
    mend = "take it out, and withdraw it where it was issued: git remembers"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each file that seems to hold a secret; the secret itself is never shown."""
        for name in it.shared:
            if Path(name).name in {"kaggle.json", ".env", "id_rsa", "credentials.json"}:
                yield f"`{name}` is a file of secrets by its name"
            text = it.text(name)
            for what, pattern in SECRETS.items():
                if found := re.search(pattern, text):
                    yield f"`{name}` line {text.count(chr(10), 0, found.start()) + 1} looks like {what}"


class ContainerModest(Rule):
    """The Dockerfile."""

    code, title = "container", "the container runs as nobody special"
    why = "a hole in the service then gives away a process, not a machine"
    mend = "in the Dockerfile's last stage: a pinned `FROM`, `USER` with a number, a `HEALTHCHECK`"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield what is missing in the last stage."""
        text = it.text("Dockerfile")
        if not text:
            yield "`Dockerfile` is missing"
            return
        stages = re.split(r"(?mi)^FROM\s+", text)[1:]
        users = re.findall(r"(?mi)^USER\s+(\S+)", stages[-1]) if stages else []
        if not users:
            yield "the last stage names no `USER`, so it runs as root"
        elif users[-1].split(":")[0] in {"root", "0"}:
            yield "the last stage runs as root"
        if not re.search(r"(?mi)^HEALTHCHECK\s+(?!NONE)", text):
            yield "there is no `HEALTHCHECK`"
        aliases = set(re.findall(r"(?mi)^FROM\s+.*?\s+AS\s+(\S+)", text))
        for image in re.findall(r"(?mi)^FROM\s+(?:--\S+\s+)*(\S+)", text):
            if image not in aliases and (":" not in image.split("/")[-1] or image.endswith(":latest")):
                yield f"the base image `{image}` is not pinned to a version"
        ignored = {line.strip().strip("/").removesuffix("/**") for line in it.text(".dockerignore").splitlines()}
        if not ignored & {"data", "*", "**"}:
            yield "`.dockerignore` does not name `data/`, so the rows would be in the image"


class NoPickle(Rule):
    """Formats that run code on opening."""

    code, title = "pickle", "no model file can run code on opening"
    why = "a pickle is a program: whoever swaps the file owns the server"
    mend = "save with skops or ONNX, as the project's `train` does"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield each pickle and each call that would open one."""
        for name in it.shared:
            if Path(name).suffix.lower() in PICKLES:
                yield f"`{name}` is a pickle by its name"
            elif name.startswith("src/") and name.endswith(".py") and (found := re.search(UNSAFE_LOADS, it.text(name))):
                yield f"`{name}` calls `{found[0].rstrip('(')}`"


class AutomationPresent(Rule):
    """The continuous integration."""

    code, title = "ci", "every push is tested"
    why = "what no machine runs stops working unseen"
    mend = "bring `.github/workflows/ci.yml` back; it runs the Makefile's verbs"

    def examine(self, it: Examined) -> Iterator[str]:
        """Yield what the workflow lacks."""
        flows = [name for name in it.shared if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", name)]
        if not flows:
            yield "there is no workflow in `.github/workflows`"
        elif not any("make test" in it.text(name) or "pytest" in it.text(name) for name in flows):
            yield "no workflow runs the tests"


RULES: tuple[Rule, ...] = (
    TestsPass(),
    LintClean(),
    TypesHold(),
    LockPresent(),
    ModelWhole(),
    BetterThanGuessing(),
    NoPickle(),
    CardsComplete(),
    DataOutOfGit(),
    NoSecret(),
    ContainerModest(),
    AutomationPresent(),
)


def check(path: Path, *, rules: tuple[Rule, ...] = RULES, say: Callable[[str], None] | None = None) -> CheckReport:
    """Hold the project in ``path`` against ``rules`` and return what each found.

    ``say`` hears which rule is at work. ``ProjectError`` when there is no project; a rule that fails is a result, not
    an error.
    """
    project = Project.open(path.absolute())
    it = Examined(project)
    results = []
    for rule in rules:
        (say or _nobody)(rule.title)
        results.append(_judge(rule, it))
    return CheckReport(project=project.path, results=tuple(results))


def _judge(rule: Rule, it: Examined) -> Result:
    started = time.perf_counter()
    status: Literal["passed", "failed", "skipped"]
    try:
        problems = tuple(rule.examine(it))
        status = "failed" if problems else "passed"
    except NotApplicableError as reason:
        problems, status = (str(reason),), "skipped"
    finally:
        if rule.code in {"tests", "lint", "types"}:
            clear_caches_of_sources(it.path)
    seconds = round(time.perf_counter() - started, 3)
    mend = rule.mend if status == "failed" else ""
    return Result(rule.code, rule.title, rule.why, status, problems=problems, mend=mend, seconds=seconds)


def clear_caches_of_sources(path: Path) -> None:
    """Take away what the tools left in the project's own folders, and leave its environments alone."""
    for folder in ("src", "tests"):
        clear_caches(path / folder)


def _golden_rows_copied(it: Examined) -> Iterator[str]:
    """Yield a sentence when golden rows equal rows of the training data that hardly anybody shares."""
    data = it.path / "data" / "train.csv"
    schema = it.json("model/schema.json").get("properties", {})
    golden = it.json("model/golden.json").get("rows", [])
    rows: list[dict[str, Any]] = [entry.get("row", {}) for entry in golden]
    if not data.is_file() or not schema or not rows:
        return
    columns = list(schema)
    wanted = {tuple(_comparable(row.get(name)) for name in columns): 0 for row in rows}
    csv.field_size_limit(1 << 30)
    with data.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = tuple(_comparable(row.get(name)) for name in columns)
            if key in wanted:
                wanted[key] += 1
    copied = sum(1 for count in wanted.values() if 0 < count <= TELLING_ROWS_MAX)
    if copied:
        yield f"{copied} of {len(rows)} rows in `model/golden.json` are rows of the training data"


def _comparable(value: object) -> object:
    """Return a cell or a JSON value in one form: a number where it is one, else its text."""
    if value is None or value == "":
        return None
    try:
        return float(value)  # type: ignore[arg-type]  # whatever is no number falls through
    except (TypeError, ValueError):
        return str(value).strip()


def _empty_headings(text: str) -> list[str]:
    """Return the headings that nothing stands under, neither text nor a deeper heading."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = []
    for line, after in zip(lines, [*lines[1:], "# end"], strict=True):
        level, deeper = (len(part) - len(part.lstrip("#")) for part in (line, after))
        if re.match(r"#{1,6} ", line) and re.match(r"#{1,6} ", after) and deeper <= level:
            found.append(line.lstrip("# "))
    return found


def _tool(it: Examined, name: str) -> dict[str, Any]:
    tools: dict[str, dict[str, Any]] = tomllib.loads(it.text("pyproject.toml")).get("tool", {})
    return tools.get(name, {})


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _need(module: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415 - beside its only use

    if find_spec(module) is None:
        message = f"{module} is not installed here: `pip install {module}`"
        raise NotApplicableError(message)


def _nobody(line: str) -> None:
    """Tell nobody."""
