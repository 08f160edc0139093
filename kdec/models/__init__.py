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
        "differentiable_kmeans": ["DifferentiableKMeans"],
        "differentiable_kmeans_layer": ["DifferentiableKMeansLayer"],
        "encoders": ["encoder_of"],
        "kmeans_loss": ["KMeansLoss"],
        "neighbor_contrast": ["NeighborContrast"],
        "precision": ["fastest_policy"],
        "resuming": ["read_curve", "resuming_callbacks", "save_whole"],
        "self_labeling": ["SelfLabeling"],
        "temperature_decay": ["TemperatureDecay"],
        "targets": ["target_distribution"],
    },
)
