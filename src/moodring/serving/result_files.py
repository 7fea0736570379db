"""The files of a result, and what is computed from several of them: digests, scorer, bundle."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from moodring.corpus.arrays import VOCABULARY
from moodring.corpus.vocabulary import Vocabulary
from moodring.errors import MoodringError
from moodring.evaluation.calibration import read_temperature
from moodring.io.digests import sha256, tree_sha256
from moodring.io.tables import StoredTable
from moodring.models.load import read_model
from moodring.models.result import read_settings
from moodring.params.pipeline import Params
from moodring.serving.scorer import TextScorer, write_bundle
from moodring.text.clean_table import cleaner_of
from moodring.tracking import attempts
from moodring.training.embeddings import has_vectors


@dataclass(frozen=True)
class ResultFiles:
    """The places of a result's files; by default, the places where the pipeline writes them.

    `stage` is the code that trained; the key of a training's attempt depends on it.
    """

    clean: Path = Path("data/clean.parquet")
    corpus: Path = Path("data/corpus")
    models: Path = Path("models")
    metrics: Path = Path("metrics/test.json")
    calibration: Path = Path("metrics/calibration.json")
    slices: Path = Path("metrics/slices.json")
    plots: Path = Path("metrics/plots")
    report: Path = Path("report")
    stage: Path = Path("stages/train.py")
    vectors: Path = Path("data/vectors.parquet")
    data: Path = Path("metrics/data.json")

    def scorer(self, params: Params) -> TextScorer:
        """The scorer of raw texts.

        Raises:
            MoodringError: a file is missing or damaged.
        """
        return TextScorer(
            cleaner_of(StoredTable(self.clean)),
            Vocabulary.load(self.corpus / VOCABULARY),
            read_model(self.models),
            read_settings(self.models),
            params.evaluate.threshold,
            read_temperature(self.calibration),
        )

    def write_bundle(self, bundle: Path, params: Params) -> None:
        """Write all files that scoring raw text needs into one directory; see `TextScorer.from_bundle`.

        Raises:
            MoodringError: a file is missing or damaged.
        """
        vocabulary, threshold = self.corpus / VOCABULARY, params.evaluate.threshold
        temperature = read_temperature(self.calibration)
        write_bundle(bundle, self.models, vocabulary, self.clean, threshold, temperature)

    def attempt_key(self, params: Params, data_sha256: str) -> str:
        """The key of the attempt of a training with these parameters.

        Args:
            params: the parameters.
            data_sha256: from `data_sha256`; reading the whole corpus takes seconds, so it is read once.
        """
        return attempts.key_of(params.of_model(), data_sha256, self.stage)

    def corpus_sha256(self) -> str:
        """One SHA-256 over the corpus: the same texts have the same, whatever the vectors are."""
        return tree_sha256(self.corpus)

    def data_sha256(self, params: Params, corpus: str | None = None) -> str:
        """One SHA-256 over the data that a training reads: the corpus, and the vectors if it has any.

        Args:
            params: the parameters.
            corpus: from `corpus_sha256`, if it is known.

        Raises:
            MoodringError: the vectors cannot be read.
        """
        corpus = corpus or self.corpus_sha256()
        if not has_vectors(params):
            return corpus
        try:
            return hashlib.sha256(f"{corpus}\t{sha256(self.vectors)}\n".encode()).hexdigest()
        except OSError as error:
            raise MoodringError(
                f"cannot read {self.vectors}: {error}. Run `dvc repro` to make it."
            ) from error
