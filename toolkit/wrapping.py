"""A model file becomes a project: read in a cage, written down as JSON and ONNX, proven, tested, put in place.

Nothing is trained. What the model reads and answers is its own; the proof is that the served model answers a few
hundred drawn rows as the model's own library does.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import re
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from toolkit import graphs
from toolkit.artifact import require
from toolkit.building import Build, appear, run, tested
from toolkit.cage import UnopenedError, read_caged
from toolkit.card import licence_in_words, markdown, notice, size
from toolkit.contract import (
    contract,
    families_of,
    is_of_tensors,
    labels_beside,
    labels_of,
    picture_in_words,
    task_of,
    width_of,
)
from toolkit.environments import DISTRIBUTIONS, interpreter_for
from toolkit.errors import ArtifactError, DataError
from toolkit.plan import DataFile, Decision, Plan
from toolkit.project import (
    SUMMARY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Project,
    check_free,
    names,
    plain_text,
    removed_on_failure,
    render_template,
    shareable,
    shareable_provenance,
    without_caches,
)
from toolkit.records import Record, dump
from toolkit.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from toolkit.artifact import Artifact
    from toolkit.cage import Caged
    from toolkit.download import Provenance

TOLERANCE = 1e-5  # as the project's own evaluate.py holds it
GOLDEN_ROWS = 40
GOLDEN_ROWS_OF_TENSORS = 8
SCORED = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
OWN_FORMS = {  # frameworks with a form without pickle, and the packages that open it, its own first
    "LightGBM": ("lightgbm",),
    "XGBoost": ("xgboost",),
    "CatBoost": ("catboost",),
    "ONNX": ("onnxruntime",),
    "Keras": ("tensorflow", "tf_keras", "tf2onnx", "onnx", "onnxruntime"),  # which brings Keras 3; the other is Keras 2
    "TensorFlow": ("tensorflow", "tf2onnx", "onnx", "onnxruntime"),
    "TFLite": ("ai_edge_litert", "onnx", "onnxruntime"),
    "PyTorch": ("torch", "onnx", "onnxruntime"),
    "Transformers": ("transformers", "torch", "sentencepiece", "onnx", "onnxruntime"),
    "transformers-onnx": ("tokenizers", "onnx", "onnxruntime"),  # a form of these folders: no weights of PyTorch
}
PAGE_FACTS = (("Base model", "base model"), ("Training data", "training data"))
THEN = "then: "  # begins the name of a class that answers as its own version did: see ``caged/ages.py``
ANSWER = "prediction"  # what the answer is called when nobody says

SAID_CHARACTERS_MAX = 300
SEEN_BEFORE = "Whether it learned from the rows below nobody knows: on rows that it has seen, scores flatter."
NOTHING_SCORED = "- Which rows it learned from, and how well it does: nothing was scored here."

_OPENED = (
    "A pickle is a program, so the file was not opened in the process that made this project. Its bytes were "
    "read first, for what it would import. Then it was opened in a process of its own that could neither reach the "
    "network nor write outside a scratch folder ({layers}). What came out is arithmetic: `model/encoder.json` and "
    "`model/model.onnx`."
)


class UnfaithfulError(ArtifactError):
    """The served form does not answer as the libraries did that opened the file."""


@dataclass(frozen=True)
class Wrapped(Record):
    """What a model file was taken for: its parts, question, columns, and what opened it."""

    file: str
    size_bytes: int
    sha256: str
    framework: str
    parts: tuple[str, ...]
    task: Literal["binary", "multiclass", "regression"]
    target: str
    labels: tuple[str, ...]
    columns: int
    named: bool
    written_by: str
    opened_by: str
    layers: tuple[str, ...]
    sides: tuple[int, ...] = ()
    trusted: bool = False
    findings: tuple[str, ...] = ()

    @property
    def answers(self) -> str:
        """Return what it answers with, in words."""
        if self.sides:
            return f"{' x '.join(map(str, self.sides))} numbers"
        words = {"binary": " or ".join(self.labels), "multiclass": f"one of {len(self.labels)} classes"}
        return words.get(self.task, "a number")


@dataclass(frozen=True)
class Wishes:
    """What the person wants of the project: where, what it is called, and what they know of the model.

    ``target`` names what it answers; ``data`` is a table whose rows it is to answer; ``beside`` are the files that may
    prepare its rows (see ``models.companions``); ``network`` is what ``contract.network_wishes`` makes of the flags for
    sides, pixels and classes.
    """

    into: Path
    name: str
    author: str = ""
    target: str = ""
    data: Path | None = None
    beside: tuple[tuple[Path, Artifact], ...] = ()
    network: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    tests: bool = True
    offline: bool = False


def wrap_file(
    path: Path, artifact: Artifact, wishes: Wishes, *, provenance: Provenance, steps: Steps | None = None
) -> tuple[Wrapped, Build]:
    """Read a model file and make its project, by today's libraries or else by those of the version that wrote it."""
    steps = steps or Steps()
    wrapped, caged = read_model(path, artifact, wishes, steps=steps)
    wrapped = _with_page(wrapped, caged, wishes, provenance)
    try:
        return wrapped, wrap(wrapped, caged, wishes, provenance=provenance, steps=steps)
    except UnfaithfulError as error:  # another version may read the same attributes otherwise
        if not _has_another_version(artifact) or wrapped.opened_by == artifact.version:
            raise
        steps.say(f"{error.message}; asking scikit-learn {artifact.version}, which wrote it")
    wrapped, caged = read_model(path, artifact, wishes, own_version=True, steps=steps)
    wrapped = _with_page(wrapped, caged, wishes, provenance)
    return wrapped, wrap(wrapped, caged, wishes, provenance=provenance, steps=steps)


def read_model(
    path: Path, artifact: Artifact, wishes: Wishes, *, own_version: bool = False, steps: Steps | None = None
) -> tuple[Wrapped, Caged]:
    """Return what the model in ``path`` is and its reading, made in a cage; ``ArtifactError`` when it is refused.

    ``own_version`` asks the version of scikit-learn that wrote the file, in an environment made for it.
    """
    steps = steps or Steps()
    check_free(wishes.into.absolute() / names(wishes.name).slug)
    require(artifact, trust=wishes.trust)
    with steps("open"):
        caged = _read(path, artifact, wishes, steps, own_version=own_version)
    wrapped = describe_model(
        caged,
        file=artifact.name,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        framework=artifact.framework,
        wrote=artifact.version,
        target=wishes.target,
        trusted=wishes.trust and bool(artifact.refused),
    )
    return wrapped, caged


def _with_page(wrapped: Wrapped, caged: Caged, wishes: Wishes, provenance: Provenance) -> Wrapped:
    """Return what was found with a word on the data that the model's page names, where nobody gave any."""
    named = provenance.details.get("training data", "")
    if not named or wishes.data is not None or is_of_tensors(caged.document):
        return wrapped
    first = named.split(",")[0].strip()
    told = f"its page says that it learned from {named}: with `--data {first}`, ranges and examples come from there"
    return replace(wrapped, findings=(*wrapped.findings, told))


def _has_another_version(artifact: Artifact) -> bool:
    """Return whether a file says which scikit-learn wrote it, and it was not the one that is here."""
    mine = any(module.split(".")[0] == "sklearn" for module, _ in artifact.allowed)
    return mine and bool(artifact.version) and artifact.version != version("scikit-learn")


def _read(path: Path, artifact: Artifact, wishes: Wishes, steps: Steps, *, own_version: bool) -> Caged:
    """Return the model's reading by the libraries at hand, else by those of the version that wrote it."""
    own_form = artifact.framework in OWN_FORMS and artifact.format not in {"pickle", "joblib"}
    library = "skops" if artifact.format == "skops" else artifact.framework if own_form else ""
    modules = {module.split(".")[0] for module, _ in artifact.allowed}
    form = artifact.format if artifact.format in OWN_FORMS else artifact.framework
    packages = list(OWN_FORMS[form]) if own_form else sorted(modules & set(DISTRIBUTIONS))

    def opened(python: Path) -> Caged:
        return read_caged(
            path,
            allowed=artifact.allowed,
            names=_names_in(wishes),
            beside={one.name: (place, one.allowed) for place, one in wishes.beside},
            library=library,
            network={**wishes.network, "labels_nearby": labels_beside(path)},
            imports=packages,
            trust=wishes.trust and bool(artifact.refused),
            python=python,
        )

    if own_version:
        return opened(interpreter_for(packages, sklearn=artifact.version, offline=wishes.offline, say=steps.say))
    python = interpreter_for(packages, offline=wishes.offline, say=steps.say)
    try:
        return opened(python)
    except UnopenedError as error:
        if not _has_another_version(artifact):
            raise
        steps.say(f"{error.message}; trying scikit-learn {artifact.version}, which wrote it")
        return opened(interpreter_for(packages, sklearn=artifact.version, offline=wishes.offline, say=steps.say))


def _names_in(wishes: Wishes) -> tuple[str, ...]:
    """Return the names of the data's columns but the target, for a model that does not know its own."""
    if wishes.data is None:
        return ()
    from toolkit.table import read_tables  # noqa: PLC0415 - pandas, 0.3 s

    return tuple(str(name) for name in read_tables(wishes.data)[0].frame.columns if name != wishes.target)


def wrap(
    wrapped: Wrapped, caged: Caged, wishes: Wishes, *, provenance: Provenance, steps: Steps | None = None
) -> Build:
    """Render, prove and test the project of a model that was read, and only then let it appear.

    ``ArtifactError`` when the served model does not answer as the original did.
    """
    steps = steps or Steps()

    def make(stage: Path) -> Build:
        with steps("render"):
            project = _render(wrapped, caged, provenance=provenance, into=stage, name=wishes.name, author=wishes.author)
        with steps("prove"):
            difference = _proven(project, wrapped, steps)
            _told_the_usual(project, caged, wishes, steps)
            scores = _scored(project, wishes, steps)
            _tell_proof(project, wrapped, provenance, difference, rows=len(caged.document["rows"]), scores=scores)
        return tested(project, tests=wishes.tests, steps=steps, tell=steps.say)

    return appear(wishes.into.absolute() / names(wishes.name).slug, make, steps=steps)


def describe_model(
    caged: Caged,
    *,
    file: str,
    size_bytes: int,
    sha256: str,
    framework: str,
    wrote: str = "",
    target: str = "",
    trusted: bool = False,
) -> Wrapped:
    """Return what the model is, from its reading."""
    document = caged.document
    versions = document.get("versions", {})
    classes = labels_of(document)
    alone = document["model"] in (["Booster"], ["ONNX graph"])
    opened = (versions.get(one) for one in (framework.lower(), *OWN_FORMS.get(framework, ("sklearn",))))
    findings = []
    if not document["named"]:
        findings.append("the model does not name its columns: they are numbered, in the order that it reads them")
    if document["answer"] == "labels":
        findings.append("the model names a class and not how sure it is: the class that it names gets 1, all others 0")
    if document.get("unused"):
        names = ", ".join(document["unused"][:10])
        findings.append(f"its answers do not depend on {names}: accepted and not used")
    if document.get("written_by") or wrote != versions.get("sklearn"):
        findings += _brought_up_to_date(document)
    findings += document.get("findings", ())
    for column in document["columns"]:
        if column.get("picture"):
            findings.append(f"{column['name']}: {picture_in_words(column['picture'])} ({column['picture']['why']})")
    if any((column.get("picture") or {}).get("assumed") for column in document["columns"]):
        findings.append("`--pixels 0..255`, `-1..1`, `imagenet` or `caffe` says what else it was trained on")
    return Wrapped(
        file=file,
        size_bytes=size_bytes,
        sha256=sha256,
        framework=framework,
        parts=(f"{framework} booster",) if document["model"] == ["Booster"] else tuple(document["model"]),
        task=task_of(document),
        target=target or ANSWER,
        labels=tuple(str(label) for label in classes),
        columns=len(document["columns"]),
        named=bool(document["named"]),
        written_by=", ".join(document.get("written_by", ())) or (wrote if alone or framework not in OWN_FORMS else ""),
        opened_by=next(filter(None, opened), ""),
        layers=tuple(document.get("layers", ())),
        sides=tuple(document.get("answer_shape") or ()),
        trusted=trusted,
        findings=tuple(findings),
    )


def _brought_up_to_date(document: Mapping[str, Any]) -> list[str]:
    """Return what was done to a model that another version of its library wrote."""
    wrote = " and ".join(document.get("written_by", ()))
    facts = [one for one in document.get("lost", ()) if not one.startswith(THEN)]
    then = [one.removeprefix(THEN) for one in document.get("lost", ()) if one.startswith(THEN)]
    told = []
    if facts:
        kinds = list(dict.fromkeys(one.split(".", maxsplit=1)[0] for one in facts if one.count(".") == 1))
        parts = f", of {', '.join(kinds[:5])}{' and others' if len(kinds) > 5 else ''}" if kinds else ""  # noqa: PLR2004 - shown
        by = f"written by scikit-learn {wrote} and " if wrote else ""
        told.append(f"{by}brought up to date: {len(facts)} facts that later versions look for were added{parts}")
    if then:
        told.append(f"{', '.join(then)} answers as in scikit-learn {wrote}, which later versions do otherwise")
    return told


def _render(wrapped: Wrapped, caged: Caged, *, provenance: Provenance, into: Path, name: str, author: str) -> Project:
    named = names(name)
    path = into.absolute() / named.slug
    check_free(path)
    provenance = shareable_provenance(provenance)
    title = provenance.title or named.slug
    context = {
        "project_slug": named.slug,
        "package_name": named.package,
        "title": plain_text(title, characters_max=TITLE_CHARACTERS_MAX) or named.slug,
        "summary": plain_text(_summary(wrapped), characters_max=SUMMARY_CHARACTERS_MAX),
        "author": plain_text(author, characters_max=TITLE_CHARACTERS_MAX) or f"The {named.slug} authors",
        "source": plain_text(shareable(provenance.source), characters_max=SUMMARY_CHARACTERS_MAX) or named.slug,
    }
    with removed_on_failure(path):
        render_template(context, into.absolute(), overwrite=path.exists(), families=families_of(caged.document))
        without_caches(path)
        (path / "model").mkdir(exist_ok=True)
        for file, content in _model_files(wrapped, caged, provenance, title=title).items():
            (path / file).write_bytes(content)
    return Project(path=path, slug=named.slug, package=named.package, title=context["title"])


def _summary(wrapped: Wrapped) -> str:
    columns = "one column" if wrapped.columns == 1 else f"{wrapped.columns} columns"
    article = "an" if wrapped.parts[-1][:1] in "AEIOU" else "a"
    return f"Answers with {wrapped.answers} from {columns}, by {article} {wrapped.parts[-1]} made elsewhere"


def _model_files(wrapped: Wrapped, caged: Caged, provenance: Provenance, *, title: str) -> dict[str, bytes]:
    """Return every file of the model's folder by its path in the project."""
    document, labels = caged.document, labels_of(caged.document)
    schema = contract(document, target=wrapped.target, title=title)
    width = width_of(document["encoder"]["steps"])
    graph = (
        bytes(caged.arrays["model"].tobytes())
        if "model" in caged.arrays
        else graphs.model_of(
            document["nodes"],
            {name: array for name, array in caged.arrays.items() if name != "answers"},
            document["output"],
            width=width,
            answers=len(labels) or caged.arrays["answers"].shape[1],
            probabilities=wrapped.task != "regression",
        )
    )
    answers = caged.arrays["answers"]
    if not all(math.isfinite(value) for value in answers.ravel().tolist()):
        message = f"`{wrapped.file}` answers some drawn rows with numbers that are not finite"
        raise ArtifactError(message, hint="nothing can be proven of it; wrap another version of the model")
    flat = wrapped.task == "regression" and not wrapped.sides
    rows = [
        {"row": row, "answer": answer[0] if flat else answer}
        for row, answer in zip(document["rows"], answers.tolist(), strict=True)
    ]
    drawn = [{**case, "answer": [case["answer"]] if flat else case["answer"]} for case in rows]
    files = {
        "encoder.json": _json(document["encoder"]),
        "model.onnx": graph,
        "schema.json": dump(schema).encode(),
        "golden.json": _json({"rows": rows[: GOLDEN_ROWS_OF_TENSORS if is_of_tensors(document) else GOLDEN_ROWS]}),
        "drawn.json": _json({"rows": drawn}),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    version = hashlib.sha256(
        "".join(hashes[name] for name in ("schema.json", "encoder.json", "model.onnx")).encode()
    ).hexdigest()[:12]
    manifest = {
        "format": 1,
        "version": version,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": hashes,
        "versions": _versions(),
        **({"precision": document.get("precision", TOLERANCE)} if "model" in caged.arrays else {}),  # mostly in float32
    }
    example = {name: facts["examples"][0] for name, facts in schema["properties"].items()}
    files["example.json"] = _json({"rows": [example]})
    files["manifest.json"] = dump(manifest).encode()
    files["plan.json"] = dump(_plan(wrapped, provenance, title).to_json()).encode()
    files["provenance.json"] = dump(provenance.to_json()).encode()
    files["metrics.json"] = dump(_metrics(wrapped, version)).encode()
    return {
        **{f"model/{name}": content for name, content in files.items()},
        "NOTICE": notice(title, provenance).encode(),
    }


def _plan(wrapped: Wrapped, provenance: Provenance, title: str) -> Plan:
    opened = ", ".join(wrapped.layers)
    decisions = (
        Decision("file", f"{wrapped.file}, {size(wrapped.size_bytes)}", f"SHA-256 {wrapped.sha256}"),
        Decision("model", " -> ".join(wrapped.parts), f"{wrapped.framework} {wrapped.written_by}".strip()),
        Decision("opened", f"in a cage: {opened}", f"with {wrapped.framework} {wrapped.opened_by}".strip()),
        *(
            (Decision("trust", "its imports were not held against the list", "asked for", "leave out --trust"),)
            if wrapped.trusted
            else ()
        ),
        Decision(
            "target",
            wrapped.target,
            "nobody said what it answers" if wrapped.target == ANSWER else "asked for",
            "--target COLUMN",
        ),
    )
    return Plan(
        source=shareable(provenance.source),
        title=title,
        task=wrapped.task,
        target=wrapped.target,
        metric=SCORED[wrapped.task],
        metric_why="the usual one of such answers",
        split="random",
        split_why="nothing is trained",
        data=DataFile(path="", rows=0, sha256=""),
        labels=wrapped.labels,
        positive=wrapped.labels[-1] if wrapped.task == "binary" else "",
        decisions=decisions,
    )


def _metrics(wrapped: Wrapped, version: str, difference: float | None = None, rows: int = 0) -> dict[str, Any]:
    return {
        "model": version,
        "wrapped": True,
        "task": wrapped.task,
        "target": wrapped.target,
        "metric": SCORED[wrapped.task],
        "rows": {},
        "test": {},
        "baseline": {},
        "candidates": [],
        "chosen": " -> ".join(wrapped.parts),
        "why": "it came so",
        "importances": [],
        "parity": {"difference": difference, "tolerance": TOLERANCE, "rows": rows},
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": version("numpy"), "onnxruntime": version("onnxruntime")}


def _proven(project: Project, wrapped: Wrapped, steps: Steps) -> float:
    """Return the largest difference that the project's own ``evaluate`` finds; ``ArtifactError`` when too large."""
    ran = run(project, [sys.executable, "-m", project.package, "evaluate"], say=steps.say)
    told = " ".join(line.strip() for line in ran.lines if line.strip())
    found = re.search(r"largest difference from the original's answers ([\d.e+\-]+|nan|inf)", told)
    if found is None or ran.code:
        why = f"differs by {found[1]} in the worst of the drawn rows" if found else f"could not be asked: {told[-200:]}"
        message = f"`{wrapped.file}` has no faithful served form: its served model {why}"
        raise UnfaithfulError(
            message, hint="it is not served rather than served wrong; `kaggle2app inspect` shows its parts"
        )
    return float(found[1])


def _told_the_usual(project: Project, caged: Caged, wishes: Wishes, steps: Steps) -> None:
    """Let the project learn, by its own ``usual``, from the rows that it is to answer.

    ``DataError`` when they do not fit the model.
    """
    if wishes.data is None or is_of_tensors(caged.document):
        return
    ran = run(
        project, [sys.executable, "-m", project.package, "usual", "--data", str(wishes.data.absolute())], say=steps.say
    )
    if ran.code:
        message = f"the model cannot answer the rows of `{wishes.data.name}`: {_said(ran.lines, wishes.data)}"
        raise DataError(message, hint="give a file with the columns that the model reads, or leave out `--data`")


def _said(lines: Sequence[str], data: Path) -> str:
    """Return what a project's command printed of a file as one sentence."""
    told = " ".join(line.rstrip() for line in lines if line.strip()).replace(str(data.absolute()), data.name)
    return " ".join(told.removeprefix("error: ").split())[:SAID_CHARACTERS_MAX]


def _scored(project: Project, wishes: Wishes, steps: Steps) -> str:
    """Return the scores, by the project's own ``evaluate``, on the data whose answers the person knows; or nothing.

    ``DataError`` when the data does not fit the model.
    """
    if wishes.data is None or not wishes.target:
        return ""
    command = ["evaluate", "--data", str(wishes.data.absolute()), "--target", wishes.target]
    ran = run(project, [sys.executable, "-m", project.package, *command], say=steps.say)
    lines = [line.rstrip() for line in ran.lines if line.strip()]
    if ran.code:
        message = f"the model's answers to `{wishes.data.name}` cannot be scored: {_said(lines, wishes.data)}"
        raise DataError(message, hint="give a file with the columns that the model reads, or leave out `--target`")
    return f"On `{wishes.data.name}`, whose answers are in `{wishes.target}`:\n\n```text\n" + "\n".join(lines) + "\n```"


def _tell_proof(
    project: Project, wrapped: Wrapped, provenance: Provenance, difference: float, *, rows: int, scores: str = ""
) -> None:
    model = project.path / "model"
    version = json.loads((model / "manifest.json").read_text(encoding="utf-8"))["version"]
    metrics = _metrics(wrapped, version, difference, rows)
    (model / "metrics.json").write_text(dump(metrics), encoding="utf-8", newline="\n")
    card = model_card(
        wrapped,
        shareable_provenance(provenance),
        difference=difference,
        rows=rows,
        title=project.title,
        scores=scores,
    )
    (project.path / "MODEL_CARD.md").write_text(card, encoding="utf-8", newline="\n")
    readme = project.path / "README.md"
    told = f"It answers {rows} drawn rows as the original does: the largest difference is {difference:.1e}. " + (
        f"{SEEN_BEFORE}\n\n{scores}" if scores else "Whether the original is right was not measured."
    )
    text = readme.read_text(encoding="utf-8")
    start, end = "<!-- results:start -->", "<!-- results:end -->"
    head, rest = text.split(start, 1)
    tail = rest.split(end, 1)[1]
    readme.write_text(f"{head}{start}\n\n{told}\n\n{end}{tail}", encoding="utf-8", newline="\n")


def model_card(
    wrapped: Wrapped, provenance: Provenance, *, difference: float, rows: int, title: str, scores: str = ""
) -> str:
    """Return MODEL_CARD.md: what the file was, what it was taken for, how that was proven, whose it is."""
    facts = [
        ("File", f"`{wrapped.file}`, {size(wrapped.size_bytes)}"),
        ("SHA-256", f"`{wrapped.sha256}`"),
        ("Parts", markdown(" -> ".join(wrapped.parts))),
        ("Written by", markdown(f"{wrapped.framework} {wrapped.written_by}")),
        ("Opened by", markdown(f"{wrapped.framework} {wrapped.opened_by}")),
        ("Source", markdown(provenance.source)),
        *((what, markdown(provenance.details[key])) for what, key in PAGE_FACTS if provenance.details.get(key)),
        (
            "Licence of the model",
            markdown(f"{provenance.licence or 'unknown'}: {licence_in_words(provenance.licence)}"),
        ),
    ]
    answer = "one of two classes" if wrapped.task == "binary" else wrapped.answers
    labels = f": {', '.join(markdown(label) for label in wrapped.labels[:20])}" if wrapped.labels else ""
    lines = [
        f"# Model card: {markdown(title)}",
        f"A model that somebody else made, served as it was: {answer}{labels}, from {wrapped.columns} columns.",
        "## What it is",
        "\n".join(["| What | Value |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in facts)]),
        "## How it was opened",
        _OPENED.format(layers=", ".join(wrapped.layers))
        + (
            " Its imports were not held against the list of harmless ones: `--trust` was given."
            if wrapped.trusted
            else ""
        ),
        "## What was proven",
        (
            f"{rows} rows were drawn across what the model tells of its columns, near its thresholds too. The model's "
            f"own library and the served model answer them alike: the largest difference is {difference:.1e} (relative "
            f"for numbers above 1), at most {TOLERANCE:.0e} is accepted."
        ),
        *(("## How well it does", f"{SEEN_BEFORE} {scores}") if scores else ()),
        "## What is not known",
        "\n".join(
            [
                "- Which rows it learned from." if scores else NOTHING_SCORED,
                *(f"- {finding[0].upper()}{finding[1:]}." for finding in wrapped.findings),
            ]
        ),
    ]
    for key, heading in (("overview", "What its page says"), ("usage", "How its page says to use it")):
        said = markdown(provenance.details.get(key, ""), characters_max=1500)
        if said:
            lines += [f"## {heading}", f"> {said}"]
    return "\n\n".join(lines) + "\n"


def _json(values: object) -> bytes:
    return (json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n").encode()
