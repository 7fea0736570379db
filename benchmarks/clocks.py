"""Clocks for Keras' training, and how to have one in a training that takes no callbacks."""

from __future__ import annotations

import time
from typing import Any

import keras

Logs = dict[str, float] | None


class EpochClock(keras.callbacks.Callback):
    """Seconds of each epoch's training steps, in `seconds`; validation is not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._start = 0.0
        self._running = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Start."""
        self._start, self._running = time.perf_counter(), True

    def on_test_begin(self, logs: Logs = None) -> None:  # noqa: ARG002
        """Stop: validation begins."""
        self._stop()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Stop, where there was no validation."""
        self._stop()

    def _stop(self) -> None:
        if self._running:
            self.seconds.append(time.perf_counter() - self._start)
            self._running = False


class WallClock(keras.callbacks.Callback):
    """Wall time from each epoch's start to its end, in `walls`, with all that happens in between."""

    def __init__(self) -> None:
        super().__init__()
        self.walls: list[float] = []
        self._epoch = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """The wall's start: the first epoch's beginning, or the end of the epoch before."""
        self._epoch = self._epoch or time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """The wall's end; as the last callback, this comes after logging and the checkpoint."""
        now = time.perf_counter()
        self.walls.append(now - self._epoch)
        self._epoch = now


class StepClock(WallClock):
    """As `WallClock`, and the sum of the steps, in training and validation, in `inside`.

    Keras brings every step's metrics to Python where a callback looks at steps, which costs time itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0.0
        self._step = 0.0

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """A step begins."""
        self._step = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """A step ends."""
        self.inside += time.perf_counter() - self._step

    on_test_batch_begin = on_train_batch_begin
    on_test_batch_end = on_train_batch_end


def attach(model: keras.Model, clock: keras.callbacks.Callback) -> None:
    """Let `model.fit` call this clock after all the callbacks that it is given."""
    fit = model.fit

    def clocked(*arguments: Any, callbacks: Any = (), **options: Any) -> Any:
        return fit(*arguments, callbacks=[*callbacks, clock], **options)

    model.fit = clocked
