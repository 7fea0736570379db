"""A logged model and its run: log it, and find out whether its parts still exist."""

from __future__ import annotations

import importlib.metadata
import warnings
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema

BUNDLE = "bundle"
MISSING = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
PACKAGE = Path(__file__).parents[1]
REQUIREMENTS = (
    "keras",
    "mlflow",
    "nltk",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "ruamel.yaml",
    "scipy",
    "tensorflow",
)


def log_model(run: Run, bundle: Path) -> str:
    """Log the served model with its run; returns its address."""
    mlflow.set_experiment(experiment_id=run.info.experiment_id)
    with warnings.catch_warnings():
        # With an example, MLflow would load the model and score the example, which takes seconds.
        warnings.filterwarnings("ignore", ".*An input example was not provided")
        # This is not `start_run`, which would open the finished run again.
        model = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name=run.data.tags["arch"],
            run_id=run.info.run_id,
            **served_model(bundle),
        )
    return str(model.model_uri)


def served_model(bundle: Path) -> dict[str, Any]:
    """What MLflow logs or saves for a bundle: arguments of `mlflow.pyfunc.log_model` and `save_model`."""
    return {
        "python_model": str(PACKAGE / "serving" / "pyfunc_model.py"),
        "artifacts": {BUNDLE: bundle.as_uri()},
        "code_paths": [str(PACKAGE)],
        "signature": _signature(),
        "pip_requirements": [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS],
    }


def _signature() -> ModelSignature:
    signature = ModelSignature(
        inputs=Schema([ColSpec("string")]),
        outputs=Schema([ColSpec("double", "score"), ColSpec("string", "label")]),
    )
    # MLflow then passes on whatever it receives, and the model checks it. Without this, MLflow would cut a
    # table to its first column, and make an array as wide as the longest text of each list.
    signature._is_signature_from_type_hint = True
    return signature


def has_files(version: ModelVersion) -> bool:
    """Whether a version's files are where the store says."""
    try:
        return bool(mlflow.artifacts.list_artifacts(f"models:/{version.name}/{version.version}"))
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise
        return False  # its logged model was deleted


def find_run(run_id: str | None) -> Run | None:
    """A run, even a deleted one; None: it does not exist."""
    if not run_id:
        return None
    try:
        return mlflow.MlflowClient().get_run(run_id)
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise
        return None


def run_that_logged(version: ModelVersion) -> str | None:
    """The run that logged a version's model; None if it is not known."""
    scheme, _, model_id = str(version.source).partition(":/")
    if scheme != "models" or not model_id.startswith("m-"):
        return None
    try:
        run_id = mlflow.MlflowClient().get_logged_model(model_id).source_run_id
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise
        return None
    return str(run_id) if run_id else None
