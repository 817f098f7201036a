"""Which files are models, not data: ``is_model`` for one, ``models_in`` for those of a folder, by first bytes."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

from toolkit import booster_files as boosters
from toolkit.streams import DamagedError, open_stream

MODEL_SUFFIXES = frozenset((
    ".pkl", ".pickle", ".joblib", ".sav", ".dill", ".cloudpickle", ".h5", ".hdf5", ".keras", ".onnx", ".pt",
    ".pt2", ".pth", ".ckpt", ".safetensors", ".skops", ".pb", ".tflite", ".gguf", ".ggml", ".cbm", ".ubj",
    ".model", ".mlmodel", ".bin", ".pmml", ".rds", ".rdata", ".engine", ".plan", ".trt", ".npz", ".bst", ".xgb",
    ".lgb", ".torchscript",
))  # fmt: skip
DATA_SUFFIXES = frozenset(
    (
        ".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".ods", ".feather", ".arff", ".jsonl", ".ndjson", ".sqlite",
        ".sqlite3", ".db", ".data", ".tab", ".pqt", ".orc",
    )
)  # fmt: skip
_MAGIC = (
    b"\x89HDF\r\n\x1a\n", b"CBM1", b"GGUF", b"\x93NUMPY", b"ptrt", b"ftrt", b"RDX2\n", b"RDX3\n", b"X\n\x00\x00\x00",
    b"MATLAB 5.0", b"MATLAB 7.3", b"tree\nversion=", b"\xac\xed\x00\x05",
)  # fmt: skip
_ZIPPED = frozenset(("data.pkl", "schema.json", "metadata.json", "model.weights.h5", "model.ini", "models/model.json"))
_FOLDER_MARKS = ("saved_model.pb", "MLmodel")
HEAD_BYTES = 512
FILES_MAX = 5000
MEMBERS_SEEN_MAX = 1000


def is_model(path: Path) -> bool:
    """Return whether a file or folder looks like a model and not like data; nothing of it is read but its beginning.

    A name that models have counts as well: what lies under it may still turn out to be none, which ``look`` says.
    """
    if path.is_dir():
        return any((path / mark).is_file() for mark in _FOLDER_MARKS) or _is_transformers(path)
    if not path.is_file():
        return False
    if path.suffix.lower() in MODEL_SUFFIXES:
        return True
    try:
        with open_stream(path) as stream:
            return _begins_like_model(stream.peek(HEAD_BYTES)) or _is_model_zip(path)
    except (DamagedError, OSError):
        return False


def models_in(folder: Path) -> tuple[Path, ...]:
    """Return the models in a folder, in the order of their names; a folder that is one model counts once."""
    found: list[Path] = []
    seen = 0
    for current, folders, names in os.walk(folder):
        place = Path(current)
        if is_model(place):
            found.append(place)
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(names):
            path = place / name
            seen += 1
            if seen > FILES_MAX:
                return tuple(found)
            if not name.startswith(".") and not path.is_symlink() and is_model(path):
                found.append(path)
    return tuple(found)


def may_hold_models(archive: Path) -> bool:
    """Return whether an archive is worth unpacking in search of models: by the names in a zip, always for others."""
    try:
        with zipfile.ZipFile(archive) as held:
            names = held.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, UnicodeError):
        return True
    return any(Path(name.lower()).suffix in MODEL_SUFFIXES or Path(name).name in _FOLDER_MARKS for name in names)


def holds_tables(folder: Path) -> bool:
    """Return whether a folder has files that are data by their names."""
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(_data_suffix(name) in DATA_SUFFIXES for name in names):
            return True
    return False


def _data_suffix(name: str) -> str:
    path = Path(name.lower())
    return Path(path.stem).suffix if path.suffix in {".gz", ".bz2", ".xz", ".zst", ".zip"} else path.suffix


def _begins_like_model(head: bytes) -> bool:
    if head.startswith(_MAGIC) or head[4:8] == b"TFL3":
        return True
    if head[:1] == b"\x80" and len(head) > 2 and head[1] in range(2, 6) and head[2] in b"\x95]}(cX\x8cq)":  # noqa: PLR2004
        return True
    if head[:2] in {b"{L", b"{i", b"{U", b"{l", b"{I"} and b"learner" in head[:40]:
        return True
    if re.match(rb'\s*\{\s*"(?:learner|version)"\s*:\s*[\[{]', head) or b"<PMML" in head:
        return True
    if len(head) > 9 and head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 27:  # noqa: PLR2004
        return True
    return boosters.is_xgboost_binary(head)


def _is_model_zip(path: Path) -> bool:
    """Return whether a zip has the members of a model, or nothing but arrays."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:MEMBERS_SEEN_MAX]
    except (zipfile.BadZipFile, NotImplementedError, OSError, UnicodeError):
        return False
    return any({name, name.partition("/")[2]} & _ZIPPED for name in names) or all(
        name.endswith(".npy") for name in names
    )


def _is_transformers(folder: Path) -> bool:
    config = folder / "config.json"
    if config.is_symlink() or not config.is_file():
        return False
    with config.open("rb") as file:
        head = file.read(1 << 16)
    return b'"model_type"' in head or b'"architectures"' in head
