"""Measures pieces of work in turn; to measure memory, each in its own process."""

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
SMALL_ROWS = 600  # rows of each split
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """The amount of work.

    Args:
        repeats: number of measurements of each piece.
        epochs: number of epochs of each training.
        small: use little data, to try the code; the figures have no meaning.
    """

    repeats: int
    epochs: int
    small: bool

    def cut(self, full: T, small: T) -> T:
        """Choose a size: `full`, or `small` to try the code."""
        return small if self.small else full


@dataclass
class Cost:
    """The time and memory of a piece of work.

    Args:
        seconds: wall time.
        peak_mib: peak memory of the process, with its imports and texts.
        increase_mib: peak memory of the work minus the memory before it; None if the system cannot measure
            it.
    """

    seconds: float = 0.0
    peak_mib: float = 0.0
    increase_mib: float | None = None


@contextlib.contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block; the yielded cost is complete at its end.

    If the block started worker processes and they ended in it, the largest one's peak is added.
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
    # Imports start programs too. Until these are loaded, they count this process's memory as theirs.
    workers = children.ru_maxrss / 1024 if children.ru_utime > worked else 0.0
    if base is None or before is None or (after := _resident("VmHWM")) is None:
        cost.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 + workers
        return
    cost.peak_mib = max(before, after + workers)
    cost.increase_mib = after + workers - base if forgotten else None


def alternate(pieces: Sequence[Callable[[], T]], repeats: int) -> list[list[T]]:
    """Run the pieces in turn, A B A B; returns the results of each piece, in order."""
    results: list[list[T]] = [[] for _ in pieces]
    for turn in range(repeats):
        for piece, found in zip(pieces, results, strict=True):
            found.append(piece())
        report_progress(f"  turn {turn + 1} of {repeats}: {[found[-1] for found in results]!r:.200}")
    return results


def in_child(work: Callable[..., Any], **arguments: Any) -> Any:
    """Call a function of a module in a fresh process; arguments and result must be valid JSON.

    Raises:
        RuntimeError: the function failed; the message has the end of its output.
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
            output = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(
                f"{work.__module__}.{work.__name__} ended with code {done.returncode}:\n{output}"
            )
        return json.loads(result.read_text())


def process_cost(command: Sequence[str], cwd: Path, environment: dict[str, str]) -> tuple[Cost, str]:
    """Run a process; returns its cost and its output.

    On Linux a child's peak memory is at least this process's memory at its start, so this process must stay
    small.

    Raises:
        RuntimeError: the process failed.
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
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}:\n{output[-3000:]}")
    return Cost(seconds, usage.ru_maxrss / 1024), output


def child_environment() -> dict[str, str]:
    """The environment of child processes: this checkout's benchmarks, the same package, no GPU."""
    paths = [str(ROOT), str(Path(moodring.__file__).resolve().parents[1])]
    if inherited := os.environ.get("PYTHONPATH"):
        paths.append(inherited)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def report_progress(message: str) -> None:
    """Report the progress on standard error."""
    print(message, file=sys.stderr, flush=True)


def _resident(name: str) -> float | None:
    """A line of Linux' /proc/self/status in MiB: VmRSS is the memory now, VmHWM is its peak."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), None)


def _give_back() -> None:
    """Give freed memory back to the system. If the work used it again, it would not count as an increase."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError):  # only glibc has this function
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> bool:
    """Reset VmHWM; False if the system cannot do this."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True
