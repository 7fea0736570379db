"""Load a result's classifier, of any kind."""

from __future__ import annotations

from pathlib import Path

from moodring.checkout.backend import import_keras
from moodring.models.result import BLEND, LINEAR, MODEL, model_files
from moodring.models.scoring import Predictor


def read_model(path: Path) -> Predictor:
    """Load the classifier of a result's directory; this runs no code from its files.

    Raises:
        MoodringError: it is missing or damaged.
    """
    files = {file.name: file for file in model_files(path)}
    if MODEL not in files:
        return _linear(files[LINEAR])
    import_keras()
    from moodring.models.keras_files import load_model

    network: Predictor = load_model(files[MODEL])
    if BLEND not in files:
        return network
    from moodring.models.blend import Blend, BlendWeights

    return Blend(network, _linear(path / LINEAR), BlendWeights.load(files[BLEND]))


def _linear(path: Path) -> Predictor:
    from moodring.models.nbsvm import Nbsvm

    return Nbsvm.load(path)
