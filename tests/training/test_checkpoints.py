"""A killed training continues from its checkpoint and gives exactly the same result."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moodring.errors import MoodringError
from moodring.models.keras_files import stable_bytes
from moodring.params.arch import HeadParams, RecurrentParams
from moodring.params.pipeline import Params
from moodring.params.training import EarlyStopping, Schedule
from moodring.training.checkpoints import Progress, State
from moodring.training.inputs import Hooks
from moodring.training.network import train_network
from tests.conftest import dropout, random_embedding
from tests.training.test_network import DATA, LENGTH

EPOCHS = 6


class KilledError(Exception):
    """Simulates the end of the process."""


@dataclass(frozen=True)
class Interrupted:
    """A training that ran to its end, and its checkpoint after each epoch."""

    params: Params
    whole: bytes
    history: pd.DataFrame
    checkpoints: dict[int, Path]

    def continue_after(self, epoch: int, directory: Path) -> list[int]:
        """Continue from a checkpoint and check the result; returns the reported epochs."""
        checkpoint = Path(shutil.copy(self.checkpoints[epoch], directory / "state.npz"))
        continued, history, reported = trained(self.params, checkpoint)
        pd.testing.assert_frame_equal(history, self.history, check_exact=True)
        assert continued == self.whole
        return reported


def chosen(params: Params, patience: int = EPOCHS, optimizer: str = "adam", **arch: object) -> Params:
    """A tiny LSTM with every kind of dropout."""
    rates = dropout(embedding=0.3, input=0.2, recurrent=0.2)
    kinds = {"dropout": rates, "head": HeadParams(units=0, dropout=0.3)}
    small = (
        params.recurrent_archs["lstm"].model_dump()
        | kinds
        | {"embedding": random_embedding(4), "units": 4}
        | arch
    )
    data = params.datasets["imdb"].model_copy(update={"max_length": LENGTH})
    fitted = {
        "epochs": EPOCHS,
        "batch_size": 8,
        "buckets": 1,
        "optimizer": optimizer,
        "learning_rate": 0.02,
        "early_stopping": EarlyStopping(monitor="val_loss", patience=patience),
    }
    return params.model_copy(
        update={
            "dataset": "imdb",
            "datasets": {"imdb": data},
            "arch": "lstm",
            "archs": {"lstm": RecurrentParams.model_validate(small)},
            "train": params.train.model_copy(update=fitted),
        }
    )


def trained(
    params: Params, checkpoint: Path | None = None, kill_after: int | None = None
) -> tuple[bytes, pd.DataFrame, list[int]]:
    """Train; returns the bytes of the model, the history and the reported epochs. Keeps each checkpoint."""
    reported: list[int] = []

    def report(epoch: int, metrics: dict[str, float]) -> None:
        if checkpoint:
            shutil.copy(checkpoint, checkpoint_of(checkpoint, epoch))
        if epoch == kill_after:
            raise KilledError
        reported.append(epoch)

    model, history = train_network(params, DATA, Hooks(report, checkpoint))
    return stable_bytes(model), history, reported


def checkpoint_of(checkpoint: Path, epoch: int) -> Path:
    return checkpoint.with_stem(f"{checkpoint.stem}-{epoch}")


def interrupted(params: Params, directory: Path) -> Interrupted:
    """Train to the end, then train again with a kill in the report of the last epoch."""
    whole, history, _ = trained(params)
    with pytest.raises(KilledError):
        trained(params, directory / "state.npz", len(history))
    epochs = range(1, len(history) + 1)
    return Interrupted(
        params, whole, history, {epoch: checkpoint_of(directory / "state.npz", epoch) for epoch in epochs}
    )


@pytest.fixture(scope="module")
def by_optimizer(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Interrupted]:
    """A function that returns the training of an optimiser. Each trains once."""

    @functools.cache
    def of(optimizer: str) -> Interrupted:
        return interrupted(chosen(params, optimizer=optimizer), tmp_path_factory.mktemp(optimizer))

    return of


@pytest.mark.parametrize(
    ("optimizer", "killed_after"), [("adam", 1), ("adam", EPOCHS), ("rmsprop", 3), ("sgd", 3)]
)
def test_a_killed_training_gives_the_same_result_as_an_uninterrupted_one(
    by_optimizer: Callable[[str], Interrupted], tmp_path: Path, optimizer: str, killed_after: int
):
    reported = by_optimizer(optimizer).continue_after(killed_after, tmp_path)
    assert reported == list(range(killed_after + 1, EPOCHS + 1))


def test_checkpoints_do_not_change_the_result(by_optimizer: Callable[[str], Interrupted], tmp_path: Path):
    adam = by_optimizer("adam")
    assert trained(adam.params, tmp_path / "state.npz")[0] == adam.whole


@pytest.fixture(scope="module")
def all_states(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    """A training with every feature that has a state in the checkpoint."""
    embedding = {**random_embedding(4).model_dump(), "vectors": "glove-6b-50d", "frozen_epochs": 2}
    tiny = chosen(params, embedding=embedding)
    more = {
        "weight_averaging": 0.9,
        "clip_norm": 1.0,
        "schedule": Schedule(kind="cosine", warmup=0.1),
        "label_smoothing": 0.1,
    }
    tiny = tiny.model_copy(update={"train": tiny.train.model_copy(update=more)})
    return interrupted(tiny, tmp_path_factory.mktemp("all_states"))


@pytest.mark.parametrize("killed_after", [1, 3, EPOCHS])
def test_a_killed_training_with_every_feature_gives_the_same_result(
    all_states: Interrupted, tmp_path: Path, killed_after: int
):
    all_states.continue_after(killed_after, tmp_path)


def test_early_stopping_keeps_its_counter_and_best_weights(params: Params, tmp_path: Path):
    # With this high learning rate the loss soon rises again.
    fast = chosen(params, patience=2)
    fast = fast.model_copy(update={"train": fast.train.model_copy(update={"learning_rate": 1.5})})
    stopped = interrupted(fast, tmp_path)
    epochs = len(stopped.history)
    assert epochs < EPOCHS, "early stopping must end this training"
    for killed_after in (epochs - 1, epochs):
        (tmp_path / str(killed_after)).mkdir()
        stopped.continue_after(killed_after, tmp_path / str(killed_after))


def test_a_loaded_state_equals_the_saved_one(tmp_path: Path):
    rows = [{"epoch": 1, "loss": 0.1 + 0.2, "accuracy": 1 / 3, "val_loss": 0.7, "val_accuracy": 0.5}]
    progress = Progress(rows, wait=1, best=0.7, best_epoch=0, stopped=True)
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([1, 2], dtype=np.uint32), np.array(3)]
    State(progress, arrays, arrays[:1]).save(tmp_path / "state.npz")
    state = State.load(tmp_path / "state.npz")
    assert state is not None
    assert state.progress == progress
    for loaded, saved in zip(state.variables + state.best_weights, arrays + arrays[:1], strict=True):
        np.testing.assert_array_equal(loaded, saved, strict=True)


def test_more_than_ten_arrays_keep_their_order(tmp_path: Path):
    State(Progress([]), [np.array(number) for number in range(12)], []).save(tmp_path / "state.npz")
    state = State.load(tmp_path / "state.npz")
    assert state is not None
    assert [int(array) for array in state.variables] == list(range(12))


def test_a_missing_file_gives_no_state(tmp_path: Path):
    assert State.load(tmp_path / "state.npz") is None


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04cut off"])
def test_a_damaged_checkpoint_is_an_error(tmp_path: Path, content: bytes):
    (tmp_path / "state.npz").write_bytes(content)
    with pytest.raises(MoodringError, match=r"state\.npz.*train from the first epoch"):
        State.load(tmp_path / "state.npz")
