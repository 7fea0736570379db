"""Train the chosen architecture, of any kind, and write the result's directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from moodring.checkout.backend import import_keras
from moodring.models.blend import BlendWeights, check_folds, out_of_fold_logits
from moodring.models.nbsvm import WHOLE, Nbsvm, fit_nbsvm, history_of, judge
from moodring.models.result import BLEND, LINEAR, MODEL, Settings, write_result
from moodring.models.scoring import Predictor, score
from moodring.params.arch import NbsvmParams
from moodring.params.pipeline import Params
from moodring.training.inputs import NO_HOOKS, Hooks, TrainingData

Writer = Callable[[Path], None]


def train_model(params: Params, data: TrainingData, hooks: Hooks = NO_HOOKS) -> Writer:
    """Train the chosen architecture; see `train_network` and `fit_nbsvm`.

    Returns:
        A function that writes the result's directory, whole or not at all.

    Raises:
        MoodringError: training diverged, the checkpoint is damaged, or the validation split is too small to
            judge a blend.
    """
    if isinstance(params.architecture, NbsvmParams):
        return _train_linear(params, params.architecture, data, hooks)
    import_keras()
    from moodring.models.keras_files import save_model, write_model
    from moodring.training.network import settings_of, train_network

    linear_params = params.recurrent.blended_nbsvm
    if linear_params is not None:  # before the long training
        check_folds(data.validation.labels, params.recurrent.stacking.folds, params.arch)
    network, history = train_network(params, data, hooks)
    settings = settings_of(params, data, network, history)
    if linear_params is None:
        return lambda path: write_model(path, network, history, settings)
    linear, weights, judged = _blend(params, linear_params, network, settings, data)
    settings = replace(settings, weights=settings.weights + linear.size + 3, blended=judged)
    files = {MODEL: lambda path: save_model(path, network), LINEAR: linear.save, BLEND: weights.save}
    return lambda path: write_result(path, files, history, settings)


def _blend(
    params: Params, linear_params: NbsvmParams, network: Predictor, settings: Settings, data: TrainingData
) -> tuple[Nbsvm, BlendWeights, dict[str, float]]:
    """The linear model, the weights of the blend, and the blend's out-of-fold val_loss and val_accuracy."""
    linear = fit_nbsvm(linear_params, data.train, params.seed)
    # The linear model scores the same padded ids as the network, as it does when the blend scores.
    texts = data.validation.texts
    network_scores, linear_scores = (score(model, texts, settings.padding) for model in (network, linear))
    labels, stacking = data.validation.labels, params.recurrent.stacking
    weights = BlendWeights.fit(network_scores, linear_scores, labels, stacking.cost)
    # The weights learned from the validation split: their own rows would flatter the blend.
    logits = out_of_fold_logits(network_scores, linear_scores, labels, stacking, params.seed)
    judged = judge(logits, labels)
    return linear, weights, {"val_loss": judged.loss, "val_accuracy": judged.accuracy}


def _train_linear(params: Params, arch: NbsvmParams, data: TrainingData, hooks: Hooks) -> Writer:
    model = fit_nbsvm(arch, data.train, params.seed)
    history = history_of(model, data.train, data.validation)
    row = history.drop(columns="epoch").iloc[0]
    hooks.on_epoch(1, {str(name): float(value) for name, value in row.items()})
    settings = Settings(
        max_length=WHOLE.max_length,
        buckets=WHOLE.buckets,
        vocabulary_size=data.vocabulary_size,
        weights=model.size,
        best_epoch=1,
        params=params.of_training(),
    )
    return lambda path: write_result(path, {LINEAR: model.save}, history, settings)
