"""Compute metrics and the data of the plots from labels and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from moodring.evaluation.calibration import Calibration, apply_temperature, calibrate
from moodring.evaluation.comparison import compare
from moodring.evaluation.curves import by_length, confusion, histogram, precision_recall, roc
from moodring.evaluation.metrics import DIGITS, Labels, Scores, calibration, calibration_error, flat_metrics
from moodring.evaluation.slices import Texts, make_groups, slice_accuracy
from moodring.params.evaluation import EvaluateParams


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    Args:
        calibration: of the scores, fitted on the validation split.
        scores: calibrated scores of the test split; the fields below are computed from them.
        metrics: those of `flat_metrics`, of the calibration and of `comparison.compare`, without nesting.
        slices: confusion counts, accuracy by text length, and each group of each slice.
        tables: the data of each plot, by name.
        mistakes: see `most_confident_mistakes`.
    """

    calibration: Calibration
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
    """Calibrate the test scores on the validation split, then compare them with the test labels.

    Args:
        test: labels and the model's scores of the test split.
        validation: labels and the model's scores of the validation split.
        baseline: the baseline's probability of positive for each test text, shape (rows,).
        texts: of the test split.
        params: threshold, calibration and its bins, number of mistakes.
    """
    labels, threshold = test.labels, params.threshold
    calibrated = calibrate(params.calibration, validation.labels, validation.scores)
    scores = apply_temperature(test.scores, calibrated.temperature)
    counts = confusion(labels, scores, threshold)
    groups = make_groups(texts)
    lengths = by_length(labels, scores, texts.lengths, groups["length"].codes, threshold)
    slices = slice_accuracy(groups, (scores >= threshold) == labels, (baseline >= threshold) == labels)
    named = {f"{row.actual}_as_{row.predicted}": int(row.rows) for row in counts.itertuples()}
    before = calibration_error(labels, test.scores, params.bins)
    return Evaluation(
        calibration=calibrated,
        scores=scores,
        metrics={
            **flat_metrics(labels, scores, params),
            "calibration_error_before": round(before, DIGITS),
            "temperature": calibrated.temperature,
            **compare(labels, scores, baseline, threshold),
        },
        slices={
            "confusion": named,
            "by_length": lengths.to_dict("records"),
            "slices": slices.to_dict("records"),
        },
        tables={
            "confusion": counts,
            "roc": roc(labels, scores),
            "precision_recall": precision_recall(labels, scores),
            "calibration": calibration(labels, scores, params.bins),
            "scores": histogram(labels, scores),
            "by_length": lengths,
            "slices": slices,
        },
        mistakes=most_confident_mistakes(labels, scores, baseline, texts.raw, params),
    )


def most_confident_mistakes(
    labels: Labels, scores: Scores, baseline: Scores, texts: Sequence[str], params: EvaluateParams
) -> pd.DataFrame:
    """The mislabelled texts whose scores are farthest from the truth; ties keep the order of the rows.

    Returns:
        At most `params.mistakes` rows: text (raw), label (negative, positive), score, baseline_score.
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
