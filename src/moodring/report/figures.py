"""Plots of the training history and of the evaluation, as CSV and PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from moodring.io.files import replacing

HALF = 0.5
SIZE_INCHES = (5.0, 4.0)
DPI = 110
# Shares of the figure. A computed layout takes twice the time, and only the long names of slices need it.
MARGINS = {"left": 0.14, "right": 0.97, "bottom": 0.16, "top": 0.92}
NAME = 40  # longest name of a slice in a plot, in characters
NEGATIVE, POSITIVE, NEUTRAL = "#c44e52", "#3a76af", "#8c8c8c"


def learning_curves(axes: Axes, history: pd.DataFrame) -> None:
    """Training and validation loss by epoch, with a line at the lowest validation loss."""
    axes.plot(history["epoch"], history["loss"], marker="o", color=NEUTRAL, label="train")
    axes.plot(history["epoch"], history["val_loss"], marker="o", color=POSITIVE, label="validation")
    best = history.loc[history["val_loss"].idxmin()]
    axes.axvline(best["epoch"], color=NEUTRAL, linestyle=":", label="lowest validation loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(title="Learning curves", xlabel="epoch", ylabel="log loss (nats)")
    axes.legend(frameon=False)


def confusion(axes: Axes, table: pd.DataFrame) -> None:
    """Confusion matrix: counts and row shares, actual by predicted labels."""
    names = ["negative", "positive"]
    counts = table.pivot(index="actual", columns="predicted", values="rows").loc[names, names].to_numpy()
    shares = counts / counts.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            axes.text(
                column,
                row,
                f"{counts[row, column]:,}\n{shares[row, column]:.1%}",
                ha="center",
                va="center",
                color="white" if shares[row, column] > HALF else "black",
            )
    axes.set(title="Confusion", xlabel="predicted", ylabel="actual")
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names, rotation=90, va="center")


def roc(axes: Axes, curve: pd.DataFrame) -> None:
    """True positive rate by false positive rate."""
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linestyle=":", label="chance")
    axes.plot(curve["false_positive_rate"], curve["true_positive_rate"], color=POSITIVE, label="model")
    axes.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    _unit_square(axes)


def precision_recall(axes: Axes, curve: pd.DataFrame) -> None:
    """Precision by recall."""
    axes.plot(curve["recall"], curve["precision"], color=POSITIVE, label="model")
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    _unit_square(axes)


def calibration(axes: Axes, table: pd.DataFrame) -> None:
    """Share of positives by mean score. The area of a marker shows the number of rows."""
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linestyle=":", label="perfect")
    axes.plot(table["score"], table["positive_share"], color=POSITIVE, label="model")
    axes.scatter(
        table["score"],
        table["positive_share"],
        s=20 + 200 * table["rows"] / table["rows"].max(),
        color=POSITIVE,
    )
    axes.set(title="Calibration", xlabel="mean score", ylabel="share of positives")
    _unit_square(axes)


def scores(axes: Axes, table: pd.DataFrame) -> None:
    """Histograms of the scores of each class."""
    for label, color in (("negative", NEGATIVE), ("positive", POSITIVE)):
        part = table[table["label"] == label]
        axes.bar(part["score"], part["rows"], width=1 / len(part), color=color, alpha=0.6, label=label)
    axes.set(title="Scores by class", xlabel="score (probability of positive)", ylabel="texts", xlim=(0, 1))
    axes.legend(frameon=False)


def by_length(axes: Axes, table: pd.DataFrame) -> None:
    """Accuracy by length of text."""
    names = [
        f"{low}" if low == high else f"{low}-{high}"
        for low, high in zip(table["shortest"], table["longest"], strict=True)
    ]
    bars = axes.bar(names, table["accuracy"], color=POSITIVE)
    axes.bar_label(bars, [f"{accuracy:.0%}" for accuracy in table["accuracy"]], fontsize=8)
    axes.set(title="Accuracy by length", xlabel="tokens", ylabel="accuracy", ylim=(0, 1.08))
    axes.tick_params(axis="x", labelrotation=30)


def slices(axes: Axes, table: pd.DataFrame) -> None:
    """Accuracy by slice; a mark shows the baseline's."""
    names = [f"{row.name}: {row.group} ({row.rows:,})" for row in table.itertuples(index=False)]
    places = range(len(table))  # not the names: two long ones may have the same short form
    axes.barh(places, table["accuracy"], color=POSITIVE, label="model")
    axes.scatter(table["baseline_accuracy"], places, marker="|", s=120, color="black", label="baseline")
    axes.set_yticks(places, [_plain(name) for name in names], fontsize=8)
    axes.invert_yaxis()
    axes.set(title="Accuracy by slice", xlabel="accuracy", xlim=(0, 1))
    axes.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    if (figure := axes.get_figure(root=True)) is not None:
        figure.set_layout_engine("constrained")
        figure.set_figheight(max(SIZE_INCHES[1], 1.5 + 0.22 * len(table)))


FIGURES: dict[str, Callable[[Axes, pd.DataFrame], None]] = {
    "learning_curves": learning_curves,
    "confusion": confusion,
    "roc": roc,
    "precision_recall": precision_recall,
    "calibration": calibration,
    "scores": scores,
    "by_length": by_length,
    "slices": slices,
}


def write_plots(directory: Path, tables: dict[str, pd.DataFrame], history: pd.DataFrame) -> None:
    """Write each table as NAME.csv and NAME.png, and the history as learning_curves.png.

    Equal tables give equal bytes. The directory is written completely or not at all.

    Args:
        directory: the directory to write.
        tables: the data of each plot; the keys are names of `FIGURES`.
        history: one row for each epoch.
    """
    with replacing(directory) as fresh:
        fresh.mkdir()
        for name, table in tables.items():
            table.to_csv(fresh / f"{name}.csv", index=False, lineterminator="\n")
        for name, table in {"learning_curves": history, **tables}.items():
            figure = Figure(figsize=SIZE_INCHES, dpi=DPI)
            figure.subplots_adjust(**MARGINS)
            axes = figure.subplots()
            axes.spines[["top", "right"]].set_visible(False)
            FIGURES[name](axes, table)
            figure.savefig(fresh / f"{name}.png", metadata={"Software": None})


def _plain(name: str) -> str:
    short = name if len(name) <= NAME else f"{name[: NAME - 3]}..."
    return short.replace("$", r"\$")  # a plain $ would begin a formula


def _unit_square(axes: Axes) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.legend(frameon=False)
