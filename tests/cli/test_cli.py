"""The `moodring` command, and commands that start without the slow libraries."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from typer.testing import CliRunner

from moodring.cli.app import app
from moodring.errors import MoodringError
from moodring.experiments.named import merged, overrides
from moodring.params.file import parse_params, read_yaml
from tests.conftest import ROOT

EXPERIMENTS = sorted(path.stem for path in (ROOT / "experiments").glob("*.yaml"))
CLI = "from moodring.cli.app import app; app()"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that define experiments."""
    (tmp_path / ".dvc").mkdir()
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return tmp_path


def write_experiment(checkout: Path, settings: object) -> None:
    (checkout / "experiments" / "mine.yaml").write_text(yaml.safe_dump(settings))


def set_by_dvc(checkout: Path, name: str) -> dict[str, Any]:
    """params.yaml after DVC has set an experiment's overrides in it."""
    settings = overrides(checkout, name)
    apply_overrides(checkout / "params.yaml", settings)
    return read_yaml(checkout / "params.yaml")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_dvc_sets_each_experiment_as_it_is_written(checkout: Path, name: str):
    settings = read_yaml(checkout / "experiments" / f"{name}.yaml")
    assert set_by_dvc(checkout, name) == merged(read_yaml(checkout / "params.yaml"), settings)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_experiment_gives_valid_parameters_that_differ_from_params_yaml(name: str):
    committed = read_yaml(ROOT / "params.yaml")
    tree = merged(committed, read_yaml(ROOT / "experiments" / f"{name}.yaml"))
    assert parse_params(tree, name).of_model() != parse_params(committed, "params.yaml").of_model()


def test_booleans_are_written_as_in_yaml():
    settings = overrides(ROOT, "imdb-bilstm")
    assert "archs.bilstm.bidirectional=true" in settings
    assert "dataset=imdb" in settings
    assert "train.learning_rate=0.001" in settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "data/own/my reviews.csv"),
        ("path", "data/own/a,b.csv"),
        ("path", "data/own/it's=(mine).csv"),
        ("text", "1"),
        ("text", "true"),
        ("text", ""),
        ("split", None),
        ("positive", ["pos", "4"]),
        ("positive", [4, 5.5, True]),
        ("positive", ["a, b", "it's"]),
        ("test_share", 0.00001),
    ],
)
def test_dvc_sets_any_value_as_it_is_written(checkout: Path, key: str, value: object):
    tree = read_yaml(checkout / "params.yaml")
    source = {
        "kind": "file",
        "path": "data/own/a.csv",
        "text": "t",
        "label": "l",
        "split": "s",
        "test_share": 0.5,
    }
    classes = {"positive": [1], "negative": [0]}
    tree["datasets"]["own"] = {**tree["datasets"]["imdb"], "source": {**source, **classes}}
    (checkout / "params.yaml").write_text(yaml.safe_dump(tree))
    write_experiment(checkout, {"dataset": "own", "datasets": {"own": {"source": {key: value}}}})
    assert set_by_dvc(checkout, "mine")["datasets"]["own"]["source"][key] == value


def test_dvc_sets_own_pairs_as_they_are_written(checkout: Path):
    pairs = [{"higher": "it's good: {really}", "lower": "not, good"}, {"higher": "a", "lower": "b"}]
    write_experiment(checkout, {"behaviour": {"pairs": pairs}})
    assert set_by_dvc(checkout, "mine")["behaviour"]["pairs"] == pairs


def test_an_experiment_may_add_an_architecture(checkout: Path):
    wide = {**read_yaml(checkout / "params.yaml")["archs"]["gru"], "units": 256}
    write_experiment(checkout, {"arch": "wide", "archs": {"wide": wide}})
    assert set_by_dvc(checkout, "mine")["archs"]["wide"] == wide


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": {"epoch": 3}}, r"train\.epoch: unknown key"),
        ({"train": {"epochs": 0}}, r"train\.epochs: .*received: 0"),
        ({"arch": "lstn"}, "did you mean 'lstm'"),
        (["arch"], "must contain a mapping"),
    ],
    ids=["misspelt key", "value out of range", "unknown name", "no mapping"],
)
def test_an_invalid_experiment_is_an_error(checkout: Path, settings: object, message: str):
    write_experiment(checkout, settings)
    with pytest.raises(MoodringError, match=rf"experiments/mine\.yaml(.|\n)*{message}"):
        overrides(checkout, "mine")


def test_the_error_for_an_unknown_experiment_lists_the_known_names(checkout: Path):
    done = CliRunner().invoke(app, ["experiment", "imdb-lstn"])
    assert done.exit_code == 1
    assert "'imdb-lstn'" in done.stderr
    assert all(name in done.stderr for name in EXPERIMENTS)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["2", "--best"], ["a name or --best", "'2'"]),
        (["--accept", "negatoin", "--reason", "x"], ["'negatoin'", "known: ", "own pairs"]),
        (["--accept", "negation"], ["--accept and --reason belong together"]),
        (["--best", "--reason", "x"], ["--accept and --reason belong together"]),
    ],
    ids=["name and best", "unknown check", "no reason", "no check"],
)
def test_promote_refuses_options_that_contradict_each_other(arguments: list[str], parts: list[str]):
    done = CliRunner().invoke(app, ["promote", *arguments])
    assert done.exit_code == 1
    assert all(part in done.stderr for part in ("error: ", *parts)), done.stderr


@pytest.mark.parametrize(
    "command",
    [["runs"], ["compare"], ["compare", "HEAD"], ["promote"], ["predict", "a film", "--model"]],
    ids=" ".join,
)
def test_every_command_says_that_a_shallow_clone_lacks_an_older_commit(
    shallow: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    monkeypatch.setenv("DVC_ROOT", str(shallow))
    monkeypatch.chdir(shallow)
    done = CliRunner().invoke(app, [*command, "HEAD~1"])
    mlflow.set_tracking_uri(None)
    assert done.exit_code == 1
    assert "'HEAD~1'" in done.stderr
    assert "git fetch --unshallow" in done.stderr


@pytest.fixture(scope="module")
def shallow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the last of two commits, with a result and with an empty store."""
    origin, clone = (tmp_path_factory.mktemp("shallow") / name for name in ("origin", "clone"))
    (origin / ".dvc").mkdir(parents=True)
    (origin / ".dvc/config").touch()
    shutil.copy(ROOT / "params.yaml", origin)
    outs = [{"path": "models", "md5": "a.dir"}]
    (origin / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"train": {"outs": outs}}}))
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init"], ["add", "."], ["commit", "-m", "1"], ["commit", "-m", "2", "--allow-empty"]):
        subprocess.run(["git", *author, *arguments], cwd=origin, check=True, capture_output=True)
    command = ["git", "clone", "--quiet", "--depth=1", origin.as_uri(), str(clone)]
    subprocess.run(command, check=True)
    return clone


def test_dvc_runs_an_experiment_with_further_arguments(checkout: Path):
    # DVC refuses the last argument, so no stage runs.
    arguments = ["experiment", "imdb-gru", "--queue", "-S", "train.epochs=3", "--no-such-option"]
    done = run("-c", CLI, *arguments, cwd=checkout)
    settings = [part for setting in overrides(checkout, "imdb-gru") for part in ("-S", setting)]
    command = ["dvc", "exp", "run", "--name", "imdb-gru", *settings, *arguments[2:]]
    assert shlex.split(done.stdout.splitlines()[0]) == command
    assert done.returncode != 0
    assert "--no-such-option" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["-c", CLI, "--help"],
        ["-c", CLI, "experiment", "--help"],
        ["-m", "stages.train", "--help"],
        ["-m", "stages.evaluate", "--help"],
        ["-c", "import stages.download, stages.preprocess, stages.tokenize, stages.vectors"],
    ],
    ids=["moodring", "experiment", "train", "evaluate", "first stages"],
)
def test_commands_start_without_the_slow_libraries(command: list[str]):
    done = run("-X", "importtime", *command, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    imported = set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "moodring.params.file" in imported
    assert not {"tensorflow", "keras", "mlflow"} & imported


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("store", [None, "sqlite:///mlfow.db", "sqlite:////no/such/place/mlflow.db"])
def test_runs_of_a_store_that_is_not_there_is_an_error_and_makes_none(
    checkout: Path, store: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    before = sorted(checkout.iterdir())
    if store is None:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    done = CliRunner().invoke(app, ["runs", "--json"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no MLflow store sqlite:///" in done.stderr
    assert "MLFLOW_TRACKING_URI" in done.stderr
    assert sorted(checkout.iterdir()) == before
