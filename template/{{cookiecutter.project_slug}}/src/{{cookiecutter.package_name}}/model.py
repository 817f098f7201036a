"""The served model: opened after its SHA-256 is checked, asked through one method, ``Model.predict``.

One folder is one model. ``manifest.json`` names its files with their hashes; nothing in it can run code on opening.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .errors import ModelError
from .familiarity import Familiarity
from .features import Encoder
from .notes import notes_of, unfamiliar
from .rows import RowReader
from .schema import InputError, Problem, Schema
from .trees import Trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnxruntime
    from numpy.typing import NDArray

    from .notes import Note
    from .rows import Read
    from .schema import Columns

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
SERVED_FILES = ("schema.json", "encoder.json", "model.onnx")  # what an answer depends on, and so its version
TREES_ROWS_MIN = 64  # from here on trees are quicker all at once
SHARED_ROWS_MIN = 128  # fewer are not worth waking a second thread
POSITIVE = "positive"  # the graph's output when it is the probability of the second of two labels
USUAL_FILE = "reference.json"  # what is usual: explanations and notes use it, answers do not
WATCHED_PACKAGES = ("numpy", "onnxruntime")


class Scorer(Protocol):
    """The one interface behind every answer: features in, probabilities or numbers out."""

    def score(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities, shape (rows, classes), or numbers, shape (rows, 1)."""

    @property
    def trees(self) -> Trees | None:
        """Return the trees that are asked for many rows, if there are any."""

    def whole(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return answers of the trees as ``score`` returns them."""


class OnnxScorer:
    """The graph of ``model.onnx`` in ONNX Runtime, in float64: a row on one thread, many rows on every core."""

    def __init__(self, content: bytes, *, threads_max: int | None = None) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # from 1.29 on it reports each process to its maker
        self._content = content
        self._threads = threads_max or os.cpu_count() or 1
        self._session = _session(content, threads=1)
        self._shared: onnxruntime.InferenceSession | None = None
        self._output = self._session.get_outputs()[0].name
        # One row is the usual request: it is written where the graph reads it, instead of being handed over.
        self._row = np.zeros((1, self._session.get_inputs()[0].shape[1]))
        self._found = np.zeros((1, self._session.get_outputs()[0].shape[1]))
        self._one = self._session.io_binding()
        self._one.bind_input("features", "cpu", 0, np.float64, self._row.shape, self._row.ctypes.data)
        self._one.bind_output(self._output, "cpu", 0, np.float64, self._found.shape, self._found.ctypes.data)
        self._turn = Lock()

    def score(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the graph's answer for each row of ``matrix``, NaN for a row that it cannot take."""
        try:
            return self._scored(matrix)
        except Exception as error:
            if not isinstance(error, RuntimeError) and type(error).__module__.split(".")[0] != "onnxruntime":
                raise
            if len(matrix) > 1:
                return np.concatenate([self.score(row) for row in np.split(matrix, len(matrix))])
            logger.debug("the graph refuses a row: %s", type(error).__name__)  # as a word that an embedding lacks
            return self.whole(np.full_like(self._found, math.nan))

    def _scored(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        answer: NDArray[np.float64]
        if len(matrix) == 1:
            with self._turn:
                self._row[:] = matrix
                self._session.run_with_iobinding(self._one)
                if self._output == POSITIVE:
                    yes = self._found.item()
                    return np.array([[1.0 - yes, yes]])  # a third of what ``whole`` takes
                return self._found.copy()
        if len(matrix) >= TREES_ROWS_MIN and self.trees is not None:
            answer = self.trees.score(matrix)
        else:
            alone = len(matrix) < SHARED_ROWS_MIN or self._threads == 1
            session = self._session if alone else self._on_every_core()
            answer = session.run([self._output], {"features": matrix})[0]
        return self.whole(answer)

    def whole(self, answer: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the graph's answers with one probability of two completed."""
        if self._output != POSITIVE:
            return answer
        both = np.empty((len(answer), 2))
        both[:, 1:] = answer
        np.subtract(1.0, answer, out=both[:, :1])
        return both

    @cached_property
    def trees(self) -> Trees | None:
        """Return the graph's trees, where they are quicker asked all at once."""
        return Trees.of(self._content)

    def _on_every_core(self) -> onnxruntime.InferenceSession:
        with self._turn:
            if self._shared is None:
                self._shared = _session(self._content, threads=self._threads)
            return self._shared


def _session(content: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime  # noqa: PLC0415 - 0.2 s, and ``--help`` needs no model

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a row that the graph refuses is told to who sent it
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave the cores alone
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class Predictions:
    """Answers for some rows: ``values`` (label codes or numbers), ``probabilities`` (rows, labels) for classes.

    ``scores`` are what the probabilities were made of, where the model gives raw ones.
    """

    schema: Schema
    values: NDArray[Any]
    probabilities: NDArray[np.float64] | None
    scores: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Return the number of rows answered."""
        return len(self.values)

    @property
    def original(self) -> NDArray[Any]:
        """Return the answers as the model gives them: scores, probabilities or numbers, a line a row."""
        found = self.scores if self.scores is not None else self.probabilities
        return self.values.reshape(len(self), -1) if found is None else found

    def to_json(self) -> Iterator[dict[str, Any]]:
        """Yield each answer as JSON values: the prediction, and a probability a label unless it is a number."""
        if self.probabilities is None:
            for value in self.values.tolist():
                yield {"prediction": value}
            return
        labels, texts = self.schema.labels, self.schema.label_texts
        scores = [] if self.scores is None else self.scores.tolist()
        for place, (code, row) in enumerate(zip(self.values.tolist(), self.probabilities.tolist(), strict=True)):
            told = {"scores": dict(zip(texts, scores[place], strict=True))} if scores else {}
            yield {"prediction": labels[code], "probabilities": dict(zip(texts, row, strict=True)), **told}


class Model:
    """A verified model folder, ready to answer."""

    def __init__(
        self,
        *,
        manifest: dict[str, Any],
        schema: Schema,
        encoder: Encoder,
        scorer: Scorer,
        usual: dict[str, Any] | None = None,
    ) -> None:
        self.manifest = manifest
        self.version: str = manifest["version"]
        self.schema = schema
        self.encoder = encoder
        self.scorer = scorer
        usual = usual or {}
        self.reference: dict[str, Any] = usual.get("row") or schema.example
        self._familiarity = Familiarity(usual["familiarity"]) if usual.get("familiarity") else None
        self._unfamiliar = unfamiliar(schema)
        self.content: dict[str, bytes] = {}
        self._reader = RowReader(schema, encoder)
        self._label_texts = schema.label_texts
        self._tells_more = bool(schema.sides) or schema.has_scores

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Return the model in ``folder``, or raise ``ModelError`` when a file is missing or not the one trained."""
        manifest = read_manifest(folder)
        content = {name: verified(folder, name, manifest) for name in SERVED_FILES}
        for warning in version_warnings(manifest):
            logger.warning(warning)
        if USUAL_FILE in manifest["files"]:
            content[USUAL_FILE] = verified(folder, USUAL_FILE, manifest)
        return cls.of(manifest, content)

    @classmethod
    def of(cls, manifest: dict[str, Any], content: dict[str, bytes], *, threads_max: int | None = None) -> Model:
        """Return the model of verified files, on ``threads_max`` threads at most (every core by default)."""
        model = cls(
            manifest=manifest,
            schema=Schema(json.loads(content["schema.json"])),
            encoder=Encoder(json.loads(content["encoder.json"])),
            scorer=OnnxScorer(content["model.onnx"], threads_max=threads_max),
            usual=json.loads(content.get(USUAL_FILE, b"{}")),
        )
        model.content = content
        return model

    def predict(self, columns: Columns, rows: int) -> Predictions:
        """Return the answers for ``rows`` canonical rows, in order.

        Raises ``InputError`` for a row so extreme that the model's answer is not a finite number.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # told by row
            return self.predict_features(self.encoder.encode(columns, rows))

    def notes(self, columns: Columns, rows: int) -> list[list[Note]]:
        """Return what each answer's reader should know: values missing, never seen, or outside the seen range."""
        return notes_of(self.schema, self.encoder, columns, rows)

    def answer(self, rows: list[object]) -> list[dict[str, Any]]:
        """Return one answer a JSON row, in order, each with its notes; ``InputError`` names every problem."""
        return self.answer_columns(self.schema.from_rows(rows), len(rows))

    def answer_columns(self, columns: Columns, rows: int) -> list[dict[str, Any]]:
        """Return one answer a canonical row, in order, each with its notes."""
        notes = [[note.to_json() for note in noted] for noted in self.notes(columns, rows)]
        with np.errstate(over="ignore", invalid="ignore"):  # told by row
            return self.answer_features(self.encoder.encode(columns, rows), notes)

    def answer_body(self, body: bytes) -> list[dict[str, Any]] | None:
        """Return what ``answer`` gives for the rows of a request's body, or None when it is not plainly right."""
        read = self._reader.read(body)
        return None if read is None else self.answer_features(*read)

    def read_body(self, body: bytes) -> Read | None:
        """Return the features of the rows in a request's body and their notes, or None when it is not plainly right."""
        return self._reader.read(body)

    def answer_features(self, matrix: NDArray[np.float64], notes: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Return one answer a row of the encoder's features, in order, each with its notes and what they lack."""
        if self._tells_more:
            told = self.predict_features(matrix).to_json()
            return [{**answer, "notes": noted} for answer, noted in zip(told, notes, strict=True)]
        rows: list[list[float]] = self.scorer.score(matrix).tolist()
        if not math.isfinite(sum(chain.from_iterable(rows))):
            extreme = [index for index, row in enumerate(rows) if not math.isfinite(sum(row))]
            if extreme:
                raise _too_extreme(extreme)
        if self._familiarity is not None:
            for place in self._familiarity.strangers(matrix, plain=not any(notes)):
                notes[place] = [*notes[place], self._unfamiliar]
        answers = zip(rows, notes, strict=True)
        if self.schema.task == "regression":
            return [{"prediction": row[0], "notes": noted} for row, noted in answers]
        labels, texts = self.schema.labels, self._label_texts
        if len(texts) == 2:  # noqa: PLR2004 - the usual question: half the time
            no, yes = texts
            return [
                {"prediction": labels[second > first], "probabilities": {no: first, yes: second}, "notes": noted}
                for (first, second), noted in answers
            ]
        return [
            {
                "prediction": labels[row.index(max(row))],
                "probabilities": dict(zip(texts, row)),  # noqa: B905 - strict costs as much as all the rest
                "notes": noted,
            }
            for row, noted in answers
        ]

    def predict_features(self, matrix: NDArray[np.float64]) -> Predictions:
        """Return the answers for rows of the encoder's features, as ``predict`` does."""
        answer = self.scorer.score(matrix)
        if not np.isfinite(answer).all():
            raise _too_extreme(np.flatnonzero(~np.isfinite(answer).all(axis=1)).tolist())
        if self.schema.sides:
            return Predictions(self.schema, answer.reshape(len(answer), *self.schema.sides), None)
        if self.schema.task == "regression":
            return Predictions(self.schema, answer[:, 0], None)
        if self.schema.has_scores:  # which come behind their probabilities
            probabilities, scores = np.hsplit(answer, 2)
            return Predictions(self.schema, scores.argmax(axis=1), probabilities, scores)
        return Predictions(self.schema, answer.argmax(axis=1), answer)


def _too_extreme(rows: list[int]) -> InputError:
    message = "the model has no answer for these values: a number is too large, or none that it knows"
    return InputError([Problem(row, None, message) for row in rows])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the folder's manifest, or raise ``ModelError`` with the command that makes one."""
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"no model at {folder}: {MANIFEST} is missing; run `train`, or set MODEL_DIR to the model's folder"
        raise ModelError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ModelError(message) from error
    if not isinstance(manifest, dict) or "files" not in manifest or "version" not in manifest:
        message = f"{path} is not a model's manifest"
        raise ModelError(message)
    return manifest


def verified(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    """Return the bytes of a model file whose SHA-256 is the manifest's, or raise ``ModelError``.

    The bytes that were hashed are the ones opened afterwards: the file is read once.
    """
    path = Path(folder) / name
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); restore it, or run `train` again"
        raise ModelError(message) from error
    found, expected = hashlib.sha256(content).hexdigest(), manifest["files"].get(name)
    if found != expected:
        message = (
            f"{path} is not the file that was trained: SHA-256 {found[:12]}, expected {str(expected)[:12]}; "
            "restore it, or run `train` again"
        )
        raise ModelError(message)
    return content


def running_versions(packages: tuple[str, ...] = WATCHED_PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of ``packages`` in this process."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def version_warnings(manifest: dict[str, Any]) -> list[str]:
    """Return a sentence for each watched package whose major or minor version is not the one trained with."""
    trained: dict[str, str] = manifest.get("versions", {})
    return [
        f"{package} is {running} here, the model was tested with {trained[package]}"
        for package, running in running_versions().items()
        if package in trained and trained[package].split(".")[:2] != running.split(".")[:2]
    ]
