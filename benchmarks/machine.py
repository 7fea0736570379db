"""The machine and the packages of a measurement."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moodring.checkout.backend import backend_name, installed_version

PACKAGES = (
    "keras",
    "tensorflow",
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "nltk",
    "scikit-learn",
    "dvc",
    "mlflow",
)


def environment() -> dict[str, Any]:
    """Processor, cores, memory, Python and packages: all that stays the same from run to run."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "backend": backend_name(),
        "packages": {name: version for name in PACKAGES if (version := installed_version(name))},
    }


def share_of_other_processes() -> Callable[[], float | None]:
    """Start to watch. The returned function gives the share of all cores that other processes used.

    It gives None on systems without /proc/stat. Figures of a busy machine are doubtful, above all those of
    rivals with several threads, which wait for each other.
    """
    busy, own, start = _busy_seconds(), _own_seconds(), time.perf_counter()

    def share() -> float | None:
        now = _busy_seconds()
        if busy is None or now is None:
            return None
        total = (time.perf_counter() - start) * (os.cpu_count() or 1)
        return max(0.0, (now - busy - (_own_seconds() - own)) / total)

    return share


def _busy_seconds() -> float | None:
    """The busy time of all cores in seconds, from the first line of Linux' /proc/stat."""
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return None
    # user, nice, system, (idle, waiting), irq, softirq, steal
    user, nice, system, _, _, *others = map(int, line.split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """The busy time of this process and its ended children, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
