"""DeepClustering by its defaults, against what people take for data of their own.

Seven sets that a package ships, five seeds, the true number of clusters given to all systems but
HDBSCAN, which finds its own. Tables go through `kdec.data.read`, so that all systems get the same
standardised columns; images are values in [0, 1], as flat vectors for the peers. True labels only
score. HDBSCAN's noise counts as one more cluster.

    python benchmarks/own_data.py [SYSTEM ...]

Needs umap-learn, clustpy, torch, river and palmerpenguins (the `bench` extra). Each fit runs in a
process of its own; its seconds include compilation, but no imports. Seconds of the processor are
those of all cores together, so they hold beside other work too. Fits that
results/benchmarks/own_data.json holds already are not done again, so the same command goes on with
an interrupted one. Prints the means as a table.
"""

import json
import sys
import time

import comparison
import numpy as np

DATA = ("iris", "wine", "breast-cancer", "penguins", "image-segments", "digits", "mnist-5k")
IMAGES = ("digits", "mnist-5k")
SEEDS = range(5)
NAME = "own_data"


def main():
    """Fit what is not recorded yet, and print the table; or in a child process, one fit."""
    if sys.argv[1:2] == ["--fit"]:
        print(json.dumps(fit(*sys.argv[2:])))
        return
    unknown = set(sys.argv[1:]) - set(SYSTEMS)
    if unknown:
        sys.exit(f"Expected systems out of {list(SYSTEMS)}. Received: {sorted(unknown)}")
    record = comparison.RESULTS / f"{NAME}.json"
    fits = json.loads(record.read_text())["fits"] if record.exists() else []
    done = {(row["data"], row["seed"], row["system"]) for row in fits}
    for system in sys.argv[1:] or SYSTEMS:
        for data in DATA:
            for seed in SEEDS if system not in DETERMINISTIC else SEEDS[:1]:
                if (data, seed, system) not in done:
                    row = comparison.in_child(__file__, "--fit", system, data, str(seed))
                    fits.append({"data": data, "seed": seed, "system": system, **row})
                    comparison.write(NAME, {"fits": fits, "means": means(fits)})
                    print(fits[-1], flush=True)
    print(table(means(fits)))


def load(name):
    """Return a set of samples, with labels."""
    import sklearn.datasets

    import kdec

    if name in IMAGES:
        return kdec.load_data(name)
    if name == "penguins":
        import palmerpenguins

        columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "species"]
        frame = palmerpenguins.load_penguins()[columns]
        return kdec.data.read(frame, labels="species", missing="drop")
    if name == "image-segments":
        import pandas as pd
        from river.datasets import ImageSegments

        rows = [{**row, "kind of segment": kind} for row, kind in ImageSegments()]
        return kdec.data.read(pd.DataFrame(rows), labels="kind of segment")
    bunch = {
        "iris": sklearn.datasets.load_iris,
        "wine": sklearn.datasets.load_wine,
        "breast-cancer": sklearn.datasets.load_breast_cancer,
    }[name](as_frame=True)
    return kdec.data.read(bunch)


def fit(system, name, seed):
    """Cluster a set by one system; return its scores and seconds, or why there are none."""
    from kdec import metrics

    data, seed = load(name), int(seed)
    cluster = SYSTEMS[system]()
    x = data.x if system == "DeepClustering" else data.flat.astype(np.float64)
    start, start_processor = time.perf_counter(), time.process_time()
    try:
        labels = np.asarray(cluster(x, data.n_classes, seed))
    except Exception as error:  # What a peer does not manage is a finding.
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    times = {
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - start_processor,
    }
    # Labels count from 0; HDBSCAN's noise is -1.
    labels = np.unique(labels, return_inverse=True)[1]
    scores = {
        name: float(getattr(metrics, name)(data.y, labels)) for name in ("accuracy", "nmi", "ari")
    }
    return {**scores, "n_clusters": int(labels.max()) + 1, **times}


def kmeans():
    """k-means of scikit-learn, ten restarts."""
    from sklearn.cluster import KMeans

    return lambda x, k, seed: KMeans(k, n_init=10, random_state=seed).fit_predict(x)


def gaussian_mixture():
    """A mixture of Gaussians with covariances of their own."""
    from sklearn.mixture import GaussianMixture

    return lambda x, k, seed: GaussianMixture(k, random_state=seed).fit_predict(x)


def spectral_clustering():
    """Spectral clustering of the graph of ten neighbours."""
    from sklearn.cluster import SpectralClustering

    return lambda x, k, seed: SpectralClustering(
        k, affinity="nearest_neighbors", random_state=seed
    ).fit_predict(x)


def hdbscan():
    """HDBSCAN; a cluster has at least one sample in a hundred."""
    from sklearn.cluster import HDBSCAN

    return lambda x, k, seed: HDBSCAN(max(5, len(x) // 100), copy=True).fit_predict(x)


def umap_kmeans():
    """k-means on ten components of UMAP, with 20 neighbours."""
    from sklearn.cluster import KMeans

    # For a class of its own that is not used here, umap would load TensorFlow and with it PyTorch,
    # which crash together.
    sys.modules["tensorflow"] = None
    from umap import UMAP

    def cluster(x, k, seed):
        z = UMAP(20, n_components=10, min_dist=0.0, random_state=seed).fit_transform(x)
        return KMeans(k, n_init=10, random_state=seed).fit_predict(z)

    return cluster


def clustpy(name):
    """Return a system of ClustPy, by its defaults, on one thread."""

    def load():
        import torch
        from clustpy import deep

        # Two waited for each other longer than they worked: 65 processor seconds for 9, on iris.
        torch.set_num_threads(1)
        model = getattr(deep, name)
        return lambda x, k, seed: (
            model(n_clusters=k, random_state=seed).fit(x.astype(np.float32)).labels_
        )

    return load


def deep_clustering():
    """Kdec by its defaults."""
    import tensorflow  # noqa: F401  Kdec loads it at the first fit, which is to be timed without.

    import kdec

    return lambda x, k, seed: kdec.DeepClustering(k, random_state=seed).fit_predict(x)


SYSTEMS = {
    "DeepClustering": deep_clustering,
    "KMeans": kmeans,
    "GaussianMixture": gaussian_mixture,
    "SpectralClustering": spectral_clustering,
    "HDBSCAN": hdbscan,
    "UMAP + KMeans": umap_kmeans,
    "ClustPy DEC": clustpy("DEC"),
    "ClustPy IDEC": clustpy("IDEC"),
}
DETERMINISTIC = ("HDBSCAN",)


def means(fits):
    """Return the mean scores and seconds, and the deviation of NMI, by set and system."""
    result = {}
    for data in DATA:
        for system in SYSTEMS:
            rows = [
                row
                for row in fits
                if row["data"] == data and row["system"] == system and "nmi" in row
            ]
            if rows:
                mean = {
                    name: float(np.mean([row[name] for row in rows]))
                    for name in ("accuracy", "nmi", "ari", "seconds", "processor_seconds")
                }
                deviation = float(np.std([row["nmi"] for row in rows]))
                result.setdefault(data, {})[system] = {
                    **mean,
                    "nmi_deviation": deviation,
                    "n_fits": len(rows),
                }
    return result


def table(means):
    """Return the means as lines: a row for each system, a column of ACC / NMI for each set."""
    lines = [f"{'ACC / NMI':20}" + "".join(f"{data:>16}" for data in DATA)]
    for system in SYSTEMS:
        cells = [
            f"{row['accuracy']:.3f} / {row['nmi']:.3f}" if row else "-"
            for row in (means.get(data, {}).get(system) for data in DATA)
        ]
        lines.append(f"{system:20}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
