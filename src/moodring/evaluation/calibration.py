"""Temperature scaling: divide a model's logits by one number, so that scores match observed frequencies.

No score crosses 0.5. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import read_json, write_json
from moodring.models.scoring import log_odds, probabilities

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


def write_calibration(path: Path, method: str, temperature: float) -> None:
    """Write the calibration as JSON: `method` and `temperature`; see `read_temperature`."""
    write_json(path, {"method": method, "temperature": temperature})


def read_temperature(path: Path) -> float:
    """Read the temperature that `write_calibration` wrote.

    Raises:
        MoodringError: the file is missing or damaged, or the temperature is not a positive number.
    """
    calibration = read_json(path)
    temperature = calibration.get("temperature") if isinstance(calibration, dict) else None
    if type(temperature) is int:  # JSON writes 1.0 and 1
        temperature = float(temperature)
    if not isinstance(temperature, float) or not 0 < temperature < math.inf:
        raise MoodringError(
            f"{path}: the temperature must be a positive number, received: {temperature!r}. "
            "Run `dvc repro` to make it."
        )
    return temperature


def apply_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Scores with their logits divided by the temperature; shape (rows,), float32. At 1, unchanged."""
    if temperature == NONE:
        return scores
    return probabilities(log_odds(scores) / temperature)
