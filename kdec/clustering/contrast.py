"""Contrast between neighbours, k-means on the codes, label diffusion, self-labelling."""

import logging
import warnings
from collections.abc import Callable

import keras
import numpy as np

from kdec.clustering.decoding import train_decoder
from kdec.clustering.encoding import EncoderTraining, identity
from kdec.clustering.model import ClusteringModel, apply_in_batches
from kdec.clustering.neighbor_vote import NeighborVote
from kdec.clustering.network_input import as_vectors
from kdec.data import Shards
from kdec.kmeans import KMeans
from kdec.layers import ClusteringLayer
from kdec.models import SelfLabeling
from kdec.neighbors import diffuse_labels

logger = logging.getLogger("kdec")

_PASSES = 30
_MOST_PROTOTYPES = 10_000
_MOST_COMPARED = 20_000
_DROPOUT = 0.3
_ROUNDS = 6
_LEAST_SELF_LABELED = 1000
# Of the neighbours that plain k-means parts, the most that an encoder's clusters may part.
_LEAST_GAIN = 0.25


def cluster_by_contrast(
    training: EncoderTraining,
    x: np.ndarray | Shards,
    find_n_clusters: Callable[[np.ndarray], int],
    self_labeling: bool | str = "auto",
) -> ClusteringModel:
    """Do all steps up to the model of the last labels.

    Args:
        training: The encoder's training, not run yet.
        x: Float32 array (n, ...), or `Shards`, the samples as they come.
        find_n_clusters: Returns the number of clusters, given the codes, or the columns where
            these are clustered.
        self_labeling: Whether a classifier makes the labels anew; "auto": where convolutions see at
            least 1,000 images.
    """
    if training.is_plain:
        if training.reason is not None:
            _warn(training.reason)
        return cluster_plainly(training, x, find_n_clusters)
    encoder = training.run()
    codes = apply_in_batches(encoder, x)
    n_clusters = find_n_clusters(codes)
    kmeans = KMeans(n_clusters, n_init=training.recipe.n_init, random_state=training.seed)
    shares = diffuse_where_possible(
        codes, kmeans.fit(codes).labels_, n_clusters, training.recipe.diffusion_neighbors
    )
    labels = shares.argmax(axis=1)
    # Convolutions over views see more than the pixels, by which neighbours are near.
    if training.encoder_is_chosen and not training.is_conv:
        reason = _why_plain(training, labels, n_clusters)
        if reason is not None:
            _warn(reason)
            return cluster_plainly(training, x, find_n_clusters)
    classifier = None
    if self_labeling is True or (
        self_labeling == "auto" and training.is_conv and len(x) >= _LEAST_SELF_LABELED
    ):
        classifier = _self_label(training, labels, n_clusters)
    if classifier is None:
        assignment = vote_of(codes, shares, training.recipe.n_neighbors, training.seed)
    else:
        assignment = None
        labels = apply_in_batches(classifier, x).argmax(axis=1)
    decoder = train_decoder(
        training.stages.train,
        codes,
        as_vectors(training.inputs),
        epochs=training.recipe.epochs,
        seed=training.seed,
        verbose=training.verbose,
    )
    model = ClusteringModel(
        encoder, training.samples.after(decoder), assignment, classifier, n_clusters
    )
    # A cluster that the last labels have lost keeps the centroid of k-means.
    centers = kmeans.cluster_centers_.copy()
    centers[np.unique(labels)] = unit_means(codes, labels)
    model.cluster_centers.assign(centers)
    return model


def cluster_plainly(training: EncoderTraining, x, find_n_clusters) -> ClusteringModel:
    """Return the model of k-means on the standardised columns, or on the pixels."""
    samples = training.samples.flat()
    nothing = identity(samples.network_shape)
    encoder = samples.before(nothing)
    n_clusters = find_n_clusters(apply_in_batches(encoder, x))
    kmeans = KMeans(n_clusters, n_init=training.recipe.n_init, random_state=training.seed)
    kmeans.fit(samples.apply(x))
    return around_centroids(encoder, samples.after(nothing), kmeans.cluster_centers_)


def around_centroids(encoder, decoder, centroids, alpha=1.0) -> ClusteringModel:
    """Return the model that assigns by Student's t around `centroids` (n_clusters, n_features)."""
    n_clusters = len(centroids)
    assignment = ClusteringLayer(n_clusters, alpha=alpha, dtype="float32")
    assignment.build(encoder.output_shape)
    assignment.clusters.assign(centroids)
    model = ClusteringModel(encoder, decoder, assignment, None, n_clusters)
    model.cluster_centers.assign(centroids)
    return model


def diffuse_where_possible(codes, labels, n_clusters: int, n_neighbors: int) -> np.ndarray:
    """Return diffused labels (n, n_clusters), or the labels as they are if a cluster would die."""
    shares = np.eye(n_clusters, dtype=np.float32)[labels]
    smallest = int(shares.sum(axis=0).min())
    n_neighbors = min(n_neighbors, smallest // 2)
    if n_neighbors == 0:
        return shares
    try:
        return diffuse_labels(codes, shares, n_neighbors, _PASSES, verbose=False)
    except ValueError as died_out:  # The arguments are sound.
        logger.warning("The labels do not diffuse: %s", died_out)
        return shares


def unit_means(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean direction of the codes of each label that there is, (n_labels, n_features).

    Means of codes of length one are shorter; what they stand for is on the sphere, as all codes.
    """
    means = np.stack([codes[labels == cluster].mean(axis=0) for cluster in np.unique(labels)])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def vote_of(codes, shares, n_neighbors: int, seed: int) -> NeighborVote:
    """Return the layer that assigns new codes as their neighbours among `codes` are assigned."""
    if len(codes) > _MOST_PROTOTYPES:
        chosen = np.random.default_rng(seed).permutation(len(codes))[:_MOST_PROTOTYPES]
        codes, shares = codes[chosen], shares[chosen]
    vote = NeighborVote(len(codes), shares.shape[1], n_neighbors, dtype="float32")
    vote.build(codes.shape)
    vote.prototypes.assign(codes)
    vote.shares.assign(shares)
    return vote


def _warn(reason):
    warnings.warn(
        f"Deep clustering is not worth it here: {reason}. The clusters are those of k-means on the "
        "standardised columns, or on the pixels. An encoder that you name, such as "
        'encoder="dense", is trained all the same.',
        UserWarning,
        stacklevel=4,
    )


def _why_plain(training, labels, n_clusters):
    """Say why k-means without an encoder does as well, or return None if it does not."""
    points = as_vectors(training.inputs)
    kmeans = KMeans(n_clusters, n_init=10, random_state=training.seed)
    some = np.random.default_rng(training.seed).permutation(len(points))[:_MOST_COMPARED]
    plain = parted(training.neighbors, kmeans.fit(points[some]).predict(points))
    deep = parted(training.neighbors, labels)
    logger.info("Neighbours parted: %.3f by k-means, %.3f with an encoder.", plain, deep)
    if deep <= (1 - _LEAST_GAIN) * plain:
        return None
    return (
        f"its clusters part {deep:.1%} of all pairs of neighbours, those of plain k-means no more "
        f"than {plain:.1%}"
    )


def parted(neighbors, labels) -> float:
    """Return the share of the pairs of `neighbors` (n, k) that `labels` (n,) put apart."""
    return float(np.mean(labels[neighbors] != labels[:, np.newaxis]))


def _self_label(training, labels, n_clusters):
    """Train a classifier on `labels`, which it makes anew in rounds; None if a cluster dies out."""

    def build():
        classifier = training.build_network(n_clusters, dropout=_DROPOUT)
        return SelfLabeling(classifier, training.views(), seed=training.seed)

    def fit(model, callbacks):
        model.fit(
            training.inputs,
            labels,
            rounds=_ROUNDS,
            passes=training.recipe.passes,
            batch_size=min(256, len(labels)),
            callbacks=callbacks,
            verbose=training.verbose,
        )

    if len(np.unique(labels)) < max(2, n_clusters):
        return None
    try:
        model = training.stages.train("self-labeling", build, fit, "self_labeling.keras")
    except ValueError as died_out:  # The arguments are sound.
        logger.warning("No self-labelling: %s", died_out)
        return None
    return training.samples.before(model.classifier, keras.layers.Softmax(dtype="float32"))
