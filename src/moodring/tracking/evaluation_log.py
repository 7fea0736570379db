"""What evaluation logs."""

from __future__ import annotations

import json
from pathlib import Path

from mlflow.entities import Metric, Run, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS

from moodring.params.pipeline import Params
from moodring.tracking.runs import now_ms
from moodring.tracking.store import reaching


def log_evaluation(
    run: Run, metrics: dict[str, float | int], params: Params, files: list[Path], report: Path, table: Path
) -> None:
    """Put what evaluation found into a run; doing it again replaces it.

    Args:
        run: the result's.
        metrics: of the test split, logged with the prefix `test_`.
        params: evaluation's are logged as tags.
        files: logged under `metrics`.
        report: directory of the report, logged under its name.
        table: JSON in pandas' `split` form, logged so that MLflow shows it as a table.

    Raises:
        StoreError: the store cannot be written.
    """
    now = now_ms()
    values = {f"test_{name}": float(value) for name, value in metrics.items()}
    changed = [
        Metric(name, value, now, 0) for name, value in values.items() if run.data.metrics.get(name) != value
    ]
    # What `log_table` sets; that itself would add the rows to those of an earlier time.
    tables = {MLFLOW_LOGGED_ARTIFACTS: json.dumps([{"path": table.name, "type": "table"}])}
    tags = [RunTag(name, str(value)) for name, value in {**params.of_evaluation(), **tables}.items()]
    with reaching() as client:
        client.log_batch(run.info.run_id, metrics=changed, tags=tags)
        for path in files:
            if path.is_dir():
                client.log_artifacts(run.info.run_id, str(path), f"metrics/{path.name}")
            else:
                client.log_artifact(run.info.run_id, str(path), "metrics")
        client.log_artifacts(run.info.run_id, str(report), report.name)
        client.log_artifact(run.info.run_id, str(table))
