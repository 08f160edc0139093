"""Models whose loss is their own: how they are compiled, and what their parts add to the loss."""

import keras
from keras import ops

from kdec.autoencoders import CompositeModel


class OwnLossModel(CompositeModel):
    """A model that is compiled with an optimizer alone."""

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Set the optimizer, as `keras.Model.compile` does; the loss is the model's own.

        Args:
            optimizer: Keras optimizer or its name. Defaults to "rmsprop", as in Keras.
            loss: None. Named here so that a loss is refused by position too.
            **kwargs: Arguments of `keras.Model.compile` but losses and metrics.

        Raises:
            ValueError: If a loss or a metric is given.
        """
        _refuse_losses({"loss": loss, **kwargs})
        super().compile(optimizer=optimizer, **kwargs)

    def compile_from_config(self, config):
        """Compile with what `get_compile_config` returned, ready to load the optimizer's state."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def renew_optimizer(self) -> None:
        """Replace the optimizer by a fresh one of the same settings."""
        self.optimizer = type(self.optimizer).from_config(self.optimizer.get_config())


def _refuse_losses(compile_arguments):
    for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if compile_arguments.get(name) is not None:
            raise ValueError(
                f"Expected no `{name}`: the loss is the model's own, set when it was made. "
                f"Received: {name}={compile_arguments[name]!r}"
            )


def add_losses_of(loss, *parts: keras.Model):
    """Add to `loss` what the models `parts` ask for themselves, such as regularizers' terms.

    Args:
        loss: Scalar tensor, whose dtype the sum has.
        *parts: Models that have just been called.
    """
    for own_loss in [own_loss for part in parts for own_loss in part.losses]:
        loss += ops.cast(own_loss, loss.dtype)
    return loss
