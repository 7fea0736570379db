"""The tables that stages pass on as Parquet: split, label, text, and of a raw text perhaps its source."""

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
SOURCE = pa.field("source", pa.string())  # where a raw text comes from; not every dataset tells
SPLITS = ("train", "validation", "test")
NEGATIVE, POSITIVE = 0, 1
ROWS = 8192  # of a row group, and so of a piece in memory


class Rows(Protocol):
    """A table that can be read piece by piece, more than once: Arrow's in memory, or a `StoredTable`."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns, with the table's metadata."""

    def to_batches(self) -> Iterable[pa.RecordBatch]:
        """The rows in order."""


class StoredTable:
    """A table that a stage wrote, read a row group at a time: it may be larger than memory.

    Raises:
        MoodringError: it is missing, damaged, or of other columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False)
        except (OSError, pa.ArrowInvalid) as error:
            raise self._unreadable(error) from error
        self.schema: pa.Schema = self._file.schema_arrow
        if self.schema.remove_metadata() not in (SCHEMA, SCHEMA.append(SOURCE)):
            raise MoodringError(f"{path} holds other columns than {SCHEMA.names}: {self.schema.names}")

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in order, `ROWS` at most in a piece.

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
    """A table of `SCHEMA` from its columns, and of `SOURCE` where sources are given.

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
    """SHA-256 over the rows in order: split, label and text of each, so that repacking changes nothing."""
    digest = hashlib.sha256()
    for batch in table.select(SCHEMA.names).to_batches(max_chunksize=4096):
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        for split, label, text in rows:
            content = text.encode()
            digest.update(f"{split}\t{label}\t{len(content)}\n".encode() + content)
    return digest.hexdigest()


def check_classes(table: pa.Table, name: str) -> None:
    """Check that train and test both hold rows of both classes; the columns split and label are enough.

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


@contextmanager
def writing_table(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write a table as Parquet piece by piece, whole or not at all; yields what writes a piece."""
    with replacing(path) as fresh, pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
        yield lambda piece: writer.write_table(piece, row_group_size=ROWS)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, whole or not at all."""
    with writing_table(path, table.schema) as write:
        write(table)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
