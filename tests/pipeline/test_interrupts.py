"""Interrupted trainings: the same command continues the training in the same MLflow run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.pipeline import conftest
from tests.pipeline.conftest import Project, make_project, wait_until

pytestmark = pytest.mark.slow

STAGE = ("python", "-m", "stages.train")
DVC = ("dvc", "repro", "--force", "--single-item", "train")
TRIALS = 5
EPOCHS = 12
KILLS = 4  # of each trial's training, so 20 in all
BY_DVC = {0}  # this trial runs DVC; the others run the stage directly, which starts faster


class Store(conftest.Store):
    """The store of one training."""

    def is_free(self) -> bool:
        """Whether no process writes to the store or has locked it."""
        with (
            Path(f"{self.file}.lock").open("w") as lock,
            contextlib.closing(sqlite3.connect(self.file, timeout=0)) as store,
        ):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                store.execute("BEGIN EXCLUSIVE")
            except (BlockingIOError, sqlite3.OperationalError):
                return False
            return True

    def runs(self) -> list[tuple[object, ...]]:
        """The status and the `resumed` tag of each run that is not deleted."""
        return self.rows(
            "SELECT status, (SELECT value FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'resumed') "
            "FROM runs WHERE lifecycle_stage = 'active' ORDER BY start_time"
        )

    def epochs(self) -> int:
        """The number of epochs that the store has."""
        ((step,),) = self.rows("SELECT max(step) FROM metrics WHERE key = 'train_loss'")
        return step or 0

    def points(self) -> list[tuple[object, ...]]:
        """The name, step and value of every logged metric of the runs that are not deleted."""
        return self.rows(
            "SELECT key, step, value FROM metrics JOIN runs USING (run_uuid) "
            "WHERE lifecycle_stage = 'active' ORDER BY key, step, value"
        )


@dataclass(frozen=True)
class Training:
    """A checkout whose training takes some seconds, and the result of an uninterrupted training.

    The store has no run. MLflow needs seconds to create a store, but a copy takes no time.
    """

    project: Project
    store: Store
    expected: dict[str, bytes]
    points: list[tuple[object, ...]]
    seconds: float

    def copy(self, directory: Path) -> Training:
        """The same training in a copy of the checkout and the store."""
        directory.mkdir()
        checkout = self.project.copy(directory / "checkout")
        store = self.store.copy(directory / "db")
        return replace(self, project=checkout, store=store)

    def start(self, *command: str, warm: bool = True) -> subprocess.Popen[str]:
        """Start the command in a new process group and wait for its run."""
        process = self.project.start(*command, warm=warm, MLFLOW_TRACKING_URI=self.store.address)
        wait_until(lambda: process.poll() is not None or self.store.runs(), "a run")
        return process

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in the checkout with the store."""
        return self.project.run(*command, check=check, MLFLOW_TRACKING_URI=self.store.address)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the whole process group, unless it has ended. Its standard error closes with its last process."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=conftest.WAIT_SECONDS)


def results(project: Project) -> dict[str, bytes]:
    """The bytes of the files that the training wrote."""
    names = ("models/model.keras", "models/history.csv", "models/settings.json", "metrics/train.json")
    return {name: (project.root / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A tiny training of some seconds with dropout. It ran once to its end, in a copy."""
    directory = tmp_path_factory.mktemp("interrupts")
    project = make_project(directory / "checkout", directory / "home")
    stopping = {"monitor": "val_loss", "patience": 3}
    project.set(train__epochs=EPOCHS, train__batch_size=4, train__early_stopping=stopping)
    project.commit()
    project.repro("tokenize", "vectors")
    training = Training(project, Store(directory / "db"), {}, [], 0)
    training.run("python", "-c", "from moodring.tracking.listing import list_runs; list_runs()")
    whole = training.copy(directory / "whole")
    process = whole.start(*STAGE)
    start = time.monotonic()
    wait_until(lambda: whole.store.runs() != [("RUNNING", None)], "the end of the training")
    seconds = time.monotonic() - start
    assert process.wait() == 0
    assert whole.store.runs() == [("FINISHED", None)]
    return replace(training, expected=results(whole.project), points=whole.store.points(), seconds=seconds)


@pytest.fixture
def clean(training: Training, tmp_path: Path) -> Training:
    """A copy of the training that has not started."""
    return training.copy(tmp_path / "clean")


@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_training_killed_at_any_time_continues_to_the_same_result(clean: Training, trial: int) -> None:
    command = DVC if trial in BY_DVC else STAGE
    rng = random.Random(f"kill {trial}")  # noqa: S311
    killed = 0
    # The first kill comes before the first epoch ends, even if the training is faster here than it was alone.
    for epochs in [0, *sorted(rng.choices(range(EPOCHS), k=KILLS - 1))]:
        process = clean.start(*command)
        wait_until(lambda: process.poll() is not None or clean.store.epochs() >= epochs, "an epoch")  # noqa: B023
        time.sleep(rng.random() * clean.seconds / (EPOCHS if epochs else 4))
        kill(process)
        if clean.store.runs()[0][0] == "FINISHED":
            break
        killed += process.returncode == -signal.SIGKILL
    assert killed > 0
    clean.run(*command)
    assert clean.store.runs() == [("FINISHED", "true")]
    assert clean.store.points() == clean.points
    assert results(clean.project) == clean.expected
    assert clean.project.attempts() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_leaves_a_failed_run_that_the_same_command_continues(
    clean: Training, number: signal.Signals
) -> None:
    store = clean.store
    process = clean.start(*STAGE, warm=False)
    clean.project.wait_for_checkpoint(process)
    os.killpg(process.pid, number)
    _, stderr = process.communicate()
    assert process.returncode == 128 + number
    assert "Traceback" not in stderr
    assert store.runs() == [("FAILED", None)]
    done = clean.run(*STAGE)
    assert "epoch  1/12" not in done.stdout
    assert store.runs() == [("FINISHED", "true")]
    assert store.points() == clean.points
    assert results(clean.project) == clean.expected


def test_ctrl_c_in_dvc_repro_leaves_a_failed_run(clean: Training) -> None:
    store = clean.store
    process = clean.start(*DVC, warm=False)
    clean.project.wait_for_checkpoint(process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() != 0
    assert store.runs() == [("FAILED", None)]


@pytest.mark.parametrize("change", ["parameters", "code", "data"])
def test_a_changed_training_starts_from_the_first_epoch_and_closes_the_killed_run(
    clean: Training, change: str
) -> None:
    project, store = clean.project, clean.store
    process = clean.start(*STAGE)
    project.wait_for_checkpoint(process)
    kill(process)
    assert store.runs() == [("RUNNING", None)]
    if change == "parameters":
        project.set(train__learning_rate=0.03)
    elif change == "code":
        path = project.root / "src/moodring/training/network.py"
        path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    else:
        path = project.root / "data/own/tiny.csv"
        path.write_text(path.read_text(encoding="utf-8") + "another wonderful film,5\n", encoding="utf-8")
        project.repro("tokenize")
    done = clean.run(*STAGE)
    assert "epoch  1/12" in done.stdout
    assert store.runs() == [("KILLED", None), ("FINISHED", None)]


def test_sync_closes_the_run_of_a_killed_training(clean: Training) -> None:
    store = clean.store
    process = clean.start(*STAGE)
    kill(process)
    # There is no evaluation, so `sync` has no result to send. It first closes the run and then reports this.
    done = clean.run("moodring", "sync", check=False)
    assert "which a killed process left RUNNING" in done.stdout
    assert done.returncode == 1
    assert "evaluate" in done.stderr
    assert store.runs() == [("KILLED", None)]


def test_a_second_training_does_not_touch_the_run_of_a_live_training(clean: Training) -> None:
    store = clean.store
    process = clean.start(*STAGE, warm=False)
    pause_outside_the_store(process, store)
    try:
        # The same training starts a second time. It does not continue the first: they have different runs.
        clean.run(*STAGE)
        assert store.runs() == [("RUNNING", None), ("FINISHED", None)]
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    assert store.runs() == [("FINISHED", None)]
    assert results(clean.project) == clean.expected


def pause_outside_the_store(process: subprocess.Popen[str], store: Store) -> None:
    """Pause a process while it holds no lock of the store. Other processes would wait for a lock."""

    def paused_without_lock() -> bool:
        process.send_signal(signal.SIGSTOP)
        # The process stops some time after the signal. Wait for it.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if store.is_free():
            return True
        process.send_signal(signal.SIGCONT)
        return False

    wait_until(paused_without_lock, "a pause outside the store")
