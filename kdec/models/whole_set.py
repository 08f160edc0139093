"""Models that train on all samples at once: an epoch is one call of the training graph."""

import inspect
from collections.abc import Callable

import keras
import tensorflow as tf

from kdec.models.backend import require_tensorflow
from kdec.models.own_loss import OwnLossModel
from kdec.models.samples import check_samples
from kdec.row_batches import without_tuner
from kdec.workers import present, refuse_several


class WholeSetModel(OwnLossModel):
    """A model whose `fit` brings the steps of an epoch with it, since they need all samples.

    Keras' own `fit` would hand the samples over batch by batch. Here it counts the epochs, and
    drives callbacks and progress bar; an epoch's steps run in one `tf.function`.

    Attributes:
        instead_of_epochs: What to say to one who gives `epochs` to a `fit` without them.
        instead_of_evaluation: What to say to one who evaluates, or gives data for validation.
        takes_several_workers: Whether `fit` trains on the samples of all workers.
    """

    instead_of_epochs = ""
    instead_of_evaluation = ""
    takes_several_workers = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Steps done. A weight, so that a loaded model goes on at the same batch.
        self.step = self.add_weight(
            name="step", shape=(), dtype="int32", trainable=False, initializer="zeros"
        )
        # On a GPU, Keras would compile the step by XLA, which has no affine map of images, and
        # cannot reach the integers that count the steps: TensorFlow keeps those on the CPU.
        self.supports_jit = False
        self._run_epoch = None

    def check_fit(self, other_options: dict, callbacks, initial_epoch) -> None:
        """Raise an error unless Keras runs on TensorFlow, and the options of `fit` are good.

        Args:
            other_options: What `fit` was given by a name that is none of its arguments', such as
                one of `keras.Model.fit`.
            callbacks: What should be Keras callbacks, or None.
            initial_epoch: What should be an int of at least 0.
        """
        require_tensorflow(f"the training of {type(self).__name__}")
        if not self.takes_several_workers:
            refuse_several(type(self).__name__)
        for name in other_options:
            if name.startswith("validation"):
                expected = self.instead_of_evaluation
            elif name == "epochs":
                expected = self.instead_of_epochs
            else:
                known = list(inspect.signature(self.fit).parameters)[:-1]
                expected = f"Expected arguments of {type(self).__name__}.fit: {', '.join(known)}."
            raise TypeError(f"{expected} Received: an argument `{name}`")
        self.check_options({"callbacks": callbacks, "initial_epoch": initial_epoch})

    def check_whole_set(self, x, encoder: keras.Model):
        """Return all samples `x` as an array for `encoder`; warn if unlike those it learned from.

        Raises:
            TypeError, ValueError: As `kdec.models.samples.check_samples` does.
        """
        x = check_samples(x, encoder)
        self.warn_of_unlike_samples(x)
        return x

    def test_step(self, data):
        """Raise an error: the loss depends on what only the training samples have."""
        raise NotImplementedError(self.instead_of_evaluation)

    def fit_by_epochs(self, run_epoch: Callable[[], None], x, **options) -> keras.callbacks.History:
        """Call `run_epoch` once an epoch, and return Keras' History.

        Args:
            run_epoch: A `tf.function` without arguments, which takes the steps of an epoch.
            x: All samples, an array (n, ...).
            **options: Those of `keras.Model.fit` that are not about data.
        """
        self.check_optimizer()
        self.remember_samples(x)
        if not self.optimizer.built:
            # With all variables, trained or not: Keras hands the optimizer all of the model's at
            # the end of `fit`, where moving averages take the place of the weights by position.
            self.optimizer.build(self.trainable_variables)
        # Not as it is: TensorFlow would track the function, with the samples, as long as the model.
        self._run_epoch = lambda: run_epoch()
        try:
            one_batch = without_tuner(tf.data.Dataset.from_tensors(0))
            return super().fit(one_batch, shuffle=False, **options)
        finally:
            self._run_epoch = None
            self.train_function = None

    def make_train_function(self, force=False):
        """Call the `tf.function` of an epoch as it is: Keras would trace one of its own around."""
        self.train_function = lambda iterator: self.train_step(next(iterator))

    def train_step(self, data):
        """Run the steps of an epoch; called once an epoch."""
        del data
        if self._run_epoch is None:
            raise ValueError("Expected training through `fit`, which prepares all samples first.")
        self._run_epoch()
        return {mean.name: mean.result() for mean in self.metrics}

    def minimize(
        self, compute_losses: Callable[[], dict], variables, n_samples, share=None
    ) -> None:
        """Take one optimizer step, and add the losses to the running means.

        Args:
            compute_losses: Returns scalar tensors by the names of `metrics`; `loss` is minimised.
            variables: What is trained.
            n_samples: Weight of the losses in the means, an int or a scalar tensor.
            share: Of several workers, how much of the batch is this one's, a scalar tensor; their
                gradients and losses are summed by it. Defaults to None: there is one worker.
        """
        with tf.GradientTape() as tape:
            losses = compute_losses()
            # Float16 scales the loss, lest small gradients vanish; `apply` undoes it.
            scaled_loss = self.optimizer.scale_loss(losses["loss"])
        gradients = tape.gradient(scaled_loss, variables)
        if share is not None:
            gradients, losses = _of_all_workers((gradients, losses), share)
        self.optimizer.apply(gradients, variables)
        for mean in self.metrics:
            mean.update_state(losses[mean.name], sample_weight=n_samples)


def _of_all_workers(values, share):
    """Return the sums over all workers of tensors, each weighted by the share of its worker."""
    flat = tf.nest.flatten(values)
    # What the loss does not depend on has no gradient.
    tensors = [value * tf.cast(share, value.dtype) for value in flat if value is not None]
    sums = iter(present().sum(tensors))
    flat = [None if value is None else next(sums) for value in flat]
    return tf.nest.pack_sequence_as(values, flat)
