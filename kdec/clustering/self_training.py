"""DEC and IDEC on the autoencoder of the data."""

from collections.abc import Callable

import keras
import numpy as np

from kdec.clustering.contrast import around_centroids
from kdec.clustering.decoding import train_decoder
from kdec.clustering.encoding import EncoderTraining
from kdec.clustering.model import ClusteringModel, apply_in_batches
from kdec.clustering.network_input import as_vectors
from kdec.data import Shards
from kdec.models import DEC

# Of IDEC's loss, as in Guo et al. (2017), section 4.2: 0.1 of clustering for 1 of reconstruction.
_CLUSTERING_WEIGHT = 0.1
_UPDATE_INTERVAL = 140


def cluster_by_dec(
    training: EncoderTraining, x: np.ndarray | Shards, find_n_clusters: Callable[[np.ndarray], int]
) -> ClusteringModel:
    """Train the autoencoder, then encoder and centroids; return the model.

    Args:
        training: The encoder's training, not run yet, of method "dec" or "idec".
        x: Float32 array (n, ...), or `Shards`, the samples as they come.
        find_n_clusters: Returns the number of clusters, given the codes of the autoencoder.
    """
    encoder = training.run()
    n_clusters = find_n_clusters(apply_in_batches(encoder, x))
    reconstructs = training.method == "idec"

    def build():
        dec = DEC(
            training.network,
            n_clusters,
            clustering_weight=_CLUSTERING_WEIGHT if reconstructs else 1.0,
            reconstruction_weight=1.0 if reconstructs else 0.0,
            views=training.views(),
        )
        dec.initialize(training.inputs, random_state=training.seed)
        if reconstructs:
            # The rate of a loss whose divergence counts a tenth.
            dec.compile(keras.optimizers.SGD(0.1, momentum=0.9))
        return dec

    def fit(dec, callbacks):
        dec.fit(
            training.inputs,
            batch_size=training.recipe.batch_size,
            max_steps=(10 if len(x) < 20_000 else 60) * _UPDATE_INTERVAL,
            update_interval=_UPDATE_INTERVAL,
            callbacks=callbacks,
            verbose=training.verbose,
        )

    dec = training.stages.train("dec", build, fit, "dec.keras")
    encoder = training.samples.before(dec.encoder)
    if reconstructs:
        decoder = dec.decoder
    else:  # That of the autoencoder has not kept up with the codes.
        decoder = train_decoder(
            training.stages.train,
            apply_in_batches(encoder, x),
            as_vectors(training.inputs),
            epochs=training.recipe.epochs,
            seed=training.seed,
            verbose=training.verbose,
        )
    return around_centroids(encoder, training.samples.after(decoder), dec.clusters)
