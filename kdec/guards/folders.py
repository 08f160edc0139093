"""Folders of earlier work: not mixed with other work."""

import os
from collections.abc import Mapping
from typing import Any


def refuse_other_work(
    folder: str | os.PathLike,
    found: Mapping[str, Any],
    expected: Mapping[str, Any],
    place: str = "folder",
    work: str = "run",
) -> None:
    """Raise a ValueError if what a folder says of its work differs from what is to be done there.

    Args:
        folder: The folder.
        found: What it says of its work.
        expected: What identifies the work to be done; `found` may say more.
        place: What the user calls the folder. Defaults to "folder".
        work: What the user calls the work. Defaults to "run".

    Example:
    >>> from kdec.guards import refuse_other_work
    >>> refuse_other_work("runs/a", {"seed": 0, "seconds": 3.5}, {"seed": 0})
    >>> refuse_other_work("runs/a", {"seed": 0}, {"seed": 1})
    Traceback (most recent call last):
    ValueError: Expected a folder that is free or holds this same run. Received: runs/a with a run \
of another seed. Remove it, or choose another folder.
    """
    differing = [name for name, value in expected.items() if found.get(name) != value]
    if differing:
        raise ValueError(
            f"Expected a {place} that is free or holds this same {work}. "
            f"Received: {folder} with a {work} of another {' and '.join(differing)}. "
            "Remove it, or choose another folder."
        )
