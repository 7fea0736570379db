"""Measuring by turns, and in processes of their own where memory counts."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

import moodring

ROOT = Path(__file__).resolve().parents[1]
SMALL_ROWS = 600  # of each split
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Args:
        repeats: how often each piece is measured.
        epochs: of each training.
        small: cut data, to try the code; the figures mean nothing then.
    """

    repeats: int
    epochs: int
    small: bool

    def cut(self, full: T, small: T) -> T:
        """A size: `full`, or `small` where the code is only tried."""
        return small if self.small else full


@dataclass
class Cost:
    """What a piece of work took.

    Args:
        seconds: wall time.
        peak_mib: the most memory that the process ever held, its imports and texts included.
        increase_mib: the most that the work held on top of what stood in memory before it; None where
            the system does not tell.
    """

    seconds: float = 0.0
    peak_mib: float = 0.0
    increase_mib: float | None = None


@contextlib.contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block; what it yields is filled in at its end.

    Where worker processes worked for the block and ended in it, the largest one's peak is added.
    """
    _give_back()
    cost = Cost()
    before = _resident("VmHWM")
    forgotten = _forget_peak()
    base = _resident("VmRSS")
    worked = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    start = time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - start
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Imports start programs too, whose memory is that of this process until they are loaded.
    workers = children.ru_maxrss / 1024 if children.ru_utime > worked else 0.0
    if base is None or before is None or (after := _resident("VmHWM")) is None:
        cost.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 + workers
        return
    cost.peak_mib = max(before, after + workers)
    cost.increase_mib = after + workers - base if forgotten else None


def alternate(pieces: Sequence[Callable[[], T]], repeats: int) -> list[list[T]]:
    """Run the pieces by turns, A B A B; what each gave, in order."""
    results: list[list[T]] = [[] for _ in pieces]
    for turn in range(repeats):
        for piece, found in zip(pieces, results, strict=True):
            found.append(piece())
        say(f"  turn {turn + 1} of {repeats}: {[found[-1] for found in results]!r:.200}")
    return results


def in_child(work: Callable[..., Any], **arguments: Any) -> Any:
    """Call a function of a module in a fresh process; arguments and result must be fit for JSON.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="moodring-") as directory:
        result, log = Path(directory) / "result.json", Path(directory) / "log"
        command = [sys.executable, "-m", "benchmarks.child", f"{work.__module__}:{work.__name__}"]
        with log.open("w") as stream:
            done = subprocess.run(
                [*command, json.dumps(arguments), str(result)],
                env=child_environment(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            said = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{work.__module__}.{work.__name__} ended {done.returncode}:\n{said}")
        return json.loads(result.read_text())


def process_cost(command: Sequence[str], cwd: Path, environment: dict[str, str]) -> tuple[Cost, str]:
    """Run a whole process; its cost and what it printed.

    Linux counts what this process holds at the start as the least peak of the other one, so what measures
    must stay small.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryFile("w+") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=stream, stderr=subprocess.STDOUT, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stream.seek(0)
        output = stream.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended {process.returncode}:\n{output[-3000:]}")
    return Cost(seconds, usage.ru_maxrss / 1024), output


def child_environment() -> dict[str, str]:
    """Children run this checkout's benchmarks and the very package that runs here, on the CPU."""
    paths = [str(ROOT), str(Path(moodring.__file__).resolve().parents[1])]
    if inherited := os.environ.get("PYTHONPATH"):
        paths.append(inherited)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def say(message: str) -> None:
    """Tell how far things are."""
    print(message, file=sys.stderr, flush=True)


def _resident(name: str) -> float | None:
    """A line of Linux' /proc/self/status (VmRSS: now, VmHWM: the most so far) in MiB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), None)


def _give_back() -> None:
    """Give freed memory back to the system: else what the work takes of it would count as held before."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> bool:
    """Let VmHWM begin anew; False where the system has no such thing."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True
