"""Pushes all objects of a configuration and the run cache, so that another machine need not train."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.config import ConfigError
from dvc.exceptions import DvcException
from dvc.fs import LocalFileSystem
from dvc.repo import Repo
from dvc.stage.cache import RunCacheNotSupported
from dvc.utils.serialize import load_yaml
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from moodring.checkout.git import git
from moodring.checkout.pipeline import LOCK
from moodring.errors import MoodringError

PRESENT = "the present result"


@dataclass(frozen=True)
class Output:
    """An output of a stage, as dvc.lock or an entry of the run cache has it.

    Args:
        stage: the stage's name.
        path: of the output, from the checkout's root.
        hash_info: DVC's.
        cached: DVC keeps the output; if not, git does, and DVC keeps a copy in the run cache's name.
        entry: the file of the run cache; None: it is in the checkout's dvc.lock.
    """

    stage: str
    path: str
    hash_info: HashInfo
    cached: bool = True
    entry: Path | None = None


@dataclass(frozen=True)
class Missing:
    """The outputs of one result that are neither in DVC's cache nor at the remote.

    Args:
        result: an experiment, a commit, the present result, or the file of the run cache that names them.
        outputs: the paths, by the stage's name.
        named: whether the result is more than a file of the run cache.
    """

    result: str
    named: bool
    outputs: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pushed:
    """The numbers of files that were new to the remote, and what could not be sent.

    Args:
        outputs: files of outputs.
        uncached: files of metrics and plots.
        missing: what nobody has.
    """

    outputs: int
    uncached: int
    missing: Sequence[Missing]


def push(root: Path, remote: str | None, every: bool) -> Pushed:
    """Push all outputs of the present configuration, or of every configuration in the run cache.

    `dvc push --run-cache` sends all entries of the run cache, but only those objects that DVC caches for the
    present dvc.lock. It does not send metrics and plots, and without them DVC cannot restore an entry. A file
    that `dvc gc` removed from the cache is taken from the checkout or from git again.

    Args:
        root: the checkout's root.
        remote: DVC's name of the remote; None: the default remote.
        every: push every configuration that ran here, including queued experiments.

    Raises:
        MoodringError: there is no such remote, or a file could not be sent.
    """
    try:
        with Repo(str(root)) as repo, repo.lock:
            outputs = [*_present(repo), *(_ran(repo) if every else ())]
            results = Results(root)
            missing = _missing(repo, remote, outputs, results)
            there = {output: set(_objects(repo, output)[0]) for output in outputs}
            # A directory at the remote promises all its files.
            objects = set().union(*there.values()) - {output.hash_info for output in missing}
            with contextlib.suppress(RunCacheNotSupported):
                repo.stage_cache.push(remote)  # DVC sends all entries each time: they are not counted
            sent = repo.cloud.push(objects, remote=remote)
    except ConfigError as error:
        raise MoodringError(
            f"cannot push: {error}. `dvc remote list` lists the remotes; "
            "`dvc remote add --default NAME PLACE` adds one."
        ) from error
    except (DvcException, ImportError, OSError) as error:  # ImportError: a kind of remote needs a package
        raise MoodringError(f"cannot push: {error}. Correct this and push again.") from error
    if sent.failed:
        raise MoodringError(f"{len(sent.failed)} files could not be sent; run `moodring push` again")
    uncached = len(sent.transferred & {output.hash_info for output in outputs if not output.cached})
    return Pushed(len(sent.transferred) - uncached, uncached, results.of(missing))


def _missing(repo: Repo, remote: str | None, outputs: Sequence[Output], results: Results) -> list[Output]:
    """The outputs of which an object is neither in the cache nor at the remote, and cannot be found again."""
    absent = {output: _objects(repo, output)[1] for output in outputs}
    wanted = sorted({digest for digests in absent.values() for digest in digests})
    there = set(repo.cloud.get_remote_odb(remote, "push").oids_exist(wanted)) if wanted else set()
    return [
        output
        for output, digests in absent.items()
        if not set(digests) <= there and not _found_again(repo, results, output, digests)
    ]


def _present(repo: Repo) -> Iterator[Output]:
    """The outputs of the checkout's dvc.lock and .dvc files."""
    for out in repo.index.outs:
        if out.hash_info and out.can_push and not out.stage.is_repo_import:
            place = out.repo.fs.relpath(out.fs_path, out.repo.root_dir)
            yield Output(out.stage.addressing, place, out.hash_info, out.use_cache)


def _ran(repo: Repo) -> Iterator[Output]:
    """The outputs of the entries of the run cache."""
    uncached = {out.def_path for out in repo.index.outs if not out.use_cache}
    for file in sorted(Path(repo.stage_cache.cache_dir).glob("*/*/*")):
        entry: dict[str, Any] = load_yaml(str(file)) if file.is_file() else {}
        for out in entry.get("outs", []):
            name = out.get("hash", "md5")
            digest = HashInfo(name, out["md5"])
            yield Output(
                entry["cmd"].rpartition(".")[2], out["path"], digest, out["path"] not in uncached, file
            )


def _objects(repo: Repo, output: Output) -> tuple[list[HashInfo], list[str]]:
    """The objects of an output that the cache has, and the hashes of those that it lacks."""
    cache = repo.cache.local if output.hash_info.name == "md5" else repo.cache.legacy
    wanted = [output.hash_info]
    if output.hash_info.isdir and cache.exists(output.hash_info.value):
        wanted += [item for _, _, item in Tree.load(cache, output.hash_info)]
    there = [item for item in wanted if cache.exists(item.value)]
    return there, [str(item.value) for item in wanted if item not in there]


def _found_again(repo: Repo, results: Results, output: Output, absent: list[str]) -> bool:
    """Add a file that the cache lacks to it, if the checkout or git has the file."""
    if output.hash_info.isdir or absent != [output.hash_info.value]:
        return False
    file = results.root / output.path
    content = file.read_bytes() if file.is_file() else b""
    if _md5(content) != output.hash_info.value and not output.cached:
        content = results.committed(output)
    if _md5(content) != output.hash_info.value:
        return False
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        (copy := Path(directory) / "copy").write_bytes(content)
        repo.cache.local.add(str(copy), LocalFileSystem(), output.hash_info.value)
    return True


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Results:
    """The results of this repository: the present one, commits and experiments.

    Args:
        root: the checkout's root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        lock = root / LOCK
        self._lock = lock.read_text(encoding="utf-8") if lock.is_file() else ""
        self._commits: dict[str, str | None] = {}

    def of(self, outputs: Sequence[Output]) -> list[Missing]:
        """Outputs by the results that they belong to."""
        found: dict[str, Missing] = {}
        for output in outputs:
            name = self._name(output)
            missing = found.setdefault(
                name or str(output.entry), Missing(name or str(output.entry), bool(name))
            )
            paths = missing.outputs.setdefault(output.stage, [])
            if output.path not in paths:
                paths.append(output.path)
        return sorted(found.values(), key=lambda missing: (not missing.named, missing.result))

    def committed(self, output: Output) -> bytes:
        """The content of an output in the commit that first had it; empty: no commit has it."""
        if (commit := self._commit(output)) is None:
            return b""
        command = ["git", "show", f"{commit}:./{output.path}"]
        return subprocess.run(command, cwd=self.root, capture_output=True, check=False).stdout

    def _name(self, output: Output) -> str | None:
        if output.entry is None or str(output.hash_info.value) in self._lock:
            return PRESENT
        if (commit := self._commit(output)) is None:
            return None
        refs = git(self.root, "for-each-ref", "--points-at", commit, "--format=%(refname)", "refs/exps") or ""
        names = [ref.rpartition("/")[2] for ref in refs.splitlines()]
        return f"experiment {names[0]}" if names else f"commit {commit[:7]}"

    def _commit(self, output: Output) -> str | None:
        """The first commit, of any branch or experiment, whose dvc.lock has an output."""
        digest = str(output.hash_info.value)
        if digest not in self._commits:
            log = git(self.root, "log", "--all", "-m", "--format=%H", f"-S{digest}", "--", f"./{LOCK}")
            self._commits[digest] = next(iter(reversed((log or "").split())), None)
        return self._commits[digest]
