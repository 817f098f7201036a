"""The model in $PIPELINE behind BentoML, as its documentation serves a data frame.

bentoml serve bento:Scorer
"""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import pandas as pd  # noqa: TC002 - BentoML reads the annotations


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 256})
class Scorer:
    """One scikit-learn pipeline."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["PIPELINE"])
        self.method = getattr(self.pipeline, "predict_proba", self.pipeline.predict)

    @bentoml.api
    def predict(self, rows: pd.DataFrame) -> list[Any]:
        """Return an answer a row."""
        return list(self.method(rows).tolist())
