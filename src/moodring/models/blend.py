"""A network and a linear model over n-grams, as one classifier: a weighted sum of their log odds.

Stacking (Wolpert 1992) with the fewest numbers there can be: one weight each and a bias, fitted on the
validation split, which neither of the two has learned from.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import write_json
from moodring.models.scoring import Predictor, log_odds


@dataclass(frozen=True)
class Shares:
    """How much the log odds of each count, and the bias."""

    network: float
    linear: float
    bias: float

    @classmethod
    def fit(
        cls,
        network: NDArray[np.float32],
        linear: NDArray[np.float32],
        labels: NDArray[np.int8],
        cost: float,
    ) -> Shares:
        """Those of the least log loss.

        Args:
            network: the network's scores, shape (texts,).
            linear: the linear model's scores, shape (texts,).
            labels: 0 negative, 1 positive, both present; shape (texts,).
            cost: of an error, scikit-learn's C; a large one hardly holds three numbers back.
        """
        from sklearn.linear_model import LogisticRegression

        both = np.column_stack([log_odds(network), log_odds(linear)])
        solver = LogisticRegression(C=cost, solver="newton-cholesky", tol=1e-10).fit(both, np.asarray(labels))
        return cls(float(solver.coef_[0, 0]), float(solver.coef_[0, 1]), float(solver.intercept_[0]))

    def blend(self, network: NDArray[np.float32], linear: NDArray[np.float32]) -> NDArray[np.float32]:
        """Both models' scores as one, of their shape, float32."""
        logits = self.network * log_odds(network) + self.linear * log_odds(linear) + self.bias
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)

    def save(self, path: Path) -> None:
        """Write as JSON; see `load`."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Shares:
        """Read what `save` wrote.

        Raises:
            MoodringError: it is missing or damaged.
        """
        try:
            return cls(**{name: float(value) for name, value in json.loads(path.read_text("utf-8")).items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise MoodringError(f"cannot load {path}: {error}. Run `dvc repro` to make it.") from error


@dataclass(frozen=True)
class Blend:
    """Both models and their shares."""

    network: Predictor
    linear: Predictor
    shares: Shares

    def predict_on_batch(self, x: NDArray[np.int32]) -> NDArray[np.float32]:
        """The probability of positive, shape (batch, 1), for padded ids, shape (batch, length)."""
        network, linear = (np.asarray(model.predict_on_batch(x)) for model in (self.network, self.linear))
        return self.shares.blend(network, linear)
