"""Repair the store after the checkout was moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodring.errors import shows_errors

if TYPE_CHECKING:
    pass


@shows_errors
def relocate() -> None:
    """After the checkout was moved or copied: let the MLflow store find its artifacts in it again."""
    from moodring.tracking.addresses import artifact_root
    from moodring.tracking.relocation import relocate as relocate_store

    old = relocate_store()
    for place in old:
        print(f"{place} -> {artifact_root()}")
    if not old:
        print("nothing to do: the store's artifacts are addressed in this checkout")
