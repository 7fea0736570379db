"""What is said of fused kernels holds for the models that are built."""

from __future__ import annotations

from typing import Any, Literal

import keras
import pytest
from keras import layers

from moodring.architectures import build
from moodring.fused import obstacles
from moodring.params import ArchParams, Params, load_params
from tests.conftest import ROOT

ARCHS = sorted(load_params(ROOT / "params.yaml").archs)
BACKENDS = ("tensorflow", "jax", "torch")
Cell = Literal["rnn", "lstm", "gru"]


def recurrent_of(model: keras.Model) -> keras.layers.Layer:
    """The model's one recurrent layer, also inside a bidirectional one."""
    inner = [
        layer.forward_layer if isinstance(layer, layers.Bidirectional) else layer for layer in model.layers
    ]
    (found,) = [layer for layer in inner if isinstance(layer, layers.RNN)]
    return found


def takes_fused_kernel(params: ArchParams) -> bool:
    """Keras' own conditions, asked of the built model."""
    model = build(params.model_copy(update={"embedding": 4, "units": 3}), 20, 6)
    layer = recurrent_of(model)
    asked: dict[str, Any] = layer.get_config()
    masked = [
        each for each in model.layers if isinstance(each, layers.Masking) or getattr(each, "mask_zero", False)
    ]
    return (
        isinstance(layer, (layers.LSTM, layers.GRU))
        and asked["activation"] == "tanh"
        and asked["recurrent_activation"] == "sigmoid"
        and asked["use_bias"]
        and not asked["unroll"]
        and asked.get("reset_after", True)
        and asked["recurrent_dropout"] == 0
        and layer.use_cudnn in ("auto", True)
        and not masked
    )


@pytest.mark.parametrize("name", ARCHS)
def test_a_committed_architecture_takes_the_fused_kernel_exactly_if_nothing_is_in_its_way(
    params: Params, name: str
) -> None:
    assert takes_fused_kernel(params.archs[name]) == (obstacles(params.archs[name], "tensorflow") == [])


@pytest.mark.parametrize("recurrent_dropout", [0.0, 0.25])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize(
    ("pooling", "padding"), [("last", "bucket"), ("max", "bucket"), ("flatten", "fixed")]
)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_so_does_any_other(
    params: Params,
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
        "dropout": 0.25,  # on the inputs it is in nothing's way
        "recurrent_dropout": recurrent_dropout,
    }
    arch = ArchParams(**{**params.archs["lstm"].model_dump(), **changes})
    assert takes_fused_kernel(arch) == (obstacles(arch, "tensorflow") == [])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("cell", "fused_by"),
    [("lstm", {"tensorflow", "jax", "torch"}), ("gru", {"tensorflow", "torch"}), ("rnn", set())],
)
def test_a_cell_is_fused_by_the_backends_that_have_its_kernel(
    params: Params, cell: Cell, fused_by: set[str], backend: str
) -> None:
    arch = params.archs["lstm"].model_copy(update={"cell": cell, "recurrent_dropout": 0.0})
    assert (obstacles(arch, backend) == []) == (backend in fused_by)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_dropout_is_in_the_way_everywhere(params: Params, cell: Cell, backend: str) -> None:
    arch = params.archs["lstm"].model_copy(update={"cell": cell, "recurrent_dropout": 0.25})
    assert any("recurrent_dropout is 0.25" in told for told in obstacles(arch, backend))


@pytest.mark.parametrize(
    ("cell", "backend", "parts"),
    [
        ("rnn", "tensorflow", ["SimpleRNN", "recurrent_dropout"]),
        ("gru", "jax", ["KERAS_BACKEND=tensorflow", "recurrent_dropout"]),
        ("lstm", "jax", ["recurrent_dropout"]),
    ],
)
def test_everything_in_the_way_is_told_at_once(
    params: Params, cell: Cell, backend: str, parts: list[str]
) -> None:
    arch = params.archs["lstm"].model_copy(update={"cell": cell, "recurrent_dropout": 0.25})
    told = obstacles(arch, backend)
    assert len(told) == len(parts)
    for part, one in zip(parts, told, strict=True):
        assert part in one
