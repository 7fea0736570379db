"""The served model. MLflow runs this file when it loads a logged model ("models from code")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class SentimentModel(PythonModel):
    """Scores raw texts: a table with `score` (probability of positive) and `label`, in the texts' order."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was logged with the model."""
        from moodring.serving.scorer import TextScorer

        self._scorer = TextScorer.from_bundle(Path(context.artifacts["bundle"]))

    # MLflow checks and changes the input by this type hint. For a table it does neither: with `list[str]` it
    # would score the first of several columns. `texts_in` accepts much more than a table.
    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score raw texts; see `texts_in` for the forms in which they may come.

        Raises:
            MlflowException: what was given are no texts, or there are params. Its code is that of a client's
                error, so that MLflow's server answers with 400 and no stack trace.
        """
        from moodring.errors import MoodringError
        from moodring.serving.scorer import texts_in

        # MLflow removes all params that a signature does not have, but leaves an empty dictionary.
        if params is not None:
            raise MlflowException.invalid_parameter_value(
                "this model takes no params, and some were given. Leave `params` out."
            )
        try:
            texts, index = texts_in(model_input)
            table = self._scorer.predict(texts)
        except MoodringError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return table if index is None else table.set_index(index)


set_model(SentimentModel())
