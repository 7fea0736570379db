"""The GPU benchmark runs, reports no fused kernel on a CPU, and measures the experiments' models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.device import CPU
from benchmarks.gpu.sizes import SIZES, Arch, Size
from moodring.experiments.named import merged
from moodring.params.file import parse_params, read_yaml
from moodring.params.pipeline import Params
from tests.conftest import ROOT

FIGURES = ("train_samples_per_s", "predict_samples_per_s", "of_bare")


def run(*arguments: str, **variables: str) -> None:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow", **variables}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of a quick run."""
    directory = tmp_path_factory.mktemp("benchmark")
    run("-m", "benchmarks.gpu", "--quick", "--json", f"{directory}/a.json", "--markdown", f"{directory}/a.md")
    tree: dict[str, Any] = json.loads((directory / "a.json").read_text(encoding="utf-8"))
    table = (directory / "a.md").read_text(encoding="utf-8")
    assert len([line for line in table.splitlines() if line.startswith("| ")]) == len(tree["rows"]) + 2
    return tree


def models(measured: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in measured["rows"] if row["what"] == "model"]


@pytest.mark.slow
def test_every_architecture_is_measured_with_and_without_the_fused_kernel(
    measured: dict[str, Any],
) -> None:
    requested = {(row["arch"], row["fused_requested"]) for row in models(measured)}
    assert requested == {("rnn", None)} | {
        (arch, fused) for arch in ("lstm", "bilstm", "gru") for fused in (True, False)
    }


@pytest.mark.slow
def test_every_model_has_figures_and_all_are_positive(measured: dict[str, Any]) -> None:
    assert not [row for row in models(measured) if row["failed"]]
    for row in models(measured):
        assert row["train_samples_per_s"] > 0
        assert row["predict_samples_per_s"] > 0
    assert all(row[name] is None or row[name] > 0 for row in measured["rows"] for name in FIGURES)


@pytest.mark.slow
def test_on_a_cpu_no_row_uses_the_fused_kernel_and_every_row_has_the_reason(measured: dict[str, Any]) -> None:
    assert measured["device"] == CPU
    assert not [row for row in measured["rows"] if row["fused_used"]]
    assert all(row["note"] for row in measured["rows"])
    notes = {(row["size"], row["arch"], row["fused_requested"]): row["note"] for row in models(measured)}
    assert notes["imdb", "lstm", True] == CPU
    assert notes["imdb", "lstm", False] == "not requested"
    assert "SimpleRNN" in notes["imdb", "rnn", None]
    assert "dropout.recurrent" in notes["twitter", "lstm", True]


@pytest.mark.slow
def test_a_failed_row_names_its_exception(measured: dict[str, Any]) -> None:
    bare = [row for row in measured["rows"] if row["what"] == "bare kernel"]
    assert {row["arch"] for row in bare} == {"lstm", "bilstm", "gru"}
    # TensorFlow has its fused operation for GPUs only.
    assert all(row["failed"] and row["note"].startswith("NotImplementedError: ") for row in bare)


@pytest.mark.parametrize(
    ("experiment", "size", "arch"),
    [
        ("imdb-lstm", "imdb", "lstm"),
        ("imdb-bilstm", "imdb", "bilstm"),
        ("imdb-gru", "imdb", "gru"),
        ("twitter-lstm", "twitter", "lstm"),
    ],
)
def test_the_benchmark_measures_the_models_of_the_experiments(experiment: str, size: str, arch: str) -> None:
    tree = merged(read_yaml(ROOT / "params.yaml"), read_yaml(ROOT / "experiments" / f"{experiment}.yaml"))
    params: Params = parse_params(tree, experiment)
    measured: Size = SIZES[size]
    assert (measured.length, measured.batch) == (params.data.max_length, params.train.batch_size)
    names = {field.name for field in fields(Arch)}
    expected = {**params.recurrent.model_dump(include=names), "padding": "fixed"}
    assert asdict(measured.archs[arch]) == expected


def test_keras_is_enough_to_build_models(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "import sys\n"
        "for name in ('pydantic', 'ruamel', 'mlflow', 'pandas', 'pyarrow', 'sklearn', 'dvc', 'typer'):\n"
        "    sys.modules[name] = None  # importing it raises\n"
        f"sys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "import moodring.training.architectures, moodring.doctor.fused\n",
        encoding="utf-8",
    )
    run(str(tmp_path / "models.py"))
