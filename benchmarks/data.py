"""The experiments' parameters, and their corpora, which are written once into the temporary directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.measure import ROOT, in_child
from moodring.corpus.arrays import write_corpus
from moodring.corpus.vocabulary import Vocabulary
from moodring.datasets.load import load_raw
from moodring.experiments.named import merged
from moodring.io.tables import Rows, StoredTable, write_table, writing_table
from moodring.params.file import parse_params, read_yaml
from moodring.params.pipeline import Params
from moodring.sources.archives import decode, read_zip
from moodring.sources.fetch import fetched_corpus
from moodring.text.clean_table import clean_schema, clean_table
from moodring.text.cleaner import Cleaner
from moodring.text.stop_words import MEMBER, english_stop_words


def experiment_params(name: str) -> Params:
    """The parameters of a named experiment; the name `params` means params.yaml with Twitter."""
    base = read_yaml(ROOT / "params.yaml")
    over: dict[str, object] = {"dataset": "twitter"}
    if name != "params":
        over = read_yaml(ROOT / "experiments" / f"{name}.yaml")
    return parse_params(merged(base, over), name)


def cleaner_for(params: Params) -> Cleaner:
    """The preprocess stage's cleaner."""
    steps = params.data.preprocess
    return Cleaner(steps, english_stop_words() if steps.stop_words == "english" else ())


def raw_file(directory: Path, experiment: str, rows: int | None = None) -> Path:
    """A raw table: the whole corpus, or `rows` rows of each split, half of them of each class.

    In a split positive texts come first, as in both notebooks. The notebooks validate on the last tenth.
    """
    path = directory / f"{experiment_params(experiment).dataset}-{rows or 'all'}.parquet"
    if not path.exists():
        in_child(make_raw, experiment=experiment, rows=rows, path=str(path))
    return path


def make_raw(experiment: str, rows: int | None, path: str) -> None:
    """Write the table of `raw_file`."""
    params = experiment_params(experiment)
    table = load_raw(params.data.source, params.dataset)
    split, label = (table[name].to_numpy() for name in ("split", "label"))
    chosen = [
        np.flatnonzero((split == part) & (label == kind))[: rows // 2 if rows else None]
        for part in ("train", "test")
        for kind in (1, 0)
    ]
    write_table(Path(path), table.take(np.concatenate(chosen)))


def corpus_directory(directory: Path, experiment: str, raw: Path) -> Path:
    """The directory of the corpus that the preprocess and tokenize stages write for a raw table."""
    path = directory / f"{raw.stem}-{experiment}"
    if not path.exists():
        in_child(make_corpus, experiment=experiment, raw=str(raw), path=str(path))
    return path


def make_corpus(experiment: str, raw: str, path: str) -> None:
    """Write the corpus of `corpus_directory`, and the clean table beside it."""
    params = experiment_params(experiment)
    write_clean_corpus(Path(path), Path(f"{path}.parquet"), StoredTable(Path(raw)), params)


def write_clean_corpus(path: Path, clean: Path, raw: Rows, params: Params) -> Vocabulary:
    """Preprocess and tokenize like the two stages."""
    cleaner = cleaner_for(params)
    with writing_table(clean, clean_schema(cleaner)) as write:
        clean_table(raw, cleaner, params.seed, params.dataset, write)
    return write_corpus(path, StoredTable(clean), params.data.tokenize)


def texts_of(raw: str, split: str) -> list[str]:
    """One split's texts as Python strings; the whole table is never in memory."""
    texts: list[str] = []
    for batch in pq.ParquetFile(raw).iter_batches(columns=["split", "text"], batch_size=1024):
        pairs = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        texts += [text for part, text in pairs if part == split]
    return texts


def labels_of(raw: str, split: str) -> list[int]:
    """One split's labels, in the order of `texts_of`."""
    table = pq.read_table(raw)
    pairs = zip(table["split"].to_pylist(), table["label"].to_pylist(), strict=True)
    return [label for part, label in pairs if part == split]


def stop_words_in_order() -> list[str]:
    """NLTK's English stop words in the order of `stopwords.words`: the order matters for the search time."""
    with fetched_corpus("stopwords", MEMBER) as path:
        packed = path.suffix == ".zip"
        content = read_zip(path, [MEMBER])[MEMBER] if packed else path.read_bytes()
    return decode(content, MEMBER).split()
