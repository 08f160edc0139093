"""The folder of `kdec cluster`: what it is a run of, and the files that it ends with."""

import json
import shutil
import time
import warnings
from pathlib import Path

import numpy as np

from kdec import metrics
from kdec.data import preparation_from_config
from kdec.experiments import read_json, surroundings, thin, write_json
from kdec.guards import refuse_other_work
from kdec.whole_files import written_whole

_RESULT = "result.json"
_MODEL = "model.keras"
BACKUP = "backup"
_RESTARTS = 10


def identity(command, dataset):
    """Return what two runs must have in common to be the same run."""
    data = {"name": dataset.name, "n": len(dataset.x), "sha256": dataset.sha256}
    return {"command": command, "data": data}


def open_folder(out: Path, expected: dict) -> dict | None:
    """Return the record of a finished run in `out`, or None if there is work to do.

    Raises:
        ValueError: If the folder holds another run, or files that are not of such a run.
    """
    finished = read_json(out / _RESULT)
    if finished:
        refuse_other_work(out, finished, expected)
    elif out.exists() and any(out.iterdir()) and not (out / BACKUP).exists():
        raise ValueError(f"Expected a folder that is free. Received: {out} with other files")
    return finished


def fill(out, dataset, command, k, method, seed):
    """Cluster the samples and write all files; return the record, which is written last."""
    from kdec.clustering import DeepClustering

    is_table = getattr(dataset.preparation, "kind", None) == "table"
    start = time.perf_counter()
    clustering = DeepClustering(
        k,
        method=method,
        # `read` has scaled the columns of a table, and categories are to stay 0 and 1.
        standardize=False if is_table else "auto",
        random_state=seed,
        verbose=1,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        clustering.fit(dataset.x, backup_dir=out / BACKUP)
        compared, scores = _beside_kmeans(dataset, clustering, seed)
    seconds = {"clustering": round(time.perf_counter() - start, 2)}
    notes = list(dict.fromkeys(str(warning.message) for warning in caught))
    clustering.save(out / _MODEL)
    write_clusters(out, dataset, clustering.labels_, clustering.probabilities_)
    choice = getattr(clustering, "choice_of_k_", None)
    result = {
        **identity(command, dataset),
        "seed": seed,
        "n_clusters": clustering.n_clusters_,
        "clusters": _clusters(clustering, clustering.labels_, clustering.probabilities_),
        "metrics": scores,
        "choice_of_k": None if choice is None else _as_record(choice),
        "notes": notes,
        "left_out": dict(dataset.left_out),
        "seconds": seconds,
        "curves": {stage: thin(curve) for stage, curve in clustering.history_.items()},
        "preparation": None if dataset.preparation is None else dataset.preparation.get_config(),
        **surroundings(),
    }
    from kdec.cli.cluster_pictures import draw
    from kdec.report import describe, write_report

    draw(out, dataset, clustering)
    contents = describe(
        dataset,
        clustering,
        notes=notes,
        comparison=compared,
        command=command,
        seed=seed,
        seconds=seconds,
        versions=result["versions"],
    )
    write_report(out / "report.html", contents)
    write_json(out / _RESULT, result)
    shutil.rmtree(out / BACKUP, ignore_errors=True)
    return json.loads(json.dumps(result))


def preparation(folder: Path):
    """Return what prepares new data like those that the model in `folder` has learned from."""
    result = read_json(folder / _RESULT)
    if not result or not (folder / _MODEL).exists():
        raise FileNotFoundError(
            f"Expected a folder that kdec cluster has written, with {_RESULT} and {_MODEL}. "
            f"Received: {folder}"
        )
    config = result["preparation"]
    return None if config is None else preparation_from_config(config)


def label(folder, dataset, out):
    """Label the samples by the model in `folder`; write clusters.csv; return sizes and scores."""
    from kdec.clustering import DeepClustering

    clustering = DeepClustering.load(folder / _MODEL)
    assignments = clustering.predict_proba(dataset.x)
    labels, confidence = assignments.argmax(axis=1), assignments.max(axis=1)
    out.mkdir(parents=True, exist_ok=True)
    write_clusters(out, dataset, labels, confidence)
    return {
        "command": f"kdec cluster --apply {folder} {dataset.name}",
        "clusters": _clusters(clustering, labels, confidence),
        "metrics": {} if dataset.y is None else {"the model": scores_of(dataset.y, labels)},
    }


def write_clusters(out, dataset, labels, confidence=None):
    """Write clusters.csv: each sample's name and cluster; if known, its confidence and label."""
    import pandas as pd

    names = range(len(labels)) if dataset.samples is None else map(_harmless, dataset.samples)
    columns = {"sample": list(names), "cluster": labels}
    if confidence is not None:
        columns["confidence"] = np.round(confidence, 4)
    if dataset.y is not None:
        classes = dataset.classes or {}
        columns["label"] = [_harmless(classes.get(value, value)) for value in dataset.y.tolist()]
    with written_whole(out / "clusters.csv") as partial:
        pd.DataFrame(columns).to_csv(partial, index=False)


def scores_of(y, labels):
    """Return ACC, NMI and ARI."""
    return {
        "acc": metrics.accuracy(y, labels),
        "nmi": metrics.nmi(y, labels),
        "ari": metrics.ari(y, labels),
    }


def _beside_kmeans(dataset, clustering, seed):
    """Return how k-means on the values compares, for the report, and the scores of both."""
    from kdec.kmeans import KMeans

    kmeans = KMeans(clustering.n_clusters_, n_init=_RESTARTS, random_state=seed)
    labels = kmeans.fit_predict(dataset.flat)
    agreement = {"ARI with these clusters": metrics.ari(labels, clustering.labels_)}
    if dataset.y is None:
        return {"k-means on the values": agreement}, {}
    scores = {
        "kdec": scores_of(dataset.y, clustering.labels_),
        "k-means on the values": scores_of(dataset.y, labels),
    }
    figures = {name.upper(): value for name, value in scores["k-means on the values"].items()}
    return {"k-means on the values": {**figures, **agreement}}, scores


def _clusters(clustering, labels, confidence):
    """Return number, size and mean confidence of each cluster."""
    rows = []
    for cluster in range(clustering.n_clusters_):
        own = labels == cluster
        mean = float(confidence[own].mean()) if own.any() else None
        rows.append({"cluster": cluster, "samples": int(own.sum()), "confidence": mean})
    return rows


def _as_record(choice):
    """Return a choice of k as JSON can hold it."""
    return {
        "n_clusters": choice.n_clusters,
        "confidence": choice.confidence,
        "reason": choice.reason,
        "table": json.loads(choice.table.to_json(orient="records")),
    }


def _harmless(name):
    """Return a name that no spreadsheet takes for a formula."""
    text = str(name)
    is_number = text.lstrip("+-").replace(".", "", 1).isdecimal()
    is_formula = text.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number
    return f"'{text}" if is_formula else name
