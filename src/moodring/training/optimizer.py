"""The optimizer and its learning rate."""

from __future__ import annotations

import keras

from moodring.params.training import TrainParams

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def optimizer_of(params: TrainParams, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser with its schedule, clipping and weight averaging.

    Args:
        params: of training.
        steps: batches of an epoch.

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
    """The learning rate, or how it changes over `steps` steps."""
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
