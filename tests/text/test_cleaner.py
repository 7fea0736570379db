"""Cleaning of one text and of many texts."""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from nltk.stem import SnowballStemmer

from moodring.io import strings
from moodring.params.data import PreprocessParams
from moodring.params.file import read_yaml
from moodring.params.pipeline import Params
from moodring.text import bytewise
from moodring.text.cleaner import Cleaner
from tests.conftest import ROOT

STOP_WORDS = ["i", "am", "so", "the", "not", "rt", "don", "t", "s"]
TWEETS = [
    "",
    " \t\n ",
    "I am SO happy :) :-D <3",
    "@user thanks for the follow!",
    "email me@home.org,or @ me",
    "@a@b @,x (@c) @",
    "see http://t.co/abc?x=1&y=@z now",
    "HTTPS://T.CO/ABC,next",
    "htt:one http:/one https:two http: three https:",
    "xhttp://y.com/zhttp://w",
    "RT @Bob: don't worry, be-happy... #running #NOW",
    "naïve café \u2019quoted\u2019 it's \U0001f600\U0001f602",
    "ひとつ ふたつ 123 4,567.89",
    "İstanbul STRASSE ß K",
    "one\u2028two\u00a0three\u200bfour\x00five",
    "cunningly running runners ran generously",
    "&lt;b&gt; <br /> a<b>c",
    "!!!??? ...",
    "a_b__c",
]


def cleaner(params: Params, *stop_words: str, **changes: Any) -> Cleaner:
    """A cleaner that only splits at white space, with these changes."""
    plain = {"html": "keep", "lowercase": False, "emoticons": "drop", "pattern": "none", "stem": "none"}
    preprocess = params.datasets["twitter"].preprocess
    return Cleaner(preprocess.model_copy(update={**plain, "stop_words": "keep", **changes}), stop_words)


def tweets(**changes: Any) -> Cleaner:
    """The cleaner of the Twitter notebook with other stop words and these changes."""
    settings = read_yaml(ROOT / "experiments/twitter-lstm.yaml")["datasets"]["twitter"]["preprocess"]
    return Cleaner(PreprocessParams.model_validate({**settings, **changes}), STOP_WORDS)


@pytest.mark.parametrize("text", TWEETS)
def test_cleaned_tweets_have_the_tokens_of_the_notebook(text: str) -> None:
    stem = SnowballStemmer("english").stem
    cleaned = re.sub(r"@\S+|https?:\S+|http?:\S|[^A-Za-z0-9]+", " ", text.lower()).strip()
    expected = [stem(token) for token in cleaned.split() if token not in STOP_WORDS]
    assert tweets()(text).split() == expected


@pytest.mark.parametrize("pattern", ["none", "keras", "tweet"])
@pytest.mark.parametrize("text", [*TWEETS, "a ''s b", "\u2019\u2019s ''' ' 's"])
def test_a_clean_text_has_single_spaces_between_tokens(params: Params, text: str, pattern: str) -> None:
    clean = cleaner(params, *STOP_WORDS, pattern=pattern, stop_words="english", stem="snowball")(text)
    assert clean == " ".join(clean.split())


@pytest.mark.parametrize(
    ("text", "kept", "dropped", "stripped"),
    [
        ("Good :) day", "good :) day", "good day", "good day"),
        ("good:-(day", "good :-( day", "good day", "good day"),
        ("love <3 you", "love <3 you", "love 3 you", "love you"),
        ("Ha :D ha XD", "ha :d ha xd", "ha d ha xd", "ha ha xd"),
        (":p;-)", ":p ;-)", "p", ""),
        ("it is 12:30 :/", "it is 12 30 :/", "it is 12 30", "it is 12 30"),
        ("note :double dash:", "note double dash", "note double dash", "note double dash"),
        ("see http://t.co/x :)", "see :)", "see", "see"),
    ],
)
def test_emoticons_are_kept_dropped_or_stripped(text: str, kept: str, dropped: str, stripped: str) -> None:
    modes = {"keep": kept, "drop": dropped, "strip": stripped}
    assert {mode: tweets(stem="none", emoticons=mode)(text) for mode in modes} == modes


def test_a_link_is_removed_completely_if_emoticons_are_kept() -> None:
    assert tweets(emoticons="keep")("see http://t.co/?q=d&p=x now") == "see now"


def test_a_kept_emoticon_is_not_stemmed_and_not_a_stop_word(params: Params) -> None:
    keeping = cleaner(params, ":d", stop_words="english", stem="snowball", lowercase=True, emoticons="keep")
    assert keeping("running :D") == "run :d"


@pytest.mark.parametrize(
    ("html", "expected"),
    [("keep", "one<br />two 3 <4"), ("space", "one two 3 <4"), ("join", "onetwo 3 <4")],
)
def test_tags_are_kept_replaced_or_removed(params: Params, html: str, expected: str) -> None:
    assert cleaner(params, html=html)("one<br />two 3 <4") == expected


def test_a_tag_can_span_lines(params: Params) -> None:
    assert cleaner(params, html="space")('a<a\nhref="x">b</a>c') == "a b c"


def test_case_changes_only_with_lowercase(params: Params) -> None:
    text = "Don't SHOUT Ümlaut"
    assert [cleaner(params, lowercase=lower)(text) for lower in (False, True)] == [text, "don't shout ümlaut"]


@pytest.mark.parametrize("character", '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n')
def test_characters_that_keras_filters_separate_words(params: Params, character: str) -> None:
    assert cleaner(params, pattern="keras")(f"one{character}two") == "one two"


@pytest.mark.parametrize("character", "'\u2019é0…")
def test_other_characters_stay_in_the_word(params: Params, character: str) -> None:
    assert cleaner(params, pattern="keras")(f"one{character}two") == f"one{character}two"


def test_stop_words_are_removed_only_with_the_parameter(params: Params) -> None:
    texts = [cleaner(params, "the", stop_words=choice)("the end of the") for choice in ("keep", "english")]
    assert texts == ["the end of the", "end of"]


@pytest.mark.parametrize("pattern", ["none", "keras", "tweet"])
@pytest.mark.parametrize("html", ["keep", "space", "join"])
@pytest.mark.parametrize("emoticons", ["keep", "drop", "strip"])
@pytest.mark.parametrize("text", ["", " \n\t ", "\u2028\u00a0"])
def test_a_text_without_words_becomes_empty(
    params: Params, text: str, emoticons: str, html: str, pattern: str
) -> None:
    assert cleaner(params, emoticons=emoticons, html=html, pattern=pattern)(text) == ""


@pytest.mark.parametrize("dataset", ["rotten_tomatoes", "twitter", "imdb"])
def test_a_cleaner_from_a_json_recipe_gives_the_same_texts(params: Params, dataset: str) -> None:
    original = Cleaner(params.datasets[dataset].preprocess, STOP_WORDS)
    restored = Cleaner.from_recipe(json.loads(json.dumps(original.recipe())))
    assert [restored(text) for text in TWEETS] == [original(text) for text in TWEETS]
    assert restored.recipe() == original.recipe()


@pytest.mark.parametrize(
    "unit", ["<", "<a", "<>", ">", ":", ":d", ":-", "<3", "</", "@", "http:", "ay", "'", "a "]
)
@pytest.mark.parametrize("emoticons", ["keep", "strip"])
def test_a_million_difficult_characters_are_cleaned(unit: str, emoticons: str) -> None:
    cleaning = tweets(html="space", emoticons=emoticons)
    assert cleaning(f"first {unit * (1_000_000 // len(unit))}").startswith("first")


# Difficult cases for a byte table: parts of links, mentions, tags and emoticons; white space and letters
# that are not ASCII; letters whose lower case is longer, is ASCII, or depends on the next letter.
PARTS = [
    *("a", "B", "the", "Running", "don", "0", "z9", "'", "'s", ".", ",", "-", "_", "&", "\x00", "\x7f"),
    *("@", "@u", "#x", "http", "https", "htt", ":", "//t.co", "http://x.y", "https:", "HTTP:", "htt:"),
    *("htt:@u", "<", ">", "<b>", "<br/>", "<>", "<<b>>", "3", ":)", ":-D", "<3", "</3", "=P", ";", "xD"),
    *("\u03a3", "\u0391\u03a3", "\u0130", "\u212a", "\xe9", "\xc9", "\xdf", "\ufb01", "\u0307", "\u2019s"),
    *("\ufeff", "\u201c", "\u200b", "\U0001f600"),
    *" \t\n\x0b\x1c\x1f\x85\xa0\u2003\u2028\u3000",
]
STEPS: dict[str, list[Any]] = {
    "html": ["keep", "space", "join"],
    "lowercase": [True, False],
    "stop_words": ["keep", "english"],
    "stem": ["none", "snowball"],
}


@pytest.mark.parametrize("emoticons", ["keep", "drop", "strip"])
@pytest.mark.parametrize("pattern", ["none", "keras", "tweet"])
def test_many_texts_give_the_same_result_as_each_text_alone(
    params: Params, pattern: str, emoticons: str
) -> None:
    rng = random.Random(f"{pattern} {emoticons}")  # noqa: S311
    generated = ["".join(rng.choices(PARTS, k=rng.randrange(14))) for _ in range(1500)]
    texts = [*TWEETS, *generated, "", "@", " @u", "http://"]
    for steps in itertools.product(*STEPS.values()):
        changes = dict(zip(STEPS, steps, strict=True))
        clean = cleaner(params, *STOP_WORDS, pattern=pattern, emoticons=emoticons, **changes)
        assert clean.clean_all(texts).to_pylist() == [clean(text) for text in texts], changes


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" "], ["a"], [":"], ["@"], ["s:x"]])
def test_few_texts_give_the_same_result_as_each_text_alone(params: Params, texts: list[str]) -> None:
    clean = cleaner(params, *STOP_WORDS, pattern="tweet", html="join", stop_words="english", stem="snowball")
    assert clean.clean_all(texts).to_pylist() == [clean(text) for text in texts]


def test_the_chunks_of_arrow_columns_do_not_change_the_result(params: Params) -> None:
    clean = cleaner(params, pattern="keras", lowercase=True)
    texts = [f"Text, no. {i}" + "\xe9" * (i % 7 == 0) for i in range(3000)]
    expected = [clean(text) for text in texts]
    for kind in (pa.string(), pa.large_string()):
        whole = pa.chunked_array([texts[:1], texts[1:1], texts[1:2500], texts[2500:]], kind)
        assert clean.clean_all(whole).to_pylist() == expected
        assert clean.clean_all(whole.slice(3, 2900)).to_pylist() == expected[3:2903]
        assert clean.clean_all(pa.array(texts, kind).slice(7, 2000)).to_pylist() == expected[7:2007]


def test_white_space_equals_that_of_python() -> None:
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    assert [chr(byte) for byte in np.flatnonzero(strings.WHITE)] == [
        each for each in spaces if each.isascii()
    ]
    others = pa.array([each for each in spaces if not each.isascii()] + ["x", "\u200b"], pa.large_string())
    assert bytewise.normalized(others, lowercase=False).to_pylist() == [" "] * (len(others) - 2) + [
        "x",
        "\u200b",
    ]
