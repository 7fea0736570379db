"""The block of an architecture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from moodring.params.base import MAX_UNITS, OWN, Block, Count, Rate, in_own

NO_VECTORS = "none"
GLOVE = "glove-6b-50d"
Ngrams = Annotated[int, Field(ge=0, le=5)]
Positive = Annotated[float, Field(gt=0)]


class EmbeddingParams(Block):
    """The first layer: it replaces token ids by vectors."""

    size: Annotated[int, Field(ge=1, le=MAX_UNITS)] = Field(description="length of a token's vector")
    vectors: Annotated[str, Field(min_length=1)] = Field(
        description="initial weights: none (random), glove-6b-50d, or a file in data/own"
    )
    frozen_epochs: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        description="first epochs, without tuning of pretrained vectors; 0: always tune; all: never tune"
    )

    @field_validator("vectors")
    @classmethod
    def _known_or_own(cls, vectors: str) -> str:
        if vectors not in {NO_VECTORS, GLOVE} and not in_own(vectors):
            raise ValueError(
                f"{NO_VECTORS}, {GLOVE} or a file in {OWN} is needed, because DVC does not notice a change "
                f"of a file elsewhere. Copy the file to {OWN}/ and run `dvc add` on it"
            )
        return vectors

    @model_validator(mode="after")
    def _only_pretrained_vectors_freeze(self) -> EmbeddingParams:
        if self.vectors == NO_VECTORS and self.frozen_epochs != 0:
            raise ValueError(
                f"frozen_epochs {self.frozen_epochs!r} needs pretrained vectors: random ones would stay noise"
            )
        return self


class NoEmbedding(Block):
    """The embedding of a linear model: it has none, but the vectors stage reads this key."""

    vectors: Literal["none"] = Field(description="always none")


class DropoutParams(Block):
    """The rate of dropout at each place of a recurrent model; 0: none."""

    embedding: Rate = Field(description="rate for single numbers of the embedding")
    spatial: Rate = Field(
        description="rate for whole dimensions of the embedding, the same ones at every step of a text"
    )
    input: Rate = Field(description="rate for the recurrent layer's inputs")
    recurrent: Rate = Field(
        description="rate for the recurrent layer's state; above 0 cuDNN's fused kernel cannot run"
    )
    output: Rate = Field(
        description="rate for the layer's outputs, the same ones at every step; needs pooling max or flatten"
    )


class HeadParams(Block):
    """The layers between pooling and the score."""

    units: Annotated[int, Field(ge=0, le=MAX_UNITS)] = Field(
        description="units of a ReLU layer; 0: no such layer"
    )
    dropout: Rate = Field(description="rate of dropout before the last layer; 0: none")


class BlendParams(Block):
    """The NB-SVM of a blend."""

    ngrams: Ngrams = Field(description="words of the longest n-gram; 0: no blend")
    min_count: Count = Field(description="an n-gram in fewer training texts is left out")
    smoothing: Positive = Field(description="added to the counts of each n-gram")
    cost: Positive = Field(description="weight of an error; scikit-learn's C")


class StackingParams(Block):
    """The logistic regression that gives a network and its NB-SVM their weights."""

    cost: Positive = Field(description="weight of an error; scikit-learn's C")
    folds: Annotated[int, Field(ge=2, le=100)] = Field(
        description="folds of the validation split, for the validation metrics of the blend"
    )


class NbsvmParams(Block):
    """A linear classifier over the n-grams of a text, scaled by their log-count ratios."""

    kind: Literal["nbsvm"]
    embedding: NoEmbedding
    ngrams: Annotated[int, Field(ge=1, le=5)] = Field(description="words of the longest n-gram")
    min_count: Count = Field(description="an n-gram in fewer training texts is left out")
    smoothing: Positive = Field(description="added to the counts of each n-gram")
    cost: Positive = Field(description="weight of an error; scikit-learn's C")


class RecurrentParams(Block):
    """A recurrent classifier: embedding, one recurrent layer, pooling, an optional dense head."""

    kind: Literal["recurrent"]
    embedding: EmbeddingParams
    cell: Literal["rnn", "lstm", "gru"]
    units: Annotated[int, Field(ge=1, le=MAX_UNITS)] = Field(description="units in each direction")
    bidirectional: bool = Field(description="read each text in both directions")
    dropout: DropoutParams
    pooling: Literal["last", "max", "flatten"] = Field(
        description="use of the layer's outputs: the last one, the maximum over time, or all of them"
    )
    padding: Literal["bucket", "fixed"] = Field(
        description="length of a padded text: that of its length bucket, or always max_length"
    )
    head: HeadParams
    blend: BlendParams
    stacking: StackingParams

    @model_validator(mode="after")
    def _flatten_needs_one_length(self) -> RecurrentParams:
        if self.pooling == "flatten" and self.padding != "fixed":
            raise ValueError(
                f"pooling 'flatten' needs padding 'fixed', received: {self.padding!r}; "
                "set padding: fixed, or choose another pooling"
            )
        return self

    @model_validator(mode="after")
    def _last_output_has_no_steps(self) -> RecurrentParams:
        if self.pooling == "last" and self.dropout.output:
            raise ValueError(
                f"dropout.output {self.dropout.output} needs pooling 'max' or 'flatten'; "
                "with pooling 'last' set head.dropout"
            )
        return self

    @property
    def blended_nbsvm(self) -> NbsvmParams | None:
        """The parameters of the blend's NB-SVM; None: there is no blend."""
        if not self.blend.ngrams:
            return None
        return NbsvmParams(kind="nbsvm", embedding=NoEmbedding(vectors="none"), **self.blend.model_dump())


ArchParams = Annotated[RecurrentParams | NbsvmParams, Field(discriminator="kind")]
