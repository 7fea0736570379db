"""The picture of the rooms and their imports: `python -m docs.draw.rooms`, or `make architecture`."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import grimp
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docs.draw.board import BLUE, GREEN, INK, MUTED, PALE, RULE, save

PICTURE = Path("docs/architecture.svg")
TOP = "stages"
LEFT, CELL, SENTENCE = 0.2, 0.42, 2.2


class Rooms(NamedTuple):
    """The rooms from the highest layer to the lowest, and their imports."""

    layers: list[list[str]]
    imports: set[tuple[str, str]]
    makes_results: set[str]
    sentences: dict[str, str]

    def description(self) -> str:
        """The drawing as text. The picture contains it, and a test compares it with the code."""
        order = " / ".join(" | ".join(layer) for layer in self.layers)
        results = ", ".join(sorted(self.makes_results))
        imports = ", ".join(f"{importer} imports {imported}" for importer, imported in sorted(self.imports))
        return f"{order}. Of results: {results}. {imports}. {' '.join(self.sentences.values())}"


def read_rooms(root: Path) -> Rooms:
    """Read the layers of the contract in pyproject.toml, and the imports of the code.

    Args:
        root: the checkout's root; its `src` must be importable.
    """
    tree = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    order, results, *_ = tree["contracts"]
    layers = [[TOP], *(sorted(layer.split(" | ")) for layer in order["layers"])]
    graph = grimp.build_graph("moodring", TOP, cache_dir=None)
    imports = set()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            importer, imported = _room(module), _room(other)
            if importer != imported and "" not in (importer, imported):
                imports.add((importer, imported))
    makes = {name.removeprefix("moodring.") for name in results["source_modules"]}
    sentences = {name: sentence_of(root, name) for layer in layers for name in layer}
    return Rooms(layers, imports, makes, sentences)


def draw(rooms: Rooms, path: Path) -> None:
    """Draw a row for each room, in bands of layers, with a dot in the column of each imported room."""

    def colour_of(name: str) -> str:
        return GREEN if name in rooms.makes_results else BLUE

    names = [name for layer in rooms.layers for name in layer]
    places = {name: number for number, name in enumerate(names)}
    grid = LEFT + SENTENCE + 7.3
    width, height = grid + CELL * len(names) + 0.3, 1.75 + CELL * len(names) + 0.75
    figure = Figure(figsize=(width * 0.72, height * 0.72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height - 1.75, -1.75), aspect="equal")
    axes.axis("off")
    for number, layer in enumerate(rooms.layers):
        top, size = places[layer[0]] * CELL, len(layer) * CELL
        shade = PALE[INK] if number % 2 == 0 else "white"
        axes.add_patch(Rectangle((LEFT, top), width - LEFT - 0.3, size, facecolor=shade, lw=0))
        axes.plot([LEFT, width - 0.3], [top, top], color=RULE, lw=0.8)
    for name, number in places.items():
        middle = (number + 0.5) * CELL
        colour = colour_of(name)
        axes.text(LEFT + 0.15, middle, name, color=colour, fontsize=11, weight="bold", va="center")
        axes.text(LEFT + SENTENCE, middle, rooms.sentences[name], color=MUTED, fontsize=9, va="center")
        x = grid + middle
        axes.text(
            x,
            -0.12,
            name,
            color=colour,
            fontsize=9.5,
            rotation=60,
            ha="left",
            va="bottom",
            rotation_mode="anchor",
        )
        axes.add_patch(Rectangle((x - CELL / 2, number * CELL), CELL, CELL, facecolor=RULE, lw=0))
    for importer, imported in sorted(rooms.imports):
        x, y = grid + (places[imported] + 0.5) * CELL, (places[importer] + 0.5) * CELL
        axes.plot(x, y, "o", ms=9, color=colour_of(importer))
    bottom = len(names) * CELL
    axes.plot([LEFT, width - 0.3], [bottom, bottom], color=RULE, lw=0.8)
    note = (
        "A dot: the room of this row imports the room of this column. "
        "All dots are right of the grey squares: imports lead down."
    )
    axes.text(LEFT + 0.15, bottom + 0.35, note, color=MUTED, fontsize=9.5, va="center")
    for x, colour, text in (
        (LEFT + 0.15, GREEN, "green: makes results"),
        (LEFT + 2.6, BLUE, "blue: changes no result"),
    ):
        axes.text(x, -0.3, text, color=colour, fontsize=9.5, va="center")
    save(figure, path, rooms.description())


def main() -> None:
    """Draw the rooms of the present checkout."""
    root = Path.cwd()
    draw(read_rooms(root), root / PICTURE)


def sentence_of(root: Path, name: str) -> str:
    """Read the first sentence of a room's docstring."""
    place = root / name if name == TOP else root / "src" / "moodring" / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=\.)\s", docstring, maxsplit=1)[0].replace("`", "")


def _room(module: str) -> str:
    package, _, rest = module.partition(".")
    return package if package == TOP else rest.partition(".")[0]


if __name__ == "__main__":
    main()
