"""Checks of the parameters of DeepClustering, alone and against the samples."""

import numbers

import keras
import numpy as np

from kdec.clustering.encoding import METHODS
from kdec.data import Shards
from kdec.guards import is_positive_int
from kdec.models import encoder_of

_ENCODERS = ("auto", "dense", "conv", "none")
_LEAST_TO_CHOOSE = 8  # samples, of which `choose_n_clusters` needs four a cluster
_UNTRAINED = ("auto", "none")  # on one sample
_LEAST_SIDE = 4  # of images for convolutions


def check_parameters(clustering) -> None:
    """Raise a ValueError unless each parameter of the DeepClustering is one of those it may be."""
    _check(clustering, "n_clusters", "a positive int or 'auto'", _is_int_or_auto)
    _check(clustering, "epochs", "a positive int or 'auto'", _is_int_or_auto)
    _check(
        clustering,
        "random_state",
        "an int from 0 to 2**31 - 1, a numpy.random.RandomState or None",
        _is_random_state,
    )
    _check(clustering, "method", f"one of {METHODS}", _is_one_of(METHODS))
    for name in ("standardize", "self_labeling"):
        _check(clustering, name, "True, False or 'auto'", _is_bool_or_auto)
    _check(
        clustering,
        "views",
        "'auto', a Keras layer or None",
        lambda views: views is None or _is_auto(views) or isinstance(views, keras.Layer),
    )
    _check(
        clustering,
        "encoder",
        f"one of {_ENCODERS} or a Keras model",
        lambda encoder: isinstance(encoder, keras.Model) or _is_one_of(_ENCODERS)(encoder),
    )


def check_fit_of(clustering, x: np.ndarray | Shards) -> None:
    """Raise a ValueError unless the parameters fit the samples `x` (n, ...).

    Args:
        clustering: A DeepClustering with sound parameters.
        x: Float32 array, or `Shards`.
    """
    n_clusters = clustering.n_clusters
    if _is_auto(n_clusters):
        if len(x) < _LEAST_TO_CHOOSE:
            raise ValueError(
                f"Expected at least {_LEAST_TO_CHOOSE} samples with n_clusters='auto'. "
                f"Received: n_samples={len(x)}"
            )
    elif len(x) < n_clusters:
        raise ValueError(
            "Expected at least as many samples as clusters. "
            f"Received: n_samples={len(x)} with n_clusters={n_clusters}"
        )
    encoder, shape = clustering.encoder, x.shape[1:]
    if len(x) < 2 and not (clustering.method == "contrast" and _is_one_of(_UNTRAINED)(encoder)):
        raise ValueError("Expected two samples to train an encoder. Received: n_samples=1")
    if isinstance(encoder, keras.Model):
        _check_encoder(clustering.method, encoder, shape)
    elif encoder == "conv" and (len(shape) < 2 or min(shape[:2]) < _LEAST_SIDE):
        raise ValueError(
            f"Expected images of at least {_LEAST_SIDE} pixels a side with encoder='conv'. "
            f"Received: samples of shape {shape}"
        )
    elif encoder == "none" and clustering.method != "contrast":
        raise ValueError(
            f"Expected an encoder with method={clustering.method!r}. Received: encoder='none'"
        )


def _check_encoder(method, encoder, shape):
    expected = tuple(encoder_of(encoder).input_shape[1:])
    fits = expected in (shape, (*shape, 1), (int(np.prod(shape)),))
    if not fits:
        raise ValueError(
            f"Expected samples of shape {expected}, as the encoder takes them. Received: {shape}"
        )
    has_decoder = isinstance(getattr(encoder, "decoder", None), keras.Model)
    if method == "contrast" and has_decoder:
        raise ValueError(
            "Expected an encoder alone with method='contrast'. Received: an autoencoder; its "
            "`.encoder` will do"
        )
    if method == "idec" and not has_decoder:
        raise ValueError(
            "Expected a kdec.Autoencoder with method='idec'. Received: an encoder without decoder"
        )


def _check(clustering, name, expected, is_sound):
    value = getattr(clustering, name)
    if not is_sound(value):
        raise ValueError(f"Expected {name} to be {expected}. Received: {name}={value!r}")


def _is_auto(value):
    return isinstance(value, str) and value == "auto"


def _is_random_state(value):
    is_int = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return (
        value is None or isinstance(value, np.random.RandomState) or (is_int and 0 <= value < 2**31)
    )


def _is_int_or_auto(value):
    return _is_auto(value) or is_positive_int(value)


def _is_bool_or_auto(value):
    return _is_auto(value) or isinstance(value, (bool, np.bool_))


def _is_one_of(names):
    return lambda value: isinstance(value, str) and value in names
