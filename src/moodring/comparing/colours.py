"""Colours and lines of results: an architecture has the same colour on every page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from moodring.collecting.results import Result

# Okabe & Ito's colours, which people with any colour vision can tell apart.
COLOURS = {
    "rnn": "#d55e00",
    "lstm": "#0072b2",
    "gru": "#009e73",
    "bilstm": "#cc79a7",
    "bilstm_max": "#56b4e9",
    "nbsvm": "#5f6f7d",
}
# Other architectures take one of these by their name (Paul Tol's "muted" scheme).
OTHERS = ("#332288", "#999933", "#882255", "#ddaa33", "#44aa99", "#661100")
# Results of one colour differ in their lines, in this order.
DASHES = ("solid", "6 2", "2 2", "6 2 1 2", "10 3", "1 3", "6 2 1 2 1 2", "4 4")


@dataclass(frozen=True)
class Line:
    """How a result is drawn: a colour, and dashes in points; "solid": none."""

    colour: str
    dashes: str = "solid"

    @property
    def style(self) -> str | tuple[int, tuple[float, ...]]:
        """The line's style for matplotlib, whose dashes are in line widths."""
        return (
            "solid" if self.dashes == "solid" else (0, tuple(float(dash) / 2 for dash in self.dashes.split()))
        )


def colour_of(arch: str) -> str:
    """The colour of an architecture; it depends on the name alone."""
    place = int(hashlib.sha256(arch.encode()).hexdigest(), 16) % len(OTHERS)
    return COLOURS.get(arch, OTHERS[place])


def lines_of(results: Sequence[Result]) -> list[Line]:
    """The line of each result; results of one colour have different dashes, as long as there are some."""
    seen: dict[str, int] = {}
    lines = []
    for result in results:
        colour = colour_of(result.arch)
        place = seen[colour] = seen.get(colour, -1) + 1
        lines.append(Line(colour, DASHES[place % len(DASHES)]))
    return lines
