"""A training that is killed, stopped or told to end: the same command goes on in the same MLflow run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project, make_project

pytestmark = pytest.mark.slow

TRAIN = ("dvc", "repro", "--force", "--single-item", "train")
TRIALS = 20


@dataclass(frozen=True)
class Store:
    """One of several MLflow stores of a project, so that each trial begins without a run."""

    file: Path

    @property
    def address(self) -> str:
        return f"sqlite:///{self.file}"

    def rows(self, query: str) -> list[tuple[object, ...]]:
        # Not read-only: what a killed process was writing has to be undone first.
        store = sqlite3.connect(self.file)
        try:
            return list(store.execute(query))
        finally:
            store.close()

    def is_free(self) -> bool:
        """Whether no process is writing to it, or has locked it to do so."""
        with (
            Path(f"{self.file}.lock").open("w") as lock,
            contextlib.closing(sqlite3.connect(self.file, 0)) as store,
        ):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                store.execute("BEGIN EXCLUSIVE")
            except (BlockingIOError, sqlite3.OperationalError):
                return False
            return True

    def runs(self) -> list[tuple[object, ...]]:
        """Status and `resumed` tag of each run that is not deleted."""
        return self.rows(
            "SELECT status, (SELECT value FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'resumed') "
            "FROM runs WHERE lifecycle_stage = 'active' ORDER BY start_time"
        )

    def points(self) -> list[tuple[object, ...]]:
        """Name, step and value of every logged metric of the runs that are not deleted."""
        return self.rows(
            "SELECT key, step, value FROM metrics JOIN runs USING (run_uuid) "
            "WHERE lifecycle_stage = 'active' ORDER BY key, step, value"
        )


@dataclass(frozen=True)
class Training:
    """A project whose training takes some seconds, and how it ends when nobody interrupts it."""

    project: Project
    empty: Path
    expected: dict[str, bytes]
    points: list[tuple[object, ...]]
    seconds: float

    def store(self, name: str) -> Store:
        """A new store without a run; making one takes MLflow seconds, copying it none."""
        shutil.copyfile(self.empty, file := self.project.root / f"{name}.mlflow.db")
        return Store(file)

    def start(self, store: Store, *command: str) -> subprocess.Popen[str]:
        """Start the training in a process group of its own and wait for its run."""
        process = self.project.start(*(command or TRAIN), MLFLOW_TRACKING_URI=store.address)
        before = len(store.runs())
        for _ in range(1200):
            if process.poll() is not None or len(store.runs()) > before:
                return process
            time.sleep(0.05)
        raise AssertionError("no run was opened within a minute")


def results(project: Project) -> dict[str, bytes]:
    """The bytes of what training wrote."""
    names = ("models/model.keras", "models/history.csv", "models/settings.json", "metrics/train.json")
    return {name: (project.root / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A tiny training with dropout, of a dozen epochs, run once to its end."""
    room = tmp_path_factory.mktemp("interrupts")
    project = make_project(room / "checkout", room / "home")
    project.set(
        train__epochs=12, train__batch_size=4, train__early_stopping={"monitor": "val_loss", "patience": 3}
    )
    project.commit()
    project.repro("tokenize")
    empty = room / "empty.db"
    project.run("moodring", "runs", MLFLOW_TRACKING_URI=f"sqlite:///{empty}")
    whole = Training(project, empty, {}, [], 0)
    store = whole.store("whole")
    process = whole.start(store)
    begun = time.monotonic()
    while store.runs() == [("RUNNING", None)]:
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    assert process.wait() == 0
    assert store.runs() == [("FINISHED", None)]
    project.commit()
    return Training(project, empty, results(project), store.points(), seconds)


@pytest.fixture
def clean(training: Training) -> Iterator[Training]:
    """The training, with nothing left of other tests' attempts."""
    shutil.rmtree(training.project.root / ".moodring", ignore_errors=True)
    yield training
    training.project.undo("data/own/tiny.csv.dvc", "download", "preprocess", "tokenize", "train")


@pytest.mark.parametrize("trial", range(TRIALS))
def test_killed_at_any_moment_it_ends_as_the_uninterrupted_one(clean: Training, trial: int) -> None:
    share = random.Random(f"kill {trial}").random()  # noqa: S311
    for retry in range(5):
        store = clean.store(f"kill-{trial}-{retry}")
        process = clean.start(store)
        time.sleep(share * clean.seconds * 0.8**retry)
        os.killpg(process.pid, signal.SIGKILL)
        # A training that was faster than the uninterrupted one had ended: once more, and earlier.
        if process.wait() == -signal.SIGKILL and store.runs()[0][0] == "RUNNING":
            break
    assert process.returncode == -signal.SIGKILL
    assert store.runs() == [("RUNNING", None)]
    clean.project.run(*TRAIN, MLFLOW_TRACKING_URI=store.address)
    assert store.runs() == [("FINISHED", "true")]
    assert store.points() == clean.points
    assert results(clean.project) == clean.expected
    assert clean.project.attempts() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_told_to_end_it_leaves_a_failed_run_and_goes_on_later(
    clean: Training, number: signal.Signals
) -> None:
    store = clean.store(number.name)
    process = clean.start(store, *STAGE)
    wait_for_a_checkpoint(clean.project)
    os.killpg(process.pid, number)
    _, said = process.communicate()
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert store.runs() == [("FAILED", None)]
    done = clean.project.run(*STAGE, MLFLOW_TRACKING_URI=store.address)
    assert "Epoch 1/" not in done.stdout
    assert store.runs() == [("FINISHED", "true")]
    assert store.points() == clean.points
    assert results(clean.project) == clean.expected


def test_ctrl_c_of_dvc_leaves_a_failed_run(clean: Training) -> None:
    store = clean.store("dvc")
    process = clean.start(store)
    wait_for_a_checkpoint(clean.project)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() != 0
    assert store.runs() == [("FAILED", None)]


@pytest.mark.parametrize("change", ["parameters", "code", "data"])
def test_what_changed_begins_anew_and_the_killed_run_is_closed(clean: Training, change: str) -> None:
    project, store = clean.project, clean.store(change)
    process = clean.start(store, *STAGE)
    wait_for_a_checkpoint(project)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert store.runs() == [("RUNNING", None)]
    if change == "parameters":
        project.set(train__learning_rate=0.03)
    elif change == "code":
        path = project.root / "src/moodring/training.py"
        path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    else:
        path = project.root / "data/own/tiny.csv"
        path.write_text(path.read_text(encoding="utf-8") + "another wonderful film,5\n", encoding="utf-8")
        project.repro("tokenize")
    done = project.run(*STAGE, MLFLOW_TRACKING_URI=store.address)
    assert "Epoch 1/12" in done.stdout
    assert store.runs() == [("KILLED", None), ("FINISHED", None)]


def test_sync_closes_the_run_of_a_killed_training(clean: Training) -> None:
    store = clean.store("sync")
    process = clean.start(store, *STAGE)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Without an evaluation there is no present result to send, which it says after closing the run.
    done = clean.project.run("moodring", "sync", check=False, MLFLOW_TRACKING_URI=store.address)
    assert "which a killed process left RUNNING" in done.stdout
    assert done.returncode == 1
    assert "evaluate" in done.stderr
    assert store.runs() == [("KILLED", None)]


def test_a_training_that_still_lives_is_left_alone(clean: Training) -> None:
    store = clean.store("two")
    process = clean.start(store, *STAGE)
    pause_outside_the_store(process, store)
    try:
        # The same training beside it takes up nothing of it: two at once do not share a run.
        clean.project.run(*STAGE, MLFLOW_TRACKING_URI=store.address)
        assert store.runs() == [("RUNNING", None), ("FINISHED", None)]
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    assert store.runs() == [("FINISHED", None)]
    assert results(clean.project) == clean.expected


STAGE = ("python", "-m", "stages.train")


def wait_for_a_checkpoint(project: Project) -> None:
    for _ in range(1200):
        if list(project.root.glob(".moodring/attempts/*/checkpoint.npz")):
            return
        time.sleep(0.05)
    raise AssertionError("no checkpoint within a minute")


def pause_outside_the_store(process: subprocess.Popen[str], store: Store) -> None:
    """Stop a process where it holds no lock of the store, for which others would have to wait."""
    for _ in range(1200):
        process.send_signal(signal.SIGSTOP)
        if store.is_free():
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("the store was not left alone within a minute")
