"""Make the clean table from the raw one: clean texts, a validation split, no raw text in two splits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.tables import SCHEMA, Rows
from moodring.text.assignment import REMOVED, assign, split_names
from moodring.text.cleaner import Cleaner
from moodring.text.data_report import Report

RECIPE_KEY = b"moodring.cleaning"


def clean_table(
    raw: Rows, cleaner: Cleaner, seed: int, name: str, write: Callable[[pa.Table], None]
) -> dict[str, Any]:
    """Clean every text and split validation off training; see `assign`.

    Two different raw texts may become equal when cleaned ("@a thanks!", "Thanks"). Different people wrote
    them, so they are counted but kept. Empty texts are kept, and rows keep their order.

    Args:
        raw: split (train, test), label, text.
        cleaner: applied to each text.
        seed: of the validation split.
        name: of the dataset, for error messages.
        write: receives the table in pieces: split (train, validation, test), label, text; see `clean_schema`.

    Returns:
        The report for metrics/data.json.

    Raises:
        MoodringError: a split would lose one of the classes; then nothing is written.
    """
    assignment = assign(raw, cleaner.params.validation_share, seed, name)
    schema, report, start = clean_schema(cleaner), Report(), 0
    for batch in raw.to_batches():
        codes = assignment.codes[start : start + len(batch)]
        start += len(batch)
        rows = batch.filter(pa.array(codes != REMOVED))
        codes = codes[codes != REMOVED]
        texts = cleaner.clean_all(rows["text"]).cast(pa.string()).combine_chunks()
        piece = pa.table([split_names(codes), rows["label"], texts], schema=schema)
        write(piece)
        report.add(codes, rows["label"].to_numpy(), texts)
    return {
        **report.figures(),
        "removed_from_train": assignment.removed,
        "validation_digest": assignment.validation_digest,
    }


def clean_schema(cleaner: Cleaner) -> pa.Schema:
    """The schema of the clean table; its metadata contains the cleaning recipe for `cleaner_of`."""
    return SCHEMA.with_metadata({RECIPE_KEY: json.dumps(cleaner.recipe())})


def cleaner_of(table: Rows) -> Cleaner:
    """Rebuild the cleaner of a clean table from its metadata.

    Raises:
        MoodringError: the metadata lacks the recipe.
    """
    if (recipe := (table.schema.metadata or {}).get(RECIPE_KEY)) is None:
        raise MoodringError("the clean table does not say how it was cleaned. Run `dvc repro` to make it.")
    return Cleaner.from_recipe(json.loads(recipe))
