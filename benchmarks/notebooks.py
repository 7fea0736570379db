"""The two notebooks' code, with the same algorithms and the same cost.

Both use `keras.preprocessing.text.Tokenizer`, which Keras 3 does not have. The class here has the parts that
the notebooks use; it is written after Keras 2's (Apache-2.0).
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np
import pandas as pd
from keras import layers
from keras.utils import pad_sequences
from nltk.stem import SnowballStemmer
from numpy.typing import NDArray

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
IMDB_WORDS, IMDB_LENGTH, IMDB_BATCH = 3800, 380, 256
TWITTER_LENGTH, TWITTER_BATCH = 200, 64
TEXT_CLEANING_RE = r"@\S+|https?:\S+|http?:\S|[^A-Za-z0-9]+"


def text_to_word_sequence(
    text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text: `split` replaces filtered characters, and the text is split there."""
    if lower:
        text = text.lower()
    translate_map = str.maketrans(dict.fromkeys(filters, split))
    text = text.translate(translate_map)
    return [word for word in text.split(split) if word]


class Tokenizer:
    """Keras 2's tokenizer. Ids begin with 1, by falling count; words of equal count by first occurrence.

    Args:
        num_words: sequences leave out ids from this one on; None: no limit.
        filters: characters that `split` replaces.
        lower: convert texts to lower case first.
        split: the separator of words.
    """

    def __init__(
        self, num_words: int | None = None, filters: str = FILTERS, lower: bool = True, split: str = " "
    ) -> None:
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.document_count = 0
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Count the words and rank them."""
        for text in texts:
            self.document_count += 1
            seq = text_to_word_sequence(text, self.filters, self.lower, self.split)
            for word in seq:
                if word in self.word_counts:
                    self.word_counts[word] += 1
                else:
                    self.word_counts[word] = 1
            for word in set(seq):
                self.word_docs[word] += 1
        counts = list(self.word_counts.items())
        counts.sort(key=lambda pair: pair[1], reverse=True)
        ranked = [word for word, _ in counts]
        self.word_index = dict(zip(ranked, list(range(1, len(ranked) + 1)), strict=True))
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in list(self.word_docs.items()):
            self.index_docs[self.word_index[word]] = count

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """The ids of each text; unknown words are left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """As `texts_to_sequences`, one text at a time."""
        num_words = self.num_words
        for text in texts:
            seq = text_to_word_sequence(text, self.filters, self.lower, self.split)
            vect = []
            for word in seq:
                index = self.word_index.get(word)
                if index is not None:
                    if num_words and index >= num_words:
                        continue
                    vect.append(index)
            yield vect


def rm_tags(text: str) -> str:
    """Clean one text as the IMDB notebook does."""
    re_tag = re.compile(r"<[^>]+>")
    return re_tag.sub("", text)


def imdb_arrays(
    train_texts: Sequence[str], test_texts: Sequence[str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Tokenizer]:
    """The IMDB notebook's preprocessing of texts without tags: padded arrays, and the tokenizer."""
    tokenizer = Tokenizer(num_words=IMDB_WORDS)
    tokenizer.fit_on_texts(train_texts)
    train_seq = tokenizer.texts_to_sequences(train_texts)
    test_seq = tokenizer.texts_to_sequences(test_texts)
    x_train = pad_sequences(train_seq, maxlen=IMDB_LENGTH)
    x_test = pad_sequences(test_seq, maxlen=IMDB_LENGTH)
    return x_train, x_test, tokenizer


class TwitterCleaning:
    """The Twitter notebook's cleaning.

    Args:
        stop_words: NLTK's list; the notebook searches a list, not a set.
    """

    def __init__(self, stop_words: list[str]) -> None:
        self.stop_words = stop_words
        self.stemmer = SnowballStemmer("english")

    def preprocess(self, text: str, stem: bool = False) -> str:
        """Clean one text."""
        text = re.sub(TEXT_CLEANING_RE, " ", str(text).lower()).strip()
        tokens = []
        for token in text.split():
            if token not in self.stop_words:
                if stem:
                    tokens.append(self.stemmer.stem(token))
                else:
                    tokens.append(token)
        return " ".join(tokens)


def twitter_arrays(
    cleaning: TwitterCleaning, train_texts: list[str], test_texts: list[str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Tokenizer]:
    """The Twitter notebook's preprocessing: the tokenizer is fitted on raw texts and encodes clean ones."""
    frame = pd.DataFrame({"data": train_texts + test_texts})
    frame["data"] = frame["data"].apply(lambda text: cleaning.preprocess(text, True))
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(train_texts + test_texts)
    rows = len(train_texts)
    x_train = pad_sequences(tokenizer.texts_to_sequences(frame["data"].iloc[:rows]), maxlen=TWITTER_LENGTH)
    x_test = pad_sequences(tokenizer.texts_to_sequences(frame["data"].iloc[rows:]), maxlen=TWITTER_LENGTH)
    return x_train, x_test, tokenizer


def imdb_model() -> keras.Model:
    """The IMDB notebook's LSTM, compiled."""
    model = keras.Sequential(
        [
            keras.Input((IMDB_LENGTH,)),
            layers.Embedding(IMDB_WORDS, 32),
            layers.Dropout(0.2),
            layers.LSTM(32),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def twitter_model(words: int) -> keras.Model:
    """The Twitter notebook's LSTM, compiled. The notebook has 21,573 `words`."""
    model = keras.Sequential(
        [
            keras.Input((TWITTER_LENGTH,)),
            layers.Embedding(words, 200),
            layers.LSTM(100, dropout=0.2, recurrent_dropout=0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
