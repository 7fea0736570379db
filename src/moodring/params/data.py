"""The block of a dataset: source, cleaning, vocabulary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moodring.params.base import Block, Count, OwnPath, Seed, Share


class RottenTomatoesSource(Block):
    """Sentences about films. The corpus has no test split, so a random one is drawn."""

    kind: Literal["rotten_tomatoes"]
    test_share: Share
    split_seed: Seed


class TwitterSource(Block):
    """NLTK's twitter_samples with the notebook's split: the first 4,000 tweets of each class are train."""

    kind: Literal["twitter"]


class ImdbSource(Block):
    """The Large Movie Review Dataset with its published split."""

    kind: Literal["imdb"]


class FileSource(Block):
    """The user's own CSV or Parquet file."""

    kind: Literal["file"]
    path: OwnPath = Field(description="the file, in data/own; a path from the project's root")
    text: str = Field(description="name of the column with the text")
    label: str = Field(description="name of the column with the label")
    positive: list[str | int | float | bool] = Field(min_length=1)
    negative: list[str | int | float | bool] = Field(min_length=1)
    split: str | None = Field(
        default=None, description="name of a column with `train` and `test`; none: a random split is drawn"
    )
    origin: str | None = Field(
        default=None,
        description="name of a column with the origin of each text; evaluation shows each origin as a slice",
    )
    test_share: Share = 0.2
    split_seed: Seed = 0
    digest: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="expected content digest of the file's rows",
    )


Source = Annotated[
    RottenTomatoesSource | TwitterSource | ImdbSource | FileSource, Field(discriminator="kind")
]


class PreprocessParams(Block):
    """The cleaning steps, which are applied in the order of these fields."""

    html: Literal["keep", "space", "join"] = Field(
        description="tags: keep them, replace each by a space, or remove them and join the text around"
    )
    lowercase: bool
    emoticons: Literal["keep", "drop", "strip"] = Field(
        description="keep them as tokens; drop them as punctuation, by the pattern; or strip them as a whole"
    )
    pattern: Literal["none", "keras", "tweet"] = Field(
        description="characters that are replaced by a space: none; the filters of Keras' Tokenizer; "
        "or mentions, links and all except ASCII letters and digits"
    )
    stop_words: Literal["keep", "english"]
    stem: Literal["none", "snowball"]
    validation_share: Share


class TokenizeParams(Block):
    """The vocabulary."""

    max_tokens: Annotated[int, Field(ge=3, le=2**31 - 1)] = Field(
        description="largest number of rows of the embedding: padding, out-of-vocabulary token and words"
    )
    min_count: Count = Field(description="a word with fewer occurrences is out of vocabulary")
    oov: Literal["mark", "drop"] = Field(
        description="an unknown word is replaced by the out-of-vocabulary token, or removed"
    )


class DatasetParams(Block):
    """The settings of a dataset."""

    source: Source
    preprocess: PreprocessParams
    tokenize: TokenizeParams
    max_length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="number of tokens that the model reads: the last ones of a text"
    )
