"""Fit the usual scikit-learn pipeline on a project's data and save it the way a peer wants it.

python fit.py PROJECT mlflow|joblib DESTINATION
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


def fitted(project: Path) -> tuple[Pipeline, pd.DataFrame]:
    """Return a pipeline with the same estimator as the project's, and the frame it was fitted on."""
    schema = json.loads((project / "model/schema.json").read_text(encoding="utf-8"))
    plan = json.loads((project / "model/plan.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(project / "data/train.csv")
    columns = schema["properties"]
    numbers = [name for name in columns if schema["properties"][name]["x-kind"] == "number"]
    words = [name for name in columns if name not in numbers]
    rows = frame[list(columns)].copy()
    rows[numbers] = rows[numbers].apply(pd.to_numeric, errors="coerce")
    rows[words] = rows[words].astype(object)
    parameters = next(one["parameters"] for one in plan["candidates"] if one["estimator"] == "gradient_boosting")
    boosting = HistGradientBoostingRegressor if plan["task"] == "regression" else HistGradientBoostingClassifier
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words), remainder="passthrough"
    )
    pipeline = make_pipeline(encoder, boosting(**parameters))
    return pipeline.fit(rows, frame[plan["target"]]), rows


def main() -> None:
    """Fit and save."""
    project, peer, destination = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    pipeline, rows = fitted(project)
    if peer == "mlflow":
        save_for_mlflow(pipeline, rows, destination)
    else:
        joblib.dump(pipeline, destination)


def save_for_mlflow(pipeline: Any, rows: pd.DataFrame, destination: Path) -> None:
    """Save with a signature, as MLflow's documentation does; probabilities where there are some."""
    import mlflow  # noqa: PLC0415 - in its own environment alone
    from mlflow.models import infer_signature  # noqa: PLC0415 - as above

    method = "predict_proba" if hasattr(pipeline, "predict_proba") else "predict"
    answers = getattr(pipeline, method)(rows.head())
    mlflow.sklearn.save_model(
        pipeline,
        destination,
        pyfunc_predict_fn=method,
        signature=infer_signature(rows, answers),
        serialization_format="cloudpickle",
    )


if __name__ == "__main__":
    main()
