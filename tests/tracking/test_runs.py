"""Each result has one MLflow run in a real SQLite store."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import mlflow
import pandas as pd
import pytest
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient
from sqlalchemy.engine import URL

from moodring.corpus.arrays import write_corpus
from moodring.errors import MoodringError
from moodring.io.tables import write_table
from moodring.mlflow_ui.names import figures, metric_name, short_names
from moodring.models.keras_files import write_model
from moodring.models.result import Result, Settings, read_result
from moodring.params.data import TokenizeParams
from moodring.params.evaluation import EvaluateParams
from moodring.params.pipeline import Params
from moodring.promotion.candidates import read_validations
from moodring.serving.loading import load_model
from moodring.serving.registry import (
    Champion,
    bundle_of,
    champion,
    check_champion,
    record_model,
    set_champion,
)
from moodring.serving.scorer import write_bundle
from moodring.text.cleaner import Cleaner
from moodring.tracking.addresses import artifact_root, store_uri
from moodring.tracking.artifacts import ArtifactError
from moodring.tracking.attempts import claimed, is_left, key_of
from moodring.tracking.lifecycle import finish_training, result_run, training_run
from moodring.tracking.listing import NEEDED, evaluated_runs, list_runs
from moodring.tracking.relocation import relocate
from moodring.tracking.runs import log_evaluation
from moodring.tracking.store import Experiment, StoreError, logged, reaching
from moodring.training.architectures import build
from tests.conftest import ROOT, cleaned, dropout, generated_table, random_embedding

DATA = "d" * 64
EVALUATE = EvaluateParams(threshold=0.5, bins=10, calibration="none", mistakes=1)
TABLE = '{"columns":["text","score"],"data":[["a film",0.75]]}'
METRICS: dict[str, float | int] = {"accuracy": 0.75, "accuracy_low": 0.5, "log_loss": 0.5, "rows": 40}
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [0.7, 0.5, 0.4],
        "accuracy": [0.5, 0.75, 0.875],
        "val_loss": [0.75, 0.625, 0.9],
        "val_accuracy": [0.5, 0.625, 0.75],
    }
)


@dataclass(frozen=True)
class Pipeline:
    """The outputs of the stages, which the tests log to MLflow."""

    params: Params
    result: Result
    files: list[Path]
    report: Path
    write_bundle: Callable[..., None]
    data: str = DATA

    def train(self) -> str:
        with training_run(self.params, self.data, self.key) as run:
            for row in HISTORY.to_dict("records"):
                run.log_epoch(int(row.pop("epoch")), {str(name): value for name, value in row.items()})
            run_id = finish_training(run, self.result)
            assert run_id is not None
            return run_id

    @property
    def key(self) -> str:
        return key_of(self.params.of_model(), self.data, ROOT / "stages" / "train.py")

    def record(self, metrics: dict[str, float | int] = METRICS) -> str:
        run, _ = result_run(Experiment(self.params.dataset), self.params, self.data, self.result, self.key)
        log_evaluation(run, metrics, self.params, self.files, self.report, self.report / "mistakes.json")
        record_model(run, self.params.dataset, self.write_bundle)
        return str(run.info.run_id)


@pytest.fixture(scope="module")
def pipeline(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A tiny untrained model with an invented history, and all files of its bundle."""
    root = tmp_path_factory.mktemp("pipeline")
    data = params.datasets["imdb"]
    chosen = {"dataset": "made", "datasets": {"made": data}, "arch": "gru", "evaluate": EVALUATE}
    chosen_params = params.model_copy(update=chosen)
    cleaner = Cleaner(chosen_params.data.preprocess)
    table = cleaned(generated_table(), cleaner, seed=7, name="made")[0]
    write_table(root / "clean.parquet", table)
    words = write_corpus(root / "corpus", table, TokenizeParams(max_tokens=100, min_count=1, oov="mark"))
    keras.utils.set_random_seed(1)
    model = build(
        chosen_params.recurrent.model_copy(
            update={"embedding": random_embedding(4), "units": 4, "dropout": dropout()}
        ),
        len(words),
        12,
    )
    settings = Settings(12, 4, len(words), int(model.count_params()), 2, chosen_params.of_training())
    write_model(root / "models", model, HISTORY, settings)
    (root / "plots").mkdir()
    (root / "plots" / "roc.csv").write_text("a,b\n0,1\n")
    (root / "test.json").write_text(json.dumps(METRICS))
    (root / "report").mkdir()
    (root / "report" / "index.html").write_text("<!doctype html>")
    (root / "report" / "mistakes.json").write_text(TABLE)

    def bundle(target: Path, threshold: float = 0.5) -> None:
        vocabulary = root / "corpus" / "vocabulary.json"
        write_bundle(target, root / "models", vocabulary, root / "clean.parquet", threshold)

    files = [root / "test.json", root / "plots"]
    return Pipeline(chosen_params, read_result(root / "models"), files, root / "report", bundle)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run. MLflow needs seconds to create a store, but a copy takes no time."""
    root = tmp_path_factory.mktemp("empty")
    with checkout(root):
        Experiment("unused")
    return root / "mlflow.db"


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[MlflowClient]:
    """A checkout for one test, with an empty store. It is the working directory."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    with checkout(tmp_path) as client:
        yield client


class checkout:  # noqa: N801 - a context manager, called like a function
    """Make a checkout the working directory, and reset MLflow's global state after the block."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        self.environment = environment
        self.patch = pytest.MonkeyPatch()

    def __enter__(self) -> MlflowClient:
        self.patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for name, value in {"DVC_ROOT": str(self.root), **self.environment}.items():
            self.patch.setenv(name, value)
        self.patch.chdir(self.root)
        address = URL.create("sqlite+pysqlite", database=f"{self.root}/mlflow.db")
        return MlflowClient(address.render_as_string())

    def __exit__(self, *_: object) -> None:
        mlflow.set_tracking_uri(None)
        self.patch.undo()


def runs_of(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("made")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def metric_values(client: MlflowClient, run: Run, name: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, name)]


# The location of the store.


@pytest.mark.parametrize("inside", ["", ".dvc/tmp/exps/tmpabc", ".dvc/tmp/exps/standalone/tmpabc"])
@pytest.mark.parametrize("by", ["DVC_ROOT", "working directory"])
def test_the_store_is_in_the_root_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, by: str
):
    (tmp_path / inside / ".dvc").mkdir(parents=True)
    if by == "DVC_ROOT":
        monkeypatch.setenv("DVC_ROOT", str(tmp_path / inside))
    else:
        monkeypatch.chdir(tmp_path / inside)
    assert store_uri() == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_root() == f"file://{tmp_path}/mlartifacts"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///other/store.db", "sqlite:///{root}/other/store.db"),
        ("sqlite:////srv/store.db", "sqlite:////srv/store.db"),
        ("http://mlflow.example:5000", "http://mlflow.example:5000"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        (" ", "sqlite:///{root}/mlflow.db"),
    ],
)
def test_a_relative_store_address_starts_at_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, expected: str
):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert store_uri() == expected.format(root=tmp_path)


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:////proc/nope/x.db",
        "sqlite:///{root}",
        "sqlite:///{root}/garbage.db",
        "{root}/mlruns",
        "nonsense://x",
        "postgresql://127.0.0.1:9/nope",
        "http://127.0.0.1:9",
    ],
)
def test_a_store_that_cannot_be_opened_is_an_error(
    empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
):
    shutil.copy(empty_store, tmp_path / "mlflow.db")  # the store of the checkout, which must not be used
    # With these settings MLflow does not try again, which would take minutes.
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "garbage.db").write_text("not a database, and longer than a header\n" * 10)
    error = pytest.raises(MoodringError, match=r"(?s)cannot open the MLflow store .*MLFLOW_TRACKING_URI")
    with checkout(tmp_path, MLFLOW_TRACKING_URI=uri.format(root=tmp_path)), error:
        Experiment("made")


@pytest.mark.parametrize("uri", ["http://user:hush%20hush@127.0.0.1:9", "postgresql://u:hush@127.0.0.1:9/x"])
def test_the_error_for_a_store_does_not_contain_its_password(
    empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with checkout(tmp_path, MLFLOW_TRACKING_URI=uri), pytest.raises(MoodringError) as error:
        Experiment("made")
    assert "127.0.0.1:9" in str(error.value)
    assert "hush" not in str(error.value)


def test_an_error_of_the_database_is_one_line_without_its_statement(store: MlflowClient, tmp_path: Path):
    experiment = Experiment("made")
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as opened:
        opened.execute("DROP TABLE tags")
    with pytest.raises(StoreError, match="no such table: tags") as error, reaching() as client:
        client.create_run(experiment.id, tags={"a": "b"})
    assert "\n" not in str(error.value)


def test_two_processes_can_create_a_missing_store_at_the_same_time(tmp_path: Path):
    code = "from moodring.tracking.store import Experiment; print('experiment', Experiment('made').id)"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "DVC_ROOT": str(tmp_path)}
    processes = [
        subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("experiment ")


# A training and its evaluation, logged once. The tests below read the store.


@dataclass(frozen=True)
class Recorded:
    """A checkout with a logged result, and the run ids that the functions returned."""

    root: Path
    client: MlflowClient
    ids: list[str]

    @property
    def run(self) -> Run:
        return self.client.get_run(self.ids[0])


@pytest.fixture(scope="module")
def recorded(pipeline: Pipeline, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A result that was trained and evaluated as a DVC experiment in a git repository."""
    root = tmp_path_factory.mktemp("recorded")
    shutil.copy(empty_store, root / "mlflow.db")
    (root / "tracked").write_text("as committed")
    git(root, "init", "--quiet")
    git(root, "add", "tracked")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first")
    (root / "tracked").write_text("edited")
    with checkout(root, DVC_EXP_NAME="trial", DVC_EXP_BASELINE_REV="b" * 40) as client:
        return Recorded(root, client, [pipeline.train(), pipeline.record()])


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_training_and_evaluation_have_one_finished_run(recorded: Recorded):
    assert recorded.ids[0] == recorded.ids[1]
    assert [run.info.run_id for run in runs_of(recorded.client)] == recorded.ids[:1]
    assert recorded.run.info.status == "FINISHED"
    assert recorded.run.info.run_name == "gru (trial)"


def test_the_run_has_every_parameter_of_the_model(recorded: Recorded, pipeline: Pipeline):
    found, values = recorded.run.data.params, pipeline.params.of_model()
    assert found == logged(pipeline.params)
    assert len(found) == len(values)
    assert found["arch.units"] == str(values["archs.gru.units"])
    assert found["data.preprocess.html"] == values["datasets.made.preprocess.html"]
    assert {"dataset", "arch", "train.epochs"} <= set(found)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("train_loss", "loss"),
        ("train_accuracy", "accuracy"),
        ("val_loss", "val_loss"),
        ("val_accuracy", "val_accuracy"),
    ],
)
def test_the_run_has_the_metrics_of_each_epoch_at_its_step(recorded: Recorded, name: str, column: str):
    assert metric_values(recorded.client, recorded.run, name) == list(
        zip([1, 2, 3], HISTORY[column].tolist(), strict=True)
    )


def test_the_run_has_the_metrics_of_the_kept_epoch(recorded: Recorded, pipeline: Pipeline):
    found = figures(recorded.run.data.metrics, recorded.run.data.tags)
    summary = pipeline.result.summary
    assert {name: found[metric_name(name)] for name in summary} == summary
    assert (found["best_epoch"], found["best_val_loss"]) == (2, 0.625)


def test_the_run_has_the_test_metrics(recorded: Recorded):
    found = figures(recorded.run.data.metrics, recorded.run.data.tags)
    assert {name: found[f"test_{name}"] for name in METRICS} == METRICS


def test_a_chart_shows_neither_counts_nor_bounds_nor_an_accuracy_that_is_not_named(recorded: Recorded):
    assert set(recorded.run.data.metrics) == {
        *("train_loss", "train_accuracy", "val_loss", "val_accuracy"),
        *("best_train_loss", "best_train_accuracy", "best_val_loss", "best_val_accuracy"),
        *("test_accuracy", "test_log_loss"),
    }
    expected = {"test_accuracy_low": "0.5", "test_rows": "40", "best_epoch": "2", "epochs": "3"}
    assert {name: recorded.run.data.tags.get(name) for name in expected} == expected


def test_the_run_has_the_metric_files(recorded: Recorded):
    artifacts = Path(recorded.run.info.artifact_uri.removeprefix("file://"))
    assert json.loads((artifacts / "metrics" / "test.json").read_text()) == METRICS
    assert (artifacts / "metrics" / "plots" / "roc.csv").read_text() == "a,b\n0,1\n"


def test_the_run_has_the_report(recorded: Recorded):
    artifacts = Path(recorded.run.info.artifact_uri.removeprefix("file://"))
    assert (artifacts / "report" / "index.html").read_text() == "<!doctype html>"


@pytest.mark.parametrize("recorded_by", ["recorded", "restored"])
def test_the_run_has_the_mistakes_as_one_table(request: pytest.FixtureRequest, recorded_by: str):
    recorded: Recorded = request.getfixturevalue(recorded_by)
    with checkout(recorded.root):
        mlflow.set_tracking_uri(f"sqlite:///{recorded.root}/mlflow.db")
        table = mlflow.load_table("mistakes.json", run_ids=[recorded.run.info.run_id])
    assert table.to_dict("list") == {"text": ["a film"], "score": [0.75]}
    # MLflow's UI reads this tag.
    logged = json.loads(recorded.run.data.tags["mlflow.loggedArtifacts"])
    assert logged == [{"path": "mistakes.json", "type": "table"}]


def test_artifacts_are_only_in_the_checkout(recorded: Recorded):
    artifacts = Path(recorded.run.info.artifact_uri.removeprefix("file://"))
    assert artifacts.is_relative_to(recorded.root / "mlartifacts" / "made")
    expected = {".git", ".moodring", "tracked", "mlflow.db", "mlflow.db.lock", "mlartifacts"}
    assert {path.name for path in recorded.root.iterdir()} == expected


def test_tags_name_the_data_the_model_the_commit_and_the_experiment(recorded: Recorded, pipeline: Pipeline):
    tags = recorded.run.data.tags
    expected = {
        "dataset": "made",
        "arch": "gru",
        "data_sha256": DATA,
        "models_md5": pipeline.result.models_md5,
        "model_sha256": pipeline.result.model_sha256,
        "git_commit": git(recorded.root, "rev-parse", "HEAD"),
        "git_dirty": "true",
        "dvc_experiment": "trial",
        "dvc_baseline": "b" * 40,
        "evaluate.threshold": "0.5",
        "evaluate.bins": "10",
        "evaluate.calibration": "none",
        "baseline": "nbsvm",
    }
    assert {name: tags.get(name) for name in expected} == expected
    assert "restored" not in tags


def test_the_run_has_its_data_as_inputs(recorded: Recorded):
    inputs = recorded.run.inputs.dataset_inputs
    assert {(used.dataset.name, used.dataset.digest) for used in inputs} == {("made", DATA[:32])}
    assert {json.loads(used.dataset.source)["sha256"] for used in inputs} == {DATA}
    assert "training" in {tag.value for used in inputs for tag in used.tags}


def test_the_digest_of_the_data_is_that_of_the_texts(pipeline: Pipeline, store: MlflowClient):
    corpus = "c" * 64
    for data, vectors in (("e" * 64, "some"), ("f" * 64, "others"), (corpus, "none")):
        other = None if vectors == "none" else corpus
        with training_run(pipeline.params, data, f"key of {vectors}", other) as run:
            run.finish(pipeline.result)
    runs = runs_of(store)
    assert len(runs) == 3
    digests = {used.dataset.digest for run in runs for used in run.inputs.dataset_inputs}
    assert digests == {corpus[:32]}


def test_the_model_is_registered_once_with_the_name_of_the_dataset(recorded: Recorded):
    versions = recorded.client.search_model_versions("name = 'moodring-made'")
    assert [(int(version.version), version.run_id) for version in versions] == [(1, recorded.ids[0])]


def test_the_logged_model_is_named_by_its_arch(recorded: Recorded):
    models = recorded.client.search_logged_models([recorded.run.info.experiment_id])
    assert [model.name for model in models] == ["gru"]


def test_the_registered_model_scores_raw_texts_outside_the_checkout(recorded: Recorded, tmp_path: Path):
    code = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]);"
        "table = mlflow.pyfunc.load_model('models:/moodring-made/1').predict(['a wonderful film', '']);"
        "import moodring; print(table.to_json(orient='records')); print(moodring.__file__)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{recorded.root}/mlflow.db"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table, package = done.stdout.splitlines()[-2:]
    rows = json.loads(table)
    assert [list(row) for row in rows] == [["score", "label"]] * 2
    for row in rows:
        assert row["label"] == ("positive" if row["score"] >= 0.5 else "negative")
    assert not Path(package).is_relative_to(ROOT), "the model must use its own copy of the code"


# A result without a training run, logged twice.


@pytest.fixture(scope="module")
def restored(pipeline: Pipeline, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A result that was evaluated twice in a store without a training run."""
    root = tmp_path_factory.mktemp("restored")
    shutil.copy(empty_store, root / "mlflow.db")
    with checkout(root) as client:
        return Recorded(root, client, [pipeline.record(), pipeline.record()])


def test_a_run_is_restored_from_the_files_of_the_result(restored: Recorded, pipeline: Pipeline):
    (run,) = runs_of(restored.client)
    assert run.info.status == "FINISHED"
    assert run.data.tags["restored"] == "true"
    assert run.data.tags["models_md5"] == pipeline.result.models_md5
    assert run.data.params == logged(pipeline.params)
    assert run.info.run_name == "gru", "there is neither git nor DVC"
    assert metric_values(restored.client, run, "val_loss") == [(1, 0.75), (2, 0.625), (3, 0.9)]
    assert run.data.metrics["best_val_loss"] == 0.625


def test_a_second_evaluation_uses_the_same_run(restored: Recorded):
    assert restored.ids[0] == restored.ids[1]


def test_a_second_evaluation_registers_no_second_model(restored: Recorded):
    assert len(restored.client.search_model_versions("name = 'moodring-made'")) == 1


@pytest.mark.parametrize(
    ("name", "expected"), [("test_accuracy", 1), ("train_loss", 3), ("best_val_loss", 1)]
)
def test_a_second_evaluation_adds_no_metric_values(restored: Recorded, name: str, expected: int):
    assert len(metric_values(restored.client, restored.run, name)) == expected


def test_a_run_outside_git_and_dvc_has_no_tags_of_them(restored: Recorded):
    assert not {"git_commit", "git_dirty", "dvc_experiment"} & set(restored.run.data.tags)


@pytest.mark.parametrize("accuracy", [0.5, 1.0], ids=["lower", "higher"])
@pytest.mark.parametrize("times", [1, 2])
def test_new_metrics_of_the_same_evaluation_replace_the_old_ones(
    pipeline: Pipeline, store: MlflowClient, times: int, accuracy: float
):
    before = {pipeline.record() for _ in range(times)}
    assert {pipeline.record({**METRICS, "accuracy": accuracy})} == before
    (run,) = runs_of(store)
    assert run.data.metrics["test_accuracy"] == accuracy


# One result has one run: a model and an evaluation.


@pytest.mark.parametrize("changed", [{"threshold": 0.7}, {"bins": 20}])
def test_another_evaluation_has_another_run_with_the_history_and_duration_of_the_training(
    pipeline: Pipeline, store: MlflowClient, changed: dict[str, Any]
):
    other = evaluated_with(pipeline, **changed)
    first = pipeline.train()
    assert pipeline.record() == first
    second = other.record({**METRICS, "accuracy": 1.0})
    assert second != first
    # Again, in any order: nothing changes.
    assert [pipeline.record(), other.record({**METRICS, "accuracy": 1.0}), pipeline.record()] == [
        first,
        second,
        first,
    ]
    assert {run.info.run_id for run in runs_of(store)} == {first, second}
    one, two = store.get_run(first), store.get_run(second)
    assert (one.data.metrics["test_accuracy"], two.data.metrics["test_accuracy"]) == (0.75, 1.0)
    (name,) = changed
    assert one.data.tags[f"evaluate.{name}"] == str(getattr(EVALUATE, name))
    assert two.data.tags[f"evaluate.{name}"] == str(changed[name])
    assert two.data.tags["trained_in"] == first
    assert not {"trained_in", "restored"} & set(one.data.tags)
    assert "restored" not in two.data.tags
    assert two.data.params == one.data.params
    assert two.info.end_time - two.info.start_time == one.info.end_time - one.info.start_time
    assert metric_values(store, two, "val_loss") == metric_values(store, one, "val_loss")
    assert {run["run_id"]: run["evaluation"][f"evaluate.{name}"] for run in list_runs()} == {
        first: str(getattr(EVALUATE, name)),
        second: str(changed[name]),
    }


def test_the_first_evaluation_of_a_training_takes_its_run(pipeline: Pipeline, store: MlflowClient):
    trained = pipeline.train()
    assert evaluated_with(pipeline, threshold=0.7).record() == trained
    assert pipeline.record() != trained
    assert len(runs_of(store)) == 2


def test_a_second_training_gets_the_run_of_its_evaluation_or_of_the_first_training(
    pipeline: Pipeline, store: MlflowClient
):
    first = pipeline.train()
    pipeline.record()
    other = evaluated_with(pipeline, threshold=0.7)
    assert other.train() == first
    second = other.record()
    assert other.train() == second
    assert pipeline.train() == first
    assert len(runs_of(store)) == 2


def test_another_evaluation_of_a_restored_run_is_restored_too(pipeline: Pipeline, store: MlflowClient):
    first = pipeline.record()
    second = evaluated_with(pipeline, threshold=0.7).record()
    assert store.get_run(first).data.tags["restored"] == "true"
    assert store.get_run(second).data.tags["restored"] == "true"


def test_another_threshold_is_another_version(pipeline: Pipeline, store: MlflowClient):
    runs = [pipeline.record(), evaluated_with(pipeline, threshold=0.7).record(), pipeline.record()]
    versions = store.search_model_versions("name = 'moodring-made'")
    assert {int(version.version): version.run_id for version in versions} == {1: runs[0], 2: runs[1]}


def test_an_evaluation_that_lacks_a_later_parameter_keeps_its_run(pipeline: Pipeline, store: MlflowClient):
    run_id = pipeline.record()
    store.delete_tag(run_id, "evaluate.mistakes")
    assert pipeline.record() == run_id


def evaluated_with(pipeline: Pipeline, **changed: Any) -> Pipeline:
    """The same training with other parameters of evaluation."""
    evaluate = EVALUATE.model_copy(update=changed)
    return replace(
        pipeline,
        params=pipeline.params.model_copy(update={"evaluate": evaluate}),
        write_bundle=lambda target: pipeline.write_bundle(target, evaluate.threshold),
    )


def test_the_next_evaluation_completes_one_that_failed(pipeline: Pipeline, store: MlflowClient):
    def no_space(bundle: Path) -> None:
        raise OSError("no space left on device")

    trained = pipeline.train()
    with pytest.raises(OSError, match="no space left"):
        replace(pipeline, write_bundle=no_space).record()
    assert pipeline.record() == trained
    assert [run.info.status for run in runs_of(store)] == ["FINISHED"]
    assert len(store.search_model_versions("name = 'moodring-made'")) == 1


def test_two_trainings_with_the_same_result_share_one_run(pipeline: Pipeline, store: MlflowClient):
    assert pipeline.train() == pipeline.train()
    assert len(runs_of(store)) == 1


def test_another_result_has_another_run(pipeline: Pipeline, store: MlflowClient):
    other = replace(pipeline, result=replace(pipeline.result, models_md5="e" * 32 + ".dir"))
    assert pipeline.train() != other.train()
    assert len(runs_of(store)) == 2


def test_the_same_model_on_other_data_has_another_run(pipeline: Pipeline, store: MlflowClient):
    other = replace(pipeline, data="f" * 64)
    assert pipeline.train() != other.train()
    assert len(runs_of(store)) == 2


def test_the_same_files_with_other_parameters_have_another_run(pipeline: Pipeline, store: MlflowClient):
    data = pipeline.params.data
    tokenize = data.tokenize.model_copy(update={"max_tokens": data.tokenize.max_tokens + 1})
    changed = {"datasets": {"made": data.model_copy(update={"tokenize": tokenize})}}
    other = replace(pipeline, params=pipeline.params.model_copy(update=changed))
    assert pipeline.train() != other.train()
    assert len({run.data.params["data.tokenize.max_tokens"] for run in runs_of(store)}) == 2


# Runs that an older version of Moodring logged: long names, and each figure as a metric.


def log_as_before(
    pipeline: Pipeline, client: MlflowClient, status: str = "FINISHED", attempt: str = ""
) -> str:
    """A run of the result with the names of older versions."""
    experiment = client.get_experiment_by_name("made")
    made = experiment.experiment_id if experiment else client.create_experiment("made")
    run = client.create_run(made, run_name="trial")
    result = pipeline.result
    judged = {**dict.fromkeys(NEEDED, 0.01), "test_accuracy": 0.5, "test_rows": 40.0}
    metrics = [Metric(name, float(value), 0, 0) for name, value in {**result.summary, **judged}.items()]
    for row in HISTORY.to_dict("records"):
        epoch = int(row.pop("epoch"))
        metrics += [Metric(str(name), float(value), 0, epoch) for name, value in row.items()]
    tags = {"data_sha256": pipeline.data, "dataset": "made", "arch": "gru", "attempt": attempt}
    if status == "FINISHED":
        tags |= {"models_md5": result.models_md5, "model_sha256": result.model_sha256}
    tags |= {name: str(value) for name, value in pipeline.params.of_evaluation().items()}
    params = [Param(name, str(value)) for name, value in pipeline.params.of_model().items()]
    tagged = [RunTag(*tag) for tag in tags.items()]
    client.log_batch(run.info.run_id, metrics=metrics, params=params, tags=tagged)
    client.set_terminated(run.info.run_id, status)
    return str(run.info.run_id)


def test_a_run_with_old_names_is_found_listed_and_compared(pipeline: Pipeline, store: MlflowClient):
    old = log_as_before(pipeline, store)
    assert [(run["run_id"], run["test_accuracy"]) for run in list_runs()] == [(old, 0.5)]
    (found,) = evaluated_runs([pipeline.params])
    assert found is not None
    assert (found.run_id, found.metrics["test_rows"], found.metrics["best_epoch"]) == (old, 40, 2)
    other = pipeline.params.model_copy(update={"seed": pipeline.params.seed + 1})
    assert evaluated_runs([other]) == [None]
    assert read_validations()[old].metrics == {"val_accuracy": 0.625, "val_loss": 0.625, "test_accuracy": 0.5}
    # The same result again: by training, by evaluation, and with the names of this version.
    assert pipeline.train() == pipeline.record() == old
    (run,) = runs_of(store)
    assert run.data.params["archs.gru.units"] == run.data.params["arch.units"]
    assert short_names(run.data.params) == logged(pipeline.params)
    assert run.data.metrics["test_accuracy"] == METRICS["accuracy"]


def test_a_killed_training_with_old_names_continues_in_its_run(pipeline: Pipeline, store: MlflowClient):
    with claimed(pipeline.key) as attempt:
        old = log_as_before(pipeline, store, status="FAILED", attempt=attempt.id)
    assert pipeline.train() == old
    (run,) = runs_of(store)
    assert (run.info.status, run.data.tags["resumed"]) == ("FINISHED", "true")
    assert [step for step, _ in metric_values(store, run, "train_accuracy")] == [1, 2, 3]
    assert pipeline.record() == old


def test_a_run_with_old_names_moves_with_its_checkout(
    pipeline: Pipeline, store: MlflowClient, tmp_path: Path
):
    Experiment("made")
    old = log_as_before(pipeline, store)
    (moved := tmp_path / "elsewhere").mkdir()
    (tmp_path / "mlflow.db").rename(moved / "mlflow.db")
    with checkout(moved) as client:
        relocate()
        assert client.get_run(old).info.artifact_uri.startswith((moved / "mlartifacts").as_uri())
        assert [run["run_id"] for run in list_runs()] == [old]


# A checkout that was moved.


@pytest.mark.parametrize("name", ["elsewhere", "feature%2Fx #1?;&"])
def test_relocate_finds_the_artifacts_of_a_moved_checkout(
    pipeline: Pipeline, store: MlflowClient, tmp_path: Path, name: str
):
    run_id = pipeline.record()
    moved = tmp_path / name
    moved.mkdir()
    for part in ("mlflow.db", "mlartifacts"):
        (tmp_path / part).rename(moved / part)
    with checkout(moved) as client:
        with pytest.raises(MoodringError, match="moodring relocate"):
            Experiment("made")
        assert (tmp_path / "mlartifacts").as_uri() in relocate()
        assert relocate() == []
        (run,) = runs_of(client)
        assert run.info.run_id == run_id
        assert run.info.artifact_uri.startswith((moved / "mlartifacts").as_uri())
        model = next((moved / "mlartifacts").rglob("MLmodel")).parent
        for address in ("models:/moodring-made/1", str(model)):
            assert list(load_model(address)(["a wonderful film"]).columns) == ["score", "label"]


def test_a_model_without_its_files_is_logged_again(pipeline: Pipeline, store: MlflowClient, tmp_path: Path):
    pipeline.record()
    shutil.rmtree(tmp_path / "mlartifacts" / "made" / "models")
    with pytest.raises(MoodringError, match=r"models:/moodring-made/1.*moodring sync"):
        load_model("models:/moodring-made/1")
    pipeline.record()
    assert load_model("models:/moodring-made/2")(["a film"])["label"][0] in {"positive", "negative"}


# Registered models: a version is known by its name, its number and its run.


def versions_of(store: MlflowClient, name: str = "moodring-made") -> dict[int, str]:
    return {
        int(version.version): str(version.run_id)
        for version in store.search_model_versions(f"name = '{name}'")
    }


def promoted(pipeline: Pipeline, store: MlflowClient) -> tuple[str, Champion]:
    """The run and the version of a result that is the champion."""
    run_id = pipeline.record()
    set_champion("made", max(versions_of(store)), replaces=champion("made"), accepted={})
    found = champion("made")
    assert found is not None
    return run_id, found


def remove_alias(message: str) -> None:
    """Run the command that a message gives; here, without the import of MLflow by another process."""
    program, option, code = shlex.split(message.rpartition("promote again: ")[2])
    assert (program, option) == ("python", "-c")
    exec(code, {})  # noqa: S102


def test_a_renamed_model_is_registered_again_under_its_name(
    pipeline: Pipeline, store: MlflowClient, capsys: pytest.CaptureFixture[str]
):
    run_id, _ = promoted(pipeline, store)
    store.rename_registered_model("moodring-made", "ours")
    assert champion("made") is None
    assert list_runs()[0]["model_version"] is None
    assert pipeline.record() == run_id
    assert "registered as ours" in capsys.readouterr().err
    assert (versions_of(store), versions_of(store, "ours")) == ({1: run_id}, {1: run_id})
    assert list_runs()[0]["model_version"] == 1
    set_champion("made", 1, replaces=None, accepted={})
    assert load_model("models:/moodring-made@champion")(["a film"])["label"][0] in {"positive", "negative"}
    assert pipeline.record() == run_id
    assert capsys.readouterr().err == ""


def test_a_deleted_version_is_registered_again(pipeline: Pipeline, store: MlflowClient):
    run_id, _ = promoted(pipeline, store)
    store.delete_model_version("moodring-made", "1")
    assert champion("made") is None
    assert pipeline.record() == run_id
    ((number, owner),) = versions_of(store).items()
    assert owner == run_id
    load_model(f"models:/moodring-made/{number}")


def test_a_deleted_run_is_made_again_with_a_version_of_its_own(pipeline: Pipeline, store: MlflowClient):
    run_id, first = promoted(pipeline, store)
    store.delete_run(run_id)
    second = pipeline.record()
    assert versions_of(store) == {1: run_id, 2: second}
    # The champion without a run is replaced by the same model with a run, without a gain.
    lost = champion("made")
    assert lost is not None
    assert (first.whole, lost.whole, lost.bundle) == (True, False, bundle_of("made", 2))


@pytest.mark.parametrize("owner", ["none", "gone", "of another dataset", "of another model"])
def test_a_champion_of_no_comparable_run_is_explained_and_the_remedy_works(
    pipeline: Pipeline, store: MlflowClient, owner: str
):
    run_id = pipeline.record()
    (version,) = store.search_model_versions("name = 'moodring-made'")
    other = Experiment("other")
    new = {
        "none": lambda: None,
        "gone": lambda: "0" * 32,
        "of another dataset": lambda: store.create_run(other.id, tags={"dataset": "other"}).info.run_id,
        "of another model": lambda: evaluated_with(pipeline, threshold=0.7).record(),
    }[owner]()
    source = version.source if owner == "of another model" else (Path.cwd() / "model").as_uri()
    made = store.create_model_version("moodring-made", source, new)
    store.set_registered_model_alias("moodring-made", "champion", made.version)
    found = champion("made")
    assert found is not None
    expected = {
        "none": "it has no run",
        "gone": "does not exist",
        "of another dataset": "not of 'made' but of 'other'",
        "of another model": f"was logged by run {run_id}",
    }[owner]
    with pytest.raises(MoodringError, match=rf"version {made.version} of moodring-made.*{expected}") as error:
        check_champion("made", found)
    remove_alias(str(error.value))
    assert champion("made") is None
    set_champion("made", 1, replaces=None, accepted={})
    found = champion("made")
    assert found is not None
    check_champion("made", found)


def test_the_registry_is_the_store_of_the_runs(
    pipeline: Pipeline,
    store: MlflowClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    elsewhere = f"sqlite:///{tmp_path}/registry.db"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", elsewhere)
    run_id = pipeline.record()
    assert capsys.readouterr().err.count("MLFLOW_REGISTRY_URI is ignored") == 1
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    assert pipeline.record() == run_id
    assert versions_of(store) == {1: run_id}
    assert not (tmp_path / "registry.db").exists()


# Files that cannot be written.

DAC_OVERRIDE = 1 << 1  # root's power to write where the mode of a file forbids it


@contextlib.contextmanager
def without_powers_of_root() -> Iterator[None]:
    """Let the mode of a file count in this thread, as for any other user."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the version of the call, this thread
    powers = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, powers) == 0
    before = powers[0]  # those in effect
    powers[0] = before & ~DAC_OVERRIDE
    assert libc.capset(header, powers) == 0
    try:
        yield
    finally:
        powers[0] = before
        assert libc.capset(header, powers) == 0


def test_read_only_files_are_logged_again(pipeline: Pipeline, store: MlflowClient, tmp_path: Path):
    report = tmp_path / "report"
    shutil.copytree(pipeline.report, report)
    linked = replace(pipeline, report=report)
    page, texts = report / "index.html", ("<!doctype html>", "<!doctype html>again", "<!doctype html>last")
    with without_powers_of_root():
        for text in texts:
            page.unlink()
            page.write_text(text)
            page.chmod(0o444)  # as DVC does with links to its cache
            with pytest.raises(PermissionError):
                page.write_text("")
            run_id = linked.record()
            artifacts = Path(store.get_run(run_id).info.artifact_uri.removeprefix("file://"))
            assert (artifacts / "report" / "index.html").read_text() == text


def test_a_file_of_a_run_that_cannot_be_written_is_named_and_then_mended(
    pipeline: Pipeline, store: MlflowClient
):
    run_id = pipeline.record()
    report = Path(store.get_run(run_id).info.artifact_uri.removeprefix("file://")) / "report"
    report.chmod(0o555)
    with (
        without_powers_of_root(),
        pytest.raises(ArtifactError, match=rf"{report}.*Permission denied.*moodring sync") as error,
    ):
        pipeline.record({**METRICS, "accuracy": 1.0})
    assert "cannot open" not in str(error.value)
    report.chmod(0o755)
    assert pipeline.record({**METRICS, "accuracy": 1.0}) == run_id
    assert store.get_run(run_id).data.metrics["test_accuracy"] == 1.0


# A store that is lost during a training.


def test_a_store_that_is_lost_and_restored_gets_the_whole_run(
    pipeline: Pipeline, store: MlflowClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "kept.db"
    with training_run(pipeline.params, DATA, pipeline.key) as run:
        first, *others = HISTORY.to_dict("records")
        run.log_epoch(1, {str(name): value for name, value in first.items() if name != "epoch"})
        shutil.copy(tmp_path / "mlflow.db", kept)
        (tmp_path / "mlflow.db").write_bytes(b"no database, and longer than a header\n" * 500)
        for number, row in enumerate(others, start=2):
            run.log_epoch(number, {str(name): value for name, value in row.items() if name != "epoch"})
        assert finish_training(run, pipeline.result) is None
    assert capsys.readouterr().err.count("warning: ") == 2
    assert is_left(pipeline.key)
    shutil.copy(kept, tmp_path / "mlflow.db")
    found, how = result_run(Experiment("made"), pipeline.params, DATA, pipeline.result, pipeline.key)
    assert (found.info.run_id, found.info.status, how) == (run.run_id, "FINISHED", "completed")
    assert metric_values(store, found, "val_loss") == [(1, 0.75), (2, 0.625), (3, 0.9)]
    assert not is_left(pipeline.key)


# A training that fails.


@pytest.mark.parametrize("error", [RuntimeError, MoodringError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_training_leaves_a_failed_run(
    pipeline: Pipeline, store: MlflowClient, error: type[BaseException]
):
    def interrupted() -> None:
        with training_run(pipeline.params, DATA, pipeline.key) as run:
            run.log_epoch(1, {"loss": 0.5})
            raise error

    with pytest.raises(error):
        interrupted()
    (run,) = runs_of(store)
    assert run.info.status == "FAILED"
    assert run.data.metrics == {"train_loss": 0.5}


def test_a_training_whose_end_cannot_be_logged_leaves_a_failed_run(pipeline: Pipeline, store: MlflowClient):
    without_epochs = replace(pipeline, result=replace(pipeline.result, history=HISTORY[:0]))
    with pytest.raises(KeyError):
        without_epochs.train()
    assert [run.info.status for run in runs_of(store)] == ["FAILED"]


def test_the_next_training_continues_the_run_of_a_failed_one(pipeline: Pipeline, store: MlflowClient):
    with training_run(pipeline.params, DATA, pipeline.key) as run:
        run.log_epoch(1, {"val_loss": 0.75})
    finished = pipeline.train()
    (run,) = runs_of(store)
    assert (run.info.run_id, run.info.status, run.data.tags["resumed"]) == (finished, "FINISHED", "true")
    assert not is_left(pipeline.key)


def test_a_training_with_other_parameters_gets_a_new_run(pipeline: Pipeline, store: MlflowClient):
    with training_run(pipeline.params, "f" * 64, "another key"):
        pass
    finished = store.get_run(pipeline.train())
    assert sorted(run.info.status for run in runs_of(store)) == ["FAILED", "FINISHED"]
    assert "resumed" not in finished.data.tags


def test_a_deleted_experiment_is_an_error(pipeline: Pipeline, store: MlflowClient):
    store.delete_experiment(Experiment("made").id)
    with pytest.raises(MoodringError, match="made"):
        pipeline.train()


def test_only_tracking_serving_and_promotion_import_mlflow():
    pattern = re.compile(r"^\s*(import|from) mlflow", re.MULTILINE)
    package = ROOT / "src" / "moodring"
    importing = {
        file.relative_to(package) for file in package.rglob("*.py") if pattern.search(file.read_text())
    }
    assert {file.parts[0] for file in importing} == {"promotion", "serving", "tracking"}
