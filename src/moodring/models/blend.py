"""A network and a linear model over n-grams, as one classifier: a weighted sum of their log odds.

This is stacking (Wolpert 1992) with three numbers: a weight for each model and a bias. They are fitted on the
validation split, because both models know the training split.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import write_json
from moodring.io.tables import CLASSES
from moodring.models.scoring import Predictor, log_odds, probabilities
from moodring.params.arch import StackingParams


@dataclass(frozen=True)
class BlendWeights:
    """The weight of each model's log odds, and the bias."""

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
    ) -> BlendWeights:
        """Fit the weights that minimise the log loss.

        Args:
            network: the network's scores, shape (texts,).
            linear: the linear model's scores, shape (texts,).
            labels: 0 negative, 1 positive, both present; shape (texts,).
            cost: of an error, scikit-learn's C; a large cost means almost no regularisation.
        """
        from sklearn.linear_model import LogisticRegression

        both = np.column_stack([log_odds(network), log_odds(linear)])
        solver = LogisticRegression(C=cost, solver="newton-cholesky", tol=1e-10).fit(both, np.asarray(labels))
        return cls(float(solver.coef_[0, 0]), float(solver.coef_[0, 1]), float(solver.intercept_[0]))

    def blend(self, network: NDArray[np.float32], linear: NDArray[np.float32]) -> NDArray[np.float32]:
        """The blended scores, of the given scores' shape, float32."""
        return probabilities(self.logits(network, linear))

    def logits(self, network: NDArray[np.float32], linear: NDArray[np.float32]) -> NDArray[np.float64]:
        """The blended log odds, of the given scores' shape, float64."""
        return np.asarray(self.network * log_odds(network) + self.linear * log_odds(linear) + self.bias)

    def save(self, path: Path) -> None:
        """Write as JSON; see `load`."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> BlendWeights:
        """Read what `save` wrote.

        Raises:
            MoodringError: it is missing or damaged.
        """
        try:
            return cls(**{name: float(value) for name, value in json.loads(path.read_text("utf-8")).items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise MoodringError(f"cannot load {path}: {error}. Run `dvc repro` to make it.") from error


def check_folds(labels: NDArray[np.int8], folds: int, arch: str) -> None:
    """Raise unless every fold can have a text of each class.

    Args:
        labels: of the validation split, shape (texts,).
        folds: how many there are.
        arch: the name of the architecture, for the message.

    Raises:
        MoodringError: a class has fewer texts than there are folds.
    """
    for label, name in enumerate(CLASSES):
        if (count := int((labels == label).sum())) < folds:
            raise MoodringError(
                f"the validation split has {count} {name} texts, archs.{arch}.stacking.folds is {folds}: "
                "lower it, raise preprocess.validation_share, or set blend.ngrams to 0"
            )


def out_of_fold_logits(
    network: NDArray[np.float32],
    linear: NDArray[np.float32],
    labels: NDArray[np.int8],
    params: StackingParams,
    seed: int,
) -> NDArray[np.float64]:
    """The blend's log odds of each text, by weights that were fitted on the other folds.

    Args:
        network: the network's scores, shape (texts,).
        linear: the linear model's scores, shape (texts,).
        labels: 0 negative, 1 positive; shape (texts,); each class has a text for every fold.
        params: folds and cost.
        seed: of the assignment of texts to folds.

    Returns:
        Shape (texts,), float64.
    """
    from sklearn.model_selection import StratifiedKFold

    logits = np.empty(len(labels), dtype=np.float64)
    folds = StratifiedKFold(params.folds, shuffle=True, random_state=seed)
    for fitted, judged in folds.split(network, labels):
        weights = BlendWeights.fit(network[fitted], linear[fitted], labels[fitted], params.cost)
        logits[judged] = weights.logits(network[judged], linear[judged])
    return logits


@dataclass(frozen=True)
class Blend:
    """Both models and their weights."""

    network: Predictor
    linear: Predictor
    weights: BlendWeights

    def predict_on_batch(self, x: NDArray[np.int32]) -> NDArray[np.float32]:
        """The probability of positive, shape (batch, 1), for padded ids, shape (batch, length)."""
        network, linear = (np.asarray(model.predict_on_batch(x)) for model in (self.network, self.linear))
        return self.weights.blend(network, linear)
