"""Deep clustering as a scikit-learn estimator: from samples to labels in one call."""

import functools
import numbers
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from kdec.clustering.choice_of_k import choose_n_clusters
from kdec.clustering.contrast import cluster_by_contrast
from kdec.clustering.encoding import EncoderTraining
from kdec.clustering.model import ClusteringModel, apply_in_batches
from kdec.clustering.parameters import check_fit_of, check_parameters
from kdec.clustering.recipe import choose_recipe
from kdec.clustering.samples import check_images_or_vectors
from kdec.clustering.self_training import cluster_by_dec
from kdec.clustering.stages import Stages, open_backup
from kdec.data import Shards
from kdec.guards import refuse_bomb
from kdec.models import save_whole
from kdec.workers import refuse_several


class DeepClustering(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Clusters of vectors or images by an encoder that learns what similar samples have in common.

    How it learns follows from the kind and the amount of data:

    ==============  ================================================================================
    network         convolutional for images of more than 20 pixels a side, else fully connected,
                    500-500-32
    views           `RandomAffine` for convolutions, `RandomNoise(0.1)` for vectors
    none of them    tables of fewer than 1,000 rows or 4 columns, and fewer than 200 images; and
                    where clusters of a fully connected one part no less than three quarters of the
                    pairs of neighbours that those of k-means part. A warning says so; then the
                    codes are the standardised columns, or the pixels, and the clusters those of
                    k-means
    batch           256 samples, from 20,000 samples on 512
    epochs          60; more until 400 steps are done; fewer where a million samples are seen
    neighbours      10, or a third of a mean cluster if that is less
    k-means         100 restarts, from 100,000 samples on 10
    self-labelling  6 rounds of 6 passes, for convolutions on at least 1,000 images; more passes
                    until a round has 100 steps, fewer where it sees 420,000 samples
    ==============  ================================================================================

    Columns of a table are brought to mean 0 and deviation 1, and the model keeps these numbers.
    Images are taken with values in [0, 1]; those of unsigned ints are divided by the largest.

    Args:
        n_clusters: Positive int, or "auto": `kdec.choose_n_clusters` chooses on the codes, or where
            plain k-means is kept on the columns. Defaults to 8.
        method: "contrast": `kdec.NeighborContrast`, k-means on the codes, `kdec.diffuse_labels`,
            and `kdec.SelfLabeling` where it is worth it. "dec": `kdec.DEC` on an autoencoder.
            "idec": the same with reconstruction. Defaults to "contrast".
        encoder: "auto", by the rule above; "dense", "conv", or "none", for k-means without an
            encoder; or a Keras model, whose copy trains: samples -> codes, for "dec" and "idec" a
            `kdec.Autoencoder`. Defaults to "auto".
        views: "auto", by the rule above, and none for "dec" and "idec"; a Keras layer that gives
            random views of samples in training; or None. Defaults to "auto".
        standardize: Whether columns of vectors are standardised; "auto": unless all values lie in
            [0, 1]. Defaults to "auto".
        epochs: Positive int, epochs of the encoder's training, or "auto". Defaults to "auto".
        self_labeling: Whether a classifier makes the labels anew, or "auto". Defaults to "auto".
        random_state: int, `numpy.random.RandomState` or None, default None.
        verbose: 0, 1 (progress bars) or 2 (a line an epoch). Defaults to 0.

    Attributes:
        labels_: (n,) int32, cluster of each training sample: what `predict` gives for it.
        probabilities_: (n,) float32, how sure each label is: the largest of its assignments.
        embedding_: (n, n_codes) float32, codes of the training samples.
        cluster_centers_: (n_clusters, n_codes) float32, centroids among the codes.
        n_clusters_: int, number of clusters.
        choice_of_k_: `ChoiceOfK`, with `n_clusters="auto"`: what speaks for the number.
        model_: Keras model, samples -> soft assignments (n, n_clusters). Its parts `encoder` and
            `decoder` go from samples to codes and back.
        history_: dict, the learning curve of each training, a list for each logged name.
        n_features_in_: int, number of values of a sample.
        feature_names_in_: Names of the columns, shape (d,), if `fit` saw a DataFrame.

    Reference:
        Dwibedi et al., With a Little Help from My Friends (2021); Zhou et al., Learning with Local
        and Global Consistency (2003); Van Gansbeke et al., SCAN (2020); Xie, Girshick, Farhadi,
        Unsupervised Deep Embedding for Clustering Analysis (2016).

    Example:
    >>> import kdec
    >>> data = kdec.load_data("digits")
    >>> clustering = kdec.DeepClustering(n_clusters=10, epochs=10, random_state=0)
    >>> labels = clustering.fit_predict(data.x)
    >>> kdec.metrics.accuracy(data.y, labels) > 0.8
    True
    >>> clustering.inverse_transform(clustering.cluster_centers_).shape
    (10, 8, 8)
    """

    def __init__(
        self,
        n_clusters=8,
        *,
        method="contrast",
        encoder="auto",
        views="auto",
        standardize="auto",
        epochs="auto",
        self_labeling="auto",
        random_state=None,
        verbose=0,
    ):
        self.n_clusters = n_clusters
        self.method = method
        self.encoder = encoder
        self.views = views
        self.standardize = standardize
        self.epochs = epochs
        self.self_labeling = self_labeling
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X,
        y=None,
        *,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        backup_dir: str | os.PathLike | None = None,
    ):
        """Learn an encoder and clusters of `X`.

        Args:
            X: Samples: vectors (n, d); or images (n, height, width) or (n, height, width,
                channels), floats in [0, 1], bool, or unsigned ints. Or such samples on the disk:
                a `np.memmap`, `kdec.data.Shards`, or a `tf.data.Dataset` of batches.
            y: Ignored.
            callbacks: Keras callbacks for each training. Defaults to None.
            backup_dir: Folder for what an interrupted fit needs to go on; made if absent. The same
                fit with the same folder then ends as one that was never interrupted. Remove the
                folder when the results are safe. Defaults to None.

        Returns:
            self.

        Raises:
            ValueError: If `X` holds NaN, infinity or fewer samples than clusters, is of another
                shape or range; a parameter is none of the above; or `backup_dir` holds another fit,
                or comes without an int `random_state`.
        """
        refuse_several("DeepClustering")
        check_parameters(self)
        x = self._check_samples(X, reset=True)
        check_fit_of(self, x)
        seed = self._seed()
        folder = None
        if backup_dir is not None:
            folder = open_backup(backup_dir, self.get_params(deep=False), x)
        stages = Stages(folder, callbacks)
        training = EncoderTraining(
            x,
            stages,
            method=self.method,
            encoder=self.encoder,
            views=self.views,
            standardize=self.standardize,
            recipe=choose_recipe(
                len(x),
                None if self.n_clusters == "auto" else self.n_clusters,
                None if self.epochs == "auto" else self.epochs,
            ),
            seed=seed,
            verbose=self.verbose,
        )
        find = functools.partial(self._find_n_clusters, seed=seed)
        if self.method == "contrast":
            model = cluster_by_contrast(training, x, find, self.self_labeling)
        else:
            model = cluster_by_dec(training, x, find)
        model.about = self._about(x)
        self._set_model(model)
        self.embedding_ = apply_in_batches(model.encoder, x)
        assignments = apply_in_batches(model, x)
        self.labels_ = assignments.argmax(axis=1).astype(np.int32)
        self.probabilities_ = assignments.max(axis=1)
        self.history_ = stages.curves
        return self

    def predict(self, X):
        """Return the cluster of each sample of `X`, int32 (n,)."""
        return self.predict_proba(X).argmax(axis=1).astype(np.int32)

    def predict_proba(self, X):
        """Return the soft assignments of `X`, float32 (n, n_clusters); rows sum to 1."""
        return apply_in_batches(self._fitted_model(), self._check_samples(X, reset=False))

    def transform(self, X):
        """Return the codes of `X`, float32 (n, n_codes)."""
        return apply_in_batches(self._fitted_model().encoder, self._check_samples(X, reset=False))

    def inverse_transform(self, X):
        """Return what codes `X` (n, n_codes) stand for, float32 samples (n, ...)."""
        decoder = self._fitted_model().decoder
        codes = check_array(X, dtype=np.float32)
        n_codes = self.cluster_centers_.shape[1]
        if codes.shape[1] != n_codes:
            raise ValueError(
                f"Expected codes of shape (n, {n_codes}). Received: shape {codes.shape}"
            )
        return apply_in_batches(decoder, codes)

    def save(self, path: str | os.PathLike) -> None:
        """Save what labels new samples as one `.keras` file, which needs no training data.

        Without `labels_`, `probabilities_`, `embedding_` and `history_`, which `pickle` keeps.

        Raises:
            ValueError: If `path` does not end in `.keras`.
        """
        path = Path(path)
        if path.suffix != ".keras":
            raise ValueError(f"Expected a path that ends in .keras. Received: {path}")
        save_whole(self._fitted_model(), path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "DeepClustering":
        """Load what `save` saved.

        Parameters that were Keras objects are "auto" then, and a `RandomState` is None.

        Raises:
            ValueError: If `path` holds another model.
        """
        refuse_bomb(path)
        model = keras.saving.load_model(path)
        if not isinstance(model, ClusteringModel):
            raise ValueError(
                f"Expected a file of DeepClustering.save. Received: {path} with a "
                f"{type(model).__name__}"
            )
        loaded = cls(**model.about["parameters"])
        loaded._set_model(model)
        loaded.n_features_in_ = model.about["n_features"]
        if model.about["feature_names"] is not None:
            loaded.feature_names_in_ = np.array(model.about["feature_names"], dtype=object)
        return loaded

    def _seed(self):
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _find_n_clusters(self, codes, seed):
        vars(self).pop("choice_of_k_", None)
        if self.n_clusters != "auto":
            return self.n_clusters
        self.choice_of_k_ = choose_n_clusters(codes, encoder=None, random_state=seed)
        if self.choice_of_k_.n_clusters is None:
            warnings.warn(
                f"All samples are taken as one cluster: {self.choice_of_k_.reason}",
                UserWarning,
                stacklevel=4,
            )
        return self.choice_of_k_.n_clusters or 1

    def _set_model(self, model):
        self.model_ = model
        self.n_clusters_ = model.n_clusters
        self.cluster_centers_ = keras.ops.convert_to_numpy(model.cluster_centers)

    def _fitted_model(self):
        check_is_fitted(self, "model_")
        return self.model_

    def _about(self, x):
        """What `load` needs beside the model."""
        names = getattr(self, "feature_names_in_", None)
        return {
            "parameters": self._plain_parameters(),
            "n_features": self.n_features_in_,
            "feature_names": None if names is None else [str(name) for name in names],
        }

    def _plain_parameters(self):
        parameters = {}
        for name, value in self.get_params(deep=False).items():
            if isinstance(value, np.generic):
                value = value.item()
            if isinstance(value, (keras.layers.Layer, keras.Model)):
                value = "auto"
            if isinstance(value, np.random.RandomState):
                value = None
            parameters[name] = value
        return parameters

    def _check_samples(self, X, reset):
        """Return `X` as float32 of the shape that was, or is to be, learned."""
        X = Shards.of(X) or (X if hasattr(X, "shape") else np.asarray(X))
        if len(X.shape) < 3 and not isinstance(X, Shards):
            x = validate_data(self, X, dtype=np.float32, reset=reset)
        else:
            x = check_images_or_vectors(X)
            if reset:
                self.n_features_in_ = int(np.prod(x.shape[1:]))
                vars(self).pop("feature_names_in_", None)
        if not reset and x.shape[1:] != self._fitted_model().sample_shape:
            raise ValueError(
                f"Expected samples of shape {self.model_.sample_shape}, as in `fit`. "
                f"Received: {x.shape[1:]}"
            )
        return x

    def __sklearn_tags__(self):
        """Return scikit-learn's tags: codes are float32 whatever comes in."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self):
        """Number of columns that `transform` returns."""
        return self.cluster_centers_.shape[1]
