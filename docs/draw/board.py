"""A board to draw boxes, round nodes and arrows. The same drawing gives the same bytes of SVG."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch

INK, MUTED, RULE = "#22303c", "#5f6f7d", "#d5dce3"
BLUE, ORANGE, GREEN, PURPLE = "#2f6db3", "#c8641b", "#2f855a", "#7a4fb0"
PALE = {INK: "#f4f6f8", BLUE: "#e6f0fa", ORANGE: "#fdeedd", GREEN: "#e3f4ea", PURPLE: "#f0e8fa"}
STYLE = {
    "svg.hashsalt": "moodring",  # without it, ids are random
    "svg.fonttype": "path",  # looks the same if a font is missing
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavuserif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
mpl.rcParams.update(STYLE)


def save(figure: Figure, path: Path, description: str = "") -> None:
    """Write a figure as SVG, without its date and without spaces at the ends of lines."""
    about = {"Date": None, "Creator": None, "Description": description or None}
    figure.savefig(path, format="svg", metadata=about)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{line.rstrip()}\n" for line in lines), encoding="utf-8")


def described(picture: Path) -> str:
    """The description in a drawn picture."""
    found = re.search(r"<dc:description>(.*?)</dc:description>", picture.read_text("utf-8"), re.DOTALL)
    return "" if found is None else html.unescape(found[1])


class Board:
    """A drawing area with the same unit in both directions.

    Args:
        width: in units of 0.7 inches.
        height: in units of 0.7 inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = Figure(figsize=(0.7 * width, 0.7 * height))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        self.axes.axis("off")

    def frame(self, left: float, bottom: float, right: float, top: float, colour: str = INK) -> None:
        """Draw a pale area behind other shapes."""
        self._rounded(left, bottom, right - left, top - bottom, PALE[colour], RULE, 0.25, 0)

    def box(
        self,
        x: float,
        y: float,
        text: str,
        colour: str = BLUE,
        size: tuple[float, float] = (1.2, 0.8),
        font: float = 12,
    ) -> None:
        """Draw a box with a text; its centre is (x, y)."""
        width, height = size
        self._rounded(x - width / 2, y - height / 2, width, height, PALE[colour], colour, 0.12, 3)
        self.text(x, y, text, font=font)

    def node(self, x: float, y: float, text: str, colour: str = ORANGE, radius: float = 0.3) -> None:
        """Draw an operation on numbers: a circle with its sign."""
        self.axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=colour, lw=1.6, zorder=3))
        self.text(x, y, text, font=12)

    def arrow(self, points: Sequence[tuple[float, float]], colour: str = INK, width: float = 1.6) -> None:
        """Draw a line through points, with a head at the last one."""
        self.line(points[:-1], colour, width)
        style = {"arrowstyle": "-|>,head_width=0.22,head_length=0.45", "color": colour, "lw": width}
        self.axes.annotate(
            "", points[-1], points[-2], arrowprops={**style, "shrinkA": 0, "shrinkB": 0}, zorder=2
        )

    def line(self, points: Sequence[tuple[float, float]], colour: str = INK, width: float = 1.6) -> None:
        """Draw a line through points."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self.axes.plot(xs, ys, color=colour, lw=width, solid_joinstyle="round", zorder=1)

    def dot(self, x: float, y: float, colour: str = INK) -> None:
        """Draw a dot, where a line branches."""
        self.axes.add_patch(Circle((x, y), 0.06, color=colour, zorder=2))

    def text(
        self, x: float, y: float, text: str, colour: str = INK, font: float = 11, align: str = "center"
    ) -> None:
        """Write a text, centred on y."""
        self.axes.text(x, y, text, color=colour, fontsize=font, ha=align, va="center", zorder=4)

    def save(self, path: Path) -> None:
        """Write the drawing as SVG."""
        save(self.figure, path)

    def _rounded(
        self, x: float, y: float, width: float, height: float, face: str, edge: str, round_by: float, z: int
    ) -> None:
        style = f"round,pad=0,rounding_size={round_by}"
        patch = FancyBboxPatch(
            (x, y), width, height, boxstyle=style, facecolor=face, edgecolor=edge, lw=1.4, zorder=z
        )
        self.axes.add_patch(patch)
