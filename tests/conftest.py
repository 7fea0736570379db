"""Shared fixtures: tiny generated data, and isolation from the network and the user's files."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from moodring.evaluation.slices import Texts
from moodring.io.tables import make_table
from moodring.params.arch import DropoutParams, EmbeddingParams
from moodring.params.file import load_params
from moodring.params.pipeline import Params
from moodring.text.clean_table import clean_table
from moodring.text.cleaner import Cleaner

# Each pytest worker and its programs use one processor. Libraries read these variables when they start.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

# The slowest test files, the slowest first.
LONGEST = (
    *("test_interrupts", "test_stores", "test_sharing", "test_promote", "test_repro", "test_doctor"),
    *("test_checkpoints", "test_network", "test_ui", "test_runs", "test_incremental", "test_gpu"),
    "test_architectures",
)

ROOT = Path(__file__).resolve().parents[1]
GOOD = ["wonderful", "moving", "funny", "brilliant", "charming", "delightful"]
BAD = ["dull", "awful", "boring", "clumsy", "tedious", "lifeless"]
PLAIN = ["film", "plot", "actor", "scene", "music", "story", "ending", "camera", "the", "a", "and", "of"]


def generated_text(rng: random.Random, label: int) -> str:
    """A random sentence with words that show its label."""
    words = rng.choices(PLAIN, k=rng.randint(3, 14)) + rng.choices(
        GOOD if label else BAD, k=rng.randint(1, 3)
    )
    rng.shuffle(words)
    return " ".join(words)


def generated_rows(rows: int, seed: int = 0) -> tuple[list[str], list[int]]:
    """Different texts and their labels. The labels alternate between the two classes."""
    rng = random.Random(seed)  # noqa: S311
    texts: dict[str, int] = {}
    while len(texts) < rows:
        label = len(texts) % 2
        texts.setdefault(generated_text(rng, label), label)
    return list(texts), list(texts.values())


def random_embedding(size: int) -> EmbeddingParams:
    """An embedding without pretrained vectors."""
    return EmbeddingParams(size=size, vectors="none", frozen_epochs=0)


def dropout(**rates: float) -> DropoutParams:
    """The dropout of a recurrent model: zero except for the named rates."""
    return DropoutParams(**{**dict.fromkeys(DropoutParams.model_fields, 0.0), **rates})


def generated_table(train: int = 160, test: int = 40) -> pa.Table:
    """A raw table of generated texts."""
    texts, labels = generated_rows(train + test)
    return make_table(["train"] * train + ["test"] * test, labels, texts)


def texts_with_lengths(lengths: NDArray[np.int64]) -> Texts:
    """Texts with these lengths and no other properties."""
    return Texts([f"text {i}" for i in range(len(lengths))], lengths, np.zeros(len(lengths)))


def cleaned(
    raw: pa.Table, cleaner: Cleaner, seed: int = 7, name: str = "made"
) -> tuple[pa.Table, dict[str, Any]]:
    """The clean table and its report, in memory."""
    pieces: list[pa.Table] = []
    report = clean_table(raw, cleaner, seed, name, pieces.append)
    return pa.concat_tables(pieces), report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that short files fill the rest of the time on all workers."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the user's mirror, tracking server and NLTK data. Give each test its own home directory."""
    for name in (
        "MOODRING_MIRROR",
        "NLTK_DATA",
        "MLFLOW_TRACKING_URI",
        "MLFLOW_REGISTRY_URI",
        "DVC_ROOT",
        "DVC_EXP_NAME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def params() -> Params:
    """The committed parameters."""
    return load_params(ROOT / "params.yaml")
