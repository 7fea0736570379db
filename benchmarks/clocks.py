"""Clocks for Keras' training, also for a training without a parameter for callbacks."""

from __future__ import annotations

import time
from typing import Any

import keras

Logs = dict[str, float] | None


class EpochClock(keras.callbacks.Callback):
    """Measures the seconds of each epoch's training steps, without validation, in `seconds`."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._start = 0.0
        self._running = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Start the clock."""
        self._start, self._running = time.perf_counter(), True

    def on_test_begin(self, logs: Logs = None) -> None:  # noqa: ARG002
        """Stop the clock: validation begins."""
        self._stop()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Stop the clock, if there was no validation."""
        self._stop()

    def _stop(self) -> None:
        if self._running:
            self.seconds.append(time.perf_counter() - self._start)
            self._running = False


class WallClock(keras.callbacks.Callback):
    """Measures the wall time of each epoch, with all work inside it, in `walls`."""

    def __init__(self) -> None:
        super().__init__()
        self.walls: list[float] = []
        self._epoch = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Start at the first epoch; later epochs start at the end of the epoch before."""
        self._epoch = self._epoch or time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Note the wall time. This callback is the last one, after logging and the checkpoint."""
        now = time.perf_counter()
        self.walls.append(now - self._epoch)
        self._epoch = now


class StepClock(WallClock):
    """As `WallClock`; also measures the sum of all training and validation steps, in `inside`.

    With such a callback Keras copies every step's metrics to Python, which takes time itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0.0
        self._step = 0.0

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Note the start of a step."""
        self._step = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:  # noqa: ARG002
        """Add the seconds of a step."""
        self.inside += time.perf_counter() - self._step

    on_test_batch_begin = on_train_batch_begin
    on_test_batch_end = on_train_batch_end


def attach(model: keras.Model, clock: keras.callbacks.Callback) -> None:
    """Add the clock to the callbacks of `model.fit`, as the last one."""
    fit = model.fit

    def clocked(*arguments: Any, callbacks: Any = (), **options: Any) -> Any:
        return fit(*arguments, callbacks=[*callbacks, clock], **options)

    model.fit = clocked
