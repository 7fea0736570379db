"""Stores of runs: four queue workers without a store, a real MLflow server, a store that is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import Project, free_port, make_project, server_answers, wait_until

pytestmark = pytest.mark.slow

STAGE = ("python", "-m", "stages.train")
ARCHS = ("rnn", "lstm", "bilstm", "gru")
SWEEP = f"arch={','.join(ARCHS)}"
# A setting of MLflow: it does not repeat a request that failed.
NO_RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a corpus and without an MLflow store."""
    directory = tmp_path_factory.mktemp("stores")
    project = make_project(directory / "checkout", directory / "home")
    project.repro("tokenize", "vectors")
    project.commit()
    return project


def run_queue(project: Project, *settings: str) -> None:
    """Queue a sweep and wait until four workers have finished it."""
    arguments = [part for setting in settings for part in ("-S", setting)]
    project.run("dvc", "exp", "run", "--queue", *arguments)
    with project.workers(4):
        pass
    status = project.run("dvc", "queue", "status").stdout
    for other in ("Queued", "Running", "Failed"):
        assert other not in status, status


def listed_runs(project: Project) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(project.run("moodring", "runs", "--json").stdout)
    return runs


def test_four_workers_create_the_store_and_log_every_run_once(fresh: Project, tmp_path: Path) -> None:
    checkout = fresh.copy(tmp_path / "checkout")
    assert not (checkout.root / "mlflow.db").exists()
    # The linear model trains fast; other tests here train networks at the same time.
    run_queue(checkout, "arch=nbsvm", "archs.nbsvm.cost=1,2,3,4,5,6,7,8")
    runs = listed_runs(checkout)
    assert len(runs) == 8
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert len({run["experiment"] for run in runs}) == 8
    assert sorted(run["model_version"] for run in runs) == list(range(1, 9))
    # MLflow and DVC show the same results.
    experiments = checkout.experiments()
    assert {run["experiment"]: (run["arch"], run["test_accuracy"]) for run in runs} == {
        name: (experiment["arch"], experiment["accuracy"]) for name, experiment in experiments.items()
    }
    assert len({run["models_md5"] for run in runs}) == 8
    with sqlite3.connect(checkout.root / "mlflow.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        addresses = [address for (address,) in store.execute("SELECT artifact_uri FROM runs")]
    assert len(addresses) == 8
    for address in addresses:
        assert (Path(address.removeprefix("file://")) / "metrics/test.json").is_file()
        assert address.startswith((checkout.root / "mlartifacts").as_uri())
    assert checkout.attempts() == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_four_simultaneous_trainings_create_a_missing_store(
    fresh: Project, tmp_path: Path, attempt: int
) -> None:
    checkout = fresh.copy(tmp_path / "checkout")
    checkouts = [fresh.copy(tmp_path / arch, DVC_ROOT=str(checkout.root)) for arch in ARCHS]
    for training, arch in zip(checkouts, ARCHS, strict=True):
        training.set(arch=arch, train__epochs=1)
    with ThreadPoolExecutor(len(checkouts)) as threads:
        list(threads.map(lambda training: training.run(*STAGE), checkouts))
    runs = checkout.runs()
    assert sorted(run["params"]["arch"] for run in runs) == sorted(ARCHS)
    assert {run["experiment"] for run in runs} == {"tiny"}
    assert checkout.store.rows("PRAGMA integrity_check") == [("ok",)]


class Server:
    """A real MLflow server on loopback. It stores the artifacts itself."""

    def __init__(self, project: Project, directory: Path) -> None:
        self.project = project
        self.directory = directory
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        self.process = self.project.start(
            *("mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.directory / 'server.db'}"),
            *("--artifacts-destination", str(self.directory / "artifacts"), "--serve-artifacts"),
            quiet=True,
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",  # to start faster
        )
        wait_until(
            lambda: self.process.poll() is not None or server_answers(f"{self.address}/health"), "the server"
        )
        assert self.process.poll() is None

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def running_server(project: Project, directory: Path) -> Iterator[Server]:
    server = Server(project, directory)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(fresh: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(fresh, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def checkout(fresh: Project, server: Server, tmp_path: Path) -> Project:
    """A copy of the project that logs to the server."""
    return fresh.copy(tmp_path / "checkout", MLFLOW_TRACKING_URI=server.address)


def test_four_workers_log_to_a_server(checkout: Project, server: Server) -> None:
    run_queue(checkout, SWEEP, "train.epochs=2")
    runs = listed_runs(checkout)
    assert sorted(run["arch"] for run in runs) == sorted(ARCHS)
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert sorted(run["model_version"] for run in runs) == [1, 2, 3, 4]
    assert not (checkout.root / "mlflow.db").exists()
    assert not (checkout.root / "mlartifacts").exists()
    assert len(list((server.directory / "artifacts").rglob("metrics/test.json"))) == 4
    done = checkout.run("moodring", "predict", "--model", "models:/moodring-tiny/1", "a wonderful film")
    assert json.loads(done.stdout)["label"] in {"positive", "negative"}


def test_a_server_out_of_reach_is_an_error_before_training(checkout: Project, server: Server) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    for command in (STAGE, ("moodring", "runs"), ("moodring", "predict", "--model", "models:/a@b", "x")):
        done = checkout.run(*command, check=False, MLFLOW_TRACKING_URI=closed, **NO_RETRIES)
        assert done.returncode == 1
        assert re.search(rf"error: cannot .* the MLflow store {closed}", done.stderr)
        assert "Traceback" not in done.stderr
        assert "epoch" not in done.stdout
    assert checkout.attempts() == []


def test_a_training_finishes_without_its_server_and_sync_sends_it(fresh: Project, tmp_path: Path) -> None:
    with running_server(fresh, tmp_path / "server") as server:
        checkout = fresh.copy(tmp_path / "checkout", MLFLOW_TRACKING_URI=server.address, **NO_RETRIES)
        checkout.set(train__epochs=20, train__batch_size=4)
        process = checkout.start("dvc", "repro")
        checkout.wait_for_checkpoint(process)
        server.stop()
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert "Traceback" not in stderr
        assert "`moodring sync` later to send its run" in stderr
        assert checkout.repro() == []
        history = (checkout.root / "metrics/history.csv").read_text(encoding="utf-8").splitlines()
        refused = checkout.run("moodring", "sync", check=False)
        assert refused.returncode == 1
        assert "cannot open the MLflow store" in refused.stderr
        server.start()
        (run,) = listed_runs(checkout)
        assert run["status"] == "RUNNING"
        assert f"completed run {run['run_id']}" in checkout.run("moodring", "sync").stdout
        assert f"this is run {run['run_id']}" in checkout.run("moodring", "sync").stdout
        (sent,) = listed_runs(checkout)
        assert (sent["run_id"], sent["status"], sent["model_version"]) == (run["run_id"], "FINISHED", 1)
        assert sent["test_accuracy"] == checkout.json("metrics/test.json")["accuracy"]
        with sqlite3.connect(server.directory / "server.db") as store:
            steps = [
                step
                for (step,) in store.execute("SELECT step FROM metrics WHERE key='train_loss' ORDER BY 1")
            ]
        assert steps == list(range(1, len(history)))
        assert checkout.attempts() == []


def test_a_training_finishes_without_its_local_store(fresh: Project, tmp_path: Path) -> None:
    checkout = fresh.copy(tmp_path / "checkout")
    checkout.set(train__epochs=20, train__batch_size=4)
    process = checkout.start(*STAGE)
    checkout.wait_for_checkpoint(process)
    (checkout.root / "mlflow.db").write_bytes(b"not a database, and longer than a header\n" * 100)
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert (checkout.root / "models/model.keras").is_file()
    assert checkout.json("metrics/train.json")["epochs"] > 1


def test_a_store_that_cannot_be_opened_is_an_error(fresh: Project, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_text("not a database, and longer than a header\n" * 100, encoding="utf-8")
    for command in (STAGE, ("moodring", "runs"), ("moodring", "predict", "--model", "models:/a/1", "x")):
        done = fresh.run(*command, check=False, MLFLOW_TRACKING_URI=f"sqlite:///{garbage}")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in done.stderr
