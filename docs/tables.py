"""The tables of the pages, as Markdown, from the records under `results/` and `weights/`."""

import json
import statistics
from pathlib import Path

from kdec.experiments import contrast_ablations, summary

_DENSE = "results/dec/mnist-full-seed*.json"
_PEERS = {
    "lloyd": "scikit-learn, Lloyd",
    "elkan": "scikit-learn, Elkan",
    "intelex": "scikit-learn-intelex",
}


def all_tables(root: Path) -> dict[str, str]:
    """Return each table, and some figures, under the name by which a page inserts it."""
    return {
        "results_table": summary(root / "results"),
        "quick_table": quick_runs(root),
        "models_table": trained_models(root),
        "seeds_of_dec_table": seeds_of_dec(root),
        "contrast_table": contrast(root),
        "ablations_table": ablations(root),
        "unequal_classes_table": unequal_classes(root),
        "kmeans_loss_table": kmeans_loss(root),
        "encoding_table": encoding(root),
        "architectures_table": architectures(root),
        "speed_table": speed(root),
        "kmeans_speed_table": kmeans_speed(root),
        "autoencoder_speed_table": autoencoder_speed(root),
        "contrast_speed_table": contrast_speed(root),
        "neighbor_search_table": neighbor_search(root),
        "memory_table": memory(root),
        "kmeans_from_disk_table": kmeans_from_disk(root),
        "models_from_disk_table": models_from_disk(root),
        "memory_growth_table": memory_growth(root),
        "own_data_table": own_data(root),
        "first_report_table": first_report(root),
        "run_times_table": run_times(root),
        "dec_on_three_seeds": f"{_dec_on_three_seeds(root):.4f}",
        "untrained_neighbours": _untrained_neighbours(root),
        "faiss_seconds": f"{_faiss_seconds(root):.0f}",
    }


def quick_runs(root):
    """ACC of `kdec run dec` on the packaged sample, a row a seed."""
    rows = [
        (str(run["seed"]), *(f"{figures['acc']:.4f}" for figures in run["metrics"].values()))
        for run in _read(root, "results/dec/mnist-5k-quick-seed*.json")
    ]
    return _table(("seed", "k-means on the pixels", "autoencoder + k-means", "DEC"), rows)


def seeds_of_dec(root):
    """ACC of dense DEC with and without reconstruction, a row a seed."""
    with_reconstruction = {
        run["seed"]: f"{run['metrics']['DEC']['acc']:.4f}"
        for run in _read(root, "results/dec-reconstruction/mnist-full-seed*.json")
    }
    rows = [
        (
            str(run["seed"]),
            f"{run['metrics']['autoencoder + k-means']['acc']:.4f}",
            f"{run['metrics']['DEC']['acc']:.4f}",
            with_reconstruction.get(run["seed"], ""),
        )
        for run in _read(root, _DENSE)
    ]
    return _table(("seed", "autoencoder + k-means", "DEC", "DEC + reconstruction"), rows)


def contrast(root):
    """ACC after each step of `neighbor-contrast`, a row a data set and seed."""
    rows = []
    for data in ("digits-quick", "mnist-5k-quick", "mnist-full"):
        for run in _read(root, f"results/neighbor-contrast/{data}-seed*.json"):
            accuracies = [f"{row['acc']:.4f}" for row in run["metrics"].values()]
            minutes = _minutes(sum(run["seconds"].values()) / 60)
            rows.append((f"`{run['data']['name']}`", str(run["seed"]), *accuracies, minutes))
    head = ("data", "seed", "k-means on the codes", "+ diffusion", "+ self-labelling", "minutes")
    return _table(head, rows, n_words=1)


def ablations(root):
    """Mean ACC over the seeds after each step, a row a change of the settings."""
    runs = [
        contrast_ablations.scores_of(run)
        for run in _read(root, "results/contrast-ablations/mnist-5k-quick-seed*.json")
    ]
    steps = ("contrast + k-means", "contrast + diffusion", "self-labelling")
    rows = []
    for name in runs[0]:
        values = [[run[name][step] for run in runs if step in run[name]] for step in steps]
        rows.append((name, *(_mean_and_spread(own) for own in values)))
    return _table(("settings", "k-means on the codes", "+ diffusion", "+ self-labelling"), rows)


def _mean_and_spread(values):
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}" if values else ""


def unequal_classes(root):
    """What becomes of classes of 50 to 500 samples, a row a seed."""
    last = "contrast + joined parts"
    steps = ("contrast + k-means", "contrast + k-means + diffusion", last)
    rows = []
    for run in _read(root, "results/unequal-classes/mnist-unequal-quick-seed*.json"):
        facts, figures = run["facts"], run["metrics"]
        shares = facts["share_of_class_in_its_cluster"][last]
        smallest = str(facts["class_sizes"].index(min(facts["class_sizes"])))
        rows.append(
            (
                str(run["seed"]),
                *(f"{figures[step]['acc']:.4f}" if step in figures else "" for step in steps),
                f"{figures[last]['nmi']:.4f}",
                *(f"{share:.0%}" for share in (shares[smallest], min(shares.values()))),
            )
        )
    of_last = ("NMI", "found of the class of 50", "found of the worst class")
    of_steps = ("k-means", "+ diffusion", "joined parts")
    return _table(("seed", *of_steps, *of_last), rows)


def _dec_on_three_seeds(root):
    """Mean ACC of dense DEC on the seeds that DEC with reconstruction has."""
    seeds = {run["seed"] for run in _read(root, "results/dec-reconstruction/mnist-full-seed*.json")}
    return statistics.mean(
        run["metrics"]["DEC"]["acc"] for run in _read(root, _DENSE) if run["seed"] in seeds
    )


def trained_models(root):
    """What the manifest says of the shipped models."""
    manifest = json.loads((root / "weights/manifest.json").read_text())
    rows = [
        (
            f"`{name}`",
            model["what"],
            model["data"],
            str(model["seed"]),
            *(
                f"{model['metrics'][figure]:.4f}" if figure in model["metrics"] else ""
                for figure in ("acc", "nmi", "macro_purity")
            ),
            f"{(root / 'weights' / model['files']['keras']['file']).stat().st_size / 1e6:.1f}",
        )
        for name, model in manifest.items()
    ]
    head = ("name", "what it is", "trained on", "seed", "ACC", "NMI", "macro purity", "MB")
    return _table(head, rows, n_words=3)


def kmeans_loss(root):
    """What each training of `kmeans-loss` ended with, a row a seed and training."""
    rows = []
    for run in _read(root, "results/kmeans-loss/mnist-train-full-seed*.json"):
        facts = run["facts"]
        for system in run["metrics"]:
            figures = run["metrics"][system]
            told = facts["embedding"].get(system)
            rows.append(
                (
                    system,
                    str(run["seed"]),
                    f"{figures['macro_purity_10000']:.3f}",
                    f"{figures['acc']:.3f}",
                    f"{max(facts['cluster_sizes'][system]):,}",
                    f"{told['neighbour_accuracy']:.0%}" if told else "",
                )
            )
    # All seeds of one training together; the sort keeps their order.
    order = list(dict.fromkeys(row[0] for row in rows))
    rows.sort(key=lambda row: order.index(row[0]))
    head = ("training", "seed", "macro purity", "ACC", "largest cluster", "neighbours right")
    return _table(head, rows, n_words=1)


def _untrained_neighbours(root):
    shares = [
        run["facts"]["embedding"]["untrained encoder"]["neighbour_accuracy"]
        for run in _read(root, "results/kmeans-loss/mnist-train-full-seed*.json")
    ]
    return " and ".join((", ".join(f"{share:.0%}" for share in shares[:-1]), f"{shares[-1]:.0%}"))


def encoding(root):
    """The trainings among which each run of `encoding` chooses."""
    rows = [
        (
            str(run["seed"]),
            f"{start['best_loss']:.4f}",
            f"{start['pixel_inertia'] / 1e6:.3f}",
            f"{start['macro_purity']:.3f}",
            "kept" if number == run["facts"]["chosen_start"] else "",
        )
        for run in _read(root, "results/encoding/mnist-train-full-seed*.json")
        for number, start in enumerate(run["facts"]["starts"])
    ]
    return _table(("seed", "loss", "inertia in the pixels, millions", "macro purity", ""), rows)


def architectures(root):
    """ACC of the rows of `architectures`, before and after joint training, by seed."""
    runs = _read(root, "results/architectures/mnist-train-full-seed*.json")
    source = runs[0]["facts"]["source_acc"]
    rows = []
    for name in runs[0]["config"]["rows"]:
        before, after = (
            [run["metrics"][f"{name}{suffix}"]["acc"] for run in runs]
            for suffix in (": autoencoder + k-means", "")
        )
        # The control stands beside the source's row; the figure is not one of its own.
        published = "" if name.endswith("SGD") else f"{source[name] or '':.6}"
        rows.append(
            (
                name,
                ", ".join(f"{acc:.3f}" for acc in before),
                ", ".join(f"{acc:.3f}" for acc in after),
                f"{statistics.mean(after):.3f}",
                f"{statistics.stdev(after):.3f}",
                published,
            )
        )
    head = (
        *("row", "autoencoder + k-means, by seed", "after joint training, by seed"),
        *("mean", "standard deviation", "source's"),
    )
    return _table(head, rows, n_words=1)


def speed(root):
    """The comparisons in short: a row a piece of work, against the fastest other program."""
    names = ("kmeans", "autoencoder", "neighbor_contrast", "kmeans_loss", "soft_kmeans")
    kmeans, autoencoder, contrast, loss, soft = (_benchmark(root, name) for name in names)
    rows = []
    for work in kmeans["work"].values():
        peer, theirs = _fastest_peer(work)
        ours = work["systems"]["kdec"]["seconds"]
        rows.append((f"k-means, {work['what']}", peer, ours, theirs))
    for name, title in (
        ("autoencoder", "dense autoencoder, an epoch of 60,000 images"),
        ("conv autoencoder", "convolutional autoencoder, the same"),
    ):
        ours, theirs = (
            autoencoder["rows"][f"{system} {name}, one epoch"]["seconds"]
            for system in ("kdec", "PyTorch")
        )
        rows.append((title, "PyTorch loop", ours, theirs))
    for dtype in contrast["floors"]:
        ours, theirs = _contrast_epochs(contrast, dtype)
        title = f"contrast between neighbours, {dtype}, {contrast['work']}"
        rows.append((title, "PyTorch loop", ours, theirs))
    exact, theirs = (contrast["searches"][system] for system in ("kdec", "scikit-learn"))
    title = f"exact search, {contrast['search']}"
    rows.append((title, "scikit-learn", exact["seconds"], theirs["seconds"]))
    plain = "straightforward TensorFlow"
    ours, theirs = (loss["systems"][system]["seconds_per_epoch"] for system in ("kdec", plain))
    rows.append(("k-means as a loss, an epoch", plain, ours, theirs))
    title = "ten runs of differentiable k-means at once, ten epochs of 60,000 images"
    rows.append((title, "one by one", soft["together_seconds"], soft["one_by_one_seconds"]))
    cells = [
        (work, other, _seconds(ours), _seconds(theirs), f"{theirs / ours:.2g}")
        for work, other, ours, theirs in rows
    ]
    return _table(("work", "compared with", "kdec", "the other", "ratio"), cells, n_words=2)


def kmeans_speed(root):
    """The benchmark of k-means, with the first fit and the memory."""
    rows = []
    for work in _benchmark(root, "kmeans")["work"].values():
        ours, (algorithm, theirs) = work["systems"]["kdec"], _fastest_of_scikit_learn(work)
        rows.append(
            (
                work["what"],
                _seconds(ours["seconds"]),
                _seconds(ours["first"]),
                f"{_seconds(theirs['seconds'])} ({algorithm})",
                f"{work['times_as_fast']:.2g}",
                f"{work['reach']:g}",
            )
        )
    head = ("work", "kdec", "its first fit", "scikit-learn", "ratio", "aim")
    return _table(head, rows, n_words=1)


def _faiss_seconds(root):
    return _benchmark(root, "kmeans")["work"]["mnist"]["systems"]["faiss"]["seconds"]


def memory(root):
    """Peak memory of the processes of the k-means benchmark."""
    rows = []
    for work in _benchmark(root, "kmeans")["work"].values():
        ours, (_, theirs) = work["systems"]["kdec"], _fastest_of_scikit_learn(work)
        peaks = (f"{system['peak_mib']:,.0f} MiB" for system in (ours, theirs))
        above = (f"{system['above_mib']:,.0f} MiB" for system in (ours, theirs))
        rows.append((work["what"], *peaks, *above))
    head = ("work", "kdec, process", "scikit-learn, process", "kdec, fit", "scikit-learn, fit")
    return _table(head, rows, n_words=1)


def kmeans_from_disk(root):
    """Time and peak memory of k-means on samples on the disk, and on the same array in memory."""
    benchmark = _benchmark(root, "kmeans_from_disk")
    rows = [
        (where, _seconds(system["seconds"]), f"{system['peak_mib']:,.0f} MiB")
        for where, system in benchmark["systems"].items()
    ]
    return _table((benchmark["what"], "time", "peak of the process"), rows, n_words=1)


def models_from_disk(root):
    """Peak memory of trainings on samples that stay on the disk."""
    benchmark = _benchmark(root, "models_from_disk")
    rows = [(name, f"{row['peak_mib']:,.0f} MiB") for name, row in benchmark["rows"].items()]
    return _table((f"training, of {benchmark['what']}", "peak"), rows, n_words=1)


def memory_growth(root):
    """Peak memory of trainings from the disk by the number of samples, a row a model."""
    benchmark = _benchmark(root, "memory_growth")
    rows = [
        (model, *(f"{figures['peak_mib']:,.0f}" for figures in by_size.values()))
        for model, by_size in benchmark["rows"].items()
    ]
    sizes = (f"{int(n):,}" for n in next(iter(benchmark["rows"].values())))
    return _table((f"MiB, {benchmark['what']}", *sizes), rows, n_words=1)


def own_data(root):
    """Mean ACC and NMI of clusterings by default settings, a row a system."""
    means = _benchmark(root, "own_data")["means"]
    systems = list(dict.fromkeys(system for row in means.values() for system in row))
    rows = []
    for system in systems:
        found = [means[data].get(system) for data in means]
        rows.append(
            (
                system,
                *(f"{row['accuracy']:.3f} / {row['nmi']:.3f}" if row else "" for row in found),
            )
        )
    return _table(("ACC / NMI", *means), rows, n_words=1)


def first_report(root):
    """What a new user waits from installation to reports, a row a command."""
    rows = [
        (f"`{step['command']}`", f"{step['seconds']:.0f} s", f"{step['peak_mib']:,} MiB")
        for step in _benchmark(root, "first_report")["steps"]
    ]
    return _table(("command", "time", "peak of the process"), rows, n_words=1)


def autoencoder_speed(root):
    """The benchmark of the autoencoders, beside the floor that the matrix products set."""
    benchmark = _benchmark(root, "autoencoder")
    rows = []
    for title, ours, theirs, ratio in (
        (
            *("dense, an epoch", "kdec autoencoder, one epoch"),
            *("PyTorch autoencoder, one epoch", "autoencoder"),
        ),
        (
            *("convolutional, an epoch", "kdec conv autoencoder, one epoch"),
            *("PyTorch conv autoencoder, one epoch", "conv autoencoder"),
        ),
        ("DEC, an update interval", "kdec DEC, one update interval", None, None),
    ):
        row = benchmark["rows"][ours]
        rows.append(
            (
                title,
                _spread(row),
                f"{row['share_of_floor']:.0%}",
                _spread(benchmark["rows"][theirs]) if theirs else "",
                f"{benchmark['pytorch_over_kdec'][ratio]:.2g}" if ratio else "",
            )
        )
    return _table(("work", "kdec", "share of the floor", "PyTorch loop", "ratio"), rows, n_words=1)


def contrast_speed(root):
    """An epoch of contrast between neighbours, beside the floor that its arithmetic sets."""
    benchmark = _benchmark(root, "neighbor_contrast")
    rows = []
    for dtype, floor in benchmark["floors"].items():
        ours, theirs = _contrast_epochs(benchmark, dtype)
        cells = (_seconds(ours), f"{floor / ours:.0%}", _seconds(theirs), f"{theirs / ours:.2g}")
        rows.append((dtype, *cells))
    head = (benchmark["work"], "kdec", "share of the floor", "PyTorch loop", "ratio")
    return _table(head, rows, n_words=1)


def _contrast_epochs(benchmark, dtype):
    return [benchmark["epochs"][f"{system}, {dtype}"]["seconds"] for system in ("kdec", "torch")]


def neighbor_search(root):
    """Searches for neighbours, a row a system."""
    benchmark = _benchmark(root, "neighbor_contrast")
    rows = [
        (system, _seconds(row["seconds"]), f"{row['recall']:.3f}")
        for system, row in benchmark["searches"].items()
    ]
    return _table((benchmark["search"], "time", "recall"), rows, n_words=1)


def run_times(root):
    """Wall time of the full-size runs, and on how many cores they ran."""
    runs = {}
    for path in sorted(root.glob("results/*/*-full-seed*.json")):
        run = json.loads(path.read_text())
        runs.setdefault((run["experiment"], run["data"]["name"]), []).append(run)
    rows = []
    for (experiment, data), those in runs.items():
        minutes = [sum(run["seconds"].values()) / 60 for run in those]
        cores = {str(run["machine"].get("usable_cores", "unknown")) for run in those}
        least, most = (_minutes(bound(minutes)) for bound in (min, max))
        spread = least if least == most else f"{least} to {most}"
        rows.append(
            (f"`{experiment}`", f"`{data}`", spread, str(len(those)), " or ".join(sorted(cores)))
        )
    return _table(("experiment", "data", "minutes", "seeds", "cores"), rows, n_words=2)


def _read(root, pattern):
    """Return the records that a pattern names, by seed."""
    runs = (json.loads(path.read_text()) for path in root.glob(pattern))
    return sorted(runs, key=lambda run: run["seed"])


def _benchmark(root, name):
    return json.loads((root / f"results/benchmarks/{name}.json").read_text())


def _fastest_of_scikit_learn(work):
    """Return name and figures of the faster of scikit-learn's algorithms that ran."""
    ran = {name: work["systems"][name] for name in ("lloyd", "elkan") if name in work["systems"]}
    return min(ran.items(), key=lambda item: item[1]["seconds"])


def _fastest_peer(work):
    """Return name and seconds of the fastest other program that did a work of k-means."""
    seconds = {
        _PEERS.get(name, name): system["seconds"]
        for name, system in work["systems"].items()
        if name != "kdec" and "seconds" in system
    }
    return min(seconds.items(), key=lambda item: item[1])


def _seconds(value):
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def _minutes(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _spread(row):
    return f"{_seconds(row['seconds'])} ({row['fastest']:.1f} to {row['slowest']:.1f})"


def _table(head, rows, n_words=0):
    """Write a table; all columns but the first `n_words` hold figures, at the right."""
    rule = ["---"] * n_words + ["---:"] * (len(head) - n_words)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))
