"""Prediction over whole files: the input's columns and rows in order, then the answers."""

from __future__ import annotations

from contextlib import closing
from typing import IO, TYPE_CHECKING

from .tables import unique_names, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from .model import Model, Predictions
    from .tables import Chunk

SPREADSHEET_STARTS = ("=", "+", "-", "@", "\t", "\r")


def header(model: Model, names: Sequence[str]) -> list[str]:
    """Return the output's columns: the input's own, then ``prediction`` and one ``probability_<label>`` a label."""
    added = ["prediction"]
    if model.schema.task != "regression":
        added += [f"probability_{label}" for label in model.schema.label_texts]
    return [*names, *unique_names([*names, *added])[len(names) :]]


def predict_chunks(
    model: Model, chunks: Generator[Chunk, None, None], out: IO[str], *, cell: Callable[[str], str] = str
) -> int:
    """Write the header, then every row with its answer to ``out``; return the number of rows.

    ``cell`` changes each text cell on its way out. Raises ``InputError`` at the first chunk with a problem.
    """
    rows = 0
    with closing(chunks):
        for chunk in chunks:
            if chunk.first == 0:
                write_rows(out, [[cell(name) for name in header(model, chunk.names)]])
            columns = model.schema.from_cells(chunk.columns(), first_row=chunk.first)
            if not chunk.rows:
                continue
            answers = model.predict(columns, len(chunk.rows))
            write_rows(out, _answered(chunk, answers, cell))
            rows += len(chunk.rows)
    return rows


def _answered(chunk: Chunk, answers: Predictions, cell: Callable[[str], str]) -> Iterator[list[object]]:
    for row, answer in zip(chunk.rows, answers.to_json(), strict=True):
        prediction = answer["prediction"]
        said = cell(prediction) if isinstance(prediction, str) else prediction
        yield [*map(cell, row), said, *answer.get("probabilities", {}).values()]


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
