"""Runs in MLflow: each pipeline result has one run.

The MD5 of the model directory in dvc.lock identifies a result. Training tags its run with it, and evaluation
finds the run by it. If the store has no such run (a fresh clone, another store), evaluation makes one from
the files.
"""

import os

# mlflow reads these when it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")  # MLflow's default of 7 takes minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # seconds without a byte; MLflow's default is 120
