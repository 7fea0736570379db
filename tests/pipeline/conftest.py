"""A real git and DVC repository with the project's own files and tiny generated data."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from benchmarks.project import MADE, copy_parts, isolated, ran
from tests.conftest import ROOT, generated_rows
from tests.pipeline.warm import warm_programs

# Seconds that a test waits for an event before it fails. It is enough for a slow and busy machine.
WAIT_SECONDS = 900
# Settings of DVC and git for temporary repositories: no usage reports, no fsync, no maintenance.
TEMPORARY_REPOSITORY = {
    "DVC_NO_ANALYTICS": "1",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "core.fsync",
    "GIT_CONFIG_VALUE_0": "none",
    "GIT_CONFIG_KEY_1": "gc.auto",
    "GIT_CONFIG_VALUE_1": "0",
    "GIT_CONFIG_KEY_2": "maintenance.auto",
    "GIT_CONFIG_VALUE_2": "false",
}
TINY = {
    "source": {
        "kind": "file",
        "path": "data/own/tiny.csv",
        "text": "review",
        "label": "stars",
        "positive": [5],
        "negative": [1],
        "test_share": 0.25,
        "split_seed": 3,
    },
    "preprocess": MADE["preprocess"],
    "tokenize": MADE["tokenize"],
    "max_length": 12,
}


@dataclass(frozen=True)
class Store:
    """An MLflow store in a file. A test copies it to start with the runs that it needs."""

    file: Path

    @property
    def address(self) -> str:
        return f"sqlite:///{self.file}"

    def copy(self, target: Path) -> Self:
        shutil.copyfile(self.file, target)
        return type(self)(target)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        # The mode is not read-only: SQLite must first undo the writes of a killed process.
        # With this mode SQLite does not create a missing file.
        address = f"{self.file.as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS)) as opened:
            return opened.execute(query, values).fetchall()

    def champion(self) -> int | None:
        """The version of the only model that is the champion."""
        rows = self.rows("SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
        return int(rows[0][0]) if rows else None

    def versions(self) -> list[int]:
        """The registered versions of the only model."""
        return [int(row[0]) for row in self.rows("SELECT version FROM model_versions ORDER BY version")]

    def files_of(self, version: int) -> Path:
        """The directory with the files of a version."""
        ((address,),) = self.rows("SELECT storage_location FROM model_versions WHERE version = ?", version)
        return Path(unquote(urlsplit(address).path))


@dataclass(frozen=True)
class Worker:
    """A worker of DVC's queue. DVC keeps its process id and its exit code in a file."""

    file: Path

    def _read(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return state

    @property
    def ended(self) -> bool:
        return self._read()["returncode"] is not None

    def kill(self) -> None:
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._read()["pid"], signal.SIGKILL)


@dataclass
class Project:
    """A checkout. Tests run programs in it as a user does."""

    root: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    warm: ClassVar[Path | None] = None  # the directory with the warm programs

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the tests' environment in the checkout. The program is warm: see `warm.py`."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._environment({"PATH": self._path(), **environment}),
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_SECONDS,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{command} ended {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def start(
        self, *command: str, quiet: bool = False, warm: bool = True, **environment: str
    ) -> subprocess.Popen[str]:
        """Start a program in a new process group. It is warm, as in `run`, or the real program.

        The caller can read its standard error, unless it is quiet.
        """
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment(({"PATH": self._path()} if warm else {}) | environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def copy(self, target: Path, **environment: str) -> Project:
        """Copy the whole directory as `cp -r` does. Programs of the copy get the environment variables."""
        shutil.copytree(self.root, target, symlinks=True)
        return Project(target, self.home, environment)

    @contextlib.contextmanager
    def workers(self, jobs: int) -> Iterator[None]:
        """DVC's workers run the queued experiments while the block runs.

        After the block, all experiments are finished and all workers have ended.

        The workers are killed at the end. They may not end by themselves: if a worker reads a message file
        that another is writing, kombu raises, and the worker's control thread may be lost.
        """
        queue = self.root / ".dvc/tmp/exps/celery"
        # The workers inherit the output streams of this command. The reader of a pipe would wait for them.
        subprocess.run(
            ("dvc", "queue", "start", "--jobs", str(jobs)),
            cwd=self.root,
            env=self._environment({"PATH": self._path()}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=WAIT_SECONDS / 3,
        )
        workers = [Worker(file) for file in queue.glob("dvc-exp-worker-*.json")]
        assert len(workers) == jobs
        try:
            yield
            tasks = len(list(queue.glob("broker/*/*.celery.msg")))
            wait_until(
                lambda: (
                    len(list(queue.glob("result/celery-task-meta-*"))) == tasks
                    or all(worker.ended for worker in workers)
                ),
                "the end of the queued experiments",
            )
        finally:
            for worker in workers:
                worker.kill()
            wait_until(lambda: all(worker.ended for worker in workers), "the end of the workers")

    def _path(self) -> str:
        """PATH with the warm programs before the real ones."""
        path = isolated(os.environ, self.home)["PATH"]
        return f"{self.warm}{os.pathsep}{path}" if self.warm else path

    def _environment(self, added: dict[str, str]) -> dict[str, str]:
        # Programs keep their compiled files, so copies of the checkout have them too.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**isolated(inherited, self.home), **TEMPORARY_REPOSITORY, **self.environment, **added}

    def attempts(self) -> list[str]:
        """The keys of attempts: trainings that started and did not end."""
        return sorted(path.parent.name for path in self.root.glob(".moodring/attempts/*/id"))

    def wait_for_checkpoint(self, training: subprocess.Popen[str]) -> None:
        """Wait until a training has a checkpoint. A training that ended before is an error."""
        wait_until(
            lambda: list(self.root.glob(".moodring/attempts/*/checkpoint.npz")) or training.poll(),
            "a checkpoint",
        )
        assert training.poll() is None, training.communicate()

    def repro(self, *arguments: str, check: bool = True) -> list[str]:
        """Run `dvc repro`; returns the stages that ran, in order."""
        return ran(self.run("dvc", "repro", *arguments, check=check).stdout)

    def set(self, **values: Any) -> None:
        """Change params.yaml. `__` is the dot of a nested key."""
        path = self.root / "params.yaml"
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        for dotted, value in values.items():
            *parents, key = dotted.split("__")
            parent = tree
            for name in parents:
                parent = parent[name]
            parent[key] = value
        path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")

    def commit(self) -> None:
        """Commit everything that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "test")

    def undo(self, *targets: str) -> None:
        """Restore the last commit and its outputs, of all stages or of the named targets."""
        self.run("git", "checkout", "--quiet", ".")
        self.run("dvc", "checkout", "--force", "--quiet", *targets)

    def outputs(self) -> dict[Path, tuple[int, int]]:
        """The modification time and the size of each file that git does not restore."""
        files = (file for name in ("data", "models") for file in (self.root / name).rglob("*"))
        return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in files}

    def json(self, path: str) -> Any:
        """A JSON file of the checkout."""
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def experiments(self) -> dict[str, dict[str, Any]]:
        """The arch and the accuracy of each experiment by its name, from `dvc exp show`."""
        shown = json.loads(self.run("dvc", "exp", "show", "--json").stdout)
        found = {}
        for baseline in shown:
            for experiment in baseline["experiments"] or []:
                (state,) = experiment["revs"]
                data = state["data"]
                found[state["name"]] = {
                    "arch": data["params"]["params.yaml"]["data"]["arch"],
                    "accuracy": data["metrics"]["metrics/test.json"]["data"]["accuracy"],
                }
        return found

    @property
    def store(self) -> Store:
        """The checkout's own MLflow store."""
        return Store(self.root / "mlflow.db")

    def runs(self) -> list[dict[str, Any]]:
        """The runs of the store that are not deleted, the oldest first.

        Each has an id, status, experiment, artifacts, tags and params.
        """
        found = self.store.rows(
            "SELECT run_uuid, status, experiments.name, artifact_uri FROM runs JOIN experiments "
            "USING (experiment_id) WHERE runs.lifecycle_stage = 'active' ORDER BY start_time"
        )
        runs = []
        for run_id, status, experiment, artifacts in found:
            pairs = {
                table: dict(self.store.rows(f"SELECT key, value FROM {table} WHERE run_uuid = ?", run_id))  # noqa: S608
                for table in ("tags", "params")
            }
            runs.append(
                {"id": run_id, "status": status, "experiment": experiment, "artifacts": artifacts, **pairs}
            )
        return runs


def wait_until(condition: Callable[[], object], event: str) -> None:
    """Wait until a condition is true. The error names the event that did not happen."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{event}: not within {WAIT_SECONDS} seconds"
        time.sleep(0.05)


def free_port() -> int:
    """A port on which no program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def server_answers(address: str) -> bool:
    """Whether the server at this address answers."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def make_project(root: Path, home: Path) -> Project:
    """Commit the project's own files, tiny parameters and generated data to a new git repository."""
    copy_parts(root)
    project = Project(root, home)
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    tree["datasets"]["tiny"] = TINY
    tree |= {"dataset": "tiny", "arch": "lstm", "seed": 7}
    for block in tree["archs"].values():
        if block["kind"] == "recurrent":
            block["embedding"] |= {"size": 8, "vectors": "none"}
            block["units"] = 8
    tree["train"] |= {"epochs": 3, "batch_size": 16, "learning_rate": 0.02, "buckets": 3}
    (root / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit()
    (root / "data/own").mkdir(parents=True)
    write_rows(root / "data/own/tiny.csv", 240)
    # With `dvc add`, copies of the checkout (queued experiments) have the file too.
    project.run("dvc", "add", "--quiet", "data/own/tiny.csv")
    project.commit()
    return project


def write_rows(path: Path, rows: int) -> None:
    """Write a CSV file of generated texts and stars."""
    texts, labels = generated_rows(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "stars"])
        writer.writerows((text, 5 if label else 1) for text, label in zip(texts, labels, strict=True))


@pytest.fixture(scope="session", autouse=True)
def _accept_ctrl_c() -> None:
    """Let Ctrl-C end the programs that tests start.

    A background job ignores Ctrl-C, and the programs that it starts inherit this.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _warm(_accept_ctrl_c: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let `Project.run` start programs that have already imported their libraries."""
    environment = Project(ROOT, tmp_path_factory.mktemp("warm") / "home")._environment({})
    with warm_programs(environment) as programs:
        Project.warm = programs
        yield
    Project.warm = None


@pytest.fixture(scope="session")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after its first `dvc repro`, committed. A test that changes it restores it."""
    directory = tmp_path_factory.mktemp("project")
    project = make_project(directory / "checkout", directory / "home")
    assert project.repro() == [
        "download",
        "preprocess",
        "tokenize",
        "vectors",
        "baseline",
        "train",
        "evaluate",
    ]
    project.commit()
    return project


@pytest.fixture
def project(shared_project: Project) -> Any:
    """The shared project. The changes of the test are undone after it."""
    before = shared_project.outputs()
    yield shared_project
    if shared_project.outputs() == before:
        shared_project.run("git", "checkout", "--quiet", ".")  # fast, and enough for most tests
    else:
        shared_project.undo()
