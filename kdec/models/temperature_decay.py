"""A temperature of soft k-means that falls from epoch to epoch."""

import keras

from kdec.guards import positive_int
from kdec.models.differentiable_kmeans_layer import DifferentiableKMeansLayer, check_built
from kdec.models.temperature import check_temperature


class TemperatureDecay(keras.callbacks.Callback):
    """Lowers the temperature by the same factor each epoch, from `initial` to `final`.

    The temperature depends on the epoch alone, so a resumed training goes on with the right one. It
    is in the logs as `temperature`.

    Args:
        initial: Positive float, temperature of the first epoch.
        final: Positive float, temperature from epoch number `n_epochs` on.
        n_epochs: Positive int, epochs over which it falls, including the first and the last.

    Raises:
        ValueError: If a number is not positive; in `fit`, if the model has no
            `DifferentiableKMeansLayer` among its layers, or one without centroids yet.

    Example:
    >>> import kdec
    >>> decay = kdec.models.TemperatureDecay(8.0, 0.5, n_epochs=5)
    >>> [decay.temperature(epoch) for epoch in range(7)]
    [8.0, 4.0, 2.0, 1.0, 0.5, 0.5, 0.5]
    """

    def __init__(self, initial: float, final: float, n_epochs: int):
        check_temperature("initial", initial)
        check_temperature("final", final)
        n_epochs = positive_int("n_epochs", n_epochs)
        super().__init__()
        self.initial = float(initial)
        self.final = float(final)
        self.n_epochs = n_epochs

    def temperature(self, epoch: int) -> float:
        """Return the temperature of an epoch, counted from 0."""
        return self.initial * (self.final / self.initial) ** min(
            epoch / max(self.n_epochs - 1, 1), 1
        )

    def on_train_begin(self, logs=None):
        """Raise a ValueError if there is no temperature to lower."""
        if not self._layers():
            raise ValueError(
                "Expected a model with a DifferentiableKMeansLayer among its layers. "
                f"Received: layers {[type(layer).__name__ for layer in self.model.layers]}"
            )
        for layer in self._layers():
            check_built(layer)

    def on_epoch_begin(self, epoch, logs=None):
        """Set the temperature of `epoch`."""
        for layer in self._layers():
            layer.temperature.assign(self.temperature(epoch))

    def on_epoch_end(self, epoch, logs=None):
        """Add the temperature of `epoch` to the logs."""
        logs["temperature"] = self.temperature(epoch)

    def _layers(self):
        layers = self.model.layers
        return [layer for layer in layers if isinstance(layer, DifferentiableKMeansLayer)]
