"""The command line, `kdec`."""

from kdec.cli.commands import main

__all__ = ["main"]
