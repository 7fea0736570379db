"""Repair the MLflow store of a moved checkout."""

from __future__ import annotations

from moodring.errors import shows_errors


@shows_errors
def relocate() -> None:
    """Repair the MLflow store after the checkout was moved or copied: change the artifacts' addresses."""
    from moodring.tracking.addresses import artifact_root
    from moodring.tracking.relocation import relocate as relocate_store

    old = relocate_store()
    for place in old:
        print(f"{place} -> {artifact_root()}")
    if not old:
        print("nothing to do: all artifact addresses of the store are in this checkout")
