"""k-means against scikit-learn (Lloyd and Elkan) and faiss on the same float32 data.

    python benchmarks/kmeans.py [work ...]

Every system does every work in a process of its own, on all cores, with the same number of
restarts, or from the same initial centroids. faiss always does all iterations of a restart. `first`
is the first fit in the process, TensorFlow's tracing and compiling included; `seconds` is kdec's
second fit, for all work but the largest, and the others' first and only one. `peak` is the
process's highest resident memory, `above` how much of it the fit added to what the process and the
data held before.

The work "mnist" needs KDEC_DATA_DIR. Writes results/benchmarks/kmeans.json.
"""

import json
import resource
import sys
import time
from pathlib import Path

import comparison
import numpy as np

ROUNDING = 1e-4  # greatest relative difference of inertias that count as equal
WORK = {
    "mnist": {
        "what": "70,000 x 784, k 10, n_init 20, random init",
        "systems": ("kdec", "lloyd", "elkan", "faiss"),
        "reach": 4.0,
        "options": {"n_clusters": 10, "init": "random", "n_init": 20, "random_state": 0},
        "fits": 2,
    },
    "embedding": {
        "what": "70,000 x 10, k 10, n_init 20, random init",
        "systems": ("kdec", "lloyd", "elkan"),
        "reach": 1.5,
        "options": {"n_clusters": 10, "init": "random", "n_init": 20, "random_state": 0},
        "fits": 2,
    },
    "many-clusters": {
        "what": "1,000,000 x 32, k 256, n_init 1, 20 iterations",
        "systems": ("kdec", "lloyd"),
        "reach": 1.0,
        "options": {"n_clusters": 256, "n_init": 1, "max_iter": 20, "tol": 0},
        "fits": 2,
    },
    "long": {
        "what": "10,000,000 x 16, k 64, n_init 1, 10 iterations",
        "systems": ("kdec", "lloyd"),
        "reach": 1.0,
        "options": {"n_clusters": 64, "n_init": 1, "max_iter": 10, "tol": 0},
        "fits": 1,
    },
}


def load(work):
    """Return the points and, where the work has them, the initial centroids."""
    if work == "mnist":
        from kdec.data import load_data

        return load_data("mnist").flat, None
    n, d, k = {"embedding": (70_000, 10, 10)}.get(work) or (
        (1_000_000, 32, 256) if work == "many-clusters" else (10_000_000, 16, 64)
    )
    return overlapping_gaussians(n, d, k, start=work != "embedding")


def overlapping_gaussians(n, d, k, start):
    """Points around k random centers, so near to each other that clusters overlap."""
    random = np.random.default_rng(0)
    x = np.empty((n, d), np.float32)
    random.standard_normal(dtype=np.float32, out=x)
    centers = random.standard_normal((k, d), dtype=np.float32)
    for first in range(0, n, 100_000):
        part = x[first : first + 100_000]
        part += centers[random.integers(0, k, len(part))]
    return x, (x[random.choice(n, k, replace=False)] if start else None)


def fit_estimator(system, x, options):
    """Fit once with kdec or scikit-learn; return centroids and iterations."""
    if system == "kdec":
        from kdec import KMeans

        kmeans = KMeans(**options).fit(x)
    else:
        from sklearn.cluster import KMeans

        kmeans = KMeans(algorithm=system, **options).fit(x)
    return kmeans.cluster_centers_, kmeans.n_iter_


def fit_faiss(x, options):
    """Fit once with faiss; return centroids and iterations."""
    import faiss

    kmeans = faiss.Kmeans(
        x.shape[1],
        options["n_clusters"],
        niter=100,
        nredo=options["n_init"],
        max_points_per_centroid=len(x),
        seed=1,
    )
    kmeans.train(x)
    return kmeans.centroids, 100


def inertia(x, centers):
    """Summed squared distance to the nearest centroid, in float64 for every system alike.

    The libraries' own figures are sums in float32, which loses digits with millions of points.
    """
    centers = centers.astype(np.float64)
    squares = (centers**2).sum(axis=1)
    total = 0.0
    for start in range(0, len(x), 10_000):
        part = x[start : start + 10_000].astype(np.float64)
        scores = squares - 2 * part @ centers.T
        total += (part**2).sum() + scores.min(axis=1).sum()
    return total


def measure(work, system):
    """Do one work with one system in this process; print its figures as JSON."""
    x, init = load(work)
    options = dict(WORK[work]["options"])
    if init is not None:
        options["init"] = init
    if system == "faiss":
        import faiss  # noqa: F401
    elif system == "kdec":
        import kdec.kmeans  # noqa: F401
    else:
        import sklearn.cluster  # noqa: F401
    before = memory()
    seconds = []
    for _ in range(WORK[work]["fits"] if system == "kdec" else 1):
        start = time.perf_counter()
        if system == "faiss":
            centers, n_iter = fit_faiss(x, options)
        else:
            centers, n_iter = fit_estimator(system, x, options)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "seconds": seconds[-1],
        "first": seconds[0],
        "inertia": inertia(x, centers),
        "n_iter": int(n_iter),
        "peak_mib": peak,
        "above_mib": peak - before,
    }
    print(json.dumps(figures))


def memory():
    """Resident memory of this process now, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def compare(work):
    """Measure every system on one work; print and return the figures."""
    print(f"\n{work}: {WORK[work]['what']}", flush=True)
    print(f"{'system':8}{'seconds':>10}{'first':>10}{'inertia':>18}{'peak MiB':>10}{'above':>8}")
    systems = {}
    for system in WORK[work]["systems"]:
        try:
            figures = comparison.in_child(__file__, "--measure", work, system)
        except Exception as error:
            systems[system] = {"absent": str(error)}
            print(f"{system:8} did not run", flush=True)
            continue
        systems[system] = figures
        print(
            f"{system:8}{figures['seconds']:10.2f}{figures['first']:10.2f}"
            f"{figures['inertia']:18.2f}{figures['peak_mib']:10.0f}{figures['above_mib']:8.0f}",
            flush=True,
        )
    record = {"what": WORK[work]["what"], "reach": WORK[work]["reach"], "systems": systems}
    return {**record, **verdict(systems)}


def verdict(systems):
    """Compare kdec with the faster of scikit-learn's algorithms."""
    rivals = [systems[name] for name in ("lloyd", "elkan") if "seconds" in systems.get(name, {})]
    if "seconds" not in systems["kdec"] or not rivals:
        return {}
    fastest = min(rivals, key=lambda figures: figures["seconds"])
    kdec = systems["kdec"]
    difference = kdec["inertia"] / fastest["inertia"] - 1
    found = {
        "times_as_fast": fastest["seconds"] / kdec["seconds"],
        "equal_inertia": abs(difference) <= ROUNDING,
        "peak_ratio": kdec["peak_mib"] / fastest["peak_mib"],
        "above_ratio": kdec["above_mib"] / fastest["above_mib"],
    }
    print(
        f"kdec is {found['times_as_fast']:.2f} times as fast; inertia "
        f"{difference:+.1e}; peak memory {found['peak_ratio']:.2f} times, "
        f"above data and libraries {found['above_ratio']:.2f} times",
        flush=True,
    )
    return found


def main(chosen):
    results = {work: compare(work) for work in chosen or WORK}
    if not chosen:
        comparison.write("kmeans", {"work": results})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(sys.argv[1:])
