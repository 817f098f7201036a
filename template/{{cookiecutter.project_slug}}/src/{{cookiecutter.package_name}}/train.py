"""Training: read the table, compare the plan's candidates, keep the best, score it once, save what is served.

data/train.csv -> canonical columns -> split -> cross-validation of each candidate -> the winner refitted on the
training part -> one score on the held-out part -> encoder.json + model.onnx, refused unless they answer alike.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from . import export, golden, persistence, reference, report
from .compare import choose, compare, compared
from .errors import ExportError, TrainingError
from .evaluation import GREATER_IS_BETTER, Answers, intervals, metrics_for, score
from .examples import positive_code, read_examples
from .features import Encoder
from .model import MANIFEST, OnnxScorer, running_versions
from .pipeline import fit
from .schema import Schema
from .split import hold_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from .examples import Examples
    from .pipeline import Predictor
    from .schema import Columns
    from .split import Split

PARITY_ROWS_MAX = 20_000
IMPORTANCE_ROWS_MAX = 1_000
IMPORTANCE_REPEATS = 3
TRAINING_PACKAGES = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skops")


def train(
    project: Path, *, model_dir: Path, seconds: float | None = None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Train the plan's model, write the model folder, the card and the figures; return the metrics.

    ``seconds`` bounds the comparison of candidates (the plan's own limit by default): one that has not finished its
    folds by then is reported as skipped. Everything else is fixed by the plan's seed.
    """
    started = time.perf_counter()
    plan = json.loads((model_dir / "plan.json").read_text(encoding="utf-8"))
    schema = Schema.load(model_dir / "schema.json")
    examples = read_examples(project / plan["data"]["path"], plan, schema)
    say(f"read {len(examples.target):,} rows with a target, {len(schema.columns)} columns")
    if examples.left_out:
        say(f"left out {examples.left_out:,} rows whose target is not known")
    plan = _without_wordless_texts(plan, examples, say)
    split = hold_out(plan, examples.target, examples.key)
    read_seconds = time.perf_counter() - started

    limit = plan["seconds"] if seconds is None else seconds
    trials = compare(plan, examples, split, deadline=time.perf_counter() + limit, say=say)
    chosen, why = choose(trials, plan["metric"])
    say(f"chosen: {chosen.candidate['name']}, {why}")
    compare_seconds = time.perf_counter() - started - read_seconds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the comparison has recorded them, in metrics.json
        predictor = fit(plan, chosen.candidate, examples.at(split.train), examples.target[split.train])
    baseline_candidate = next(trial.candidate for trial in trials if trial.candidate["estimator"] == "dummy")
    baseline = fit(plan, baseline_candidate, examples.at(split.train), examples.target[split.train])
    held_out = Answers(
        examples.target[split.test], predictor.predict(examples.at(split.test)), positive=positive_code(plan)
    )
    guessed = Answers(held_out.truth, baseline.predict(examples.at(split.test)), positive=held_out.positive)
    names = metrics_for(plan["task"], plan["metric"], held_out.truth)
    files, served, difference = served_files(predictor, examples, schema)
    found = {
        "task": plan["task"],
        "target": plan["target"],
        "metric": plan["metric"],
        "greater_is_better": GREATER_IS_BETTER[plan["metric"]],
        "rows": {"train": len(split.train), "compared": len(compared(plan, split)), "test": len(split.test)},
        "test": {name: value.to_json() for name, value in intervals(names, held_out, seed=plan["seed"]).items()},
        "baseline": {name: value.to_json() for name, value in intervals(names, guessed, seed=plan["seed"]).items()},
        "candidates": [trial.to_json() for trial in trials],
        "chosen": chosen.candidate["name"],
        "why": why,
        "importances": importances(plan, served, examples, split),
    }
    say(f"served model equals the pipeline: largest difference {difference:.1e}")
    files["golden.json"] = _json({"rows": golden.make(schema, examples.at(split.train), predictor, seed=plan["seed"])})
    encoder = Encoder(json.loads(files["encoder.json"]))
    usual = reference.make(schema, encoder, examples.at(split.train), len(split.train))
    files["reference.json"] = _json(usual, indent=None)
    manifest = _manifest(model_dir, files, predictor)
    found = {"model": manifest["version"], **found, "parity": {"difference": difference, "tolerance": export.TOLERANCE}}
    found["versions"] = manifest["versions"]
    evaluated = time.perf_counter()
    found["seconds"] = {
        "read": round(read_seconds, 3),
        "compare": round(compare_seconds, 3),
        "rest": round(evaluated - started - read_seconds - compare_seconds, 3),
    }
    files["metrics.json"] = _json(_finite(found))
    files["example.json"] = _json({"rows": [schema.example]})  # a request to send; no row of the data
    files[MANIFEST] = _json(manifest)
    _write(model_dir, files)
    report.write(project, plan=plan, schema=schema, metrics=_finite(found), held_out=held_out, manifest=manifest)
    say(f"saved model {manifest['version']} in {model_dir}, with MODEL_CARD.md and reports/")
    return found


def importances(
    plan: Mapping[str, Any], predict: Callable[[Columns], NDArray[np.float64]], examples: Examples, split: Split
) -> list[dict[str, Any]]:
    """Return how much the metric loses when a column's held-out cells are shuffled, most first (Breiman 2001)."""
    rows = split.test
    if len(rows) > IMPORTANCE_ROWS_MAX:
        rows = np.sort(np.random.default_rng(plan["seed"]).choice(rows, IMPORTANCE_ROWS_MAX, replace=False))
    columns, truth, positive = examples.at(rows), examples.target[rows], positive_code(plan)
    sign = 1.0 if GREATER_IS_BETTER[plan["metric"]] else -1.0
    reference = score(plan["metric"], Answers(truth, predict(columns), positive))

    def loss(place: int, name: str) -> dict[str, Any]:
        generator = np.random.default_rng([plan["seed"], place])  # of its own: threads finish in any order
        drops = []
        for _ in range(IMPORTANCE_REPEATS):
            shuffled = {**columns, name: columns[name][generator.permutation(len(rows))]}
            drops.append(sign * (reference - score(plan["metric"], Answers(truth, predict(shuffled), positive))))
        return {"column": name, "drop": float(np.mean(drops)), "standard_deviation": float(np.std(drops))}

    names = [treatment["column"] for treatment in plan["treatments"]]
    losses = Parallel(n_jobs=-1, prefer="threads")(delayed(loss)(place, name) for place, name in enumerate(names))
    return sorted(losses, key=lambda row: -row["drop"])


def served_files(
    predictor: Predictor, examples: Examples, schema: Schema
) -> tuple[dict[str, bytes], Callable[[Columns], NDArray[np.float64]], float]:
    """Return the served files, their answer to canonical columns, and how far it is from the pipeline's on the data.

    Raises ``ExportError`` when the difference is above ``export.TOLERANCE``: such a model is not saved.
    """
    document = export.encoder_of(predictor)
    encoder = Encoder(document)
    graph = export.graph_of(predictor, document, width=encoder.width)
    scorer = OnnxScorer(graph)

    def served(columns: Columns) -> NDArray[np.float64]:
        answer = scorer.score(encoder.encode(columns, len(next(iter(columns.values())))))
        return answer[:, 0] if schema.task == "regression" else answer

    columns = examples.at(np.arange(min(len(examples.target), PARITY_ROWS_MAX), dtype=np.intp))
    difference = export.parity(served(columns), predictor.predict(columns))
    if not difference <= export.TOLERANCE:
        message = f"the served model differs from the pipeline by {difference:.2e}, more than {export.TOLERANCE:.0e}"
        raise ExportError(message)
    files = {
        "encoder.json": _json(document, indent=None),
        "model.onnx": graph,
        persistence.PIPELINE_FILE: persistence.save(predictor),
    }
    return files, served, difference


def _without_wordless_texts(plan: Mapping[str, Any], examples: Examples, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the plan without text columns that hold not a single word: there is nothing to learn from them."""
    kept = []
    for treatment in plan["treatments"]:
        cells = examples.columns[treatment["column"]]
        if treatment["treatment"] == "text" and not any(any(map(str.isalnum, cell)) for cell in cells):
            say(f"column {treatment['column']!r} holds no word and is not used")
        else:
            kept.append(treatment)
    if not kept:
        message = "no column is left to learn from"
        raise TrainingError(message)
    return {**plan, "treatments": kept}


def _manifest(model_dir: Path, files: Mapping[str, bytes], predictor: Predictor) -> dict[str, Any]:
    hashed = {**files, "schema.json": (model_dir / "schema.json").read_bytes()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(hashed.items())}
    identity = "".join(hashes[name] for name in ("schema.json", "encoder.json", "model.onnx"))
    return {
        "format": 1,
        "version": hashlib.sha256(identity.encode()).hexdigest()[:12],
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target_log": predictor.target_log,
        "files": hashes,
        "versions": running_versions(TRAINING_PACKAGES),
    }


def _write(model_dir: Path, files: Mapping[str, bytes]) -> None:
    """Write every file beside its place, then move all in, the manifest last: a broken run never looks whole."""
    fresh = {name: model_dir / f".{name}.new" for name in files}
    try:
        for name, content in files.items():
            fresh[name].write_bytes(content)
        for name in sorted(files, key=lambda name: name == MANIFEST):
            fresh[name].replace(model_dir / name)
    finally:
        for path in fresh.values():
            path.unlink(missing_ok=True)


def _json(values: object, *, indent: int | None = 2) -> bytes:
    return (json.dumps(values, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _finite(values: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the values with null in place of NaN and infinity, which JSON does not know."""
    if isinstance(values, dict):
        return {key: _finite(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values
