"""Where a result's files are, and what is made of them together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from moodring.corpus.arrays import VOCABULARY
from moodring.errors import MoodringError
from moodring.evaluation.calibration import NONE
from moodring.io.digests import sha256, tree_sha256
from moodring.io.files import read_json
from moodring.params.pipeline import Params
from moodring.serving import scorer
from moodring.tracking import attempts
from moodring.training.embeddings import has_vectors


@dataclass(frozen=True)
class ResultFiles:
    """Where the files of a result are; by default, where the pipeline writes them.

    `stage` is the code that trained: it tells apart what a killed training left.
    """

    clean: Path = Path("data/clean.parquet")
    corpus: Path = Path("data/corpus")
    models: Path = Path("models")
    metrics: Path = Path("metrics/test.json")
    slices: Path = Path("metrics/slices.json")
    plots: Path = Path("metrics/plots")
    report: Path = Path("report")
    stage: Path = Path("stages/train.py")
    vectors: Path = Path("data/vectors.parquet")

    def write_bundle(self, bundle: Path, params: Params) -> None:
        """Put all that scoring raw text needs into one directory; see `serving.TextScorer`.

        Raises:
            MoodringError: a file is missing or damaged.
        """
        vocabulary, threshold = self.corpus / VOCABULARY, params.evaluate.threshold
        temperature = read_json(self.metrics).get("temperature", NONE)  # an older result has none
        scorer.write_bundle(bundle, self.models, vocabulary, self.clean, threshold, temperature)

    def attempt_key(self, params: Params) -> str:
        """The key of the attempt that a training of this result makes.

        Raises:
            MoodringError: as `data_sha256`.
        """
        return attempts.key_of(params.of_model(), self.data_sha256(params), self.stage)

    def data_sha256(self, params: Params) -> str:
        """One SHA-256 over the data that a training reads: the corpus, and vectors where it has any.

        Raises:
            MoodringError: the vectors cannot be read.
        """
        corpus = tree_sha256(self.corpus)
        if not has_vectors(params):
            return corpus
        try:
            return hashlib.sha256(f"{corpus}\t{sha256(self.vectors)}\n".encode()).hexdigest()
        except OSError as error:
            raise MoodringError(
                f"cannot read {self.vectors}: {error}. Run `dvc repro` to make it."
            ) from error
