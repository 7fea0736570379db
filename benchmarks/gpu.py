"""How fast Moodring's models train and predict on this machine's GPU, and whether Keras' fused kernels run.

    KERAS_BACKEND=torch python benchmarks/gpu.py --json torch.json --markdown torch.md

Needs numpy, Keras and its backend (tensorflow, jax or torch), nothing else of Moodring's requirements. Each
row is one model of `moodring.architectures.build` at one size and precision, fitted as `moodring.training`
fits it (Adam, cross-entropy, accuracy, batches of numpy arrays), or the backend's bare fused kernel on
the same shapes: forward and backward, with the gradients of inputs and weights, and nothing else.

A model's row says whether the fused kernel ran by having watched for it while the first steps ran, not by
what was asked: Keras falls back in silence.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))  # this checkout's, as in stages/
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from moodring.doctor.fused import obstacles
from moodring.training.architectures import CELLS, build

if TYPE_CHECKING:
    from moodring.params.arch import RecurrentParams

BACKEND = str(keras.backend.backend())
PRECISIONS = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
CPU = "CPU: no fused kernel runs here"
WARM_UP_STEPS = 2  # all batches have one shape: compiled with the first


@dataclass(frozen=True)
class Embedding:
    """The fields of `moodring.params.arch.EmbeddingParams`."""

    size: int
    vectors: str = "none"
    frozen_epochs: int = 0


@dataclass(frozen=True)
class Dropout:
    """The fields of `moodring.params.arch.DropoutParams`."""

    embedding: float = 0.0
    spatial: float = 0.0
    input: float = 0.0
    recurrent: float = 0.0
    output: float = 0.0


@dataclass(frozen=True)
class Head:
    """The fields of `moodring.params.arch.HeadParams`."""

    units: int = 0
    dropout: float = 0.0


@dataclass(frozen=True)
class Arch:
    """The fields of `moodring.params.arch.RecurrentParams` that `build` and `obstacles` read."""

    cell: str
    embedding: Embedding
    units: int
    kind: str = "recurrent"
    bidirectional: bool = False
    dropout: Dropout = Dropout()
    pooling: str = "last"
    head: Head = Head()
    padding: str = "fixed"  # static shapes; the layers are the same as with length buckets


@dataclass(frozen=True)
class Size:
    """What is trained at one size: rows of the embedding, tokens of a text, texts of a batch."""

    vocabulary: int
    length: int
    batch: int
    archs: dict[str, Arch]


# The settings of experiments/*.yaml; `rnn`, which no experiment has, is its LSTM's model with another cell.
IMDB_LSTM = Arch("lstm", Embedding(32), units=32, dropout=Dropout(embedding=0.2), head=Head(256, 0.2))
IMDB = Size(
    vocabulary=3800,
    length=380,
    batch=256,
    archs={
        "rnn": replace(IMDB_LSTM, cell="rnn"),
        "lstm": IMDB_LSTM,
        "bilstm": Arch(
            "lstm",
            embedding=Embedding(32),
            units=32,
            bidirectional=True,
            dropout=Dropout(embedding=0.5),
            pooling="flatten",
            head=Head(dropout=0.5),
        ),
        "gru": replace(IMDB_LSTM, cell="gru"),
    },
)
TWITTER_LSTM = Arch("lstm", Embedding(200), units=100, dropout=Dropout(input=0.2, recurrent=0.2))
TWITTER = Size(vocabulary=10_734, length=200, batch=64, archs={"lstm": TWITTER_LSTM})
SIZES = {
    "imdb": IMDB,
    "twitter": TWITTER,
    # The same without what keeps it off the fused path.
    "twitter-state-kept": replace(TWITTER, archs={"lstm": replace(TWITTER_LSTM, dropout=Dropout(input=0.2))}),
    "imdb-512": replace(IMDB, archs={name: replace(arch, units=512) for name, arch in IMDB.archs.items()}),
}
QUICK_SIZES = ("imdb", "twitter")


def shrunk(size: Size) -> Size:
    """The same models, so small that they tell nothing but that they run."""
    archs = {
        name: replace(
            arch, embedding=Embedding(4), units=3, head=replace(arch.head, units=min(arch.head.units, 5))
        )
        for name, arch in size.archs.items()
    }
    return Size(vocabulary=50, length=6, batch=4, archs=archs)


@dataclass
class Row:
    """One measurement; a figure that could not be taken is None, and `note` says why.

    `train_seconds` and `predict_seconds` are those of each repeat of `steps` batches; the rates, in
    texts a second, are of their medians. `of_bare` is the training rate over that of the bare kernel.
    `fused_asked` is None where the layer has no `use_cudnn`; `jit_compile` is what Keras chose by itself.
    """

    what: str
    size: str
    arch: str
    units: int
    length: int
    batch: int
    precision: str
    fused_asked: bool | None
    fused_taken: bool | None = None
    jit_compile: bool | None = None
    train_samples_per_s: float | None = None
    predict_samples_per_s: float | None = None
    of_bare: float | None = None
    failed: bool = False
    note: str = ""
    train_seconds: list[float] = field(default_factory=list)
    predict_seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Effort:
    """Batches of a repeat, repeats, and the seconds after which no further repeat begins."""

    steps: int
    repeats: int
    budget: float


# A repeat's end has to wait for the device: each timed function returns only what it has read from it.


class SameBatch(keras.utils.PyDataset):
    """One batch of made texts again and again: ids (batch, length) int32, labels (batch, 1) float32."""

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
    """The seconds of each epoch, without Keras' own around it, until the budget is spent."""

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
        """Wait for the last loss and the last update, and stop; Keras calls this."""
        self.loss = float(logs["loss"])
        keras.ops.convert_to_numpy(self.model.trainable_weights[-1])
        self.seconds.append(time.perf_counter() - self.start)
        self.model.stop_training = sum(self.seconds) > self._budget

    def on_predict_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Start; Keras calls this."""
        self.start = time.perf_counter()


def measure_model(row: Row, arch: Arch, size: Size, effort: Effort) -> None:
    """Fit and predict with the project's own model; fills in the row."""
    keras.mixed_precision.set_dtype_policy(row.precision)
    params = cast("RecurrentParams", arch)  # `build` and `obstacles` read its fields and no more
    # Unless told, LSTM and GRU have use_cudnn="auto", as in the pipeline.
    unfused = {arch.cell: partial(CELLS[arch.cell], use_cudnn=False)} if row.fused_asked is False else {}
    with patch.dict(CELLS, unfused):
        model = build(params, size.vocabulary, size.length)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    row.jit_compile = bool(model.jit_compile)

    with fused_calls() as calls:
        model.fit(SameBatch(size, WARM_UP_STEPS), verbose=0, shuffle=False)
    row.fused_taken = bool(calls)
    if not row.fused_taken:
        row.note = why_not(params, asked=row.fused_asked is not False)

    clock = Clock(effort.budget)
    batches = SameBatch(size, effort.steps)
    model.fit(batches, epochs=effort.repeats, verbose=0, shuffle=False, callbacks=[clock])
    row.train_seconds = clock.seconds
    row.train_samples_per_s = rate(row.train_seconds, size, effort)
    if not math.isfinite(clock.loss):
        row.note = "; ".join(filter(None, [row.note, f"the loss is {clock.loss}"]))

    model.predict(SameBatch(size, WARM_UP_STEPS), verbose=0)
    while len(row.predict_seconds) < effort.repeats and sum(row.predict_seconds) <= effort.budget:
        model.predict(batches, verbose=0, callbacks=[clock])  # returns an array of the host
        row.predict_seconds.append(time.perf_counter() - clock.start)
    row.predict_samples_per_s = rate(row.predict_seconds, size, effort)


def measure_bare(row: Row, arch: Arch, size: Size, effort: Effort) -> None:
    """The backend's fused kernel alone; fills in the row."""
    if BACKEND != "torch" and not gpu():
        raise NotImplementedError(f"{CPU}, and {BACKEND}'s has no other form")
    bare = {"tensorflow": bare_tensorflow, "jax": bare_jax, "torch": bare_torch}[BACKEND]
    step, wait = bare(arch, size, PRECISIONS[row.precision])
    with fused_calls() as calls:
        for _ in range(WARM_UP_STEPS):
            wait(step())
    row.fused_taken = bool(calls)
    if not row.fused_taken:
        row.note = CPU if not gpu() else f"{BACKEND} called no cuDNN kernel"
    while len(row.train_seconds) < effort.repeats and sum(row.train_seconds) <= effort.budget:
        start = time.perf_counter()
        for _ in range(effort.steps):
            done = step()
        wait(done)
        row.train_seconds.append(time.perf_counter() - start)
    row.train_samples_per_s = rate(row.train_seconds, size, effort)


# Each gives a function that puts forward and backward once on the device's queue and returns the gradients
# of inputs and weights, and one that waits for what the first returned (by reading a little of it).
Bare = tuple[Callable[[], Any], Callable[[Any], Any]]


def bare_tensorflow(arch: Arch, size: Size, dtype: str) -> Bare:
    """The operation that Keras' LSTM and GRU call, batch first, with cuDNN's one flat array of weights."""
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
    """The function that Keras' LSTM calls; JAX has none for GRU."""
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
    """torch.nn.LSTM or GRU, batch first."""
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
    """Of one layer as cuDNN counts: each gate has two matrices and two biases."""
    gates = {"lstm": 4, "gru": 3}[arch.cell]
    sides = 2 if arch.bidirectional else 1
    return sides * gates * arch.units * (arch.embedding.size + arch.units + 2)


@contextmanager
def fused_calls() -> Iterator[list[str]]:
    """Collect the names of the cuDNN kernels of recurrent layers that are called inside."""
    calls: list[str] = []
    if BACKEND == "torch":
        import torch

        # Only below torch.nn is it decided: a dtype may send its LSTM to another kernel.
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
    """Where Keras looks up the kernel each time that it calls it: a module, and the name in it."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops, "CudnnRNNV3"
    from jax.experimental import rnn

    return rnn, "lstm"


def why_not(params: RecurrentParams, *, asked: bool) -> str:
    """Why a model did not take the fused path."""
    if found := obstacles(params, BACKEND):
        return "; ".join(found)
    if not asked:
        return "not asked for"
    return CPU if not gpu() else "Keras called no cuDNN kernel, though nothing is known to be in its way"


def gpu() -> str:
    """The name of the backend's first GPU; empty: it sees none."""
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
    """Whether float32 products may be rounded to TF32 (10 bits of mantissa), by the backend's setting."""
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


def rate(seconds: list[float], size: Size, effort: Effort) -> float:
    """Texts a second, of the median repeat."""
    return effort.steps * size.batch / statistics.median(seconds)


def attempt(row: Row, measure: Callable[[], None]) -> Row:
    """Measure; what goes wrong becomes the row's note, and the next row begins with free memory."""
    try:
        measure()
    except Exception as error:  # noqa: BLE001 - one combination must not cost the other rows; it is told
        told = (str(error).strip() or "no message").splitlines()[0]
        row.failed, row.note = True, f"{type(error).__name__}: {told:.300}"
    finally:
        keras.utils.clear_session()  # collects garbage too
        if BACKEND == "torch":
            import torch

            torch.cuda.empty_cache()
    return row


def rows_of(sizes: dict[str, Size], archs: list[str], precisions: list[str], effort: Effort) -> Iterator[Row]:
    """Measure one after the other: of each model the bare kernel, then with and without the fused path."""
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
                    bare = row(what="bare kernel", fused_asked=True)
                    yield attempt(bare, partial(measure_bare, bare, arch, size, effort))
                # Where something is in the way of the fused path anyway, both would be the same program.
                clear = not obstacles(cast("RecurrentParams", arch), BACKEND)
                choices = (True, False) if clear else (None if arch.cell == "rnn" else True,)
                for asked in choices:
                    model = row(what="model", fused_asked=asked)
                    attempt(model, partial(measure_model, model, arch, size, effort))
                    if bare and bare.train_samples_per_s and model.train_samples_per_s:
                        model.of_bare = model.train_samples_per_s / bare.train_samples_per_s
                    yield model


HEADER = """\
| what | size | arch | units | precision | fused asked | fused taken | training samples/s | inference samples/s | of bare | note |
| --- | --- | --- | --: | --- | --- | --- | --: | --: | --: | --- |"""  # noqa: E501


def line(row: Row) -> str:
    """The row of the Markdown table."""

    def figure(value: float | None, digits: int = 0) -> str:
        return "-" if value is None else f"{value:,.{digits}f}"

    def told(value: bool | None) -> str:
        return "-" if value is None else "yes" if value else "no"

    cells = [
        row.what,
        row.size,
        row.arch,
        str(row.units),
        row.precision,
        told(row.fused_asked),
        told(row.fused_taken),
        figure(row.train_samples_per_s),
        figure(row.predict_samples_per_s),
        figure(row.of_bare, 2),
        ("failed: " if row.failed else "") + row.note.replace("|", "\\|"),
    ]
    return f"| {' | '.join(cells)} |"


def heading(about: dict[str, Any]) -> str:
    """Machine, versions and effort in two lines."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"{about['device']}; {versions}; TF32: {about['tf32']}.\n"
        f"Median of {about['repeats']} repeats of {about['steps']} batches after compilation.\n"
    )


def main() -> None:
    """Measure, and write what has been measured after every row: a run that is cut off loses one."""
    options = parse()
    effort = Effort(options.steps, options.repeats, options.budget)
    about = {
        "device": gpu() or CPU,
        "backend": BACKEND,
        "versions": {
            "Python": platform.python_version(),
            "keras": keras.__version__,
            BACKEND: str(import_module(BACKEND).__version__),
            "numpy": np.__version__,
        },
        "tf32": tf32(),
        "quick": options.quick,
        **asdict(effort),
    }
    print(f"{heading(about)}\n{HEADER}", flush=True)
    sizes = {name: shrunk(SIZES[name]) if options.quick else SIZES[name] for name in options.size}
    rows: list[Row] = []
    for row in rows_of(sizes, options.arch, options.precision, effort):
        rows.append(row)
        print(line(row), flush=True)
        if options.json:
            tree = {**about, "rows": [asdict(each) for each in rows]}
            options.json.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
        if options.markdown:
            lines = [heading(about), HEADER, *map(line, rows)]
            options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    failed = sum(row.failed for row in rows)
    print(f"\n{len(rows)} rows, {failed} without a figure", file=sys.stderr)


def parse() -> argparse.Namespace:
    """The command line; an option that is not given means all of its choices."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, few steps: whether it runs at all")
    parser.add_argument("--arch", action="append", choices=list(IMDB.archs), help="repeatable")
    parser.add_argument("--size", action="append", choices=list(SIZES), help="repeatable")
    parser.add_argument("--precision", action="append", choices=list(PRECISIONS), help="repeatable")
    parser.add_argument("--steps", type=positive, help="batches of a repeat (20; quick: 2)")
    parser.add_argument("--repeats", type=positive, help="repeats of which the median counts (5; quick: 2)")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds after which none begins (10)")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    options = parser.parse_args()
    options.arch = options.arch or list(IMDB.archs)
    options.size = options.size or list(QUICK_SIZES if options.quick else SIZES)
    options.precision = options.precision or (["float32"] if options.quick else list(PRECISIONS))
    options.steps = options.steps or (2 if options.quick else 20)
    options.repeats = options.repeats or (2 if options.quick else 5)
    return options


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be above 0, received: {text}")
    return number


if __name__ == "__main__":
    main()
