"""The error that the user can fix, and how a command shows it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar


class MoodringError(Exception):
    """An error that the user can fix: the message names the problem, the value received and the remedy."""


P = ParamSpec("P")
R = TypeVar("R")


def shows_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command: a `MoodringError` ends it with one message and exit code 1, Ctrl-C with 130.

    Any other exception is a bug and keeps its traceback.
    """

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except MoodringError as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None  # as shells do

    return wrapper


def warn(message: str) -> None:
    """Print a warning; the command continues."""
    print(f"warning: {message}", file=sys.stderr, flush=True)
