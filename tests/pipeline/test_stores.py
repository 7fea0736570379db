"""Where runs land: four queue workers on no store at all, a real MLflow server, a store that goes away."""

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

from tests.pipeline.conftest import Project, answers, free_port, make_project, until

pytestmark = pytest.mark.slow

STAGE = ("python", "-m", "stages.train")
ARCHS = ("rnn", "lstm", "bilstm", "gru")
SWEEP = f"arch={','.join(ARCHS)}"
# MLflow's own setting, so that a server that is gone is given up at once and not after several tries.
HASTY = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose corpus is made; there is no MLflow store."""
    room = tmp_path_factory.mktemp("stores")
    project = make_project(room / "checkout", room / "home")
    project.repro("tokenize", "vectors")
    project.commit()
    return project


def run_queue(project: Project, *settings: str) -> None:
    """Queue a sweep and wait until four workers have done all of it."""
    arguments = [part for setting in settings for part in ("-S", setting)]
    project.run("dvc", "exp", "run", "--queue", *arguments)
    with project.workers(4):
        pass
    status = project.run("dvc", "queue", "status").stdout
    for other in ("Queued", "Running", "Failed"):
        assert other not in status, status


def listed(project: Project) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(project.run("moodring", "runs", "--json").stdout)
    return runs


def test_four_workers_make_every_run_once_from_no_store(fresh: Project, tmp_path: Path) -> None:
    checkout = fresh.copy(tmp_path / "checkout")
    assert not (checkout.root / "mlflow.db").exists()
    run_queue(checkout, SWEEP, "train.epochs=1,2")
    runs = listed(checkout)
    assert len(runs) == 8
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert len({run["experiment"] for run in runs}) == 8
    assert sorted(run["model_version"] for run in runs) == list(range(1, 9))
    # What MLflow holds is what DVC shows.
    experiments = checkout.experiments()
    assert {run["experiment"]: (run["arch"], run["test_accuracy"]) for run in runs} == {
        name: (experiment["arch"], experiment["accuracy"]) for name, experiment in experiments.items()
    }
    assert sorted(run["arch"] for run in runs) == sorted([*ARCHS, *ARCHS])
    with sqlite3.connect(checkout.root / "mlflow.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        places = [place for (place,) in store.execute("SELECT artifact_uri FROM runs")]
    assert len(places) == 8
    for place in places:
        assert (Path(place.removeprefix("file://")) / "metrics/test.json").is_file()
        assert place.startswith((checkout.root / "mlartifacts").as_uri())
    assert checkout.attempts() == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_four_trainings_at_once_make_a_missing_store(fresh: Project, tmp_path: Path, attempt: int) -> None:
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
    """A real MLflow server on loopback, which keeps artifacts itself."""

    def __init__(self, project: Project, room: Path) -> None:
        self.project = project
        self.room = room
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.room.mkdir(exist_ok=True)
        self.process = self.project.start(
            *("mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.room / 'server.db'}"),
            *("--artifacts-destination", str(self.room / "artifacts"), "--serve-artifacts"),
            quiet=True,
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",  # starts sooner
        )
        until(lambda: self.process.poll() is not None or answers(f"{self.address}/health"), "the server")
        assert self.process.poll() is None

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def serving(project: Project, room: Path) -> Iterator[Server]:
    server = Server(project, room)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(fresh: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(fresh, tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def checkout(fresh: Project, server: Server, tmp_path: Path) -> Project:
    """A copy of the project that logs to the server; a checkout of its own has no store."""
    return fresh.copy(tmp_path / "checkout", MLFLOW_TRACKING_URI=server.address, **HASTY)


def test_four_workers_log_to_a_server(checkout: Project, server: Server) -> None:
    run_queue(checkout, SWEEP, "train.epochs=2")
    runs = listed(checkout)
    assert sorted(run["arch"] for run in runs) == sorted(ARCHS)
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert sorted(run["model_version"] for run in runs) == [1, 2, 3, 4]
    assert not (checkout.root / "mlflow.db").exists()
    assert not (checkout.root / "mlartifacts").exists()
    assert len(list((server.room / "artifacts").rglob("metrics/test.json"))) == 4
    done = checkout.run("moodring", "predict", "--model", "models:/moodring-tiny/1", "a wonderful film")
    assert json.loads(done.stdout)["label"] in {"positive", "negative"}


def test_a_server_that_refuses_is_told_before_training(checkout: Project, server: Server) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for command in (STAGE, ("moodring", "runs"), ("moodring", "predict", "--model", "models:/a@b", "x")):
        done = checkout.run(*command, check=False, MLFLOW_TRACKING_URI=nobody)
        assert done.returncode == 1
        assert re.search(rf"error: cannot .* the MLflow store {nobody}", done.stderr)
        assert "Traceback" not in done.stderr
        assert "epoch" not in done.stdout
    assert checkout.attempts() == []


def test_a_server_that_drops_ends_no_training_and_sync_sends_the_run(fresh: Project, tmp_path: Path) -> None:
    with serving(fresh, tmp_path / "server") as server:
        checkout = fresh.copy(tmp_path / "checkout", MLFLOW_TRACKING_URI=server.address, **HASTY)
        checkout.set(train__epochs=20, train__batch_size=4)
        process = checkout.start("dvc", "repro")
        checkout.until_checkpoint(process)
        server.stop()
        _, said = process.communicate()
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert "`moodring sync` later to send its run" in said
        assert checkout.repro() == []
        history = (checkout.root / "metrics/history.csv").read_text(encoding="utf-8").splitlines()
        refused = checkout.run("moodring", "sync", check=False)
        assert refused.returncode == 1
        assert "cannot open the MLflow store" in refused.stderr
        server.start()
        (run,) = listed(checkout)
        assert run["status"] == "RUNNING"
        assert f"completed run {run['run_id']}" in checkout.run("moodring", "sync").stdout
        assert f"this is run {run['run_id']}" in checkout.run("moodring", "sync").stdout
        (sent,) = listed(checkout)
        assert (sent["run_id"], sent["status"], sent["model_version"]) == (run["run_id"], "FINISHED", 1)
        assert sent["test_accuracy"] == checkout.json("metrics/test.json")["accuracy"]
        with sqlite3.connect(server.room / "server.db") as store:
            steps = [
                step for (step,) in store.execute("SELECT step FROM metrics WHERE key='loss' ORDER BY 1")
            ]
        assert steps == list(range(1, len(history)))
        assert checkout.attempts() == []


def test_a_local_store_that_is_lost_ends_no_training(fresh: Project, tmp_path: Path) -> None:
    checkout = fresh.copy(tmp_path / "checkout")
    checkout.set(train__epochs=20, train__batch_size=4)
    process = checkout.start(*STAGE)
    checkout.until_checkpoint(process)
    (checkout.root / "mlflow.db").write_bytes(b"no database any more, and longer than a header\n" * 100)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert (checkout.root / "models/model.keras").is_file()
    assert checkout.json("metrics/train.json")["epochs"] > 1


def test_a_store_that_cannot_be_opened_is_told(fresh: Project, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_text("not a database, and longer than a header\n" * 100, encoding="utf-8")
    for command in (STAGE, ("moodring", "runs"), ("moodring", "predict", "--model", "models:/a/1", "x")):
        done = fresh.run(*command, check=False, MLFLOW_TRACKING_URI=f"sqlite:///{garbage}")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in done.stderr
