"""The rows of the result, and their table in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HEADER = """\
| what | size | arch | units | precision | fused requested | fused used | training samples/s | inference samples/s | of bare | note |
| --- | --- | --- | --: | --- | --- | --- | --: | --: | --: | --- |"""  # noqa: E501


@dataclass
class Row:
    """One measurement. A missing figure is None, and `note` gives the reason.

    `train_seconds` and `predict_seconds` have the seconds of each repeat of `steps` batches; the rates, in
    texts a second, are those of their medians. `of_bare` is the training rate divided by the bare kernel's.
    `fused_requested` is None if the layer has no `use_cudnn`; `jit_compile` is Keras' own choice.
    """

    what: str
    size: str
    arch: str
    units: int
    length: int
    batch: int
    precision: str
    fused_requested: bool | None
    fused_used: bool | None = None
    jit_compile: bool | None = None
    train_samples_per_s: float | None = None
    predict_samples_per_s: float | None = None
    of_bare: float | None = None
    failed: bool = False
    note: str = ""
    train_seconds: list[float] = field(default_factory=list)
    predict_seconds: list[float] = field(default_factory=list)


def line(row: Row) -> str:
    """The row as a line of the Markdown table."""

    def figure(value: float | None, digits: int = 0) -> str:
        return "-" if value is None else f"{value:,.{digits}f}"

    def answer(value: bool | None) -> str:
        return "-" if value is None else "yes" if value else "no"

    cells = [
        row.what,
        row.size,
        row.arch,
        str(row.units),
        row.precision,
        answer(row.fused_requested),
        answer(row.fused_used),
        figure(row.train_samples_per_s),
        figure(row.predict_samples_per_s),
        figure(row.of_bare, 2),
        ("failed: " if row.failed else "") + row.note.replace("|", "\\|"),
    ]
    return f"| {' | '.join(cells)} |"


def heading(about: dict[str, Any]) -> str:
    """Machine, versions and effort in two lines."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"{about['device']}; {versions}; TF32: {about['tf32']}.\n"
        f"Median of {about['repeats']} repeats of {about['steps']} batches after compilation.\n"
    )
