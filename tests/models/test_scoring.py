"""Scores have the order of the texts. The score of a text does not depend on other texts."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from moodring.corpus.batches import Padding
from moodring.corpus.ragged import Ragged
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.models.score_tables import read_scores, write_scores
from moodring.models.scoring import score
from moodring.params.data import TokenizeParams
from moodring.params.pipeline import Params
from moodring.training.architectures import build
from tests.conftest import generated_rows, random_embedding

TEXTS, _ = generated_rows(60)
VOCABULARY = Vocabulary.fit(TEXTS, TokenizeParams(max_tokens=100, min_count=1, oov="mark"))
LENGTH = 12  # shorter than the longest of the texts
BUCKET, FIXED = Padding(LENGTH, 4), Padding(LENGTH, 1)


@pytest.fixture(scope="module")
def model(params: Params) -> keras.Model:
    """An untrained model with large weights, so every token changes the score."""
    keras.utils.set_random_seed(1)
    small = {"embedding": random_embedding(8), "units": 8}
    model = build(params.recurrent_archs["lstm"].model_copy(update=small), len(VOCABULARY), LENGTH)
    model.set_weights([weights * 6 for weights in model.get_weights()])
    return model


def encode(*texts: str) -> Ragged:
    return VOCABULARY.encode(list(texts))


@pytest.mark.parametrize("padding", [BUCKET, FIXED], ids=["bucket", "fixed"])
def test_a_text_has_the_same_score_alone_and_with_others(model: keras.Model, padding: Padding):
    together = score(model, encode(*TEXTS), padding)
    alone = np.concatenate([score(model, encode(text), padding) for text in TEXTS])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    assert len(np.unique(together.round(3))) > 30, "the texts must differ in score"


def test_each_text_has_one_score_in_single_precision(model: keras.Model):
    scores = score(model, encode(*TEXTS), BUCKET)
    assert scores.shape == (60,)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()


def test_scores_have_the_order_of_the_texts(model: keras.Model):
    order = np.random.default_rng(0).permutation(60)
    shuffled = score(model, encode(*(TEXTS[i] for i in order)), BUCKET)
    np.testing.assert_allclose(shuffled, score(model, encode(*TEXTS), BUCKET)[order], rtol=0, atol=1e-6)


def test_more_texts_than_a_batch_have_the_same_scores(model: keras.Model, monkeypatch: pytest.MonkeyPatch):
    whole = score(model, encode(*TEXTS), BUCKET)
    monkeypatch.setattr("moodring.models.scoring.BATCH_SIZE", 7)
    np.testing.assert_allclose(score(model, encode(*TEXTS), BUCKET), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("padding", [BUCKET, FIXED], ids=["bucket", "fixed"])
def test_an_empty_text_gets_a_score(model: keras.Model, padding: Padding):
    scores = score(model, encode("", TEXTS[0]), padding)
    assert np.isfinite(scores).all()
    assert scores[1] == pytest.approx(score(model, encode(TEXTS[0]), padding)[0], abs=1e-6)


@pytest.mark.parametrize("padding", [BUCKET, FIXED], ids=["bucket", "fixed"])
def test_the_score_of_a_text_of_10000_tokens_depends_on_its_end(model: keras.Model, padding: Padding):
    end = "a wonderful moving film and a funny story of the brilliant actor"
    assert end.count(" ") == LENGTH - 1
    long = score(model, encode("dull " * (10_000 - LENGTH) + end), padding)
    assert long[0] == pytest.approx(score(model, encode(end), padding)[0], abs=1e-6)


def test_an_empty_list_of_texts_gives_no_scores(model: keras.Model):
    assert score(model, encode(), BUCKET).shape == (0,)


LABELS = np.array([0, 1, 1], np.int8)


def test_written_scores_are_read_back(tmp_path: Path):
    scores = np.array([0.1, 0.25, 1], np.float32)
    write_scores(tmp_path / "scores.parquet", LABELS, scores)
    found = read_scores(tmp_path / "scores.parquet", LABELS)
    np.testing.assert_array_equal(found, scores)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    "labels", [[0, 1], [1, 1, 0], [0, 1, 1, 1]], ids=["fewer texts", "other labels", "more texts"]
)
def test_scores_of_other_texts_are_an_error(tmp_path: Path, labels: list[int]):
    write_scores(tmp_path / "scores.parquet", LABELS, np.zeros(3, np.float32))
    with pytest.raises(MoodringError, match=rf"3 labels that are not the split's {len(labels)}.*dvc repro"):
        read_scores(tmp_path / "scores.parquet", np.array(labels, np.int8))


@pytest.mark.parametrize(
    "content", [None, b"", b"not parquet" * 99], ids=["missing", "empty", "other format"]
)
def test_the_error_for_unreadable_scores_names_the_file(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "scores.parquet").write_bytes(content)
    with pytest.raises(MoodringError, match=r"cannot read .*scores\.parquet.*dvc repro"):
        read_scores(tmp_path / "scores.parquet", LABELS)


def test_a_table_with_other_columns_is_an_error(tmp_path: Path):
    pq.write_table(pa.table({"label": LABELS, "score": [0.1, 0.2, 0.3]}), tmp_path / "scores.parquet")
    with pytest.raises(MoodringError, match="columns"):
        read_scores(tmp_path / "scores.parquet", LABELS)
