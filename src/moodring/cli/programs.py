"""Start other programs of this environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from moodring.errors import MoodringError


def replace_process(command: list[str], directory: Path) -> None:
    """Replace this process by another program, started in a directory.

    Raises:
        MoodringError: the program is not installed.
    """
    os.chdir(directory)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, own_programs_first())
    except FileNotFoundError as error:
        raise MoodringError(f"{command[0]} is not installed here: {error}. Run `make install`.") from error


def own_programs_first() -> dict[str, str]:
    """Environment variables with this environment's programs first on PATH, even if it is not activated."""
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": own}
