"""A ``Plan`` and its data become a ``Project``: a rendered folder that trains, tests and serves by itself.

The template gives the code, which is the same for everybody; what was learnt of the data goes to model/*.json,
DATA_CARD.md and data/. Text from outside reaches a rendered file only through ``plain_text``: it stays data there.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import keyword
import re
import shutil
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from toolkit.card import data_card, notice, printable
from toolkit.errors import ProjectError, UsageError
from toolkit.plan import DataFile, Plan
from toolkit.records import Record, dump

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.contents import Contents
    from toolkit.download import Provenance
    from toolkit.profile import Profile
    from toolkit.table import Table

SLUG_CHARACTERS_MAX = 40
TITLE_CHARACTERS_MAX = 100
SUMMARY_CHARACTERS_MAX = 200
CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# Letters that mean something in TOML, YAML, Markdown, HTML, make, shell or Jinja, and what stands for them in a title.
PLAIN = str.maketrans('"\\{}<>`[]|$*', "'/()‹›'()/＄∗")  # noqa: RUF001 - the look-alikes are the point

# A package of this name would hide a module that the project itself imports.
TAKEN = frozenset(sys.stdlib_module_names) | frozenset(
    """click fastapi httpx httpx2 hypothesis joblib kaggle kaggle2app matplotlib msgspec multipart mypy numpy onnx
    onnxruntime pandas pip prometheus_client pyarrow pydantic pytest python_multipart rich ruff scikit_learn scipy
    setuptools sklearn skops starlette tests toolkit typer uvicorn uvloop wheel""".split()  # noqa: SIM905 - easier to read
)

# What the project's own `train` writes, for the tree that --dry-run shows.
TRAINED = (
    "model/encoder.json",
    "model/example.json",
    "model/example.json",
    "model/golden.json",
    "model/reference.json",
    "model/manifest.json",
    "model/metrics.json",
    "model/model.onnx",
    "model/pipeline.skops",
    "MODEL_CARD.md",
    "reports/answers.png",
    "reports/candidates.png",
    "reports/importances.png",
)
SAMPLE_SUBMISSION = "data/sample_submission.csv"  # how a competition wants its answers; `predict` reads it
WRITTEN = ("DATA_CARD.md", "NOTICE", "data/train.csv", "model/plan.json", "model/provenance.json", "model/schema.json")


@dataclass(frozen=True)
class Names(Record):
    """What a project is called: ``slug`` for folder, distribution and command; ``package`` to import."""

    slug: str
    package: str


@dataclass(frozen=True)
class Project(Record):
    """A generated project on disk."""

    path: Path
    slug: str
    package: str
    title: str

    @classmethod
    def open(cls, path: Path) -> Project:
        """Return the project that stands in ``path``; ``ProjectError`` when there is none."""
        hint = f"give the folder that `kaggle2app new` made, e.g. `kaggle2app check {path.name or 'PROJECT'}`"
        if not path.is_dir():
            message = f"`{path}` is not a folder" if path.exists() else f"there is no folder `{path}`"
            raise ProjectError(message, hint=hint)
        lacking = [name for name in ("pyproject.toml", "model/plan.json", "src") if not (path / name).exists()]
        if lacking:
            message = f"`{path}` is not a generated project: it has no `{lacking[0]}`"
            raise ProjectError(message, hint=hint)
        packages = sorted(folder.parent.name for folder in (path / "src").glob("*/__main__.py"))
        if len(packages) != 1:
            message = f"`{path / 'src'}` holds {len(packages)} packages with a `__main__.py`, expected 1"
            raise ProjectError(message, hint=hint)
        try:
            slug = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
            plan = read_plan(path)
        except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
            message = f"`{path / 'pyproject.toml'}` cannot be read: {error}"
            raise ProjectError(message, hint="bring it back from git, or make the project again") from error
        return cls(path=path, slug=slug, package=packages[0], title=plan.title)


def read_plan(path: Path) -> Plan:
    """Return the plan of the project in ``path``; ``ProjectError`` when it is damaged."""
    import json  # noqa: PLC0415 - beside its only use

    file = path / "model" / "plan.json"
    try:
        return Plan.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"`{file}` cannot be read: {str(error).splitlines()[0]}"
        raise ProjectError(message, hint="bring it back from git, or make the project again") from error


def names(text: str) -> Names:
    """Return the slug and the package name that ``text`` gives: ``My Data!`` is ``my-data`` and ``my_data``.

    ``UsageError`` when nothing is left of it, or when it looks like a path.
    """
    from slugify import slugify  # noqa: PLC0415 - 20 ms

    if any(mark in text for mark in "/\\\0") or text.strip() in {".", ".."}:
        message = f"`{printable(text)}` is a path, expected a name"
        raise UsageError(message, hint="`--name` takes a name and `--into` the folder that shall hold the project")
    slug: str = slugify(text, max_length=SLUG_CHARACTERS_MAX, word_boundary=True)
    if not slug:
        message = f"`{printable(text)}` gives no project name: no letter or digit is left of it"
        raise UsageError(message, hint="give a name of Latin letters and digits, e.g. `--name my-project`")
    if slug[0].isdigit():
        slug = f"app-{slug}"
    package = slug.replace("-", "_")
    if package in TAKEN or keyword.iskeyword(package) or keyword.issoftkeyword(package):
        slug, package = f"{slug}-app", f"{package}_app"
    return Names(slug=slug, package=package)


def default_name(provenance: Provenance) -> str:
    """Return the words a project is named after when nobody says: the last telling part of the source."""
    common = {
        "model",
        "pipe",
        "pipeline",
        "train",
        "training",
        "data",
        "dataset",
        "test",
        "input",
        "archive",
        "table",
        "file",
        "csv",
        "versions",
    }
    parts = [part for part in re.split(r"[/\\:]", provenance.source) if part.strip()]
    for part in reversed(parts):
        stem = re.sub(
            r"(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx?|zip|gz|bz2|xz|data|tab|dat|pkl|pickle|joblib|onnx|skops"
            r"|cbm|ubj|h5|keras|model|pt|pth|tflite|z))+$",
            "",
            part.lower(),
        )
        if stem and stem not in common and not stem.isdigit() and re.search(r"\w", stem):
            return stem
    return provenance.title or "project"


def plain_text(text: str, *, characters_max: int) -> str:
    """Return ``text`` as one harmless line: it means the same in TOML, YAML, Markdown, HTML, a Makefile and a shell."""
    line = printable(text).translate(PLAIN).lstrip("#-+=!&%@>:. ").strip()
    return line if len(line) <= characters_max else line[: characters_max - 1].rstrip() + "…"


def template_folder() -> Path:
    """Return the folder that holds cookiecutter.json: inside the installed package, or beside it in the repository."""
    here = Path(__file__).parent
    for folder in (here / "_template", here.parent / "template"):
        if (folder / "cookiecutter.json").is_file():
            return folder
    message = "the template is missing from this installation"
    raise ProjectError(message, hint="install again: `pip install --force-reinstall kaggle2app`")


def tree(named: Names, contents: Contents) -> tuple[str, ...]:
    """Return the paths of all files that a project will have, sorted, without making any."""
    folder = template_folder() / "{{cookiecutter.project_slug}}"
    rendered = {
        str(path.relative_to(folder)).replace("{{cookiecutter.package_name}}", named.package).replace("\\", "/")
        for path in folder.rglob("*")
        if path.is_file() and not set(path.parts) & set(CACHES)
    }
    given = {"data/test.csv"} if contents.test is not None else set()
    given |= {SAMPLE_SUBMISSION} if contents.sample_submission is not None else set()
    return tuple(sorted(rendered | given | set(TRAINED) | set(WRITTEN)))


def check_free(path: Path) -> None:
    """Raise ``ProjectError`` when ``path`` is taken: only a new or an empty folder becomes a project."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        message = f"`{path}` exists and is not a folder"
        raise ProjectError(message, hint="choose another name with `--name NAME`")
    if path.is_dir() and any(path.iterdir()):
        message = f"the folder `{path}` is not empty, and nothing is ever overwritten"
        raise ProjectError(message, hint="choose another name with `--name NAME`, or another place with `--into DIR`")


def render(
    plan: Plan,
    schema: dict[str, Any],
    profile: Profile,
    contents: Contents,
    *,
    into: Path,
    name: str | None = None,
    author: str = "",
) -> Project:
    """Write the project, not yet trained, as a new folder in ``into`` and return it.

    ``name`` is the project's name; by default the source gives it. A folder that is not empty is refused with
    ``ProjectError``; after any failure the new folder is gone again.
    """
    named = names(default_name(contents.provenance) if name is None else name)
    path = into.absolute() / named.slug
    check_free(path)
    context = {
        "project_slug": named.slug,
        "package_name": named.package,
        "title": plain_text(plan.title, characters_max=TITLE_CHARACTERS_MAX) or named.slug,
        "summary": plain_text(_summary(plan), characters_max=SUMMARY_CHARACTERS_MAX),
        "author": plain_text(author, characters_max=TITLE_CHARACTERS_MAX) or f"The {named.slug} authors",
        "source": plain_text(shareable(plan.source), characters_max=SUMMARY_CHARACTERS_MAX) or named.slug,
    }
    plan = dataclasses.replace(plan, source=shareable(plan.source))
    contents = dataclasses.replace(contents, provenance=shareable_provenance(contents.provenance))
    with disk_errors_told(path), removed_on_failure(path):
        into.mkdir(parents=True, exist_ok=True)
        render_template(context, into.absolute(), overwrite=path.exists())
        without_caches(path)
        _write_data(path, plan, schema, profile, contents)
    return Project(path=path, slug=named.slug, package=named.package, title=context["title"])


def without_caches(path: Path) -> None:
    """Take away what a template used in place has left behind."""
    for cache in [folder for folder in path.rglob("*") if folder.name in CACHES]:
        shutil.rmtree(cache)


def shareable(source: str) -> str:
    """Return a source as others may read it: of a path on this machine, only the last part."""
    return PurePath(source).name if PurePath(source).is_absolute() or source.startswith((".", "~")) else source


def shareable_provenance(provenance: Provenance) -> Provenance:
    """Return where a source came from as others may read it."""
    address = "" if provenance.url.startswith("file:") else provenance.url
    return dataclasses.replace(provenance, source=shareable(provenance.source), url=address)


def _summary(plan: Plan) -> str:
    question = {"binary": " or ".join(plan.labels), "multiclass": f"one of {len(plan.labels)} classes"}.get(
        plan.task, "a number"
    )
    columns = "column" if len(plan.treatments) == 1 else "columns"
    return f"Predicts {plan.target} ({question}) from {len(plan.treatments)} {columns}"


def render_template(context: dict[str, str], into: Path, *, overwrite: bool, families: Sequence[str] = ()) -> None:
    """Write the template's files into ``into``; ``families`` of projects replace some of them and leave some out.

    ``template/<family>/without.txt`` lists what is left out: a file, or a section of one by ``path#Heading``.
    ``with.txt`` beside it lists packages that the served application needs besides, as ``pyproject.toml`` does;
    ``locked.txt`` holds their lines for both locks, with those of what they bring along, where these have none; and
    ``instead.txt`` a text for another in a file: ``path => old => new``, a line end written as in Python.
    """
    _generate(template_folder(), context, into, overwrite=overwrite)
    for family in families:
        _lay_over(template_folder() / family, context, into)


def _lay_over(overlay: Path, context: dict[str, str], into: Path) -> None:
    path = into / context["project_slug"]
    for line in _lines_of(overlay / "without.txt"):
        name, _, heading = line.replace("{{cookiecutter.package_name}}", context["package_name"]).partition("#")
        if heading:
            _cut_section(path / name, heading)
        else:
            (path / name).unlink()
    _generate(overlay, context, into, overwrite=True)
    for line in _lines_of(overlay / "instead.txt"):
        for key in ("package_name", "project_slug"):
            line = line.replace(f"{{{{cookiecutter.{key}}}}}", context[key])  # noqa: PLW2901 - rendered
        name, old, new = line.replace("\\n", "\n").split(" => ")
        before, after = (path / name).read_text(encoding="utf-8").split(old, 1)
        (path / name).write_text(before + new + after, encoding="utf-8", newline="\n")
    for block in _blocks_of(overlay / "locked.txt"):
        _lock_with(path, block)
    for line in _lines_of(overlay / "with.txt"):
        _serve_with(path, line)


def _lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _blocks_of(path: Path) -> list[str]:
    """Return the packages of a lock, each with its hashes."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.findall(r"^[a-z].*\n(?:[ ].*\n)*", text, re.MULTILINE)


def _lock_with(path: Path, block: str) -> None:
    """Add a package to both locks, in the version that the larger one has already, if it does."""
    package = block.split("==", 1)[0]
    for name in ("requirements.lock", "requirements-serve.lock"):
        text = (path / name).read_text(encoding="utf-8")
        held = re.search(rf"^{re.escape(package)}==.*\n(?:[ ].*\n)*", text, re.MULTILINE)
        if held is None:
            _insert(path / name, block, before=r"^[a-z]\S*==")
        else:
            block = held[0]


def _serve_with(path: Path, requirement: str) -> None:
    """Add a package of the lock to what the served application is installed with."""
    package = re.split(r"[^\w-]", requirement)[0]
    whole = (path / "requirements.lock").read_text(encoding="utf-8")
    block = re.search(rf"^{re.escape(package)}==.*\n(?:[ ].*\n)*", whole, re.MULTILINE)
    if block is None:
        message = f"the template's lock does not hold {package}"
        raise ProjectError(message, hint="install again: `pip install --force-reinstall kaggle2app`")
    _lock_with(path, block[0])
    head, tail = (path / "pyproject.toml").read_text(encoding="utf-8").split("serve = [", 1)
    head = head.replace("  # training\n", f'  "{requirement}",\n  # training\n', 1)
    tail = tail.replace("\n]", f'\n  "{package}",\n]', 1)
    (path / "pyproject.toml").write_text(f"{head}serve = [{tail}", encoding="utf-8", newline="\n")


def _insert(path: Path, block: str, *, before: str) -> None:
    """Write a block of lines where the alphabet has it among those that begin like ``before``."""
    text = path.read_text(encoding="utf-8")
    name = block.split("==", 1)[0]
    later = [one.start() for one in re.finditer(before, text, re.MULTILINE) if one[0].split("==", 1)[0] > name]
    place = later[0] if later else len(text)
    path.write_text(text[:place] + block + text[place:], encoding="utf-8", newline="\n")


def _cut_section(path: Path, heading: str) -> None:
    text = path.read_text(encoding="utf-8")
    before, after = text.split(f"## {heading}\n", 1)
    rest = after.split("\n## ", 1)
    path.write_text(before + (f"## {rest[1]}" if len(rest) > 1 else ""), encoding="utf-8", newline="\n")


def _generate(template: Path, context: dict[str, str], into: Path, *, overwrite: bool) -> None:
    from cookiecutter.exceptions import CookiecutterException  # noqa: PLC0415 - 150 ms
    from cookiecutter.generate import generate_context, generate_files  # noqa: PLC0415 - as above

    try:
        made = generate_context(str(template / "cookiecutter.json"), extra_context=context)
        generate_files(str(template), made, str(into), overwrite_if_exists=overwrite, accept_hooks=False)
    except CookiecutterException as error:
        message = f"the template could not be rendered: {error}"
        raise ProjectError(message, hint="install again: `pip install --force-reinstall kaggle2app`") from error


def _write_data(path: Path, plan: Plan, schema: dict[str, Any], profile: Profile, contents: Contents) -> None:
    (path / "data").mkdir(exist_ok=True)
    (path / "model").mkdir(exist_ok=True)
    train = path / "data" / "train.csv"
    _write_table(contents.main, train, plan)
    if contents.test is not None:
        _write_table(contents.test, path / "data" / "test.csv", plan)
    if contents.sample_submission is not None:
        _write_table(contents.sample_submission, path / SAMPLE_SUBMISSION, plan)
    digest = hashlib.sha256(train.read_bytes()).hexdigest()
    plan = dataclasses.replace(plan, data=DataFile(path="data/train.csv", rows=contents.main.rows, sha256=digest))
    written = {
        "model/plan.json": dump(plan.to_json()),
        "model/schema.json": dump(schema),
        "model/provenance.json": dump(contents.provenance.to_json()),
        "DATA_CARD.md": data_card(plan, profile, contents),
        "NOTICE": notice(plan.title, contents.provenance),
    }
    for name, text in written.items():
        (path / name).write_text(text, encoding="utf-8", newline="\n")


def _write_table(table: Table, path: Path, plan: Plan) -> None:
    """Write the raw cells as UTF-8 CSV with one header row; an absent cell is empty, each label in one writing."""
    frame = table.frame
    if plan.spellings and plan.target in frame.columns:
        cells = frame[plan.target]
        labels = cells.str.strip().map(plan.spellings)
        frame = frame.assign(**{plan.target: cells.where(labels.isna(), labels)})
    frame.to_csv(path, index=False, na_rep="", encoding="utf-8", lineterminator="\n")


@contextmanager
def disk_errors_told(path: Path) -> Iterator[None]:
    """Turn what a disk refuses while writing to ``path`` into a ``ProjectError``."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            message = f"no space is left for `{path}`"
            raise ProjectError(message, hint="free some space, or choose another disk with `--into DIR`") from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            message = f"`{path}` cannot be written: {error.strerror or error}"
            raise ProjectError(message, hint="choose a folder you may write to with `--into DIR`") from error
        message = f"`{path}` cannot be written: {error}"
        raise ProjectError(message, hint="choose another place with `--into DIR`") from error


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Take ``path`` away again when the block fails or is interrupted; an empty folder that was there stays."""
    was_there = path.exists()
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        if was_there:
            path.mkdir(exist_ok=True)
        raise
