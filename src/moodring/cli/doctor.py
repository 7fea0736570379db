"""Check the setup."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import Annotated

import typer

from moodring.checkout.root import checkout_root
from moodring.errors import shows_errors


@shows_errors
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list, for programs")] = False,
) -> None:
    """Check the setup before a long training run. Exit code 1: a check found a problem."""
    from moodring.doctor.examine import examine

    root = checkout_root()
    os.chdir(root)
    findings = list(examine(root))
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console(width=None if sys.stdout.isatty() else 200, soft_wrap=True)
        colours = {"ok": "green", "note": "yellow", "bad": "red"}
        for finding in findings:
            line = Text(f"{finding.level:<5}", style=colours[finding.level])
            console.print(line + Text(f"{finding.about}: {finding.seen}", style="default"))
            if finding.remedy:
                console.print(Text(f"      -> {finding.remedy}"))
    if any(finding.level == "bad" for finding in findings):
        raise SystemExit(1)
