"""Cleaning one text: the steps of the two notebooks, each a parameter."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from moodring.params import PreprocessParams

# A mention, a link, or a run of anything but ASCII letters and digits: the Twitter notebook's pattern.
TWEET = re.compile(r"@\S+|https?:\S+|http?:\S|[^A-Za-z0-9]+")
# What Keras' Tokenizer takes for a separator (its documented default `filters`).
KERAS_FILTERS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))
TAG = re.compile(r"<[^>]+>")
# Western emoticons: eyes, perhaps a nose, a mouth; and hearts. A link is taken whole: it holds none.
EMOTICON = re.compile(
    r"https?:\S+|(?P<emoticon>[:;=][-o'^~]?(?:[()\[\]{}|*@]+|[/\\](?!/)|[dpDPoO]+(?!\w))|</?3+)",
    re.IGNORECASE,
)
STEMS_KEPT = 1 << 17


class Cleaner:
    """Turns raw text into clean text: tokens joined by single spaces.

    Args:
        params: the steps.
        stop_words: what `params.stop_words` stands for; not looked at when that is `keep`.
    """

    def __init__(self, params: PreprocessParams, stop_words: Sequence[str] = ()) -> None:
        self.params = params
        self.stop_words = frozenset(stop_words) if params.stop_words == "english" else frozenset()
        self._stem = _stemmer() if params.stem == "snowball" else None

    def __call__(self, text: str) -> str:
        """Clean one text; the result is empty where nothing is left."""
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

    def _tokens(self, text: str) -> list[str]:
        if self.params.pattern == "tweet":
            text = TWEET.sub(" ", text)
        elif self.params.pattern == "keras":
            text = text.translate(KERAS_FILTERS)
        tokens = text.split()
        if self.stop_words:
            tokens = [token for token in tokens if token not in self.stop_words]
        if self._stem:
            # Snowball leaves nothing of a token that is a bare "'s".
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
        """All that is needed to clean alike elsewhere, fit for JSON; see `from_recipe`."""
        return {"preprocess": self.params.model_dump(), "stop_words": sorted(self.stop_words)}

    @classmethod
    def from_recipe(cls, recipe: dict[str, Any]) -> Cleaner:
        """The cleaner whose `recipe` this is."""
        return cls(PreprocessParams.model_validate(recipe["preprocess"]), recipe["stop_words"])


def _stemmer() -> Callable[[str], str]:
    from nltk.stem import SnowballStemmer

    # Texts repeat their words: stemming each once is some ten times faster.
    return functools.lru_cache(maxsize=STEMS_KEPT)(SnowballStemmer("english").stem)


def _without_tags(text: str, by: str) -> str:
    # Past the last ">" nothing can match, but the pattern would look on from every "<": quadratic.
    end = text.rfind(">") + 1
    return TAG.sub(by, text[:end]) + text[end:]
