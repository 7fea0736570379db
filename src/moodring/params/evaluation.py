"""The blocks `evaluate` and `behaviour`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from moodring.params.base import Block

Text = Annotated[str, Field(pattern=r"\S")]


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


class PairParams(Block):
    """Two texts of which the first must score higher."""

    higher: Text
    lower: Text

    @model_validator(mode="after")
    def _differ(self) -> PairParams:
        if self.higher == self.lower:
            raise ValueError(f"higher and lower must differ, received twice: {self.higher!r}")
        return self


class BehaviourParams(Block):
    """Checks of `moodring promote` on texts of the user's; no stage reads them."""

    pairs: list[PairParams] = Field(
        default=[], description="texts of which `higher` must have a higher score than `lower`"
    )

    @property
    def pairs_of_texts(self) -> list[tuple[str, str]]:
        """The pairs as (higher, lower)."""
        return [(pair.higher, pair.lower) for pair in self.pairs]
