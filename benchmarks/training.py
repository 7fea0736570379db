"""Compares training with the notebooks and PyTorch, and measures the time between its steps."""

from __future__ import annotations

import importlib.util
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import (
    corpus_directory,
    experiment_params,
    labels_of,
    raw_file,
    stop_words_in_order,
    texts_of,
)
from benchmarks.measure import ROOT, SMALL_ROWS, Plan, alternate, in_child
from benchmarks.report import Row, Target

VALIDATION = 0.1
NOT_LOWER = Target("at least", 1)
OVERHEAD = Target("at most", 1.1)
SPEED = (
    "Samples a second in the training steps from the second epoch on, without validation. Batches are padded "
    "during the training. Both sides train on nine tenths of the training texts."
)
ACCURACY = (
    "After {epochs} epochs. The rival has the weights of the last epoch, we have those of the epoch that is "
    "best on the validation split. Each side scores the test texts that it encoded itself."
)
TORCH = "Without recurrent dropout, which `nn.LSTM` does not have. All texts have one length. No validation."
NO_TORCH = "PyTorch is not installed: `pip install -e '.[benchmarks]'`."
INSIDE = (
    "With the MLflow store and the checkpoint, like the train stage. Steps: the time between Keras' "
    "callbacks around each step, in the same training, with the wait for the batch."
)
APART = (
    "The same training again, without callbacks around steps and without the first epoch, which traces. "
    "Steps: the model's compiled functions on the same batches as tensors in memory."
)


def train_imdb(directory: Path, plan: Plan) -> list[Row]:
    """The IMDB LSTM of the notebook's size."""
    return _rows(directory, plan, "imdb-lstm", "the IMDB notebook", 1.8)


def train_twitter(directory: Path, plan: Plan) -> list[Row]:
    """The Twitter LSTM of the notebook's size."""
    return _rows(directory, plan, "twitter-lstm", "the Twitter notebook", 8)


def _rows(directory: Path, plan: Plan, experiment: str, rival: str, faster: float) -> list[Row]:
    raw = raw_file(directory, experiment, plan.cut(None, SMALL_ROWS))
    corpus = corpus_directory(directory, experiment, raw)
    arrays = str(directory / f"{raw.stem}.npz")
    in_child(make_arrays, experiment=experiment, raw=str(raw), path=arrays)
    pieces = [
        partial(in_child, train_notebook, experiment=experiment, arrays=arrays, epochs=plan.epochs),
        partial(in_child, train_ours, experiment=experiment, corpus=str(corpus), epochs=plan.epochs),
    ]
    has_torch = importlib.util.find_spec("torch") is not None
    if has_torch:
        pieces.append(
            partial(in_child, train_torch, experiment=experiment, arrays=arrays, epochs=plan.epochs)
        )
    theirs, ours, *others = alternate(pieces, plan.repeats)
    speeds = [[found["speed"] for found in side] for side in (theirs, ours)]
    right = [[found["accuracy"] for found in side] for side in (theirs, ours)]
    fast, note = Target("at least", faster), ACCURACY.format(epochs=plan.epochs)
    rows = [
        Row("training speed", "samples/s", rival, speeds[0], speeds[1], "ours / rival", fast, SPEED),
        Row("test accuracy", "share", rival, right[0], right[1], "ours / rival", NOT_LOWER, note),
    ]
    torch = [found["speed"] for side in others for found in side]
    beside, note = (speeds[1], TORCH) if has_torch else ([], NO_TORCH)
    rival = "PyTorch `nn.LSTM`"
    return [*rows, Row("training speed", "samples/s", rival, torch, beside, "ours / rival", None, note)]


def make_arrays(experiment: str, raw: str, path: str) -> None:
    """Write the notebook's padded arrays and labels as one `.npz` file."""
    import numpy as np

    from benchmarks import notebooks

    train, test = (texts_of(raw, split) for split in ("train", "test"))
    if experiment == "imdb-lstm":
        x_train, x_test, tokenizer = notebooks.imdb_arrays(
            *(list(map(notebooks.rm_tags, part)) for part in (train, test))
        )
    else:
        cleaning = notebooks.TwitterCleaning(stop_words_in_order())
        x_train, x_test, tokenizer = notebooks.twitter_arrays(cleaning, train, test)
    y_train, y_test = (np.array(labels_of(raw, split)) for split in ("train", "test"))
    words = len(tokenizer.word_index) + 1
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, words=words)


def train_notebook(experiment: str, arrays: str, epochs: int) -> dict[str, float]:
    """Train and evaluate as the notebook does; returns samples a second and accuracy."""
    import keras
    import numpy as np

    from benchmarks import notebooks
    from benchmarks.clocks import EpochClock

    data = np.load(arrays)
    x_train, y_train = data["x_train"], data["y_train"]
    keras.utils.set_random_seed(7)
    imdb = experiment == "imdb-lstm"
    model = notebooks.imdb_model() if imdb else notebooks.twitter_model(int(data["words"]))
    clock = EpochClock()
    model.fit(
        x_train,
        y_train,
        validation_split=VALIDATION,
        batch_size=notebooks.IMDB_BATCH if imdb else notebooks.TWITTER_BATCH,
        epochs=epochs,
        callbacks=[clock],
        verbose=2,  # no progress bar, as in our training
    )
    accuracy = model.evaluate(data["x_test"], data["y_test"], verbose=0)[1]
    rows = int(len(x_train) * (1 - VALIDATION))
    return {"speed": _speed(rows, clock.seconds), "accuracy": float(accuracy)}


def train_ours(experiment: str, corpus: str, epochs: int) -> dict[str, float]:
    """Train with Moodring and score the test split; returns samples a second and accuracy."""
    import keras

    from benchmarks.clocks import EpochClock, attach
    from moodring.corpus.arrays import read_split, read_vocabulary
    from moodring.models.scoring import score
    from moodring.training import network, sequence
    from moodring.training.architectures import build
    from moodring.training.inputs import TrainingData

    params = experiment_params(experiment)
    path = Path(corpus)
    train, validation, test = (read_split(path, name) for name in ("train", "validation", "test"))
    padding = sequence.padding_of(params)
    keras.utils.set_random_seed(params.seed)
    model = build(params.recurrent, len(read_vocabulary(path)), params.data.max_length)
    clock = EpochClock()
    attach(model, clock)
    params = params.model_copy(update={"train": params.train.model_copy(update={"epochs": epochs})})
    network.fit_network(model, params, TrainingData(len(read_vocabulary(path)), train, validation))
    right = (score(model, test.texts, padding) >= params.evaluate.threshold) == test.labels
    return {"speed": _speed(len(train.labels), clock.seconds), "accuracy": float(right.mean())}


def train_torch(experiment: str, arrays: str, epochs: int) -> dict[str, float]:
    """Train a PyTorch model of the same size; returns samples a second."""
    import numpy as np

    from benchmarks.torch_lstm import epoch_seconds

    data = np.load(arrays)
    rows = int(len(data["x_train"]) * (1 - VALIDATION))
    params = experiment_params(experiment)
    words = int(data["words"]) if experiment == "twitter-lstm" else params.data.tokenize.max_tokens
    seconds = epoch_seconds(
        data["x_train"][:rows],
        data["y_train"][:rows],
        words,
        params.recurrent,
        params.train.batch_size,
        epochs,
    )
    return {"speed": _speed(rows, seconds)}


def _speed(rows: int, seconds: list[float]) -> float:
    """Samples a second in all epochs except the first, which also traces and warms up."""
    if len(seconds) < 2:  # noqa: PLR2004
        raise ValueError(f"at least two epochs are needed, received the seconds {seconds}")
    return rows / statistics.median(seconds[1:])


def train_overhead(directory: Path, plan: Plan) -> list[Row]:
    """Wall time of our training, divided by the sum of its steps."""
    rows = []
    for experiment in ("imdb-lstm", "twitter-lstm", "params"):
        # Short texts train for all epochs of their parameters: tracing takes the largest share there.
        own = experiment_params(experiment).train.epochs
        epochs = plan.epochs if plan.small or experiment == "imdb-lstm" else own
        raw = raw_file(directory, experiment, plan.cut(None, SMALL_ROWS))
        corpus = corpus_directory(directory, experiment, raw)
        piece = partial(in_child, time_training, experiment=experiment, corpus=str(corpus), epochs=epochs)
        (found,) = alternate([piece], plan.repeats)
        name = "Twitter with params.yaml" if experiment == "params" else experiment
        for figure, ours, theirs, target, note in (
            ("epochs / steps inside", "wall", "inside", OVERHEAD, INSIDE),
            ("later epochs / separate steps", "later_wall", "apart", None, APART),
        ):
            steps, walls = ([times[field] for times in found] for field in (theirs, ours))
            compared = f"{name}, {epochs} epochs: {figure}"
            rows.append(Row(compared, "s", "its steps", steps, walls, "ours / rival", target, note))
    return rows


def time_training(experiment: str, corpus: str, epochs: int) -> dict[str, float]:
    """Train like the train stage, with store and checkpoint, and measure the same steps separately."""
    import keras

    from benchmarks.clocks import StepClock, WallClock, attach
    from moodring.corpus.arrays import read_split, read_vocabulary
    from moodring.io.digests import tree_sha256
    from moodring.tracking.attempts import key_of
    from moodring.tracking.lifecycle import training_run
    from moodring.training import network, sequence
    from moodring.training.architectures import build
    from moodring.training.inputs import Hooks, TrainingData

    params = experiment_params(experiment)
    path = Path(corpus)
    train, validation = (read_split(path, name) for name in ("train", "validation"))
    words = len(read_vocabulary(path))
    data = tree_sha256(path)
    key = key_of(params.of_model(), data, ROOT / "stages" / "train.py")
    fitted = params.model_copy(update={"train": params.train.model_copy(update={"epochs": epochs})})
    padding = sequence.padding_of(params)

    def trained(clock: WallClock) -> Any:
        with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
            os.environ["DVC_ROOT"] = directory
            os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///mlflow.db"  # in DVC_ROOT
            os.chdir(directory)
            with training_run(params, data, key) as run:
                keras.utils.set_random_seed(params.seed)
                model = build(params.recurrent, words, params.data.max_length)
                attach(model, clock)
                hooks = Hooks(run.log_epoch, run.attempt.checkpoint)
                network.fit_network(model, fitted, TrainingData(words, train, validation), hooks)
            os.chdir(ROOT)
        return model

    steps, walls = StepClock(), WallClock()
    trained(steps)
    model = trained(walls)
    apart = []
    for epoch in range(1, len(walls.walls)):
        batches = sequence.BatchSequence(train, padding, fitted.train.batch_size, params.seed, epoch)
        held_out = sequence.BatchSequence(validation, padding, fitted.train.batch_size)
        apart.append(_steps_apart(model, batches, held_out))
    return {
        "wall": sum(steps.walls),
        "inside": steps.inside,
        "later_wall": sum(walls.walls[1:]),
        "apart": sum(apart),
    }


def _steps_apart(model: Any, train: Any, validation: Any) -> float:
    """Seconds of an epoch's steps: the compiled functions on batches that are tensors already."""
    import keras

    parts = [
        (step, [tuple(map(keras.ops.convert_to_tensor, batches[index])) for index in range(len(batches))])
        for step, batches in ((model.train_function, train), (model.test_function, validation))
    ]
    for step, tensors in parts:
        by_length = {batch[0].shape: batch for batch in tensors}
        for batch in by_length.values():  # trace this shape if it is new
            step(iter([batch]))
    start = time.perf_counter()
    for step, tensors in parts:
        for batch in tensors:
            step(iter([batch]))
    return time.perf_counter() - start
