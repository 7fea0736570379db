"""Which changes of the working directory make a run `dirty`, in a real git repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from moodring.checkout.git import changed_files, origin
from moodring.errors import MoodringError
from tests.conftest import ROOT

PIPELINE = """\
stages:
  download:
    cmd: x
    deps: [data/own, stages/download.py, src/moodring/io, /srv/shared, ../beside, s3://bucket/texts.csv]
    outs: [data/raw.parquet, /srv/out, ../out.csv]
  train:
    cmd: x
    wdir: nested
    deps: [../stages/train.py]
    outs: [model]
    metrics:
      - ../metrics/train.json: {cache: false}
    plots:
      - ../metrics/plots/roc.csv: {cache: false, title: ROC}
  each:
    foreach: [a, b]
    do:
      cmd: x
      outs: ["made/${item}.json"]
"""
LOCK = """\
schema: '2.0'
stages:
  each@a:
    cmd: x
    outs:
    - path: made/a.json
      md5: abc
"""
FILES = {
    "dvc.yaml": PIPELINE,
    "dvc.lock": LOCK,
    "params.yaml": "seed: 7\n",
    ".gitignore": "*.log\n",
    "README.md": "x",
    "docs/page.rst": "x",
    "tests/test_it.py": "x",
    "stages/train.py": "x",
    "src/moodring/io/files.py": "x",
    "data/own/reviews.csv.dvc": "outs: []\n",
    "experiments/best.yaml": "seed: 8\n",
    "requirements/base.txt": "x",
    "metrics/train.json": "{}",
    "metrics/plots/roc.csv": "x",
    "nested/model/weights.json": "x",
    "made/a.json": "{}",
    "a name with spaces and ä.py": "x",
}


def git(root: Path, *arguments: str) -> str:
    of_user = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.excludesFile=")
    done = subprocess.run(["git", *of_user, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(root: Path, checkout: Path) -> Path:
    for name, text in FILES.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    return checkout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path, tmp_path)


def edit(name: str) -> Callable[[Path], object]:
    def act(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("edited: true\n", encoding="utf-8")

    return act


def delete(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).unlink()


def staged(name: str) -> Callable[[Path], object]:
    def act(root: Path) -> None:
        edit(name)(root)
        git(root, "add", name)

    return act


def renamed(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: git(root, "mv", old, new)


CLEAN = {
    "nothing": lambda root: None,
    "a metric that DVC deleted": delete("metrics/train.json"),
    "a metric that a stage wrote": edit("metrics/train.json"),
    "a plot that DVC deleted": delete("metrics/plots/roc.csv"),
    "a file in an output of a stage with a working directory": edit("nested/model/weights.json"),
    "an output of a foreach stage": delete("made/a.json"),
    "dvc.lock": lambda root: (root / "dvc.lock").write_text(LOCK.replace("abc", "def")),
    "no dvc.lock": delete("dvc.lock"),
    "the readme": edit("README.md"),
    "documentation": edit("docs/page.rst"),
    "a test": edit("tests/test_it.py"),
    "a new file of notes": edit("notes.txt"),
    "a new file that git ignores": edit("src/moodring/io/debug.log"),
    "the time of a file": lambda root: (root / "params.yaml").touch(),
}
DIRTY = {
    "code": edit("src/moodring/io/files.py"),
    "a stage": edit("stages/train.py"),
    "staged code": staged("stages/train.py"),
    "code that was deleted": delete("src/moodring/io/files.py"),
    "code that was renamed": renamed("stages/train.py", "stages/fit.py"),
    "parameters": edit("params.yaml"),
    "the pipeline": lambda root: (root / "dvc.yaml").write_text(PIPELINE + "# edited\n"),
    "data that DVC tracks": edit("data/own/reviews.csv.dvc"),
    "new data that DVC tracks": edit("data/own/more.csv.dvc"),
    "new data elsewhere": edit("elsewhere/more.csv.dvc"),
    "new data that DVC does not track": edit("data/own/more.csv"),
    "a new module": edit("src/moodring/io/more.py"),
    "an experiment": edit("experiments/best.yaml"),
    "the requirements": edit("requirements/base.txt"),
    "a name with spaces and other letters": edit("a name with spaces and ä.py"),
}


@pytest.mark.parametrize("place", ["root", "subdirectory"])
def test_only_code_parameters_and_data_make_a_checkout_dirty(tmp_path: Path, place: str):
    checkout = repository(tmp_path, tmp_path if place == "root" else tmp_path / "a project")
    wrong = []
    for expected, cases in ((False, CLEAN), (True, DIRTY)):
        for name, change in cases.items():
            change(checkout)
            if (changed_files(checkout) != []) != expected:
                wrong.append((name, changed_files(checkout)))
            git(tmp_path, "reset", "--quiet", "--hard")
            git(tmp_path, "clean", "--quiet", "-d", "--force")
    assert wrong == []


def test_in_an_experiment_params_yaml_does_not_count_and_code_does(
    root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DVC_EXP_BASELINE_REV", raising=False)
    edit("params.yaml")(root)
    commit = git(root, "rev-parse", "HEAD")
    assert origin(root) == {"git_commit": commit, "git_dirty": "true"}
    monkeypatch.setenv("DVC_EXP_NAME", "amort-sena")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", commit)
    expected = {"git_commit": commit, "dvc_experiment": "amort-sena", "dvc_baseline": commit}
    assert origin(root) == {**expected, "git_dirty": "false"}
    edit("stages/train.py")(root)
    assert origin(root) == {**expected, "git_dirty": "true"}


def test_without_git_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    assert changed_files(tmp_path) == []
    assert "git_commit" not in origin(tmp_path)


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock"])
def test_a_damaged_file_of_dvc_is_an_error(root: Path, name: str):
    (root / name).write_text("stages: [")
    with pytest.raises(MoodringError, match=rf"(?s){name} is not valid YAML.*Correct it"):
        changed_files(root)


# The same in stages that DVC runs, in the workspace and in its temporary copies.

REAL = """\
stages:
  train:
    cmd: python stages/train.py
    deps: [stages/train.py]
    params: [seed]
    metrics:
      - metrics/train.json: {cache: false}
"""
STAGE = """\
import json
from pathlib import Path

from moodring.checkout.git import origin

Path("metrics").mkdir(exist_ok=True)
Path("metrics/train.json").write_text(json.dumps({"seed": Path("params.yaml").read_text()}))
with open(%r, "a") as said:
    said.write(json.dumps(origin(Path.cwd())) + "\\n")
"""


def test_a_run_of_a_clean_clone_and_of_an_experiment_is_not_dirty(tmp_path: Path):
    root, said = tmp_path / "checkout", tmp_path / "said"
    root.mkdir()
    for name, text in {
        "dvc.yaml": REAL,
        "params.yaml": "seed: 7\n",
        "stages/train.py": STAGE % str(said),
    }.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    of_user = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {
        **os.environ,
        **of_user,
        "PATH": path,
        "PYTHONPATH": str(ROOT / "src"),
        "DVC_NO_ANALYTICS": "1",
    }

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def last() -> tuple[str, str | None]:
        found = json.loads(said.read_text().splitlines()[-1])
        return found["git_dirty"], found.get("dvc_experiment")

    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    run("dvc", "repro")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", "first")
    said.unlink()
    run("dvc", "repro", "--force")
    assert last() == ("false", None)
    run("dvc", "exp", "run", "--name", "here", "-S", "seed=8")
    assert last() == ("false", "here")
    run("git", "checkout", "--quiet", ".")
    run("dvc", "exp", "run", "--temp", "--name", "there", "-S", "seed=9")
    assert last() == ("false", "there")
    (root / "stages/train.py").write_text(STAGE % str(said) + "# edited\n")
    run("dvc", "exp", "run", "--temp", "--name", "edited", "-S", "seed=10")
    assert last() == ("true", "edited")
    run("dvc", "repro")
    assert last() == ("true", None)
