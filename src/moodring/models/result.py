"""What a trained model's directory tells besides its weights: settings, history, identity."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from moodring.corpus.batches import Padding
from moodring.errors import MoodringError
from moodring.io.digests import dvc_hash, sha256
from moodring.io.files import replacing, write_json

MODEL = "model.keras"
LINEAR = "nbsvm.npz"
BLEND = "blend.json"
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
        blended: where the network is blended with a linear model, the blend's val_loss and val_accuracy.
        coverage: how much of the corpus given vectors know; see `vectors.Aligned`. None without vectors.
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
    """A training's result, as its files tell it.

    Args:
        digest: of the model directory, as DVC computes it; what makes this result itself and no other.
        model_sha256: of the model's first file in it.
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
    """The files of the model in a result's directory: a network's, a linear one's, or of a blend of both.

    Raises:
        MoodringError: there is none.
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
        model: what writes each of the model's files, by its name.
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
    model_sha256 = _read(model_files(path)[0], sha256)
    history = _read(path / HISTORY, pd.read_csv)
    return Result(dvc_hash(path), model_sha256, read_settings(path), history)


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
