"""Checks of git and the DVC remote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from moodring.doctor.repository import check_git, check_remote


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


def test_changed_files_are_noted(root: Path) -> None:
    (root / "file").write_text("b", encoding="utf-8")
    finding = check_git(root)
    assert finding.level == "note"
    assert "with 1 changed files" in finding.seen


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
