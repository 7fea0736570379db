"""Give the present result its MLflow run."""

from __future__ import annotations

import os
from pathlib import Path

from moodring.checkout.pipeline import refuse_stale, stale_stages
from moodring.checkout.root import checkout_root
from moodring.errors import shows_errors
from moodring.params.file import load_params


@shows_errors
def sync() -> None:
    """Give the present result its MLflow run, or say which run it is.

    A result that DVC restored from its cache, or that was pulled, may have none in this store. Runs that
    killed processes left RUNNING are closed.
    """
    from moodring.mlflow_ui.names import registered_name
    from moodring.serving.publishing import publish
    from moodring.serving.result_files import ResultFiles
    from moodring.tracking.lifecycle import close_abandoned

    os.chdir(checkout_root())
    params = load_params(Path("params.yaml"))
    stale = stale_stages()
    if not stale:
        published = publish(ResultFiles(), params)
        said = {
            "found": "no new run: this is run",
            "completed": "its training could not reach the store: completed run",
            "restored": "no run in this store: made run",
            "evaluated": "no run with these parameters of evaluation: made run",
        }[published.how]
        print(f"{params.dataset}, {params.arch}: {said} {published.run_id}")
        print(f"its model is models:/{registered_name(params.dataset)}/{published.version}")
    for run_id in close_abandoned():
        print(f"closed run {run_id}, which a killed process left RUNNING")
    refuse_stale(stale)
