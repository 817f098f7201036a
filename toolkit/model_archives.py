"""Models that are zip files: skops, PyTorch's four kinds, Keras 3, NumPy's; read member by member, never unpacked."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.keras_files import see_keras
from toolkit.pickled import ordered, refusal, seen_of, walk
from toolkit.pickles import Made, Scan, scan
from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.streams import DamagedError, Stream
from toolkit.verdicts import Import, judge
from toolkit.zips import Members, open_members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NPY_HEADER_BYTES_MAX = 1 << 20


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
        return _see_torch(members, root)
    if exported := _exported(names, root):
        return _see_exported(members, exported)
    if "config.json" in names and ("metadata.json" in names or "model.weights.h5" in names):
        facts = members.json("metadata.json") if "metadata.json" in names else {}
        version = str(facts.get("keras_version", "")) if isinstance(facts, dict) else ""
        return see_keras(members.json("config.json"), kind="keras", version=version)
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
    for node in _nodes(schema):
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


def _nodes(top: object) -> Iterator[dict[str, Any]]:
    """Give every object in JSON values, outermost first."""
    waiting = [top]
    for value in waiting:
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))


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


# --- PyTorch ------------------------------------------------------------------------------------------------------

_STORAGES = re.compile(r"(?:\w+/)?(?:data|tensors|constants|\.data)/")
_FILE_OPERATORS = frozenset(("from_file", "save", "load", "_save_parameters", "read_file", "write_file", "open"))
_OPERATORS_KNOWN = frozenset(("prim", "aten", "quantized", "prims", "profiler", "prepacked", "onednn", "mkldnn"))


def _see_torch(members: Members, root: str) -> Seen:
    with members.open(f"{root}data.pkl") as stream:
        found = scan(stream, several=False)
    code = [name for name in members.names if name.startswith(f"{root}code/") and name.endswith(".py")]
    if code or f"{root}constants.pkl" in members.names:
        return _see_torchscript(members, root, found, code)
    return torch_weights(found, kind="torch")


def torch_weights(found: Scan, *, kind: str) -> Seen:
    """Return what a file of ``torch.save`` holds: weights alone, or an object whose class is somewhere else."""
    imports = ordered(found)
    refused = [one for one in imports if one.verdict != "harmless"]
    top = found.objects[-1] if found.objects else None
    tensors = _tensors(top)
    if refused:
        reason = refusal(refused)
        way = "ask for TorchScript, an ExportedProgram or ONNX"
    elif found.damage:
        reason, way = f"it is damaged: {found.damage}", "download it again"
    else:
        reason = "it holds weights and no network: the class that they belong to is Python code outside of the file"
        way = "build the network, load the weights into it, then export it with `torch.onnx.export` or `torch.export`"
    held = (
        f"{len(tensors):,} tensors: {listed([name for name, _ in tensors], 4)}" if tensors else "no tensors at its top"
    )
    inner = [value.kind for value in walk(top) if isinstance(value, Made) and value.kind.startswith("torch.nn.modules")]
    if inner and not refused:
        held = f"a network saved whole ({listed(list(dict.fromkeys(inner)))})"
        reason = "it is a network saved whole, as a pickle of its classes"
    told = [finding("tensor", f"{name}: {list(shape)}") for name, shape in tensors[:20]]
    return Seen(
        "PyTorch",
        kind,
        protocol=found.protocol,
        holds=held,
        opens=imports,
        findings=tuple(told),
        reason=reason,
        way=way,
    )


def _tensors(top: object) -> list[tuple[str, tuple[object, ...]]]:
    """Return the tensors by name in the outermost dictionary, or in one of the first below it."""
    for value in walk(top)[:50]:
        entries = value if isinstance(value, dict) else value.entries or {} if isinstance(value, Made) else {}
        found = [(name, _tensor_shape(tensor)) for name, tensor in entries.items()]
        named = [(name, shape) for name, shape in found if shape is not None]
        if named:
            return named
    return []


def _tensor_shape(value: object) -> tuple[object, ...] | None:
    if isinstance(value, Made) and value.kind.endswith("_rebuild_parameter") and isinstance(value.arguments, tuple):
        value = value.arguments[0] if value.arguments else None
    if isinstance(value, Made) and "_rebuild_tensor" in value.kind and isinstance(value.arguments, tuple):
        shape = value.arguments[2] if len(value.arguments) > 2 else ()  # noqa: PLR2004 - storage, offset, size
        return shape if isinstance(shape, tuple) else ()
    return None


def _see_torchscript(members: Members, root: str, found: Scan, code: list[str]) -> Seen:
    problems: list[str] = []
    signature: tuple[tuple[Port, ...], tuple[Port, ...]] = ((), ())
    top = found.objects[0] if found.objects else None
    kind = top.kind if isinstance(top, Made) else ""
    for name in code:
        text = members.text(name)
        problems += _code_problems(text)
        wanted = f"{root}code/{'/'.join(kind.split('.')[:-1])}.py"
        if name == wanted:
            signature = _forward(text, kind.rsplit(".", 1)[-1])
    strange = [one for one in ordered(found) if one.verdict == "dangerous" and not one.module.startswith("torch.")]
    if strange:
        problems.append(refusal(strange))
    elif found.damage:
        problems.append(f"it is damaged: {found.damage}")
    return Seen(
        "PyTorch",
        "torchscript",
        version=members.text(f"{root}version").strip() if f"{root}version" in members.names else "",
        holds=f"a compiled network `{kind.removeprefix('__torch__.')}`",
        opens=tuple(strange),
        inputs=signature[0],
        outputs=signature[1],
        findings=(
            finding("code", f"{len(code):,} files of TorchScript, read for operators that reach files or libraries"),
        ),
        reason=problems[0] if problems else "",
        way="export the network with `torch.onnx.export`" if problems else "",
    )


def _code_problems(text: str) -> list[str]:
    problems = []
    for space, name in re.findall(r"\bops\.(\w+)\.(\w+)", text):
        if space not in _OPERATORS_KNOWN or name in _FILE_OPERATORS:
            problems.append(f"its code calls `{space}::{name}`, which reaches files or a library outside of it")
    called = _FILE_OPERATORS & set(re.findall(r"\btorch\.(\w+)\(", text))
    problems += [f"its code calls `torch.{name}`, which reads or writes files" for name in sorted(called)]
    problems += [
        f"it needs the compiled class `{name}`" for name in re.findall(r"__torch__\.torch\.classes\.([\w.]+)", text)
    ]
    return problems


def _forward(text: str, name: str) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Return the inputs and output of ``forward`` in a class of TorchScript's code."""
    own = re.search(rf"class {re.escape(name)}\(.*?(?=\nclass |\Z)", text, re.DOTALL)
    found = re.search(r"def forward\(self[^,)]*,?\s*(.*?)\)\s*->\s*([^:\n]+):", own[0] if own else "", re.DOTALL)
    if found is None:
        return (), ()
    ports = []
    for part in re.split(r",\s*(?![^\[]*\])", found[1].strip()):
        argument, _, dtype = part.partition(":")
        if argument.strip():
            ports.append(Port(argument.strip(), dtype.strip()))
    return tuple(ports[:NAMES_MAX]), (Port("output", found[2].strip()),)


def _exported(names: set[str], root: str) -> str:
    """Return the member that describes an ExportedProgram, in each of the forms of ``.pt2`` so far."""
    known = ("models/model.json", "serialized_exported_program.json")
    return next((f"{at}{name}" for at in (root, "") for name in known if f"{at}{name}" in names), "")


def _see_exported(members: Members, name: str) -> Seen:
    program = members.json(name)
    problems: list[str] = []
    opens: list[Import] = []
    for inner in members.names:
        if inner.endswith((".pt", ".pth")):
            with members.raw(inner) as file, open_members(file, members.size(inner)) as below:
                seen = _see_members(below)
            opens += [one for one in (seen.opens if seen else ()) if one.verdict != "harmless"]
    if opens:
        problems.append(refusal(opens))
    targets = {str(node.get("target", "")) for node in _nodes(program) if "target" in node and "inputs" in node}
    strange = sorted(
        one
        for one in targets
        if one and not re.match(r"torch\.(?:ops\.(?:aten|prim|higher_order|quantized)\.|sym_)|_operator\.|math\.", one)
    )
    if strange:
        problems.append(f"it calls operators of libraries outside of it: {listed(strange)}")
    inputs, outputs = _exported_ports(program)
    version = program.get("torch_version", "") if isinstance(program, dict) else ""
    return Seen(
        "PyTorch",
        "exported-program",
        version=str(version)[:40],
        holds=f"an exported graph of {len(targets):,} kinds of operators",
        opens=tuple(opens),
        inputs=inputs,
        outputs=outputs,
        reason=problems[0] if problems else "",
        way="export the network with `torch.onnx.export`" if problems else "",
    )


_EXPORTED_DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
}


def _exported_ports(program: Any) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Return the person's own inputs and outputs of an exported graph, with the types of its tensors."""
    try:
        module = program["graph_module"]
        values = module["graph"]["tensor_values"]
        inputs = [
            one["user_input"]["arg"]["as_tensor"]["name"]
            for one in module["signature"]["input_specs"]
            if "user_input" in one
        ]
        outputs = [
            one["user_output"]["arg"]["as_tensor"]["name"]
            for one in module["signature"]["output_specs"]
            if "user_output" in one
        ]
        return tuple(_exported_port(name, values) for name in inputs), tuple(
            _exported_port(name, values) for name in outputs
        )
    except (KeyError, TypeError, AttributeError):
        return (), ()


def _exported_port(name: str, values: dict[str, Any]) -> Port:
    value = values[name]
    sides = tuple(side.get("as_int", "?") if isinstance(side, dict) else "?" for side in value.get("sizes", ()))
    return Port(str(name), _EXPORTED_DTYPES.get(value.get("dtype"), ""), sides)


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
