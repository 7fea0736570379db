"""Compares the LSTMs with scikit-learn's TF-IDF and logistic regression: time and accuracy."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.data import experiment_params, labels_of, raw_file, texts_of, write_clean_corpus
from benchmarks.measure import SMALL_ROWS, Plan, alternate, in_child
from benchmarks.report import Row

RIVAL = "TF-IDF + logistic regression"
NOTE = (
    "From raw texts in memory to a trained model, each in a fresh process. The rival: `TfidfVectorizer()` "
    "and `LogisticRegression(max_iter=1000)`, untuned, on all training texts. Ours: the whole named "
    "experiment with early stopping, on the CPU."
)


def linear(directory: Path, plan: Plan) -> list[Row]:
    """Both corpora, each with its notebook's LSTM."""
    rows = []
    for experiment in ("imdb-lstm", "twitter-lstm"):
        raw = str(raw_file(directory, experiment, plan.cut(None, SMALL_ROWS)))
        epochs = plan.cut(None, plan.epochs)
        pieces = [
            partial(in_child, train_linear, raw=raw),
            partial(in_child, train_experiment, experiment=experiment, raw=raw, epochs=epochs),
        ]
        sides = alternate(pieces, plan.repeats)
        for figure, unit, field in (
            ("texts to model", "s", "seconds"),
            ("test accuracy", "share", "accuracy"),
        ):
            theirs, ours = ([found[field] for found in side] for side in sides)
            rows.append(Row(f"{experiment}: {figure}", unit, RIVAL, theirs, ours, "ours / rival", None, NOTE))
    return rows


def train_linear(raw: str) -> dict[str, float]:
    """Train the linear model from texts; returns seconds and test accuracy."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    train, test = texts_of(raw, "train"), texts_of(raw, "test")
    labels = labels_of(raw, "train")
    start = time.perf_counter()
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    model.fit(train, labels)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": float(model.score(test, labels_of(raw, "test")))}


def train_experiment(experiment: str, raw: str, epochs: int | None) -> dict[str, float]:
    """Train the experiment from texts; returns seconds and test accuracy. `epochs` limits the training."""
    from moodring.corpus.arrays import read_split
    from moodring.models.scoring import score
    from moodring.training import network, sequence
    from moodring.training.inputs import TrainingData

    params = experiment_params(experiment)
    if epochs:
        fitted = params.train.model_copy(update={"epochs": epochs})
        params = params.model_copy(update={"train": fitted})
    table = pq.read_table(raw)
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        start = time.perf_counter()
        corpus = Path(directory, "corpus")
        vocabulary = write_clean_corpus(corpus, Path(directory, "clean.parquet"), table, params)
        train, validation = read_split(corpus, "train"), read_split(corpus, "validation")
        model, _ = network.train_network(params, TrainingData(len(vocabulary), train, validation))
        seconds = time.perf_counter() - start
        test = read_split(corpus, "test")
        scores = score(model, test.texts, sequence.padding_of(params))
        right = (scores >= params.evaluate.threshold) == test.labels
        return {"seconds": seconds, "accuracy": float(right.mean())}
