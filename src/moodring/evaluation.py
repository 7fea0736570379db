"""From labels and scores to metrics and the data of the plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.calibration import NONE, apply_temperature, fit_temperature
from moodring.comparison import compare
from moodring.params import EvaluateParams
from moodring.slices import Texts, by_slice, groups_of, quantile_codes

Labels = NDArray[np.int8]
Scores = NDArray[np.float32]

CONFIDENCE = 0.95
CURVE_POINTS = 201
HISTOGRAM_BINS = 20
LENGTH_GROUPS = 8
DIGITS = 6


@dataclass(frozen=True)
class Evaluation:
    """What evaluation found.

    Args:
        scores: of the test split, calibrated; the rest is about these.
        metrics: flat: those of `flat_metrics`, the calibration's, and those of `comparison.compare`.
        slices: confusion counts, accuracy by text length, and each group of each slice.
        tables: the data of each plot, by the plot's name.
        mistakes: see `most_confident_mistakes`.
    """

    scores: Scores
    metrics: dict[str, float | int]
    slices: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    mistakes: pd.DataFrame


@dataclass(frozen=True)
class Scored:
    """A split's labels (0 negative, 1 positive, both present) and a model's scores; shape (rows,)."""

    labels: Labels
    scores: Scores


def evaluate(
    test: Scored, validation: Scored, baseline: Scores, texts: Texts, params: EvaluateParams
) -> Evaluation:
    """Calibrate the test split's scores on the validation split, and judge them by their labels.

    Args:
        test: scored by the model.
        validation: scored by the model.
        baseline: the baseline's probability of positive for each test text, shape (rows,).
        texts: of the test split.
        params: threshold, calibration and its bins, number of mistakes.
    """
    labels, threshold = test.labels, params.threshold
    fitted = params.calibration == "temperature"
    temperature = fit_temperature(validation.labels, validation.scores) if fitted else NONE
    scores = apply_temperature(test.scores, temperature)
    counts = confusion(labels, scores, threshold)
    lengths = by_length(labels, scores, texts.lengths, threshold)
    groups = by_slice(groups_of(texts), (scores >= threshold) == labels, (baseline >= threshold) == labels)
    named = {f"{row.actual}_as_{row.predicted}": int(row.rows) for row in counts.itertuples()}
    before = calibration_error(labels, test.scores, params.bins)
    return Evaluation(
        scores=scores,
        metrics={
            **flat_metrics(labels, scores, params),
            "calibration_error_before": round(before, DIGITS),
            "temperature": temperature,
            **compare(labels, scores, baseline, threshold),
        },
        slices={
            "confusion": named,
            "by_length": lengths.to_dict("records"),
            "slices": groups.to_dict("records"),
        },
        tables={
            "confusion": counts,
            "roc": roc(labels, scores),
            "precision_recall": precision_recall(labels, scores),
            "calibration": calibration(labels, scores, params.bins),
            "scores": histogram(labels, scores),
            "by_length": lengths,
            "slices": groups,
        },
        mistakes=most_confident_mistakes(labels, scores, baseline, texts.raw, params),
    )


def flat_metrics(labels: Labels, scores: Scores, params: EvaluateParams) -> dict[str, float | int]:
    """What metrics/test.json says of scores alone.

    Args:
        labels: 0 negative, 1 positive, both present; shape (rows,).
        scores: probability of positive, shape (rows,).
        params: threshold, and bins of the calibration error.

    Returns:
        accuracy with Wilson's 95 % interval (Wilson 1927), log_loss in nats, roc_auc,
        average_precision, f1 of the positive class, brier (Brier 1950), calibration_error, rows.
    """
    from scipy.stats import binomtest
    from sklearn import metrics

    predicted = scores >= params.threshold
    correct = int((predicted == labels).sum())
    interval = binomtest(correct, len(labels)).proportion_ci(CONFIDENCE, method="wilson")
    exact = scores.astype(np.float64)
    values = {
        "accuracy": correct / len(labels),
        "accuracy_low": interval.low,
        "accuracy_high": interval.high,
        "log_loss": metrics.log_loss(labels, exact, labels=[0, 1]),
        "roc_auc": metrics.roc_auc_score(labels, exact),
        "average_precision": metrics.average_precision_score(labels, exact),
        "f1": metrics.f1_score(labels, predicted, zero_division=0.0),
        "brier": metrics.brier_score_loss(labels, exact),
        "calibration_error": calibration_error(labels, scores, params.bins),
    }
    return {**{name: round(float(value), DIGITS) for name, value in values.items()}, "rows": len(labels)}


def calibration(labels: Labels, scores: Scores, bins: int) -> pd.DataFrame:
    """Reliability by equally wide score bins; empty bins are left out.

    Returns:
        A row a bin: score (mean score), positive_share (of the labels), rows.
    """
    bin_of = _bin(scores, bins)
    table = pd.DataFrame({"bin": bin_of, "score": scores.astype(np.float64), "label": labels})
    grouped = table.groupby("bin").agg(
        score=("score", "mean"), positive_share=("label", "mean"), rows=("label", "size")
    )
    return grouped.round(DIGITS).reset_index(drop=True)


def calibration_error(labels: Labels, scores: Scores, bins: int) -> float:
    """The expected calibration error of the positive class (Naeini et al. 2015).

    That is the gap between a bin's mean score and its share of positives, averaged over the rows.
    """
    table = calibration(labels, scores, bins)
    gaps = (table["score"] - table["positive_share"]).abs()
    return float((gaps * table["rows"]).sum() / len(labels))


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
    """Scores of each class by bin, `HISTOGRAM_BINS` rows a class: score (the bin's middle), label, rows."""
    bin_of = _bin(scores, HISTOGRAM_BINS)
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


def by_length(labels: Labels, scores: Scores, lengths: NDArray[np.int64], threshold: float) -> pd.DataFrame:
    """Accuracy by text length in tokens, in up to `LENGTH_GROUPS` groups of about equal size.

    Returns:
        A row a group: shortest, longest, rows, accuracy.
    """
    group = quantile_codes(lengths, LENGTH_GROUPS)
    correct = (scores >= threshold) == labels
    table = pd.DataFrame({"group": group, "length": lengths, "correct": correct})
    grouped = table.groupby("group").agg(
        shortest=("length", "min"),
        longest=("length", "max"),
        rows=("length", "size"),
        accuracy=("correct", "mean"),
    )
    return grouped.round(DIGITS).reset_index(drop=True)


def most_confident_mistakes(
    labels: Labels, scores: Scores, baseline: Scores, texts: Sequence[str], params: EvaluateParams
) -> pd.DataFrame:
    """The mislabelled texts whose scores are farthest from the truth; of equal ones, the first.

    Returns:
        `params.mistakes` rows at most: text (raw), label (negative, positive), score, baseline_score.
    """
    wrong = np.flatnonzero((scores >= params.threshold) != labels)
    distance = np.abs(scores[wrong].astype(np.float64) - labels[wrong])
    chosen = wrong[np.argsort(-distance, kind="stable")][: params.mistakes]
    return pd.DataFrame(
        {
            "text": [texts[row] for row in chosen],
            "label": np.array(("negative", "positive"))[labels[chosen]],
            "score": scores[chosen].astype(np.float64).round(DIGITS),
            "baseline_score": baseline[chosen].astype(np.float64).round(DIGITS),
        }
    )


def _bin(scores: Scores, bins: int) -> NDArray[np.int64]:
    return np.minimum((scores.astype(np.float64) * bins).astype(np.int64), bins - 1)


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, len(curve) - 1, CURVE_POINTS).round().astype(int))
    return curve.iloc[chosen].round(DIGITS)
