"""ONNX files, read as the protocol buffers that they are: ``see_onnx``."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.streams import BombError, DamagedError

if TYPE_CHECKING:
    from toolkit.wire import Field, Message

DTYPES = [
    "undefined",
    "float32",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "float64",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "uint4",
    "int4",
    "float4e2m1",
]
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
BITS |= {17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4}
KNOWN_DOMAINS = frozenset(
    ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "ai.onnx.preview.training", "com.ms.internal.nhwc")
)
GRAPHS_DEEP_MAX = 30
GRAPH = ("", "")  # the place of the graph itself among the functions
FUNCTIONS_DEEP_MAX = 100  # that call one another
OPERATORS_MAX = 1_000_000  # of the graph with every function written out
FEW = 16  # sides of a shape, inputs of an operator that makes one
ELEMENTS_MAX = 1 << 31  # of one tensor that a few bytes ask for
INPUT_ELEMENTS_MAX = 1 << 28  # that one answer takes
MAKERS = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}  # which input is the shape
OUTSIDE = "it refers to a file outside of its folder"


@dataclass
class _Walk:
    """What was met in the graph and those inside it."""

    domains: set[str] = field(default_factory=set)
    operators: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)  # of external data: the last byte wanted
    problems: list[str] = field(default_factory=list)
    initialized: set[str] = field(default_factory=set)
    products: dict[str, int] = field(default_factory=dict)  # of whole numbers that may be a shape, by their name
    made: list[tuple[str, str]] = field(default_factory=list)  # operators that make a tensor, and the name of its shape
    inside: tuple[str, str] = ("", "")  # the function whose nodes are walked, by domain and name; none in the graph
    calls: dict[tuple[str, str], dict[tuple[str, str], int]] = field(
        default_factory=dict
    )  # by whom, of what, how often


def is_onnx(message: Message) -> bool:
    """Return whether a message has an ONNX model's outermost fields: a version, a graph, and nothing strange."""
    kinds = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
    seen = set()
    try:
        for one in message:
            if kinds.get(one.number) != one.kind:
                return False
            seen.add(one.number)
    except DamagedError:  # cut off: what came before tells
        return 1 in seen and bool(seen & {2, 7, 8})
    return 1 in seen and 7 in seen  # noqa: PLR2004 - the graph's number


def see_onnx(message: Message, folder: Path) -> Seen:
    """Return what an ONNX model tells of itself; ``folder`` is where data outside of the file may lie."""
    walk = _Walk()
    producer, version, ir, opsets = "", "", 0, []
    inputs: list[Port] = []
    outputs: list[Port] = []
    for one in message:
        match one.number:
            case 1:
                ir = one.value
            case 2:
                producer = message.text(one)
            case 3:
                version = message.text(one)
            case 7:
                inputs, outputs = _ports(message.inner(one), walk)
                _graph(message.inner(one), walk, 0)
            case 8:
                opsets.append(_opset(message.inner(one)))
            case 25:
                _function(message.inner(one), walk)
    _hold_calls(walk)
    told = [finding("onnx", f"IR version {ir}, operators {', '.join(opsets) or 'of no told version'}")]
    if walk.operators:
        most = sorted(walk.operators, key=lambda name: (-walk.operators[name], name))[:8]
        told.append(finding("operators", f"{sum(walk.operators.values()):,} operators: {', '.join(most)}"))
    problems = [*_outside(walk.files, folder), *walk.problems]
    problems += [
        f"its operator {operator} makes a tensor of {walk.products[name]:,} elements"
        for operator, name in walk.made
        if walk.products.get(name, 0) > ELEMENTS_MAX
    ]
    problems += [
        f"its input `{port.name[:80]}` is of the size {list(port.shape)}"
        for port in inputs
        if math.prod(side for side in port.shape if isinstance(side, int)) > INPUT_ELEMENTS_MAX
    ]
    if not opsets:
        problems.append("it does not say which version of the operators it is written in: it is cut off")
    strange = sorted(walk.domains - KNOWN_DOMAINS)
    if strange:
        problems.append(f"it needs operators of {listed(strange)}, which are programs outside of the file")
    return Seen(
        framework="ONNX",
        format="onnx",
        version=" ".join(part for part in (producer, version) if part),
        holds=_held(walk),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        findings=tuple(told),
        reason=problems[0] if problems else "" if outputs else "it has no outputs",
        way="export it again as one file" if problems else "",
    )


def _held(walk: _Walk) -> str:
    names = set(walk.operators)
    if names & {"TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"}:
        return "a forest of trees"
    if names & {"LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"}:
        return "a linear model or a support vector machine"
    if "Conv" in names:
        return "a network with convolutions"
    return "a network" if names else "no operators"


def _opset(message: Message) -> str:
    domain, version = "", 0
    for one in message:
        if one.number == 1:
            domain = message.text(one)
        elif one.number == 2:  # noqa: PLR2004 - the version's number
            version = one.value
    return f"{domain or 'ai.onnx'} {version}"


def _ports(graph: Message, walk: _Walk) -> tuple[list[Port], list[Port]]:
    inputs, outputs = [], []
    for one in graph:
        if one.number == 5:  # noqa: PLR2004 - an initializer: old files list them among the inputs as well
            name = graph.inner(one).first(8)
            walk.initialized.add(graph.text(name) if name else "")
        elif one.number == 11:  # noqa: PLR2004 - inputs
            inputs.append(_port(graph.inner(one)))
        elif one.number == 12:  # noqa: PLR2004 - outputs
            outputs.append(_port(graph.inner(one)))
        if len(inputs) > NAMES_MAX or len(outputs) > NAMES_MAX:
            break
    return [port for port in inputs if port.name not in walk.initialized], outputs


def _port(value: Message) -> Port:
    name, dtype = "", ""
    shape: tuple[int | str, ...] = ()
    for one in value:
        if one.number == 1:
            name = value.text(one)
        elif one.number == 2:  # noqa: PLR2004 - the type
            dtype, shape = _type(value.inner(one), 0)
    return Port(name, dtype, shape)


def _type(kind: Message, depth: int) -> tuple[str, tuple[int | str, ...]]:
    if depth > GRAPHS_DEEP_MAX:
        message = "types lie in one another without end"
        raise BombError(message)
    for one in kind:
        inner = kind.inner(one) if one.kind == 2 else None  # noqa: PLR2004 - a message
        if inner is None:
            continue
        match one.number:
            case 1 | 8:
                element, shape = inner.first(1), inner.first(2)
                code = element.value if element else 0
                return DTYPES[code] if code < len(DTYPES) else "unknown", _shape(inner.inner(shape)) if shape else (
                    "?",
                )
            case 4 | 9:
                below = inner.first(1)
                what = _type(inner.inner(below), depth + 1)[0] if below else ""
                return f"{'sequence' if one.number == 4 else 'optional'} of {what}", ()  # noqa: PLR2004 - the type's number
            case 5:
                key, below = inner.first(1), inner.first(2)
                code = key.value if key else 0
                what = _type(inner.inner(below), depth + 1)[0] if below else ""
                return f"map of {DTYPES[code] if code < len(DTYPES) else 'unknown'} to {what}", ()
    return "", ()


def _shape(message: Message) -> tuple[int | str, ...]:
    sides: list[int | str] = []
    for one in message:
        if one.number == 1 and len(sides) < GRAPHS_DEEP_MAX:
            dim = message.inner(one)
            side: int | str = "?"
            for part in dim:
                if part.number == 1:
                    side = part.value if part.value < 1 << 62 else "?"
                elif part.number == 2:  # noqa: PLR2004 - a side by name
                    side = dim.text(part) or "?"
            sides.append(side)
    return tuple(sides)


def _graph(graph: Message, walk: _Walk, depth: int) -> None:
    if depth > GRAPHS_DEEP_MAX:
        message = f"graphs lie in one another more than {GRAPHS_DEEP_MAX} deep"
        raise BombError(message)
    for one in graph:
        if one.number == 1:
            _node(graph.inner(one), walk, depth)
        elif one.number == 5:  # noqa: PLR2004 - an initializer
            _tensor(graph.inner(one), walk)
        elif one.number == 15:  # noqa: PLR2004 - a sparse one
            _sparse(graph.inner(one), walk)


def _function(function: Message, walk: _Walk) -> None:
    own, name = field_text(function, function.first(10)), field_text(function, function.first(1))
    walk.domains.discard(own)
    walk.inside = (own, name)
    walk.calls.setdefault(walk.inside, {})
    for one in function:
        if one.number == 7:  # noqa: PLR2004 - a node
            _node(function.inner(one), walk, 1)
    walk.inside = GRAPH


def _hold_calls(walk: _Walk) -> None:
    """Stop at functions that call themselves, or each other so often that their graph would have no end."""
    sizes: dict[tuple[str, str], int] = {}
    waiting = [GRAPH]
    while waiting:
        one = waiting[-1]
        called = {name: often for name, often in walk.calls.get(one, {}).items() if name in walk.calls}
        missing = [name for name in called if name not in sizes]
        if len(waiting) > FUNCTIONS_DEEP_MAX or set(missing) & set(waiting):
            message = f"its functions call one another more than {FUNCTIONS_DEEP_MAX} deep, or themselves"
            raise BombError(message)
        if missing:
            waiting.append(missing[0])
            continue
        waiting.pop()
        sizes[one] = sum(walk.calls.get(one, {}).values()) + sum(often * sizes[name] for name, often in called.items())
        if sizes[one] > OPERATORS_MAX:
            message = f"its functions call each other so often that they become {sizes[one]:,} operators"
            raise BombError(message)


def _node(node: Message, walk: _Walk, depth: int) -> None:
    operator, domain, product = "", "", 0
    inputs: list[str] = []
    output = ""
    for one in node:
        if one.number == 4:  # noqa: PLR2004 - the operator
            operator = node.text(one)
        elif one.number == 7:  # noqa: PLR2004 - its domain
            domain = node.text(one)
            walk.domains.add(domain)
        elif one.number == 5:  # noqa: PLR2004 - an attribute
            product = _attribute(node.inner(one), walk, depth) or product
        elif one.number == 1 and len(inputs) < FEW:
            inputs.append(node.text(one))
        elif one.number == 2:  # noqa: PLR2004 - an output
            output = output or node.text(one)
    by = walk.calls.setdefault(walk.inside, {})
    by[domain, operator] = by.get((domain, operator), 0) + 1
    if operator == "Constant" and product:
        walk.products[output] = product
    if len(inputs) > MAKERS.get(operator, FEW):
        walk.made.append((operator, inputs[MAKERS[operator]]))
    walk.operators[operator] = walk.operators.get(operator, 0) + 1


def _attribute(attribute: Message, walk: _Walk, depth: int) -> int:
    """Walk what an attribute holds, and return the product of its tensor's whole numbers, 0 for none."""
    product = 0
    for one in attribute:
        if one.kind != 2:  # noqa: PLR2004 - a message
            continue
        match one.number:
            case 5 | 10:
                product = _tensor(attribute.inner(one), walk)
            case 6 | 11:
                _graph(attribute.inner(one), walk, depth + 1)
            case 22 | 23:
                _sparse(attribute.inner(one), walk)
    return product


def _sparse(sparse: Message, walk: _Walk) -> None:
    for one in sparse:
        if one.number in {1, 2}:
            _tensor(sparse.inner(one), walk)


def _tensor(tensor: Message, walk: _Walk) -> int:
    """Hold a tensor's declared size against its bytes, and note the file that it lies in.

    Returns the product of its whole numbers where they are few enough to be a shape, else 0.
    """
    count, code, held, name, location = 1, 0, -1, "", 0
    spread, numbers = 0, b""
    outside: dict[str, str] = {}
    for one in tensor:
        match one.number:
            case 1:
                for side in tensor.numbers(one):
                    count = min(count * max(side, -1), ELEMENTS_MAX**2)
            case 2:
                code = one.value
            case 8:
                name = tensor.text(one)
            case 9:
                held = one.end - one.start
                numbers = bytes(tensor.data[one.start : min(one.end, one.start + 8 * FEW)])
            case 4 | 5 | 6 | 7 | 10 | 11:
                spread += one.end - one.start + 1
                if one.number == 7:  # noqa: PLR2004 - whole numbers one by one
                    numbers += b"".join(struct.pack("<q", value) for value in tensor.numbers(one)[:FEW])
            case 13:
                outside |= _entry(tensor.inner(one))
            case 14:
                location = one.value
    size = (count * BITS.get(code, 8) + 7) // 8
    if location == 1 or outside:
        path = outside.get("location", "")
        offset, length = _size(outside.get("offset", "0")), _size(outside.get("length", "0"))
        walk.files[path] = max(walk.files.get(path, 0), offset + max(length, size))
    elif held < 0 and count > spread:
        walk.problems.append(f"tensor `{name[:80]}` is said to have {count:,} numbers, and has them not")
    elif count < 0 or (held >= 0 and size != held and code != 8):  # noqa: PLR2004 - texts have no fixed size
        walk.problems.append(f"tensor `{name[:80]}` is said to take {size:,} bytes and has {max(held, 0):,}")
    if code != 7 or not 0 < count <= FEW or len(numbers) < 8 * count:  # noqa: PLR2004 - int64
        return 0
    product = int(math.prod(struct.unpack_from(f"<{count}q", numbers)))
    walk.products[name] = product
    return product


def _entry(entry: Message) -> dict[str, str]:
    texts: dict[int, str] = {one.number: entry.text(one) for one in entry if one.kind == 2}  # noqa: PLR2004 - a text
    return {texts.get(1, ""): texts.get(2, "")}


def _size(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - no disk is larger


def _outside(files: dict[str, int], folder: Path) -> list[str]:
    """Return what stands against the files that tensors lie in: places outside the folder, absent or short ones."""
    problems = []
    for name, wanted in files.items():
        posix, windows = PurePosixPath(name), PureWindowsPath(name)
        climbs = ".." in posix.parts or ".." in windows.parts or "\0" in name
        if posix.is_absolute() or windows.is_absolute() or windows.drive or climbs:
            problems.append(f"{OUTSIDE}: `{name[:120]}`")
            continue
        path = folder / name
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{OUTSIDE}: `{name[:120]}` is a link")
        elif not path.is_file():
            problems.append(f"its data lie in `{name[:120]}`, which is not there")
        elif path.stat().st_size < wanted:
            problems.append(f"it wants {wanted:,} bytes of `{name[:120]}`, which has {path.stat().st_size:,}")
    return problems


def field_text(message: Message, one: Field | None) -> str:
    """Return a field's text, ``""`` for absent."""
    return message.text(one) if one is not None else ""
