"""Own files: every stage that reads one sees each change of it, or refuses it."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
import yaml

from tests.pipeline.conftest import Project, make_project, write_rows

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which no stage has run."""
    directory = tmp_path_factory.mktemp("fresh")
    return make_project(directory / "checkout", directory / "home")


def raw_of(project: Project, name: str) -> str:
    """The MD5 of the raw table that an experiment made."""
    refs = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    (ref,) = [ref for ref in refs if ref.endswith(f"/{name}")]
    lock = yaml.safe_load(project.run("git", "show", f"{ref}:dvc.lock").stdout)
    return str(lock["stages"]["download"]["outs"][0]["md5"])


def test_an_experiment_in_a_copy_sees_each_change_of_an_own_file_or_refuses_it(fresh: Project) -> None:
    own = fresh.root / "data/own/loose.csv"
    write_rows(own, 100)
    (fresh.root / "data/own/words.txt").write_text("film 1 2 3 4 5 6 7 8\n", encoding="utf-8")
    fresh.set(datasets__tiny__source__path="data/own/loose.csv")
    fresh.set(archs__lstm__embedding__vectors="data/own/words.txt")
    for stage, file in (("download", "loose.csv"), ("vectors", "words.txt")):
        refused = fresh.run("dvc", "exp", "run", "--temp", stage, check=False)
        assert refused.returncode != 0
        assert f"error: data/own/{file} is not in DVC's copy of the checkout" in refused.stderr
        assert f"`dvc add data/own/{file}`" in refused.stderr
        assert "Traceback" not in refused.stderr
    fresh.run("dvc", "add", "--quiet", "data/own/loose.csv")
    fresh.run("git", "add", "data/own/loose.csv.dvc", "data/own/.gitignore")
    fresh.run("dvc", "exp", "run", "--temp", "--name", "old", "download")
    write_rows(own, 60)  # without `dvc add`
    fresh.run("dvc", "exp", "run", "--temp", "--name", "changed", "download")
    assert raw_of(fresh, "old") != raw_of(fresh, "changed")
    # A link to a file: DVC reads through it.
    elsewhere = fresh.root.parent / "elsewhere.csv"
    write_rows(elsewhere, 60)
    (fresh.root / "data/own/link.csv").symlink_to(elsewhere)
    fresh.set(datasets__tiny__source__path="data/own/link.csv")
    for rows in (60, 80):
        write_rows(elsewhere, rows)
        fresh.run("dvc", "repro", "download")
        assert pq.read_metadata(fresh.root / "data/raw.parquet").num_rows == rows
    fresh.run("git", "reset", "--hard", "--quiet")


def test_new_texts_are_trained_on_by_two_commands(fresh: Project) -> None:
    write_rows(fresh.root.parent / "reviews.csv", 200)
    options = ("--text", "review", "--label", "stars", "--positive", "5", "--negative", "1")
    fresh.run("moodring", "new", "../reviews.csv", *options)
    assert fresh.repro()[-1] == "evaluate"
    assert pq.read_metadata(fresh.root / "data/raw.parquet").num_rows == 200
    (run,) = fresh.runs()
    assert run["experiment"] == "reviews"
    assert "collected by their emoticons" not in (fresh.root / "report/index.html").read_text("utf-8")
    write_rows(fresh.root / "data/own/reviews.csv", 160)
    assert fresh.repro("preprocess") == ["download", "preprocess"]
    assert pq.read_metadata(fresh.root / "data/raw.parquet").num_rows == 160
