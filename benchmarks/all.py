"""All comparisons by one command, and one table of what they found.

    python benchmarks/all.py             # those against other programs, one after another
    python benchmarks/all.py NAME ...    # these
    python benchmarks/all.py --list      # what there is, and about how long it takes
    python benchmarks/all.py --table     # the table of the records, nothing run

Each comparison is a script of its own, which writes results/benchmarks/NAME.json. Programs to
compare with that are not installed are named and left out: with some of them missing a comparison
goes without them, or is left out whole. The table is README's, from the records, old and new.
"""

import argparse
import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "docs"))

import tables  # noqa: E402


@dataclass(frozen=True)
class Comparison:
    """One script.

    Attributes:
        what: What it compares.
        minutes: About how long it takes on two cores.
        needs: Modules without which it does not run.
        takes: Modules that it compares with where they are installed.
        by_default: Whether it runs when no name is given.
    """

    what: str
    minutes: int
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    by_default: bool = True


COMPARISONS = {
    "kmeans": Comparison(
        "k-means, by size", 20, takes=("sklearnex", "faiss", "fast_pytorch_kmeans")
    ),
    "autoencoder": Comparison("epochs of autoencoders and of DEC", 10, needs=("torch",)),
    "neighbor_contrast": Comparison(
        "contrast between neighbours, and their search", 10, needs=("torch", "pynndescent")
    ),
    "kmeans_loss": Comparison("k-means as a loss", 5),
    "soft_kmeans": Comparison("ten runs of differentiable k-means at once", 3),
    "kmeans_from_disk": Comparison("k-means from the disk and in memory", 10, by_default=False),
    "models_from_disk": Comparison("models from the disk and in memory", 15, by_default=False),
    "memory_growth": Comparison("memory of each model, by samples", 15, by_default=False),
    "workers": Comparison("k-means by one worker, two and three", 20, by_default=False),
    "encoder_or_kmeans": Comparison("clusters of an encoder or of k-means", 30, by_default=False),
    "kmeans_problems": Comparison("10,000 random k-means problems", 50, by_default=False),
    "first_report": Comparison("from installation to a report", 20, by_default=False),
    "own_data": Comparison(
        "DeepClustering on seven sets, five seeds",
        600,
        needs=("umap", "clustpy", "torch", "river", "palmerpenguins"),
        by_default=False,
    ),
}


def main(arguments):
    """Run what was asked for; return the exit code, 1 if a comparison failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="comparisons to run")
    parser.add_argument("--list", action="store_true", help="list the comparisons, run none")
    parser.add_argument("--table", action="store_true", help="print the table, run none")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in COMPARISONS]
    if unknown:
        parser.error(f"Expected names out of {list(COMPARISONS)}. Received: {unknown}")
    if options.list:
        print(listing())
        return 0
    by_default = [name for name, comparison in COMPARISONS.items() if comparison.by_default]
    failed = [] if options.table else run(options.names or by_default)
    print(tables.speed(ROOT))
    if failed:
        print(f"Did not end well: {', '.join(failed)}")
    return 1 if failed else 0


def listing():
    """Return one line for each comparison."""
    return "\n".join(
        f"{name:18}{comparison.minutes:4} min  {'' if comparison.by_default else 'by name: '}"
        f"{comparison.what}"
        for name, comparison in COMPARISONS.items()
    )


def run(names):
    """Run these comparisons; return those that failed."""
    failed = []
    for name in names:
        comparison = COMPARISONS[name]
        if lacking := absent(comparison.needs):
            print(f"{name}: left out, for want of {', '.join(lacking)}", flush=True)
            continue
        if lacking := absent(comparison.takes):
            print(f"{name}: without {', '.join(lacking)}, not installed", flush=True)
        print(f"{name}: about {comparison.minutes} minutes", flush=True)
        if subprocess.run([sys.executable, HERE / f"{name}.py"]).returncode:
            failed.append(name)
    return failed


def absent(modules):
    """Return which of these modules are not installed."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
