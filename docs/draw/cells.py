"""Pictures of one cell: the gates of the LSTM and of the GRU."""

from __future__ import annotations

from pathlib import Path

from docs.draw.board import BLUE, MUTED, ORANGE, PURPLE, Board


def lstm(path: Path) -> None:
    """Draw the LSTM: the cell state at the top; below, three gates and a candidate read word and state."""
    board = Board(13, 7.4)
    board.frame(1.7, 0.95, 11.3, 6.3)
    top, gates, bus = 5.4, 2.7, 1.5
    board.text(0.7, 5.75, r"$c_{t-1}$", font=14)
    board.text(12.3, 5.75, r"$c_t$", font=14)
    board.arrow([(0.3, top), (12.7, top)], ORANGE, 3)
    board.text(0.7, 1.85, r"$h_{t-1}$", font=14)
    board.line([(0.3, bus), (8.4, bus)])
    board.text(2.2, 0.3, r"$x_t$", font=14)
    board.line([(2.2, 0.6), (2.2, bus)])
    board.dot(2.2, bus)
    for x, sign, colour in (
        (3.2, r"$f_t = \sigma$", PURPLE),
        (4.9, r"$i_t = \sigma$", PURPLE),
        (6.6, r"$\tilde c_t = \tanh$", BLUE),
        (8.4, r"$o_t = \sigma$", PURPLE),
    ):
        board.arrow([(x, bus), (x, gates - 0.4)])
        board.box(x, gates, sign, colour, (1.45, 0.8), 11)
    for x in (3.2, 4.9, 6.6):
        board.dot(x, bus)
    board.arrow([(3.2, gates + 0.4), (3.2, top - 0.3)], PURPLE)
    board.arrow([(4.9, gates + 0.4), (4.9, 4.1), (5.45, 4.1)], PURPLE)
    board.arrow([(6.6, gates + 0.4), (6.6, 4.1), (6.05, 4.1)], BLUE)
    board.node(5.75, 4.1, r"$\times$")
    board.arrow([(5.75, 4.4), (5.75, top - 0.3)])
    board.node(3.2, top, r"$\times$")
    board.node(5.75, top, "+")
    board.dot(10.2, top, ORANGE)
    board.arrow([(10.2, top), (10.2, 4.75)], ORANGE)
    board.box(10.2, 4.4, r"$\tanh$", BLUE, (1.1, 0.7), 11)
    board.arrow([(8.4, gates + 0.4), (8.4, 3.5), (9.9, 3.5)], PURPLE)
    board.arrow([(10.2, 4.05), (10.2, 3.8)])
    board.node(10.2, 3.5, r"$\times$")
    board.arrow([(10.2, 3.2), (10.2, bus), (12.7, bus)])
    board.text(12.3, 1.85, r"$h_t$", font=14)
    board.text(3.2, 6.0, "forget", MUTED, 10)
    board.text(5.75, 6.0, "write", MUTED, 10)
    board.text(10.2, 6.0, "read", MUTED, 10)
    board.text(6.5, 6.85, "cell state: it is only multiplied by a gate and added to", ORANGE, 11)
    board.save(path)


def gru(path: Path) -> None:
    """Draw the GRU: one state; the update gate keeps a part of it, the reset gate limits the candidate."""
    board = Board(13, 7.0)
    board.frame(1.7, 0.55, 11.3, 6.0)
    top, gates, low, lower = 5.1, 2.6, 1.45, 0.95
    board.text(0.7, 5.45, r"$h_{t-1}$", font=14)
    board.text(12.3, 5.45, r"$h_t$", font=14)
    board.arrow([(0.3, top), (12.7, top)], ORANGE, 3)
    board.line([(2.2, top), (2.2, low), (6.55, low)], ORANGE)
    board.dot(2.2, top, ORANGE)
    board.text(0.7, 1.3, r"$x_t$", font=14)
    board.line([(0.3, lower), (8.2, lower)])
    for x, sign in ((3.3, r"$z_t = \sigma$"), (5.0, r"$r_t = \sigma$")):
        board.arrow([(x - 0.25, lower), (x - 0.25, gates - 0.4)])
        board.arrow([(x + 0.25, low), (x + 0.25, gates - 0.4)], ORANGE)
        board.dot(x - 0.25, lower)
        board.dot(x + 0.25, low, ORANGE)
        board.box(x, gates, sign, PURPLE, (1.45, 0.8), 11)
    board.arrow([(5.0, gates + 0.4), (5.0, 3.4), (6.55, 3.4), (6.55, gates + 0.3)], PURPLE)
    board.arrow([(6.55, low), (6.55, gates - 0.3)], ORANGE)
    board.node(6.55, gates, r"$\times$")
    board.arrow([(6.85, gates), (7.4, gates)])
    board.box(8.2, gates, r"$\tilde h_t = \tanh$", BLUE, (1.6, 0.8), 11)
    board.arrow([(8.2, lower), (8.2, gates - 0.4)])
    board.arrow([(3.3, gates + 0.4), (3.3, top - 0.3)], PURPLE)
    board.arrow([(3.3, 4.1), (5.45, 4.1)], PURPLE)
    board.dot(3.3, 4.1, PURPLE)
    board.node(5.75, 4.1, r"$1-$", PURPLE)
    board.arrow([(6.05, 4.1), (9.5, 4.1)], PURPLE)
    board.arrow([(9.0, gates), (9.8, gates), (9.8, 3.8)], BLUE)
    board.node(9.8, 4.1, r"$\times$")
    board.arrow([(9.8, 4.4), (9.8, top - 0.3)])
    board.node(3.3, top, r"$\times$")
    board.node(9.8, top, "+")
    board.text(3.3, 5.7, "keep", MUTED, 10)
    board.text(9.8, 5.7, "write", MUTED, 10)
    board.text(6.5, 6.5, "one state: what is written replaces what is not kept", ORANGE, 11)
    board.save(path)
