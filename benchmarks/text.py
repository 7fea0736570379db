"""Compares preprocess and tokenize, from texts in memory to arrays of ids, with the notebooks' code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.data import (
    cleaner_for,
    experiment_params,
    raw_file,
    stop_words_in_order,
    texts_of,
)
from benchmarks.measure import SMALL_ROWS, Plan, alternate, in_child, measured
from benchmarks.report import Row, Target

TWITTER_COPIES = 20
THIRD = Target("at most", 1 / 3)
MEMORY = (
    "Each side runs in fresh processes. The rival's whole process contains Keras (for `pad_sequences`), "
    "which imports TensorFlow, and about 12 MiB of Moodring's modules. The increase starts when all modules "
    "are imported and the texts are in memory."
)
EQUAL = (
    "The encoded words of a text, without words that only one vocabulary has. The vocabularies share "
    "{shared:,} words; {equal:,} of {texts:,} texts are equal. {spaced:,} of the other texts contain a space "
    "that is not ASCII, and the rival does not split there. {theirs:,} words are only in the rival's "
    "vocabulary, {ours:,} only in ours. {ties:,} of these are as frequent as a vocabulary's rarest word: "
    "among such words the rival keeps the first, we sort by code points. The rival has one word more, "
    "because it has no id for unknown words."
)
SPACE = re.compile(r"[^\S \t\n]")


def text_imdb(directory: Path, plan: Plan) -> list[Row]:
    """IMDB's 50,000 reviews, compared with the IMDB notebook."""
    raw = str(raw_file(directory, "imdb-lstm", plan.cut(None, SMALL_ROWS)))
    rival = "the IMDB notebook"
    notebook = partial(in_child, notebook_imdb, raw=raw)
    rows = _rows(rival, notebook, _ours("imdb-lstm", raw, 1), plan, 5)
    found = in_child(equal_texts, raw=raw)
    equal = found["equal"] / found["texts"]
    return [
        *rows,
        Row("equal texts", "share", rival, [1.0], [equal], "ours / rival", None, EQUAL.format(**found)),
    ]


def text_twitter(directory: Path, plan: Plan) -> list[Row]:
    """20 copies of the tweets, with stop words and stemming, compared with the Twitter notebook."""
    raw = str(raw_file(directory, "twitter-lstm", plan.cut(None, SMALL_ROWS)))
    copies = plan.cut(TWITTER_COPIES, 2)
    in_child(check_twitter, raw=raw)
    notebook = partial(in_child, notebook_twitter, raw=raw, copies=copies)
    return _rows("the Twitter notebook", notebook, _ours("twitter-lstm", raw, copies), plan, 10)


def _ours(experiment: str, raw: str, copies: int) -> Callable[[], dict[str, Any]]:
    return partial(in_child, ours, experiment=experiment, raw=raw, copies=copies)


def _rows(
    rival: str,
    notebook: Callable[[], dict[str, Any]],
    moodring: Callable[[], dict[str, Any]],
    plan: Plan,
    faster: float,
) -> list[Row]:
    """Time, peak of the whole process, and increase; the two sides run in turn."""
    theirs, mine = alternate([notebook, moodring], plan.repeats)

    theirs_took, ours_took = ([cost["seconds"] for cost in side] for side in (theirs, mine))
    target = Target("at least", faster)
    rows = [Row("preprocess + tokenize", "s", rival, theirs_took, ours_took, "rival / ours", target)]
    for memory, field in (("whole process", "peak_mib"), ("increase", "increase_mib")):
        theirs_held, ours_held = ([cost[field] for cost in side] for side in (theirs, mine))
        note = MEMORY
        if None in theirs_held + ours_held:
            theirs_held, ours_held, note = [], [], "This system cannot measure the increase of memory."
        rows.append(
            Row(f"peak memory, {memory}", "MiB", rival, theirs_held, ours_held, "ours / rival", THIRD, note)
        )
    return rows


def notebook_imdb(raw: str) -> dict[str, Any]:
    """Measure the IMDB notebook's code."""
    from benchmarks import notebooks

    train_raw, test_raw = texts_of(raw, "train"), texts_of(raw, "test")
    with measured() as cost:
        train_texts = [notebooks.rm_tags(text) for text in train_raw]
        test_texts = [notebooks.rm_tags(text) for text in test_raw]
        notebooks.imdb_arrays(train_texts, test_texts)
    return asdict(cost)


def notebook_twitter(raw: str, copies: int) -> dict[str, Any]:
    """Measure the Twitter notebook's code."""
    from benchmarks import notebooks

    cleaning = notebooks.TwitterCleaning(stop_words_in_order())
    train_texts, test_texts = (texts_of(raw, split) * copies for split in ("train", "test"))
    with measured() as cost:
        notebooks.twitter_arrays(cleaning, train_texts, test_texts)
    return asdict(cost)


def ours(experiment: str, raw: str, copies: int) -> dict[str, Any]:
    """Measure Moodring's code; its arrays are ragged."""
    import pandas as pd  # noqa: F401  # otherwise Arrow imports it at the first text

    from moodring.corpus.vocabulary import Vocabulary

    params = experiment_params(experiment)
    cleaner = cleaner_for(params)
    train_raw, test_raw = (texts_of(raw, split) * copies for split in ("train", "test"))
    with measured() as cost:
        clean = cleaner.clean_all(train_raw)
        vocabulary = Vocabulary.fit(clean, params.data.tokenize)
        arrays = [vocabulary.encode(clean)]
        del clean
        arrays.append(vocabulary.encode(cleaner.clean_all(test_raw)))
    assert len(arrays[0].lengths) == len(train_raw)  # noqa: S101  # keeps the arrays to the end, as the rival does
    return asdict(cost)


def equal_texts(raw: str) -> dict[str, int]:
    """Compare the words that the two sides encode of IMDB; see `EQUAL`."""
    from collections import Counter

    from benchmarks import notebooks
    from moodring.corpus.ragged import SPECIAL
    from moodring.corpus.vocabulary import Vocabulary

    params = experiment_params("imdb-lstm")
    texts = {split: texts_of(raw, split) for split in ("train", "test")}
    stripped = {split: [notebooks.rm_tags(text) for text in part] for split, part in texts.items()}
    tokenizer = notebooks.Tokenizer(num_words=notebooks.IMDB_WORDS)
    tokenizer.fit_on_texts(stripped["train"])
    theirs = {word for word, index in tokenizer.word_index.items() if index < notebooks.IMDB_WORDS}
    cleaner = cleaner_for(params)
    clean = {split: cleaner.clean_all(part) for split, part in texts.items()}
    vocabulary = Vocabulary.fit(clean["train"], params.data.tokenize)
    mine = set(vocabulary.words)
    shared = theirs & mine
    equal = spaced = 0
    for split, part in stripped.items():
        encoded = vocabulary.encode(clean[split])
        ends = encoded.offsets.tolist()
        ids = encoded.tokens.tolist()
        for row, sequence in enumerate(tokenizer.texts_to_sequences(part)):
            left = [word for index in sequence if (word := tokenizer.index_word[index]) in shared]
            own = (vocabulary.words[index - SPECIAL] for index in ids[ends[row] : ends[row + 1]])
            same = left == [word for word in own if word in shared]
            equal += same
            spaced += not same and SPACE.search(part[row]) is not None
    counts = Counter(tokenizer.word_counts)
    edges = {min(counts[word] for word in words) for words in (theirs, mine)}
    return {
        "texts": sum(map(len, texts.values())),
        "equal": equal,
        "spaced": spaced,
        "shared": len(shared),
        "theirs": len(theirs - mine),
        "ours": len(mine - theirs),
        "ties": sum(counts[word] in edges for word in theirs ^ mine),
    }


def check_twitter(raw: str) -> None:
    """Check that both sides clean every tweet to the same text.

    Raises:
        ValueError: a tweet differs.
    """
    from benchmarks import notebooks

    cleaning = notebooks.TwitterCleaning(stop_words_in_order())
    texts = texts_of(raw, "train") + texts_of(raw, "test")
    cleaned = cleaner_for(experiment_params("twitter-lstm")).clean_all(texts).to_pylist()
    for text, own in zip(texts, cleaned, strict=True):
        if (theirs := cleaning.preprocess(text, stem=True)) != own:
            raise ValueError(f"{text!r} is cleaned to {own!r}, the notebook's code gives {theirs!r}")
