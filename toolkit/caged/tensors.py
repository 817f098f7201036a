"""Inputs that hold many values at once: what they are (a picture, a tensor), rows drawn of them, and the wishes."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .graph import Slot, UnservedError

TYPES = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    4: np.uint16,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    12: np.uint32,
}
CHANNELS = (1, 3, 4)
SIDE_MIN = 8  # pixels; what is smaller is no picture
PLAIN_SIDE_MIN = 16  # of a picture without a side of channels, which could be a sequence as well
SIZE_MAX = 10_000_000  # values of one input
TABLE_RANK, PLAIN_RANK, PICTURE_RANK = 2, 3, 4
DRAWN_VALUES, DRAWN_ROWS_MIN = 100_000, 6
LISTED_MAX = 10_000  # values; of larger pictures no row is written as numbers
RANGES = {
    "0..1": (1 / 255, 0.0, 1.0),
    "0..255": (1.0, 0.0, 1.0),
    "-1..1": (1 / 127.5, 1.0, 1.0),
    "imagenet": (1 / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "caffe": (1.0, [103.939, 116.779, 123.68], 1.0),
}  # what a pixel from 0 to 255 becomes: (pixel * scale - mean) / std
MOVING = {"Identity", "Cast", "Transpose", "Reshape", "Unsqueeze", "Squeeze"}
LARGE, FRACTION = 2.0, 0.02  # constants that only numbers up to 255 are moved or divided by
NOMINAL = {"NominalRange_0_255": "0..255", "Normalized_0_1": "0..1", "Normalized_1_1": "-1..1"}
ASSUMED = "assumed: the model does not say what it was trained on, and most such models take numbers from 0 to 1"


class Wishes(NamedTuple):
    """What the person says of a network's inputs and answer; keys are the inputs' names, ``""`` means every input."""

    shapes: Dict[str, List[int]]
    pixels: Dict[str, str]
    labels: List[str]
    labels_nearby: List[str]
    answer: str

    @classmethod
    def of(cls, told: Optional[Dict[str, Any]]) -> "Wishes":
        """Return the wishes of a job, none by default."""
        told = told or {}
        return cls(
            shapes=told.get("shapes") or {},
            pixels=told.get("pixels") or {},
            labels=told.get("labels") or [],
            labels_nearby=told.get("labels_nearby") or [],
            answer=told.get("answer") or "",
        )


class Block(Slot):
    """A column whose value is a whole tensor: ``shape`` without the rows, and what makes a picture into it."""

    def __init__(self, name: str, shape: Sequence[int], kind: int, picture: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(name)
        self.kind = "picture" if picture else "tensor"
        self.shape = [int(side) for side in shape]
        self.type = np.dtype(TYPES[kind]).name
        self.picture = picture

    @property
    def size(self) -> int:
        """Return how many values it has."""
        return int(np.prod(self.shape))

    def told(self, value: Any, place: int) -> Any:
        """Return a drawn value as a row has it: nested lists, or every other one a picture's text."""
        if self.picture is not None and (place % 2 == 0 or self.size > LISTED_MAX):
            return data_url(value)
        return self.tensor(value).reshape(self.shape).tolist()

    def tensor(self, value: Any) -> Any:
        """Return a drawn value as the model reads it, in float64."""
        if self.picture is None:
            return value
        listed = np.round(prepared(value, self.picture), 6)
        return listed.astype(np.float64)

    def fed(self, value: Any, place: int) -> Any:
        """Return what the framework gets for the row that ``told`` writes down."""
        if self.picture is not None and (place % 2 == 0 or self.size > LISTED_MAX):
            return prepared(value, self.picture).reshape(self.shape)
        return self.tensor(value).reshape(self.shape)


def block_of(
    name: str,
    kind: int,
    sides: Sequence[Optional[int]],
    graph: Any,
    *,
    wishes: Wishes,
    picture: Optional[Dict[str, Any]] = None,
    metadata: Optional[Dict[str, str]] = None,
) -> Block:
    """Return an input of rank 3 or more as a column; ``UnservedError`` asks for sides that nobody knows."""
    column = plain_name(name)
    shape = _shape(column, list(sides[1:]), wished(wishes.shapes, name))
    if kind not in TYPES:
        message = f"its input {column!r} holds neither numbers nor yes and no"
        raise UnservedError(message)
    if int(np.prod(shape)) > SIZE_MAX:
        message = f"its input {column!r} has {int(np.prod(shape)):,} values a row, at most {SIZE_MAX:,} are served"
        raise UnservedError(message)
    facts = _layout(shape, kind)
    if facts is None:
        return Block(column, shape, kind)
    asked = wished(wishes.pixels, name)
    return Block(
        column,
        shape,
        kind,
        {**facts, **_pixels(facts, kind, (graph, name), asked=asked, converted=picture, metadata=metadata or {})},
    )


def wished(told: Dict[str, Any], name: str) -> Any:
    """Return what was said of an input by its name, or of every input; None when nothing was."""
    return told.get(name) or told.get(plain_name(name)) or told.get("")


def plain_name(name: str) -> str:
    """Return an input's name without what exporters put around it."""
    short = re.sub(r"^serving_default_|:0$", "", name)
    return short.strip() or name or "input"


def _shape(column: str, sides: List[Optional[int]], asked: Optional[List[int]]) -> List[int]:
    told = " x ".join(str(side or "any") for side in sides)
    if asked:
        fits = len(asked) == len(sides) and all(side in {None, 0, want} for side, want in zip(sides, asked))
        if not fits:
            message = f"its input {column!r} has the sides {told}, and `--shape` says {' x '.join(map(str, asked))}"
            raise UnservedError(message)
        return [int(side) for side in asked]
    if all(sides):
        return [int(side or 0) for side in sides]
    guess = ",".join(str(side or (224 if len(sides) == PLAIN_RANK else 100)) for side in sides)
    message = (
        f"its input {column!r} has the sides {told}: say those that it leaves open, as in `--shape {column}={guess}`"
    )
    raise UnservedError(message)


def _layout(shape: List[int], kind: int) -> Optional[Dict[str, Any]]:
    """Return how a picture lies in such a tensor, None when it holds none."""
    if np.dtype(TYPES[kind]).kind not in "fu" and TYPES[kind] is not np.int32:
        return None
    if len(shape) == PLAIN_RANK:
        for layout, channels, sides in (("HWC", shape[2], shape[:2]), ("CHW", shape[0], shape[1:])):
            if channels in CHANNELS and min(sides) >= SIDE_MIN:
                return _facts(layout, channels, sides)
    if len(shape) == TABLE_RANK and shape[0] == shape[1] >= PLAIN_SIDE_MIN:
        return _facts("HW", 1, shape)
    return None


def _facts(layout: str, channels: int, sides: Sequence[int]) -> Dict[str, Any]:
    order = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    return {"height": int(sides[0]), "width": int(sides[1]), "channels": channels, "layout": layout, "order": order}


def _pixels(
    facts: Dict[str, Any],
    kind: int,
    place: Tuple[Any, str],
    *,
    asked: Optional[str],
    converted: Optional[Dict[str, Any]],
    metadata: Dict[str, str],
) -> Dict[str, Any]:
    """Return what a pixel becomes, and who says so."""
    channels = facts["channels"]
    if asked:
        words = asked.split(",")
        return {**ranged(words[0], channels, bgr="bgr" in words[1:]), "why": f"asked for: --pixels {asked}"}
    if converted:
        return {**ranged("0..255", channels), "why": "as the model says", **converted}
    bgr = metadata.get("Image.BitmapPixelFormat", "").lower().startswith("bgr")
    nominal = NOMINAL.get(metadata.get("Image.NominalPixelRange", ""))
    if nominal:
        return {**ranged(nominal, channels, bgr=bgr), "why": "as the model's metadata says"}
    if np.dtype(TYPES[kind]).kind in "ui":
        return {**ranged("0..255", channels, bgr=bgr), "why": "the model takes whole numbers"}
    found = leading(*place)
    if found:
        return {**ranged(found[0], channels, bgr=bgr), "why": found[1]}
    return {**ranged("0..1", channels, bgr=bgr), "why": ASSUMED, "assumed": True}


def ranged(name: str, channels: int, *, bgr: bool = False) -> Dict[str, Any]:
    """Return what a pixel becomes under a name of ``RANGES``; ``UnservedError`` names those that there are."""
    if name not in RANGES:
        message = (
            f"`--pixels {name}` is not known: expected {', '.join(RANGES)}, each with `,bgr` where blue comes first"
        )
        raise UnservedError(message)
    scale, mean, std = RANGES[name]
    order = "BGR" if channels == 3 and (bgr or name == "caffe") else {1: "L", 3: "RGB", 4: "RGBA"}[channels]  # noqa: PLR2004

    def each(values: Any) -> List[float]:
        listed = values if isinstance(values, list) else [values] * channels
        return [float(value) for value in (listed + listed[-1:])[:channels]] if channels > 1 else [float(listed[0])]

    return {"scale": scale, "mean": each(mean), "std": each(std), "order": order, "resize": "stretch"}


def leading(graph: Any, name: str) -> Optional[Tuple[str, str]]:
    """Return the range that a network's first arithmetic tells that it expects, and why; None when it tells nothing."""
    from onnx import numpy_helper  # noqa: PLC0415 - loaded by now

    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for one in node.attribute:
                if one.name == "value":
                    constants[node.output[0]] = one.t
    reached = {name}
    for node in graph.node:
        if not reached & set(node.input):
            continue
        if node.op_type in MOVING:
            reached |= set(node.output)
            continue
        if node.op_type not in {"Mul", "Div", "Sub", "Add"}:
            return None
        others = [constants[one] for one in node.input if one in constants]
        if not others:
            return None
        values = np.abs(np.asarray(numpy_helper.to_array(others[0]), dtype=np.float64)).ravel()
        if values.size == 0 or values.size > CHANNELS[-1]:
            return None
        least, most = float(values.min()), float(values.max())
        why = f"its first step is {node.op_type} with {most:.4g}"
        small = most <= FRACTION if node.op_type == "Mul" else least > LARGE
        if small:
            return "0..255", why
        moved = node.op_type in {"Sub", "Add"} and 0 < most < 1
        return ("0..1", why) if moved else None
    return None


def prepared(pixels: Any, picture: Dict[str, Any]) -> Any:
    """Return pixels, shape (height, width, channels) from 0 to 255, as the model reads them."""
    values = np.asarray(pixels, dtype=np.float64)
    if picture["order"] == "BGR":
        values = values[..., ::-1]
    values = (values * picture["scale"] - np.array(picture["mean"])) / np.array(picture["std"])
    if picture["layout"] == "CHW":
        return np.moveaxis(values, -1, 0)
    return values if picture["layout"] == "HWC" else values[..., 0]


def draw(block: Block, rows: int, generator: Any) -> List[Any]:
    """Return drawn values of a block: pixels (height, width, channels) for a picture, else tensors in float64."""
    if block.picture is not None:
        return [_pixels_drawn(block.picture, generator, noisy=place % 4 == 1) for place in range(rows)]
    kind = np.dtype(block.type).kind
    if block.known:
        return [generator.choice(np.array(block.known), block.shape) for _ in range(rows)]
    if kind == "b":
        return [generator.integers(0, 2, block.shape).astype(np.float64) for _ in range(rows)]
    if kind in "iu":
        most = 256 if block.type == "uint8" else 4
        return [generator.integers(0, most, block.shape).astype(np.float64) for _ in range(rows)]
    return [np.round(generator.normal(0, 1, block.shape), 4) for _ in range(rows)]


def _pixels_drawn(picture: Dict[str, Any], generator: Any, *, noisy: bool) -> Any:
    """Return noise, or something to see: a shade that runs across, and a bright shape on it."""
    height, width, channels = picture["height"], picture["width"], picture["channels"]
    if noisy:
        return generator.integers(0, 256, (height, width, channels)).astype(np.uint8)
    down, across = np.mgrid[0:height, 0:width]
    shade = generator.uniform(-1, 1, (2, channels))
    values = 60 + 40 * ((down / height)[..., None] * shade[0] + (across / width)[..., None] * shade[1])
    top, left = generator.uniform(0.2, 0.5, 2)
    tall, wide = generator.uniform(0.15, 0.4, 2)
    inside = (abs(down / height - top - tall / 2) < tall / 2) & (abs(across / width - left - wide / 2) < wide / 2)
    values[inside] = generator.uniform(150, 255, channels)
    if channels == CHANNELS[-1]:
        values[..., 3] = 255
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def data_url(pixels: Any) -> str:
    """Return pixels as the text of a PNG picture, which loses nothing."""
    height, width, channels = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in np.ascontiguousarray(pixels))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    return "data:image/png;base64," + base64.b64encode(content).decode()


def rows_for(slots: Sequence[Slot], rows: int, answers: int = 1) -> int:
    """Return how many rows to draw: fewer where a row or its answer has many values."""
    size = sum(slot.size for slot in slots if isinstance(slot, Block))
    most = max(size, answers)
    return rows if not size else max(DRAWN_ROWS_MIN, min(rows, DRAWN_VALUES // most))
