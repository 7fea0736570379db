"""Draws every picture: `python -m docs.draw`, or `make pictures`."""

from __future__ import annotations

from pathlib import Path

from docs.draw import cells, plots, rooms, steps

PLACE = Path("docs/pictures")


def main() -> None:
    """Write docs/pictures/*.svg and docs/architecture.svg; the same input gives the same bytes."""
    PLACE.mkdir(exist_ok=True)
    steps.unrolled(PLACE / "rnn.svg")
    steps.bidirectional(PLACE / "bilstm.svg")
    cells.lstm(PLACE / "lstm.svg")
    cells.gru(PLACE / "gru.svg")
    plots.forgetting(PLACE / "forgetting.svg")
    plots.padding(PLACE / "padding.svg")
    plots.learning_curve(PLACE / "learning-curve.svg", Path("docs/draw/lstm-rotten_tomatoes-7.csv"))
    plots.accuracies(PLACE / "accuracies.svg", Path("docs/results.md"))
    rooms.main()


if __name__ == "__main__":
    main()
