"""How a command ends: with one line for what the user can mend, and nothing lost."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import typer

from kdec.cli.console import print_error, print_plain

BAD_INPUT = 2
_INTERRUPTED = 130


@contextlib.contextmanager
def one_line_errors(out: Path | None = None) -> Iterator[None]:
    """End the command with one line and exit code 2 on bad input, and with 130 on Ctrl-C.

    Args:
        out: Folder from which the same command goes on. Defaults to None: there is none.
    """
    goes_on = "" if out is None else f" The same command goes on from {out}."
    try:
        yield
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        print_error(f"{error}.{goes_on}" if is_full else error)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        print_plain(f"\nInterrupted.{goes_on}")
        raise typer.Exit(_INTERRUPTED) from None


def check_folder(out: Path) -> None:
    """Raise an OSError if nothing can be written to `out`, before any work is done."""
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise NotADirectoryError(f"Expected a folder for the run. Received: {existing}, a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(f"Expected a folder that can be written. Received: {existing}")
