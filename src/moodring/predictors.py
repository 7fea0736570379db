"""Reading a result's classifier back to score with, whatever its kind."""

from __future__ import annotations

from pathlib import Path

from moodring.results import LINEAR, model_file
from moodring.scoring import Predictor


def read_model(path: Path) -> Predictor:
    """Load the classifier of a result's directory; nothing in it is run as code.

    Raises:
        MoodringError: it is missing or damaged.
    """
    if (file := model_file(path)).name == LINEAR:
        from moodring.nbsvm import Nbsvm

        return Nbsvm.load(file)
    from moodring.model_files import load_model  # Keras takes seconds to import

    model: Predictor = load_model(file)
    return model
