"""Fitting a network: seeded batches, early stopping, the best epoch's weights, taking up what was killed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.corpus.arrays import Split
from moodring.corpus.batches import Padding
from moodring.errors import MoodringError
from moodring.models.result import Settings
from moodring.params.pipeline import Params
from moodring.params.training import TrainParams
from moodring.training.architectures import build, ungated
from moodring.training.callbacks import Averaging, Release
from moodring.training.checkpoints import Checkpoint, EpochMetrics, Progress, State
from moodring.training.optimizer import optimizer_of
from moodring.training.sequence import BatchSequence, padding_of

HISTORY_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
# Keras' own val_loss is of smoothed labels where training's are smoothed.
WATCHED = {"val_loss": "val_log_loss"}


def train(
    params: Params,
    vocabulary_size: int,
    train: Split,
    validation: Split,
    on_epoch: Callable[[int, EpochMetrics], None] = lambda epoch, metrics: None,
    checkpoint: Path | None = None,
    vectors: NDArray[np.float32] | None = None,
) -> tuple[keras.Model, pd.DataFrame]:
    """Seed Keras, build the chosen architecture and fit it; see `fit` for what comes back.

    On a CPU the same arguments give the same bits, also when a killed training goes on.

    Args:
        params: of the whole pipeline; the chosen architecture is a recurrent one.
        vocabulary_size: rows of the embedding.
        train: what to fit.
        validation: what early stopping watches.
        on_epoch: as in `fit`.
        checkpoint: as in `fit`.
        vectors: the embedding's first weights, shape (vocabulary_size, size); None: drawn.
    """
    arch = params.recurrent
    keras.utils.set_random_seed(params.seed)
    model = build(arch, vocabulary_size, params.data.max_length, vectors)
    frozen = arch.embedding.frozen_epochs
    history = fit(
        model,
        train,
        validation,
        params.train,
        padding_of(params),
        params.seed,
        on_epoch,
        checkpoint,
        released_after=frozen if isinstance(frozen, int) else 0,
    )
    return ungated(model, arch), history


def fit(
    model: keras.Model,
    train: Split,
    validation: Split,
    params: TrainParams,
    padding: Padding,
    seed: int,
    on_epoch: Callable[[int, EpochMetrics], None] = lambda epoch, metrics: None,
    checkpoint: Path | None = None,
    released_after: int = 0,
) -> pd.DataFrame:
    """Compile and fit `model` in place; it ends with the best epoch's weights.

    Args:
        model: from `architectures.build`.
        train: what to fit.
        validation: what early stopping watches.
        params: epochs, batch size, optimiser and its schedule, early stopping.
        padding: length buckets.
        seed: of the order of batches; dropout follows Keras' own seed.
        on_epoch: called after each epoch that runs here with its number, from 1, and metrics.
        checkpoint: a file that holds the state after each epoch; where it stands, training goes on from it.
        released_after: epochs after which a gated embedding is tuned too.

    Returns:
        A row an epoch: epoch, loss, accuracy, val_loss, val_accuracy. `loss` is what was minimised;
        `val_loss` is the log loss in nats, whatever becomes of training's labels.

    Raises:
        MoodringError: the loss is no longer finite, or the checkpoint is damaged.
    """
    state = State.load(checkpoint) if checkpoint else None
    progress = state.progress if state else Progress([])
    rows = list(progress.rows)

    def note(epoch: int, logs: dict[str, float]) -> None:
        metrics = {name: float(logs[WATCHED.get(name, name)]) for name in HISTORY_COLUMNS}
        if not all(map(math.isfinite, metrics.values())):
            raise MoodringError(
                f"training diverged in epoch {epoch + 1}: {metrics}. Lower train.learning_rate "
                f"(received: {params.learning_rate})."
            )
        rows.append({"epoch": epoch + 1, **metrics})

    def report(epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001
        on_epoch(epoch + 1, {name: value for name, value in rows[-1].items() if name != "epoch"})

    batches = BatchSequence(train, padding, params.batch_size, seed, epoch=len(rows))
    model.compile(
        optimizer=optimizer_of(params, len(batches)),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=params.label_smoothing),
        metrics=["accuracy", keras.metrics.BinaryCrossentropy(name="log_loss")],
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor=WATCHED.get(params.early_stopping.monitor, params.early_stopping.monitor),
        mode="min" if params.early_stopping.monitor == "val_loss" else "max",
        patience=params.early_stopping.patience,
        restore_best_weights=True,
    )
    watching = Averaging().around(stopping) if params.weight_averaging else [stopping]
    released = [Release(released_after)] if released_after else []
    # What is reported is already kept: whoever goes on from the checkpoint knows every reported epoch.
    keeping = [Checkpoint(checkpoint, rows, stopping, state)] if checkpoint else []
    model.fit(
        batches,
        validation_data=BatchSequence(validation, padding, params.batch_size),
        initial_epoch=len(rows),
        epochs=len(rows) if progress.stopped else params.epochs,
        shuffle=False,  # the sequence shuffles; Keras would shuffle by its own global generator
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            *released,
            keras.callbacks.LambdaCallback(on_epoch_end=note),
            *watching,
            *keeping,
            keras.callbacks.LambdaCallback(on_epoch_end=report),
        ],
    )
    return pd.DataFrame(rows)


def settings_of(
    params: Params,
    vocabulary_size: int,
    model: keras.Model,
    history: pd.DataFrame,
    coverage: dict[str, float] | None = None,
) -> Settings:
    """The settings of a model that `train` gave; the kept epoch is the first of the best ones."""
    watched = history[params.train.early_stopping.monitor]
    best = watched.idxmin() if params.train.early_stopping.monitor == "val_loss" else watched.idxmax()
    padding = padding_of(params)
    return Settings(
        max_length=padding.max_length,
        buckets=padding.buckets,
        vocabulary_size=vocabulary_size,
        weights=int(model.count_params()),
        best_epoch=int(history.loc[best, "epoch"]),
        params=params.of_training(),
        coverage=coverage,
    )
