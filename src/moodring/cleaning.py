"""From the raw to the clean table: clean texts, a validation split, no text on two sides."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from moodring.errors import MoodringError
from moodring.splits import held_out
from moodring.tables import SPLITS, check_classes, make_table
from moodring.text import Cleaner

RECIPE_KEY = b"moodring.cleaning"
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def clean_table(raw: pa.Table, cleaner: Cleaner, seed: int, name: str) -> tuple[pa.Table, dict[str, Any]]:
    """Clean every text and split validation off training.

    A raw text that also stands in test is removed from training, and one that stands in validation is
    then removed from train. Texts that differ raw but are alike when cleaned ("@a thanks!", "Thanks") are
    other people's, and are only counted. Empty texts are kept. Rows keep the raw table's order within a
    split.

    Args:
        raw: split (train, test), label, text.
        cleaner: applied to each text; the clean table's metadata carries its recipe.
        seed: of the validation split.
        name: what messages call the dataset.

    Returns:
        The table split (train, validation, test), label, text; and the report for metrics/data.json.

    Raises:
        MoodringError: a split would be left without one of the classes.
    """
    check_classes(raw, name)
    rows = raw.to_pandas()
    in_test = rows["split"] == "test"
    leaks_to_test = ~in_test & _also_in(rows["text"], rows.loc[in_test, "text"])
    rows = rows[~leaks_to_test]
    pool = (rows["split"] == "train").to_numpy()
    held = held_out(rows["label"].to_numpy()[pool], cleaner.params.validation_share, seed, "validation")
    split = rows["split"].to_numpy(dtype=object, copy=True)
    split[np.flatnonzero(pool)[held]] = "validation"
    rows = rows.assign(split=split)
    validation_texts = rows.loc[rows["split"] == "validation", "text"]
    leaks_to_validation = (rows["split"] == "train") & _also_in(rows["text"], validation_texts)
    rows = rows[~leaks_to_validation]
    rows = pd.concat([rows[rows["split"] == split] for split in SPLITS])
    rows["text"] = [cleaner(text) for text in rows["text"]]
    table = make_table(rows["split"].tolist(), rows["label"].tolist(), rows["text"].tolist())
    check_classes(table, name)
    removed = {"also_in_test": int(leaks_to_test.sum()), "also_in_validation": int(leaks_to_validation.sum())}
    report = {**_report(rows), "removed_from_train": removed}
    return table.replace_schema_metadata({RECIPE_KEY: json.dumps(cleaner.recipe())}), report


def cleaner_of(table: pa.Table) -> Cleaner:
    """The cleaner that made a clean table, from its metadata.

    Raises:
        MoodringError: the table does not say.
    """
    if (recipe := (table.schema.metadata or {}).get(RECIPE_KEY)) is None:
        raise MoodringError("the clean table does not say how it was cleaned. Run `dvc repro` to make it.")
    return Cleaner.from_recipe(json.loads(recipe))


def _also_in(texts: pd.Series, others: pd.Series) -> pd.Series:
    return texts.isin(set(others) - {""})


def _report(rows: pd.DataFrame) -> dict[str, Any]:
    """What metrics/data.json says of the clean rows, a value a split."""
    keys = ("rows", "positive_share", "tokens", "emptied", "duplicates_within", "alike_in_train")
    report: dict[str, dict[str, Any]] = {key: {} for key in keys}
    train = rows.loc[rows["split"] == "train", "text"]
    for split in SPLITS:
        part = rows[rows["split"] == split]
        texts = part["text"]
        lengths = np.where(texts == "", 0, texts.str.count(" ") + 1)
        report["rows"][split] = len(part)
        report["positive_share"][split] = round(float(part["label"].mean()), 4)
        report["tokens"][split] = {
            "mean": round(float(lengths.mean()), 2),
            **{key: int(np.quantile(lengths, q, method="lower")) for key, q in QUANTILES.items()},
            "max": int(lengths.max()),
        }
        report["emptied"][split] = int((texts == "").sum())
        report["duplicates_within"][split] = int(texts[texts != ""].duplicated().sum())
        if split != "train":
            report["alike_in_train"][split] = int(_also_in(texts, train).sum())
    return report
