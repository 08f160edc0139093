"""Models that look at what they are given before any work, and forget work that has failed."""

import contextlib

import keras

from kdec.forked import refuse_forked_process


class CheckedModel(keras.Model):
    """A Keras model whose `fit`, `evaluate` and `predict` check samples and optimizer first.

    Attributes:
        sample_shape: Shape of one sample without the batch axis, None for sizes that do not matter;
            or None where it is not known yet. Set by the subclass.
    """

    sample_shape = None

    @property
    def trained_variables(self) -> list:
        """What `fit` trains."""
        return self.trainable_variables

    def fit(self, x=None, *args, **kwargs):
        """Train as `keras.Model.fit` does, whose arguments it takes.

        Raises:
            ValueError: If samples are of another shape than the model takes, or the optimizer is
                that of another model.
        """
        self.check_samples(x)
        self.check_optimizer()
        if self.compiled and not self.optimizer.built:
            # Within a trace that fails, its variables would stay without values.
            self.optimizer.build(self.trainable_variables)
        with self._forgetting_failures():
            return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """Evaluate as `keras.Model.evaluate` does; a ValueError for samples of another shape."""
        self.check_samples(x)
        with self._forgetting_failures():
            return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """Predict as `keras.Model.predict` does; a ValueError for samples of another shape."""
        self.check_samples(x)
        with self._forgetting_failures():
            return super().predict(x, *args, **kwargs)

    def check_samples(self, x) -> None:
        """Raise a ValueError if `x` is an array of samples of another shape than the model takes.

        An axis of one channel may be missing or too many: Keras adds or removes it. A RuntimeError
        says that no work is possible in this process at all.
        """
        refuse_forked_process()
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


def _fits(sizes, expected):
    return len(sizes) == len(expected) and all(
        size is None or wanted is None or size == wanted
        for size, wanted in zip(sizes, expected, strict=True)
    )
