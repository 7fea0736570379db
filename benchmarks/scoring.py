"""Compares the scoring of raw texts with the notebooks' code; both models are warm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import corpus_directory, experiment_params, raw_file, stop_words_in_order, texts_of
from benchmarks.measure import SMALL_ROWS, Plan, alternate, in_child
from benchmarks.report import Row, Target

TARGET = Target("at least", 5)
NOTE = (
    "Both sides run in one process. Each has scored the same texts before, so ours has stemmed their words. "
    "The models have the experiments' sizes and are untrained. The rival predicts in batches of 32 (IMDB) "
    "and 64 (Twitter), as its notebook does."
)


def score_texts(directory: Path, plan: Plan) -> list[Row]:
    """10,000 tweets and 1,000 reviews."""
    rows = []
    for experiment, texts, kind in (
        ("twitter-lstm", plan.cut(10_000, 500), "tweets"),
        ("imdb-lstm", plan.cut(1000, 100), "reviews"),
    ):
        raw = raw_file(directory, experiment, plan.cut(None, SMALL_ROWS))
        corpus = corpus_directory(directory, experiment, raw)
        theirs, ours = in_child(
            time_scoring,
            experiment=experiment,
            raw=str(raw),
            corpus=str(corpus),
            texts=texts,
            repeats=plan.repeats,
        )
        rival = f"the {'IMDB' if kind == 'reviews' else 'Twitter'} notebook"
        rows.append(Row(f"{texts:,} {kind}", "s", rival, theirs, ours, "rival / ours", TARGET, NOTE))
    return rows


def time_scoring(experiment: str, raw: str, corpus: str, texts: int, repeats: int) -> list[list[float]]:
    """Seconds of the notebook's and of our scoring, measured in turn."""
    train, test = texts_of(raw, "train"), texts_of(raw, "test")
    # Texts at equal distances: a corpus has its classes one after the other.
    pool = test if texts <= len(test) else train + test
    batch = pool[:: len(pool) // texts][:texts]
    sides: list[Callable[[list[str]], Any]] = [
        _imdb_notebook(train) if experiment == "imdb-lstm" else _twitter_notebook(train, test),
        _ours(experiment, Path(corpus)),
    ]
    for side in sides:
        if len(side(batch)) != len(batch):
            raise ValueError(f"the number of scores is not {len(batch)}, the number of texts")

    def timed(side: Callable[[list[str]], Any]) -> Callable[[], float]:
        def call() -> float:
            start = time.perf_counter()
            side(batch)
            return time.perf_counter() - start

        return call

    return alternate([timed(side) for side in sides], repeats)


def _imdb_notebook(train: list[str]) -> Callable[[list[str]], Any]:
    from keras.utils import pad_sequences

    from benchmarks import notebooks

    tokenizer = notebooks.Tokenizer(num_words=notebooks.IMDB_WORDS)
    tokenizer.fit_on_texts(map(notebooks.rm_tags, train))
    model = notebooks.imdb_model()

    def score(texts: list[str]) -> Any:
        sequences = tokenizer.texts_to_sequences([notebooks.rm_tags(text) for text in texts])
        return model.predict(pad_sequences(sequences, maxlen=notebooks.IMDB_LENGTH), verbose=0)

    return score


def _twitter_notebook(train: list[str], test: list[str]) -> Callable[[list[str]], Any]:
    from keras.utils import pad_sequences

    from benchmarks import notebooks

    cleaning = notebooks.TwitterCleaning(stop_words_in_order())
    tokenizer = notebooks.Tokenizer()
    tokenizer.fit_on_texts(train + test)
    model = notebooks.twitter_model(len(tokenizer.word_index) + 1)

    def score(texts: list[str]) -> Any:
        clean = [cleaning.preprocess(text, True) for text in texts]
        padded = pad_sequences(tokenizer.texts_to_sequences(clean), maxlen=notebooks.TWITTER_LENGTH)
        return model.predict(padded, batch_size=notebooks.TWITTER_BATCH, verbose=0)

    return score


def _ours(experiment: str, corpus: Path) -> Callable[[list[str]], Any]:
    """A scorer from a bundle, like the registered model's, with untrained weights."""
    import pandas as pd

    from moodring.corpus.arrays import VOCABULARY, read_vocabulary
    from moodring.models.keras_files import write_model
    from moodring.models.result import Settings
    from moodring.serving.scorer import TextScorer, write_bundle
    from moodring.training.architectures import build
    from moodring.training.sequence import padding_of

    params = experiment_params(experiment)
    words = len(read_vocabulary(corpus))
    model = build(params.recurrent, words, params.data.max_length)
    padding = padding_of(params)
    settings = Settings(
        padding.max_length, padding.buckets, words, model.count_params(), 1, params.of_training()
    )
    with tempfile.TemporaryDirectory(prefix="moodring-") as place:
        directory = Path(place)
        write_model(directory / "models", model, pd.DataFrame({"epoch": [1]}), settings)
        clean = Path(f"{corpus}.parquet")
        write_bundle(
            directory / "bundle", directory / "models", corpus / VOCABULARY, clean, params.evaluate.threshold
        )
        return TextScorer.from_bundle(directory / "bundle").scores
