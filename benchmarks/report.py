"""The results: rows of ratios, as JSON, to which each command adds, and as a Markdown table."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

BEGIN, END = "<!-- table -->", "<!-- end of table -->"
AT_REST = 0.05  # largest share of the cores that other processes may use
Division = Literal["rival / ours", "ours / rival"]


@dataclass(frozen=True)
class Target:
    """A bound for the median ratio."""

    bound: Literal["at least", "at most"]
    ratio: float

    def met_by(self, ratio: float) -> bool:
        """Whether a ratio, without rounding, keeps the bound."""
        return ratio >= self.ratio if self.bound == "at least" else ratio <= self.ratio

    def __str__(self) -> str:
        return f"{self.bound} {self.ratio:.3g}"


@dataclass(frozen=True)
class Row:
    """One comparison. Value i of `theirs` was measured directly before value i of `ours`.

    Args:
        name: the comparison's name.
        unit: unit of the values; the table shows `share` as a percentage.
        rival: the program that Moodring is compared with.
        theirs: the rival's values; empty if it could not be measured, and `note` gives the reason.
        ours: Moodring's values.
        division: the ratio: `rival / ours` or `ours / rival`.
        target: the bound for the median ratio.
        note: what else a reader must know.
    """

    name: str
    unit: str
    rival: str
    theirs: list[float]
    ours: list[float]
    division: Division
    target: Target | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """The ratio of each pair."""
        pairs = zip(self.theirs, self.ours, strict=True)
        if self.division == "rival / ours":
            return [theirs / ours for theirs, ours in pairs]
        return [ours / theirs for theirs, ours in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the median ratio keeps the target; None without a target or figures."""
        ratios = self.ratios
        return self.target.met_by(statistics.median(ratios)) if self.target and ratios else None

    def to_json(self) -> dict[str, Any]:
        """The row, with its ratios and whether it meets the target."""
        ratios = self.ratios
        summary = None
        if ratios:
            summary = {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}
        return {**asdict(self), "ratios": ratios, "ratio": summary, "met": self.met}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Row:
        """The row that `to_json` returned; ratios are computed again from the values."""
        target = Target(**tree["target"]) if tree["target"] else None
        kept = {name: tree[name] for name in cls.__dataclass_fields__ if name != "target"}
        return cls(**kept, target=target)


def update_json(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Set one benchmark's entry in a file; other entries stay."""
    tree = read_json(path) if path.exists() else {}
    path.write_text(json.dumps({**tree, name: entry}, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The entries of a file that `update_json` wrote."""
    tree: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return tree


def put_into(path: Path, table: str) -> None:
    """Write the table between the two marks of a Markdown page; create the page if it does not exist."""
    page = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{path} has no lines {BEGIN} and {END}; add them around the place for the table")
    path.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")


def markdown(entries: dict[str, Any], order: Sequence[str]) -> str:
    """All entries as one table, with the machines of the measurements; `order` is the order of the names."""
    names = [name for name in order if name in entries] + sorted(set(entries) - set(order))
    lines = [
        "| comparison | rival | Moodring | ratio (min-max) | target | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    notes: list[str] = []
    for name in names:
        for tree in entries[name]["rows"]:
            row = Row.from_json(tree)
            if row.note:
                notes += [row.note] if row.note not in notes else []
            mark = f" [{notes.index(row.note) + 1}]" if row.note else ""
            small = " (small data: no result)" if entries[name]["small"] else ""
            lines.append(_line(f"`{name}`: {row.name}{small}{mark}", row))
    numbered = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join([*lines, "", *numbered, *([""] if numbered else []), *_measured_on(entries, names), ""])


def _line(name: str, row: Row) -> str:
    target = "-" if row.target is None else f"{row.division} {row.target}"
    met = {True: "yes", False: "**no**", None: "-"}[row.met]
    if not (ratios := row.ratios):
        return f"| {name} | {row.rival}: - | - | - | {target} | {met} |"
    middle = statistics.median(ratios)
    ratio = f"{middle:.3g} ({min(ratios):.3g}-{max(ratios):.3g})"
    values = [_shown(statistics.median(values), row.unit) for values in (row.theirs, row.ours)]
    return f"| {name} | {row.rival}: {values[0]} | {values[1]} | {ratio} | {target} | {met} |"


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.2%}"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"  # noqa: PLR2004


def _measured_on(entries: dict[str, Any], names: Sequence[str]) -> list[str]:
    """A line for each machine and set of packages, with the benchmarks that ran on it."""
    places: dict[str, list[str]] = {}
    for name in names:
        places.setdefault(_place(entries[name]["environment"]), []).append(f"`{name}`")
    lines = [f"Measured on {place}: {', '.join(there)}." for place, there in places.items()]
    busy = [
        f"`{name}` {share:.0%}"
        for name in names
        if (share := entries[name].get("other_processes") or 0) > AT_REST
    ]
    if busy:
        lines.append(
            "The machine was busy: other processes used this share of its cores during these benchmarks, so "
            f"their figures are doubtful: {', '.join(busy)}."
        )
    return lines


def _place(found: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    machine = f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}"
    return f"{machine}, Python {found['python']} ({packages}; Keras on {found['backend']})"
