"""Deep clustering for Keras 3 on TensorFlow.

The names below load on first use, so that ``import kdec`` does not pay for TensorFlow. Keras
objects are registered as soon as Keras is imported, whether before or after kdec, so a saved model
needs no more than ``import kdec; keras.models.load_model(path)``, on any backend of Keras.
"""

import importlib.util
import sys

import wrapt

__version__ = "0.2.0"

_MODULE_OF_NAME = {
    "Autoencoder": "kdec.autoencoders",
    "ClusteringLayer": "kdec.layers",
    "DEC": "kdec.dec",
    "DifferentiableKMeans": "kdec.differentiable_kmeans",
    "DifferentiableKMeansLayer": "kdec.differentiable_kmeans",
    "KMeans": "kdec.kmeans",
    "KMeansLoss": "kdec.kmeans_loss",
    "load_data": "kdec.data",
    "load_pretrained": "kdec.pretrained",
    "target_distribution": "kdec.dec",
}
_SUBMODULES = (
    "autoencoders",
    "data",
    "dec",
    "differentiable_kmeans",
    "kmeans",
    "kmeans_loss",
    "layers",
    "metrics",
    "plots",
    "pretrained",
)

__all__ = [*_MODULE_OF_NAME, *_SUBMODULES, "__version__"]

# Modules that register Keras objects, and those of them that import TensorFlow.
_KERAS_MODULES = ("kdec.layers", "kdec.autoencoders", "kdec.differentiable_kmeans")
_TENSORFLOW_MODULES = ("kdec.dec", "kdec.kmeans_loss")


def __getattr__(name):
    if name in _MODULE_OF_NAME:
        return getattr(importlib.import_module(_MODULE_OF_NAME[name]), name)
    if name in _SUBMODULES:
        return importlib.import_module(f"kdec.{name}")
    raise AttributeError(f"module 'kdec' has no attribute '{name}'")


def __dir__():
    return sorted(__all__)


_imported = set()


def _register_keras_objects(module):
    """Import all modules with Keras objects, when Keras or one of them has been imported."""
    _imported.add(module.__name__)
    modules = _KERAS_MODULES
    if importlib.util.find_spec("tensorflow"):
        modules += _TENSORFLOW_MODULES
    # While one is half initialised the others may fail to import from it; its own end is awaited.
    if all(name in _imported for name in modules if name in sys.modules):
        for name in modules:
            importlib.import_module(name)


for _name in ("keras", *_KERAS_MODULES, *_TENSORFLOW_MODULES):
    wrapt.register_post_import_hook(_register_keras_objects, _name)
