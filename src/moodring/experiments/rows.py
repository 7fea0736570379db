"""The declared rows of docs/results.md: which configuration each stands for, and what runs it."""

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
    """A row as it is declared: a named experiment, or settings over params.yaml."""

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
            raise ValueError(f"seeds: each counts once, received: {self.seeds}")
        return self


@dataclass(frozen=True)
class Row:
    """One configuration, run with several seeds.

    Args:
        dataset: whose table it stands in.
        group: of rows in that table.
        label: what it is called there.
        params: its parameters; the seed among them says nothing.
        settings: over params.yaml, as `dvc exp run -S` takes them; none for a named experiment.
        experiment: its name, for a named one.
        target: the least mean test accuracy, as a share.
    """

    dataset: str
    group: str
    label: str
    params: Params
    settings: tuple[str, ...] = ()
    experiment: str | None = None
    target: float | None = None

    def at(self, seed: int) -> Params:
        """The parameters of its run with a seed."""
        return self.params.model_copy(update={"seed": seed})

    def command(self, seed: int | str, *options: str) -> str:
        """The shell command that makes its run with a seed; `options` are DVC's, as `--temp`."""
        words = ["dvc", "exp", "run", *options]
        if self.experiment is not None:
            # DVC refuses an experiment's name that is taken, and a row has a run a seed.
            name = f"{self.experiment}-{seed}"
            words = ["moodring", "experiment", self.experiment, *options, "--name", name]
        settings = (*self.settings, f"seed={seed}")
        return shlex.join([*words, *(part for setting in settings for part in ("-S", setting))])


def read_rows(root: Path) -> tuple[list[int], list[Row]]:
    """The seeds and the rows, table by table, of a checkout's docs/results.yaml.

    Raises:
        MoodringError: the file cannot be read or is not valid, there is no such experiment, or params.yaml
            would not be valid with a row's settings; the row is named.
    """
    declared = _declared(root)
    base = read_yaml(root / "params.yaml")
    defaults = [_Row(group=DEFAULT, label=f"`{arch}`", settings={"arch": arch}) for arch in declared.archs]
    rows = [
        _row(root, base, dataset, one)
        for dataset, further in declared.tables.items()
        for one in (*defaults, *further)
    ]
    return declared.seeds, rows


def _declared(root: Path) -> _File:
    try:
        return _File.model_validate(read_yaml(root / PLACE))
    except ValidationError as error:
        problems = [
            f"  {'.'.join(map(str, one['loc']))}: {one['msg']}, received: {one['input']!r:.80}"
            for one in error.errors()
        ]
        raise MoodringError("\n".join([f"{PLACE} is not valid:", *problems])) from None


def _row(root: Path, base: dict[str, Any], dataset: str, one: _Row) -> Row:
    place = f"{PLACE}, {dataset}, {one.group}, {one.label}"
    try:
        found = settings_of(root, one.experiment) if one.experiment else one.settings or {}
    except MoodringError as error:
        raise MoodringError(f"{place}: {error}") from None
    # A row belongs to its table; of an experiment it is for the file to say.
    settings = found if one.experiment else {"dataset": dataset, **found}
    params = parse_params(merged(base, settings), f"{place}: params.yaml with its settings")
    if params.dataset != dataset:
        raise MoodringError(f"{place}: its dataset is {params.dataset!r}; move it to that table")
    written = () if one.experiment else tuple(assignments(base, settings))
    return Row(dataset, one.group, one.label, params, written, one.experiment, one.target)
