"""What commands print: any text, on any terminal, without steering it."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from moodring.errors import MoodringError, escaped, shows_errors, warn


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a fine film", "a fine film"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("ünïcödé 電影 🙂 👨‍👩‍👧 नमस्ते", "ünïcödé 電影 🙂 👨‍👩‍👧 नमस्ते"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\x9b2J", "\\u009b2J"),
        ("over\rwritten", "over\\u000dwritten"),
        ("\a\b\x00\x7f", "\\u0007\\u0008\\u0000\\u007f"),
        ("\u202egnirts", "\\u202egnirts"),
        ("\u2066a\u2069\u200f\u061c", "\\u2066a\\u2069\\u200f\\u061c"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
    ],
    ids=["plain", "lines", "letters", "escape", "C1", "return", "bell", "override", "isolates", "separators"],
)
def test_a_text_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_errors_and_warnings_cannot_steer_the_terminal() -> None:
    @shows_errors
    def main() -> None:
        warn("no \x1b]0;title\x07")
        raise MoodringError("there is no file '\x1b[2J'")

    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(app)
    assert done.exit_code == 1
    assert done.stderr == "warning: no \\u001b]0;title\\u0007\nerror: there is no file '\\u001b[2J'\n"


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", b"caf\\xe9 \\u96fb \\udcff\n"),
        ("latin-1", b"caf\xe9 \\u96fb \\udcff\n"),
        ("utf-8", b"caf\xc3\xa9 \xe9\x9b\xbb \\udcff\n"),
    ],
)
def test_a_command_prints_any_text_on_any_terminal(
    encoding: str, printed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding, write_through=True))
    shows_errors(print)("café 電 \udcff")
    assert terminal.getvalue() == printed


PRINTING = """
import sys
from moodring.errors import shows_errors, warn

@shows_errors
def main():
    print("a line")
    warn("a note")
    sys.stdout.isatty()

main()
"""


@pytest.mark.parametrize(
    ("closed", "printed"),
    [(">&-", ("", "warning: a note\n")), ("2>&-", ("a line\n", "")), (">&- 2>&-", ("", ""))],
)
def test_what_is_printed_to_a_closed_stream_is_dropped(closed: str, printed: tuple[str, str]) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", PRINTING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, (done.stdout, done.stderr)) == (0, printed)
