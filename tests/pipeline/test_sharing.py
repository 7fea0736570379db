"""Results in more than one checkout: DVC remotes, queues, temporary copies, a shared store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from benchmarks.project import ran
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow


def clone_of(project: Project, target: Path, remote: Path) -> Project:
    """Clone the committed files, and set a DVC remote in the clone."""
    project.run("git", "clone", "--quiet", str(project.root), str(target))
    clone = Project(target, project.home)
    clone.run("dvc", "remote", "add", "--quiet", "--local", "--default", "store", str(remote))
    return clone


def listed_runs(project: Project, *arguments: str) -> list[dict[str, Any]]:
    """`moodring runs --json`."""
    found: list[dict[str, Any]] = json.loads(project.run("moodring", "runs", "--json", *arguments).stdout)
    return found


def experiment_json(project: Project, name: str, path: str) -> Any:
    """The contents of a JSON file of a DVC experiment."""
    refs = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    (ref,) = [ref for ref in refs if ref.endswith(f"/{name}")]
    return json.loads(project.run("git", "show", f"{ref}:{path}").stdout)


@pytest.fixture(scope="module")
def origin(shared_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Checkout A: a clone with the pulled result of the shared project and its run.

    Other tests did not change it.
    """
    directory = tmp_path_factory.mktemp("sharing")
    # A cache has the layout of a remote, so `dvc pull` copies the results of the shared project.
    project = clone_of(shared_project, directory / "origin", shared_project.root / ".dvc/cache")
    project.run("dvc", "pull", "--quiet")
    assert project.repro() == []
    assert project.repro("--force", "--single-item", "evaluate") == ["evaluate"]
    assert project.run("git", "status", "--porcelain").stdout == ""
    project.run("dvc", "remote", "remove", "--local", "store")
    return project


@dataclass(frozen=True)
class Present:
    """The state of A while the experiment `gru` was its present result, and the two remotes."""

    diff: str
    status: str
    compared: str
    metrics: bytes
    pushed: Path
    plain: Path


@pytest.fixture(scope="module")
def gru(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Present:
    """The experiment `gru`: trained in A's workspace and pushed by two commands to two remotes.

    Then the workspace returns to main.
    """
    done = origin.run("dvc", "exp", "run", "--name", "gru", "-S", "arch=gru")
    assert ran(done.stdout) == ["vectors", "train", "evaluate"]
    remotes = tmp_path_factory.mktemp("remotes")
    present = Present(
        origin.run("git", "diff").stdout,
        origin.run("git", "status", "--porcelain").stdout,
        origin.run("dvc", "metrics", "diff").stdout,
        (origin.root / "metrics/test.json").read_bytes(),
        remotes / "pushed",
        remotes / "plain",
    )
    for remote in (present.pushed, present.plain):
        origin.run("dvc", "remote", "add", "--quiet", "--local", remote.name, str(remote))
    origin.run("moodring", "push", "--remote", "pushed")
    origin.run("dvc", "push", "--quiet", "--run-cache", "--remote", "plain")
    origin.undo()
    return present


@dataclass(frozen=True)
class Added:
    """The runs that an experiment outside the workspace added to A, and its changes to the workspace."""

    runs: list[dict[str, Any]]
    changed: str


@pytest.fixture(scope="module")
def outside(origin: Project) -> dict[str, Added]:
    """Two simultaneous experiments: a worker of DVC's queue runs `bilstm`, and --temp runs `rnn`."""
    before = {run["id"] for run in origin.runs()}
    origin.run("dvc", "exp", "run", "--queue", "--name", "bilstm", "-S", "arch=bilstm")
    with origin.workers(1):
        done = origin.run("dvc", "exp", "run", "--temp", "--name", "rnn", "-S", "arch=rnn")
        assert ran(done.stdout) == ["vectors", "train", "evaluate"]
    status = origin.run("dvc", "queue", "status").stdout
    assert "Success" in status, status
    changed = origin.run("git", "status", "--porcelain").stdout
    added = [run for run in origin.runs() if run["id"] not in before]
    return {
        name: Added([run for run in added if run["params"]["arch"] == name], changed)
        for name in ("bilstm", "rnn")
    }


@pytest.fixture
def workspace(origin: Project) -> Iterator[Project]:
    """Checkout A. The changes of the test to its files are undone after it."""
    yield origin
    origin.undo()


@pytest.fixture(scope="module")
def pulled(origin: Project, gru: Present, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """Clone B after `dvc exp run --pull` of the experiment that A trained, and the output of DVC."""
    clone = clone_of(origin, tmp_path_factory.mktemp("pulled") / "clone", gru.pushed)
    return clone, clone.run("dvc", "exp", "run", "--pull", "-S", "arch=gru").stdout


def test_a_fresh_clone_restores_the_run_from_pulled_files(origin: Project) -> None:
    run = origin.runs()[0]
    assert (run["status"], run["params"]["arch"], run["tags"]["restored"]) == ("FINISHED", "lstm", "true")


def test_an_experiment_in_the_workspace_has_a_run_with_its_name(origin: Project, gru: Present) -> None:
    (run,) = [run for run in origin.runs() if run["tags"].get("dvc_experiment") == "gru"]
    assert (run["status"], run["params"]["arch"]) == ("FINISHED", "gru")
    assert (run["tags"]["mlflow.runName"], run["tags"]["git_dirty"]) == ("gru (gru)", "false")
    accuracy = json.loads(gru.metrics)["accuracy"]
    assert origin.experiments()["gru"] == {"arch": "gru", "accuracy": accuracy}
    assert "accuracy" in gru.compared


def test_another_clone_runs_no_stage_for_a_pushed_experiment(
    pulled: tuple[Project, str], gru: Present
) -> None:
    clone, stdout = pulled
    assert ran(stdout) == []
    assert (clone.root / "metrics/test.json").read_bytes() == gru.metrics
    # Parameters, dvc.lock, metrics and plots have the same bytes as in A. No file is untracked.
    assert clone.run("git", "diff").stdout == gru.diff
    assert clone.run("git", "status", "--porcelain").stdout == gru.status
    assert clone.run("dvc", "status", "--json").stdout.strip() == "{}"


def test_sync_creates_one_restored_run_for_a_pulled_result(pulled: tuple[Project, str]) -> None:
    clone, _ = pulled
    assert not (clone.root / "mlflow.db").exists()
    clone.run("moodring", "sync")
    (run,) = listed_runs(clone)
    assert (run["arch"], run["status"], run["restored"], run["here"]) == ("gru", "FINISHED", True, True)
    assert run["test_accuracy"] == clone.json("metrics/test.json")["accuracy"]


def test_dvc_push_is_not_enough_and_another_clone_trains_again(
    origin: Project, gru: Present, tmp_path: Path
) -> None:
    clone = clone_of(origin, tmp_path / "clone", gru.plain)
    # The test only needs the start of the training. With an unknown backend it ends immediately.
    done = clone.run("dvc", "exp", "run", "--pull", "-S", "arch=gru", check=False, KERAS_BACKEND="none")
    assert ran(done.stdout) == ["train"]


def test_push_all_pushes_every_experiment(
    workspace: Project, gru: Present, outside: dict[str, Added], tmp_path: Path
) -> None:
    workspace.run("dvc", "remote", "add", "--quiet", "--local", "--default", "every", str(tmp_path / "every"))
    try:
        workspace.run("moodring", "push", "--all")
    finally:
        workspace.run("dvc", "remote", "default", "--local", "--unset")
    clone = clone_of(workspace, tmp_path / "clone", tmp_path / "every")
    for arch in ("gru", "bilstm", "rnn"):
        done = clone.run("dvc", "exp", "run", "--pull", "-S", f"arch={arch}")
        assert ran(done.stdout) == [], arch
        assert clone.json("metrics/test.json") == experiment_json(workspace, arch, "metrics/test.json")
        assert clone.json("models/settings.json")["params"]["arch"] == arch


def test_push_without_a_remote_is_an_error(origin: Project) -> None:
    done = origin.run("moodring", "push", check=False)
    assert done.returncode == 1
    assert "no remote" in done.stderr
    assert "dvc remote add" in done.stderr
    assert "Traceback" not in done.stderr


def test_push_to_an_impossible_directory_is_an_error(workspace: Project, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remote = tmp_path / "file/remote"
    workspace.run("dvc", "remote", "add", "--quiet", "--local", "--force", "impossible", str(remote))
    done = workspace.run("moodring", "push", "--remote", "impossible", check=False)
    assert done.returncode == 1
    assert str(remote) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_error_for_a_push_of_stale_files_names_the_stage(workspace: Project, tmp_path: Path) -> None:
    remote = tmp_path / "stale"
    workspace.run("dvc", "remote", "add", "--quiet", "--local", "--force", "stale", str(remote))
    workspace.set(train__epochs=4)
    done = workspace.run("moodring", "push", "--remote", "stale", check=False)
    assert done.returncode == 1
    assert "train changed" in done.stderr
    assert "dvc repro" in done.stderr
    assert "Traceback" not in done.stderr
    assert not remote.exists()


def test_an_applied_experiment_of_the_queue_keeps_its_run(
    workspace: Project, outside: dict[str, Added]
) -> None:
    (run,) = outside["bilstm"].runs
    assert (run["status"], run["params"]["arch"], run["tags"]["dvc_experiment"]) == (
        "FINISHED",
        "bilstm",
        "bilstm",
    )
    assert (run["tags"]["mlflow.runName"], run["tags"]["git_dirty"]) == ("bilstm (bilstm)", "false")
    assert outside["bilstm"].changed == ""
    before = workspace.runs(), versions(workspace.root / "mlflow.db")
    workspace.run("dvc", "exp", "apply", "bilstm")
    assert workspace.repro("--force", "--single-item", "evaluate") == ["evaluate"]
    # There is no new run and no second version of its model.
    assert (workspace.runs(), versions(workspace.root / "mlflow.db")) == before
    (found,) = listed_runs(workspace, "bilstm")
    assert (found["run_id"], found["arch"], found["here"]) == (run["id"], "bilstm", True)
    assert len(versions(workspace.root / "mlflow.db", run["id"])) == 1


def test_a_temporary_experiment_has_a_run_in_the_main_checkout(
    origin: Project, outside: dict[str, Added]
) -> None:
    (run,) = outside["rnn"].runs
    assert (run["status"], run["params"]["arch"], run["tags"]["dvc_experiment"]) == ("FINISHED", "rnn", "rnn")
    assert (run["tags"]["mlflow.runName"], run["tags"]["git_dirty"]) == ("rnn (rnn)", "false")
    assert outside["rnn"].changed == ""
    artifacts = Path(unquote(urlsplit(run["artifacts"]).path))
    assert artifacts.is_relative_to(origin.root / "mlartifacts")
    assert json.loads((artifacts / "metrics/test.json").read_text(encoding="utf-8")) == experiment_json(
        origin, "rnn", "metrics/test.json"
    )
    (model,) = versions(origin.root / "mlflow.db", run["id"])
    assert (Path(unquote(urlsplit(model[0]).path)) / "MLmodel").is_file()
    assert str(origin.root / "mlartifacts") in model[0]


def test_runs_of_an_experiment_shows_only_its_results(origin: Project, gru: Present) -> None:
    (run,) = listed_runs(origin, "gru")
    assert (run["experiment"], run["arch"], run["here"]) == ("gru", "gru", False)
    assert run["test_accuracy"] == json.loads(gru.metrics)["accuracy"]


def test_runs_of_a_revision_shows_only_its_results(origin: Project, gru: Present) -> None:
    (run,) = listed_runs(origin, origin.run("git", "rev-parse", "HEAD").stdout.strip())
    assert (run["experiment"], run["arch"], run["here"]) == (None, "lstm", True)
    _, *lines = origin.run("moodring", "runs", "main").stdout.splitlines()
    (line,) = lines
    assert run["run_id"][:8] in line
    assert "here" in line


@pytest.mark.parametrize("name", ["nosuch", "main~99"])
def test_runs_of_an_unknown_name_is_an_error(origin: Project, name: str) -> None:
    done = origin.run("moodring", "runs", name, check=False)
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_two_clones_with_one_store_share_the_run_of_the_same_training(
    origin: Project, gru: Present, pulled: tuple[Project, str]
) -> None:
    clone, _ = pulled
    file = origin.root / "mlflow.db"
    before = origin.runs(), versions(file)
    command = ("dvc", "repro", "--force", "--single-item", "train", "evaluate")
    stdout = clone.run(*command, MLFLOW_TRACKING_URI=f"sqlite:///{file}").stdout
    assert ran(stdout) == ["train", "evaluate"]
    # B trained the result itself, but it has the run and the model of A.
    assert (origin.runs(), versions(file)) == before
    (run,) = [run for run in origin.runs() if run["tags"].get("dvc_experiment") == "gru"]
    assert f"MLflow run {run['id']}" in stdout
    assert len(versions(file, run["id"])) == 1
    assert clone.run("git", "status", "--porcelain").stdout == gru.status


def versions(store: Path, run_id: str | None = None) -> list[tuple[str, int]]:
    """The directory and the number of each registered model version, of all runs or of one run."""
    opened = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    rows = opened.execute("SELECT storage_location, version, run_id FROM model_versions ORDER BY version")
    found = [(address, version) for address, version, run in rows if run_id in {None, run}]
    opened.close()
    return found
