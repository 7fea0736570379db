"""A moving average of the weights, which validation sees and early stopping keeps."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from moodring.training.architectures import EMBEDDING


class Release(keras.callbacks.Callback):
    """Opens a gated embedding's gate once `epochs` epochs are over."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Keras calls this with the number of epochs that went before."""
        if epoch >= self._epochs:
            self.model.get_layer(EMBEDDING).gate.assign(1.0)


class Averaging(keras.callbacks.Callback):
    """Puts the optimiser's averaged weights into the model to be judged, and the trained ones back.

    Keras' own SwapEMAWeights swaps by adding and subtracting, which rounds; a training that goes on from
    its checkpoint would then not be the one that was never killed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._trained: list[NDArray[np.float32]] = []

    def around(self, watching: keras.callbacks.Callback) -> list[keras.callbacks.Callback]:
        """The callbacks that let `watching` see the averaged weights at an epoch's end."""
        return [
            self,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self._put()),
            watching,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self._take_back()),
        ]

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Validation sees the average; Keras calls this."""
        self._put()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Training goes on with its own weights; Keras calls this."""
        self._take_back()

    def _put(self) -> None:
        variables = self.model.trainable_variables
        self._trained = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)

    def _take_back(self) -> None:
        for variable, value in zip(self.model.trainable_variables, self._trained, strict=True):
            variable.assign(value)
