"""List the store's runs with their experiments, commits and model versions; find those that a name means."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from moodring.checkout.revisions import evaluation_of
from moodring.errors import warn
from moodring.mlflow_ui.names import figures, registered_name, short_names
from moodring.mlflow_ui.saved_view import VIEW, runs_page
from moodring.params.pipeline import Params
from moodring.tracking.addresses import shown_uri, without_password
from moodring.tracking.store import MODELS_MD5, TRAINED_IN, complete, locked_store, logged, reaching

MAX_RUNS = 5000
OWN = "tags.data_sha256 != ''"  # the runs that Moodring made
RUN_ID = re.compile(r"[0-9a-f]{6,32}")  # a whole id, or the beginning of one, as `moodring runs` shows it


def own_runs() -> list[Run]:
    """Every run that Moodring made in the store's active experiments, newest first.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client, locked_store():
        return _search(client, OWN)


def list_runs() -> list[dict[str, Any]]:
    """Every run that Moodring made in the store's active experiments, newest first.

    Each has: experiment (DVC's name or None), commit, dirty, dataset, arch, status, validation_accuracy (at
    the kept epoch), weights, test_accuracy with its interval (test_accuracy_low, test_accuracy_high),
    test_gain (over the baseline), name, run_id, model_version (the newest), restored, resumed, models_md5
    (the MD5 of `models` in dvc.lock), trained_in (the run of the model's training, if it is another one),
    evaluation (its parameters as text, by their dotted names; empty if there was none), started (seconds
    since 1970), minutes (of the training; None if it was resumed or restored). A value that the run does not
    have is None.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client, locked_store():
        runs = _search(client, OWN)
        versions: dict[tuple[str, str], int] = {}
        for version in client.search_model_versions():
            key = version.name, version.run_id
            versions[key] = max(int(version.version), versions.get(key, 0))
    return [
        {
            "experiment": run.data.tags.get("dvc_experiment"),
            "commit": run.data.tags.get("git_commit"),
            "dirty": run.data.tags.get("git_dirty") == "true",
            "dataset": run.data.tags.get("dataset"),
            "arch": run.data.tags.get("arch"),
            "status": run.info.status,
            **_figures(run),
            "name": run.info.run_name,
            "run_id": run.info.run_id,
            "model_version": versions.get((_model_name(run), run.info.run_id)),
            "restored": run.data.tags.get("restored") == "true",
            "resumed": run.data.tags.get("resumed") == "true",
            MODELS_MD5: run.data.tags.get(MODELS_MD5),
            TRAINED_IN: run.data.tags.get(TRAINED_IN),
            "evaluation": evaluation_of(run.data.tags),
            "started": run.info.start_time // 1000,
            "minutes": _minutes(run),
        }
        for run in runs
    ]


def runs_named(
    name: str, runs: Sequence[dict[str, Any]], results: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The runs that a name means, in the order of `runs`.

    A name may be of several kinds. The first kind that any run has counts: the id of a run or its beginning,
    the experiment or git revision of a result, a DVC experiment that is not in this checkout, a run's name.

    Args:
        name: as the user gives it.
        runs: see `list_runs`.
        results: the MD5s of the models of the experiment or revision of this name.
    """
    by_id = [run for run in runs if RUN_ID.fullmatch(name) and run["run_id"].startswith(name)]
    by_result = [run for run in runs if run[MODELS_MD5] in results]
    by_experiment = [run for run in runs if run["experiment"] == name]
    by_name = [run for run in runs if run["name"] == name]
    both = [run for run in by_result if run in by_experiment]
    return next(filter(None, (by_id, both, by_result, by_experiment, by_name)), [])


def _model_name(run: Run) -> str:
    return registered_name(str(run.data.tags.get("dataset")))


def _figures(run: Run) -> dict[str, float | None]:
    """The figures by which runs are compared; None: the run does not have it, or it is no finite number."""
    known = figures(run.data.metrics, run.data.tags)
    metrics = {name: value for name, value in known.items() if math.isfinite(value)}
    names = ("test_accuracy", "test_accuracy_low", "test_accuracy_high", "test_gain")
    return {
        "validation_accuracy": metrics.get("best_val_accuracy"),
        "weights": metrics.get("weights"),
        **{name: metrics.get(name) for name in names},
    }


def run_params(run_id: str) -> dict[str, str]:
    """A run's parameters by short names, with the names of its dataset, architecture and baseline.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client:
        run = client.get_run(run_id)
    tags = run.data.tags
    chosen = {name: tags[name] for name in ("dataset", "arch", "baseline") if name in tags}
    return {**short_names(run.data.params), **chosen}


def run_history(run_id: str) -> dict[str, dict[int, float]]:
    """The values of a run's metrics by step; the step of a training's metric is the epoch.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client:
        names = client.get_run(run_id).data.metrics
        history = {name: client.get_metric_history(run_id, name) for name in names}
    return {name: {item.step: item.value for item in items} for name, items in history.items()}


def download_artifacts(run_id: str, path: str, target: Path) -> Path | None:
    """Download a directory of a run's artifacts into `target`; None: the run has no such artifacts.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client:
        if not client.list_artifacts(run_id, path):
            return None
        return Path(client.download_artifacts(run_id, path, str(target)))


def evaluated_runs(wanted: Sequence[Params]) -> list[FoundRun | None]:
    """For each set of parameters, the newest finished run that was trained and evaluated with exactly these.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client, locked_store():
        finished = _search(client, f"{OWN} and attributes.status = 'FINISHED'")
    runs = [run for run in finished if set(NEEDED) <= set(figures(run.data.metrics, run.data.tags))]
    by_params: dict[frozenset[tuple[str, str]], list[Run]] = {}
    for run in runs:
        by_params.setdefault(frozenset(short_names(run.data.params).items()), []).append(run)
    found = []
    for params in wanted:
        trained = by_params.get(frozenset(logged(params).items()), [])
        judged = {name: str(value) for name, value in params.of_evaluation().items()}
        newest = next((run for run in trained if judged.items() <= run.data.tags.items()), None)
        found.append(None if newest is None else _found(newest))
    return found


def run_pages() -> dict[str, str]:
    """The address of each dataset's runs in the UI, relative to the server's, in the datasets' order.

    Experiments of older versions get their saved view. Experiments of others are left alone.

    Raises:
        StoreError: the store cannot be opened.
    """
    pages = {}
    with reaching() as client, locked_store():
        for experiment in client.search_experiments():
            number, name = str(experiment.experiment_id), str(experiment.name)
            if VIEW not in experiment.tags and not client.search_runs([number], OWN, max_results=1):
                continue
            try:
                complete(client, experiment)
            except MlflowException as error:  # a reader of a shared server may not write
                warn(f"cannot save the view of {name} in {shown_uri()}: {without_password(str(error))}")
            pages[name] = runs_page(number)
    return dict(sorted(pages.items()))


def _found(run: Run) -> FoundRun:
    known = figures(run.data.metrics, run.data.tags)
    return FoundRun(run.info.run_id, run.data.tags.get("git_commit"), _minutes(run), known)


def _minutes(run: Run) -> float | None:
    # The time of a resumed or restored run is not the time of its training.
    timed = run.info.end_time is not None and not {"resumed", "restored"} & set(run.data.tags)
    return (run.info.end_time - run.info.start_time) / 60_000 if timed else None


def _search(client: MlflowClient, wanted: str) -> list[Run]:
    """All runs of the active experiments that match a filter, newest first."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs: list[Run] = []
    token = None
    while page := client.search_runs(experiments, wanted, max_results=MAX_RUNS, page_token=token):
        runs += page
        if not (token := page.token):
            break
    return runs


# A run with all of these was evaluated.
NEEDED = (
    "test_accuracy",
    "test_rows",
    "test_calibration_error",
    "test_gain",
    "test_gain_low",
    "test_gain_high",
    "test_mcnemar_p",
)


@dataclass(frozen=True)
class FoundRun:
    """An evaluated run, for the results page.

    Args:
        run_id: MLflow's id.
        commit: of git; None if it is unknown.
        minutes: duration of the training; None for a resumed or restored run.
        metrics: see `views.figures`; they include all of `NEEDED`.
    """

    run_id: str
    commit: str | None
    minutes: float | None
    metrics: Mapping[str, float]
