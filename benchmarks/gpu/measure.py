"""Measures the models and the bare kernels, one row after the other."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import keras
import numpy as np

from benchmarks.gpu.device import BACKEND, CPU, gpu
from benchmarks.gpu.fused import fused_calls, why_not
from benchmarks.gpu.kernels import bare_jax, bare_tensorflow, bare_torch
from benchmarks.gpu.rows import Row
from benchmarks.gpu.sizes import Arch, Size
from moodring.doctor.fused import obstacles
from moodring.training.architectures import CELLS, build

if TYPE_CHECKING:
    from moodring.params.arch import RecurrentParams

PRECISIONS = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
WARM_UP_STEPS = 2  # the first step compiles; all batches have one shape


@dataclass(frozen=True)
class Effort:
    """The amount of work: batches of a repeat, repeats, seconds after which no repeat begins."""

    steps: int
    repeats: int
    budget: float


# The clock must wait for the device: each timed function returns after it has read from the device.


class SameBatch(keras.utils.PyDataset):
    """Repeats one batch of random texts: ids (batch, length) int32, labels (batch, 1) float32."""

    def __init__(self, size: Size, steps: int) -> None:
        super().__init__()
        rng = np.random.default_rng(7)
        self._ids = rng.integers(1, size.vocabulary, (size.batch, size.length), dtype=np.int32)
        self._labels = rng.integers(0, 2, (size.batch, 1)).astype(np.float32)
        self._steps = steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self._ids, self._labels


class Clock(keras.callbacks.Callback):
    """Measures the seconds of each epoch, without Keras' work between epochs, until the budget is spent."""

    def __init__(self, budget: float) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.loss = math.nan
        self.start = math.nan
        self._budget = budget

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Start; Keras calls this."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Wait for the last loss and the last update, then stop; Keras calls this."""
        self.loss = float(logs["loss"])
        keras.ops.convert_to_numpy(self.model.trainable_weights[-1])
        self.seconds.append(time.perf_counter() - self.start)
        self.model.stop_training = sum(self.seconds) > self._budget

    def on_predict_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Start; Keras calls this."""
        self.start = time.perf_counter()


def measure_model(row: Row, arch: Arch, size: Size, effort: Effort) -> None:
    """Train and predict with a model of Moodring, and fill in the row."""
    keras.mixed_precision.set_dtype_policy(row.precision)
    params = cast("RecurrentParams", arch)  # `build` and `obstacles` read its fields and no more
    # By default LSTM and GRU have use_cudnn="auto", as in the pipeline.
    unfused = {arch.cell: partial(CELLS[arch.cell], use_cudnn=False)} if row.fused_requested is False else {}
    with patch.dict(CELLS, unfused):
        model = build(params, size.vocabulary, size.length)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    row.jit_compile = bool(model.jit_compile)

    with fused_calls() as calls:
        model.fit(SameBatch(size, WARM_UP_STEPS), verbose=0, shuffle=False)
    row.fused_used = bool(calls)
    if not row.fused_used:
        row.note = why_not(params, requested=row.fused_requested is not False)

    clock = Clock(effort.budget)
    batches = SameBatch(size, effort.steps)
    model.fit(batches, epochs=effort.repeats, verbose=0, shuffle=False, callbacks=[clock])
    row.train_seconds = clock.seconds
    row.train_samples_per_s = rate(row.train_seconds, size, effort)
    if not math.isfinite(clock.loss):
        row.note = "; ".join(filter(None, [row.note, f"the loss is {clock.loss}"]))

    model.predict(SameBatch(size, WARM_UP_STEPS), verbose=0)
    while len(row.predict_seconds) < effort.repeats and sum(row.predict_seconds) <= effort.budget:
        model.predict(batches, verbose=0, callbacks=[clock])  # returns an array in host memory
        row.predict_seconds.append(time.perf_counter() - clock.start)
    row.predict_samples_per_s = rate(row.predict_seconds, size, effort)


def measure_bare(row: Row, arch: Arch, size: Size, effort: Effort) -> None:
    """Run the backend's bare fused kernel, and fill in the row."""
    if BACKEND != "torch" and not gpu():
        raise NotImplementedError(f"{CPU}, and {BACKEND} has no bare kernel for the CPU")
    bare = {"tensorflow": bare_tensorflow, "jax": bare_jax, "torch": bare_torch}[BACKEND]
    step, wait = bare(arch, size, PRECISIONS[row.precision])
    with fused_calls() as calls:
        for _ in range(WARM_UP_STEPS):
            wait(step())
    row.fused_used = bool(calls)
    if not row.fused_used:
        row.note = CPU if not gpu() else f"{BACKEND} called no cuDNN kernel"
    while len(row.train_seconds) < effort.repeats and sum(row.train_seconds) <= effort.budget:
        start = time.perf_counter()
        for _ in range(effort.steps):
            done = step()
        wait(done)
        row.train_seconds.append(time.perf_counter() - start)
    row.train_samples_per_s = rate(row.train_seconds, size, effort)


def rate(seconds: list[float], size: Size, effort: Effort) -> float:
    """Texts a second of the median repeat."""
    return effort.steps * size.batch / statistics.median(seconds)


def attempt(row: Row, measure: Callable[[], None]) -> Row:
    """Measure a row. An error becomes its note, and the next row begins with free memory."""
    try:
        measure()
    except Exception as error:  # noqa: BLE001 - a failure must not stop the other rows; the note reports it
        message = (str(error).strip() or "no message").splitlines()[0]
        row.failed, row.note = True, f"{type(error).__name__}: {message:.300}"
    finally:
        keras.utils.clear_session()  # it also collects garbage
        if BACKEND == "torch":
            import torch

            torch.cuda.empty_cache()
    return row


def rows_of(sizes: dict[str, Size], archs: list[str], precisions: list[str], effort: Effort) -> Iterator[Row]:
    """Measure the rows of each model: the bare kernel, then the model with and without the fused kernel."""
    for precision in precisions:
        for size_name, size in sizes.items():
            for name in [name for name in archs if name in size.archs]:
                arch = size.archs[name]
                row = partial(
                    Row,
                    size=size_name,
                    arch=name,
                    units=arch.units,
                    length=size.length,
                    batch=size.batch,
                    precision=precision,
                )
                bare: Row | None = None
                if arch.cell != "rnn":
                    bare = row(what="bare kernel", fused_requested=True)
                    yield attempt(bare, partial(measure_bare, bare, arch, size, effort))
                # If the fused kernel has an obstacle, both would be the same program.
                clear = not obstacles(cast("RecurrentParams", arch), BACKEND)
                choices = (True, False) if clear else (None if arch.cell == "rnn" else True,)
                for requested in choices:
                    model = row(what="model", fused_requested=requested)
                    attempt(model, partial(measure_model, model, arch, size, effort))
                    if bare and bare.train_samples_per_s and model.train_samples_per_s:
                        model.of_bare = model.train_samples_per_s / bare.train_samples_per_s
                    yield model
