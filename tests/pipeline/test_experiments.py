"""`dvc exp run` in its modes: each result is a run in the checkout's own store."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow


def experiments(project: Project) -> dict[str, dict[str, object]]:
    """Name -> arch and accuracy of each experiment, by `dvc exp show`."""
    shown = json.loads(project.run("dvc", "exp", "show", "--json").stdout)
    found = {}
    for baseline in shown:
        for experiment in baseline["experiments"] or []:
            (state,) = experiment["revs"]
            data = state["data"]
            found[state["name"]] = {
                "arch": data["params"]["params.yaml"]["data"]["arch"],
                "accuracy": data["metrics"]["metrics/test.json"]["data"]["accuracy"],
            }
    return found


def test_an_experiment_in_the_workspace(project: Project) -> None:
    project.run("dvc", "exp", "run", "--name", "two-way", "-S", "arch=bilstm")
    assert experiments(project)["two-way"]["arch"] == "bilstm"
    run = project.runs()[-1]
    assert (run["status"], run["tags"]["dvc_experiment"], run["params"]["arch"]) == (
        "FINISHED",
        "two-way",
        "bilstm",
    )
    assert "accuracy" in project.run("dvc", "metrics", "diff").stdout


def test_queued_experiments_land_in_the_checkouts_store(project: Project) -> None:
    before = {run["id"] for run in project.runs()}
    project.run("dvc", "exp", "run", "--queue", "-S", "arch=rnn,gru", "-S", "train.epochs=2")
    project.run("dvc", "queue", "start", "--jobs", "2")
    try:
        for _ in range(240):
            status = project.run("dvc", "queue", "status").stdout
            if "Queued" not in status and "Running" not in status:
                break
            time.sleep(1)
        assert status.count("Success") == 2, project.run("dvc", "queue", "status").stdout
    finally:
        project.run("dvc", "queue", "stop", "--kill", check=False)
    added = [run for run in project.runs() if run["id"] not in before]
    assert sorted(run["params"]["arch"] for run in added) == ["gru", "rnn"]
    assert {run["status"] for run in added} == {"FINISHED"}
    assert all("/.dvc/tmp/" not in run["artifacts"] for run in added)
    assert {run["arch"] for run in experiments(project).values()} >= {"gru", "rnn"}


def test_a_fresh_clone_rebuilds_the_run_from_pulled_files(project: Project, tmp_path: Path) -> None:
    remote, clone = tmp_path / "remote", Project(tmp_path / "clone", project.home)
    project.run("dvc", "remote", "add", "--local", "--default", "--force", "store", str(remote))
    project.run("dvc", "push", "--quiet")
    project.run("git", "clone", "--quiet", str(project.root), str(clone.root))
    clone.run("dvc", "remote", "add", "--local", "--default", "store", str(remote))
    clone.run("dvc", "pull", "--quiet")
    assert clone.repro() == []
    assert clone.repro("--force", "--single-item", "evaluate") == ["evaluate"]
    (run,) = clone.runs()
    assert (run["status"], run["tags"]["restored"]) == ("FINISHED", "true")
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_the_whole_of_plots_show_is_made(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "plots", "show", "--out", str(tmp_path / "shown"))
    page = (tmp_path / "shown/index.html").read_text(encoding="utf-8")
    titles = (
        "Validation loss by epoch",
        "Log loss by epoch",
        "ROC",
        "Calibration",
        "Confusion",
        "Accuracy by length",
    )
    for title in titles:
        assert title in page
    assert "DVC_METRIC" not in page
