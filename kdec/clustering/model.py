"""What a fitted clustering is: samples to codes, codes to assignments and back to samples."""

import keras
import numpy as np
from keras import ops

from kdec.autoencoders import CompositeModel
from kdec.data import Shards

_BATCH = 256  # around centroids, that times n_clusters times n_features numbers at once


@keras.saving.register_keras_serializable(package="kdec")
class ClusteringModel(CompositeModel):
    """A fitted clustering as one Keras model: `predict(x)` gives soft assignments.

    `kdec.DeepClustering.save` writes it. All parts take samples as they come: scaling is inside.

    Args:
        encoder: Keras model, samples -> codes (batch, n_features).
        decoder: Keras model, codes -> samples.
        assignment: Keras layer, codes -> soft assignments; or None.
        classifier: Keras model, samples -> soft assignments, in the place of `assignment`; or None.
        n_clusters: Positive int.
        about: What else is known of the clustering, as JSON can hold it. Defaults to None.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Attributes:
        cluster_centers: Weight (n_clusters, n_features), the centroids among the codes.
    """

    parts = ("encoder", "decoder", "assignment", "classifier")

    def __init__(self, encoder, decoder, assignment, classifier, n_clusters, about=None, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.assignment = assignment
        self.classifier = classifier
        self.n_clusters = n_clusters
        self.about = dict(about or {})
        self.cluster_centers = self.add_weight(
            name="cluster_centers",
            shape=(n_clusters, encoder.output_shape[1]),
            initializer="zeros",
            trainable=False,
        )
        self.call_once(encoder)

    def call(self, inputs):
        """Return the soft assignments of `inputs`, shape (batch, n_clusters)."""
        if self.classifier is not None:
            return self.classifier(inputs, training=False)
        return self.assignment(self.encoder(inputs, training=False))

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {**super().get_config(), "n_clusters": self.n_clusters, "about": self.about}


def apply_in_batches(model: keras.layers.Layer, x: np.ndarray | Shards) -> np.ndarray:
    """Return what `model` gives for `x` (n, ...), float32, without tracing a graph for it."""
    batches = (x[start : start + _BATCH] for start in range(0, len(x), _BATCH))
    return np.concatenate([ops.convert_to_numpy(model(batch)) for batch in batches])
