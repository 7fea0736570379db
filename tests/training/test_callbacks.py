"""The output of a training."""

from __future__ import annotations

import re

import pytest

from moodring.params.pipeline import Params
from moodring.training.callbacks import EpochBar, epoch_line
from moodring.training.network import train_network
from tests.training.test_network import DATA, tiny, with_train

__all__ = ["tiny"]
LINE = re.compile(
    r"epoch [12]/2  loss \d\.\d{4}  accuracy \d\.\d{4}  val_loss \d\.\d{4}  val_accuracy \d\.\d{4}  \d+ s"
)


def test_a_training_prints_a_line_for_each_epoch(tiny: Params, capsys: pytest.CaptureFixture[str]) -> None:
    train_network(with_train(tiny, epochs=2), DATA)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(map(LINE.fullmatch, lines))


def test_the_longest_line_fits_100_columns() -> None:
    row = {"epoch": 1000, "loss": 10.1, "accuracy": 1.0, "val_loss": 10.1, "val_accuracy": 1.0}
    line = epoch_line(row, 1000, 36_000)
    assert line.count("loss") == 2
    assert len(line) <= 100


def test_the_progress_bar_stops_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), EpochBar([], 2) as bar:
        raise KeyboardInterrupt
    assert not bar._bar.live.is_started
