"""Each plot is written as data and as a picture. Equal data gives equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from moodring.evaluation.evaluate import Evaluation, Scored, evaluate
from moodring.params.evaluation import EvaluateParams
from moodring.report.figures import FIGURES, write_plots
from tests.conftest import texts_with_lengths

HISTORY = pd.DataFrame({"epoch": [1, 2, 3], "loss": [0.7, 0.5, 0.4], "val_loss": [0.7, 0.4, 0.6]})
OTHER_HISTORY = HISTORY.assign(val_loss=[0.9, 0.8, 0.7])
TABLES = sorted(set(FIGURES) - {"learning_curves"})


def random_tables(seed: int = 0, rows: int = 300) -> dict[str, pd.DataFrame]:
    """The evaluation's tables of random scores."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(rows) % 2).astype(np.int8)
    scores = np.clip(rng.normal(0.3 + 0.4 * labels, 0.2), 0, 1).astype(np.float32)
    baseline = rng.uniform(0, 1, rows).astype(np.float32)
    return evaluated(labels, scores, baseline, rng.poisson(9, rows)).tables


def evaluated(
    labels: np.ndarray, scores: np.ndarray, baseline: np.ndarray, lengths: np.ndarray
) -> Evaluation:
    scored = Scored(labels, scores)
    params = EvaluateParams(threshold=0.5, bins=10, calibration="none", mistakes=3)
    return evaluate(scored, scored, baseline, texts_with_lengths(lengths), params)


def content(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("plots") / "plots"
    write_plots(directory, random_tables(), HISTORY)
    return directory


@pytest.fixture(scope="module")
def other_plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("plots") / "plots"
    write_plots(directory, random_tables(seed=1), OTHER_HISTORY)
    return directory


def test_every_figure_has_a_png_and_every_table_a_csv(plots: Path):
    pictures, data = {f"{name}.png" for name in FIGURES}, {f"{name}.csv" for name in TABLES}
    assert {file.name for file in plots.iterdir()} == pictures | data


@pytest.mark.parametrize("name", TABLES)
def test_the_csv_contains_the_plots_data(plots: Path, name: str):
    expected = random_tables()[name].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_csv(plots / f"{name}.csv"), expected, check_dtype=False)


@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_is_a_png_that_is_not_empty(plots: Path, name: str):
    file = plots / f"{name}.png"
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(file) as image:
        assert min(image.size) >= 300
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 2


def test_equal_data_gives_equal_bytes(plots: Path, tmp_path: Path):
    write_plots(tmp_path / "again", random_tables(), HISTORY)
    assert content(tmp_path / "again") == content(plots)


@pytest.mark.parametrize("name", FIGURES)
def test_other_data_gives_another_picture(plots: Path, other_plots: Path, name: str):
    assert (other_plots / f"{name}.png").read_bytes() != (plots / f"{name}.png").read_bytes()


def test_slices_with_unusual_names_are_drawn(tmp_path: Path):
    names = ["$a$ and $b$", "a very long name " * 9, "<b>", "\\frac{", ""]
    table = pd.DataFrame({"name": "source", "group": names, "rows": 1, "accuracy": 0.5})
    write_plots(tmp_path / "plots", {"slices": table.assign(baseline_accuracy=0.4)}, HISTORY)
    with Image.open(tmp_path / "plots" / "slices.png") as image:
        assert min(image.size) >= 300


def test_a_failure_leaves_the_old_plots(tmp_path: Path):
    directory = tmp_path / "plots"
    write_plots(directory, {"roc": random_tables()["roc"]}, HISTORY)
    before = content(directory)
    invalid = {**random_tables(seed=1), "calibration": pd.DataFrame({"score": [1.0]})}
    with pytest.raises(KeyError):
        write_plots(directory, invalid, OTHER_HISTORY)
    assert content(directory) == before
    assert [place.name for place in tmp_path.iterdir()] == ["plots"]


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([0, 1], [0.0, 1.0]), ([0, 1], [0.5, 0.5]), ([0, 1, 1], [0.9, 0.1, 0.1])],
    ids=["right and certain", "all equal", "all wrong"],
)
def test_extreme_scores_and_a_single_epoch_can_be_drawn(
    tmp_path: Path, labels: list[int], scores: list[float]
):
    lengths = np.zeros(len(labels), dtype=np.int64)
    given = np.array(scores, np.float32)
    found = evaluated(np.array(labels, np.int8), given, given, lengths)
    write_plots(tmp_path / "plots", found.tables, HISTORY[:1])
    assert len(list((tmp_path / "plots").glob("*.png"))) == len(FIGURES)
