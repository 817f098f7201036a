"""What the routes share: one model with what explains it, who may ask it, how much, and who counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from .explain import Explainer
from .model import version_warnings

if TYPE_CHECKING:
    from pathlib import Path

    from .limits import Guard
    from .middleware import Telemetry
    from .model import Model
    from .settings import Settings

THRESHOLD = 0.5  # of two labels the likelier is predicted


@dataclass(frozen=True)
class Served:
    """A model as it is served."""

    model: Model
    info: dict[str, Any]
    explainer: Explainer
    guard: Guard
    telemetry: Telemetry
    settings: Settings
    cores: Lock = field(default_factory=Lock)  # held by the one upload that is shared out to all of them

    @classmethod
    def of(cls, settings: Settings, *, model: Model, guard: Guard, telemetry: Telemetry) -> Served:
        """Return what the routes share for ``model``, which lies in the folder of ``settings``."""
        return cls(
            model=model,
            info=model_info(model, settings.model_dir),
            explainer=Explainer(model, model.reference),
            guard=guard,
            telemetry=telemetry,
            settings=settings,
        )


def envelope(model: Model, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole answer: which model gave it, from which probability on it says yes, and each row's answer."""
    if model.schema.task == "binary":
        return {"model": model.version, "threshold": THRESHOLD, "predictions": answers}
    return {"model": model.version, "predictions": answers}


def model_info(model: Model, folder: Path) -> dict[str, Any]:
    """Return what ``GET /model`` tells: version, question, scores beside the baseline, where the data came from."""
    metrics = _read(folder / "metrics.json")
    provenance = _read(folder / "provenance.json")
    plan = _read(folder / "plan.json")
    return {
        "model": model.version,
        "title": str(plan.get("title") or model.schema.target),
        "task": model.schema.task,
        "target": model.schema.target,
        "labels": list(model.schema.labels),
        "positive": model.schema.positive,
        "threshold": THRESHOLD if model.schema.task == "binary" else None,
        "created_at": model.manifest.get("created_at"),
        "chosen": metrics.get("chosen"),
        "wrapped": bool(metrics.get("wrapped")),
        "metric": metrics.get("metric"),
        "rows": metrics.get("rows"),
        "test": metrics.get("test"),
        "baseline": metrics.get("baseline"),
        "importances": metrics.get("importances"),
        "reference": model.reference,
        "provenance": provenance,
        "versions": model.manifest.get("versions", {}),
        "warnings": version_warnings(model.manifest),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # facts to show, not needed for an answer
        return {}
    return found
