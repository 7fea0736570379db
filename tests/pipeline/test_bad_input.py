"""The user's mistakes: one clear message, exit code 1, no traceback. The files of earlier results stay."""

from __future__ import annotations

import csv
import re

import pytest

from benchmarks.project import ran
from tests.conftest import generated_rows
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"arch": "lstn"}, ["'lstn'", "did you mean 'lstm'"]),
        ({"dataset": "imbd"}, ["'imbd'", "did you mean 'imdb'"]),
        ({"train__epochz": 3}, ["train.epochz", "unknown key"]),
        ({"train__epochs": 0}, ["train.epochs", "received: 0"]),
        ({"archs__lstm__units": "many"}, ["archs.lstm.units", "received: 'many'"]),
        ({"datasets__tiny__source__text": "words"}, ["'words'", "review, stars"]),
        ({"datasets__tiny__source__path": "data/own/none.csv"}, ["data/own/none.csv"]),
        ({"datasets__tiny__source__positive": [4]}, ["label '5'", "[4]"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_first_stage_reports_the_mistake(
    project: Project, change: dict[str, object], expected: list[str]
) -> None:
    raw = (project.root / "data/raw.parquet").read_bytes()
    project.set(**change)
    done = project.run("python", "-m", "stages.download", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    for part in expected:
        assert part in done.stderr
    assert (project.root / "data/raw.parquet").read_bytes() == raw
    assert not list((project.root / "data").glob(".raw.parquet*"))


@pytest.mark.parametrize("stage", ["preprocess", "tokenize", "vectors", "baseline", "train", "evaluate"])
def test_every_stage_first_checks_the_whole_params_yaml(project: Project, stage: str) -> None:
    project.set(datasets__imdb__max_length=0)
    done = project.run("python", "-m", f"stages.{stage}", check=False)
    assert done.returncode == 1
    assert "datasets.imdb.max_length" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("backend", "expected"), [("tensorflw", "known: tensorflow, jax, torch"), ("jax", "not installed")]
)
@pytest.mark.parametrize("command", [("python", "-m", "stages.train"), ("moodring", "predict", "a film")])
def test_an_unknown_or_missing_backend_is_an_error(
    project: Project, command: tuple[str, ...], backend: str, expected: str
) -> None:
    done = project.run(*command, check=False, KERAS_BACKEND=backend)
    assert done.returncode == 1
    assert f"error: KERAS_BACKEND is '{backend}'" in done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_the_error_for_a_source_out_of_reach_names_the_mirror_and_another_dataset(project: Project) -> None:
    project.set(dataset="twitter")
    done = project.run(
        "python",
        "-m",
        "stages.download",
        check=False,
        https_proxy="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
    )
    assert done.returncode == 1
    assert "MOODRING_MIRROR" in done.stderr
    assert "rotten_tomatoes" in done.stderr


def test_a_failed_experiment_leaves_the_earlier_result_unchanged(project: Project) -> None:
    failed = project.run("dvc", "exp", "run", "-S", "arch=lstn", check=False)
    assert failed.returncode != 0
    assert "lstn" in failed.stderr
    assert "Traceback" not in failed.stderr
    project.run("git", "checkout", "--quiet", "params.yaml")
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain").stdout == ""


def test_empty_and_very_long_texts_are_kept_and_scored(project: Project) -> None:
    path = project.root / "data/own/tiny.csv"
    million = "word " * 200_000
    path.write_text(path.read_text(encoding="utf-8") + f'"",5\n"{million}",1\n' * 8, encoding="utf-8")
    assert project.repro()[-1] == "evaluate"
    report = project.json("metrics/data.json")
    assert sum(report["emptied"].values()) >= 8
    assert max(split["max"] for split in report["tokens"].values()) == 200_000
    assert project.json("metrics/test.json")["rows"] == 64


def test_a_split_without_enough_texts_of_a_class_is_refused_before_training(project: Project) -> None:
    texts, _ = generated_rows(1000)
    rows = [(text, 5 if row < 5 else 1) for row, text in enumerate(texts)]
    with (project.root / "data/own/tiny.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("review", "stars"), *rows])
    clean = (project.root / "data/clean.parquet").read_bytes()
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert ran(done.stdout) == ["download", "preprocess"]
    for part in ("error: tiny: ", "at least 5 texts of each class", "tiny.preprocess.validation_share"):
        assert part in done.stderr
    (counts,) = re.findall(
        r"train (\d+) negative, (\d) positive; validation (\d+) negative, (\d)", done.stderr
    )
    assert int(counts[1]) + int(counts[3]) == 4
    assert "Traceback" not in done.stderr
    assert (
        not (project.root / "data/clean.parquet").exists()
        or (project.root / "data/clean.parquet").read_bytes() == clean
    )
