"""The `moodring` command with a real result."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow


def test_runs_shows_the_commit_and_the_model_of_a_run(project: Project) -> None:
    listed = json.loads(project.run("moodring", "runs", "--json").stdout)
    run = next(run for run in listed if run["here"] and not run["restored"])
    assert run["commit"] == project.run("git", "rev-parse", "main~1").stdout.strip()
    assert (run["dataset"], run["arch"], run["restored"]) == ("tiny", "lstm", False)
    assert run["model_version"] >= 1
    assert run["test_accuracy"] == project.json("metrics/test.json")["accuracy"]
    assert run["run_id"][:8] in project.run("moodring", "runs").stdout


def test_runs_takes_the_name_of_a_run(project: Project) -> None:
    run = project.runs()[0]
    for name in (run["id"], run["id"][:8]):
        (listed,) = json.loads(project.run("moodring", "runs", name, "--json").stdout)
        assert listed["run_id"] == run["id"]


def test_sync_names_the_run_of_the_result(project: Project) -> None:
    project.run("moodring", "sync")  # other tests may have evaluated the same result before
    before = project.runs()
    assert f"this is run {before[0]['id']}" in project.run("moodring", "sync").stdout
    assert project.runs() == before


def test_sync_creates_one_run_for_a_restored_result(project: Project, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'another.db'}"
    done = project.run("moodring", "sync", MLFLOW_TRACKING_URI=store)
    first = done.stdout
    assert "Warning" not in done.stderr
    second = project.run("moodring", "sync", MLFLOW_TRACKING_URI=store).stdout
    (run,) = json.loads(project.run("moodring", "runs", "--json", MLFLOW_TRACKING_URI=store).stdout)
    assert run["restored"]
    assert f"made run {run['run_id']}" in first
    assert f"this is run {run['run_id']}" in second


def test_sync_refuses_files_that_do_not_match_params_yaml(project: Project) -> None:
    project.set(arch="gru")
    done = project.run("moodring", "sync", check=False)
    assert done.returncode == 1
    assert "train" in done.stderr
    assert "dvc repro" in done.stderr


@pytest.mark.parametrize(
    "model", [[], ["--model", "models:/moodring-tiny/1"]], ids=["checkout", "registered"]
)
def test_predict_gives_the_scores_of_the_evaluation(
    project: Project, tmp_path: Path, model: list[str]
) -> None:
    raw = pq.read_table(project.root / "data/raw.parquet").to_pandas()
    texts = raw.loc[raw["split"] == "test", "text"].tolist()
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    done = project.run("moodring", "predict", "--file", str(tmp_path / "texts.txt"), *model)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["text"] for answer in answers] == texts
    evaluated = pq.read_table(project.root / "data/scores.parquet")["score"].to_pylist()
    assert [answer["score"] for answer in answers] == pytest.approx(evaluated, abs=1e-6)
    assert {answer["label"] for answer in answers} == {"positive", "negative"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model", "models:/moodring-tiny@champion", "x"], "champion"),
        (["--model", "/no/such/model", "x"], "/no/such/model"),
        (["--file", "none.txt"], "none.txt"),
    ],
    ids=["alias", "path", "file"],
)
def test_predict_names_the_missing_model_or_file(
    project: Project, arguments: list[str], expected: str
) -> None:
    done = project.run("moodring", "predict", *arguments, check=False)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_set_of_experiments_is_run_once_and_compared(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    (copy.root / "experiments/sets").mkdir(parents=True)
    (copy.root / "experiments/sets/mine.yaml").write_text("linear: {arch: nbsvm}\n")
    copy.commit()
    copy.run("moodring", "relocate")
    done = copy.run("moodring", "experiment", "mine").stdout
    assert done.splitlines()[-1] == "Next: `moodring compare --html` compares them."
    assert "1 of 1: linear-tiny, there already" in copy.run("moodring", "experiment", "mine").stdout
    later = ("moodring", "experiment", "mine", "--queue", "-S", "seed=9")
    assert [("Queued" in copy.run(*later).stdout) for _ in range(2)] == [True, False]
    (found,) = json.loads(copy.run("moodring", "compare", "--json").stdout)
    results = {result["name"]: result for result in found["results"]}
    assert {"linear-tiny", "workspace"} <= set(results)  # other tests may have made more
    assert results["workspace"]["here"]
    assert results["workspace"]["test_accuracy"] == copy.json("metrics/test.json")["accuracy"]
    assert results["linear-tiny"]["minutes"] > 0
    assert found["pairs"][0]["rows"] == copy.json("metrics/test.json")["rows"]
    run = next(run for run in copy.runs() if run["tags"].get("dvc_experiment") == "linear-tiny")["id"]
    (of_run,) = json.loads(copy.run("moodring", "compare", run, "--json").stdout)
    assert of_run["results"][0]["test"] == results["linear-tiny"]["test"]
