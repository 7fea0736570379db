"""The measured models: the architectures of the experiments, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Embedding:
    """The fields of `moodring.params.arch.EmbeddingParams`."""

    size: int
    vectors: str = "none"
    frozen_epochs: int = 0


@dataclass(frozen=True)
class Dropout:
    """The fields of `moodring.params.arch.DropoutParams`."""

    embedding: float = 0.0
    spatial: float = 0.0
    input: float = 0.0
    recurrent: float = 0.0
    output: float = 0.0


@dataclass(frozen=True)
class Head:
    """The fields of `moodring.params.arch.HeadParams`."""

    units: int = 0
    dropout: float = 0.0


@dataclass(frozen=True)
class Arch:
    """The fields of `moodring.params.arch.RecurrentParams` that `build` and `obstacles` read."""

    cell: str
    embedding: Embedding
    units: int
    kind: str = "recurrent"
    bidirectional: bool = False
    dropout: Dropout = Dropout()
    pooling: str = "last"
    head: Head = Head()
    padding: str = "fixed"  # fixed shapes; length buckets have the same layers


@dataclass(frozen=True)
class Size:
    """One size: rows of the embedding, tokens of a text, texts of a batch, and the architectures."""

    vocabulary: int
    length: int
    batch: int
    archs: dict[str, Arch]


# The settings of experiments/*.yaml. No experiment has an `rnn`: it is the LSTM's model with another cell.
IMDB_LSTM = Arch("lstm", Embedding(32), units=32, dropout=Dropout(embedding=0.2), head=Head(256, 0.2))
IMDB = Size(
    vocabulary=3800,
    length=380,
    batch=256,
    archs={
        "rnn": replace(IMDB_LSTM, cell="rnn"),
        "lstm": IMDB_LSTM,
        "bilstm": Arch(
            "lstm",
            embedding=Embedding(32),
            units=32,
            bidirectional=True,
            dropout=Dropout(embedding=0.5),
            pooling="flatten",
            head=Head(dropout=0.5),
        ),
        "gru": replace(IMDB_LSTM, cell="gru"),
    },
)
TWITTER_LSTM = Arch("lstm", Embedding(200), units=100, dropout=Dropout(input=0.2, recurrent=0.2))
TWITTER = Size(vocabulary=10_734, length=200, batch=64, archs={"lstm": TWITTER_LSTM})
SIZES = {
    "imdb": IMDB,
    "twitter": TWITTER,
    # The same without recurrent dropout, which prevents the fused kernel.
    "twitter-state-kept": replace(TWITTER, archs={"lstm": replace(TWITTER_LSTM, dropout=Dropout(input=0.2))}),
    "imdb-512": replace(IMDB, archs={name: replace(arch, units=512) for name, arch in IMDB.archs.items()}),
}
QUICK_SIZES = ("imdb", "twitter")


def shrunk(size: Size) -> Size:
    """The same models, very small, to try the code."""
    archs = {
        name: replace(
            arch, embedding=Embedding(4), units=3, head=replace(arch.head, units=min(arch.head.units, 5))
        )
        for name, arch in size.archs.items()
    }
    return Size(vocabulary=50, length=6, batch=4, archs=archs)
