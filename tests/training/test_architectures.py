"""Every arch does what `architectures.build` documents, and the models of the seed notebooks are the same."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from moodring.experiments.named import merged
from moodring.params.arch import RecurrentParams
from moodring.params.file import load_params, parse_params, read_yaml
from moodring.params.pipeline import Params
from moodring.training.architectures import build
from tests.conftest import ROOT, dropout, random_embedding

COMMITTED = load_params(ROOT / "params.yaml")
WORDS, LENGTH, ROWS = 20, 6, 16


def seed_params(name: str) -> Params:
    tree = merged(read_yaml(ROOT / "params.yaml"), read_yaml(ROOT / "experiments" / f"{name}.yaml"))
    return parse_params(tree, name)


SEEDS = {name: seed_params(name) for name in ("imdb-lstm", "imdb-bilstm", "imdb-gru", "twitter-lstm")}
RECURRENT = COMMITTED.recurrent_archs
EVERY_ARCH = {**RECURRENT, **{name: params.recurrent for name, params in SEEDS.items()}}


def small(arch: RecurrentParams, pooling: str) -> RecurrentParams:
    """The arch with few units and another pooling."""
    sizes = {
        "embedding": random_embedding(4),
        "units": 3,
        "head": {**arch.head.model_dump(), "units": min(arch.head.units, 5)},
    }
    padding = "fixed" if pooling == "flatten" else arch.padding
    return RecurrentParams(**{**arch.model_dump(), **sizes, "pooling": pooling, "padding": padding})


def without_dropout(arch: RecurrentParams) -> RecurrentParams:
    head = arch.head.model_copy(update={"dropout": 0.0})
    return arch.model_copy(update={"dropout": dropout(), "head": head})


def generated_batch() -> tuple[np.ndarray, np.ndarray]:
    """Ids and labels. Half of the rows are padded on the left. A label depends on the last id."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, WORDS, (ROWS, LENGTH), dtype=np.int32)
    ids[: ROWS // 2, :2] = 0
    return ids, (ids[:, -1:] > WORDS // 2).astype(np.float32)


def scores_of(model: keras.Model, ids: np.ndarray) -> np.ndarray:
    return np.asarray(model(ids, training=False))


@pytest.fixture(params=["last", "max", "flatten"])
def pooling(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=EVERY_ARCH)
def arch(request: pytest.FixtureRequest, pooling: str) -> RecurrentParams:
    keras.utils.set_random_seed(1)
    return small(EVERY_ARCH[request.param], pooling)


def test_each_text_gets_a_score_between_0_and_1(arch: RecurrentParams):
    scores = scores_of(build(arch, WORDS, LENGTH), generated_batch()[0])
    assert scores.shape == (ROWS, 1)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_saved_model_gives_the_same_scores(arch: RecurrentParams, tmp_path: Path):
    model, ids = build(arch, WORDS, LENGTH), generated_batch()[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(scores_of(loaded, ids), scores_of(model, ids))


def test_a_training_step_lowers_the_loss_on_its_batch(arch: RecurrentParams):
    model = build(without_dropout(arch), WORDS, LENGTH)
    model.compile("adam", "binary_crossentropy", run_eagerly=True)
    ids, labels = generated_batch()
    before = float(model.train_on_batch(ids, labels))
    assert float(model.test_on_batch(ids, labels)) < before


@pytest.mark.parametrize("name", [name for name, arch in EVERY_ARCH.items() if arch.padding == "bucket"])
def test_models_with_bucket_padding_accept_texts_of_any_length(name: str):
    model = build(small(EVERY_ARCH[name], "last"), WORDS, LENGTH)
    assert [scores_of(model, np.ones((2, length), np.int32)).shape for length in (1, 4)] == [(2, 1), (2, 1)]


def lstm_weights(inputs: int, units: int) -> int:
    return 4 * (units * (inputs + units) + units)


def gru_weights(inputs: int, units: int) -> int:
    """Keras' GRU (`reset_after`) has one bias for the inputs and one for the state."""
    return 3 * (units * (inputs + units) + 2 * units)


def dense_weights(inputs: int, units: int) -> int:
    return (inputs + 1) * units


@pytest.mark.parametrize(
    ("name", "words", "weights"),
    [
        ("imdb-lstm", 3800, 138_625),
        ("imdb-gru", 3800, 3800 * 32 + gru_weights(32, 32) + dense_weights(32, 256) + dense_weights(256, 1)),
        ("imdb-bilstm", 3800, 3800 * 32 + 2 * lstm_weights(32, 32) + dense_weights(380 * 64, 1)),
        ("twitter-lstm", 21_573, 4_435_101),
    ],
    ids=["imdb-lstm", "imdb-gru", "imdb-bilstm", "twitter-lstm"],
)
def test_seed_models_have_the_weight_counts_of_the_notebooks(name: str, words: int, weights: int):
    params = SEEDS[name]
    assert build(params.recurrent, words, params.data.max_length).count_params() == weights


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("imdb-lstm", "Embedding Dropout(0.2) LSTM Dense(256,relu) Dropout(0.2) Dense(1,sigmoid)"),
        ("imdb-gru", "Embedding Dropout(0.2) GRU Dense(256,relu) Dropout(0.2) Dense(1,sigmoid)"),
        # The notebook has Flatten and Dropout in the opposite order. The result is the same.
        ("imdb-bilstm", "Embedding Dropout(0.5) Bidirectional Flatten Dropout(0.5) Dense(1,sigmoid)"),
        ("twitter-lstm", "Embedding LSTM Dense(1,sigmoid)"),
    ],
    ids=["imdb-lstm", "imdb-gru", "imdb-bilstm", "twitter-lstm"],
)
def test_seed_models_have_the_layers_of_the_notebooks(name: str, expected: str):
    params = SEEDS[name]
    model = build(params.recurrent, 50, params.data.max_length)
    assert [description(layer) for layer in model.layers] == expected.split()


def description(layer: keras.Layer) -> str:
    kind = type(layer).__name__
    if isinstance(layer, layers.Dropout):
        return f"{kind}({layer.rate})"
    if isinstance(layer, layers.Dense):
        return f"{kind}({layer.units},{layer.activation.__name__})"
    return kind


def test_the_twitter_seed_has_dropout_on_inputs_and_state():
    params = SEEDS["twitter-lstm"]
    recurrent = build(params.recurrent, 50, params.data.max_length).get_layer("lstm")
    assert (recurrent.dropout, recurrent.recurrent_dropout) == (0.2, 0.2)


def test_the_bilstm_seed_concatenates_both_directions_at_every_step():
    params = SEEDS["imdb-bilstm"]
    layer = build(params.recurrent, 50, params.data.max_length).get_layer("bilstm")
    assert layer.merge_mode == "concat"
    assert layer.output.shape == (None, 380, 64)


@pytest.mark.parametrize("name", [name for name, arch in RECURRENT.items() if arch.cell in {"lstm", "gru"}])
def test_default_models_fulfil_the_conditions_of_the_fused_gpu_kernels(name: str):
    # Keras documents these conditions for its cuDNN implementation.
    model = build(RECURRENT[name], WORDS, LENGTH)
    assert not model.get_layer("embedding").mask_zero
    wrapped = [layer for layer in model.layers if isinstance(layer, layers.Bidirectional)]
    cells = [cell for layer in wrapped for cell in (layer.forward_layer, layer.backward_layer)]
    cells += [layer for layer in model.layers if isinstance(layer, layers.LSTM | layers.GRU)]
    assert cells
    for cell in cells:
        assert cell.activation is keras.activations.tanh
        assert cell.recurrent_activation is keras.activations.sigmoid
        assert cell.use_bias
        assert not cell.unroll
        assert cell.recurrent_dropout == 0
        assert getattr(cell, "reset_after", True)
