"""A dataset's block: its source, its cleaning, its vocabulary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block, Count, Seed, Share


class RottenTomatoesSource(Block):
    """Sentences about films; the corpus has no test split of its own, so one is drawn."""

    kind: Literal["rotten_tomatoes"]
    test_share: Share
    split_seed: Seed


class TwitterSource(Block):
    """NLTK's twitter_samples, split as the notebook does: first 4,000 of each class train."""

    kind: Literal["twitter"]


class ImdbSource(Block):
    """The Large Movie Review Dataset with its published split."""

    kind: Literal["imdb"]


class FileSource(Block):
    """A CSV or Parquet file of the user's own."""

    kind: Literal["file"]
    path: str
    text: str = Field(description="name of the column that holds the text")
    label: str = Field(description="name of the column that holds the label")
    positive: list[str | int | float | bool] = Field(min_length=1)
    negative: list[str | int | float | bool] = Field(min_length=1)
    split: str | None = Field(
        default=None, description="name of a column with `train` and `test`; none: a split is drawn"
    )
    origin: str | None = Field(
        default=None,
        description="name of a column that says where a text comes from; evaluation is sliced by it",
    )
    test_share: Share = 0.2
    split_seed: Seed = 0
    digest: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="content digest that the file's rows must have",
    )


Source = Annotated[
    RottenTomatoesSource | TwitterSource | ImdbSource | FileSource, Field(discriminator="kind")
]


class PreprocessParams(Block):
    """From raw to clean text; the steps are applied in the order of these fields."""

    html: Literal["keep", "space", "join"] = Field(
        description="tags: kept, replaced by a space, or cut out so that their neighbours join"
    )
    lowercase: bool
    emoticons: Literal["keep", "drop", "strip"] = Field(
        description="kept as tokens; left to the pattern, which removes punctuation; or cut out whole"
    )
    pattern: Literal["none", "keras", "tweet"] = Field(
        description="what becomes a space: nothing; Keras' Tokenizer's filters; "
        "or mentions, links and everything but ASCII letters and digits"
    )
    stop_words: Literal["keep", "english"]
    stem: Literal["none", "snowball"]
    validation_share: Share


class TokenizeParams(Block):
    """The vocabulary."""

    max_tokens: Annotated[int, Field(ge=3, le=2**31 - 1)] = Field(
        description="rows of the embedding at most: padding, out-of-vocabulary and the words"
    )
    min_count: Count = Field(description="a word seen less often is out of vocabulary")
    oov: Literal["mark", "drop"] = Field(
        description="a word outside the vocabulary becomes the out-of-vocabulary token, or nothing"
    )


class DatasetParams(Block):
    """All that is particular to a dataset."""

    source: Source
    preprocess: PreprocessParams
    tokenize: TokenizeParams
    max_length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="tokens of a text that the model sees: its last ones"
    )
