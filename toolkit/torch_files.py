"""PyTorch's files, by their pickles, code and graphs: weights, networks saved whole, TorchScript, ExportedProgram."""

from __future__ import annotations

import re
from typing import Any

from toolkit.pickled import ordered, refusal, walk
from toolkit.pickles import Made, Scan, scan
from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.verdicts import Import
from toolkit.zips import Members, objects_in, open_members

_FILE_OPERATORS = frozenset(("from_file", "save", "load", "_save_parameters", "read_file", "write_file", "open"))
_OPERATORS_KNOWN = frozenset(("prim", "aten", "quantized", "prims", "profiler", "prepacked", "onednn", "mkldnn"))


def see_torch(members: Members, root: str) -> Seen:
    """Return what a file of PyTorch holds: weights, a network saved whole, or a compiled one."""
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


def _refused_in(members: Members) -> list[Import]:
    """Return what the pickles in a zip would import that is not harmless."""
    opens: list[Import] = []
    for name in members.names:
        if name == "data.pkl" or name.endswith("/data.pkl"):
            with members.open(name) as stream:
                opens += [one for one in ordered(scan(stream, several=False)) if one.verdict != "harmless"]
    return opens


def exported_member(names: set[str], root: str) -> str:
    """Return the member that describes an ExportedProgram, in each of the forms of ``.pt2`` so far."""
    known = ("models/model.json", "serialized_exported_program.json")
    return next((f"{at}{name}" for at in (root, "") for name in known if f"{at}{name}" in names), "")


def see_exported(members: Members, name: str) -> Seen:
    """Return what an ExportedProgram tells: inputs, outputs, and operators that are none of PyTorch's own."""
    program = members.json(name)
    problems: list[str] = []
    opens: list[Import] = []
    for inner in members.names:
        if inner.endswith((".pt", ".pth")):
            with members.raw(inner) as file, open_members(file, members.size(inner)) as below:
                opens += _refused_in(below)
        elif inner.endswith((".pkl", ".pickle", ".joblib")):  # which nothing asks for, and which says enough
            with members.open(inner) as stream:
                opens += [one for one in ordered(scan(stream, several=False)) if one.verdict != "harmless"]
    if opens:
        problems.append(refusal(opens))
    targets = {str(node.get("target", "")) for node in objects_in(program) if "target" in node and "inputs" in node}
    strange = sorted(
        one
        for one in targets
        if one and not re.match(r"torch\.(?:ops\.(?:aten|prim|higher_order|quantized)\.|sym_)|_operator\.|math\.", one)
    )
    if strange:
        problems.append(f"it calls operators of libraries outside of it: {listed(strange)}")
    inputs, outputs = _exported_ports(program)
    if not targets and not inputs and not problems:
        problems.append("its description holds no graph")
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
