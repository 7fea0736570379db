"""Checks of Keras: its backend, its GPUs, and the fused kernel of the chosen architecture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from moodring.checkout.backend import check_backend, import_keras, installed_version
from moodring.doctor.findings import Finding
from moodring.doctor.fused import obstacles
from moodring.errors import MoodringError
from moodring.params.arch import RecurrentParams
from moodring.params.pipeline import Params


def check_keras(params: Params | None) -> Iterator[Finding]:
    """The backend with its devices, and whether the chosen architecture can use the fused kernel.

    Args:
        params: None: params.yaml is not valid; then the kernel is not checked.
    """
    try:
        name = check_backend()
        import_keras()
        import keras

        devices = [str(device) for device in keras.distribution.list_devices()]
    except (MoodringError, ImportError, ValueError, RuntimeError) as error:
        yield Finding("bad", "backend", f"Keras does not start: {error}", "unset KERAS_BACKEND; make install")
        return
    gpus = [device for device in devices if device.lower().startswith(("gpu", "cuda"))]
    yield Finding("ok", "backend", f"{name} {installed_version(name)} on {', '.join(devices)}")
    if not gpus and shutil.which("nvidia-smi"):
        yield Finding(
            "note", "GPU", f"there is an NVIDIA driver, but {name} sees no GPU", "make install LOCKED=gpu"
        )
    if params is not None and isinstance(params.architecture, RecurrentParams):
        yield _fused_kernel(params.arch, params.architecture, name, gpus)


def _fused_kernel(arch: str, block: RecurrentParams, backend: str, gpus: list[str]) -> Finding:
    reasons = obstacles(block, backend)
    if reasons:
        return Finding(
            "note",
            "fused kernel",
            f"not for {arch}: {'; '.join(reasons)}",
            "change these settings, or accept slower training steps",
        )
    if gpus:
        return Finding("ok", "fused kernel", f"{arch} uses it on {gpus[0]}")
    return Finding("ok", "fused kernel", f"{arch} would use it on a GPU; this machine has none")
