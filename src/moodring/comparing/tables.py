"""A comparison as a table for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from moodring.collecting.results import Result
from moodring.comparing.pairs import ORDER, Comparison, Pair, Untested, conclusion
from moodring.errors import escaped
from moodring.evaluation.comparison import chance_of

WIDTH = 100  # of a file or a pipe, in characters
HERE = " (here)"  # after the name of the working directory's result
UNKNOWN = "-"
COLUMNS = (
    *("name", "arch", "test (95 % interval)", "validation"),
    *("gain", "weights", "minutes", "when (UTC)"),
)
NEXT = "Next: `moodring compare --html` writes a page with curves, slices, paired tests and texts."


def explained(compared: Comparison) -> str:
    """What the order and the columns mean, in sentences."""
    return f"{ORDER} Gain: points of test accuracy over {compared.baseline}."


def cells(result: Result) -> list[str]:
    """A result's row, with a text for each of the `COLUMNS`."""
    accuracy = percent(result.accuracy)
    if result.interval is not None:
        accuracy += f" ({interval(*result.interval)})"
    weights = result.train.get("weights")
    return [
        f"{result.name}{HERE if result.here else ''}",
        result.arch,
        accuracy,
        percent(result.validation),
        points(result.test.get("gain")),
        UNKNOWN if weights is None else f"{weights:,.0f}",
        UNKNOWN if result.minutes is None else f"{result.minutes:.1f}",
        day(result.when),
    ]


def percent(share: float | None) -> str:
    """A share as a percentage, for example "76.3 %"."""
    return UNKNOWN if share is None else f"{100 * share:.1f} %"


def interval(low: float, high: float) -> str:
    """The bounds of a share in per cent, for example "74.6 to 77.9"."""
    return f"{100 * low:.1f} to {100 * high:.1f}"


def points(share: float | None) -> str:
    """A difference of shares in points, for example "+1.2"."""
    return UNKNOWN if share is None else f"{round(100 * share, 1) + 0.0:+.1f}"  # never -0.0


def day(when: datetime | None) -> str:
    """The day of a time."""
    return UNKNOWN if when is None else f"{when:%Y-%m-%d}"


def difference(pair: Pair | Untested) -> str:
    """A pair's figures, for example "+1.2 (0.3 to 2.1), p = 0.012"; of an untested one, the reason."""
    if isinstance(pair, Untested):
        return pair.reason
    return f"{points(pair.gain)} ({interval(pair.low, pair.high)}), {chance_of(pair.p)}"


def print_terminal(comparisons: Sequence[Comparison], terminal: bool, hint: bool) -> None:
    """Print comparisons for a terminal, or for a file or a pipe with `WIDTH` columns; perhaps with `NEXT`."""
    console = Console(width=None if terminal else WIDTH, highlight=False)
    for compared in comparisons:
        console.print(Group(*_shown(compared)))
    if hint:
        console.print(Text(NEXT))


def _shown(compared: Comparison) -> Iterator[RenderableType]:
    yield Text(f"{compared.dataset}: {_count(compared)}", style="bold")
    results = compared.results
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    for place, name in enumerate(COLUMNS):
        text = place < 2  # noqa: PLR2004  # name and arch
        table.add_column(
            Text(name),
            justify="left" if text else "right",
            overflow="fold",
            width=None if text else max(map(len, [*name.split(), *(cells(one)[place] for one in results)])),
        )
    for result in results:
        table.add_row(*(Text(escaped(cell)) for cell in cells(result)), style="bold" if result.here else "")
    yield table
    yield Text()
    yield Text(explained(compared))
    yield Text(" ".join(conclusion(compared)))
    for note in compared.notes:
        yield Text(f"Note: {note}", style="yellow")
    yield Text()


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Comparisons as Markdown; names are escaped."""
    lines: list[str] = []
    for compared in comparisons:
        lines += [f"## {escape(compared.dataset)}: {_count(compared)}", ""]
        lines += [escape(" ".join(conclusion(compared))), ""]
        lines += [_row(COLUMNS), _row(["---", "---", *["---:"] * (len(COLUMNS) - 2)])]
        lines += [_row(cells(result)) for result in compared.results]
        lines += ["", escape(explained(compared)), ""]
        if compared.pairs:
            lines += [_row(["better on validation", "against", "points (95 % interval), McNemar's p"])]
            lines += [_row(["---"] * 3)]
            lines += [_row([pair.one.name, pair.other.name, difference(pair)]) for pair in compared.pairs]
            lines += [""]
        lines += [f"- {escape(note)}" for note in compared.notes]
        lines += [""] if compared.notes else []
    return "\n".join(lines)


def escape(text: str) -> str:
    """A text that Markdown shows as it is, also in a table; on one line."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*\[\]|]|(?<!\w)_|_(?!\w))", r"\\\1", plain)


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(map(escape, values))} |"


def as_json(comparisons: Sequence[Comparison]) -> str:
    """Comparisons as one JSON list, with whole numbers; what is unknown is null."""
    tree = [
        {
            "dataset": compared.dataset,
            "conclusion": conclusion(compared),
            "results": [_tree(result) for result in compared.results],
            "pairs": [_pair_tree(pair) for pair in compared.pairs],
            "notes": list(compared.notes),
        }
        for compared in comparisons
    ]
    return json.dumps(tree, indent=2, allow_nan=False)  # ASCII: a terminal may lack other characters


def _tree(result: Result) -> dict[str, Any]:
    low, high = result.interval or (None, None)
    return {
        "name": result.name,
        "names": list(result.names),
        "here": result.here,
        "arch": result.arch,
        "test_accuracy": result.accuracy,
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "validation_accuracy": result.validation,
        "baseline": result.baseline,
        **{name: result.test.get(name) for name in ("gain", "gain_low", "gain_high", "mcnemar_p")},
        "weights": result.train.get("weights"),
        "minutes": result.minutes,
        "when": None if result.when is None else result.when.isoformat(),
        "test": dict(result.test),
        "train": dict(result.train),
    }


def _pair_tree(pair: Pair | Untested) -> dict[str, Any]:
    names = {"one": pair.one.name, "other": pair.other.name}
    if isinstance(pair, Untested):
        return {**names, "reason": pair.reason}
    figures = ("gain", "low", "high", "p", "won", "lost", "rows")
    return {**names, **{name: getattr(pair, name) for name in figures}}


def _count(compared: Comparison) -> str:
    count = len(compared.results)
    return f"{count} result{'s' if count > 1 else ''}"
