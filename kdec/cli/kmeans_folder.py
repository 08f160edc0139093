"""The folder of `kdec cluster --method kmeans`, which several workers fill together."""

import json
import shutil
import time

import numpy as np

from kdec.cli import cluster_folder
from kdec.experiments import surroundings, write_json
from kdec.kmeans import KMeans
from kdec.whole_files import written_whole

_CENTERS = "centers.npy"


def fill(out, dataset, command, k, seed, workers):
    """Cluster the samples and write all files, or read the record of an earlier run.

    Returns:
        The record on the first worker, None on the others.
    """
    identity = cluster_folder.identity(command, dataset)
    finished = None
    if workers.index == 0:
        finished = cluster_folder.open_folder(out, identity)
    if workers.sum(int(finished is not None)):
        return finished
    backup = out / cluster_folder.BACKUP
    if workers.index == 0:
        backup.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    x = dataset.x if dataset.x.ndim == 2 else dataset.flat
    kmeans = KMeans(k, random_state=seed).fit(workers.own(x), backup_dir=backup / "kmeans")
    seconds = round(time.perf_counter() - start, 2)
    labels = np.asarray(workers.gather(kmeans.labels_))
    if workers.index > 0:
        return None
    cluster_folder.write_clusters(out, dataset, labels)
    with written_whole(out / _CENTERS) as partial:
        np.save(partial, kmeans.cluster_centers_)
    scores = {}
    if dataset.y is not None:
        scores["k-means"] = cluster_folder.scores_of(dataset.y, labels)
    sizes = np.bincount(labels, minlength=k).tolist()
    result = {
        **identity,
        "seed": seed,
        "n_clusters": k,
        "clusters": [
            {"cluster": cluster, "samples": size, "confidence": None}
            for cluster, size in enumerate(sizes)
        ],
        "metrics": scores,
        "inertia": kmeans.inertia_,
        "iterations": kmeans.n_iter_,
        "workers": workers.count,
        "left_out": dict(dataset.left_out),
        "seconds": {"clustering": seconds},
        **surroundings(),
    }
    write_json(out / "result.json", result)
    shutil.rmtree(backup, ignore_errors=True)
    return json.loads(json.dumps(result))
