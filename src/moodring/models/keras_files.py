"""Write and load a trained network: a Keras archive, with the same bytes for the same model."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from moodring.errors import MoodringError
from moodring.models.result import MODEL, Settings, write_result

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def write_model(path: Path, model: keras.Model, history: pd.DataFrame, settings: Settings) -> None:
    """Write model, history and settings as one directory, whole or not at all."""
    write_result(path, {MODEL: lambda file: save_model(file, model)}, history, settings)


def save_model(path: Path, model: keras.Model) -> None:
    """Write the Keras archive; equal models give equal bytes."""
    path.write_bytes(stable_bytes(model))


def load_model(path: Path) -> keras.Model:
    """Load what `save_model` wrote; this runs no code from the file.

    Raises:
        MoodringError: it is missing or damaged.
    """
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise MoodringError(f"cannot load {path}: {error}. Run `dvc repro` to make it.") from error


def stable_bytes(model: keras.Model) -> bytes:
    """The `.keras` archive without the optimiser; equal models give equal bytes.

    Keras writes the date, the times of the zip's members, and memory addresses (`shared_object_id`). Here the
    date and the times are constant, and the addresses are numbers in order of appearance.
    """
    bare = type(model).from_config(model.get_config())  # a clone would be compiled like its model
    for copy, layer in zip(bare.layers, model.layers, strict=True):
        for target, source in zip(copy.variables, layer.variables, strict=True):
            target.assign(source)
    stable = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        bare.save(saved := Path(directory) / MODEL)
        with zipfile.ZipFile(saved) as old, zipfile.ZipFile(stable, "w") as new:
            _copy_members(old, new)
    return stable.getvalue()


def _copy_members(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
    for name in sorted(old.namelist()):
        content = old.read(name)
        if name == "metadata.json":
            content = _edit(content, lambda tree: {**tree, "date_saved": "1980-01-01@00:00:00"})
        elif name == "config.json":
            content = _edit(content, lambda tree: _renumber(tree, {}))
        new.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), content)


def _edit(content: bytes, change: Any) -> bytes:
    return json.dumps(change(json.loads(content))).encode()


def _renumber(tree: Any, seen: dict[int, int]) -> Any:
    if isinstance(tree, dict):
        return {
            key: seen.setdefault(value, len(seen)) if key == "shared_object_id" else _renumber(value, seen)
            for key, value in tree.items()
        }
    return [_renumber(item, seen) for item in tree] if isinstance(tree, list) else tree
