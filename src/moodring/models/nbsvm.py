"""NB-SVM: a linear classifier over a text's n-grams, each scaled by its log-count ratio.

Source: Wang & Manning 2012, "Baselines and Bigrams". As in Mesnil et al. 2014, the loss is the
logistic loss instead of the squared hinge: the scores are probabilities, and liblinear (Fan et al. 2008) fits
the model in seconds.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from moodring.corpus.arrays import Split
from moodring.corpus.batches import Padding
from moodring.corpus.ragged import PAD, Ragged
from moodring.errors import MoodringError
from moodring.io.files import replacing
from moodring.models.ngrams import Ngrams
from moodring.models.scoring import probabilities
from moodring.params.arch import NbsvmParams

# It reads whole texts; a longer text loses its beginning.
WHOLE = Padding(max_length=100_000, buckets=1000)
MAX_ITERATIONS = 1000


@dataclass(frozen=True)
class Nbsvm:
    """A fitted classifier.

    Args:
        ngrams: the known n-grams.
        weights: of each n-gram, its log-count ratio included; shape (n-grams,), float32.
        bias: the log odds of a text without known n-grams.
    """

    ngrams: Ngrams
    weights: NDArray[np.float32]
    bias: float

    @property
    def size(self) -> int:
        """The number of fitted weights, the bias included."""
        return len(self.weights) + 1

    def logits(self, texts: Ragged) -> NDArray[np.float64]:
        """The log odds of positive, shape (texts,), float64."""
        return np.asarray(self.ngrams.incidence(texts) @ self.weights.astype(np.float64) + self.bias)

    def predict_on_batch(self, x: NDArray[np.int32]) -> NDArray[np.float32]:
        """The probability of positive, shape (batch, 1), for padded ids, shape (batch, length)."""
        lengths = (x != PAD).sum(axis=1)
        texts = Ragged(x[x != PAD].astype(np.uint32), np.append(0, np.cumsum(lengths)))
        return probabilities(self.logits(texts))[:, None]

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all; equal classifiers give equal bytes. See `load`."""
        arrays: dict[str, NDArray[Any]] = {
            f"keys_{length}": keys for length, keys in enumerate(self.ngrams.keys, start=1)
        }
        arrays |= {"base": np.array(self.ngrams.base), "weights": self.weights, "bias": np.array(self.bias)}
        with replacing(path) as fresh, fresh.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Nbsvm:
        """Read what `save` wrote.

        Raises:
            MoodringError: it is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                lengths = range(1, sum(name.startswith("keys_") for name in file.files) + 1)
                ngrams = Ngrams(int(file["base"]), tuple(file[f"keys_{length}"] for length in lengths))
                weights, bias = file["weights"], float(file["bias"])
            if weights.shape != (len(ngrams),):
                raise ValueError(f"{len(ngrams)} n-grams and {len(weights)} weights")
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise MoodringError(f"cannot load {path}: {error}. Run `dvc repro` to make it.") from error
        return cls(ngrams, weights, bias)


def fit_nbsvm(params: NbsvmParams, train: Split, seed: int) -> Nbsvm:
    """Fit on the training split; the same arguments give the same bits.

    Args:
        params: n-grams, smoothing, cost.
        train: texts of both classes.
        seed: of the order in which liblinear visits the texts.
    """
    from sklearn.linear_model import LogisticRegression

    ngrams = Ngrams.fit(train.texts, params.ngrams, params.min_count)
    held = ngrams.incidence(train.texts)
    labels = np.asarray(train.labels)
    ratios = log_count_ratios(held, labels, params.smoothing)
    scaled = held.copy()
    scaled.data = ratios[held.indices]
    solver = LogisticRegression(
        C=params.cost, solver="liblinear", dual=True, max_iter=MAX_ITERATIONS, random_state=seed
    )
    solver.fit(scaled, labels)
    weights = (solver.coef_[0] * ratios).astype(np.float32)
    return Nbsvm(ngrams, weights, float(solver.intercept_[0]))


def log_count_ratios(
    held: sparse.csr_matrix, labels: NDArray[np.int8], smoothing: float
) -> NDArray[np.float32]:
    """The log-count ratio of each n-gram, shape (n-grams,), float32.

    It is the log of the n-gram's share among the positive texts' n-grams, divided by its share among the
    negative texts' n-grams.

    Args:
        held: incidence, shape (texts, n-grams).
        labels: shape (texts,), both classes present.
        smoothing: added to every count.
    """
    positive = held.T @ (labels == 1).astype(np.float64) + smoothing
    negative = held.T @ (labels == 0).astype(np.float64) + smoothing
    ratios = np.log((positive / positive.sum()) / (negative / negative.sum()))
    return np.asarray(ratios, np.float32)


class Judged(NamedTuple):
    """The log loss in nats, and the accuracy."""

    loss: float
    accuracy: float


def history_of(model: Nbsvm, train: Split, validation: Split) -> pd.DataFrame:
    """A history of one row, with a network's columns: epoch (1), loss, accuracy, val_loss, val_accuracy."""
    fitted, held_out = (judge(model.logits(split.texts), split.labels) for split in (train, validation))
    row = {
        "epoch": 1,
        "loss": fitted.loss,
        "accuracy": fitted.accuracy,
        "val_loss": held_out.loss,
        "val_accuracy": held_out.accuracy,
    }
    return pd.DataFrame([row])


def judge(logits: NDArray[np.float64], labels: NDArray[np.int8]) -> Judged:
    """Judge log odds by the labels; both have shape (texts,)."""
    positive = np.asarray(labels) == 1
    loss = np.logaddexp(0, np.where(positive, -logits, logits)).mean()
    return Judged(float(loss), float(((logits >= 0) == positive).mean()))
