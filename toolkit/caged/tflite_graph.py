"""``Translation``: a TFLite graph on its way to ONNX. Numbers stay what they are, layouts too (rows, height, width)."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .graph import UnservedError
from .tflite_files import Lite, Operator, Tensor

ONNX_TYPES = {0: 1, 1: 10, 2: 6, 3: 2, 4: 7, 6: 9, 7: 5, 9: 3, 10: 11, 12: 13, 15: 12, 16: 4}
FLOAT, INT64 = 1, 7
OPSET, IR_VERSION = 17, 8
LIMITS = {3: (0, 255), 9: (-128, 127)}
RELU, RELU_N1_TO_1, RELU6, TANH = 1, 2, 3, 4
BOUNDS = {0: (None, None), RELU: (0.0, None), RELU_N1_TO_1: (-1.0, 1.0), RELU6: (0.0, 6.0)}
SAME = 0
FOLDED_MAX = 64 << 20  # bytes of a constant that is worked out here


class Translation:
    """The nodes and constants written so far, and the name of each tensor in them.

    A tensor of 8 bits with a scale goes through the graph as float32 that holds its whole numbers: sums of their
    products are exact in it, in any order and on any machine. ``raw`` names these, ``real`` what they stand for.
    """

    def __init__(self, lite: Lite, *, rows: bool) -> None:
        self.lite = lite
        self.rows = rows  # whether a first side of 1 stands for any number of rows
        self.nodes: List[Any] = []
        self.initializers: Dict[str, Any] = {}
        self.known: Dict[int, Any] = {
            at: tensor.content
            for at, tensor in enumerate(lite.tensors)
            if tensor.content is not None and not isinstance(tensor.content, bytes)
        }
        self.named: Dict[int, str] = {}
        self.reals: Dict[int, str] = {}
        self.count = 0

    def tensor(self, at: int) -> Tensor:
        """Return a tensor's facts."""
        if not 0 <= at < len(self.lite.tensors):
            message = "one of its operators lacks an input"
            raise UnservedError(message)
        return self.lite.tensors[at]

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        return self.several(op, inputs, 1, **attributes)[0]

    def several(self, op: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> List[str]:
        """Add a node of several outputs and return their names."""
        from onnx import helper  # noqa: PLC0415 - loaded by now

        names = [f"lite_t{self.count + place}" for place in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Return the name of a constant."""
        array = np.array(values, dtype=dtype, order="C")
        name = f"lite_c{len(self.initializers)}"
        self.initializers[name] = array
        return name

    def value(self, at: int) -> Any:
        """Return what a constant tensor holds, None for one that is computed."""
        return self.known.get(at)

    def needed(self, at: int, what: str) -> Any:
        """Return what a tensor holds that must be constant."""
        if at not in self.known:
            message = f"the {what} of one of its operators is computed and not written in the file"
            raise UnservedError(message)
        return self.known[at]

    def actual(self, at: int) -> Any:
        """Return the numbers that a constant tensor stands for, in float32 where it has scales."""
        tensor, values = self.tensor(at), self.known[at]
        if not len(tensor.scale) or values.dtype.kind == "f":
            return values
        sides = [1] * values.ndim
        if len(tensor.scale) > 1:
            sides[tensor.axis] = -1
        zero = tensor.zero.reshape(sides) if values.ndim else tensor.zero[0]
        scale = tensor.scale.reshape(sides) if values.ndim else tensor.scale[0]
        return ((values.astype(np.int64) - zero).astype(np.float32) * scale).astype(np.float32)

    def raw(self, at: int) -> str:
        """Return the name of a tensor; for one of 8 bits with a scale, of its whole numbers in float32."""
        if at not in self.named:
            values = self.known.get(at)
            if values is None:
                message = f"it reads {self.tensor(at).name[:60]!r} before anything has written it"
                raise UnservedError(message)
            if self.tensor(at).quantised:
                self.named[at] = self.add("Cast", self.constant(values, values.dtype), to=FLOAT)
            else:
                self.named[at] = self.constant(values, values.dtype)
        return self.named[at]

    def real(self, at: int) -> str:
        """Return the name of what a tensor stands for."""
        if at in self.reals:
            return self.reals[at]
        tensor = self.tensor(at)
        if at in self.known and len(tensor.scale):
            found = self.constant(self.actual(at))
        elif tensor.quantised:
            found = self.dequantised(self.raw(at), tensor)
        else:
            return self.raw(at)
        self.reals[at] = found
        return found

    def dequantised(self, name: str, tensor: Tensor) -> str:
        """Return what whole numbers stand for."""
        return self.add("Mul", self.centred(name, tensor), self.constant(tensor.scale[0]))

    def centred(self, name: str, tensor: Tensor) -> str:
        """Return whole numbers less their zero."""
        return self.add("Sub", name, self.constant(float(tensor.zero[0]))) if tensor.zero[0] else name

    def requantised(self, name: str, tensor: Tensor, by: Any, activation: int = 0) -> str:
        """Return numbers times ``by`` as the whole numbers of ``tensor``: rounded and kept in 8 bits."""
        scaled = self.add("Mul", name, self.constant(by)) if by is not None else name
        rounded = self.add("Round", scaled)
        moved = self.add("Add", rounded, self.constant(float(tensor.zero[0]))) if tensor.zero[0] else rounded
        return self.clipped(moved, tensor, activation)

    def clipped(self, name: str, tensor: Tensor, activation: int = 0) -> str:
        """Return whole numbers kept within 8 bits and within an activation's bounds."""
        low, high = limits(tensor, activation)
        return self.add("Clip", name, self.constant(low), self.constant(high))

    def quantised(self, name: str, tensor: Tensor, activation: int = 0) -> str:
        """Return numbers as the whole numbers of ``tensor``."""
        return self.requantised(name, tensor, np.float32(1.0) / tensor.scale[0], activation)

    def put(self, at: int, name: str) -> None:
        """Say which tensor of the ONNX a tensor is: ``raw`` numbers."""
        self.named[at] = name
        self.known.pop(at, None)

    def put_real(self, at: int, name: str, activation: int = 0) -> None:
        """Say what a tensor stands for, before its fused activation; its whole numbers are made of it if it has any."""
        tensor = self.tensor(at)
        if tensor.quantised:
            self.put(at, self.quantised(name, tensor, activation))
        else:
            self.put(at, self.activated(name, activation, self.type(at)))

    def activated(self, name: str, activation: int, dtype: Any = np.float32) -> str:
        """Return numbers behind a fused activation."""
        if activation == TANH:
            return self.add("Tanh", name)
        if activation not in BOUNDS:
            message = f"one of its operators has the activation number {activation}, which is not known"
            raise UnservedError(message)
        low, high = BOUNDS[activation]
        if activation == RELU and np.dtype(dtype).kind == "f":
            return self.add("Relu", name)
        if low is None and high is None:
            return name
        bounds = ["" if bound is None else self.constant(bound, dtype) for bound in (low, high)]
        return self.add("Clip", name, *[bound for bound in bounds if bound])

    def type(self, at: int) -> Any:
        """Return a tensor's type of numbers."""
        from .tflite_files import TYPES  # noqa: PLC0415 - beside its use

        return TYPES.get(self.tensor(at).type, np.float32)

    def integers(self, at: int) -> str:
        """Return the name of a tensor of whole numbers as int64, which ONNX counts in."""
        if at in self.known:
            return self.constant(self.known[at], np.int64)
        return self.add("Cast", self.raw(at), to=INT64)

    def places(self, values: Sequence[int]) -> str:
        """Return the name of a list of whole numbers."""
        return self.constant(list(values), np.int64)

    def sides(self, at: int) -> List[Optional[int]]:
        """Return a tensor's sides, None for those that may differ."""
        tensor = self.tensor(at)
        told: List[Optional[int]] = [side if side >= 0 else None for side in tensor.open_sides]
        if self.rows and told and at not in self.known:
            told[0] = None
        return told

    def side(self, at: int, axis: int) -> int:
        """Return a side that must be known."""
        sides = self.sides(at)
        if not -len(sides) <= axis < len(sides) or sides[axis] is None:
            message = f"the sides of its tensor {self.tensor(at).name[:60]!r} are open where they must be known"
            raise UnservedError(message)
        return int(sides[axis] or 0)

    def extent(self, at: int, axes: Sequence[int]) -> str:
        """Return the name of how many values lie along some sides, in float32."""
        sides = self.sides(at)
        known = [sides[axis] for axis in axes]
        if all(side is not None for side in known):
            return self.constant(float(np.prod([side or 0 for side in known])))
        taken = self.add("Gather", self.add("Shape", self.raw(at)), self.places(axes), axis=0)
        return self.add("Cast", self.add("ReduceProd", taken, keepdims=0), to=FLOAT)

    def rank(self, at: int) -> int:
        """Return how many sides a tensor has."""
        return len(self.tensor(at).shape)

    def transposed(self, name: str, order: Sequence[int]) -> str:
        """Return a tensor with its sides in another order."""
        return self.add("Transpose", name, perm=list(order))


def limits(tensor: Tensor, activation: int) -> Tuple[float, float]:
    """Return the least and the largest whole number of 8 bits behind an activation."""
    low, high = LIMITS[tensor.type]
    if activation not in BOUNDS:
        message = f"one of its operators of 8 bits has the activation number {activation}, which is not known"
        raise UnservedError(message)
    least, most = BOUNDS[activation]
    scale, zero = tensor.scale[0], int(tensor.zero[0])
    if least is not None:
        low = max(low, zero + int(np.round(np.float32(least) / scale)))
    if most is not None:
        high = min(high, zero + int(np.round(np.float32(most) / scale)))
    return float(low), float(high)


Handler = Callable[[Translation, Operator], None]


def translated(lite: Lite, handlers: Dict[str, Handler], *, rows: bool) -> bytes:
    """Return the graph as an ONNX model; ``UnservedError`` names an operator that has no translation."""
    import onnx  # noqa: PLC0415 - loaded by now
    from onnx import helper, numpy_helper  # noqa: PLC0415 - as above

    work = Translation(lite, rows=rows)
    ports = [_input(work, at) for at in lite.inputs]
    unknown = sorted({operator.name for operator in lite.operators} - set(handlers))
    if unknown:
        message = f"its operators {', '.join(unknown[:5])} have no served form"
        raise UnservedError(message)
    for operator in lite.operators:
        try:
            handlers[operator.name](work, operator)
        except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            message = f"its operator {operator.name} is not as TFLite writes it: {error}"
            raise UnservedError(message) from error
    outputs = []
    for at in lite.outputs:
        name = lite.names[at]
        work.nodes.append(
            helper.make_node("Identity", [work.real(at)], [name if name not in work.named.values() else f"{name}_out"])
        )
        kind = FLOAT if work.tensor(at).quantised else ONNX_TYPES.get(work.tensor(at).type, FLOAT)
        outputs.append(helper.make_tensor_value_info(work.nodes[-1].output[0], kind, _shape(work, at)))
    constants = [numpy_helper.from_array(array, name) for name, array in work.initializers.items()]
    graph = helper.make_graph(_alive(work.nodes, [one.name for one in outputs]), "tflite", ports, outputs)
    used = {name for node in graph.node for name in node.input}
    graph.initializer.extend(one for one in constants if one.name in used)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _input(work: Translation, at: int) -> Any:
    from onnx import helper  # noqa: PLC0415 - loaded by now

    tensor, name = work.tensor(at), work.lite.names[at]
    if tensor.type not in ONNX_TYPES:
        message = f"its input {name[:60]!r} holds no numbers"
        raise UnservedError(message)
    if tensor.quantised and asked_in_reals(tensor):
        work.put(at, work.quantised(name, tensor))
        kind = FLOAT
    else:
        work.put(at, work.add("Cast", name, to=FLOAT) if tensor.quantised else name)
        kind = ONNX_TYPES[tensor.type]
    return helper.make_tensor_value_info(name, kind, _shape(work, at))


def asked_in_reals(tensor: Tensor) -> bool:
    """Return whether an input of 8 bits is asked for as the numbers that it stands for; pictures are not."""
    picture_rank, channels = 4, (1, 3, 4)
    return not (len(tensor.shape) == picture_rank and tensor.shape[3] in channels)


def _shape(work: Translation, at: int) -> List[Any]:
    sides: List[Any] = list(work.sides(at))
    names = ["rows" if work.rows else "side_0", *(f"side_{place}" for place in range(1, len(sides)))]
    return [name if side is None else side for name, side in zip(names, sides)]


def _alive(nodes: List[Any], wanted: Sequence[str]) -> List[Any]:
    """Return the nodes that the outputs depend on."""
    reached, kept = set(wanted), []
    for node in reversed(nodes):
        if reached & set(node.output):
            reached |= set(node.input)
            kept.append(node)
    return kept[::-1]
