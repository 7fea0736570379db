"""What the store holds, as a table: from runs to experiments, commits and model versions."""

from __future__ import annotations

from typing import Any

from mlflow.entities import Run

from moodring.tracking.store import RESULT_TAG, locked_store, reaching

MAX_RUNS = 5000


def list_runs(digest: str | None = None) -> list[dict[str, Any]]:
    """Every run of the store's active experiments that Moodring made, newest first.

    Each has: experiment (DVC's name or None), commit, dirty, dataset, arch, status, test_accuracy,
    run_id, model_version (the newest), restored, resumed, models_md5 (the hash in dvc.lock).

    Args:
        digest: only runs of the result whose `models` have this hash in dvc.lock.

    Raises:
        StoreError: the store cannot be opened.
    """
    wanted = f" and tags.{RESULT_TAG} = '{digest}'" if digest else ""
    with reaching() as client, locked_store():
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        runs: list[Run] = []
        token = None
        while page := client.search_runs(
            experiments, f"tags.data_sha256 != ''{wanted}", max_results=MAX_RUNS, page_token=token
        ):
            runs += page
            if not (token := page.token):
                break
        versions: dict[str, int] = {}
        for version in client.search_model_versions():
            versions[version.run_id] = max(int(version.version), versions.get(version.run_id, 0))
    return [
        {
            "experiment": run.data.tags.get("dvc_experiment"),
            "commit": run.data.tags.get("git_commit"),
            "dirty": run.data.tags.get("git_dirty") == "true",
            "dataset": run.data.tags.get("dataset"),
            "arch": run.data.tags.get("arch"),
            "status": run.info.status,
            "test_accuracy": run.data.metrics.get("test_accuracy"),
            "run_id": run.info.run_id,
            "model_version": versions.get(run.info.run_id),
            "restored": run.data.tags.get("restored") == "true",
            "resumed": run.data.tags.get("resumed") == "true",
            RESULT_TAG: run.data.tags.get(RESULT_TAG),
        }
        for run in runs
    ]
