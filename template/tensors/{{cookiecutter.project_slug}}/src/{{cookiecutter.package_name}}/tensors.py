"""Columns whose value is a tensor or a picture: lists of numbers in lists, or the file of a picture as a text."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from . import pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

    from .features import Step
    from .model import Model
    from .schema import Columns

VALUES_MAX = 20_000_000  # in the tensors of one request
STATIC_FILES: Mapping[str, str] = {
    "pictures.css": "text/css; charset=utf-8",
    "pictures.js": "text/javascript; charset=utf-8",
}
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
FILE_BYTES_MAX = 50_000_000
URL = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
SHOWN_MAX = 40  # characters of a value in a message


class Tensor:
    """Lists of numbers in lists, with as many values each as the model reads."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.shape: tuple[int, ...] = tuple(facts["x-shape"])
        self.size = math.prod(self.shape)
        self.type = np.dtype(facts["x-type"])
        self.expected = in_words(self.shape)
        kind: Any = bool | float if self.type.kind == "b" else float
        for side in reversed(self.shape):
            kind = Annotated[list[kind], msgspec.Meta(min_length=side, max_length=side)]
        self._lists = kind
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
        self._whole = None if self.type.kind not in "iu" else np.iinfo(self.type)

    def from_json(self, value: object) -> NDArray[np.float64]:
        """Return the numbers of nested lists in order; ``ValueError`` says what was expected, and where."""
        try:
            return self._numbers(msgspec.convert(value, self._lists))
        except (msgspec.ValidationError, OverflowError):
            raise ValueError(fault(value, self.shape, self.expected)) from None

    def from_cell(self, cell: str) -> NDArray[np.float64]:
        """Return the numbers of a JSON text in order; ``ValueError`` says what was expected, and where."""
        try:
            return self._numbers(self._decoder.decode(cell))
        except msgspec.ValidationError:
            raise ValueError(fault(msgspec.json.decode(cell), self.shape, self.expected)) from None
        except (msgspec.DecodeError, OverflowError, RecursionError):
            message = f"expected {self.expected} as JSON, got {shown(cell)}"
            raise ValueError(message) from None

    def _numbers(self, lists: object) -> NDArray[np.float64]:
        found = np.array(lists, dtype=np.float64).ravel()
        if not np.isfinite(found).all():
            message = f"expected {self.expected}, got a number that is not finite"
            raise ValueError(message)
        if self._whole is not None:
            wrong = (found != np.floor(found)) | (found < self._whole.min) | (found > self._whole.max)
            if wrong.any():
                first = int(wrong.argmax())
                place = "".join(f"[{at}]" for at in np.unravel_index(first, self.shape))
                told = f"whole numbers from {self._whole.min} to {self._whole.max}"
                message = f"expected {told}, got {found[first]:g} at {place}"
                raise ValueError(message)
        return found


class Picture(Tensor):
    """A tensor that may also be given as the file of a picture, in base64."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__(facts)
        self.facts: Mapping[str, Any] = facts["x-picture"]
        self.expected = f"{self.expected}, or a picture as a text like 'data:image/png;base64,...'"

    def from_json(self, value: object) -> NDArray[np.float64]:
        """Return the numbers that the model reads of a picture's text, or of nested lists."""
        return self.from_cell(value) if isinstance(value, str) else super().from_json(value)

    def from_cell(self, cell: str) -> NDArray[np.float64]:
        """Return the numbers that the model reads of a picture's text, or of lists as JSON."""
        found = URL.match(cell[: SHOWN_MAX * 2])
        if found is None:
            return super().from_cell(cell)
        try:
            content = base64.b64decode(cell[found.end() :].strip(), validate=True)
        except (binascii.Error, ValueError):
            message = f"expected a picture in base64 behind {cell[: found.end()]!r}, got what is none"
            raise ValueError(message) from None
        return self.of_file(content)

    def of_file(self, content: bytes) -> NDArray[np.float64]:
        """Return the numbers that the model reads of the bytes of a picture file."""
        return self._numbers(pictures.prepared(pictures.pixels(content, self.facts), self.facts))


class Whole:
    """A step of the encoder: a tensor's numbers as they are, one feature each; the graph gives them their shape."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.column: str = facts["column"]
        self.width: int = facts["size"]

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write the numbers."""
        out[:] = columns[self.column]


TENSORS: Mapping[str, Callable[[Mapping[str, Any]], Tensor]] = {"tensor": Tensor, "picture": Picture}
STEPS: Mapping[str, Callable[[dict[str, Any]], Step]] = {"tensor": Whole}


def in_words(shape: Sequence[int]) -> str:
    """Return what a tensor's value looks like: ``a list of 28 lists of 28 numbers``."""
    lists = "".join(f"{side} {'list' if side == 1 else 'lists'} of " for side in shape[:-1])
    return f"a list of {lists}{shape[-1]} {'number' if shape[-1] == 1 else 'numbers'}"


def fault(value: object, shape: Sequence[int], expected: str, place: str = "") -> str:
    """Return what is wrong with nested lists: the first that is no list, or too long, or no number."""
    told = f"expected {expected}"
    where = f" at {place}" if place else ""
    if not shape:
        return "" if _is_number(value) else f"{told}, got {shown(value)}{where}"
    if not isinstance(value, list):
        return f"{told}, got {shown(value)}{where}"
    if len(value) != shape[0]:
        return f"{told}, got a list of {len(value):,}{where}"
    if len(shape) == 1 and {type(each) for each in value} <= {int, float} and all(map(_is_number, value)):
        return ""  # the usual line of numbers, in a third of the time
    found = (fault(each, shape[1:], expected, f"{place}[{at}]") for at, each in enumerate(value))
    return next(filter(None, found), "" if place else f"{told}, got a number that is not finite")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308  # noqa: PLR2004


def shown(value: object) -> str:
    """Return a value for a message, short."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    if isinstance(value, str):
        return f"the text {value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + '...'!r}"
    return "a number that is not finite" if isinstance(value, float) else "a number"


def predict_pictures(model: Model, source: Path, out: IO[str]) -> int | None:
    """Write a line a picture file to ``out`` and return how many; None when ``source`` is to be read as a table.

    ``source`` is a folder, looked through with all in it, or one picture.
    """
    from .batch import header, tails  # noqa: PLC0415 - which imports this module
    from .errors import TableError  # noqa: PLC0415 - as above
    from .schema import InputError, Problem  # noqa: PLC0415 - as above
    from .tables import line  # noqa: PLC0415 - as above

    if not source.is_dir() and source.suffix.lower() not in ENDINGS:
        return None
    column = model.schema.columns[0]
    tensor = column.tensor
    if len(model.schema.columns) > 1 or not isinstance(tensor, Picture):
        message = f"the model reads more than one picture of a row: give {source} as a table, a column each"
        raise TableError(message)
    files = list(_files(source))
    if not files:
        message = f"{source} holds no picture: expected files that end in {', '.join(ENDINGS)}"
        raise TableError(message)
    out.write(line(header(model, ["file"])) + "\n")
    for row, path in enumerate(files):
        try:
            numbers = tensor.of_file(_content(path))
        except ValueError as error:
            raise InputError([Problem(row, None, f"{path}: {error}")]) from None
        told = tails(model.predict({column.name: numbers[None]}, 1))[0]
        name = path.relative_to(source).as_posix() if path != source else path.name
        out.write(f"{line([name])},{told}\n")
    return len(files)


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    yield from sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())


def _content(path: Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        message = f"larger than {FILE_BYTES_MAX:,} bytes"
        raise ValueError(message)
    return path.read_bytes()
