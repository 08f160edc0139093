"""What models ask of an encoder that they are given."""

import keras


def check_encoder(encoder) -> None:
    """Raise an error unless `encoder` is a model whose output is one embedding of known size.

    Raises:
        TypeError: If it is not a `keras.Model`.
        ValueError: If it is not built, its shapes are not known, or its output is not a single one
            of shape (batch, n_features).
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
    shape = encoder.output_shape
    # Several outputs have a list, a tuple or a dict of shapes, which may be of length 2 as well.
    if not (isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[1], int)):
        raise ValueError(
            "Expected `encoder` to give one embedding of shape (batch, n_features). "
            f"Received: output shape {shape}"
        )
