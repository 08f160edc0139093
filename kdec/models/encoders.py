"""Checks of an encoder, of the views that it trains on, and of the embedding that it gives."""

import keras
import numpy as np

from kdec.data import least_and_greatest


def check_encoder(encoder) -> None:
    """Raise an error unless `encoder` is a model of one input and one embedding of known size.

    Raises:
        TypeError: If it is not a `keras.Model`.
        ValueError: If it is not built, its shapes are not known, it takes several inputs, or its
            output is not a single one of shape (batch, n_features).
    """
    if not isinstance(encoder, keras.Model):
        raise TypeError(f"Expected `encoder` to be a keras.Model. Received: {type(encoder)}")
    if not encoder.built:
        raise ValueError(
            "Expected `encoder` to be built: call it once on data, or `build` it. "
            "Received: one that is not built"
        )
    if not hasattr(encoder, "output_shape"):
        raise ValueError(
            "Expected `encoder` to be a functional or a built Sequential model, whose shapes are "
            f"known. Received: {encoder!r}"
        )
    if len(encoder.inputs) != 1:
        raise ValueError(
            "Expected `encoder` to take one input. "
            f"Received: {len(encoder.inputs)} of shapes {encoder.input_shape}"
        )
    shape = encoder.output_shape
    # Several outputs have a list, a tuple or a dict of shapes, which may be of length 2 as well.
    if not (isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[1], int)):
        raise ValueError(
            "Expected `encoder` to give one embedding of shape (batch, n_features). "
            f"Received: output shape {shape}"
        )


def encoder_of(autoencoder) -> keras.Model:
    """Return the encoder in `autoencoder`, or `autoencoder` itself if it is an encoder alone.

    Raises:
        TypeError, ValueError: If it is neither, as `check_encoder` says.
    """
    parts = [getattr(autoencoder, part, None) for part in ("encoder", "decoder")]
    if all(isinstance(part, keras.Model) for part in parts):
        autoencoder = parts[0]
    elif not isinstance(autoencoder, keras.Model):
        raise TypeError(
            "Expected `autoencoder` to be a kdec.Autoencoder, with `encoder` and `decoder`, or a "
            f"Keras model that is an encoder. Received: {autoencoder!r}"
        )
    check_encoder(autoencoder)
    return autoencoder


def check_views(views) -> None:
    """Raise a TypeError unless `views` is a Keras layer or None."""
    if views is not None and not isinstance(views, keras.Layer):
        raise TypeError(f"Expected `views` to be a Keras layer or None. Received: {views!r}")


def check_embedding(z: np.ndarray) -> None:
    """Raise a ValueError unless the embedding `z`, (n, n_features), of finite samples is finite."""
    if np.isfinite(least_and_greatest(z)).all():
        return
    n_bad = np.count_nonzero(~np.isfinite(z).all(axis=1))
    raise ValueError(
        f"Expected finite embeddings. Received: NaN or infinity in those of {n_bad} of "
        f"{len(z)} samples. Either samples are not finite, or the encoder's weights are not, "
        "or they are so large that it overflows."
    )


def check_spread(z: np.ndarray) -> None:
    """Raise a ValueError if the embedding `z`, (n, n_features), has collapsed to a point."""
    if is_collapsed(z):
        raise ValueError(
            f"Expected embeddings that differ. Received: {len(z)} equal ones. Either the encoder "
            "has collapsed, or all samples are equal."
        )


def is_collapsed(z: np.ndarray) -> bool:
    """Return whether several embeddings `z`, (n, n_features), are equal to within rounding."""
    epsilon = np.finfo("float64" if z.dtype == "float64" else "float32").eps
    if len(z) < 2:
        return False
    low, high = (np.asarray(end, "float64") for end in (z.min(axis=0), z.max(axis=0)))
    return bool((high - low).max() <= 4 * epsilon * max(-low.min(), high.max()))
