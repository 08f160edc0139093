"""The models that train, and what they share.

They load on first use: `DifferentiableKMeans` runs on every backend of Keras, without TensorFlow.
"""

from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "backup": ["AtomicBackup"],
        "backend": ["require_tensorflow"],
        "batches": ["ShuffledBatches"],
        "dec": ["DEC"],
<<<<<<< HEAD
        "differentiable_kmeans": [
            *("DifferentiableKMeans", "DifferentiableKMeansLayer", "TemperatureDecay")
        ],
        "encoders": ["encoder_of"],
=======
        "differentiable_kmeans": ["DifferentiableKMeans"],
        "differentiable_kmeans_layer": ["DifferentiableKMeansLayer"],
>>>>>>> b6bf685920d9036bb6f82d6f74a6eb8d92426c97
        "kmeans_loss": ["KMeansLoss"],
        "neighbor_contrast": ["NeighborContrast"],
        "precision": ["fastest_policy"],
        "resuming": ["read_curve", "resuming_callbacks", "save_whole"],
        "self_labeling": ["SelfLabeling"],
        "temperature_decay": ["TemperatureDecay"],
        "targets": ["target_distribution"],
    },
)
