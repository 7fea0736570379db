"""The data of the plots."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.evaluation.metrics import DIGITS, Labels, Scores, bin_index

CURVE_POINTS = 201
HISTOGRAM_BINS = 20


def confusion(labels: Labels, scores: Scores, threshold: float) -> pd.DataFrame:
    """Counts of actual against predicted labels, four rows: actual, predicted, rows."""
    predicted = scores >= threshold
    names = ("negative", "positive")
    return pd.DataFrame(
        [
            (names[actual], names[guess], int(((labels == actual) & (predicted == guess)).sum()))
            for actual in (0, 1)
            for guess in (0, 1)
        ],
        columns=["actual", "predicted", "rows"],
    )


def roc(labels: Labels, scores: Scores) -> pd.DataFrame:
    """The ROC curve thinned to at most `CURVE_POINTS` rows: false_positive_rate, true_positive_rate."""
    from sklearn.metrics import roc_curve

    false_positive, true_positive, _ = roc_curve(labels, scores)
    return _thin(pd.DataFrame({"false_positive_rate": false_positive, "true_positive_rate": true_positive}))


def precision_recall(labels: Labels, scores: Scores) -> pd.DataFrame:
    """The precision-recall curve thinned to at most `CURVE_POINTS` rows: recall, precision."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, scores)
    return _thin(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def histogram(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Count scores by class and bin, `HISTOGRAM_BINS` rows a class: score (the bin's middle), label, rows."""
    bin_of = bin_index(scores, HISTOGRAM_BINS)
    middles = (np.arange(HISTOGRAM_BINS) + 0.5) / HISTOGRAM_BINS
    return pd.concat(
        pd.DataFrame(
            {
                "score": middles.round(DIGITS),
                "label": name,
                "rows": np.bincount(bin_of[labels == label], minlength=HISTOGRAM_BINS),
            }
        )
        for label, name in enumerate(("negative", "positive"))
    )


def by_length(
    labels: Labels, scores: Scores, lengths: NDArray[np.int64], groups: NDArray[np.intp], threshold: float
) -> pd.DataFrame:
    """Accuracy by text length in tokens.

    Args:
        labels: shape (texts,).
        scores: shape (texts,).
        lengths: tokens of each text, shape (texts,).
        groups: the group of each text in the slice `length`, shape (texts,).
        threshold: a score at or above it is positive.

    Returns:
        A row a group: shortest, longest, rows, accuracy.
    """
    correct = (scores >= threshold) == labels
    table = pd.DataFrame({"group": groups, "length": lengths, "correct": correct})
    grouped = table.groupby("group").agg(
        shortest=("length", "min"),
        longest=("length", "max"),
        rows=("length", "size"),
        accuracy=("correct", "mean"),
    )
    return grouped.round(DIGITS).reset_index(drop=True)


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, len(curve) - 1, CURVE_POINTS).round().astype(int))
    return curve.iloc[chosen].round(DIGITS)
