"""Decides from the parameters alone whether a recurrent layer can use a GPU library's fused kernel.

Keras' conditions are in the documentation of its LSTM and GRU, and in each backend's `cudnn_ok`. Most are
Keras' defaults, which `architectures.build` keeps: tanh and sigmoid, a bias, no unrolling, `reset_after` for
GRU. Masks must be absent or pad on the right; Moodring uses none. Recurrent dropout must be 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodring.params.arch import RecurrentParams


def obstacles(params: RecurrentParams, backend: str) -> list[str]:
    """Reasons why a recurrent layer cannot use the fused kernel on a GPU; empty: it can use it.

    Args:
        params: the block of the layer's architecture.
        backend: Keras' name of the backend: tensorflow, jax or torch.
    """
    found = []
    if params.cell == "rnn":
        found.append("Keras has no fused kernel for SimpleRNN; use cell: lstm or cell: gru")
    if params.cell == "gru" and backend == "jax":
        found.append(
            "Keras' JAX backend has a cuDNN kernel for LSTM only; use KERAS_BACKEND=tensorflow for GRU"
        )
    if params.dropout.recurrent:
        found.append(f"dropout.recurrent is {params.dropout.recurrent}; set it to 0.0")
    return found
