"""`moodring predict` on a real result with a linear model: texts in, texts out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from moodring.cli.app import app
from moodring.params.pipeline import Params
from tests.conftest import ROOT
from tests.serving.linear import write_linear_result

CLI = "from moodring.cli.app import app; app()"
KEYS = ["text", "score", "label", "words", "unknown"]


@pytest.fixture(scope="module")
def checkout(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    (root / ".dvc").mkdir()
    shutil.copy(ROOT / "params.yaml", root)
    write_linear_result(root, params)
    (root / "t.txt").write_text("the text of the root\n")
    (root / "data" / "t.txt").write_text("a wonderful film\na dull film\n")
    return root


@pytest.fixture
def here(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a subdirectory of the checkout."""
    monkeypatch.chdir(checkout / "data")
    return checkout / "data"


def predict(*arguments: str, standard_input: bytes | str = "") -> Result:
    return CliRunner().invoke(app, ["predict", *arguments], input=standard_input)


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def texts(done: Result) -> list[str]:
    return [row["text"] for row in rows(done)]


@pytest.mark.parametrize("typed", ["t.txt", "./t.txt", "../data/t.txt", "{here}/t.txt", "~/t.txt"])
def test_a_file_is_relative_to_where_the_command_is_typed(
    here: Path, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    done = predict("--file", typed.format(here=here))
    assert texts(done) == ["a wonderful film", "a dull film"]
    assert done.stderr == ""


@pytest.mark.parametrize("typed", ["none.txt", "data/t.txt", "."])
def test_a_file_that_is_not_there_is_an_error(here: Path, typed: str) -> None:
    done = predict("--file", typed)
    assert done.exit_code == 1
    assert f"error: cannot read {here / typed}" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--file", "-"]])
def test_standard_input_has_a_text_on_each_line(here: Path, arguments: list[str]) -> None:
    lines = "\ufeffa wonderful film\r\n\r\n  dull; awful \u2028 & boring!! \n電影 ünïcödé".encode()
    expected = ["a wonderful film", "", "  dull; awful \u2028 & boring!! ", "電影 ünïcödé"]
    assert texts(predict(*arguments, standard_input=lines)) == expected


def test_a_line_has_the_score_with_six_digits_and_the_unknown_words(here: Path) -> None:
    done = predict("a wonderful film", "xyzzy film plugh")
    assert [list(row) for row in rows(done)] == [KEYS, KEYS]
    first, second = rows(done)
    assert (first["label"], first["words"], first["unknown"]) == ("positive", 3, 0)
    assert (second["words"], second["unknown"]) == (3, 2)
    assert all(row["score"] == round(row["score"], 6) and 0 < row["score"] < 1 for row in (first, second))
    assert done.stderr == "note: 2 of 6 words are unknown to the model\n"


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["a wonderful film"], ""),
        (["xyzzy"], "note: 1 of 1 words are unknown to the model\n"),
        (["a plugh film", "", "xyzzy xyzzy xyzzy"], "note: 4 of 6 words are unknown to the model\n"),
        ([""], ""),
        ([], "note: there were no texts to score\n"),
    ],
)
def test_a_note_adds_up_the_unknown_words(here: Path, arguments: list[str], note: str) -> None:
    assert predict(*arguments).stderr == note


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine\ncaf\xe9 noir\n", "line 2 of {name} is not valid UTF-8: byte 0xe9 at 3"),
        ("a film\n".encode("utf-16"), "line 1 of {name} is UTF-16 or no text"),
        ("a film\n".encode("utf-16-le"), "line 1 of {name} is UTF-16 or no text"),
        (b"fine\na\x00film\n", "line 2 of {name} is UTF-16 or no text"),
        (b"\xed\xa0\x80\n", "line 1 of {name} is not valid UTF-8"),  # a lone surrogate
    ],
    ids=["latin-1", "UTF-16", "UTF-16 without a mark", "zero byte", "surrogate"],
)
def test_other_encodings_are_refused(here: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    for done, name in (
        (predict("--file", str(tmp_path / "t.txt")), tmp_path / "t.txt"),
        (predict(standard_input=content), "standard input"),
    ):
        assert done.exit_code == 1
        assert message.format(name=name) in done.stderr
        assert "iconv" in done.stderr
        assert "Traceback" not in done.output


@pytest.mark.parametrize("address", ["s3://bucket/model", "gs://bucket/model", "http://127.0.0.1:9/model"])
def test_a_model_that_its_storage_does_not_give_is_an_error_about_the_model(here: Path, address: str) -> None:
    done = predict("--model", address, "a film")
    assert done.exit_code == 1
    assert f"error: cannot load the model '{address}'" in done.stderr
    assert "move the file away" not in done.stderr


def test_texts_and_a_file_are_not_scored_together(here: Path) -> None:
    done = predict("a film", "--file", "t.txt")
    assert done.exit_code == 1
    assert "not both" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2Jclear",
        "\x9b31m",
        "over\rwritten",
        "two\nlines\n",
        "\u202eright to left",
        "\x7f\x00\u2028",
        '"\\',
    ],
)
def test_a_printed_text_cannot_steer_the_terminal(here: Path, text: str) -> None:
    (line,) = predict("--", text).stdout.splitlines()
    assert line.isprintable()
    assert json.loads(line)["text"] == text


# The command as a real process, because Python decodes the arguments and opens the terminal.
def run(checkout: Path, *arguments: str | bytes, **environment: str) -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-c", CLI, "predict", *arguments],
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_an_argument_that_is_not_utf_8_is_refused(checkout: Path) -> None:
    code, out, err = run(checkout, "a film", b"caf\xe9")
    assert (code, out) == (1, b"")
    assert r"the argument is not valid UTF-8: byte 0xe9 at 3 in b'caf\xe9'" in err
    assert "Traceback" not in err


def test_a_terminal_that_lacks_characters_gets_the_same_json(checkout: Path) -> None:
    code, out, err = run(checkout, "café 電影 🙂", PYTHONIOENCODING="latin-1")
    assert (code, err) == (0, "note: 3 of 3 words are unknown to the model\n")
    assert json.loads(out.decode("ascii"))["text"] == "café 電影 🙂"


def test_an_argument_is_utf_8_even_where_python_reads_ascii(checkout: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, err = run(checkout, "café".encode(), **ascii_only)
    assert code == 0, err
    assert json.loads(out.decode("ascii"))["text"] == "café"


def test_a_reader_that_closes_the_pipe_gets_no_traceback(checkout: Path) -> None:
    command = [sys.executable, "-c", CLI, "predict", "--file", "many.txt"]
    (checkout / "many.txt").write_text("a wonderful film\n" * 5000)
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["text"] == "a wonderful film"
        process.stdout.close()
        assert process.stderr.read() == b""
