"""Results that go from one checkout to another: DVC remotes, queues, temporary copies, a shared store."""

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


def clone_of(project: Project, place: Path, remote: Path) -> Project:
    """A fresh clone of what is committed, with a DVC remote of its own setting."""
    project.run("git", "clone", "--quiet", str(project.root), str(place))
    clone = Project(place, project.home)
    clone.run("dvc", "remote", "add", "--quiet", "--local", "--default", "store", str(remote))
    return clone


def listed(project: Project, *arguments: str) -> list[dict[str, Any]]:
    """`moodring runs --json`."""
    found: list[dict[str, Any]] = json.loads(project.run("moodring", "runs", "--json", *arguments).stdout)
    return found


def of_experiment(project: Project, name: str, path: str) -> Any:
    """A JSON file of a DVC experiment."""
    refs = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    (ref,) = [ref for ref in refs if ref.endswith(f"/{name}")]
    return json.loads(project.run("git", "show", f"{ref}:{path}").stdout)


@pytest.fixture(scope="module")
def origin(made: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Checkout A: the made result, pulled, its run, and nothing that other tests did in theirs."""
    room = tmp_path_factory.mktemp("sharing")
    # A cache has the layout of a remote: what the made project ran is had in a second.
    project = clone_of(made, room / "origin", made.root / ".dvc/cache")
    project.run("dvc", "pull", "--quiet")
    assert project.repro() == []
    assert project.repro("--force", "--single-item", "evaluate") == ["evaluate"]
    assert project.run("git", "status", "--porcelain").stdout == ""
    project.run("dvc", "remote", "remove", "--local", "store")
    return project


@dataclass(frozen=True)
class Present:
    """What A looked like while the experiment `gru` was its present result, and where A pushed it to."""

    diff: str
    status: str
    compared: str
    metrics: bytes
    pushed: Path
    plain: Path


@pytest.fixture(scope="module")
def gru(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Present:
    """Trained in A's workspace, pushed by both commands to a remote each, and left for A's main again."""
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
    """What an experiment that left the workspace alone added to A."""

    runs: list[dict[str, Any]]
    changed: str


@pytest.fixture(scope="module")
def beside(origin: Project) -> dict[str, Added]:
    """The experiments `bilstm`, run by a worker of DVC's queue, and meanwhile `rnn`, run with --temp."""
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
    """A; what the test changes in its files is undone after it."""
    yield origin
    origin.undo()


@pytest.fixture(scope="module")
def pulled(origin: Project, gru: Present, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """Clone B after it asked the remote for what A trained; what DVC said."""
    clone = clone_of(origin, tmp_path_factory.mktemp("pulled") / "clone", gru.pushed)
    return clone, clone.run("dvc", "exp", "run", "--pull", "-S", "arch=gru").stdout


def test_a_fresh_clone_rebuilds_the_run_from_pulled_files(origin: Project) -> None:
    run = origin.runs()[0]
    assert (run["status"], run["params"]["arch"], run["tags"]["restored"]) == ("FINISHED", "lstm", "true")


def test_an_experiment_in_the_workspace_is_a_run_of_its_name(origin: Project, gru: Present) -> None:
    (run,) = [run for run in origin.runs() if run["tags"].get("dvc_experiment") == "gru"]
    assert (run["status"], run["params"]["arch"]) == ("FINISHED", "gru")
    accuracy = json.loads(gru.metrics)["accuracy"]
    assert origin.experiments()["gru"] == {"arch": "gru", "accuracy": accuracy}
    assert "accuracy" in gru.compared


def test_what_was_pushed_runs_no_stage_in_another_clone(pulled: tuple[Project, str], gru: Present) -> None:
    clone, said = pulled
    assert ran(said) == []
    assert (clone.root / "metrics/test.json").read_bytes() == gru.metrics
    # Parameters, dvc.lock, metrics and plots are A's, byte for byte, and nothing is untracked.
    assert clone.run("git", "diff").stdout == gru.diff
    assert clone.run("git", "status", "--porcelain").stdout == gru.status
    assert clone.run("dvc", "status", "--json").stdout.strip() == "{}"


def test_sync_gives_a_pulled_result_one_restored_run(pulled: tuple[Project, str]) -> None:
    clone, _ = pulled
    assert not (clone.root / "mlflow.db").exists()
    clone.run("moodring", "sync")
    (run,) = listed(clone)
    assert (run["arch"], run["status"], run["restored"], run["here"]) == ("gru", "FINISHED", True, True)
    assert run["test_accuracy"] == clone.json("metrics/test.json")["accuracy"]


def test_dvc_push_alone_lets_another_clone_train_again(origin: Project, gru: Present, tmp_path: Path) -> None:
    clone = clone_of(origin, tmp_path / "clone", gru.plain)
    # That training is begun is enough to know; without a backend it ends at once.
    done = clone.run("dvc", "exp", "run", "--pull", "-S", "arch=gru", check=False, KERAS_BACKEND="none")
    assert ran(done.stdout) == ["train"]


def test_push_all_brings_every_configuration(
    workspace: Project, gru: Present, beside: dict[str, Added], tmp_path: Path
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
        assert clone.json("metrics/test.json") == of_experiment(workspace, arch, "metrics/test.json")
        assert clone.json("models/settings.json")["params"]["arch"] == arch


def test_push_without_a_remote_says_so(origin: Project) -> None:
    done = origin.run("moodring", "push", check=False)
    assert done.returncode == 1
    assert "no remote" in done.stderr
    assert "dvc remote add" in done.stderr
    assert "Traceback" not in done.stderr


def test_push_to_an_impossible_place_says_so(workspace: Project, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file/remote"
    workspace.run("dvc", "remote", "add", "--quiet", "--local", "--force", "impossible", str(place))
    done = workspace.run("moodring", "push", "--remote", "impossible", check=False)
    assert done.returncode == 1
    assert str(place) in done.stderr
    assert "Traceback" not in done.stderr


def test_push_of_stale_files_names_the_stage(workspace: Project, tmp_path: Path) -> None:
    remote = tmp_path / "stale"
    workspace.run("dvc", "remote", "add", "--quiet", "--local", "--force", "stale", str(remote))
    workspace.set(train__epochs=4)
    done = workspace.run("moodring", "push", "--remote", "stale", check=False)
    assert done.returncode == 1
    assert "train changed" in done.stderr
    assert "dvc repro" in done.stderr
    assert "Traceback" not in done.stderr
    assert not remote.exists()


def test_an_applied_result_of_the_queue_stays_the_queued_run(
    workspace: Project, beside: dict[str, Added]
) -> None:
    (run,) = beside["bilstm"].runs
    assert (run["status"], run["params"]["arch"], run["tags"]["dvc_experiment"]) == (
        "FINISHED",
        "bilstm",
        "bilstm",
    )
    assert beside["bilstm"].changed == ""
    before = workspace.runs(), versions(workspace.root / "mlflow.db")
    workspace.run("dvc", "exp", "apply", "bilstm")
    assert workspace.repro("--force", "--single-item", "evaluate") == ["evaluate"]
    # No new run, no second version of its model.
    assert (workspace.runs(), versions(workspace.root / "mlflow.db")) == before
    (found,) = listed(workspace, "bilstm")
    assert (found["run_id"], found["arch"], found["here"]) == (run["id"], "bilstm", True)
    assert len(versions(workspace.root / "mlflow.db", run["id"])) == 1


def test_a_temporary_experiment_is_a_run_of_the_main_checkout(
    origin: Project, beside: dict[str, Added]
) -> None:
    (run,) = beside["rnn"].runs
    assert (run["status"], run["params"]["arch"], run["tags"]["dvc_experiment"]) == ("FINISHED", "rnn", "rnn")
    assert beside["rnn"].changed == ""
    artifacts = Path(unquote(urlsplit(run["artifacts"]).path))
    assert artifacts.is_relative_to(origin.root / "mlartifacts")
    assert json.loads((artifacts / "metrics/test.json").read_text(encoding="utf-8")) == of_experiment(
        origin, "rnn", "metrics/test.json"
    )
    (model,) = versions(origin.root / "mlflow.db", run["id"])
    assert (Path(unquote(urlsplit(model[0]).path)) / "MLmodel").is_file()
    assert str(origin.root / "mlartifacts") in model[0]


def test_runs_of_an_experiment_are_its_results_alone(origin: Project, gru: Present) -> None:
    (run,) = listed(origin, "gru")
    assert (run["experiment"], run["arch"], run["here"]) == ("gru", "gru", False)
    assert run["test_accuracy"] == json.loads(gru.metrics)["accuracy"]


def test_runs_of_a_revision_are_its_results_alone(origin: Project, gru: Present) -> None:
    (run,) = listed(origin, origin.run("git", "rev-parse", "HEAD").stdout.strip())
    assert (run["experiment"], run["arch"], run["here"]) == (None, "lstm", True)
    _, *lines = origin.run("moodring", "runs", "main").stdout.splitlines()
    (line,) = lines
    assert run["run_id"][:8] in line
    assert "here" in line


@pytest.mark.parametrize("name", ["nosuch", "main~99"])
def test_runs_of_an_unknown_name_are_an_error(origin: Project, name: str) -> None:
    done = origin.run("moodring", "runs", name, check=False)
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_two_clones_with_one_store_share_the_run_of_a_training(
    origin: Project, gru: Present, pulled: tuple[Project, str]
) -> None:
    clone, _ = pulled
    file = origin.root / "mlflow.db"
    before = origin.runs(), versions(file)
    command = ("dvc", "repro", "--force", "--single-item", "train", "evaluate")
    said = clone.run(*command, MLFLOW_TRACKING_URI=f"sqlite:///{file}").stdout
    assert ran(said) == ["train", "evaluate"]
    # What B trained itself is the run that A made, and its model A's.
    assert (origin.runs(), versions(file)) == before
    (run,) = [run for run in origin.runs() if run["tags"].get("dvc_experiment") == "gru"]
    assert f"MLflow run {run['id']}" in said
    assert len(versions(file, run["id"])) == 1
    assert clone.run("git", "status", "--porcelain").stdout == gru.status


def versions(store: Path, run_id: str | None = None) -> list[tuple[str, int]]:
    """Where each registered model version (of a run) has its files, and its number."""
    opened = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    rows = opened.execute("SELECT storage_location, version, run_id FROM model_versions ORDER BY version")
    found = [(place, version) for place, version, run in rows if run_id in {None, run}]
    opened.close()
    return found
