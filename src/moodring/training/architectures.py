"""Build a Keras model from an architecture's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

if TYPE_CHECKING:  # a GPU machine may have Keras and no pydantic
    from moodring.params.arch import RecurrentParams

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
EMBEDDING, GATE = "embedding", "gate"


class GatedEmbedding(layers.Embedding):
    """An embedding with a gate, an additional weight: it is tuned while the gate is 1. The gate starts at 0.

    While the gate is 0, the gradient and Adam's moments are zero, so the embedding keeps its exact bits. A
    trained model is saved without the gate; see `ungated`.
    """

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        """Add the gate; Keras calls this."""
        super().build(input_shape)
        self.gate = self.add_weight(name=GATE, shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """The tokens' vectors, shape (batch, length, size)."""
        tuned = super().call(inputs)
        held = ops.stop_gradient(tuned)
        return held + self.gate * (tuned - held)


def build(
    params: RecurrentParams,
    vocabulary_size: int,
    max_length: int,
    vectors: NDArray[np.float32] | None = None,
) -> keras.Model:
    """Build an untrained, uncompiled classifier.

    The model takes token ids, shape (batch, length), int32, padded on the left, and returns the
    probability of positive, shape (batch, 1), float32. If `params.padding` is `fixed`, length is
    `max_length`; otherwise it may differ between batches. The model uses no mask: with Keras' default
    activations and no recurrent dropout, LSTM and GRU then run cuDNN's fused kernel on a GPU. The notebook
    applies dropout before flattening; here it follows, which gives the same result.

    Args:
        params: embedding, recurrent layer, pooling and head.
        vocabulary_size: rows of the embedding.
        max_length: tokens of a text at most.
        vectors: the embedding's first weights, shape (vocabulary_size, params.embedding.size); None: random.

    References:
        Hochreiter & Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Schuster & Paliwal 1997
        (bidirectional); Gal & Ghahramani 2016 (recurrent dropout); Tompson et al. 2015 (spatial dropout);
        Johnson & Zhang 2016 (the maximum over time of both directions).
    """
    recurrent = CELLS[params.cell](
        params.units,
        dropout=params.dropout.input,
        recurrent_dropout=params.dropout.recurrent,
        return_sequences=params.pooling != "last",
        name=params.cell,
    )
    stack = [
        keras.Input((max_length if params.padding == "fixed" else None,), dtype="int32", name="tokens"),
        _embedding(params, vocabulary_size),
    ]
    if params.dropout.embedding:
        stack.append(layers.Dropout(params.dropout.embedding, name="embedding_dropout"))
    if params.dropout.spatial:
        stack.append(layers.SpatialDropout1D(params.dropout.spatial, name="spatial_dropout"))
    stack.append(
        layers.Bidirectional(recurrent, name=f"bi{params.cell}") if params.bidirectional else recurrent
    )
    if params.dropout.output:
        stack.append(layers.SpatialDropout1D(params.dropout.output, name="output_dropout"))
    if params.pooling == "max":
        stack.append(layers.GlobalMaxPooling1D(name="max"))
    elif params.pooling == "flatten":
        stack.append(layers.Flatten(name="flatten"))
    if params.head.units:
        stack.append(layers.Dense(params.head.units, activation="relu", name="head"))
    if params.head.dropout:
        stack.append(layers.Dropout(params.head.dropout, name="head_dropout"))
    stack.append(layers.Dense(1, activation="sigmoid", name="score"))
    model = keras.Sequential(stack, name="sentiment")
    if vectors is not None:
        model.get_layer(EMBEDDING).embeddings.assign(vectors)
    return model


def ungated(model: keras.Model, params: RecurrentParams) -> keras.Model:
    """The same model with a plain embedding instead of a gated one."""
    embedding = model.get_layer(EMBEDDING)
    if not isinstance(embedding, GatedEmbedding):
        return model
    length = model.input_shape[1] or 0  # `build` reads it only if padding is fixed
    plain = build(_tuned_from_the_start(params), embedding.input_dim, length)
    plain.set_weights([keras.ops.convert_to_numpy(w) for w in model.weights if w is not embedding.gate])
    return plain


def _embedding(params: RecurrentParams, vocabulary_size: int) -> layers.Layer:
    frozen = params.embedding.frozen_epochs
    kind = layers.Embedding if frozen in (0, "all") else GatedEmbedding
    return kind(vocabulary_size, params.embedding.size, trainable=frozen != "all", name=EMBEDDING)


def _tuned_from_the_start(params: RecurrentParams) -> RecurrentParams:
    embedding = params.embedding.model_copy(update={"frozen_epochs": 0})
    return params.model_copy(update={"embedding": embedding})
