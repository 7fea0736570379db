"""Whether a fused kernel ran: it watches the calls, because Keras falls back without a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.gpu.device import BACKEND, CPU, gpu
from moodring.doctor.fused import obstacles

if TYPE_CHECKING:
    from moodring.params.arch import RecurrentParams


@contextmanager
def fused_calls() -> Iterator[list[str]]:
    """Collect the names of cuDNN's recurrent kernels that the block calls."""
    calls: list[str] = []
    if BACKEND == "torch":
        import torch

        # PyTorch chooses the kernel below torch.nn: for some dtypes its LSTM runs another one.
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            yield calls
        calls += [event.key for event in profile.key_averages() if event.key == "aten::_cudnn_rnn"]
        return
    owner, name = kernel_of_keras()
    kernel = getattr(owner, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        result = kernel(*args, **kwargs)
        calls.append(name)
        return result

    with patch.object(owner, name, watched):
        yield calls


def kernel_of_keras() -> tuple[Any, str]:
    """The module, and the name in it, from which Keras takes the kernel at each call."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops, "CudnnRNNV3"
    from jax.experimental import rnn

    return rnn, "lstm"


def why_not(params: RecurrentParams, *, requested: bool) -> str:
    """The reason why a model did not use the fused kernel."""
    if found := obstacles(params, BACKEND):
        return "; ".join(found)
    if not requested:
        return "not requested"
    return CPU if not gpu() else "Keras called no cuDNN kernel, although no obstacle is known"
