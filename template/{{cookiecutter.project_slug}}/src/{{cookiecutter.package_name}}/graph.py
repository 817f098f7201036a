"""What ``model.onnx`` says, read without the onnx package: nodes with their attributes, and constants.

ONNX files are protocol buffers: each field is a number that says which one it is and how it is written, then its
content (protobuf.dev/programming-guides/encoding). Only what ``export.py`` writes is read here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES = 0, 1, 2, 5  # how a field is written
DTYPES = {1: "<f4", 2: "u1", 7: "<i8", 11: "<f8"}  # of ONNX's kinds of numbers
# The numbers of the fields in onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_CONSTANT, GRAPH_OUTPUT = 1, 5, 12
NODE_INPUT, NODE_OUTPUT, NODE_KIND, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INTEGER, ATTRIBUTE_TENSOR, ATTRIBUTE_INTEGERS = 1, 3, 5, 8
TENSOR_SIZE, TENSOR_KIND, TENSOR_NAME, TENSOR_CONTENT = 1, 2, 8, 9


@dataclass
class Node:
    """One step of a graph: what it does, from which values to which."""

    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """The steps in order, the constants by name, and the name of the answer."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    answer: str = ""


def read(content: bytes) -> Graph:
    """Return the graph of an ONNX file; ``ValueError`` when it holds what no file of ours does."""
    graph = Graph()
    for number, value in _fields(_sized(content, MODEL_GRAPH)):
        if number == GRAPH_NODE:
            graph.nodes.append(_node(value))
        elif number == GRAPH_CONSTANT:
            graph.constants[_sized(value, TENSOR_NAME).decode()] = _tensor(value)
        elif number == GRAPH_OUTPUT:
            graph.answer = _sized(value, 1).decode()
    return graph


def _node(content: bytes) -> Node:
    node = Node()
    for number, value in _fields(content):
        if number == NODE_INPUT:
            node.inputs.append(value.decode())
        elif number == NODE_OUTPUT:
            node.outputs.append(value.decode())
        elif number == NODE_KIND:
            node.kind = value.decode()
        elif number == NODE_ATTRIBUTE:
            name, attribute = _attribute(value)
            node.attributes[name] = attribute
    return node


def _attribute(content: bytes) -> tuple[str, Any]:
    name, numbers = "", []
    found: object = None
    for number, value in _fields(content):
        if number == ATTRIBUTE_NAME:
            name = value.decode()
        elif number == ATTRIBUTE_INTEGER:
            found = _signed(value)
        elif number == ATTRIBUTE_TENSOR:
            found = _tensor(value)
        elif number == ATTRIBUTE_INTEGERS:
            numbers.append(_signed(value))
    return name, np.array(numbers, dtype=np.int64) if numbers else found


def _tensor(content: bytes) -> NDArray[Any]:
    shape, dtype, numbers = [], "", b""
    for number, value in _fields(content):
        if number == TENSOR_SIZE:
            shape.append(value)
        elif number == TENSOR_KIND:
            dtype = DTYPES.get(value, "")
        elif number == TENSOR_CONTENT:
            numbers = value
    return np.frombuffer(numbers, dtype or None).reshape(shape)


def _sized(content: bytes, wanted: int) -> bytes:
    """Return the first field of this number."""
    found: bytes = next((value for number, value in _fields(content) if number == wanted), b"")
    return found


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the number and the content of each field: an int, or bytes."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        written = key & 7
        if written == VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if written == SIZED:
            size, at = _varint(content, at)
        else:
            size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}[written]
        yield key >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """Return the number at this place, seven bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follow
            return value, at
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
