"""Models that are zip files: skops, PyTorch's four kinds, Keras 3, NumPy's; read member by member, never unpacked."""

from __future__ import annotations

import json
import mmap
import re
import struct
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.hdf5_files import reaches_outside
from toolkit.keras_files import see_keras
from toolkit.pickled import refusal, seen_of
from toolkit.pickles import Scan, scan
from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.streams import DamagedError, Stream
from toolkit.torch_files import exported_member, see_exported, see_torch
from toolkit.verdicts import Import, judge
from toolkit.zips import Members, objects_in, open_members

if TYPE_CHECKING:
    from pathlib import Path

NPY_HEADER_BYTES_MAX = 1 << 20
CHUNK_BYTES = 4 << 20


def see_zip(path: Path) -> Seen | None:
    """Return what kind of model a zip file is; ``None`` for a zip of something else."""
    with open_members(path, path.stat().st_size) as members:
        return _see_members(members)


def _see_members(members: Members) -> Seen | None:
    names = set(members.names)
    roots = {name.split("/", 1)[0] for name in names if "/" in name}
    root = f"{next(iter(roots))}/" if len(roots) == 1 else ""
    if "schema.json" in names:
        return _see_skops(members)
    if f"{root}data.pkl" in names:
        return see_torch(members, root)
    if exported := exported_member(names, root):
        return see_exported(members, exported)
    if "config.json" in names and ("metadata.json" in names or "model.weights.h5" in names):
        facts = members.json("metadata.json") if "metadata.json" in names else {}
        version = str(facts.get("keras_version", "")) if isinstance(facts, dict) else ""
        size, outside = _weights_in(members)
        return see_keras(
            members.json("config.json"), kind="keras", version=version, weights_bytes=size, outside=outside
        )
    if names and all(name.endswith(".npy") for name in names):
        return _see_npz(members)
    if "model.ini" in names:
        return Seen(
            "H2O",
            "mojo",
            reason="H2O's MOJO needs Java",
            way="export the model from H2O as XGBoost, or score with `h2o`",
        )
    return None


def _weights_in(members: Members) -> tuple[int | None, str]:
    """Return how much a Keras file's weights take, and what of them lies outside it."""
    name = "model.weights.h5"
    if name not in members.names:
        return None, ""
    with members.open(name) as stream, tempfile.TemporaryFile() as file:
        size = members.size(name)
        if not size:
            return 0, ""
        for start in range(0, size, CHUNK_BYTES):
            file.write(stream.read(min(CHUNK_BYTES, size - start)))
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return size, reaches_outside(memoryview(content))


# --- skops --------------------------------------------------------------------------------------------------------

# What skops makes by itself, without importing what the file names.
_PLAIN_LOADERS = frozenset(("JsonNode", "SliceNode", "BytesNode", "BytearrayNode", "DatetimeNode"))


def _see_skops(members: Members) -> Seen:
    schema = members.json("schema.json")
    if not isinstance(schema, dict) or "__loader__" not in schema:
        message = "its schema.json is none of skops"
        raise DamagedError(message)
    opens: dict[tuple[str, str], Import] = {}
    version = ""
    names: list[str] = []
    classes: list[str] = []
    for node in objects_in(schema):
        loader = str(node.get("__loader__", ""))
        if not loader:
            continue
        module, name = str(node.get("__module__", "")), str(node.get("__class__", ""))
        content = node.get("content")
        if loader in {"FunctionNode", "TypeNode"} and isinstance(content, dict):
            module = str(content.get("module_path", content.get("__module__", module)))
            name = str(content.get("function", content.get("__class__", name)))
        if loader not in _PLAIN_LOADERS:
            called = "no" if loader in {"FunctionNode", "TypeNode"} else "made"
            verdict, why = judge(module, name, "no" if called == "no" else "made")
            if loader in {"MethodNode", "PartialNode", "OperatorFuncNode", "ReduceNode"} and verdict == "harmless":
                verdict, why = "unknown", "it is bound to another object's function"
            opens.setdefault((module, name), Import(module, name, called != "no", verdict, why))
        if isinstance(content, dict):
            version = version or _plain(content.get("_sklearn_version"))
            names = names or _plain_list(content.get("feature_names_in_"))
            classes = classes or _plain_list(content.get("classes_"))
    order = {"dangerous": 0, "unknown": 1, "harmless": 2}
    imports = tuple(sorted(opens.values(), key=lambda one: order[one.verdict]))
    refused = [one for one in imports if one.verdict != "harmless"]
    top = f"{schema.get('__module__', '')}.{schema.get('__class__', '')}"
    return Seen(
        framework="scikit-learn",
        format="skops",
        version=version,
        protocol=int(schema.get("protocol", 0)) if str(schema.get("protocol", 0)).isdigit() else None,
        holds=top,
        opens=imports,
        inputs=tuple(Port(str(name)) for name in names[:NAMES_MAX]),
        outputs=tuple(Port(str(name), "class") for name in classes[:NAMES_MAX]),
        findings=(finding("skops", f"written by skops {str(schema.get('_skops_version', '?'))[:20]}"),),
        reason=refusal(refused) if refused else "",
        way="ask whoever made it for an ONNX file" if refused else "",
    )


def _plain(node: object) -> str:
    if isinstance(node, dict) and node.get("__loader__") == "JsonNode":
        try:
            return str(json.loads(str(node.get("content", ""))))
        except ValueError:
            return ""
    return ""


def _plain_list(node: object) -> list[str]:
    content = node.get("content") if isinstance(node, dict) else None
    while isinstance(content, dict) and "content" in content:
        content = content["content"]
    return [_plain(one) for one in content] if isinstance(content, list) else []


# --- NumPy --------------------------------------------------------------------------------------------------------


def see_npy(stream: Stream) -> Seen:
    """Return what an array file holds; one of Python objects is a pickle."""
    dtype, shape = npy_header(stream)
    if "O" in dtype:
        return _objects(scan(stream), "npy")
    return Seen(
        "NumPy",
        "npy",
        holds=f"an array {shape} of {dtype}",
        reason="it holds an array and no model",
        way="name the model file",
    )


def _objects(found: Scan, kind: str) -> Seen:
    seen = replace(seen_of(found, kind=kind), framework="NumPy")
    if seen.reason:
        return seen
    reason = "it is an array of Python objects, and the model is one of them"
    return replace(seen, reason=reason, way="save the model by itself, with joblib or as ONNX")


def npy_header(stream: Stream) -> tuple[str, str]:
    """Read an array's header and return its type and shape as they are written."""
    magic = stream.read(8)
    size = struct.unpack("<H", stream.read(2))[0] if magic[6] == 1 else struct.unpack("<I", stream.read(4))[0]
    if not magic.startswith(b"\x93NUMPY") or size > NPY_HEADER_BYTES_MAX:
        message = "its array has no header"
        raise DamagedError(message)
    text = stream.read(size).decode("latin1")
    shape = re.search(r"'shape':\s*(\([^)]*\))", text)
    dtype = re.search(r"'descr':\s*(.*?),\s*'(?:fortran_order|shape)'", text)
    return (dtype[1] if dtype else text)[:200], shape[1][:80] if shape else "?"


def _see_npz(members: Members) -> Seen:
    found = Scan()
    objects = []
    for name in members.names[:1000]:
        with members.open(name) as stream:
            dtype, _ = npy_header(stream)
            if "O" in dtype:
                objects.append(name)
                scan(stream, into=found)
    if objects:
        return _objects(found, "npz")
    reason = f"it holds {len(members.names):,} arrays ({listed(members.names)}) and no model"
    return Seen("NumPy", "npz", holds=f"{len(members.names):,} arrays", reason=reason, way="name the model file")
