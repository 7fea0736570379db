"""The results of revisions and experiments in a real git repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from moodring.checkout.revisions import (
    LockedResult,
    evaluation_of,
    locked_here,
    locked_of,
    result_here,
    results_of,
)
from moodring.errors import MoodringError

# Other stages and outputs come before and after `models` of `train`.
LOCK = """\
schema: '2.0'
stages:
  tokenize:
    cmd: python -m stages.tokenize
    outs:
    - path: models
      hash: md5
      md5: of-another-stage.dir
  train:
    cmd: python -m stages.train
    deps:
    - path: data/corpus
      hash: md5
      md5: of-a-dependency.dir
    outs:
    - path: metrics/history.csv
      hash: md5
      md5: of-the-history
    - path: models
      hash: md5
      md5: RESULT.dir
      size: 10
      nfiles: 3
    - path: models.txt
      hash: md5
      md5: of-another-output
"""
UNTRAINED = LOCK.replace("  train:", "  fit:")
WITHOUT_MODELS = LOCK.replace("path: models\n", "path: model\n")
NEAR, FAR = "refs/exps/aa/" + "b" * 38, "refs/exps/cc/" + "d" * 38


class Repository:
    """A git repository; each commit has at most one dvc.lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        of_user = {
            f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        environment = {
            **os.environ,
            **of_user,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
        }
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, lock: str | None) -> str:
        """Commit this dvc.lock, or none, on HEAD; returns the commit."""
        file = self.root / "dvc.lock"
        file.unlink(missing_ok=True)
        if lock is not None:
            file.write_text(lock)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=a commit")
        return self.git("rev-parse", "HEAD")

    def experiment(self, ref: str, lock: str | None) -> str:
        """Commit outside the branches, under a ref like DVC's; returns the commit."""
        self.git("checkout", "--quiet", "--detach")
        commit = self.commit(lock)
        self.git("update-ref", ref, commit)
        self.git("checkout", "--quiet", "main")
        return commit


def lock_of(result: str) -> str:
    return LOCK.replace("RESULT", result)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = Repository(tmp_path_factory.mktemp("repository"))
    repository.commit(None)
    repository.git("tag", "before-dvc")
    repository.commit(UNTRAINED)
    repository.git("tag", "untrained")
    repository.commit(WITHOUT_MODELS)
    repository.git("tag", "without-models")
    repository.commit("")
    repository.git("tag", "empty-lock")
    repository.commit(lock_of("first"))
    repository.git("tag", "--annotate", "--message=a release", "v1")
    repository.git("tag", "plain")
    repository.git("branch", "old")
    repository.experiment(f"{NEAR}/once", lock_of("near"))
    repository.experiment(f"{NEAR}/twice", lock_of("near"))
    repository.experiment(f"{NEAR}/same", lock_of("near"))
    repository.experiment(f"{NEAR}/broken", None)
    repository.experiment(f"{NEAR}/failed", UNTRAINED)
    repository.commit(lock_of("second"))
    repository.experiment(f"{FAR}/twice", lock_of("far"))
    repository.experiment(f"{FAR}/same", lock_of("near"))
    repository.experiment(f"{FAR}/broken", lock_of("far"))
    return repository


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("HEAD", "second"),
        ("main", "second"),
        ("refs/heads/main", "second"),
        ("HEAD~1", "first"),
        ("main^", "first"),
        ("old", "first"),
        pytest.param("v1", "first", id="annotated tag"),
        pytest.param("plain", "first", id="tag"),
        pytest.param(f"{NEAR}/once", "near", id="an experiment's ref"),
        pytest.param(f"{FAR}/twice", "far", id="one of two experiments' refs"),
    ],
)
def test_a_git_revision_holds_the_result_of_its_lock(repository: Repository, name: str, result: str) -> None:
    assert results_of(repository.root, name) == [f"{result}.dir"]


@pytest.mark.parametrize("digits", [40, 10])
def test_a_commit_may_be_named_by_its_hash(repository: Repository, digits: int) -> None:
    commit = repository.git("rev-parse", "old")
    assert results_of(repository.root, commit[:digits]) == ["first.dir"]


@pytest.mark.parametrize(
    ("name", "results"),
    [
        pytest.param("once", ["near.dir"], id="at one baseline"),
        pytest.param("twice", ["far.dir", "near.dir"], id="at two baselines"),
        pytest.param("same", ["near.dir"], id="of the same result at two baselines"),
        pytest.param("broken", ["far.dir"], id="without a lock at one of two baselines"),
    ],
)
def test_an_experiment_holds_a_result_for_each_baseline(
    repository: Repository, name: str, results: list[str]
) -> None:
    assert results_of(repository.root, name) == results


@pytest.mark.parametrize(
    "name",
    ["nothing", "HEAD~99", "main:dvc.lock", "onc", "exps", "d" * 40, "--all", ""],
    ids=[
        "unknown",
        "before the first commit",
        "a file",
        "a part of a name",
        "a part of a ref",
        "unknown hash",
        "an option",
        "empty",
    ],
)
def test_an_unknown_name_is_an_error(repository: Repository, name: str) -> None:
    with pytest.raises(MoodringError, match="neither an experiment nor a git revision") as raised:
        results_of(repository.root, name)
    assert repr(name) in str(raised.value)


@pytest.mark.parametrize("name", ["before-dvc", "untrained", "without-models", "empty-lock", "failed"])
def test_a_revision_without_a_result_is_an_error(repository: Repository, name: str) -> None:
    with pytest.raises(MoodringError, match="holds no result") as raised:
        results_of(repository.root, name)
    assert repr(name) in str(raised.value)


def test_every_name_is_unknown_outside_git(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(lock_of("here"))
    with pytest.raises(MoodringError, match="'HEAD' is neither"):
        results_of(tmp_path, "HEAD")


def test_an_edit_of_the_checkouts_lock_changes_no_revision(repository: Repository) -> None:
    before = (repository.root / "dvc.lock").read_text()
    (repository.root / "dvc.lock").write_text(lock_of("edited"))
    try:
        assert results_of(repository.root, "HEAD") == ["second.dir"]
        assert result_here(repository.root) == "edited.dir"
    finally:
        (repository.root / "dvc.lock").write_text(before)


@pytest.mark.parametrize(
    ("lock", "result"),
    [(lock_of("here"), "here.dir"), (None, None), (UNTRAINED, None), (WITHOUT_MODELS, None), ("", None)],
    ids=["trained", "no lock", "untrained", "without models", "empty"],
)
def test_the_checkouts_result_is_that_of_its_lock(
    tmp_path: Path, lock: str | None, result: str | None
) -> None:
    if lock is not None:
        (tmp_path / "dvc.lock").write_text(lock)
    assert result_here(tmp_path) == result


def test_a_damaged_lock_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("<<<<<<< HEAD\nschema: '2.0'\n=======\n")
    with pytest.raises(MoodringError, match=r"dvc\.lock is not valid YAML"):
        result_here(tmp_path)


def test_a_checkout_may_be_a_directory_of_a_larger_repository(tmp_path: Path) -> None:
    (checkout := tmp_path / "part").mkdir()
    (checkout / "dvc.lock").write_text(lock_of("part"))
    for command in (
        ["init", "--quiet"],
        ["add", "part"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert results_of(checkout, "HEAD") == ["part.dir"]


def test_a_shallow_clone_says_that_older_commits_are_missing(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    address = repository.root.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", address, str(clone)], check=True)
    assert results_of(clone, "HEAD") == ["second.dir"]
    with pytest.raises(MoodringError, match="git fetch --unshallow"):
        results_of(clone, "HEAD~1")
    subprocess.run(["git", "fetch", "--quiet", "--unshallow"], cwd=clone, check=True)
    assert results_of(clone, "HEAD~1") == ["first.dir"]
    with pytest.raises(MoodringError) as error:
        results_of(clone, "HEAD~99")
    assert "shallow" not in str(error.value)


# A result is a model and an evaluation of it.

EVALUATED = """\
  baseline:
    params:
      params.yaml:
        archs.nbsvm:
          kind: nbsvm
          ngrams: 2
        baseline: nbsvm
  evaluate:
    deps:
    - path: models
      md5: OF_EVALUATION.dir
    params:
      params.yaml:
        arch: lstm
        baseline: nbsvm
        evaluate:
          threshold: THRESHOLD
          calibration: none
"""
TAGS = {
    "dataset": "imdb",
    "baseline": "nbsvm",
    "archs.nbsvm.kind": "nbsvm",
    "archs.nbsvm.ngrams": "2",
    "evaluate.threshold": "0.5",
    "evaluate.calibration": "none",
    "evaluate.added_later": "1",
}


def evaluated(threshold: str = "0.5", of: str = "here") -> str:
    return lock_of("here") + EVALUATED.replace("THRESHOLD", threshold).replace("OF_EVALUATION", of)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param({}, True, id="the same"),
        pytest.param({"evaluate.threshold": "0.50"}, True, id="the same number"),
        pytest.param({"evaluate.threshold": "0.62"}, False, id="another threshold"),
        pytest.param({"evaluate.calibration": "temperature"}, False, id="another calibration"),
        pytest.param({"archs.nbsvm.ngrams": "3"}, False, id="another baseline's parameter"),
        pytest.param({"baseline": "nbsvm2"}, False, id="another baseline"),
    ],
)
def test_a_run_has_the_result_of_a_lock_if_model_and_evaluation_agree(
    tmp_path: Path, changed: dict[str, str], same: bool
) -> None:
    (tmp_path / "dvc.lock").write_text(evaluated())
    here = locked_here(tmp_path)
    assert here is not None
    evaluation = evaluation_of({**TAGS, **changed})
    assert "dataset" not in evaluation
    assert here.is_of("here.dir", evaluation) == same
    assert not here.is_of("other.dir", evaluation)
    assert not here.is_of("here.dir", {})  # trained, not evaluated
    assert not here.is_of(None, evaluation)


def test_the_evaluation_of_an_earlier_model_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(evaluated(of="earlier"))
    assert locked_here(tmp_path) == LockedResult("here.dir", None)
    here = locked_here(tmp_path)
    assert here is not None
    assert here.is_of("here.dir", {})
    assert here.is_of("here.dir", evaluation_of(TAGS))


def test_two_evaluations_of_a_model_are_two_results(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit(evaluated("0.5"))
    repository.commit(evaluated("0.62"))
    (old,), (new,) = locked_of(tmp_path, "HEAD~1"), locked_of(tmp_path, "HEAD")
    assert results_of(tmp_path, "HEAD") == results_of(tmp_path, "HEAD~1") == ["here.dir"]
    assert old.is_of("here.dir", evaluation_of(TAGS))
    assert not new.is_of("here.dir", evaluation_of(TAGS))
