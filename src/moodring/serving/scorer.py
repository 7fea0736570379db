"""Score raw texts with the cleaner, vocabulary, model and temperature that were evaluated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from moodring.corpus.arrays import VOCABULARY
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.evaluation.calibration import NONE, apply_temperature
from moodring.io.files import write_json
from moodring.io.tables import StoredTable
from moodring.models.load import read_model
from moodring.models.result import SETTINGS, Settings, model_files, read_settings
from moodring.models.scoring import Predictor, score
from moodring.text.clean_table import cleaner_of
from moodring.text.cleaner import Cleaner

SCORER = "scorer.json"
LABELS = np.array(["negative", "positive"])


class TextScorer:
    """Cleans, encodes and scores raw texts, with the parts that evaluation used.

    Args:
        cleaner: of the preprocess stage.
        vocabulary: of the tokenize stage.
        model: of the train stage.
        settings: of the model; they hold the padding.
        threshold: a score at or above it is positive.
        temperature: of the calibration; see `calibration.apply_temperature`.
    """

    def __init__(
        self,
        cleaner: Cleaner,
        vocabulary: Vocabulary,
        model: Predictor,
        settings: Settings,
        threshold: float,
        temperature: float = NONE,
    ) -> None:
        self._cleaner = cleaner
        self._vocabulary = vocabulary
        self._model = model
        self._padding = settings.padding
        self._threshold = threshold
        self._temperature = temperature

    @classmethod
    def from_bundle(cls, bundle: Path) -> TextScorer:
        """Load the scorer from a directory that `write_bundle` wrote.

        Raises:
            MoodringError: a file is missing or damaged.
        """
        try:
            scorer = json.loads((bundle / SCORER).read_text(encoding="utf-8"))
            cleaner, threshold = Cleaner.from_recipe(scorer["cleaning"]), float(scorer["threshold"])
            temperature = float(scorer.get("temperature", NONE))  # an older bundle has none
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MoodringError(
                f"cannot read the scorer of {bundle}: {error}. Log the model again: `moodring sync`."
            ) from error
        vocabulary = Vocabulary.load(bundle / VOCABULARY)
        return cls(cleaner, vocabulary, read_model(bundle), read_settings(bundle), threshold, temperature)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The probability of positive for each raw text, in order; shape (texts,), float32."""
        encoded = self._vocabulary.encode(self._cleaner.clean_all(texts))
        return apply_temperature(score(self._model, encoded, self._padding), self._temperature)

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """A row a text, in order: score (probability of positive), label (positive, negative)."""
        scores = self.scores(texts)
        labels = LABELS[(scores >= self._threshold).astype(int)]
        return pd.DataFrame({"score": scores.astype(float), "label": labels})


def write_bundle(
    bundle: Path, models: Path, vocabulary: Path, clean: Path, threshold: float, temperature: float = NONE
) -> None:
    """Write all files that `TextScorer` needs into one directory.

    Args:
        bundle: the directory; created if it is missing.
        models: the train stage's directory.
        vocabulary: the tokenize stage's file.
        clean: the preprocess stage's table; it records its cleaning.
        threshold: a score at or above it is positive.
        temperature: of the calibration.

    Raises:
        MoodringError: the table or a file of the model cannot be read.
    """
    cleaner = cleaner_of(StoredTable(clean))
    bundle.mkdir(parents=True, exist_ok=True)
    scorer = {"threshold": threshold, "temperature": temperature, "cleaning": cleaner.recipe()}
    write_json(bundle / SCORER, scorer)
    try:
        shutil.copyfile(vocabulary, bundle / VOCABULARY)
        for file in (*model_files(models), models / SETTINGS):
            shutil.copyfile(file, bundle / file.name)
    except OSError as error:
        raise MoodringError(f"cannot read the model: {error}. Run `dvc repro` to make it.") from error
