"""Prediction over whole files: the input's columns and rows in order, then the answers."""

from __future__ import annotations

import os
import re
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from typing import IO, TYPE_CHECKING, Any

import msgspec

from .model import Model
from .tables import line, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Executor as Pool
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from .model import Predictions
    from .tables import Chunk

SHARED_BYTES_MIN = 8_000_000  # a smaller file is done before other processes have started
WAITING_MAX = 6  # chunks on their way: two for each of a few workers, so memory stays flat
_MODEL: Model | None = None  # in a worker process: the model it answers with
SPREADSHEET_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMULA = re.compile(r"(?:^|[,\n])(?:[=@\t\r]|[+-](?!\d*\.?\d*(?:[,\n]|$)))")  # a cell that may need an apostrophe


def header(model: Model, names: Sequence[str]) -> list[str]:
    """Return the output's columns: the input's own, then ``prediction`` and one ``probability_<label>`` a label."""
    added = ["prediction"]
    if model.schema.task != "regression":
        added += [f"probability_{label}" for label in model.schema.label_texts]
    return [*names, *unique_names([*names, *added])[len(names) :]]


def predict_chunks(
    model: Model,
    chunks: Generator[Chunk, None, None],
    out: IO[str],
    *,
    cell: Callable[[str], str] = str,
    pool: Pool | None = None,
) -> int:
    """Write the header, then every row with its answer to ``out``; return the number of rows.

    ``cell`` changes each text cell on its way out; a ``pool`` (see ``workers``) shares the work out. Raises
    ``InputError`` at the first chunk with a problem.
    """
    rows = 0
    waiting: deque[Future[str]] = deque()
    with closing(chunks):
        for chunk in chunks:
            if chunk.first == 0:
                out.write(line(map(cell, header(model, chunk.names))) + "\n")
            rows += len(chunk)
            if pool is None:
                out.write(answer_chunk(model, chunk, cell))
                continue
            waiting.append(pool.submit(_answer_in_worker, chunk, cell))
            while len(waiting) > WAITING_MAX or (waiting and waiting[0].done()):
                out.write(waiting.popleft().result())
        for answered in waiting:
            out.write(answered.result())
    return rows


@contextmanager
def workers(model: Model, *, size_bytes: int) -> Iterator[Pool | None]:
    """Give processes that answer a file of ``size_bytes`` together, or None where they cost more than they gain."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if size_bytes < SHARED_BYTES_MIN or cores == 1:
        yield None
        return
    with ProcessPoolExecutor(
        cores, mp_context=get_context("spawn"), initializer=_open, initargs=(model.manifest, model.content)
    ) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _open(manifest: dict[str, Any], content: dict[str, bytes]) -> None:
    global _MODEL  # noqa: PLW0603 - a worker process holds one model, given once
    _MODEL = Model.of(manifest, content, threads_max=1)


def _answer_in_worker(chunk: Chunk, cell: Callable[[str], str]) -> str:
    assert _MODEL is not None, "the initializer has run"  # noqa: S101 - for the type checker
    return answer_chunk(_MODEL, chunk, cell)


def answer_chunk(model: Model, chunk: Chunk, cell: Callable[[str], str] = str) -> str:
    """Return the chunk's rows with their answers as CSV lines; ``InputError`` names every problem in it."""
    columns = model.schema.from_cells(chunk.columns(), first_row=chunk.first)
    if not len(chunk):
        return ""
    tails = _tails(model.predict(columns, len(chunk)), cell)
    if (
        chunk.lines is not None
        and chunk.delimiter == ","
        and (cell is str or not FORMULA.search("\n".join(chunk.lines)))
    ):
        lines: Iterable[str] = chunk.lines  # as they came
    else:
        lines = (line(map(cell, row)) for row in chunk.rows)
    return "".join([f"{row},{tail}\n" for row, tail in zip(lines, tails, strict=True)])


def _tails(answers: Predictions, cell: Callable[[str], str]) -> list[str]:
    """Return what is written behind each row: the prediction, then its probabilities."""
    if answers.probabilities is None:
        return _decimals(answers.values)
    labels = [line([cell(label) if isinstance(label, str) else label]) for label in answers.schema.labels]
    said = [labels[code] for code in answers.values.tolist()]
    columns = [_decimals(column) for column in answers.probabilities.T]
    return [",".join(told) for told in zip(said, *columns, strict=True)]


def _decimals(values: NDArray[Any]) -> list[str]:
    """Return the shortest decimals that give these numbers again, at a fifth of the time of ``repr``."""
    return msgspec.json.encode(values.tolist()).decode()[1:-1].split(",") if len(values) else []


def safe_in_a_spreadsheet(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet shows it instead of running it: a formula gets a leading apostrophe.

    Numbers, single signs and plain words stay as they are. Follows OWASP's advice on CSV injection.
    """
    if not cell.startswith(SPREADSHEET_STARTS) or len(cell) == 1:
        return cell
    try:
        float(cell)
    except ValueError:
        calls = cell[0] in "=\t\r" or any(sign in cell for sign in "(|!")
        return f"'{cell}" if calls else cell
    return cell
