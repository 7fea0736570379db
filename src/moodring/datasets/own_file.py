"""The user's own CSV or Parquet file, described in params.yaml."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from moodring.checkout.root import find_file
from moodring.errors import MoodringError
from moodring.io.tables import NEGATIVE, POSITIVE, make_table
from moodring.params.data import FileSource

MAX_CSV_BYTES = 2**31 - 1


def read(source: FileSource) -> pa.Table:
    """Read the file's rows in order; a missing text becomes an empty one. Messages count rows from 1.

    All rows are in the split `train`, unless `source.split` names a column with the splits.

    Raises:
        MoodringError: the file is missing, unreadable, not UTF-8, lacks a named column, or has a
            label or split that the source block does not name.
    """
    path = find_file(source.path)
    table = _read_file(path)
    columns = [source.text, source.label, source.split, source.origin]
    for column in filter(None, columns):
        if table.column_names.count(column) != 1:
            raise MoodringError(
                f"{source.path} must have one column {column!r}; its columns: {', '.join(table.column_names)}"
            )
    texts = [_text(value, row, source) for row, value in enumerate(table[source.text].to_pylist(), start=1)]
    meaning = {_key(value): POSITIVE for value in source.positive}
    for value in source.negative:
        if meaning.setdefault(_key(value), NEGATIVE) == POSITIVE:
            raise MoodringError(f"label {value!r} is in both positive and negative: choose one")
    labels = [
        _label(value, row, meaning, source)
        for row, value in enumerate(table[source.label].to_pylist(), start=1)
    ]
    splits = table[source.split].to_pylist() if source.split else ["train"] * len(texts)
    for row, split in enumerate(splits, start=1):
        if split not in ("train", "test"):
            raise MoodringError(
                f"{source.path}, row {row}: split must be train or test, received: {split!r:.80}"
            )
    return make_table(splits, labels, texts, _origins(table, source))


def _read_file(path: Path) -> pa.Table:
    try:
        match path.suffix.lower():
            case ".parquet":
                table = pq.read_table(path)
                table.validate(full=True)  # for example: is the text UTF-8?
                return table
            case ".csv":
                return _read_csv(path)
            case suffix:
                raise MoodringError(f"{path.name}: a .csv or .parquet file is needed, received: {suffix!r}")
    except (pa.ArrowInvalid, pa.ArrowKeyError, csv.Error, UnicodeDecodeError, OSError) as error:
        raise MoodringError(f"cannot read {path.name}: {error}") from error


def _read_csv(path: Path) -> pa.Table:
    if (size := path.stat().st_size) >= MAX_CSV_BYTES:
        raise MoodringError(
            f"{path.name} has {size} bytes; a CSV file may have up to {MAX_CSV_BYTES}. Save it as Parquet."
        )
    # Read every column as text: the type of a label must not depend on other rows.
    options = pa_csv.ParseOptions(newlines_in_values=True)
    # One block for the whole file: Arrow cannot read a value that crosses two blocks.
    reading = pa_csv.ReadOptions(block_size=max(size + 1, 1 << 20), use_threads=False)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = next(csv.reader(stream), [])
    strings = {name: pa.string() for name in names}
    converting = pa_csv.ConvertOptions(column_types=strings, strings_can_be_null=False)
    return pa_csv.read_csv(path, read_options=reading, parse_options=options, convert_options=converting)


def _text(value: object, row: int, source: FileSource) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MoodringError(
            f"{source.path}, row {row}: column {source.text!r} must contain text, received: {value!r:.80}"
        )
    return value


def _origins(table: pa.Table, source: FileSource) -> list[str] | None:
    if source.origin is None:
        return None
    return ["" if value is None else str(value) for value in table[source.origin].to_pylist()]


def _label(value: object, row: int, meaning: dict[str, int], source: FileSource) -> int:
    label = None if value is None else meaning.get(_key(value))
    if label is None:
        raise MoodringError(
            f"{source.path}, row {row}: label {value!r:.80} is neither in positive "
            f"{source.positive} nor in negative {source.negative}"
        )
    return label


def _key(value: object) -> str:
    """Spell a label the same way, whether it comes from params.yaml, CSV or Parquet."""
    text = str(value).strip().lower()
    with contextlib.suppress(ValueError):
        number = float(text)
        return str(int(number)) if number.is_integer() else str(number)
    return text
