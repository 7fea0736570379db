"""Correct the store's addresses after the checkout was moved or copied."""

from __future__ import annotations

import contextlib
import sqlite3

from moodring.tracking.addresses import (
    artifact_root,
    file_of,
    is_misplaced,
    old_artifact_root,
    store_uri,
)
from moodring.tracking.store import locked_store, reaching

# The columns in which MLflow keeps absolute addresses of artifacts.
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def misplaced() -> list[str]:
    """The artifact places of the checkout's own store that are outside the checkout.

    Raises:
        StoreError: the store cannot be opened.
    """
    with reaching() as client, locked_store():
        experiments = client.search_experiments()
    return sorted(item.artifact_location for item in experiments if is_misplaced(item))


def relocate() -> list[str]:
    """Make the store's artifact addresses point into the checkout.

    MLflow keeps absolute addresses and has no command to change them. This moves no files.

    Returns:
        The old artifact folders.

    Raises:
        StoreError: the store cannot be opened.
    """
    old = sorted({root for place in misplaced() if (root := old_artifact_root(place)) is not None})
    file = file_of(store_uri())
    if not old or file is None:
        return old
    with reaching(), locked_store(), contextlib.closing(sqlite3.connect(file)) as store, store:
        for table, column in _ADDRESSES:
            for root in old:
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  # the names are constants
                    f"WHERE substr({column}, 1, ?) = ?",
                    (f"{artifact_root()}/", len(root) + 2, len(root) + 1, f"{root}/"),
                )
    return old
