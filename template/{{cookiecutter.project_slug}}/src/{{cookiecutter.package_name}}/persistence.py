"""The fitted scikit-learn pipeline on disk, in skops' format, which runs no code on opening.

The list of types that may be opened stands here, in code that is reviewed, never beside the file: whoever can change
the file could change a list next to it as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED

from skops import io as skops_io

from .errors import ModelError
from .model import read_manifest, verified
from .pipeline import Predictor

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE_FILE = "pipeline.skops"
TRUSTED_TYPES = (
    f"{__package__}.pipeline.DateParts",
    f"{__package__}.pipeline.Rounded",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "numpy.dtype",
)


def save(predictor: Predictor) -> bytes:
    """Return the content of ``pipeline.skops``; ``ModelError`` when it holds a type outside ``TRUSTED_TYPES``."""
    _plain_vocabularies(predictor)
    content = bytes(skops_io.dumps(predictor.pipeline, compression=ZIP_DEFLATED))
    _refuse_strangers(content)
    return content


def load(folder: Path, task: str, *, classes: int) -> Predictor:
    """Return the fitted pipeline of a model folder, its SHA-256 checked first.

    Raises ``ModelError`` when the file changed since training or asks for a type outside ``TRUSTED_TYPES``.
    """
    manifest = read_manifest(folder)
    content = verified(folder, PIPELINE_FILE, manifest)
    _refuse_strangers(content)
    predictor = Predictor(skops_io.loads(content, trusted=list(TRUSTED_TYPES)), task, classes=classes)
    return replace(predictor, target_log=bool(manifest.get("target_log", False)))


def _plain_vocabularies(predictor: Predictor) -> None:
    """Make each word's place a Python ``int``: skops keeps each NumPy integer in a file of its own, 8 s for 20,000."""
    for _, transformer, _ in predictor.pipeline.named_steps["features"].transformers_:
        vectorizer = getattr(transformer, "named_steps", {}).get("weigh")
        if vectorizer is not None:
            vectorizer.vocabulary_ = {term: int(place) for term, place in vectorizer.vocabulary_.items()}


def _refuse_strangers(content: bytes) -> None:
    strangers = sorted(set(skops_io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES))
    if strangers:
        message = f"{PIPELINE_FILE} asks to open {', '.join(strangers)}, which TRUSTED_TYPES does not list"
        raise ModelError(message)
