"""The model that MLflow serves: run by MLflow itself whenever it loads one ("models from code")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class SentimentModel(PythonModel):
    """Raw texts to a table with `score` (probability of positive) and `label`, a row a text, in order."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was logged with the model."""
        from moodring.serving.scorer import TextScorer

        self._scorer = TextScorer.from_bundle(Path(context.artifacts["bundle"]))

    # The names and the hint of the input are MLflow's interface: it reads the signature off them.
    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: list[str],
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Score raw texts."""
        return self._scorer.predict(list(model_input))


set_model(SentimentModel())
