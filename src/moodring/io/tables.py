"""The Parquet tables between stages: split, label and text, and in raw tables optionally source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from moodring.errors import MoodringError
from moodring.io.files import replacing

SCHEMA = pa.schema([("split", pa.string()), ("label", pa.int8()), ("text", pa.string())])
SOURCE = pa.field("source", pa.string())  # origin of a raw text; only some datasets have it
SPLITS = ("train", "validation", "test")
NEGATIVE, POSITIVE = 0, 1
CLASSES = ("negative", "positive")  # by label
ROWS = 8192  # rows of a row group; so many are in memory at a time


class Rows(Protocol):
    """A table that can be read in pieces several times: an Arrow table in memory, or a `StoredTable`."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns, with the table's metadata."""

    def to_batches(self) -> Iterable[pa.RecordBatch]:
        """The rows in order."""


class StoredTable:
    """A table that a stage wrote. It is read in row groups, so it may be larger than memory.

    Raises:
        MoodringError: the table is missing or damaged, or has other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise self._unreadable(error) from error
        self.schema: pa.Schema = self._file.schema_arrow
        if self.schema.remove_metadata() not in (SCHEMA, SCHEMA.append(SOURCE)):
            raise MoodringError(
                f"{path} must have the columns {SCHEMA.names}, received: {self.schema.names}. "
                "Run `dvc repro` to make it."
            )

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in order, at most `ROWS` at a time.

        Raises:
            MoodringError: the file is damaged.
        """
        try:
            yield from self._file.iter_batches(batch_size=ROWS)
        except (OSError, pa.ArrowInvalid) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> MoodringError:
        return MoodringError(f"cannot read {self._path}: {error}. Run `dvc repro` to make it.")


def make_table(
    splits: Sequence[str], labels: Sequence[int], texts: Sequence[str], sources: Sequence[str] | None = None
) -> pa.Table:
    """Build a table of `SCHEMA` from its columns; with sources, add the column `SOURCE`.

    Raises:
        MoodringError: a text cannot be written as UTF-8 (a lone surrogate).
    """
    try:
        table = pa.table([pa.array(splits), labels, texts], schema=SCHEMA)
        return table if sources is None else table.append_column(SOURCE, pa.array(sources, SOURCE.type))
    except UnicodeEncodeError as error:
        row = next(i for i, text in enumerate(texts) if not _encodable(text))
        raise MoodringError(f"the text of row {row} is not valid Unicode: {error}") from error


def content_digest(table: pa.Table) -> str:
    """SHA-256 over split, label and text of each row in order; the file's compression does not matter."""
    digest = hashlib.sha256()
    for batch in table.select(SCHEMA.names).to_batches(max_chunksize=4096):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        for split, label, text in rows:
            content = text.encode()
            digest.update(f"{split}\t{label}\t{len(content)}\n".encode() + content)
    return digest.hexdigest()


def check_classes(table: pa.Table, name: str) -> None:
    """Check that train and test both have rows of both classes; only split and label are read.

    Raises:
        MoodringError: a class is missing; the message names the split and its labels.
    """
    for split in ("train", "test"):
        labels = table.filter(pc.equal(table["split"], split))["label"]
        classes = sorted(labels.unique().to_pylist())
        if classes != [NEGATIVE, POSITIVE]:
            raise MoodringError(
                f"{name}: the {split} split must contain both classes (0 negative, 1 positive), "
                f"received {len(labels)} rows with the labels {classes}"
            )


@contextmanager
def writing_table(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write a Parquet table in pieces, completely or not at all; yields a function that writes a piece."""
    with replacing(path) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
        yield lambda piece: writer.write_table(piece, row_group_size=ROWS)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, completely or not at all."""
    with writing_table(path, table.schema) as write:
        write(table)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
