"""k-means against scikit-learn, scikit-learn-intelex, faiss and fast-pytorch-kmeans.

    python benchmarks/kmeans.py [work ...]

Every system does every work in a process of its own, on all cores, with the same number of
restarts, or from the same initial centroids; scikit-learn by Lloyd's and by Elkan's algorithm.
faiss always does all iterations of a restart. fast-pytorch-kmeans has no restarts: it is called
once for each, and the lowest inertia is the best. `first` is the first fit in the process, tracing
and compiling included, with nothing that was compiled before; `seconds` is the second.
`processor_seconds` is that of all cores in the second fit: it holds beside other work, except that
scikit-learn's threads wait busily. `peak` is the process's highest resident memory, `above` how
much of it the fits added to what the process and the data held before.

The work "growth" is how the seconds of a fit grow with n, k and d: slopes of their logarithms. The
work "mnist" needs KDEC_DATA_DIR. A system that is not installed is left out. Writes
results/benchmarks/kmeans.json; with arguments, other rows stay as they are there.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import comparison
import numpy as np

ROUNDING = 1e-6  # greatest relative difference of inertias that count as equal
ALL = ("kdec", "lloyd", "elkan", "intelex", "faiss", "pytorch")
MODULES = {
    "kdec": "kdec.kmeans",
    "intelex": "sklearnex.cluster",
    "faiss": "faiss",
    "pytorch": "fast_pytorch_kmeans",
}
WORK = {
    "mnist": {
        "what": "70,000 x 784, k 10, n_init 20, random init",
        "reach": 5.0,
        "options": {"n_clusters": 10, "init": "random", "n_init": 20, "random_state": 0},
    },
    "embedding": {
        "what": "70,000 x 10, k 10, n_init 20, random init",
        "reach": 1.5,
        "shape": (70_000, 10),
        "options": {"n_clusters": 10, "init": "random", "n_init": 20, "random_state": 0},
    },
    "many-clusters": {
        "what": "1,000,000 x 32, k 256, n_init 1, 20 iterations",
        "reach": 1.5,
        "shape": (1_000_000, 32),
        "options": {"n_clusters": 256, "n_init": 1, "max_iter": 20, "tol": 0},
    },
    "long": {
        "what": "10,000,000 x 16, k 64, n_init 1, 10 iterations",
        "reach": 1.5,
        "shape": (10_000_000, 16),
        "options": {"n_clusters": 64, "n_init": 1, "max_iter": 10, "tol": 0},
    },
    "thousand-clusters": {
        "what": "20,000 x 32, k 1,000, n_init 1, 20 iterations",
        "reach": 1.5,
        "shape": (20_000, 32),
        "options": {"n_clusters": 1000, "n_init": 1, "max_iter": 20, "tol": 0},
    },
    "small": {
        "what": "5,000 x 10, k 10, n_init 10",
        "reach": 1.5,
        "shape": (5_000, 10),
        "options": {"n_clusters": 10, "n_init": 10, "random_state": 0},
    },
}
GROWTH = {  # shapes (n, d, k); the others stay at the middle one
    "n": [(n, 32, 64) for n in (62_500, 250_000, 1_000_000)],
    "k": [(250_000, 32, k) for k in (16, 64, 256)],
    "d": [(250_000, d, 64) for d in (8, 32, 128)],
}
ITERATIONS = 10  # of a fit of GROWTH
LEAST = 3  # fits of each shape of GROWTH, of which the fastest counts


def load(work):
    """Return the points and, where the work has them, the initial centroids."""
    if work == "mnist":
        from kdec.data import load_data

        return load_data("mnist").flat, None
    given = WORK[work]
    has_start = given["options"].get("n_init") == 1
    return overlapping_gaussians(*given["shape"], given["options"]["n_clusters"], start=has_start)


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


def fit(system, x, options):
    """Fit once; return centroids and iterations."""
    module = importlib.import_module(MODULES.get(system, "sklearn.cluster"))
    if system == "faiss":
        return fit_faiss(module, x, options)
    if system == "pytorch":
        return fit_pytorch(module, x, options)
    if system in ("lloyd", "elkan"):
        options = {**options, "algorithm": system}
    kmeans = module.KMeans(**options).fit(x)
    return kmeans.cluster_centers_, kmeans.n_iter_


def fit_faiss(faiss, x, options):
    n_iter = options.get("max_iter", 100)
    kmeans = faiss.Kmeans(
        x.shape[1],
        options["n_clusters"],
        niter=n_iter,
        nredo=options["n_init"],
        max_points_per_centroid=len(x),
        seed=1,
    )
    init = options.get("init")
    kmeans.train(x, init_centroids=init if isinstance(init, np.ndarray) else None)
    return kmeans.centroids, n_iter


def fit_pytorch(module, x, options):
    import torch

    points, init, n_iter = torch.from_numpy(x), options.get("init"), options.get("max_iter", 300)
    start = torch.from_numpy(init) if isinstance(init, np.ndarray) else None
    method = "random" if start is not None or init == "random" else "kmeans++"
    best = None
    for _ in range(options["n_init"]):
        kmeans = module.KMeans(
            options["n_clusters"], n_iter, options.get("tol", 1e-4), init_method=method
        )
        kmeans.fit(points, start)
        found = -float(kmeans.max_sim(points, kmeans.centroids)[0].sum())
        if best is None or found < best[0]:
            best = found, kmeans.centroids.numpy()
    return best[1], n_iter


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
    importlib.import_module(MODULES.get(system, "sklearn.cluster"))
    # So that a first fit is one on a new machine, where nothing is compiled yet.
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, NUMBA_CACHE_DIR=folder),
    ):
        print(json.dumps(growth(system) if work == "growth" else figures(work, system)))


def figures(work, system):
    x, init = load(work)
    options = dict(WORK[work]["options"])
    if init is not None:
        options["init"] = init
    before = memory()
    fits = [timed(system, x, options) for _ in range(2)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    centers, n_iter = fits[-1]["result"]
    return {
        "seconds": fits[-1]["seconds"],
        "first": fits[0]["seconds"],
        "processor_seconds": fits[-1]["processor"],
        "first_processor_seconds": fits[0]["processor"],
        "inertia": inertia(x, centers),
        "n_iter": int(n_iter),
        "peak_mib": peak,
        "above_mib": peak - before,
    }


def timed(system, x, options):
    start, processor = time.perf_counter(), time.process_time()
    result = fit(system, x, options)
    return {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - processor,
        "result": result,
    }


def growth(system):
    """Return the seconds of a fit for each shape of GROWTH, and the slope of each series."""
    found = {}
    for name, shapes in GROWTH.items():
        seconds = []
        for n, d, k in shapes:
            x, init = overlapping_gaussians(n, d, k, start=True)
            options = {"n_clusters": k, "init": init, "n_init": 1, "max_iter": ITERATIONS, "tol": 0}
            seconds.append(min(timed(system, x, options)["seconds"] for _ in range(LEAST)))
        sizes = [shape["ndk".index(name)] for shape in shapes]
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        found[name] = {"sizes": sizes, "seconds": seconds, "slope": slope}
    return found


def memory():
    """Resident memory of this process now, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def run(work, system):
    """Return what one system measures in a process of its own, or why it did not run."""
    try:
        return comparison.in_child(__file__, "--measure", work, system)
    except subprocess.CalledProcessError as error:
        # Its text has the command, and so folders of this machine.
        return {"absent": f"exit status {error.returncode}"}


def compare(work):
    """Measure every system on one work; print and return the figures."""
    print(f"\n{work}: {WORK[work]['what']}", flush=True)
    print(
        f"{'system':8}{'seconds':>10}{'first':>10}{'processor':>10}{'first':>10}"
        f"{'inertia':>18}{'peak MiB':>10}{'above':>8}"
    )
    systems = {}
    for system in ALL:
        found = systems[system] = run(work, system)
        if "absent" in found:
            print(f"{system:8} did not run", flush=True)
            continue
        print(
            f"{system:8}{found['seconds']:10.2f}{found['first']:10.2f}"
            f"{found['processor_seconds']:10.2f}{found['first_processor_seconds']:10.2f}"
            f"{found['inertia']:18.2f}{found['peak_mib']:10.0f}{found['above_mib']:8.0f}",
            flush=True,
        )
    record = {"what": WORK[work]["what"], "reach": WORK[work]["reach"], "systems": systems}
    return {**record, **verdict(systems)}


def compare_growth():
    """Print and return the slopes of kdec and scikit-learn."""
    print("\ngrowth: slope of log seconds over the log of")
    systems = {system: run("growth", system) for system in ("kdec", "lloyd")}
    for system, found in systems.items():
        if "absent" in found:
            continue
        slopes = "".join(f"  {name} {series['slope']:.2f}" for name, series in found.items())
        print(f"{system:8}{slopes}", flush=True)
    return systems


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
    # Each row is a comparison by itself: those that are not chosen stay in the record.
    record = comparison.read("kmeans")
    found = {"work": record["work"], "growth": record["growth"]}
    for name in chosen or (*WORK, "growth"):
        if name == "growth":
            found["growth"] = compare_growth()
        else:
            found["work"][name] = compare(name)
        comparison.write("kmeans", found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(sys.argv[1:])
