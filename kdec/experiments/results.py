"""The table of all recorded runs, beside the figures of the sources: RESULTS.md.

Each row is one figure of one system. It takes in every seed that is recorded, from 0 on.
"""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kdec.experiments.record import read_json


class Row(NamedTuple):
    """One figure of one system of the sources, or of one beyond them."""

    source: str  # number of the document, or "beyond"
    system: str  # as the reader knows it
    experiment: str
    data: str
    key: str  # of the system in the record's metrics
    figure: str  # name of the metric
    published: str | None  # by the source
    remark: str = ""
    preset: str = "full"


_TRIALS = "ten trials of DEC-keras: mean {}"

# What others reach on all of MNIST without a choice by labels, as their authors say.
_PUBLIC = "ConvDEC-DA, mean of 5: 0.985; IIC, mean of heads: 0.984; IMSAT, mean: 0.984"

ROWS = (
    Row("000", "k-means as a loss", "kmeans-loss", "mnist-train", "k-means loss",
        "macro_purity_10000", "0.3153"),
    Row("000", "k-means as a loss", "kmeans-loss", "mnist-train", "k-means loss", "acc", None),
    Row("000", "k-means as a loss, with reconstruction", "kmeans-loss", "mnist-train",
        "k-means loss + reconstruction", "macro_purity_10000", None),
    Row("001", "k-means on the pixels", "kmeans", "mnist", "k-means on pixels", "acc", "0.5323"),
    Row("001", "dense autoencoder + k-means", "dec", "mnist", "autoencoder + k-means", "acc", None,
        _TRIALS.format("0.879")),
    Row("001", "DEC, dense", "dec", "mnist", "DEC", "acc", "0.9623", _TRIALS.format("0.912")),
    Row("001", "DEC, dense", "dec", "mnist", "DEC", "nmi", "0.9050", _TRIALS.format("0.869")),
    Row("001", "DEC, dense", "dec", "mnist", "DEC", "ari", "0.9190", _TRIALS.format("0.856")),
    *(
        Row("001", system, experiment, "mnist", "DEC", figure, published)
        for system, experiment, figures in (
            ("DEC, conv", "dec-conv", ("0.7906", "0.7652", "0.6847")),
            ("DEC + reconstruction, conv", "dec-conv-reconstruction",
                ("0.8223", "0.8024", "0.7351")),
            ("DEC + reconstruction, dense", "dec-reconstruction", ("0.9559", "0.8963", "0.9050")),
        )
        for figure, published in zip(("acc", "nmi", "ari"), figures, strict=True)
    ),
    Row("002", "differentiable k-means, ten runs", "soft-kmeans", "mnist-train",
        "differentiable k-means", "acc", None),
    Row("002", "Lloyd from the same ten starts", "soft-kmeans", "mnist-train",
        "Lloyd from the same starts", "acc", None),
    *(
        Row("002", f"architecture {name}", "architectures", "mnist-train", name, "acc", *published)
        for name, *published in (
            ("d-128-5 relu", "0.6364"),
            ("d-128-10 relu", "0.6062"),
            ("d-128-10 sigmoid", "0.5745"),
            ("d-512-256-128-64-10 relu", "0.8195"),
            ("d-512-256-128-64-10 sigmoid", "0.1125"),
            ("d-512-256-128-64-10 sigmoid SGD", None, "our control of the row above"),
            ("d-512-256-128-64-10 selu", None),
            ("d-512-256-128-64-10 celu", None),
        )
    ),
    Row("003", "k-means on the pixels", "encoding", "mnist-train", "k-means on pixels",
        "macro_purity", "0.62"),
    Row("003", "k-means on the codes", "encoding", "mnist-train", "k-means on codes",
        "macro_purity", None, "its figure is lost; better than on the pixels"),
    Row("004", "Lloyd, Iris, two features", "lloyd", "mnist-test", "iris", "inertia", "29.54"),
    Row("004", "scikit-learn, Iris, two features", "lloyd", "mnist-test", "iris, scikit-learn",
        "inertia", "29.56"),
    Row("004", "Lloyd, MNIST test set", "lloyd", "mnist-test", "euclidean", "inertia", "391,367.6"),
    Row("004", "Lloyd, MNIST test set", "lloyd", "mnist-test", "euclidean", "micro_purity",
        "0.5904"),
    Row("004", "scikit-learn, MNIST test set", "lloyd", "mnist-test", "euclidean, scikit-learn",
        "inertia", "390,846.1"),
    Row("004", "scikit-learn, MNIST test set", "lloyd", "mnist-test", "euclidean, scikit-learn",
        "micro_purity", "0.5851"),
    Row("004", "Lloyd, MNIST test set, manhattan", "lloyd", "mnist-test", "manhattan", "inertia",
        "917,674.1"),
    Row("004", "Lloyd, MNIST test set, manhattan", "lloyd", "mnist-test", "manhattan",
        "micro_purity", "0.5414"),
    *(
        Row("beyond", f"contrast between neighbours{step}{name}", "neighbor-contrast", data, key,
            "acc", None, remark if key == "self-labelling" else "", preset)
        for name, data, preset, remark in (
            ("", "mnist", "full", _PUBLIC),
            (", 5,000 digits", "mnist-5k", "quick", ""),
            (", scikit-learn's digits", "digits", "quick", ""),
        )
        for step, key in (
            (", k-means", "contrast + k-means"),
            (", k-means, diffusion", "contrast + diffusion"),
            (", k-means, diffusion, self-labelling", "self-labelling"),
        )
    ),
    *(
        Row("beyond", "contrast between neighbours, k-means, diffusion, self-labelling",
            "neighbor-contrast", "mnist", "self-labelling", figure, None)
        for figure in ("nmi", "ari")
    ),
    *(
        Row("beyond",
            f"contrast between neighbours over views, {steps}, classes of 50 to 500 digits",
            "unequal-classes", "mnist-unequal", f"contrast + {steps}", figure, None, preset="quick")
        for steps in ("k-means", "joined parts")
        for figure in ("acc", "nmi")
    ),
    *(
        Row("beyond", f"DEC on views{name}", "dec-views", data, "DEC", "acc", None, remark, preset)
        for name, data, preset, remark in (
            ("", "mnist", "full", "ConvDEC-DA, mean of 5: 0.985"),
            (", 5,000 digits", "mnist-5k", "quick", ""),
            (", scikit-learn's digits", "digits", "quick", ""),
        )
    ),
)  # fmt: skip

_COLUMNS = (
    *("source", "system", "figure", "mean", "standard deviation", "best", "seeds", "version"),
    *("source's", "remark", "command"),
)

_HEAD = """\
# Results

Made by `kdec report` from the records under `results/`: full-size runs, and quick ones where the
command says so, every seed from 0 on, none left out; `gaussians`, for which the source gives no
figure, has no row. A row without runs yet is empty. ACC is the accuracy under the best one-to-one
matching of clusters to labels; macro purity the mean of the clusters' majority shares, micro purity
the sum of their majorities / n. For inertia the lowest is the best.

In the rows of source 004 ours is the best of ten starts, and the source's figure, its own and
scikit-learn's, that of one start. From the source's own start kdec gets the figures of the source's
code: the records have them, and `notebooks/01_kmeans_lloyd.ipynb` shows them. The images are
float32, and each library sums their distances in its own way: the last digits of the inertia differ
where the clusters are the same.

In the rows of source 002 with ten runs or starts, a seed's figure is the mean of the ten.

The codes of source 003 are those of one autoencoder out of three that each run trains, chosen by a
rule that looks at no labels; the rule itself and the training were settled with labels, so the
figure flatters the method. `docs/figures.md` says how, and what the others gave.

The rows of DEC, dense, have more seeds than those of DEC + reconstruction, dense. On the seeds of
the latter, from the same autoencoders, DEC without reconstruction is slightly ahead with each one.

The rows "beyond" are of methods of none of the sources. The remark has what others reach on the
same data without a choice by labels: ConvDEC-DA (Guo et al. 2018), the mean of five trials; IIC (Ji
et al. 2019), the mean of one run's heads, whose head of the lowest loss has 0.992; IMSAT (Hu et al.
2017), a mean. `docs/figures.md` says what of ours was settled with labels, on which data.

DEC-keras is another public Keras version of the dense system; its trials are in
<https://github.com/XifengGuo/DEC-keras/blob/854a1af66d05d59fbcf224dde0226bfd3c802e5b/results/exp1/results.csv>.

The command shown is for seed 0; each record under `results/` has its own. If it starts from a file
in `runs/`, run the command of the row that makes this file first. Records say on how many cores
they ran (`usable_cores`), one for most: with another number a run may end elsewhere.

The version is that of kdec which made the records. Not every figure of the sources has a row; the
records have the others.

"""


def report(results: str | os.PathLike) -> str:
    """Return the content of RESULTS.md: the table of all sources, with what its words mean.

    Args:
        results: Folder of the records, `EXPERIMENT/DATA-PRESET-seedSEED.json`.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it has no record of any row, or one without a row's figure.
    """
    lines = table(results)
    if not any(records(Path(results), row) for row in ROWS):
        raise ValueError(
            "Expected a folder with records of runs, EXPERIMENT/DATA-PRESET-seedSEED.json. "
            f"Received: {results}, which has none"
        )
    return _HEAD + lines


def table(results: str | os.PathLike, source: str | None = None) -> str:
    """Return the table in Markdown.

    Args:
        results: Folder of the records, `EXPERIMENT/DATA-PRESET-seedSEED.json`.
        source: Number of the source document whose rows to return, or "beyond". Defaults to None:
            all.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there is no such source, or a record without a row's figure.

    Example:
    >>> from kdec.experiments.results import table
    >>> import tempfile
    >>> table(tempfile.mkdtemp(), source="004").splitlines()[-1][:43]
    '| 004 | Lloyd, MNIST test set, manhattan | '
    """
    results = Path(results)
    if not results.is_dir():
        raise FileNotFoundError(f"Expected a folder of records. Received: {results}")
    rows = [row for row in ROWS if source in (None, row.source)]
    if not rows:
        sources = sorted({row.source for row in ROWS})
        raise ValueError(f"Expected `source` out of {sources}. Received: source={source!r}")
    head = f"| {' | '.join(_COLUMNS)} |\n|---|---|---|---:|---:|---:|---:|---|---:|---|---|\n"
    return head + "".join(_line(row, records(results, row)) for row in rows)


def summary(results: str | os.PathLike) -> str:
    """Return the short table in Markdown: one figure of each system that has recorded runs.

    Args:
        results: Folder of the records, `EXPERIMENT/DATA-PRESET-seedSEED.json`.

    Raises:
        ValueError: If there is a record without a row's figure.
    """
    lines = [
        "| source | system | figure | here | seeds | source's |\n|---|---|---|---:|---:|---:|\n"
    ]
    seen = set()
    for row in ROWS:
        values = _values(row, records(Path(results), row))
        if values and (row.source, row.system) not in seen:
            seen.add((row.source, row.system))
            mean = _number(statistics.mean(values))
            spread = f" ± {_deviation(values)}" if len(values) > 1 else ""
            cells = (row.source, row.system, _name(row.figure), mean + spread, str(len(values)))
            lines.append(f"| {' | '.join((*cells, row.published or ''))} |\n")
    return "".join(lines)


def records(results: Path, row: Row) -> list[dict[str, Any]]:
    """Return the recorded runs of a row's experiment, data and preset, by seed.

    Raises:
        ValueError: If a file of that name is not the record of a run.
    """
    paths = (results / row.experiment).glob(f"{row.data}-{row.preset}-seed*.json")
    return sorted(map(_read_run, paths), key=lambda run: run["seed"])


def _read_run(path):
    run = read_json(path)
    missing = {"seed", "metrics", "versions", "command"} - set(run or {})
    if missing:
        raise ValueError(
            f"Expected the record of a run in {path}. Received: one without {sorted(missing)}"
        )
    return run


def _line(row: Row, runs: Sequence[dict[str, Any]]) -> str:
    values = _values(row, runs)
    best = min if row.figure == "inertia" else max
    command = f"kdec run {row.experiment} --data {row.data} --preset {row.preset} --seed 0"
    cells = (
        row.source,
        row.system,
        _name(row.figure),
        _number(statistics.mean(values)) if values else "",
        _deviation(values) if len(values) > 1 else "",
        _number(best(values)) if values else "",
        str(len(values) or ""),
        ", ".join(sorted({run["versions"]["kdec"] for run in runs})),
        row.published or "",
        row.remark,
        f"`{runs[0]['command'] if runs else command}`",
    )
    return f"| {' | '.join(cells)} |\n"


def _values(row, runs):
    """Return the row's figure of each run."""
    for run in runs:
        if row.figure not in run["metrics"].get(row.key, {}):
            raise ValueError(
                f"Expected the record of `{run['command']}` to have the {_name(row.figure)} of "
                f"{row.key!r}. Received: one that has {run['metrics'].get(row.key, {})}"
            )
    return [run["metrics"][row.key][row.figure] for run in runs]


def _name(figure):
    name = figure.replace("_10000", ", first 10,000").replace("_", " ")
    return name.upper() if len(name) == 3 else name


def _number(value):
    return f"{value:,.{_decimals(value)}f}"


def _deviation(values):
    """Write the standard deviation with as many decimals as the mean."""
    return f"{statistics.stdev(values):,.{_decimals(statistics.mean(values))}f}"


def _decimals(value):
    return 4 if abs(value) < 1000 else 1
