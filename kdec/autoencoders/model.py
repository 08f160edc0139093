"""An encoder and a decoder that train as one Keras model."""

import keras
from keras import ops

from kdec.autoencoders import legacy_h5
from kdec.autoencoders.composite import CompositeModel


@keras.saving.register_keras_serializable(package="kdec")
class Autoencoder(CompositeModel):
    """An encoder and a decoder, trained together to reproduce their input.

    `fit(x)` needs no target: the input is its own. Another target, as of a denoising autoencoder,
    has the shape of the reconstruction. Compile it as any Keras model, with a loss such as `"mse"`.
    Samples may stay on the disk, as a `np.memmap` or `kdec.data.Shards`: they make the same batches
    as an array, and are read a few of them ahead.

    Args:
        encoder: Built `keras.Model`, (batch, ...) -> (batch, n_features).
        decoder: Built `keras.Model`, (batch, n_features) -> the encoder's input shape.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `encoder` or `decoder` is not a `keras.Model`.
        ValueError: If one is not built, or their shapes do not fit together; in `fit`, if a target
            has another shape than the reconstruction.

    Example:
    >>> import kdec, numpy as np
    >>> x = np.random.default_rng(0).random((32, 8), dtype="float32")
    >>> autoencoder = kdec.autoencoders.dense((8, 4, 2))
    >>> autoencoder.compile(optimizer="adam", loss="mse")
    >>> history = autoencoder.fit(x, verbose=0)
    >>> autoencoder.encoder.predict(x, verbose=0).shape
    (32, 2)
    """

    parts = ("encoder", "decoder")

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **kwargs):
        _check_parts(encoder, decoder)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.call_once(encoder)

    def call(self, inputs, training=None):
        """Return the reconstructions of `inputs`, of the same shape."""
        return self.decoder(self.encoder(inputs, training=training), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the compiled loss of the reconstructions `y_pred` against `y`, by default `x`."""
        y = _as_target(x, y, y_pred)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the compiled metrics of `y_pred` against `y`, by default `x`."""
        return super().compute_metrics(x, _as_target(x, y, y_pred), y_pred, sample_weight)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Save the weights as `.weights.h5` (Keras 3) or, by another `.h5` name, as legacy HDF5."""
        if legacy_h5.is_legacy_path(filepath):
            legacy_h5.save_weights(self, filepath, overwrite=overwrite, **kwargs)
        else:
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Load weights that `save_weights` saved, or a legacy `.h5` file of the same layers.

        Raises:
            ValueError: If a legacy `.h5` file comes with `skip_mismatch`: its layers must all fit.
        """
        if not legacy_h5.is_legacy_path(filepath):
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)
        elif skip_mismatch:
            raise ValueError(
                "Expected skip_mismatch=False for a legacy .h5 file, whose layers must all fit. "
                f"Received: skip_mismatch={skip_mismatch!r} with {filepath}"
            )
        else:
            legacy_h5.load_weights(self, filepath, **kwargs)


def _as_target(x, y, y_pred):
    """The reconstruction's target, with the channel axis that Keras added to `x` for the model."""
    target = x if y is None else y
    if len(target.shape) + 1 == len(y_pred.shape):
        target = ops.expand_dims(target, -1)
    expected, received = tuple(y_pred.shape[1:]), tuple(target.shape[1:])
    fits = len(expected) == len(received) and all(
        None in sizes or sizes[0] == sizes[1] for sizes in zip(expected, received, strict=True)
    )
    if not fits:
        # Losses would spread it over the reconstruction: labels, as `DEC.fit` takes, would train
        # the decoder to draw their numbers.
        raise ValueError(
            f"Expected a target of the reconstruction's shape {('batch', *expected)}, or none: the "
            f"input is its own target. Received: shape {('batch', *received)}"
        )
    return target


def _check_parts(encoder, decoder):
    for name, part in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(part, keras.Model):
            raise TypeError(f"Expected `{name}` to be a keras.Model. Received: {type(part)}")
        if not part.built or not hasattr(part, "output_shape"):
            raise ValueError(
                f"Expected `{name}` to be a functional or a built Sequential model, whose shapes "
                f"are known. Received: {part!r}"
            )
    code, image = encoder.output_shape, encoder.input_shape
    if decoder.input_shape[1:] != code[1:] or decoder.output_shape[1:] != image[1:]:
        raise ValueError(
            f"Expected a decoder {code} -> {image} for an encoder {image} -> {code}. "
            f"Received: decoder {decoder.input_shape} -> {decoder.output_shape}"
        )
