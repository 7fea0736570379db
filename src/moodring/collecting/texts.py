"""The raw test texts of a result, and their digest: two results were tested on the same texts, or not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from moodring.collecting.records import Files
from moodring.collecting.results import Result
from moodring.io.tables import SCHEMA

RAW = "data/raw.parquet"


@dataclass(frozen=True)
class RawTexts:
    """The test split of a raw table.

    Args:
        digest: SHA-256 over label and text of each row in order.
        texts: before cleaning, in the order of the scores.
    """

    digest: str
    texts: tuple[str, ...]


class TextReader:
    """Reads the test texts of results, each table once.

    Args:
        files: of the checkout.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read: dict[str, RawTexts | None] = {}

    def of(self, result: Result) -> RawTexts | None:
        """The test texts of a result; None if its raw table is not in this checkout."""
        if result.record is None or result.raw is None:
            return None
        if result.raw not in self._read:
            content = self._files.read(result.record, RAW)
            self._read[result.raw] = None if content is None else read_test_texts(content)
        return self._read[result.raw]

    def identities(self, results: list[Result]) -> list[str | None]:
        """What identifies the test texts of each result: equal texts have equal ones; None: unknown.

        Results with the same raw table need not be read.
        """
        tables = {result.raw for result in results if result.raw is not None}
        if len(tables) <= 1:
            return [result.raw for result in results]
        read = [self.of(result) for result in results]
        return [
            result.raw if texts is None else texts.digest for result, texts in zip(results, read, strict=True)
        ]


def read_test_texts(content: bytes) -> RawTexts | None:
    """Read the test split of a raw table; None if it is damaged."""
    try:
        table = pq.read_table(pa.BufferReader(content), columns=SCHEMA.names)
    except (OSError, pa.ArrowInvalid):
        return None  # as missing: a note says so
    rows = table.filter(pc.equal(table["split"], "test"))
    texts, digest = tuple(rows["text"].to_pylist()), hashlib.sha256()
    for label, text in zip(rows["label"].to_pylist(), texts, strict=True):
        written = text.encode()
        digest.update(f"{label}\t{len(written)}\n".encode() + written)
    return RawTexts(digest.hexdigest(), texts)
