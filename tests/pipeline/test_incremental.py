"""After a change, DVC runs exactly the stages whose results depend on it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from tests.conftest import ROOT
from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

PARAMETERS: list[tuple[str, Any, set[str]]] = [
    ("dataset", "imdb", {"download", "preprocess", "tokenize", "train", "evaluate"}),
    ("seed", 8, {"preprocess", "baseline", "train"}),
    ("arch", "gru", {"vectors", "train", "evaluate"}),
    ("datasets__tiny__source__split_seed", 4, {"download"}),
    ("datasets__tiny__preprocess__lowercase", False, {"preprocess"}),
    ("datasets__tiny__preprocess__stem", "snowball", {"preprocess"}),
    ("datasets__tiny__tokenize__min_count", 2, {"tokenize"}),
    ("datasets__tiny__max_length", 9, {"train"}),
    ("datasets__imdb__max_length", 9, set()),
    ("datasets__imdb__preprocess__stem", "snowball", set()),
    ("archs__lstm__units", 9, {"train"}),
    ("archs__lstm__embedding__size", 9, {"train"}),
    ("archs__lstm__embedding__vectors", "data/own/words.txt", {"vectors", "train"}),
    ("archs__gru__units", 9, set()),
    ("archs__nbsvm__ngrams", 2, {"baseline"}),
    ("archs__gru__embedding__vectors", "data/own/words.txt", set()),
    ("train__epochs", 2, {"train"}),
    ("train__early_stopping__patience", 1, {"train"}),
    ("train__buckets", 2, {"train"}),
    ("evaluate__threshold", 0.4, {"evaluate"}),
    ("evaluate__bins", 5, {"evaluate"}),
    ("evaluate__calibration", "none", {"evaluate"}),
    ("behaviour__pairs", [{"higher": "good", "lower": "bad"}], set()),
]
ALL = {"download", "preprocess", "tokenize", "vectors", "baseline", "train", "evaluate"}
# One module of each room. dvc.yaml lists whole rooms.
MODULES: list[tuple[str, set[str]]] = [
    ("params/file", ALL),
    ("io/files", ALL),
    ("sources/fetch", {"download", "preprocess", "vectors"}),
    ("datasets/imdb", {"download"}),
    ("word_vectors/load", {"vectors"}),
    ("text/cleaner", {"preprocess"}),
    ("corpus/vocabulary", {"tokenize", "baseline", "train", "evaluate"}),
    ("models/nbsvm", {"baseline", "train", "evaluate"}),
    ("training/network", {"train"}),
    ("evaluation/calibration", {"evaluate"}),
    ("report/pages", {"evaluate"}),
    ("checkout/root", set()),
    ("mlflow_ui/names", set()),
    ("tracking/runs", set()),
    ("serving/scorer", set()),
    ("promotion/promote", set()),
    ("collecting/collect", set()),
    ("comparing/tables", set()),
    ("own_texts/adopt", set()),
    ("experiments/page", set()),
    ("doctor/examine", set()),
    ("cli/app", set()),
    ("errors", set()),
]


def test_the_table_names_every_room() -> None:
    rooms = {path.name for path in (ROOT / "src/moodring").iterdir() if (path / "__init__.py").is_file()}
    assert {name.partition("/")[0] for name, _ in MODULES} == rooms | {"errors"}


def stale(root: Path) -> set[str]:
    """The stages that `dvc status` reports as changed, without a new process."""
    with Repo(str(root)) as repo:
        return {name.rpartition(":")[2] for name in repo.status()}


@pytest.mark.parametrize(("name", "value", "expected"), PARAMETERS, ids=[row[0] for row in PARAMETERS])
def test_a_changed_parameter_makes_exactly_its_stages_stale(
    project: Project, name: str, value: object, expected: set[str]
) -> None:
    project.set(**{name: value})
    assert stale(project.root) == expected


@pytest.mark.parametrize(("module", "expected"), MODULES, ids=[row[0] for row in MODULES])
def test_a_changed_module_makes_exactly_its_stages_stale(
    project: Project, module: str, expected: set[str]
) -> None:
    path = project.root / f"src/moodring/{module}.py"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert stale(project.root) == expected


def test_a_stage_with_unchanged_inputs_does_not_run(project: Project) -> None:
    path = project.root / "src/moodring/text/cleaner.py"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert project.repro() == ["preprocess"]


def test_a_return_to_an_earlier_arch_trains_nothing(project: Project) -> None:
    before = len(project.runs())
    project.set(arch="gru")
    assert project.repro() == ["vectors", "train", "evaluate"]
    gru = project.json("metrics/test.json")
    project.set(arch="lstm")
    assert project.repro() == []
    project.set(arch="gru")
    assert project.repro() == []
    assert project.json("metrics/test.json") == gru
    assert len(project.runs()) == before + 1


def test_a_changed_data_file_makes_the_download_stale(project: Project) -> None:
    path = project.root / "data/own/tiny.csv"
    path.write_text(path.read_text(encoding="utf-8") + "another wonderful film,5\n", encoding="utf-8")
    assert stale(project.root) >= {"download"}


def test_an_experiment_changes_one_line_of_params(shared_project: Project, tmp_path: Path) -> None:
    project = shared_project.copy(tmp_path / "checkout")
    shutil.copy(ROOT / "params.yaml", project.root)
    project.commit()
    project.run("dvc", "exp", "run", "-S", "seed=8", "vectors")
    assert project.run("git", "diff", "--shortstat", "params.yaml").stdout.strip() == (
        "1 file changed, 1 insertion(+), 1 deletion(-)"
    )
    changed = project.run("git", "diff", "--unified=0", "params.yaml").stdout.splitlines()[-1]
    assert changed.startswith("+seed: 8 ")
