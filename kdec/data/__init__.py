"""Data: `load_data` returns sets by name, `read` data of your own, both as a `Dataset`."""

from kdec.data.changed_rows import change_rows
from kdec.data.chunks import in_chunks, least_and_greatest
from kdec.data.dataset import Dataset
from kdec.data.named_sets import DATA_SETS, load_data
from kdec.data.preparations import preparation_from_config
from kdec.data.reading import read
from kdec.data.shards import Shards

__all__ = [
    "DATA_SETS",
    "Dataset",
    "Shards",
    "change_rows",
    "in_chunks",
    "least_and_greatest",
    "load_data",
    "preparation_from_config",
    "read",
]
