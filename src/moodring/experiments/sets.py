"""Sets of experiments: files that name several experiments, which one command runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from moodring.checkout.git import git
from moodring.errors import MoodringError
from moodring.experiments.named import PLACE, assignments, merged, settings_of
from moodring.params.file import parse_params, read_yaml

SETS = f"{PLACE}/sets"
EXPERIMENT = "experiment"  # the key of a named experiment, which the other keys change
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# What a run or the queue writes and git keeps; it does not make two runs different.
WRITTEN = (":(exclude)params.yaml", ":(exclude)dvc.lock", ":(exclude)metrics", ":(exclude).dvc/tmp")


@dataclass(frozen=True)
class Planned:
    """An experiment of a set.

    Args:
        name: DVC's name of it.
        dataset: the name of its dataset.
        settings: its changes of params.yaml, as `KEY=VALUE`.
        there: DVC has it already, or has queued what shall be queued, of the same parameters and files.
    """

    name: str
    dataset: str
    settings: tuple[str, ...]
    there: bool

    def command(self, options: Sequence[str]) -> list[str]:
        """The command that runs it; `options` are DVC's."""
        settings = [part for setting in self.settings for part in ("-S", setting)]
        return ["dvc", "exp", "run", "--name", self.name, *settings, *options]


def set_names(root: Path) -> list[str]:
    """The names of a checkout's sets, sorted."""
    return sorted(path.stem for path in (root / SETS).glob("*.yaml"))


def plan(root: Path, name: str, options: Sequence[str]) -> list[Planned]:
    """The experiments of a set, in the order of its file.

    An experiment whose settings name no dataset has the present dataset's name after its own. If DVC has
    another experiment of that name, a number follows.

    Args:
        root: the checkout's root.
        name: of a set.
        options: DVC's; the parameters among them (`-S`) change each experiment.

    Raises:
        MoodringError: the set is not valid, an experiment's parameters are not, or there is no git commit.
    """
    head = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise MoodringError("an experiment needs a git commit to start from; run `git commit` first")
    base = read_yaml(root / "params.yaml")
    planned: list[Planned] = []
    given = _parameters(options)
    queued = _queued(root, head) if "--queue" in options else {}
    for key, settings in _settings(root, name):
        written = tuple(assignments(base, settings))
        if both := sorted(_keys(written) & _keys(given)):
            raise MoodringError(
                f"{SETS}/{name}.yaml, {key} sets {', '.join(both)}, so -S must not. Leave it out, or run "
                "one experiment: dvc exp run -S ..."
            )
        tree = _with_parameters(root, [*written, *given], f"{SETS}/{name}.yaml, {key}")
        dataset = str(tree["dataset"])
        wanted = key if "dataset" in settings else f"{key}-{dataset}"
        known, there = _known(root, head, queued, wanted, tree)
        if known in {one.name for one in planned}:
            raise MoodringError(f"{SETS}/{name}.yaml, {key}: a line above is already {known!r}; rename one")
        planned.append(Planned(known, dataset, written, there))
    if not planned:
        raise MoodringError(f"{SETS}/{name}.yaml names no experiment; add a line, such as gru: {{arch: gru}}")
    return planned


def _settings(root: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The key and the settings of each experiment of a set."""
    for key, value in read_yaml(root / SETS / f"{name}.yaml").items():
        place = f"{SETS}/{name}.yaml, {key!r}"
        if not isinstance(key, str) or not NAME.fullmatch(key):
            raise MoodringError(f"{place}: a name consists of letters, digits, - and _")
        if not isinstance(value, dict):
            raise MoodringError(f"{place} must contain a mapping of parameters, received: {value!r:.80}")
        changes = {parameter: leaf for parameter, leaf in value.items() if parameter != EXPERIMENT}
        if (experiment := value.get(EXPERIMENT)) is not None:
            changes = merged(settings_of(root, str(experiment)), changes)
        yield key, changes


def _parameters(options: Sequence[str]) -> list[str]:
    """The parameters among DVC's options."""
    found, words = [], iter(options)
    for word in words:
        option, _, value = word.partition("=")
        if word in {"-S", "--set-param"}:
            found.append(next(words, ""))
        elif option == "--set-param":
            found.append(value)
        elif word.startswith("-S"):
            found.append(word.removeprefix("-S"))
    return found


def _keys(assigned: Sequence[str]) -> set[str]:
    """The parameters that `KEY=VALUE` set."""
    return {assignment.partition("=")[0].lstrip("+~") for assignment in assigned}


def _with_parameters(root: Path, settings: Sequence[str], origin: str) -> dict[str, Any]:
    """The content of params.yaml after DVC has set parameters in it, checked."""
    from dvc.exceptions import DvcException
    from dvc.utils.hydra import apply_overrides

    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "params.yaml"
        shutil.copyfile(root / copy.name, copy)
        try:
            apply_overrides(copy, list(settings))
        except (DvcException, YAMLError) as error:  # YAML has no form for a range of values
            raise MoodringError(f"{origin}: DVC cannot set {', '.join(settings)}: {error}") from error
        tree = read_yaml(copy)
    parse_params(tree, f"{origin}: params.yaml with its settings")
    return tree


def _known(
    root: Path, head: str, queued: Mapping[str, str], name: str, tree: dict[str, Any]
) -> tuple[str, bool]:
    """The name for an experiment, and whether DVC has it already with these parameters and files."""
    for candidate in chain([name], (f"{name}-{number}" for number in count(2))):
        ref = queued.get(candidate, f"refs/exps/{head[:2]}/{head[2:]}/{candidate}")
        before = git(root, "show", f"{ref}:./params.yaml")
        if before is None:
            return candidate, False
        if YAML(typ="safe").load(before) == tree and _has_these_files(root, ref):
            return candidate, True
    raise AssertionError  # the loop has no end


def _queued(root: Path, head: str) -> dict[str, str]:
    """The experiments of a commit in DVC's queue: each one's revision by its name."""
    log = git(root, "log", "--walk-reflogs", "--format=%H %gs", "refs/exps/celery/stash") or ""
    return {
        name: revision for revision, name in re.findall(rf"^(\w+) .*dvc-exp:\w+:{head}:([^:\n]+)", log, re.M)
    }


def _has_these_files(root: Path, ref: str) -> bool:
    """Whether a commit has the checkout's files, those that git tracks."""
    command = ["git", "diff", "--quiet", ref, "--", ".", *WRITTEN]
    return subprocess.run(command, cwd=root, check=False).returncode == 0
