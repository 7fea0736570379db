"""The user's own CSV or Parquet file, described in params.yaml."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from moodring.checkout.root import own_file
from moodring.datasets.csv_file import header_line, lines_of, read_header, read_rows
from moodring.datasets.likely import close_name, listed, lookalike
from moodring.datasets.quotation import report_escaped, report_line_breaks
from moodring.errors import MoodringError
from moodring.io.tables import NEGATIVE, POSITIVE, make_table
from moodring.params.data import FileSource

# What Arrow raises if a Python value cannot hold a column's value, for example a date after the year 9999.
_NO_PYTHON_VALUE = (pa.ArrowException, OverflowError, ValueError, KeyError)


def read(source: FileSource) -> pa.Table:
    """Read the file's rows in order; a missing text becomes an empty one.

    All rows are in the split `train`, unless `source.split` names a column with the splits. Messages name
    lines of a CSV file, and rows of a Parquet file; both are counted from 1.

    Raises:
        MoodringError: the file is missing, unreadable, not UTF-8, lacks a named column, or has a
            label or split that the source block does not name; or DVC does not see it.
    """
    return read_from(own_file(source.path), source)


def read_from(path: Path, source: FileSource) -> pa.Table:
    """Like `read`, from any place."""
    if source.text == source.label:
        raise MoodringError(f"text and label must be two columns, received twice: {source.text!r}")
    file = OwnFile(path, source.path)
    wanted = list(dict.fromkeys(filter(None, (source.text, source.label, source.split, source.origin))))
    file.check(wanted)
    table = file.table(wanted)
    meaning = _meaning(source)
    texts = [_text(value, row, file, source) for row, value in enumerate(file.values(table, source.text))]
    found = file.values(table, source.label)
    labels = [_label(value, row, meaning, file, source) for row, value in enumerate(found)]
    splits = ["train"] * len(texts)
    if source.split:
        splits = [_split(value, row, file) for row, value in enumerate(file.values(table, source.split))]
    if file.is_csv:
        report_line_breaks(file, table, source.label, lambda label: label_key(label) in meaning)
        report_escaped(file, table)
    return make_table(splits, labels, texts, _origins(file, table, source))


class OwnFile:
    """A CSV or Parquet file with texts.

    `columns` are the names of all columns, `plain` those of columns with texts, numbers or booleans.

    Args:
        path: the file.
        name: the file's, for messages.

    Raises:
        MoodringError: it is of another kind, or its columns cannot be read.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        suffix = path.suffix.lower()
        if suffix not in {".csv", ".parquet"}:
            raise MoodringError(f"{name}: a .csv or .parquet file is needed, received: {suffix!r}")
        self.is_csv = suffix == ".csv"
        with self._readable():
            if self.is_csv:
                self.columns = read_header(path, name)
                self.plain = self.columns
            else:
                schema = pq.ParquetFile(path).schema_arrow
                self.columns = schema.names
                self.plain = [field.name for field in schema if _is_plain(field.type)]

    def check(self, wanted: list[str]) -> None:
        """Check that each wanted column is there once.

        Raises:
            MoodringError: one is missing, or there twice.
        """
        if self.is_csv and not set(wanted) <= set(self.columns):
            with self._readable():
                read_header(self.path, self.name, wanted)
        for column in wanted:
            if (count := self.columns.count(column)) != 1:
                raise MoodringError(
                    f"{self.name} must have one column {column!r}, received {count}; "
                    f"its columns: {listed(self.columns)}{'' if count else self._missing(column, wanted)}"
                )

    def _missing(self, column: str, wanted: list[str]) -> str:
        """A sentence on why a column may be missing."""
        if alike := lookalike(column, self.columns):
            return alike
        if not self.is_csv:
            return close_name(column, self.columns)
        with self._readable():
            line = header_line(self.path, wanted)
        if line is not None:
            return f". Line {line} has the names: remove the lines above it"
        return close_name(column, self.columns) or ". The first line must name the columns"

    def table(self, wanted: list[str]) -> pa.Table:
        """The rows; of a Parquet file only the wanted columns.

        Raises:
            MoodringError: the file is damaged or has no rows.
        """
        with self._readable():
            if self.is_csv:
                return read_rows(self.path, self.name, self.columns)
            table = pq.ParquetFile(self.path).read(columns=wanted).select(wanted)
            table.validate(full=True)  # for example: is the text UTF-8?
        if not table.num_rows:
            raise MoodringError(f"{self.name} has no rows")
        return table

    def values(self, table: pa.Table, column: str) -> list[object]:
        """A column's values.

        Raises:
            MoodringError: a value has no equal in Python.
        """
        try:
            values: list[object] = table[column].to_pylist()
        except _NO_PYTHON_VALUE as error:
            raise MoodringError(
                f"{self.name}: the column {column!r} has the type {table[column].type}, and a value of it "
                "cannot be read. Save the column as text."
            ) from error
        return values

    def place(self, row: int) -> str:
        """A row as messages name it; rows are counted from 0 here."""
        if self.is_csv and (lines := lines_of(self.path, {row}).get(row)):
            return f"{self.name}, line {lines[0]}"
        return f"{self.name}, row {row + 1}"

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, csv.Error, OSError, UnicodeDecodeError) as error:
            raise MoodringError(f"cannot read {self.name}: {error}") from error


def _is_plain(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean)
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(test(kind) for test in (*tests, *numbers))


def _text(value: object, row: int, file: OwnFile, source: FileSource) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MoodringError(
            f"{file.place(row)}: column {source.text!r} must contain text, received: {value!r:.80}"
        )
    return value


def _split(value: object, row: int, file: OwnFile) -> str:
    if value not in ("train", "test"):
        raise MoodringError(
            f"{file.place(row)}: split must be train or test, received: {value!r:.80}"
            f"{lookalike(str(value), ('train', 'test'))}"
        )
    return str(value)


def _origins(file: OwnFile, table: pa.Table, source: FileSource) -> list[str] | None:
    if source.origin is None:
        return None
    return ["" if value is None else str(value) for value in file.values(table, source.origin)]


def _meaning(source: FileSource) -> dict[str, int]:
    meaning = {label_key(value): POSITIVE for value in source.positive}
    for value in source.negative:
        if meaning.setdefault(label_key(value), NEGATIVE) == POSITIVE:
            raise MoodringError(f"label {value!r} is in both positive and negative: choose one")
    return meaning


def _label(value: object, row: int, meaning: dict[str, int], file: OwnFile, source: FileSource) -> int:
    label = None if value is None else meaning.get(label_key(value))
    if label is None:
        known = [str(name) for name in (*source.positive, *source.negative)]
        alike = "" if value is None else lookalike(str(value), known)
        raise MoodringError(
            f"{file.place(row)}: label {value!r:.80} is neither in positive "
            f"{source.positive} nor in negative {source.negative}{alike}"
        )
    return label


def label_key(value: object) -> str:
    """Spell a label the same way, whether it comes from params.yaml, CSV or Parquet."""
    text = str(value).strip().lower()
    with contextlib.suppress(ValueError):
        number = float(text)
        return str(int(number)) if number.is_integer() else str(number)
    return text
