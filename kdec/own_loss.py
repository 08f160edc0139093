"""Models whose loss is their own: what their `compile` refuses."""


def refuse_losses(compile_arguments: dict) -> None:
    """Raise a ValueError if one of the arguments of `compile` brings another loss or a metric."""
    for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if compile_arguments.get(name) is not None:
            raise ValueError(
                f"Expected no `{name}`: the loss is the model's own, set when it was made. "
                f"Received: {name}={compile_arguments[name]!r}"
            )
