"""The model in $PIPELINE behind BentoML, as its documentation serves a data frame, and with its adaptive batching.

bentoml serve bento:Scorer, or bento:Batcher. BentoML 1.4 cannot batch data frames (it adds a shape to a number), so the
second takes the rows as they stand in JSON. No annotation here is a text: BentoML reads them before they are looked up.
"""

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


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


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 256})
class Batcher:
    """One scikit-learn pipeline, asked for the rows of several requests at once."""

    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["PIPELINE"])
        self.method = getattr(self.pipeline, "predict_proba", self.pipeline.predict)

    @bentoml.api(batchable=True, max_batch_size=1024, max_latency_ms=10_000)
    def predict(self, rows: list[dict[str, Any]]) -> list[Any]:
        """Return an answer a row."""
        return list(self.method(pd.DataFrame(rows)).tolist())
