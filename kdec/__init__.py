"""Deep clustering for Keras 3 on TensorFlow.

The names below load on first use, so that ``import kdec`` does not pay for TensorFlow. Keras
objects are registered as soon as Keras is imported, whether before or after kdec, so a saved model
needs no more than ``import kdec; keras.models.load_model(path)``, on any backend of Keras.
"""

import importlib.util
import os
import pkgutil
import sys

import wrapt

import kdec.guards  # noqa: F401, which must know of forks before they happen
from kdec.lazy_names import lazy_names

__version__ = "0.3.0"

# Addresses of version 0.2, such as `kdec.dec`, are modules in this folder.
__path__.append(os.path.join(__path__[0], "moved"))

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "autoencoders": ["Autoencoder"],
        "clustering": ["ChoiceOfK", "DeepClustering", "choose_n_clusters"],
        "data": ["load_data"],
        "kmeans": ["KMeans"],
        "layers": ["ClusteringLayer"],
        "models": [
            *("DEC", "DifferentiableKMeans", "DifferentiableKMeansLayer", "KMeansLoss"),
            *("NeighborContrast", "SelfLabeling", "target_distribution"),
        ],
        "neighbors": [
            *("diffuse_labels", "join_clusters", "nearest_neighbors", "neighbors_over_views"),
        ],
        "pretrained": ["load_pretrained"],
        "report": ["export_projector"],
    },
    submodules=[
        *(
            "autoencoders",
            "clustering",
            "data",
            "kmeans",
            "layers",
            "metrics",
            "models",
            "plots",
            "pretrained",
        ),
        *("neighbors", "report", "views", "workers"),
        *("dec", "differentiable_kmeans", "kmeans_loss"),
    ],
)
__all__ += ["__version__"]

# Modules that register Keras objects, and those of them that import TensorFlow.
_KERAS_MODULES = (
    "kdec.autoencoders",
    "kdec.clustering.model",
    "kdec.clustering.neighbor_vote",
    "kdec.clustering.standardization",
    "kdec.layers",
    "kdec.models.differentiable_kmeans",
    "kdec.views",
)
_TENSORFLOW_MODULES = (
    "kdec.models.dec",
    "kdec.models.kmeans_loss",
    "kdec.models.neighbor_contrast",
    "kdec.models.self_labeling",
)

# Whose import may begin that of Keras, and which those above import from.
_INSIDES = tuple(
    f"kdec.{package}.{module.name}"
    for package in ("clustering", "models", "neighbors")
    for module in pkgutil.iter_modules([os.path.join(__path__[0], package)])
)
_WATCHED = {"keras", *_KERAS_MODULES, *_TENSORFLOW_MODULES, *_INSIDES}

_imported = set()


def _register_keras_objects(module):
    """Import all modules with Keras objects, when Keras or a watched one has been imported."""
    _imported.add(module.__name__)
    modules = _KERAS_MODULES
    if importlib.util.find_spec("tensorflow"):
        modules += _TENSORFLOW_MODULES
    # While one is half initialised the others may fail to import from it; its own end is awaited.
    if all(name in _imported for name in _WATCHED if name in sys.modules):
        for name in modules:
            importlib.import_module(name)


for _name in _WATCHED:
    wrapt.register_post_import_hook(_register_keras_objects, _name)
