"""Training of networks: reproducible bits, weights of the best epoch, batches, losses that are not finite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from moodring.corpus.arrays import Split
from moodring.corpus.batches import Padding
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.models.keras_files import stable_bytes
from moodring.params.arch import EmbeddingParams, HeadParams
from moodring.params.data import TokenizeParams
from moodring.params.pipeline import Params
from moodring.params.training import EarlyStopping, Schedule
from moodring.training.architectures import build
from moodring.training.embeddings import Aligned, has_vectors
from moodring.training.inputs import EpochMetrics, Hooks, TrainingData
from moodring.training.network import fit_network, learning_rate_of, settings_of, train_network
from moodring.training.sequence import BatchSequence, padding_of
from tests.conftest import dropout, generated_rows, random_embedding

TEXTS, LABELS = generated_rows(96)
VOCABULARY = Vocabulary.fit(TEXTS, TokenizeParams(max_tokens=100, min_count=1, oov="mark"))
LENGTH = 20  # no generated text is longer
NEVER = EarlyStopping(monitor="val_loss", patience=99)


def split_of(texts: list[str], labels: list[int]) -> Split:
    return Split(VOCABULARY.encode(texts), np.array(labels, dtype=np.int8))


TRAIN, VALIDATION = split_of(TEXTS[:64], LABELS[:64]), split_of(TEXTS[64:], LABELS[64:])
DATA = TrainingData(len(VOCABULARY), TRAIN, VALIDATION)


@pytest.fixture
def tiny(params: Params) -> Params:
    """A few units, short texts, four length buckets."""
    arch = params.recurrent_archs["rnn"].model_copy(
        update={"embedding": random_embedding(4), "units": 4, "pooling": "last", "dropout": dropout()}
    )
    data = params.datasets["imdb"].model_copy(update={"max_length": LENGTH})
    chosen = {"dataset": "imdb", "datasets": {"imdb": data}, "arch": "rnn", "archs": {"rnn": arch}}
    few = {"epochs": 2, "batch_size": 8, "buckets": 4, "learning_rate": 0.001}
    return with_train(params.model_copy(update=chosen), **few)


Trained = tuple[keras.Model, pd.DataFrame]


@pytest.fixture(scope="module")
def trained() -> Callable[[Params], Trained]:
    """Train on the generated texts, only once for the same parameters. Tests must not change the model."""
    results: dict[str, Trained] = {}

    def of(params: Params) -> Trained:
        key = params.model_dump_json()
        if key not in results:
            data = with_vectors(params) if has_vectors(params) else DATA
            results[key] = train_network(params, data)
        return results[key]

    return of


def with_train(params: Params, **changes: object) -> Params:
    return params.model_copy(update={"train": params.train.model_copy(update=changes)})


def with_arch(params: Params, **changes: object) -> Params:
    return params.model_copy(update={"archs": {"rnn": params.recurrent.model_copy(update=changes)}})


@pytest.fixture
def quick(tiny: Params) -> Params:
    """Like `tiny`, but it learns the generated texts in a few epochs."""
    changes = {"pooling": "max", "embedding": random_embedding(4), "head": HeadParams(units=0, dropout=0.0)}
    return with_arch(with_train(tiny, learning_rate=0.03), **changes)


def fit_tiny(params: Params, train_split: Split, validation: Split = VALIDATION) -> pd.DataFrame:
    model = build(params.recurrent, len(VOCABULARY), LENGTH)
    return fit_network(model, params, TrainingData(len(VOCABULARY), train_split, validation))


def texts_of_lengths(*lengths: int) -> Split:
    return split_of([" ".join(["film"] * length) for length in lengths], [i % 2 for i in range(len(lengths))])


def batches_of(sequence: BatchSequence) -> list[list[tuple[int, ...]]]:
    """The texts of each batch without padding."""
    return [texts_in(sequence[i][0]) for i in range(len(sequence))]


def texts_in(ids: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(row[row > 0].tolist()) for row in ids]


def texts_of(split: Split) -> list[tuple[int, ...]]:
    return [tuple(text.tolist()) for text in np.split(split.texts.tokens, split.texts.offsets[1:-1])]


def test_the_same_seed_trains_the_same_model(tiny: Params, trained: Callable[[Params], Trained]):
    first, second = trained(tiny), train_network(tiny, DATA)
    pd.testing.assert_frame_equal(first[1], second[1], check_exact=True)
    assert stable_bytes(first[0]) == stable_bytes(second[0])


def test_another_seed_trains_another_model(tiny: Params, trained: Callable[[Params], Trained]):
    first, second = trained(tiny), trained(tiny.model_copy(update={"seed": tiny.seed + 1}))
    assert first[1]["loss"].tolist() != second[1]["loss"].tolist()
    assert stable_bytes(first[0]) != stable_bytes(second[0])


def test_training_learns_the_generated_texts(quick: Params):
    _, history = train_network(with_train(quick, epochs=6), DATA)
    assert history["val_accuracy"].max() > 0.9


@pytest.mark.parametrize(
    ("monitor", "best", "patience", "learning_rate"),
    [("val_loss", "min", 2, 1.0), ("val_loss", "min", 99, 1.0), ("val_accuracy", "max", 2, 0.03)],
    ids=["stopped early", "trained to the end", "several best epochs"],
)
def test_the_weights_of_the_first_best_epoch_are_kept(
    quick: Params, monitor: str, best: str, patience: int, learning_rate: float
):
    stopping = quick.train.early_stopping.model_copy(update={"monitor": monitor, "patience": patience})
    chosen = with_train(quick, epochs=8, learning_rate=learning_rate, early_stopping=stopping)
    model, history = train_network(chosen, DATA)
    kept = settings_of(chosen, DATA, model, history).best_epoch
    watched = history.set_index("epoch")[monitor]
    assert kept == watched[watched == getattr(watched, best)()].index[0]
    assert kept < len(history), "the training must continue after its best epoch"
    assert len(history) == min(kept + patience, 8)
    batches = BatchSequence(VALIDATION, padding_of(chosen), chosen.train.batch_size)
    found = model.evaluate(batches, verbose=0, return_dict=True)
    expected = history.set_index("epoch").loc[kept]
    assert found["loss"] == pytest.approx(expected["val_loss"], rel=1e-5)
    assert found["accuracy"] == pytest.approx(expected["val_accuracy"])


def test_each_epoch_is_reported_once_and_in_order(tiny: Params):
    reported: list[tuple[int, EpochMetrics]] = []
    three = with_train(tiny, epochs=3)
    _, history = train_network(three, DATA, Hooks(on_epoch=lambda *epoch: reported.append(epoch)))
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [{"epoch": epoch, **metrics} for epoch, metrics in reported] == history.to_dict("records")
    assert history["epoch"].tolist() == [1, 2, 3]


def test_settings_describe_the_model_and_its_training(tiny: Params, trained: Callable[[Params], Trained]):
    model, history = trained(tiny)
    settings = settings_of(tiny, DATA, model, history)
    assert settings.padding == Padding(LENGTH, 4)
    assert settings.vocabulary_size == len(VOCABULARY)
    assert settings.weights == len(VOCABULARY) * 4 + (8 * 4 + 4) + 5  # embedding, recurrent layer, output
    assert settings.params == tiny.of_training()


def test_batches_depend_only_on_seed_and_epoch():
    one, same, other = (BatchSequence(TRAIN, Padding(LENGTH, 4), 8, seed) for seed in (3, 3, 4))
    first = batches_of(one)
    assert batches_of(same) == first
    assert batches_of(other) != first
    one.on_epoch_end()
    same.on_epoch_end()
    assert batches_of(one) == batches_of(same) != first


def test_validation_batches_keep_their_order():
    sequence = BatchSequence(VALIDATION, Padding(LENGTH, 4), 8)
    first = batches_of(sequence)
    sequence.on_epoch_end()
    assert batches_of(sequence) == first


def test_a_batch_has_the_labels_of_its_texts():
    sequence = BatchSequence(TRAIN, Padding(LENGTH, 4), 8, seed=3)
    label_of = dict(zip(texts_of(TRAIN), TRAIN.labels.tolist(), strict=True))
    for ids, labels in (sequence[i] for i in range(len(sequence))):
        assert labels.shape == (len(ids), 1)
        assert labels[:, 0].tolist() == [label_of[text] for text in texts_in(ids)]


def test_keras_gets_every_text_once_per_epoch_in_a_new_order():
    seen: list[tuple[int, ...]] = []

    class Listener(keras.Model):
        def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, float]:
            seen.extend(texts_in(data[0].numpy()))
            return {"loss": 0.0}

    model = Listener()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(BatchSequence(TRAIN, Padding(LENGTH, 4), 8, seed=3), epochs=3, shuffle=False, verbose=0)
    epochs = [seen[start : start + 64] for start in range(0, len(seen), 64)]
    assert [sorted(epoch) for epoch in epochs] == [sorted(texts_of(TRAIN))] * 3
    assert len(set(map(tuple, epochs))) == 3


@pytest.mark.parametrize(
    "lengths",
    [[3, 3, 3, 3, 12, 12], [3, 3, 3, 3, 7, 20, 40], [2, 2, 2, 2, 2], [5, 9], [7]],
    ids=[
        "first two batches of one length",
        "longer than max_length",
        "one bucket",
        "two batches",
        "one batch",
    ],
)
def test_training_accepts_texts_of_any_length(tiny: Params, lengths: list[int]):
    texts = texts_of_lengths(*lengths)
    history = fit_tiny(with_train(tiny, epochs=2, batch_size=2), texts, texts)
    assert len(history) == 2
    assert np.isfinite(history.to_numpy()).all()


@pytest.mark.parametrize("padding", ["bucket", "fixed"])
def test_training_accepts_empty_texts(tiny: Params, padding: str):
    history = fit_tiny(with_arch(tiny, padding=padding), texts_of_lengths(0, 0, 4, 0), texts_of_lengths(0, 0))
    assert np.isfinite(history.to_numpy()).all()


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_cause(tiny: Params):
    model = build(tiny.recurrent, len(VOCABULARY), LENGTH)
    model.get_layer("score").set_weights([np.full((4, 1), np.nan), np.zeros(1)])
    reported: list[int] = []
    with pytest.raises(MoodringError, match=r"epoch 1.*train\.learning_rate \(received: 0\.001\)"):
        fit_network(model, tiny, DATA, Hooks(on_epoch=lambda epoch, _: reported.append(epoch)))
    assert reported == []


@pytest.mark.parametrize("name", ["adam", "rmsprop", "sgd"])
def test_training_uses_the_chosen_optimiser(tiny: Params, name: str):
    chosen = with_train(tiny, epochs=1, optimizer=name, learning_rate=0.25)
    model, _ = train_network(chosen, DATA)
    assert type(model.optimizer) is type(keras.optimizers.get(name))
    assert float(model.optimizer.learning_rate) == 0.25


def with_vectors(params: Params) -> TrainingData:
    """The data with random vectors for the whole vocabulary."""
    size = params.recurrent.embedding.size
    matrix = np.random.default_rng(0).normal(size=(len(VOCABULARY), size)).astype(np.float32)
    return replace(DATA, vectors=Aligned(matrix, np.ones(len(VOCABULARY), dtype=bool)))


def with_frozen(params: Params, frozen_epochs: int | str) -> Params:
    embedding = {
        **random_embedding(4).model_dump(),
        "vectors": "glove-6b-50d",
        "frozen_epochs": frozen_epochs,
    }
    return with_arch(params, embedding=EmbeddingParams.model_validate(embedding))


@pytest.mark.parametrize(
    ("frozen_epochs", "epochs", "moved"),
    [(0, 1, True), ("all", 3, False), (3, 3, False), (2, 3, True)],
    ids=["tuned", "frozen", "still frozen", "frozen, then tuned"],
)
def test_vectors_are_tuned_exactly_after_the_frozen_epochs(
    tiny: Params,
    trained: Callable[[Params], Trained],
    frozen_epochs: int | str,
    epochs: int,
    moved: bool,
):
    chosen = with_frozen(with_train(tiny, epochs=epochs, early_stopping=NEVER), frozen_epochs)
    data = with_vectors(chosen)
    model, history = trained(chosen)
    kept = settings_of(chosen, data, model, history).best_epoch
    released = isinstance(frozen_epochs, int) and kept > frozen_epochs
    assert data.vectors
    embedding = model.get_layer("embedding")
    assert type(embedding) is keras.layers.Embedding  # a saved model needs no code of this project
    assert np.array_equal(embedding.get_weights()[0], data.vectors.matrix) != released
    assert moved or not released


def test_a_frozen_embedding_trains_like_one_that_is_not_trainable(
    tiny: Params, trained: Callable[[Params], Trained]
):
    three = with_train(tiny, epochs=3, early_stopping=NEVER)
    histories = [trained(with_frozen(three, epochs))[1] for epochs in (3, "all")]
    pd.testing.assert_frame_equal(*histories, rtol=1e-5)


def test_label_smoothing_changes_the_training_loss_but_not_the_validation_loss(quick: Params):
    plain, smooth = (with_train(quick, epochs=1, label_smoothing=share) for share in (0.0, 0.4))
    model, history = train_network(smooth, DATA)
    batches = BatchSequence(VALIDATION, padding_of(smooth), smooth.train.batch_size)
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    found = model.evaluate(batches, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)
    assert history["loss"].iloc[-1] != train_network(plain, DATA)[1]["loss"].iloc[-1]


def test_averaged_weights_are_evaluated_and_kept(quick: Params, trained: Callable[[Params], Trained]):
    averaged = with_train(quick, epochs=3, weight_averaging=0.9, early_stopping=NEVER)
    model, history = trained(averaged)
    plain, _ = trained(with_train(averaged, weight_averaging=0.0))
    kept = settings_of(averaged, DATA, model, history).best_epoch
    batches = BatchSequence(VALIDATION, padding_of(averaged), averaged.train.batch_size)
    model.compile(loss="binary_crossentropy")
    expected = history.set_index("epoch").loc[kept, "val_loss"]
    found = model.evaluate(batches, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(float(expected), rel=1e-5)
    # The average of the weights is nearer to their start.
    assert norm_of(model) < norm_of(plain)


def test_averaging_does_not_change_the_training(quick: Params, trained: Callable[[Params], Trained]):
    three = with_train(quick, epochs=3, early_stopping=NEVER)
    losses = [
        trained(with_train(three, weight_averaging=momentum))[1]["loss"].tolist() for momentum in (0.0, 0.9)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(kind="constant", warmup=0.0), {0: 0.1, 50: 0.1, 99: 0.1}),
        (Schedule(kind="constant", warmup=0.1), {0: 0.0, 5: 0.05, 10: 0.1, 99: 0.1}),
        (Schedule(kind="cosine", warmup=0.0), {0: 0.1, 50: 0.05, 100: 0.0}),
        (Schedule(kind="cosine", warmup=0.2), {0: 0.0, 10: 0.05, 20: 0.1, 60: 0.05, 100: 0.0}),
    ],
    ids=["constant", "constant after warmup", "cosine", "cosine after warmup"],
)
def test_the_learning_rate_follows_its_schedule(tiny: Params, schedule: Schedule, expected: dict[int, float]):
    rate = learning_rate_of(with_train(tiny, learning_rate=0.1, schedule=schedule).train, steps=100)
    for step, value in expected.items():
        found = rate if isinstance(rate, float) else float(rate(step))
        assert found == pytest.approx(value, abs=1e-6)


def test_clipped_gradients_limit_the_change_of_the_weights(tiny: Params):
    # With plain gradient descent a step is the learning rate times the gradient.
    free = with_train(tiny, epochs=1, optimizer="sgd", learning_rate=1.0, batch_size=64, buckets=1)
    # TensorFlow computes the norm before it adds the gradients of repeated tokens, so the limit is not exact.
    assert weight_change(with_train(free, clip_norm=1e-3)) == pytest.approx(1e-3, rel=0.2)
    assert weight_change(free) > 0.01


def weight_change(params: Params) -> float:
    """The norm of the change of all weights in the training."""
    keras.utils.set_random_seed(params.seed)
    before = build(params.recurrent, len(VOCABULARY), LENGTH).get_weights()
    model, _ = train_network(params, DATA)
    steps = [new - old for new, old in zip(model.get_weights(), before, strict=True)]
    return float(np.sqrt(sum(np.square(step).sum() for step in steps)))


def norm_of(model: keras.Model) -> float:
    """The squared norm of the score layer, whose weights start small or at zero."""
    return float(sum(np.square(weights).sum() for weights in model.get_layer("score").get_weights()))
