"""10,000 random k-means problems, of tests/kmeans/random_problems.py, against other programs.

    python benchmarks/kmeans_problems.py [number of problems]

Writes results/benchmarks/kmeans_problems.json after every hundred; the same command goes on from
there.
"""

import importlib.metadata
import json
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "kmeans"))

from random_problems import draw, solve  # noqa: E402

RECORD = ROOT / "results" / "benchmarks" / "kmeans_problems.json"
CHUNK = 100


def main(n_problems):
    record = {"seeds": [0, 0], "seconds": 0.0, "faults": {}, "verdicts": {}, "kinds": {}}
    record |= {"largest_share_of_what_is_allowed": {}, "versions": versions()}
    if RECORD.exists():
        record = json.loads(RECORD.read_text())
        if record["versions"] != versions():
            sys.exit(f"{RECORD} is of other versions: {record['versions']}. Remove it first.")
    while record["seeds"][1] < n_problems:
        start = time.perf_counter()
        for seed in range(record["seeds"][1], record["seeds"][1] + CHUNK):
            add(record, seed)
        record["seeds"][1] += CHUNK
        record["seconds"] = round(record["seconds"] + time.perf_counter() - start, 1)
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
        print(record["seeds"], record["verdicts"], record["faults"], flush=True)


def versions():
    names = ("kdec", "tensorflow", "scikit-learn", "numpy", "scipy")
    return {name: importlib.metadata.version(name) for name in names}


def add(record, seed):
    """Solve one problem, and count it by each word for its kind."""
    problem = draw(seed)
    answer = solve(problem)
    if answer.faults:
        record["faults"][str(seed)] = [*answer.faults, str(problem.kind)]
    record["verdicts"] = dict(Counter(record["verdicts"]) + Counter([answer.verdict]))
    for name, value in problem.kind.items():
        counts = record["kinds"].setdefault(name, {})
        counts[str(value)] = counts.get(str(value), 0) + 1
    metric = problem.kind["metric"]
    worst = record["largest_share_of_what_is_allowed"]
    worst[metric] = float(f"{max(worst.get(metric, 0), answer.deviation):.2g}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
