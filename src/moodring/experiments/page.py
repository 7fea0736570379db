"""Writes the tables of docs/results.md as Markdown, from rows and their runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from moodring.errors import MoodringError
from moodring.experiments.rows import DEFAULT, LEAKAGE, Row
from moodring.io.splits import accuracy_interval
from moodring.tracking.listing import FoundRun

PLACE = Path("docs/results.md")
END = "<!-- end -->"
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Entry:
    """A row and its runs by seed, in the order of the seeds; None if a run is missing."""

    row: Row
    runs: Mapping[int, FoundRun | None]

    @property
    def missing(self) -> list[int]:
        """The seeds without a run."""
        return [seed for seed, run in self.runs.items() if run is None]

    @property
    def complete_runs(self) -> list[FoundRun] | None:
        """The runs of all seeds; None if one is missing, because a mean must cover all seeds."""
        runs = [run for run in self.runs.values() if run is not None]
        return runs if len(runs) == len(self.runs) else None

    @property
    def accuracy(self) -> float | None:
        """The mean test accuracy over all seeds."""
        return None if self.complete_runs is None else mean(_values(self.complete_runs, "test_accuracy"))


def filled(page: str, entries: Sequence[Entry]) -> str:
    """Fill in a page's tables at the marks `<!-- table: DATASET -->` and `<!-- leaks -->`.

    Raises:
        MoodringError: the page lacks a mark, or a row's runs were tested on different numbers of texts.
    """
    for dataset in dict.fromkeys(entry.row.dataset for entry in entries):
        page = _between(
            page, f"table: {dataset}", table([entry for entry in entries if entry.row.dataset == dataset])
        )
    return _between(page, "leaks", leaks(entries))


def table(entries: Sequence[Entry]) -> str:
    """One dataset's rows as a table, with a heading for each group."""
    seeds = len(entries[0].runs)
    baseline = entries[0].row.params.baseline
    head = [
        "model",
        f"test accuracy, mean of {seeds}",
        "standard deviation (min to max)",
        "95 % interval",
        f"points over `{baseline}` (95 % interval), shown by",
        "calibration error",
        "validation accuracy",
        "weights",
        "minutes",
        "target",
        "command, S a seed",
    ]
    lines = [_line(head), _line(["---"] * len(head))]
    for group in dict.fromkeys(entry.row.group for entry in entries):
        lines.append(_line([f"**{group}**", *[""] * (len(head) - 1)]))
        lines += [_line(_cells(entry)) for entry in entries if entry.row.group == group]
    lines.append("")
    runs = [run for entry in entries for run in entry.runs.values() if run is not None]
    commits = sorted({run.commit[:7] for run in runs if run.commit})
    if commits:
        lines += [f"{len({run.run_id for run in runs})} runs, trained at {_listed(commits)}.", ""]
    return "\n".join(lines)


def leaks(entries: Sequence[Entry]) -> str:
    """Sentences about emoticons: the accuracy they add, and how each row of the dataset treats them."""
    leaking = [entry for entry in entries if entry.row.group == LEAKAGE]
    honest = {_key(entry): entry for entry in entries if entry.row.group == DEFAULT}
    lines = [_gap(entry, honest.get(_key(entry))) for entry in leaking]
    for dataset in dict.fromkeys(entry.row.dataset for entry in leaking):
        treated: dict[str, list[str]] = {}
        for entry in entries:
            if entry.row.dataset == dataset:
                name = f"`{entry.row.experiment}`" if entry.row.experiment else entry.row.label
                treated.setdefault(_emoticons(entry), []).append(name)
        sentences = [f"{way} in {_listed(names)}" for way, names in treated.items()]
        lines += ["", f"In the rows of `{dataset}`: {'; '.join(sentences)}."]
    return "\n".join([*lines, ""])


def _key(entry: Entry) -> tuple[str, str]:
    return entry.row.dataset, entry.row.params.arch


def _emoticons(entry: Entry) -> str:
    return f"`emoticons: {entry.row.params.data.preprocess.emoticons}`"


def _gap(leaking: Entry, honest: Entry | None) -> str:
    subject = f"- {leaking.row.label}, on `{leaking.row.dataset}`: "
    if honest is None or leaking.accuracy is None or honest.accuracy is None:
        return f"{subject}some of the runs to compare are missing."
    return (
        f"{subject}{_percent(leaking.accuracy)} with {_emoticons(leaking)}, {_percent(honest.accuracy)} with "
        f"{_emoticons(honest)}: {_points(leaking.accuracy - honest.accuracy)} points."
    )


def _cells(entry: Entry) -> list[str]:
    row, command = entry.row, f"`{entry.row.command('S')}`"
    target = "-" if row.target is None else f"at least {_percent(row.target, 1)}"
    runs = entry.complete_runs
    if runs is None:
        lack = f"no run of seed {_listed(entry.missing)}"
        return [row.label, lack, *["-"] * 7, target, command]
    accuracies = _values(runs, "test_accuracy")
    accuracy = mean(accuracies)
    if row.target is not None:
        target += ": met" if accuracy >= row.target else ": **missed**"
    low, high = accuracy_interval(accuracy, _test_rows(entry, runs))
    minutes = [run.minutes for run in runs if run.minutes is not None]
    return [
        row.label,
        f"**{_percent(accuracy)}**",
        f"{100 * stdev(accuracies):.2f} ({100 * min(accuracies):.2f} to {100 * max(accuracies):.2f})",
        f"{100 * low:.1f} to {100 * high:.1f}",
        "-" if row.params.arch == row.params.baseline else _gain(runs),
        _percent(mean(_values(runs, "test_calibration_error"))),
        _optional(runs, "best_val_accuracy", _percent),
        _optional(runs, "weights", lambda value: f"{value:,.0f}"),
        f"{mean(minutes):.1f}" if len(minutes) == len(runs) else "-",
        target,
        command,
    ]


def _gain(runs: list[FoundRun]) -> str:
    """The mean gain and bounds over the seeds, and the number of seeds with a significant McNemar test."""
    gain, low, high = (mean(_values(runs, name)) for name in ("test_gain", "test_gain_low", "test_gain_high"))
    shown = sum(
        run.metrics["test_mcnemar_p"] < SIGNIFICANT and run.metrics["test_gain"] * gain > 0 for run in runs
    )
    return f"{_points(gain)} ({_points(low)} to {_points(high)}), {shown} of {len(runs)}"


def _optional(runs: list[FoundRun], name: str, shown: Callable[[float], str]) -> str:
    return shown(mean(_values(runs, name))) if all(name in run.metrics for run in runs) else "-"


def _test_rows(entry: Entry, runs: list[FoundRun]) -> int:
    rows = sorted({int(run.metrics["test_rows"]) for run in runs})
    if len(rows) > 1:
        raise MoodringError(
            f"the runs of {entry.row.dataset}, {entry.row.label} were tested on {_listed(rows)} texts: their "
            "data differ. Run the older ones again with `dvc exp run --force`."
        )
    return rows[0]


def _values(runs: list[FoundRun], name: str) -> list[float]:
    return [run.metrics[name] for run in runs]


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _listed(items: Sequence[object]) -> str:
    *before, last = map(str, items)
    return f"{', '.join(before)} and {last}" if before else last


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _between(page: str, name: str, content: str) -> str:
    mark = f"<!-- {name} -->"
    before, start, rest = page.partition(mark)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise MoodringError(f"the page lacks the lines {mark} and {END}; add them where the content belongs")
    return f"{before}{mark}\n{content}{END}{after}"
