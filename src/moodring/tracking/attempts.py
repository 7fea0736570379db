"""Attempts: the state of a training that the next process continues after a kill.

An attempt is a directory `.moodring/attempts/KEY` in the checkout's root. Its key is a digest of everything
that the result depends on, so a training with changed parameters, code or data never continues from an old
state. A file lock shows whether its process still runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moodring.checkout.backend import backend_name, installed_version
from moodring.checkout.dependencies import code_of
from moodring.checkout.locks import locked, try_lock
from moodring.checkout.root import checkout_root
from moodring.io.digests import sha256

PLACE = Path(".moodring") / "attempts"
LIBRARIES = ("keras", "numpy")
_ID, _LOCK = "id", "lock"


@dataclass(frozen=True)
class Attempt:
    """A training that has begun and has not yet recorded its result.

    Args:
        id: identifies it in every store, so that its MLflow run is found again.
        place: its directory.
        again: an earlier process began it and did not finish it.
    """

    id: str
    place: Path
    again: bool

    @property
    def checkpoint(self) -> Path:
        """The file with the state after the last epoch."""
        return self.place / "checkpoint.npz"

    def discard(self) -> None:
        """Delete it: its result is written and recorded."""
        with _all_locked():
            shutil.rmtree(self.place)


def key_of(params: dict[str, Any], data_sha256: str, stage: Path) -> str:
    """A digest of everything that a training's result depends on.

    Args:
        params: flat parameters.
        data_sha256: of the corpus, and of the vectors if there are any.
        stage: the stage's file, in `stages/` of its checkout; the code that it imports counts too.
    """
    root = stage.resolve().parents[1]
    code = {path.relative_to(root).as_posix(): sha256(path) for path in code_of(stage.resolve(), root)}
    versions = {name: installed_version(name) for name in (*LIBRARIES, backend_name())}
    content = {"params": params, "data": data_sha256, "code": code, "versions": versions}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def claimed(key: str) -> Iterator[Attempt]:
    """Hold the attempt of a key: the one that a killed process left, or a new one.

    While another process holds it, a second process gets a new attempt and begins from the first epoch.
    """
    with contextlib.ExitStack() as held:
        with _all_locked():
            numbered = (_root() / (f"{key}.{number}" if number else key) for number in itertools.count())
            # First the attempts that were left, then the first free name.
            for place in itertools.chain(_left(key), numbered):
                place.mkdir(parents=True, exist_ok=True)
                if held.enter_context(try_lock(place / _LOCK)):
                    break
            again = (place / _ID).is_file()
            if not again:
                # Rename a complete file, so that the file always holds an id.
                (fresh := place / f"{_ID}.new").write_text(uuid.uuid4().hex, encoding="ascii")
                fresh.replace(place / _ID)
        yield Attempt((place / _ID).read_text(encoding="ascii"), place, again)


def abandoned() -> list[Attempt]:
    """The attempts that no living process holds."""
    found = []
    with _all_locked():
        for place in sorted(path for path in _root().iterdir() if (path / _ID).is_file()):
            with try_lock(place / _LOCK) as free:
                if free:
                    found.append(Attempt((place / _ID).read_text(encoding="ascii"), place, again=True))
    return found


def is_left(key: str) -> bool:
    """Whether there is an attempt of this key, held or not."""
    return bool(_left(key))


def _left(key: str) -> list[Path]:
    return sorted(path.parent for path in _root().glob(f"{key}*/{_ID}"))


def _root() -> Path:
    return checkout_root() / PLACE


@contextlib.contextmanager
def _all_locked() -> Iterator[None]:
    """Let one process at a time list, claim or delete attempts."""
    _root().mkdir(parents=True, exist_ok=True)
    with locked(_root() / _LOCK):
        yield
