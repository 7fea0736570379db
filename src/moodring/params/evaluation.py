"""The block `evaluate`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block


class EvaluateParams(Block):
    """How the scores of the test split are evaluated."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(description="a score at or above it is positive")
    bins: Annotated[int, Field(ge=2, le=100)] = Field(
        description="number of equally wide score bins for the calibration error"
    )
    calibration: Literal["none", "temperature"] = Field(
        description="temperature: divide all logits by one number, fitted on the validation split"
    )
    mistakes: Annotated[int, Field(ge=0, le=1000)] = Field(
        description="number of the most confident mistakes that the report lists"
    )
