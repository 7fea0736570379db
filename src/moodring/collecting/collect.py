"""Finds results by the names of experiments, revisions and runs, and puts the best first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from moodring.checkout.git import commit_of, shallow_hint
from moodring.checkout.revisions import no_result_in
from moodring.collecting.records import HEAD, WORKSPACE, Files, Record, experiments, revision, workspace
from moodring.collecting.results import Result, read_recorded
from moodring.collecting.runs import Runs, result_of, started
from moodring.collecting.texts import TextReader
from moodring.errors import MoodringError
from moodring.params.file import read_yaml
from moodring.tracking.store import MODELS_MD5


@dataclass(frozen=True)
class Collected:
    """The results of one dataset.

    Args:
        dataset: its name.
        results: at least one, the best first: by validation accuracy, then by validation loss.
        notes: what is missing, as sentences.
    """

    dataset: str
    results: tuple[Result, ...]
    notes: tuple[str, ...]


class Collector:
    """Finds the results of a checkout.

    Args:
        root: its root.

    Raises:
        MoodringError: DVC cannot read the repository, or the working directory's dvc.lock is damaged.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = Files(root)
        self._texts = TextReader(self._files)
        self._runs = Runs()
        self._experiments, self._problems = experiments(root)
        self._workspace = workspace(root)

    def collect(self, names: Sequence[str], dataset: str | None) -> list[Collected]:
        """The results of each dataset; without names, of one dataset.

        Args:
            names: of DVC experiments, git revisions or MLflow runs, or `WORKSPACE`; none: all experiments,
                the working directory and HEAD.
            dataset: only its results; None: those of params.yaml's dataset, or with names of all.

        Raises:
            MoodringError: a name is unknown or has no result, or there is no result.
        """
        if not names:
            return [self._present(dataset or self._present_dataset())]
        results = _merged(result for name in dict.fromkeys(names) for result in self._named(name))
        counts = Counter(result.dataset for result in results)
        wanted = sorted(counts) if dataset is None else [dataset]
        if not all(counts[name] for name in wanted):
            raise MoodringError(
                f"no named result is of the dataset {dataset!r}; they are of {_listed(counts)}"
            )
        return [
            self._of_dataset(name, [result for result in results if result.dataset == name])
            for name in wanted
        ]

    def raw_texts(self, result: Result) -> tuple[str, ...] | None:
        """The raw test texts of a result, in the order of its scores; None if they are not here."""
        read = self._texts.of(result)
        return None if read is None else read.texts

    def _present_dataset(self) -> str:
        dataset = read_yaml(self._root / "params.yaml").get("dataset")
        if not isinstance(dataset, str):
            raise MoodringError(
                f"params.yaml: dataset must be the name of a dataset, received: {dataset!r:.80}. Set it, or "
                "use `--dataset NAME`."
            )
        return dataset

    def _present(self, dataset: str) -> Collected:
        """All results of a dataset."""
        records = [record for record in self._default() if record.identity is not None]
        counts = Counter({record.identity: str(record.params.get("dataset")) for record in records}.values())
        if not counts[dataset]:
            others = f" Others have: {_listed(counts)}; use `--dataset NAME`." if counts else ""
            raise MoodringError(
                f"the dataset {dataset!r} has no result yet. `moodring experiment architectures` trains "
                f"four.{others}"
            )
        mine = [record for record in records if record.params.get("dataset") == dataset]
        collected = self._of_dataset(dataset, _merged(self._read(mine)))
        if not (more := self._runs_alone(collected)):
            return collected
        note = (
            f"Results of {dataset} that have an MLflow run and no experiment: {more}. `moodring runs` lists "
            "them, and `moodring compare RUN RUN` compares them."
        )
        return replace(collected, notes=(*collected.notes, note))

    def _default(self) -> list[Record]:
        present = [self._workspace, revision(self._root, HEAD)]
        return [*self._experiments, *(record for record in present if record is not None)]

    def _named(self, name: str) -> list[Result]:
        if name == WORKSPACE and self._workspace is not None:
            records = [self._workspace]
        else:
            records = [record for record in self._experiments if record.name == name]
        if not records and (record := revision(self._root, name)) is not None:
            records = [record]
        if results := self._read(records):
            return results
        runs = self._runs.named(name)
        if not runs and (records or name == WORKSPACE or commit_of(self._root, name) is not None):
            raise MoodringError(no_result_in(name))
        if not runs:
            raise MoodringError(
                f"{name!r} is no experiment, no git revision and no MLflow run; `dvc exp list --all`, "
                f"`git log` and `moodring runs` list them.{shallow_hint(self._root)}{self._store_problem()}"
            )
        finished = [run for run in runs if run["status"] == "FINISHED"]
        return [result_of(run, self._default(), self._files) for run in finished or runs]

    def _read(self, records: Iterable[Record]) -> list[Result]:
        """The results of records, those without one left out."""
        kept = [record for record in records if record.identity is not None]
        # Each baseline may have an experiment of the same name; only different results are told apart.
        different = {(record.name, record.identity) for record in kept if record.baseline is not None}
        counts = Counter(name for name, _ in different)
        named = [
            replace(record, name=f"{record.name} ({record.baseline[:7]})")
            if record.baseline is not None and counts[record.name] > 1
            else record
            for record in kept
        ]
        return [read_recorded(record, self._files) for record in named]

    def _of_dataset(self, dataset: str, results: list[Result]) -> Collected:
        ordered = sorted((self._dated(result) for result in results), key=_rank)
        texts = self._texts.identities(ordered)
        results = [replace(result, texts=one) for result, one in zip(ordered, texts, strict=True)]
        notes = [*_missing(results), *self._problems]
        if self._runs.problem is not None:
            notes.append(self._runs.problem)
        return Collected(dataset, tuple(results), tuple(notes))

    def _dated(self, result: Result) -> Result:
        """A result with the time of its training, and whether it is the working directory's."""
        here = self._workspace is not None and result.identity == self._workspace.identity
        runs = self._runs.of(result.record)
        minutes = next((run["minutes"] for run in runs if run["minutes"] is not None), result.minutes)
        when = next((started(run) for run in runs if not run["restored"]), result.when)
        return replace(result, here=here, minutes=minutes, when=when)

    def _runs_alone(self, collected: Collected) -> int:
        """The number of the dataset's models that have a finished run and are not among the results."""
        shown = {result.record.md5s["models"] for result in collected.results if result.record is not None}
        finished = (run for run in self._runs.runs if run["status"] == "FINISHED")
        runs = [run for run in finished if run["dataset"] == collected.dataset]
        return len({run[MODELS_MD5] for run in runs} - shown - {None})

    def _store_problem(self) -> str:
        return "" if self._runs.problem is None else f" {self._runs.problem}"


def _merged(results: Iterable[Result]) -> list[Result]:
    """Each result once, with all its names."""
    found: dict[str, Result] = {}
    for result in results:
        same = found.get(result.identity)
        names = result.names if same is None else (*same.names, *result.names)
        found[result.identity] = replace(same or result, names=tuple(dict.fromkeys(names)))
    return list(found.values())


def _rank(result: Result) -> tuple[bool, bool, float, float, tuple[str, ...]]:
    """The place in the order: evaluated first, then by validation accuracy, loss and name."""
    validation, loss = result.validation, result.train.get("best_val_loss", float("inf"))
    return result.accuracy is None, validation is None, -(validation or 0), loss, result.names


def _missing(results: Sequence[Result]) -> list[str]:
    notes = []
    if unevaluated := [result.name for result in results if result.accuracy is None]:
        notes.append(
            f"Not evaluated: {', '.join(unevaluated)}. `dvc exp run` with its parameters evaluates it."
        )
    lost = [result for result in results if result.accuracy is not None and result.scored is None]
    if here := [result.name for result in lost if result.record is not None]:
        notes.append(
            f"DVC's cache has no scores of {', '.join(here)}, so there is no paired test. `dvc pull` or "
            "`dvc repro` brings them back; for an experiment, `dvc exp apply NAME` comes first."
        )
    if alone := [result.name for result in lost if result.record is None]:
        notes.append(f"This checkout has only the runs of {', '.join(alone)}, which hold no scores.")
    tested = [result for result in results if result.scored is not None]
    if others := [result.name for result in tested if result.texts != tested[0].texts]:
        first = tested[0].name
        notes.append(f"{', '.join(others)}: tested on other texts than {first}; accuracies do not compare.")
    return notes


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
