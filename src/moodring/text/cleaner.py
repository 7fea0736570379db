"""Cleaning texts: the steps of the two notebooks, each a parameter."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from moodring.io import strings
from moodring.params.data import PreprocessParams
from moodring.text import bytewise

# A mention, a link, or a run of anything but ASCII letters and digits: the Twitter notebook's pattern.
TWEET = re.compile(r"@\S+|https?:\S+|http?:\S|[^A-Za-z0-9]+")
# The separators of Keras' Tokenizer (its documented default `filters`).
KERAS_FILTERS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))
TAG = re.compile(r"<[^>]+>")
# Western emoticons: eyes, an optional nose, a mouth; and hearts. A link is matched whole, without emoticons.
EMOTICON = re.compile(
    r"https?:\S+|(?P<emoticon>[:;=][-o'^~]?(?:[()\[\]{}|*@]+|[/\\](?!/)|[dpDPoO]+(?!\w))|</?3+)",
    re.IGNORECASE,
)
STEMS_KEPT = 1 << 17
# The same for many texts at once. Cases that the byte tables cannot decide fall back to the regexes above:
# a lone "htt:", which is removed with the one character after it, and possible emoticons.
SEPARATORS = {
    "none": strings.WHITE,
    "keras": strings.WHITE | strings.table(*((mark, mark) for mark in map(chr, KERAS_FILTERS))),
    "tweet": ~bytewise.ALPHANUMERIC,
}
LONE_HTT = "htt:"
PERHAPS_EMOTICON = "[:;=]|</?3"
ROWS = 1024  # so that a piece's arrays stay in the processor's cache


class Cleaner:
    """Turns raw text into clean text: tokens joined by single spaces.

    Args:
        params: the steps.
        stop_words: the words to remove; ignored if `params.stop_words` is `keep`.
    """

    def __init__(self, params: PreprocessParams, stop_words: Sequence[str] = ()) -> None:
        self.params = params
        self.stop_words = frozenset(stop_words) if params.stop_words == "english" else frozenset()
        self._stem = _stemmer() if params.stem == "snowball" else None

    def __call__(self, text: str) -> str:
        """Clean one text; the result is empty if no token is left."""
        params = self.params
        if params.html != "keep":
            text = _without_tags(text, " " if params.html == "space" else "")
        if params.lowercase:
            text = text.lower()
        if params.emoticons == "keep":
            return " ".join(self._around_emoticons(text))
        if params.emoticons == "strip":
            text = EMOTICON.sub(lambda match: " " if match["emoticon"] else match[0], text)
        return " ".join(self._tokens(text))

    def clean_all(self, texts: strings.Texts) -> pa.ChunkedArray:
        """Clean texts in order: same results as one call a text, but faster; large strings."""
        cleaned = [self._clean_piece(piece) for piece in strings.pieces(texts, ROWS)]
        return pa.chunked_array(cleaned, pa.large_string())

    def _clean_piece(self, raw: pa.LargeStringArray) -> pa.LargeStringArray:
        params = self.params
        texts = raw if params.html == "keep" else bytewise.without_tags(raw, params.html == "space")
        texts = bytewise.normalized(texts, params.lowercase)
        odd = np.zeros(len(texts), dtype=bool)
        if params.pattern == "tweet":
            odd |= pc.match_substring(texts, LONE_HTT).to_numpy(zero_copy_only=False)
        if params.emoticons != "drop":
            odd |= pc.match_substring_regex(texts, PERHAPS_EMOTICON).to_numpy(zero_copy_only=False)
        texts = bytewise.tokens_joined(texts, SEPARATORS[params.pattern], params.pattern == "tweet")
        if self.stop_words or self._stem:
            texts = self._reduced(texts)
        return bytewise.replaced(texts, odd, raw, self)

    def _reduced(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        """Remove stop words and stem; each distinct token is processed once."""
        words = strings.words_of(texts)
        reduced = pa.array(
            ["".join(self._kept([word])) for word in words.distinct.to_pylist()], pa.large_string()
        )
        kept = pc.not_equal(reduced, "").to_numpy(zero_copy_only=False)[words.places]
        before = np.append(0, np.cumsum(kept))
        tokens = reduced.take(pa.array(words.places[kept]))
        lists = pa.ListArray.from_arrays(before[words.offsets].astype(np.int32), tokens)
        return pc.binary_join(lists, pa.scalar(" ", pa.large_string()))

    def _tokens(self, text: str) -> list[str]:
        if self.params.pattern == "tweet":
            text = TWEET.sub(" ", text)
        elif self.params.pattern == "keras":
            text = text.translate(KERAS_FILTERS)
        return self._kept(text.split())

    def _kept(self, tokens: list[str]) -> list[str]:
        """The tokens without stop words, stemmed."""
        if self.stop_words:
            tokens = [token for token in tokens if token not in self.stop_words]
        if self._stem:
            # Snowball reduces the token "'s" to an empty string.
            return [stem for token in tokens if (stem := self._stem(token))]
        return tokens

    def _around_emoticons(self, text: str) -> list[str]:
        tokens: list[str] = []
        start = 0
        for match in EMOTICON.finditer(text):
            if not match["emoticon"]:
                continue
            tokens += [*self._tokens(text[start : match.start()]), match[0]]
            start = match.end()
        return tokens + self._tokens(text[start:])

    def recipe(self) -> dict[str, Any]:
        """The settings for cleaning the same way elsewhere, as JSON values; see `from_recipe`."""
        return {"preprocess": self.params.model_dump(), "stop_words": sorted(self.stop_words)}

    @classmethod
    def from_recipe(cls, recipe: dict[str, Any]) -> Cleaner:
        """Build the cleaner from its `recipe`."""
        return cls(PreprocessParams.model_validate(recipe["preprocess"]), recipe["stop_words"])


def _stemmer() -> Callable[[str], str]:
    from nltk.stem import SnowballStemmer

    # Texts repeat words: to stem each word once is about ten times faster.
    return functools.lru_cache(maxsize=STEMS_KEPT)(SnowballStemmer("english").stem)


def _without_tags(text: str, by: str) -> str:
    # Search up to the last ">" only: behind it the pattern would scan from every "<" to the end (quadratic).
    end = text.rfind(">") + 1
    return TAG.sub(by, text[:end]) + text[end:]
