"""The declared rows of docs/results.md: the configuration of each row and the command that runs it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from moodring.errors import MoodringError
from moodring.experiments.named import assignments, merged, settings_of
from moodring.params.base import Block, Name, Seed, Share
from moodring.params.file import parse_params, read_yaml
from moodring.params.pipeline import Params

PLACE = Path("docs/results.yaml")
DEFAULT: Final = "Default parameters"
LEAKAGE: Final = "Leakage"


class _Row(Block):
    """A declared row: a named experiment, or settings that change params.yaml."""

    group: Literal["Default parameters", "The notebooks' models", "Best single model", "Leakage"]
    label: Annotated[str, Field(pattern=r"^[^|\n]+$")]
    experiment: Name | None = None
    settings: dict[str, Any] | None = None
    target: Share | None = None

    @model_validator(mode="after")
    def _one_source(self) -> _Row:
        if (self.experiment is None) == (self.settings is None):
            raise ValueError("a row needs either `experiment` or `settings`")
        return self


class _File(Block):
    """The whole of docs/results.yaml."""

    seeds: Annotated[list[Seed], Field(min_length=2)]
    archs: list[Name]
    tables: dict[Name, list[_Row]]

    @model_validator(mode="after")
    def _each_seed_once(self) -> _File:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: each may occur only once, received: {self.seeds}")
        return self


@dataclass(frozen=True)
class Row:
    """One configuration, run with several seeds.

    Args:
        dataset: the table that contains the row.
        group: the row's group in that table.
        label: the row's name in that table.
        params: its parameters; their seed is not used, see `at`.
        settings: changes of params.yaml in the form of `dvc exp run -S`; empty for a named experiment.
        experiment: the name, for a named experiment.
        target: the mean test accuracy to reach, from 0 to 1.
    """

    dataset: str
    group: str
    label: str
    params: Params
    settings: tuple[str, ...] = ()
    experiment: str | None = None
    target: float | None = None

    def at(self, seed: int) -> Params:
        """The parameters of the run with this seed."""
        return self.params.model_copy(update={"seed": seed})

    def command(self, seed: int | str, *options: str) -> str:
        """The shell command of the run with this seed; `options` are DVC's, such as `--temp`."""
        words = ["dvc", "exp", "run", *options]
        if self.experiment is not None:
            # DVC refuses a name that exists, and a row has one run a seed: add the seed to the name.
            name = f"{self.experiment}-{seed}"
            words = ["moodring", "experiment", self.experiment, *options, "--name", name]
        settings = (*self.settings, f"seed={seed}")
        return shlex.join([*words, *(part for setting in settings for part in ("-S", setting))])


def read_rows(root: Path) -> tuple[list[int], list[Row]]:
    """Read the seeds and the rows of a checkout's docs/results.yaml, in order.

    Raises:
        MoodringError: the file cannot be read or is not valid, there is no such experiment, or params.yaml
            would not be valid with a row's settings; the row is named.
    """
    declared = _declared(root)
    base = read_yaml(root / "params.yaml")
    defaults = [_Row(group=DEFAULT, label=f"`{arch}`", settings={"arch": arch}) for arch in declared.archs]
    rows = [
        _row(root, base, dataset, row)
        for dataset, others in declared.tables.items()
        for row in (*defaults, *others)
    ]
    return declared.seeds, rows


def _declared(root: Path) -> _File:
    try:
        return _File.model_validate(read_yaml(root / PLACE))
    except ValidationError as error:
        problems = [
            f"  {'.'.join(map(str, problem['loc']))}: {problem['msg']}, received: {problem['input']!r:.80}"
            for problem in error.errors()
        ]
        raise MoodringError("\n".join([f"{PLACE} is not valid:", *problems])) from None


def _row(root: Path, base: dict[str, Any], dataset: str, declared: _Row) -> Row:
    place = f"{PLACE}, {dataset}, {declared.group}, {declared.label}"
    try:
        settings = settings_of(root, declared.experiment) if declared.experiment else declared.settings or {}
    except MoodringError as error:
        raise MoodringError(f"{place}: {error}") from None
    # An experiment's file names its own dataset; other rows use the dataset of their table.
    if not declared.experiment:
        settings = {"dataset": dataset, **settings}
    params = parse_params(merged(base, settings), f"{place}: params.yaml with its settings")
    if params.dataset != dataset:
        raise MoodringError(f"{place}: its dataset is {params.dataset!r}; move the row to that table")
    written = () if declared.experiment else tuple(assignments(base, settings))
    return Row(dataset, declared.group, declared.label, params, written, declared.experiment, declared.target)
