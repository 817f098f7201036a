"""TFLite's operators in ONNX's words: ``HANDLERS`` by name; those of layers are in ``tflite_layers.py``."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from . import tflite_layers as layers
from . import tflite_whole as arithmetic
from .graph import UnservedError
from .tflite_files import Operator
from .tflite_graph import ONNX_TYPES, Handler, Translation

UNARY = {
    "FLOOR": "Floor", "EXP": "Exp", "NEG": "Neg", "SIN": "Sin", "LOG": "Log", "SQRT": "Sqrt", "ABS": "Abs",
    "CEIL": "Ceil", "COS": "Cos", "ROUND": "Round", "LOGICAL_NOT": "Not",
}  # fmt: skip
COMPARED = {
    "LESS": "Less", "GREATER": "Greater", "GREATER_EQUAL": "GreaterOrEqual", "LESS_EQUAL": "LessOrEqual",
    "EQUAL": "Equal", "LOGICAL_OR": "Or", "LOGICAL_AND": "And",
}  # fmt: skip
REDUCED = {"REDUCE_MAX": "ReduceMax", "REDUCE_MIN": "ReduceMin", "REDUCE_PROD": "ReduceProd"}
FAR = 1 << 31


def _unary(work: Translation, step: Operator) -> None:
    work.put_real(step.outputs[0], work.add(UNARY[step.name], work.real(step.inputs[0])))


def _compared(work: Translation, step: Operator) -> None:
    work.put(step.outputs[0], work.add(COMPARED[step.name], *map(work.real, step.inputs[:2])))


def _not_equal(work: Translation, step: Operator) -> None:
    work.put(step.outputs[0], work.add("Not", work.add("Equal", *map(work.real, step.inputs[:2]))))


def _one_by(op: str) -> Handler:
    """Return a handler of the number 1 and a tensor."""

    def handler(work: Translation, step: Operator) -> None:
        found = work.add("Sqrt", work.real(step.inputs[0])) if op == "RSQRT" else work.real(step.inputs[0])
        work.put_real(step.outputs[0], work.add("Reciprocal", found))

    return handler


def _square(work: Translation, step: Operator) -> None:
    tensors = [work.tensor(at) for at in (*step.inputs[:2], step.outputs[0])]
    if len(step.inputs) > 1 and all(tensor.quantised for tensor in tensors):
        work.put(step.outputs[0], arithmetic.squared(work, step.inputs[0], step.inputs[1], tensors[-1]))
        return
    name = work.real(step.inputs[0])
    if len(step.inputs) > 1:
        name = work.add("Sub", name, work.real(step.inputs[1]))
    work.put_real(step.outputs[0], work.add("Mul", name, name))


def _pow(work: Translation, step: Operator) -> None:
    work.put_real(step.outputs[0], work.add("Pow", *map(work.real, step.inputs[:2])))


def _floor_div(work: Translation, step: Operator) -> None:
    divided = work.add("Div", *map(work.real, step.inputs[:2]))
    if np.dtype(work.type(step.outputs[0])).kind in "iu":  # ONNX cuts towards zero
        left, right = (work.add("Cast", work.raw(at), to=11) for at in step.inputs[:2])
        kind = ONNX_TYPES[work.tensor(step.outputs[0]).type]
        work.put(step.outputs[0], work.add("Cast", work.add("Floor", work.add("Div", left, right)), to=kind))
    else:
        work.put_real(step.outputs[0], work.add("Floor", divided))


def _floor_mod(work: Translation, step: Operator) -> None:
    left, right = map(work.real, step.inputs[:2])
    if np.dtype(work.type(step.outputs[0])).kind in "iu":
        work.put(step.outputs[0], work.add("Mod", left, right))
        return
    floored = work.add("Mul", work.add("Floor", work.add("Div", left, right)), right)
    work.put_real(step.outputs[0], work.add("Sub", left, floored))


def _most(op: str) -> Handler:
    def handler(work: Translation, step: Operator) -> None:
        work.put_real(step.outputs[0], work.add(op, *map(work.real, step.inputs[:2])))

    return handler


def _add_n(work: Translation, step: Operator) -> None:
    name = work.real(step.inputs[0])
    for at in step.inputs[1:]:
        name = work.add("Add", name, work.real(at))
    work.put_real(step.outputs[0], name)


def _reshape(work: Translation, step: Operator) -> None:
    source, target = step.inputs[0], step.outputs[0]
    tensor = work.tensor(target)
    wanted: Optional[Any] = None
    if len(step.inputs) > 1 and step.inputs[1] >= 0:
        if work.value(step.inputs[1]) is None:
            work.put(target, work.add("Reshape", work.raw(source), work.integers(step.inputs[1])))
            return
        wanted = [int(side) for side in np.ravel(work.value(step.inputs[1]))]
    elif step.options is not None:
        wanted = [int(side) for side in step.options.numbers(0)]
    wanted = tensor.shape if wanted is None else wanted
    if work.rows and wanted and all(side > 0 for side in tensor.shape[1:]) and len(wanted) == len(tensor.shape):
        wanted = [-1, *tensor.shape[1:]]
    work.put(target, work.add("Reshape", work.raw(source), work.places(wanted)))


def _squeeze(work: Translation, step: Operator) -> None:
    axes = [int(axis) for axis in step.options.numbers(0)] if step.options is not None else []
    shape = work.tensor(step.inputs[0]).shape
    if not axes:
        axes = [axis for axis, side in enumerate(shape) if side == 1 and not (work.rows and axis == 0)]
    name = work.raw(step.inputs[0])
    work.put(step.outputs[0], work.add("Squeeze", name, work.places(axes)) if axes else name)


def _expand(work: Translation, step: Operator) -> None:
    axis = [int(one) for one in np.ravel(work.needed(step.inputs[1], "axis"))]
    work.put(step.outputs[0], work.add("Unsqueeze", work.raw(step.inputs[0]), work.places(axis)))


def _transpose(work: Translation, step: Operator) -> None:
    order = [int(axis) for axis in np.ravel(work.needed(step.inputs[1], "order"))]
    work.put(step.outputs[0], work.transposed(work.raw(step.inputs[0]), order))


def _same(work: Translation, step: Operator, at: int) -> str:
    """Return a tensor's raw numbers in the scale of the output."""
    tensor, output = work.tensor(at), work.tensor(step.outputs[0])
    if not output.quantised:
        return work.real(at)
    if tensor.quantised and tensor.scale[0] == output.scale[0] and tensor.zero[0] == output.zero[0]:
        return work.raw(at)
    return work.quantised(work.real(at), output)


def _concat(work: Translation, step: Operator) -> None:
    parts = [_same(work, step, at) for at in step.inputs]
    joined = work.add("Concat", *parts, axis=int(step.option(0)))
    activation = int(step.option(1, "<b"))
    if work.tensor(step.outputs[0]).quantised:
        work.put(step.outputs[0], work.clipped(joined, work.tensor(step.outputs[0]), activation))
    else:
        work.put_real(step.outputs[0], joined, activation)


def _pack(work: Translation, step: Operator) -> None:
    axis = int(step.option(1))
    parts = [work.add("Unsqueeze", _same(work, step, at), work.places([axis])) for at in step.inputs]
    work.put(step.outputs[0], work.add("Concat", *parts, axis=axis) if len(parts) > 1 else parts[0])


def _unpack(work: Translation, step: Operator) -> None:
    axis = int(step.option(1))
    if len(step.outputs) == 1:
        work.put(step.outputs[0], work.add("Squeeze", work.raw(step.inputs[0]), work.places([axis])))
        return
    for at, name in zip(step.outputs, work.several("Split", [work.raw(step.inputs[0])], len(step.outputs), axis=axis)):
        work.put(at, work.add("Squeeze", name, work.places([axis])))


def _split(work: Translation, step: Operator) -> None:
    source, axis_at = (0, 2) if step.name == "SPLIT_V" else (1, 0)
    axis = int(np.ravel(work.needed(step.inputs[axis_at], "axis"))[0])
    inputs = [work.raw(step.inputs[source])]
    if step.name == "SPLIT_V":
        inputs.append(work.integers(step.inputs[1]))
    if len(step.outputs) == 1:
        work.put(step.outputs[0], inputs[0])
        return
    for at, name in zip(step.outputs, work.several("Split", inputs, len(step.outputs), axis=axis)):
        work.put(at, name)


def _pad(work: Translation, step: Operator) -> None:
    source, output = step.inputs[0], work.tensor(step.outputs[0])
    pads = work.needed(step.inputs[1], "padding").reshape(-1, 2)
    sides = work.places([*pads[:, 0], *pads[:, 1]])
    if step.name == "MIRROR_PAD":
        if int(step.option(0, "<b")) == 1:
            message = "its MIRROR_PAD repeats the edge, which has no served form"
            raise UnservedError(message)
        work.put(step.outputs[0], work.add("Pad", work.raw(source), sides, mode="reflect"))
        return
    if len(step.inputs) > 2 and step.inputs[2] >= 0:  # noqa: PLR2004 - the filling
        filling = work.add("Reshape", work.raw(step.inputs[2]), work.places([]))
    else:
        filling = work.constant(
            float(output.zero[0]) if output.quantised else 0, work.type(source) if not output.quantised else np.float32
        )
    work.put(step.outputs[0], work.add("Pad", work.raw(source), sides, filling))


def _slice(work: Translation, step: Operator) -> None:
    begin, size = (work.value(at) for at in step.inputs[1:3])
    shape = work.tensor(step.inputs[0]).shape
    if begin is None or size is None:
        start, count = work.integers(step.inputs[1]), work.integers(step.inputs[2])
        end = work.add(
            "Where", work.add("Less", count, work.places([0])), work.places([FAR]), work.add("Add", start, count)
        )
        work.put(step.outputs[0], work.add("Slice", work.raw(step.inputs[0]), start, end))
        return
    starts, ends = [], []
    for axis, (start, count) in enumerate(zip(np.ravel(begin), np.ravel(size))):
        whole = count < 0 or (work.rows and axis == 0 and start == 0 and shape and shape[0] == count == 1)
        starts.append(int(start))
        ends.append(FAR if whole else int(start + count))
    work.put(step.outputs[0], work.add("Slice", work.raw(step.inputs[0]), work.places(starts), work.places(ends)))


def _strided(work: Translation, step: Operator) -> None:
    if any(work.value(at) is None for at in step.inputs[1:4]):
        message = "its STRIDED_SLICE cuts at places that are computed"
        raise UnservedError(message)
    begin, end, strides = ([int(one) for one in np.ravel(work.value(at))] for at in step.inputs[1:4])
    masks = [int(step.option(index)) for index in range(5)]
    offset = step.options is not None and step.options.flag(5)
    if masks[2] or masks[3]:
        begin, end, strides, masks = _spelled(work.rank(step.inputs[0]), begin, end, strides, masks)
    name, fresh = work.raw(step.inputs[0]), []
    shape = work.tensor(step.inputs[0]).shape
    starts: List[int] = []
    ends: List[int] = []
    steps: List[int] = []
    axes: List[int] = []
    gone: List[int] = []
    axis = 0
    for place, (start, stop, stride) in enumerate(zip(begin, end, strides)):
        if masks[3] >> place & 1:
            fresh.append(place)
            continue
        first, last = bool(masks[0] >> place & 1), bool(masks[1] >> place & 1)
        if masks[4] >> place & 1:
            gone.append(axis)
            starts, ends, steps, axes = (
                [*starts, start],
                [*ends, start + 1 if start != -1 else FAR],
                [*steps, 1],
                [*axes, axis],
            )
        else:
            stop = start + stop if offset else stop  # noqa: PLW2901 - spelled out
            if work.rows and axis == 0 and start == 0 and stop == 1 and shape[:1] == [1]:
                last = True
            starts.append((0 if stride > 0 else FAR) if first else start)
            ends.append((FAR if stride > 0 else -FAR) if last else stop)
            steps.append(stride)
            axes.append(axis)
        axis += 1
    if axes:
        name = work.add("Slice", name, *map(work.places, (starts, ends, axes, steps)))
    if gone:
        name = work.add("Squeeze", name, work.places(gone))
    if fresh:
        kept = [place for place in range(len(begin)) if place not in fresh and not masks[4] >> place & 1]
        order = sorted([*fresh, *kept])
        name = work.add("Unsqueeze", name, work.places([order.index(place) for place in fresh]))
    work.put(step.outputs[0], name)


def _spelled(rank: int, begin: List[int], end: List[int], strides: List[int], masks: List[int]) -> Any:
    """Return a slice whose ellipsis is spelled out as whole sides."""
    if not masks[2]:
        return begin, end, strides, masks
    place = next(at for at in range(32) if masks[2] >> at & 1)
    fresh = sum(masks[3] >> at & 1 for at in range(32))
    wide = rank - (len(begin) - 1 - fresh)
    entries: List[Tuple[int, int, int, Tuple[int, ...]]] = []
    for at, (start, stop, stride) in enumerate(zip(begin, end, strides)):
        if at == place:
            entries += [(0, 0, 1, (1, 1, 0, 0, 0))] * wide
        else:
            entries.append((start, stop, stride, tuple(mask >> at & 1 for mask in masks)))
    bits = [sum(entry[3][index] << at for at, entry in enumerate(entries)) for index in range(5)]
    return [one[0] for one in entries], [one[1] for one in entries], [one[2] for one in entries], bits


def _gather(work: Translation, step: Operator) -> None:
    if step.option(1):
        message = "its GATHER looks up by batches, which has no served form"
        raise UnservedError(message)
    work.put(
        step.outputs[0],
        work.add("Gather", work.raw(step.inputs[0]), work.integers(step.inputs[1]), axis=int(step.option(0))),
    )


def _gather_nd(work: Translation, step: Operator) -> None:
    work.put(step.outputs[0], work.add("GatherND", work.raw(step.inputs[0]), work.integers(step.inputs[1])))


def _embedding(work: Translation, step: Operator) -> None:
    table = work.real(step.inputs[1])
    work.put_real(step.outputs[0], work.add("Gather", table, work.integers(step.inputs[0]), axis=0))


def _cast(work: Translation, step: Operator) -> None:
    kind = ONNX_TYPES.get(work.tensor(step.outputs[0]).type)
    if kind is None:
        message = "it casts numbers to something that is none"
        raise UnservedError(message)
    work.put(step.outputs[0], work.add("Cast", work.real(step.inputs[0]), to=kind))


def _arg(work: Translation, step: Operator) -> None:
    axis = int(np.ravel(work.needed(step.inputs[1], "axis"))[0])
    op = "ArgMax" if step.name == "ARG_MAX" else "ArgMin"
    found = work.add(op, work.raw(step.inputs[0]), axis=axis, keepdims=0)
    work.put(step.outputs[0], work.add("Cast", found, to=ONNX_TYPES[work.tensor(step.outputs[0]).type]))


def _reduced(work: Translation, step: Operator) -> None:
    axes = [int(axis) for axis in np.ravel(work.needed(step.inputs[1], "axis"))]
    keep = int(bool(step.option(0, "<B")))
    name = work.raw(step.inputs[0]) if step.name in {"REDUCE_MAX", "REDUCE_MIN"} else work.real(step.inputs[0])
    if step.name in {"REDUCE_ANY", "REDUCE_ALL"}:
        op = "ReduceMax" if step.name == "REDUCE_ANY" else "ReduceMin"
        found = work.add(op, work.add("Cast", name, to=6), axes=axes, keepdims=keep)
        work.put(step.outputs[0], work.add("Cast", found, to=9))
        return
    found = work.add(REDUCED[step.name], name, axes=axes, keepdims=keep)
    work.put(step.outputs[0], found) if step.name != "REDUCE_PROD" else work.put_real(step.outputs[0], found)


def _shape(work: Translation, step: Operator) -> None:
    kind = ONNX_TYPES[work.tensor(step.outputs[0]).type]
    work.put(step.outputs[0], work.add("Cast", work.add("Shape", work.raw(step.inputs[0])), to=kind))


def _tile(work: Translation, step: Operator) -> None:
    work.put(step.outputs[0], work.add("Tile", work.raw(step.inputs[0]), work.integers(step.inputs[1])))


def _broadcast(work: Translation, step: Operator) -> None:
    sides = work.integers(step.inputs[1])
    work.put(step.outputs[0], work.add("Expand", work.raw(step.inputs[0]), sides))


def _fill(work: Translation, step: Operator) -> None:
    value = work.add("Reshape", work.raw(step.inputs[1]), work.places([]))
    work.put(step.outputs[0], work.add("Expand", value, work.integers(step.inputs[0])))


def _zeros(work: Translation, step: Operator) -> None:
    zero = work.constant(0, work.type(step.inputs[0]))
    work.put(step.outputs[0], work.add("Expand", zero, work.add("Shape", work.raw(step.inputs[0]))))


def _range(work: Translation, step: Operator) -> None:
    scalars = [work.add("Reshape", work.raw(at), work.places([])) for at in step.inputs[:3]]
    work.put(step.outputs[0], work.add("Range", *scalars))


def _select(work: Translation, step: Operator) -> None:
    condition = work.raw(step.inputs[0])
    if step.name == "SELECT" and work.rank(step.inputs[0]) == 1 and work.rank(step.inputs[1]) > 1:
        condition = work.add("Reshape", condition, work.places([-1] + [1] * (work.rank(step.inputs[1]) - 1)))
    work.put(step.outputs[0], work.add("Where", condition, *(_same(work, step, at) for at in step.inputs[1:3])))


def _one_hot(work: Translation, step: Operator) -> None:
    depth = work.add("Reshape", work.integers(step.inputs[1]), work.places([1]))
    on, off = (work.add("Reshape", work.raw(at), work.places([1])) for at in step.inputs[2:4])
    values = work.add("Concat", off, on, axis=0)
    indices = work.integers(step.inputs[0])
    inside = work.add("GreaterOrEqual", indices, work.places([0]))
    found = work.add("OneHot", indices, depth, values, axis=int(step.option(0, default=0)))
    axis = int(step.option(0, default=0))
    apart = work.add("Unsqueeze", inside, work.places([axis]))  # ONNX counts negative places from the end
    work.put(step.outputs[0], work.add("Where", apart, found, off))


def _top(work: Translation, step: Operator) -> None:
    count = work.add("Reshape", work.integers(step.inputs[1]), work.places([1]))
    values, places = work.several("TopK", [work.raw(step.inputs[0]), count], 2, axis=-1)
    work.put(step.outputs[0], values)
    if len(step.outputs) > 1:
        work.put(step.outputs[1], work.add("Cast", places, to=ONNX_TYPES[work.tensor(step.outputs[1]).type]))


def _cumsum(work: Translation, step: Operator) -> None:
    axis = work.add("Reshape", work.integers(step.inputs[1]), work.places([]))
    flags = [int(bool(step.option(index, "<B"))) for index in (0, 1)]
    work.put_real(
        step.outputs[0], work.add("CumSum", work.real(step.inputs[0]), axis, exclusive=flags[0], reverse=flags[1])
    )


def _reverse(work: Translation, step: Operator) -> None:
    axes = [int(axis) for axis in np.ravel(work.needed(step.inputs[1], "axis"))]
    ends = [work.places([value] * len(axes)) for value in (-1, -FAR)]
    name = work.add("Slice", work.raw(step.inputs[0]), *ends, work.places(axes), work.places([-1] * len(axes)))
    work.put(step.outputs[0], name)


def _depth(work: Translation, step: Operator) -> None:
    name = work.transposed(work.raw(step.inputs[0]), [0, 3, 1, 2])
    size = int(step.option(0))
    if step.name == "DEPTH_TO_SPACE":
        found = work.add("DepthToSpace", name, blocksize=size, mode="DCR")
    else:
        found = work.add("SpaceToDepth", name, blocksize=size)
    work.put(step.outputs[0], work.transposed(found, [0, 2, 3, 1]))


def _to_batch(work: Translation, step: Operator) -> None:
    """Write the rearrangement as it is defined, for pictures and sequences alike."""
    block = [int(side) for side in np.ravel(work.needed(step.inputs[1], "block"))]
    edges = work.needed(step.inputs[2], "padding").reshape(-1, 2).astype(int)
    shape = work.tensor(step.inputs[0]).shape
    rest = shape[1 + len(block) :]
    if any(side <= 0 for side in shape[1:]):
        message = f"its {step.name} has open sides"
        raise UnservedError(message)
    if step.name == "SPACE_TO_BATCH_ND":
        pads = [0, *edges[:, 0], *[0] * len(rest), 0, *edges[:, 1], *[0] * len(rest)]
        output = work.tensor(step.outputs[0])
        filling = work.constant(float(output.zero[0]) if output.quantised else 0)
        name = work.add("Pad", work.raw(step.inputs[0]), work.places(pads), filling)
        sides = [side + int(edge.sum()) for side, edge in zip(shape[1:], edges)]
        split = [-1]
        for side, part in zip(sides, block):
            split += [side // part, part]
        name = work.add("Reshape", name, work.places([*split, *rest]))
        inner = [2 + 2 * at for at in range(len(block))]
        order = [*inner, 0, *[at - 1 for at in inner], *range(1 + 2 * len(block), 1 + 2 * len(block) + len(rest))]
        name = work.transposed(name, order)
        work.put(
            step.outputs[0],
            work.add("Reshape", name, work.places([-1, *[side // part for side, part in zip(sides, block)], *rest])),
        )
        return
    sides = shape[1 : 1 + len(block)]
    name = work.add("Reshape", work.raw(step.inputs[0]), work.places([*block, -1, *sides, *rest]))
    width = len(block)
    order = [width]
    for at in range(width):
        order += [width + 1 + at, at]
    order += list(range(2 * width + 1, 2 * width + 1 + len(rest)))
    wide = [side * part for side, part in zip(sides, block)]
    name = work.add("Reshape", work.transposed(name, order), work.places([-1, *wide, *rest]))
    starts, ends = edges[:, 0], [side - int(edge) for side, edge in zip(wide, edges[:, 1])]
    axes = work.places(range(1, 1 + width))
    work.put(step.outputs[0], work.add("Slice", name, work.places(starts), work.places(ends), axes))


def _dequantise(work: Translation, step: Operator) -> None:
    source = step.inputs[0]
    if source in work.known:
        values = work.actual(source)
        work.known[step.outputs[0]] = values.astype(np.float32)
        return
    name = work.real(source)
    work.put(step.outputs[0], work.add("Cast", name, to=1) if work.tensor(source).type == 1 else name)


HANDLERS: Dict[str, Handler] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(COMPARED, _compared),
    **dict.fromkeys(REDUCED, _reduced),
    **layers.HANDLERS,
    "NOT_EQUAL": _not_equal,
    "RSQRT": _one_by("RSQRT"),
    "SQUARE": _square,
    "SQUARED_DIFFERENCE": _square,
    "POW": _pow,
    "FLOOR_DIV": _floor_div,
    "FLOOR_MOD": _floor_mod,
    "MAXIMUM": _most("Max"),
    "MINIMUM": _most("Min"),
    "ADD_N": _add_n,
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand,
    "TRANSPOSE": _transpose,
    "CONCATENATION": _concat,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _pad,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "EMBEDDING_LOOKUP": _embedding,
    "CAST": _cast,
    "ARG_MAX": _arg,
    "ARG_MIN": _arg,
    "REDUCE_ANY": _reduced,
    "REDUCE_ALL": _reduced,
    "SHAPE": _shape,
    "TILE": _tile,
    "BROADCAST_TO": _broadcast,
    "FILL": _fill,
    "ZEROS_LIKE": _zeros,
    "RANGE": _range,
    "SELECT": _select,
    "SELECT_V2": _select,
    "ONE_HOT": _one_hot,
    "TOPK_V2": _top,
    "CUMSUM": _cumsum,
    "REVERSE_V2": _reverse,
    "DEPTH_TO_SPACE": _depth,
    "SPACE_TO_DEPTH": _depth,
    "SPACE_TO_BATCH_ND": _to_batch,
    "BATCH_TO_SPACE_ND": _to_batch,
    "DEQUANTIZE": _dequantise,
}
