"""Temperature scaling: divide a model's logits by one number, so that scores match observed frequencies.

No score crosses 0.5. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import read_json, write_json
from moodring.io.splits import LEAST_TEXTS
from moodring.models.scoring import log_odds, probabilities

NONE = 1.0
LOWEST, HIGHEST = 0.25, 10.0
BOUND_TOLERANCE = 1e-3  # the search stops shortly before its bound
DIGITS = 6
# Each fit sees four fifths of the texts. A split has at least 5 texts of a class, so each fold has both.
FOLDS = LEAST_TEXTS
FOLD_SEED = 0  # a fixed number: the folds depend on the texts only


def fit_temperature(labels: NDArray[np.int8], scores: NDArray[np.float32]) -> float:
    """Fit the temperature that minimises the log loss of the scores.

    Args:
        labels: 0 negative, 1 positive, both present; shape (rows,).
        scores: probability of positive, shape (rows,); from other rows than those that are evaluated.

    Returns:
        Between `LOWEST` and `HIGHEST`, rounded to `DIGITS`; above 1 means that the scores were overconfident.
    """
    from scipy.optimize import minimize_scalar

    away = _away(labels, scores)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, away / np.exp(log_temperature)).mean())

    found = minimize_scalar(
        loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded", options={"xatol": 1e-8}
    )
    return round(float(np.exp(found.x)), DIGITS)


@dataclass(frozen=True)
class Calibration:
    """How the scores are calibrated.

    Args:
        method: `none` or `temperature`.
        temperature: divides the logits; exactly 1 if none is applied.
        fitted: the temperature that was fitted on the whole validation split; None without a fit.
        log_loss_before: of the validation split's scores as they are, in nats.
        log_loss_after: of each score with the temperature that was fitted on the other folds.
    """

    method: str
    temperature: float = NONE
    fitted: float | None = None
    log_loss_before: float | None = None
    log_loss_after: float | None = None

    @property
    def applied(self) -> bool:
        """Whether the scores are rescaled."""
        return self.temperature != NONE

    def describe(self) -> str:
        """A sentence: whether the scores are rescaled, and why."""
        change = ""
        if self.log_loss_after is not None:
            change = f"log loss out of fold {self.log_loss_after:.3f} instead of {self.log_loss_before:.3f}"
        if self.applied:
            why = f": {change}" if change else ""
            return f"The scores are rescaled by temperature {self.temperature:.3f}{why}."
        if self.method == "none":
            reason = "evaluate.calibration is none"
        elif self.fitted is None:
            reason = f"the validation split has fewer than {FOLDS} texts of a class"
        elif _at_bound(self.fitted):
            reason = f"the fitted temperature {self.fitted:g} is at the bound of the search"
        else:
            reason = f"temperature {self.fitted:.3f} gives {change}"
        return f"The scores are not rescaled: {reason}."


def calibrate(method: str, labels: NDArray[np.int8], scores: NDArray[np.float32]) -> Calibration:
    """Fit a temperature on the validation split, and apply it only if it lowers the log loss out of fold.

    A temperature at the bound of the search is not applied either: the texts do not determine it. This
    happens if every label is right, or if the scores tell nothing.

    Args:
        method: `none` or `temperature`.
        labels: of the validation split; 0 negative, 1 positive; shape (rows,).
        scores: probability of positive, shape (rows,).
    """
    if method == "none" or min(np.bincount(labels, minlength=2)) < FOLDS:
        return Calibration(method)
    fitted = fit_temperature(labels, scores)
    before = round(_log_loss(labels, scores, NONE), DIGITS)
    after = round(_log_loss_out_of_fold(labels, scores), DIGITS)
    helps = after < before and not _at_bound(fitted)
    return Calibration(method, fitted if helps else NONE, fitted, before, after)


def _log_loss_out_of_fold(labels: NDArray[np.int8], scores: NDArray[np.float32]) -> float:
    """The log loss with, for each fold, the temperature that was fitted on the other folds."""
    from sklearn.model_selection import StratifiedKFold

    total = 0.0
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=FOLD_SEED)
    for others, fold in folds.split(scores, labels):
        temperature = fit_temperature(labels[others], scores[others])
        total += len(fold) * _log_loss(labels[fold], scores[fold], temperature)
    return total / len(labels)


def _log_loss(labels: NDArray[np.int8], scores: NDArray[np.float32], temperature: float) -> float:
    """The mean log loss in nats of scores whose logits are divided by a temperature."""
    return float(np.logaddexp(0, _away(labels, scores) / temperature).mean())


def _away(labels: NDArray[np.int8], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logits, positive on the wrong side of the label: log loss is log(1 + e^away)."""
    logits = log_odds(scores)
    return np.where(labels == 1, -logits, logits)


def _at_bound(temperature: float) -> bool:
    return any(math.isclose(temperature, bound, rel_tol=BOUND_TOLERANCE) for bound in (LOWEST, HIGHEST))


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write the calibration as JSON: its fields that have a value, and `applied`; see `read_temperature`."""
    fields: dict[str, Any] = {**asdict(calibration), "applied": calibration.applied}
    write_json(path, {name: value for name, value in fields.items() if value is not None})


def read_calibration(path: Path) -> Calibration:
    """Read the calibration that `write_calibration` wrote.

    Raises:
        MoodringError: the file is missing or damaged.
    """
    calibration = read_json(path)
    try:
        return Calibration(**{name: value for name, value in calibration.items() if name != "applied"})
    except (AttributeError, TypeError) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error


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
