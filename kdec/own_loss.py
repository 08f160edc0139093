"""Models whose loss is their own: what their `compile` refuses, and what their parts add to it."""

import keras
from keras import ops


def refuse_losses(compile_arguments: dict) -> None:
    """Raise a ValueError if one of the arguments of `compile` brings another loss or a metric."""
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
