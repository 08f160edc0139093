"""Models that look at what they are given before any work, and forget work that has failed."""

import contextlib
import inspect
import logging
from numbers import Number

import keras
import numpy as np

from kdec.autoencoders.disk_arguments import in_batches
from kdec.autoencoders.training_samples import TrainingSamples
from kdec.data import Shards, least_and_greatest
from kdec.guards import non_negative_int, positive_int, refuse_forked_process

_FIT, _EVALUATE, _PREDICT = (
    inspect.signature(method)
    for method in (keras.Model.fit, keras.Model.evaluate, keras.Model.predict)
)

logger = logging.getLogger("kdec")


class CheckedModel(keras.Model):
    """A Keras model whose `fit`, `evaluate` and `predict` check samples and optimizer first.

    Attributes:
        sample_shape: Shape of one sample without the batch axis, None for sizes that do not matter;
            or None where it is not known yet. Set by the subclass.
        training_samples: Range and mean of the samples that the model was last trained on, or None
            where that is not known: before `fit`, after one on a dataset, or in a file of an
            earlier version. Samples that are unlike them are warned of, once.
    """

    sample_shape = None
    training_samples = None
    _has_warned = False

    @property
    def trained_variables(self) -> list:
        """What `fit` trains."""
        return self.trainable_variables

    def fit(self, x=None, *args, **kwargs):
        """Train as `keras.Model.fit` does, whose arguments it takes.

        Raises:
            TypeError: If an argument is not known, `x` is no dense array or dataset, or `callbacks`
                are none.
            ValueError: If samples are of another shape than the model takes or not finite real
                numbers, a number is out of its range, or the optimizer is that of another model.
        """
        options = {"shuffle": True, **_options(_FIT, self, x, *args, **kwargs)}
        self.check_options(options)
        self.check_samples(x)
        _check_finite(x)
        self.check_optimizer()
        self.remember_samples(x)
        if self.compiled and not self.optimizer.built:
            # Within a trace that fails, its variables would stay without values.
            self.optimizer.build(self.trainable_variables)
        with self._forgetting_failures(), in_batches(options) as options:
            return super().fit(**options)

    def evaluate(self, x=None, *args, **kwargs):
        """Evaluate as `keras.Model.evaluate` does; a ValueError for samples of another shape."""
        options = _options(_EVALUATE, self, x, *args, **kwargs)
        self.check_options(options)
        self.check_samples(x)
        with self._forgetting_failures(), in_batches(options) as options:
            return super().evaluate(**options)

    def predict(self, x, *args, **kwargs):
        """Predict as `keras.Model.predict` does; a ValueError for samples of another shape."""
        options = _options(_PREDICT, self, x, *args, **kwargs)
        self.check_options(options)
        self.check_samples(x)
        with self._forgetting_failures(), in_batches(options) as options:
            return super().predict(**options)

    def check_options(self, options: dict) -> None:
        """Raise an error for an option of `fit`, `evaluate` or `predict` that Keras cannot use.

        Keras finds that out in the middle of its work, or not at all.
        """
        if options.get("batch_size") is not None:
            positive_int("batch_size", options["batch_size"])
        for name in ("epochs", "initial_epoch"):
            if name in options:
                non_negative_int(name, options[name])
        callbacks = options.get("callbacks")
        for callback in keras.tree.flatten(callbacks):
            known = (keras.callbacks.Callback, keras.callbacks.CallbackList, type(None))
            if not isinstance(callback, known):
                raise TypeError(
                    f"Expected `callbacks` to be Keras callbacks. Received: {callback!r}"
                )

    def check_samples(self, x) -> None:
        """Raise an error if `x` is an array of other samples than the model takes, or none at all.

        An axis of one channel may be missing or too many: Keras adds or removes it. Samples of the
        right shape that are unlike those of the training are warned of. A RuntimeError says that no
        work is possible in this process at all.
        """
        refuse_forked_process()
        if x is None or isinstance(x, (list, dict, str, Number)):
            raise TypeError(
                "Expected `x` to be an array of samples, or a dataset of batches. "
                f"Received: {type(x)}"
            )
        if getattr(getattr(x, "dtype", None), "kind", "f") in "cOSUmM":
            raise ValueError(f"Expected real numbers in `x`. Received: dtype {x.dtype}")
        if tuple(getattr(x, "shape", ()))[:1] == (0,):
            raise ValueError("Expected `x` of at least one sample. Received: none")
        if hasattr(x, "shape") and not hasattr(x, "__array__"):
            hint = ": x.toarray() makes it dense" if hasattr(x, "toarray") else ""
            raise TypeError(f"Expected `x` to be a dense array. Received: {type(x)}{hint}")
        self._check_shape(x)
        self.warn_of_unlike_samples(x)

    def expected_samples(self) -> TrainingSamples | None:
        """Return what the samples are expected to be like, or None."""
        return self.training_samples

    def warn_of_unlike_samples(self, x) -> None:
        """Log a warning, once, if the samples `x` are unlike those of the training."""
        expected = self.expected_samples()
        if expected is not None and not self._has_warned and expected.are_unlike(x):
            self._has_warned = True
            logger.warning(
                "Expected samples like those that %s was trained on, %s. Received: %s. "
                "Another scale, or inverted colours, make its results meaningless.",
                self.name,
                expected,
                TrainingSamples.of(x),
            )

    def remember_samples(self, x) -> None:
        """Keep what the samples `x` of a training are like, if they are an array."""
        self.training_samples = TrainingSamples.of(x) or self.training_samples

    def _check_shape(self, x):
        expected = self.sample_shape
        if expected is None or not hasattr(x, "shape"):
            return
        received = tuple(x.shape)
        candidates = [expected, (*expected, 1)]
        if expected[-1:] == (1,):
            candidates.append(expected[:-1])
        if any(_fits(received[1:], sizes) for sizes in candidates) and received:
            return
        is_one_sample = any(_fits(received, sizes) for sizes in candidates)
        hint = ": one sample without a batch axis, which x[None] adds" if is_one_sample else ""
        raise ValueError(
            f"Expected `x` of shape (n, {', '.join(map(str, expected))}). "
            f"Received: shape {received}{hint}"
        )

    def check_optimizer(self) -> None:
        """Raise a ValueError if the optimizer belongs to another model."""
        optimizer = self.optimizer if self.compiled else None
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if optimizer is None or not optimizer.built:
            return
        # Keras has no public name for the variables that an optimizer was built for.
        known = {id(variable) for variable in optimizer._trainable_variables}
        if not self.built or any(id(variable) not in known for variable in self.trained_variables):
            raise ValueError(
                "Expected an optimizer of the model's own: `compile` again, with a new one. "
                f"Received: {type(optimizer).__name__}, built for other variables, as of another "
                "model or of layers that were frozen"
            )

    @contextlib.contextmanager
    def _forgetting_failures(self):
        try:
            yield
        except Exception:
            # A trace that failed half way may have made variables, which TensorFlow allows in the
            # first trace of a function alone.
            self.train_function = self.test_function = self.predict_function = None
            raise


def _options(signature, *args, **kwargs):
    """The arguments of a method by their names, but `self`."""
    options = signature.bind(*args, **kwargs).arguments
    return {**options.pop("kwargs", {}), **dict(list(options.items())[1:])}


def _check_finite(x):
    if not isinstance(x, (np.ndarray, Shards)):
        return
    if not np.isfinite(least_and_greatest(x)).all():
        raise ValueError("Expected finite values in `x`. Received: NaN or infinity among them.")


def _fits(sizes, expected):
    return len(sizes) == len(expected) and all(
        size is None or wanted is None or size == wanted
        for size, wanted in zip(sizes, expected, strict=True)
    )
