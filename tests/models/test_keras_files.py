"""The directory of a model: equal models have equal bytes, Keras can read it, damage is an error."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from moodring.errors import MoodringError
from moodring.models.keras_files import stable_bytes, write_model
from moodring.models.load import read_model
from moodring.models.result import Settings, read_result
from moodring.params.arch import HeadParams
from moodring.params.pipeline import Params
from moodring.training.architectures import build
from tests.conftest import dropout, random_embedding

IDS = np.array([[0, 3, 4], [5, 6, 7]], dtype=np.int32)
HISTORY = pd.DataFrame(
    {"epoch": [1], "loss": [0.7], "accuracy": [0.5], "val_loss": [0.6], "val_accuracy": [0.6]}
)
SETTINGS = Settings(max_length=3, buckets=1, vocabulary_size=9, weights=1, best_epoch=1, params={"seed": 7})


@pytest.fixture
def model(params: Params) -> keras.Model:
    return make_model(params, seed=1)


def make_model(params: Params, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    small = {
        "embedding": random_embedding(4),
        "units": 3,
        "dropout": dropout(),
        "head": HeadParams(units=5, dropout=0.4),
    }
    return build(params.recurrent_archs["bilstm"].model_copy(update=small), vocabulary_size=9, max_length=3)


def scores_of(model: keras.Model) -> np.ndarray:
    return np.asarray(model.predict_on_batch(IDS))


def with_member(archive: bytes, name: str, content: bytes) -> bytes:
    """The archive with new content for one member."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(changed, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return changed.getvalue()


def inverted(content: bytes, index: int) -> bytes:
    """The content with one inverted byte."""
    return content[:index] + bytes([255 - content[index]]) + content[index + 1 :]


def test_equal_models_have_equal_bytes_at_any_time(params: Params, model: keras.Model):
    first = stable_bytes(model)
    time.sleep(1.1)  # Keras writes the date in whole seconds
    assert stable_bytes(make_model(params, seed=1)) == first


def test_other_weights_have_other_bytes(params: Params, model: keras.Model):
    assert stable_bytes(make_model(params, seed=2)) != stable_bytes(model)


def test_the_archive_has_no_time_of_its_creation(model: keras.Model):
    with zipfile.ZipFile(io.BytesIO(stable_bytes(model))) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}
        assert b'"1980-01-01@00:00:00"' in archive.read("metadata.json")


def test_the_archive_has_no_optimiser(model: keras.Model):
    untrained = stable_bytes(model)
    model.compile("adam", "binary_crossentropy", run_eagerly=True)
    model.train_on_batch(IDS, np.array([[0.0], [1.0]]))
    assert len(stable_bytes(model)) == len(untrained)


def test_stable_bytes_does_not_change_the_model(model: keras.Model):
    model.compile("adam", "binary_crossentropy", run_eagerly=True)
    model.train_on_batch(IDS, np.array([[0.0], [1.0]]))
    before = scores_of(model)
    stable_bytes(model)
    np.testing.assert_array_equal(scores_of(model), before)
    assert model.compiled


@pytest.mark.parametrize("load", [keras.models.load_model, lambda path: read_model(path.parent)])
def test_the_written_model_gives_the_scores_of_the_trained_one(tmp_path: Path, model: keras.Model, load):
    write_model(tmp_path / "models", model, HISTORY, SETTINGS)
    np.testing.assert_array_equal(scores_of(load(tmp_path / "models" / "model.keras")), scores_of(model))


def test_equal_models_have_directories_with_equal_digests(params: Params, tmp_path: Path):
    for name in ("one", "other"):
        write_model(tmp_path / name, make_model(params, seed=1), HISTORY, SETTINGS)
    assert read_result(tmp_path / "one").models_md5 == read_result(tmp_path / "other").models_md5


def test_an_old_directory_is_replaced_completely(tmp_path: Path, model: keras.Model):
    old = tmp_path / "models"
    old.mkdir()
    (old / "left over.txt").write_text("of an older version")
    write_model(old, model, HISTORY, SETTINGS)
    assert sorted(file.name for file in old.iterdir()) == ["history.csv", "model.keras", "settings.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_failure_keeps_the_old_directory(tmp_path: Path, model: keras.Model):
    write_model(tmp_path / "models", model, HISTORY, SETTINGS)
    before = read_result(tmp_path / "models").models_md5
    unwritable = Settings(3, 1, 9, 1, 1, params={"seed": object()})
    with pytest.raises(TypeError):
        write_model(tmp_path / "models", model, HISTORY, unwritable)
    assert read_result(tmp_path / "models").models_md5 == before
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:100],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: inverted(content, len(content) // 2),
        lambda content: b"not an archive",
        lambda content: with_member(content, "config.json", b"{"),
        lambda content: with_member(
            content, "config.json", b'{"module": "a", "class_name": "B", "config": {}}'
        ),
        lambda content: with_member(content, "model.weights.h5", b""),
    ],
    ids=[
        "empty",
        "first bytes",
        "first half",
        "last byte missing",
        "one wrong byte",
        "text",
        "broken configuration",
        "unknown class",
        "no weights",
    ],
)
def test_a_damaged_model_is_an_error(tmp_path: Path, model: keras.Model, damage):
    (tmp_path / "model.keras").write_bytes(damage(stable_bytes(model)))
    with pytest.raises(MoodringError, match=r"cannot load .*model\.keras.*dvc repro"):
        read_model(tmp_path)


def test_a_missing_model_is_an_error(tmp_path: Path):
    with pytest.raises(MoodringError, match=r"cannot load .*model\.keras"):
        read_model(tmp_path)
