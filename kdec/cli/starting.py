"""Starting TensorFlow for a command, which knows what it will not use of it."""

import contextlib
import gc
import sys
from collections.abc import Iterator

from kdec.quiet import import_tensorflow

# What TensorFlow and Keras import if it is there, for parts that no command uses: converters of
# models, galleries, data frames as batches. It takes a quarter of the time of the import.
_FOR_OTHER_USES = ("IPython", "jax", "matplotlib", "pandas")


def start_tensorflow() -> None:
    """Import Keras and TensorFlow quietly, without what they need for other uses than a command's.

    For a process that ends with the command: Keras then knows no pandas, though it can be imported
    again after this.
    """
    with _hidden(_FOR_OTHER_USES):
        import_tensorflow()
    # What is there now stays to the end. No later collection need go through it.
    gc.freeze()


@contextlib.contextmanager
def _hidden(packages: tuple[str, ...]) -> Iterator[None]:
    """Make packages that are not imported yet look as if they were not installed."""
    hidden = [name for name in packages if name not in sys.modules]
    # So Python marks what must not be imported.
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
