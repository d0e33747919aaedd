"""Voices out of embeddings: the rules of pyannote's clustering, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from adapters.agglomeration import Bounds, cluster, weighted_tree


def voices(sizes: list[int], *, seed: int = 0, spread: float = 0.08) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Well separated voices: embeddings around orthogonal directions, shuffled, and whose each one is."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return np.eye(24)[truth] + spread * random.standard_normal((len(truth), 24)) / 2, truth


def same_partition(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> bool:
    pairs = set(zip(labels.tolist(), truth.tolist(), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(truth.tolist()))


def of(embeddings: NDArray[np.float64], **changes: object) -> NDArray[np.int64]:
    return cluster(embeddings, **({"threshold": 0.6, "min_size": 12} | changes))  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(15, 60), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_well_separated_voices_are_found_in_one_level_as_in_two(sizes: list[int], seed: int) -> None:
    embeddings, truth = voices(sizes, seed=seed)

    once, twice = of(embeddings), of(embeddings, limit=60)

    assert same_partition(once, truth)
    assert same_partition(twice, truth)


def test_embeddings_up_to_the_limit_are_clustered_in_one_level() -> None:
    random = np.random.default_rng(3)
    muddle = random.standard_normal((200, 8))

    assert of(muddle, limit=200).tolist() == of(muddle, limit=10_000).tolist()


def test_a_voice_too_rare_for_any_block_is_found_over_all_blocks() -> None:
    random = np.random.default_rng(5)
    truth = np.array(([0] * 45 + [1] * 5) * 4)  # five embeddings in each block of fifty: 20 in all
    embeddings = np.eye(8)[truth] + 0.02 * random.standard_normal((200, 8))

    assert same_partition(of(embeddings, limit=50), truth)


def test_a_voice_heard_too_seldom_joins_the_nearest_one() -> None:
    embeddings, truth = voices([80, 80, 5])

    labels = of(embeddings)

    assert same_partition(labels[truth < 2], truth[truth < 2])
    assert set(labels) == {0, 1}


@pytest.mark.parametrize("wanted", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("limit", [30, 10_000])
def test_a_given_number_of_voices_is_kept_to(wanted: int, limit: int) -> None:
    embeddings, _ = voices([40, 30, 20, 13])

    assert len(set(of(embeddings, bounds=Bounds(wanted, wanted), limit=limit))) == wanted


def test_a_given_number_that_needs_a_rare_voice_finds_the_rare_voice() -> None:
    embeddings, truth = voices([80, 80, 5])

    assert same_partition(of(embeddings, bounds=Bounds(3, 3)), truth)


@pytest.mark.parametrize(("bounds", "found"), [(Bounds(1, 2), 2), (Bounds(4, 9), 4), (Bounds(2, 5), 3)])
def test_a_range_moves_only_a_number_outside_it(bounds: Bounds, found: int) -> None:
    embeddings, _ = voices([40, 40, 40])

    assert len(set(of(embeddings, bounds=bounds))) == found


def test_no_embedding_gives_no_label_and_one_gives_voice_0() -> None:
    assert of(np.zeros((0, 4))).tolist() == []
    assert of(np.ones((1, 4))).tolist() == [0]


def test_more_voices_than_embeddings_gives_each_its_own() -> None:
    embeddings, _ = voices([1, 1, 1])

    assert sorted(of(embeddings, bounds=Bounds(9, 9))) == [0, 1, 2]


@settings(max_examples=20, deadline=None)
@given(count=st.integers(2, 40), seed=st.integers(0, 1000))
def test_the_weighted_tree_with_weights_of_one_is_scipys_centroid_linkage(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).standard_normal((count, 6))

    tree = weighted_tree(points, np.ones(count))

    expected = linkage(points, "centroid")
    assert np.allclose(tree.linkage[:, 2:], expected[:, 2:])
    assert tree.linkage[:, :2].tolist() == expected[:, :2].tolist()


def test_a_weighted_point_stands_for_so_many_equal_points() -> None:
    points = np.random.default_rng(1).standard_normal((6, 3))
    weights = np.array([3, 1, 2, 1, 1, 4])

    heavy = weighted_tree(points, weights.astype(float)).linkage[:, 2]
    many = linkage(np.repeat(points, weights, axis=0), "centroid")[:, 2]

    assert np.allclose(heavy, many[many > 1e-9])
