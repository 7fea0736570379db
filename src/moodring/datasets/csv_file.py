"""Reads a CSV file of the user's. A message names the line of the file."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as pa_csv

from moodring.datasets.likely import wrong_bytes, wrong_kind, wrong_separator
from moodring.errors import MoodringError

MAX_BYTES = 2**31 - 1
_NEAR = 20  # records below which no header is looked for
_ESCAPED = re.compile(r'\\"(?![",\r\n])')  # a text may end in a backslash
_START = 4096  # bytes that show what kind of file it is


def read_header(path: Path, name: str, wanted: Collection[str] = ()) -> list[str]:
    """The names of the columns.

    Args:
        path: the file.
        name: the file's, for messages.
        wanted: names of columns that must be there. They only help to say what is wrong.

    Raises:
        MoodringError: the file has no header or is not UTF-8, or no commas separate its columns.
    """
    with path.open("rb") as binary:
        if problem := wrong_kind(binary.read(_START), name):
            raise MoodringError(problem)
    try:
        with _lines(path) as stream:
            start = next((line for line in stream if line.strip()), "")
        names = next((record for _, _, record in _records(path)), [])
    except UnicodeDecodeError as error:
        raise MoodringError(wrong_bytes(path.read_bytes(), name) or f"cannot read {name}: {error}") from error
    if problem := wrong_separator(start, name, wanted):
        raise MoodringError(problem)
    if not names:
        raise MoodringError(f"{name} is empty: a header and rows are expected")
    return names


def read_rows(path: Path, name: str, names: list[str]) -> pa.Table:
    """All rows, every column as text; `names` are those of `read_header`.

    Raises:
        MoodringError: the file is too large or not UTF-8, a row has too few or too many columns, or there is
            no row.
    """
    if (size := path.stat().st_size) >= MAX_BYTES:
        raise MoodringError(
            f"{name} has {size} bytes; a CSV file may have up to {MAX_BYTES}. Save it as Parquet."
        )
    # Read every column as text: the type of a label must not depend on other rows.
    options = pa_csv.ParseOptions(newlines_in_values=True)
    # One block for the whole file: Arrow cannot read a value that crosses two blocks.
    reading = pa_csv.ReadOptions(block_size=max(size + 1, 1 << 20), use_threads=False)
    strings = {column: pa.string() for column in names}
    converting = pa_csv.ConvertOptions(column_types=strings, strings_can_be_null=False)
    try:
        table = pa_csv.read_csv(path, read_options=reading, parse_options=options, convert_options=converting)
    except pa.ArrowInvalid as error:
        problem = wrong_bytes(path.read_bytes(), name) or _wrong_rows(path, name, len(names))
        raise MoodringError(problem or f"cannot read {name}: {error}") from error
    if not table.num_rows:
        raise MoodringError(_wrong_rows(path, name, len(names)))
    return table


def header_line(path: Path, wanted: Collection[str]) -> int | None:
    """The line of the first record that contains all these names, if it is near the top of the file."""
    for first, _, record in itertools.islice(_records(path), _NEAR):
        if set(wanted) <= set(record):
            return first
    return None


def escaped_quotes(path: Path) -> list[int]:
    r"""The lines with \" inside a text, as some programs write a quotation mark; CSV doubles it."""
    with _lines(path) as stream:
        return [number for number, line in enumerate(stream, start=1) if _ESCAPED.search(line)]


def lines_of(path: Path, rows: Collection[int]) -> dict[int, tuple[int, int]]:
    """The first and the last line of rows. Rows are counted from 0 without the header, lines from 1."""
    last = max(rows, default=-1)
    found = enumerate(itertools.islice(_records(path), 1, last + 2))
    return {row: (first, end) for row, (first, end, _) in found if row in rows}


def open_quote(path: Path, row: int) -> int | None:
    """The line where the last row begins, if a quotation mark in it is not closed before the file ends."""
    first, _ = lines_of(path, {row}).get(row, (1, 1))
    with _lines(path) as stream:
        marks = sum(line.count('"') for line in itertools.islice(stream, first - 1, None))
    return first if marks % 2 else None


def _wrong_rows(path: Path, name: str, columns: int) -> str:
    """What is wrong with the first row that has too few or too many columns; empty: nothing is."""
    if not list(itertools.islice(_records(path), 1, 2)):
        return f"{name} has a header and no rows"
    for first, last, record in _records(path):
        if len(record) == columns:
            continue
        shown = ",".join(record)
        found = f"{name}, line {first}: {columns} columns are expected, received {len(record)}: {shown!r:.80}"
        if last > first:
            return (
                f"{found}. The row goes on to line {last}: is a quotation mark not closed? A quotation mark "
                "inside a quoted text must be doubled"
            )
        if len(record) > columns:
            return (
                f'{found}. A text with a comma must be in quotation marks: "a, b", without blanks around '
                'them; inside they are doubled: "say ""hi"""'
            )
        return found
    return ""


def _records(path: Path) -> Iterator[tuple[int, int, list[str]]]:
    """The first line, the last line and the fields of each record, the header included; no blank lines."""
    csv.field_size_limit(MAX_BYTES)  # Python's own limit is smaller than some texts
    with _lines(path) as stream:
        reader = csv.reader(stream)
        before = 0
        for record in reader:
            if record:
                yield before + 1, reader.line_num, record
            before = reader.line_num


def _lines(path: Path) -> IO[str]:
    return path.open(encoding="utf-8-sig", newline="")
