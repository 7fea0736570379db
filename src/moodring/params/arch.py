"""An architecture's block."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from moodring.params.base import MAX_UNITS, Block, Count, Rate

NO_VECTORS = "none"


class EmbeddingParams(Block):
    """What each token becomes before the recurrent layer."""

    size: Annotated[int, Field(ge=1, le=MAX_UNITS)]
    vectors: Annotated[str, Field(min_length=1)] = Field(
        description="first weights: none (drawn), glove-6b-50d, or a file of the user's in data/own"
    )
    frozen_epochs: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        description="epochs in which given vectors are not tuned; 0: tuned from the start; all: never tuned"
    )
    dropout: Rate = Field(description="of single numbers")
    spatial_dropout: Rate = Field(description="of whole dimensions, the same ones at every step of a text")

    @model_validator(mode="after")
    def _only_given_vectors_freeze(self) -> EmbeddingParams:
        if self.vectors == NO_VECTORS and self.frozen_epochs != 0:
            raise ValueError(
                f"frozen_epochs {self.frozen_epochs!r} needs vectors: drawn ones would stay noise"
            )
        return self


class NoEmbedding(Block):
    """A linear model has none; the key stands for the stage that fetches vectors."""

    vectors: Literal["none"]


class RecurrentParams(Block):
    """A recurrent classifier: embedding, one recurrent layer, pooling, an optional dense head."""

    kind: Literal["recurrent"]
    embedding: EmbeddingParams
    cell: Literal["rnn", "lstm", "gru"]
    bidirectional: bool
    units: Annotated[int, Field(ge=1, le=MAX_UNITS)] = Field(description="in each direction")
    dropout: Rate = Field(description="on the recurrent layer's inputs")
    recurrent_dropout: Rate = Field(description="on its state; above 0 it rules out cuDNN's kernel")
    output_dropout: Rate = Field(
        description="of whole outputs, the same ones at every step; leaves the state, and cuDNN, alone"
    )
    pooling: Literal["last", "max", "flatten"]
    head: Annotated[int, Field(ge=0, le=MAX_UNITS)] = Field(
        description="units of a ReLU layer before the output; 0: none"
    )
    head_dropout: Rate = Field(description="right before the output layer")
    padding: Literal["bucket", "fixed"]
    ngrams: Annotated[int, Field(ge=0, le=5)] = Field(
        description="above 0: blended with a linear model over n-grams of at most so many words"
    )

    @model_validator(mode="after")
    def _flatten_needs_one_length(self) -> RecurrentParams:
        if self.pooling == "flatten" and self.padding != "fixed":
            raise ValueError("pooling 'flatten' needs padding 'fixed': every text of one length")
        return self

    @model_validator(mode="after")
    def _one_output_has_no_steps(self) -> RecurrentParams:
        if self.pooling == "last" and self.output_dropout:
            raise ValueError("output_dropout needs pooling 'max' or 'flatten'; with 'last' use head_dropout")
        return self


class NbsvmParams(Block):
    """A linear classifier over the n-grams that a text holds, scaled by their log-count ratios."""

    kind: Literal["nbsvm"]
    embedding: NoEmbedding
    ngrams: Annotated[int, Field(ge=1, le=5)] = Field(description="words of an n-gram at most")
    min_count: Count = Field(description="n-grams of fewer training texts are left out")
    smoothing: Annotated[float, Field(gt=0)] = Field(description="added to each n-gram's counts")
    cost: Annotated[float, Field(gt=0)] = Field(description="of an error; scikit-learn's C")

    @classmethod
    def beside_a_network(cls, ngrams: int) -> NbsvmParams:
        """Those of the linear model that a network with `ngrams` is blended with."""
        embedding = NoEmbedding(vectors="none")
        return cls(kind="nbsvm", embedding=embedding, ngrams=ngrams, min_count=2, smoothing=1.0, cost=1.0)


ArchParams = Annotated[RecurrentParams | NbsvmParams, Field(discriminator="kind")]
