"""Pictures of a layer along a text: the unrolled RNN and the bidirectional layer."""

from __future__ import annotations

import itertools
from pathlib import Path

from docs.draw.board import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, Board

WORDS = ("never", "a", "dull", "moment")


def unrolled(path: Path) -> None:
    """Draw a simple RNN with its loop, and the same RNN with a copy of the cell for each word."""
    board = Board(14, 6.6)
    board.text(1.9, 6.1, "one cell with a loop", MUTED)
    board.text(9.0, 6.1, "the same cell at every step", MUTED)
    board.box(1.9, 3.3, r"$\tanh$", size=(1.5, 1.0))
    board.arrow([(1.9, 1.5), (1.9, 2.8)])
    board.text(1.9, 1.15, r"$x_t$", font=14)
    board.text(2.25, 2.1, r"$W$", BLUE, 13)
    board.arrow([(1.9, 3.8), (1.9, 4.8)])
    board.text(1.9, 5.15, r"$h_t$", font=14)
    board.arrow([(1.9, 4.25), (3.25, 4.25), (3.25, 3.3), (2.65, 3.3)], ORANGE)
    board.dot(1.9, 4.25, ORANGE)
    board.text(3.6, 3.8, r"$U$", ORANGE, 13)
    board.text(4.4, 3.3, "=", font=20)
    places = [6.0, 8.0, 10.0, 12.0]
    board.text(4.85, 3.62, r"$h_0=0$", font=11)
    board.arrow([(4.75, 3.3), (5.4, 3.3)], ORANGE)
    for step, (x, word) in enumerate(zip(places, WORDS, strict=True), start=1):
        board.box(x, 3.3, r"$\tanh$", size=(1.2, 1.0))
        board.arrow([(x, 1.5), (x, 2.8)])
        board.text(x + 0.3, 2.1, r"$W$", BLUE, 12)
        board.text(x, 1.15, rf"$x_{step}$", font=14)
        board.text(x, 0.65, f"“{word}”", MUTED)
        if step < len(places):
            board.arrow([(x + 0.6, 3.3), (x + 1.4, 3.3)], ORANGE)
            board.text(x + 1.0, 3.62, rf"$h_{step}$", font=12)
            board.text(x + 1.0, 2.95, r"$U$", ORANGE, 12)
    board.box(12.0, 5.2, "score", GREEN, (1.5, 0.8))
    board.arrow([(12.0, 3.8), (12.0, 4.8)])
    board.text(12.4, 4.25, r"$h_4$", font=12)
    board.save(path)


def bidirectional(path: Path) -> None:
    """Draw two LSTM layers over the same words, one from each end; their last states give the score."""
    board = Board(14, 7.2)
    places = [3.4, 5.8, 8.2, 10.6]
    forward, backward = 2.6, 4.4
    board.text(1.2, forward, "forward", BLUE)
    board.text(1.2, backward, "backward", PURPLE)
    for step, (x, word) in enumerate(zip(places, WORDS, strict=True), start=1):
        board.text(x, 0.6, f"“{word}”", MUTED)
        board.text(x, 1.1, rf"$x_{step}$", font=14)
        board.arrow([(x - 0.25, 1.4), (x - 0.25, 2.2)])
        board.line(
            [(x + 0.25, 1.4), (x + 0.25, 1.75), (x + 0.95, 1.75), (x + 0.95, 3.5), (x, 3.5)], MUTED, 1.2
        )
        board.arrow([(x, 3.49), (x, 3.5), (x, 4.0)], MUTED, 1.2)
        board.box(x, forward, "LSTM", BLUE)
        board.box(x, backward, "LSTM", PURPLE)
    for left, right in itertools.pairwise(places):
        board.arrow([(left + 0.6, forward), (right - 0.6, forward)], BLUE)
        board.arrow([(right - 0.6, backward), (left + 0.6, backward)], PURPLE)
    board.box(7.0, 6.4, "score", GREEN, (1.5, 0.8))
    board.arrow([(3.4, 4.8), (3.4, 6.4), (6.25, 6.4)], PURPLE)
    board.text(4.5, 6.7, r"$\overleftarrow{h}_1$: all words, from the end", PURPLE, 11)
    board.arrow([(11.2, forward), (12.6, forward), (12.6, 6.4), (7.75, 6.4)], BLUE)
    board.text(10.2, 6.7, r"$\overrightarrow{h}_4$: all words, from the start", BLUE, 11)
    board.text(7.0, 5.55, "pooling: last", INK, 10)
    board.save(path)
