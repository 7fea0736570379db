"""What DVC recorded of a result: its dvc.lock, from which every file of the result is found by its MD5."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moodring.checkout.git import commit_of, git
from moodring.checkout.pipeline import LOCK, stages_in
from moodring.errors import MoodringError
from moodring.params.file import parse_yaml

WORKSPACE, HEAD = "workspace", "HEAD"
EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/([^/]+)")
# The outputs that make two results different. Other files follow from these.
IDENTITY = ("models", "data/scores.parquet", "metrics/test.json")


@dataclass(frozen=True)
class Record:
    """A result in git, or in the working directory.

    Args:
        name: of the experiment or revision, or `WORKSPACE`.
        stages: the stages of its dvc.lock.
        revision: the commit that has its uncached files; None: the working directory.
        baseline: the commit that an experiment started from; None for all others.
        when: the time of the commit, or of the file dvc.lock.
    """

    name: str
    stages: Mapping[str, Any]
    revision: str | None
    baseline: str | None
    when: datetime | None

    @property
    def md5s(self) -> dict[str, str]:
        """The MD5 of each file and directory of the result, by its path.

        A directory's MD5 ends in `.dir`. What evaluation wrote is left out if it evaluated another model.
        """
        found: dict[str, str] = {}
        read = _md5s(self._stage("evaluate"), "deps")
        for name, stage in self.stages.items():
            if name != "evaluate":
                found |= _md5s(stage, "outs")
        if read.get("models") == found.get("models"):
            found |= read | _md5s(self._stage("evaluate"), "outs")
        return found

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that its stages depended on, by their dotted names; some are whole blocks."""
        trees = [self._stage(name).get("params") for name in sorted(self.stages)]
        found: dict[str, Any] = {}
        for tree in trees:
            found |= (tree or {}).get("params.yaml") or {}
        # Training decides: another stage may have run before with other parameters.
        return found | ((self._stage("train").get("params") or {}).get("params.yaml") or {})

    @property
    def identity(self) -> str | None:
        """What identifies the result: dataset, and the MD5s of model, scores and metrics. None: no model."""
        md5s, dataset = self.md5s, str(self.params.get("dataset"))
        return " ".join([dataset, *(md5s.get(path, "-") for path in IDENTITY)]) if "models" in md5s else None

    def _stage(self, name: str) -> Mapping[str, Any]:
        return self.stages.get(name) or {}


class Files:
    """The files of recorded results: in DVC's cache, in the working directory or in git.

    Args:
        root: the checkout's root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._cache = _cache_of(root)

    def read(self, record: Record, path: str) -> bytes | None:
        """The content of a result's file; None if it is nowhere in this checkout."""
        md5 = record.md5s.get(path)
        if md5 is None:
            return None
        cached = self._cache / md5[:2] / md5[2:]
        if cached.is_file():
            return cached.read_bytes()
        here = self._root / path
        if here.is_file() and md5_of(content := here.read_bytes()) == md5:
            return content
        committed = _committed(self._root, record.revision, path)
        return committed if committed is not None and md5_of(committed) == md5 else None

    def ran_before(self, models_md5: str) -> list[Record]:
        """What DVC's run cache has of a model: a record of each of its evaluations, in a fixed order.

        It has the results of experiments that were removed, and of parameters that were never committed.
        """
        trained: dict[str, Any] | None = None
        evaluated: list[dict[str, Any]] = []
        for path in sorted(self._cache.parent.parent.glob("runs/*/*/*")):
            content = path.read_bytes()
            if models_md5.encode() not in content:
                continue
            stage = parse_yaml(content.decode("utf-8", "replace"), str(path))
            if _md5s(stage, "outs").get("models") == models_md5:
                trained = stage
            elif _md5s(stage, "deps").get("models") == models_md5:
                evaluated.append(stage)
        if trained is None:
            return []
        return [Record("", {"train": trained, "evaluate": stage}, None, None, None) for stage in evaluated]


def workspace(root: Path) -> Record | None:
    """The record of the working directory; None if there is no dvc.lock.

    Raises:
        MoodringError: the dvc.lock is damaged.
    """
    lock = root / LOCK
    if not lock.is_file():
        return None
    changed = datetime.fromtimestamp(int(lock.stat().st_mtime), UTC)
    return Record(WORKSPACE, stages_in(lock.read_bytes(), LOCK), None, None, changed)


def revision(root: Path, name: str) -> Record | None:
    """The record of a git revision; None if there is no such revision, or it has no dvc.lock.

    Raises:
        MoodringError: the dvc.lock is damaged.
    """
    commit = commit_of(root, name)
    return None if commit is None else _recorded(root, name, commit, None)


def experiments(root: Path) -> tuple[list[Record], list[str]]:
    """The records of all DVC experiments, of each baseline, the newest first; and what cannot be read."""
    refs = git(root, "for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/exps") or ""
    records, problems = [], []
    for ref in refs.splitlines():
        if (match := EXPERIMENT.fullmatch(ref)) is None:
            continue
        try:
            records.append(_recorded(root, match[3], ref, match[1] + match[2]))
        except MoodringError as error:
            problems.append(str(error))
    return [record for record in records if record is not None], problems


def _recorded(root: Path, name: str, ref: str, baseline: str | None) -> Record | None:
    lock = _committed(root, ref, LOCK)
    if lock is None:
        return None
    time = git(root, "show", "--no-patch", "--format=%ct", ref)
    when = datetime.fromtimestamp(int(time), UTC) if time else None
    return Record(name, stages_in(lock, f"{LOCK} of {name}"), ref, baseline, when)


def _md5s(stage: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {str(entry["path"]): str(entry["md5"]) for entry in stage.get(kind) or [] if "md5" in entry}


def _committed(root: Path, ref: str | None, path: str) -> bytes | None:
    """The content of a file at a commit; None if it has none."""
    if ref is None:
        return None
    done = subprocess.run(["git", "show", f"{ref}:./{path}"], cwd=root, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _cache_of(root: Path) -> Path:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            return Path(repo.cache.local.path)
    except DvcException as error:
        raise MoodringError(f"DVC cannot read the repository: {error}. Try `dvc status`.") from error


def md5_of(content: bytes) -> str:
    """The MD5 of a content, as DVC writes it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
