"""`moodring results` with real runs."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest
import yaml

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

PAGE = "<!-- table: tiny -->\n<!-- end -->\n<!-- leaks -->\n<!-- end -->\n"
COMMAND = "dvc exp run --temp -S dataset=tiny -S arch=nbsvm -S seed={}"


def test_results_runs_the_missing_experiments_and_writes_the_page(
    shared_project: Project, tmp_path: Path
) -> None:
    project = shared_project.copy(tmp_path / "checkout")
    project.run("moodring", "relocate")
    rows = {"seeds": [101, 102], "archs": ["nbsvm"], "tables": {"tiny": []}}
    docs = project.root / "docs"
    docs.mkdir()
    (docs / "results.yaml").write_text(yaml.safe_dump(rows), encoding="utf-8")
    (docs / "results.md").write_text(PAGE, encoding="utf-8")
    missing = project.run("moodring", "results", "--missing").stdout.splitlines()
    assert missing == [COMMAND.format(101), COMMAND.format(102)]

    parameters = (project.root / "params.yaml").read_bytes()
    earlier = set(project.experiments())
    project.run("moodring", "results", "--run")
    assert (project.root / "params.yaml").read_bytes() == parameters
    new = [one["accuracy"] for name, one in project.experiments().items() if name not in earlier]
    assert len(new) == 2
    (shown,) = re.findall(r"\*\*([\d.]+) %\*\*", (docs / "results.md").read_text(encoding="utf-8"))
    assert float(shown) == pytest.approx(100 * statistics.mean(new), abs=0.006)
    assert project.run("moodring", "results", "--missing").stdout == ""
