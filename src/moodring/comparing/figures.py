"""Figures of several results as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from moodring.collecting.parts import CURVES, curves_of
from moodring.collecting.results import BINS, Result
from moodring.comparing.colours import Line, colour_of, lines_of
from moodring.evaluation.evaluate import Scored
from moodring.evaluation.metrics import wilson

NEUTRAL = "#8c8c8c"
STYLE = {
    "svg.hashsalt": "moodring",  # without it, ids are random
    "svg.fonttype": "none",  # text stays text: small, and the browser's own font
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "text.parse_math": False,  # a name may have a $
}
NAME = 40  # longest name of a result or slice in a figure, in characters
WIDTH = 9.6  # inches
SQUARE = 3.4


def baseline_of(results: Sequence[Result]) -> Result | None:
    """The first result that has its baseline's scores and is not the baseline itself."""
    named = {result.arch for result in results}
    return next(
        (one for one in results if one.baseline_scores is not None and one.baseline not in named), None
    )


def draw_all(results: Sequence[Result], groups: Sequence[tuple[str, str]], prefix: str) -> dict[str, str]:
    """All figures that the results have data for, as elements of a page. Equal results give equal bytes.

    Args:
        results: the best first.
        groups: name and group of each slice that a result has, in order.
        prefix: of the ids in the figures; two comparisons on a page have different ones.
    """
    drawn = {}
    with mpl.rc_context(STYLE):
        for name, (draw, about) in FIGURES.items():
            figure = draw(results, groups) if name == "slices" else draw(results)
            if figure is not None:
                drawn[name] = _svg(figure, f"{prefix}-{name}", about)
    return drawn


def accuracies(results: Sequence[Result]) -> Figure:
    """Test accuracy with its 95 % interval as points, and the baseline's as a band."""
    figure, axes = _figure(1, 1.1 + 0.3 * len(results))
    names = []
    for place, (result, line) in enumerate(zip(results, lines_of(results), strict=True)):
        names.append(f"{place + 1}. {_short(result.name)}")
        if result.accuracy is None:
            continue
        low, high = result.interval or (result.accuracy, result.accuracy)
        axes[0].plot([low, high], [place, place], color=line.colour, linewidth=2.5, alpha=0.5)
        axes[0].plot([result.accuracy], [place], "o", color=line.colour, markersize=7)
        axes[0].annotate(
            f"{100 * result.accuracy:.1f}", (high, place), (6, 0), textcoords="offset points", va="center"
        )
    axes[0].set(xlabel="test accuracy, 95 % interval")
    _baseline_band(axes[0], results)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    axes[0].xaxis.set_major_formatter(PercentFormatter(1))
    axes[0].grid(axis="x", color="#e4e7eb")
    return figure


def _baseline_band(axes: Axes, results: Sequence[Result]) -> None:
    share = next((one.test["baseline_accuracy"] for one in results if "baseline_accuracy" in one.test), None)
    rows = next((int(one.test["rows"]) for one in results if one.test.get("rows", 0) >= 1), None)
    if share is None:
        return
    axes.axvline(share, color=NEUTRAL, linestyle=":")
    axes.set_xlabel(f"test accuracy, 95 % interval; dotted and grey: {results[0].baseline}")
    if rows is not None:
        axes.axvspan(*wilson(round(share * rows), rows), color=NEUTRAL, alpha=0.12, linewidth=0)


def learning_curves(results: Sequence[Result]) -> Figure | None:
    """Loss and accuracy by epoch: thin lines of training, thick ones of validation. None: no epochs."""
    drawn = [
        (result.history, line)
        for result, line in zip(results, lines_of(results), strict=True)
        if result.history is not None and len(result.history) > 1
    ]
    if not drawn:
        return None
    figure, axes = _figure(2, SQUARE)
    for history, line in drawn:
        for each, name in zip(axes, ("loss", "accuracy"), strict=True):
            each.plot(history["epoch"], history[name], color=line.colour, linewidth=0.8, alpha=0.55)
            each.plot(
                history["epoch"],
                history[f"val_{name}"],
                color=line.colour,
                linestyle=line.style,
                marker="o",
                markersize=3.5,
            )
    for each in axes:
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set(title="Log loss (nats)", xlabel="epoch")
    axes[1].set(title="Accuracy", xlabel="epoch")
    axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def curves(results: Sequence[Result]) -> Figure | None:
    """ROC, precision-recall and calibration over one another, with the baseline. None: no result has any."""
    tables = [(result.curves, line) for result, line in zip(results, lines_of(results), strict=True)]
    if (base := baseline_of(results)) is not None and base.baseline_scores is not None:
        scored = Scored(base.labels, base.baseline_scores)
        tables.append((curves_of(scored, BINS), Line(colour_of("nbsvm"), "2 2")))
    if not any(table for table, _ in tables):
        return None
    figure, axes = _figure(3, SQUARE)
    for table, line in tables:
        for each, (name, columns) in zip(axes, CURVES.items(), strict=True):
            if name in table:
                marker = "o" if name == "calibration" else None
                x, y = (table[name][column] for column in columns[:2])
                each.plot(x, y, color=line.colour, linestyle=line.style, marker=marker, markersize=3.5)
    for each, title, x, y in (
        (axes[0], "ROC", "false positive rate", "true positive rate"),
        (axes[1], "Precision and recall", "recall", "precision"),
        (axes[2], "Calibration", "mean score", "share of positives"),
    ):
        each.set(title=title, xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    for each in (axes[0], axes[2]):
        each.plot([0, 1], [0, 1], color=NEUTRAL, linestyle=":", linewidth=1)
    return figure


def slices(results: Sequence[Result], groups: Sequence[tuple[str, str]]) -> Figure | None:
    """The accuracy of each result in each group of each slice, as points. None: there are no groups.

    Args:
        results: the results.
        groups: name and group of each slice that a result has, in order.
    """
    if not groups:
        return None
    figure, axes = _figure(1, 1.0 + 0.26 * len(groups))
    places = {key: place for place, key in enumerate(groups)}
    lines = lines_of(results)
    spread = np.linspace(-0.22, 0.22, len(results)) if len(results) > 1 else np.zeros(1)
    for result, line, shift in zip(results, lines, spread, strict=True):
        if result.slices is not None:
            table = result.slices
            rows = [places[key] + shift for key in zip(table["name"], table["group"], strict=True)]
            axes[0].plot(table["accuracy"], rows, "o", color=line.colour, markersize=5, alpha=0.85)
    base = next((one.slices for one in results if one.slices is not None), None)
    if base is not None:
        rows = [places[key] for key in zip(base["name"], base["group"], strict=True)]
        axes[0].plot(base["baseline_accuracy"], rows, "|", color="black", markersize=13)
    axes[0].set_yticks(range(len(groups)), [_short(f"{name}: {group}") for name, group in groups], fontsize=9)
    axes[0].set_ylim(len(groups) - 0.4, -0.6)
    axes[0].set(xlabel="accuracy; a black mark is the baseline's")
    axes[0].xaxis.set_major_formatter(PercentFormatter(1))
    axes[0].grid(color="#e4e7eb")
    return figure


def sizes(results: Sequence[Result]) -> Figure | None:
    """Test accuracy by number of weights and by minutes of training. None: neither is known."""
    panels: list[tuple[str, Callable[[Result], float | None]]] = [
        ("weights", lambda result: result.train.get("weights")),
        ("minutes of training", lambda result: result.minutes),
    ]
    panels = [(title, value) for title, value in panels if any(map(value, results))]
    if not panels:
        return None
    figure, axes = _figure(len(panels), SQUARE)
    for each, (title, value) in zip(axes, panels, strict=True):
        for number, result in enumerate(results, start=1):
            if (x := value(result)) and result.accuracy is not None:
                each.plot([x], [result.accuracy], "o", color=colour_of(result.arch), markersize=8)
                each.annotate(f"{number}", (x, result.accuracy), (6, 4), textcoords="offset points")
        each.set(xlabel=title, ylabel="test accuracy")
        each.yaxis.set_major_formatter(PercentFormatter(1))
        each.xaxis.set_major_locator(MaxNLocator(4))
        each.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.10g}"))
        each.margins(0.15)
        each.grid(color="#e4e7eb")
    return figure


FIGURES: dict[str, tuple[Callable[..., Figure | None], str]] = {
    "accuracies": (accuracies, "Test accuracy of each result with its interval"),
    "learning_curves": (learning_curves, "Training and validation loss and accuracy by epoch"),
    "curves": (curves, "ROC, precision-recall and calibration curves"),
    "slices": (slices, "Accuracy of each result in each slice"),
    "sizes": (sizes, "Test accuracy by number of weights and by minutes of training"),
}


def _figure(panels: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, panels)))


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}\N{HORIZONTAL ELLIPSIS}"


def _svg(figure: Figure, name: str, about: str) -> str:
    """A figure as an element of a page. Its ids begin with its name, so that two figures share none."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    head, _, body = written.getvalue().partition("<svg")[2].partition(">")
    body = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", body)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None  # noqa: S101  # matplotlib writes it
    return f'<svg role="img" aria-label="{about}" {box[0]}>{body.rstrip()}'
