"""Metrics computed from labels and scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.params.evaluation import EvaluateParams

Labels = NDArray[np.int8]
Scores = NDArray[np.float32]
CONFIDENCE = 0.95
DIGITS = 6


def flat_metrics(labels: Labels, scores: Scores, params: EvaluateParams) -> dict[str, float | int]:
    """The metrics in metrics/test.json that need only labels and scores.

    Args:
        labels: 0 negative, 1 positive, both present; shape (rows,).
        scores: probability of positive, shape (rows,).
        params: threshold, and bins of the calibration error.

    Returns:
        accuracy with Wilson's 95 % interval (Wilson 1927), log_loss in nats, roc_auc,
        average_precision, f1 of the positive class, brier (Brier 1950), calibration_error, rows.
    """
    from sklearn import metrics

    predicted = scores >= params.threshold
    correct = int((predicted == labels).sum())
    low, high = wilson(correct, len(labels))
    exact = scores.astype(np.float64)
    values = {
        "accuracy": correct / len(labels),
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": metrics.log_loss(labels, exact, labels=[0, 1]),
        "roc_auc": metrics.roc_auc_score(labels, exact),
        "average_precision": metrics.average_precision_score(labels, exact),
        "f1": metrics.f1_score(labels, predicted, zero_division=0.0),
        "brier": metrics.brier_score_loss(labels, exact),
        "calibration_error": calibration_error(labels, scores, params.bins),
    }
    return {**{name: round(float(value), DIGITS) for name, value in values.items()}, "rows": len(labels)}


def wilson(correct: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of rows (Wilson 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(correct, rows).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def calibration(labels: Labels, scores: Scores, bins: int) -> pd.DataFrame:
    """Reliability by equally wide score bins; empty bins are left out.

    Returns:
        A row a bin: score (mean score), positive_share (of the labels), rows.
    """
    bin_of = bin_index(scores, bins)
    table = pd.DataFrame({"bin": bin_of, "score": scores.astype(np.float64), "label": labels})
    grouped = table.groupby("bin").agg(
        score=("score", "mean"), positive_share=("label", "mean"), rows=("label", "size")
    )
    return grouped.round(DIGITS).reset_index(drop=True)


def calibration_error(labels: Labels, scores: Scores, bins: int) -> float:
    """The expected calibration error of the positive class (Naeini et al. 2015).

    The gap between a bin's mean score and its share of positives, averaged over the rows.
    """
    table = calibration(labels, scores, bins)
    gaps = (table["score"] - table["positive_share"]).abs()
    return float((gaps * table["rows"]).sum() / len(labels))


def bin_index(scores: Scores, bins: int) -> NDArray[np.int64]:
    """The index of each score's bin; the bins divide 0 to 1 equally; shape (rows,), int64."""
    return np.minimum((scores.astype(np.float64) * bins).astype(np.int64), bins - 1)
