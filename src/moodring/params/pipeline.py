"""The whole of params.yaml."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import model_validator

from moodring.params.arch import ArchParams, NbsvmParams, RecurrentParams
from moodring.params.base import Block, Name, Seed, flatten
from moodring.params.data import DatasetParams
from moodring.params.evaluation import BehaviourParams, EvaluateParams
from moodring.params.training import TrainParams


class Params(Block):
    """The whole of params.yaml."""

    dataset: str
    arch: str
    baseline: str
    seed: Seed
    datasets: dict[Name, DatasetParams]
    archs: dict[Name, ArchParams]
    train: TrainParams
    evaluate: EvaluateParams
    behaviour: BehaviourParams = BehaviourParams()

    @model_validator(mode="after")
    def _names_exist(self) -> Params:
        for key, name, blocks in (
            ("dataset", self.dataset, self.datasets),
            ("arch", self.arch, self.archs),
            ("baseline", self.baseline, self.archs),
        ):
            if name not in blocks:
                raise ValueError(f"{key} {name!r} is unknown; {_suggest(name, blocks)}")
        if self.archs[self.baseline].kind != "nbsvm":
            raise ValueError(f"baseline {self.baseline!r} must be of kind nbsvm")
        return self

    @property
    def data(self) -> DatasetParams:
        """The chosen dataset's block."""
        return self.datasets[self.dataset]

    @property
    def architecture(self) -> RecurrentParams | NbsvmParams:
        """The chosen architecture's block."""
        return self.archs[self.arch]

    @property
    def recurrent_archs(self) -> dict[str, RecurrentParams]:
        """The blocks of recurrent architectures, by name."""
        return {name: block for name, block in self.archs.items() if isinstance(block, RecurrentParams)}

    @property
    def recurrent(self) -> RecurrentParams:
        """The chosen architecture's block, which must be recurrent.

        Raises:
            KeyError: the architecture is of another kind.
        """
        return self.recurrent_archs[self.arch]

    @property
    def baseline_arch(self) -> NbsvmParams:
        """The baseline's block."""
        block = self.archs[self.baseline]
        assert isinstance(block, NbsvmParams)  # noqa: S101  # checked above
        return block

    def of_training(self) -> dict[str, Any]:
        """The parameters of the train stage, by their dotted names in params.yaml."""
        tree = {
            "dataset": self.dataset,
            "arch": self.arch,
            "seed": self.seed,
            "datasets": {self.dataset: {"max_length": self.data.max_length}},
            "archs": {self.arch: self.architecture.model_dump()},
            "train": self.train.model_dump(),
        }
        return dict(flatten(tree))

    def of_model(self) -> dict[str, Any]:
        """All parameters that a trained model depends on: those of `of_training` and of the stages before."""
        return {**dict(flatten({"datasets": {self.dataset: self.data.model_dump()}})), **self.of_training()}

    def of_evaluation(self) -> dict[str, Any]:
        """The parameters that only evaluation depends on, by their dotted names in params.yaml."""
        baseline = {"baseline": self.baseline, "archs": {self.baseline: self.baseline_arch.model_dump()}}
        return dict(flatten({"evaluate": self.evaluate.model_dump(), **baseline}))


def _suggest(name: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(known)}"
