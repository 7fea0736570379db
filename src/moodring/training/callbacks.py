"""Keras callbacks: tune the embedding after some epochs, and validate with averaged weights."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from moodring.training.architectures import EMBEDDING


class Release(keras.callbacks.Callback):
    """Opens a gated embedding's gate after `epochs` epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Keras calls this with the number of earlier epochs."""
        if epoch >= self._epochs:
            self.model.get_layer(EMBEDDING).gate.assign(1.0)


class Averaging(keras.callbacks.Callback):
    """Validates and keeps the optimiser's averaged weights, and trains the plain weights.

    Keras' SwapEMAWeights swaps by adding and subtracting, which rounds: a training that continues from its
    checkpoint would then differ from one that was never killed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._trained: list[NDArray[np.float32]] = []

    def around(self, watching: keras.callbacks.Callback) -> list[keras.callbacks.Callback]:
        """Wrap `watching`, so that it sees the averaged weights at an epoch's end."""
        return [
            self,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self._put()),
            watching,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self._take_back()),
        ]

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Put the averaged weights into the model; Keras calls this before validation."""
        self._put()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Put the plain weights back; Keras calls this after validation."""
        self._take_back()

    def _put(self) -> None:
        variables = self.model.trainable_variables
        self._trained = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)

    def _take_back(self) -> None:
        for variable, value in zip(self.model.trainable_variables, self._trained, strict=True):
            variable.assign(value)
