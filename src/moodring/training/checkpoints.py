"""Checkpoints: a killed training continues after its last epoch and gives the same bits.

This does not hold with Keras' PyTorch backend: its dropout uses PyTorch's generator, whose state is not part
of the model.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import replacing
from moodring.training.inputs import EpochMetrics

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Progress:
    """The progress of a training.

    Args:
        rows: a row for each finished epoch: epoch, loss, accuracy, val_loss, val_accuracy.
        wait: epochs without improvement.
        best: the watched metric's best value.
        best_epoch: the epoch of that value, from 0 as Keras counts.
        stopped: whether early stopping has ended the training.
    """

    rows: list[EpochMetrics]
    wait: int = 0
    best: float | None = None
    best_epoch: int = 0
    stopped: bool = False


@dataclass(frozen=True)
class State:
    """Progress, and the arrays that belong to it.

    Args:
        progress: of the training.
        variables: of the model (weights and the states of its random generators), then of the optimiser.
        best_weights: the weights of the best epoch.
    """

    progress: Progress
    variables: Arrays
    best_weights: Arrays

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all."""
        arrays: dict[str, NDArray[Any]] = {
            f"variable_{index}": array for index, array in enumerate(self.variables)
        }
        arrays["progress"] = np.array(json.dumps(asdict(self.progress)))
        arrays |= {f"best_{index}": array for index, array in enumerate(self.best_weights)}
        with replacing(path) as fresh, fresh.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> State | None:
        """Read what `save` wrote; None if there is no file.

        Raises:
            MoodringError: it is damaged.
        """
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                progress = Progress(**json.loads(str(file["progress"])))
                variables, best = (_numbered(file, name) for name in ("variable", "best"))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise MoodringError(
                f"cannot read the checkpoint {path}: {error}. Remove {path.parent} to train from "
                "the first epoch."
            ) from error
        return cls(progress, variables, best)


class Checkpoint(keras.callbacks.Callback):
    """Saves the state after each epoch, and restores a loaded state. It must follow `stopping` in the list.

    Keras' BackupAndRestore writes weights and epoch in two steps. It saves neither the counters of early
    stopping nor the states of the random generators.

    Args:
        path: the file.
        rows: each finished epoch's metrics; an earlier callback appends them.
        stopping: its counters and best weights are part of the state.
        state: the state to continue from; None: the training is new.
    """

    def __init__(
        self,
        path: Path,
        rows: list[EpochMetrics],
        stopping: keras.callbacks.EarlyStopping,
        state: State | None,
    ) -> None:
        super().__init__()
        self._path = path
        self._rows = rows
        self._stopping = stopping
        self._state = state

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Restore the loaded state; Keras calls this after it built the model."""
        if self._state is None:
            return
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        for variable, value in zip(self._variables(), self._state.variables, strict=True):
            variable.assign(value)
        progress = self._state.progress
        self._stopping.wait, self._stopping.best = progress.wait, progress.best
        self._stopping.best_epoch = progress.best_epoch
        self._stopping.best_weights = self._state.best_weights or None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Save the state; Keras calls this."""
        stopping = self._stopping
        stopped = bool(self.model.stop_training)
        progress = Progress(self._rows, stopping.wait, stopping.best, stopping.best_epoch, stopped)
        variables = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
        State(progress, variables, list(stopping.best_weights or [])).save(self._path)

    def _variables(self) -> Iterable[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]


def _numbered(file: np.lib.npyio.NpzFile, name: str) -> Arrays:
    count = sum(key.startswith(f"{name}_") for key in file.files)
    return [file[f"{name}_{index}"] for index in range(count)]
