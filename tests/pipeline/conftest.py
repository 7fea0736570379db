"""A real git and DVC repository of the project's own files, on tiny made data."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, made_rows

PARTS = (
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvc/plots",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "params.yaml",
)
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
    "preprocess": {
        "html": "keep",
        "lowercase": True,
        "emoticons": "drop",
        "pattern": "keras",
        "stop_words": "keep",
        "stem": "none",
        "validation_share": 0.2,
    },
    "tokenize": {"max_tokens": 100, "min_count": 1, "oov": "mark"},
    "max_length": 12,
}


@dataclass
class Project:
    """A checkout, and the programs run in it as a user would."""

    root: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the test's own environment in the checkout."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{command} ended {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def start(self, *command: str, quiet: bool = False, **environment: str) -> subprocess.Popen[str]:
        """Start a program as `run` does, in a process group of its own; stderr can be read, or is dropped."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _environment(self, added: dict[str, str]) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_"))
        }
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
            **self.environment,
            **added,
        }

    def attempts(self) -> list[str]:
        """The keys of trainings that were begun and not ended."""
        return sorted(path.parent.name for path in self.root.glob(".moodring/attempts/*/id"))

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

    def json(self, path: str) -> Any:
        """A JSON file of the checkout."""
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def runs(self) -> list[dict[str, Any]]:
        """The store's runs that are not deleted, oldest first: id, status, experiment, tags, params."""
        store = sqlite3.connect(f"file:{self.root / 'mlflow.db'}?mode=ro", uri=True)
        found = store.execute(
            "SELECT run_uuid, status, experiments.name, artifact_uri FROM runs JOIN experiments "
            "USING (experiment_id) WHERE runs.lifecycle_stage = 'active' ORDER BY start_time"
        ).fetchall()
        runs = []
        for run_id, status, experiment, artifacts in found:
            pairs = {
                table: dict(store.execute(f"SELECT key, value FROM {table} WHERE run_uuid = ?", (run_id,)))  # noqa: S608
                for table in ("tags", "params")
            }
            runs.append(
                {"id": run_id, "status": status, "experiment": experiment, "artifacts": artifacts, **pairs}
            )
        store.close()
        return runs


def ran(output: str) -> list[str]:
    """The stages that DVC says it ran."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def make_project(root: Path, home: Path) -> Project:
    """The project's own files, tiny parameters and made data, committed to a new git repository."""
    for part in PARTS:
        target = root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target)
        else:
            shutil.copyfile(ROOT / part, target)
    for part in ("src", "stages"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    project = Project(root, home)
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    tree["datasets"]["tiny"] = TINY
    tree |= {"dataset": "tiny", "arch": "lstm", "seed": 7}
    for block in tree["archs"].values():
        block |= {"embedding": 8, "units": 8}
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


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after its first `dvc repro`, committed. Tests that change it leave it as it was."""
    room = tmp_path_factory.mktemp("project")
    project = make_project(room / "checkout", room / "home")
    assert project.repro() == ["download", "preprocess", "tokenize", "train", "evaluate"]
    project.commit()
    return project


@pytest.fixture
def project(made: Project) -> Any:
    """The made project; what the test changes is undone after it."""
    yield made
    made.undo()
