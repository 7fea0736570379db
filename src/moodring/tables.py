"""The tables that stages pass on as Parquet: split, label, text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from moodring.errors import MoodringError
from moodring.files import replacing

SCHEMA = pa.schema([("split", pa.string()), ("label", pa.int8()), ("text", pa.string())])
SPLITS = ("train", "validation", "test")
NEGATIVE, POSITIVE = 0, 1


def make_table(splits: Sequence[str], labels: Sequence[int], texts: Sequence[str]) -> pa.Table:
    """A table of `SCHEMA` from its columns.

    Raises:
        MoodringError: a text cannot be written as UTF-8 (a lone surrogate).
    """
    try:
        return pa.table([pa.array(splits), labels, texts], schema=SCHEMA)
    except UnicodeEncodeError as error:
        row = next(i for i, text in enumerate(texts) if not _encodable(text))
        raise MoodringError(f"the text of row {row} is not valid Unicode: {error}") from error


def content_digest(table: pa.Table) -> str:
    """SHA-256 over the rows in order: split, label and text of each, so that repacking changes nothing."""
    digest = hashlib.sha256()
    for batch in table.to_batches(max_chunksize=4096):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        for split, label, text in rows:
            content = text.encode()
            digest.update(f"{split}\t{label}\t{len(content)}\n".encode() + content)
    return digest.hexdigest()


def check_classes(table: pa.Table, name: str) -> None:
    """Check that train and test both hold rows of both classes.

    Raises:
        MoodringError: saying which split holds what.
    """
    for split in ("train", "test"):
        labels = table.filter(pc.equal(table["split"], split))["label"]
        found = sorted(labels.unique().to_pylist())
        if found != [NEGATIVE, POSITIVE]:
            raise MoodringError(
                f"{name}: the {split} split must hold both classes (0 negative, 1 positive), "
                f"received {len(labels)} rows with the labels {found}"
            )


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, whole or not at all."""
    with replacing(path) as fresh:
        pq.write_table(table, fresh, compression="zstd", row_group_size=8192)


def read_table(path: Path) -> pa.Table:
    """Read a table that a stage wrote.

    Raises:
        MoodringError: it is missing, damaged, or of other columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error
    if table.schema.remove_metadata() != SCHEMA:
        raise MoodringError(f"{path} holds other columns than {SCHEMA.names}: {table.schema.names}")
    return table


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
