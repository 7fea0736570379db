"""`obstacles` agrees with Keras: for the models that are built, and for their batches."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any, Literal

import keras
import numpy as np
import pytest
from keras import layers

from moodring.corpus.batches import Padding, pad, plan
from moodring.corpus.ragged import Ragged
from moodring.doctor.fused import obstacles
from moodring.experiments.named import merged
from moodring.params.arch import RecurrentParams
from moodring.params.file import load_params, parse_params, read_yaml
from moodring.params.pipeline import Params
from moodring.training.architectures import build
from moodring.training.sequence import padding_of
from tests.conftest import ROOT, dropout, random_embedding

ARCHS = sorted(load_params(ROOT / "params.yaml").recurrent_archs)
DATASETS = sorted(load_params(ROOT / "params.yaml").datasets)
EXPERIMENTS = sorted(file.stem for file in (ROOT / "experiments").glob("*.yaml"))
BACKENDS = ("tensorflow", "jax", "torch")
WORDS = 20
Cell = Literal["rnn", "lstm", "gru"]


@dataclass
class Kernels:
    """A substitute for cuDNN's kernels: returns zeros, and records the inputs' shapes and the masks."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)
    masks: list[Any] = field(default_factory=list)

    def lstm(self, inputs: Any, state: Any, carry: Any, *rest: Any) -> tuple[Any, Any, list[Any]]:
        last, outputs = self._note(inputs, state, mask=rest[-4], return_sequences=rest[-1])
        return last, outputs, [last, last]

    def gru(self, inputs: Any, state: Any, *rest: Any) -> tuple[Any, Any, list[Any]]:
        last, outputs = self._note(inputs, state, mask=rest[-4], return_sequences=rest[-1])
        return last, outputs, [last]

    def _note(self, inputs: Any, state: Any, mask: Any, return_sequences: bool) -> tuple[Any, Any]:
        self.shapes.append(tuple(inputs.shape))
        self.masks.append(mask)
        last = keras.ops.zeros_like(state)
        return last, keras.ops.repeat(last[:, None], inputs.shape[1] if return_sequences else 1, axis=1)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Kernels:
    """Keras' TensorFlow backend as on a machine with a GPU; its calls of cuDNN come here."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("PyTorch and JAX look at the device itself")
    stand_in = Kernels()
    backend = importlib.import_module("keras.src.backend.tensorflow.rnn")
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(backend, "_cudnn_lstm", stand_in.lstm)
    monkeypatch.setattr(backend, "_cudnn_gru", stand_in.gru)
    return stand_in


def settings_of(name: str) -> Params:
    """The parameters of an experiment, or params.yaml with another choice, `ARCH on DATASET`."""
    tree = read_yaml(ROOT / "params.yaml")
    if name in EXPERIMENTS:
        return parse_params(merged(tree, read_yaml(ROOT / "experiments" / f"{name}.yaml")), name)
    arch, _, dataset = name.partition(" on ")
    return parse_params({**tree, "arch": arch, "dataset": dataset}, name)


SETTINGS = [*EXPERIMENTS, *(f"{arch} on {dataset}" for arch in ARCHS for dataset in DATASETS)]
FUSED = [name for name in SETTINGS if not obstacles(settings_of(name).recurrent, "tensorflow")]


def texts_of(lengths: list[int]) -> Ragged:
    """Random texts of these lengths, in tokens."""
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(rng.integers(2, WORDS, int(offsets[-1]), dtype=np.uint16), offsets)


def recurrent_of(model: keras.Model) -> keras.layers.Layer:
    """The model's one recurrent layer; the forward one if it is bidirectional."""
    inner = [
        layer.forward_layer if isinstance(layer, layers.Bidirectional) else layer for layer in model.layers
    ]
    (found,) = [layer for layer in inner if isinstance(layer, layers.RNN)]
    return found


def small(params: RecurrentParams) -> RecurrentParams:
    return params.model_copy(
        update={
            "embedding": random_embedding(4),
            "units": 3,
            "dropout": dropout(recurrent=params.dropout.recurrent),
        }
    )


def uses_fused_kernel(params: RecurrentParams, kernels: Kernels) -> bool:
    """Whether the built model calls cuDNN, in training and in inference."""
    model, ids = build(small(params), WORDS, 6), np.ones((2, 6), np.int32)
    model(ids, training=True)
    in_training = len(kernels.shapes)
    model(ids, training=False)
    assert len(kernels.shapes) == 2 * in_training
    assert in_training in {0, 2 if params.bidirectional else 1}
    return in_training > 0


@pytest.mark.parametrize("name", ARCHS)
def test_a_committed_architecture_uses_the_fused_kernel_exactly_if_it_has_no_obstacle(
    params: Params, kernels: Kernels, name: str
) -> None:
    arch = params.recurrent_archs[name]
    assert uses_fused_kernel(arch, kernels) == (obstacles(arch, "tensorflow") == [])


@pytest.mark.parametrize("recurrent_dropout", [0.0, 0.25])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize(
    ("pooling", "padding"), [("last", "bucket"), ("max", "bucket"), ("flatten", "fixed")]
)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_any_architecture_uses_the_fused_kernel_exactly_if_it_has_no_obstacle(
    params: Params,
    kernels: Kernels,
    cell: Cell,
    pooling: str,
    padding: str,
    bidirectional: bool,
    recurrent_dropout: float,
) -> None:
    changes = {
        "cell": cell,
        "pooling": pooling,
        "padding": padding,
        "bidirectional": bidirectional,
        "dropout": dropout(input=0.25, recurrent=recurrent_dropout),  # dropout of the inputs is no obstacle
    }
    arch = RecurrentParams(**{**params.recurrent_archs["lstm"].model_dump(), **changes})
    assert uses_fused_kernel(arch, kernels) == (obstacles(arch, "tensorflow") == [])


@pytest.mark.parametrize("name", FUSED)
def test_every_bucket_goes_to_the_kernel_in_one_call_without_a_mask(kernels: Kernels, name: str) -> None:
    settings = settings_of(name)
    arch, padding = settings.recurrent, padding_of(settings)
    model = build(small(arch), WORDS, padding.max_length)
    # All lengths, with empty and truncated texts, in batches of different sizes.
    texts = texts_of(list(range(padding.max_length + 10)))
    batches = plan(texts.lengths, padding, batch_size=15, rng=np.random.default_rng(0))
    expected = []
    for batch in batches:
        model(pad(texts, batch), training=True)
        expected += [(len(batch.rows), batch.length, 4)] * (2 if arch.bidirectional else 1)
    assert kernels.shapes == expected
    assert all(mask is None for mask in kernels.masks)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_bucket_has_one_length_above_0_and_there_are_at_most_the_given_number_of_buckets(
    name: str,
) -> None:
    settings = settings_of(name)
    padding = padding_of(settings)
    found = padding.lengths(np.arange(2 * padding.max_length))
    assert found.min() > 0
    assert found.max() == padding.max_length
    assert len(np.unique(found)) <= padding.buckets
    if settings.recurrent.padding == "fixed":
        assert set(found) == {padding.max_length}


def test_batches_of_a_corpus_have_at_most_two_shapes_a_bucket() -> None:
    # A compiling backend compiles each shape once: full batches, and the last batch of the bucket.
    padding, lengths = Padding(380, 20), np.random.default_rng(1).integers(0, 500, 5000)
    shapes = {
        (len(batch.rows), batch.length)
        for epoch in range(3)
        for batch in plan(lengths, padding, 64, np.random.default_rng(epoch))
    }
    assert len(shapes) <= 2 * padding.buckets


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_built_layer_meets_the_conditions_of_each_backend(
    params: Params, monkeypatch: pytest.MonkeyPatch, cell: Cell, bidirectional: bool, backend: str
) -> None:
    pytest.importorskip(backend)
    of_backend = importlib.import_module(f"keras.src.backend.{backend}.rnn")
    has_gpu = "_is_cuda_cudnn_available" if backend == "torch" else "_is_gpu_available"
    monkeypatch.setattr(of_backend, has_gpu, lambda: True)
    changes = {"cell": cell, "bidirectional": bidirectional}
    layer = recurrent_of(build(small(params.recurrent_archs["lstm"].model_copy(update=changes)), WORDS, 6))
    conditions = {
        "activation": layer.activation,
        "recurrent_activation": layer.recurrent_activation,
        "unroll": layer.unroll,
        "use_bias": layer.use_bias,
    }
    assert of_backend.cudnn_ok(**conditions)
    assert not of_backend.cudnn_ok(**{**conditions, "activation": keras.activations.relu})
    if cell == "gru":
        assert layer.reset_after


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("cell", "fused_by"),
    [("lstm", {"tensorflow", "jax", "torch"}), ("gru", {"tensorflow", "torch"}), ("rnn", set())],
)
def test_a_cell_has_a_fused_kernel_in_the_right_backends(
    params: Params, cell: Cell, fused_by: set[str], backend: str
) -> None:
    arch = params.recurrent_archs["lstm"].model_copy(update={"cell": cell, "dropout": dropout()})
    assert (obstacles(arch, backend) == []) == (backend in fused_by)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_dropout_is_an_obstacle_in_every_backend(params: Params, cell: Cell, backend: str) -> None:
    arch = params.recurrent_archs["lstm"].model_copy(
        update={"cell": cell, "dropout": dropout(recurrent=0.25)}
    )
    assert any("dropout.recurrent is 0.25" in reason for reason in obstacles(arch, backend))


@pytest.mark.parametrize(
    ("cell", "backend", "parts"),
    [
        ("rnn", "tensorflow", ["SimpleRNN", "dropout.recurrent"]),
        ("gru", "jax", ["KERAS_BACKEND=tensorflow", "dropout.recurrent"]),
        ("lstm", "jax", ["dropout.recurrent"]),
    ],
)
def test_all_obstacles_are_reported_together(
    params: Params, cell: Cell, backend: str, parts: list[str]
) -> None:
    arch = params.recurrent_archs["lstm"].model_copy(
        update={"cell": cell, "dropout": dropout(recurrent=0.25)}
    )
    reasons = obstacles(arch, backend)
    assert len(reasons) == len(parts)
    for part, reason in zip(parts, reasons, strict=True):
        assert part in reason
