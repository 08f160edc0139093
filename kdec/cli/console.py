"""What the command line writes to the terminal."""

import logging
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

console = Console()


def print_plain(text: str) -> None:
    """Print what may hold a path, in which rich would take brackets for markup and break lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_files(folder: Path) -> None:
    """Print the path of each file in a folder."""
    console.print("Files:")
    for path in sorted(folder.iterdir()):
        if path.is_file():
            print_plain(f"  {path}")


def print_error(error: object) -> None:
    """Print an error as one line, on the error output."""
    message = escape(" ".join(str(error).split()))
    Console(stderr=True).print(f"[bold red]Error:[/] {message}", soft_wrap=True, highlight=False)


def show_log() -> None:
    """Print what kdec logs from now on."""
    logger = logging.getLogger("kdec")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(RichHandler(console=console, show_path=False, show_level=False))


def figure_cell(name: str, value: float | None) -> str:
    """Return a figure as the cell of a table."""
    if value is None:
        return ""
    # An inertia may be in the millions.
    return f"{value:.1f}" if name == "seconds" or abs(value) >= 1000 else f"{value:.4f}"
