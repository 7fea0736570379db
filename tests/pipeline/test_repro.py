"""A whole `dvc repro` and its outputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks.project import ran
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

FLAT = [
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "log_loss",
    "roc_auc",
    "average_precision",
    "f1",
    "brier",
]
FLAT += ["calibration_error", "rows", "calibration_error_before", "temperature"]
FLAT += ["baseline_accuracy", "gain", "gain_low", "gain_high", "mcnemar_p"]


def test_the_tables_have_the_documented_columns(project: Project) -> None:
    for name, splits in (("raw", {"train", "test"}), ("clean", {"train", "validation", "test"})):
        table = pq.read_table(project.root / f"data/{name}.parquet")
        assert [(field.name, str(field.type)) for field in table.schema] == [
            ("split", "string"),
            ("label", "int8"),
            ("text", "string"),
        ]
        assert set(table["split"].to_pylist()) == splits


def test_the_corpus_has_ragged_arrays_of_small_integers(project: Project) -> None:
    rows = project.json("metrics/data.json")["rows"]
    for split in ("train", "validation", "test"):
        tokens, offsets, labels = (
            np.load(project.root / f"data/corpus/{split}/{name}.npy")
            for name in ("tokens", "offsets", "labels")
        )
        assert (tokens.dtype, offsets.dtype, labels.dtype) == (np.uint8, np.int64, np.int8)
        assert len(labels) == len(offsets) - 1 == rows[split]
        assert offsets[-1] == len(tokens)


def test_the_model_learned_the_generated_texts(project: Project) -> None:
    metrics = project.json("metrics/test.json")
    assert list(metrics) == FLAT
    assert metrics["rows"] == 60
    assert (
        metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"] or metrics["accuracy"] == 1
    )
    assert metrics["accuracy"] > 0.8


def test_every_plot_has_a_data_file_and_an_image(project: Project) -> None:
    names = {path.name for path in (project.root / "metrics/plots").iterdir()}
    plots = ["learning_curves", "confusion", "roc", "precision_recall", "calibration", "scores"]
    plots += ["by_length", "slices"]
    assert names == {f"{plot}.{kind}" for plot in plots for kind in ("csv", "png")} - {"learning_curves.csv"}


def test_the_texts_are_in_the_report_but_not_in_git(project: Project) -> None:
    pages = {file.name for file in (project.root / "report").iterdir()}
    assert pages == {"index.html", "mistakes.html", "mistakes.json"}
    mistakes = project.json("report/mistakes.json")
    scores = pq.read_table(project.root / "data/scores.parquet").to_pandas()
    wrong = (scores["score"] >= 0.5) != scores["label"]
    assert mistakes["columns"] == ["text", "label", "score", "baseline_score"]
    assert len(mistakes["data"]) == min(wrong.sum(), 20)
    assert project.run("git", "ls-files", "report").stdout == ""


def test_dvc_plots_show_writes_every_plot(project: Project, tmp_path: Path) -> None:
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


def test_git_tracks_metrics_but_no_data_models_or_runs(project: Project) -> None:
    assert project.run("git", "status", "--porcelain").stdout == ""
    tracked = project.run("git", "ls-files").stdout.split()
    assert not [
        name for name in tracked if name.startswith(("models", "mlflow.db", "mlartifacts", "data/raw"))
    ]
    assert "metrics/test.json" in tracked


def test_a_second_repro_runs_no_stage_and_creates_no_run(project: Project) -> None:
    before = project.runs()
    assert project.repro() == []
    assert project.runs() == before


def test_one_mlflow_run_has_the_result(project: Project) -> None:
    run = project.runs()[0]
    assert (run["status"], run["experiment"]) == ("FINISHED", "tiny")
    assert run["params"]["train.epochs"] == "3"
    assert run["params"]["data.tokenize.max_tokens"] == "100"
    assert run["tags"]["git_commit"] == project.run("git", "rev-parse", "main~1").stdout.strip()
    assert run["tags"]["git_dirty"] == "false"
    assert run["tags"]["mlflow.runName"] == f"lstm ({run['tags']['git_commit'][:7]})"
    assert run["artifacts"].startswith((project.root / "mlartifacts/tiny").as_uri())


def test_a_second_training_changes_no_hash_and_creates_no_second_run(project: Project) -> None:
    before, lock = project.runs(), (project.root / "dvc.lock").read_bytes()
    assert project.repro("--force", "--single-item", "train") == ["train"]
    assert (project.root / "dvc.lock").read_bytes() == lock
    assert project.repro() == []
    assert project.runs() == before


def test_another_threshold_has_its_own_run_and_leaves_the_first_as_it_was(
    project: Project, tmp_path: Path
) -> None:
    # A copy of the store: the new run must not be in the store of the other tests.
    store = project.store.copy(tmp_path / "runs.db").address

    def runs(*arguments: str) -> list[dict[str, Any]]:
        done = project.run("moodring", "runs", "--json", *arguments, MLFLOW_TRACKING_URI=store)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def doctor() -> list[str]:
        done = project.run("moodring", "doctor", "--json", check=False, MLFLOW_TRACKING_URI=store)
        return [finding["about"] for finding in json.loads(done.stdout)]

    (first,) = [run for run in runs() if run["here"]]
    project.run(
        "dvc",
        "exp",
        "run",
        "--temp",
        "--name",
        "strict",
        "-S",
        "evaluate.threshold=0.62",
        MLFLOW_TRACKING_URI=store,
    )
    assert [run["run_id"] for run in runs() if run["here"]] == [first["run_id"]]
    assert "present result" not in doctor()
    (strict,) = runs("strict")
    assert strict["run_id"] != first["run_id"]
    assert strict["evaluation"]["evaluate.threshold"] == "0.62"
    assert (strict["trained_in"], strict["experiment"]) == (first["run_id"], "strict")
    assert strict["model_version"] != first["model_version"]
    assert [run for run in runs() if run["run_id"] == first["run_id"]] == [first]
    # DVC restores the experiment from its cache. It is the present result then, without another run.
    count = len(runs())
    project.set(evaluate__threshold=0.62)
    assert ran(project.run("dvc", "repro", MLFLOW_TRACKING_URI=store).stdout) == []
    assert [run["run_id"] for run in runs() if run["here"]] == [strict["run_id"]]
    assert "present result" not in doctor()
    sync = project.run("moodring", "sync", MLFLOW_TRACKING_URI=store).stdout
    assert f"this is run {strict['run_id']}" in sync
    assert len(runs()) == count


def test_an_evaluation_fails_if_its_run_cannot_be_written_and_sync_mends_the_run(
    project: Project, tmp_path: Path
) -> None:
    report = Path(unquote(urlsplit(project.runs()[0]["artifacts"]).path)) / "report"
    report.rename(tmp_path / "report")
    report.touch()  # even root cannot write below a file
    try:
        done = project.run("dvc", "repro", "--force", "--single-item", "evaluate", check=False)
    finally:
        report.unlink()
    assert done.returncode != 0
    assert f"error: cannot write the run's files: {report}" in done.stderr
    assert "`dvc repro` again" in done.stderr
    assert "cannot open the MLflow store" not in done.stderr
    assert "Traceback" not in done.stderr
    assert project.run("git", "status", "--porcelain").stdout == ""
    project.run("moodring", "sync")
    assert {path.name for path in report.iterdir()} == {path.name for path in (tmp_path / "report").iterdir()}


def test_the_served_model_gives_raw_texts_the_scores_of_the_evaluation(
    project: Project, tmp_path: Path
) -> None:
    code = """
import json, sys, mlflow
texts, scored = sys.argv[1:]
model = mlflow.pyfunc.load_model("models:/moodring-tiny/1")
json.dump(model.predict(json.load(open(texts))).to_dict("list"), open(scored, "w"))
"""
    raw = pq.read_table(project.root / "data/raw.parquet").to_pandas()
    texts, scored = tmp_path / "texts.json", tmp_path / "scored.json"
    texts.write_text(json.dumps(raw.loc[raw["split"] == "test", "text"].tolist()), encoding="utf-8")
    store = f"sqlite:///{project.root / 'mlflow.db'}"
    project.run("python", "-c", code, str(texts), str(scored), MLFLOW_TRACKING_URI=store)
    served = json.loads(scored.read_text(encoding="utf-8"))
    assert list(served) == ["score", "label"]
    evaluated = pq.read_table(project.root / "data/scores.parquet")["score"].to_pylist()
    assert served["score"] == pytest.approx(evaluated, abs=1e-6)
    assert served["label"] == ["positive" if score >= 0.5 else "negative" for score in evaluated]


def test_repro_in_a_fresh_clone_creates_a_run_with_its_evaluation_and_model(
    project: Project, tmp_path: Path
) -> None:
    clone = Project(tmp_path / "clone", project.home)
    project.run("git", "clone", "--quiet", str(project.root), str(clone.root))
    shutil.copyfile(project.root / "data/own/tiny.csv", clone.root / "data/own/tiny.csv")
    assert clone.repro() == ["download", "preprocess", "tokenize", "vectors", "baseline", "train", "evaluate"]
    assert clone.run("git", "status", "--porcelain").stdout == ""
    (run,) = json.loads(clone.run("moodring", "runs", "--json").stdout)
    assert (run["status"], run["model_version"], run["restored"]) == ("FINISHED", 1, False)
    # DVC deleted the committed metrics and wrote them again.
    assert run["dirty"] is False
    assert run["test_accuracy"] == clone.json("metrics/test.json")["accuracy"]


def test_stages_run_the_code_of_their_checkout(project: Project) -> None:
    code = "import stages, moodring; print(moodring.__file__)"
    path = project.run("python", "-c", code).stdout.strip()
    assert path.startswith(str(project.root))


@pytest.mark.parametrize(
    "stage", ["download", "preprocess", "tokenize", "vectors", "baseline", "train", "evaluate"]
)
def test_the_help_of_a_stage_names_its_outputs(project: Project, stage: str) -> None:
    text = project.run("python", "-m", f"stages.{stage}", "--help", COLUMNS="200").stdout
    listed = yaml.safe_load((project.root / "dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    for output in [*listed.get("outs", []), *listed.get("metrics", []), *listed.get("plots", [])]:
        path = Path(output if isinstance(output, str) else next(iter(output)))
        assert str(path) in text or str(path.parent) in text
