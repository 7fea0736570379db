"""The backends' bare fused kernels: forward and backward, with the gradients of inputs and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.gpu.device import gpu
from benchmarks.gpu.sizes import Arch, Size

# Two functions. The first puts one forward and one backward pass on the device's queue and returns the
# gradients of inputs and weights. The second waits for these gradients; it reads a small part of them.
Bare = tuple[Callable[[], Any], Callable[[Any], Any]]


def bare_tensorflow(arch: Arch, size: Size, dtype: str) -> Bare:
    """The operation that Keras' LSTM and GRU call: batch first, all weights in one flat array."""
    import tensorflow as tf

    sides = 2 if arch.bidirectional else 1
    inputs = tf.Variable(tf.random.normal((size.batch, size.length, arch.embedding.size), dtype=dtype))
    weights = tf.Variable(tf.random.normal((weight_count(arch),), stddev=0.05, dtype=dtype))
    state = tf.zeros((size.batch, sides, arch.units), dtype)
    lengths = tf.fill([size.batch], size.length)

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tf.GradientTape() as tape:
            outputs = tf.raw_ops.CudnnRNNV3(
                input=inputs,
                input_h=state,
                input_c=state if arch.cell == "lstm" else tf.zeros((), dtype),
                params=weights,
                sequence_lengths=lengths,
                rnn_mode=arch.cell,
                direction="bidirectional" if arch.bidirectional else "unidirectional",
                is_training=True,
                time_major=False,
            )[0]
            loss = tf.reduce_sum(tf.cast(outputs, "float32"))
        return tape.gradient(loss, [inputs, weights])

    return step, lambda gradients: [gradient[0].numpy() for gradient in gradients]


def bare_jax(arch: Arch, size: Size, dtype: str) -> Bare:
    """The function that Keras' LSTM calls; JAX has no such function for GRU."""
    import jax
    import jax.numpy as jnp
    from jax.experimental import rnn

    if arch.cell != "lstm":
        raise NotImplementedError("JAX has a cuDNN kernel for LSTM only")
    sides = 2 if arch.bidirectional else 1
    keys = jax.random.split(jax.random.key(7), 2)
    inputs = jax.random.normal(keys[0], (size.batch, size.length, arch.embedding.size), dtype)
    weights = 0.05 * jax.random.normal(keys[1], (weight_count(arch),), dtype)
    state = jnp.zeros((sides, size.batch, arch.units), dtype)
    lengths = jnp.full((size.batch,), size.length, jnp.int32)

    def loss(inputs: Any, weights: Any) -> Any:
        outputs, _, _ = rnn.lstm(
            inputs,
            state,
            state,
            weights,
            lengths,
            input_size=arch.embedding.size,
            hidden_size=arch.units,
            num_layers=1,
            dropout=0.0,
            bidirectional=arch.bidirectional,
        )
        return outputs.astype("float32").sum()

    step = jax.jit(jax.grad(loss, argnums=(0, 1)))
    return lambda: step(inputs, weights), jax.block_until_ready


def bare_torch(arch: Arch, size: Size, dtype: str) -> Bare:
    """torch.nn.LSTM or torch.nn.GRU, batch first."""
    import torch

    where = {"device": "cuda" if gpu() else "cpu", "dtype": getattr(torch, dtype)}
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[arch.cell]
    layer = kind(arch.embedding.size, arch.units, batch_first=True, bidirectional=arch.bidirectional, **where)
    inputs = torch.randn(size.batch, size.length, arch.embedding.size, **where, requires_grad=True)
    wanted = [inputs, *layer.parameters()]

    def step() -> Any:
        outputs, _ = layer(inputs)
        return torch.autograd.grad(outputs.float().sum(), wanted)

    return step, lambda gradients: [gradient[0].cpu() for gradient in gradients]


def weight_count(arch: Arch) -> int:
    """The number of weights in a layer of cuDNN: each gate has two matrices and two biases."""
    gates = {"lstm": 4, "gru": 3}[arch.cell]
    sides = 2 if arch.bidirectional else 1
    return sides * gates * arch.units * (arch.embedding.size + arch.units + 2)
