"""The output of git commands, and their failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.checkout.git import git


def test_spaces_at_the_start_of_a_line_are_kept(tmp_path: Path) -> None:
    assert git(tmp_path, "init", "--quiet") == ""
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    (tmp_path / "file").unlink()
    assert git(tmp_path, "status", "--porcelain") == "AD file"
    assert git(tmp_path, "config", "a.b", " c ") == ""
    assert git(tmp_path, "config", "a.b") == " c"


def test_a_command_that_fails_gives_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert git(tmp_path, "rev-parse", "--verify", "--quiet", "HEAD") is None


def test_without_git_every_command_gives_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git(tmp_path, "--version") is None
