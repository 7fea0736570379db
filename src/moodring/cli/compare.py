"""Compare results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from moodring.checkout.root import checkout_root
from moodring.cli.paths import path_option, shown_path
from moodring.errors import shows_errors

PAGE = "compare.html"
OPTION = "--html"


class CompareCommand(TyperCommand):
    """Lets `--html` stand without a file: the next word is its file only if it ends in .html or .htm."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give `--html` its default file where none follows."""
        words = []
        for word, following in zip(args, [*args[1:], ""], strict=False):  # no words: nothing follows
            named = following.lower().endswith((".html", ".htm"))
            words.append(f"{OPTION}={PAGE}" if word == OPTION and not named else word)
        return super().parse_args(ctx, words)


@shows_errors
def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="experiments, git revisions, MLflow runs, or `workspace`; none: all experiments, the "
            "present result and HEAD's"
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="only its results; none: the dataset of params.yaml, or of the names")
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print Markdown")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs: one JSON list")] = False,
    html: Annotated[
        Path | None,
        path_option(OPTION, metavar="[FILE.html]", help=f"write a page; without a file, {PAGE}"),
    ] = None,
) -> None:
    """Compare results, best first: accuracies, paired tests, curves, slices, and texts on which they differ.

    The page of `--html` is one file that loads nothing. It holds texts of the dataset.
    """
    from moodring.collecting.collect import Collector
    from moodring.comparing import tables
    from moodring.comparing.pairs import compare_results

    root = checkout_root()
    collector = Collector(root)
    comparisons = [compare_results(found) for found in collector.collect(names or [], dataset)]
    if html is not None:
        from moodring.comparing.page import write_page

        write_page(html, comparisons, collector.raw_texts)
    if as_json:
        print(tables.as_json(comparisons))
    elif as_markdown:
        print(tables.markdown(comparisons))
    else:
        tables.print_terminal(comparisons, sys.stdout.isatty(), hint=html is None)
    if html is not None:
        print(f"page: {shown_path(html)}", file=sys.stderr if as_json or as_markdown else sys.stdout)
