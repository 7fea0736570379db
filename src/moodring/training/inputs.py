"""The two arguments that every training receives in addition to its parameters: the data and the hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from moodring.corpus.arrays import Split
from moodring.training.embeddings import Aligned

EpochMetrics = dict[str, float]


@dataclass(frozen=True)
class TrainingData:
    """The corpus that a training reads.

    Args:
        vocabulary_size: number of token ids, padding and out-of-vocabulary included.
        train: the texts to fit.
        validation: the texts that early stopping watches.
        vectors: the embedding's first weights; None: the weights are random.
    """

    vocabulary_size: int
    train: Split
    validation: Split
    vectors: Aligned | None = None

    @property
    def coverage(self) -> dict[str, float] | None:
        """The shares of the vocabulary and of the training tokens with a vector; None without vectors."""
        return self.vectors.coverage(self.train.texts.tokens) if self.vectors else None


def ignore_epoch(epoch: int, metrics: EpochMetrics) -> None:
    """Do nothing after an epoch."""


@dataclass(frozen=True)
class Hooks:
    """The points at which a training reports and saves.

    Args:
        on_epoch: called after each epoch that runs here, with its number, from 1, and its metrics.
        checkpoint: a file that holds the state after each epoch. If the file exists, training continues
            from it. None: nothing is saved.
    """

    on_epoch: Callable[[int, EpochMetrics], None] = ignore_epoch
    checkpoint: Path | None = None


NO_HOOKS = Hooks()
