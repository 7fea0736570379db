"""MLflow: one run a pipeline result. With `pyfunc_model.py`, the only code that knows MLflow.

A result is known by the hash that DVC gives its model directory (`models` in dvc.lock). Training tags its
run with it; evaluation finds the run by it, or makes one from the files where the store has none (a fresh
clone, another store).
"""

import os

# Read when mlflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # MLflow's own 7 take minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # seconds without a byte; MLflow's own are 120
