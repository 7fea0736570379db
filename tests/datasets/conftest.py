"""A checkout with own files, and a source block that reads one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moodring.params.data import FileSource

OWN, PARQUET = "data/own/own.csv", "data/own/own.parquet"


@pytest.fixture
def own_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty checkout the working directory."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "data/own").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def source(**changes: Any) -> FileSource:
    """A source block with the labels 1 and 0."""
    block = {"kind": "file", "path": OWN, "text": "text", "label": "label"}
    return FileSource.model_validate({**block, "positive": [1], "negative": [0], **changes})
