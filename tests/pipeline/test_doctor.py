"""`moodring doctor` on healthy, broken and moved checkouts, and `moodring relocate`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

# Nothing listens on the discard port.
CLOSED = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@dataclass(frozen=True)
class Said:
    """What the doctor found: by what it looked at, each (level, seen, remedy); its exit code."""

    code: int
    findings: dict[str, list[tuple[str, str, str]]]

    def one(self, about: str) -> tuple[str, str, str]:
        (finding,) = self.findings[about]
        return finding


def examined(project: Project, **environment: str) -> Said:
    """`moodring doctor --json`."""
    done = project.run("moodring", "doctor", "--json", check=False, **environment)
    assert "Traceback" not in done.stderr
    findings: dict[str, list[tuple[str, str, str]]] = {}
    for found in json.loads(done.stdout):
        assert list(found) == ["level", "about", "seen", "remedy"]
        findings.setdefault(found["about"], []).append((found["level"], found["seen"], found["remedy"]))
    return Said(done.returncode, findings)


def addresses(project: Project) -> list[Path]:
    """Every folder of artifacts that the checkout's own store names."""
    store = sqlite3.connect(f"file:{project.root / 'mlflow.db'}?mode=ro", uri=True)
    found = [
        place
        for query in (
            "SELECT artifact_location FROM experiments WHERE name != 'Default'",
            "SELECT artifact_uri FROM runs",
            "SELECT artifact_location FROM logged_models",
            "SELECT storage_location FROM model_versions",
        )
        for (place,) in store.execute(query)
    ]
    store.close()
    return [Path(unquote(urlsplit(place).path)) for place in found]


def test_a_healthy_checkout_has_a_line_for_everything(project: Project) -> None:
    done = project.run("moodring", "doctor", check=False)
    assert done.returncode == 0, done.stdout
    lines = {
        line[5:].partition(": ")[0]: (line[:5].strip(), line[5:].partition(": ")[2])
        for line in done.stdout.splitlines()
        if not line.startswith(" ")
    }
    assert "bad" not in {level for level, _ in lines.values()}
    for about in ("python", "packages", "pipeline", "backend", "fused kernel", "MLflow store", "git"):
        assert lines[about][0] == "ok", lines[about]
    assert "tensorflow" in lines["packages"][1]
    assert "cpu" in lines["backend"][1].lower()
    assert "lstm" in lines["fused kernel"][1]
    assert str(project.root / "mlflow.db") in lines["MLflow store"][1]
    assert str(project.root / "mlartifacts") in lines["MLflow store"][1]
    assert lines["git"][1].startswith("main at ")
    # A machine may be nearly full, and other tests may have named a remote.
    assert "GiB free" in lines["disk"][1]
    assert lines["DVC remote"][1]


@pytest.fixture(scope="module")
def broken(made: Project, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """A copy with several defects at once, examined once."""
    room = tmp_path_factory.mktemp("broken")
    project = made.copy(room / "checkout")
    project.run("moodring", "relocate")
    project.run("git", "checkout", "--quiet", "--detach")
    text = (project.root / "dvc.yaml").read_text(encoding="utf-8")
    for line in ("      - src/moodring/training\n", "      - train\n"):
        assert text.count(line) == 1
        text = text.replace(line, "")
    (project.root / "dvc.yaml").write_text(text, encoding="utf-8")
    # Also to root, for whom every folder can be written, a folder below a file is impossible.
    (room / "file").touch()
    place = str(room / "file/remote")
    project.run("dvc", "remote", "add", "--quiet", "--local", "--force", "--default", "away", place)
    return examined(project, MOODRING_MIRROR=str(room / "mirror"))


def test_a_broken_checkout_ends_in_exit_code_1(broken: Said) -> None:
    assert broken.code == 1
    assert "pipeline" not in broken.findings  # the line that says that all is well
    for found in broken.findings.values():
        for level, seen, remedy in found:
            assert remedy or level == "ok", seen


@pytest.mark.parametrize(
    ("about", "seen", "remedy"),
    [
        ("parameters", "no stage reads train.epochs, train.batch_size, ", "dvc.yaml"),
        ("code lists", "train lacks src/moodring/training", "dvc.yaml"),
        ("git", "HEAD is detached", "git switch BRANCH; branches: main"),
        ("mirror", "/mirror'", "unset"),
        ("DVC remote", "/file/remote", "dvc remote modify"),
    ],
    ids=["parameter", "code", "git", "mirror", "remote"],
)
def test_each_defect_is_told_with_its_remedy(broken: Said, about: str, seen: str, remedy: str) -> None:
    level, said, advice = broken.one(about)
    assert level == "bad", said
    assert seen in said
    assert remedy in advice


def test_what_is_not_broken_is_still_said_to_be_well(broken: Said) -> None:
    for about in ("python", "packages", "backend", "fused kernel", "MLflow store"):
        assert broken.one(about)[0] == "ok"


def test_a_misspelt_parameter_and_a_closed_port_are_told(project: Project) -> None:
    project.set(train__epochz=3)
    said = examined(project, **CLOSED)
    assert said.code == 1
    level, seen, remedy = said.one("parameters")
    assert level == "bad"
    assert "train.epochz: unknown key" in seen
    assert "params.yaml" in remedy
    level, seen, remedy = said.one("MLflow store")
    assert level == "bad"
    assert "http://127.0.0.1:9" in seen
    assert "MLFLOW_TRACKING_URI" in remedy


def test_a_moved_checkout_is_told_and_trains_nothing(made: Project, tmp_path: Path) -> None:
    moved = made.copy(tmp_path / "moved")
    runs = moved.runs()
    said = examined(moved)
    assert said.code == 1
    level, seen, remedy = said.one("MLflow store")
    assert level == "bad"
    assert str(made.root / "mlartifacts") in seen
    assert remedy == "moodring relocate"
    done = moved.run("python", "-m", "stages.train", check=False)
    assert done.returncode == 1
    assert "moodring relocate" in done.stderr
    assert "Traceback" not in done.stderr
    # Nothing was begun, and nothing was written into the other checkout's folder.
    assert moved.runs() == runs
    assert moved.run("git", "status", "--porcelain").stdout == ""


@pytest.fixture(scope="module")
def relocated(made: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A copy after `moodring relocate`, and what that said."""
    # MLflow's addresses are escaped: a space in the path is the harder case.
    moved = made.copy(tmp_path_factory.mktemp("relocated") / "a copy")
    return moved, moved.run("moodring", "relocate").stdout


def test_relocate_leads_every_address_into_the_copy(made: Project, relocated: tuple[Project, str]) -> None:
    moved, said = relocated
    assert (made.root / "mlartifacts").as_uri() in said
    assert (moved.root / "mlartifacts").as_uri() in said
    found = addresses(moved)
    assert len(found) >= 4
    for place in found:
        assert place.is_relative_to(moved.root / "mlartifacts")
    assert {place.is_relative_to(made.root) for place in addresses(made)} == {True}
    assert "nothing to do" in moved.run("moodring", "relocate").stdout
    findings = examined(moved)
    assert findings.code == 0, findings
    assert (moved.root / "mlartifacts").as_uri() in findings.one("MLflow store")[1]


def test_a_relocated_model_is_read_from_the_copy(made: Project, relocated: tuple[Project, str]) -> None:
    moved, _ = relocated
    original = made.root / "mlartifacts"
    original.rename(aside := made.root.parent / "mlartifacts")
    try:
        done = moved.run("moodring", "predict", "--model", "models:/moodring-tiny/1", "a wonderful film")
    finally:
        aside.rename(original)
    assert json.loads(done.stdout)["label"] == "positive"


def test_a_new_training_in_a_relocated_checkout_writes_there(
    made: Project, relocated: tuple[Project, str]
) -> None:
    moved, _ = relocated
    original = set((made.root / "mlartifacts").rglob("*"))
    runs = {run["id"] for run in moved.runs()}
    moved.set(train__batch_size=17)
    assert moved.repro() == ["train", "evaluate"]
    (run,) = [run for run in moved.runs() if run["id"] not in runs]
    artifacts = Path(unquote(urlsplit(run["artifacts"]).path))
    assert artifacts.is_relative_to(moved.root / "mlartifacts")
    assert (artifacts / "metrics/test.json").is_file()
    assert set((made.root / "mlartifacts").rglob("*")) == original
    for place in addresses(moved):
        assert place.is_relative_to(moved.root / "mlartifacts")
