"""Measures how fast Moodring's models train and predict on this machine's GPU.

    KERAS_BACKEND=torch python -m benchmarks.gpu --json torch.json --markdown torch.md

A row is one model of `architectures.build` at one size and precision. The training is that of the train
stage: Adam, cross-entropy, accuracy, batches of numpy arrays. Other rows are the backend's bare fused kernels
with the same shapes.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import keras
import numpy as np

from benchmarks.gpu.device import BACKEND, CPU, gpu, tf32
from benchmarks.gpu.measure import PRECISIONS, Effort, rows_of
from benchmarks.gpu.rows import HEADER, Row, heading, line
from benchmarks.gpu.sizes import IMDB, QUICK_SIZES, SIZES, shrunk


def main() -> None:
    """Measure, and write all rows after each row: an interrupted run loses only one."""
    options = parse()
    effort = Effort(options.steps, options.repeats, options.budget)
    about = {
        "device": gpu() or CPU,
        "backend": BACKEND,
        "versions": {
            "Python": platform.python_version(),
            "keras": keras.__version__,
            BACKEND: str(import_module(BACKEND).__version__),
            "numpy": np.__version__,
        },
        "tf32": tf32(),
        "quick": options.quick,
        **asdict(effort),
    }
    print(f"{heading(about)}\n{HEADER}", flush=True)
    sizes = {name: shrunk(SIZES[name]) if options.quick else SIZES[name] for name in options.size}
    rows: list[Row] = []
    for row in rows_of(sizes, options.arch, options.precision, effort):
        rows.append(row)
        print(line(row), flush=True)
        if options.json:
            tree = {**about, "rows": [asdict(each) for each in rows]}
            options.json.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
        if options.markdown:
            lines = [heading(about), HEADER, *map(line, rows)]
            options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    failed = sum(row.failed for row in rows)
    print(f"\n{len(rows)} rows, {failed} of them failed", file=sys.stderr)


def parse() -> argparse.Namespace:
    """Parse the command line; an option that is not given means all of its choices."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few steps, to try the code")
    parser.add_argument("--arch", action="append", choices=list(IMDB.archs), help="repeatable")
    parser.add_argument("--size", action="append", choices=list(SIZES), help="repeatable")
    parser.add_argument("--precision", action="append", choices=list(PRECISIONS), help="repeatable")
    parser.add_argument("--steps", type=positive, help="batches of a repeat (default 20; quick: 2)")
    parser.add_argument(
        "--repeats", type=positive, help="number of repeats; the median counts (default 5; quick: 2)"
    )
    parser.add_argument(
        "--budget", type=float, default=10.0, help="seconds after which no repeat begins (default 10)"
    )
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    options = parser.parse_args()
    options.arch = options.arch or list(IMDB.archs)
    options.size = options.size or list(QUICK_SIZES if options.quick else SIZES)
    options.precision = options.precision or (["float32"] if options.quick else list(PRECISIONS))
    options.steps = options.steps or (2 if options.quick else 20)
    options.repeats = options.repeats or (2 if options.quick else 5)
    return options


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be above 0, received: {text}")
    return number


if __name__ == "__main__":
    main()
