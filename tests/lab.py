"""Results made by hand in a real git and DVC repository: nothing is trained."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from moodring.evaluation.evaluate import Evaluation, Scored, evaluate
from moodring.io.tables import make_table
from moodring.models.score_tables import write_scores
from moodring.params.evaluation import EvaluateParams
from tests.conftest import texts_with_lengths

TEXTS = [f"text number {number}" for number in range(40)]
LABELS = (np.arange(40) % 2).astype(np.int8)
TIME = 1767323045  # 2026-01-02 03:04:05
# The time is fixed, so that equal experiments have equal commits.
AUTHOR = {
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": f"@{TIME} +0000" for who in ("AUTHOR", "COMMITTER")},
}
EVALUATION = EvaluateParams(threshold=0.5, bins=10, calibration="none", mistakes=3)


def scores_wrong_on(rows: Collection[int], labels: NDArray[np.int8] = LABELS) -> NDArray[np.float32]:
    """Scores that are right on all texts but these."""
    wrong = np.isin(np.arange(len(labels)), list(rows))
    sure = np.linspace(0.6, 0.9, len(labels))
    return np.where((labels == 1) != wrong, sure, 1 - sure).astype(np.float32)


@dataclass(frozen=True)
class Made:
    """A result that a lab made: its dvc.lock, and its files by path."""

    lock: str
    files: Mapping[str, bytes]


class Lab:
    """A git repository with DVC, a params.yaml that names a dataset, and one commit.

    Args:
        root: an empty or missing directory.
        dataset: of params.yaml.
    """

    def __init__(self, root: Path, dataset: str = "rotten_tomatoes") -> None:
        self.root = root
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
        (root / "params.yaml").write_text(f"dataset: {dataset}\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "params.yaml")
        self.git("commit", "--quiet", "--message", "first")

    def git(self, *arguments: str, content: bytes | None = None, **environment: str) -> str:
        """The output of a git command that must succeed."""
        done = subprocess.run(
            ("git", "-c", "core.fsync=none", *arguments),
            cwd=self.root,
            env={**os.environ, **AUTHOR, **environment},
            input=content,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def experiment(self, name: str, made: Made, baseline: str = "HEAD") -> None:
        """Give a result to a DVC experiment, which starts from a commit. Git has its metrics too."""
        commit = self.git("rev-parse", baseline)
        ref = f"refs/exps/{commit[:2]}/{commit[2:]}/{name}"
        stream = f"commit {ref}\ncommitter a <a@b> {TIME} +0000\ndata 0\nfrom {commit}\n".encode()
        for path, content in {"dvc.lock": made.lock.encode(), **made.files}.items():
            if path == "dvc.lock" or path.startswith("metrics/"):
                stream += f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
        self.git("fast-import", "--quiet", content=stream)

    def workspace(self, made: Made) -> None:
        """Give a result to the working directory: its dvc.lock and its metrics."""
        for path, content in {"dvc.lock": made.lock.encode(), **made.files}.items():
            if path == "dvc.lock" or path.startswith("metrics/"):
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / path).write_bytes(content)

    def commit(self) -> None:
        """Commit the working directory."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "next")

    def cached(self, made: Made, path: str) -> Path:
        """The place of a result's file in DVC's cache."""
        return self._object(made.files[path])

    def lose_cache(self) -> None:
        """Remove DVC's cache."""
        shutil.rmtree(self.root / ".dvc/cache")

    def make(
        self,
        arch: str = "lstm",
        wrong: Collection[int] = (0, 1, 2, 3),
        validation: float | None = 0.8,
        texts: Sequence[str] = TEXTS,
        train_texts: Sequence[str] = ("one", "two"),
        dataset: str = "rotten_tomatoes",
        baseline_wrong: Collection[int] = (0, 1, 5, 6, 7, 8),
        changes: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
    ) -> Made:
        """Make a result and put its files into DVC's cache.

        Args:
            arch: its architecture.
            wrong: the test texts on which it is wrong.
            validation: its validation accuracy.
            texts: the test texts.
            train_texts: other rows of the raw table.
            dataset: its dataset.
            baseline_wrong: the test texts on which the baseline is wrong.
            changes: of the parameters in its dvc.lock, by dotted names.
            without: the files that it does not have, as a result of older code.
        """
        labels = (np.arange(len(texts)) % 2).astype(np.int8)
        scores, baseline = (scores_wrong_on(rows, labels) for rows in (wrong, baseline_wrong))
        found = _evaluated(len(texts), frozenset(wrong), frozenset(baseline_wrong))
        epochs = [1, 2, 3] if arch != "nbsvm" else [1]
        history = pd.DataFrame({"epoch": epochs})
        for number, name in enumerate(("loss", "accuracy", "val_loss", "val_accuracy")):
            history[name] = [round(0.5 + number / 10 - epoch / 20 + len(wrong) / 100, 6) for epoch in epochs]
        train = {"best_val_accuracy": validation, "best_val_loss": 0.5, "weights": 1000 + 10 * len(wrong)}
        splits = ["train"] * len(train_texts) + ["test"] * len(texts)
        raw = make_table(splits, [0] * len(train_texts) + labels.tolist(), [*train_texts, *texts])
        files = {
            "data/raw.parquet": _parquet(raw),
            "data/baseline.parquet": self._scores(labels, baseline),
            "models": f"{arch} {sorted(wrong)} {validation} {changes}".encode(),
            "metrics/train.json": json.dumps(train).encode(),
            "metrics/history.csv": history.to_csv(index=False).encode(),
            "data/scores.parquet": self._scores(labels, scores),
            "metrics/test.json": json.dumps(found.metrics).encode(),
            "metrics/slices.json": json.dumps(found.slices).encode(),
            **{f"metrics/plots/{n}.csv": t.to_csv(index=False).encode() for n, t in found.tables.items()},
        }
        files = {path: content for path, content in files.items() if path not in without}
        for content in files.values():
            place = self._object(content)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return Made(_lock(files, arch, dataset, changes or {}), files)

    def _object(self, content: bytes) -> Path:
        md5 = _md5(content)
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def _scores(self, labels: NDArray[np.int8], scores: NDArray[np.float32]) -> bytes:
        path = self.root / ".dvc/tmp-scores.parquet"
        write_scores(path, labels, scores)
        return path.read_bytes()


TRAINED = ("models", "metrics/train.json", "metrics/history.csv")
READ = ("data/raw.parquet", "data/baseline.parquet")


@functools.cache
def _evaluated(texts: int, wrong: frozenset[int], baseline_wrong: frozenset[int]) -> Evaluation:
    labels = (np.arange(texts) % 2).astype(np.int8)
    scored = Scored(labels, scores_wrong_on(wrong, labels))
    lengths = np.arange(texts) % 7 + 1
    baseline = scores_wrong_on(baseline_wrong, labels)
    return evaluate(scored, scored, baseline, texts_with_lengths(lengths), EVALUATION)


def _lock(files: Mapping[str, bytes], arch: str, dataset: str, changes: Mapping[str, Any]) -> str:
    def entries(paths: Collection[str]) -> list[dict[str, str]]:
        md5s = {path: _named_md5(path, files[path]) for path in paths if path in files}
        return [{"path": path, "hash": "md5", "md5": md5} for path, md5 in md5s.items()]

    evaluated = [path for path in files if path not in {*TRAINED, *READ}]
    training = {"dataset": dataset, "arch": arch, "seed": 7, f"archs.{arch}": {"units": 64}}
    evaluation = {"dataset": dataset, "arch": arch, "baseline": "nbsvm", "evaluate": EVALUATION.model_dump()}
    stages = {
        "download": {"outs": entries(["data/raw.parquet"])},
        "train": {"params": {"params.yaml": {**training, **changes}}, "outs": entries(TRAINED)},
        "evaluate": {
            "params": {"params.yaml": evaluation},
            "deps": entries([*READ, "models"]),
            "outs": entries(evaluated),
        },
    }
    return yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False)


def _named_md5(path: str, content: bytes) -> str:
    return f"{_md5(content)}.dir" if path == "models" else _md5(content)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _parquet(table: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()
