"""The encoder of a clustering, from samples as they come to codes."""

import functools

import keras
import numpy as np

from kdec.autoencoders import conv, conv_encoder, dense, dense_encoder
from kdec.clustering.network_input import NetworkInput, column_scale
from kdec.clustering.recipe import Recipe, choose_network, choose_recipe, why_not_deep
from kdec.clustering.samples import check_images_or_vectors
from kdec.clustering.stages import Stages
from kdec.data import Shards, least_and_greatest
from kdec.models import NeighborContrast, ShuffledBatches, encoder_of, fastest_policy
from kdec.neighbors import nearest_neighbors
from kdec.views import RandomAffine, RandomNoise

METHODS = ("contrast", "dec", "idec")
_HIDDEN_UNITS = (500, 500)
_EMBEDDING_UNITS = 32
_NOISE = 0.1
_DEC_DIMS = (500, 500, 2000, 10)
_DEC_FILTERS = (16, 32, 64)


def train_encoder(x, *, random_state: int = 0, verbose: int = 0) -> keras.Model:
    """Train an encoder as `kdec.DeepClustering` does by default, and return it.

    Args:
        x: Samples (n, d), (n, height, width) or (n, height, width, channels).
        random_state: Int of at least 0. Defaults to 0.
        verbose: 0, 1 or 2, as in `keras.Model.fit`. Defaults to 0.

    Returns:
        A Keras model from samples as they come to codes, (batch, ...) -> (batch, n_features). Where
        no encoder is worth its training they are the standardised columns or the pixels.
    """
    x = check_images_or_vectors(x)
    training = EncoderTraining(
        x, Stages(), recipe=choose_recipe(len(x)), seed=random_state, verbose=verbose
    )
    return training.run()


class EncoderTraining:
    """The training of an encoder, and what it leaves for the steps after it.

    Args:
        x: Float32 array (n, ...), or `Shards`, checked.
        stages: What trains.
        method: As in `kdec.DeepClustering`; so are the next three.
        encoder: "auto", "dense", "conv", "none", or a Keras model.
        views: "auto", a Keras layer, or None.
        standardize: "auto", or whether columns are brought to mean 0 and deviation 1.
        recipe: How it trains.
        seed: Int.
        verbose: As in Keras' `fit`.

    Attributes:
        reason: Why no encoder is trained, or None.
        samples: `NetworkInput` from samples as they come to the network.
        inputs: The samples as the network takes them.
        network: The trained network, an encoder or an `Autoencoder`; None before, or without one.
    """

    def __init__(
        self,
        x: np.ndarray | Shards,
        stages: Stages,
        *,
        method: str = "contrast",
        encoder="auto",
        views="auto",
        standardize="auto",
        recipe: Recipe,
        seed: int,
        verbose: int,
    ):
        self.stages, self.method, self.encoder = stages, method, encoder
        self.given_views, self.recipe, self.seed, self.verbose = views, recipe, seed, verbose
        self.reason = None
        if self.encoder_is_chosen:
            self.reason = why_not_deep(len(x), x.shape[1:])
        if standardize == "auto":
            low, high = least_and_greatest(x)
            standardize = not (low >= 0 and high <= 1)
        scale = column_scale(x) if standardize and x.ndim == 2 else None
        self.samples = NetworkInput(x.shape[1:], self._network_shape(x.shape[1:]), scale)
        self.inputs = self.samples.apply(x)
        self.network = None

    def run(self) -> keras.Model:
        """Train, and return the model from samples as they come to codes."""
        if self.is_plain:
            return self.samples.before(identity(self.samples.network_shape))
        if self.method == "contrast":
            contrast = self.stages.train(
                "contrast", self._build_contrast, self._fit_contrast, "contrast.keras"
            )
            self.network = contrast.encoder
            return self.samples.before(
                self.network, keras.layers.UnitNormalization(dtype="float32")
            )
        if isinstance(self.encoder, keras.Model) and not hasattr(self.encoder, "decoder"):
            self.network = _copy(self.encoder)
            return self.samples.before(self.network)
        self.network = self.stages.train(
            "autoencoder", self._build_autoencoder, self._fit_autoencoder, "autoencoder.keras"
        )
        return self.samples.before(self.network.encoder)

    @property
    def is_plain(self) -> bool:
        """Whether there is no encoder to train."""
        return self.reason is not None or (isinstance(self.encoder, str) and self.encoder == "none")

    @property
    def encoder_is_chosen(self) -> bool:
        """Whether there may be none at all, since the user has not named one."""
        return self.method == "contrast" and _is_auto(self.encoder)

    @functools.cached_property
    def neighbors(self) -> np.ndarray:
        """The nearest neighbours of each sample, int32 (n, n_neighbors)."""
        return nearest_neighbors(
            self.inputs,
            min(self.recipe.n_neighbors, len(self.inputs) - 1),
            verbose=self.verbose == 1,
        )

    @property
    def is_conv(self) -> bool:
        """Whether the network takes images."""
        return len(self.samples.network_shape) == 3

    def views(self) -> keras.Layer | None:
        """Build the layer of the random views, or return None for none."""
        if not _is_auto(self.given_views):
            return self.given_views
        if self.method != "contrast":
            return None
        if self.is_conv:
            return RandomAffine(dtype=fastest_policy(), seed=self.seed)
        return RandomNoise(_NOISE, seed=self.seed)

    def build_network(self, units: int, dropout: float = 0.0) -> keras.Model:
        """Build the network, or as its twin a classifier of as many `units` as clusters."""
        if self.is_conv:
            return conv_encoder(
                self.samples.network_shape,
                units,
                dropout=dropout,
                dtype=fastest_policy(),
                seed=self.seed,
            )
        dims = (*self.samples.network_shape, *_HIDDEN_UNITS, units)
        return dense_encoder(dims, dropout=dropout, seed=self.seed)

    def _network_shape(self, sample_shape):
        if isinstance(self.encoder, keras.Model):
            return tuple(encoder_of(self.encoder).input_shape[1:])
        network = choose_network(sample_shape) if _is_auto(self.encoder) else self.encoder
        if network == "dense" or self.is_plain:
            return (int(np.prod(sample_shape)),)
        return sample_shape if len(sample_shape) == 3 else (*sample_shape, 1)

    def _build_contrast(self):
        if isinstance(self.encoder, keras.Model):
            encoder = _copy(self.encoder)
        else:
            encoder = self.build_network(_EMBEDDING_UNITS)
        return NeighborContrast(encoder, self.views(), seed=self.seed)

    def _fit_contrast(self, model, callbacks):
        model.fit(
            self.inputs,
            self.neighbors,
            self.recipe.batch_size,
            self.recipe.epochs,
            callbacks,
            verbose=self.verbose,
        )

    def _build_autoencoder(self):
        if isinstance(self.encoder, keras.Model):
            autoencoder = _copy(self.encoder)
        elif self.is_conv:
            autoencoder = conv(self.samples.network_shape, _DEC_FILTERS, seed=self.seed)
        else:
            autoencoder = dense((*self.samples.network_shape, *_DEC_DIMS), seed=self.seed)
        autoencoder.compile("adam", "mse")
        return autoencoder

    def _fit_autoencoder(self, autoencoder, callbacks):
        batches = ShuffledBatches(self.inputs, self.recipe.batch_size, seed=self.seed)
        autoencoder.steps_per_execution = batches.n_batches
        autoencoder.fit(
            batches.dataset,
            epochs=self.recipe.epochs,
            callbacks=[batches, *callbacks],
            shuffle=False,
            verbose=self.verbose,
        )


def identity(shape: tuple[int, ...]) -> keras.Model:
    """Build a model that gives samples of `shape` as they come."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Identity()(inputs), name="identity")


def _is_auto(choice):
    return isinstance(choice, str) and choice == "auto"


def _copy(model):
    """A model of the same weights: training changes it, and the user's stays as it is."""
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    return copy
