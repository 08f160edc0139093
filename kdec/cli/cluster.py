"""`kdec cluster`: data of one's own, from a path to a report; and new data by a saved model.

TensorFlow loads once the data have been read and found good.
"""

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import kdec
from kdec.cli.console import console, figure_cell, print_files, print_plain, show_log
from kdec.cli.endings import check_folder, one_line_errors
from kdec.cli.starting import start_tensorflow

_MOST_IN_MEMORY = 2**30  # bytes of a file


class Method(StrEnum):
    """How the clusters are learned."""

    contrast = "contrast"
    dec = "dec"
    idec = "idec"
    kmeans = "kmeans"


class Missing(StrEnum):
    """What becomes of missing values."""

    median = "median"
    drop = "drop"


def cluster(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A table (.csv, .parquet), an array (.npy, .npz), a folder of images, or the name "
            "of a data set such as mnist-5k. ./NAME is always a path.",
        ),
    ],
    k: Annotated[str, typer.Option(help="Number of clusters, or auto.")] = "auto",
    method: Annotated[
        Method,
        typer.Option(
            help="contrast between neighbours; DEC; DEC with reconstruction; k-means on the values."
        ),
    ] = Method.contrast,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Column of known labels, or folder: each image's sub-folder. They only score."
        ),
    ] = None,
    missing: Annotated[
        Missing | None,
        typer.Option(help="Fill missing values with the median, or drop their rows."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(help="Column that holds categories although it looks like numbers."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, help="Height and width of images in pixels.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at an image that cannot be read.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of everything random.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write. Default: runs/cluster-NAME-seedSEED."),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Label INPUT by the model in DIR, which kdec cluster has written."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Start that many processes on this machine, which share the work (kmeans)."
        ),
    ] = None,
) -> None:
    """Cluster data of your own; the same command again goes on with an interrupted one.

    Writes clusters.csv, model.keras, report.html, result.json and pictures; k-means clusters.csv,
    centers.npy and result.json. Under TF_CONFIG each worker runs the same command.
    """
    if workers is not None and workers > 1:
        _start_workers(workers, method, apply)
    reading = {
        "labels": labels,
        "missing": missing.value if missing else None,
        "categories": tuple(category or ()),
        "size": size,
        "strict": strict,
    }
    reading = {name: value for name, value in reading.items() if value}
    name = Path(source).stem or Path(source).absolute().name
    prefix = "cluster" if apply is None else f"apply-{apply.absolute().name}"
    out = out or Path("runs") / f"{prefix}-{name}{'' if apply else f'-seed{seed}'}"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("MPLBACKEND", "agg")
    with one_line_errors(out):
        check_folder(out)
        show_log()
        _check_workers(method, apply)
        if apply is not None:
            result = _apply(apply, source, reading, out)
        elif method is Method.kmeans:
            result = _cluster_by_kmeans(source, reading, _number(k), seed, out)
            if result is None:
                return
        else:
            result = _cluster(source, reading, _number(k), method.value, seed, out)
    if choice := result.get("choice_of_k"):
        print_plain(choice["reason"])
    for note in result.get("notes", ()):
        print_plain(f"Note: {note}")
    for table in _tables(result):
        console.print(table)
    print_files(out)


def _cluster(source, reading, k, method, seed, out):
    """Cluster `source` and write the folder; return its record."""
    dataset = _read(source, reading, seed)
    # Only now, since it loads scikit-learn.
    from kdec.cli import cluster_folder

    if k != "auto" and k > len(dataset.x):
        raise ValueError(
            f"Expected --k to be at most the number of samples. Received: --k {k} for "
            f"{len(dataset.x)} samples"
        )
    options = {"k": k, "method": method, **reading}
    command = _command(source, options, seed)
    finished = cluster_folder.open_folder(out, cluster_folder.identity(command, dataset))
    if finished:
        print_plain(f"Finished before; this is its record. Remove {out} to run it again.")
        return finished
    start_tensorflow()
    return cluster_folder.fill(out, dataset, command, k, method, seed)


def _cluster_by_kmeans(source, reading, k, seed, out):
    """Cluster `source` by k-means; return the record, on the first of several workers alone."""
    if k == "auto":
        raise ValueError("Expected --k to be a number for k-means. Received: --k auto")
    dataset = _read(source, reading, seed)
    command = _command(source, {"k": k, "method": Method.kmeans.value, **reading}, seed)
    start_tensorflow()
    from kdec.cli import kmeans_folder
    from kdec.workers import join

    with join() as workers:
        return kmeans_folder.fill(out, dataset, command, k, seed, workers)


def _start_workers(count, method, apply):
    """Run this command by workers on this machine, and end as they do."""
    from kdec.workers import run_local

    with one_line_errors():
        if "TF_CONFIG" in os.environ:
            raise ValueError(
                "Expected --workers or TF_CONFIG, which names the workers. Received: both"
            )
        _refuse_workers(method, apply)
    # The last one counts.
    command = [sys.executable, "-m", "kdec", *sys.argv[1:], "--workers", "1"]
    raise typer.Exit(run_local(command, count))


def _check_workers(method, apply):
    """Raise a ValueError if there are several workers for what takes one."""
    if "TF_CONFIG" in os.environ:
        from kdec.workers import cluster_from_environment

        if cluster_from_environment() is not None:
            _refuse_workers(method, apply)


def _refuse_workers(method, apply):
    if method is not Method.kmeans or apply is not None:
        received = f"--method {method.value}" if apply is None else f"--apply {apply}"
        raise ValueError(
            "Expected --method kmeans with several workers; from Python, DEC takes them too. "
            f"Received: {received}"
        )


def _apply(folder, source, reading, out):
    """Label `source` by the model in `folder` and write the labels; return sizes and scores."""
    from kdec.cli import cluster_folder

    preparation = cluster_folder.preparation(folder)
    dataset = _read(source, reading, preparation=preparation)
    start_tensorflow()
    return cluster_folder.label(folder, dataset, out)


def _read(source, reading, seed=0, preparation=None):
    """Read a named set or a path."""
    from kdec.data import DATA_SETS

    if source in DATA_SETS:
        if reading:
            options = ", ".join(f"--{name}" for name in reading)
            raise ValueError(f"Expected no {options} for a named set. Received: {source}")
        return kdec.load_data(source, seed=seed)
    if not Path(source).exists():
        raise FileNotFoundError(
            f"Expected a path, or a data set out of {list(DATA_SETS)}. Received: {source}"
        )
    if preparation is None and not reading and _is_large(Path(source)):
        return kdec.data.read([source])
    return kdec.data.read(source, preparation=preparation, **reading)


def _is_large(path):
    """Tell whether it is a file of vectors, as they are to be clustered, that stays on the disk."""
    import numpy as np

    if path.suffix.lower() != ".npy" or path.stat().st_size <= _MOST_IN_MEMORY:
        return False
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.ndim == 2 and array.dtype.kind == "f"


def _number(k):
    if k == "auto":
        return k
    if not k.isdecimal() or int(k) < 1:
        raise ValueError(f"Expected --k to be a positive whole number or auto. Received: --k {k}")
    return int(k)


def _command(source, options, seed):
    """Return the command that makes the same clusters again."""
    words = ["kdec", "cluster", source]
    for name, value in options.items():
        if name == "strict":
            words.append("--strict")
        elif name == "categories":
            words += [word for column in value for word in ("--category", column)]
        else:
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--seed", str(seed)])


def _tables(result):
    """Return the sizes of the clusters and the scores as tables."""
    sizes = Table("cluster", title=result["command"])
    for name in ("samples", "share", "mean confidence"):
        sizes.add_column(name, justify="right")
    total = sum(row["samples"] for row in result["clusters"])
    for row in result["clusters"]:
        sizes.add_row(
            str(row["cluster"]),
            str(row["samples"]),
            f"{row['samples'] / total:.1%}",
            "" if row["confidence"] is None else f"{row['confidence']:.2f}",
        )
    tables = [sizes]
    if result["metrics"]:
        scores = Table("against the labels")
        names = list(next(iter(result["metrics"].values())))
        for name in names:
            scores.add_column(name.upper(), justify="right")
        for system, row in result["metrics"].items():
            scores.add_row(system, *(figure_cell(name, row[name]) for name in names))
        tables.append(scores)
    return tables
