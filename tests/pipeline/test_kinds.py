"""The linear baseline and a blended network give the same kind of results as a network."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

SERVED = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model(f"models:/moodring-tiny/{sys.argv[1]}")
json.dump(model.predict(json.load(open(sys.argv[2]))).to_dict("list"), open(sys.argv[3], "w"))
"""


def served_scores(project: Project, directory: Path) -> list[float]:
    """The scores of the newest registered model for the raw test texts."""
    runs = json.loads(project.run("moodring", "runs", "--json").stdout)
    (version,) = [one["model_version"] for one in runs if one["here"]]
    raw = pq.read_table(project.root / "data/raw.parquet").to_pandas()
    texts, scored = directory / "texts.json", directory / "scored.json"
    texts.write_text(json.dumps(raw.loc[raw["split"] == "test", "text"].tolist()), encoding="utf-8")
    store = f"sqlite:///{project.root / 'mlflow.db'}"
    arguments = (str(version), str(texts), str(scored))
    project.run("python", "-c", SERVED, *arguments, MLFLOW_TRACKING_URI=store)
    return list(json.loads(scored.read_text(encoding="utf-8"))["score"])


@pytest.mark.parametrize(
    ("changes", "files"),
    [
        ({"arch": "nbsvm"}, {"nbsvm.npz"}),
        ({"archs__lstm__blend__ngrams": 2}, {"model.keras", "nbsvm.npz", "blend.json"}),
    ],
    ids=["linear", "blended"],
)
def test_the_result_is_trained_evaluated_served_and_synced(
    project: Project, tmp_path: Path, changes: dict[str, object], files: set[str]
) -> None:
    project.set(**changes)
    assert project.repro()[-2:] == ["train", "evaluate"]
    assert {file.name for file in (project.root / "models").iterdir()} == files | {
        "history.csv",
        "settings.json",
    }
    evaluated = pq.read_table(project.root / "data/scores.parquet")["score"].to_pylist()
    assert served_scores(project, tmp_path) == pytest.approx(evaluated, abs=1e-6)
    line = project.run("moodring", "predict", "a wonderful film").stdout
    assert json.loads(line)["label"] == "positive"
    assert project.run("moodring", "sync").stdout.count("this is run") == 1
    assert project.repro() == []


def test_the_baseline_has_no_gain_over_itself(project: Project) -> None:
    project.set(arch="nbsvm")
    project.repro()
    metrics = project.json("metrics/test.json")
    assert metrics["gain"] == 0
    assert metrics["mcnemar_p"] == 1
    assert metrics["baseline_accuracy"] == metrics["accuracy"]
