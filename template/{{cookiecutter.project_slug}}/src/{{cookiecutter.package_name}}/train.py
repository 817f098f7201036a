"""Training: read the table, compare the plan's candidates, keep the best, score it once, save what is served.

data/train.csv -> canonical columns -> split -> cross-validation of each candidate -> the winner refitted on the training
part -> one score on the held-out part -> encoder.json + model.onnx, refused unless they answer as the pipeline does.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from . import export, golden, persistence, report
from .errors import ExportError, TrainingError
from .evaluation import GREATER_IS_BETTER, Answers, intervals, metrics_for, score
from .features import Encoder
from .model import MANIFEST, OnnxScorer, running_versions
from .pipeline import Predictor, fit
from .schema import Schema
from .split import Split, folds_of, hold_out, moments
from .tables import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .schema import Columns

PARITY_ROWS_MAX = 20_000
IMPORTANCE_ROWS_MAX = 1_000
IMPORTANCE_REPEATS = 3
TRAINING_PACKAGES = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skops")
SIMPLICITY = {"dummy": 0, "linear": 1, "gradient_boosting": 2}


@dataclass(frozen=True)
class Examples:
    """Rows with a known target: canonical columns, the target (class codes or numbers), each row's group or moment."""

    columns: Columns
    target: NDArray[np.float64]
    key: NDArray[np.float64]
    left_out: int = 0

    def at(self, index: NDArray[np.intp]) -> Columns:
        """Return the canonical columns of some rows."""
        return {name: values[index] for name, values in self.columns.items()}


@dataclass
class Trial:
    """One candidate's cross-validation: a score a fold, or why there is none."""

    candidate: Mapping[str, Any]
    folds: list[float] = field(default_factory=list)
    fit_seconds: float = 0.0
    status: str = "ok"
    why: str = ""
    warned: set[str] = field(default_factory=set)

    @property
    def mean(self) -> float:
        """Return the mean score over folds."""
        return float(np.mean(self.folds)) if self.folds else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return the trial as ``metrics.json`` keeps it."""
        done = self.status == "ok"
        return {
            "name": self.candidate["name"],
            "estimator": self.candidate["estimator"],
            "status": self.status,
            "why": self.why or self.candidate.get("why", ""),
            "mean": self.mean if done else None,
            "standard_deviation": float(np.std(self.folds)) if done else None,
            "folds": self.folds,
            "fit_seconds": round(self.fit_seconds, 3),
            "warnings": sorted(self.warned),
        }


def train(project: Path, *, model_dir: Path, seconds: float | None = None, say: Callable[[str], None]) -> dict[str, Any]:
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
        "rows": {"train": len(split.train), "test": len(split.test)},
        "test": {name: value.to_json() for name, value in intervals(names, held_out, seed=plan["seed"]).items()},
        "baseline": {name: value.to_json() for name, value in intervals(names, guessed, seed=plan["seed"]).items()},
        "candidates": [trial.to_json() for trial in trials],
        "chosen": chosen.candidate["name"],
        "why": why,
        "importances": importances(plan, served, examples, split),
    }
    say(f"served model equals the pipeline: largest difference {difference:.1e}")
    files["golden.json"] = _json({"rows": golden.make(schema, examples.at(split.train), predictor, seed=plan["seed"])})
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
    files[MANIFEST] = _json(manifest)
    _write(model_dir, files)
    report.write(project, plan, schema, _finite(found), held_out, manifest)
    say(f"saved model {manifest['version']} in {model_dir}, with MODEL_CARD.md and reports/")
    return found


def read_examples(path: Path, plan: Mapping[str, Any], schema: Schema) -> Examples:
    """Return the rows of ``path`` whose target is known; ``TrainingError`` when the file or its target is missing."""
    if not path.exists():
        message = f"{path} is missing: the data is not in git; DATA_CARD.md says where it comes from"
        raise TrainingError(message)
    gathered: dict[str, list[str]] = {}
    parsed: dict[str, list[NDArray[Any]]] = {}
    for chunk in read_file(path):
        cells = chunk.columns()
        for name in (plan["target"], plan.get("split_column")):
            if name and name in cells:
                gathered.setdefault(name, []).extend(cells[name])
        for name, values in schema.from_cells(cells, first_row=chunk.first).items():
            parsed.setdefault(name, []).append(values)
    if plan["target"] not in gathered:
        message = f"{path} has no column {plan['target']!r}, the target of the plan"
        raise TrainingError(message)
    target = _target(gathered[plan["target"]], plan, schema)
    known = np.flatnonzero(np.isfinite(target))
    columns = {name: np.concatenate(values)[known] for name, values in parsed.items()}
    key = _split_key(plan, schema, columns, [gathered.get(plan.get("split_column", ""), [""] * len(target))[i] for i in known])
    return Examples(columns, target[known], key, left_out=len(target) - len(known))


def _split_key(plan: Mapping[str, Any], schema: Schema, columns: Columns, cells: Sequence[str]) -> NDArray[np.float64]:
    """Return each row's group code or moment; zeros when the split needs neither."""
    name = plan.get("split_column", "")
    if plan["split"] == "time":
        known = name in schema.by_name and not schema.by_name[name].is_text
        return np.nan_to_num(columns[name], nan=-math.inf) if known else moments(cells)
    codes = {cell: float(code) for code, cell in enumerate(sorted(set(cells)))}
    return np.array([codes[cell] for cell in cells], dtype=np.float64)


def _target(cells: Sequence[str], plan: Mapping[str, Any], schema: Schema) -> NDArray[np.float64]:
    """Return class codes (or numbers), NaN where the target is missing."""
    if plan["task"] == "regression":
        column = schema.target_column()
        return np.array([column.from_cell(cell) for cell in cells], dtype=np.float64)
    codes = {label.strip(): float(code) for code, label in enumerate(plan["labels"])}
    missing = set(schema.missing_targets) | {""}
    unknown = sorted({cell.strip() for cell in cells} - set(codes) - missing)
    if unknown:
        message = f"the target holds {unknown[0]!r}, which is none of the plan's labels {list(codes)}"
        raise TrainingError(message)
    return np.array([codes.get(cell.strip(), math.nan) for cell in cells])


def positive_code(plan: Mapping[str, Any]) -> int:
    """Return the code of the label that binary metrics count; the last one when the plan names none."""
    labels = list(plan["labels"])
    return labels.index(plan["positive"]) if plan.get("positive") in labels else max(len(labels) - 1, 0)


def compare(
    plan: Mapping[str, Any], examples: Examples, split: Split, *, deadline: float, say: Callable[[str], None]
) -> list[Trial]:
    """Return a trial of each candidate by cross-validation on the training part, in the plan's order."""
    folds = folds_of(plan, examples.target, examples.key, split.train)
    trials = [_try(plan, candidate, examples, folds, deadline) for candidate in plan["candidates"]]
    for trial in trials:
        scores = f"{plan['metric']} {trial.mean:.4g}" if trial.status == "ok" else f"{trial.status}: {trial.why}"
        say(f"  {trial.candidate['name']}: {scores} ({trial.fit_seconds:.1f} s)")
    return trials


def _try(
    plan: Mapping[str, Any],
    candidate: Mapping[str, Any],
    examples: Examples,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    deadline: float,
) -> Trial:
    trial = Trial(candidate)
    started = time.perf_counter()
    for learn, check in folds:
        # The baseline and the linear model always finish: without them there is nothing to compare or to ship.
        if candidate["estimator"] == "gradient_boosting" and time.perf_counter() > deadline:
            trial.status, trial.why = "skipped", "the time limit came first; raise it with `train --seconds`"
            break
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                predictor = fit(plan, candidate, examples.at(learn), examples.target[learn])
            answer = predictor.predict(examples.at(check))
            trial.warned |= {str(warning.message).splitlines()[0] for warning in caught}
        except (ValueError, FloatingPointError) as error:
            trial.status, trial.why = "failed", str(error).splitlines()[0]
            break
        trial.folds.append(score(plan["metric"], Answers(examples.target[check], answer, positive_code(plan))))
    trial.fit_seconds = time.perf_counter() - started
    return trial


def choose(trials: Sequence[Trial], metric: str) -> tuple[Trial, str]:
    """Return the candidate to ship and why: the best mean, unless a simpler one is as good within one standard error.

    The error is that of the paired differences over folds; the rule is Breiman's (1984), here between families.
    """
    done = [trial for trial in trials if trial.status == "ok" and math.isfinite(trial.mean)]
    models = [trial for trial in done if trial.candidate["estimator"] != "dummy"]
    if not models:
        reasons = "; ".join(f"{trial.candidate['name']}: {trial.why}" for trial in trials if trial.why)
        message = f"no candidate could be trained ({reasons})"
        raise TrainingError(message)
    sign = 1.0 if GREATER_IS_BETTER[metric] else -1.0
    best = max(models, key=lambda trial: sign * trial.mean)
    for trial in sorted(models, key=lambda trial: SIMPLICITY[trial.candidate["estimator"]]):
        if SIMPLICITY[trial.candidate["estimator"]] >= SIMPLICITY[best.candidate["estimator"]]:
            break
        lost = sign * (np.array(best.folds) - np.array(trial.folds))
        error = float(np.std(lost, ddof=1) / math.sqrt(len(lost))) if len(lost) > 1 else 0.0
        if float(lost.mean()) < error:
            return trial, f"simpler than {best.candidate['name']} and as good within one standard error"
    return best, f"best mean {metric} over {len(best.folds)} folds"


def importances(
    plan: Mapping[str, Any], predict: Callable[[Columns], NDArray[np.float64]], examples: Examples, split: Split
) -> list[dict[str, Any]]:
    """Return how much the metric loses when a column's held-out cells are shuffled, most first (Breiman 2001)."""
    generator = np.random.default_rng(plan["seed"])
    rows = split.test
    if len(rows) > IMPORTANCE_ROWS_MAX:
        rows = np.sort(generator.choice(rows, IMPORTANCE_ROWS_MAX, replace=False))
    columns, truth, positive = examples.at(rows), examples.target[rows], positive_code(plan)
    sign = 1.0 if GREATER_IS_BETTER[plan["metric"]] else -1.0
    reference = score(plan["metric"], Answers(truth, predict(columns), positive))
    found = []
    for treatment in plan["treatments"]:
        name = treatment["column"]
        drops = []
        for _ in range(IMPORTANCE_REPEATS):
            shuffled = {**columns, name: columns[name][generator.permutation(len(rows))]}
            answers = Answers(truth, predict(shuffled), positive)
            drops.append(sign * (reference - score(plan["metric"], answers)))
        found.append({"column": name, "drop": float(np.mean(drops)), "standard_deviation": float(np.std(drops))})
    return sorted(found, key=lambda row: -row["drop"])


def served_files(
    predictor: Predictor, examples: Examples, schema: Schema
) -> tuple[dict[str, bytes], Callable[[Columns], NDArray[np.float64]], float]:
    """Return the served files, their answer to canonical columns, and how far it is from the pipeline's on the data itself.

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


def _without_wordless_texts(
    plan: Mapping[str, Any], examples: Examples, say: Callable[[str], None]
) -> dict[str, Any]:
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
