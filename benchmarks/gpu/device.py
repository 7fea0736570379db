"""Keras' backend and its GPU."""

from __future__ import annotations

import keras

BACKEND = str(keras.backend.backend())
CPU = "CPU: no fused kernel runs here"


def gpu() -> str:
    """The name of the backend's first GPU; empty: the backend sees no GPU."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        return str(details.get("device_name", "GPU")) if gpus else ""
    if BACKEND == "jax":
        import jax

        return str(jax.devices()[0].device_kind) if jax.default_backend() == "gpu" else ""
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else ""


def tf32() -> str:
    """The backend's setting for TF32: whether float32 products may be rounded to 10 bits of mantissa."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return f"allowed: {tf.config.experimental.tensor_float_32_execution_enabled()}"
    if BACKEND == "jax":
        import jax

        return f"jax_default_matmul_precision: {jax.config.jax_default_matmul_precision}"
    import torch

    return (
        f"cuDNN: {torch.backends.cudnn.allow_tf32}, other products: {torch.backends.cuda.matmul.allow_tf32}"
    )
