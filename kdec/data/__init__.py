"""Data sets by name: `load_data` returns a `Dataset`."""

from kdec.data.named_sets import Dataset, load_data

__all__ = ["Dataset", "load_data"]
