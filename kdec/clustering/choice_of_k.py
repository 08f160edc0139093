"""How many clusters: k-means for each number, and which are apart and stable in halves of data."""

import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from kdec.clustering.encoding import train_encoder
from kdec.clustering.model import apply_in_batches
from kdec.clustering.samples import check_images_or_vectors
from kdec.clustering.separation import chance_of_no_valley, match_centers
from kdec.guards import is_positive_int, non_negative_int, positive_int

if TYPE_CHECKING:
    import pandas

logger = logging.getLogger("kdec")

_LEVEL = 0.01  # of the test that clusters are apart
_SURELY_JOINED = 0.95  # of the same test: two clusters have no valley between them
_ABOUT_AS_STABLE = 0.95  # of the best stability
_SHARP = 2.0  # elbow: the inertia falls half as fast behind it
_MOST_IN_SILHOUETTE = 10_000
_MOST_IN_RESAMPLES = 5_000
_N_INIT = 10
_ABOUT_AS_GOOD = 0.5  # of the resamples that lead to the suggestion


@dataclass(frozen=True)
class ChoiceOfK:
    """How many clusters there are, and what speaks for it.

    Attributes:
        table: A row for each number that was tried: `n_clusters`; `inertia`; `silhouette`;
            `stability`, mean ARI of the clusterings of two halves of the data; `p_value`, median
            over the resamples, of the two clusters that are least apart; and `votes`, the share of
            the resamples that lead to this number. What is left to 1 of them found no clusters.
        n_clusters: The suggestion, or None if no clusters were found.
        confidence: Share of the resamples that lead to the suggestion, in (0, 1].
        reason: The suggestion in a sentence. It names the runner-up if that is about as good: at
            least half as many resamples lead to it.
    """

    table: "pandas.DataFrame"
    n_clusters: int | None
    confidence: float
    reason: str


def choose_n_clusters(
    x,
    n_clusters: Iterable[int] = range(2, 21),
    *,
    encoder="auto",
    n_resamples: int = 10,
    random_state: int = 0,
    verbose: int = 0,
) -> ChoiceOfK:
    """Suggest how many clusters there are, by k-means on the codes of one encoder.

    Each resample cuts the data into halves and clusters both. The largest number whose clusters are
    all apart is a lower bound: halfway between any two centroids there are less than half as many
    samples as around either, counted in the half that the centroids have not seen. From there on,
    numbers are stable whose halves agree, in the mean, within 5% of the best; those are left out of
    which two clusters surely have no such valley between them. The resample leads to the largest
    stable number with an elbow of the inertia, behind which it falls no more than half as fast; or
    to the first, where there is no such elbow. The number that most resamples lead to is the
    suggestion. If no clusters are apart in most of them, none were found. Clusters of fewer than 12
    samples are too small for the test.

    The silhouette informs, and decides nothing: on codes of an encoder it goes on rising behind the
    number of clusters.

    Args:
        x: Samples (n, d), (n, height, width) or (n, height, width, channels), as for
            `kdec.DeepClustering`; or codes (n, d), with `encoder=None`.
        n_clusters: Ints of at least 2, numbers to try. Those above n / 4 are left out, since
            clusters of half the data would hold less than two samples. Defaults to 2, ..., 20.
        encoder: "auto": the one that `kdec.DeepClustering` trains; a built Keras model, samples ->
            codes (batch, d); or None, if `x` are codes. Defaults to "auto".
        n_resamples: Positive int. Defaults to 10.
        random_state: Int of at least 0. Defaults to 0.
        verbose: 0 or 1; 1 shows progress bars. Defaults to 0.

    Returns:
        A `ChoiceOfK`, which `kdec.plots.choice_of_k` draws. The silhouette is that of 10,000
        samples where there are more; a resample takes 5,000 of them.

    Raises:
        ValueError: If `x` is of another shape or range, or not finite; there are fewer than four
            samples for each of the least number of clusters; or a number is none of the above.
        TypeError: If `encoder` is none of the above.

    Reference:
        Tibshirani, Walther, Cluster Validation by Prediction Strength (2005), for halves, of which
        one confirms the clusters of the other; Ben-Hur, Elisseeff, Guyon, A stability based method
        for discovering structure in clustered data (2002), for the stability; Krzanowski, Lai, A
        Criterion for Determining the Number of Groups (1988), for the elbow; Rousseeuw,
        Silhouettes (1987).

    Example:
    >>> import kdec
    >>> points = kdec.load_data("gaussians").x[::10]
    >>> choice = kdec.choose_n_clusters(points, range(2, 6), encoder=None)
    >>> choice.n_clusters
    3
    >>> choice.reason
    '3 clusters: apart from one another and stable in 10 of 10 resamples.'
    """
    x = check_images_or_vectors(x)
    numbers = _check_numbers(n_clusters, len(x))
    n_resamples = positive_int("n_resamples", n_resamples)
    random_state = non_negative_int("random_state", random_state)
    _check_encoder(encoder, x)
    if isinstance(encoder, str):
        encoder = train_encoder(x, random_state=random_state, verbose=verbose)
    codes = x if encoder is None else apply_in_batches(encoder, x)
    codes = codes.reshape(len(codes), -1).astype(np.float64)
    # The engine for hundreds of small runs: of scikit-learn, whose start takes no time.
    return _choose(codes - codes.mean(axis=0), numbers, n_resamples, random_state, verbose)


def _choose(codes, numbers, n_resamples, seed, verbose):
    halves = [_draw_halves(len(codes), (seed, i)) for i in range(n_resamples)]
    bar = keras.utils.Progbar(len(numbers), unit_name="number of clusters", verbose=verbose)
    rows, chances = [], []
    # In hundreds of small fits, threads wait for one another longer than they work.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct samples than clusters
        for k in numbers:
            inertia, silhouette = _cluster_all(codes, k, seed)
            resampled = [_cluster_halves(codes, pair, k, seed) for pair in halves]
            stability, chance = np.transpose(resampled)
            rows.append((k, inertia, silhouette, stability.mean(), np.median(chance)))
            chances.append(chance)
            bar.add(1)
    inertia, stability = (np.array([row[column] for row in rows]) for column in (1, 3))
    elbow = _elbow(numbers, inertia, np.sum(codes**2))
    votes = _vote(numbers, np.array(chances), stability, elbow)
    return _conclude(rows, votes)


def _elbow(numbers, inertia, total):
    """Return how many times as much inertia a cluster before each number takes as one after it."""
    known = np.array([1, *numbers]), np.array([total, *inertia])
    falls = -np.diff(known[1]) / np.diff(known[0])
    after = np.append(falls[1:], np.inf)  # behind the last number nothing is known
    elbow = falls / np.maximum(after, np.finfo(float).tiny)
    if numbers[0] > 2:
        elbow[0] = 0  # nor is it before the first one
    return elbow


def _vote(numbers, chances, stability, elbow):
    """Return the number that each resample leads to, or None: of chances (m, R), others (m,)."""
    votes = []
    for column in chances.T:
        apart = np.flatnonzero(column < _LEVEL)
        if len(apart) == 0:
            votes.append(None)
            continue
        from_bound = stability[apart[-1] :]
        may_be = from_bound >= _ABOUT_AS_STABLE * from_bound.max()
        may_be &= column[apart[-1] :] <= _SURELY_JOINED
        stable = apart[-1] + np.flatnonzero(may_be)
        sharp = stable[elbow[stable] >= _SHARP]
        ranking = [*sharp[::-1], *stable, apart[-1]]
        votes.append(numbers[ranking[0]])
    return votes


def _conclude(rows, votes):
    import pandas

    columns = ["n_clusters", "inertia", "silhouette", "stability", "p_value"]
    table = pandas.DataFrame(rows, columns=columns)
    table["votes"] = [votes.count(k) / len(votes) for k in table["n_clusters"]]
    numbers = table["n_clusters"].tolist()
    # Python's sort keeps the order of equals: none before any, and few before many.
    ranking = sorted([None, *numbers], key=votes.count, reverse=True)
    best, second = ranking[:2]
    share = votes.count(best) / len(votes)
    resamples = f"{votes.count(best)} of {len(votes)} resamples"
    if best is None:
        reason = f"no clusters found: none of {_named(numbers)} are all apart in {resamples}"
    else:
        reason = f"{best} clusters: apart from one another and stable in {resamples}"
        if best == numbers[-1]:
            reason += f"; there may be more, since none above {best} was tried"
    if votes.count(second) >= _ABOUT_AS_GOOD * votes.count(best):
        name = "no clusters" if second is None else str(second)
        reason += f"; {name} is about as good, with {votes.count(second)}"
    return ChoiceOfK(table, best, share, f"{reason}.")


def _named(numbers):
    return f"{numbers[0]} to {numbers[-1]} clusters" if len(numbers) > 1 else f"{numbers[0]}"


def _draw_halves(n, seed):
    """Return two disjoint halves of n rows, or of a part of them."""
    rows = np.random.default_rng(seed).permutation(n)[:_MOST_IN_RESAMPLES]
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _cluster_all(codes, k, seed):
    kmeans = KMeans(k, n_init=_N_INIT, random_state=seed).fit(codes)
    if len(np.unique(kmeans.labels_)) < 2:
        return kmeans.inertia_, np.nan
    n_silhouette = min(len(codes), _MOST_IN_SILHOUETTE)
    rows = np.random.default_rng(seed).permutation(len(codes))[:n_silhouette]
    return kmeans.inertia_, silhouette_score(codes[rows], kmeans.labels_[rows])


def _cluster_halves(codes, halves, k, seed):
    """Return how alike the clusterings of two halves are, and how probably two clusters are one."""
    points = tuple(codes[rows] for rows in halves)
    fits = [KMeans(k, n_init=_N_INIT, random_state=seed).fit(half) for half in points]
    both = np.concatenate(points)
    labels = tuple(fit.predict(both) for fit in fits)
    centers = (
        fits[0].cluster_centers_,
        fits[1].cluster_centers_[match_centers(labels, k)],
    )
    return adjusted_rand_score(*labels), chance_of_no_valley(points, centers)


def _check_numbers(n_clusters, n):
    numbers = list(n_clusters) if isinstance(n_clusters, Iterable) else [n_clusters]
    if not numbers or not all(is_positive_int(k) and k > 1 for k in numbers):
        raise ValueError(
            f"Expected `n_clusters` to hold ints of at least 2. Received: {n_clusters!r}"
        )
    numbers = sorted({int(k) for k in numbers})
    most = n // 4
    if numbers[0] > most:
        raise ValueError(
            f"Expected at least four samples a cluster: {4 * numbers[0]} for {numbers[0]} "
            f"clusters. Received: {n} samples"
        )
    if numbers[-1] > most:
        logger.info("Numbers of clusters above %d are left out, a quarter of the samples.", most)
    return [k for k in numbers if k <= most]


def _check_encoder(encoder, x):
    if isinstance(encoder, keras.Model):
        shape = getattr(encoder, "input_shape", None)
        if not isinstance(shape, tuple) or tuple(shape[1:]) != x.shape[1:]:
            raise ValueError(
                f"Expected `encoder` to take samples of shape {x.shape[1:]}. Received: one that "
                f"takes {shape}"
            )
    elif encoder is not None and not (isinstance(encoder, str) and encoder == "auto"):
        raise TypeError(
            'Expected `encoder` to be "auto", a built Keras model, or None for codes. '
            f"Received: {encoder!r}"
        )
