"""The registered results that can be promoted: what each was validated on, and which one a name means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from moodring.errors import MoodringError
from moodring.mlflow_ui.names import registered_name
from moodring.promotion.promote import Metric, Validation
from moodring.serving.logged_models import has_files
from moodring.serving.publishing import VALIDATION_TAG
from moodring.tracking.addresses import shown_uri
from moodring.tracking.listing import list_runs, own_runs, runs_named
from moodring.tracking.store import reaching

LOGGED = {
    "val_accuracy": "best_val_accuracy",
    "val_loss": "best_val_loss",
    "test_accuracy": "test_accuracy",
}
VERSION = re.compile(r"(?:models:/)?(?:(?P<model>moodring-[\w-]+)/)?v?(?P<number>\d+)")


@dataclass(frozen=True)
class Candidate:
    """A registered version that may become the champion, with its run."""

    dataset: str
    version: int
    run_id: str
    arch: str
    experiment: str | None = None

    @property
    def model(self) -> str:
        """The registered model's name."""
        return registered_name(self.dataset)

    def describe(self) -> str:
        """Model, version, architecture, experiment and run."""
        experiment = f", experiment {self.experiment}" if self.experiment else ""
        return f"{self.model} version {self.version}: {self.arch}{experiment}, run {self.run_id}"


def read_validations() -> dict[str, Validation]:
    """How each result of the store was validated, by the id of its run.

    A run that does not say it may have the data of one that does: then both have the same validation texts.

    Raises:
        StoreError: the store cannot be read.
    """
    return _validations(own_runs())


def _validations(runs: Sequence[Run]) -> dict[str, Validation]:
    by_data = {run.data.tags["data_sha256"]: said for run in runs if (said := _said(run))}
    found = {}
    for run in runs:
        metrics = {name: run.data.metrics[key] for name, key in LOGGED.items() if key in run.data.metrics}
        said = _said(run) or by_data.get(run.data.tags["data_sha256"], {})
        found[str(run.info.run_id)] = Validation(metrics, **said)
    return found


def _said(run: Run) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run.data.tags.get(VALIDATION_TAG, "{}"))
    return said


def find(name: str, dataset: str, results_of: Callable[[str], list[str]]) -> Candidate:
    """The registered version that a name means.

    Args:
        name: a version (`3`, `models:/moodring-DATASET/3`), a run's id or name, a DVC experiment, or a git
            revision.
        dataset: of a version that is only a number.
        results_of: the results of an experiment or a git revision; an error if there is none.

    Raises:
        MoodringError: nothing has this name, or several results have it, or its model is missing.
        StoreError: the store cannot be read.
    """
    runs, versions = list_runs(), _versions()
    if matched := VERSION.fullmatch(name):
        model = matched["model"] or registered_name(dataset)
        for version in versions:
            if (version.name, str(version.version)) == (model, matched["number"]):
                return _candidate([version], runs, name)
    try:
        results, unknown = results_of(name), ""
    except MoodringError as error:
        results, unknown = [], f" In this checkout, {error}"
    if not (matches := runs_named(name, runs, results)):
        raise MoodringError(
            f"{name!r} is no version, run or experiment in the MLflow store {shown_uri()}; `moodring runs` "
            f"lists them.{unknown}"
        )
    registered = {version.run_id for version in versions}
    # A training that failed and its second try have the same experiment.
    matches = [run for run in matches if run["run_id"] in registered] or matches
    if len(matches) > 1:
        listed = ", ".join(f"{run['run_id']} ({run['name']})" for run in matches)
        raise MoodringError(f"{name!r} means {len(matches)} runs: {listed}. Give the id of one of them.")
    run_id = matches[0]["run_id"]
    return _candidate([version for version in versions if version.run_id == run_id], runs, name)


def best(dataset: str, metric: Metric) -> tuple[Candidate, str]:
    """A dataset's best registered result by validation, of those that can be compared.

    Results on other validation texts than the newest one's are left out, and results that can decide nothing.

    Returns:
        The result, and a sentence on those that were compared.

    Raises:
        MoodringError: there is none.
        StoreError: the store cannot be read.
    """
    runs = own_runs()
    validations = _validations(runs)
    newest: dict[str, ModelVersion] = {}
    for version in sorted(_versions(), key=_number):
        if version.name == registered_name(dataset):
            newest[version.run_id] = version
    with reaching():
        sound = [
            run_id
            for run_id, version in newest.items()
            if run_id in validations and not validations[run_id].problems() and has_files(version)
        ]
    if not sound:
        raise MoodringError(
            f"none of the {len(newest)} registered results of {dataset} can be compared by validation. "
            "`dvc repro` makes a result; `moodring sync` completes the run of the present one."
        )
    digest = validations[max(sound, key=lambda run_id: _number(newest[run_id]))].digest
    compared = [run_id for run_id in sound if validations[run_id].digest == digest]

    def rank(run_id: str) -> tuple[float, ...]:
        metrics = validations[run_id].metrics
        by = (-metrics["val_accuracy"], metrics["val_loss"])
        return (*(by if metric == "val_accuracy" else by[::-1]), _number(newest[run_id]))

    said = f"the best of {len(compared)} registered results on the same validation texts, by {metric}"
    if others := len(newest) - len(compared):
        said += f"; not compared: {others} on other texts, without files or without enough texts"
    chosen = newest[min(compared, key=rank)]
    tags = next(run.data.tags for run in runs if run.info.run_id == chosen.run_id)
    return _described(chosen, tags.get("arch"), tags.get("dvc_experiment")), said


def _candidate(versions: Sequence[ModelVersion], runs: Sequence[dict[str, Any]], name: str) -> Candidate:
    """The newest version that has its files."""
    with reaching():
        whole = [version for version in versions if has_files(version)]
    if whole:
        newest = max(whole, key=_number)
        run = next((run for run in runs if run["run_id"] == newest.run_id), {})
        return _described(newest, run.get("arch"), run.get("experiment"))
    raise MoodringError(
        f"the result of {name!r} has no registered model with files. Bring it back (git or `dvc exp apply`, "
        "`dvc checkout`), then run `moodring sync`."
    )


def _described(version: ModelVersion, arch: str | None, experiment: str | None) -> Candidate:
    """A version with what its run says."""
    dataset = version.name.removeprefix(registered_name(""))
    arch = version.tags.get("arch") or arch or "unknown"
    return Candidate(dataset, int(version.version), str(version.run_id), arch, experiment)


def _versions() -> list[ModelVersion]:
    with reaching() as client:
        found: list[ModelVersion] = client.search_model_versions()
    return [version for version in found if version.name.startswith(registered_name(""))]


def _number(version: ModelVersion) -> int:
    return int(version.version)
