"""A ``Download`` becomes ``Contents``: which files are tables, in which role, and what the rest is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from toolkit import memory as machine
from toolkit import roles
from toolkit import table as tables
from toolkit.dictionary import descriptions_from
from toolkit.download import Provenance
from toolkit.drawing import drawn_finding, some
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.joining import join_answers, join_classes, join_lookups, join_named, join_parts
from toolkit.naming import name_columns
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


def read(
    download: Download, *, table: str | None = None, rows: int | None = None, memory: int | None = None
) -> Contents:
    """Return what ``download`` holds: each file with its role, the main table chosen with reasons, its companions.

    ``table`` names the main table (a file, a sheet, a database table; its name without suffix or folder will do).
    ``rows`` is how many of the main table's rows are used, by a seeded draw; without it all that fit ``memory`` bytes
    (what is free without it).
    Raises ``DataError`` when there is no table, or none of that name.
    """
    if sum(record.size_bytes for record in download.files) > machine.LARGE_BYTES:
        machine.return_early()
    memory = machine.free_bytes() if memory is None else memory
    items, found, problems = _gather(download, table, rows, memory)
    if not found:
        raise _no_table(download, items, problems)
    found = name_columns(found, _texts(download, items))
    found, joined = join_parts(found) if table is None else (found, ())
    if table is None:
        found, classes = join_classes(found)
        found, named = join_named(found)
        joined += (*classes, *named)
    choice = roles.choose(found, table)
    main, answers, beside = join_answers(choice.main, found) if table is None else (choice.main, None, ())
    test = roles.test_of(main, found, choice.dictionaries)
    submission = roles.submission_of(main, test, found)
    looked_up: list[Table] = []
    predicted = test
    if table is None:
        known = {id(one) for one in (choice.main, main, answers, test, submission, *choice.dictionaries)}
        free = [one for one in found if id(one) not in known]
        main, test, looked_up, lookups = join_lookups(main, test, free)
        beside = (*beside, *lookups)
    drawn = tuple(one for one in (test, submission) if one is not None)
    partly = [finding for one in drawn for finding in one.findings if finding.code == "drawn-rows"]
    if rows is not None and main.rows > rows:
        partly.append(drawn_finding(main.name, main.rows, rows, "more than were asked for with `--rows`", {}))
        main = replace(main, frame=some(main.frame, rows))
    given: dict[int, tuple[Role, str]] = {id(choice.main): ("train", choice.why)}
    if answers is not None:
        given[id(answers)] = ("train", "it holds the answers to the main table's rows")
    for one in looked_up:
        given[id(one)] = ("table", "the main table refers to it by a key")
    if predicted is not None:
        given[id(predicted)] = ("test", "its columns are the main table's, less what is to be predicted")
    if submission is not None:
        given[id(submission)] = ("sample_submission", "it shows how an answer is to be handed in")
    for one in choice.dictionaries:
        given.setdefault(id(one), ("dictionary", "its rows describe columns"))
    for one in found:
        role, why = given.get(id(one), ("table", "another table"))
        items.append(Item(one.name, "table", role, _size_of(download, one), why, one.rows, tuple(one.frame.columns)))
    for finding in joined:
        whole, *parts = finding.evidence["files"]
        same: Role = "train" if whole == main.name else "table"
        items += [Item(part, "table", same, _bytes_of(download, part), f"a part of `{whole}`") for part in parts]
    texts = _texts(download, items)
    descriptions, used = descriptions_from(main, choice.dictionaries, texts, download.provenance)
    told = "it describes columns of the main table"
    items = [replace(item, role="dictionary", why=told) if item.path in used else item for item in items]
    others = [one for one in found if id(one) not in given]
    said = tuple(finding for finding in joined if finding.evidence["files"][0] == main.name)
    return Contents(
        items=tuple(sorted(items, key=lambda item: item.path)),
        main=main,
        test=test,
        sample_submission=submission,
        descriptions=descriptions,
        provenance=download.provenance,
        findings=(*roles.several(main, choice.why, others), *said, *beside, *partly, *problems, *main.findings),
    )


def _gather(
    download: Download, wanted: str | None, rows: int | None, memory: int
) -> tuple[list[Item], list[Table], list[Finding]]:
    """Return the files that are no tables, the tables, and what could not be read."""
    items: list[Item] = []
    found: list[Table] = []
    problems: list[Finding] = []
    alone = len(download.files) == 1
    kinds = {record.path: _kind_of(download, record, alone=alone) for record in download.files}
    sizes = {record.path: record.size_bytes for record in download.files if kinds[record.path][1]}
    shares = _shares(sizes, wanted, memory)
    for record in sorted(download.files, key=lambda record: record.path):
        kind, is_table = kinds[record.path]
        if not is_table:
            items.append(Item(record.path, kind, "other", record.size_bytes, f"{kind} by its name and first bytes"))
            continue
        if record.path not in shares:
            items.append(Item(record.path, "table", "other", record.size_bytes, "not read: all exceed the memory"))
            continue
        try:
            found += tables.read_tables(
                download.root / record.path, name=record.path, memory=shares[record.path], rows=rows
            )
        except DataError as error:
            if alone or (wanted is not None and roles.is_called(wanted, record.path)):
                raise
            items.append(Item(record.path, "other", "other", record.size_bytes, error.message))
            problems.append(
                Finding("unreadable-file", _sentence(error.message), severity="warning", action="left the file out")
            )
    return items, found, problems


def without_repeats(contents: Contents) -> Contents:
    """Return the contents with each row of the main table once, and a finding that says how many were left out."""
    frame = contents.main.frame
    repeats = frame.fillna("").duplicated().to_numpy()
    count = int(repeats.sum())
    if not count:
        return contents
    told = Finding(
        "repeats-left-out",
        f"{count:,} of {len(frame):,} rows {'repeats' if count == 1 else 'repeat'} an earlier one in every cell",
        action="left them out: asked for with `--drop-duplicates`",
        evidence={"rows": count},
    )
    main = replace(contents.main, frame=frame[~repeats].reset_index(drop=True))
    return replace(contents, main=main, findings=(*contents.findings, told))


def _shares(sizes: dict[str, int], wanted: str | None, memory: int) -> dict[str, int]:
    """Return how much memory each file may take: all of it where they fit, else the smaller ones what they need.

    Of what is left each larger file gets the same; a file that is asked for gets all, and the others are not read.
    """
    if not memory or sum(sizes.values()) * tables.MEMORY_TIMES <= memory:
        return dict.fromkeys(sizes, memory)
    named = [path for path in sizes if wanted is not None and roles.is_called(wanted, path)]
    if named:
        return dict.fromkeys(named, memory // len(named))
    shares: dict[str, int] = {}
    for place, path in enumerate(sorted(sizes, key=lambda path: (sizes[path], path))):
        shares[path] = max(1, memory // (len(sizes) - place))
        memory -= min(sizes[path] * tables.MEMORY_TIMES, shares[path])
    return shares


def is_table(download: Download, record: FileRecord) -> bool:
    """Return whether a file is read as a table, by its name and first bytes."""
    return _kind_of(download, record, alone=len(download.files) == 1)[1]


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
    words = roles.words(path.stem)
    if suffix in MAYBE_TABLES:
        readme = bool(words & README_NAMES) or (suffix == ".txt" and _describes(record.path))
        return "text", not readme and record.size_bytes > 0 and tables.looks_tabular(download.root / record.path)
    if suffix == ".json" and words & {"metadata", "package", "config", "labels"}:
        return "text", False
    return kind, tables.is_table_name(record.path)


def _no_table(download: Download, items: list[Item], problems: list[Finding]) -> DataError:
    """Say honestly what is there instead of a table."""
    name = download.provenance.title or download.provenance.source or download.root.name
    unread = [item.path for item in items if item.why.startswith("not read")]
    if unread:
        message = f"the tables of `{name}` together take more memory than this machine has"
        raise DataError(message, hint=f"name one of them with --table {roles.argument(unread[0])}")
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


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]


def _clause(message: str) -> str:
    return message[:1].lower() + message[1:]
