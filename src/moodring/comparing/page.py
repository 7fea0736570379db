"""A comparison as one page for the browser. It holds its styles and figures, and loads nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from moodring.collecting.results import Result
from moodring.comparing import tables
from moodring.comparing.colours import lines_of
from moodring.comparing.figures import draw_all
from moodring.comparing.pairs import Comparison, Pair, Untested, conclusion, differing_texts, holm
from moodring.errors import MoodringError
from moodring.evaluation.comparison import SURE, chance_of
from moodring.io.files import replacing
from moodring.mlflow_ui.names import short_names

TEMPLATE = "page.html"
LONGEST = 600  # characters of a text that are shown
SHOWN_PAIRS = 6  # pairs with their texts; of more, those of the best result
Texts = Callable[[Result], Sequence[str] | None]


@dataclass(frozen=True)
class ShownText:
    """A text on which two results differ: a row of the page."""

    text: str
    label: str
    right: str
    score: float
    rival_score: float


def write_page(path: Path, comparisons: Sequence[Comparison], texts: Texts) -> None:
    """Write the page, completely or not at all. Equal comparisons give equal bytes.

    Args:
        path: the file.
        comparisons: a section each.
        texts: gives the raw test texts of a result; None: they are not here.

    Raises:
        MoodringError: the file cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # a directory; or /dev/null, which root can replace
            raise MoodringError(f"cannot write {path}: it is no file. Name another one: --html FILE.html")
        page = render(comparisons, texts)
        with replacing(Path(os.path.realpath(path))) as fresh:  # of a link, the file that it leads to
            fresh.write_text(page, encoding="utf-8", errors="replace")  # a name may have a lone surrogate
    except OSError as error:
        raise MoodringError(f"cannot write {path}: {error}. Name another file: --html FILE.html") from error


def render(comparisons: Sequence[Comparison], texts: Texts) -> str:
    """The page as HTML; see `write_page`."""
    environment = Environment(
        # The style sheet is the report's.
        loader=ChoiceLoader([PackageLoader("moodring.comparing"), PackageLoader("moodring.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": tables.percent, "points": tables.points}
    sections = [_section(compared, texts, number) for number, compared in enumerate(comparisons, start=1)]
    return environment.get_template(TEMPLATE).render(sections=sections)


def _section(compared: Comparison, texts: Texts, number: int) -> dict[str, Any]:
    results = compared.results
    groups = _groups(results)
    tested = [pair for pair in compared.pairs if isinstance(pair, Pair)]
    return {
        "number": number,
        "dataset": compared.dataset,
        "conclusion": conclusion(compared),
        "notes": compared.notes,
        "head": tables.COLUMNS,
        "explained": tables.explained(compared),
        "rows": [
            (line, tables.cells(result), result)
            for line, result in zip(lines_of(results), results, strict=True)
        ],
        "figures": draw_all(results, groups, f"s{number}"),
        "matrix": _matrix(compared),
        "tested": tested,
        "sure": sum(pair.sure for pair in tested),
        "sure_by_holm": sum(p < SURE for p in holm([pair.p for pair in tested])),
        "slices": _slice_rows(results, groups),
        "settings": _settings(results),
        "differing": [(pair, _shown(pair, texts)) for pair in _chosen(tested, results[0])],
    }


def _groups(results: Sequence[Result]) -> list[tuple[str, str]]:
    """Name and group of each slice of any result, slice by slice; those of the first result come first."""
    found: dict[str, dict[str, None]] = {}
    for result in results:
        if result.slices is not None:
            for name, group in zip(result.slices["name"], result.slices["group"], strict=True):
                found.setdefault(name, {})[group] = None
    return [(name, group) for name, groups in found.items() for group in groups]


def _slice_rows(results: Sequence[Result], groups: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """A row a group: number of texts, the baseline's accuracy and each result's, None if unknown."""
    by_group: dict[tuple[str, str], dict[int, Any]] = {key: {} for key in groups}
    for place, result in enumerate(results):
        for row in [] if result.slices is None else result.slices.itertuples():
            by_group[row.name, row.group][place] = row
    return [
        {
            "name": name,
            "group": group,
            "texts": int(next(iter(found.values())).rows),
            "baseline": next(iter(found.values())).baseline_accuracy,
            "accuracies": [
                found[place].accuracy if place in found else None for place in range(len(results))
            ],
        }
        for (name, group), found in by_group.items()
    ]


def _matrix(compared: Comparison) -> list[list[dict[str, Any] | None]]:
    """A row and a column for each result: the gain of the row's result over the column's; None: itself."""
    places = {id(result): place for place, result in enumerate(compared.results)}
    count = len(places)
    matrix: list[list[dict[str, Any] | None]] = [[None] * count for _ in range(count)]
    for pair in compared.pairs:
        for mine, rival, sign in ((pair.one, pair.other, 1), (pair.other, pair.one, -1)):
            matrix[places[id(mine)]][places[id(rival)]] = _cell(pair, sign)
    return matrix


def _cell(pair: Pair | Untested, sign: int) -> dict[str, Any]:
    if isinstance(pair, Untested):
        return {"gain": tables.UNKNOWN, "about": pair.reason, "sure": False}
    low, high = sorted((sign * pair.low, sign * pair.high))
    about = f"{tables.interval(low, high)}, {chance_of(pair.p)}"
    return {"gain": tables.points(sign * pair.gain), "about": about, "sure": pair.sure}


def _settings(results: Sequence[Result]) -> list[tuple[str, list[Any]]]:
    """The parameters in which the results differ, with the value of each result; None: it has none."""
    of_each = [
        {
            name: str(value)  # as an MLflow run has it
            for name, value in short_names(one.params).items()
            if one.arch == one.baseline or not name.startswith(f"archs.{one.baseline}.")
        }
        for one in results
    ]
    names = sorted({name for settings in of_each for name in settings})
    values = [(name, [settings.get(name) for settings in of_each]) for name in names]
    return [(name, found) for name, found in values if any(value != found[0] for value in found)]


def _chosen(tested: Sequence[Pair], best: Result) -> list[Pair]:
    """The pairs whose texts are shown: all, or of many those of the best result."""
    return [pair for pair in tested if len(tested) <= SHOWN_PAIRS or pair.one is best]


def _shown(pair: Pair, texts: Texts) -> list[ShownText] | None:
    """The texts on which a pair differs; None: the texts are not here."""
    known = texts(pair.one)
    if known is None:
        return None
    return [
        ShownText(
            known[row] if len(known[row]) <= LONGEST else f"{known[row][:LONGEST]}\N{HORIZONTAL ELLIPSIS}",
            "positive" if pair.one.labels[row] else "negative",
            (pair.one if right_one else pair.other).name,
            float(pair.one.scores[row]),
            float(pair.other.scores[row]),
        )
        for right_one in (True, False)
        for row in differing_texts(pair, right_one)
    ]
