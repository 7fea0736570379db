"""A result with a linear model: real files, made in a second, that load without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from moodring.corpus.arrays import read_split, write_corpus
from moodring.evaluation.calibration import Calibration, write_calibration
from moodring.io.tables import StoredTable, write_table
from moodring.models.nbsvm import WHOLE, fit_nbsvm, history_of
from moodring.models.result import LINEAR, Settings, write_result
from moodring.params.arch import NbsvmParams
from moodring.params.data import TokenizeParams
from moodring.params.pipeline import Params
from moodring.serving.result_files import ResultFiles
from moodring.text.cleaner import Cleaner
from tests.conftest import cleaned, generated_table


def write_linear_result(root: Path, params: Params, oov: str = "mark") -> ResultFiles:
    """Write the files of a result below a checkout's root."""
    files = ResultFiles(
        clean=root / "data/clean.parquet",
        corpus=root / "data/corpus",
        models=root / "models",
        calibration=root / "metrics/calibration.json",
    )
    cleaner = Cleaner(params.datasets["imdb"].preprocess)
    write_table(files.clean, cleaned(generated_table(), cleaner)[0])
    tokenize = TokenizeParams.model_validate({"max_tokens": 100, "min_count": 1, "oov": oov})
    vocabulary = write_corpus(files.corpus, StoredTable(files.clean), tokenize)
    train, validation = (read_split(files.corpus, split) for split in ("train", "validation"))
    arch = params.archs["nbsvm"]
    assert isinstance(arch, NbsvmParams)
    model = fit_nbsvm(arch, train, seed=7)
    settings = Settings(WHOLE.max_length, WHOLE.buckets, len(vocabulary), model.size, 1, {})
    write_result(files.models, {LINEAR: model.save}, history_of(model, train, validation), settings)
    write_calibration(files.calibration, Calibration("none"))
    return files
