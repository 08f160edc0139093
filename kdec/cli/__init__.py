"""The command line, `kdec`; and TensorFlow's start without its messages."""

from kdec.cli.commands import main
from kdec.cli.quiet import import_tensorflow

__all__ = ["import_tensorflow", "main"]
