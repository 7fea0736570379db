"""A git and DVC repository with this project's files and tiny generated data."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.measure import ROOT, child_environment

PARTS = (
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvc/plots",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "params.yaml",
    "src",
    "stages",
)
TEXTS = 240
GOOD, BAD = ("wonderful", "moving", "funny", "charming"), ("dull", "awful", "boring", "clumsy")
PLAIN = ("film", "plot", "actor", "scene", "music", "story", "the", "a", "and", "of")
MADE = {
    "source": {
        "kind": "file",
        "path": "data/own/made.csv",
        "text": "text",
        "label": "label",
        "positive": [1],
        "negative": [0],
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


@dataclass(frozen=True)
class Project:
    """A repository and its programs, which run the repository's code and not the installed one."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of its programs, without the user's settings of DVC, git and MLflow."""
        inherited = {**child_environment(), "PYTHONPATH": str(self.root / "src")}
        return isolated(inherited, self.root.parent / f"{self.root.name}-home")

    def run(self, *command: str) -> str:
        """Run a program in the repository; returns its output.

        Raises:
            RuntimeError: the program failed.
        """
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{command} ended with code {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
            )
        return done.stdout

    def commit(self) -> None:
        """Commit all files that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "benchmark")

    def choose(self, arch: str) -> None:
        """Change `arch` in params.yaml."""
        tree = _read(self.root / "params.yaml")
        _write(self.root / "params.yaml", {**tree, "arch": arch})


def isolated(inherited: Mapping[str, str], home: Path) -> dict[str, str]:
    """Environment variables with this Python's programs, without the user's settings of DVC, git, MLflow."""
    kept = {
        name: value for name, value in inherited.items() if not name.startswith(("DVC_", "MLFLOW_", "GIT_"))
    }
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "DVC_SITE_CACHE_DIR": str(home / "dvc"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Moodring",
        "GIT_AUTHOR_EMAIL": "moodring@example.org",
        "GIT_COMMITTER_NAME": "Moodring",
        "GIT_COMMITTER_EMAIL": "moodring@example.org",
    }


def copy_parts(root: Path) -> None:
    """Copy the files that the pipeline needs from this checkout."""
    for part in PARTS:
        target = root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(ROOT / part, target)


def moodring_project(root: Path) -> Project:
    """A commit of this project's files, with tiny architectures and generated texts; no stage has run."""
    copy_parts(root)
    tree = _read(root / "params.yaml")
    for block in tree["archs"].values():
        if block["kind"] == "recurrent":
            block["embedding"] |= {"size": 8, "vectors": "none"}
            block["units"] = 8
    tree["train"] |= {"epochs": 2, "batch_size": 16, "buckets": 3}
    _write(root / "params.yaml", {**tree, "dataset": "made", "datasets": {"made": MADE}})
    project = Project(root)
    project.run("git", "init", "--quiet")
    (root / "data" / "own").mkdir(parents=True)
    _write_texts(root / "data" / "own" / "made.csv")
    project.run("dvc", "add", "--quiet", "data/own/made.csv")
    project.commit()
    return project


def true_project(root: Path) -> Project:
    """Five stages with the command `true`, each of them reads the file before it; all are up to date."""
    root.mkdir()
    project = Project(root)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    for number in range(6):
        (root / f"{number}.txt").write_text(f"{number}\n", encoding="ascii")
    # Without `persist` DVC removes an output before it runs the command, and `true` writes none.
    stages = {
        f"stage{number}": {
            "cmd": "true",
            "deps": [f"{number - 1}.txt"],
            "outs": [{f"{number}.txt": {"persist": True}}],
        }
        for number in range(1, 6)
    }
    _write(root / "dvc.yaml", {"stages": stages})
    shutil.copyfile(ROOT / ".dvc" / "config", root / ".dvc" / "config")
    project.run("dvc", "repro")
    project.commit()
    return project


def ran(output: str) -> list[str]:
    """The stages that ran, from DVC's output."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def _write_texts(path: Path) -> None:
    chance = random.Random(0)  # noqa: S311
    texts: dict[str, int] = {}
    while len(texts) < TEXTS:
        label = len(texts) % 2
        words = [*chance.choices(PLAIN, k=6), *chance.choices(GOOD if label else BAD, k=2)]
        chance.shuffle(words)
        texts.setdefault(" ".join(words), label)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *texts.items()])


def _read(path: Path) -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return tree


def _write(path: Path, tree: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(tree, stream)
