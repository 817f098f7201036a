"""TFLite files made by hand: ``lite`` puts tensors and operators into a flatbuffer, as the converter does."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import flatbuffers
import numpy as np

from toolkit.caged.tflite_files import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9}
# of an operator's options: which of the schema's tables they are
OPTIONS = {
    "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5, "FULLY_CONNECTED": 8, "SOFTMAX": 9,
    "CONCATENATION": 10, "ADD": 11, "L2_NORMALIZATION": 12, "UNIDIRECTIONAL_SEQUENCE_LSTM": 71, "RESHAPE": 17,
    "MUL": 21, "PAD": 22, "GATHER": 23, "MEAN": 27, "SUM": 27, "SUB": 28, "DIV": 29, "SQUEEZE": 30, "STRIDED_SLICE": 32,
    "SPLIT": 35, "CAST": 37, "ARG_MAX": 40, "SHAPE": 55, "PACK": 59, "UNPACK": 64, "LEAKY_RELU": 75, "MIRROR_PAD": 77,
    "RESIZE_BILINEAR": 15, "RESIZE_NEAREST_NEIGHBOR": 74, "TRANSPOSE_CONV": 49, "BATCH_MATMUL": 101, "REDUCE_MAX": 27,
    "ONE_HOT": 61, "SPACE_TO_DEPTH": 19, "DEPTH_TO_SPACE": 94, "CUMSUM": 102, "GELU": 116,
}  # fmt: skip


class Held(NamedTuple):
    """A tensor of the file: computed where it has no ``values``; whole numbers stand for others where it has scales."""

    name: str
    shape: Sequence[int]
    values: Any = None
    type: str = "float32"
    scale: Sequence[float] = ()
    zero: Sequence[int] = ()
    axis: int = 0
    open_sides: Sequence[int] = ()


class Step(NamedTuple):
    """An operator: its options by place in the schema's table, ``("b", 1)`` one of a byte, ``("v", [1])`` a list."""

    name: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: Mapping[int, Any] = {}
    custom: str = ""


def constant(name: str, values: Any, dtype: str = "float32", **facts: Any) -> Held:
    array = np.asarray(values, dtype=dtype)
    return Held(name, array.shape, array, dtype, **facts)


def lite(
    tensors: Sequence[Held],
    steps: Sequence[Step],
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
    metadata: Mapping[str, bytes] | None = None,
    labels: str = "",
    buffers: Mapping[int, int] | None = None,
) -> bytes:
    """Return the bytes of a file; ``buffers`` are buffers that tensors claim instead of their own."""
    made = flatbuffers.Builder(1024)
    contents = [b"", *[b"" if one.values is None else np.asarray(one.values).tobytes() for one in tensors]]
    contents += list((metadata or {}).values())
    held = [_table(made, {0: ("o", _bytes(made, content))} if content else {}) for content in contents]
    codes = [_code(made, step) for step in steps]
    placed = [
        _tensor(made, one, (buffers or {}).get(place, place + 1 if one.values is not None else 0))
        for place, one in enumerate(tensors)
    ]
    done = [_step(made, step, place) for place, step in enumerate(steps)]
    parts = [_offsets(made, placed), _numbers(made, inputs), _numbers(made, outputs), _offsets(made, done)]
    graph = _table(made, {place: ("o", part) for place, part in enumerate(parts)})
    notes = [
        _table(made, {0: ("o", made.CreateString(name)), 1: ("I", 1 + len(tensors) + place)})
        for place, name in enumerate(metadata or {})
    ]
    fields = {
        0: ("I", 3),
        1: ("o", _offsets(made, codes)),
        2: ("o", _offsets(made, [graph])),
        4: ("o", _offsets(made, held)),
        6: ("o", _offsets(made, notes)),
    }
    made.Finish(_table(made, fields), file_identifier=b"TFL3")
    content = bytes(made.Output())
    if not labels:
        return content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("labels.txt", labels)
    return content + packed.getvalue()


def normalised(mean: Sequence[float], std: Sequence[float]) -> bytes:
    """Return the metadata of a model whose first input is a picture, less ``mean``, by ``std``."""
    made = flatbuffers.Builder(256)
    values = _table(made, {0: ("o", _floats(made, mean)), 1: ("o", _floats(made, std))})
    unit = _table(made, {0: ("B", 1), 1: ("o", values)})
    tensor = _table(made, {4: ("o", _offsets(made, [unit]))})
    graph = _table(made, {2: ("o", _offsets(made, [tensor]))})
    made.Finish(_table(made, {3: ("o", _offsets(made, [graph]))}), file_identifier=b"M001")
    return bytes(made.Output())


def _table(made: Any, fields: Mapping[int, tuple[str, Any]]) -> int:
    made.StartObject(1 + max(fields, default=-1))
    for place, (kind, value) in fields.items():
        if kind == "o":
            made.PrependUOffsetTRelativeSlot(place, value, 0)
        elif kind == "f":
            made.PrependFloat32Slot(place, value, None)
        elif kind == "I":
            made.PrependUint32Slot(place, value, None)
        elif kind in "bB":
            made.PrependUint8Slot(place, value, None)
        else:
            made.PrependInt32Slot(place, value, None)
    return int(made.EndObject())


def _offsets(made: Any, places: Sequence[int]) -> int:
    made.StartVector(4, len(places), 4)
    for place in reversed(places):
        made.PrependUOffsetTRelative(place)
    return int(made.EndVector())


def _numbers(made: Any, values: Sequence[int]) -> int:
    return int(made.CreateNumpyVector(np.asarray(values, dtype=np.int32)))


def _floats(made: Any, values: Sequence[float]) -> int:
    return int(made.CreateNumpyVector(np.asarray(values, dtype=np.float32)))


def _bytes(made: Any, content: bytes) -> int:
    made.StartVector(1, len(content), 16)
    made.head -= len(content)
    made.Bytes[made.head : made.head + len(content)] = content
    return int(made.EndVector())


def _code(made: Any, step: Step) -> int:
    number = OPERATORS.index("CUSTOM" if step.custom else step.name)
    fields: dict[int, tuple[str, Any]] = {0: ("b", min(number, 127)), 2: ("i", 1), 3: ("i", number)}
    if step.custom:
        fields[1] = ("o", made.CreateString(step.custom))
    return _table(made, fields)


def _tensor(made: Any, one: Held, buffer: int) -> int:
    fields: dict[int, tuple[str, Any]] = {
        0: ("o", _numbers(made, one.shape)),
        1: ("b", TYPES[one.type]),
        2: ("I", buffer),
        3: ("o", made.CreateString(one.name)),
    }
    if len(one.scale):
        zero = made.CreateNumpyVector(np.asarray(one.zero or [0] * len(one.scale), dtype=np.int64))
        scales = {2: ("o", _floats(made, one.scale)), 3: ("o", int(zero)), 6: ("i", one.axis)}
        fields[4] = ("o", _table(made, scales))
    if one.open_sides:
        fields[7] = ("o", _numbers(made, one.open_sides))
    return _table(made, fields)


def _step(made: Any, step: Step, place: int) -> int:
    options = {
        slot: value if isinstance(value, tuple) else ("f", value) if isinstance(value, float) else ("i", value)
        for slot, value in step.options.items()
    }
    for slot, (kind, value) in options.items():
        if kind == "v":
            options[slot] = ("o", _numbers(made, value))
    fields: dict[int, tuple[str, Any]] = {
        0: ("I", place),
        1: ("o", _numbers(made, step.inputs)),
        2: ("o", _numbers(made, step.outputs)),
    }
    if step.name in OPTIONS:
        fields[3] = ("B", OPTIONS[step.name])
        fields[4] = ("o", _table(made, options))
    return _table(made, fields)
