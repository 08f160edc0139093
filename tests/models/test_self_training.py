"""The target distribution by hand, and whole self-trainings against one written in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kdec
from kdec.autoencoders import dense
from kdec.models.dec import DEC
from kdec.models.self_training import RENEWAL_BATCH
from kdec.models.targets import frequencies, sharpen
from kdec.workers import present

# Columns sum to 1.5 and 1.5; q^2 / f is then q^2 / 1.5, so each row is q^2 normalised.
Q = np.array([[0.5, 0.5], [0.8, 0.2], [0.2, 0.8]])
P = np.array([[1 / 2, 1 / 2], [16 / 17, 1 / 17], [1 / 17, 16 / 17]])
# Columns sum to 2 and 1: row 0 weighs 1/8 to 1/4, row 1 9/32 to 1/16, row 2 9/32 to 1/16.
UNEVEN_Q = np.array([[0.5, 0.5], [0.75, 0.25], [0.75, 0.25]])
UNEVEN_P = np.array([[1 / 3, 2 / 3], [9 / 11, 2 / 11], [9 / 11, 2 / 11]])


@pytest.mark.parametrize(("q", "p"), [(Q, P), (UNEVEN_Q, UNEVEN_P)])
def test_hand_worked_targets(q, p):
    np.testing.assert_allclose(kdec.target_distribution(q), p, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_array_gives_array_and_tensor_gives_tensor(dtype):
    array = kdec.target_distribution(UNEVEN_Q.astype(dtype))
    tensor = kdec.target_distribution(tf.constant(UNEVEN_Q, dtype))
    assert isinstance(array, np.ndarray)
    assert array.dtype == dtype
    assert tf.is_tensor(tensor)
    assert tensor.dtype == dtype
    np.testing.assert_allclose(array, UNEVEN_P, rtol=1e-6)
    np.testing.assert_allclose(tensor, UNEVEN_P, rtol=1e-6)


@pytest.mark.parametrize("convert", [np.asarray, tf.constant])
def test_half_precision_stays_and_holds_the_sums_of_many_samples(convert):
    q = convert(np.tile(UNEVEN_Q, (20_000, 1)).astype("float16"))
    p = kdec.target_distribution(q)
    assert p.dtype == "float16" and isinstance(p, type(q))
    np.testing.assert_allclose(
        p[:2], kdec.target_distribution(np.tile(UNEVEN_Q, (20_000, 1)))[:2], rtol=2e-3
    )


def test_list_counts_as_an_array():
    np.testing.assert_allclose(kdec.target_distribution(UNEVEN_Q.tolist()), UNEVEN_P)


@pytest.mark.parametrize("convert", [np.asarray, tf.constant])
def test_cluster_without_any_share_stays_empty(convert):
    p = kdec.target_distribution(convert([[0.5, 0.5, 0.0], [0.75, 0.25, 0.0]]))
    np.testing.assert_array_equal(np.asarray(p)[:, 2], [0, 0])
    np.testing.assert_allclose(np.asarray(p).sum(axis=1), 1)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), ()])
def test_targets_of_anything_but_a_matrix_are_an_error(shape):
    with pytest.raises(ValueError, match=r"Expected `q` of shape \(n, n_clusters\)\. Received"):
        kdec.target_distribution(np.ones(shape))


def soft_assignments(parameters, x, alpha):
    kernel, bias, mu = parameters
    squared = (((x @ kernel + bias)[:, None] - mu[None]) ** 2).sum(-1)
    q = (1 + squared / alpha) ** (-(alpha + 1) / 2)
    return q / q.sum(1, keepdims=True)


def targets(q):
    weight = q**2 / q.sum(0)
    return weight / weight.sum(1, keepdims=True)


def mean_divergence(parameters, x, p, alpha):
    return (p * np.log(p / soft_assignments(parameters, x, alpha))).sum(1).mean()


def finite_differences(function, parameters, step=1e-6):
    """Central differences of a scalar function of a list of arrays."""
    gradients = [np.zeros_like(array) for array in parameters]
    for array, gradient in zip(parameters, gradients, strict=True):
        for i in np.ndindex(array.shape):
            value = array[i]
            array[i] = value + step
            above = function(parameters)
            array[i] = value - step
            below = function(parameters)
            array[i] = value
            gradient[i] = (above - below) / (2 * step)
    return gradients


def train_by_numpy(parameters, x, order, *, batch_size, max_steps, interval, alpha, rate, momentum):
    """DEC as the paper has it: targets renewed each interval, batches in one fixed order."""
    velocities = [np.zeros_like(array) for array in parameters]
    batches = [order[i : i + batch_size] for i in range(0, len(x), batch_size)]
    for step in range(max_steps):
        if step % interval == 0:
            p = targets(soft_assignments(parameters, x, alpha))
        rows = batches[step % len(batches)]
        gradients = finite_differences(
            lambda now, rows=rows, p=p: mean_divergence(now, x[rows], p[rows], alpha), parameters
        )
        for array, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
            velocity *= momentum
            velocity -= rate * gradient
            array += velocity
    return parameters


def two_blobs(n):
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, 3)) + 2 * (np.arange(n)[:, None] % 2)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("batch_size", "max_steps", "interval", "alpha"),
    [
        (4, 8, 3, 1.0),  # Three batches a pass, the last of two rows; the last interval is short.
        (5, 4, 9, 0.5),  # Fewer steps than an interval.
        (64, 5, 2, 3.0),  # More rows asked for than there are.
    ],
)
def test_training_takes_the_steps_of_the_paper(
    float64, shuffle, batch_size, max_steps, interval, alpha
):
    x = two_blobs(10)
    dec = DEC(dense((3, 2), seed=0), 2, alpha=alpha)
    dec.initialize(x, random_state=0)
    dec.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    parameters = [array.copy() for array in (*dec.encoder.get_weights(), dec.clusters)]
    order = np.random.default_rng(0).permutation(10) if shuffle else np.arange(10)
    expected = train_by_numpy(
        parameters,
        x,
        order,
        batch_size=batch_size,
        max_steps=max_steps,
        interval=interval,
        alpha=alpha,
        rate=0.1,
        momentum=0.9,
    )
    dec.fit(
        x,
        batch_size=batch_size,
        max_steps=max_steps,
        update_interval=interval,
        tol=-1,
        shuffle=shuffle,
        verbose=0,
    )
    assert int(dec.step) == max_steps
    for weight, array in zip((*dec.encoder.get_weights(), dec.clusters), expected, strict=True):
        np.testing.assert_allclose(weight, array, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("clustering_weight", [1.0, 0.1])
def test_gradients_are_those_of_finite_differences(float64, clustering_weight):
    x = two_blobs(7)
    dec = DEC(
        dense((3, 4, 2), "tanh", seed=0),
        3,
        alpha=1.5,
        clustering_weight=clustering_weight,
        reconstruction_weight=2.0,
    )
    dec.initialize(x, random_state=0)
    p = targets(np.asarray(dec(x)))
    variables = dec.trainable_variables
    with tf.GradientTape() as tape:
        loss = dec.losses_on_rows(tf.constant(x), tf.constant(p))["loss"]
    gradients = tape.gradient(loss, [variable.value for variable in variables])

    def loss_by_numpy(arrays):
        # Encoder, decoder, centroids, in the order of `trainable_variables`.
        w1, b1, w2, b2, w3, b3, w4, b4, mu = arrays
        z = np.tanh(x @ w1 + b1) @ w2 + b2
        x_hat = np.tanh(z @ w3 + b3) @ w4 + b4
        q = soft_assignments((np.eye(2), 0, mu), z, 1.5)
        divergence = (p * np.log(p / q)).sum(1).mean()
        return clustering_weight * divergence + 2.0 * ((x - x_hat) ** 2).mean()

    arrays = [variable.numpy() for variable in variables]
    np.testing.assert_allclose(loss, loss_by_numpy(arrays), rtol=1e-12)
    expected = finite_differences(loss_by_numpy, arrays)
    for gradient, difference in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("n", [RENEWAL_BATCH - 1, RENEWAL_BATCH, 2 * RENEWAL_BATCH + 3])
def test_targets_are_those_of_all_samples_whatever_their_number(float64, n):
    x = two_blobs(n)
    dec = DEC(dense((3, 2), seed=0), 2)
    dec.initialize(x, random_state=0, n_init=1)
    dec.compile(keras.optimizers.SGD(0.0))
    # At rate 0 the loss of one pass is the mean over all samples, small last batch included.
    n_steps = -(-n // 500)
    history = dec.fit(x, batch_size=500, max_steps=n_steps, update_interval=n_steps, verbose=0)
    parameters = (*dec.encoder.get_weights(), dec.clusters)
    p = targets(soft_assignments(parameters, x, 1.0))
    expected = mean_divergence(parameters, x, p, 1.0)
    assert history.history["loss"] == [pytest.approx(expected, rel=1e-6)]


@pytest.mark.parametrize("n", [5, 50_000])
def test_targets_in_place_are_those_of_all_at_once(n):
    q = np.random.default_rng(0).random((n, 3), dtype="float32")
    p = kdec.target_distribution(q)
    sharpen(q, present())
    np.testing.assert_array_equal(q, p)


def test_sums_of_many_shares_are_exact():
    # A view: 2^25 rows that take no memory. In single precision their sum ends at 2^24 / 4.
    q = np.broadcast_to(np.float32([[0.25, 0.75]]), (2**25, 2))
    np.testing.assert_array_equal(frequencies(q), [[2**23, 3 * 2**23]])
