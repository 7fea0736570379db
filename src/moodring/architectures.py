"""From an architecture's parameters to a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import layers

if TYPE_CHECKING:  # a machine that only runs models has Keras and need not have pydantic
    from moodring.params import ArchParams

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def build(params: ArchParams, vocabulary_size: int, max_length: int) -> keras.Model:
    """Build an untrained, uncompiled classifier.

    The model takes token ids, shape (batch, length), int32, padded on the left, and returns the
    probability of positive, shape (batch, 1), float32. Where `params.padding` is `fixed`, length is
    `max_length`; else it may differ from batch to batch. It uses no mask: with Keras' own activations and
    no recurrent dropout, LSTM and GRU then run cuDNN's fused kernel on a GPU. Dropout stands after
    flattening, where the notebook has it before: the two commute.

    Args:
        params: embedding, recurrent layer, pooling and head.
        vocabulary_size: rows of the embedding.
        max_length: tokens of a text at most.

    References:
        Hochreiter & Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Schuster & Paliwal 1997
        (bidirectional); Gal & Ghahramani 2016 (recurrent dropout).
    """
    recurrent = CELLS[params.cell](
        params.units,
        dropout=params.dropout,
        recurrent_dropout=params.recurrent_dropout,
        return_sequences=params.pooling != "last",
        name=params.cell,
    )
    stack = [
        keras.Input((max_length if params.padding == "fixed" else None,), dtype="int32", name="tokens"),
        layers.Embedding(vocabulary_size, params.embedding, name="embedding"),
    ]
    if params.embedding_dropout:
        stack.append(layers.Dropout(params.embedding_dropout, name="embedding_dropout"))
    stack.append(
        layers.Bidirectional(recurrent, name=f"bi{params.cell}") if params.bidirectional else recurrent
    )
    if params.pooling == "max":
        stack.append(layers.GlobalMaxPooling1D(name="max"))
    elif params.pooling == "flatten":
        stack.append(layers.Flatten(name="flatten"))
    if params.head:
        stack.append(layers.Dense(params.head, activation="relu", name="head"))
    if params.head_dropout:
        stack.append(layers.Dropout(params.head_dropout, name="head_dropout"))
    stack.append(layers.Dense(1, activation="sigmoid", name="score"))
    return keras.Sequential(stack, name="sentiment")
