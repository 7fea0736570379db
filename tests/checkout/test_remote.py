"""Push from a real DVC repository whose cache lost objects."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from moodring.checkout.remote import PRESENT, Pushed, push
from moodring.doctor.repository import check_remote
from moodring.errors import MoodringError

COPY = (
    "import sys, pathlib, json; n = pathlib.Path('n').read_text(); pathlib.Path('models').mkdir();"
    "[pathlib.Path(f'models/{k}').write_text(f'{k} of {n}') for k in 'ab'];"
    "pathlib.Path('test.json').write_text(json.dumps({'n': n}))"
)

CONFIG = "[core]\n    analytics = false\n"


class Checkout:
    """A DVC repository with one stage: it reads `n`, writes `models`, and a metrics file for git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        Repo.init(str(root)).close()
        outs = {"outs": ["models"], "metrics": [{"test.json": {"cache": False}}]}
        stage = {"cmd": f'"{sys.executable}" -c "{COPY}" stages.train', "deps": ["n"], **outs}
        (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
        self.remote = root.parent / "remote"
        config = f"{CONFIG}    remote = store\n['remote \"store\"']\n    url = {self.remote}\n"
        (root / ".dvc/config").write_text(config)

    def git(self, *arguments: str) -> str:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", *author, *arguments]
        return subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def make(self, number: int, commit: bool = True) -> str | None:
        """Make a result from a number; returns its commit."""
        (self.root / "n").write_text(str(number))
        self.repro()
        if not commit:
            return None
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"result {number}")
        return self.git("rev-parse", "HEAD")

    def repro(self) -> None:
        with Repo(str(self.root)) as repo:
            repo.reproduce()

    def gc(self, **keep: bool) -> None:
        with Repo(str(self.root)) as repo:
            repo.gc(workspace=True, force=True, **keep)

    def push(self, every: bool = False) -> Pushed:
        return push(self.root, None, every)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    checkout = Checkout(tmp_path / "checkout")
    monkeypatch.chdir(checkout.root)
    return checkout


def objects(directory: Path) -> set[str]:
    """The names of the objects of a cache or a remote."""
    return {path.parent.name + path.name for path in (directory / "files/md5").glob("*/*")}


def test_push_sends_every_object_once(checkout: Checkout) -> None:
    checkout.make(1)
    first = checkout.push()
    assert (first.uncached, first.missing) == (1, [])
    assert objects(checkout.remote) == objects(checkout.root / ".dvc/cache")
    again = checkout.push()
    assert (first.outputs, again.outputs, again.uncached) == (3, 0, 0)


@pytest.mark.parametrize("every", [False, True])
def test_what_gc_removed_of_the_present_result_is_taken_from_the_checkout(
    checkout: Checkout, every: bool
) -> None:
    checkout.make(1)
    before = objects(checkout.root / ".dvc/cache")
    checkout.gc()
    assert objects(checkout.root / ".dvc/cache") < before
    pushed = checkout.push(every)
    assert (pushed.uncached, pushed.missing) == (1, [])
    assert objects(checkout.remote) == before


def test_metrics_that_gc_removed_of_a_commit_are_taken_from_git(checkout: Checkout) -> None:
    checkout.make(1)
    checkout.make(2)
    before = objects(checkout.root / ".dvc/cache")
    checkout.gc(all_commits=True)
    pushed = checkout.push(every=True)
    assert (pushed.uncached, pushed.missing) == (2, [])
    assert objects(checkout.remote) == before


def test_what_nobody_has_is_named_and_the_rest_is_sent(checkout: Checkout) -> None:
    commit = checkout.make(1)
    assert commit is not None
    checkout.make(2, commit=False)
    checkout.make(3)
    checkout.gc()
    pushed = checkout.push(every=True)
    named, unnamed = pushed.missing
    assert (named.result, named.named) == (f"commit {commit[:7]}", True)
    assert named.outputs == {"train": ["models"]}
    assert not unnamed.named
    assert Path(unnamed.result).is_file()
    assert unnamed.outputs == {"train": ["models", "test.json"]}
    with Repo(str(checkout.root)) as repo:
        present = {out.hash_info.value for out in repo.index.outs}
    assert present <= objects(checkout.remote)
    # The remedies: delete the file of the result that nobody needs, and make the other one again.
    Path(unnamed.result).unlink()
    checkout.git("switch", "--quiet", "--detach", commit)
    checkout.repro()
    assert checkout.push(every=True).missing == []


def test_an_experiment_that_lost_its_model_is_named(checkout: Checkout) -> None:
    checkout.make(1)
    (checkout.root / "n").write_text("2")
    checkout.repro()
    # As DVC does: a commit outside of the branches.
    checkout.git("switch", "--quiet", "--detach")
    checkout.git("commit", "--quiet", "--all", "--message", "dvc: commit experiment")
    checkout.git("update-ref", "refs/exps/aa/" + "b" * 38 + "/deep-sea", "HEAD")
    checkout.git("switch", "--quiet", "main")
    checkout.repro()
    checkout.gc()
    (missing,) = checkout.push(every=True).missing
    assert (missing.result, missing.outputs) == ("experiment deep-sea", {"train": ["models"]})


@pytest.mark.parametrize("lost", ["file", "directory"])
def test_what_the_remote_has_is_not_missing(checkout: Checkout, lost: str) -> None:
    checkout.make(1)
    checkout.make(2)
    checkout.push(every=True)
    everything = objects(checkout.remote)
    checkout.gc()
    if lost == "file":
        (checkout.root / "test.json").chmod(0o644)
    assert checkout.push(every=True).missing == []
    assert objects(checkout.remote) == everything


def test_a_part_of_a_directory_that_nobody_has_is_missing(checkout: Checkout) -> None:
    checkout.make(1)
    with Repo(str(checkout.root)) as repo:
        (models,) = [out for out in repo.index.outs if out.def_path == "models"]
        (_, _, digest), *_ = models.get_obj()
        path = Path(repo.cache.local.oid_to_path(digest.value))
    path.chmod(0o644)
    path.unlink()
    (missing,) = checkout.push().missing
    assert (missing.result, missing.outputs) == (PRESENT, {"train": ["models"]})
    assert digest.value not in objects(checkout.remote)
    assert len(objects(checkout.remote)) == 2  # the other file and the metrics, but not the directory


@pytest.mark.parametrize("remote", ["nosuch", None])
def test_without_the_remote_the_error_names_the_command_that_adds_one(
    checkout: Checkout, remote: str | None
) -> None:
    checkout.make(1)
    (checkout.root / ".dvc/config").write_text(CONFIG)
    with pytest.raises(MoodringError, match="dvc remote add"):
        push(checkout.root, remote, every=False)


@pytest.mark.parametrize("scheme", ["s3", "gs", "azure"])
def test_a_remote_that_needs_a_package_is_an_error_that_names_it(checkout: Checkout, scheme: str) -> None:
    if importlib.util.find_spec(f"dvc_{scheme}") is not None:
        pytest.skip("the package is installed")
    checkout.make(1)
    config = checkout.root / ".dvc/config"
    config.write_text(config.read_text().replace(str(checkout.remote), f"{scheme}://bucket/store"))
    with pytest.raises(MoodringError, match=f"cannot push: .*'dvc-{scheme}' to be installed"):
        checkout.push()
    finding = check_remote()
    assert (finding.level, finding.about) == ("bad", "DVC remote")
    assert f"dvc-{scheme}" in finding.seen
