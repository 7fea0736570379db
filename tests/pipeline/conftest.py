"""A real git and DVC repository of the project's own files, on tiny made data."""

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
from tests.conftest import ROOT, made_rows
from tests.pipeline.warm import warm_programs

# Seconds after which what did not happen is taken to be lost: enough for a slow machine that is busy besides.
PATIENCE = 900
# Of DVC and git: nothing is reported, and what is made to be thrown away is not forced onto the disk.
THROWN_AWAY = {
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
    """An MLflow store in a file, copied so that a test begins with the runs that it needs."""

    file: Path

    @property
    def address(self) -> str:
        return f"sqlite:///{self.file}"

    def copy(self, place: Path) -> Self:
        shutil.copyfile(self.file, place)
        return type(self)(place)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        # Not read-only: what a killed process was writing has to be undone first. A missing file is not made.
        address = f"{self.file.as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as opened:
            return opened.execute(query, values).fetchall()

    def champion(self) -> int | None:
        """The version that is the champion, of the only model."""
        rows = self.rows("SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
        return int(rows[0][0]) if rows else None

    def versions(self) -> list[int]:
        """The registered versions of the only model."""
        return [int(row[0]) for row in self.rows("SELECT version FROM model_versions ORDER BY version")]

    def files_of(self, version: int) -> Path:
        """Where a version's files are."""
        ((place,),) = self.rows("SELECT storage_location FROM model_versions WHERE version = ?", version)
        return Path(unquote(urlsplit(place).path))


@dataclass(frozen=True)
class Worker:
    """A worker of DVC's queue, by the file in which DVC keeps its process and how that ended."""

    file: Path

    def _read(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return said

    @property
    def ended(self) -> bool:
        return self._read()["returncode"] is not None

    def kill(self) -> None:
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._read()["pid"], signal.SIGKILL)


@dataclass
class Project:
    """A checkout, and the programs run in it as a user would."""

    root: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    warm: ClassVar[Path | None] = None  # the folder of warm programs

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the test's own environment in the checkout; its libraries are imported already."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._environment({"PATH": self._path(), **environment}),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{command} ended {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def start(
        self, *command: str, quiet: bool = False, warm: bool = True, **environment: str
    ) -> subprocess.Popen[str]:
        """Start a program as `run` does, or the true one, in a process group of its own.

        Its standard error can be read, or is dropped.
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

    def copy(self, place: Path, **environment: str) -> Project:
        """A copy of the whole folder, as `cp -r` makes it, and what its programs find in the environment."""
        shutil.copytree(self.root, place, symlinks=True)
        return Project(place, self.home, environment)

    @contextlib.contextmanager
    def workers(self, jobs: int) -> Iterator[None]:
        """DVC's workers do what is queued beside the block; after it all is done and they have ended.

        That they end by themselves is not waited for: where one worker reads a message that another has
        begun to write, kombu's transport by files raises, and the thread that ends the worker may be gone.
        """
        queue = self.root / ".dvc/tmp/exps/celery"
        # The workers inherit what their starter writes into: with a pipe, its reader would wait for them.
        subprocess.run(
            ("dvc", "queue", "start", "--jobs", str(jobs)),
            cwd=self.root,
            env=self._environment({"PATH": self._path()}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=PATIENCE / 3,
        )
        workers = [Worker(file) for file in queue.glob("dvc-exp-worker-*.json")]
        assert len(workers) == jobs
        try:
            yield
            tasks = len(list(queue.glob("broker/*/*.celery.msg")))
            until(
                lambda: (
                    len(list(queue.glob("result/celery-task-meta-*"))) == tasks
                    or all(worker.ended for worker in workers)
                ),
                "an end of what is queued",
            )
        finally:
            for worker in workers:
                worker.kill()
            until(lambda: all(worker.ended for worker in workers), "an end of the workers")

    def _path(self) -> str:
        """PATH with the warm programs before the true ones."""
        true = isolated(os.environ, self.home)["PATH"]
        return f"{self.warm}{os.pathsep}{true}" if self.warm else true

    def _environment(self, added: dict[str, str]) -> dict[str, str]:
        # Programs keep what they compile, which copies of the checkout then have too.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**isolated(inherited, self.home), **THROWN_AWAY, **self.environment, **added}

    def attempts(self) -> list[str]:
        """The keys of trainings that were begun and not ended."""
        return sorted(path.parent.name for path in self.root.glob(".moodring/attempts/*/id"))

    def until_checkpoint(self, training: subprocess.Popen[str]) -> None:
        """Wait until a training has something to go on from; one that ended by then failed."""
        until(
            lambda: list(self.root.glob(".moodring/attempts/*/checkpoint.npz")) or training.poll(),
            "checkpoint",
        )
        assert training.poll() is None, training.communicate()

    def repro(self, *arguments: str, check: bool = True) -> list[str]:
        """`dvc repro`; the stages that ran, in order."""
        return ran(self.run("dvc", "repro", *arguments, check=check).stdout)

    def set(self, **values: Any) -> None:
        """Change params.yaml; `__` stands for the dot of a nested key."""
        path = self.root / "params.yaml"
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, value in values.items():
            *parents, key = name.split("__")
            place = tree
            for parent in parents:
                place = place[parent]
            place[key] = value
        path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")

    def commit(self) -> None:
        """Commit everything that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "test")

    def undo(self, *targets: str) -> None:
        """Back to the last commit, outputs (of all stages, or of these) included."""
        self.run("git", "checkout", "--quiet", ".")
        self.run("dvc", "checkout", "--force", "--quiet", *targets)

    def outputs(self) -> dict[Path, tuple[int, int]]:
        """When each file that git does not restore was written, and its size."""
        files = (file for place in ("data", "models") for file in (self.root / place).rglob("*"))
        return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in files}

    def json(self, path: str) -> Any:
        """A JSON file of the checkout."""
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def experiments(self) -> dict[str, dict[str, Any]]:
        """Name -> arch and accuracy of each experiment, by `dvc exp show`."""
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
        """The store's runs that are not deleted, oldest first: id, status, experiment, tags, params."""
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


def until(happened: Callable[[], object], what: str) -> None:
    """Wait for something that is named as what did not come where it does not happen."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE} seconds"
        time.sleep(0.05)


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(address: str) -> bool:
    """Whether a server is there by now."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def make_project(root: Path, home: Path) -> Project:
    """The project's own files, tiny parameters and made data, committed to a new git repository."""
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
    # As a user would, so that copies of the checkout (queued experiments) have the file too.
    project.run("dvc", "add", "--quiet", "data/own/tiny.csv")
    project.commit()
    return project


def write_rows(path: Path, rows: int) -> None:
    """A CSV file of made texts and stars."""
    texts, labels = made_rows(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "stars"])
        writer.writerows((text, 5 if label else 1) for text, label in zip(texts, labels, strict=True))


@pytest.fixture(scope="session", autouse=True)
def _told_to_end() -> None:
    """Ctrl-C ends what tests start, though a job in the background ignores it and hands that on."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _warm(_told_to_end: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The programs that `Project.run` runs have imported their libraries."""
    environment = Project(ROOT, tmp_path_factory.mktemp("warm") / "home")._environment({})
    with warm_programs(environment) as programs:
        Project.warm = programs
        yield
    Project.warm = None


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after its first `dvc repro`, committed. Tests that change it leave it as it was."""
    room = tmp_path_factory.mktemp("project")
    project = make_project(room / "checkout", room / "home")
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
def project(made: Project) -> Any:
    """The made project; what the test changes is undone after it."""
    before = made.outputs()
    yield made
    if made.outputs() == before:
        made.run("git", "checkout", "--quiet", ".")  # all that most tests need, and at once
    else:
        made.undo()
