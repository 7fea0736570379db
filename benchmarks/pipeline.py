"""Measures the time of the tools around the training: `dvc repro` and the first prediction."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Plan, alternate, process_cost
from benchmarks.project import Project, moodring_project, ran, true_project
from benchmarks.report import Row, Target

REPRO = ["dvc", "repro"]
TRUE = "`dvc repro` of five `true` stages"
PAIRS = 10
IDLE, RESTORING, FIRST = (Target("at most", ratio) for ratio in (1.15, 3, 1.3))
RESTORED = "DVC restored every stage from its run cache; no stage ran."
WARM_UP = "Each side ran once before, so its files are in the system's cache."


def repro(directory: Path, plan: Plan) -> list[Row]:
    """`dvc repro` without work, and with a change back to an earlier `arch`; compared with empty stages."""
    project, bare = moodring_project(directory / "repro"), true_project(directory / "true")
    for arch in ("gru", "lstm"):
        project.choose(arch)
        project.run(*REPRO)
    bare_idle, idle, switch = _nothing_runs(bare), _nothing_runs(project), _Switch(project)
    bare_idle(), idle()
    pairs = max(plan.repeats, plan.cut(PAIRS, 1))
    theirs, ours = alternate([bare_idle, idle], pairs)
    beside, back = alternate([bare_idle, switch.repro], pairs)
    switched = "`dvc repro`, back to an `arch` that has run"
    return [
        Row("`dvc repro`, nothing to do", "s", TRUE, theirs, ours, "ours / rival", IDLE, WARM_UP),
        Row(switched, "s", TRUE, beside, back, "ours / rival", RESTORING, RESTORED),
    ]


def predict(directory: Path, plan: Plan) -> list[Row]:
    """The first prediction of a fresh process, compared with the import of Keras."""
    project = moodring_project(directory / "predict")
    project.run(*REPRO)
    program = str(Path(sys.executable).with_name("moodring"))

    def keras() -> float:
        return process_cost([sys.executable, "-c", "import keras"], project.root, project.environment)[
            0
        ].seconds

    def ours() -> float:
        cost, output = process_cost([program, "predict", "a fine film"], project.root, project.environment)
        if '"score"' not in output:
            raise ValueError(f"no prediction: {output}")
        return cost.seconds

    keras(), ours()
    theirs, mine = alternate([keras, ours], max(plan.repeats, plan.cut(5, 1)))
    rival = "`python -c 'import keras'`"
    return [Row("`moodring predict TEXT`", "s", rival, theirs, mine, "ours / rival", FIRST, WARM_UP)]


def _nothing_runs(project: Project) -> Callable[[], float]:
    def call() -> float:
        cost, output = process_cost(REPRO, project.root, project.environment)
        if stages := ran(output):
            raise ValueError(f"no stage should run, but DVC ran {stages}")
        return cost.seconds

    return call


class _Switch:
    """Runs `dvc repro` after a change to the other `arch`, which has run before."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._arch = "lstm"

    def repro(self) -> float:
        """Change `arch` and measure `dvc repro`; no stage may run."""
        self._arch = "gru" if self._arch == "lstm" else "lstm"
        self._project.choose(self._arch)
        cost, output = process_cost(REPRO, self._project.root, self._project.environment)
        if (stages := ran(output)) or "is cached - skipping run" not in output:
            raise ValueError(f"DVC should restore the result, but it ran {stages}:\n{output}")
        return cost.seconds
