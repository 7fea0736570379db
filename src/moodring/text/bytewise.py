"""Cleaning steps over the bytes of many texts at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moodring.io.strings import SPACE, WHITE, Bytes, Mask, Offsets, bytes_of, table, texts_of, within, without

LESS, GREATER, AT, COLON = b"<>@:"
# The non-ASCII characters that `str.split` treats as white space, for Arrow's regular expressions.
OTHER_WHITE = r"[\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
ALPHANUMERIC = table(("0", "9"), ("A", "Z"), ("a", "z"))


def replaced(
    texts: pa.LargeStringArray,
    rows: Mask,
    origins: pa.LargeStringArray,
    make: Callable[[str], str],
) -> pa.LargeStringArray:
    """Replace the marked rows: call `make`, in Python, on each marked text of `origins`."""
    mask = pa.array(rows)
    replacements = [make(text) for text in origins.filter(mask).to_pylist()]
    return (
        pc.replace_with_mask(texts, mask, pa.array(replacements, pa.large_string()))
        if replacements
        else texts
    )


def normalized(texts: pa.LargeStringArray, lowercase: bool) -> pa.LargeStringArray:
    """Replace non-ASCII white space by spaces, and lower-case each text if `lowercase`.

    Python lower-cases the non-ASCII texts: its rules depend on a letter's neighbours.
    """
    rows = pc.invert(pc.string_is_ascii(texts))
    others = texts.filter(rows)
    if lowercase:
        texts = pc.ascii_lower(texts)
        others = pa.array([text.lower() for text in others.to_pylist()], pa.large_string())
    others = pc.replace_substring_regex(others, OTHER_WHITE, " ")
    return pc.replace_with_mask(texts, rows, others) if len(others) else texts


def without_tags(texts: pa.LargeStringArray, by_space: bool) -> pa.LargeStringArray:
    """Replace each tag, `<[^>]+>`, by spaces, or cut it out so that its neighbours join."""
    data, offsets = bytes_of(texts)
    opening, closing = np.flatnonzero(data == LESS), np.flatnonzero(data == GREATER)
    nearest = np.searchsorted(closing, opening)
    opening, nearest = opening[nearest < len(closing)], nearest[nearest < len(closing)]
    ends = closing[nearest]
    same_text = np.searchsorted(offsets, opening, "right") == np.searchsorted(offsets, ends, "right")
    tags = same_text & (ends > opening + 1)
    opening, ends = opening[tags], ends[tags]
    outermost = np.diff(ends, prepend=-1) > 0  # of several "<" before one ">" the first opens the tag
    inside = within(opening[outermost], ends[outermost] + 1)
    if not len(inside):
        return texts
    if by_space:
        data = data.copy()
        data[inside] = SPACE
        return texts_of(data, offsets)
    cut = np.zeros(len(data), dtype=bool)
    cut[inside] = True
    return without(data, offsets, cut)


def tokens_joined(
    texts: pa.LargeStringArray, separators: Mask, links_and_mentions: bool
) -> pa.LargeStringArray:
    """Join each text's tokens by single spaces.

    Args:
        texts: their white space is ASCII only; see `normalized`.
        separators: byte table of the characters between tokens, shape (256,).
        links_and_mentions: treat links and mentions as separators. A link is `https?:` up to white space.
            A mention is "@" up to white space, after a letter, a digit or the start of the text.
    """
    data, offsets = bytes_of(texts)
    if not len(data):
        return texts
    to_space = bytes(SPACE if separator else byte for byte, separator in enumerate(separators))
    spaced = np.frombuffer(bytearray(data).translate(to_space), np.uint8)
    if links_and_mentions:
        spaced[_links_and_mentions(data, offsets)] = SPACE
    between = spaced == SPACE
    single = np.zeros(len(data), dtype=bool)
    np.logical_and(between[:-1], ~between[1:], out=single[:-1])
    # No space before a text's first token, even if the text begins with separators.
    starts, ends = offsets[:-1], offsets[1:]
    single[starts[(starts > 0) & (starts < len(data))] - 1] = False
    leading = starts[starts < ends]
    leading = leading[between[leading]]
    spaces = np.flatnonzero(single)
    first = np.searchsorted(spaces, leading)
    leading, first = leading[first < len(spaces)], spaces[first[first < len(spaces)]]
    own_end = offsets[np.searchsorted(offsets, leading, "right")]
    single[first[first < own_end]] = False
    return without(spaced, offsets, between & ~single)


def _links_and_mentions(data: Bytes, offsets: Offsets) -> NDArray[np.int64]:
    """The indices of all bytes of links and mentions, as the pattern `cleaner.TWEET` finds them."""
    white = np.append(np.flatnonzero(WHITE[data]), len(data))

    def up_to_white(places: NDArray[np.int64]) -> NDArray[np.int64]:
        text_end = offsets[np.searchsorted(offsets, places, "right")]
        return np.asarray(np.minimum(white[np.searchsorted(white, places)], text_end))

    mentions = np.flatnonzero(data == AT)
    mentions = mentions[np.isin(mentions, offsets) | ALPHANUMERIC[data[mentions - 1]]]
    ends = up_to_white(mentions)
    spans = [within(mentions[ends > mentions + 1], ends[ends > mentions + 1])]
    colons = np.flatnonzero(data == COLON)
    colons = colons[up_to_white(colons) > colons + 1]
    for scheme in (b"http", b"https"):
        after = colons[colons - len(scheme) >= offsets[np.searchsorted(offsets, colons, "right") - 1]]
        starts = after - len(scheme)
        is_link = np.all([data[starts + place] == letter for place, letter in enumerate(scheme)], axis=0)
        spans.append(within(starts[is_link], up_to_white(after[is_link])))
    return np.concatenate(spans)
