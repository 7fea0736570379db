"""Measures how time and memory of preprocess and tokenize grow with the corpus."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.data import experiment_params, raw_file
from benchmarks.measure import ROOT, SMALL_ROWS, Plan, alternate, child_environment, in_child, process_cost
from benchmarks.report import Row, Target

EXPERIMENT = "imdb-lstm"
COPIES = 10
LIMIT_MIB = 1.5 * 1024
NOTE = (
    "`python -m stages.preprocess` and `python -m stages.tokenize` as whole processes. Time: the sum of "
    "both. Memory: the larger of the two peaks. The texts of each copy of the corpus end in another word, so "
    "no text is a duplicate."
)


def scale(directory: Path, plan: Plan) -> list[Row]:
    """Compare the corpus with ten copies of it."""
    one = raw_file(directory, EXPERIMENT, plan.cut(None, SMALL_ROWS))
    ten = directory / f"{one.stem}-x{COPIES}.parquet"
    in_child(multiply, source=str(one), target=str(ten), copies=COPIES)
    params = directory / "params.yaml"
    with params.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(experiment_params(EXPERIMENT).model_dump(), stream)
    small, large = alternate([partial(_stages, raw, params, directory) for raw in (one, ten)], plan.repeats)
    small_took, large_took = ([cost["seconds"] for cost in side] for side in (small, large))
    small_held, large_held = ([cost["peak_mib"] for cost in side] for side in (small, large))
    rows = in_child(count, path=str(one))
    name, rival = f"preprocess + tokenize, {COPIES * rows:,} texts", f"Moodring, {rows:,} texts"
    limit = [LIMIT_MIB] * len(large_held)
    memory = f"{name}: peak memory"
    return [
        Row(name, "s", rival, small_took, large_took, "ours / rival", Target("at most", 11), NOTE),
        Row(memory, "MiB", rival, small_held, large_held, "ours / rival", None, NOTE),
        Row(memory, "MiB", "the limit", limit, large_held, "ours / rival", Target("at most", 1), NOTE),
    ]


def _stages(raw: Path, params: Path, directory: Path) -> dict[str, Any]:
    clean = directory / "clean.parquet"
    report, corpus = directory / "report.json", directory / "corpus"
    steps = (
        ("preprocess", "--raw", raw, "--clean", clean, "--report", report),
        ("tokenize", "--clean", clean, "--corpus", corpus),
    )
    total: dict[str, Any] = {"seconds": 0.0, "peak_mib": 0.0}
    for stage, *options in steps:
        command = [sys.executable, "-m", f"stages.{stage}", "--params", str(params), *map(str, options)]
        cost = asdict(process_cost(command, ROOT, child_environment())[0])
        total["seconds"] += cost["seconds"]
        total["peak_mib"] = max(total["peak_mib"], cost["peak_mib"])
    return total


def multiply(source: str, target: str, copies: int) -> None:
    """Write copies of a raw table, split by split; the texts of each copy end in another word."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(source)
    with pq.ParquetWriter(target, table.schema, compression="zstd") as writer:
        for split in ("train", "test"):
            part = table.filter(pc.equal(table["split"], split))
            for copy in range(copies):
                ending = pa.scalar(f"copy{copy}")
                texts = pc.binary_join_element_wise(part["text"], ending, " ") if copy else part["text"]
                writer.write_table(part.set_column(2, table.schema.field("text"), texts), row_group_size=8192)


def count(path: str) -> int:
    """The number of rows of a Parquet file."""
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(path).metadata.num_rows)
