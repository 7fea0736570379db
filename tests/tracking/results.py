"""Results that tests log to a store without training: invented figures, and a registered model of no use."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from moodring.evaluation.verdict import verdict
from moodring.models.result import Result, Settings
from moodring.params.pipeline import Params
from moodring.serving.publishing import describe
from moodring.serving.registry import record_model
from moodring.tracking.lifecycle import finish_training, result_run, training_run
from moodring.tracking.runs import log_evaluation
from moodring.tracking.store import Experiment

ROWS = 2000


@contextlib.contextmanager
def checkout(root: Path) -> Iterator[None]:
    """Make a directory the checkout; MLflow's global state is reset after the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("DVC_ROOT", str(root))
        patch.chdir(root)
        yield
    mlflow.set_tracking_uri(None)


def chosen(params: Params, dataset: str, arch: str) -> Params:
    """The parameters with another dataset, which has the block of Rotten Tomatoes, and another arch."""
    blocks = {dataset: params.datasets["rotten_tomatoes"]}
    return params.model_copy(update={"dataset": dataset, "datasets": blocks, "arch": arch})


def evaluated(accuracy: float, gain: float) -> dict[str, float | int]:
    """The content of metrics/test.json with this accuracy and this gain over the baseline."""
    values = dict.fromkeys(("roc_auc", "average_precision", "f1", "baseline_accuracy"), accuracy - gain)
    values |= dict.fromkeys(("brier", "calibration_error", "calibration_error_before"), 0.1)
    values |= {"accuracy": accuracy, "accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.02}
    values |= {"gain": gain, "gain_low": gain - 0.02, "gain_high": gain + 0.02, "mcnemar_p": 0.25}
    return {**values, "log_loss": 0.5, "temperature": 1.1, "rows": ROWS}


def log_result(
    root: Path, params: Params, validation: float, accuracy: float, gain: float, model: bool = True
) -> tuple[str, int | None]:
    """Log a training of three epochs and its evaluation; returns the run's id and the model's version.

    Args:
        root: of the checkout.
        params: of the result.
        validation: the validation accuracy of the kept epoch.
        accuracy: of the test texts.
        gain: over the baseline, on the test texts.
        model: whether a version is registered.
    """
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    for name, shift in (("accuracy", 0.05), ("val_accuracy", 0.0)):
        history[name] = [validation - 0.1 + shift, validation + shift, validation - 0.02 + shift]
    for name, shift in (("loss", -0.1), ("val_loss", 0.0)):
        history[name] = [0.7 + shift, 0.5 + shift, 0.55 + shift]
    md5 = f"{params.arch}-{params.seed}".encode().hex()
    settings = Settings(40, 10, 9000, 123_456, 2, params.of_training())
    result = Result(f"{md5}.dir", md5, settings, history)
    with training_run(params, "d" * 64, md5) as run:
        for row in history.to_dict("records"):
            run.log_epoch(int(row.pop("epoch")), {str(name): value for name, value in row.items()})
        finish_training(run, result)
    logged, _ = result_run(Experiment(params.dataset), params, "d" * 64, result, md5)
    metrics = evaluated(accuracy, gain)
    (root / "test.json").write_text(json.dumps(metrics), encoding="utf-8")
    (report := root / "report").mkdir(exist_ok=True)
    (report / "index.html").write_text("<!doctype html><p>the report", encoding="utf-8")
    (report / "mistakes.json").write_text('{"columns":["text"],"data":[["a film"]]}', encoding="utf-8")
    log_evaluation(logged, metrics, params, [root / "test.json"], report, report / "mistakes.json")
    run_id = str(logged.info.run_id)
    if not model:
        return run_id, None
    version = record_model(logged, params.dataset, lambda bundle: bundle.mkdir(parents=True))
    describe(Experiment(params.dataset), run_id, version, verdict(params, metrics), metrics, result)
    return run_id, version
