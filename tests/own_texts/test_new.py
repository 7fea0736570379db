"""`moodring new`: from a file to a dataset that DVC and git track, or nothing at all."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dvc.repo import Repo
from typer.testing import CliRunner, Result

from moodring.cli.app import app
from moodring.params.file import load_params
from tests.conftest import ROOT, generated_rows

OPTIONS = ("--text", "review", "--label", "stars", "--positive", "5", "--negative", "1")
TRACKED = ["data/own/.gitignore", "data/own/reviews.csv.dvc"]


def git(root: Path, *arguments: str) -> str:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *author, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git and DVC repository with the committed parameters; the working directory is beside it."""
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet")
    Repo.init(str(root)).close()
    shutil.copy(ROOT / "params.yaml", root)
    (root / "data/own").mkdir(parents=True)
    (root / "data/own/README.md").write_text("own files", encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "a project")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(root))
    write(tmp_path / "reviews.csv")
    return root


def write(path: Path, rows: int = 60) -> None:
    texts, labels = generated_rows(rows)
    lines = [
        f"{text},{5 if label else 1},{i}" for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path.write_text("\n".join(["review,stars,id", *lines, ""]), encoding="utf-8")


def new(*arguments: str) -> Result:
    before = Path.cwd()
    try:
        return CliRunner().invoke(app, ["new", *arguments])
    finally:
        os.chdir(before)


def added(root: Path) -> list[str]:
    return sorted(git(root, "diff", "--cached", "--name-only").split())


def state(root: Path) -> dict[str, bytes]:
    """The content of every file outside git's and DVC's own directories, and what git would commit."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    kept = [path for path in files if not {".git", ".dvc"} & set(path.relative_to(root).parts)]
    return {str(path): path.read_bytes() for path in kept} | {"git": git(root, "diff", "--cached").encode()}


def test_a_file_becomes_the_chosen_dataset_and_is_tracked(root: Path) -> None:
    done = new("reviews.csv", *OPTIONS)
    assert done.exit_code == 0, done.output
    assert "data/own/reviews.csv: 60 texts, 30 of them positive" in done.stdout
    assert "Next: `dvc repro`" in done.stdout
    assert (root / "data/own/reviews.csv").read_bytes() == Path("reviews.csv").read_bytes()
    assert added(root) == TRACKED
    assert git(root, "status", "--porcelain").split() == [
        "A",
        TRACKED[0],
        "A",
        TRACKED[1],
        "M",
        "params.yaml",
    ]
    params = load_params(root / "params.yaml")
    assert params.dataset == "reviews"
    assert params.data.source.model_dump(exclude_defaults=True) == {
        "kind": "file",
        "path": "data/own/reviews.csv",
        "text": "review",
        "label": "stars",
        "positive": [5],
        "negative": [1],
    }
    assert params.data.max_length == 20
    # The same file again: another name is needed, then nothing is in the way.
    again = new("reviews.csv", *OPTIONS)
    assert again.exit_code == 1
    assert "choose another name with --name" in again.stderr
    assert new("reviews.csv", *OPTIONS, "--name", "again").exit_code == 0


def test_a_file_in_data_own_stays_there_and_one_in_git_stays_in_git(root: Path) -> None:
    (root / "data/own/shop").mkdir()
    write(root / "data/own/shop/my reviews.csv")
    done = new(str(root / "data/own/shop/my reviews.csv"), *OPTIONS)
    assert done.exit_code == 0, done.output
    assert added(root) == ["data/own/shop/.gitignore", "data/own/shop/my", "reviews.csv.dvc"]
    params = load_params(root / "params.yaml")
    assert params.dataset == "my_reviews"
    write(root / "data/own/kept.csv")
    git(root, "add", "data/own/kept.csv")
    done = new(str(root / "data/own/kept.csv"), *OPTIONS)
    assert done.exit_code == 0, done.output
    assert "git tracks the file already" in done.stdout
    assert not (root / "data/own/kept.csv.dvc").exists()


def test_a_parquet_file_with_a_split_and_origins(root: Path) -> None:
    texts, labels = generated_rows(40)
    columns = {
        "text": texts,
        "label": pa.array(["good" if label else "bad" for label in labels]).dictionary_encode(),
        "part": ["train", "train", "test", "test"] * 10,
        "shop": ["x", "y"] * 20,
        "when": pa.array([0] * 40, pa.timestamp("us", tz="Mars/Olympus")),
    }
    pq.write_table(pa.table(columns), "own.parquet")
    done = new("own.parquet", "--text", "text", "--label", "label", "--positive", "good", "--negative", "bad",
               "--split", "part", "--origin", "shop", "--name", "mine")  # fmt: skip
    assert done.exit_code == 0, done.output
    source = load_params(root / "params.yaml").datasets["mine"].source.model_dump()
    assert (source["path"], source["split"], source["origin"]) == ("data/own/own.parquet", "part", "shop")


def test_without_a_terminal_the_error_gives_the_whole_command(root: Path) -> None:
    before = state(root)
    done = new("reviews.csv")
    assert done.exit_code == 1
    command = "moodring new reviews.csv --text review --label stars --positive 5 --negative 1"
    assert done.stderr.rstrip().endswith(f"Is this right? {command}")
    Path("other.csv").write_text("a,b\nx x x,cats\nx y z,dogs\nx x y,cats\nx z w,dogs\n", encoding="utf-8")
    assert "--positive is needed, because there is no terminal" in new("other.csv").stderr
    assert state(root) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", *OPTIONS], "cannot read none.csv"),
        (["checkout", *OPTIONS], "a .csv or .parquet file is needed"),
        (["reviews.csv", *OPTIONS, "--text", "Review"], "differs in upper and lower case"),
        (["reviews.csv", *OPTIONS, "--origin", "shop"], "must have one column 'shop'"),
        (["reviews.csv", *OPTIONS, "--positive", "4"], "no row has the label '4'; the labels: '1', '5'"),
        (["reviews.csv", *OPTIONS, "--negative", "5"], "the label '5', which is in both classes"),
        (["reviews.csv", *OPTIONS, "--name", "my reviews"], "my reviews"),
        (["reviews.csv", *OPTIONS, "--name", "imdb"], "choose another name with --name"),
        (["reviews.csv", *OPTIONS, "--split", "id"], "split must be train or test"),
        (["other/reviews.csv", *OPTIONS], "exists and differs from"),
        (["stars.csv", *OPTIONS], "1 rows have the label '3', which is in neither class"),
        (["semicolons.csv", *OPTIONS], "semicolons separate its columns"),
        (["reviews.csv", *OPTIONS, "--label", "review"], "no row has the label"),
        (["reviews.csv", *OPTIONS, "--text", "stars"], "text and label must be two columns"),
        (["reviews.csv", *OPTIONS, "--name", ""], "--name must begin with a letter or a digit"),
        (["reviews.csv", *OPTIONS, "--name", "../up"], "received: '../up'"),
        (["recorded.csv", *OPTIONS], "is DVC's record of a file that is not here"),
        (["ignored.csv", *OPTIONS], "git check-ignore --verbose data/own/ignored.csv.dvc"),
        (["one.csv", *OPTIONS], "no label means negative|no row has the label '1'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_file_leaves_everything_as_it_was(root: Path, arguments: list[str], message: str) -> None:
    Path("other").mkdir()
    write(Path("other/reviews.csv"), 30)
    write(Path("stars.csv"))
    with Path("stars.csv").open("a") as stream:
        stream.write("so so,3,9\n")
    Path("semicolons.csv").write_text("review;stars\na;1\nb;5\n")
    Path("one.csv").write_text("review,stars\na,5\nb,5\n")
    write(Path("recorded.csv"))
    write(Path("ignored.csv"))
    (root / "data/own/recorded.csv.dvc").write_text("outs: [{md5: a, path: recorded.csv}]\n")
    (root / ".git/info/exclude").write_text("ignored*\n")
    if "differs from" in message:
        write(root / "data/own/reviews.csv", 40)
    before = state(root)
    done = new(*arguments)
    assert done.exit_code == 1, done.output
    assert any(part in done.stderr for part in message.split("|")), done.stderr
    assert done.stderr.startswith("error: ")
    assert state(root) == before


def rows_of(positive: int, negative: int, text: str = "text number {}") -> str:
    labels = [5] * positive + [1] * negative
    return "review,stars\n" + "".join(f"{text.format(i)},{label}\n" for i, label in enumerate(labels))


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        (rows_of(300, 300), ""),
        (rows_of(5, 995), "each split needs at least 5 texts of each class"),
        (rows_of(6, 6), "cannot draw the validation split"),
        (rows_of(300, 300, ""), "each split needs at least 5 texts of each class"),
        (rows_of(300, 300, "the same"), "cannot draw the validation split"),
    ],
    ids=["enough", "a rare class", "few rows", "empty texts", "one text"],
)
def test_texts_that_cannot_decide_are_named_at_once(root: Path, content: str, warning: str) -> None:
    Path("own.csv").write_text(content, encoding="utf-8")
    done = new("own.csv", *OPTIONS)
    assert done.exit_code == 0, done.output
    if warning:
        assert "warning: `dvc repro` will stop until this is mended: " in done.stderr
    assert warning in done.stderr


def test_a_step_that_fails_is_undone(root: Path) -> None:
    write(root / "data/own/there.csv")
    (root / "data/own/.gitignore").write_text("/mine\n", encoding="utf-8")
    git(root, "add", "data/own/.gitignore")
    before = state(root)
    (root / ".git/index.lock").touch()  # another git command runs
    for file in ("reviews.csv", str(root / "data/own/there.csv")):
        done = new(file, *OPTIONS)
        assert done.exit_code == 1
        assert "git cannot add" in done.stderr
    (root / ".git/index.lock").unlink()
    assert state(root) == before
    (root / ".dvc/config").write_text("[cache]\n    dir = /dev/null/cache\n", encoding="utf-8")
    done = new("reviews.csv", *OPTIONS)
    assert done.exit_code == 1
    assert "DVC cannot track data/own/reviews.csv" in done.stderr
    assert state(root) == before


def test_on_a_terminal_each_question_has_a_guess(root: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); from moodring.cli.app import app; app()"
    command = [sys.executable, "-c", code, "new", "reviews.csv"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.write(ours, b"\n\n5\n\n")
    output, _ = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, output
    for question in (
        "the column with the text (columns: review, stars, id) [review]",
        "the column with the label (columns: review, stars, id) [stars]",
        "mean positive, with commas between (labels: 1, 5) [5]",
        "mean negative, with commas between (labels: 1, 5) [1]",
    ):
        assert question in output
    assert "git add data" not in output, "DVC's advice; the command has run it"
    assert load_params(root / "params.yaml").dataset == "reviews"
