"""A network and a linear model as one classifier."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from moodring.errors import MoodringError
from moodring.models.blend import BlendWeights, check_folds, out_of_fold_logits
from moodring.models.load import read_model
from moodring.models.nbsvm import Nbsvm, judge
from moodring.models.result import read_result
from moodring.models.scoring import log_odds, score
from moodring.params.arch import StackingParams
from moodring.params.pipeline import Params
from moodring.params.training import EarlyStopping
from moodring.training.inputs import Hooks
from moodring.training.train import train_model
from tests.conftest import dropout, random_embedding
from tests.training.test_network import DATA, LENGTH, VALIDATION


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def test_fitting_finds_the_weights_that_generated_the_labels():
    rng = np.random.default_rng(0)
    network, linear = rng.normal(0, 2, (2, 20_000))
    labels = (rng.random(20_000) < sigmoid(0.5 * network + 1.5 * linear - 0.3)).astype(np.int8)
    weights = BlendWeights.fit(sigmoid(network), sigmoid(linear), labels, cost=100.0)
    assert weights.network == pytest.approx(0.5, abs=0.05)
    assert weights.linear == pytest.approx(1.5, abs=0.1)
    assert weights.bias == pytest.approx(-0.3, abs=0.1)


def test_a_model_with_random_scores_gets_a_small_weight():
    rng = np.random.default_rng(0)
    linear = rng.normal(0, 2, 5000)
    labels = (rng.random(5000) < sigmoid(linear)).astype(np.int8)
    weights = BlendWeights.fit(sigmoid(rng.normal(0, 2, 5000)), sigmoid(linear), labels, cost=100.0)
    assert abs(weights.network) < 0.1


def test_a_weight_of_one_for_one_model_keeps_its_scores():
    scores = sigmoid(np.linspace(-8, 8, 50))
    np.testing.assert_allclose(BlendWeights(1.0, 0.0, 0.0).blend(scores, scores[::-1]), scores, rtol=1e-5)


def test_scores_of_exactly_0_and_1_give_finite_blends():
    ends = np.array([0.0, 1.0], np.float32)
    blended = BlendWeights(0.5, 0.5, 0.0).blend(ends, ends)
    assert np.isfinite(blended).all()
    assert blended[0] < 0.01
    assert blended[1] > 0.99


def test_out_of_fold_scores_show_no_gain_for_random_scores():
    """On random scores the best possible log loss is log 2. Weights fitted on the same labels seem better."""
    rng = np.random.default_rng(0)
    network, linear = (sigmoid(rng.normal(0, 2, 60)) for _ in range(2))
    labels = np.array([0, 1] * 30, np.int8)
    in_sample = judge(BlendWeights.fit(network, linear, labels, 100.0).logits(network, linear), labels)
    stacking = StackingParams(folds=5, cost=100.0)
    judged = judge(out_of_fold_logits(network, linear, labels, stacking, seed=7), labels)
    assert in_sample.loss < np.log(2) < judged.loss


def test_each_fold_is_scored_by_weights_of_the_other_folds():
    rng = np.random.default_rng(0)
    network, linear = (sigmoid(rng.normal(0, 2, 41)) for _ in range(2))
    labels = (rng.random(41) < network).astype(np.int8)
    logits = out_of_fold_logits(network, linear, labels, StackingParams(folds=4, cost=1.0), seed=7)
    for rest, fold in StratifiedKFold(4, shuffle=True, random_state=7).split(network, labels):
        weights = BlendWeights.fit(network[rest], linear[rest], labels[rest], cost=1.0)
        np.testing.assert_array_equal(logits[fold], weights.logits(network[fold], linear[fold]))


@pytest.mark.parametrize(("rare", "name"), [(0, "negative"), (1, "positive")])
def test_more_folds_than_texts_of_a_class_are_an_error(rare: int, name: str):
    labels = np.where(np.arange(20) < 4, rare, 1 - rare).astype(np.int8)
    check_folds(labels, 4, "gru")
    with pytest.raises(MoodringError, match=rf"4 {name} texts, archs\.gru\.stacking\.folds is 5: lower it"):
        check_folds(labels, 5, "gru")


@pytest.fixture(scope="module")
def params_of_blend(params: Params) -> Params:
    """A small network with an NB-SVM over 2-grams."""
    small = {"embedding": random_embedding(4), "units": 4, "dropout": dropout()}
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
    return params.model_copy(update={**chosen, "train": train})


@pytest.fixture(scope="module")
def blended(params_of_blend: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small network and its NB-SVM over 2-grams."""
    models = tmp_path_factory.mktemp("blended") / "models"
    train_model(params_of_blend, DATA)(models)
    return models


def test_the_summary_has_the_out_of_fold_metrics_of_the_blend(params_of_blend: Params, blended: Path):
    result = read_result(blended)
    padding = result.settings.padding
    network, linear = (
        score(model, VALIDATION.texts, padding)
        for model in (keras.models.load_model(blended / "model.keras"), Nbsvm.load(blended / "nbsvm.npz"))
    )
    stacking = params_of_blend.recurrent.stacking
    logits = out_of_fold_logits(network, linear, VALIDATION.labels, stacking, params_of_blend.seed)
    judged = judge(logits, VALIDATION.labels)
    assert result.summary["best_val_loss"] == pytest.approx(judged.loss, abs=1e-6)
    assert result.summary["best_val_accuracy"] == pytest.approx(judged.accuracy, abs=1e-6)
    assert result.summary["epochs"] == 2
    assert result.summary["weights"] > Nbsvm.load(blended / "nbsvm.npz").size


def test_the_final_weights_are_fitted_on_the_whole_validation_split(blended: Path):
    """On this split the fitted blend has a lower loss than any other blend and than each model alone."""
    result = read_result(blended)
    padding = result.settings.padding
    scores, linear = (
        score(model, VALIDATION.texts, padding)
        for model in (read_model(blended), Nbsvm.load(blended / "nbsvm.npz"))
    )
    loss = judge(log_odds(scores), VALIDATION.labels).loss
    assert loss <= min(result.history["val_loss"].min(), judge(log_odds(linear), VALIDATION.labels).loss)


def test_too_many_folds_fail_before_the_training(params_of_blend: Params):
    epochs: list[int] = []
    arch = params_of_blend.recurrent
    many = arch.model_copy(update={"stacking": arch.stacking.model_copy(update={"folds": 50})})
    hooks = Hooks(on_epoch=lambda epoch, _: epochs.append(epoch))
    with pytest.raises(MoodringError, match=r"stacking\.folds is 50"):
        train_model(params_of_blend.model_copy(update={"archs": {"gru": many}}), DATA, hooks)
    assert epochs == []


@pytest.mark.parametrize("name", ["model.keras", "nbsvm.npz", "blend.json"])
def test_the_digest_of_the_model_depends_on_each_of_its_files(blended: Path, tmp_path: Path, name: str):
    for file in blended.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = read_result(tmp_path).model_sha256
    (tmp_path / "history.csv").write_bytes((blended / "history.csv").read_bytes() + b"\n")
    assert read_result(tmp_path).model_sha256 == before
    (tmp_path / name).write_bytes((blended / name).read_bytes() + b"\n")
    assert read_result(tmp_path).model_sha256 != before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"network": 1, "linear": "x", "bias": 0}', '{"a": 1}'])
def test_damaged_weights_are_an_error(blended: Path, tmp_path: Path, content: str):
    for file in blended.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "blend.json").write_text(content)
    with pytest.raises(MoodringError, match=r"cannot load .*blend\.json.*dvc repro"):
        read_model(tmp_path)
