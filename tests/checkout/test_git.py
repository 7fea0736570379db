"""The output of git commands, and their failures."""

from __future__ import annotations

import os
import subprocess
import sys
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


NAMED = """
import sys
from pathlib import Path
from moodring.checkout.git import git

print(ascii(git(Path(sys.argv[1]), "branch", "--show-current")))
"""


@pytest.mark.parametrize("encoding", ["C", "POSIX", "C.UTF-8"])
def test_a_name_is_read_as_utf_8_in_every_locale(tmp_path: Path, encoding: str) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "gru-é🙂", str(tmp_path)], check=True)
    as_it_is = {"LC_ALL": encoding, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", NAMED, str(tmp_path)]
    done = subprocess.run(
        command, env={**os.environ, **as_it_is}, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == ascii("gru-é🙂"), done.stderr
