"""Batches in the form that Keras reads."""

from __future__ import annotations

import keras
import numpy as np

from moodring.corpus.arrays import Split
from moodring.corpus.batches import Batch, Padding, pad, plan
from moodring.params.pipeline import Params


class BatchSequence(keras.utils.PyDataset):
    """Batches of one split for `Model.fit`: ids (rows, length) int32 and labels (rows, 1) float32.

    Args:
        split: texts and labels.
        padding: length buckets.
        batch_size: rows of a batch at most.
        seed: of the shuffling, which depends on seed and epoch only; None: no shuffling.
        epoch: the number of earlier epochs.
    """

    def __init__(
        self, split: Split, padding: Padding, batch_size: int, seed: int | None = None, epoch: int = 0
    ) -> None:
        super().__init__()
        self._split = split
        self._padding = padding
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch
        # Keras takes the shapes from this plan, and asks for the next plan before the first epoch.
        self._batches = _first_two_differ(self._plan())

    def _plan(self) -> list[Batch]:
        rng = None if self._seed is None else np.random.default_rng([self._seed, self._epoch])
        return plan(self._split.texts.lengths, self._padding, self._batch_size, rng)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        batch = self._batches[index]
        labels = self._split.labels[batch.rows].astype(np.float32)
        return pad(self._split.texts, batch), labels[:, None]

    def on_epoch_end(self) -> None:
        """Shuffle again; Keras calls this."""
        if self._seed is not None:
            self._epoch += 1
            self._batches = self._plan()


def padding_of(params: Params) -> Padding:
    """The chosen architecture's padding: length buckets, or all texts at `max_length`."""
    bucketed = params.recurrent.padding == "bucket"
    return Padding(params.data.max_length, params.train.buckets if bucketed else 1)


def _first_two_differ(batches: list[Batch]) -> list[Batch]:
    # On TensorFlow, Keras derives the shape of all batches from the first two. It leaves the length open only
    # if these two differ in length.
    for index, batch in enumerate(batches[1:], start=1):
        if batch.length != batches[0].length:
            batches[1], batches[index] = batch, batches[1]
            break
    return batches
