"""The block `train`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block, Count, Rate


class EarlyStopping(Block):
    """When training ends before its last epoch. The best epoch's weights are restored either way."""

    monitor: Literal["val_loss", "val_accuracy"]
    patience: Count = Field(description="epochs without improvement; at least `epochs`: never stop")


class Schedule(Block):
    """How the learning rate changes from one step to the next."""

    kind: Literal["constant", "cosine"] = Field(description="cosine: down to 0 at the last epoch's end")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of all steps in which it rises from 0 to learning_rate"
    )


class TrainParams(Block):
    """How a recurrent model is fitted."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    optimizer: Literal["adam", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    schedule: Schedule
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        description="the gradients' norm at most, over all weights; 0: no limit"
    )
    label_smoothing: Rate = Field(description="share of each label that is drawn to the middle")
    weight_averaging: Rate = Field(
        description="momentum of the weights' moving average, which is what is kept; 0: off"
    )
    early_stopping: EarlyStopping
    buckets: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="equally wide length buckets from 0 to max_length"
    )
