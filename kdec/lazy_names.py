"""Names of a package that load their module on first use, so that importing it costs nothing."""

import importlib
from collections.abc import Callable, Mapping, Sequence


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]], submodules: Sequence[str] = ()
) -> tuple[Callable, Callable, list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    Args:
        package: The package's `__name__`.
        names: Public names by the submodule that has them. No submodule may have the name of one:
            importing it would put the module in the name's place.
        submodules: Submodules that are public names themselves.

    Example:
    >>> from kdec.lazy_names import lazy_names
    >>> get, _, names = lazy_names("kdec", {"metrics": ["accuracy"]}, ["layers"])
    >>> names
    ['accuracy', 'layers']
    >>> get("accuracy").__module__
    'kdec.metrics'
    """
    module_of = {name: module for module, theirs in names.items() for name in theirs}
    everything = sorted({*module_of, *submodules})

    def get(name):
        if name in module_of:
            return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module '{package}' has no attribute '{name}'")

    return get, lambda: everything, everything
