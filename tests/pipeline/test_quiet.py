"""The output of commands on a machine without a GPU. The commands run as real processes."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks.project import isolated
from moodring.evaluation.verdict import NEXT
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

KERAS = "from moodring.checkout.backend import import_keras; import_keras()"


def printed(project: Project, *command: str, log_level: str = "") -> tuple[list[str], str]:
    """Run a real program, which imports TensorFlow itself. Returns the lines of stdout, and stderr."""
    path = isolated(os.environ, project.home)["PATH"]
    done = project.run(*command, PATH=path, TF_CPP_MIN_LOG_LEVEL=log_level)
    return done.stdout.splitlines(), done.stderr


def test_training_and_evaluation_print_only_their_own_lines(project: Project) -> None:
    lines, err = printed(project, sys.executable, "-m", "stages.train")
    assert err == ""
    assert lines[0].startswith("epoch 1/3  loss ")
    assert lines[-2].startswith("tiny, lstm: kept epoch ")
    assert lines[-1].rpartition(" ")[2] in {run["id"] for run in project.runs()}
    lines, err = printed(project, sys.executable, "-m", "stages.evaluate")
    assert err == ""
    assert lines[0].startswith("tiny, lstm: ")
    notes = lines[1:-2]
    assert [note.partition(" split has ")[0] for note in notes[:2]] == ["The validation", "The test"]
    assert notes[2].startswith("The scores are ")
    assert len(notes) == 3
    assert lines[-2:] == ["Report: report/index.html", NEXT]
    assert all(len(line) <= 100 and "{" not in line for line in lines)
    assert project.run("moodring", "verdict").stdout.splitlines() == lines


def test_predict_prints_only_the_answer(project: Project) -> None:
    lines, err = printed(project, "moodring", "predict", "a wonderful film")
    assert err == ""
    assert len(lines) == 1


def test_tensorflow_messages_appear_with_the_log_level_of_the_user(project: Project) -> None:
    assert "InitializeLog" in printed(project, sys.executable, "-c", KERAS, log_level="0")[1]
    assert printed(project, sys.executable, "-c", KERAS)[1] == ""
