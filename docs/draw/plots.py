"""Pictures of numbers: forgetting, padding, a training, and the tables of docs/results.md."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from docs.draw.board import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, RULE, save
from moodring.corpus.batches import Padding

COLOURS = {"rnn": ORANGE, "lstm": BLUE, "gru": GREEN, "bilstm": PURPLE, "nbsvm": MUTED}
LENGTHS = (3, 6, 9, 11, 14, 17, 22, 29)
# The default parameters: datasets.rotten_tomatoes.max_length and train.buckets.
DEFAULT = Padding(max_length=40, buckets=10)
ROW = re.compile(r"\| `(\w+)` \| \*\*([\d.]+) %\*\* \| [\d.]+ \(([\d.]+) to ([\d.]+)\) \|")


def forgetting(path: Path) -> None:
    """Draw the share of a number that is left after k steps with the same factor."""
    figure, axes = _axes(7.2, 3.4)
    steps = np.arange(0, 101)
    for factor, colour in ((0.99, BLUE), (0.95, GREEN), (0.8, ORANGE)):
        axes.plot(steps, factor**steps, color=colour, lw=2.2)
    axes.text(62, 0.60, "factor 0.99", color=BLUE)
    axes.text(31, 0.25, "factor 0.95", color=GREEN)
    axes.text(6.5, 0.30, "factor 0.8", color=ORANGE)
    axes.set(xlabel="steps later", ylabel="share that is left", xlim=(0, 100), ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    figure.tight_layout()
    save(figure, path)


def padding(path: Path) -> None:
    """Draw the same texts twice: padded to one length, and padded to their buckets' lengths."""
    figure = Figure(figsize=(9.6, 3.3))
    left, right = figure.subplots(1, 2)
    lengths = np.array(LENGTHS)
    for axes, padded, title in (
        (left, np.full_like(lengths, DEFAULT.max_length), "all to 40"),
        (right, DEFAULT.lengths(lengths), "each to its bucket (width 4)"),
    ):
        for row, (length, width) in enumerate(zip(lengths, padded, strict=True)):
            axes.add_patch(Rectangle((40 - width, row + 0.12), width - length, 0.76, color=RULE, lw=0))
            axes.add_patch(Rectangle((40 - length, row + 0.12), length, 0.76, color=BLUE, lw=0))
        share = 1 - lengths.sum() / padded.sum()
        axes.set_title(f"{title}: {padded.sum()} steps, {share:.0%} padding", fontsize=11, color=INK)
        axes.set(xlim=(0, 40), ylim=(len(lengths), 0), yticks=[], xticks=range(0, 41, 8))
        axes.set_xlabel("the last token is on the right", color=MUTED)
        axes.spines["left"].set_visible(False)
        for boundary in range(4, 40, 4):
            axes.axvline(boundary, color="white", lw=0.8)
    figure.tight_layout()
    save(figure, path)


def learning_curve(path: Path, history: Path) -> None:
    """Draw loss and accuracy of one training on both splits, and mark the kept epoch."""
    with history.open(encoding="utf-8", newline="") as stream:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    epochs = [row["epoch"] for row in rows]
    kept = min(rows, key=lambda row: row["val_loss"])["epoch"]
    figure = Figure(figsize=(9.6, 3.4))
    for axes, name, label in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("log loss (nats)", "accuracy"), strict=True
    ):
        for column, colour, split in ((name, MUTED, "training"), (f"val_{name}", BLUE, "validation")):
            values = [row[column] for row in rows]
            axes.plot(epochs, values, color=colour, lw=2.2, marker="o", ms=4)
            axes.annotate(
                split, (epochs[-1], values[-1]), (6, 0), textcoords="offset points", color=colour, va="center"
            )
        axes.axvline(kept, color=ORANGE, lw=1.2, ls=(0, (4, 3)))
        low, high = axes.get_ylim()
        axes.text(kept + 0.06, low + 0.02 * (high - low), "kept", color=ORANGE, fontsize=10)
        axes.set(xlabel="epoch", ylabel=label, xlim=(0.8, epochs[-1] + 1.3), xticks=epochs)
    figure.axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.tight_layout()
    save(figure, path)


class Row(NamedTuple):
    """A row of a table of docs/results.md: mean, lowest and highest test accuracy in percent."""

    arch: str
    mean: float
    low: float
    high: float


def read_rows(page: Path) -> dict[str, list[Row]]:
    """The rows of the tutorial's architectures, by dataset."""
    found: dict[str, list[Row]] = {}
    for table in re.finditer(r"<!-- table: (\w+) -->\n(.*?)<!-- end -->", page.read_text("utf-8"), re.DOTALL):
        rows = [Row(arch, *map(float, numbers)) for arch, *numbers in ROW.findall(table[2])]
        found[table[1]] = [row for row in rows if row.arch in COLOURS]
    return found


def accuracies(path: Path, page: Path) -> None:
    """Draw the test accuracy of each architecture on each dataset: mean and range of the seeds."""
    tables = read_rows(page)
    figure = Figure(figsize=(9.6, 2.9))
    for axes, (dataset, rows) in zip(figure.subplots(1, len(tables)), tables.items(), strict=True):
        order = [next(row for row in rows if row.arch == arch) for arch in COLOURS]
        for place, row in enumerate(order):
            colour = COLOURS[row.arch]
            axes.plot(
                [row.low, row.high], [place, place], color=colour, lw=5, alpha=0.35, solid_capstyle="butt"
            )
            axes.plot(row.mean, place, "o", color=colour, ms=8)
        axes.set_title(dataset, fontsize=11, color=INK)
        axes.set(ylim=(len(order) - 0.5, -0.5), yticks=range(len(order)), yticklabels=list(COLOURS))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(PercentFormatter(100, decimals=0))
        axes.grid(axis="x", color=RULE, lw=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
    figure.tight_layout()
    save(figure, path, str(tables))


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()
