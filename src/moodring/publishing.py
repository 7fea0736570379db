"""From a result's files to its MLflow run: what evaluation does at its end, and `moodring sync` again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from moodring import serving, tracking
from moodring.corpus import VOCABULARY
from moodring.errors import MoodringError
from moodring.files import tree_sha256
from moodring.params import Params
from moodring.results import read_result


@dataclass(frozen=True)
class ResultFiles:
    """Where the files of a result are; by default, where the pipeline writes them."""

    clean: Path = Path("data/clean.parquet")
    corpus: Path = Path("data/corpus")
    models: Path = Path("models")
    metrics: Path = Path("metrics/test.json")
    slices: Path = Path("metrics/slices.json")
    plots: Path = Path("metrics/plots")

    def write_bundle(self, bundle: Path, params: Params) -> None:
        """Put all that scoring raw text needs into one directory; see `serving.TextScorer`."""
        vocabulary = self.corpus / VOCABULARY
        serving.write_bundle(bundle, self.models, vocabulary, self.clean, params.evaluate.threshold)


def publish(files: ResultFiles, params: Params) -> tracking.Recorded:
    """Complete the result's run with what stands in its files, or make the run where there is none.

    Raises:
        MoodringError: a file is missing or damaged, or the store cannot be opened.
    """
    try:
        metrics = json.loads(files.metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MoodringError(f"cannot read {files.metrics}: {error}. Run `dvc repro` to make it.") from error
    return tracking.record_evaluation(
        params,
        tree_sha256(files.corpus),
        read_result(files.models),
        metrics,
        [files.metrics, files.slices, files.plots],
        lambda bundle: files.write_bundle(bundle, params),
    )
