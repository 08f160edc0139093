"""Which objects are an array of all samples."""


def check_array(x) -> None:
    """Raise a TypeError that names its type unless `x` is an array, a tensor, a table or a list."""
    if hasattr(x, "__array__") or isinstance(x, (list, tuple)):
        return
    hint = ", which x.toarray() makes dense" if hasattr(x, "toarray") else ""
    raise TypeError(
        "Expected `x` to be a dense array of all samples, which this method needs at once. "
        f"Received: {type(x)}{hint}"
    )
