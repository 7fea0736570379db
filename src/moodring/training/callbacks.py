"""Keras callbacks: tune the embedding after some epochs, validate averaged weights, print the progress."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import keras
import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from moodring.training.architectures import EMBEDDING
from moodring.training.inputs import EpochMetrics


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


class EpochLines(keras.callbacks.Callback):
    """Prints a line for each epoch. Use it as a context manager around `Model.fit`.

    Args:
        rows: each finished epoch's metrics; an earlier callback appends them.
        epochs: the largest number of epochs.
    """

    def __init__(self, rows: list[EpochMetrics], epochs: int) -> None:
        super().__init__()
        self._rows = rows
        self._epochs = epochs
        self._start = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Keras calls this."""
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Print the epoch's line; Keras calls this."""
        self.write(epoch_line(self._rows[-1], self._epochs, time.monotonic() - self._start))

    def write(self, line: str) -> None:
        """Print a line."""
        print(line, flush=True)


class EpochBar(EpochLines):
    """Also shows the batches of the current epoch as a bar, which needs a terminal."""

    def __init__(self, rows: list[EpochMetrics], epochs: int) -> None:
        super().__init__(rows, epochs)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._bar = Progress(*columns, transient=True)
        self._task = self._bar.add_task("")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back, also after an error."""
        self._bar.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the epoch's bar; Keras calls this."""
        super().on_epoch_begin(epoch, logs)
        description = f"epoch {epoch + 1}/{self._epochs}"
        self._bar.reset(self._task, total=self.params["steps"], description=description)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Move the bar; Keras calls this."""
        self._bar.update(self._task, completed=batch + 1)

    def write(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(line, soft_wrap=True, highlight=False, markup=False)


def progress_lines(rows: list[EpochMetrics], epochs: int) -> EpochLines:
    """The lines, with a bar if stdout is a terminal. The bar slows training down, so a log gets none."""
    return (EpochBar if sys.stdout.isatty() else EpochLines)(rows, epochs)


def epoch_line(row: EpochMetrics, epochs: int, seconds: float) -> str:
    """An epoch's line, of at most 100 columns."""
    number = f"{int(row['epoch']):>{len(str(epochs))}}/{epochs}"
    metrics = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
    return f"epoch {number}  {metrics}  {seconds:.0f} s"
