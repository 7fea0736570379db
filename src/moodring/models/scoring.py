"""Scores of encoded texts by a trained model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moodring.corpus.batches import Padding, pad, plan
from moodring.corpus.ragged import Ragged

BATCH_SIZE = 1024


class Predictor(Protocol):
    """A model that scores batches, as a Keras model does."""

    def predict_on_batch(self, x: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores of shape (batch, 1) for ids of shape (batch, length)."""


def score(model: Predictor, texts: Ragged, padding: Padding) -> NDArray[np.float32]:
    """The probability of positive for each text, in order; shape (texts,), float32."""
    scores = np.empty(len(texts.offsets) - 1, dtype=np.float32)
    for batch in plan(texts.lengths, padding, BATCH_SIZE):
        scores[batch.rows] = np.asarray(model.predict_on_batch(pad(texts, batch)))[:, 0]
    return scores


# The log odds of a score of exactly 0 or 1 are infinite.
MARGIN = 1e-7


def log_odds(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The log odds of probabilities, shape (rows,), float64; 0 and 1 count as `MARGIN` and 1 - `MARGIN`.

    This is not scipy.special.logit, which rounds differently near 0.5: fitted weights would differ in their
    last digits.
    """
    exact = np.clip(scores.astype(np.float64), MARGIN, 1 - MARGIN)
    return np.asarray(np.log(exact / (1 - exact)), dtype=np.float64)


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The probabilities of log odds: the logistic function; shape (rows,), float32."""
    from scipy.special import expit

    return np.asarray(expit(logits), dtype=np.float32)
