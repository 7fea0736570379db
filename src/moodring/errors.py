"""The one kind of error that is the user's to mend, and how a command shows it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar


class MoodringError(Exception):
    """Something the user can mend: the message says what was wrong, the value received, what to do."""


P = ParamSpec("P")
R = TypeVar("R")


def shows_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command end with one clear message and exit code 1 on a `MoodringError`, and with 130 on Ctrl-C.

    Any other exception is a defect of the program and keeps its traceback.
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
            raise SystemExit(130) from None  # as a shell says it

    return wrapper


def warn(message: str) -> None:
    """Tell the user of something that ends nothing."""
    print(f"warning: {message}", file=sys.stderr, flush=True)
