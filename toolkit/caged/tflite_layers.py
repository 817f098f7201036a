"""TFLite's layers in ONNX's words, with its arithmetic of 8 bits: whole sums, one factor, rounded half to even."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from . import tflite_whole as arithmetic
from .graph import UnservedError
from .tflite_files import Operator, Tensor
from .tflite_graph import FLOAT, LIMITS, RELU, SAME, Handler, Translation

DOUBLE = 11
EXACT = float(1 << 24)  # whole numbers up to here are exact in float32
ADDED_BITS = 20  # of the factors by which sums of 8 bits are taken
LEVELS = 256
DENSE_BIAS = 2  # its place among the inputs


def _conv(work: Translation, step: Operator) -> None:
    source, filters = step.inputs[0], step.inputs[1]
    if step.name == "CONV_2D":
        weights = _weights(work, filters).transpose(0, 3, 1, 2)
        options = {"padding": 0, "across": 1, "down": 2, "activation": 3, "wide": 4, "tall": 5}
        groups = work.side(source, 3) // weights.shape[1]
    else:
        weights = _weights(work, filters).transpose(3, 0, 1, 2)
        options = {"padding": 0, "across": 1, "down": 2, "activation": 4, "wide": 5, "tall": 6}
        groups = work.side(source, 3)
    strides = [int(step.option(options[name])) for name in ("down", "across")]
    dilations = [int(step.option(options[name], default=1)) for name in ("tall", "wide")]
    if min(*strides, *dilations) < 1 or groups < 1 or weights.shape[0] % groups:
        message = "one of its convolutions steps by nothing"
        raise UnservedError(message)
    pads = _pads(work, source, weights.shape[2:], strides, dilations, int(step.option(options["padding"], "<b")))
    facts = {"strides": strides, "dilations": dilations, "group": groups, **pads}
    _weighted(work, step, weights, int(step.option(options["activation"], "<b")), "Conv", facts)


def _pads(  # noqa: PLR0917 - what decides
    work: Translation, source: int, kernel: Any, strides: List[int], dilations: List[int], padding: int
) -> Dict[str, Any]:
    if padding != SAME:
        return {"pads": [0, 0, 0, 0]}
    before, after = [], []
    for axis, (size, stride, dilation) in enumerate(zip(kernel, strides, dilations)):
        side = work.sides(source)[axis + 1]
        if side is None:
            return {"auto_pad": "SAME_UPPER"}
        total = max((-(-side // stride) - 1) * stride + (int(size) - 1) * dilation + 1 - side, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return {"pads": [*before, *after]}


def _weights(work: Translation, at: int) -> Any:
    """Return a layer's weights: whole numbers where they have scales, else numbers."""
    values = work.needed(at, "weights")
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _bias(work: Translation, step: Operator, place: int) -> Optional[Any]:
    if len(step.inputs) <= place or step.inputs[place] < 0:
        return None
    return work.needed(step.inputs[place], "bias")


def _weighted(  # noqa: PLR0917 - a layer's own facts
    work: Translation, step: Operator, weights: Any, activation: int, op: str, facts: Dict[str, Any]
) -> None:
    """Write a convolution over pictures whose channels come last; ``weights`` as ONNX orders them."""
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    kernel = work.tensor(step.inputs[1])
    whole = len(kernel.scale) > 0 and weights.dtype.kind in "iu"
    axis = 1 if op == "ConvTranspose" else 0
    places = (2, 3) if op == "ConvTranspose" else (2, 2)
    bias = _bias(work, step, places[1])
    scales = np.broadcast_to(kernel.scale, (weights.shape[axis] * (facts["group"] if axis else 1),)) if whole else None
    if whole and source.quantised and output.quantised:
        name = work.transposed(work.centred(work.raw(step.inputs[0]), source), [0, 3, 1, 2])
        inputs = [name, _whole_weights(work, weights, kernel, axis)]
        if bias is not None:
            inputs.append(work.constant(bias.astype(np.float32)))
        sums = work.add("Round", work.add(op, *inputs, **facts))  # whole already; so nobody joins weights and factors
        summed = work.transposed(sums, [0, 2, 3, 1])
        work.put(step.outputs[0], work.requantised(summed, output, _factor(source, scales, output), activation))
        return
    if whole:
        name, factor = rounded_rows(work, work.real(step.inputs[0]), [1, 2, 3])
        found = work.add(op, work.transposed(name, [0, 3, 1, 2]), _whole_weights(work, weights, kernel, axis), **facts)
        found = scaled_rows(work, work.transposed(work.add("Round", found), [0, 2, 3, 1]), factor, scales, bias)
    else:
        name = work.transposed(work.real(step.inputs[0]), [0, 3, 1, 2])
        inputs = [name, work.constant(weights)]
        if bias is not None:
            inputs.append(work.constant(bias))
        found = work.transposed(work.add(op, *inputs, **facts), [0, 2, 3, 1])
    work.put_real(step.outputs[0], found, activation)


def _whole_weights(work: Translation, weights: Any, kernel: Tensor, axis: int) -> str:
    """Return whole weights in float32, less their zeros; they are stored in 8 bits."""
    name = work.add("Cast", work.constant(weights, weights.dtype), to=FLOAT)
    if not kernel.zero.any():
        return name
    sides = [1] * weights.ndim
    sides[axis] = -1
    return work.add("Sub", name, work.constant(kernel.zero.reshape(sides) if len(kernel.zero) > 1 else kernel.zero[0]))


def _factor(source: Tensor, scales: Any, output: Tensor) -> Any:
    return (source.scale[0] * scales.astype(np.float32)) / output.scale[0]


def rounded_rows(work: Translation, name: str, axes: List[int]) -> Tuple[str, str]:
    """Return numbers rounded to the 255 steps between their row's least and most, less their zero, and the step."""
    zero, one = work.constant(0.0), work.constant(1.0)
    low = work.add("Min", work.add("ReduceMin", name, axes=axes, keepdims=1), zero)
    high = work.add("Max", work.add("ReduceMax", name, axes=axes, keepdims=1), zero)
    width = work.add("Sub", high, low)
    flat = work.add("Equal", width, zero)
    scale = work.add("Where", flat, one, work.add("Div", work.constant(255.0), work.add("Where", flat, one, width)))
    least, most = work.constant(-128.0), work.constant(127.0)
    lows, highs = work.add("Mul", low, scale), work.add("Mul", high, scale)
    nearer = work.add("Add", work.add("Add", least, lows), work.add("Add", most, highs))
    zeros = work.add(
        "Where", work.add("Greater", nearer, zero), work.add("Sub", least, lows), work.add("Sub", most, highs)
    )
    zeros = work.add("Round", work.add("Clip", zeros, least, most))
    rounded = work.add("Add", work.add("Round", work.add("Mul", name, scale)), zeros)
    kept = work.add("Sub", work.add("Clip", rounded, least, most), zeros)
    return kept, work.add("Reciprocal", scale)


def scaled_rows(work: Translation, summed: str, factor: str, scales: Any, bias: Optional[Any]) -> str:
    """Return whole sums of rounded rows as numbers; product and bias are rounded once, as processors join them."""
    rows = work.add("Cast", work.add("Mul", summed, factor), to=DOUBLE)
    found = work.add("Mul", rows, work.constant(scales, np.float64))
    found = work.add("Add", found, work.constant(bias, np.float64)) if bias is not None else found
    return work.add("Cast", found, to=FLOAT)


def _transpose_conv(work: Translation, step: Operator) -> None:
    sides, filters, source = step.inputs[:3]
    weights = _weights(work, filters).transpose(3, 0, 1, 2)
    wanted = (
        [int(side) for side in np.ravel(work.value(sides))]
        if work.value(sides) is not None
        else work.tensor(step.outputs[0]).open_sides
    )
    strides = [int(step.option(2)), int(step.option(1))]
    before, after, extra = [], [], []
    for axis in range(2):
        size, given, target = int(weights.shape[2 + axis]), work.side(source, axis + 1), int(wanted[axis + 1])
        full = (given - 1) * strides[axis] + size
        total = max(full - target, 0)
        if int(step.option(0, "<b")) != SAME and total:
            message = "one of its transposed convolutions gives another size than it says"
            raise UnservedError(message)
        before.append(total // 2)
        after.append(total - total // 2)
        extra.append(max(target - full, 0))
    facts = {"strides": strides, "pads": [*before, *after], "output_padding": extra, "group": 1}
    moved = step._replace(inputs=[source, filters, -1, *step.inputs[3:4]])
    _weighted(work, moved, weights, int(step.option(3, "<b")), "ConvTranspose", facts)


def _dense(work: Translation, step: Operator) -> None:
    source, filters = step.inputs[0], step.inputs[1]
    inner, output, kernel = work.tensor(source), work.tensor(step.outputs[0]), work.tensor(filters)
    if step.option(1, "<b"):
        message = "the weights of its FULLY_CONNECTED are shuffled"
        raise UnservedError(message)
    width = work.tensor(filters).shape[1]
    bias = _bias(work, step, DENSE_BIAS)
    keep = step.options is not None and step.options.flag(2)

    def flat(name: str) -> str:
        if keep or (work.rank(source) == 2 and work.tensor(source).shape[1] == width):  # noqa: PLR2004 - rows and columns
            return name
        return work.add("Reshape", name, work.places([-1, width]))

    activation = int(step.option(0, "<b"))
    if work.value(filters) is None:
        turned = work.transposed(work.real(filters), [1, 0])
        found = work.add("MatMul", flat(work.real(source)), turned)
        if len(step.inputs) > DENSE_BIAS and step.inputs[DENSE_BIAS] >= 0:
            found = work.add("Add", found, work.real(step.inputs[DENSE_BIAS]))
        work.put_real(step.outputs[0], found, activation)
        return
    weights = _weights(work, filters)
    whole = len(kernel.scale) > 0 and weights.dtype.kind in "iu"
    if whole and inner.quantised and output.quantised:
        found = work.add("Round", _summed(work, flat(work.centred(work.raw(source), inner)), weights, kernel, bias))
        scales = np.broadcast_to(kernel.scale, (weights.shape[0],))
        work.put(step.outputs[0], work.requantised(found, output, _factor(inner, scales, output), activation))
        return
    if whole:
        name, factor = rounded_rows(work, flat(work.real(source)), [-1])
        summed = work.add("Round", _summed(work, name, weights, kernel, None))
        found = scaled_rows(work, summed, factor, np.broadcast_to(kernel.scale, (weights.shape[0],)), bias)
    else:
        found = work.add("MatMul", flat(work.real(source)), work.constant(weights.T))
        found = work.add("Add", found, work.constant(bias)) if bias is not None else found
    work.put_real(step.outputs[0], found, activation)


def _summed(work: Translation, name: str, weights: Any, kernel: Tensor, bias: Optional[Any]) -> str:
    """Return whole sums of products, in float32 as long as they are exact there."""
    turned = _whole_weights(work, np.ascontiguousarray(weights.T), kernel, 1)
    reach = float(np.abs(weights.astype(np.float64)).sum(axis=1).max(initial=0.0)) * LEVELS
    reach += float(np.abs(bias).max(initial=0)) if bias is not None else 0.0
    wide = reach > EXACT
    if wide:
        name, turned = (work.add("Cast", one, to=DOUBLE) for one in (name, turned))
    found = work.add("MatMul", name, turned)
    if bias is not None:
        found = work.add("Add", found, work.constant(bias, np.float64 if wide else np.float32))
    return work.add("Cast", found, to=FLOAT) if wide else found


def _pool(work: Translation, step: Operator) -> None:
    source, output = step.inputs[0], work.tensor(step.outputs[0])
    strides = [int(step.option(2)), int(step.option(1))]
    kernel = [int(step.option(4)), int(step.option(3))]
    if min(*strides, *kernel) < 1:
        message = "one of its poolings steps by nothing"
        raise UnservedError(message)
    pads = _pads(work, source, kernel, strides, [1, 1], int(step.option(0, "<b")))
    facts = {"kernel_shape": kernel, "strides": strides, **pads}
    activation = int(step.option(5, "<b"))
    if step.name == "MAX_POOL_2D":
        found = work.add("MaxPool", work.transposed(work.raw(source), [0, 3, 1, 2]), **facts)
        name = work.transposed(found, [0, 2, 3, 1])
        work.put(step.outputs[0], work.clipped(name, output, activation)) if output.quantised else work.put_real(
            step.outputs[0], name, activation
        )
        return
    if step.name == "L2_POOL_2D":
        squared = work.add("Mul", work.real(source), work.real(source))
        found = work.add("Sqrt", work.add("AveragePool", work.transposed(squared, [0, 3, 1, 2]), **facts))
        work.put_real(step.outputs[0], work.transposed(found, [0, 2, 3, 1]), activation)
        return
    if output.quantised:
        name = work.transposed(work.raw(source), [0, 3, 1, 2])
        found = work.transposed(work.add("AveragePool", name, **facts), [0, 2, 3, 1])
        # the sum is a whole number: half of it is added before it is divided, away from zero
        half = work.add("Mul", work.add("Sign", found), work.constant(0.5 + 1e-5))
        cut = work.add("Floor", work.add("Abs", work.add("Add", found, half)))
        work.put(step.outputs[0], work.clipped(work.add("Mul", cut, work.add("Sign", found)), output, activation))
        return
    found = work.add("AveragePool", work.transposed(work.real(source), [0, 3, 1, 2]), **facts)
    work.put_real(step.outputs[0], work.transposed(found, [0, 2, 3, 1]), activation)


def _arithmetic(op: str) -> Handler:
    def handler(work: Translation, step: Operator) -> None:
        left, right = step.inputs[:2]
        output = work.tensor(step.outputs[0])
        activation = int(step.option(0, "<b"))
        both = work.tensor(left), work.tensor(right)
        if not output.quantised or not (both[0].quantised and both[1].quantised) or op == "Div":
            work.put_real(step.outputs[0], work.add(op, work.real(left), work.real(right)), activation)
        elif op == "Mul":
            product = work.add("Mul", *(work.centred(work.raw(at), work.tensor(at)) for at in (left, right)))
            by = (both[0].scale[0] * both[1].scale[0]) / output.scale[0]
            work.put(step.outputs[0], work.requantised(product, output, by, activation))
        else:
            work.put(step.outputs[0], _added(work, step, op, activation))

    return handler


def _added(work: Translation, step: Operator, op: str, activation: int) -> str:
    """Return a sum of two tensors of 8 bits: each by a whole factor, the sum shifted down and rounded half up."""
    output = work.tensor(step.outputs[0])
    tensors = [work.tensor(at) for at in step.inputs[:2]]
    by = [np.float32(tensor.scale[0] / output.scale[0]) for tensor in tensors]
    exponent = int(np.floor(np.log2(float(max(by)))))
    shift = ADDED_BITS - exponent
    whole = [float(np.round(np.float64(one) * 2.0**shift)) for one in by]
    parts = []
    for at, tensor, factor in zip(step.inputs[:2], tensors, whole):
        wide = work.add("Cast", work.centred(work.raw(at), tensor), to=DOUBLE)
        parts.append(work.add("Mul", wide, work.constant(factor, np.float64)))
    summed = work.add(op, *parts)
    raised = work.add("Add", summed, work.constant(2.0 ** (shift - 1), np.float64))
    floored = work.add("Floor", work.add("Mul", raised, work.constant(2.0**-shift, np.float64)))
    name = work.add("Cast", floored, to=FLOAT)
    moved = work.add("Add", name, work.constant(float(output.zero[0]))) if output.zero[0] else name
    return work.clipped(moved, output, activation)


def _by_table(work: Translation, step: Operator, function: Callable[[Any], Any]) -> None:
    """Write a function of one number of 8 bits: its 256 values, looked up."""
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    low, high = (-128, 127) if source.type == 9 else (0, 255)  # noqa: PLR2004 - int8
    numbers = np.arange(low, high + 1)
    real = ((numbers - source.zero[0]).astype(np.float32) * source.scale[0]).astype(np.float32)
    with np.errstate(all="ignore"):
        found = np.asarray(function(real), dtype=np.float32)
    least, most = (-128, 127) if output.type == 9 else (0, 255)  # noqa: PLR2004 - int8
    values = np.clip(np.round(found / output.scale[0]) + output.zero[0], least, most)
    places = work.add("Cast", work.add("Sub", work.raw(step.inputs[0]), work.constant(float(low))), to=7)
    work.put(step.outputs[0], work.add("Gather", work.constant(values), places))


def _function(written: Callable[[Translation, str, Operator], str], known: Callable[[Any, Operator], Any]) -> Handler:
    """Return a handler of a function of one number: its nodes, and what it is for the tables of 8 bits."""

    def handler(work: Translation, step: Operator) -> None:
        if work.tensor(step.inputs[0]).quantised and work.tensor(step.outputs[0]).quantised:
            _by_table(work, step, lambda values: known(values, step))
        else:
            work.put_real(step.outputs[0], written(work, work.real(step.inputs[0]), step))

    return handler


def _tabled(written: Callable[[Translation, str, Operator], str], known: Callable[..., Any]) -> Handler:
    """Return a handler of a function of one number that TFLite works out in whole numbers for those of 8 bits."""

    def handler(work: Translation, step: Operator) -> None:
        source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
        if source.quantised and output.quantised:
            work.put(step.outputs[0], arithmetic.looked_up(work, step.inputs[0], output, known(source, output, step)))
        else:
            work.put_real(step.outputs[0], written(work, work.real(step.inputs[0]), step))

    return handler


def _leak(step: Operator) -> float:
    return float(step.option(0, "<f", 0.0))


def _hard_swish(work: Translation, name: str, step: Operator) -> str:
    del step
    bounds = work.constant(0.0), work.constant(6.0)
    gate = work.add("Clip", work.add("Add", name, work.constant(3.0)), *bounds)
    return work.add("Mul", work.add("Mul", name, gate), work.constant(np.float32(1 / 6)))


def _gelu(work: Translation, name: str, step: Operator) -> str:
    if step.options is not None and step.options.flag(0):
        cube = work.add("Mul", work.add("Mul", name, name), name)
        inner = work.add("Add", name, work.add("Mul", cube, work.constant(0.044715)))
        gate = work.add("Tanh", work.add("Mul", inner, work.constant(np.sqrt(2 / np.pi))))
    else:
        gate = work.add("Erf", work.add("Mul", name, work.constant(np.sqrt(0.5))))
    return work.add("Mul", work.add("Mul", name, work.constant(0.5)), work.add("Add", gate, work.constant(1.0)))


def _gelu_known(values: Any, step: Operator) -> Any:
    import math  # noqa: PLC0415 - here alone

    if step.options is not None and step.options.flag(0):
        return 0.5 * values * (1 + np.tanh(np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)))
    return 0.5 * values * (1 + np.array([math.erf(float(value) * math.sqrt(0.5)) for value in values]))


def _clip(low: float, high: float) -> Handler:
    def handler(work: Translation, step: Operator) -> None:
        name = work.add("Clip", work.real(step.inputs[0]), work.constant(low), work.constant(high))
        work.put_real(step.outputs[0], name)

    return handler


def _relu(work: Translation, step: Operator) -> None:
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    if source.quantised and output.quantised:
        by = source.scale[0] / output.scale[0]
        centred = work.centred(work.raw(step.inputs[0]), source)
        work.put(step.outputs[0], work.requantised(centred, output, by, RELU))
    else:
        work.put_real(step.outputs[0], work.add("Relu", work.real(step.inputs[0])))


def _prelu(work: Translation, step: Operator) -> None:
    source, output, slope = (work.tensor(at) for at in (step.inputs[0], step.outputs[0], step.inputs[1]))
    slopes = work.value(step.inputs[1])
    if slopes is not None and source.quantised and output.quantised and slope.quantised:
        tables = arithmetic.sloped(source, output, slopes, slope)
        low, most = LIMITS[output.type]
        table = work.constant(np.clip(tables + output.zero[0], low, most).ravel())
        starts = np.arange(len(tables), dtype=np.float64).reshape(slopes.shape) * LEVELS - LIMITS[source.type][0]
        wide = work.add("Cast", work.raw(step.inputs[0]), to=DOUBLE)
        places = work.add("Cast", work.add("Add", wide, work.constant(starts, np.float64)), to=7)
        work.put(step.outputs[0], work.add("Gather", table, places))
        return
    name, zero = work.real(step.inputs[0]), work.constant(0.0)
    below = work.add("Mul", work.add("Min", name, zero), work.real(step.inputs[1]))
    work.put_real(step.outputs[0], work.add("Add", work.add("Max", name, zero), below))


def _softmax(work: Translation, step: Operator) -> None:
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    beta = float(step.option(0, "<f", 0.0))
    if source.quantised and output.quantised:
        name = work.raw(step.inputs[0])
        below = work.add("Sub", work.add("ReduceMax", name, axes=[-1], keepdims=1), name)
        factor = np.float32(-source.scale[0] * np.float32(beta))
        table = np.exp((factor * np.arange(LEVELS, dtype=np.float32)).astype(np.float32)).astype(np.float32)
        powers = work.add("Gather", work.constant(table), work.add("Cast", below, to=7))
        total = work.add("ReduceSum", powers, work.places([-1]), keepdims=1)
        share = work.add("Mul", powers, work.add("Reciprocal", work.add("Mul", total, work.constant(output.scale[0]))))
        rounded = work.add("Floor", work.add("Add", share, work.constant(0.5)))
        moved = work.add("Add", rounded, work.constant(float(output.zero[0])))
        work.put(step.outputs[0], work.clipped(moved, output))
        return
    name = work.real(step.inputs[0])
    name = name if beta == 1.0 else work.add("Mul", name, work.constant(beta))
    work.put_real(step.outputs[0], work.add("Softmax", name, axis=-1))


def _log_softmax(work: Translation, step: Operator) -> None:
    work.put_real(step.outputs[0], work.add("LogSoftmax", work.real(step.inputs[0]), axis=-1))


def _l2(work: Translation, step: Operator) -> None:
    name = work.real(step.inputs[0])
    total = work.add("ReduceSum", work.add("Mul", name, name), work.places([-1]), keepdims=1)
    norm = work.add("Max", work.add("Sqrt", total), work.constant(1e-6))
    work.put_real(step.outputs[0], work.add("Div", name, norm), int(step.option(0, "<b")))


def _lrn(work: Translation, step: Operator) -> None:
    radius = int(step.option(0))
    size = 2 * radius + 1
    name = work.transposed(work.real(step.inputs[0]), [0, 3, 1, 2])
    numbers = {name: float(step.option(place, "<f", 0.0)) for name, place in (("bias", 1), ("alpha", 2), ("beta", 3))}
    numbers["alpha"] *= size
    found = work.add("LRN", name, size=size, **numbers)
    work.put_real(step.outputs[0], work.transposed(found, [0, 2, 3, 1]))


def _mean(work: Translation, step: Operator) -> None:
    axes = [int(axis) for axis in np.ravel(work.needed(step.inputs[1], "axis"))]
    keep = int(bool(step.option(0, "<B")))
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    summing = step.name == "SUM"
    if source.quantised and output.quantised:
        centred = work.centred(work.raw(step.inputs[0]), source)
        total = work.add("ReduceSum", centred, work.places(axes), keepdims=keep)
        count = work.extent(step.inputs[0], axes)
        work.put(step.outputs[0], arithmetic.reduced(work, total, (source, output), count, summing=summing))
    elif summing:
        work.put_real(
            step.outputs[0], work.add("ReduceSum", work.real(step.inputs[0]), work.places(axes), keepdims=keep)
        )
    else:
        work.put_real(step.outputs[0], work.add("ReduceMean", work.real(step.inputs[0]), axes=axes, keepdims=keep))


def _resize(work: Translation, step: Operator) -> None:
    bilinear = step.name == "RESIZE_BILINEAR"
    corners, centres = (
        step.options is not None and step.options.flag(place) for place in ((2, 3) if bilinear else (0, 1))
    )
    given, output = work.sides(step.inputs[0])[1:3], work.tensor(step.outputs[0])
    if bilinear and output.quantised and all(given):
        wanted = [int(side) for side in np.ravel(work.needed(step.inputs[1], "size"))]
        sizes_given = [int(side or 0) for side in given]
        found = arithmetic.resized(
            work, work.raw(step.inputs[0]), sizes_given, wanted, corners=corners, centres=centres
        )
        work.put(step.outputs[0], work.clipped(found, output))
        return
    name = work.raw(step.inputs[0]) if not bilinear else work.real(step.inputs[0])
    turned = work.transposed(name, [0, 3, 1, 2])
    height, width = (int(side) for side in np.ravel(work.needed(step.inputs[1], "size")))
    shape = work.add("Shape", turned)
    sides = work.add("Slice", shape, work.places([0]), work.places([2]))
    sizes = work.add("Concat", sides, work.places([height, width]), axis=0)
    way = "align_corners" if corners else "half_pixel" if centres else "asymmetric"
    facts: Dict[str, Any] = {"coordinate_transformation_mode": way, "mode": "linear" if bilinear else "nearest"}
    if not bilinear:
        facts["nearest_mode"] = "round_prefer_ceil" if corners or centres else "floor"
        if centres:  # its half pixels are added twice where the picture is small, as `floor` of them
            facts.update(coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor")
    found = work.transposed(work.add("Resize", turned, "", "", sizes, **facts), [0, 2, 3, 1])
    work.put_real(step.outputs[0], found) if bilinear else work.put(step.outputs[0], found)


def _matmul(work: Translation, step: Operator) -> None:
    names = []
    for at, flag in zip(step.inputs[:2], (0, 1)):
        turned = step.options is not None and step.options.flag(flag)
        rank = work.rank(at)
        order = [*range(rank - 2), rank - 1, rank - 2]
        tensor = work.tensor(at)
        both = work.tensor(step.outputs[0]).quantised and tensor.quantised
        name = work.centred(work.raw(at), tensor) if both else work.real(at)
        names.append(work.transposed(name, order) if turned else name)
    found = work.add("MatMul", *names)
    output = work.tensor(step.outputs[0])
    found = work.add("Round", found) if output.quantised else found
    tensors = [work.tensor(at) for at in step.inputs[:2]]
    if output.quantised and all(tensor.quantised for tensor in tensors):
        if tensors[1].zero[0] == 0:  # the quick kernels take such alone
            by = (tensors[0].scale[0] * tensors[1].scale[0]) / output.scale[0]
            work.put(step.outputs[0], work.requantised(found, output, by))
        else:
            by = float(tensors[0].scale[0] * tensors[1].scale[0]) / float(output.scale[0])
            work.put(step.outputs[0], arithmetic.finished(work, arithmetic.scaled_in_graph(work, found, by), output))
    else:
        work.put_real(step.outputs[0], found)


def _quantise(work: Translation, step: Operator) -> None:
    source, output = work.tensor(step.inputs[0]), work.tensor(step.outputs[0])
    if source.quantised and output.quantised:
        values = arithmetic.in_256ths(source, output)
        work.put(step.outputs[0], arithmetic.looked_up(work, step.inputs[0], output, values))
    else:
        work.put_real(step.outputs[0], work.real(step.inputs[0]))


def _lstm(work: Translation, step: Operator) -> None:
    """Write a LSTM over a sequence; gates in the file's order (input, forget, cell, output)."""
    places = dict(zip(("input", "forget", "cell", "output"), range(4)))
    given = [*step.inputs, *[-1] * 24]
    if any(at >= 0 for at in (*given[9:12], *given[16:18], *given[20:24])):
        message = "its LSTM has peepholes, projections or layers that normalise, which have no served form"
        raise UnservedError(message)
    if step.option(1, "<f", 0.0) or step.option(2, "<f", 0.0) or int(step.option(0, "<b")) != 4 or given[1] < 0:  # noqa: PLR2004
        message = "its LSTM clips its cell, couples its gates or has another activation than tanh"
        raise UnservedError(message)
    order = ("input", "output", "forget", "cell")  # ONNX's

    def stacked(first: int, what: str) -> Any:
        for name in order:
            work.needed(given[first + places[name]], what)
        return np.concatenate([work.actual(given[first + places[name]]) for name in order]).astype(np.float32)

    weights, loops, bias = stacked(1, "weights"), stacked(5, "weights"), stacked(12, "bias")
    hidden = int(loops.shape[1])
    if any(work.tensor(given[at]).type in {3, 9} for at in range(1, 9)):
        message = "its LSTM has weights of 8 bits, which have no faithful served form"
        raise UnservedError(message)
    name = work.real(given[0])
    major = step.options is not None and step.options.flag(3)
    name = name if major else work.transposed(name, [1, 0, 2])
    every = work.add(
        "LSTM",
        name,
        work.constant(weights[None]),
        work.constant(loops[None]),
        work.constant(np.concatenate([bias, np.zeros_like(bias)])[None]),
        hidden_size=hidden,
    )
    found = work.add("Squeeze", every, work.places([1]))
    work.put_real(step.outputs[0], found if major else work.transposed(found, [1, 0, 2]))


HANDLERS: Dict[str, Handler] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "L2_POOL_2D": _pool,
    "ADD": _arithmetic("Add"),
    "SUB": _arithmetic("Sub"),
    "MUL": _arithmetic("Mul"),
    "DIV": _arithmetic("Div"),
    "LOGISTIC": _function(lambda work, name, _: work.add("Sigmoid", name), lambda values, _: 1 / (1 + np.exp(-values))),
    "TANH": _function(lambda work, name, _: work.add("Tanh", name), lambda values, _: np.tanh(values)),
    "ELU": _function(
        lambda work, name, _: work.add("Elu", name), lambda values, _: np.where(values < 0, np.expm1(values), values)
    ),
    "LEAKY_RELU": _tabled(
        lambda work, name, step: work.add("LeakyRelu", name, alpha=_leak(step)),
        lambda source, output, step: arithmetic.in_256ths(source, output, _leak(step)),
    ),
    "HARD_SWISH": _tabled(_hard_swish, lambda source, output, _: arithmetic.hard_swish(source, output)),
    "GELU": _function(_gelu, _gelu_known),
    "RELU": _relu,
    "RELU6": _clip(0.0, 6.0),
    "RELU_N1_TO_1": _clip(-1.0, 1.0),
    "RELU_0_TO_1": _clip(0.0, 1.0),
    "PRELU": _prelu,
    "SOFTMAX": _softmax,
    "LOG_SOFTMAX": _log_softmax,
    "L2_NORMALIZATION": _l2,
    "LOCAL_RESPONSE_NORMALIZATION": _lrn,
    "MEAN": _mean,
    "SUM": _mean,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "BATCH_MATMUL": _matmul,
    "QUANTIZE": _quantise,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
