"""Trainings that may be killed: where the next process finds what the last one left.

An attempt is a folder `.moodring/attempts/KEY` in the checkout's root. Its key is a digest of all that the
result depends on, so changed parameters, code or data never go on from an old state. A file lock tells
whether its process still lives: the system lets go of it however that process ends.
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
    """A result in the making.

    Args:
        id: names it everywhere, so that its MLflow run is found again.
        place: its folder.
        again: an earlier process began it and did not end it.
    """

    id: str
    place: Path
    again: bool

    @property
    def checkpoint(self) -> Path:
        """Where training keeps what it goes on from."""
        return self.place / "checkpoint.npz"

    def discard(self) -> None:
        """Forget it: its result is written and recorded."""
        with _all_locked():
            shutil.rmtree(self.place)


def key_of(params: dict[str, Any], data_sha256: str, stage: Path) -> str:
    """A digest of all that a training's result depends on.

    Args:
        params: flat parameters.
        data_sha256: of the corpus, and of given vectors.
        stage: the stage's file, in `stages/` of its checkout; its code is followed through its imports.
    """
    root = stage.resolve().parents[1]
    code = {path.relative_to(root).as_posix(): sha256(path) for path in code_of(stage.resolve(), root)}
    versions = {name: installed_version(name) for name in (*LIBRARIES, backend_name())}
    content = {"params": params, "data": data_sha256, "code": code, "versions": versions}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def claimed(key: str) -> Iterator[Attempt]:
    """Hold the attempt of a key, which may have been left by a killed process.

    While another process holds it, a second one gets an attempt of its own, beginning anew.
    """
    with contextlib.ExitStack() as held:
        with _all_locked():
            numbered = (_root() / (f"{key}.{number}" if number else key) for number in itertools.count())
            # First what was left, then the first that is not there yet.
            for place in itertools.chain(_left(key), numbered):
                place.mkdir(parents=True, exist_ok=True)
                if held.enter_context(try_lock(place / _LOCK)):
                    break
            again = (place / _ID).is_file()
            if not again:
                # Written whole: a file that stands holds an id.
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
    """Whether an attempt of this key stands there, held or not."""
    return bool(_left(key))


def _left(key: str) -> list[Path]:
    return sorted(path.parent for path in _root().glob(f"{key}*/{_ID}"))


def _root() -> Path:
    return checkout_root() / PLACE


@contextlib.contextmanager
def _all_locked() -> Iterator[None]:
    """One process at a time looks through the attempts, takes one or removes one."""
    _root().mkdir(parents=True, exist_ok=True)
    with locked(_root() / _LOCK):
        yield
