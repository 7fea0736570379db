"""The parts that all blocks of params.yaml share."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
# MLflow uses a name for its experiment, model and directory. A parameter's dotted name contains it too.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
MAX_UNITS = 65_536
OWN = PurePosixPath(
    "data/own"
)  # the directory of the user's files, on which the stages that read them depend


def in_own(path: str) -> bool:
    """Whether a path from the project's root is a path of something in `OWN`."""
    pure = PurePosixPath(path)
    return OWN in pure.parents and ".." not in pure.parts


def _own_path(path: str) -> str:
    if not in_own(path):
        raise ValueError(
            f"a file in {OWN} is needed, because DVC does not notice a change of a file elsewhere. Copy the "
            f"file to {OWN}/ and run `dvc add` on it"
        )
    return path


OwnPath = Annotated[str, AfterValidator(_own_path)]


class Block(BaseModel):
    """A block of params.yaml. It is frozen, and it accepts no unknown keys and no values of other types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The leaves of nested mappings with their dotted names, in the order of the tree."""
    leaves: list[tuple[str, Any]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        leaves += flatten(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return leaves
