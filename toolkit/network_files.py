"""TensorFlow's two forms, and weights in safetensors, by their own descriptions: ``see_tflite`` and the others."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.streams import BombError, DamagedError
from toolkit.wire import Message, Table, hold_json

if TYPE_CHECKING:
    from collections.abc import Iterator

SAFETENSORS_HEADER_BYTES_MAX = 32 << 20  # the format itself allows 100 MB; models of today need 1
TFLITE_DTYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64",
    "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
)  # fmt: skip
TF_DTYPES = (
    "", "float32", "float64", "int32", "uint8", "int16", "int8", "string", "complex64", "int64", "bool", "qint8",
    "quint8", "qint32", "bfloat16", "qint16", "quint16", "uint16", "complex128", "float16", "resource",
    "variant", "uint32", "uint64",
)  # fmt: skip
# Operators of TensorFlow that reach files, the network or Python.
TF_REACHING = frozenset((
    "ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "LoadDataset",
    "SaveDataset", "WholeFileReader", "WholeFileReaderV2", "TextLineReader", "TextLineReaderV2",
    "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "TFRecordReader", "TFRecordReaderV2", "TextLineDataset",
    "TFRecordDataset", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "SqlDataset", "DebugIdentity",
    "DebugIdentityV2", "DumpGraph", "RpcCall", "ImmutableConst", "GeneratorDataset", "FileSystemSetConfiguration",
    "CreateSummaryFileWriter", "RpcClient", "DebugNumericSummary", "LoadDatasetV2", "SaveDatasetV2",
    "DatasetToTFRecord", "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4",
    "RegisterDataset", "RegisterDatasetV2", "RemoteCall", "CacheDataset", "CacheDatasetV2",
))  # fmt: skip
FUNCTIONS_MAX = 100_000
COREML_KINDS_FROM = 200  # numbers of the fields that say which kind of model it is


def see_tflite(data: memoryview) -> Seen:
    """Return what a TFLite file tells: inputs and outputs of its first graph, and operators that are not its own."""
    model = Table.root(data)
    graphs = model.tables(2)
    if not graphs:
        message = "it holds no graph"
        raise DamagedError(message)
    tensors = graphs[0].tables(0)
    custom = sorted({code.text(1) for code in model.tables(1)} - {""})
    problem = f"it needs operators of {listed(custom)}, which are programs outside of the file" if custom else ""
    return Seen(
        "TFLite",
        "tflite",
        version=f"schema {model.number(0, '<I')}",
        holds=f"a network of {len(tensors):,} tensors{f' ({model.text(3)[:80]})' if model.text(3) else ''}",
        inputs=tuple(_tflite_port(tensors, at) for at in graphs[0].numbers(1)[:NAMES_MAX]),
        outputs=tuple(_tflite_port(tensors, at) for at in graphs[0].numbers(2)[:NAMES_MAX]),
        reason=problem,
        way="convert it again with built-in operators alone" if problem else "",
    )


def _tflite_port(tensors: list[Table], at: int) -> Port:
    if not 0 <= at < len(tensors):
        message = f"it names tensor {at} of {len(tensors):,}"
        raise DamagedError(message)
    tensor = tensors[at]
    shape = tensor.numbers(7) or tensor.numbers(0)
    code = tensor.number(1, "<b")
    dtype = TFLITE_DTYPES[code] if 0 <= code < len(TFLITE_DTYPES) else "unknown"
    return Port(tensor.text(3), dtype, tuple(side if side >= 0 else "?" for side in shape))


def is_saved_model(message: Message) -> bool:
    """Return whether a message has a SavedModel's two fields, and nothing else."""
    kinds = {1: 0, 2: 2}
    try:
        seen = [one.number for one in message if kinds.get(one.number) == one.kind or _never()]
        if seen.count(1) != 1 or 2 not in seen:  # noqa: PLR2004 - the graphs' number
            return False
        first = message.first(2)
        inner = {one.number for one in message.inner(first)} if first else set()
    except DamagedError:
        return False
    return bool(inner & {1, 2}) and inner <= set(range(1, 9))


def _never() -> bool:
    message = "a field that no SavedModel has"
    raise DamagedError(message)


def see_stranger_message(message: Message) -> Seen | None:
    """Return what a message is that is no model we serve: a frozen graph of TensorFlow 1, or Core ML's."""
    numbers: dict[int, int] = {}
    try:
        for one in message:
            numbers[one.number] = one.kind
    except DamagedError:
        return None
    if numbers.get(1) == 2 and set(numbers) <= {1, 2, 3, 4}:  # noqa: PLR2004 - nodes
        node = message.first(1)
        inner = {one.number for one in message.inner(node)} if node else set()
        if {1, 2} <= inner <= {1, 2, 3, 4, 5, 6, 7}:
            reason = "it is a frozen graph of TensorFlow 1, which does not say what goes in and what comes out"
            way = "convert it with `python -m tf2onnx.convert --graphdef`, naming inputs and outputs"
            return Seen("TensorFlow", "graphdef", holds="a frozen graph", reason=reason, way=way)
    if numbers.get(1) == 0 and numbers.get(2) == 2 and max(numbers) >= COREML_KINDS_FROM:  # noqa: PLR2004 - a message
        reason = "it is a model for Core ML, which runs on Apple's machines alone"
        return Seen(
            "Core ML", "coreml", holds="a model for Core ML", reason=reason, way="take the model it was made from"
        )
    return None


def see_saved_model(message: Message) -> Seen:
    """Return what a SavedModel tells: its signature, the TensorFlow that wrote it, operators that reach files."""
    version = ""
    reaching: dict[str, int] = {}
    signatures: dict[str, tuple[tuple[Port, ...], tuple[Port, ...]]] = {}
    operators = 0
    for one in message:
        if one.number != 2:  # noqa: PLR2004 - a graph with its facts
            continue
        for part in message.inner(one):
            body = message.inner(part) if part.kind == 2 else None  # noqa: PLR2004 - a message
            if body is None:
                continue
            if part.number == 1:
                told = body.first(5)
                version = version or (body.text(told) if told else "")
            elif part.number == 2:  # noqa: PLR2004 - the graph
                for name in _graph_operators(body):
                    operators += 1
                    if name in TF_REACHING:
                        reaching[name] = reaching.get(name, 0) + 1
            elif part.number == 5:  # noqa: PLR2004 - signatures
                key, value = body.first(1), body.first(2)
                if key and value and len(signatures) < FUNCTIONS_MAX:
                    signatures[body.text(key)] = _signature(body.inner(value))
    usual = [name for name in signatures if not name.startswith("__")]
    chosen = "serving_default" if "serving_default" in signatures else usual[0] if usual else ""
    inputs, outputs = signatures.get(chosen, ((), ()))
    reason = ""
    if reaching:
        reason = f"its graph calls {listed(sorted(reaching))}, which reach files, the network or Python"
    elif not chosen:
        reason = "it has no signature: nothing says what goes in and what comes out"
    return Seen(
        "TensorFlow",
        "saved-model",
        version=version,
        holds=f"a graph of {operators:,} operators, signatures {listed(usual) or 'none'}",
        inputs=inputs,
        outputs=outputs,
        reason=reason,
        way="save it again with `signatures=` and without such operators" if reason else "",
    )


def _graph_operators(graph: Message) -> Iterator[str]:
    for one in graph:
        if one.number == 1:
            yield _operator(graph.inner(one))
        elif one.number == 2:  # noqa: PLR2004 - the library of functions
            library = graph.inner(one)
            for part in library:
                if part.number != 1:
                    continue
                function = library.inner(part)
                for node in function:
                    if node.number == 3:  # noqa: PLR2004 - a node
                        yield _operator(function.inner(node))


def _operator(node: Message) -> str:
    told = node.first(2)
    return node.text(told) if told else ""


def _signature(signature: Message) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    ports: dict[int, list[Port]] = {1: [], 2: []}
    for one in signature:
        if one.number in ports:
            entry = signature.inner(one)
            key, value = entry.first(1), entry.first(2)
            if key and value and len(ports[one.number]) < NAMES_MAX:
                ports[one.number].append(_tensor_port(entry.text(key), entry.inner(value)))
    return tuple(ports[1]), tuple(ports[2])


def _tensor_port(name: str, info: Message) -> Port:
    dtype, shape = info.first(2), info.first(3)
    code = dtype.value if dtype else 0
    sides: list[int | str] = []
    if shape is not None:
        body = info.inner(shape)
        for one in body:
            if one.number == 2:  # noqa: PLR2004 - one side
                size = body.inner(one).first(1)
                value = size.value if size else 0
                sides.append(value if value < 1 << 62 else "?")
    return Port(name, TF_DTYPES[code] if code < len(TF_DTYPES) else "", tuple(sides))


def is_safetensors(data: memoryview) -> bool:
    """Return whether the bytes begin with a safetensors header: its size, then JSON."""
    if len(data) < 10:  # noqa: PLR2004 - a size and an empty object
        return False
    size = struct.unpack_from("<Q", data)[0]
    return data[8] == ord("{") and size > 1 and (size <= len(data) or bytes(data[9:10]) == b'"')


def see_safetensors(data: memoryview) -> Seen:
    """Return the tensors of a safetensors file; sizes that do not fit the file are refused."""
    size = struct.unpack_from("<Q", data)[0]
    if size > SAFETENSORS_HEADER_BYTES_MAX:
        message = f"its header is said to take {size:,} bytes"
        raise BombError(message)
    if 8 + size > len(data):
        message = f"its header is said to take {size:,} bytes and the file has {len(data):,}"
        raise DamagedError(message)
    header = json.loads(hold_json(bytes(data[8 : 8 + size])))
    if not isinstance(header, dict):
        message = "its header is no object"
        raise DamagedError(message)
    told = header.pop("__metadata__", {})
    room = len(data) - 8 - size
    for name, tensor in header.items():
        _hold_tensor(str(name), tensor, room)
    names = list(header)
    shapes = [f"{name}: {header[name].get('shape')}"[:120] for name in names[:20]]
    return Seen(
        "PyTorch" if isinstance(told, dict) and told.get("format") == "pt" else "safetensors",
        "safetensors",
        holds=f"{len(names):,} tensors: {listed(names, 4)}",
        findings=tuple(finding("tensor", text) for text in shapes),
        reason="it holds weights and no network: what they belong to is outside of the file",
        way="name the folder with its config.json, or export the network to ONNX",
    )


def _hold_tensor(name: str, tensor: Any, room: int) -> None:
    offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
    fits = isinstance(offsets, list) and len(offsets) == 2 and all(isinstance(at, int) for at in offsets)  # noqa: PLR2004
    if not isinstance(offsets, list) or not fits or not 0 <= offsets[0] <= offsets[1] <= room:
        message = f"tensor `{name[:80]}` lies outside of the file"
        raise DamagedError(message)
