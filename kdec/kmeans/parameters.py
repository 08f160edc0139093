"""The parameters of `KMeans`: checked, before any work is done."""

from numbers import Real

from kdec.guards import is_positive_int

_METRICS = ("euclidean", "manhattan", "cosine")
_INITS = ("k-means++", "random")


def check_parameters(kmeans) -> None:
    """Raise a ValueError for a parameter of a `KMeans` that is out of range."""
    for name in ("n_clusters", "max_iter"):
        _check_integer(name, getattr(kmeans, name))
    if not (isinstance(kmeans.n_init, str) and kmeans.n_init == "auto"):
        _check_integer("n_init", kmeans.n_init, 'or "auto"')
    if not isinstance(kmeans.tol, Real) or not kmeans.tol >= 0:
        raise ValueError(f"Expected tol to be a number >= 0. Received: tol={kmeans.tol!r}.")
    if kmeans.metric not in _METRICS:
        raise ValueError(
            f"Expected metric to be one of {_METRICS}. Received: metric={kmeans.metric!r}."
        )
    is_name = isinstance(kmeans.init, str)
    if kmeans.init is None or (is_name and kmeans.init not in _INITS):
        raise ValueError(
            f"Expected init to be one of {_INITS}, an array of shape "
            f"(n_clusters, n_features), or a function. Received: init={kmeans.init!r}."
        )


def _check_integer(name, value, alternative=""):
    if not is_positive_int(value):
        raise ValueError(
            f"Expected {name} to be an integer >= 1 {alternative}".rstrip()
            + f". Received: {name}={value!r}."
        )
