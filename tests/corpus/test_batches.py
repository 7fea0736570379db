"""Length buckets, batches and padding."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from moodring.corpus.batches import Batch, Padding, pad, plan
from moodring.corpus.ragged import Ragged

PADDING = Padding(max_length=40, buckets=4)


def ragged(*texts: list[int]) -> Ragged:
    offsets = np.cumsum([0, *(len(text) for text in texts)])
    return Ragged(np.array([token for text in texts for token in text], dtype=np.uint16), offsets)


def lengths(rows: int = 203, longest: int = 60) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, longest, rows)


def rng(seed: int | None) -> np.random.Generator | None:
    return None if seed is None else np.random.default_rng(seed)


def padded(*texts: list[int], length: int) -> list[list[int]]:
    rows: list[list[int]] = pad(ragged(*texts), Batch(np.arange(len(texts)), length)).tolist()
    return rows


def order(batches: list[Batch]) -> list[list[int]]:
    return [batch.rows.tolist() for batch in batches]


@pytest.mark.parametrize(
    ("tokens", "length"),
    [
        (0, 10),
        (1, 10),
        (9, 10),
        (10, 10),
        (11, 20),
        (20, 20),
        (21, 30),
        (30, 30),
        (31, 40),
        (40, 40),
        (41, 40),
        (10**6, 40),
    ],
)
def test_a_text_is_padded_to_the_upper_boundary_of_its_bucket(tokens: int, length: int) -> None:
    assert PADDING.lengths(np.array([tokens])).tolist() == [length]


@pytest.mark.parametrize("max_length", [1, 7, 40])
def test_one_bucket_pads_every_text_to_the_longest_length(max_length: int) -> None:
    found = Padding(max_length, 1).lengths(np.array([0, 1, max_length, max_length + 1]))
    assert found.tolist() == [max_length] * 4


@pytest.mark.parametrize(
    ("max_length", "buckets"), [(10, 3), (380, 10), (7, 7), (5, 1000), (1, 10), (30, 10), (11, 4)]
)
def test_padded_lengths_fit_the_texts_and_the_last_bucket(max_length: int, buckets: int) -> None:
    tokens = np.arange(2 * max_length)
    found = Padding(max_length, buckets).lengths(tokens)
    assert (found >= np.minimum(tokens, max_length)).all()
    assert (found >= 1).all()
    assert found.max() == max_length
    assert len(set(found.tolist())) <= buckets


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_every_row_is_in_exactly_one_batch(batch_size: int, seed: int | None) -> None:
    batches = plan(lengths(), PADDING, batch_size, rng(seed))
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(203))


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_no_batch_is_empty_or_larger_than_the_batch_size(batch_size: int, seed: int | None) -> None:
    sizes = [len(batch.rows) for batch in plan(lengths(), PADDING, batch_size, rng(seed))]
    assert max(sizes) == batch_size
    assert min(sizes) >= 1


@pytest.mark.parametrize("seed", [None, 1])
def test_a_batch_has_texts_of_one_padded_length(seed: int | None) -> None:
    found = lengths()
    for batch in plan(found, PADDING, 7, rng(seed)):
        assert set(PADDING.lengths(found[batch.rows]).tolist()) == {batch.length}


def test_batches_without_a_generator_are_sorted_by_length_and_keep_the_row_order() -> None:
    batches = plan(np.array([25, 5, 15, 6, 0, 99]), PADDING, 2)
    assert order(batches) == [[1, 3], [4], [2], [0], [5]]
    assert [batch.length for batch in batches] == [10, 10, 20, 30, 40]


def test_an_empty_list_of_texts_has_no_batches() -> None:
    assert plan(np.array([], dtype=np.int64), PADDING, 8) == []


def test_a_shuffled_plan_depends_only_on_the_seed() -> None:
    first, again, other = (order(plan(lengths(), PADDING, 7, rng(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_shuffling_mixes_the_rows_of_a_bucket_and_the_batches() -> None:
    found = lengths()
    sorted_plan, mixed = plan(found, PADDING, 7), plan(found, PADDING, 7, rng(1))
    assert {tuple(sorted(rows)) for rows in order(sorted_plan)} != {
        tuple(sorted(rows)) for rows in order(mixed)
    }
    padded_lengths = [batch.length for batch in mixed]
    assert padded_lengths != sorted(padded_lengths)


def test_one_generator_gives_a_new_plan_for_each_epoch() -> None:
    generator = np.random.default_rng(1)
    first, second = (order(plan(lengths(), PADDING, 7, generator)) for _ in range(2))
    assert first != second


def test_padding_is_on_the_left() -> None:
    assert padded([5, 6], [], [7, 8, 9, 10], length=4) == [[0, 0, 5, 6], [0, 0, 0, 0], [7, 8, 9, 10]]


def test_a_text_that_is_too_long_keeps_its_last_tokens() -> None:
    assert padded([1, 2, 3], [4, 5, 6, 7, 8], [9], length=2) == [[2, 3], [7, 8], [0, 9]]


def test_padded_rows_are_int32_for_any_token_type() -> None:
    assert pad(ragged([2, 65_535]), Batch(np.array([0]), 3)).dtype == np.int32


def test_rows_have_the_order_of_the_batch() -> None:
    assert pad(ragged([1], [2], [3]), Batch(np.array([2, 0]), 1)).tolist() == [[3], [1]]


def test_the_padded_row_of_a_text_does_not_depend_on_other_texts() -> None:
    generator = np.random.default_rng(3)
    texts = ragged(*(generator.integers(2, 500, length).tolist() for length in lengths(90)))
    seen: dict[int, set[tuple[int, ...]]] = {}
    for batch_size, seed in ((1, None), (90, None), (8, 1), (8, 2)):
        for batch in plan(texts.lengths, PADDING, batch_size, rng(seed)):
            for row, ids in zip(batch.rows.tolist(), pad(texts, batch).tolist(), strict=True):
                seen.setdefault(row, set()).add(tuple(ids))
    assert sorted(seen) == list(range(90))
    assert all(len(forms) == 1 for forms in seen.values())
