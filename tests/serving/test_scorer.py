"""A served model gives raw texts the same scores as the stages."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from moodring.corpus.arrays import read_split, read_vocabulary, write_corpus
from moodring.errors import MoodringError
from moodring.evaluation.calibration import Calibration, apply_temperature, write_calibration
from moodring.io.tables import StoredTable, write_table
from moodring.models.keras_files import load_model, write_model
from moodring.models.load import read_model
from moodring.models.result import Settings
from moodring.models.scoring import score
from moodring.params.data import TokenizeParams
from moodring.params.pipeline import Params
from moodring.serving.result_files import ResultFiles
from moodring.serving.scorer import TextScorer, write_bundle
from moodring.text.clean_table import cleaner_of
from moodring.text.cleaner import Cleaner
from moodring.training.architectures import build
from tests.conftest import cleaned, dropout, generated_table, random_embedding

RAW = [
    "A <br />WONDERFUL, moving film!!",
    "dull; awful & boring (the ending)",
    "",
    "<p>",
    "@nobody http://example.org :-) Ünïcödé 電影 words never seen",
    "the " * 10_000,
]
SETTINGS = Settings(max_length=12, buckets=4, vocabulary_size=0, weights=0, best_epoch=1, params={})


@pytest.fixture(scope="module")
def pipeline(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the stages (clean.parquet, corpus, models) and a bundle of them."""
    root = tmp_path_factory.mktemp("pipeline")
    cleaner = Cleaner(params.datasets["imdb"].preprocess)
    write_table(root / "clean.parquet", cleaned(generated_table(), cleaner, seed=7, name="made")[0])
    tokenize = TokenizeParams(max_tokens=100, min_count=1, oov="mark")
    words = write_corpus(root / "corpus", StoredTable(root / "clean.parquet"), tokenize)
    keras.utils.set_random_seed(1)
    arch = params.recurrent_archs["gru"].model_copy(
        update={"embedding": random_embedding(8), "units": 8, "dropout": dropout()}
    )
    model = build(arch, len(words), SETTINGS.max_length)
    model.set_weights([weights * 3 for weights in model.get_weights()])
    write_model(root / "models", model, pd.DataFrame({"epoch": [1]}), SETTINGS)
    write(root, root / "bundle", threshold=0.5)
    return root


def write(root: Path, bundle: Path, threshold: float, temperature: float = 1.0) -> None:
    vocabulary = root / "corpus" / "vocabulary.json"
    write_bundle(bundle, root / "models", vocabulary, root / "clean.parquet", threshold, temperature)


@pytest.fixture(scope="module")
def scorer(pipeline: Path) -> TextScorer:
    return TextScorer.from_bundle(pipeline / "bundle")


def test_raw_texts_get_the_scores_of_a_simple_loop(pipeline: Path, scorer: TextScorer):
    cleaner = cleaner_of(StoredTable(pipeline / "clean.parquet"))
    ids = {word: number for number, word in enumerate(read_vocabulary(pipeline / "corpus").words, start=2)}
    model = load_model(pipeline / "models" / "model.keras")
    expected = []
    for text in RAW:
        tokens = [ids.get(word, 1) for word in cleaner(text).split()]
        length = min(max(3 * math.ceil(len(tokens) / 3), 3), 12)  # four buckets up to twelve tokens
        padded = ([0] * length + tokens)[-length:]
        expected.append(float(model(np.array([padded], dtype=np.int32))[0, 0]))
    np.testing.assert_allclose(scorer.scores(RAW), expected, rtol=0, atol=1e-6)


def test_the_raw_test_split_gets_the_scores_of_the_corpus(pipeline: Path, scorer: TextScorer):
    raw = [
        text
        for split, _, text in zip(*generated_table().to_pydict().values(), strict=True)
        if split == "test"
    ]
    test = read_split(pipeline / "corpus", "test").texts
    evaluated = score(read_model(pipeline / "models"), test, SETTINGS.padding)
    np.testing.assert_allclose(scorer.scores(raw), evaluated, rtol=0, atol=1e-6)
    assert len(np.unique(evaluated.round(3))) > 20, "the texts must differ in score"


def test_a_text_has_the_same_score_alone_and_with_others(scorer: TextScorer):
    alone = np.concatenate([scorer.scores([text]) for text in RAW])
    np.testing.assert_allclose(scorer.scores(RAW), alone, rtol=0, atol=1e-6)


def test_the_table_has_a_score_and_a_label_for_each_text(scorer: TextScorer):
    table = scorer.predict(RAW)
    assert list(table.columns) == ["score", "label"]
    np.testing.assert_array_equal(table["score"], scorer.scores(RAW))
    assert list(table["label"]) == ["positive" if value >= 0.5 else "negative" for value in table["score"]]


def test_labels_follow_the_threshold(pipeline: Path, tmp_path: Path, scorer: TextScorer):
    first, second = sorted(scorer.scores(RAW[:2]).tolist())
    assert first < second
    order = np.argsort(scorer.scores(RAW[:2]))
    texts = [RAW[i] for i in order]
    for threshold, labels in [
        (first / 2, ["positive", "positive"]),
        ((first + second) / 2, ["negative", "positive"]),
        (second, ["negative", "positive"]),
        ((1 + second) / 2, ["negative", "negative"]),
    ]:
        write(pipeline, tmp_path / "bundle", threshold)
        assert list(TextScorer.from_bundle(tmp_path / "bundle").predict(texts)["label"]) == labels


def test_served_scores_are_calibrated(pipeline: Path, tmp_path: Path, scorer: TextScorer):
    plain = scorer.scores(RAW)
    write(pipeline, tmp_path / "bundle", threshold=0.5, temperature=2.5)
    served = TextScorer.from_bundle(tmp_path / "bundle").scores(RAW)
    np.testing.assert_array_equal(served, apply_temperature(plain, 2.5))
    assert np.abs(served - plain).max() > 0.01


def test_an_old_bundle_without_a_temperature_gives_uncalibrated_scores(
    pipeline: Path, tmp_path: Path, scorer: TextScorer
):
    bundle = tmp_path / "bundle"
    write(pipeline, bundle, threshold=0.5, temperature=2.5)
    content = json.loads((bundle / "scorer.json").read_text())
    del content["temperature"]
    (bundle / "scorer.json").write_text(json.dumps(content))
    np.testing.assert_array_equal(TextScorer.from_bundle(bundle).scores(RAW), scorer.scores(RAW))


@pytest.fixture
def files(pipeline: Path, tmp_path: Path) -> ResultFiles:
    write_calibration(tmp_path / "calibration.json", Calibration("temperature", 2.5))
    paths = {name: pipeline / name for name in ("corpus", "models")}
    return ResultFiles(clean=pipeline / "clean.parquet", calibration=tmp_path / "calibration.json", **paths)


def test_a_result_is_served_with_the_temperature_of_its_evaluation(
    files: ResultFiles, params: Params, tmp_path: Path, scorer: TextScorer
):
    files.write_bundle(tmp_path / "bundle", params)
    served = TextScorer.from_bundle(tmp_path / "bundle").scores(RAW)
    np.testing.assert_array_equal(served, apply_temperature(scorer.scores(RAW), 2.5))


def test_a_result_scores_texts_from_its_files_without_a_copy(
    files: ResultFiles, params: Params, tmp_path: Path, scorer: TextScorer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is no such directory"))
    scores = files.scorer(params).scores(RAW)
    np.testing.assert_array_equal(scores, apply_temperature(scorer.scores(RAW), 2.5))
    assert [file.name for file in tmp_path.iterdir()] == ["calibration.json"]


def test_a_result_without_its_calibration_is_an_error(files: ResultFiles, params: Params):
    files.calibration.unlink()
    with pytest.raises(MoodringError, match=r"cannot read .*calibration\.json.*dvc repro"):
        files.scorer(params)


def test_an_empty_list_of_texts_gives_an_empty_table(scorer: TextScorer):
    table = scorer.predict([])
    assert list(table.columns) == ["score", "label"]
    assert len(table) == 0


def test_a_moved_bundle_gives_the_same_scores(pipeline: Path, tmp_path: Path, scorer: TextScorer):
    moved = tmp_path / "elsewhere"
    shutil.copytree(pipeline / "bundle", moved)
    np.testing.assert_array_equal(TextScorer.from_bundle(moved).scores(RAW), scorer.scores(RAW))


def test_a_bundle_keeps_the_stop_words_and_stems_of_its_cleaner(
    params: Params, pipeline: Path, tmp_path: Path, scorer: TextScorer
):
    steps = {"pattern": "tweet", "stop_words": "english", "stem": "snowball"}
    preprocess = params.datasets["twitter"].preprocess.model_copy(update=steps)
    cleaner = Cleaner(preprocess, ["the", "wonderful"])
    table = cleaned(generated_table(), cleaner, seed=7, name="made")[0]
    write_table(tmp_path / "clean.parquet", table)
    shutil.copytree(pipeline / "models", tmp_path / "models")
    words = write_corpus(tmp_path / "corpus", table, TokenizeParams(max_tokens=20, min_count=1, oov="drop"))
    write(tmp_path, tmp_path / "bundle", threshold=0.5)
    served = TextScorer.from_bundle(tmp_path / "bundle").scores(
        ["@me the Wonderful MOVING actors http://a.b"]
    )
    expected = score(read_model(tmp_path / "models"), words.encode(["move actor"]), SETTINGS.padding)
    np.testing.assert_allclose(served, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["scorer.json", "vocabulary.json", "model.keras", "settings.json"])
@pytest.mark.parametrize(
    "damage", [None, b"", b"[]", b'{"a": 1}'], ids=["missing", "empty", "list", "other keys"]
)
def test_a_damaged_bundle_is_an_error(pipeline: Path, tmp_path: Path, name: str, damage: bytes | None):
    bundle = tmp_path / "bundle"
    shutil.copytree(pipeline / "bundle", bundle)
    (bundle / name).unlink()
    if damage is not None:
        (bundle / name).write_bytes(damage)
    with pytest.raises(MoodringError, match=str(bundle)):
        TextScorer.from_bundle(bundle)


def test_a_missing_bundle_is_an_error(tmp_path: Path):
    with pytest.raises(MoodringError, match="nowhere"):
        TextScorer.from_bundle(tmp_path / "nowhere")


def test_a_missing_table_for_a_bundle_is_an_error(pipeline: Path, tmp_path: Path):
    shutil.copytree(pipeline / "models", tmp_path / "models")
    with pytest.raises(MoodringError, match=r"clean\.parquet"):
        write(tmp_path, tmp_path / "bundle", threshold=0.5)
