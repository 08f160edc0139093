"""NT-Xent against its formula in NumPy, and its gradients against finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from kdec.models.contrastive_loss import nt_xent, unit_length


def by_numpy(codes, partners, temperature):
    """The formula of SimCLR, eq. 1, term by term."""
    z = np.concatenate([codes, partners])
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    n = len(z)
    terms = []
    for i in range(n):
        j = (i + n // 2) % n
        others = [np.exp(z[i] @ z[k] / temperature) for k in range(n) if k != i]
        terms.append(-np.log(np.exp(z[i] @ z[j] / temperature) / sum(others)))
    return np.mean(terms)


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(2, 5, 3))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_loss_is_that_of_the_formula(codes, temperature):
    expected = by_numpy(*codes, temperature)
    np.testing.assert_allclose(nt_xent(*codes, temperature), expected, rtol=1e-6)
    single = codes.astype("float32")
    np.testing.assert_allclose(nt_xent(*single, temperature), expected, rtol=1e-5)


def test_hand_worked_loss_of_a_batch_of_one():
    # The partner is the only other code: it is found for sure.
    assert float(nt_xent(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]))) == pytest.approx(0)


def test_length_of_the_codes_does_not_count(codes):
    scaled = codes * np.random.default_rng(1).uniform(0.1, 10, (2, 5, 1))
    np.testing.assert_allclose(nt_xent(*scaled), nt_xent(*codes), rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.2, 0.5])
def test_gradients_are_those_of_finite_differences(codes, temperature):
    tensors = [tf.constant(part) for part in codes]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = nt_xent(*tensors, temperature)
    gradients = np.stack(tape.gradient(loss, tensors))
    differences = np.zeros_like(codes)
    for index in np.ndindex(codes.shape):
        shift = np.zeros_like(codes)
        shift[index] = 1e-6
        above, below = (by_numpy(*(codes + sign * shift), temperature) for sign in (1, -1))
        differences[index] = (above - below) / 2e-6
    np.testing.assert_allclose(gradients, differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_codes_have_a_loss_of_full_precision(codes, dtype):
    half = [tf.cast(part, dtype) for part in codes]
    loss = nt_xent(*half)
    assert loss.dtype == "float32"
    np.testing.assert_allclose(loss, by_numpy(*(np.float64(part) for part in half), 0.5), rtol=1e-5)


def test_code_of_zeros_has_no_nan():
    zeros = tf.zeros((3, 2))
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        loss = nt_xent(zeros, zeros)
    assert np.isfinite(loss)
    assert np.isfinite(tape.gradient(loss, zeros)).all()


def test_unit_length(codes):
    np.testing.assert_allclose(np.linalg.norm(unit_length(codes[0]), axis=1), 1)
