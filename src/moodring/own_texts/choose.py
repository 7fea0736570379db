"""Settles what the columns and labels of a file mean: from options, or by asking."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moodring.datasets.likely import listed
from moodring.datasets.own_file import OwnFile
from moodring.own_texts.propose import (
    check_classes,
    chosen_labels,
    guess_classes,
    guess_label,
    guess_max_length,
    guess_text,
    scalar,
)

SAMPLE = 1000  # rows that a guess looks at
Ask = Callable[[str, str, str | None], str]


@dataclass(frozen=True)
class Meaning:
    """What the columns and labels of a file mean; None or empty: not known.

    Args:
        text: the column with the text.
        label: the column with the label.
        positive: the labels that mean positive.
        negative: the labels that mean negative.
        split: the column with the split; None: there is none.
        origin: the column with the origin of a text; None: there is none.
    """

    text: str | None
    label: str | None
    positive: Sequence[str]
    negative: Sequence[str]
    split: str | None = None
    origin: str | None = None

    def options(self) -> str:
        """The options of `moodring new` that say this."""
        words: list[str] = []
        for name in ("text", "label", "split", "origin"):
            words += [f"--{name}", value] if (value := getattr(self, name)) is not None else []
        words += [part for label in self.positive for part in ("--positive", label)]
        words += [part for label in self.negative for part in ("--negative", label)]
        return shlex.join(words)

    def source(self, path: str) -> dict[str, Any]:
        """The block `source` of params.yaml."""
        source: dict[str, Any] = {"kind": "file", "path": path, "text": self.text, "label": self.label}
        source["positive"] = [scalar(label) for label in self.positive]
        source["negative"] = [scalar(label) for label in self.negative]
        return source | {
            key: getattr(self, key) for key in ("split", "origin") if getattr(self, key) is not None
        }


def choose(file: OwnFile, given: Meaning, ask: Ask) -> tuple[Meaning, int]:
    """Complete what is given; returns it with a `max_length` that fits the texts.

    Args:
        file: the user's file.
        given: what the user's options say.
        ask: asks for an option; gets the option's name, a question, and a guess or None.

    Raises:
        MoodringError: a column is missing, or the labels do not make two classes.
    """
    file.check([name for name in (given.text, given.label, given.split, given.origin) if name is not None])
    columns = [name for name in file.plain if file.columns.count(name) == 1]
    table = file.table(list(dict.fromkeys([*columns, *filter(None, (given.text, given.label))])))
    sample = {name: file.values(table.slice(0, SAMPLE), name) for name in columns}
    choices = f"columns: {listed(columns)}"
    text = given.text or ask("text", f"the column with the text ({choices})", guess_text(sample))
    file.check([text])
    label = given.label or ask("label", f"the column with the label ({choices})", guess_label(sample, text))
    file.check([label])
    counts = Counter("" if value is None else str(value) for value in file.values(table, label))
    labels = sorted(counts)
    choices = f"labels: {listed(labels)}"
    guesses = dict(zip(("positive", "negative"), guess_classes(labels), strict=True))
    classes = {
        name: chosen_labels(
            getattr(given, name)
            or [
                ask(
                    name,
                    f"the labels that mean {name}, with commas between ({choices})",
                    ", ".join(guess) or None,
                )
            ],
            labels,
        )
        for name, guess in guesses.items()
    }
    check_classes(counts, **classes)
    texts = [str(value) for value in file.values(table, text)]
    return Meaning(text, label, **classes, split=given.split, origin=given.origin), guess_max_length(texts)
