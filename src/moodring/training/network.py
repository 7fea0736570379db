"""Fit a network: seeded batches, early stopping, the best epoch's weights. A killed training continues."""

from __future__ import annotations

import math

import keras
import pandas as pd

from moodring.errors import MoodringError
from moodring.models.result import Settings
from moodring.params.pipeline import Params
from moodring.params.training import TrainParams
from moodring.training.architectures import build, ungated
from moodring.training.callbacks import Averaging, Release, progress_lines
from moodring.training.checkpoints import Checkpoint, Progress, State
from moodring.training.inputs import NO_HOOKS, Hooks, TrainingData
from moodring.training.sequence import BatchSequence, padding_of

HISTORY_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
# With label smoothing, Keras' own val_loss is the loss of smoothed labels.
WATCHED = {"val_loss": "val_log_loss"}
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def train_network(
    params: Params, data: TrainingData, hooks: Hooks = NO_HOOKS
) -> tuple[keras.Model, pd.DataFrame]:
    """Seed Keras, build the chosen recurrent architecture and fit it.

    On a CPU the same arguments give the same bits, also if a killed training continues.

    Returns:
        The model with the best epoch's weights, and the history; see `fit_network`.

    Raises:
        MoodringError: as `fit_network`.
    """
    arch = params.recurrent
    keras.utils.set_random_seed(params.seed)
    vectors = data.vectors.matrix if data.vectors else None
    model = build(arch, data.vocabulary_size, params.data.max_length, vectors)
    history = fit_network(model, params, data, hooks)
    return ungated(model, arch), history


def fit_network(
    model: keras.Model, params: Params, data: TrainingData, hooks: Hooks = NO_HOOKS
) -> pd.DataFrame:
    """Compile `model` and fit it in place; afterwards it has the best epoch's weights.

    Args:
        model: from `architectures.build`. Its dropout follows Keras' own seed.
        params: epochs, batch size, optimiser, early stopping, and the seed of the order of batches.
        data: the texts.
        hooks: report and checkpoint.

    Returns:
        A row for each epoch: epoch, loss, accuracy, val_loss, val_accuracy. `loss` is the minimised training
        loss. `val_loss` is the log loss in nats of the true labels, also with label smoothing.

    Raises:
        MoodringError: the loss is no longer finite, or the checkpoint is damaged.
    """
    train, checkpoint = params.train, hooks.checkpoint
    stopped_by = train.early_stopping
    state = State.load(checkpoint) if checkpoint else None
    progress = state.progress if state else Progress([])
    rows = list(progress.rows)

    def note(epoch: int, logs: dict[str, float]) -> None:
        metrics = {name: float(logs[WATCHED.get(name, name)]) for name in HISTORY_COLUMNS}
        if not all(map(math.isfinite, metrics.values())):
            raise MoodringError(
                f"training diverged in epoch {epoch + 1}: {metrics}. Lower train.learning_rate "
                f"(received: {train.learning_rate})."
            )
        rows.append({"epoch": epoch + 1, **metrics})

    def report(epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001
        hooks.on_epoch(epoch + 1, {name: value for name, value in rows[-1].items() if name != "epoch"})

    padding = padding_of(params)
    batches = BatchSequence(data.train, padding, train.batch_size, params.seed, epoch=len(rows))
    model.compile(
        optimizer=optimizer_of(train, len(batches)),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=train.label_smoothing),
        metrics=[
            keras.metrics.BinaryAccuracy(name="accuracy"),
            keras.metrics.BinaryCrossentropy(name="log_loss"),
        ],
    )
    # TensorFlow traces a step that makes variables twice, which takes longer than many an epoch. A metric
    # that is only a name, as "accuracy", would make its variables in the step.
    model.optimizer.build(model.trainable_variables)
    stopping = keras.callbacks.EarlyStopping(
        monitor=WATCHED.get(stopped_by.monitor, stopped_by.monitor),
        mode="min" if stopped_by.monitor == "val_loss" else "max",
        patience=stopped_by.patience,
        restore_best_weights=True,
    )
    watching = Averaging().around(stopping) if train.weight_averaging else [stopping]
    frozen = params.recurrent.embedding.frozen_epochs
    releasing = [Release(frozen)] if isinstance(frozen, int) and frozen else []
    # The checkpoint comes before the lines and the report: every reported epoch is also saved.
    saving = [Checkpoint(checkpoint, rows, stopping, state)] if checkpoint else []
    with progress_lines(rows, train.epochs) as lines:
        model.fit(
            batches,
            validation_data=BatchSequence(data.validation, padding, train.batch_size),
            initial_epoch=len(rows),
            epochs=len(rows) if progress.stopped else train.epochs,
            shuffle=False,  # the sequence shuffles; Keras would use its global generator
            verbose=0,
            callbacks=[
                *releasing,
                keras.callbacks.LambdaCallback(on_epoch_end=note),
                *watching,
                *saving,
                lines,
                keras.callbacks.LambdaCallback(on_epoch_end=report),
            ],
        )
    return pd.DataFrame(rows)


def settings_of(params: Params, data: TrainingData, model: keras.Model, history: pd.DataFrame) -> Settings:
    """The settings of a model that `train_network` returned; of equally good epochs, the first was kept."""
    watched = history[params.train.early_stopping.monitor]
    best = watched.idxmin() if params.train.early_stopping.monitor == "val_loss" else watched.idxmax()
    padding = padding_of(params)
    return Settings(
        max_length=padding.max_length,
        buckets=padding.buckets,
        vocabulary_size=data.vocabulary_size,
        weights=int(model.count_params()),
        best_epoch=int(history.loc[best, "epoch"]),
        params=params.of_training(),
        coverage=data.coverage,
    )


def optimizer_of(params: TrainParams, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser, with its learning rate schedule, clipping and weight averaging.

    Args:
        params: of training.
        steps: number of batches in an epoch.

    References:
        Loshchilov & Hutter 2017 (cosine schedule); Pascanu et al. 2013 (clipping the norm); Polyak &
        Juditsky 1992 (averaged weights).
    """
    config = {
        "learning_rate": learning_rate_of(params, steps * params.epochs),
        "global_clipnorm": params.clip_norm or None,
        "use_ema": bool(params.weight_averaging),
        "ema_momentum": params.weight_averaging,
    }
    return OPTIMIZERS[params.optimizer](**config)


def learning_rate_of(
    params: TrainParams, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate: constant, or a schedule over `steps` steps."""
    schedule = params.schedule
    if schedule.kind == "constant" and not schedule.warmup:
        return params.learning_rate
    rising = round(schedule.warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if rising else params.learning_rate,
        decay_steps=max(steps - rising, 1),
        alpha=1.0 if schedule.kind == "constant" else 0.0,
        warmup_target=params.learning_rate if rising else None,
        warmup_steps=rising,
    )
