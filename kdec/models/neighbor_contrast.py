"""Contrast between neighbours: an encoder that learns what neighbours and views have in common.

One batch's way through `NeighborContrast.fit`: rows of `x` and of each one neighbour -> a random
view of each -> encoder -> codes of length one -> `nt_xent`. An epoch is one `tf.function` call.
"""

from collections.abc import Sequence
from numbers import Real

import keras
import numpy as np
import tensorflow as tf

from kdec.data import Shards
from kdec.guards import is_positive_int, non_negative_int, positive_int
from kdec.models.contrastive_loss import nt_xent, unit_length
from kdec.models.encoders import check_encoder, check_views
from kdec.models.own_loss import add_losses_of
from kdec.models.stateless_seeds import StatelessSeeds
from kdec.models.whole_set import WholeSetModel
from kdec.neighbors import nearest_neighbors
from kdec.row_batches import read_ahead, take_rows

_LEARNING_RATE = 1e-3
_LAST_SHARE = 0.02  # of the learning rate, at the end of its cosine


@keras.saving.register_keras_serializable(package="kdec")
class NeighborContrast(WholeSetModel):
    """An encoder whose codes are alike for neighbours, and for random views of a sample.

    `fit(x)` trains it, `predict(x)` gives codes of length one, (n, d), for `kdec.KMeans`. The loss
    is NT-Xent over pairs: a sample and one of its nearest neighbours, drawn anew each time. The
    neighbours make the clusters, the views make them generalise.

    The encoder is shared, not copied: training changes it. It trains on TensorFlow; a saved model
    also loads and predicts on Keras' other backends.

    Args:
        encoder: Built `keras.Model`, (batch, ...) -> (batch, d), such as
            `kdec.autoencoders.conv_encoder` builds. Batch normalisation helps, with a momentum of
            0.9: at Keras' 0.99 its statistics lag behind.
        views: Keras layer that gives random views of samples when called with `training=True`, such
            as `kdec.views.RandomAffine` for images and `kdec.views.RandomNoise` for vectors; or
            None for the samples as they are. Defaults to None.
        temperature: Positive float, temperature of the loss. Defaults to 0.5.
        seed: Int of at least 0. Order, draws of neighbours, views and dropout in `fit` depend on it
            and on the number of the step alone; seeds of the layers do not count there. Defaults
            to 0.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `encoder` is not a `keras.Model`, or `views` not a Keras layer.
        ValueError: If the encoder is not built or does not give one embedding, `temperature` is not
            positive, or `seed` is negative.

    Reference:
        Dwibedi, Aytar, Tompson, Sermanet, Zisserman, With a Little Help from My Friends:
        Nearest-Neighbor Contrastive Learning of Visual Representations (2021); Damrich, Böhm,
        Hamprecht, Kobak, From t-SNE to UMAP with contrastive learning (2023). Neighbours are those
        of the samples here, not of the codes.

    Example:
    >>> import kdec
    >>> data = kdec.load_data("digits")
    >>> encoder = kdec.autoencoders.dense_encoder((64, 200, 200, 16), seed=0)
    >>> model = kdec.NeighborContrast(encoder, kdec.views.RandomNoise(0.1))
    >>> history = model.fit(data.flat, batch_size=256, epochs=15, verbose=0)
    >>> codes = model.predict(data.flat, verbose=0)
    >>> labels = kdec.KMeans(10, n_init=10, random_state=0).fit_predict(codes)
    >>> kdec.metrics.accuracy(data.y, labels) > 0.8
    True
    """

    parts = ("encoder", "views")
    instead_of_evaluation = (
        "Expected `predict`, and `kdec.KMeans` on its codes: there is no loss on new samples, "
        "whose neighbours are not known."
    )

    def __init__(
        self,
        encoder: keras.Model,
        views: keras.Layer | None = None,
        temperature: float = 0.5,
        seed: int = 0,
        **kwargs,
    ):
        check_encoder(encoder)
        check_views(views)
        if not isinstance(temperature, Real) or not 0 < temperature < np.inf:
            raise ValueError(
                "Expected `temperature` to be positive and finite. "
                f"Received: temperature={temperature!r}"
            )
        seed = non_negative_int("seed", seed)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.views = views
        self.temperature = float(temperature)
        self.seed = seed
        self._loss_mean = keras.metrics.Mean(name="loss")
        self.call_once(encoder)

    @property
    def metrics(self):
        """The running mean of the loss, which Keras resets at the start of each epoch."""
        return [self._loss_mean]

    def call(self, inputs, training=None):
        """Return the codes of `inputs`, (batch, d), each of length one."""
        return unit_length(self.encoder(inputs, training=training))

    def fit(
        self,
        x,
        neighbors=10,
        batch_size: int = 512,
        epochs: int = 20,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        verbose="auto",
        initial_epoch: int = 0,
        *,
        pairs=None,
        **other_options,
    ) -> keras.callbacks.History:
        """Train the encoder on pairs of neighbours.

        An epoch goes through all samples but the rest that fills no batch, in a new order; it is
        one call of the training graph, with one progress report. A model that has not been compiled
        trains by Adam with a learning rate that falls from 1e-3 by a cosine to 2e-5 at the end of
        `epochs`. After `compile` with an optimizer of one's own, that one counts. A second `fit`
        goes on at the step, and with the optimizer, where the first one stopped.

        Args:
            x: Float array (n, ...), all samples, in the encoder's input shape; or samples on the
                disk: a `np.memmap`, `kdec.data.Shards`, or a `tf.data.Dataset` of batches. Those
                are read a few batches ahead, with the same result.
            neighbors: Non-negative int, how many of the nearest neighbours, which
                `kdec.nearest_neighbors` finds, a sample's partner is drawn from; with 0 it is the
                sample itself in another view, as in SimCLR. Or an int array (n, k): in row i the
                rows of `x` that are neighbours of sample i. Defaults to 10.
            batch_size: Int of at least 2, pairs a step; at most as many as there are. The other
                pairs of a batch are what a pair is told apart from. Defaults to 512.
            epochs: Positive int, number of the last epoch. Defaults to 20.
            callbacks: Keras callbacks. Defaults to None.
            verbose: "auto", 0, 1 or 2, as in `keras.Model.fit`.
            initial_epoch: Int, epochs already done. Defaults to 0.
            pairs: Int array (m, 2), rows of `x` that belong together, in the place of `neighbors`.
                An epoch then goes through all pairs. Defaults to None.
            **other_options: Refused: arguments that `keras.Model.fit` has and this one has not.

        Returns:
            `keras.callbacks.History` with the mean `loss` of each epoch.

        Raises:
            TypeError: If `x` is neither array nor on the disk, or an argument is not known.
            ValueError: If `x` does not fit the encoder, `neighbors` or `pairs` are not rows of it,
                or a number is out of its range.
            RuntimeError: If Keras runs on another backend than TensorFlow.
        """
        self.check_fit(other_options, callbacks, initial_epoch)
        self.check_optimizer()  # before the search for neighbours, which can take long
        x = self.check_whole_set(x, self.encoder)
        batch_size = positive_int("batch_size", batch_size, least=2)
        epochs = positive_int("epochs", epochs)
        if pairs is not None:
            pairs = _check_rows("pairs", pairs, len(x), width=2)
            anchors, partners = pairs[:, 0], pairs[:, 1:]
        else:
            anchors, partners = np.arange(len(x), dtype=np.int32), _partners(x, neighbors, verbose)
        if len(anchors) < 2:
            raise ValueError(f"Expected at least two pairs. Received: {len(anchors)}")
        paired = PairedSamples(self, x, anchors, partners, batch_size)
        if not self.compiled:
            n_steps = epochs * paired.steps_per_epoch
            decay = keras.optimizers.schedules.CosineDecay(
                _LEARNING_RATE, n_steps, alpha=_LAST_SHARE
            )
            self.compile(keras.optimizers.Adam(decay))
        return self.fit_by_epochs(
            paired.run_epoch,
            x,
            epochs=epochs,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            verbose=verbose,
        )

    def train_on_pairs(self, x, partners):
        """Take one optimizer step on the samples `x` (batch, ...) and their `partners`."""
        self.minimize(
            lambda: {"loss": self.loss_on_pairs(x, partners)}, self.trainable_variables, 1
        )

    def loss_on_pairs(self, x, partners):
        """Return the loss, a scalar, of samples `x` (batch, ...) and their `partners`."""
        # In one batch, which batch normalisation then sees whole.
        samples = tf.concat([x, partners], axis=0)
        if self.views is not None:
            samples = self.views(samples, training=True)
        codes = self.encoder(samples, training=True)
        batch = tf.shape(x)[0]
        loss = nt_xent(codes[:batch], codes[batch:], self.temperature)
        return add_losses_of(loss, self.encoder)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {**super().get_config(), "temperature": self.temperature, "seed": self.seed}


class PairedSamples:
    """All samples and who is whose partner, and the steps of an epoch over them.

    Args:
        model: The `NeighborContrast` to train.
        x: NumPy array (n, ...), or `Shards`.
        anchors: Int32 array (m,), rows of `x`.
        partners: Int32 array (m, k), for each anchor the rows of `x` that its partner is drawn
            from.
        batch_size: Pairs a step; all m if that is less.
    """

    def __init__(self, model, x, anchors, partners, batch_size):
        self.model = model
        self.x = x if isinstance(x, Shards) else tf.convert_to_tensor(x)
        self.anchors = tf.constant(anchors)
        self.partners = tf.constant(partners)
        self.n_pairs = len(anchors)
        self.batch_size = min(batch_size, self.n_pairs)
        self.steps_per_epoch = self.n_pairs // self.batch_size
        self.seeds = StatelessSeeds([model.encoder, model.views], model.seed)
        self.run_epoch = tf.function(self._run_epoch)

    def _run_epoch(self):
        read = read_ahead(self.x, self._batch, self.model.step.value, self.steps_per_epoch)
        for _ in tf.range(self.steps_per_epoch):
            self.seeds.set_step(self.model.step.value)
            self.model.train_on_pairs(*read(self.model.step.value))
            self.model.step.assign_add(1)

    def _batch(self, step):
        """The samples of a step and their partners."""
        rows, partners = self._draw(step)
        return take_rows(self.x, rows), take_rows(self.x, partners)

    def _draw(self, step):
        """The rows of a step's samples and of their partners, each (batch,)."""
        epoch, place = step // self.steps_per_epoch, step % self.steps_per_epoch
        chosen = tf.random.experimental.index_shuffle(
            place * self.batch_size + tf.range(self.batch_size),
            seed=[self.model.seed, epoch],
            max_index=self.n_pairs - 1,
        )
        which = tf.random.stateless_uniform(
            [self.batch_size], [self.model.seed, step], 0, self.partners.shape[1], tf.int32
        )
        partners = tf.gather(tf.gather(self.partners, chosen), which, batch_dims=1)
        return tf.gather(self.anchors, chosen), partners


def _partners(x, neighbors, verbose):
    """The rows (n, k) that partners of the samples `x` are drawn from."""
    if is_positive_int(neighbors):
        # Keras' "auto" is a bar, 2 is a line an epoch.
        return nearest_neighbors(
            x, neighbors, verbose="auto" if verbose == "auto" else verbose == 1
        )
    if np.ndim(neighbors) == 0:
        non_negative_int("neighbors", neighbors)
        return np.arange(len(x), dtype=np.int32)[:, None]
    neighbors = _check_rows("neighbors", neighbors, len(x))
    if len(neighbors) != len(x):
        raise ValueError(
            f"Expected `neighbors` of shape ({len(x)}, k), a row a sample. "
            f"Received: shape {neighbors.shape}. Pairs are given as `pairs`."
        )
    return neighbors


def _check_rows(name, rows, n, width=None):
    """`rows` as an int32 array (m, width) of numbers from 0 to n - 1, or an error."""
    rows = np.asarray(rows)
    fits = rows.ndim == 2 and rows.shape[1] == (width or rows.shape[1]) and rows.size > 0
    if not fits or rows.dtype.kind not in "iu":
        shape = f"(m, {width})" if width else f"({n}, k)"
        raise ValueError(
            f"Expected `{name}` to be an int array of shape {shape}. "
            f"Received: shape {rows.shape}, dtype {rows.dtype}"
        )
    if rows.min() < 0 or rows.max() >= n:
        raise ValueError(
            f"Expected `{name}` to be rows of `x`, from 0 to {n - 1}. "
            f"Received: {rows.min()} to {rows.max()}"
        )
    return rows.astype(np.int32, copy=False)
