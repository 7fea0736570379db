"""Names of runs, parameters, metrics and registered models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

CHAMPION = "champion"
V = TypeVar("V")

# Blocks of params.yaml that a choice names, and their short names: `archs.lstm.units` is `arch.units` where
# `arch` is lstm. So all architectures and datasets have their parameters in the same columns.
_BLOCKS = {"arch": ("archs", "arch"), "dataset": ("datasets", "data")}
_TRAINING = {"loss": "train_loss", "accuracy": "train_accuracy"}
_TRAINING |= {f"best_{name}": f"best_{shown}" for name, shown in _TRAINING.items()}
# Counts, bounds and the like: MLflow draws a chart of each metric, and these say nothing in a chart.
_NO_CHART = re.compile(
    r"epochs|best_epoch|weights|vocabulary_size"
    r"|test_(\w+_)?(rows|low|high)|test_mcnemar_p|test_temperature|test_calibration_error_before"
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?|nan|-?inf", re.IGNORECASE)


def short_names(values: Mapping[str, V]) -> dict[str, V]:
    """The same parameters, with a short name for each that has a long one.

    Args:
        values: parameters by name, with the choices themselves. Where both names occur, the short one counts:
            it is of a later version.
    """
    shortened, others = {}, dict(values)
    for choice, (blocks, short) in _BLOCKS.items():
        prefix = f"{blocks}.{values.get(choice)}."
        for name in [name for name in others if name.startswith(prefix)]:
            shortened[f"{short}.{name.removeprefix(prefix)}"] = others.pop(name)
    return {**shortened, **others}


def metric_name(name: str) -> str:
    """The name in MLflow of a metric of training: `accuracy`, of the training split, is `train_accuracy`."""
    return _TRAINING.get(name, name)


def metrics_and_tags(figures: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """Divide a run's figures: those worth a chart are metrics; counts, bounds and the like are tags."""
    metrics = {name: float(value) for name, value in figures.items() if not _NO_CHART.fullmatch(name)}
    return metrics, {name: str(value) for name, value in figures.items() if name not in metrics}


def figures(metrics: Mapping[str, float], tags: Mapping[str, str]) -> dict[str, float]:
    """All figures of a run, by the names of `metrics_and_tags` before the division.

    Older versions logged all of them as metrics, under the same names.
    """
    numbers = {
        name: text for name, text in tags.items() if _NO_CHART.fullmatch(name) and _NUMBER.fullmatch(text)
    }
    return {**metrics, **{name: float(text) for name, text in numbers.items()}}


def run_name(arch: str, origin: Mapping[str, str]) -> str:
    """A run's name: its architecture, and the DVC experiment or else the commit that made it.

    Examples: `bilstm (amort-sena)`, `lstm (9be11f4)`, `lstm (9be11f4, dirty)`, `lstm`.

    Args:
        arch: its name.
        origin: from `git.origin`.
    """
    if experiment := origin.get("dvc_experiment"):
        return f"{arch} ({experiment})"
    if commit := origin.get("git_commit"):
        return f"{arch} ({commit[:7]}{', dirty' if origin['git_dirty'] == 'true' else ''})"
    return arch


def registered_name(dataset: str) -> str:
    """The name under which a dataset's models are registered."""
    return f"moodring-{dataset}"


def source_tags(origin: Mapping[str, str]) -> dict[str, str]:
    """The tags of git and DVC, with those that MLflow shows.

    Args:
        origin: from `git.origin`.
    """
    tags = {"mlflow.source.name": "dvc repro", "mlflow.source.type": "LOCAL", **origin}
    if "git_commit" in tags:
        tags["mlflow.source.git.commit"] = tags["git_commit"]
    return tags
