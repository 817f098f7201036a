"""Columns whose value is more than a number or a text, such as pictures: a project of tables has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

    from .features import Step
    from .model import Model

VALUES_MAX = 20_000_000  # in the tensors of one request


class Tensor(Protocol):
    """A column's value that holds many numbers: ``size`` of them, in lists of ``shape``."""

    shape: tuple[int, ...]
    size: int
    expected: str

    def from_json(self, value: object) -> NDArray[np.float64]:
        """Return the numbers of a JSON value in order; ``ValueError`` says what was expected."""

    def from_cell(self, cell: str) -> NDArray[np.float64]:
        """Return the numbers of a file's cell in order; ``ValueError`` says what was expected."""


TENSORS: Mapping[str, Callable[[Mapping[str, Any]], Tensor]] = {}  # by the column's kind
STEPS: Mapping[str, Callable[[dict[str, Any]], Step]] = {}  # of the encoder
STATIC_FILES: Mapping[str, str] = {}  # of the page


def predict_pictures(model: Model, source: Path, out: IO[str]) -> int | None:  # noqa: ARG001 - as where there are some
    """Write a line a picture file to ``out`` and return how many; None when ``source`` is to be read as a table."""
    return None
