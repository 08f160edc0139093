"""Random k-means problems, and what is wrong with kdec's answer to one.

Sizes come from a short list, so that few searches have to be compiled. Everything else is drawn:
type of the numbers, scale, offset, duplicates, weights, sparseness, metric, start.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import sklearn.cluster
from sklearn.preprocessing import normalize

from kdec import KMeans

_SIZES = ((12, 1), (40, 2), (150, 3), (300, 8), (60, 40))
_TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


@dataclass
class Problem:
    """A problem of k-means, and the words for its kind."""

    x: object
    weight: np.ndarray | None
    options: dict
    kind: dict = field(default_factory=dict)


def draw(seed: int, few_traces: bool = False) -> Problem:
    """Return the problem of a seed; `few_traces` leaves out kinds with traces of their own."""
    rng = np.random.default_rng(seed)
    n, d = _SIZES[rng.integers(len(_SIZES))]
    kind = {
        "size": f"{n} x {d}",
        "dtype": str(rng.choice(["float32", "float64", "int32", "int64", "uint8"])),
        "metric": str(rng.choice(["euclidean", "euclidean", "manhattan", "cosine"])),
        "init": str(rng.choice(["array", "k-means++", "random"])),
        "weights": str(rng.choice(["none", "integers", "reals", "zeros"])),
        "layout": str(rng.choice(["dense", "dense", "sparse", "fortran", "read-only"])),
        "duplicates": bool(rng.random() < 0.2),
        "k": str(rng.choice(["few", "near n"], p=[0.9, 0.1])),
    }
    if few_traces and kind["metric"] != "euclidean":
        kind |= {"dtype": "float64", "layout": "dense"}
    if few_traces and kind["layout"] == "sparse":
        kind["dtype"] = "float64"
    k = int(rng.integers(max(2, n - 3), n + 1) if kind["k"] == "near n" else rng.integers(1, 9))
    x = rng.normal(size=(n, d)) + 3 * rng.normal(size=(k, d))[rng.integers(k, size=n)]
    if kind["duplicates"]:
        x = x[rng.integers(max(k, n // 4), size=n)]
    if kind["layout"] == "sparse":
        x *= rng.random(x.shape) < 0.3
    x = _with_units(x, kind, rng)
    weight = _weights(n, kind, rng)
    if weight is not None and np.count_nonzero(weight) < k and kind["init"] == "random":
        kind["init"] = "k-means++"  # "random" draws points that have a weight.
    options = {"n_clusters": k, "metric": kind["metric"], "tol": 0, "random_state": seed}
    options["init"] = kind["init"]
    if kind["init"] == "array":
        rows = rng.choice(n, k, replace=False)
        options["init"] = x[rows].toarray() if scipy.sparse.issparse(x) else np.array(x[rows])
    else:
        options["n_init"] = 2
    return Problem(x, weight, options, kind)


def _with_units(x, kind, rng):
    """Give the points a scale, an offset, a type and a layout."""
    if kind["dtype"].startswith("float"):
        scale = 10.0 ** rng.integers(-6, 7)
        # float32 has seven digits, of which the offset takes three.
        offset = rng.choice([0, 0, 1e3 if kind["dtype"] == "float32" else 1e6])
        kind |= {"scale": f"{scale:g}", "offset": f"{offset:g}"}
        offset = 0 if kind["layout"] == "sparse" else offset
        x = (scale * (x + offset)).astype(kind["dtype"])
    else:
        kind |= {"scale": "integers", "offset": "0"}
        low = 0 if kind["layout"] == "sparse" else 128
        x = np.clip(np.round(10 * x) + low, 0, 255).astype(kind["dtype"])
    if kind["layout"] == "sparse":
        return scipy.sparse.csr_matrix(x)
    if kind["layout"] == "fortran":
        return np.asfortranarray(x)
    if kind["layout"] == "read-only":
        x.flags.writeable = False
    return x


def _weights(n, kind, rng):
    if kind["weights"] == "none":
        return None
    if kind["weights"] == "reals":
        return rng.uniform(0.1, 10, n)
    weight = rng.integers(1, 5, n).astype(float)
    if kind["weights"] == "zeros":
        weight[rng.permutation(n)[: n // 5]] = 0
    return weight


@dataclass
class Answer:
    """What kdec answers: what is wrong with it, how it compares, and how far it is off."""

    faults: list[str]
    verdict: (
        str  # "same labels", "same inertia", "another minimum", "empty cluster", "not compared"
    )
    deviation: float  # largest of all, in units of what is allowed


def solve(problem: Problem) -> Answer:
    """Fit the problem, check the conditions of a local minimum, compare with another program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clusters that stay empty, restarts that are not needed
        kmeans = KMeans(**problem.options).fit(problem.x, sample_weight=problem.weight)
        others = _other_fit(problem, kmeans)
    x, weight, allowed = _in_float64(problem, kmeans)
    centers = kmeans.cluster_centers_.astype(np.float64)
    distances = _distances(x, centers, problem.options["metric"])
    unit = _unit(x, problem.options["metric"])
    own = distances[np.arange(len(x)), kmeans.labels_]
    deviations = {
        "label": (own - distances.min(axis=1)).max() / unit,
        "inertia": abs(kmeans.inertia_ - weight @ own) / (unit * weight.sum()),
        "score": abs(kmeans.score(problem.x, sample_weight=problem.weight) + weight @ own)
        / (unit * weight.sum()),
        "predict": (distances[np.arange(len(x)), kmeans.predict(problem.x)] - own).max() / unit,
        "history": np.diff(kmeans.inertia_history_).max(initial=0) / (unit * weight.sum()),
        "center": _center_shift(problem, kmeans, x, weight, centers) / unit,
    }
    if problem.options["metric"] == "manhattan":
        del deviations["history"]  # its update does not minimise the distance
    deviations = {name: deviation / allowed for name, deviation in deviations.items()}
    faults = [f"{name}: {value:.2g}" for name, value in deviations.items() if not value <= 1]
    return Answer(
        faults, _verdict(kmeans, others, unit * weight.sum() * allowed), max(deviations.values())
    )


def _in_float64(problem, kmeans):
    """Return points and weights in float64, and the deviation that the type of the fit allows."""
    x = problem.x.toarray() if scipy.sparse.issparse(problem.x) else problem.x
    x = np.array(x, np.float64)
    if problem.options["metric"] == "cosine":
        x = normalize(x)
    weight = np.ones(len(x)) if problem.weight is None else problem.weight
    return x, weight, _TOLERANCE[str(kmeans.cluster_centers_.dtype)]


def _unit(x, metric):
    """Return the distance that rounding goes with: the largest one, or that of right angles."""
    if metric == "cosine":
        return 1.0
    return _distances(x, x.mean(axis=0, keepdims=True), metric).max() or 1.0


def _distances(x, centers, metric):
    """Return the distances (n, k) that inertia is the sum of."""
    if metric == "cosine":
        return 1 - x @ centers.T
    differences = x[:, np.newaxis] - centers
    power = 2 if metric == "euclidean" else 1
    return (np.abs(differences) ** power).sum(axis=2)


def _center_shift(problem, kmeans, x, weight, centers):
    """Return the largest distance of a center from the mean of its points, once it is there."""
    metric = problem.options["metric"]
    if kmeans.n_iter_ == kmeans.max_iter:
        return 0.0
    shift = 0.0
    for label in np.unique(kmeans.labels_[weight > 0]):
        chosen = (kmeans.labels_ == label) & (weight > 0)
        if metric == "cosine":
            chosen &= x.any(axis=1)
        if chosen.any():
            mean = _mean(x[chosen], weight[chosen], metric)
            shift = max(shift, _distances(mean[np.newaxis], centers[[label]], metric).item())
    return shift


def _mean(x, weight, metric):
    mean = np.average(x, axis=0, weights=weight)
    return mean / np.linalg.norm(mean) if metric == "cosine" else mean


def _other_fit(problem, kmeans):
    """Return labels and inertia of another program from the same start, or a word why not."""
    if problem.kind["init"] != "array":
        return "not compared"
    if problem.options["metric"] == "euclidean":
        other = sklearn.cluster.KMeans(**_without_metric(problem.options))
        other.fit(problem.x, sample_weight=problem.weight)
        return other.labels_, other.inertia_
    x, weight, _ = _in_float64(problem, kmeans)
    return reference(x, weight, np.array(problem.options["init"], float), problem.options["metric"])


def _without_metric(options):
    return {name: value for name, value in options.items() if name != "metric"} | {"n_init": 1}


def reference(x, weight, centers, metric):
    """Run Lloyd's algorithm in NumPy; return labels and inertia, or a word if a cluster empties."""
    centers = normalize(centers) if metric == "cosine" else centers
    counts = weight > 0
    if metric == "cosine" and np.count_nonzero(counts & x.any(axis=1)) >= len(centers):
        counts = counts & x.any(axis=1)
    labels = np.full(len(x), -1)
    for _ in range(300):
        new = _distances(x, centers, metric).argmin(axis=1)
        if (new == labels).all():
            break
        labels = new
        if len(np.unique(labels[counts])) < len(centers):
            return "empty cluster"
        own = ((labels == label) & counts for label in range(len(centers)))
        centers = np.stack([_mean(x[rows], weight[rows], metric) for rows in own])
    distances = _distances(x, centers, metric)
    return distances.argmin(axis=1), weight @ distances.min(axis=1)


def _verdict(kmeans, others, tolerance):
    if isinstance(others, str):
        return others
    labels, inertia = others
    if (labels == kmeans.labels_).all():
        return "same labels"
    return "same inertia" if abs(inertia - kmeans.inertia_) <= tolerance else "another minimum"
