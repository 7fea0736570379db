"""What a trained model's directory tells besides its weights: settings, history, identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from moodring.batches import Padding
from moodring.errors import MoodringError
from moodring.files import replacing, sha256, write_json

MODEL = "model.keras"
LINEAR = "nbsvm.npz"
HISTORY = "history.csv"
SETTINGS = "settings.json"

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What made a model, and what scoring with it needs besides its weights.

    Args:
        max_length: tokens of a text that the model sees.
        buckets: length buckets up to `max_length`.
        vocabulary_size: token ids.
        weights: fitted numbers.
        best_epoch: the epoch, from 1, whose weights were kept.
        params: the parameters that training depended on, by their names in params.yaml.
        coverage: how much of the corpus given vectors know; see `vectors.Aligned`. None without vectors.
    """

    max_length: int
    buckets: int
    vocabulary_size: int
    weights: int
    best_epoch: int
    params: dict[str, Any]
    coverage: dict[str, float] | None = None

    @property
    def padding(self) -> Padding:
        """The padding that the model was trained with."""
        return Padding(self.max_length, self.buckets)


@dataclass(frozen=True)
class Result:
    """A training's result, as its files tell it.

    Args:
        digest: of the model directory, as DVC computes it; what makes this result itself and no other.
        model_sha256: of the model's file in it.
        settings: the model's.
        history: a row an epoch: epoch, loss, accuracy, val_loss, val_accuracy.
    """

    digest: str
    model_sha256: str
    settings: Settings
    history: pd.DataFrame

    @property
    def summary(self) -> dict[str, int | float]:
        """The flat content of metrics/train.json: the kept epoch's figures and the model's size."""
        best = self.history.set_index("epoch").loc[self.settings.best_epoch]
        return {
            "epochs": len(self.history),
            "best_epoch": self.settings.best_epoch,
            **{f"best_{name}": round(float(value), 6) for name, value in best.items()},
            "weights": self.settings.weights,
            "vocabulary_size": self.settings.vocabulary_size,
            **(self.settings.coverage or {}),
        }


def model_file(path: Path) -> Path:
    """The model's file in a result's directory: a network's, unless a linear one stands there."""
    return path / (LINEAR if (path / LINEAR).is_file() else MODEL)


def write_result(
    path: Path, name: str, save: Callable[[Path], None], history: pd.DataFrame, settings: Settings
) -> None:
    """Write model, history and settings as one directory, whole or not at all.

    Args:
        path: the directory.
        name: of the model's file.
        save: writes that file.
        history: a row an epoch.
        settings: the model's.
    """
    with replacing(path) as fresh:
        fresh.mkdir()
        save(fresh / name)
        history.to_csv(fresh / HISTORY, index=False, lineterminator="\n")
        write_json(fresh / SETTINGS, asdict(settings))


def read_result(path: Path) -> Result:
    """Read a model directory, all but its weights.

    Raises:
        MoodringError: a file is missing or damaged.
    """
    model_sha256 = _read(model_file(path), sha256)
    history = _read(path / HISTORY, pd.read_csv)
    return Result(dvc_hash(path), model_sha256, read_settings(path), history)


def dvc_hash(path: Path) -> str:
    """The hash that dvc.lock holds for a directory: MD5 over the list of its files' names and MD5s."""
    entries = [
        {"md5": hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(), "relpath": name}
        for name, file in sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*"))
        if file.is_file()
    ]
    listed = json.dumps(entries, sort_keys=True).encode()
    return f"{hashlib.md5(listed, usedforsecurity=False).hexdigest()}.dir"


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
