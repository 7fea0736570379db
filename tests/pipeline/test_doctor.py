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
class Findings:
    """The exit code of the doctor, and its findings by subject. A finding is (level, seen, remedy)."""

    code: int
    by_subject: dict[str, list[tuple[str, str, str]]]

    def one(self, about: str) -> tuple[str, str, str]:
        (finding,) = self.by_subject[about]
        return finding


def examine(project: Project, **environment: str) -> Findings:
    """Run `moodring doctor --json`."""
    done = project.run("moodring", "doctor", "--json", check=False, **environment)
    assert "Traceback" not in done.stderr
    findings: dict[str, list[tuple[str, str, str]]] = {}
    for found in json.loads(done.stdout):
        assert list(found) == ["level", "about", "seen", "remedy"]
        findings.setdefault(found["about"], []).append((found["level"], found["seen"], found["remedy"]))
    return Findings(done.returncode, findings)


def addresses(project: Project) -> list[Path]:
    """Every artifact directory in the store of the checkout."""
    store = sqlite3.connect(f"file:{project.root / 'mlflow.db'}?mode=ro", uri=True)
    found = [
        address
        for query in (
            "SELECT artifact_location FROM experiments WHERE name != 'Default'",
            "SELECT artifact_uri FROM runs",
            "SELECT artifact_location FROM logged_models",
            "SELECT storage_location FROM model_versions",
        )
        for (address,) in store.execute(query)
    ]
    store.close()
    return [Path(unquote(urlsplit(address).path)) for address in found]


def test_a_healthy_checkout_has_a_line_for_every_subject(project: Project) -> None:
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
    # The disk may be nearly full, and other tests may have added a remote: here the level can differ.
    assert "GiB free" in lines["disk"][1]
    assert lines["DVC remote"][1]


@pytest.fixture(scope="module")
def broken(shared_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The findings in a copy with several defects."""
    directory = tmp_path_factory.mktemp("broken")
    project = shared_project.copy(directory / "checkout")
    project.run("moodring", "relocate")
    project.run("git", "checkout", "--quiet", "--detach")
    text = (project.root / "dvc.yaml").read_text(encoding="utf-8")
    for line in ("      - src/moodring/training\n", "      - train\n"):
        assert text.count(line) == 1
        text = text.replace(line, "")
    (project.root / "dvc.yaml").write_text(text, encoding="utf-8")
    # Even root cannot create a directory below a file.
    (directory / "file").touch()
    remote = str(directory / "file/remote")
    project.run("dvc", "remote", "add", "--quiet", "--local", "--force", "--default", "away", remote)
    return examine(project, MOODRING_MIRROR=str(directory / "mirror"))


def test_a_broken_checkout_gives_exit_code_1(broken: Findings) -> None:
    assert broken.code == 1
    assert "pipeline" not in broken.by_subject  # this line appears only in a healthy checkout
    for found in broken.by_subject.values():
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
def test_each_defect_is_reported_with_its_remedy(
    broken: Findings, about: str, seen: str, remedy: str
) -> None:
    level, found, advice = broken.one(about)
    assert level == "bad", found
    assert seen in found
    assert remedy in advice


def test_healthy_parts_of_a_broken_checkout_are_ok(broken: Findings) -> None:
    for about in ("python", "packages", "backend", "fused kernel", "MLflow store"):
        assert broken.one(about)[0] == "ok"


def test_an_unknown_parameter_and_a_closed_port_are_reported(project: Project) -> None:
    project.set(train__epochz=3)
    findings = examine(project, **CLOSED)
    assert findings.code == 1
    level, seen, remedy = findings.one("parameters")
    assert level == "bad"
    assert "train.epochz: unknown key" in seen
    assert "params.yaml" in remedy
    level, seen, remedy = findings.one("MLflow store")
    assert level == "bad"
    assert "http://127.0.0.1:9" in seen
    assert "MLFLOW_TRACKING_URI" in remedy


def test_a_moved_checkout_is_reported_and_does_not_train(shared_project: Project, tmp_path: Path) -> None:
    moved = shared_project.copy(tmp_path / "moved")
    runs = moved.runs()
    findings = examine(moved)
    assert findings.code == 1
    level, seen, remedy = findings.one("MLflow store")
    assert level == "bad"
    assert str(shared_project.root / "mlartifacts") in seen
    assert remedy == "moodring relocate"
    done = moved.run("python", "-m", "stages.train", check=False)
    assert done.returncode == 1
    assert "moodring relocate" in done.stderr
    assert "Traceback" not in done.stderr
    # No run started, and nothing was written into the directory of the other checkout.
    assert moved.runs() == runs
    assert moved.run("git", "status", "--porcelain").stdout == ""


@pytest.fixture(scope="module")
def relocated(shared_project: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A copy after `moodring relocate`, and the output of the command."""
    # MLflow escapes addresses, so the path has a space here.
    moved = shared_project.copy(tmp_path_factory.mktemp("relocated") / "a copy")
    return moved, moved.run("moodring", "relocate").stdout


def test_relocate_changes_every_address_to_the_copy(
    shared_project: Project, relocated: tuple[Project, str]
) -> None:
    moved, stdout = relocated
    assert (shared_project.root / "mlartifacts").as_uri() in stdout
    assert (moved.root / "mlartifacts").as_uri() in stdout
    found = addresses(moved)
    assert len(found) >= 4
    for path in found:
        assert path.is_relative_to(moved.root / "mlartifacts")
    assert {path.is_relative_to(shared_project.root) for path in addresses(shared_project)} == {True}
    assert "nothing to do" in moved.run("moodring", "relocate").stdout
    findings = examine(moved)
    assert findings.code == 0, findings
    assert (moved.root / "mlartifacts").as_uri() in findings.one("MLflow store")[1]


def test_a_relocated_model_is_read_from_the_copy(
    shared_project: Project, relocated: tuple[Project, str]
) -> None:
    moved, _ = relocated
    original = shared_project.root / "mlartifacts"
    original.rename(aside := shared_project.root.parent / "mlartifacts")
    try:
        done = moved.run("moodring", "predict", "--model", "models:/moodring-tiny/1", "a wonderful film")
    finally:
        aside.rename(original)
    assert json.loads(done.stdout)["label"] == "positive"


def test_a_new_training_in_a_relocated_checkout_writes_there(
    shared_project: Project, relocated: tuple[Project, str]
) -> None:
    moved, _ = relocated
    original = set((shared_project.root / "mlartifacts").rglob("*"))
    runs = {run["id"] for run in moved.runs()}
    moved.set(train__batch_size=17)
    assert moved.repro() == ["train", "evaluate"]
    (run,) = [run for run in moved.runs() if run["id"] not in runs]
    artifacts = Path(unquote(urlsplit(run["artifacts"]).path))
    assert artifacts.is_relative_to(moved.root / "mlartifacts")
    assert (artifacts / "metrics/test.json").is_file()
    assert set((shared_project.root / "mlartifacts").rglob("*")) == original
    for path in addresses(moved):
        assert path.is_relative_to(moved.root / "mlartifacts")
