"""A network and a linear model as one classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moodring.errors import MoodringError
from moodring.models.blend import Shares
from moodring.models.load import read_model
from moodring.models.nbsvm import Nbsvm
from moodring.models.result import read_result
from moodring.models.scoring import score
from moodring.params.pipeline import Params
from moodring.params.training import EarlyStopping
from moodring.training.fit import fit
from tests.conftest import drawn, dropout
from tests.training.test_network import LENGTH, TRAIN, VALIDATION, VOCABULARY


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def test_the_shares_are_found_again_that_made_the_labels():
    rng = np.random.default_rng(0)
    network, linear = rng.normal(0, 2, (2, 20_000))
    labels = (rng.random(20_000) < sigmoid(0.5 * network + 1.5 * linear - 0.3)).astype(np.int8)
    shares = Shares.fit(sigmoid(network), sigmoid(linear), labels, cost=100.0)
    assert shares.network == pytest.approx(0.5, abs=0.05)
    assert shares.linear == pytest.approx(1.5, abs=0.1)
    assert shares.bias == pytest.approx(-0.3, abs=0.1)


def test_a_model_that_tells_nothing_counts_for_little():
    rng = np.random.default_rng(0)
    linear = rng.normal(0, 2, 5000)
    labels = (rng.random(5000) < sigmoid(linear)).astype(np.int8)
    shares = Shares.fit(sigmoid(rng.normal(0, 2, 5000)), sigmoid(linear), labels, cost=100.0)
    assert abs(shares.network) < 0.1


def test_one_share_alone_leaves_the_scores_as_they_are():
    scores = sigmoid(np.linspace(-8, 8, 50))
    np.testing.assert_allclose(Shares(1.0, 0.0, 0.0).blend(scores, scores[::-1]), scores, rtol=1e-5)


def test_scores_of_exactly_0_and_1_are_borne():
    ends = np.array([0.0, 1.0], np.float32)
    blended = Shares(0.5, 0.5, 0.0).blend(ends, ends)
    assert np.isfinite(blended).all()
    assert blended[0] < 0.01
    assert blended[1] > 0.99


@pytest.fixture(scope="module")
def blended(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small network beside 2-grams."""
    small = {"embedding": drawn(4), "units": 4, "dropout": dropout()}
    blend = params.recurrent_archs["gru"].blend.model_copy(update={"ngrams": 2})
    arch = params.recurrent_archs["gru"].model_copy(update={**small, "blend": blend})
    data = params.datasets["imdb"].model_copy(update={"max_length": LENGTH})
    few = {
        "epochs": 2,
        "batch_size": 8,
        "buckets": 4,
        "early_stopping": EarlyStopping(monitor="val_loss", patience=9),
    }
    train = params.train.model_copy(update=few)
    chosen = {"dataset": "imdb", "datasets": {"imdb": data}, "arch": "gru", "archs": {"gru": arch}}
    models = tmp_path_factory.mktemp("blended") / "models"
    fit(params.model_copy(update={**chosen, "train": train}), len(VOCABULARY), TRAIN, VALIDATION)(models)
    return models


def test_a_result_tells_the_blends_figures(blended: Path):
    result = read_result(blended)
    scores = score(read_model(blended), VALIDATION.texts, result.settings.padding)
    expected = ((scores >= 0.5) == VALIDATION.labels).mean()
    assert result.summary["best_val_accuracy"] == pytest.approx(expected, abs=1e-6)
    assert result.summary["epochs"] == 2
    assert result.summary["weights"] > Nbsvm.load(blended / "nbsvm.npz").size


def test_a_blend_is_no_worse_on_validation_than_either(blended: Path):
    result = read_result(blended)
    linear = score(Nbsvm.load(blended / "nbsvm.npz"), VALIDATION.texts, result.settings.padding)
    exact = np.where(VALIDATION.labels == 1, linear, 1 - linear).astype(np.float64)
    assert result.summary["best_val_loss"] <= min(result.history["val_loss"].min(), -np.log(exact).mean())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"network": 1, "linear": "x", "bias": 0}', '{"a": 1}'])
def test_damaged_shares_are_told(blended: Path, tmp_path: Path, content: str):
    for file in blended.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "blend.json").write_text(content)
    with pytest.raises(MoodringError, match=r"cannot load .*blend\.json.*dvc repro"):
        read_model(tmp_path)
