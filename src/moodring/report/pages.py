"""The report: what evaluation found as pages to read, and the mistakes as a table."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from moodring.evaluation.comparison import describe
from moodring.evaluation.evaluate import Evaluation
from moodring.io.files import replacing
from moodring.io.splits import describe_small
from moodring.params.pipeline import Params

INDEX, MISTAKES, TABLE = "index.html", "mistakes.html", "mistakes.json"
FOLDED = 400  # characters of a text that are shown before the rest is unfolded
MEANINGS = {
    "accuracy": "share of texts labelled rightly",
    "f1": "harmonic mean of precision and recall of the positive class",
    "roc_auc": "chance that a positive text scores above a negative one",
    "average_precision": "precision averaged over all thresholds, weighted by the recall gained",
    "log_loss": "nats a text; 0.6931 is a coin's",
    "brier": "mean squared distance of score and label; 0.25 is a coin's",
    "calibration_error": "mean gap between score and share of positives",
}
SLICES = {
    "length": "Tokens of the cleaned text.",
    "negation": "Whether the text has a word such as not, n't, no, never or nothing.",
    "contrast": "Whether the text has but, although, though, however, yet or despite.",
    "unknown words": "Share of a text's words that are not in the vocabulary.",
    "source": "Where the text comes from.",
}
FACTS = {
    "rows": "texts",
    "emptied": "left empty by cleaning",
    "duplicates_within": "repeated in the same split, after cleaning",
    "equal_to_training": "equal to a training text after cleaning",
}


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Args:
        dataset: its name.
        arch: the architecture's name.
        baseline: the baseline's name.
        threshold: a score at or above it is positive.
        labelled_by_emoticons: whether emoticons are the labels of the dataset, and cleaning keeps them.
        data: the content of metrics/data.json.
    """

    dataset: str
    arch: str
    baseline: str
    threshold: float
    labelled_by_emoticons: bool
    data: Mapping[str, Any]

    @classmethod
    def of(cls, params: Params, data: Mapping[str, Any]) -> Subject:
        """What the parameters choose, with the content of metrics/data.json."""
        labelled = params.data.source.kind == "twitter" and params.data.preprocess.emoticons == "keep"
        return cls(params.dataset, params.arch, params.baseline, params.evaluate.threshold, labelled, data)


def write_report(directory: Path, subject: Subject, found: Evaluation, plots: Path) -> None:
    """Write the pages and the table of mistakes, whole or not at all. Equal findings give equal bytes.

    Args:
        directory: where to.
        subject: what it is about.
        found: by evaluation.
        plots: directory of the pictures, as PNG; they become part of the page.
    """
    pictures = [(file.stem.replace("_", " "), _data_uri(file)) for file in sorted(plots.glob("*.png"))]
    with replacing(directory) as fresh:
        fresh.mkdir()
        for name, page in render(subject, found, pictures).items():
            (fresh / name).write_text(page, encoding="utf-8")
        # MLflow's form of a table; see its `log_table`.
        found.mistakes.to_json(fresh / TABLE, orient="split", index=False, force_ascii=False)


def render(subject: Subject, found: Evaluation, pictures: list[tuple[str, str]]) -> dict[str, str]:
    """The report's HTML pages by file name; `pictures` are names and addresses."""
    environment = Environment(
        loader=PackageLoader("moodring.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{share:.1%}".replace("%", "\N{NO-BREAK SPACE}%")
    content = {
        "of": subject,
        "metrics": found.metrics,
        "small": describe_small(subject.data["rows"]),
        "calibration": found.calibration,
        "verdict": describe(found.metrics, subject.baseline),
        "named_metrics": [
            (name.replace("_", " "), found.metrics[name], text) for name, text in MEANINGS.items()
        ],
        "slices": _by_name(found.tables["slices"]),
        "pictures": pictures,
        "data": subject.data,
        "facts": [(text, subject.data[name]) for name, text in FACTS.items()],
        "mistakes": found.mistakes.to_dict("records"),
        "folded": FOLDED,
    }
    return {name: environment.get_template(name).render(content) for name in (INDEX, MISTAKES)}


def _by_name(slices: pd.DataFrame) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [
        (str(name), SLICES.get(str(name), ""), groups.to_dict("records"))
        for name, groups in slices.groupby("name", sort=False)
    ]


def _data_uri(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
