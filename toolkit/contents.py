"""A ``Download`` becomes ``Contents``: which files are tables, in which role, and what the rest is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from toolkit import table as tables
from toolkit.dictionary import descriptions_from, looks_like_dictionary
from toolkit.download import Provenance
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.table import Table

if TYPE_CHECKING:
    from toolkit.download import Download, FileRecord

Role = Literal["train", "test", "sample_submission", "dictionary", "table", "other"]
ItemKind = Literal["table", "text", "image", "audio", "model", "database", "archive", "other"]

SUFFIXES: dict[ItemKind, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".svg"),
    "audio": (".wav", ".mp3", ".ogg", ".flac", ".m4a", ".aac"),
    "model": (
        ".pkl",
        ".pickle",
        ".joblib",
        ".h5",
        ".hdf5",
        ".keras",
        ".onnx",
        ".pt",
        ".pth",
        ".safetensors",
        ".skops",
        ".pb",
        ".tflite",
        ".bin",
        ".gguf",
        ".cbm",
        ".ubj",
        ".mlmodel",
    ),
    "text": (".md", ".pdf", ".html", ".htm", ".rst", ".doc", ".docx", ".rtf", ".names", ".ipynb", ".py", ".r", ".log"),
    "database": (".sqlite", ".sqlite3", ".db"),
    "archive": (".tar", ".tgz", ".7z", ".rar"),
}
MAYBE_TABLES = frozenset((".txt", ".dat", ".data", ".test", ".all-data", ".tab", ".log", ""))
README_NAMES = frozenset(
    ("readme", "license", "licence", "licenses", "changelog", "citation", "makefile", "requirements")
)
TEXT_BYTES_MAX = 1 << 20  # of a text that may describe columns
ASKED = "asked for with --table"
CLOSE = 0.5  # a second table of at least this share of the first one's cells makes the choice unsure

_TRAIN = frozenset(("train", "training", "trn", "tr"))
_TEST = frozenset(("test", "testing", "tst", "holdout", "eval", "evaluation", "predict", "score"))
_VALIDATION = frozenset(("val", "valid", "validation", "dev"))


@dataclass(frozen=True)
class Item:
    """One file (or one sheet of it): its path relative to the download, what it is and in which role."""

    path: str
    kind: ItemKind
    role: Role
    size_bytes: int
    why: str
    rows: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Contents:
    """What a download holds. ``main`` is the table to learn from; ``test`` the rows to predict, if any.

    ``descriptions`` maps a column of ``main`` to its plain-word description (data dictionary, Kaggle's metadata).
    """

    items: tuple[Item, ...]
    main: Table
    test: Table | None
    sample_submission: Table | None
    descriptions: dict[str, str]
    provenance: Provenance
    findings: tuple[Finding, ...] = ()


def read(download: Download, *, table: str | None = None) -> Contents:
    """Return what ``download`` holds: each file with its role, the main table chosen with reasons, its companions.

    ``table`` names the main table (a file, a sheet, a database table; its name without suffix or folder will do).
    Raises ``DataError`` when there is no table, or none of that name.
    """
    items, found, problems = _gather(download, table)
    if not found:
        raise _no_table(download, items, problems)
    found, joined = _join_parts(found) if table is None else (found, ())
    choice = _choose(found, table)
    main = choice.main
    test = _test_of(main, found, choice.dictionaries)
    submission = _submission_of(main, test, found)
    roles: dict[int, tuple[Role, str]] = {id(main): ("train", choice.why)}
    if test is not None:
        roles[id(test)] = ("test", "its columns are the main table's, less what is to be predicted")
    if submission is not None:
        roles[id(submission)] = ("sample_submission", "it shows how an answer is to be handed in")
    for one in choice.dictionaries:
        roles.setdefault(id(one), ("dictionary", "its rows describe columns"))
    for one in found:
        role, why = roles.get(id(one), ("table", "another table"))
        items.append(Item(one.name, "table", role, _size_of(download, one), why, one.rows, tuple(one.frame.columns)))
    for finding in joined:
        whole, *parts = finding.evidence["files"]
        items += [
            Item(
                part,
                "table",
                "train" if whole == main.name else "table",
                _bytes_of(download, part),
                f"a part of `{whole}`",
            )
            for part in parts
        ]
    texts = _texts(download, items)
    descriptions, used = descriptions_from(main, choice.dictionaries, texts, download.provenance)
    told = "it describes columns of the main table"
    items = [replace(item, role="dictionary", why=told) if item.path in used else item for item in items]
    others = [one for one in found if id(one) not in roles]
    said = tuple(finding for finding in joined if finding.evidence["files"][0] == main.name)
    return Contents(
        items=tuple(sorted(items, key=lambda item: item.path)),
        main=main,
        test=test,
        sample_submission=submission,
        descriptions=descriptions,
        provenance=download.provenance,
        findings=(*_several(main, choice.why, others), *said, *problems, *main.findings),
    )


def _gather(download: Download, wanted: str | None) -> tuple[list[Item], list[Table], list[Finding]]:
    """Return the files that are no tables, the tables, and what could not be read."""
    items: list[Item] = []
    found: list[Table] = []
    problems: list[Finding] = []
    alone = len(download.files) == 1
    for record in sorted(download.files, key=lambda record: record.path):
        kind, is_table = _kind_of(download, record, alone=alone)
        if not is_table:
            items.append(Item(record.path, kind, "other", record.size_bytes, f"{kind} by its name and first bytes"))
            continue
        try:
            found += tables.read_tables(download.root / record.path, name=record.path)
        except DataError as error:
            if alone or (wanted is not None and _is_called(wanted, record.path)):
                raise
            items.append(Item(record.path, "other", "other", record.size_bytes, error.message))
            problems.append(
                Finding("unreadable-file", _sentence(error.message), severity="warning", action="left the file out")
            )
    return items, found, problems


def _kind_of(download: Download, record: FileRecord, *, alone: bool) -> tuple[ItemKind, bool]:
    path = PurePosixPath(record.path)
    suffix = path.suffix.lower()
    kind: ItemKind = next((kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes), "other")
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return "other", False
    if alone and kind in {"other", "database", "text"} and suffix not in {".pdf", ".html", ".ipynb", ".py"}:
        return kind, True
    if kind == "database":
        return kind, True
    if kind != "other":
        return kind, False
    words = _words(path.stem)
    if suffix in MAYBE_TABLES:
        readme = bool(words & README_NAMES) or (suffix == ".txt" and _describes(record.path))
        return "text", not readme and record.size_bytes > 0 and tables.looks_tabular(download.root / record.path)
    if suffix == ".json" and words & {"metadata", "package", "config", "labels"}:
        return "text", False
    return kind, tables.is_table_name(record.path)


@dataclass(frozen=True)
class _Choice:
    main: Table
    why: str
    dictionaries: tuple[Table, ...]


def _choose(found: list[Table], wanted: str | None) -> _Choice:
    """Choose the main table: the one asked for, else the one called train, else the largest that is no companion."""
    dictionaries = tuple(one for one in found if len(found) > 1 and looks_like_dictionary(one, found))
    if wanted is not None:
        matches = [one for one in found if _is_called(wanted, one.name, one.reading.sheet, one.reading.member)]
        if not matches:
            names = ", ".join(f"`{one.name}`" for one in found[:8])
            message = f"no table is called `{wanted}`: found {names}"
            raise DataError(message, hint=f"name one of them with --table {_argument(found[0].name)}")
        exact = [one for one in matches if wanted in {one.name, one.reading.sheet}]
        return _Choice((exact or matches)[0], ASKED, dictionaries)
    companions = {id(one) for one in dictionaries}
    companions |= {id(one) for one in found if _names_submission(one.name)}
    candidates = [one for one in found if id(one) not in companions] or found
    ranked = sorted(candidates, key=lambda one: (-_rank(one, candidates), _preference(one), one.name))
    main, others = ranked[0], ranked[1:]
    return _Choice(main, _why(main, others), dictionaries)


def _join_parts(found: list[Table]) -> tuple[list[Table], tuple[Finding, ...]]:
    """Join tables of the same columns whose names differ in numbers, dates or months alone: one table cut in pieces."""
    groups: dict[tuple[str, tuple[str, ...]], list[Table]] = {}
    for one in found:
        groups.setdefault((_without_numbers(one.name), tuple(one.frame.columns)), []).append(one)
    joined: list[Table] = []
    findings: list[Finding] = []
    for (stem, _), parts in groups.items():
        if len(parts) == 1 or not stem.strip(" /._-") or _words(stem) & (_TEST | _VALIDATION):
            joined += parts
            continue
        joined.append(_joined(parts))
        names = [part.name for part in parts]
        findings.append(
            Finding(
                "joined-parts",
                f"{len(parts)} files with the same {parts[0].frame.shape[1]} columns are parts of one table: "
                f"{_listed(names)}; together they have {joined[-1].rows:,} rows",
                action="joined them in the order of their names",
                overrule=f"--table {_argument(names[0])}",
                evidence={"files": names},
            )
        )
    return joined, tuple(findings)


def _joined(parts: list[Table]) -> Table:
    import pandas as pd  # noqa: PLC0415 - 300 ms

    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    findings = tuple(finding for part in parts for finding in part.findings)
    return Table(parts[0].name, frame, parts[0].reading, findings)


def _without_numbers(name: str) -> str:
    """Return a file's name with its numbers and months taken out."""
    months = "january|february|march|april|may|june|july|august|september|october|november|december"
    short = "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
    folded = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.sub(rf"\d+|(?<![a-z])(?:{months}|{short})(?![a-z])", "", folded)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown  # noqa: PLR2004 - the four that are shown


def _rank(one: Table, candidates: list[Table]) -> float:
    """Score a candidate: cells it holds, with heavy weight on a name that says train, or that says test."""
    score = float(one.rows * min(one.frame.shape[1], 50))
    words = _words(one.name)
    if one.frame.shape[1] == 1:
        score *= 0.01
    partners = [other for other in candidates if other is not one and _shared(one, other) >= 0.5]  # noqa: PLR2004
    if words & _TRAIN and not words & _TEST:
        score *= 1000 if partners else 20
    if words & (_TEST | _VALIDATION) and partners:
        score *= 0.001
    if any(set(other.frame.columns) < set(one.frame.columns) and _words(other.name) & _TEST for other in partners):
        score *= 10
    return score


def _preference(one: Table) -> int:
    return {"csv": 0, "tsv": 1, "parquet": 2, "feather": 3, "excel": 4}.get(one.reading.format, 5)


def _why(main: Table, others: list[Table]) -> str:
    if not others:
        return "the only table"
    if _words(main.name) & _TRAIN:
        return "its name says that it is for training"
    return f"the largest of {len(others) + 1} tables ({main.rows:,} rows, {main.frame.shape[1]} columns)"


def _is_rival(main: Table, other: Table) -> bool:
    if _same_cells(main, other) or _words(other.name) & (_TEST | _VALIDATION) or _names_submission(other.name):
        return False
    if _words(main.name) & _TRAIN and _shared(main, other) < 0.5:  # noqa: PLR2004 - the name has settled it
        return False
    return other.frame.shape[1] > 1 and other.frame.size >= CLOSE * main.frame.size


def _several(main: Table, why: str, others: list[Table]) -> tuple[Finding, ...]:
    if not others or why == ASKED:
        return ()
    others = sorted(others, key=lambda one: (-one.frame.size, one.name))
    rivals = [one for one in others if _is_rival(main, one)]
    names = ", ".join(f"`{one.name}` ({one.rows:,} rows)" for one in (rivals or others)[:5])
    rival = (rivals or others)[0]
    return (
        Finding(
            "several-tables",
            f"{len(others) + 1} tables are here; the one to learn from is taken to be `{main.name}`: {why}. "
            f"Also: {names}",
            severity="unsure" if rivals else "note",
            action="left the others out of training",
            overrule=f"--table {_argument(rival.name)}",
            evidence={"tables": [one.name for one in (main, *others)][:50]},
        ),
    )


def _test_of(main: Table, found: list[Table], dictionaries: tuple[Table, ...]) -> Table | None:
    """Return the rows to predict: a table called test whose columns are the main's, less the target."""
    names = set(main.frame.columns)
    best: tuple[float, Table] | None = None
    for one in found:
        if one is main or one in dictionaries or _names_submission(one.name) or not _words(one.name) & _TEST:
            continue
        columns = set(one.frame.columns)
        shared = len(columns & names)
        if shared < max(1, 0.6 * len(names)) or len(columns - names) > max(1, 0.1 * len(columns)):
            continue
        score = shared + (0.5 if columns < names else 0) - len(_words(one.name)) / 100
        if best is None or score > best[0]:
            best = (score, one)
    return best[1] if best else None


def _submission_of(main: Table, test: Table | None, found: list[Table]) -> Table | None:
    names = set(main.frame.columns)
    for one in found:
        columns = list(one.frame.columns)
        if one in (main, test) or len(columns) < 2 or len(columns) > 0.8 * len(names) + 2:  # noqa: PLR2004 - an id and an answer
            continue
        shaped = test is not None and one.rows == test.rows and columns[0] in set(test.frame.columns)
        answers = [
            name for name in columns[1:] if name in names and (test is None or name not in set(test.frame.columns))
        ]
        if _names_submission(one.name) or (shaped and len(answers) == len(columns) - 1):
            return one
    return None


def _no_table(download: Download, items: list[Item], problems: list[Finding]) -> DataError:
    """Say honestly what is there instead of a table."""
    name = download.provenance.title or download.provenance.source or download.root.name
    if problems and not any(item.kind == "image" for item in items):
        return DataError(
            f"no table in `{name}` can be read: {_clause(problems[0].message)}", hint="name another source"
        )
    if not items:
        return DataError(f"`{name}` is an empty folder: expected files", hint="download the data again")
    kinds = Counter(item.kind for item in items)
    words: dict[ItemKind, str] = {"image": "image", "audio": "sound", "model": "model file", "archive": "archive"}
    words["text"] = "text file"
    counts = {word: kinds[kind] for kind, word in words.items()}
    counts["other file"] = kinds.total() - sum(counts.values())
    counted = ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count)
    folders = sorted(
        {str(PurePosixPath(item.path).parent) for item in items if item.kind in {"image", "audio"}} - {"."}
    )
    where = f" in {len(folders)} folders ({', '.join(folders[:6])})" if len(folders) > 1 else ""
    hint = "name a source with a CSV, Parquet, Excel or JSON table"
    if counts["image"] or counts["sound"]:
        what = "images" if counts["image"] >= counts["sound"] else "sounds"
        hint = f"learning from {what} is not built yet: {hint}"
    return DataError(f"no table in `{name}`: it holds {counted}{where}", hint=hint)


def _texts(download: Download, items: list[Item]) -> dict[str, str]:
    """Return the texts beside the tables that may describe columns, by path, the likeliest first."""
    from toolkit.dialect import decode, encoding_of  # noqa: PLC0415 - one name, used here only

    paths = [item.path for item in items if item.kind == "text"]
    paths = [path for path in paths if PurePosixPath(path).suffix.lower() in {".txt", ".md", ".names", ""}]
    texts: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (not _describes(path), path)):
        raw = (download.root / path).read_bytes()[:TEXT_BYTES_MAX]
        texts[path] = decode(raw, encoding_of(raw))
    return texts


def _describes(path: str) -> bool:
    """Whether a file's name says that it describes a table."""
    return re.search(r"descri|dictionar|codebook|columns|features|\.names|about|read_?me", path.lower()) is not None


def _size_of(download: Download, one: Table) -> int:
    return _bytes_of(download, one.reading.path.relative_to(download.root).as_posix())


def _bytes_of(download: Download, path: str) -> int:
    return next((record.size_bytes for record in download.files if record.path == path), 0)


def _shared(one: Table, other: Table) -> float:
    """Return the share of the smaller table's columns that both have."""
    a, b = set(one.frame.columns), set(other.frame.columns)
    return len(a & b) / max(min(len(a), len(b)), 1)


def _same_cells(one: Table, other: Table) -> bool:
    """Whether two tables look like the same data twice: same rows, nearly the same columns' names."""
    return one.rows == other.rows and _shared(one, other) > 0.8  # noqa: PLR2004 - a copy may have an index more


def _is_called(wanted: str, *names: str) -> bool:
    folded = wanted.casefold()
    for name in filter(None, names):
        path = PurePosixPath(name.replace(":", "/"))
        plain = path.name.split(".")[0]
        options = {name, str(path), path.name, path.stem, plain, *path.parts}
        if folded in {option.casefold() for option in options}:
            return True
    return False


def _words(name: str) -> set[str]:
    """Return a name's words in small letters, split at everything but letters and where case changes."""
    stem = re.sub(r"(\.[a-zA-Z]{2,8}){1,2}$", "", name.replace(":", "/"))
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", spaced)}
    joined = {
        mark
        for word in words
        for mark in ("train", "test")
        if re.fullmatch(rf"(x|y|my|the|df)?{mark}(ing|set|data|df)?", word)
    }
    return words | joined


def _names_submission(name: str) -> bool:
    return bool(
        re.search(r"submi(ssion|t)|sample[_ -]?(sub|entry|solution|output)", PurePosixPath(name).name, re.IGNORECASE)
    )


def _argument(name: str) -> str:
    return f"'{name}'" if re.search(r"[^\w./:-]", name) else name


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]


def _clause(message: str) -> str:
    return message[:1].lower() + message[1:]
