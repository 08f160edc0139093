"""Starting TensorFlow without the messages that its C++ code writes as it starts."""

import gc
import importlib
import os
import sys


def import_tensorflow() -> None:
    """Import Keras and TensorFlow, and drop what TensorFlow's C++ code says of itself meanwhile.

    Those messages come before the log level of ``TF_CPP_MIN_LOG_LEVEL`` counts, which is set too,
    to 3, errors that end the process, unless it is set already. TensorFlow's Python log is set to
    errors: from the fifth model that predicts, it would warn of retracing each time. All that comes
    from elsewhere shows as ever. Garbage is not collected meanwhile.

    Example:
    >>> from kdec.quiet import import_tensorflow
    >>> import_tensorflow()
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    # It would be looked for again and again among objects that stay: a sixth of the time of the
    # import.
    collects = gc.isenabled()
    gc.disable()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        importlib.import_module("keras")
        importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
    finally:
        if collects:
            gc.enable()
        os.dup2(stderr, 2)
        os.close(stderr)
