"""The notebooks' LSTM models in usual PyTorch code, on arrays of one length."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from moodring.params.arch import RecurrentParams


class Classifier(nn.Module):
    """Embedding, dropout, LSTM, an optional dense layer, and a logit.

    Args:
        params: sizes and dropout; recurrent dropout is left out.
        words: rows of the embedding.
    """

    def __init__(self, params: RecurrentParams, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, params.embedding.size)
        self.dropout = nn.Dropout(params.dropout.embedding or params.dropout.input)
        self.lstm = nn.LSTM(params.embedding.size, params.units, batch_first=True)
        width = params.head.units or params.units
        hidden = [nn.Linear(params.units, width), nn.ReLU(), nn.Dropout(params.head.dropout)]
        self.head = nn.Sequential(*(hidden if params.head.units else []), nn.Linear(width, 1))

    def forward(self, ids: torch.Tensor) -> Any:
        """Logits, shape (batch,), for ids of shape (batch, length)."""
        states, _ = self.lstm(self.dropout(self.embedding(ids)))
        return self.head(states[:, -1])[:, 0]


def epoch_seconds(
    x: NDArray[np.int32],
    y: NDArray[np.int64],
    words: int,
    params: RecurrentParams,
    batch_size: int,
    epochs: int,
) -> list[float]:
    """Train with Adam; returns the seconds of each epoch."""
    torch.manual_seed(7)
    # Over hundreds of padding steps gradients become denormal numbers, which are ten times as slow on a CPU.
    # TensorFlow treats them as zero by default, PyTorch only with this setting.
    torch.set_flush_denormal(True)
    ids = torch.from_numpy(x).long()
    labels = torch.from_numpy(y).float()
    model = Classifier(params, words)
    loss_of = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters())
    model.train()
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        for rows in torch.randperm(len(ids)).split(batch_size):
            optimizer.zero_grad()
            loss = loss_of(model(ids[rows]), labels[rows])
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds
