"""Digests of files and directories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_sha256(path: Path) -> str:
    """One SHA-256 for a directory; see `files_sha256`."""
    return files_sha256(path, [file for file in path.rglob("*") if file.is_file()])


def files_sha256(root: Path, files: Iterable[Path]) -> str:
    """One SHA-256 for files below `root`: over their names and SHA-256, sorted by name."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(root).as_posix()}\t{sha256(file)}\n".encode())
    return digest.hexdigest()


def tree_md5(path: Path) -> str:
    """A directory's MD5 as DVC writes it into dvc.lock: over the list of its files' names and MD5s."""
    entries = [
        {"md5": hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(), "relpath": name}
        for name, file in sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*"))
        if file.is_file()
    ]
    listed = json.dumps(entries, sort_keys=True).encode()
    return f"{hashlib.md5(listed, usedforsecurity=False).hexdigest()}.dir"
