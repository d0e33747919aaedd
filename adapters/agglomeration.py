"""Agglomerative clustering of embeddings into voices: centroid linkage, in two levels where there are many.

The rules are those of pyannote.audio's pipeline (cut at a threshold, small clusters join the nearest large one, a
wanted number of voices found by moving the cut), with two differences: memory is bounded, because more than `limit`
embeddings are first gathered block by block, and a wanted number is always reached where there are as many
embeddings, by accepting smaller clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float64]
    Labels = NDArray[np.int64]

#: Embeddings clustered at once, over an hour of talk. Their distances take n²/2 × 8 B, twice: 290 MB.
LINKAGE_LIMIT = 6_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many voices are wanted: from `fewest` to `most`."""

    fewest: int = 1
    most: int | None = None  #: null = as many as there are


@dataclass(frozen=True, slots=True)
class Tree:
    """What was merged with what, nearest first, in scipy's linkage form; rows number items, then merges."""

    linkage: Vectors  #: (items − 1, 4): two nodes, the distance of their centroids, the items below
    weights: Vectors  #: (items,): how many embeddings an item stands for
    merged: Vectors  #: (items − 1,): how many embeddings are below each merge


def cluster(
    embeddings: NDArray[np.floating],
    *,
    threshold: float,
    min_size: int,
    bounds: Bounds = Bounds(),
    limit: int = LINKAGE_LIMIT,
) -> Labels:
    """Label embeddings (n, d) with voices 0, 1, … without gaps, shape (n,).

    `threshold` is a distance between unit-length centroids, 0 to 2. A voice needs `min_size` embeddings, or a tenth
    of all where there are few. Up to `limit` embeddings give exactly the one-level result. No embedding gives none.
    """
    import numpy as np

    count = len(embeddings)
    if count < 2:
        return np.zeros(count, dtype=np.int64)
    unit = np.asarray(embeddings, dtype=np.float64)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    smallest = min(min_size, max(1, round(0.1 * count)))
    if count <= limit:
        return _voices(unit, _tree(unit), threshold, smallest, bounds)
    items, weights, member = _gather(unit, threshold, limit)
    kept = np.sort(np.argsort(-weights, kind="stable")[:limit])
    of_kept = _voices(items[kept], weighted_tree(items[kept], weights[kept]), threshold, smallest, bounds)
    centroids = _centroids(items[kept], weights[kept], of_kept)
    of_item = _nearest(items, centroids)
    of_item[kept] = of_kept
    labels: Labels = of_item[member]
    return labels


def weighted_tree(points: Vectors, weights: Vectors) -> Tree:
    """Centroid linkage of points (n, d) that stand for `weights` embeddings each.

    With weights of one it is scipy's `linkage(points, "centroid")`. Takes n² × 8 B and about n² × d operations.
    """
    import numpy as np

    count = len(points)
    centre, weight = points.copy(), weights.astype(np.float64)
    distance = _distances(points, points)
    np.fill_diagonal(distance, np.inf)
    nearest, gap = distance.argmin(axis=1), distance.min(axis=1)
    node, below = np.arange(count), np.ones(count)
    linkage, merged = np.zeros((count - 1, 4)), np.zeros(count - 1)
    for step in range(count - 1):
        i = int(gap.argmin())
        j = int(nearest[i])
        low, high = sorted((node[i], node[j]))
        below[i] += below[j]
        linkage[step] = low, high, gap[i], below[i]
        total = weight[i] + weight[j]
        centre[i] = (weight[i] * centre[i] + weight[j] * centre[j]) / total
        weight[i] = merged[step] = total
        node[i] = count + step
        distance[j], distance[:, j] = np.inf, np.inf
        gap[j] = np.inf
        fresh = np.where(np.isfinite(distance[i]), np.linalg.norm(centre - centre[i], axis=1), np.inf)
        distance[i], distance[:, i] = fresh, fresh
        closer = fresh < gap
        gap[closer], nearest[closer] = fresh[closer], i
        # A row whose nearest point has moved or gone must look again.
        for row in np.flatnonzero(((nearest == i) | (nearest == j)) & ~closer & np.isfinite(gap)):
            nearest[row], gap[row] = distance[row].argmin(), distance[row].min()
        nearest[i], gap[i] = fresh.argmin(), fresh.min()
    return Tree(linkage, weights.astype(np.float64), merged)


def _tree(unit: Vectors) -> Tree:
    import numpy as np
    from scipy.cluster.hierarchy import linkage

    merges = linkage(unit, method="centroid", metric="euclidean")
    return Tree(merges, np.ones(len(unit)), merges[:, 3])


def _gather(unit: Vectors, threshold: float, limit: int) -> tuple[Vectors, Vectors, Labels]:
    """Cluster consecutive blocks by themselves: centroids, how many embeddings each holds, whose each one is."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster

    items: list[Vectors] = []
    weights: list[Vectors] = []
    member = np.zeros(len(unit), dtype=np.int64)
    known = 0
    for block in np.array_split(np.arange(len(unit)), -(-len(unit) // limit)):
        points = unit[block]
        labels = _numbered(fcluster(_tree(points).linkage, threshold, criterion="distance"))
        sizes = np.bincount(labels).astype(np.float64)
        items.append(_centroids(points, np.ones(len(points)), labels))
        weights.append(sizes)
        member[block] = labels + known
        known += len(sizes)
    return np.vstack(items), np.concatenate(weights), member


def _voices(items: Vectors, tree: Tree, threshold: float, min_size: int, bounds: Bounds) -> Labels:
    """Cut the tree, then give small clusters to the nearest large one."""
    import numpy as np

    labels, size = _cut(tree, threshold, min_size, bounds)
    sizes = np.bincount(labels, weights=tree.weights)
    large = np.flatnonzero(sizes >= size)
    if len(large) == 0:
        return np.zeros(len(items), dtype=np.int64)
    centroids = _centroids(items, tree.weights, labels)
    home = _nearest(centroids, centroids[large])
    home[large] = np.arange(len(large))
    voices: Labels = home[labels]
    return voices


def _cut(tree: Tree, threshold: float, min_size: int, bounds: Bounds) -> tuple[Labels, int]:
    """Labels of the cut that gives a wanted number of large clusters, and how many embeddings make one large."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster

    labels = _numbered(fcluster(tree.linkage, threshold, criterion="distance"))
    found = _large(labels, tree, min_size)
    most = len(labels) if bounds.most is None else min(bounds.most, len(labels))
    wanted = min(max(found, bounds.fewest), most)
    if found == wanted:
        return labels, min_size
    # The merges in the order they were made: cutting after the k-th keeps the k + 1 nearest ones.
    by_order = tree.linkage.copy()
    by_order[:, 2] = np.arange(len(by_order))
    by_distance = np.argsort(np.abs(tree.linkage[:, 2] - threshold), kind="stable")
    while True:
        best, best_found = labels, found
        for k in by_distance[tree.merged[by_distance] >= min_size]:
            trial = _numbered(fcluster(by_order, k, criterion="distance"))
            trial_found = _large(trial, tree, min_size)
            if abs(trial_found - wanted) < abs(best_found - wanted):
                best, best_found = trial, trial_found
            if best_found == wanted:
                return best, min_size
        if min_size == 1:
            # Only wanting every item apart gets here: no merge at all.
            return (np.arange(len(labels)) if wanted == len(labels) else best), 1
        min_size //= 2
        found = _large(labels, tree, min_size)
        if found == wanted:
            return labels, min_size


def _large(labels: Labels, tree: Tree, min_size: int) -> int:
    import numpy as np

    return int((np.bincount(labels, weights=tree.weights) >= min_size).sum())


def _numbered(labels: Labels) -> Labels:
    """The same clusters, numbered from 0 without gaps."""
    import numpy as np

    numbered: Labels = np.unique(labels, return_inverse=True)[1]
    return numbered


def _centroids(points: Vectors, weights: Vectors, labels: Labels) -> Vectors:
    """The weighted mean of each label's points; labels run from 0 without gaps."""
    import numpy as np

    sums = np.zeros((int(labels.max()) + 1, points.shape[1]))
    np.add.at(sums, labels, points * weights[:, None])
    centroids: Vectors = sums / np.bincount(labels, weights=weights)[:, None]
    return centroids


def _nearest(points: Vectors, centroids: Vectors) -> Labels:
    """The centroid of the smallest angle for each point; a tie goes to the first."""
    from scipy.spatial.distance import cdist

    nearest: Labels = cdist(points, centroids, metric="cosine").argmin(axis=1)
    return nearest


def _distances(points: Vectors, others: Vectors) -> Vectors:
    from scipy.spatial.distance import cdist

    distances: Vectors = cdist(points, others)
    return distances
