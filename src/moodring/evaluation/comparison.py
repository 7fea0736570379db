"""A model beside the baseline on the same texts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
Z = 1.959963984540054  # of a 95 % interval
SURE = 0.05
LEAST_P = 0.001


def compare(
    labels: NDArray[np.int8],
    scores: NDArray[np.float32],
    baseline: NDArray[np.float32],
    threshold: float,
) -> dict[str, float]:
    """By how much a model beats the baseline, from the texts on which only one of the two is right.

    Args:
        labels: 0 negative, 1 positive; shape (rows,).
        scores: the model's probability of positive, shape (rows,).
        baseline: the baseline's of the same texts, shape (rows,).
        threshold: a score at or above it is positive, of either.

    Returns:
        baseline_accuracy; gain, the model's accuracy minus that; gain_low and gain_high, the 95 % interval
        of a difference of paired proportions (Agresti & Min 2005: Wald's after half a text is added to each
        of the four cells); mcnemar_p, of McNemar's test in its exact form (McNemar 1947).
    """
    from scipy.stats import binomtest

    right, rival = ((each >= threshold) == labels for each in (scores, baseline))
    rows, won, lost = len(labels), int((right & ~rival).sum()), int((~right & rival).sum())
    padded, differing = rows + 2, won + lost + 1
    middle = (won - lost) / padded
    reach = Z * np.sqrt(differing - (won - lost) ** 2 / padded) / padded
    values = {
        "baseline_accuracy": rival.mean(),
        "gain": (won - lost) / rows,
        "gain_low": max(middle - reach, -1),
        "gain_high": min(middle + reach, 1),
        "mcnemar_p": binomtest(won, won + lost).pvalue if won + lost else 1,
    }
    return {name: round(float(value), DIGITS) for name, value in values.items()}


def describe(compared: Mapping[str, float], baseline: str) -> str:
    """What `compare` found, such as "2.1 points above nbsvm (0.4 to 3.8, p = 0.01)".

    Args:
        compared: holds what `compare` returned.
        baseline: the name of the baseline.
    """
    gain, low, high = (100 * compared[name] for name in ("gain", "gain_low", "gain_high"))
    p = compared["mcnemar_p"]
    chance = f"p = {p:.2g}" if p >= LEAST_P else f"p < {LEAST_P}"
    if p >= SURE:
        return f"not shown to differ from {baseline} ({gain:+.1f} points, {low:.1f} to {high:.1f}, {chance})"
    if gain < 0:
        return f"{-gain:.1f} points below {baseline} ({-high:.1f} to {-low:.1f}, {chance})"
    return f"{gain:.1f} points above {baseline} ({low:.1f} to {high:.1f}, {chance})"
