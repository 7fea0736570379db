"""A trained model's directory without its weights: settings, history, identity."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from moodring.corpus.batches import Padding
from moodring.errors import MoodringError
from moodring.io.digests import files_sha256, tree_md5
from moodring.io.files import replacing, write_json

MODEL = "model.keras"
LINEAR = "nbsvm.npz"
BLEND = "blend.json"
HISTORY = "history.csv"
SETTINGS = "settings.json"
T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """The settings of a model: how it was made, and how texts are padded for it.

    Args:
        max_length: tokens of a text that the model sees.
        buckets: length buckets up to `max_length`.
        vocabulary_size: token ids.
        weights: number of fitted weights.
        best_epoch: the epoch, from 1, whose weights were kept.
        params: the parameters that training depended on, by their names in params.yaml.
        coverage: the shares of the corpus that pretrained vectors cover; see `TrainingData.coverage`. None
            without vectors.
        blended: the out-of-fold val_loss and val_accuracy of a network's blend with a linear model; None
            without a blend.
    """

    max_length: int
    buckets: int
    vocabulary_size: int
    weights: int
    best_epoch: int
    params: dict[str, Any]
    coverage: dict[str, float] | None = None
    blended: dict[str, float] | None = None

    @property
    def padding(self) -> Padding:
        """The padding that the model was trained with."""
        return Padding(self.max_length, self.buckets)


@dataclass(frozen=True)
class Result:
    """A training's result, read from its files.

    Args:
        models_md5: the MD5 of the model directory in dvc.lock; it identifies the result.
        model_sha256: the SHA-256 of the model's files, without settings and history; see `files_sha256`.
        settings: the model's.
        history: a row an epoch: epoch, loss, accuracy, val_loss, val_accuracy.
    """

    models_md5: str
    model_sha256: str
    settings: Settings
    history: pd.DataFrame

    @property
    def summary(self) -> dict[str, int | float]:
        """The flat content of metrics/train.json: the kept epoch's figures and the model's size."""
        best = self.history.set_index("epoch").loc[self.settings.best_epoch]
        best = best.to_dict() | (self.settings.blended or {})
        return {
            "epochs": len(self.history),
            "best_epoch": self.settings.best_epoch,
            **{f"best_{name}": round(float(value), 6) for name, value in best.items()},
            "weights": self.settings.weights,
            "vocabulary_size": self.settings.vocabulary_size,
            **(self.settings.coverage or {}),
        }


def model_files(path: Path) -> list[Path]:
    """The files of a result's model: a network, a linear model, or both with the weights of their blend.

    Raises:
        MoodringError: there is no model.
    """
    found = [path / name for name in (MODEL, LINEAR, BLEND) if (path / name).is_file()]
    if not found:
        raise MoodringError(f"cannot load {path / MODEL}: there is no model. Run `dvc repro` to make it.")
    return found


def write_result(
    path: Path, model: Mapping[str, Callable[[Path], None]], history: pd.DataFrame, settings: Settings
) -> None:
    """Write model, history and settings as one directory, whole or not at all.

    Args:
        path: the directory.
        model: the function that writes each of the model's files, by the file's name.
        history: a row an epoch.
        settings: the model's.
    """
    with replacing(path) as fresh:
        fresh.mkdir()
        for name, save in model.items():
            save(fresh / name)
        history.to_csv(fresh / HISTORY, index=False, lineterminator="\n")
        write_json(fresh / SETTINGS, asdict(settings))


def read_result(path: Path) -> Result:
    """Read a model directory, all but its weights.

    Raises:
        MoodringError: a file is missing or damaged.
    """
    model_sha256 = files_sha256(path, model_files(path))
    history = _read(path / HISTORY, pd.read_csv)
    return Result(tree_md5(path), model_sha256, read_settings(path), history)


def read_settings(path: Path) -> Settings:
    """The settings of a model directory.

    Raises:
        MoodringError: they are missing or damaged.
    """
    return _read(path / SETTINGS, lambda file: Settings(**json.loads(file.read_text(encoding="utf-8"))))


def _read(path: Path, reader: Callable[[Path], T]) -> T:
    try:
        return reader(path)
    except (OSError, ValueError, TypeError) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run `dvc repro` to make it.") from error
