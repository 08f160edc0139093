"""What needs Keras to run on TensorFlow says so."""

import keras


def require_tensorflow(what: str) -> None:
    """Raise an error if Keras runs on another backend.

    Args:
        what: What needs TensorFlow, such as `"the training of DEC"`.

    Raises:
        RuntimeError: If Keras runs on another backend.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(f"Expected KERAS_BACKEND=tensorflow for {what}. Received: {backend}")
