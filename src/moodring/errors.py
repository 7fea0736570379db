"""The error that the user can fix, and how a command shows it."""

from __future__ import annotations

import errno
import functools
import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

# Control characters but tab and line feed, Unicode's line separators, and marks that change the direction of
# writing. A text of unknown origin must not move the cursor, clear the screen or turn the line round.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class MoodringError(Exception):
    """An error that the user can fix: the message names the problem, the value received and the remedy."""


# The disk is full, or this user's share of it, or a file would be larger than the system's limit.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
P = ParamSpec("P")
R = TypeVar("R")


def shows_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command: a `MoodringError` ends it with one message and exit code 1, Ctrl-C with 130.

    So does a full disk. Any other exception is a bug and keeps its traceback.
    """

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        print_any_text()
        try:
            answer = command(*args, **kwargs)
            sys.stdout.flush()  # here, not after the command: the disk of its output may be full too
        except MoodringError as error:
            print(f"error: {escaped(str(error))}", file=sys.stderr)
            raise SystemExit(1) from None
        except OSError as error:
            if error.errno not in FULL:
                raise
            _give_up_full_output()
            print(f"error: {no_space(error)}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None  # as shells do
        return answer

    return wrapper


def _give_up_full_output() -> None:
    """Drop the output that does not fit: Python would try again at its end, and change the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def no_space(error: OSError, path: object = None) -> str:
    """The message for a file that does not fit on its disk.

    Args:
        error: of the system.
        path: the file; None: the error may name it.
    """
    place = path or error.filename
    reason = os.strerror(error.errno or errno.ENOSPC)
    return (
        f"cannot write{f' {place}' if place else ''}: {reason}. Free some space (`moodring doctor` says how "
        "much there is), then run the command again."
    )


def warn(message: str) -> None:
    """Print a warning; the command continues."""
    print(f"warning: {escaped(message)}", file=sys.stderr, flush=True)


def escaped(text: str) -> str:
    """A text for a terminal: characters that would steer it are replaced by JSON's escapes."""
    return STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def print_any_text() -> None:
    """Let this process print any text: characters that the terminal's encoding lacks are escaped.

    What is printed to a closed stream is dropped. Without a stream, `print` would write a warning to standard
    output, between the lines for other programs.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
