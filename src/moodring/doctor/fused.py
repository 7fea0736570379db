"""Whether a recurrent layer may run a GPU library's fused kernel, by its parameters alone.

What Keras asks for (its LSTM and GRU documentation, and each backend's `cudnn_ok`): tanh and sigmoid, a
bias, no unrolling, for GRU `reset_after`: all Keras' own defaults, which `architectures.build` keeps; and
no recurrent dropout, and no mask or one that pads on the right: Moodring uses none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodring.params.arch import RecurrentParams


def obstacles(params: RecurrentParams, backend: str) -> list[str]:
    """Why an architecture's recurrent layer cannot take the fused path on a GPU; empty: it can.

    Args:
        params: the architecture's.
        backend: Keras' name of it: tensorflow, jax or torch.
    """
    found = []
    if params.cell == "rnn":
        found.append("Keras has no fused kernel for SimpleRNN; cell: lstm or gru has one")
    if params.cell == "gru" and backend == "jax":
        found.append(
            "Keras' JAX backend has a cuDNN kernel for LSTM only; KERAS_BACKEND=tensorflow has GRU's"
        )
    if params.dropout.recurrent:
        found.append(f"dropout.recurrent is {params.dropout.recurrent}; set it to 0.0")
    return found
