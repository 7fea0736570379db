"""Files are written completely or not at all. Digests of files and directories."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from moodring.errors import shows_errors
from moodring.io.digests import sha256, tree_sha256
from moodring.io.files import copy_file, replacing, write_json


def fail_halfway(path: Path) -> None:
    with replacing(path) as fresh:
        fresh.write_text("half")
        raise KeyError


def fill(path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def test_a_block_that_raises_leaves_only_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(KeyError):
        fail_halfway(tmp_path / "out")
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("out", "old")]


def test_a_block_that_raises_creates_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_halfway(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_file_does_not_exist_before_its_block_ends(tmp_path: Path) -> None:
    with replacing(tmp_path / "out") as fresh:
        fresh.write_text("new")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out").read_text() == "new"


def test_missing_parents_are_created(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b" / "out") as fresh:
        fresh.write_text("new")
    assert (tmp_path / "a" / "b" / "out").read_text() == "new"


def test_a_directory_is_replaced_completely(tmp_path: Path) -> None:
    fill(tmp_path / "out", {"old": "1", "both": "1"})
    with replacing(tmp_path / "out") as fresh:
        fill(fresh, {"both": "2"})
    assert [(item.name, item.read_text()) for item in (tmp_path / "out").iterdir()] == [("both", "2")]
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_a_copy_replaces_the_old_file(tmp_path: Path) -> None:
    fill(tmp_path, {"source": "new", "target": "old and longer"})
    copy_file(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new"


def test_json_is_utf8_keeps_the_order_of_keys_and_ends_in_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "out.json", {"b": "schön", "a": 1})
    assert (tmp_path / "out.json").read_bytes() == '{\n  "b": "schön",\n  "a": 1\n}\n'.encode()


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("{}")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "out.json", {"loss": float("nan")})
    assert (tmp_path / "out.json").read_text() == "{}"


# Each function writes about 800 kB. The system lets a file grow to 4 kB only, as on a full disk.
WRITERS = """
import resource, sys
from pathlib import Path
import numpy as np, pandas as pd
from moodring.errors import shows_errors
from moodring.io.files import copy_file, replacing, write_json
from moodring.io.growing_array import GrowingArray
from moodring.io.tables import make_table, write_table

values = np.random.default_rng(1).random(100_000)
root = Path(sys.argv[1])
(root / "source").write_bytes(values.tobytes())

def archive(path):
    with replacing(path) as fresh, fresh.open("wb") as stream:
        np.savez(stream, allow_pickle=False, values=values)

def csv(path):
    with replacing(path) as fresh:
        pd.DataFrame({"value": values}).to_csv(fresh)

def table(path):
    texts = [str(value) for value in values[:20_000]]
    write_table(path, make_table(["train"] * 20_000, [0, 1] * 10_000, texts))

def array(path):
    with replacing(path) as fresh:
        fresh.mkdir()
        array = GrowingArray(fresh / "array.npy", values.dtype)
        array.append(values)
        array.close()

def json(path):
    write_json(path, values.tolist())

def copy(path):
    copy_file(root / "source", path)

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for write in (archive, csv, table, array, json, copy):
    path = root / write.__name__
    path.write_text("old")
    try:
        shows_errors(write)(path)
    except SystemExit as ended:
        print(write.__name__, ended.code, path.read_text(), flush=True)
"""


def test_a_file_that_does_not_fit_is_an_error_and_leaves_the_old_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITERS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    names = ["archive", "csv", "table", "array", "json", "copy"]
    assert done.stdout.splitlines() == [f"{name} 1 old" for name in names]
    lines = done.stderr.splitlines()
    assert len(lines) == len(names)
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"error: cannot write {tmp_path / name}: File too large. Free some space")
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == {*names, "source"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_command_that_meets_a_full_disk_ends_with_one_line(
    capsys: pytest.CaptureFixture[str], code: int
) -> None:
    @shows_errors
    def command() -> None:
        raise OSError(code, "full", "/some/file")

    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: cannot write /some/file: ")


def test_output_to_a_full_device_is_an_error() -> None:
    code = "from moodring.errors import shows_errors; shows_errors(lambda: print('a line'))()"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("error: cannot write: No space left on device")


def test_sha256_of_a_file_is_the_published_value(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_trees_digest_does_not_depend_on_the_order_of_creation(tmp_path: Path) -> None:
    files = {"b": "2", "a": "1", "c/d": "3"}
    first = fill(tmp_path / "first", files)
    second = fill(tmp_path / "second", dict(reversed(files.items())))
    assert tree_sha256(first) == tree_sha256(second)


def test_a_trees_digest_covers_names_and_digests_in_the_order_of_names(tmp_path: Path) -> None:
    names = [f"{i:02}" for i in range(40)]
    lines = "".join(f"{name}\t{hashlib.sha256(name.encode()).hexdigest()}\n" for name in names)
    tree = fill(tmp_path / "tree", {name: name for name in names})
    assert tree_sha256(tree) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"a": "1", "b": "3"}, id="changed"),
        pytest.param({"a": "1", "c": "2"}, id="renamed"),
        pytest.param({"a": "1", "d/b": "2"}, id="moved"),
        pytest.param({"a": "2", "b": "1"}, id="swapped"),
        pytest.param({"a": "1"}, id="removed"),
        pytest.param({"a": "1", "b": "2", "c": ""}, id="added"),
    ],
)
def test_a_trees_digest_changes_with_its_files(tmp_path: Path, other: dict[str, str]) -> None:
    tree = fill(tmp_path / "tree", {"a": "1", "b": "2"})
    assert tree_sha256(tree) != tree_sha256(fill(tmp_path / "other", other))
