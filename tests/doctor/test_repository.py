"""Checks of git and the DVC remote."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from moodring.doctor.repository import check_git, check_own_files, check_remote
from moodring.params.pipeline import Params
from tests.conftest import ROOT


def git(root: Path, *arguments: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git and DVC repository with one commit, as the working directory."""
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    (root / "file").write_text("a", encoding="utf-8")
    Repo.init(str(root)).close()
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "a file")
    monkeypatch.chdir(root)
    return root


def set_remote(root: Path, address: Path | str, default: str = "store") -> None:
    text = f"[core]\n    remote = {default}\n['remote \"store\"']\n    url = {address}\n"
    (root / ".dvc/config").write_text(text, encoding="utf-8")


def test_a_clean_branch_is_ok(root: Path) -> None:
    finding = check_git(root)
    assert finding.level == "ok"
    assert finding.seen.startswith("main at ")


def test_changed_and_untracked_files_are_counted_apart(root: Path) -> None:
    (root / "new").mkdir()
    for name in ("one", "two"):
        (root / "new" / name).write_text("a", encoding="utf-8")
    finding = check_git(root)
    assert finding.level == "note"
    assert finding.seen.endswith("with 2 untracked files: no commit has them")
    (root / "file").write_text("b", encoding="utf-8")
    assert "with 1 changed files: runs are tagged git_dirty, and 2 untracked files" in check_git(root).seen


def test_own_files_that_neither_git_nor_dvc_tracks_are_noted(root: Path) -> None:
    own = root / "data/own"
    (own / "all").mkdir(parents=True)
    assert list(check_own_files(root, None)) == []
    for name in ("in git.csv", "in dvc.csv", "all/in dvc.csv", "alone.csv", "ignored.csv"):
        (own / name).write_text(name, encoding="utf-8")
    (root / ".gitignore").write_text("ignored.csv\n", encoding="utf-8")
    git(root, "add", "data/own/in git.csv")
    with Repo(str(root)) as repo:
        repo.add([str(own / "in dvc.csv"), str(own / "all")])
    (finding,) = check_own_files(root, None)
    assert finding.level == "note"
    assert "tracks data/own/alone.csv, data/own/ignored.csv: " in finding.seen
    assert finding.remedy.startswith("dvc add data/own/alone.csv data/own/ignored.csv; ")


def test_a_chosen_own_file_that_is_missing_is_bad(root: Path, params: Params) -> None:
    tree = params.model_dump()
    source = {"kind": "file", "text": "t", "label": "l", "positive": [1], "negative": [0]}
    tree["datasets"]["imdb"]["source"] = {**source, "path": "data/own/a.csv"}
    tree["archs"]["lstm"]["embedding"]["vectors"] = "data/own/words.txt"
    chosen = Params.model_validate(tree | {"dataset": "imdb", "arch": "lstm"})
    findings = list(check_own_files(root, chosen))
    assert [finding.level for finding in findings] == ["bad", "bad"]
    assert "no file 'data/own/a.csv'" in findings[0].seen
    assert "no file 'data/own/words.txt'" in findings[1].seen
    assert list(check_own_files(root, params)) == []


def test_no_advice_of_the_doctor_discards_edits() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "src/moodring/doctor").glob("*.py"))
    assert re.findall(r"git (?:checkout|restore|reset|clean|stash).*|dvc checkout.*|.*--force.*", code) == []


def test_a_detached_head_is_bad(root: Path) -> None:
    git(root, "checkout", "--quiet", "--detach")
    finding = check_git(root)
    assert finding.level == "bad"
    assert finding.remedy.endswith("branches: main")


def test_a_directory_without_a_commit_is_bad(tmp_path: Path) -> None:
    assert check_git(tmp_path).level == "bad"


def test_a_repository_without_a_remote_is_noted(root: Path) -> None:
    finding = check_remote()
    assert finding.level == "note"
    assert "moodring push" in finding.remedy


def test_a_remote_that_exists_or_can_be_created_is_ok(root: Path, tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "new/remote"):
        set_remote(root, directory)
        finding = check_remote()
        assert (finding.level, finding.seen) == ("ok", f"store: {directory}")


def test_a_remote_below_a_file_is_bad(root: Path) -> None:
    set_remote(root, root / "file/remote")
    finding = check_remote()
    assert finding.level == "bad"
    assert "dvc remote modify" in finding.remedy


def test_an_unknown_default_remote_is_bad(root: Path, tmp_path: Path) -> None:
    set_remote(root, tmp_path, default="absent")
    finding = check_remote()
    assert finding.level == "bad"
    assert "absent" in finding.seen


def test_a_directory_without_dvc_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finding = check_remote()
    assert (finding.level, finding.about) == ("bad", "DVC")
