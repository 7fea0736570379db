"""`moodring results` on a real SQLite store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow.entities import Metric, Param, RunTag
from typer.testing import CliRunner, Result

from moodring.cli.app import app
from moodring.experiments.rows import Row, read_rows
from moodring.mlflow_ui.names import metrics_and_tags
from moodring.params.pipeline import Params
from moodring.tracking.listing import NEEDED
from moodring.tracking.store import Experiment, logged
from tests.conftest import ROOT

PAGE = "# Results\n<!-- table: twitter -->\n<!-- end -->\n<!-- leaks -->\n<!-- end -->\n"
DECLARED = {
    "seeds": [1, 2],
    "archs": ["gru"],
    "tables": {
        "twitter": [{"group": "The notebooks' models", "label": "LSTM", "experiment": "twitter-lstm"}],
    },
}
GRU = [f"dvc exp run --temp -S dataset=twitter -S arch=gru -S seed={seed}" for seed in (1, 2)]
LSTM = [
    f"moodring experiment twitter-lstm --temp --name twitter-lstm-{seed} -S seed={seed}" for seed in (1, 2)
]


class Checkout:
    """A checkout with rows, a page and a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = Experiment("twitter").client
        _, (self.gru, self.lstm) = read_rows(root)

    def results(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["results", *options])

    def page(self) -> str:
        return (self.root / "docs/results.md").read_text(encoding="utf-8")

    def log(self, params: Params, accuracy: float = 0.75, **other: Any) -> str:
        """Create a run as training and evaluation do; `other` changes parts of it.

        The names are those of older versions, or with `short` those of this version.
        """
        start = other.get("start", 1_000_000)
        run = self.client.create_run(Experiment(params.dataset).id, start_time=start)
        values = {**dict.fromkeys(NEEDED, 0.01), "test_rows": 2000.0, "test_accuracy": accuracy}
        evaluation = {**params.of_evaluation(), **other.get("evaluation", {})}
        tags = {"data_sha256": "d" * 64, **{name: str(value) for name, value in evaluation.items()}}
        trained = {name: str(value) for name, value in params.of_model().items()}
        if other.get("short"):
            values, counts = metrics_and_tags(values)
            tags, trained = {**tags, **counts}, logged(params)
        self.client.log_batch(
            run.info.run_id,
            metrics=[
                Metric(name, value, 0, 0) for name, value in values.items() if name != other.get("without")
            ],
            params=[Param(*pair) for pair in trained.items()],
            tags=[RunTag(*tag) for tag in tags.items()],
        )
        self.client.set_terminated(run.info.run_id, other.get("status", "FINISHED"), end_time=start + 90_000)
        return str(run.info.run_id)

    def log_all(self, *rows: Row) -> None:
        for row in rows:
            for seed in (1, 2):
                self.log(row.at(seed))


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store without runs. MLflow needs seconds to create a store; a copy is fast."""
    root = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("DVC_ROOT", str(root))
        Experiment("unused")
        yield root / "mlflow.db"
    mlflow.set_tracking_uri(None)


@pytest.fixture
def checkout(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/results.yaml").write_text(yaml.safe_dump(DECLARED), encoding="utf-8")
    (tmp_path / "docs/results.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield Checkout(tmp_path)
    mlflow.set_tracking_uri(None)


@pytest.mark.parametrize("short", [False, True], ids=["names of older versions", "short names"])
def test_the_page_shows_the_runs_of_its_rows(checkout: Checkout, short: bool):
    checkout.log_all(checkout.lstm)
    for seed, accuracy in ((1, 0.7), (2, 0.8)):
        checkout.log(checkout.gru.at(seed), accuracy, short=short)
    done = checkout.results()
    assert done.exit_code == 0, done.output
    page = checkout.page()
    assert "| `gru` | **75.00 %** | 7.07 (70.00 to 80.00) |" in page
    assert "| LSTM | **75.00 %** | 0.00 (75.00 to 75.00) |" in page
    assert "| 1.5 | - | `dvc exp run" in page, "minutes"
    assert checkout.results().exit_code == 0
    assert checkout.page() == page


def test_missing_runs_are_reported_and_leave_the_page_unchanged(checkout: Checkout):
    checkout.log_all(checkout.lstm)
    checkout.log(checkout.gru.at(1))
    done = checkout.results()
    assert done.exit_code == 1
    assert f"missing: {GRU[1]}" in done.stdout
    assert "1 runs of docs/results.yaml" in done.stderr
    assert "--partial" in done.stderr
    assert checkout.page() == PAGE


def test_a_partial_page_shows_which_runs_are_missing(checkout: Checkout):
    checkout.log(checkout.gru.at(1))
    done = checkout.results("--partial")
    assert done.exit_code == 0, done.output
    assert "| `gru` | no run of seed 2 |" in checkout.page()
    assert "| LSTM | no run of seed 1 and 2 |" in checkout.page()


def test_only_the_commands_of_missing_runs_are_printed(checkout: Checkout):
    assert checkout.results("--missing").stdout.splitlines() == [*GRU, *LSTM]
    checkout.log_all(checkout.gru)
    checkout.log(checkout.lstm.at(1))
    assert checkout.results("--missing").stdout.splitlines() == LSTM[1:]
    checkout.log(checkout.lstm.at(2))
    assert checkout.results("--missing").stdout == ""


@pytest.mark.parametrize(
    "other",
    [
        {"status": "FAILED"},
        {"status": "KILLED"},
        {"without": "test_accuracy"},
        {"without": "test_gain"},
        {"evaluation": {"evaluate.calibration": "none"}},
        {"evaluation": {"archs.nbsvm.ngrams": 1}},
    ],
    ids=["failed", "killed", "not evaluated", "not compared", "other evaluation", "another baseline"],
)
def test_runs_that_are_not_the_rows_result_do_not_count(checkout: Checkout, other: dict[str, Any]):
    checkout.log_all(checkout.lstm)
    checkout.log(checkout.gru.at(1))
    checkout.log(checkout.gru.at(2), **other)
    assert checkout.results("--missing").stdout.splitlines() == GRU[1:]


def test_a_run_with_one_other_parameter_does_not_count(checkout: Checkout):
    checkout.log_all(checkout.lstm)
    checkout.log(checkout.gru.at(1))
    params = checkout.gru.at(2)
    checkout.log(
        params.model_copy(
            update={"train": params.train.model_copy(update={"epochs": params.train.epochs + 1})}
        )
    )
    assert checkout.results("--missing").stdout.splitlines() == GRU[1:]


def test_the_newest_of_several_runs_counts(checkout: Checkout):
    checkout.log_all(checkout.lstm)
    checkout.log(checkout.gru.at(1), 0.5)
    for accuracy, start in ((0.6, 2_000_000), (0.7, 4_000_000), (0.9, 3_000_000)):
        checkout.log(checkout.gru.at(2), accuracy, start=start)
    assert checkout.results().exit_code == 0
    assert "| `gru` | **60.00 %** | 14.14 (50.00 to 70.00) |" in checkout.page()


def test_a_deleted_run_does_not_count(checkout: Checkout):
    checkout.log_all(checkout.lstm, checkout.gru)
    checkout.client.delete_run(checkout.log(checkout.gru.at(2), 0.9, start=5_000_000))
    assert checkout.results().exit_code == 0
    assert "| `gru` | **75.00 %** |" in checkout.page()


def test_failed_runs_are_reported_and_do_not_stop_the_others(
    checkout: Checkout, capfd: pytest.CaptureFixture[str]
):
    checkout.log_all(checkout.lstm)  # DVC refuses the other runs: this is no git repository
    done = checkout.results("--run")
    assert done.exit_code == 1
    for command in GRU:
        assert f"exit code 253: {command}" in done.stderr
    assert "not inside of a DVC repository" in capfd.readouterr().err
    assert checkout.page() == PAGE
