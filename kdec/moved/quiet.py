"""`kdec.quiet`, now in `kdec.cli`."""

from kdec.cli import import_tensorflow

__all__ = ["import_tensorflow"]
