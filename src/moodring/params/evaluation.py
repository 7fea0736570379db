"""The block `evaluate`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block


class EvaluateParams(Block):
    """How the scores of the test split are judged."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(description="a score at or above it is positive")
    bins: Annotated[int, Field(ge=2, le=100)] = Field(
        description="equally wide score bins of the calibration error"
    )
    calibration: Literal["none", "temperature"] = Field(
        description="temperature: one divisor of all logits, fitted on the validation split"
    )
    mistakes: Annotated[int, Field(ge=0, le=1000)] = Field(
        description="how many of the most confident mistakes are listed with their texts"
    )
