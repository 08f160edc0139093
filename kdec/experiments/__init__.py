"""The experiments: one module for each system of the sources, run by `kdec run`.

`registry` lists them, `execution` runs one by name, `run` is what it works with, `record` what it
leaves, and `results` the table of all recorded runs, RESULTS.md. They load on first use: the list
needs no TensorFlow.
"""

from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "execution": ["execute"],
        "picture_files": ["save_picture"],
        "record": ["processor", "read_json", "surroundings", "thin", "write_json"],
        "registry": ["EXPERIMENTS", "Experiment", "find_experiment"],
        "results": ["report", "summary", "table"],
    },
)
