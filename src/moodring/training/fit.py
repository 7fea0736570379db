"""Fitting the chosen architecture, whatever its kind, to what a result's directory holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from moodring.corpus.arrays import Split
from moodring.corpus.batches import Padding
from moodring.models import nbsvm
from moodring.models.blend import Shares
from moodring.models.nbsvm import Nbsvm, judge
from moodring.models.result import BLEND, LINEAR, MODEL, Settings, write_result
from moodring.models.scoring import Predictor, log_odds, score
from moodring.params.arch import NbsvmParams
from moodring.params.pipeline import Params
from moodring.training.embeddings import Aligned

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
    from moodring.models.keras_files import save_model, write_model
    from moodring.training.network import settings_of
    from moodring.training.network import train as train_network

    matrix = vectors.matrix if vectors else None
    coverage = vectors.coverage(train.texts.tokens) if vectors else None
    network, history = train_network(params, vocabulary_size, train, validation, on_epoch, checkpoint, matrix)
    settings = settings_of(params, vocabulary_size, network, history, coverage)
    linear_params = params.recurrent.blended_nbsvm
    if linear_params is None:
        return lambda path: write_model(path, network, history, settings)
    linear, shares, judged = _blended(params, linear_params, network, settings.padding, train, validation)
    settings = replace(settings, weights=settings.weights + linear.size + 3, blended=judged)
    model = {MODEL: lambda path: save_model(path, network), LINEAR: linear.save, BLEND: shares.save}
    return lambda path: write_result(path, model, history, settings)


def _blended(
    params: Params,
    linear_params: NbsvmParams,
    network: Predictor,
    padding: Padding,
    train: Split,
    validation: Split,
) -> tuple[Nbsvm, Shares, dict[str, float]]:
    """The linear model beside a network, their shares, and the blend's val_loss and val_accuracy."""
    linear = nbsvm.fit(linear_params, train, params.seed)
    # The linear model is to see what the network sees, as it will when they score together.
    one, other = (score(model, validation.texts, padding) for model in (network, linear))
    shares = Shares.fit(one, other, validation.labels, params.recurrent.stacking.cost)
    judged = judge(log_odds(shares.blend(one, other)), validation.labels)
    return linear, shares, {"val_loss": judged.loss, "val_accuracy": judged.accuracy}


def _linear(
    params: Params,
    arch: NbsvmParams,
    vocabulary_size: int,
    train: Split,
    validation: Split,
    on_epoch: Callable[[int, EpochMetrics], None],
) -> Writer:
    model = nbsvm.fit(arch, train, params.seed)
    history = nbsvm.history(model, train, validation)
    on_epoch(1, {str(name): float(value) for name, value in history.drop(columns="epoch").iloc[0].items()})
    settings = Settings(
        max_length=nbsvm.WHOLE.max_length,
        buckets=nbsvm.WHOLE.buckets,
        vocabulary_size=vocabulary_size,
        weights=model.size,
        best_epoch=1,
        params=params.of_training(),
    )
    return lambda path: write_result(path, {LINEAR: model.save}, history, settings)
