"""Sets of experiments: their names, their parameters, and the experiments that are there already."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from moodring.cli.app import app
from moodring.errors import MoodringError
from moodring.experiments.sets import Planned, plan, set_names
from tests.conftest import ROOT
from tests.lab import Lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    made = Lab(tmp_path / "lab")
    shutil.copyfile(ROOT / "params.yaml", made.root / "params.yaml")
    shutil.copytree(ROOT / "experiments", made.root / "experiments")
    made.commit()
    monkeypatch.setenv("DVC_ROOT", str(made.root))
    return made


def write_set(lab: Lab, content: object) -> None:
    (lab.root / "experiments/sets/mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def names(planned: list[Planned]) -> list[str]:
    return [one.name for one in planned]


def ran(lab: Lab, name: str, **changes: object) -> None:
    """Let DVC have an experiment of the present files with these parameters."""
    before = (lab.root / "params.yaml").read_text()
    (lab.root / "params.yaml").write_text(yaml.safe_dump(yaml.safe_load(before) | changes))
    head = lab.git("rev-parse", "HEAD")
    lab.git("add", "--all")
    tip = lab.git("commit-tree", lab.git("write-tree"), "-p", head, "-m", name)
    lab.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", tip)
    lab.git("reset", "--quiet")
    (lab.root / "params.yaml").write_text(before)


def test_the_committed_sets_are_valid_and_have_readable_names(lab: Lab) -> None:
    assert set_names(lab.root) == ["architectures", "notebooks"]
    architectures = plan(lab.root, "architectures", [])
    assert names(architectures) == [f"{arch}-rotten_tomatoes" for arch in ("rnn", "lstm", "gru", "bilstm")]
    assert architectures[0].command(["--temp"]) == (
        ["dvc", "exp", "run", "--name", "rnn-rotten_tomatoes", "-S", "arch=rnn", "--temp"]
    )
    notebooks = plan(lab.root, "notebooks", [])
    assert names(notebooks) == ["twitter-lstm", "imdb-lstm", "imdb-bilstm", "imdb-gru"]
    assert "dataset=imdb" in notebooks[1].settings


@pytest.mark.parametrize("option", ["-S dataset=imdb", "-Sdataset=imdb", "--set-param=dataset=imdb"])
def test_dvcs_options_change_the_dataset_and_so_the_name(lab: Lab, option: str) -> None:
    assert names(plan(lab.root, "architectures", option.split()))[0] == "rnn-imdb"


def test_a_set_may_change_a_named_experiment(lab: Lab) -> None:
    write_set(lab, {"gru-8": {"experiment": "imdb-gru", "seed": 8}})
    (one,) = plan(lab.root, "mine", [])
    assert (one.name, one.dataset) == ("gru-8", "imdb")
    assert {"dataset=imdb", "seed=8"} <= set(one.settings)


def test_an_experiment_that_is_there_already_is_not_planned_again(lab: Lab) -> None:
    ran(lab, "rnn-rotten_tomatoes", arch="rnn")
    ran(lab, "gru-rotten_tomatoes", arch="gru", seed=99)
    planned = {one.name: one.there for one in plan(lab.root, "architectures", [])}
    assert planned == {
        "rnn-rotten_tomatoes": True,
        "lstm-rotten_tomatoes": False,
        "gru-rotten_tomatoes-2": False,  # the other one has another seed
        "bilstm-rotten_tomatoes": False,
    }
    assert names(plan(lab.root, "architectures", ["-S", "seed=99"]))[:3:2] == [
        "rnn-rotten_tomatoes-2", "gru-rotten_tomatoes",
    ]  # fmt: skip


def test_after_a_change_of_a_file_the_experiment_runs_under_another_name(lab: Lab) -> None:
    ran(lab, "rnn-rotten_tomatoes", arch="rnn")
    (lab.root / "experiments/imdb-gru.yaml").write_text("arch: gru\n")
    first = plan(lab.root, "architectures", [])[0]
    assert (first.name, first.there) == ("rnn-rotten_tomatoes-2", False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": {"arch": "lstn"}}, r"mine\.yaml, a: (.|\n)*did you mean 'lstm'"),
        ({"a": {"train": {"epochs": 0}}}, r"mine\.yaml, a(.|\n)*train\.epochs"),
        ({"a b": {"arch": "gru"}}, "letters, digits"),
        ({"a": "gru"}, "'a' must contain a mapping of parameters, received: 'gru'"),
        ({"a": {"experiment": "nosuch"}}, "there is no experiment 'nosuch'"),
        (["gru"], "must contain a mapping"),
        ({}, r"mine\.yaml names no experiment"),
        (
            {"a": {"arch": "gru"}, "a-rotten_tomatoes": {"arch": "lstm", "dataset": "rotten_tomatoes"}},
            "already 'a-rotten_tomatoes'; rename one",
        ),
    ],
    ids=[
        *("unknown name", "out of range", "name with a blank", "no mapping", "no experiment", "a list"),
        *("nothing", "one name twice"),
    ],
)
def test_an_invalid_set_is_an_error_before_anything_runs(lab: Lab, content: object, message: str) -> None:
    write_set(lab, content)
    with pytest.raises(MoodringError, match=message):
        plan(lab.root, "mine", [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["architecturs"], "sets: architectures, notebooks"),
        (["architectures", "--name", "x"], "leave out --name"),
        (["architectures", "-S", "train.epochs=0"], "train.epochs"),
        (["architectures", "-S", "nosuch=1"], "nosuch"),
        (["architectures", "-S", "arch=gru"], "architectures.yaml, rnn sets arch, so -S must not"),
        (["architectures", "--set-param=++arch=gru"], "rnn sets arch, so -S must not"),
        (["notebooks", "-Sdataset=imdb"], "twitter-lstm sets dataset, so -S must not"),
        (["architectures", "-S", "seed=range(1,3)"], "DVC cannot set arch=rnn, seed=range(1,3)"),
        (["architectures", "-S", "seed=choice(1,3)"], "DVC cannot set arch=rnn, seed=choice(1,3)"),
    ],
)
def test_the_command_refuses_before_it_runs_anything(lab: Lab, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["experiment", *arguments])
    assert done.exit_code == 1
    assert message in done.stderr
    assert "dvc exp run" not in done.stdout


def test_a_repository_without_a_commit_is_an_error(lab: Lab) -> None:
    lab.git("update-ref", "-d", "HEAD")
    with pytest.raises(MoodringError, match="git commit"):
        plan(lab.root, "architectures", [])
