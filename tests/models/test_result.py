"""Reading a result gives its written values, and the summary has the metrics of the kept epoch."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from moodring.corpus.batches import Padding
from moodring.errors import MoodringError
from moodring.io.digests import files_sha256
from moodring.models.result import Settings, read_result, read_settings

SETTINGS = Settings(
    max_length=40,
    buckets=10,
    vocabulary_size=500,
    weights=1234,
    best_epoch=2,
    params={"arch": "gru", "seed": 7},
)
EPOCHS = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [0.6931471805599453, 0.5, 0.4],
        "accuracy": [0.5, 0.75, 0.8125],
        "val_loss": [0.69, 0.123456789, 0.7],
        "val_accuracy": [0.5, 0.8125, 0.75],
    }
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "model.keras").write_bytes(b"a model")
    EPOCHS.to_csv(tmp_path / "history.csv", index=False)
    (tmp_path / "settings.json").write_text(json.dumps(dataclasses.asdict(SETTINGS)))
    return tmp_path


def test_a_read_result_equals_the_written_one(directory: Path):
    result = read_result(directory)
    assert result.settings == SETTINGS
    assert result.model_sha256 == files_sha256(directory, [directory / "model.keras"])
    pd.testing.assert_frame_equal(result.history, EPOCHS, check_exact=True)


def test_settings_have_the_padding(directory: Path):
    assert read_settings(directory).padding == Padding(max_length=40, buckets=10)


def test_the_summary_has_the_metrics_of_the_kept_epoch(directory: Path):
    assert read_result(directory).summary == {
        "epochs": 3,
        "best_epoch": 2,
        "best_loss": 0.5,
        "best_accuracy": 0.75,
        "best_val_loss": 0.123457,
        "best_val_accuracy": 0.8125,
        "weights": 1234,
        "vocabulary_size": 500,
    }


def test_the_summary_has_the_coverage_of_the_vectors(directory: Path):
    without_vectors = read_result(directory).summary
    shares = {"vectors_words": 0.75, "vectors_tokens": 0.875}
    settings = dataclasses.replace(SETTINGS, coverage=shares)
    (directory / "settings.json").write_text(json.dumps(dataclasses.asdict(settings)))
    assert read_result(directory).summary == {**without_vectors, **shares}


def test_the_summary_can_be_written_as_json(directory: Path):
    summary = read_result(directory).summary
    assert json.loads(json.dumps(summary)) == summary


@pytest.mark.parametrize("name", ["model.keras", "history.csv", "settings.json"])
def test_the_digest_depends_on_every_file(directory: Path, name: str):
    before = read_result(directory).models_md5
    assert read_result(directory).models_md5 == before
    file = directory / name
    file.write_bytes(file.read_bytes() + b"\n")
    assert read_result(directory).models_md5 != before


@pytest.mark.parametrize("name", ["model.keras", "history.csv", "settings.json"])
def test_a_missing_file_is_an_error(directory: Path, name: str):
    (directory / name).unlink()
    with pytest.raises(MoodringError, match=rf"cannot (read|load) .*{name}.*dvc repro"):
        read_result(directory)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings.json", b"{"),
        ("settings.json", b"[]"),
        ("settings.json", b'{"max_length": 3}'),
        ("settings.json", b"\xff\xfe"),
        ("history.csv", b""),
        ("history.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_damaged_file_is_an_error(directory: Path, name: str, content: bytes):
    (directory / name).write_bytes(content)
    with pytest.raises(MoodringError, match=rf"cannot read .*{name}"):
        read_result(directory)
