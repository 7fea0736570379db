"""Parses the files of a result. A file that is missing or damaged gives None, or no figures."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from moodring.evaluation.curves import precision_recall, roc
from moodring.evaluation.evaluate import Scored
from moodring.evaluation.metrics import calibration
from moodring.models.score_tables import SCHEMA

Read = Callable[[str], bytes | None]
CURVES = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "precision_recall": ("recall", "precision"),
    "calibration": ("score", "positive_share", "rows"),
}
HISTORY = ("epoch", "loss", "val_loss", "accuracy", "val_accuracy")
SLICES = ("name", "group", "rows", "accuracy", "baseline_accuracy")


def numbers(content: bytes | None) -> dict[str, float]:
    """The finite numbers of a flat JSON file; none if it is missing or damaged."""
    tree = _json(content)
    return {
        name: value
        for name, value in (tree.items() if isinstance(tree, dict) else ())
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def _json(content: bytes | None) -> Any:
    try:
        return None if content is None else json.loads(content)
    except ValueError:
        return None  # as missing: the row shows a dash


def scored_in(content: bytes | None) -> Scored | None:
    """Read a table of scores."""
    try:
        table = None if content is None else pq.read_table(pa.BufferReader(content))
    except (OSError, pa.ArrowInvalid):
        return None  # as missing: a note says so
    if table is None or table.schema.names != SCHEMA.names or not table.num_rows:
        return None
    return Scored(table["label"].to_numpy(), table["score"].to_numpy())


def table_in(content: bytes | None, columns: tuple[str, ...]) -> pd.DataFrame | None:
    """Read a CSV file that must have some columns."""
    try:
        table = None if content is None else pd.read_csv(io.BytesIO(content))
    except ValueError:
        return None  # as missing
    return None if table is None or table.empty or not set(columns) <= set(table) else table


def slices_in(content: bytes | None) -> pd.DataFrame | None:
    """Read the slices in metrics/slices.json: a row a group, with the columns `SLICES` and perhaps more."""
    tree = _json(content)
    rows = tree.get("slices") if isinstance(tree, dict) else None
    table = pd.DataFrame(rows) if isinstance(rows, list) and rows else None
    if table is None or not set(SLICES) <= set(table):
        return None
    return table.astype({"name": str, "group": str})


def curves_of(scored: Scored, bins: int) -> dict[str, pd.DataFrame]:
    """The data of the plots `CURVES`; none if a class is missing."""
    if len(np.unique(scored.labels)) < 2:  # noqa: PLR2004
        return {}
    labels, scores = scored.labels, scored.scores
    return {
        "roc": roc(labels, scores),
        "precision_recall": precision_recall(labels, scores),
        "calibration": calibration(labels, scores, bins),
    }


def curves_in(scored: Scored | None, bins: int, read: Read) -> dict[str, pd.DataFrame]:
    """The curves of scores, or without scores those in metrics/plots."""
    if scored is not None:
        return curves_of(scored, bins)
    tables = {name: table_in(read(f"metrics/plots/{name}.csv"), columns) for name, columns in CURVES.items()}
    return {name: table for name, table in tables.items() if table is not None}
