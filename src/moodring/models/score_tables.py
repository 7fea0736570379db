"""The tables of scores that a stage writes for the next one."""

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
    """Write the label and score of each text, in order, as Parquet with `SCHEMA`."""
    with replacing(path) as fresh:
        pq.write_table(pa.table([np.asarray(labels), scores], schema=SCHEMA), fresh)


def read_scores(path: Path, labels: NDArray[np.int8]) -> NDArray[np.float32]:
    """Read the scores that `write_scores` wrote; shape (texts,), float32.

    Raises:
        MoodringError: they are missing or damaged, or the texts have other labels.
    """
    try:
        table = pq.read_table(path)
        if table.schema != SCHEMA:
            raise ValueError(f"its columns are {table.schema.names}, not {SCHEMA.names}")
    except (OSError, ValueError) as error:  # Arrow raises both
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error
    if not np.array_equal(table["label"].to_numpy(), labels):
        raise MoodringError(
            f"{path} is of other texts: {table.num_rows} labels that are not the split's {len(labels)}. "
            "Run `dvc repro` to make it."
        )
    return np.asarray(table["score"].to_numpy(), dtype=np.float32)
