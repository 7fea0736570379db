"""The block `train`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block, Count, Rate


class EarlyStopping(Block):
    """Rules that end a training early. The best epoch's weights are always restored."""

    monitor: Literal["val_loss", "val_accuracy"]
    patience: Count = Field(
        description="epochs without improvement before training stops; at least `epochs`: never stop"
    )


class Schedule(Block):
    """Changes of the learning rate from step to step."""

    kind: Literal["constant", "cosine"] = Field(description="cosine: falls to 0 at the end of the last epoch")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of the steps in which the rate rises from 0 to learning_rate"
    )


class TrainParams(Block):
    """Training of a recurrent model."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    optimizer: Literal["adam", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    schedule: Schedule
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        description="largest norm of the gradients of all weights; 0: no limit"
    )
    label_smoothing: Rate = Field(description="share by which each label moves towards 0.5")
    weight_averaging: Rate = Field(
        description="momentum of the weights' moving average, which becomes the model; 0: off"
    )
    early_stopping: EarlyStopping
    buckets: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="number of equally wide length buckets from 0 to max_length"
    )
