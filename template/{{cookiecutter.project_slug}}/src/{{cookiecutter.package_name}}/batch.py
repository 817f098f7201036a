"""Prediction over whole files: the input's columns and rows in order, then the answers."""

from __future__ import annotations

import csv
import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import IO, TYPE_CHECKING, Any

import msgspec

from .files import FileReader
from .model import Model
from .schema import InputError
from .tables import Chunk, line, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from .model import Predictions

SHARED_BYTES_MIN = 8_000_000  # a smaller file is done before other processes have started
AHEAD = 4  # chunks given to each process: one that it works on, others so that it never waits
PROCESSES_MAX = 8  # one reads and writes for all: it could not keep more of them busy
HELD_VALUES_MAX = 4_000_000  # of tensors: 32 MB
WAITING_MAX = 32  # chunks on their way, about 2 MB each, so memory stays flat
_WORKER: Worker | None = None  # in a worker process: what it answers with
SPREADSHEET_STARTS = ("=", "+", "-", "@", "\t", "\r")
SIGNS = "".join(SPREADSHEET_STARTS).encode()


def header(model: Model, names: Sequence[str]) -> list[str]:
    """Return the output's columns: the input's own, then ``prediction`` and one ``probability_<label>`` a label."""
    added = ["prediction"]
    if model.schema.task != "regression":
        added += [f"probability_{label}" for label in model.schema.label_texts]
        added += [f"score_{label}" for label in model.schema.label_texts if model.schema.has_scores]
    return [*names, *unique_names([*names, *added])[len(names) :]]


@dataclass(frozen=True)
class Worker:
    """A model with what it has read so far of a file."""

    model: Model
    reader: FileReader

    @classmethod
    def of(cls, model: Model) -> Worker:
        """Return a worker that has read nothing yet."""
        return cls(model, FileReader(model.schema, model.encoder))

    def answer(self, chunk: Chunk, cell: Callable[[str], str] = str) -> str:
        """Return the chunk's rows with their answers as CSV lines; ``InputError`` names every problem in it."""
        if not len(chunk):
            self.model.schema.from_cells(chunk.columns())  # the header may break the contract by itself
            return ""
        tails = [tail for part in _parts(chunk, self.model.schema.values) for tail in self._tails(part, cell)]
        lines = _lines(chunk, cell)
        return "".join([f"{row},{tail}\n" for row, tail in zip(lines, tails, strict=True)])

    def _tails(self, chunk: Chunk, cell: Callable[[str], str]) -> list[str]:
        matrix = self.reader.read(chunk)
        try:
            return tails(self.model.predict_features(matrix), cell)
        except InputError as error:  # by rows of the chunk
            raise InputError([replace(each, row=chunk.first + (each.row or 0)) for each in error.problems]) from None


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
    worker = Worker.of(model)
    waiting: deque[Future[str]] = deque()
    with closing(chunks):
        for chunk in chunks:
            if chunk.first == 0:
                out.write(line(map(cell, header(model, chunk.names))) + "\n")
            rows += len(chunk)
            if pool is not None and pool.has_room(waiting):
                waiting.append(pool.processes.submit(_answer_in_worker, chunk, cell))
            else:
                waiting.append(_done(worker, chunk, cell))
            while waiting and (waiting[0].done() or len(waiting) > WAITING_MAX):
                out.write(waiting.popleft().result())
        for answered in waiting:
            out.write(answered.result())
    return rows


@dataclass(frozen=True)
class Pool:
    """Processes that answer chunks while this one reads, answers others, and writes."""

    processes: Executor
    size: int
    ready: Future[None]

    def has_room(self, waiting: Iterable[Future[str]]) -> bool:
        """Return whether one more chunk would be answered soon: a process has started, and few chunks wait for it."""
        return self.ready.done() and sum(not each.done() for each in waiting) < AHEAD * self.size


@contextmanager
def workers(model: Model, *, size_bytes: int) -> Iterator[Pool | None]:
    """Give processes that help to answer a file of ``size_bytes``, or None where they cost more than they gain."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    size = min(cores, PROCESSES_MAX) - 1
    if size_bytes < SHARED_BYTES_MIN or size == 0:
        yield None
        return
    with ProcessPoolExecutor(
        size, mp_context=get_context("spawn"), initializer=_open, initargs=(model.manifest, model.content)
    ) as processes:
        try:
            yield Pool(processes, size, processes.submit(_is_ready))
        except BaseException:
            processes.shutdown(wait=False, cancel_futures=True)
            raise


def _is_ready() -> None:
    """Return when a process has opened the model."""


def _done(worker: Worker, chunk: Chunk, cell: Callable[[str], str]) -> Future[str]:
    """Answer a chunk here and now, and keep what came of it until its turn."""
    done: Future[str] = Future()
    try:
        done.set_result(worker.answer(chunk, cell))
    except InputError as error:
        done.set_exception(error)
    return done


def _open(manifest: dict[str, Any], content: dict[str, bytes]) -> None:
    global _WORKER  # noqa: PLW0603 - a worker process holds one model, given once
    _WORKER = Worker.of(Model.of(manifest, content, threads_max=1))


def _answer_in_worker(chunk: Chunk, cell: Callable[[str], str]) -> str:
    assert _WORKER is not None, "the initializer has run"  # noqa: S101 - for the type checker
    return _WORKER.answer(chunk, cell)


def _lines(chunk: Chunk, cell: Callable[[str], str]) -> Iterable[str]:
    """Return each row as a CSV line: as it came where that is one, else written anew."""
    cells = chunk.cells
    content = chunk.content
    if cells is None or (chunk.delimiter != "," and (b"," in content or b'"' in content)):
        return (line(map(cell, row)) for row in chunk.rows)
    text = content.decode()
    text = text if chunk.delimiter == "," else text.replace(chunk.delimiter, ",")
    starts, ends = cells.lines
    if '"' not in text:
        lines = text[:-1].split("\n")
    else:
        lines = [content[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    if cell is not str:
        changed = {row for column, row in cells.starting_with(SIGNS) if cell(text := cells.text(column, row)) != text}
        for row in changed:
            lines[row] = line(map(cell, next(csv.reader([lines[row]]))))
    return lines


def _parts(chunk: Chunk, values: int) -> Iterator[Chunk]:
    """Yield a chunk in parts whose tensors are held at once: tables have none, and come whole."""
    if not values:
        yield chunk
        return
    step = max(1, HELD_VALUES_MAX // values)
    for start in range(0, len(chunk), step):
        yield Chunk(chunk.names, chunk.first + start, chunk.rows[start : start + step])


def tails(answers: Predictions, cell: Callable[[str], str] = str) -> list[str]:
    """Return what is written behind each row: the prediction, then its probabilities and scores."""
    if answers.schema.sides:  # a cell with the JSON of all its numbers
        return [line([msgspec.json.encode(value).decode()]) for value in answers.values.tolist()]
    if answers.probabilities is None:
        return _decimals(answers.values)
    labels = [line([cell(label) if isinstance(label, str) else label]) for label in answers.schema.labels]
    said = [labels[code] for code in answers.values.tolist()]
    columns = [_decimals(column) for column in answers.probabilities.T]
    columns += [] if answers.scores is None else [_decimals(column) for column in answers.scores.T]
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
