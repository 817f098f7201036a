"""What metrics are called among people, for the page and the cards."""

from __future__ import annotations

METRICS = {
    "accuracy": "Accuracy",
    "average_precision": "Average precision",
    "balanced_accuracy": "Balanced accuracy",
    "brier": "Brier score",
    "f1": "F1",
    "f1_macro": "F1, mean of classes",
    "log_loss": "Log loss",
    "mae": "Mean absolute error",
    "mape": "Mean absolute percentage error",
    "r2": "R²",
    "rmse": "Root mean squared error",
    "rmsle": "Root mean squared log error",
    "roc_auc": "Area under ROC",
}
LOWER_IS_BETTER = frozenset({"brier", "log_loss", "mae", "mape", "rmse", "rmsle"})


def named(metric: str) -> str:
    """Return the metric's name, and which way is better where it is not up."""
    name = METRICS.get(metric, metric)
    return f"{name}, lower is better" if metric in LOWER_IS_BETTER else name
