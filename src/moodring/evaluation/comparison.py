"""Compare a model with the baseline on the same texts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from moodring.io.splits import Z

DIGITS = 6
SURE = 0.05
LEAST_P = 0.001


def compare(
    labels: NDArray[np.int8],
    scores: NDArray[np.float32],
    baseline: NDArray[np.float32],
    threshold: float,
) -> dict[str, float]:
    """The model's gain over the baseline, from the texts on which only one of the two is right.

    Args:
        labels: 0 negative, 1 positive; shape (rows,).
        scores: the model's probability of positive, shape (rows,).
        baseline: the baseline's scores of the same texts, shape (rows,).
        threshold: a score at or above it is positive, for both models.

    Returns:
        baseline_accuracy; gain, the model's accuracy minus the baseline's; gain_low and gain_high, the 95 %
        interval of a difference of paired proportions (Agresti & Min 2005: Wald's interval after half a text
        is added to each of the four cells); mcnemar_p, of McNemar's exact test (McNemar 1947).
    """
    right, baseline_right = ((each >= threshold) == labels for each in (scores, baseline))
    accuracy = round(float(baseline_right.mean()), DIGITS)
    return {"baseline_accuracy": accuracy, **paired(right, baseline_right)}


def paired(right: NDArray[np.bool_], rival_right: NDArray[np.bool_]) -> dict[str, float]:
    """The gain of a model over a rival on the same texts.

    Args:
        right: true where the model is right, shape (rows,).
        rival_right: true where the rival is right, shape (rows,).

    Returns:
        gain, gain_low, gain_high and mcnemar_p, as `compare`.
    """
    from scipy.stats import binomtest

    rows, won, lost = len(right), int((right & ~rival_right).sum()), int((~right & rival_right).sum())
    padded, differing = rows + 2, won + lost + 1
    middle = (won - lost) / padded
    reach = Z * np.sqrt(differing - (won - lost) ** 2 / padded) / padded
    values = {
        "gain": (won - lost) / rows,
        "gain_low": max(middle - reach, -1),
        "gain_high": min(middle + reach, 1),
        "mcnemar_p": binomtest(won, won + lost).pvalue if won + lost else 1,
    }
    return {name: round(float(value), DIGITS) for name, value in values.items()}


def describe(compared: Mapping[str, float], baseline: str) -> str:
    """Describe the comparison, for example "2.1 points above nbsvm (0.4 to 3.8, p = 0.01)".

    Args:
        compared: contains the values that `compare` returned.
        baseline: the name of the baseline.
    """
    gain, low, high = (100 * compared[name] for name in ("gain", "gain_low", "gain_high"))
    p, chance = compared["mcnemar_p"], chance_of(compared["mcnemar_p"])
    if p >= SURE:
        return f"not shown to differ from {baseline} ({gain:+.1f} points, {low:.1f} to {high:.1f}, {chance})"
    if gain < 0:
        return f"{-gain:.1f} points below {baseline} ({-high:.1f} to {-low:.1f}, {chance})"
    return f"{gain:.1f} points above {baseline} ({low:.1f} to {high:.1f}, {chance})"


def chance_of(p: float) -> str:
    """A p value for readers, for example "p = 0.012" or "p < 0.001"."""
    return f"p = {p:.2g}" if p >= LEAST_P else f"p < {LEAST_P}"
