"""The commands, options, keys and links in README and docs/ exist."""

from __future__ import annotations

import contextlib
import html
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml
from dvc.cli import DvcParserError
from dvc.cli.parser import get_main_parser

from docs.draw.plots import read_rows
from docs.draw.rooms import read_rooms
from moodring.cli.app import app
from moodring.experiments.named import merged
from moodring.params.base import flatten
from moodring.params.file import parse_params, parse_yaml, read_yaml
from tests.conftest import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = ("moodring", "dvc", "make", "mlflow")
INLINE = re.compile(rf"`((?:{'|'.join(PROGRAMS)}) [^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
REPOSITORY_FILE = re.compile(r"`((?:src|stages|docs|tests|experiments|benchmarks|requirements)/[\w./-]+)`")
# Programs of the system; their options are not checked.
OTHERS = {"cat", "cp", "curl", "export", "git", "python", "source", "ssh", "rm"}
TREE = read_yaml(ROOT / "params.yaml")
LEAVES = dict(flatten(TREE))
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
EXPERIMENTS = sorted(path.stem for path in (ROOT / "experiments").glob("**/*.yaml"))  # with the sets


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """The contents of a page's code blocks in some languages."""
    return [body for language, body in FENCE.findall(page.read_text("utf-8")) if language in languages]


def shown_commands() -> Iterator[tuple[str, str]]:
    """Each command in a code block, with its page."""
    for page in PAGES:
        for block in blocks(page, "console", "bash", "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    yield relative(page), line.strip()


def mentioned_commands() -> Iterator[tuple[str, str]]:
    """Each command in a sentence or a table, with its page."""
    for page in PAGES:
        for command in INLINE.findall(FENCE.sub("", page.read_text("utf-8"))):
            yield relative(page), command


IN_BLOCKS = set(shown_commands())
MENTIONED = {line for page, line in mentioned_commands() if (page, line) not in IN_BLOCKS}
SHOWN = list(dict.fromkeys([*shown_commands(), *mentioned_commands()]))


def words_of(line: str) -> list[str]:
    """A command's words, without variables before it and without the path of its program."""
    words = shlex.split(line, comments=True)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    return [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []


def check_options(command: click.Command, words: list[str], line: str) -> None:
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    assert unknown == [], f"{line!r} shows options that do not exist"


def check_dvc(words: list[str], line: str) -> None:
    try:
        parsed = get_main_parser().parse_args(words)
    except (DvcParserError, SystemExit) as error:
        # A sentence may name a command without its arguments.
        if line not in MENTIONED:
            raise AssertionError(f"{line!r}: {error}") from error
        check_dvc_help(words, line)
        return
    for setting in getattr(parsed, "set_param", None) or []:
        check_key(setting.partition("=")[0], line)


def check_dvc_help(words: list[str], line: str) -> None:
    """Check that the command's help contains its options."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit) as ended:
        get_main_parser().parse_args([*(word for word in words if not word.startswith("-")), "--help"])
    assert ended.value.code == 0, line
    assert all(word in shown.getvalue() for word in words if word.startswith("-")), line


def check_key(key: str, line: str) -> None:
    assert re.sub(r"^\+\+", "", key) in LEAVES, f"{line!r} sets {key!r}, which params.yaml does not have"


def check_moodring(words: list[str], line: str) -> None:
    name, *rest = words or ["--help"]
    if name in {"--help", "COMMAND"}:
        return
    assert name in COMMANDS, f"{line!r}: there is no command {name!r}"
    if name == "experiment":
        if not rest and line in MENTIONED:
            return
        experiment, *rest = rest
        assert experiment in {*EXPERIMENTS, "NAME", "DATASET-best"}, line
        check_dvc(["exp", "run", *rest], line)
    else:
        check_options(COMMANDS[name], rest, line)


def check_mlflow(words: list[str], line: str) -> None:
    from mlflow.cli import cli

    command: click.Command = cli
    while isinstance(command, click.Group):
        name, *words = words
        assert name in command.commands, f"{line!r}: there is no {name!r}"
        command = command.commands[name]
    check_options(command, words, line)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("page", "line"), SHOWN, ids=[f"{page}: {line:.60}" for page, line in SHOWN])
def test_each_command_exists_with_its_options(page: str, line: str) -> None:
    program, *words = words_of(line)
    if program == "moodring":
        check_moodring(words, line)
    elif program == "dvc":
        check_dvc(words, line)
    elif program == "mlflow":
        check_mlflow(words, line)
    elif program == "make":
        asked = [word for word in words if "=" not in word]
        assert set(asked) <= targets(), f"{page}: {line!r}"
    else:
        assert program in OTHERS or program.startswith("pip"), f"{page}: {line!r} starts an unknown program"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_has_help_and_is_documented(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip()
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.opts}: no help"
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert f"moodring {name}" in text


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_each_relative_link_has_a_target(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{relative(page)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{relative(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    named = REPOSITORY_FILE.findall(page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


YAML_BLOCKS = [(relative(page), block) for page in PAGES for block in blocks(page, "yaml")]


@pytest.mark.parametrize(("page", "block"), YAML_BLOCKS, ids=[page for page, _ in YAML_BLOCKS])
def test_each_block_of_yaml_is_valid_in_params_yaml(page: str, block: str) -> None:
    if block.startswith(" "):  # to be pasted below `datasets:`
        content = (ROOT / "params.yaml").read_text("utf-8")
        for place in ("\ndatasets:\n", "\n\n# One block for each architecture."):
            assert content.count(place) == 1
            pasted = content.replace(
                place, f"{place}{block}" if place.endswith(":\n") else f"\n{block}{place}"
            )
            for name in set(yaml.safe_load(block)):
                chosen = pasted.replace("\ndataset: rotten_tomatoes", f"\ndataset: {name}")
                params = parse_params(parse_yaml(chosen, page), page)
                assert params.dataset == name
        return
    tree: dict[str, Any] = yaml.safe_load(block)
    parse_params(merged(TREE, tree), page)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 200


def test_the_picture_of_the_rooms_is_current() -> None:
    picture = html.unescape((ROOT / "docs/architecture.svg").read_text("utf-8"))
    assert read_rooms(ROOT).description() in picture, "run `make architecture`"


def test_the_picture_of_the_accuracies_is_current() -> None:
    picture = html.unescape((ROOT / "docs/pictures/accuracies.svg").read_text("utf-8"))
    assert str(read_rows(ROOT / "docs/results.md")) in picture, "run `make pictures`"
