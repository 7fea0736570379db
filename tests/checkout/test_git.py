"""What git says of a folder, and that it may be unable to say anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.checkout.git import git


def test_lines_are_kept_as_git_prints_them(tmp_path: Path) -> None:
    assert git(tmp_path, "init", "--quiet") == ""
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    (tmp_path / "file").unlink()
    assert git(tmp_path, "status", "--porcelain") == "AD file"
    assert git(tmp_path, "config", "a.b", " c ") == ""
    assert git(tmp_path, "config", "a.b") == " c"


def test_what_git_refuses_is_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert git(tmp_path, "rev-parse", "--verify", "--quiet", "HEAD") is None


def test_without_git_there_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git(tmp_path, "--version") is None
