"""Reads the rows of docs/results.yaml together with their runs."""

from __future__ import annotations

from pathlib import Path

from moodring.experiments.page import Entry
from moodring.experiments.rows import read_rows
from moodring.tracking.listing import evaluated_runs


def read_entries(root: Path) -> list[Entry]:
    """Read the rows of docs/results.yaml and find their runs in the store.

    Raises:
        MoodringError: the file is not valid, or the store cannot be opened.
    """
    seeds, rows = read_rows(root)
    runs = iter(evaluated_runs([row.at(seed) for row in rows for seed in seeds]))
    return [Entry(row, {seed: next(runs) for seed in seeds}) for row in rows]
