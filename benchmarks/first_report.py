"""From `pip install` to a report: what a new user waits, and what memory it takes.

In a fresh virtual environment the project is installed, and commands run as a new user would type
them: on a CSV of 10,000 rows by 20 columns, and on a folder of 2,000 photos of mixed sizes. The
rows are five Gaussians in fifteen columns, and five columns of noise; the photos are parts of the
two that scikit-learn ships, of 200 to 1,200 pixels a side. Their number of clusters is looked for,
which ends early where none are found, and then given.

    python benchmarks/first_report.py

Seconds are of the wall; the memory is the largest of a command's process, as the system counts it.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import comparison
import numpy as np

COMMANDS = (
    "python -m venv env",
    "env/bin/pip install --quiet ./kdec",
    "env/bin/kdec cluster customers.csv",
    "env/bin/kdec cluster photos --labels folder",
    "env/bin/kdec cluster photos --k 12 --out twelve",
)
_WITH_PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(code)
"""


def main():
    """Measure the commands one after the other, and write the record."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "kdec").symlink_to(Path(__file__).parent.parent)
        make_table(folder / "customers.csv")
        make_photos(folder / "photos")
        steps = []
        for command in COMMANDS:
            steps.append({"command": command, **measure(command, folder)})
            print(steps[-1], flush=True)
    comparison.write("first_report", {"steps": steps})


def measure(command, folder):
    """Run a command in a folder; return its seconds, and the peak of its memory in MiB."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _WITH_PEAK, *command.split()],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 1), "peak_mib": int(done.stdout.splitlines()[-1])}


def make_table(path):
    """Write 10,000 rows: fifteen columns of five Gaussians, and five of noise."""
    import pandas as pd

    rng = np.random.default_rng(0)
    kind = rng.integers(5, size=10_000)
    values = 3 * rng.normal(size=(5, 15))[kind] + rng.normal(size=(10_000, 15))
    frame = pd.DataFrame(values, columns=[f"value {i}" for i in range(15)])
    for i in range(5):
        frame[f"noise {i}"] = rng.normal(size=len(frame))
    frame.to_csv(path, index=False)


def make_photos(folder):
    """Write 2,000 JPEGs, parts of two photos, into a folder for each."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    for name, photo in zip(("china", "flower"), load_sample_images().images, strict=True):
        (folder / name).mkdir(parents=True)
        for i in range(1000):
            height, width = rng.integers(150, [photo.shape[0], photo.shape[1]])
            top = rng.integers(photo.shape[0] - height + 1)
            left = rng.integers(photo.shape[1] - width + 1)
            part = Image.fromarray(photo[top : top + height, left : left + width])
            size = rng.integers(200, 1200, size=2)
            part.resize([int(side) for side in size]).save(folder / name / f"{i}.jpg")


if __name__ == "__main__":
    main()
