"""What every model that takes an encoder asks of it."""

import keras
import pytest

from kdec import DifferentiableKMeans, KMeansLoss


@keras.saving.register_keras_serializable(package="kdec_tests")
class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def subclassed():
    encoder = Subclassed()
    encoder(keras.ops.zeros((1, 4)))
    return encoder


def with_outputs(make):
    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(units)(inputs) for units in (3, 2)]
    return keras.Model(inputs, make(outputs))


REFUSED = {
    "no model": (lambda: "encoder", TypeError, r"to be a keras\.Model\. Received: <class 'str'>"),
    "not built": (lambda: keras.Sequential([keras.layers.Dense(3)]), ValueError, "to be built"),
    "subclassed": (subclassed, ValueError, "whose shapes are known. Received: <Subclassed"),
    "list of two": (lambda: with_outputs(list), ValueError, "one embedding.*3.*2"),
    "tuple of two": (lambda: with_outputs(tuple), ValueError, "one embedding.*3.*2"),
    "dict of two": (
        lambda: with_outputs(lambda outputs: dict(zip("ab", outputs, strict=True))),
        ValueError,
        "one embedding.*3.*2",
    ),
    "image": (
        lambda: keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)]),
        ValueError,
        r"one embedding of shape \(batch, n_features\)\. Received: .*\(None, 2, 2, 2\)",
    ),
    "unknown size": (
        lambda: keras.Sequential([keras.Input((None,)), keras.layers.ReLU()]),
        ValueError,
        r"one embedding.*\(None, None\)",
    ),
}


@pytest.mark.parametrize("model", [KMeansLoss, DifferentiableKMeans])
@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_encoder_without_one_flat_embedding_is_refused(model, make, error, message):
    with pytest.raises(error, match=f"Expected `encoder` .*{message}"):
        model(n_clusters=3, encoder=make())
