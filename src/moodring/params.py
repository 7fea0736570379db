"""params.yaml as frozen, checked types: the only reader of that file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from moodring.errors import MoodringError

Share = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
# A name also names MLflow's experiment, model and folder, and is a part of a parameter's dotted name.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
MAX_UNITS = 65_536
NO_VECTORS = "none"


class Block(BaseModel):
    """A block of params.yaml: frozen, no unknown keys, no silent conversions between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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


class EarlyStopping(Block):
    """When training ends before its last epoch. The best epoch's weights are restored either way."""

    monitor: Literal["val_loss", "val_accuracy"]
    patience: Count = Field(description="epochs without improvement; at least `epochs`: never stop")


class Schedule(Block):
    """How the learning rate changes from one step to the next."""

    kind: Literal["constant", "cosine"] = Field(description="cosine: down to 0 at the last epoch's end")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of all steps in which it rises from 0 to learning_rate"
    )


class TrainParams(Block):
    """How a recurrent model is fitted."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    optimizer: Literal["adam", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    schedule: Schedule
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        description="the gradients' norm at most, over all weights; 0: no limit"
    )
    label_smoothing: Rate = Field(description="share of each label that is drawn to the middle")
    weight_averaging: Rate = Field(
        description="momentum of the weights' moving average, which is what is kept; 0: off"
    )
    early_stopping: EarlyStopping
    buckets: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="equally wide length buckets from 0 to max_length"
    )


class EvaluateParams(Block):
    """How the scores of the test split are judged."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(description="a score at or above it is positive")
    bins: Annotated[int, Field(ge=2, le=100)] = Field(
        description="equally wide score bins of the calibration error"
    )
    calibration: Literal["none", "temperature"] = Field(
        description="temperature: one divisor of all logits, fitted on the validation split"
    )
    mistakes: Annotated[int, Field(ge=0, le=1000)] = Field(
        description="how many of the most confident mistakes are listed with their texts"
    )


class Params(Block):
    """The whole of params.yaml."""

    dataset: str
    arch: str
    baseline: str
    seed: Seed
    datasets: dict[Name, DatasetParams]
    archs: dict[Name, ArchParams]
    train: TrainParams
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def _names_exist(self) -> Params:
        for key, name, blocks in (
            ("dataset", self.dataset, self.datasets),
            ("arch", self.arch, self.archs),
            ("baseline", self.baseline, self.archs),
        ):
            if name not in blocks:
                raise ValueError(f"{key} {name!r} is unknown; {_suggest(name, blocks)}")
        if self.archs[self.baseline].kind != "nbsvm":
            raise ValueError(f"baseline {self.baseline!r} must be of kind nbsvm")
        return self

    @property
    def data(self) -> DatasetParams:
        """The chosen dataset's block."""
        return self.datasets[self.dataset]

    @property
    def architecture(self) -> RecurrentParams | NbsvmParams:
        """The chosen architecture's block."""
        return self.archs[self.arch]

    @property
    def recurrent_archs(self) -> dict[str, RecurrentParams]:
        """The blocks of recurrent architectures, by name."""
        return {name: block for name, block in self.archs.items() if isinstance(block, RecurrentParams)}

    @property
    def recurrent(self) -> RecurrentParams:
        """The chosen architecture's block, where that is a recurrent one.

        Raises:
            KeyError: it is of another kind.
        """
        return self.recurrent_archs[self.arch]

    @property
    def rival(self) -> NbsvmParams:
        """The baseline's block."""
        block = self.archs[self.baseline]
        assert isinstance(block, NbsvmParams)  # noqa: S101  # checked above
        return block

    def of_training(self) -> dict[str, Any]:
        """The parameters that the train stage depends on, flat, under their names in params.yaml."""
        tree = {
            "dataset": self.dataset,
            "arch": self.arch,
            "seed": self.seed,
            "datasets": {self.dataset: {"max_length": self.data.max_length}},
            "archs": {self.arch: self.architecture.model_dump()},
            "train": self.train.model_dump(),
        }
        return dict(flatten(tree))

    def of_model(self) -> dict[str, Any]:
        """As `of_training`, with those of the stages before it: all that a trained model depends on."""
        return {**dict(flatten({"datasets": {self.dataset: self.data.model_dump()}})), **self.of_training()}

    def of_evaluation(self) -> dict[str, Any]:
        """The parameters that only evaluation depends on, flat, under their names in params.yaml."""
        baseline = {"baseline": self.baseline, "archs": {self.baseline: self.rival.model_dump()}}
        return dict(flatten({"evaluate": self.evaluate.model_dump(), **baseline}))


def flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Leaves of nested mappings with their dotted names, in the tree's own order."""
    leaves: list[tuple[str, Any]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        leaves += flatten(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return leaves


def load_params(path: Path) -> Params:
    """Read and check the whole parameter file.

    Raises:
        MoodringError: the file cannot be read, is not YAML, or holds an unknown name, a misspelt key,
            a missing key or a value out of range; every such place is named with the value received.
    """
    return parse_params(read_yaml(path), str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Raises:
        MoodringError: it cannot be read or holds something else.
    """
    try:
        # YAML 1.2, by the parser that DVC reads and writes this file with.
        tree = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MoodringError(f"cannot read {path}: {error}. Run from the project's root.") from error
    except YAMLError as error:
        raise MoodringError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise MoodringError(f"{path} must hold a mapping of parameters, received: {tree!r:.80}")
    return tree


def parse_params(tree: dict[str, Any], origin: str) -> Params:
    """Check a tree of parameters; `origin` names it in the message.

    Raises:
        MoodringError: as `load_params`.
    """
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        problems = "\n".join(f"  {_describe(problem)}" for problem in error.errors())
        raise MoodringError(f"{origin} is not valid:\n{problems}") from None


def _describe(problem: Any) -> str:
    # pydantic names a block's kind in its place (datasets.imdb.source.imdb.path, archs.lstm.recurrent.cell)
    # and, after a value that may have one of two types, the type.
    parts = [str(part) for part in problem["loc"]]
    if parts[:1] == ["archs"]:
        del parts[2:3]
    if "frozen_epochs" in parts:
        del parts[parts.index("frozen_epochs") + 1 :]
    place = ".".join(part for before, part in zip(["", *parts], parts, strict=False) if before != "source")
    message = str(problem["msg"]).removeprefix("Value error, ")
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"{place}: unknown key, received: {problem['input']!r:.80}; is it misspelt?"
    if kind == "missing":
        return f"{place}: missing"
    if kind == "value_error" and not place:
        return message
    return f"{place}: {message}, received: {problem['input']!r:.80}"


def _suggest(name: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(known)}"
