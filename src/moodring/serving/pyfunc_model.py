"""The served model. MLflow runs this file when it loads a logged model ("models from code")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class SentimentModel(PythonModel):
    """Scores raw texts: a table with `score` (probability of positive) and `label`, in the texts' order."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was logged with the model."""
        from moodring.serving.scorer import TextScorer

        self._scorer = TextScorer.from_bundle(Path(context.artifacts["bundle"]))

    # MLflow derives the model's signature from the argument's name and type hint.
    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: list[str],
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Score raw texts."""
        return self._scorer.predict(list(model_input))


set_model(SentimentModel())
