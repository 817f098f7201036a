"""Columns whose value becomes more than a number: a text, as the tokens that the model's own tokenizer makes of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

    from .features import Step
    from .model import Model
    from .schema import Columns

NO_TOKEN = 2**31 - 1
TOKENS_A_BYTE_MAX = 6  # of a letter that tokenizers write as many: one of three bytes becomes eighteen
SPECIAL_TOKENS_MAX = 8  # before and behind a text
RUST = "pyo3_runtime"  # the module of what a library in Rust raises when it gives up
VALUES_MAX = 40_000_000  # in the tokens of one request, each as wide as the model is


class Tensor(Protocol):
    """A column's value that holds many numbers; a project of texts has none."""

    shape: tuple[int, ...]
    size: int
    expected: str

    def from_json(self, value: object) -> NDArray[np.float64]:
        """Return the numbers of a JSON value in order; ``ValueError`` says what was expected."""

    def from_cell(self, cell: str) -> NDArray[np.float64]:
        """Return the numbers of a file's cell in order; ``ValueError`` says what was expected."""


class Tokens:
    """A step of the encoder: how many tokens a text has, then their numbers; the graph reads as many.

    The tokenizer is data of ``encoder.json``, as the library ``tokenizers`` writes it: how texts are cut, which tokens
    there are, and how many of a text are read.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads and a fork of the server do not mix
        from tokenizers import Tokenizer  # noqa: PLC0415 - 50 ms, for projects of texts alone

        self.column: str = facts["column"]
        self.width: int = facts["size"]
        self._tokenizer = Tokenizer.from_str(facts["tokenizer"])

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write each text's tokens."""
        out[:] = 0.0
        for row, text in enumerate(columns[self.column].tolist()):
            tokens = self._tokens(text)
            out[row, 0] = len(tokens)
            out[row, 1 : 1 + len(tokens)] = tokens

    def told(self, columns: Columns) -> Iterator[tuple[int, str, str]]:
        """Return a note on each text that is longer than the model reads."""
        for row, text in enumerate(columns[self.column].tolist()):
            if len(text.encode()) * TOKENS_A_BYTE_MAX > self.width - 1 - SPECIAL_TOKENS_MAX and self._is_cut(text):
                yield row, "cut", f"longer than the {self.width - 1} tokens that are read: the rest changes nothing"

    def _is_cut(self, text: str) -> bool:
        try:
            return bool(self._tokenizer.encode(text).overflowing)
        except BaseException as error:
            if type(error).__module__ != RUST:
                raise
            return False

    def _tokens(self, text: str) -> list[int]:
        """Return a text's tokens; where the tokenizer's own pattern gives up on it, one that no network knows."""
        try:
            tokens: list[int] = self._tokenizer.encode(text).ids
        except BaseException as error:
            if type(error).__module__ != RUST:
                raise
            return [NO_TOKEN]
        return tokens


TENSORS: Mapping[str, Callable[[Mapping[str, Any]], Tensor]] = {}  # by the column's kind
STEPS: Mapping[str, Callable[[dict[str, Any]], Step]] = {"tokens": Tokens}
STATIC_FILES: Mapping[str, str] = {}  # of the page


def predict_pictures(model: Model, source: Path, out: IO[str]) -> int | None:  # noqa: ARG001 - as where there are some
    """Write a line a picture file to ``out`` and return how many; None when ``source`` is to be read as a table."""
    return None
