"""The linear baseline: fitting, scores and its file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from moodring.corpus.arrays import Split
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.models.load import read_model
from moodring.models.nbsvm import WHOLE, Nbsvm, fit_nbsvm, history_of
from moodring.models.result import read_result
from moodring.models.scoring import score
from moodring.params.arch import NbsvmParams, NoEmbedding
from moodring.params.data import TokenizeParams
from moodring.params.pipeline import Params
from moodring.training.inputs import Hooks, TrainingData
from moodring.training.train import train_model
from tests.conftest import generated_rows

TEXTS, LABELS = generated_rows(120)
VOCABULARY = Vocabulary.fit(TEXTS, TokenizeParams(max_tokens=100, min_count=1, oov="mark"))
PARAMS = NbsvmParams(
    kind="nbsvm", embedding=NoEmbedding(vectors="none"), ngrams=2, min_count=1, smoothing=1.0, cost=1.0
)


def ngrams_of(text: str) -> set[str]:
    """The different words and pairs of words of a text."""
    words = text.split()
    return {*words, *(f"{one} {other}" for one, other in pairwise(words))}


def split_of(texts: list[str], labels: list[int]) -> Split:
    return Split(VOCABULARY.encode(texts), np.array(labels, dtype=np.int8))


TRAIN, VALIDATION = split_of(TEXTS[:80], LABELS[:80]), split_of(TEXTS[80:], LABELS[80:])


@pytest.fixture(scope="module")
def model() -> Nbsvm:
    return fit_nbsvm(PARAMS, TRAIN, seed=7)


def test_the_model_equals_that_of_the_paper(model: Nbsvm):
    """Compare with scikit-learn's n-grams, scaled as in Wang & Manning."""
    counter = CountVectorizer(analyzer=ngrams_of, dtype=np.float64)
    counts = counter.fit_transform(TEXTS[:80]).toarray()
    labels = np.array(LABELS[:80])
    positive, negative = 1 + counts[labels == 1].sum(axis=0), 1 + counts[labels == 0].sum(axis=0)
    ratios = np.log((positive / positive.sum()) / (negative / negative.sum()))
    solver = LogisticRegression(C=1.0, solver="lbfgs", tol=1e-8, max_iter=5000).fit(counts * ratios, labels)
    expected = solver.decision_function(counter.transform(TEXTS[80:]).toarray() * ratios)
    # liblinear also regularises the bias and stops a little earlier, so the scores are almost the same.
    found = model.logits(VALIDATION.texts)
    assert np.corrcoef(found, expected)[0, 1] > 0.999
    np.testing.assert_allclose(found, expected, atol=0.15)


def test_the_model_learns_the_generated_texts(model: Nbsvm):
    (row,) = history_of(model, TRAIN, VALIDATION).to_dict("records")
    assert row["epoch"] == 1
    assert row["val_accuracy"] > 0.9
    assert row["val_loss"] < 0.5


def test_padded_batches_have_the_scores_of_whole_texts(model: Nbsvm):
    whole = 1 / (1 + np.exp(-model.logits(VALIDATION.texts)))
    np.testing.assert_allclose(score(model, VALIDATION.texts, WHOLE), whole, rtol=1e-6)


def test_an_empty_text_has_the_score_of_the_bias(model: Nbsvm):
    (empty,) = score(model, VOCABULARY.encode([""]), WHOLE)
    assert empty == pytest.approx(1 / (1 + np.exp(-model.bias)))


def test_the_word_order_changes_the_score(model: Nbsvm):
    texts = VOCABULARY.encode([TEXTS[0], " ".join(reversed(TEXTS[0].split()))])
    one, other = model.logits(texts)
    assert one != other


def test_a_second_fit_gives_the_same_bytes(model: Nbsvm, tmp_path: Path):
    model.save(tmp_path / "one.npz")
    fit_nbsvm(PARAMS, TRAIN, seed=7).save(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_a_loaded_model_gives_the_same_scores(model: Nbsvm, tmp_path: Path):
    model.save(tmp_path / "model.npz")
    loaded = Nbsvm.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.logits(VALIDATION.texts), model.logits(VALIDATION.texts))


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:100], lambda content: content[:-1], lambda content: b"x"],
    ids=["empty", "first bytes", "last byte missing", "not an archive"],
)
def test_a_damaged_file_is_an_error(model: Nbsvm, tmp_path: Path, damage):
    model.save(tmp_path / "nbsvm.npz")
    (tmp_path / "nbsvm.npz").write_bytes(damage((tmp_path / "nbsvm.npz").read_bytes()))
    with pytest.raises(MoodringError, match=r"cannot load .*nbsvm\.npz.*dvc repro"):
        read_model(tmp_path)


def test_the_model_as_the_chosen_arch_gives_a_normal_result(params: Params, tmp_path: Path):
    chosen = params.model_copy(update={"arch": "nbsvm", "archs": {"nbsvm": PARAMS}})
    data = TrainingData(len(VOCABULARY), TRAIN, VALIDATION)
    epochs: list[tuple[int, dict[str, float]]] = []
    write = train_model(chosen, data, Hooks(on_epoch=lambda *seen: epochs.append(seen)))
    write(tmp_path / "models")
    result = read_result(tmp_path / "models")
    assert [number for number, _ in epochs] == [1]
    assert result.summary["best_val_accuracy"] == round(epochs[0][1]["val_accuracy"], 6)
    assert result.summary["epochs"] == 1
    scores = score(read_model(tmp_path / "models"), VALIDATION.texts, result.settings.padding)
    assert ((scores >= 0.5) == VALIDATION.labels).mean() == epochs[0][1]["val_accuracy"]
