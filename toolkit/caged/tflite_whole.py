"""TFLite's arithmetic of whole numbers, to the last of them: factors in fixed point, and tables of 256 values."""

from __future__ import annotations

import math
from typing import Any, List, Tuple

import numpy as np

from .tflite_files import Tensor
from .tflite_graph import FLOAT, LIMITS, Translation

DOUBLE, INT64 = 11, 7
HALF, ONE = 1 << 30, 1 << 31
SHORT = 1 << 15
FRACTIONS = 11  # bits of a weight between two pixels
SQUARED_SHIFT = 7


def factor_of(number: float) -> Tuple[int, int]:
    """Return a number as a whole factor of 31 bits and a power of two.

    >>> factor_of(0.75)
    (1610612736, 0)
    """
    fraction, power = math.frexp(number)
    whole = math.floor(fraction * ONE + 0.5)
    if whole == ONE:
        whole, power = whole // 2, power + 1
    return (0, 0) if power < -31 else (whole, power)  # noqa: PLR2004 - bits


def high(values: Any, factor: int) -> Any:
    """Return the upper half of twice a product, rounded: whole numbers times ``factor`` / 2**31."""
    product = np.asarray(values, np.int64) * factor
    return _cut(product + np.where(product >= 0, HALF, 1 - HALF), ONE)


def _cut(values: Any, by: int) -> Any:
    return np.where(values >= 0, values // by, -((-values) // by))


def halved(values: Any, power: int) -> Any:
    """Return whole numbers by a power of two, rounded away from zero."""
    if power <= 0:
        return values
    away = (np.abs(values) + (1 << (power - 1))) >> power
    return np.where(values >= 0, away, -away)


def scaled(values: Any, number: float) -> Any:
    """Return whole numbers times ``number``, in fixed point as TFLite multiplies them."""
    factor, power = factor_of(number)
    return halved(high(np.asarray(values, np.int64) << max(power, 0), factor), -power)


def scaled_in_graph(work: Translation, name: str, number: float, *, lift: int = 0) -> str:
    """Return whole numbers, shifted by ``lift``, times ``number`` in float64, as ``scaled`` has them."""
    factor, power = factor_of(number)
    longer = work.add("Cast", name, to=INT64)
    product = work.add("Mul", longer, work.places([(factor << max(power, 0)) << lift]))
    negative = work.add("Less", product, work.places([0]))
    nudge = work.add("Where", negative, work.places([1 - HALF]), work.places([HALF]))
    upper = work.add("Cast", work.add("Div", work.add("Add", product, nudge), work.places([ONE])), to=DOUBLE)
    if power >= 0:
        return upper
    size = work.add("Mul", work.add("Abs", upper), work.constant(2.0**power, np.float64))
    rounded = work.add("Floor", work.add("Add", size, work.constant(0.5, np.float64)))
    return work.add("Mul", rounded, work.add("Sign", upper))


def reduced(work: Translation, total: str, pair: Tuple[Tensor, Tensor], count: str, *, summing: bool) -> str:
    """Return sums of whole numbers less their zero, or means, in the numbers of an output."""
    source, output = pair
    scale, zero = work.constant(source.scale[0] / output.scale[0]), work.constant(float(output.zero[0]))
    if summing:  # as it is added there: the sum of the numbers as they are, then their zeros
        moved = work.add("Mul", work.constant(float(source.zero[0])), count)
        away = work.add("Mul", work.constant(source.zero[0] * np.float32(source.scale[0] / output.scale[0])), count)
        total, by, beyond = work.add("Add", total, moved), scale, work.add("Sub", zero, away)
    else:
        by, beyond = work.add("Div", scale, count), zero
    found = work.add("Add", work.add("Mul", total, by), beyond)
    return work.clipped(work.add("Round", found), output)


def finished(work: Translation, name: str, output: Tensor) -> str:
    """Return whole numbers moved by the output's zero, kept in 8 bits, in float32."""
    moved = work.add("Add", work.add("Cast", name, to=FLOAT), work.constant(float(output.zero[0])))
    return work.clipped(moved, output)


def looked_up(work: Translation, at: int, output: Tensor, values: Any) -> str:
    """Return the 256 values of a function by the whole numbers of a tensor."""
    low, most = LIMITS[output.type]
    table = work.constant(np.clip(np.asarray(values, np.int64) + output.zero[0], low, most))
    least = LIMITS[work.tensor(at).type][0]
    return work.add(
        "Gather", table, work.add("Cast", work.add("Sub", work.raw(at), work.constant(float(least))), to=INT64)
    )


def centred(tensor: Tensor) -> Any:
    """Return all whole numbers that a tensor may hold, less its zero."""
    low, most = LIMITS[tensor.type]
    return np.arange(low, most + 1, dtype=np.int64) - tensor.zero[0]


def in_256ths(tensor: Tensor, output: Tensor, below: float = 1.0) -> Any:
    """Return a table of numbers by a factor in steps of 1/256, ``below`` times it for those under zero."""
    values = centred(tensor)
    factor = np.float32(tensor.scale[0] / output.scale[0])
    steps = [int(np.round(np.float32(256.0) * np.float32(one))) for one in (factor, factor * np.float32(below))]
    return (values * np.where(values >= 0, *steps) + 128) >> 8


def hard_swish(tensor: Tensor, output: Tensor) -> Any:
    """Return a table of the hard swish, in TFLite's 16 bits."""
    values = centred(tensor) << 7
    hires = np.float32(1 / 128) * tensor.scale[0]
    gain, gain_power = factor_of(float(np.float32(hires / output.scale[0])))
    gate, gate_power = factor_of(float(np.float32(hires / np.float32(3.0 / 32768.0))))
    gain, gate = (min((one + SHORT) >> 16, SHORT - 1) for one in (gain, gate))

    def upper(left: Any, right: int) -> Any:
        product = left * right
        return _cut(product + np.where(product >= 0, 1 << 14, 1 - (1 << 14)), SHORT)

    def kept(left: Any) -> Any:
        return np.clip(left, -SHORT, SHORT - 1)

    opened = kept(values << (gate_power - 1)) if gate_power > 0 else values
    opened = upper(opened, gate)
    opened = kept(opened << 1) if gate_power > 0 else halved(opened, -gate_power)
    opened = (opened + SHORT) >> 1
    product = _cut(opened * upper(values, gain), SHORT)
    return halved(product, -gain_power)


def sloped(tensor: Tensor, output: Tensor, slopes: Any, slope: Tensor) -> Any:
    """Return tables of a PReLU, one for each slope."""
    values = centred(tensor)
    above = scaled(values, float(np.float64(tensor.scale[0]) / np.float64(output.scale[0])))
    by = float(np.float64(tensor.scale[0] * slope.scale[0]) / np.float64(output.scale[0]))
    below = scaled(values[None, :] * (slopes.reshape(-1, 1).astype(np.int64) - slope.zero[0]), by)
    return np.where(values >= 0, above, below)


def squared(work: Translation, left: int, right: int, output: Tensor) -> str:
    """Return squared differences of two tensors of 8 bits."""
    tensors = [work.tensor(at) for at in (left, right)]
    twice = 2.0 * max(float(tensor.scale[0]) for tensor in tensors)
    names = [
        scaled_in_graph(work, work.centred(work.raw(at), tensor), float(tensor.scale[0]) / twice, lift=SQUARED_SHIFT)
        for at, tensor in zip((left, right), tensors)
    ]
    apart = work.add("Sub", *names)
    by = twice * twice / ((1 << (2 * SQUARED_SHIFT)) * float(output.scale[0]))
    return finished(work, scaled_in_graph(work, work.add("Mul", apart, apart), by), output)


def between_pixels(sides: Tuple[int, int], *, corners: bool, centres: bool) -> Any:
    """Return the weights of pixels for a side of another size, in whole steps of 1/2048."""
    given, wanted = sides
    step = (
        np.float32(given - 1) / np.float32(wanted - 1)
        if corners and wanted > 1
        else np.float32(given) / np.float32(wanted)
    )
    weights = np.zeros((wanted, given), np.float64)
    for place in range(wanted):
        at = np.float32(place) * step
        if centres:
            moved = (np.float32(place) + np.float32(0.5)) * step - np.float32(0.5)
            at = np.float32(np.clip(moved, 0, given - 1))
        low = min(int(np.floor(at)), given - 1)
        part = int(np.round(np.float32(at - np.float32(low)) * np.float32(1 << FRACTIONS)))
        weights[place, low] += (1 << FRACTIONS) - part
        weights[place, min(low + 1, given - 1)] += part
    return weights


def resized(work: Translation, name: str, given: List[int], wanted: List[int], **how: bool) -> str:
    """Return pictures of whole numbers, channels last, at another size by weights between pixels."""
    down, across = (between_pixels((given[at], wanted[at]), **how) for at in (0, 1))
    turned = work.add("Cast", work.transposed(name, [0, 3, 1, 2]), to=DOUBLE)
    found = work.add("MatMul", work.constant(down, np.float64), turned)
    found = work.add("MatMul", found, work.constant(across.T, np.float64))
    raised = work.add("Add", found, work.constant(2.0 ** (2 * FRACTIONS - 1), np.float64))
    floored = work.add("Floor", work.add("Mul", raised, work.constant(2.0 ** (-2 * FRACTIONS), np.float64)))
    return work.transposed(work.add("Cast", floored, to=FLOAT), [0, 2, 3, 1])
