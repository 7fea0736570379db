"""Fitting the chosen architecture, whatever its kind, to what a result's directory holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from moodring.corpus import Split
from moodring.params import NbsvmParams, Params
from moodring.results import LINEAR, Settings, write_result
from moodring.vectors import Aligned

EpochMetrics = dict[str, float]
Writer = Callable[[Path], None]


def fit(
    params: Params,
    vocabulary_size: int,
    train: Split,
    validation: Split,
    on_epoch: Callable[[int, EpochMetrics], None] = lambda epoch, metrics: None,
    checkpoint: Path | None = None,
    vectors: Aligned | None = None,
) -> Writer:
    """Fit the chosen architecture; see `training.train` and `nbsvm.fit`.

    Returns:
        What writes the result's directory, whole or not at all.
    """
    if isinstance(params.architecture, NbsvmParams):
        return _linear(params, params.architecture, vocabulary_size, train, validation, on_epoch)
    from moodring import training
    from moodring.model_files import write_model

    matrix = vectors.matrix if vectors else None
    coverage = vectors.coverage(train.texts.tokens) if vectors else None
    model, history = training.train(params, vocabulary_size, train, validation, on_epoch, checkpoint, matrix)
    settings = training.settings_of(params, vocabulary_size, model, history, coverage)
    return lambda path: write_model(path, model, history, settings)


def _linear(
    params: Params,
    arch: NbsvmParams,
    vocabulary_size: int,
    train: Split,
    validation: Split,
    on_epoch: Callable[[int, EpochMetrics], None],
) -> Writer:
    from moodring import nbsvm

    model = nbsvm.fit(arch, train, params.seed)
    history = nbsvm.history(model, train, validation)
    on_epoch(1, {str(name): float(value) for name, value in history.drop(columns="epoch").iloc[0].items()})
    settings = Settings(
        max_length=nbsvm.WHOLE.max_length,
        buckets=nbsvm.WHOLE.buckets,
        vocabulary_size=vocabulary_size,
        weights=len(model.weights) + 1,
        best_epoch=1,
        params=params.of_training(),
    )
    return lambda path: write_result(path, LINEAR, model.save, history, settings)
