"""A TFLite file read without its library: ``read`` gives its graph, every place of the flatbuffer held to its size."""

from __future__ import annotations

import struct
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Tuple

import numpy as np

from .graph import UnservedError

TABLES_MAX = 4_000_000  # read in all: a graph of 100,000 operators has some 600,000
LIST_MAX = 4_000_000  # entries of one list that is no data
RANK_MAX = 8
ELEMENTS_MAX = 1 << 31
TYPES: Dict[int, Any] = {
    0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 7: np.int16, 9: np.int8,
    10: np.float64, 12: np.uint64, 15: np.uint32, 16: np.uint16,
}  # fmt: skip
STRING, INT4 = 5, 17
OPERATORS = (
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
    "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB",
    "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP",
    "TOPK_V2", "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM",
    "ARG_MAX", "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN",
    "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT",
    "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT",
    "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS",
    "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM",
    "BATCH_MATMUL", "PLACEHOLDER", "CUMSUM", "CALL_ONCE", "BROADCAST_TO", "RFFT2D", "CONV_3D", "IMAG", "REAL",
    "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "REDUCE_ALL",
    "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "BROADCAST_ARGS",
    "RANDOM_STANDARD_NORMAL", "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU", "DYNAMIC_UPDATE_SLICE",
    "RELU_0_TO_1",
)  # fmt: skip


class Table:
    """A table of the flatbuffer; what it points to outside of the file raises ``UnservedError``."""

    def __init__(self, data: memoryview, at: int, budget: List[int]) -> None:
        budget[0] -= 1
        if budget[0] < 0:
            _damaged("points to more tables than any honest model")
        self.data, self.at, self.budget = data, at, budget
        self.fields = at - _unpack(data, "<i", at)
        self.size = _unpack(data, "<H", self.fields)

    def place(self, index: int) -> int:
        """Return where a field lies, 0 where the table does not have it."""
        slot = 4 + 2 * index
        offset = _unpack(self.data, "<H", self.fields + slot) if slot + 2 <= self.size else 0
        return self.at + offset if offset else 0

    def number(self, index: int, form: str = "<i", default: Any = 0) -> Any:
        """Return a number."""
        at = self.place(index)
        return _unpack(self.data, form, at) if at else default

    def flag(self, index: int) -> bool:
        """Return a yes or no."""
        return bool(self.number(index, "<B"))

    def table(self, index: int) -> Optional["Table"]:
        """Return the table that a field points to."""
        at = self.place(index)
        return Table(self.data, at + _unpack(self.data, "<I", at), self.budget) if at else None

    def tables(self, index: int) -> List["Table"]:
        """Return a list of tables."""
        start, count = self._list(index, 4)
        places = range(start, start + 4 * count, 4)
        return [Table(self.data, at + _unpack(self.data, "<I", at), self.budget) for at in places]

    def numbers(self, index: int, dtype: str = "<i4") -> Any:
        """Return a list of numbers."""
        start, count = self._list(index, np.dtype(dtype).itemsize)
        return np.frombuffer(self.data, dtype=dtype, count=count, offset=start)

    def content(self, index: int) -> memoryview:
        """Return bytes; nothing is copied."""
        start, count = self._list(index, 1, most=len(self.data))
        return self.data[start : start + count]

    def text(self, index: int) -> str:
        """Return a text."""
        return bytes(self.content(index)[:10_000]).decode("utf-8", errors="replace")

    def _list(self, index: int, width: int, most: int = LIST_MAX) -> Tuple[int, int]:
        at = self.place(index)
        if not at:
            return 0, 0
        start = at + _unpack(self.data, "<I", at)
        count = _unpack(self.data, "<I", start)
        if count > most or start + 4 + count * width > len(self.data):
            _damaged(f"has a list at byte {start:,} that ends beyond the file")
        return start + 4, count


class Tensor(NamedTuple):
    """A tensor: ``content`` is None where it is computed; ``scale`` and ``zero`` are empty for plain numbers."""

    name: str
    shape: List[int]
    open_sides: List[int]
    type: int
    content: Optional[Any]
    scale: Any
    zero: Any
    axis: int
    variable: bool

    @property
    def quantised(self) -> bool:
        """Return whether its whole numbers of 8 bits stand for others, by one scale."""
        return self.type in {3, 9} and len(self.scale) == 1


class Operator(NamedTuple):
    """One step: its name, the tensors that it reads (-1 for none) and writes, and its options."""

    name: str
    inputs: List[int]
    outputs: List[int]
    options: Optional[Table]

    def option(self, index: int, form: str = "<i", default: Any = 0) -> Any:
        """Return a number among the options."""
        return self.options.number(index, form, default) if self.options is not None else default


class Lite(NamedTuple):
    """A model: the first graph of a file, the names of its inputs and outputs by tensor, and its metadata."""

    tensors: List[Tensor]
    operators: List[Operator]
    inputs: List[int]
    outputs: List[int]
    names: Dict[int, str]
    metadata: Dict[str, bytes]
    description: str


def read(data: bytes) -> Lite:
    """Return the model in the bytes of a file; ``UnservedError`` where they break off or contradict themselves."""
    view = memoryview(data)
    if bytes(view[4:8]) != b"TFL3":
        _damaged("is no TFLite file")
    root = Table(view, _unpack(view, "<I", 0), [TABLES_MAX])
    buffers = root.tables(4)
    graphs = root.tables(2)
    if not graphs:
        _damaged("holds no graph")
    codes = [_operator(code) for code in root.tables(1)]
    graph = graphs[0]
    tensors = [_tensor(view, table, buffers) for table in graph.tables(0)]
    operators = [_step(table, codes, len(tensors)) for table in graph.tables(3)]
    inputs, outputs = (_within(graph.numbers(field), len(tensors)) for field in (1, 2))
    metadata = {}
    for entry in root.tables(6):
        place = entry.number(1, "<I")
        if place < len(buffers):
            metadata[entry.text(0)] = bytes(_content(view, buffers[place]))
    names = _names(root, tensors, inputs, outputs)
    return Lite(tensors, operators, inputs, outputs, names, metadata, root.text(3))


def _names(root: Table, tensors: List[Tensor], inputs: List[int], outputs: List[int]) -> Dict[int, str]:
    """Return names for what goes in and out: those of the signature, where it has one for each, else the tensors'."""
    told: Dict[int, str] = {}
    signatures = [one for one in root.tables(7) if one.number(4, "<I") == 0]
    if len(signatures) == 1:
        for field in (0, 1):
            told.update({one.number(1, "<I"): one.text(0) for one in signatures[0].tables(field)})
    ports = [*inputs, *outputs]
    if not set(ports) <= set(told) or len({told[at] for at in ports}) < len(set(ports)):
        told = {at: tensors[at].name for at in ports}
    found: Dict[int, str] = {}
    for at in ports:
        name = told[at] or "tensor"
        found.setdefault(at, f"{name}_{at}" if name in found.values() else name)
    return found


def _operator(code: Table) -> str:
    number = max(code.number(0, "<b"), code.number(3))
    if number == OPERATORS.index("CUSTOM"):
        message = f"it needs the operator {code.text(1)[:60]!r}, which is a program outside of the file"
        raise UnservedError(message)
    return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"


def _step(table: Table, codes: List[str], count: int) -> Operator:
    place = table.number(0, "<I")
    if place >= len(codes):
        _damaged(f"names operator {place} of {len(codes)}")
    inputs = [-1 if at == -1 else _within([at], count)[0] for at in table.numbers(1)]
    return Operator(codes[place], inputs, _within(table.numbers(2), count), table.table(4))


def _within(places: Any, count: int) -> List[int]:
    found = [int(at) for at in places]
    outside = [at for at in found if not 0 <= at < count]
    if outside:
        _damaged(f"names tensor {outside[0]} of {count}")
    return found


def _tensor(view: memoryview, table: Table, buffers: List[Table]) -> Tensor:
    shape = [int(side) for side in table.numbers(0)]
    sides = [int(side) for side in table.numbers(7)]
    name = table.text(3)
    size = 1
    for side in shape:
        size *= side
        if side < 0 or size > ELEMENTS_MAX or len(shape) > RANK_MAX:
            _damaged(f"has a tensor {name[:60]!r} of {' x '.join(map(str, shape[:10]))} values")
    if table.table(6) is not None:
        message = f"its tensor {name[:60]!r} is stored as a sparse one"
        raise UnservedError(message)
    kind, place = table.number(1, "<b"), table.number(2, "<I")
    if place >= len(buffers):
        _damaged(f"names buffer {place} of {len(buffers)}")
    found = _content(view, buffers[place]) if place else view[:0]
    content = _values(name, kind, shape, size, found) if len(found) else None
    scale, zero, axis = _scales(table.table(4), shape, name)
    return Tensor(
        name, shape, sides if len(sides) == len(shape) else shape, kind, content, scale, zero, axis, table.flag(5)
    )


def _values(name: str, kind: int, shape: List[int], size: int, found: memoryview) -> Any:
    if kind == INT4:
        packed = np.frombuffer(found, dtype=np.int8)
        both = np.stack([np.left_shift(packed, 4) >> 4, packed >> 4], axis=1).ravel()
        if size > both.size:
            _damaged(f"has {both.size:,} values for the tensor {name[:60]!r} of {size:,}")
        return both[:size].reshape(shape)
    if kind not in TYPES:
        return bytes(found)
    dtype = np.dtype(TYPES[kind])
    if len(found) != size * dtype.itemsize:
        _damaged(f"has {len(found):,} bytes for the tensor {name[:60]!r} of {size * dtype.itemsize:,}")
    return np.frombuffer(found, dtype=dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def _content(view: memoryview, buffer: Table) -> memoryview:
    offset, size = buffer.number(1, "<Q"), buffer.number(2, "<Q")
    if offset > 1 and size:  # of files above 2 GB, behind the flatbuffer
        if offset + size > len(view):
            _damaged(f"has a buffer at byte {offset:,} that ends beyond the file")
        return view[offset : offset + size]
    return buffer.content(0)


def _scales(table: Optional[Table], shape: List[int], name: str) -> Tuple[Any, Any, int]:
    nothing = np.zeros(0, np.float32)
    if table is None:
        return nothing, nothing.astype(np.int64), 0
    scale, zero, axis = table.numbers(2, "<f4"), table.numbers(3, "<i8"), int(table.number(6))
    if len(scale) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scale)):
        _damaged(f"has {len(scale)} scales for the tensor {name[:60]!r} of {shape}")
    if len(zero) not in {0, 1, len(scale)} or not np.isfinite(scale).all() or (scale < 0).any():
        _damaged(f"has scales for the tensor {name[:60]!r} that are none")
    return scale, np.broadcast_to(zero if len(zero) else np.zeros(1, np.int64), scale.shape), axis


def _damaged(what: str) -> NoReturn:
    message = f"it {what}: the file is damaged, or was made to harm"
    raise UnservedError(message)


def _unpack(data: memoryview, form: str, at: int) -> Any:
    if at < 0 or at + struct.calcsize(form) > len(data):
        _damaged(f"points to byte {at:,}, outside of its {len(data):,}")
    return struct.unpack_from(form, data, at)[0]
