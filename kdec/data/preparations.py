"""Preparations by the kind of data: each makes the same columns of new rows."""

import importlib
from typing import Any

_MODULES = {
    "table": ("tables", "TablePreparation"),
    "array": ("arrays", "ArrayPreparation"),
    "sparse": ("sparse_matrices", "SparsePreparation"),
    "images": ("image_folders", "ImagePreparation"),
}


def preparation_of(kind: str) -> type:
    """Return the class of preparations for a kind of data; its module loads only now."""
    module, name = _MODULES[kind]
    return getattr(importlib.import_module(f"kdec.data.{module}"), name)


def preparation_from_config(config: dict[str, Any]) -> Any:
    """Make a `Dataset.preparation` again from its ``get_config()``.

    Args:
        config: What ``get_config()`` returned, also after a way through JSON.

    Returns:
        The preparation, for `data.read(..., preparation=...)`.

    Raises:
        ValueError: If `config` is not one of these.

    Example:
        >>> import json
        >>> import pandas as pd
        >>> from kdec.data import preparation_from_config, read
        >>> old = read(pd.DataFrame({"weight": [1.5, 2.5], "colour": ["red", "blue"]}, ["a", "b"]))
        >>> stored = json.dumps(old.preparation.get_config())
        >>> preparation = preparation_from_config(json.loads(stored))
        >>> preparation.columns == old.columns
        True
    """
    kind = config.get("kind") if isinstance(config, dict) else None
    if kind not in _MODULES:
        raise ValueError(
            f"Expected the config of a preparation, of kind {', '.join(_MODULES)}. "
            f"Received: {'kind=' + repr(kind) if isinstance(config, dict) else repr(config)}"
        )
    rest = {key: value for key, value in config.items() if key != "kind"}
    return preparation_of(kind).from_config(rest)
