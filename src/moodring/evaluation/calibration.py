"""Temperature scaling: divide a model's logits by one number, so that scores match observed frequencies.

No score crosses 0.5. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moodring.models.scoring import log_odds

NONE = 1.0
LOWEST, HIGHEST = 0.25, 10.0
DIGITS = 6


def fit_temperature(labels: NDArray[np.int8], scores: NDArray[np.float32]) -> float:
    """Fit the temperature that minimises the log loss of the scores.

    Args:
        labels: 0 negative, 1 positive, both present; shape (rows,).
        scores: probability of positive, shape (rows,); from other rows than those that are evaluated.

    Returns:
        Between `LOWEST` and `HIGHEST`, rounded to `DIGITS`; above 1 means that the scores were overconfident.
    """
    from scipy.optimize import minimize_scalar

    logits = log_odds(scores)
    away = np.where(labels == 1, -logits, logits)  # log loss is log(1 + e^away)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, away / np.exp(log_temperature)).mean())

    found = minimize_scalar(
        loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded", options={"xatol": 1e-8}
    )
    return round(float(np.exp(found.x)), DIGITS)


def apply_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Scores with their logits divided by the temperature; shape (rows,), float32. At 1, unchanged."""
    if temperature == NONE:
        return scores
    return np.asarray(1 / (1 + np.exp(-log_odds(scores) / temperature)), dtype=np.float32)
