"""File locks between processes, also after a holder is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moodring.checkout.locks import locked, try_lock

HOLD = """
import sys
from pathlib import Path
from moodring.checkout.locks import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "new" / "lock"


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_is_held_by_one_process_at_a_time(lock: Path, holder: subprocess.Popen[str]) -> None:
    with try_lock(lock) as held:
        assert not held
    holder.communicate("")
    with try_lock(lock) as held:
        assert held


def test_a_killed_process_holds_no_lock(lock: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with try_lock(lock) as held:
        assert held


def test_waiting_ends_when_the_holder_is_killed(lock: Path, holder: subprocess.Popen[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.poll() is None
        holder.kill()
        assert waiting.communicate()[0] == "held\n"
    assert waiting.returncode == 0


def test_a_lock_is_released_after_an_error(lock: Path) -> None:
    with pytest.raises(ValueError, match="inside"), locked(lock):
        raise ValueError("inside")
    with try_lock(lock) as held:
        assert held
