"""Scores of encoded texts by a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from moodring.batches import Padding, pad, plan
from moodring.errors import MoodringError
from moodring.files import replacing
from moodring.vocabulary import Ragged

BATCH_SIZE = 1024
SCHEMA = pa.schema([("label", pa.int8()), ("score", pa.float32())])


class Predictor(Protocol):
    """What is needed of a Keras model."""

    def predict_on_batch(self, x: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores of shape (batch, 1) for ids of shape (batch, length)."""


def score(model: Predictor, texts: Ragged, padding: Padding) -> NDArray[np.float32]:
    """The probability of positive for each text, in order; shape (texts,), float32."""
    scores = np.empty(len(texts.offsets) - 1, dtype=np.float32)
    for batch in plan(texts.lengths, padding, BATCH_SIZE):
        scores[batch.rows] = np.asarray(model.predict_on_batch(pad(texts, batch)))[:, 0]
    return scores


def write_scores(path: Path, labels: NDArray[np.int8], scores: NDArray[np.float32]) -> None:
    """Write each text's label and score, in the texts' order, as Parquet of `SCHEMA`."""
    with replacing(path) as fresh:
        pq.write_table(pa.table([np.asarray(labels), scores], schema=SCHEMA), fresh)


def read_scores(path: Path, labels: NDArray[np.int8]) -> NDArray[np.float32]:
    """The scores that `write_scores` wrote of texts with these labels; shape (texts,), float32.

    Raises:
        MoodringError: they are missing, damaged, or of other texts.
    """
    try:
        table = pq.read_table(path)
        if table.schema != SCHEMA:
            raise ValueError(f"its columns are {table.schema.names}, not {SCHEMA.names}")
    except (OSError, ValueError) as error:  # Arrow's errors are of both kinds
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error
    if not np.array_equal(table["label"].to_numpy(), labels):
        raise MoodringError(
            f"{path} is of other texts: {table.num_rows} labels that are not the split's {len(labels)}. "
            "Run `dvc repro` to make it."
        )
    return np.asarray(table["score"].to_numpy(), dtype=np.float32)
