"""When clusters of an encoder are better than those of k-means: ten kinds of made-up tables.

    python benchmarks/encoder_or_kmeans.py [ROWS ...] [--seeds SEED ...]

By default tables of 300 and 1,000 rows, seed 100. For each table: NMI with the true groups of
k-means on the standardised columns, and of k-means on the codes of an encoder trained by contrast,
with diffusion; and the share of the pairs of neighbours that either parts. By that share
`DeepClustering` decides which of them to keep.

Prints a table, and writes results/benchmarks/encoder_or_kmeans.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import sklearn.cluster
from sklearn.datasets import make_blobs, make_classification, make_moons
from sklearn.preprocessing import StandardScaler

import kdec
from kdec import metrics

OUT = Path(__file__).parent.parent / "results" / "benchmarks" / "encoder_or_kmeans.json"
_CLASSIFICATION = {"n_features": 15, "n_informative": 6, "n_redundant": 4, "flip_y": 0}


def stretched(n, rng):
    y, centers, maps = (
        rng.integers(0, 4, n),
        rng.normal(0, 2.2, (4, 6)),
        rng.normal(0, 0.6, (4, 6, 6)),
    )
    return centers[y] + np.einsum("nd,nde->ne", rng.normal(size=(n, 6)), maps[y]), y


def skewed(n, rng):
    """Two groups of other spread, in 30 skewed columns that hang together."""
    y = (rng.random(n) < 0.37).astype(int)
    factors = rng.normal(size=(n, 4)) * np.where(y, 1.4, 0.8)[:, None]
    factors[:, 0] += 2.4 * y
    factors[:, 1] -= 0.8 * y
    weights = rng.normal(size=(4, 30)) * np.array([1, 0.8, 0.6, 0.5])[:, None]
    return np.exp(0.3 * (factors @ weights + 0.6 * rng.normal(size=(n, 30)))), y


def unequal(n, rng):
    y, centers = rng.choice(3, n, p=[0.75, 0.17, 0.08]), rng.normal(0, 1.6, (3, 8))
    return centers[y] + rng.normal(size=(n, 8)), y


def among_noise(n, rng):
    y, centers = rng.integers(0, 4, n), rng.normal(0, 1.7, (4, 6))
    return np.hstack([centers[y] + rng.normal(size=(n, 6)), rng.normal(size=(n, 20))]), y


def bent(n, rng, state):
    x, y = make_moons(n, noise=0.08, random_state=state)
    first, second = rng.normal(size=(2, 40)), rng.normal(size=(40, 10))
    return np.tanh(x @ first) @ second * 0.3 + 0.1 * rng.normal(size=(n, 10)), y


KINDS = {
    "blobs": lambda n, rng, s: make_blobs(n, 13, centers=3, cluster_std=6.5, random_state=s),
    "overlap": lambda n, rng, s: make_blobs(n, 4, centers=3, cluster_std=3.5, random_state=s),
    "many": lambda n, rng, s: make_blobs(n, 10, centers=8, cluster_std=4.0, random_state=s),
    "classification": lambda n, rng, s: make_classification(
        n, n_classes=4, n_clusters_per_class=1, class_sep=1.5, random_state=s, **_CLASSIFICATION
    ),
    "styles": lambda n, rng, s: make_classification(
        n, n_classes=3, n_clusters_per_class=2, class_sep=2, random_state=s, **_CLASSIFICATION
    ),
    "stretched": lambda n, rng, s: stretched(n, rng),
    "skewed": lambda n, rng, s: skewed(n, rng),
    "unequal": lambda n, rng, s: unequal(n, rng),
    "among noise": lambda n, rng, s: among_noise(n, rng),
    "bent": bent,
}


def row_of(kind, n, seed):
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    x, y = KINDS[kind](n, rng, int(rng.integers(2**31)))
    x, k = StandardScaler().fit_transform(x).astype("float32"), len(np.unique(y))
    kmeans = sklearn.cluster.KMeans(k, n_init=10, random_state=seed).fit(x)
    deep = kdec.DeepClustering(k, encoder="dense", standardize=False, random_state=seed).fit(x)
    neighbors = kdec.nearest_neighbors(x, 10)
    parted = [
        float(np.mean(labels[neighbors] != labels[:, None]))
        for labels in (kmeans.labels_, deep.labels_)
    ]
    return {
        "table": kind,
        "n": n,
        "seed": seed,
        "nmi_kmeans": metrics.nmi(y, kmeans.labels_),
        "nmi_encoder": metrics.nmi(y, deep.labels_),
        "parted_by_kmeans": parted[0],
        "parted_by_encoder": parted[1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", type=int, default=[300, 1000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    options = parser.parse_args()
    rows = []
    for seed in options.seeds:
        for n in options.rows:
            for kind in KINDS:
                rows.append(row_of(kind, n, seed))
                print(
                    *(f"{v:.3f}" if isinstance(v, float) else v for v in rows[-1].values()),
                    flush=True,
                )
        OUT.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
