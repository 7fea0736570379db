"""Scores as stages pass them on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from moodring.errors import MoodringError
from moodring.io.files import replacing

SCHEMA = pa.schema([("label", pa.int8()), ("score", pa.float32())])


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
