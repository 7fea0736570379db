"""Score raw texts with the cleaner, vocabulary, model and temperature that were evaluated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from moodring.corpus.arrays import VOCABULARY
from moodring.corpus.ragged import OOV, Ragged
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import FULL, MoodringError, no_space
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
        """The probability of positive for each raw text, in order; shape (texts,), float32.

        Raises:
            MoodringError: a text is not a string, or not valid Unicode.
        """
        return self._scores_of(self._encoded(self._clean(texts)))

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """A row a text, in order: score (probability of positive), label (positive, negative).

        Raises:
            MoodringError: as `scores`.
        """
        return self._table(self.scores(texts))

    def explain(self, texts: Sequence[str]) -> pd.DataFrame:
        """As `predict`, and how many words each text has after cleaning, and how many of them are unknown.

        The columns: score, label, words, unknown.

        Raises:
            MoodringError: as `scores`.
        """
        clean = self._clean(texts)
        encoded = self._encoded(clean)
        words = word_counts(clean)
        known = np.append(0, np.cumsum(encoded.tokens != OOV))
        known = known[encoded.offsets[1:]] - known[encoded.offsets[:-1]]
        return self._table(self._scores_of(encoded)).assign(words=words, unknown=words - known)

    def _clean(self, texts: Sequence[str]) -> pa.ChunkedArray:
        for place, text in enumerate(texts):
            check_text(text, place)
        return self._cleaner.clean_all(texts)

    def _encoded(self, clean: pa.ChunkedArray) -> Ragged:
        return self._vocabulary.encode(clean)

    def _scores_of(self, encoded: Ragged) -> NDArray[np.float32]:
        return apply_temperature(score(self._model, encoded, self._padding), self._temperature)

    def _table(self, scores: NDArray[np.float32]) -> pd.DataFrame:
        labels = LABELS[(scores >= self._threshold).astype(int)]
        return pd.DataFrame({"score": scores.astype(float), "label": labels})


def word_counts(clean: pa.ChunkedArray) -> NDArray[np.int64]:
    """The number of words of each clean text, whose words are joined by single spaces; shape (texts,)."""
    spaces = pc.count_substring(clean, " ").to_numpy()
    return np.asarray(spaces + pc.not_equal(clean, "").to_numpy(), dtype=np.int64)


def check_text(text: object, place: int) -> None:
    """Refuse what is no text, or a text that no file in UTF-8 could hold.

    Args:
        text: the value.
        place: its position, from 0, for the message.

    Raises:
        MoodringError: it is not a string, or it has a lone surrogate.
    """
    if not isinstance(text, str):
        raise MoodringError(
            f"text {place} (from 0) must be a string, received: {text!r:.80} ({type(text).__name__}). "
            "Leave out missing texts, and convert other values to strings."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MoodringError(
            f"text {place} (from 0) is not valid Unicode: character {error.start} is the lone surrogate "
            f"{text[error.start]!r}. Decode the text from its true encoding, or replace the character."
        ) from None


TEXT = "text"


def texts_in(given: Any) -> tuple[list[Any], pd.Index | None]:
    """The texts in what a caller of MLflow's `predict` gives, and the index of their rows if they have one.

    Args:
        given: a text; a list, tuple, array (n,) or (n, 1), or pandas Series of texts; or a table (a pandas
            DataFrame, a dictionary of columns, a list of records) with one column, or with a column `text`.

    Raises:
        MoodringError: it is none of these, or a table with several columns and none of the name `text`.
    """
    if isinstance(given, str):
        return [given], None
    if isinstance(given, dict) or (isinstance(given, list) and given and isinstance(given[0], dict)):
        given = _table_of(given)
    if isinstance(given, pd.DataFrame):
        given = given.iloc[:, _text_column(given)]
    if isinstance(given, np.ndarray):
        if given.ndim == 0 or given.size != len(given):
            raise MoodringError(f"an array of texts has the shape (n,) or (n, 1), received: {given.shape}")
        given = given.ravel()
    # A column's `values` are a pandas array of its own kind.
    if not isinstance(given, list | tuple | np.ndarray | pd.Series | pd.Index | ExtensionArray):
        raise MoodringError(
            "the texts must be a string, or a list, tuple, array, pandas Series or table of strings, "
            f"received: {type(given).__name__}. Convert another collection: list(texts)."
        )
    return list(given), given.index if isinstance(given, pd.Series) else None


def _table_of(rows: Any) -> pd.DataFrame:
    try:
        return pd.DataFrame(rows)
    except (ValueError, TypeError, AttributeError) as error:
        raise MoodringError(f"the texts are not a table: {error}. Give one value for each row.") from error


def _text_column(table: pd.DataFrame) -> int:
    """The position of the column with the texts."""
    names = list(table.columns)
    if len(names) == 1:
        return 0
    if names.count(TEXT) == 1:
        return names.index(TEXT)
    shown = ", ".join(map(repr, names)) or "none"
    raise MoodringError(
        f"a table needs one column, or one column of the name {TEXT!r}, received the columns: {shown}. Give "
        "the column with the texts alone, such as table['review']."
    )


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
        if error.errno in FULL:
            raise MoodringError(no_space(error, bundle)) from error
        raise MoodringError(f"cannot read the model: {error}. Run `dvc repro` to make it.") from error
