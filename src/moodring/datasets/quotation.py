"""Reports rows of a CSV file whose quotation marks are likely wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from moodring.datasets.csv_file import escaped_quotes, lines_of, open_quote
from moodring.datasets.likely import swallowed
from moodring.errors import MoodringError, warn

if TYPE_CHECKING:
    from moodring.datasets.own_file import OwnFile

SHOWN = 5  # suspicious rows that a warning names


def report_line_breaks(
    file: OwnFile, table: pa.Table, label_column: str, known: Callable[[str], bool]
) -> None:
    """Say how many rows have line breaks, and which of them look as if they were several rows.

    Args:
        file: a CSV file.
        table: its rows.
        label_column: the name of the column with the label.
        known: whether a label is one of those that params.yaml names.

    Raises:
        MoodringError: the last row's quotation mark is not closed.
    """
    broken = [pc.match_substring_regex(column, r"[\r\n]") for column in table.columns]
    rows = sorted({row for found in broken for row in pc.indices_nonzero(found).to_pylist()})
    if not rows:
        return
    if rows[-1] == table.num_rows - 1 and (line := open_quote(file.path, rows[-1])):
        raise MoodringError(f"{file.name}, line {line}: a quotation mark opens in this row and is not closed")
    label, width = file.columns.index(label_column), len(file.columns)
    suspicious = [
        row
        for row in rows
        if any(
            swallowed(column[row].as_py(), i, width, label, known) for i, column in enumerate(table.columns)
        )
    ]
    found = f"{file.name}: {len(rows):,} of {table.num_rows:,} rows have line breaks"
    if not suspicious:
        print(found)
        return
    lines = lines_of(file.path, suspicious[:SHOWN]).values()
    places = ", ".join(f"{first} to {last}" for first, last in lines)
    warn(
        f"{found}. {len(suspicious):,} of them look like several rows that a quotation mark made one: "
        f"lines {places}{', ...' if len(suspicious) > SHOWN else ''}. A quotation mark inside a quoted text "
        "must be doubled"
    )


def report_escaped(file: OwnFile, table: pa.Table) -> None:
    """Warn of quotation marks after a backslash: they end a text, and the next one becomes part of it.

    Args:
        file: a CSV file.
        table: its rows.
    """
    if not any(pc.any(pc.match_substring(column, "\\")).as_py() for column in table.columns):
        return
    if lines := escaped_quotes(file.path):
        shown = ", ".join(map(str, lines[:SHOWN])) + (", ..." if len(lines) > SHOWN else "")
        warn(
            f'{file.name}: {len(lines):,} lines have \\" inside a text: {shown}. CSV has no backslash there: '
            'a quotation mark inside a quoted text must be doubled: "say ""hi"""'
        )
