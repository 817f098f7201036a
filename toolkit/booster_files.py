"""Boosters' own files, none of which can run code: LightGBM's text, XGBoost's three forms, CatBoost's."""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Any

from toolkit.seen import NAMES_MAX, Port, Seen, finding
from toolkit.streams import BombError, DamagedError
from toolkit.wire import Table, read_ubjson

if TYPE_CHECKING:
    from toolkit.streams import Stream

HEADER_LINES_MAX = 100
PART_BYTES_MAX = 4 << 20  # of names and parameters
XGBOOST_BINARY_HEADER_BYTES = 136
UBJ_WANTED = frozenset(
    (
        "learner",
        "feature_names",
        "feature_types",
        "learner_model_param",
        "num_feature",
        "num_class",
        "base_score",
        "objective",
        "name",
        "version",
        "gradient_booster",
        "Model",
    )
)
LIGHTGBM_VERSIONS = {"v2": "2", "v3": "3", "v4": "4"}


def see_lightgbm(stream: Stream) -> Seen:
    """Return what the header of LightGBM's text tells; ``DamagedError`` when the text has no end."""
    header: dict[str, str] = {}
    for _ in range(HEADER_LINES_MAX):
        line = stream.line().decode("utf-8", "replace").strip()
        if line.startswith("Tree=") or line == "end of trees":
            break
        name, _, value = line.partition("=")
        header[name] = value
    names = header.get("feature_names", "").split()
    kinds = header.get("feature_infos", "").split()
    if not names or len(names) != int(header.get("max_feature_idx", "-2")) + 1:
        message = "its header does not name as many columns as it has"
        raise DamagedError(message)
    _lightgbm_end(stream)
    count = int(header.get("num_class", "1"))
    dtypes = [("category" if kind[:1].isdigit() or kind[:1] == "-" else "float64") for kind in kinds]
    return Seen(
        framework="LightGBM",
        format="lightgbm-text",
        version=LIGHTGBM_VERSIONS.get(header.get("version", ""), header.get("version", "")),
        holds=f"a booster, objective {header.get('objective', 'not told')}",
        inputs=tuple(Port(name, dtypes[index] if index < len(dtypes) else "") for index, name in enumerate(names)),
        outputs=(Port("raw_score", "float64", ("?", count) if count > 1 else ("?",)),),
        findings=() if header.get("objective") else (finding("no-objective", "it does not tell its objective"),),
    )


def _lightgbm_end(stream: Stream) -> None:
    """Read on to the end of the trees."""
    last = b""
    while True:
        part = stream.peek(1 << 16)
        if b"end of trees" in last[-16:] + part:
            return
        if not part:
            message = "its trees have no end: it is cut off"
            raise DamagedError(message)
        last = stream.read(len(part))


def see_xgboost_json(data: memoryview) -> Seen:
    """Return what XGBoost's JSON tells; its trees are read past."""
    import msgspec  # noqa: PLC0415 - 12 ms

    raw = msgspec.field(default_factory=msgspec.Raw)
    parts = ("feature_names", "feature_types", "learner_model_param", "objective", "gradient_booster")
    learner = msgspec.defstruct("Learner", [(name, msgspec.Raw, raw) for name in parts])
    shape: Any = msgspec.defstruct("Model", [("learner", learner), ("version", msgspec.Raw, raw)])
    try:
        found = msgspec.json.decode(data, type=shape)
        told = {name: _small_json(getattr(found.learner, name)) for name in parts[:4]}
        name = msgspec.defstruct("Booster", [("name", str, "")])
        held: Any = found.learner.gradient_booster
        booster: Any = msgspec.json.decode(held, type=name) if held else None
        version = _small_json(found.version)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"its JSON is damaged: {error}"
        raise DamagedError(message) from error
    objective = told["objective"]
    return _xgboost(
        "xgboost-json",
        version,
        names=told["feature_names"],
        types=told["feature_types"],
        parameters=told["learner_model_param"],
        objective=str(objective.get("name", "")) if isinstance(objective, dict) else "",
        booster=booster.name if booster else "",
    )


def _small_json(raw: Any) -> object:
    """Return a part of the JSON that is small in every honest file."""
    import msgspec  # noqa: PLC0415 - as above

    if len(raw) > PART_BYTES_MAX:
        message = f"a part of its JSON that describes it takes {len(raw):,} bytes"
        raise BombError(message)
    return msgspec.json.decode(raw) if raw else None


def see_xgboost_ubj(stream: Stream) -> Seen:
    """Return what XGBoost's UBJSON tells; its trees are read past."""
    found = read_ubjson(stream, UBJ_WANTED)
    if isinstance(found, dict):
        found = found.get("Model", found)  # beside its configuration, as pickles have it
    learner = found.get("learner") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(learner, dict):
        message = "it is UBJSON, and no model of XGBoost"
        raise DamagedError(message)
    objective, booster = learner.get("objective"), learner.get("gradient_booster")
    return _xgboost(
        "xgboost-ubj",
        found.get("version"),
        names=learner.get("feature_names"),
        types=learner.get("feature_types"),
        parameters=learner.get("learner_model_param"),
        objective=str(objective.get("name", "")) if isinstance(objective, dict) else "",
        booster=str(booster.get("name", "")) if isinstance(booster, dict) else "",
    )


def is_xgboost_binary(head: bytes) -> bool:
    """Return whether the bytes are the header of XGBoost's old binary form: numbers, then the objective's name."""
    at = XGBOOST_BINARY_HEADER_BYTES + (4 if head[:4] == b"binf" else 0)
    if len(head) < at + 16:
        return False
    size = struct.unpack_from("<Q", head, at)[0]
    return 3 < size < 64 and head[at + 8 : at + 8 + size].replace(b":", b"").isalnum()  # noqa: PLR2004 - a name's length


def see_xgboost_binary(head: bytes) -> Seen:
    """Return what the old binary header tells; versions from 3.1 on do not read this form any more."""
    at = 4 if head[:4] == b"binf" else 0
    _, features, classes = struct.unpack_from("<fIi", head, at)
    major, minor = struct.unpack_from("<II", head, at + 20)
    name = XGBOOST_BINARY_HEADER_BYTES + at
    size = struct.unpack_from("<Q", head, name)[0]
    seen = _xgboost(
        "xgboost-binary",
        [major, minor] if major else None,
        names=None,
        types=None,
        parameters={"num_feature": str(features), "num_class": str(classes)},
        objective=head[name + 8 : name + 8 + size].decode("latin1"),
        booster="",
    )
    told = finding("old-form", "XGBoost 3.1 and newer do not read this old binary form", "warning")
    return Seen(**{**vars(seen), "findings": (*seen.findings, told)})


def _xgboost(
    kind: str, version: object, *, names: object, types: object, parameters: object, objective: str, booster: str
) -> Seen:
    told = parameters if isinstance(parameters, dict) else {}
    features, classes = _count(told.get("num_feature")), _count(told.get("num_class"))
    if not 0 <= features <= NAMES_MAX:
        message = f"it is said to take {features:,} columns"
        raise DamagedError(message)
    answers = max(classes, _count(told.get("num_target")))
    if not 0 <= answers <= NAMES_MAX:
        message = f"it is said to answer with {answers:,} numbers a row"
        raise DamagedError(message)
    columns = [str(name) for name in names] if isinstance(names, list) and names else []
    columns = columns or [f"feature_{index}" for index in range(features)]
    kinds = [str(name) for name in types] if isinstance(types, list) else []
    written = ".".join(str(int(part)) for part in version if isinstance(part, int)) if isinstance(version, list) else ""
    return Seen(
        framework="XGBoost",
        format=kind,
        version=written,
        holds=f"a booster{f' ({booster})' if booster else ''}, objective {objective or 'not told'}",
        inputs=tuple(Port(name, kinds[index] if index < len(kinds) else "") for index, name in enumerate(columns)),
        outputs=(Port("score", "float32", ("?", classes) if classes > 1 else ("?",)),),
        findings=() if names else (finding("no-names", "it does not name its columns; they are numbered"),),
    )


def _count(value: object) -> int:
    text = str(value or 0)
    return int(text) if text.isdigit() and len(text) < 12 else -1  # noqa: PLR2004 - no table is wider


def see_catboost(data: memoryview) -> Seen:
    """Return what CatBoost's flatbuffer tells: columns, categories by number, its parameters and version."""
    size = struct.unpack_from("<I", data, 4)[0]
    if 8 + size > len(data):
        message = f"it is said to hold {size:,} bytes and has {len(data) - 8:,}: it is cut off"
        raise DamagedError(message)
    core = Table.root(data[8 : 8 + size])
    trees = core.table(1)
    if trees is None:
        message = "it holds no trees"
        raise DamagedError(message)
    facts = {entry.text(0): entry.text(1) for entry in core.tables(2)}
    named: dict[int, Port] = {}
    for index, kind, place in ((5, "float32", 4), (4, "category", 2), (12, "text", 2), (14, "embedding", 2)):
        for column in trees.tables(index):
            at = column.number(2 if kind == "float32" else 1, default=column.number(1))
            named[at] = Port(column.text(place) or column.text(4) or f"feature_{at}", kind)
    classes = _classes(facts)
    outputs = tuple(Port(name, "class") for name in classes) or (Port("score", "float64"),)
    return Seen(
        framework="CatBoost",
        format="catboost",
        version=_catboost_version(facts.get("catboost_version_info", "")),
        holds=f"a booster, {_objective(facts)}",
        inputs=tuple(named[at] for at in sorted(named)),
        outputs=outputs,
    )


def _catboost_version(text: str) -> str:
    found = re.search(r"\bv?(\d+\.\d+(?:\.\d+)?)\b", text)
    return found[1] if found else ""


def _classes(facts: dict[str, str]) -> list[str]:
    try:
        told = json.loads(facts.get("class_params") or "{}")
        labels = told.get("class_names") or told.get("class_to_label") if isinstance(told, dict) else None
    except (ValueError, RecursionError):
        return []
    return [str(label) for label in labels] if isinstance(labels, list) else []


def _objective(facts: dict[str, str]) -> str:
    try:
        told = json.loads(facts.get("params") or "{}")
        return f"objective {told['loss_function']['type']}"
    except (ValueError, RecursionError, KeyError, TypeError):
        return "objective not told"
