"""The catalogue of datasets: a source block of params.yaml becomes a checked raw table."""

from __future__ import annotations

import pyarrow as pa

from moodring.datasets import imdb, own_file, rotten_tomatoes, twitter
from moodring.errors import MoodringError
from moodring.io.splits import stratified_mask
from moodring.io.tables import check_classes, content_digest
from moodring.params.data import FileSource, ImdbSource, RottenTomatoesSource, Source, TwitterSource

# SHA-256 over the published rows, before a test split is drawn; see `tables.content_digest`.
DIGESTS = {
    "rotten_tomatoes": "f0e1582c2e19b256f34f97d10d293b08ce727f2bccad88d50f215f841d9881f2",
    "twitter": "decf4b00890910558e9ce6dea2c85a8ee7fabcc2165cabbcd6548a0d7fd70181",
    "imdb": "cd639f23f14fe5ff8d0cdf5ced13dfc86a803e8a535972cb15a2c46eb740e49c",
}


def load_raw(source: Source, name: str) -> pa.Table:
    """Fetch a dataset and return its raw table: split (train, test), label, text, in a fixed order.

    Args:
        source: the dataset's block of params.yaml.
        name: of the dataset, for error messages.

    Raises:
        MoodringError: it is unreachable, damaged or altered, or a class is missing.
    """
    table, expected = _read(source)
    received = content_digest(table)
    if expected is not None and received != expected:
        raise MoodringError(
            f"{name}: the texts are not the published ones; expected the content digest {expected}, "
            f"received {received} over {table.num_rows} rows. Fetch the source again, or check who "
            "altered it."
        )
    if isinstance(source, RottenTomatoesSource) or (isinstance(source, FileSource) and source.split is None):
        table = _draw_test(table, source.test_share, source.split_seed)
    check_classes(table, name)
    return table


def _read(source: Source) -> tuple[pa.Table, str | None]:
    match source:
        case RottenTomatoesSource():
            return rotten_tomatoes.read(), DIGESTS["rotten_tomatoes"]
        case TwitterSource():
            return twitter.read(), DIGESTS["twitter"]
        case ImdbSource():
            return imdb.read(), DIGESTS["imdb"]
        case FileSource():
            return own_file.read(source), source.digest


def _draw_test(table: pa.Table, share: float, seed: int) -> pa.Table:
    mask = stratified_mask(table["label"].to_numpy(), share, seed, "test")
    split = pa.array(["test" if in_test else "train" for in_test in mask])
    return table.set_column(0, "split", split)
