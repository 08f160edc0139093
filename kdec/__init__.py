"""Deep clustering for Keras 3 on TensorFlow.

The names below load on first use, so that ``import kdec`` does not pay for TensorFlow. Keras
objects are registered as soon as Keras is imported, whether before or after kdec, so a saved model
needs no more than ``import kdec; keras.models.load_model(path)``.
"""

import importlib

import wrapt

__version__ = "0.1.0"

_MODULE_OF_NAME = {
    "Autoencoder": "kdec.autoencoders",
    "ClusteringLayer": "kdec.layers",
    "DEC": "kdec.dec",
    "KMeans": "kdec.kmeans",
    "load_data": "kdec.data",
    "target_distribution": "kdec.dec",
}
_SUBMODULES = ("autoencoders", "data", "dec", "kmeans", "layers", "metrics", "plots")

__all__ = [*_MODULE_OF_NAME, *_SUBMODULES, "__version__"]


def __getattr__(name):
    if name in _MODULE_OF_NAME:
        return getattr(importlib.import_module(_MODULE_OF_NAME[name]), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"kdec.{name}")
    raise AttributeError(f"module 'kdec' has no attribute '{name}'")


def __dir__():
    return sorted(__all__)


def _register_keras_objects(keras):
    """Import every module that registers Keras objects under the running backend."""
    importlib.import_module("kdec.layers")
    importlib.import_module("kdec.autoencoders")
    if keras.backend.backend() == "tensorflow":
        importlib.import_module("kdec.dec")


wrapt.register_post_import_hook(_register_keras_objects, "keras")
