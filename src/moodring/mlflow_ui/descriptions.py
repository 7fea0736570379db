"""Descriptions of experiments, runs, versions and registered models, in Markdown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from moodring.mlflow_ui.names import CHAMPION, registered_name

NOTE = "mlflow.note.content"  # the description of an experiment or a run
# The digest of the description that Moodring wrote; a person may have changed it since.
OWN_NOTE = "mlflow.note.sha256"
VERDICT = "verdict"


def note_tags(tags: Mapping[str, str], text: str) -> dict[str, str]:
    """The tags that give an experiment, a run or a version its description.

    Args:
        tags: its present ones. A description that a person wrote or changed stays.
        text: the description.
    """
    present = tags.get(NOTE)
    if present == text or (present and tags.get(OWN_NOTE) != _digest(present)):
        return {}
    return {NOTE: text, OWN_NOTE: _digest(text)}


def loading(model: str) -> str:
    """How to load a model by its address."""
    return (
        "In Python, with `MLFLOW_TRACKING_URI` set to this store:\n\n"
        f'```python\nimport mlflow\n\nmodel = mlflow.pyfunc.load_model("{model}")\n'
        'model.predict(["a wonderful film"])\n```\n\n'
        f'In a shell: `moodring predict --model {model} "a wonderful film"`'
    )


def experiment_note(dataset: str, runs: str, best: tuple[str, str] | None) -> str:
    """The description of a dataset's experiment; its first line is all that MLflow shows at first.

    Args:
        dataset: its name.
        runs: the address of its runs.
        best: address and verdict of the run with the best validation accuracy; None: there is none yet.
    """
    first = f"[All runs, best first]({runs})."
    if best is not None:
        first += f" [Best run]({best[0]}): {best[1]}"
    alias = f"models:/{registered_name(dataset)}@{CHAMPION}"
    meaning = (
        f"Sentiment of `{dataset}`: a run for each result. `moodring promote` makes a model the champion."
    )
    return f"{first}\n\n{meaning} {loading(alias)}"


def result_note(verdict: str, values: Mapping[str, float], model: str) -> str:
    """The description of a result's run and of its registered version.

    Args:
        verdict: one sentence.
        values: the figures of the run.
        model: the version's address.
    """
    shown = [
        ("test accuracy", _with_bounds(values, "test_accuracy", "{:.2%}")),
        ("gain over the baseline", _with_bounds(values, "test_gain", "{:+.2%}")),
        ("validation accuracy", _shown(values, "best_val_accuracy", "{:.2%}")),
        ("test log loss", _shown(values, "test_log_loss", "{:.3f}")),
        ("calibration error", _shown(values, "test_calibration_error", "{:.3f}")),
        ("weights", _shown(values, "weights", "{:,.0f}")),
        ("test texts", _shown(values, "test_rows", "{:,.0f}")),
    ]
    table = ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in shown if value)]
    return "\n".join([verdict, "", *table, "", loading(model)])


def champion_note(dataset: str) -> str:
    """The description of a registered model: which version to use, and how to load it."""
    alias = f"models:/{registered_name(dataset)}@{CHAMPION}"
    return (
        f"Sentiment of `{dataset}`: a version for each result. The one that `moodring promote` chose has the "
        f"alias `{CHAMPION}`. {loading(alias)}"
    )


def _with_bounds(values: Mapping[str, float], name: str, form: str) -> str:
    low, high = (_shown(values, f"{name}_{bound}", form) for bound in ("low", "high"))
    shown = _shown(values, name, form)
    return f"{shown} (95 % interval {low} to {high})" if shown and low and high else shown


def _shown(values: Mapping[str, float], name: str, form: str) -> str:
    return form.format(values[name]) if name in values else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
