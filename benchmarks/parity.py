"""How far the ways to an answer are apart on every row of a project: pipeline, `predict`, /predict, /predict/file.

python benchmarks/parity.py PROJECT [PROJECT ...]

Each row is asked as it stands, and again with the columns that may be empty sent as null, absent and mixed. Prints
the largest difference of each way from the scikit-learn pipeline (relative above 1); exit code 1 beyond 1e-6.
"""

from __future__ import annotations

import csv
import importlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

TOLERANCE = 1e-6
ROWS_A_REQUEST = 500
MIXED_SHARE = 0.3


def main() -> int:
    """Print the differences of each project, one line a way in; 1 when any is too large."""
    worst = 0.0
    for folder in sys.argv[1:]:
        found = differences(Path(folder))
        print(f"{Path(folder).name}: " + ", ".join(f"{way} {difference:.1e}" for way, difference in found.items()))
        worst = max(worst, *found.values())
    return int(not worst <= TOLERANCE)


def differences(project: Path) -> dict[str, float]:
    """Return the largest difference from the fitted pipeline by way in, over all rows of ``project``'s data."""
    package = next(path.name for path in (project / "src").iterdir() if (path / "model.py").exists())
    sys.path.insert(0, str(project / "src"))
    module = {name: importlib.import_module(f"{package}.{name}") for name in MODULES}
    model_dir = project / "model"
    model = module["model"].Model.load(model_dir)
    schema = model.schema
    saved = module["persistence"].load(model_dir, schema.task, classes=len(schema.labels))
    parity = module["export"].parity
    client = _client(module, model_dir)

    found: dict[str, float] = {}

    def note(way: str, answer: np.ndarray, expected: np.ndarray) -> None:
        found[way] = max(found.get(way, 0.0), float(parity(answer, expected)))

    generator = np.random.default_rng(1)
    data = project / "data" / "train.csv"
    offline: list[np.ndarray] = []
    for chunk in module["tables"].read_file(data, chunk_rows=5_000):
        columns = schema.from_cells(chunk.columns())
        rows = [_as_json(schema, columns, row) for row in range(len(chunk.rows))]
        expected = saved.predict(columns)
        offline.append(expected)
        predictions = model.predict(columns, len(rows))
        note("served", _values(predictions), expected)
        note("/predict", _asked(client, schema, rows), expected)
        note("a row alone", _alone(client, schema, rows[:50]), expected[:50])
        nullable = [column for column in schema.columns if column.nullable]
        for kind, share in (("null", 1.0), ("absent", 1.0), ("mixed", MIXED_SHARE)):
            if not nullable:
                continue
            gaps = {column.name: generator.random(len(rows)) < share for column in nullable}
            emptied = {name: values.copy() for name, values in columns.items()}
            for column in nullable:
                emptied[column.name][gaps[column.name]] = column.gap
            sent = [_with_gaps(row, gaps, index, kind) for index, row in enumerate(rows)]
            note(f"{kind}", _asked(client, schema, sent), saved.predict(emptied))
    everything = np.concatenate(offline)
    note("predict", _of_file(schema, _batch(module, model, data)), everything)
    answered = client.post("/predict/file", files={"file": ("train.csv", data.read_bytes(), "text/csv")})
    note("/predict/file", _of_file(schema, answered.text), everything)
    return found


MODULES = ("model", "persistence", "export", "tables", "batch", "api", "settings")


def _client(module: dict[str, Any], model_dir: Path) -> Any:
    settings = module["settings"].Settings(model_dir=model_dir, body_bytes_max=50_000_000)
    return TestClient(module["api"].create_app(settings))


def _batch(module: dict[str, Any], model: Any, data: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            module["batch"].predict_chunks(model, module["tables"].read_file(data), out)
        return path.read_text(encoding="utf-8")


def _asked(client: Any, schema: Any, rows: list[dict[str, Any]]) -> np.ndarray:
    answers: list[dict[str, Any]] = []
    for start in range(0, len(rows), ROWS_A_REQUEST):
        response = client.post("/predict", json={"rows": rows[start : start + ROWS_A_REQUEST]})
        response.raise_for_status()
        answers += response.json()["predictions"]
    return _of_answers(schema, answers)


def _alone(client: Any, schema: Any, rows: list[dict[str, Any]]) -> np.ndarray:
    answers = [client.post("/predict", json={"rows": [row]}).json()["predictions"][0] for row in rows]
    return _of_answers(schema, answers)


def _of_answers(schema: Any, answers: list[dict[str, Any]]) -> np.ndarray:
    if schema.task == "regression":
        return np.array([answer["prediction"] for answer in answers])
    return np.array([[answer["probabilities"][label] for label in schema.label_texts] for answer in answers])


def _of_file(schema: Any, content: str) -> np.ndarray:
    width = 1 if schema.task == "regression" else len(schema.labels)
    lines = csv.reader(io.StringIO(content))
    next(lines)
    found = np.array([[float(cell) for cell in line[-width:]] for line in lines])
    return found[:, 0] if schema.task == "regression" else found


def _values(predictions: Any) -> np.ndarray:
    return np.asarray(predictions.values if predictions.probabilities is None else predictions.probabilities)


def _with_gaps(row: dict[str, Any], gaps: dict[str, np.ndarray], index: int, kind: str) -> dict[str, Any]:
    """Return the row with its gaps sent as null, left out, or one or the other by turns."""
    sent = {}
    for place, (name, value) in enumerate(row.items()):
        if name not in gaps or not gaps[name][index]:
            sent[name] = value
        elif kind == "null" or (kind == "mixed" and (index + place) % 2):
            sent[name] = None
    return sent


def _as_json(schema: Any, columns: dict[str, np.ndarray], index: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in schema.columns:
        value = columns[column.name][index]
        if column.is_text:
            row[column.name] = value or None
        elif np.isnan(value):
            row[column.name] = None
        elif column.kind == "boolean":
            row[column.name] = bool(value)
        elif column.kind == "date" and column.date_format != "epoch_seconds":
            row[column.name] = str(np.datetime64(round(value * 1000), "ms"))
        else:
            row[column.name] = float(value)
    return row


if __name__ == "__main__":
    sys.exit(main())
