"""A clustering to look at: `report.html`, and files for TensorBoard's projector.

`write_report` makes one page that opens without a network, from the arrays in `Contents`.
`export_projector` writes an embedding for ``tensorboard --logdir``.
"""

import importlib

from kdec.lazy_names import lazy_names

_get, __dir__, __all__ = lazy_names(
    __name__,
    {
        "contents": ["Contents"],
        "description": ["describe"],
        "page": ["write_report"],
        "projector": ["export_projector"],
    },
)

# In version 0.2 this was the address of the table of recorded runs.
_NAMES_OF_VERSION_0_2 = ("report", "summary", "table")


def __getattr__(name):
    if name in _NAMES_OF_VERSION_0_2:
        return getattr(importlib.import_module("kdec.experiments"), name)
    return _get(name)
